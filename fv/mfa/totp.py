"""RFC 6238 codes. Pure: no database, no request, the time is an argument. Only this module knows pyotp.

SHA-1, six digits, thirty seconds: the one form that every authenticator app reads.
"""

import hmac
from urllib.parse import quote, urlencode

import pyotp

PERIOD = 30  # seconds a time step lasts, RFC 6238 §4.1
DIGITS = 6
DRIFT = 1  # steps accepted either side of the current one, RFC 6238 §5.2
SEARCH = 20  # steps either side in which a phone with a wrong clock is recognised: ten minutes
SECRET = 32  # base32 characters: 20 bytes, the length of the HMAC, RFC 4226 §4


def new_secret() -> str:
    """160 random bits as 32 base32 characters."""
    return pyotp.random_base32(SECRET)


def step_at(now: float) -> int:
    """The time step that a moment (seconds since 1970 UTC) belongs to, RFC 6238 §4.2."""
    return int(now) // PERIOD


def code_of(secret: str, step: int) -> str:
    """The six digits of one time step, RFC 4226 §5.3."""
    return pyotp.HOTP(secret, digits=DIGITS).at(step)


def as_typed(text: str) -> str | None:
    """Six ASCII digits, spaces inside dropped; None for anything else, full-width digits included."""
    digits = text.replace(" ", "")
    return digits if len(digits) == DIGITS and digits.isascii() and digits.isdigit() else None


def matching_step(secret: str, code: str, now: float, drift: int = DRIFT) -> int | None:
    """The newest accepted step whose code this is, or None. Every step is compared, in constant time."""
    current, found = step_at(now), None
    for step in range(max(0, current - drift), current + drift + 1):
        if hmac.compare_digest(code_of(secret, step).encode(), code.encode()):
            found = step
    return found


def seconds_ahead(secret: str, code: str, now: float) -> int | None:
    """How far ahead the clock is that made this code (negative: behind), None when no clock within ten minutes did."""
    step = matching_step(secret, code, now, drift=SEARCH)
    return None if step is None else (step - step_at(now)) * PERIOD


def uri(secret: str, issuer: str, account: str) -> str:
    """The otpauth: address that apps read. No colon inside a name, `%20` for a space, every parameter said."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    parameters = {"secret": secret, "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": PERIOD}
    return f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote)}"


def in_groups(secret: str) -> str:
    """The key as people type it: groups of four."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
