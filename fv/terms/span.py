"""The three kinds of what is kept of a person, and for how long. Pure."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

DAY = 86400  # seconds
CLASSES = ("photos", "documents", "fingerprints")
MOST_DAYS = 3650


@dataclass(frozen=True)
class Span:
    """Seconds from the making of a session: photos, what was read from the document, templates of faces."""

    photos: int
    documents: int
    fingerprints: int

    @property
    def longest(self) -> int:
        return max(self.photos, self.documents, self.fingerprints)

    def at_most(self, other: "Span") -> "Span":
        """What was promised may become shorter, and never longer."""
        return Span(
            min(self.photos, other.photos),
            min(self.documents, other.documents),
            min(self.fingerprints, other.fingerprints),
        )

    def in_days(self) -> dict[str, int]:
        """Whole days, a begun one as one."""
        return {name: -(-int(getattr(self, name)) // DAY) for name in CLASSES}

    def as_text(self) -> str:
        return f"{self.photos} {self.documents} {self.fingerprints}"


def of_days(days: dict[str, int]) -> Span | None:
    """None: one of them is not from 1 to 3650."""
    if set(days) != set(CLASSES) or not all(1 <= number <= MOST_DAYS for number in days.values()):
        return None
    return Span(*(days[name] * DAY for name in CLASSES))


def read(text: str) -> Span:
    """What as_text() made. Raises ValueError."""
    photos, documents, fingerprints = (int(part) for part in text.split())
    return Span(photos, documents, fingerprints)


def code_of(token: str) -> str:
    """The code in the address of a person's own page, from the token of their session: 160 bits of HMAC-SHA256.

    Whoever knows the token can compute it, and nobody the token from it: the page may be kept and passed on without
    opening the session.
    """
    digest = hmac.new(token.encode(), b"receipt", hashlib.sha256).digest()[:20]
    return base64.b32encode(digest).decode().lower()


def hash_of(code: str) -> str:
    """SHA-256 is enough for 160 bits that nobody can guess."""
    return hashlib.sha256(code.encode()).hexdigest()
