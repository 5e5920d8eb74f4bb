"""The story: an account asks for a session, a person consents and is photographed, the session is analysed and decided.

A refusal is a return value. Whatever a session becomes is one conditional UPDATE, with its line of the timeline and its
row of the audit trail in the same transaction.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from flask import current_app

from fv import db, ids, sealing
from fv.accounts import flows as accounts
from fv.accounts.store import Login
from fv.api import store as answers
from fv.audit import flows as audit
from fv.billing import quota
from fv.billing.quota import Standing
from fv.db.sealed import Kind
from fv.evidence import flows as evidence
from fv.evidence.intake import Refused as NoPhoto
from fv.evidence.store import Photo
from fv.keys import flows as keys
from fv.keys.store import Key
from fv.terms import flows as terms
from fv.terms.span import Span
from fv.throttle.flows import Pause
from fv.throttle.policy import Rate
from fv.usage import flows as usage
from fv.verifications import announcing, listing, store
from fv.verifications.store import Verification

LONGEST_USER_ID = 255  # characters
LONGEST_REASON = 500  # characters
LONGEST_KEY = 255  # characters of an Idempotency-Key
ANSWERS_KEPT = 24 * 3600  # seconds
CHALLENGES = ("left", "right", "up")  # the way the head is turned
CHALLENGE_LASTS = 120  # seconds
STEPS = ("id_photo", "selfie", "liveness_frame")
SUBJECT = ("passed", "failed")  # what a person may decide


@dataclass(frozen=True)
class Asked:
    """What a new session is to be."""

    external_user_id: str
    require_poa: bool
    mode: str
    key_id: str = ""  # of the key that asks


@dataclass(frozen=True)
class Made:
    """`token`: what the end user's link holds; in clear only here, and sealed for a repeated answer."""

    id: str
    token: str
    nonce: str
    expires_at: int


class Refused(Enum):
    USER_ID = "external_user_id"
    KEY_REUSED = "the Idempotency-Key was used for something else"
    TRANSITION = "the session cannot become that any more"
    NOT_THERE = "there is no such session"
    REASON = "a decision needs a reason"
    CONSENT = "the person has not consented yet"
    NONCE = "the challenge was used, replaced, or is too old"


def create(account_id: str, asked: Asked, request_key: str | None, now: int) -> Made | Refused | Pause | Standing:
    """A new session; the same one again for the same Idempotency-Key within a day. Standing: the plan has no room."""
    if not is_user_id(asked.external_user_id):
        return Refused.USER_ID
    token, span = new_token(), terms.of_account(account_id)
    new = _new(account_id, asked, token, span, now)
    made, fingerprint = Made(new.id, token, new.nonce, new.expires_at), _fingerprint(asked)
    if request_key is not None and asked.mode == "test":
        request_key = f"test\n{request_key}"  # not what live mode was asked with: nobody can send such a header
    with db.transaction():
        if request_key is not None:
            before = answers.answer(account_id, request_key, now - ANSWERS_KEPT)
            if before:
                return (
                    _again(account_id, request_key, before) if before.fingerprint == fingerprint else Refused.KEY_REUSED
                )
            text = json.dumps([made.id, made.token, made.nonce, made.expires_at]).encode()
            sealed = _keyring().seal(text, bound_to=_answer_of(account_id, request_key))
            answers.keep_answer(account_id, request_key, fingerprint, sealed, made.id, now, now - ANSWERS_KEPT)
        if refused := _pause(account_id, now) or full(account_id, asked.mode, now):
            raise db.Undo
        _add(new, token, span, now)
        return made
    return refused


def is_user_id(text: str) -> bool:
    """Whether a company may call a person so."""
    return 1 <= len(text) <= LONGEST_USER_ID and text.isprintable()


def begin(
    account_id: str, asked: Asked, token: str, link_id: str, return_url: str, shown: Span, now: int
) -> Verification | Pause | Standing:
    """The session of a person who came by a verification link and consents. Inside the transaction that counts it.

    `shown`: for how long they were told that something is kept.
    """
    if refused := _pause(account_id, now) or full(account_id, asked.mode, now):
        return refused
    span = terms.of_account(account_id).at_most(shown)
    new = _new(account_id, asked, token, span, now, link_id, return_url)
    _add(new, token, span, now)
    _consented(new, now)
    return new


def full(account_id: str, mode: str, now: int) -> Standing | None:
    """How the account stands when its plan has no room for another session. Inside a transaction that is decided."""
    return quota.full(account_id, mode, now, lambda: listing.unbilled(account_id, now))


def cancel(by: Login | Key, id: str, now: int) -> Verification | Refused:
    mode = keys.mode_of(by)
    if store.find(by.account_id, id, mode, now) is None:
        return Refused.NOT_THERE
    with db.transaction():
        who = keys.insist(by)
        if not store.become(by.account_id, id, "canceled", now):
            return Refused.TRANSITION
        store.note(id, "canceled", now)
        audit.record("session.canceled", by.account_id, now, session=id, **who)
    return store.find(by.account_id, id, mode, now) or Refused.NOT_THERE


def decide(login: Login, id: str, decision: str, reason: str, now: int) -> Verification | Refused:
    """A person decides: from review, or takes back that it passed."""
    reason = " ".join(reason.split())
    if store.find(login.account_id, id, None, now) is None:
        return Refused.NOT_THERE
    if not 1 <= len(reason) <= LONGEST_REASON or not reason.isprintable():
        return Refused.REASON
    with db.transaction():
        accounts.insist(login)
        if not store.decide(login.account_id, id, decision):
            return Refused.TRANSITION
        store.note(id, decision, now, reason)
        announcing.completed(login.account_id, id, now)
        audit.record(f"session.{decision}", login.account_id, now, session=id, **accounts.traits(login))
    return store.find(login.account_id, id, None, now) or Refused.NOT_THERE


