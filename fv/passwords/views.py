"""Where a one-time link leads. Looking at it uses nothing up."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, web
from fv.accounts.flows import NoSignUp
from fv.passwords import flows
from fv.passwords.flows import NoChange
from fv.problems import Problem

blueprint = Blueprint("passwords", __name__)


@blueprint.get("/password/<token>")
def form(token: str) -> Response:
    return _screen(token)


@blueprint.post("/password/<token>")
def set_by_link(token: str) -> Response:
    refused = flows.set_by_link(token, request.form.get("password", ""), web.visitor(), clock.now())
    if isinstance(refused, NoChange):
        raise _no_link(refused)
    if isinstance(refused, NoSignUp):
        return _screen(token, 422, wrong=refused)
    return web.screen("passwords/done.html")


def _screen(token: str, status: int = 200, wrong: NoSignUp | None = None) -> Response:
    found = flows.find(token, clock.now())
    if isinstance(found, NoChange):
        raise _no_link(found)
    account = flows.holder(found)
    return web.screen(
        "passwords/form.html", status, token=token, email=account.email, is_new=flows.is_new(account), wrong=wrong
    )


def _no_link(why: NoChange) -> Problem:
    return Problem("not_found" if why is NoChange.UNKNOWN else "link_ended")
