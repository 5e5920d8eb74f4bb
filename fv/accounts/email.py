"""What an email address may look like here. Pure."""

import re
import unicodedata

LONGEST = 254  # bytes of UTF-8, RFC 5321 §4.5.3.1.3

#: One @, something on both sides, no space, no colon (it would break the label in authenticator apps), no quoting.
_SHAPE = re.compile(r"[^@\s:\"<>(),;\[\]\\]{1,64}@[^@\s:\"<>(),;\[\]\\]{1,189}")
#: What mail programs take for something else: an encoded word (RFC 2047 §2), nothing between dots (RFC 5322 §3.2.3).
_ODD = re.compile(r"=\?|\.\.|^\.|\.@|@\.|\.$")


def normalised(typed: str) -> str | None:
    """Trimmed, NFKC, lower case, and the same when it is normalised again; None when it cannot be an address."""
    if len(typed) > 2 * LONGEST:  # before NFKC, which takes seconds for a long row of combining marks
        return None
    email = _folded(typed.strip())
    fits = email.isprintable() and len(email.encode()) <= LONGEST and _SHAPE.fullmatch(email)
    return email if fits and not _ODD.search(email) and email == _folded(email) else None


def _folded(text: str) -> str:
    """Lower case may undo what NFKC has composed, so it comes first and last."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower()).strip()
