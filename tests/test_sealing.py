"""The keyring: what is sealed opens for its own row and with its own key, and in no other way."""

import base64

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from fv import sealing
from fv.sealing import Keyring, Unreadable

OLD, NEW = "a" * 64, "b" * 64


@given(st.binary(max_size=300), st.text(max_size=40))
def test_what_is_sealed_opens_again_for_the_same_row(plain, row):
    ring = Keyring(OLD)
    assert ring.open(ring.seal(plain, row), row) == plain


@given(st.text(max_size=20), st.text(max_size=20))
def test_it_does_not_open_for_another_row(row, other):
    ring = Keyring(OLD)
    if row != other:
        with pytest.raises(Unreadable):
            ring.open(ring.seal(b"secret", row), other)


@given(st.data())
def test_a_changed_byte_does_not_open(data):
    ring = Keyring(OLD)
    key_id, _, body = ring.seal(b"secret", "row").partition(".")
    raw = bytearray(base64.urlsafe_b64decode(body))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Unreadable):
        ring.open(f"{key_id}.{base64.urlsafe_b64encode(raw).decode()}", "row")


@pytest.mark.parametrize("nonsense", ["", ".", "x", "00000000.", "00000000.AAAA", "....", "é.é", "ff.!!!!"])
def test_nonsense_is_unreadable_and_not_an_error(nonsense):
    with pytest.raises(Unreadable):
        Keyring(OLD).open(nonsense, "row")


def test_what_an_earlier_version_sealed_and_derived_is_the_same_today():
    """Another length of the key id, the nonce or a key would shut every enrolled account out."""
    ring = Keyring(OLD)
    assert ring.open("01294d6a.2dUExJqz_r3jva1PZfB7lFBDVpuvvAruRXsucBIASK6DCQ==", "row") == b"secret"
    assert ring.derive("cookies").hex() == "27f23b47911e7e8375ca9e0dd87b7d5f0b3162e69208a17429c8c562a66e1594"
    assert ring.derive_all("cookies") == [ring.derive("cookies")]
    assert ring.pseudonym("ada") == "71df22aa579befc4db8d5e630520a16e25396e4dee4468d69a41975f91c6d675"
    assert ring.sign("audit row", "text") == (
        "01294d6a.388eafe42ce7bce47b0c62c5bcc0d44101fa53575ead4b55d147b541cc861982"
    )


def test_a_sealed_text_can_be_spelled_in_one_way_only():
    ring = Keyring(OLD)
    key_id, _, body = ring.seal(b"secret", "row").partition(".")
    for spelled in (f"{body[:9]}!{body[9:]}", f"{body}\n", f" {body}"):
        with pytest.raises(Unreadable):
            ring.open(f"{key_id}.{spelled}", "row")


def test_the_last_key_seals_and_every_key_opens():
    before = Keyring(OLD).seal(b"secret", "row")
    both = Keyring(f"{OLD}\n{NEW}\n")
    assert both.open(before, "row") == b"secret"
    after = both.seal(b"secret", "row")
    assert Keyring(NEW).open(after, "row") == b"secret"
    with pytest.raises(Unreadable):
        Keyring(OLD).open(after, "row")


def test_the_same_secret_is_sealed_differently_each_time_and_not_in_clear():
    ring = Keyring(OLD)
    sealed = {ring.seal(b"secret", "row") for _ in range(50)}
    assert len(sealed) == 50
    assert not any("secret" in base64.urlsafe_b64decode(one.partition(".")[2]).decode("latin-1") for one in sealed)


def test_each_purpose_has_its_own_key_and_older_keys_come_later():
    both = Keyring(f"{OLD}\n{NEW}")
    assert len({both.derive("cookies"), both.derive("pseudonym"), Keyring(OLD).derive("cookies")}) == 3
    assert both.derive_all("cookies") == [Keyring(NEW).derive("cookies"), Keyring(OLD).derive("cookies")]
    assert both.pseudonym("ada") == Keyring(NEW).pseudonym("ada") != both.pseudonym("eve")


def test_a_pseudonym_from_before_a_rotation_can_be_found_again():
    both = Keyring(f"{OLD}\n{NEW}")
    assert both.pseudonyms("ada") == [Keyring(NEW).pseudonym("ada"), Keyring(OLD).pseudonym("ada")]


