"""What an account sees of itself: its second factor, its backup codes (a number), its logins."""

from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from fv import clock, gate, web
from fv.accounts import flows as accounts
from fv.accounts import store as account_store
from fv.api import times
from fv.mfa import backup_codes
from fv.mfa import store as mfa

blueprint = Blueprint("profile", __name__)

FEW_CODES = 3  # backup codes left from which on the page warns


@blueprint.get("/api/v1/me")
def me() -> Response:
    account = account_store.of_login(gate.login())
    authenticator = mfa.authenticator(account.id)
    return jsonify(
        id=account.id,
        email=account.email,
        totp_enabled=authenticator.is_enrolled,
        backup_codes_remaining=mfa.codes_left(account.id),
        backup_codes_acknowledged=authenticator.codes_acknowledged_at is not None,
        plan=account.plan,
        created_at=times.written(account.created_at),
    )


@blueprint.get("/account")
def account() -> Response:
    login, now = gate.login(), clock.now()
    return web.screen(
        "profile/account.html",
        within="page",
        account=account_store.of_login(login),
        authenticator=mfa.authenticator(login.account_id),
        codes_left=mfa.codes_left(login.account_id),
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
