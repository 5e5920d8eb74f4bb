"""The story: somebody lost the way in, support verifies who it is, and the account lets that person in and no other.

At no moment is the password alone enough: a reset leaves the account closed to everybody but a login at which the code
was typed that support handed to the verified person. Each act is one transaction with its row in the audit trail.
"""

from dataclasses import dataclass
from enum import Enum

from fv import db, hashing
from fv.accounts import email as emails
from fv.accounts import flows as accounts
from fv.accounts import store as account_store
from fv.accounts.store import Account, Login
from fv.audit import flows as audit
from fv.audit import store as audit_store
from fv.audit.chain import Event
from fv.keys import store as key_store
from fv.mfa import backup_codes
from fv.mfa import store as mfa_store
from fv.mfa.store import Authenticator, ReEnrolment
from fv.passwords import flows as passwords
from fv.throttle import flows as throttle
from fv.throttle.flows import Pause


class Refused(Enum):
    EMAIL = "That is not an email address we can use."
    TAKEN = "There is an account with this email already."
    NOT_ENROLLED = "This account has no second factor yet: it sets one up after signing in, and needs nobody for it."


@dataclass(frozen=True)
class Shown:
    """What support may see of an account: never a secret, a code, or a hash of one."""

    account: Account
    authenticator: Authenticator
    re_enrolment: ReEnrolment | None
    codes_left: int
    code_pause: Pause | None
    password_pause: Pause | None
    logins: list[Login]
    has_link: bool
    keys: int
    events: list[Event]


def find(typed: str) -> Account | None:
    email = emails.normalised(typed)
    return account_store.by_email(email) if email else None


def show(account: Account, now: int) -> Shown:
    return Shown(
        account,
        mfa_store.authenticator(account.id),
        mfa_store.re_enrolment(account.id),
        mfa_store.codes_left(account.id),
        throttle.waiting("code", account.id, now),
        throttle.waiting("password", accounts.guessed(account.email), now),
        accounts.active_logins(account.id, now),
        passwords.has_open_link(account.id, now),
        key_store.count(account.id, now),
        audit_store.newest(account.id, 10),
    )


def can_re_enrol(account: Account) -> Refused | None:
    """Whether there is anything to reset, to be said before somebody is asked. re_enrol() decides."""
    waits = mfa_store.re_enrolment(account.id) is not None
    return None if waits or mfa_store.authenticator(account.id).is_enrolled else Refused.NOT_ENROLLED


def re_enrol(account: Account, ticket: str, verified: str, now: int) -> str | Refused:
    """End the old second factor and every login. The code for the verified person, in clear only here.

    Called again while the account waits for its new authenticator, it replaces the code.
    """
    code = backup_codes.re_enrolment()
    typed = backup_codes.as_typed(code, backup_codes.RE_ENROLMENT_LENGTH) or ""
    code_hash = hashing.hash(typed)
    with db.transaction():
        if not mfa_store.reset(account.id) and mfa_store.re_enrolment(account.id) is None:
            return Refused.NOT_ENROLLED
        mfa_store.replace_codes(account.id, [])
        mfa_store.ask_for_code(account.id, code_hash, now)
        account_store.end_logins(account.id)
        audit.record("support.re_enrolled", account.id, now, "support", ticket=ticket, verified=verified)
    return code


def allow_new_codes(account: Account, ticket: str, now: int) -> Refused | None:
    with db.transaction():
        if not mfa_store.allow_codes(account.id, now):
            return Refused.NOT_ENROLLED
        audit.record("support.new_codes", account.id, now, "support", ticket=ticket)
    return None


def unlock(account: Account, ticket: str, now: int) -> bool:
    """Forget the wrong codes and passwords; False when there were none. A login that was locked stays locked."""
    with db.transaction():
        forgotten = throttle.forgive("code", account.id) + throttle.forgive("password", accounts.guessed(account.email))
        if forgotten:
            audit.record("support.unlocked", account.id, now, "support", ticket=ticket)
    return forgotten > 0


# ── Accounts ─────────────────────────────────────────────────────────────────────────────────────────────────


def create_account(typed: str, now: int, only_first: bool = False) -> str | Refused:
    """An account that nobody can sign in to yet; the token of the link at which its password is set."""
    email = emails.normalised(typed)
    if email is None:
        return Refused.EMAIL
    account = accounts.fresh(email, hashing.decoy(), now)
    with db.transaction():
        if (only_first and account_store.any_exists()) or not account_store.add(account):
            return Refused.TAKEN
        audit.record("support.account_created", account.id, now, "support")
        return passwords.new_link(account.id, now)


def link_to_password(account: Account, ticket: str, now: int) -> str:
    """The token of a link at which the password is set. An older link dies; the password stays until then."""
    with db.transaction():
        audit.record("support.password_link", account.id, now, "support", ticket=ticket)
        return passwords.new_link(account.id, now)
