"""The story: a password opens a login that can do nothing, a code raises it."""

from dataclasses import dataclass

from fv.accounts import flows as accounts
from fv.accounts.flows import Visitor
from fv.mfa import flows as mfa
from fv.mfa import store as mfa_store
from fv.throttle.flows import Pause


@dataclass(frozen=True)
class Opened:
    """A login by the password only, and whether a code is what it waits for (else: the setup)."""

    login_id: str
    awaits_code: bool


def prove_password(
    email: str, password: str, visitor: Visitor, now: int, instead_of: str | None
) -> Opened | Pause | None:
    """None: the email is unknown or the password is not its own, and nobody is told which."""
    account = accounts.prove_password(email, password, visitor, now)
    if account is None or isinstance(account, Pause):
        return account
    enrolled = mfa.is_enrolled(mfa_store.authenticator(account.id))
    return Opened(accounts.open_login(account.id, visitor, now, instead_of), awaits_code=enrolled)
