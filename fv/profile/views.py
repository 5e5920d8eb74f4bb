"""What an account sees of itself: its second factor, its backup codes (a number), its logins, its security events."""

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, cookie, gate, web
from fv.accounts import flows as accounts
from fv.accounts import store as account_store
from fv.accounts.flows import NoSignUp
from fv.api import bodies, times
from fv.api.calls import described
from fv.audit import store as audit_store
from fv.audit.events import tell
from fv.billing import quota
from fv.mfa import backup_codes, tries
from fv.mfa import flows as mfa_flows
from fv.mfa import store as mfa
from fv.mfa.tries import Wrong
from fv.passwords import flows as passwords
from fv.passwords.flows import NoChange
from fv.profile import answers
from fv.throttle.flows import Pause

blueprint = Blueprint("profile", __name__)

FEW_CODES = 3  # backup codes left from which on the page warns
JUST = 60  # seconds for which the page says that the password was changed
EVENTS = 8  # security events on the page; the audit trail has them all


@blueprint.get("/api/v1/me")
@described("getAccount", "Read the account", answers={200: answers.Account})
def me() -> Response:
    account = account_store.of_login(gate.login())
    authenticator = mfa.authenticator(account.id)
    told = answers.Account(
        id=account.id,
        email=account.email,
        totp_enabled=authenticator.is_enrolled,
        backup_codes_remaining=mfa.codes_left(account.id),
        backup_codes_acknowledged=authenticator.codes_acknowledged_at is not None,
        plan=quota.plan_in(account.id, quota.month_at(clock.now()).name).id,
        created_at=times.written(account.created_at),
    )
    return bodies.sent(told)


@blueprint.get("/account")
def account() -> Response:
    return _screen()


@blueprint.post("/account/logins/end")
def end_login() -> Response:
    """One of the own logins, by its handle; the one this request comes with is ended by signing out."""
    accounts.end_by_handle(gate.login().account_id, request.form.get("login", ""), clock.now())
    return web.go(".account")


@blueprint.post("/account/logins/end-others")
def end_other_logins() -> Response:
    accounts.end_others(gate.login(), clock.now())
    return web.go(".account")


@blueprint.post("/account/password")
def change_password() -> Response:
    current, password = request.form.get("current", ""), request.form.get("password", "")
    changed = passwords.change(gate.login(), current, password, clock.now())
    if isinstance(changed, NoSignUp):
        return _screen(422, unfit=changed)
    if changed is NoChange.WRONG:
        return _screen(422, wrong_password=True)
    if isinstance(changed, NoChange):
        return web.go(".account")  # and from there to the login, if this one has ended
    if isinstance(changed, Pause):
        return _screen(429, password_pause=changed, retry_after=changed.seconds)
    cookie.set_login(changed)
    return web.go(".account")


@blueprint.post("/account/codes/check")
def check_code() -> Response:
    """Whether a backup code would work, without using it up."""
    works = mfa_flows.check_code(gate.login(), request.form.get("code", ""), clock.now())
    if isinstance(works, Wrong):
        return _screen(422, checked="wrong", wrong=works, then=tries.pause(gate.login().account_id, clock.now()))
    if isinstance(works, Pause):
        return _screen(429, code_pause=works, retry_after=works.seconds)
    return _screen(200 if works else 422, checked="works" if works else "used")


def _screen(status: int = 200, **context: Any) -> Response:
    login, now = gate.login(), clock.now()
    authenticator = mfa.authenticator(login.account_id)
    events = [(row, tell(row.event, row.actor, row.facts)) for row in audit_store.newest(login.account_id, EVENTS)]
    own = [row for row, told in events if told.login == accounts.handle(login.id)]
    return web.screen(
        "profile/account.html",
        status,
        within="page",
        account=account_store.of_login(login),
        authenticator=authenticator,
        may_renew_codes=mfa_flows.may_renew_codes(login.account_id, now),
        codes_left=mfa.codes_left(login.account_id),
        codes_of=backup_codes.COUNT,
        few=FEW_CODES,
        logins=[(accounts.handle(one.id), one) for one in accounts.active_logins(login.account_id, now)],
        events=events,
        password_changed=any(row.event == "password.changed" and now - row.at < JUST for row in own),
        this=login.id,
        now=now,
        **context,
    )
