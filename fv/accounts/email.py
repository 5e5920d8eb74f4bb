"""What an email address may look like here. Pure."""

import re
import unicodedata

LONGEST = 254  # bytes of UTF-8, RFC 5321 §4.5.3.1.3

#: One @, something on both sides, no space, no colon (it would break the label in authenticator apps), no quoting.
_SHAPE = re.compile(r"[^@\s:\"<>(),;\[\]\\]{1,64}@[^@\s:\"<>(),;\[\]\\]{1,189}")


def normalised(typed: str) -> str | None:
    """Trimmed, NFKC, lower case; None when it cannot be an address."""
    if len(typed) > 2 * LONGEST:  # before NFKC, which takes seconds for a long row of combining marks
        return None
    email = unicodedata.normalize("NFKC", typed).strip().lower()
    fits = email.isprintable() and len(email.encode()) <= LONGEST and _SHAPE.fullmatch(email)
    return email if fits else None