def test_what_an_older_key_sealed_is_sealed_anew_for_the_same_row_only():
    before, both = Keyring(OLD).seal(b"secret", "row"), Keyring(f"{OLD}\n{NEW}")
    after = both.renewed(before, "row")
    assert Keyring(NEW).open(after, "row") == b"secret"
    assert (before.partition(".")[0], after.partition(".")[0]) == (Keyring(OLD).current_id, both.current_id)
    for ring, row in ((both, "other"), (Keyring(NEW), "row")):
        with pytest.raises(Unreadable):
            ring.renewed(before, row)


def test_a_ring_of_one_key_has_no_older_one_and_a_new_key_is_a_line_of_its_own():
    assert not Keyring(OLD).has_older and Keyring(f"{OLD}\n{NEW}").has_older
    made = {sealing.new_key() for _ in range(20)}
    assert len(made) == 20 and {len(key) for key in made} == {64} and all(int(key, 16) for key in made)


@pytest.mark.parametrize("text", ["", "\n\n", "short", f"{OLD}\nshort"])
def test_a_key_that_is_too_short_is_refused_without_showing_it(text):
    with pytest.raises(ValueError, match="32 random characters") as refused:
        Keyring(text)
    assert "short" not in str(refused.value)
    assert OLD not in repr(Keyring(OLD))


def test_a_key_needs_32_characters():
    with pytest.raises(ValueError, match="32 random characters"):
        Keyring("a" * 31)
    assert Keyring("a" * 32).derive("cookies") != Keyring("b" * 32).derive("cookies")


def test_a_self_signed_certificate_is_valid_for_its_names_and_time():
    names = ["localhost", "127.0.0.1", "::1", "vault"]
    certificate, key = sealing.self_signed_certificate(names, now=1_800_000_000)
    assert key.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert sealing.valid_for(certificate, names, now=1_800_000_000)
    assert sealing.valid_for(certificate, ["::1"], now=1_800_000_000 + 396 * 86400)
    assert not sealing.valid_for(certificate, names, now=1_800_000_000 + 397 * 86400)
    assert sealing.valid_for(certificate, names, now=1_800_000_000 + 397 * 86400 - 1)
    assert sealing.valid_for(certificate, names, now=1_800_000_000 - 3600)
    assert not sealing.valid_for(certificate, names, now=1_800_000_000 - 3601)
    assert not sealing.valid_for(certificate, ["example.org"], now=1_800_000_000)
    assert not sealing.valid_for(certificate, ["localhost", "example.org"], now=1_800_000_000)
    assert not sealing.valid_for(b"damaged", names, now=1_800_000_000)


def test_a_self_signed_certificate_says_what_strict_clients_ask_for():
    """RFC 5280 §4.2.1: it signs itself and no other authority, and what must be critical is."""
    certificate, _ = sealing.self_signed_certificate(["localhost"], now=1_800_000_000)
    extensions = x509.load_pem_x509_certificate(certificate).extensions
    critical = {type(one.value): one.critical for one in extensions}
    assert critical == {
        x509.BasicConstraints: True,
        x509.KeyUsage: True,
        x509.ExtendedKeyUsage: False,
        x509.SubjectAlternativeName: False,
        x509.SubjectKeyIdentifier: False,
        x509.AuthorityKeyIdentifier: False,
    }
    authority = extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (authority.ca, authority.path_length) == (True, 0)
    assert extensions.get_extension_for_class(x509.KeyUsage).value == x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


@given(st.binary(max_size=300), st.text(max_size=40))
def test_bytes_sealed_under_a_data_key_open_with_it_and_for_the_same_row_only(plain, row):
    key = sealing.new_data_key()
    sealed = sealing.seal_bytes(key, plain, row)
    assert len(key) == 32 and sealing.open_bytes(key, sealed, row) == plain
    for other, bound, content in (
        (sealing.new_data_key(), row, sealed),
        (key, row + "x", sealed),
        (key, row, sealed[1:]),
    ):
        with pytest.raises(Unreadable):
            sealing.open_bytes(other, content, bound)
