"""The story: a password opens a login that can do nothing, a code raises it."""

from dataclasses import dataclass, replace
from enum import Enum

from flask import current_app

from fv import db, ids
from fv.accounts import flows as accounts
from fv.accounts import store as account_store
from fv.accounts.flows import Visitor
from fv.accounts.store import Login
from fv.audit import flows as audit
from fv.mfa import store as mfa_store
from fv.mfa import tries
from fv.mfa.tries import Wrong
from fv.throttle import flows as throttle
from fv.throttle.flows import Pause


@dataclass(frozen=True)
class Opened:
    """A login by the password only, and whether a code is what it waits for (else: the setup)."""

    login_id: str
    awaits_code: bool


class Ended(Enum):
    LOCKED = "Too many wrong codes ended this login; it takes a new one."


def prove_password(
    email: str, password: str, visitor: Visitor, now: int, instead_of: Login | None
) -> Opened | Pause | None:
    """None: the email is unknown or the password is not its own, and nobody is told which."""
    account = accounts.prove_password(email, password, visitor, now)
    if account is None or isinstance(account, Pause):
        return account
    login_id = accounts.open_login(account, visitor, now, instead_of)
    if login_id is None:
        return None
    return Opened(login_id, awaits_code=mfa_store.authenticator(account.id).is_enrolled)


def prove_code(login: Login, typed: str, now: int) -> str | Wrong | Pause | Ended:
    """Six digits or a backup code: the new id of the raised login."""
    if login.locked_at is not None:
        return throttle.waiting("code", login.account_id, now) or Ended.LOCKED
    attempt = tries.begin(login.account_id, now)
    if isinstance(attempt, Pause):
        return attempt
    with throttle.not_counting_busyness(attempt):
        found = tries.find(login.account_id, typed, now)
    new_id = ids.new("log")
    since = now - current_app.config["LOGIN_PENDING"]
    with db.transaction():
        if not (found and found.spend() and account_store.raise_login(login.id, new_id, since, now)):
            raise db.Undo  # a code that raised no login is not spent
        throttle.take_back(attempt)
        _record(replace(login, id=new_id), found.is_backup_code, now)
        return new_id
    return tries.failed(attempt, login, now, found)


def _record(login: Login, by_backup_code: bool, now: int) -> None:
    by = accounts.traits(login)
    if by_backup_code:
        left = mfa_store.codes_left(login.account_id)
        audit.record("backup_code.used", login.account_id, now, left=left, **by)
    is_new = accounts.meet_device(login, now)
    audit.record("login.new_device" if is_new else "login.opened", login.account_id, now, **by)
