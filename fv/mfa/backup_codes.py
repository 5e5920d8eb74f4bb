"""Ten one-time codes of eight characters. Pure, apart from randomness."""

import secrets

COUNT = 10
LENGTH = 8
#: 22 symbols: no vowel, so no word; nothing that is taken for something else (0 O, 1 I L, 2 Z, 5 S, 8 B, U V, ...).
#: 22 ** 8 is 55 thousand million; the limiter allows 20 guesses a day.
ALPHABET = "2346789CDFHJKMNPQRTVWX"


def generate() -> list[str]:
    """Ten different codes."""
    codes: set[str] = set()
    while len(codes) < COUNT:
        codes.add("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))
    return list(codes)


def as_typed(text: str) -> str | None:
    """The code somebody typed, whatever the case, spaces and dashes; None when it cannot be one."""
    code = text.upper().replace(" ", "").replace("-", "")
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None
