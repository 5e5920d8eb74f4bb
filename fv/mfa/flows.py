"""The story: offer a secret, confirm it, hand over ten backup codes once, then ask at every login.

A refusal is a return value; an exception is a bug. Every try is counted before it is compared (fv/throttle). Slow
hashing is done before the write lock is taken, and every "spend" is one UPDATE whose row count says who won.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from flask import current_app

from fv import db, hashing, ids, sealing
from fv.accounts import store as account_store
from fv.accounts.store import Login
from fv.mfa import backup_codes, store, totp
from fv.mfa.store import Authenticator
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


@dataclass(frozen=True)
class Wrong:
    """`seconds_ahead`: what the clock of the phone is off by, where that is the reason and may be told."""

    tries_left: int
    seconds_ahead: int | None = None


class Refused(Enum):
    ENROLLED = "The account has a confirmed authenticator, or this login ended; nothing was changed."
    NOT_OWED = "The current set of backup codes was acknowledged; a new one needs support."
    LOGIN_ENDED = "Too many wrong codes ended this login; it takes a new one."


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
    attempt = throttle.begin("code", login.account_id, now)
    if isinstance(attempt, Pause):
        return attempt
    offered = store.offered_secret(login.id)
    if offered is None:  # nothing was shown yet, so nothing can be right
        return _wrong(login.account_id, now)
    secret, code = _keyring().open(offered, bound_to=login.id).decode(), totp.as_typed(typed)
    step = totp.matching_step(secret, code, now) if code else None
    if step is None:
        return _wrong(login.account_id, now, totp.seconds_ahead(secret, code, now) if code else None)
    with throttle.not_counting_busyness(attempt):
        codes, recipe, hashes = _new_codes()
    sealed = _keyring().seal(secret.encode(), bound_to=login.account_id)
    new_id = ids.new("log")
    with db.transaction():
        store.prepare(login.account_id)
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


def prove(login: Login, typed: str, now: int) -> str | Wrong | Pause | Refused:
    """Six digits or a backup code at sign-in: the new id of the raised login. A lock ends every pending login."""
    if login.locked_at is not None:
        return throttle.waiting("code", login.account_id, now) or Refused.LOGIN_ENDED
    attempt = throttle.begin("code", login.account_id, now)
    if isinstance(attempt, Pause):
        account_store.lock_pending_logins(login.account_id, now)
        return attempt
    with throttle.not_counting_busyness(attempt):
        spend = _find(login.account_id, typed, now)
    new_id, since = ids.new("log"), now - current_app.config["LOGIN_PENDING"]
    with db.transaction():
        if not (spend() and account_store.raise_login(login.id, new_id, since, now)):
            raise db.Undo  # a code that raised no login is not spent
        throttle.take_back(attempt)
        return new_id
    wrong = _wrong(login.account_id, now)
    if not wrong.tries_left:
        account_store.lock_pending_logins(login.account_id, now)
    return wrong


def renew_codes(login: Login, typed: str, now: int) -> Codes | Wrong | Pause | Refused:
    """A new set in place of one that was never acknowledged, after a fresh code of the authenticator."""
    if not owes_acknowledgement(store.authenticator(login.account_id)):
        return Refused.NOT_OWED
    attempt = throttle.begin("code", login.account_id, now)
    if isinstance(attempt, Pause):
        return attempt
    spend = _find_step(login.account_id, typed, now)
    if spend is None:
        return _wrong(login.account_id, now)
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
    return _wrong(login.account_id, now)


def acknowledge(account_id: str, now: int) -> None:
    store.acknowledge_codes(account_id, now)


# ── Questions ────────────────────────────────────────────────────────────────────────────────────────────────


def is_enrolled(authenticator: Authenticator | None) -> bool:
    return authenticator is not None and authenticator.confirmed_at is not None


def owes_acknowledgement(authenticator: Authenticator | None) -> bool:
    """Whether ten codes were issued and nobody said that they are saved."""
    return authenticator is not None and is_enrolled(authenticator) and authenticator.codes_acknowledged_at is None


# ── How a typed code is found ────────────────────────────────────────────────────────────────────────────────

Spend = Callable[[], bool]


def _find(account_id: str, typed: str, now: int) -> Spend:
    """What would spend the code that was typed. Looks and hashes now, so that the write lock is held briefly later."""
    return _find_step(account_id, typed, now) or _find_backup_code(account_id, typed, now) or (lambda: False)


def _find_step(account_id: str, typed: str, now: int) -> Spend | None:
    found, code = store.authenticator(account_id), totp.as_typed(typed)
    if code is None or found is None or found.sealed_secret is None:
        return None
    sealed = found.sealed_secret
    step = totp.matching_step(_keyring().open(sealed, bound_to=account_id).decode(), code, now)
    return None if step is None else lambda: store.spend_step(account_id, sealed, step)


def _find_backup_code(account_id: str, typed: str, now: int) -> Spend | None:
    found, code = store.authenticator(account_id), backup_codes.as_typed(typed)
    if code is None or found is None or found.codes_recipe is None:
        return None
    (code_hash,) = hashing.hash_by(found.codes_recipe, code)
    return lambda: store.spend_code(account_id, code_hash, now)


def _wrong(account_id: str, now: int, seconds_ahead: int | None = None) -> Wrong:
    return Wrong(throttle.left("code", account_id, now), seconds_ahead)


def _new_codes() -> tuple[list[str], str, list[str]]:
    """The codes, the recipe they share, their hashes: ten runs, about 0.7 s."""
    codes, recipe = backup_codes.generate(), hashing.new_recipe()
    return codes, recipe, hashing.hash_by(recipe, *codes)


def _name_in_app(login: Login) -> str:
    """`email`, or `email (2)` on re-enrolment: an app given the same name twice overwrites the older entry."""
    found = store.authenticator(login.account_id)
    return login.email if found is None or found.generation == 1 else f"{login.email} ({found.generation})"


def _keyring() -> sealing.Keyring:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring
