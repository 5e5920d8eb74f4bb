"""Somebody looks at a photo, or at what was read. Nothing is shown that was not recorded first, each time anew."""

from datetime import UTC, datetime
from enum import Enum

from fv import db
from fv.accounts import flows as accounts
from fv.accounts.store import Login
from fv.analysis import report
from fv.analysis.findings import Portrait
from fv.analysis.report import Document
from fv.audit import flows as audit
from fv.evidence import flows as evidence
from fv.evidence.store import Photo
from fv.keys.store import Key
from fv.terms import flows as terms
from fv.usage import flows as usage
from fv.verifications.store import Verification


class NoPhoto(Enum):
    """Why there is none to be looked at: the code of the problem."""

    NOT_THERE = "not_found"
    ERASED = "erased"


class NoDocument(Enum):
    """The same, for what a document says."""

    NOT_READ = "document_not_read"
    ERASED = "erased"


def by_person(session: Verification, kind: str, login: Login, now: int) -> bytes | NoPhoto:
    """The photo, with who looks and when written across it."""
    photo = kept(session, kind)
    if isinstance(photo, NoPhoto):
        return photo
    return _recorded(session, kind, evidence.watermarked(photo, _mark(login, now)), login, now)


def portrait_by_person(session: Verification, portrait: Portrait, login: Login, now: int) -> bytes | NoPhoto:
    """The face of the document alone, upright, marked and recorded like a photo."""
    photo = kept(session, "id_photo")
    if isinstance(photo, NoPhoto):
        return photo
    image = evidence.portrait_of(photo, portrait.box, portrait.turned, _mark(login, now))
    return _recorded(session, "portrait", image, login, now)


def _recorded(session: Verification, kind: str, image: bytes, login: Login, now: int) -> bytes | NoPhoto:
    with db.transaction():
        accounts.insist(login)
        _record(session, kind, now, "", **accounts.traits(login))
        return image
    return NoPhoto.NOT_THERE


def _mark(login: Login, now: int) -> str:
    return f"{login.email} · {datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S} UTC"


def by_key(session: Verification, kind: str, key: Key, now: int) -> bytes | NoPhoto:
    """The photo as it was taken."""
    photo = kept(session, kind)
    if isinstance(photo, NoPhoto):
        return photo
    image = evidence.open(photo)
    with db.transaction():
        _record(session, kind, now, key.id, key=key.prefix)
    return image


def kept(session: Verification, kind: str) -> Photo | NoPhoto:
    """What there is to be looked at."""
    photo = evidence.find(session.account_id, session.id, kind)
    if photo is not None:
        return photo
    return NoPhoto.ERASED if evidence.was_erased(session.account_id, session.id, kind) else NoPhoto.NOT_THERE


def _record(session: Verification, kind: str, now: int, key_id: str, **by: str) -> None:
    usage.count(session.account_id, session.mode, "photo_views", now, key_id)
    audit.record("session.photo_viewed", session.account_id, now, session=session.id, kind=kind, **by)


# ── What a document says ─────────────────────────────────────────────────────────────────────────────────────


def document_by_person(session: Verification, login: Login, now: int) -> Document | NoDocument:
    found = _document(session)
    if isinstance(found, NoDocument):
        return found
    with db.transaction():
        accounts.insist(login)
        audit.record("session.document_viewed", session.account_id, now, session=session.id, **accounts.traits(login))
        return found
    return NoDocument.NOT_READ


def document_by_key(session: Verification, prefix: str, now: int) -> Document | NoDocument:
    found = _document(session)
    if not isinstance(found, NoDocument):
        with db.transaction():
            audit.record("session.document_viewed", session.account_id, now, session=session.id, key=prefix)
    return found


def document_state(session: Verification) -> NoDocument | None:
    """Why there is nothing to be looked at; None: there is. Nothing is opened."""
    if evidence.has_document(session.account_id, session.id):
        return None
    return _no_document(session)


def _document(session: Verification) -> Document | NoDocument:
    text = evidence.open_document(session.account_id, session.id)
    if text is None:
        return _no_document(session)
    return report.read_document(text)


def _no_document(session: Verification) -> NoDocument:
    is_kept = terms.keeps(session.account_id, session.id, "documents")
    return NoDocument.NOT_READ if is_kept else NoDocument.ERASED
