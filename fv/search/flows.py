"""The story: somebody looks for a face. The answer is compared first, recorded and metered next, and then given.

Templates are also added and removed here, one at a time, by people and programs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

from fv import db, ids
from fv.accounts.store import Login
from fv.audit import flows as audit
from fv.fingerprints import flows as fingerprints
from fv.fingerprints import listing, store, vector
from fv.fingerprints.flows import Face, Found, Template
from fv.fingerprints.listing import Fingerprint
from fv.fingerprints.store import Space
from fv.keys import flows as keys
from fv.keys.store import Key
from fv.models import flows as models
from fv.search import store as searches
from fv.search.store import Search
from fv.terms import flows as terms
from fv.usage import flows as usage
from fv.verifications import store as verifications

MOST = 100  # results
LONGEST_REASON = 500  # characters


class NoFace(Exception):
    """The account has no such session or template; of a session: none of its face."""


class NoSession(Exception):
    """The account has no such session in this mode."""


class Erased(Exception):
    """What showed the person of this session was erased: nothing of them is kept again."""


class Gone(Exception):
    """The login that asks has ended meanwhile."""


class ModelMismatch(Exception):
    """What was asked cannot be compared with what is stored. `stored`: the models that templates are stored of."""

    def __init__(self, stored: Sequence[str]) -> None:
        super().__init__("templates of different models are never compared")
        self.stored = tuple(stored)


@dataclass(frozen=True)
class Question:
    """One of `embedding`, `session_id` and `fingerprint_id`. `model`: None, the one there is. `mode`: None, live, or
    that of what was named; a key asks in its own. `by_photo`: the embedding was made of a photo.
    """

    embedding: Sequence[float] | None = field(default=None, repr=False)
    session_id: str | None = None
    fingerprint_id: str | None = None
    model: str | None = None
    mode: str | None = None
    by_photo: bool = False

    @property
    def about(self) -> str:
        if self.session_id or self.fingerprint_id:
            return f"session {self.session_id}" if self.session_id else f"fingerprint {self.fingerprint_id}"
        return "photo" if self.by_photo else "embedding"


@dataclass(frozen=True)
class Answer:
    """`seconds`: that comparing took."""

    search: Search
    found: Found
    seconds: float


def ask(by: Login | Key, question: Question, most: int, least: float, reason: str, now: int) -> Answer:
    """Raises NoFace, ModelMismatch, vector.Unusable, Gone."""
    mode, face = _face(by, question)
    begun = perf_counter()
    found = fingerprints.search(by.account_id, mode, face, most, least)
    seconds = perf_counter() - begun
    asked_by = by.prefix if isinstance(by, Key) else by.email
    search = Search(
        ids.new("srch"), by.account_id, mode, face.space.model, asked_by, question.about, reason, found.searched,
        len(found.hits), now,
    )  # fmt: skip
    with db.transaction():
        traits = keys.insist(by)
        searches.add(search)
        usage.count(by.account_id, mode, "searches", now, keys.id_of(by))
        audit.record("fingerprints.searched", by.account_id, now, search=search.id, **traits)
        return Answer(search, found, seconds)
    raise Gone


def add(
    by: Login | Key, mode: str, model: str, external_user_id: str, session_id: str | None, embedding: Sequence[float],
    now: int,
) -> Fingerprint:  # fmt: skip
    """Raises vector.Unusable, ValueError (the name of the model), NoSession, Erased, Gone."""
    vector.unit(embedding)
    with db.transaction():
        traits = keys.insist(by)
        if session_id is not None:  # asked here, so that no erasure comes between
            _insist_on_session(by.account_id, session_id, mode, now)
        template = Template(external_user_id, embedding, session_id)
        (id,) = fingerprints.add(by.account_id, mode, fingerprints.space_of(model), [template], now)
        audit.record("fingerprint.added", by.account_id, now, fingerprint=id, **traits)
        found = listing.find(by.account_id, id, mode)
        if found:
            return found
    raise Gone


def remove(by: Login | Key, id: str, now: int) -> bool:
    """False when the account has none of this id. Raises Gone."""
    removed = None
    with db.transaction():
        traits = keys.insist(by)
        removed = fingerprints.remove(by.account_id, id, keys.mode_of(by))
        if removed:
            audit.record("fingerprint.removed", by.account_id, now, fingerprint=id, **traits)
    if removed is None:
        raise Gone
    if removed:
        db.empty_log()  # where a reader is in the way, the next erasure or sweep does it
    return removed


def reason(typed: str) -> str | None:
    """Why somebody was looked for or blocked, as it is written down: on one line. None: it is too long or no text."""
    line = " ".join(typed.split())
    return line if len(line) <= LONGEST_REASON and line.isprintable() else None


def block(by: Login, id: str, reason: str, now: int) -> Fingerprint | None:
    """No session passes by itself with this face from now on. Blocked already: the first reason stays.

    None: no such template. Raises Gone, and ModelMismatch for a model from elsewhere: no selfie is compared with it.
    """
    with db.transaction():
        traits = keys.insist(by)
        found = listing.find(by.account_id, id, None)
        if found is None:
            return None
        if models.known(found.model) is None:
            raise ModelMismatch([models.chosen()])
        if listing.block(by.account_id, id, reason, now):
            audit.record("fingerprint.blocked", by.account_id, now, fingerprint=id, **traits)
        return listing.find(by.account_id, id, None)
    raise Gone


def unblock(by: Login, id: str, now: int) -> Fingerprint | None:
    """Again: nothing changes. None: no such template. Raises Gone."""
    with db.transaction():
        traits = keys.insist(by)
        if listing.find(by.account_id, id, None) is None:
            return None
        if listing.unblock(id):
            audit.record("fingerprint.unblocked", by.account_id, now, fingerprint=id, **traits)
        return listing.find(by.account_id, id, None)
    raise Gone


def _insist_on_session(account_id: str, id: str, mode: str, now: int) -> None:
    session = verifications.find(account_id, id, mode, now)
    if session is None:
        raise NoSession
    if not terms.keeps(account_id, id, "fingerprints"):
        raise Erased


# ── Which face, and which templates it can be compared with ──────────────────────────────────────────────────


def _face(by: Login | Key, question: Question) -> tuple[str, Face]:
    """The mode, and the face that is looked for."""
    wanted = keys.mode_of(by) or question.mode
    if question.embedding is not None:
        mode = wanted or "live"
        return mode, Face(_comparable(by.account_id, mode, question.model), vector.unit(question.embedding))
    named = _named(by.account_id, question)
    candidates = [one for one in named if wanted in (None, one.mode)]
    if not candidates:
        raise NoFace
    of_model = [one for one in candidates if question.model in (None, one.model)]
    if not of_model:
        raise ModelMismatch(sorted({one.model for one in candidates}))
    face = fingerprints.face_of(by.account_id, of_model[0].id)
    if face is None:
        raise NoFace
    return of_model[0].mode, face


def _named(account_id: str, question: Question) -> list[Fingerprint]:
    if question.session_id is not None:
        return listing.of_session(account_id, question.session_id)
    found = listing.find(account_id, question.fingerprint_id or "", None)
    return [found] if found else []


def _comparable(account_id: str, mode: str, model: str | None) -> Space:
    """The space of this model, or the only one there is. Where nothing is stored yet, any can be asked for.

    A model that nothing is stored of is a mismatch: "nobody found" would be taken for an answer.
    """
    stored = {one.space for one in store.galleries(account_id, mode) if one.size}
    if model is None and len(stored) == 1:
        return stored.pop()
    wanted = fingerprints.space_of(model or models.chosen())
    if stored and (model is None or wanted not in stored):
        raise ModelMismatch(sorted({one.model for one in stored}))
    return wanted
