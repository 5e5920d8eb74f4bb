"""What an account sees of itself: its second factor, its backup codes (a number), its logins."""

from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from fv import clock, gate, web
from fv.accounts import flows as accounts
from fv.accounts import store as account_store
from fv.api import times
from fv.mfa import backup_codes
from fv.mfa import flows as mfa
from fv.mfa import store as mfa_store

blueprint = Blueprint("profile", __name__)

FEW_CODES = 3  # backup codes left from which on the page warns


@blueprint.get("/api/v1/me")
def me() -> Response:
    login = gate.login()
    account, authenticator = account_store.by_id(login.account_id), mfa_store.authenticator(login.account_id)
    if account is None:
        raise LookupError("a login without an account")
    enrolled = mfa.is_enrolled(authenticator)
    return jsonify(
        id=account.id,
        email=account.email,
        totp_enabled=enrolled,
        backup_codes_remaining=mfa_store.codes_left(account.id),
        backup_codes_acknowledged=enrolled and not mfa.owes_acknowledgement(authenticator),
        plan=account.plan,
        created_at=times.written(account.created_at),
    )


@blueprint.get("/account")
def account() -> Response:
    login, now = gate.login(), clock.now()
    return web.screen(
        "profile/account.html",
        within="page",
        account=account_store.by_id(login.account_id),
        authenticator=mfa_store.authenticator(login.account_id),
        codes_left=mfa_store.codes_left(login.account_id),
        codes_of=backup_codes.COUNT,
        few=FEW_CODES,
        logins=[(accounts.handle(one), one) for one in accounts.active_logins(login.account_id, now)],
        this=login.id,
        now=now,
    )


@blueprint.post("/account/logins/end")
def end_login() -> Response:
    """One of the own logins, by its handle; the one this request comes with is ended by signing out."""
    accounts.end_by_handle(gate.login().account_id, request.form.get("login", ""))
    return web.go(".account")


@blueprint.post("/account/logins/end-others")
def end_other_logins() -> Response:
    login = gate.login()
    account_store.end_other_logins(login.account_id, but=login.id)
    return web.go(".account")
