"""A try at the second factor, over whichever door it is made: counted first, then looked at, then spent.

The doors (fv/mfa/flows.py, fv/login/flows.py) take a place in the count, find what was typed, and spend it inside their
own transaction. A try that fails at any door is told to this module, which locks what has to be locked.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app

from fv import hashing, sealing
from fv.accounts import store as account_store
from fv.mfa import backup_codes, store, totp
from fv.mfa.store import Authenticator
from fv.throttle import flows as throttle
from fv.throttle.flows import Pause, Try


@dataclass(frozen=True)
class Wrong:
    """`seconds_ahead`: what the clock of the phone is off by, where that is the reason and may be told."""

    tries_left: int
    seconds_ahead: int | None = None


Spend = Callable[[], bool]


def begin(account_id: str, now: int) -> Try | Pause:
    """Count a try before anything is compared. In a pause no pending login of the account lives on."""
    attempt = throttle.begin("code", account_id, now)
    if isinstance(attempt, Pause):
        _lock(account_id, now)
    return attempt


def failed(account_id: str, now: int, seconds_ahead: int | None = None) -> Wrong:
    """What is left after a wrong one. With the last one every pending login of the account dies."""
    left = throttle.left("code", account_id, now)
    if not left:
        _lock(account_id, now)
    return Wrong(left, seconds_ahead)


def find(account_id: str, typed: str, now: int) -> Spend | None:
    """What would spend the six digits or the backup code that was typed; None: neither can be right.

    Looks and hashes now, so that the write lock is held briefly later.
    """
    authenticator = store.authenticator(account_id)
    return find_step(authenticator, typed, now) or _find_backup_code(authenticator, typed, now)


def find_step(authenticator: Authenticator, typed: str, now: int) -> Spend | None:
    """The same for six digits only."""
    code, sealed, account_id = totp.as_typed(typed), authenticator.sealed_secret, authenticator.account_id
    if code is None or sealed is None:
        return None
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    step = totp.matching_step(keyring.open(sealed, bound_to=account_id).decode(), code, now)
    return None if step is None else lambda: store.spend_step(account_id, sealed, step)


def pause(account_id: str, now: int) -> Pause | None:
    """The pause this account is in, to be said before somebody types."""
    return throttle.waiting("code", account_id, now)


def _find_backup_code(authenticator: Authenticator, typed: str, now: int) -> Spend | None:
    code, recipe = backup_codes.as_typed(typed), authenticator.codes_recipe
    if code is None or recipe is None:
        return None
    (code_hash,) = hashing.hash_by(recipe, code)
    return lambda: store.spend_code(authenticator.account_id, code_hash, now)


def _lock(account_id: str, now: int) -> None:
    """A login by the password only of an account that is not enrolled is not pending: it goes on."""
    if store.authenticator(account_id).is_enrolled:
        account_store.lock_pending_logins(account_id, now)
