"""Somebody looks at a photo. Nothing is shown that was not recorded first, each time anew."""

from datetime import UTC, datetime
from enum import Enum

from fv import db
from fv.accounts import flows as accounts
from fv.accounts.store import Login
from fv.audit import flows as audit
from fv.evidence import flows as evidence
from fv.evidence.store import Photo
from fv.usage import flows as usage
from fv.verifications.store import Verification


class NoPhoto(Enum):
    """Why there is none to be looked at: the code of the problem."""

    NOT_THERE = "not_found"
    ERASED = "erased"


def by_person(session: Verification, kind: str, login: Login, now: int) -> bytes | NoPhoto:
    """The photo, with who looks and when written across it."""
    photo = kept(session, kind)
    if isinstance(photo, NoPhoto):
        return photo
    image = evidence.watermarked(photo, f"{login.email} · {datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S} UTC")
    with db.transaction():
        accounts.insist(login)
        _record(session, kind, now, **accounts.traits(login))
        return image
    return NoPhoto.NOT_THERE


def by_key(session: Verification, kind: str, prefix: str, now: int) -> bytes | NoPhoto:
    """The photo as it was taken. `prefix`: what the key is called by."""
    photo = kept(session, kind)
    if isinstance(photo, NoPhoto):
        return photo
    image = evidence.open(photo)
    with db.transaction():
        _record(session, kind, now, key=prefix)
    return image


def kept(session: Verification, kind: str) -> Photo | NoPhoto:
    """What there is to be looked at."""
    photo = evidence.find(session.account_id, session.id, kind)
    if photo is not None:
        return photo
    return NoPhoto.ERASED if evidence.was_erased(session.account_id, session.id, kind) else NoPhoto.NOT_THERE


def _record(session: Verification, kind: str, now: int, **by: str) -> None:
    usage.count(session.account_id, session.mode, "photo_views", now)
    audit.record("session.photo_viewed", session.account_id, now, session=session.id, kind=kind, **by)
