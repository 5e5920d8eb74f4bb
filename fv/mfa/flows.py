"""The story: offer a secret, confirm it, hand over ten backup codes once, then ask at every login.

A refusal is a return value; an exception is a bug. Every try is counted before it is compared (fv/mfa/tries.py). Slow
hashing is done before the write lock is taken, and every "spend" is one UPDATE whose row count says who won.
"""

from dataclasses import dataclass
from enum import Enum

from flask import current_app

from fv import db, hashing, ids, sealing
from fv.accounts import store as account_store
from fv.accounts.store import Login
from fv.mfa import backup_codes, store, totp, tries
from fv.mfa.tries import Wrong
from fv.throttle import flows as throttle
from fv.throttle.flows import Pause


@dataclass(frozen=True)
class Offer:
    """What an authenticator app needs. Leaves the server towards a login that is not enrolled yet, and no other."""

    secret: str
    uri: str


@dataclass(frozen=True)
class Codes:
    """Ten backup codes in clear: the one moment they exist so."""

    codes: list[str]


@dataclass(frozen=True)
class Enrolled(Codes):
    """`login_id`: the new id of the login that confirmed, which has risen."""

    login_id: str


class Refused(Enum):
    ENROLLED = "The account has a confirmed authenticator, or this login ended; nothing was changed."
    NOT_OWED = "The current set of backup codes was acknowledged; a new one needs support."


# ── Before the second factor is confirmed ────────────────────────────────────────────────────────────────────


def offer(login: Login) -> Offer | None:
    """The secret of this login, made at the first call and the same until it is confirmed. None: the login ended."""
    if store.offered_secret(login.id) is None:
        with db.transaction():
            if account_store.login(login.id):
                store.offer_secret(login.id, _keyring().seal(totp.new_secret().encode(), bound_to=login.id))
    sealed = store.offered_secret(login.id)
    if sealed is None:
        return None
    secret = _keyring().open(sealed, bound_to=login.id).decode()
    return Offer(secret, totp.uri(secret, current_app.config["ISSUER"], _name_in_app(login)))


def confirm(login: Login, typed: str, now: int) -> Enrolled | Wrong | Pause | Refused:
    """Enrol the account with the secret this login was offered; the login rises, all others end."""
    attempt = tries.begin(login.account_id, now)
    if isinstance(attempt, Pause):
        return attempt
    offered = store.offered_secret(login.id)
    if offered is None:  # nothing was shown yet, so nothing can be right
        return tries.failed(login.account_id, now)
    secret = _keyring().open(offered, bound_to=login.id).decode()
    code = totp.as_typed(typed)
    step = totp.matching_step(secret, code, now) if code else None
    if step is None:
        return tries.failed(login.account_id, now, totp.seconds_ahead(secret, code, now) if code else None)
    with throttle.not_counting_busyness(attempt):
        codes, recipe, hashes = _new_codes()
    sealed = _keyring().seal(secret.encode(), bound_to=login.account_id)
    new_id = ids.new("log")
    with db.transaction():
        if not (
            store.take_offer(login.id, offered)
            and store.confirm(login.account_id, sealed, step, recipe, now)
            and account_store.raise_login(login.id, new_id, since=0, now=now)
        ):
            raise db.Undo
        store.replace_codes(login.account_id, hashes)
        account_store.end_other_logins(login.account_id, but=new_id)
        throttle.take_back(attempt)
        return Enrolled(codes, new_id)
    return Refused.ENROLLED


# ── Afterwards ───────────────────────────────────────────────────────────────────────────────────────────────


def renew_codes(login: Login, typed: str, now: int) -> Codes | Wrong | Pause | Refused:
    """A new set in place of one that was never acknowledged, after a fresh code of the authenticator."""
    authenticator = store.authenticator(login.account_id)
    if not authenticator.owes_acknowledgement:
        return Refused.NOT_OWED
    attempt = tries.begin(login.account_id, now)
    if isinstance(attempt, Pause):
        return attempt
    spend = tries.find_step(authenticator, typed, now)
    if spend is None:
        return tries.failed(login.account_id, now)
    with throttle.not_counting_busyness(attempt):
        codes, recipe, hashes = _new_codes()
    with db.transaction():
        if not spend():
            raise db.Undo
        throttle.take_back(attempt)
        if not store.issue_codes(login.account_id, recipe, now):
            return Refused.NOT_OWED
        store.replace_codes(login.account_id, hashes)
        return Codes(codes)
    return tries.failed(login.account_id, now)


def acknowledge(account_id: str, now: int) -> None:
    store.acknowledge_codes(account_id, now)


def can_open_secrets() -> bool:
    """Whether the keyring belongs to this database: it opens a secret of it, or there is none."""
    found = store.any_enrolled()
    try:
        return found is None or bool(_keyring().open(found.sealed_secret or "", bound_to=found.account_id))
    except sealing.Unreadable:
        return False


def _new_codes() -> tuple[list[str], str, list[str]]:
    """The codes, the recipe they share, their hashes: ten runs, about 0.7 s."""
    codes, recipe = backup_codes.generate(), hashing.new_recipe()
    return codes, recipe, hashing.hash_by(recipe, *codes)


def _name_in_app(login: Login) -> str:
    """`email`, or `email (2)` on re-enrolment: an app given the same name twice overwrites the older entry."""
    generation = store.authenticator(login.account_id).generation
    return login.email if generation == 1 else f"{login.email} ({generation})"


def _keyring() -> sealing.Keyring:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring
