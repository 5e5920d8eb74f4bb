"""The story: sign up, prove a password, open a login, end it.

A refusal is a return value; an exception is a bug. Hashing (70 ms) is done before the write lock is taken.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum

from flask import current_app

from fv import db, hashing, ids, sealing, words
from fv.accounts import email as emails
from fv.accounts import store
from fv.accounts.store import Account, Login
from fv.audit import flows as audit
from fv.throttle import flows as throttle
from fv.throttle.flows import Pause, Try
from fv.throttle.policy import neighbourhood_of, network_of

SEEN_EVERY = 60  # seconds between two notes of when a login was last seen: one write a minute, not one a request
DEVICES_KEPT = 180 * 86400  # seconds after which a device that was not used is new again
AGENT = 256  # characters of the User-Agent that are kept


@dataclass(frozen=True)
class Visitor:
    """Where a request comes from, as far as a login remembers it."""

    address: str
    user_agent: str


class NoSignUp(Enum):
    """Why there is no new account; for a wrong email or a password that is too long, as the person reads it."""

    CLOSED = "closed"
    EMAIL = "That is not an email address we can use."
    SHORT = "short"
    LONG = "Too long: 1,024 characters are the most."
    TAKEN = "There is an account with this email. Sign in instead."


def sign_up(typed_email: str, password: str, visitor: Visitor, now: int) -> Account | NoSignUp | Pause:
    """A new account, without a second factor and so without access to anything yet."""
    if not is_sign_up_open():
        return NoSignUp.CLOSED
    email = emails.normalised(typed_email)
    if email is None:
        return NoSignUp.EMAIL
    if unfit := unfit_password(password):
        return unfit
    pause = throttle.begin("sign-up from", network_of(visitor.address), now)
    if isinstance(pause, Pause):
        return pause
    account = fresh(email, hashing.hash(password), now)
    with db.transaction():
        if not is_sign_up_open():  # somebody else was the first meanwhile
            return NoSignUp.CLOSED
        if not store.add(account):
            return NoSignUp.TAKEN
        audit.record("account.created", account.id, now, device=words.device(visitor.user_agent))
        return account


def fresh(email: str, password_hash: str, now: int) -> Account:
    """An account that is not stored yet, on the first of the plans."""
    return Account(ids.new("acc"), email, password_hash, current_app.config["PLANS"].first.id, now)


def is_sign_up_open() -> bool:
    mode: str = current_app.config["REGISTRATION"]
    return mode == "open" or (mode == "first" and not store.any_exists())


def unfit_password(password: str) -> NoSignUp | None:
    if len(password) < current_app.config["PASSWORD_LENGTH"]:
        return NoSignUp.SHORT
    return NoSignUp.LONG if len(password) > hashing.LONGEST else None


def prove_password(typed_email: str, password: str, visitor: Visitor, now: int) -> Account | Pause | None:
    """The account, when the password is its own. Unknown email and wrong password take the same way and time."""
    email = emails.normalised(typed_email) or ""
    by_email = throttle.begin("password", guessed(email), now)
    if isinstance(by_email, Pause):
        return by_email
    by_address = throttle.begin("password from", network_of(visitor.address), now)
    if isinstance(by_address, Pause):
        throttle.take_back(by_email)
        return by_address
    account = store.by_email(email)
    stored = account.password_hash if account else hashing.decoy()
    with throttle.not_counting_busyness(by_email, by_address):
        is_right = hashing.matches(password, stored) and account is not None
        fresh = hashing.hash(password) if is_right and hashing.is_outdated(stored) else None
    with db.transaction():
        if account is None or not is_right:
            failed_password(account.id if account else None, by_email, visitor.user_agent, now)
            return None
        throttle.take_back(by_email, by_address)
        if fresh and store.set_password_hash(account.id, fresh, before=stored):
            return replace(account, password_hash=fresh)
    return account


def failed_password(account_id: str | None, attempt: Try, user_agent: str, now: int, actor: str = "stranger") -> None:
    """Record a wrong one, for an unknown email too: it takes the same time. Inside a transaction."""
    device = words.device(user_agent)
    audit.record("password.wrong", account_id, now, actor, device=device)
    if attempt.is_last:
        audit.record("password.locked", account_id, now, actor, device=device)


def guessed(email: str) -> str:
    """What guesses at the password of this email are counted under: what strangers type is not written down."""
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring.pseudonym(email)


# ── Logins ───────────────────────────────────────────────────────────────────────────────────────────────────


def open_login(account: Account, visitor: Visitor, now: int, instead_of: Login | None = None) -> str | None:
    """A login by the password only; its id. Another login of the same browser ends with it.

    None: the password was changed since it was proved.
    """
    id = ids.new("log")
    config = current_app.config
    with db.transaction():
        store.forget_logins(now - config["LOGIN_IDLE"], now - config["LOGIN_LIFETIME"])
        as_it_is = store.by_id(account.id)
        if as_it_is is None or as_it_is.password_hash != account.password_hash:
            return None
        if instead_of:
            _end(instead_of, now)
        store.add_login(id, account.id, visitor.address, visitor.user_agent[:AGENT], now)
        device = words.device(visitor.user_agent)
        audit.record("password.proved", account.id, now, "stranger", device=device, login=handle(id))
    return id


def live_login(id: str, now: int, is_used: bool = True) -> Login | None:
    """The login of this id unless it has ended, by hand, by idleness or by age. `is_used`: a person does something."""
    login = store.login(id)
    if login is None or has_ended(login, now):
        return None
    if is_used and now - login.seen_at >= SEEN_EVERY:
        with suppress(db.Unavailable):  # a page is not refused because a time could not be noted
            store.saw_login(id, now)
    return login


def has_ended(login: Login, now: int) -> bool:
    idle, lifetime = int(current_app.config["LOGIN_IDLE"]), int(current_app.config["LOGIN_LIFETIME"])
    return now - login.seen_at >= idle or now - login.created_at >= lifetime


def is_in_time_for_code(login: Login, now: int) -> bool:
    """Whether a login by the password only may still be raised by a code."""
    return now - login.created_at < int(current_app.config["LOGIN_PENDING"])


def active_logins(account_id: str, now: int) -> list[Login]:
    """The ones that have proved a second factor and have not ended, newest first."""
    return [login for login in store.logins(account_id) if login.proved_at and not has_ended(login, now)]


def meet_device(login: Login, now: int) -> bool:
    """Whether the account was never used with such a browser from this network. It is known from now on.

    Inside a transaction.
    """
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    where = neighbourhood_of(login.address)
    marks = keyring.pseudonyms(f"{login.account_id} {words.device(login.user_agent)} {where}")
    is_known = any(store.knows_device(login.account_id, mark, now - DEVICES_KEPT) for mark in marks)
    store.saw_device(login.account_id, marks[0], now - DEVICES_KEPT, now)
    return not is_known


def handle(login_id: str) -> str:
    """What a page and the audit trail call a login by: tells them apart, opens nothing."""
    return hashlib.sha256(login_id.encode()).hexdigest()[:16]


def end_by_handle(account_id: str, wanted: str, now: int) -> None:
    """End one login of this account, if there is one by this handle."""
    for login in store.logins(account_id):
        if handle(login.id) == wanted:
            end(login, now)


def insist(login: Login) -> None:
    """Undo the transaction when this login has ended since the request began."""
    if store.login(login.id) is None:
        raise db.Undo


def end(login: Login, now: int) -> None:
    with db.transaction():
        _end(login, now)


def end_others(login: Login, now: int) -> None:
    with db.transaction():
        insist(login)
        if store.end_logins(login.account_id, but=login.id):
            audit.record("login.others_ended", login.account_id, now, **traits(login))


def _end(login: Login, now: int) -> None:
    if store.end_login(login.id):
        audit.record("login.ended", login.account_id, now, actor_of(login), **traits(login))


def actor_of(login: Login) -> str:
    """Who the audit trail says it was: without the second factor it may be anybody."""
    return "holder" if login.proved_at else "stranger"


def traits(login: Login) -> dict[str, str]:
    """What the audit trail says of a login."""
    return {"device": words.device(login.user_agent), "login": handle(login.id)}
