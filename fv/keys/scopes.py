"""What an API key may be allowed. Pure.

No scope opens keys, billing, retention, the audit trail, reviews or the second factor: a key cannot make itself more
than it is.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """`about`: for the person who ticks it. `tag`: what of other people it reaches."""

    name: str
    about: str
    tag: str | None = None


SCOPES = (
    Scope("sessions:create", "Start and cancel verifications"),
    Scope("sessions:read", "Status and scores, no pictures"),
    Scope("links:write", "Make and end links"),
    Scope("usage:read", "Counters"),
    Scope("photos:read", "ID photo, selfie, head turn", "faces"),
    Scope("documents:read", "Names, birth dates, numbers", "personal data"),
    Scope("fingerprints:search", "Recognise a person again", "faces"),
    Scope("fingerprints:write", "Add and remove fingerprints", "faces"),
    Scope("erase:write", "Erase a person’s data"),
)
NAMES = frozenset(scope.name for scope in SCOPES)
#: What a key gets that asks for nothing: it cannot see a face or a document.
DEFAULT = ("sessions:create", "sessions:read")
MODES = ("live", "test")