# ── The end user ─────────────────────────────────────────────────────────────────────────────────────────────


def by_link(id: str, token: str, now: int) -> Verification | None:
    """The session that an end user's link opens."""
    return store.of_token(id, hash_of(token), now)


def by_token(token: str, now: int) -> Verification | None:
    """The session that a program of the end user speaks for."""
    return store.of_token_hash(hash_of(token), now)


def consent(session: Verification, now: int) -> bool:
    """The person agreed, and may be photographed. Again: nothing changes. False when the session is over."""
    with db.transaction():
        _consented(session, now)
        found = store.find(session.account_id, session.id, None, now)
    return found is not None and found.status == "in_progress"


def _consented(session: Verification, now: int) -> None:
    if store.become(session.account_id, session.id, "in_progress", now):
        store.consent(session.id, now)
        store.note(session.id, "in_progress", now)


def new_challenge(session: Verification, now: int) -> Verification:
    """Another way to turn the head, with a nonce that is good once and for two minutes."""
    challenge, nonce = secrets.choice(CHALLENGES), secrets.token_urlsafe(16)
    with db.transaction():
        store.renew_challenge(session.id, challenge, nonce, now)
    return replace(session, challenge=challenge, nonce=nonce, nonce_made_at=now)


def keep_photo(session: Verification, kind: str, raw: bytes, nonce: str | None, now: int) -> Photo | NoPhoto | Refused:
    """One of the three photos; a retake replaces the one before. Only after consent, and before it is submitted."""
    if session.consented_at is None:
        return Refused.CONSENT
    if session.status != "in_progress":
        return Refused.TRANSITION
    challenge = session.challenge
    if kind == "liveness_frame":
        with db.transaction():
            asked = store.find(session.account_id, session.id, None, now)  # what this nonce is of, and not an older one
            if asked is None or not store.spend_nonce(session.id, nonce or "", now - CHALLENGE_LASTS):
                return Refused.NONCE
            challenge = asked.challenge

    def noted() -> bool:
        found = store.find(session.account_id, session.id, None, now)
        if found is None or found.status != "in_progress":
            return False
        store.note(session.id, f"photo:{kind}", now)
        if kind == "liveness_frame":
            store.answer(session.id, challenge)  # a retake that is begun and given up has another one
        return True

    kept = evidence.keep(session.account_id, session.id, kind, raw, now, only_if=noted)
    return Refused.TRANSITION if kept is None else kept


def submit(session: Verification, now: int) -> bool | Refused:
    """Everything is there: from now on it is analysed. False when a photo is missing."""
    if not all(taken(session).values()):
        return False
    with db.transaction():
        if not store.become(session.account_id, session.id, "analyzing", now):
            return Refused.TRANSITION
        store.submit(session.id, now)
        store.note(session.id, "analyzing", now)
    return True


def taken(session: Verification) -> dict[str, bool]:
    """Which of the three photos there are."""
    kinds = {photo.kind for photo in evidence.of_verification(session.account_id, session.id)}
    return {step: step in kinds for step in STEPS}


def hash_of(token: str) -> str:
    """SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """256 random bits: whoever has them is the end user of a session."""
    return secrets.token_urlsafe(32)


def _new(
    account_id: str, asked: Asked, token: str, span: Span, now: int, link_id: str | None = None, return_url: str = ""
) -> Verification:
    """A session that is not stored yet."""
    settings = current_app.config
    return Verification(
        ids.new("vs"), account_id, asked.external_user_id, asked.mode, "pending", asked.require_poa, hash_of(token),
        secrets.choice(CHALLENGES), secrets.token_urlsafe(16), nonce_made_at=now, created_at=now,
        expires_at=now + int(settings["SESSION_WINDOW"]), erase_after=now + span.longest,
        link_id=link_id, return_url=return_url, key_id=asked.key_id,
    )  # fmt: skip


def _pause(account_id: str, now: int) -> Pause | None:
    """Until when this account may make no session."""
    rates: Sequence[Rate] = current_app.config["SESSIONS_ACCOUNT"]
    waits = [at + rate.seconds - now for rate in rates if (at := store.made_at(account_id, rate.count)) is not None]
    return Pause(max(waits)) if waits and max(waits) > 0 else None


def _add(new: Verification, token: str, span: Span, now: int) -> None:
    store.add(new)
    terms.begin(new.id, new.account_id, token, span, new.expires_at, now)
    store.note(new.id, "pending", now)
    usage.count(new.account_id, new.mode, "sessions_created", now, new.key_id)


def _again(account_id: str, request_key: str, before: answers.Answer) -> Made:
    text = _keyring().open(before.sealed_answer, bound_to=_answer_of(account_id, request_key))
    id, token, nonce, expires_at = json.loads(text)
    return Made(id, token, nonce, expires_at)


def _fingerprint(asked: Asked) -> str:
    text: list[Any] = [asked.external_user_id, asked.require_poa, asked.mode]
    return hashlib.sha256(json.dumps(text).encode()).hexdigest()


def _answer_of(account_id: str, request_key: str) -> str:
    """What an answer is sealed for: it opens for no other request."""
    return f"{account_id} {request_key}"


SEALED = (Kind("answers that are given again", answers.ANSWERS, _answer_of),)


def _keyring() -> sealing.Keyring:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring
