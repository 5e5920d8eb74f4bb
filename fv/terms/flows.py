"""The story: a session begins with the term its account has then, and the term only ever becomes shorter."""

from flask import current_app

from fv.terms import span, store
from fv.terms.span import Span

UPLOAD = 3600  # seconds after the end of a session in which a photo may still be on its way into the database


def of_account(account_id: str) -> Span:
    """What its sessions are begun with."""
    days = store.days(account_id)
    chosen = span.of_days(days) if days else None
    return chosen or default()


def default() -> Span:
    """What an account has that chose nothing: FV_RETENTION."""
    seconds = int(current_app.config["RETENTION"])
    return Span(seconds, seconds, seconds)


def begin(session_id: str, account_id: str, token: str, term: Span, expires_at: int, now: int) -> None:
    """Inside the transaction that adds the session."""
    store.add(session_id, account_id, now, expires_at + UPLOAD, term, span.hash_of(span.code_of(token)))


def keeps(account_id: str, session_id: str, kind: str) -> bool:
    """Whether what comes of this kind (span.CLASSES) is kept: False once its term is over, or somebody erased it."""
    term = store.of_session(account_id, session_id)
    return term is not None and term.untils[kind] is not None
