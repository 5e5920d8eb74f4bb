"""The story: a new password ends all other logins, signs nobody in, and does not touch the second factor."""

import hashlib
import secrets
from enum import Enum

from flask import current_app

from fv import db, hashing, ids, words
from fv.accounts import flows as accounts
from fv.accounts import store as account_store
from fv.accounts.flows import NoSignUp, Visitor
from fv.accounts.store import Account, Login
from fv.audit import flows as audit
from fv.mfa import store as mfa_store
from fv.passwords import store
from fv.passwords.store import Link
from fv.throttle import flows as throttle
from fv.throttle.flows import Pause

KEPT = 30 * 86400  # seconds a dead link is remembered, to say that it is dead


class NoChange(Enum):
    UNKNOWN = "there never was such a link"
    ENDED = "the link was used or replaced, or is too old"
    WRONG = "the current password is another one"
    GONE = "this login ended, or the password was changed meanwhile"


def new_link(account_id: str, now: int) -> str:
    """The token of a link, which exists in clear only here. Inside a transaction."""
    token = secrets.token_urlsafe(32)  # 256 bits: there is nothing to guess, so SHA-256 is enough to keep it
    store.forget(now - KEPT)
    store.add(_hash(token), account_id, now)
    return token


def has_open_link(account_id: str, now: int) -> bool:
    return store.open_links(account_id, _since(now)) > 0


def find(token: str, now: int) -> Link | NoChange:
    """The link, when a password can be set with it."""
    link = store.link(_hash(token))
    if link is None:
        return NoChange.UNKNOWN
    return link if link.used_at is None and link.made_at > _since(now) else NoChange.ENDED


def set_by_link(token: str, password: str, visitor: Visitor, now: int) -> NoSignUp | NoChange | None:
    """None: it is set, and every login of the account has ended."""
    link = find(token, now)
    if isinstance(link, NoChange):
        return link
    if unfit := accounts.unfit_password(password):
        return unfit
    password_hash = hashing.hash(password)
    with db.transaction():
        if not store.spend(link.token_hash, _since(now), now):
            return NoChange.ENDED
        account = holder(link)
        account_store.set_password_hash(account.id, password_hash, before=account.password_hash)
        account_store.end_logins(account.id)
        throttle.forgive("password", accounts.guessed(account.email))  # they were guesses at one that is gone
        event = "password.chosen" if is_new(account) else "password.set_by_link"
        audit.record(event, account.id, now, "stranger", device=words.device(visitor.user_agent))
    return None


def holder(link: Link) -> Account:
    """Whose link it is."""
    return account_store.existing(link.account_id)


def is_new(account: Account) -> bool:
    """Whether the account never had a second factor: its holder is still on the way in."""
    authenticator = mfa_store.authenticator(account.id)
    return not authenticator.is_enrolled and authenticator.generation == 1


def change(login: Login, current: str, password: str, now: int) -> str | NoSignUp | NoChange | Pause:
    """The new id of this login: a copy of its cookie stops working, like all other logins of the account."""
    if unfit := accounts.unfit_password(password):
        return unfit
    attempt = throttle.begin("password", accounts.guessed(login.email), now)
    if isinstance(attempt, Pause):
        return attempt
    before = account_store.of_login(login).password_hash
    with throttle.not_counting_busyness(attempt):
        is_right = hashing.matches(current, before)
        password_hash = hashing.hash(password) if is_right else ""
    new_id, device = ids.new("log"), words.device(login.user_agent)
    with db.transaction():
        if not is_right:
            accounts.failed_password(login.account_id, attempt, login.user_agent, now, "holder")
            return NoChange.WRONG
        throttle.take_back(attempt)
        if not account_store.rename_login(login.id, new_id):
            return NoChange.GONE
        if not account_store.set_password_hash(login.account_id, password_hash, before):
            raise db.Undo
        account_store.end_logins(login.account_id, but=new_id)
        store.end_links(login.account_id, now)
        audit.record("password.changed", login.account_id, now, device=device, login=accounts.handle(new_id))
        return new_id
    return NoChange.GONE


def _since(now: int) -> int:
    return now - int(current_app.config["SUPPORT_WINDOW"])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
