"""The story: offer a secret, confirm it, hand over ten backup codes once, then ask at every login.

A refusal is a return value; an exception is a bug. Every try is counted before it is compared (fv/mfa/tries.py). Slow
hashing is done before the write lock is taken, and every "spend" is one UPDATE whose row count says who won.
"""

from dataclasses import dataclass, replace
from enum import Enum

from flask import current_app

from fv import db, hashing, ids, sealing
from fv.accounts import flows as accounts
from fv.accounts import store as account_store
from fv.accounts.store import Login
from fv.audit import flows as audit
from fv.db.sealed import Kind
from fv.mfa import backup_codes, store, totp, tries
from fv.mfa.tries import Wrong
from fv.throttle import flows as throttle
from fv.throttle.flows import Pause


@dataclass(frozen=True)
class Offer:
    """What an authenticator app needs. Leaves the server towards a login that is not enrolled yet, and no other."""

    secret: str
    uri: str
    name_in_app: str


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
    CODE_OWED = "Support reset the second factor: this login has to give the re-enrolment code first."


SEALED = (
    Kind("TOTP secrets", store.SECRETS, lambda account_id: account_id),
    Kind("TOTP secrets not confirmed yet", store.OFFERS, lambda login_id: login_id),
)


# ── Before the second factor is confirmed ────────────────────────────────────────────────────────────────────


def offer(login: Login) -> Offer | Refused | None:
    """The secret of this login, made at the first call and the same until it is confirmed. None: the login ended."""
    if owes_re_enrolment_code(login):
        return Refused.CODE_OWED
    if store.offered_secret(login.id) is None:
        with db.transaction():
            if account_store.login(login.id) and not owes_re_enrolment_code(login):
                store.offer_secret(login.id, _keyring().seal(totp.new_secret().encode(), bound_to=login.id))
    sealed = store.offered_secret(login.id)
    if sealed is None:
        return None
    secret = _keyring().open(sealed, bound_to=login.id).decode()
    name = _name_in_app(login)
    return Offer(secret, totp.uri(secret, current_app.config["ISSUER"], name), name)


def owes_re_enrolment_code(login: Login) -> bool:
    """Whether support reset the second factor, and this login has not given the code that allows a new one."""
    waiting = store.re_enrolment(login.account_id)
    return waiting is not None and waiting.login_id != login.id


def accept_re_enrolment_code(login: Login, typed: str, now: int) -> Wrong | Pause | None:
    """Let this login, and no other, set up an authenticator. None: it was the code, and it is used up now."""
    attempt = tries.begin(login.account_id, now)
    if isinstance(attempt, Pause):
        return attempt
    waiting, code = store.re_enrolment(login.account_id), backup_codes.as_typed(typed, backup_codes.RE_ENROLMENT_LENGTH)
    if waiting and code:
        with throttle.not_counting_busyness(attempt):
            is_right = hashing.matches(code, waiting.code_hash)
        since = now - current_app.config["SUPPORT_WINDOW"]
        with db.transaction():
            if not (is_right and store.accept_code(login.account_id, waiting.code_hash, login.id, since, now)):
                raise db.Undo
            throttle.take_back(attempt)
            audit.record("re_enrolment.code_accepted", login.account_id, now, "stranger", **accounts.traits(login))
            return None
    return tries.failed(attempt, login, now)


def confirm(login: Login, typed: str, now: int) -> Enrolled | Wrong | Pause | Refused:
    """Enrol the account with the secret this login was offered; the login rises, all others end."""
    if owes_re_enrolment_code(login):
        return Refused.CODE_OWED
    attempt = tries.begin(login.account_id, now)
    if isinstance(attempt, Pause):
        return attempt
    offered = store.offered_secret(login.id)
    if offered is None:  # nothing was shown yet, so nothing can be right
        return tries.failed(attempt, login, now)
    secret = _keyring().open(offered, bound_to=login.id).decode()
    code = totp.as_typed(typed)
    step = totp.matching_step(secret, code, now) if code else None
    if step is None:
        return tries.failed(attempt, login, now, seconds_ahead=totp.seconds_ahead(secret, code, now) if code else None)
    with throttle.not_counting_busyness(attempt):
        codes, recipe, hashes = _new_codes()
    sealed = _keyring().seal(secret.encode(), bound_to=login.account_id)
    new_id = ids.new("log")
    with db.transaction():
        if not (
            store.take_offer(login.id, offered)
            and store.end_re_enrolment(login.account_id, login.id)
            and store.confirm(login.account_id, sealed, step, recipe, now)
            and account_store.raise_login(login.id, new_id, since=0, now=now)
        ):
            raise db.Undo
        store.replace_codes(login.account_id, hashes)
        account_store.end_logins(login.account_id, but=new_id)
        throttle.take_back(attempt)
        accounts.meet_device(login, now)  # known from now on, and not told of beside the confirmation
        audit.record("second_factor.confirmed", login.account_id, now, **accounts.traits(replace(login, id=new_id)))
        return Enrolled(codes, new_id)
    return Refused.ENROLLED


# ── Afterwards ───────────────────────────────────────────────────────────────────────────────────────────────


def may_renew_codes(account_id: str, now: int) -> bool:
    """Whether the account may issue itself a new set: the last one is still owed, or support allowed it."""
    return store.authenticator(account_id).may_renew_codes(now - current_app.config["SUPPORT_WINDOW"])


def renew_codes(login: Login, typed: str, now: int) -> Codes | Wrong | Pause | Refused:
    """A new set in place of the old one, after a fresh code of the authenticator."""
    if not may_renew_codes(login.account_id, now):
        return Refused.NOT_OWED
    attempt = tries.begin(login.account_id, now)
    if isinstance(attempt, Pause):
        return attempt
    found = tries.find_step(store.authenticator(login.account_id), typed, now)
    if found is None:
        return tries.failed(attempt, login, now)
    with throttle.not_counting_busyness(attempt):
        codes, recipe, hashes = _new_codes()
    with db.transaction():
        if not found.spend():
            raise db.Undo
        throttle.take_back(attempt)
        if not store.issue_codes(login.account_id, recipe, now - current_app.config["SUPPORT_WINDOW"], now):
            return Refused.NOT_OWED
        store.replace_codes(login.account_id, hashes)
        audit.record("backup_codes.replaced", login.account_id, now, **accounts.traits(login))
        return Codes(codes)
    return tries.failed(attempt, login, now, found)


def acknowledge(login: Login, now: int) -> None:
    with db.transaction():
        accounts.insist(login)
        if store.acknowledge_codes(login.account_id, now):
            audit.record("backup_codes.saved", login.account_id, now, **accounts.traits(login))


def check_code(login: Login, typed: str, now: int) -> bool | Wrong | Pause:
    """Whether this is a backup code that still works (True) or one that was used (False). It is not used up."""
    attempt = tries.begin(login.account_id, now)
    if isinstance(attempt, Pause):
        return attempt
    account_id = login.account_id
    with throttle.not_counting_busyness(attempt):
        code_hash = tries.hash_of_backup_code(store.authenticator(account_id), typed)
    works = code_hash is not None and store.has_code(account_id, code_hash, used=False)
    was_used = code_hash is not None and store.has_code(account_id, code_hash, used=True)
    if not (works or was_used):
        return tries.failed(attempt, login, now)
    with db.transaction():
        throttle.take_back(attempt)
        audit.record("backup_code.checked", account_id, now, **accounts.traits(login))
    return works


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
