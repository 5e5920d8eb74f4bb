"""Make an account."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, cookie, problems, web
from fv.accounts import flows
from fv.accounts.flows import NoSignUp
from fv.throttle.flows import Pause

blueprint = Blueprint("accounts", __name__)


@blueprint.get("/register")
def register_form() -> Response:
    if not flows.is_sign_up_open():
        raise problems.Problem("registration_closed")
    return web.screen("accounts/register.html")


@blueprint.post("/register")
def register() -> Response:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    now, visitor = clock.now(), web.visitor()
    account = flows.sign_up(email, password, visitor, now)
    if account is NoSignUp.CLOSED:
        raise problems.Problem("registration_closed")
    if isinstance(account, NoSignUp):
        return web.screen("accounts/register.html", 422, email=email, wrong=account)
    if isinstance(account, Pause):
        return web.screen("accounts/register.html", 429, email=email, pause=account, retry_after=account.seconds)
    login_id = flows.open_login(account, visitor, now, instead_of=cookie.current_login())
    if login_id is None:
        return web.go("login.password_form")
    cookie.set_login(login_id)
    return web.go("mfa.setup")
