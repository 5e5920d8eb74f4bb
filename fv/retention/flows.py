"""The story: what is kept of a person is deleted, and then looked for; only what is nowhere is said to be erased.

One transaction deletes the rows and notes what was in them: a few bytes of each, sealed. Afterwards the blobs are
deleted, the write-ahead log is emptied, and every file of the database is read (confirming.py).
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from flask import current_app

from fv import db, ids, sealing
from fv.accounts.store import Login
from fv.api import store as answers
from fv.audit import flows as audit
from fv.db.sealed import Kind
from fv.evidence import flows as evidence
from fv.fingerprints import forgetting as fingerprints
from fv.keys import flows as keys
from fv.keys.store import Key
from fv.retention import scan, store
from fv.retention.store import Erasure
from fv.search import store as searches
from fv.terms import store as terms
from fv.terms.span import CLASSES
from fv.terms.store import Term
from fv.verifications import listing
from fv.verifications import store as verifications
from fv.verifications.listing import Filter
from fv.verifications.store import Verification
from fv.webhooks import flows as webhooks

LONGEST_REASON = 500  # characters
AT_ONCE = 50  # sessions between two looks at what else is due
NOTED = 60  # seconds between two notes that somebody looked


class Refused(Enum):
    NOT_THERE = "there is no such session"
    HELD = "a legal hold keeps it"
    REASON = "an erasure or a hold needs a reason"
    UNTIL = "a hold ends on a day to come"
    GONE = "nothing is kept of this session"


@dataclass(frozen=True)
class Asked:
    """Who wants something erased, and why. `traits`: for the audit trail."""

    cause: str  # term, account, person, operator
    reason: str
    traits: Mapping[str, str]
    actor: str = "service"


# ── Asked for ────────────────────────────────────────────────────────────────────────────────────────────────


def erase(by: Login | Key, session_id: str, reason: str, now: int) -> Erasure | Refused:
    """All that shows the person. Asked again: the erasure that was begun then."""
    session = verifications.find(by.account_id, session_id, keys.mode_of(by), now)
    if session is None:
        return Refused.NOT_THERE
    if (line := reason_of(reason)) is None:
        return Refused.REASON
    return _erase_all(session, "account", line, by, now)


def erase_for(session: Verification, cause: str, reason: str, now: int) -> Erasure | Refused:
    """As erase(), by whom no login and no key stands for: the person themselves, the operator."""
    return _erase_all(session, cause, reason, None, now)


def _erase_all(
    session: Verification, cause: str, reason: str, by: Login | Key | None, now: int
) -> Erasure | Refused:  # fmt: skip
    with db.transaction():
        asked = Asked(cause, reason, keys.insist(by), "holder") if by else Asked(cause, reason, {})
        return _erase(session, CLASSES, asked, now)
    return Refused.NOT_THERE


def erase_templates(account_id: str, external_user_id: str, reason: str, now: int) -> Erasure | None:
    """Templates that go by this id and are of no session; None: there are none."""
    erasure = None
    with db.transaction():
        went = fingerprints.of_person(account_id, external_user_id)
        if not went:
            raise db.Undo
        reasons = sum(searches.forget(account_id, f"fingerprint {id}") for id, _ in went)
        gone = {"fingerprints": len(went), "search_reasons": reasons}
        erasure = _noted(account_id, None, ("fingerprints",), Asked("operator", reason, {}), gone,
                         [vector for _, vector in went], [id for id, _ in went], now)  # fmt: skip
        audit.record("templates.erased", account_id, now, "service", erasure=erasure.id)
    return erasure


def reason_of(typed: str) -> str | None:
    """On one line; None: there is none, or it is too long or no text."""
    line = " ".join(typed.split())
    return line if 1 <= len(line) <= LONGEST_REASON and line.isprintable() else None


# ── Due ──────────────────────────────────────────────────────────────────────────────────────────────────────


def erase_due(now: int) -> list[Erasure]:
    """What the terms of up to 50 sessions say, of all accounts; those whose time is over longest."""
    last = store.looked_at()
    if last is None or abs(now - last) >= NOTED:
        store.looked(now)
    erased = []
    for term in terms.due(now, AT_ONCE):
        with db.transaction():
            current = terms.of_session(term.account_id, term.session_id)
            session = verifications.find(term.account_id, term.session_id, None, now)
            classes = due_classes(current, now) if current else ()
            if session is None or not classes:
                raise db.Undo
            found = _erase(session, classes, Asked("term", "its term is over", {}), now)
            erased += [found] if isinstance(found, Erasure) else []
    return erased


def due_classes(term: Term, now: int) -> tuple[str, ...]:
    """Those of its kinds whose time is over."""
    if term.is_held(now) or term.next_at is None or term.next_at > now:
        return ()
    return tuple(name for name, until in term.untils.items() if until is not None and until <= now)


# ── Inside the transaction ───────────────────────────────────────────────────────────────────────────────────


def _erase(session: Verification, classes: Sequence[str], asked: Asked, now: int) -> Erasure | Refused:
    session = verifications.find(session.account_id, session.id, None, now) or session  # somebody may have been faster
    term = terms.of_session(session.account_id, session.id)
    if term is not None and term.is_held(now):
        return Refused.HELD
    if session.erased_at is not None and (before := store.latest_of(session.id)):
        return before
    if verifications.become(session.account_id, session.id, "canceled", now):  # no photo comes from now on
        verifications.note(session.id, "canceled", now)
    gone, traces = _forget(session, classes, asked.cause != "term", now)
    terms.gone(session.id, tuple(classes))
    left = terms.of_session(session.account_id, session.id)
    if left is None or left.next_at is None:
        gone["answers"] = len(told := answers.forget(session.id))
        traces += [text.encode() for text in told]
        gone["deliveries"] = webhooks.forget(session.id)
        if verifications.erased(session.id, now):
            verifications.note(session.id, "erased", now)
    else:
        for name in classes:
            verifications.note(session.id, f"erased:{name}", now)
    erasure = _noted(session.account_id, session, classes, asked, gone, traces, [session.id], now)
    audit.record("session.erased", session.account_id, now, asked.actor, session=session.id, erasure=erasure.id,
                 cause=asked.cause, **asked.traits)  # fmt: skip
    return erasure


def _forget(
    session: Verification, classes: Sequence[str], digests: bool, now: int
) -> tuple[dict[str, int], list[bytes]]:
    """How many of what there were, and what of them stood in the database."""
    account_id, id = session.account_id, session.id
    gone: dict[str, int] = {}
    traces: list[bytes] = []
    if "photos" in classes:
        photos = evidence.forget_photos(account_id, id, now, digests)
        gone["photos"], traces = photos.number, [*traces, *photos.traces]
    if "documents" in classes:
        read = evidence.forget_document(account_id, id)
        gone["documents"], traces = read.number, [*traces, *read.traces]
    if "fingerprints" in classes:
        went = fingerprints.of_session(account_id, id)
        abouts = [f"session {id}", *(f"fingerprint {one}" for one, _ in went)]
        gone["fingerprints"] = len(went)
        gone["search_reasons"] = sum(searches.forget(account_id, about) for about in abouts)
        traces = [*traces, *(vector for _, vector in went)]
    return gone, traces


def _noted(
    account_id: str, session: Verification | None, classes: Sequence[str], asked: Asked, gone: Mapping[str, int],
    traces: Sequence[bytes], names: Sequence[str], now: int,
) -> Erasure:  # fmt: skip
    """`names`: ids by which a copy of the database tells of them, too, however they were sealed or turned in it."""
    id, of = ids.new("era"), session
    noted = {"pieces": _written(traces), "names": _written([name.encode() for name in names])}
    new = Erasure(
        id, account_id, of.id if of else None, of.mode if of else None, asked.cause, asked.reason, " ".join(classes),
        json.dumps(gone), now, sealed_traces=_keyring().seal(json.dumps(noted).encode(), traces_of(id)),
    )  # fmt: skip
    store.add(new)
    return new


def _written(texts: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(piece).decode() for text in texts for piece in scan.pieces(text)]


def traces_of(id: str) -> str:
    """What they are sealed for."""
    return f"erasure {id}"


def seed_of(id: str) -> str:
    return f"receipt key {id}"


SEALED = (
    Kind("pieces of what was erased, to be looked for", store.TRACES, traces_of),
    Kind("keys that receipts are signed with", store.SEEDS, seed_of),
)


def find(account_id: str, session_id: str, mode: str | None, now: int) -> Verification | None:
    """Of this mode (None: either)."""
    return verifications.find(account_id, session_id, mode, now)


def knows(account_id: str, external_user_id: str, now: int) -> bool:
    """Whether a session or a template of the account goes by this id."""
    wanted = Filter(external_user_id=external_user_id)
    return bool(
        listing.page(account_id, wanted, 2**62, "", 1, now)
        or fingerprints.number_of_person(account_id, external_user_id)
    )


def came_back(account_id: str, session_id: str, classes: Sequence[str]) -> list[str]:
    """Of which of these kinds there is something: after an older backup was put back, for example."""
    held = held_of(account_id, session_id)
    return [name for name in classes if held.get(name)]


def held_of(account_id: str, session_id: str) -> dict[str, int]:
    """How many photos, documents that were read, templates are kept of this session."""
    return {
        "photos": len(evidence.of_verification(account_id, session_id)),
        "documents": int(evidence.has_document(account_id, session_id)),
        "fingerprints": fingerprints.number_of_session(account_id, session_id),
    }


def _keyring() -> sealing.Keyring:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring
