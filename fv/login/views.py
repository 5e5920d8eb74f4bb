"""The way in: a password, then a code; and the way out."""

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, cookie, gate, web
from fv.accounts import flows as accounts
from fv.login import flows
from fv.login.flows import Ended
from fv.mfa import tries
from fv.mfa.tries import Wrong
from fv.throttle.flows import Pause

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
def password_form() -> Response:
    if gate.is_signed_in():
        return web.go_to(web.stays_home(request.args.get("next")))
    return _password_screen()


@blueprint.post("/login")
def password() -> Response:
    typed, password = request.form.get("email", ""), request.form.get("password", "")
    opened = flows.prove_password(typed, password, web.visitor(), clock.now(), instead_of=cookie.current_login())
    if opened is None:
        return _password_screen(422, email=typed, wrong=True)
    if isinstance(opened, Pause):
        return _password_screen(429, email=typed, pause=opened, retry_after=opened.seconds)
    cookie.set_login(opened.login_id)
    return web.go(".code_form", next=_next()) if opened.awaits_code else web.go("mfa.setup")


@blueprint.get("/login/code")
def code_form() -> Response:
    if gate.is_signed_in():
        return web.go_to(web.stays_home(_next()))
    return _code_screen(pause=tries.pause(gate.login().account_id, clock.now()))


@blueprint.post("/login/code")
def code() -> Response:
    if gate.is_signed_in():
        return web.go_to(web.stays_home(_next()))
    proved = flows.prove_code(gate.login(), request.form.get("code", ""), clock.now())
    if isinstance(proved, Wrong):
        then = None if proved.tries_left else tries.pause(gate.login().account_id, clock.now())
        return _code_screen(422, wrong=True, then=then)
    if isinstance(proved, Pause):
        return _code_screen(429, pause=proved, retry_after=proved.seconds)
    if isinstance(proved, Ended):
        cookie.forget()
        return web.go(".password_form", next=_next())
    cookie.set_login(proved)
    return web.go_to(web.stays_home(_next()))


@blueprint.post("/logout")
def out() -> Response:
    accounts.end(gate.login(), clock.now())
    cookie.forget()
    return web.go(".password_form")


def _next() -> str | None:
    """Where to go afterwards, when that is not simply the dashboard."""
    path = web.stays_home(request.args.get("next"))
    return None if path == web.HOME else path


def _password_screen(status: int = 200, **context: Any) -> Response:
    context |= {"next": _next(), "sign_up": accounts.is_sign_up_open()}
    return web.screen("login/password.html", status, **context)


def _code_screen(status: int = 200, **context: Any) -> Response:
    return web.screen("login/code.html", status, email=gate.login().email, next=_next(), **context)
