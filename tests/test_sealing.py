"""The keyring: what is sealed opens for its own row and with its own key, and in no other way."""

import base64

import pytest
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


@pytest.mark.parametrize("text", ["", "\n\n", "short", f"{OLD}\nshort"])
def test_a_key_that_is_too_short_is_refused_without_showing_it(text):
    with pytest.raises(ValueError, match="32 random characters") as refused:
        Keyring(text)
    assert "short" not in str(refused.value)
    assert OLD not in repr(Keyring(OLD))


def test_a_self_signed_certificate_is_valid_for_its_names_and_time():
    names = ["localhost", "127.0.0.1", "::1", "vault"]
    certificate, key = sealing.self_signed_certificate(names, now=1_800_000_000)
    assert key.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert sealing.valid_for(certificate, names, now=1_800_000_000)
    assert sealing.valid_for(certificate, ["::1"], now=1_800_000_000 + 396 * 86400)
    assert not sealing.valid_for(certificate, names, now=1_800_000_000 + 397 * 86400)
    assert not sealing.valid_for(certificate, names, now=1_800_000_000 - 3601)
    assert not sealing.valid_for(certificate, ["example.org"], now=1_800_000_000)
    assert not sealing.valid_for(b"damaged", names, now=1_800_000_000)
