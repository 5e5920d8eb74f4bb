"""A try at the second factor, over whichever door it is made: counted first, then looked at, then spent.

The doors (fv/mfa/flows.py, fv/login/flows.py) take a place in the count, find what was typed, and spend it inside their
own transaction. A try that fails at any door is told to this module, which records it and locks what has to be locked.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app

from fv import db, hashing, sealing
from fv.accounts import flows as accounts
from fv.accounts import store as account_store
from fv.accounts.store import Login
from fv.audit import flows as audit
from fv.mfa import backup_codes, store, totp
from fv.mfa.store import Authenticator
from fv.throttle import flows as throttle
from fv.throttle.flows import Pause, Try


@dataclass(frozen=True)
class Wrong:
    """`seconds_ahead`: what the clock of the phone is off by, where that is the reason and may be told."""

    tries_left: int
    seconds_ahead: int | None = None


@dataclass(frozen=True)
class Found:
    """What was typed. `spend` uses it up and says whether it could; `was_spent`: whether it was right once."""

    spend: Callable[[], bool]
    was_spent: Callable[[], bool]
    is_backup_code: bool = False


def begin(account_id: str, now: int) -> Try | Pause:
    """Count a try before anything is compared. In a pause no pending login of the account lives on."""
    attempt = throttle.begin("code", account_id, now)
    if isinstance(attempt, Pause):
        _lock(account_id, now)
    return attempt


def failed(attempt: Try, login: Login, now: int, found: Found | None = None, seconds_ahead: int | None = None) -> Wrong:
    """Record a wrong try. With the last one there is every pending login of the account dies."""
    account_id, by = login.account_id, accounts.traits(login)
    actor = accounts.actor_of(login)
    with db.transaction():
        is_replay = found is not None and found.was_spent()
        audit.record("code.replayed" if is_replay else "code.wrong", account_id, now, actor, **by)
        left = throttle.left("code", account_id, now)
        if not left:
            _lock(account_id, now)
            if attempt.is_last:  # of several at once one
                audit.record("code.locked", account_id, now, actor, **by)
    return Wrong(left, seconds_ahead)


def find(account_id: str, typed: str, now: int) -> Found | None:
    """The six digits or the backup code that was typed; None: neither can be right.

    Looks and hashes now, so that the write lock is held briefly later.
    """
    authenticator = store.authenticator(account_id)
    return find_step(authenticator, typed, now) or _find_backup_code(authenticator, typed, now)


def find_step(authenticator: Authenticator, typed: str, now: int) -> Found | None:
    """The same for six digits only."""
    code, sealed, account_id = totp.as_typed(typed), authenticator.sealed_secret, authenticator.account_id
    if code is None or sealed is None:
        return None
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    step = totp.matching_step(keyring.open(sealed, bound_to=account_id).decode(), code, now)
    if step is None:
        return None
    return Found(
        spend=lambda: store.spend_step(account_id, sealed, step),
        was_spent=lambda: store.authenticator(account_id).last_step >= step,
    )


def hash_of_backup_code(authenticator: Authenticator, typed: str) -> str | None:
    """How the code would be kept if it were one of the current set; None: it cannot be one."""
    code, recipe = backup_codes.as_typed(typed), authenticator.codes_recipe
    return hashing.hash_by(recipe, code)[0] if code and recipe else None


def pause(account_id: str, now: int) -> Pause | None:
    """The pause this account is in, to be said before somebody types."""
    return throttle.waiting("code", account_id, now)


def _find_backup_code(authenticator: Authenticator, typed: str, now: int) -> Found | None:
    code_hash, account_id = hash_of_backup_code(authenticator, typed), authenticator.account_id
    if code_hash is None:
        return None
    return Found(
        spend=lambda: store.spend_code(account_id, code_hash, now),
        was_spent=lambda: store.has_code(account_id, code_hash, used=True),
        is_backup_code=True,
    )


def _lock(account_id: str, now: int) -> None:
    """A login by the password only of an account that is not enrolled is not pending: it goes on."""
    if store.authenticator(account_id).is_enrolled:
        account_store.lock_pending_logins(account_id, now)
