"""RFC 6238, against vectors that two independent implementations agree on."""

import base64
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fv import qr
from fv.mfa import backup_codes, totp

VECTORS = json.loads((Path(__file__).parent / "data" / "totp_vectors.json").read_text())["vectors"]
OURS = [v for v in VECTORS if (v["algorithm"], v["digits"], v["period"]) == ("SHA1", 6, 30)]
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
moments = st.integers(0, 2**33)


def test_there_are_vectors_and_some_codes_begin_with_a_zero():
    assert len(OURS) >= 10 and any(v["code"].startswith("0") for v in OURS)


def test_the_first_code_of_1970_is_refused_two_minutes_later():
    assert totp.matching_step(SECRET, totp.code_of(SECRET, 0), now=29) == 0
    assert totp.matching_step(SECRET, totp.code_of(SECRET, 0), now=120) is None


@pytest.mark.parametrize("vector", OURS, ids=lambda v: f"{v['time']}-{v['secret_base32'][:4]}")
def test_every_vector(vector):
    step = totp.step_at(vector["time"])
    assert totp.code_of(vector["secret_base32"], step) == vector["code"]
    assert totp.matching_step(vector["secret_base32"], vector["code"], vector["time"]) == step


@given(moments, st.integers(-4, 4))
def test_a_code_is_found_within_one_step_and_only_there(now, away):
    step = totp.step_at(now) + away
    if step < 0:
        return
    code = totp.code_of(SECRET, step)
    near = {totp.code_of(SECRET, n) for n in range(max(0, totp.step_at(now) - 1), totp.step_at(now) + 2)}
    found = totp.matching_step(SECRET, code, now)
    assert (found is not None) is (code in near)
    if abs(away) <= 1:
        assert totp.code_of(SECRET, found) == code


@given(moments.filter(lambda now: now > 1000), st.integers(-20, 20))
def test_a_clock_that_is_off_is_measured_in_whole_steps(now, away):
    code = totp.code_of(SECRET, totp.step_at(now) + away)
    ahead = totp.seconds_ahead(SECRET, code, now)
    assert ahead % 30 == 0 and totp.code_of(SECRET, totp.step_at(now) + ahead // 30) == code


def test_a_clock_is_recognised_up_to_ten_minutes_off_and_no_further():
    """Every step that is compared makes it likelier that a mistyped code passes for a wrong clock."""
    for away, seconds in ((-21, None), (-20, -600), (20, 600), (21, None)):
        code = totp.code_of(SECRET, totp.step_at(1_800_000_000) + away)
        assert totp.seconds_ahead(SECRET, code, 1_800_000_000) == seconds


@given(st.text(max_size=12))
def test_only_six_ascii_digits_are_read_as_a_code(text):
    read = totp.as_typed(text)
    digits = text.replace(" ", "")
    fits = len(digits) == 6 and all(c in "0123456789" for c in digits)
    assert read == (digits if fits else None)


def test_the_qr_code_is_surrounded_by_four_white_modules():
    svg = qr.svg(totp.uri(SECRET, "FaceVault", "ada@example.org"))
    size = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])
    assert (size - 2 * 4 - 17) % 4 == 0, "a version has 17 + 4n modules a side, ISO/IEC 18004 §5.3.1"
    assert "width=" not in svg and "height=" not in svg, "the style sheet says how large"


def test_the_key_is_written_in_groups_of_four():
    assert totp.in_groups(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


def test_a_secret_has_160_bits_and_is_new_every_time():
    secrets = {totp.new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(base64.b32decode(secret)) == 20 for secret in secrets)


@given(st.text("23456789ABCDEFGHJKLMNPQRSTUVWXYZ -abc", max_size=14))
def test_a_backup_code_is_eight_symbols_of_its_alphabet_however_it_is_typed(text):
    read = backup_codes.as_typed(text)
    plain = text.replace(" ", "").replace("-", "").upper()
    assert read == (plain if len(plain) == 8 and not set(plain) - set(backup_codes.ALPHABET) else None)


def test_backup_codes_are_ten_different_ones_without_look_alikes():
    seen = {code for _ in range(200) for code in backup_codes.generate()}
    assert len(seen) == 2000
    assert not set("".join(seen)) & set("01OILZS5BAEUY")
    assert all(len(code) == 8 for code in seen)


def test_a_re_enrolment_code_is_three_groups_of_four_symbols():
    group = f"[{backup_codes.ALPHABET}]{{4}}"
    assert re.fullmatch(f"{group}-{group}-{group}", backup_codes.re_enrolment())
