"""Codes for people to keep and type: ten backup codes, or one re-enrolment code. Pure, apart from randomness."""

import secrets

COUNT = 10
LENGTH = 8
#: 22 symbols: no vowel, so no word; nothing that is taken for something else (0 O, 1 I L, 2 Z, 5 S, 8 B, U V, ...).
#: 22 ** 8 is 55 thousand million; the limiter allows 20 guesses a day.
ALPHABET = "2346789CDFHJKMNPQRTVWX"


RE_ENROLMENT_LENGTH = 12  # characters of the code that support hands out


def generate() -> list[str]:
    """Ten different codes."""
    codes: set[str] = set()
    while len(codes) < COUNT:
        codes.add(_random(LENGTH))
    return list(codes)


def re_enrolment() -> str:
    """One code of three groups, to be read out over a telephone."""
    code = _random(RE_ENROLMENT_LENGTH)
    return "-".join(code[start : start + 4] for start in range(0, RE_ENROLMENT_LENGTH, 4))


def as_typed(text: str, length: int = LENGTH) -> str | None:
    """The code somebody typed, whatever the case, spaces and dashes; None when it cannot be one of this length."""
    code = text.upper().replace(" ", "").replace("-", "")
    return code if len(code) == length and set(code) <= set(ALPHABET) else None


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
