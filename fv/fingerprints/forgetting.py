"""Templates of a person go. What is deleted is overwritten (db/sqlite.py); copies in memory follow (memory.py)."""

from collections.abc import Sequence

from fv.fingerprints import listing, store
from fv.fingerprints.listing import Place


def of_session(account_id: str, session_id: str) -> list[tuple[str, bytes]]:
    """The id of each, and its template as it was stored. Inside a transaction."""
    return _forget(listing.places_of_session(account_id, session_id))


def of_person(account_id: str, external_user_id: str) -> list[tuple[str, bytes]]:
    """As of_session(), of those that go by this id and are of no session."""
    return _forget(listing.places_of_person(account_id, external_user_id))


def number_of_session(account_id: str, session_id: str) -> int:
    return len(listing.places_of_session(account_id, session_id))


def number_of_person(account_id: str, external_user_id: str) -> int:
    """Of those that are of no session."""
    return len(listing.places_of_person(account_id, external_user_id))


def is_stored(piece: bytes) -> bool:
    """Whether a template that is kept has these bytes in it: who was stored twice is still there once."""
    return listing.has_piece(piece)


def _forget(places: Sequence[Place]) -> list[tuple[str, bytes]]:
    went = [(id, store.vector(id) or b"") for _, id in places]
    for gallery_id, id in places:
        store.remove(gallery_id, [id])
    return went
