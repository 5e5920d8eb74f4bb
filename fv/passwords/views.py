"""Where a one-time link leads. Looking at it uses nothing up."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, problems, web
from fv.accounts.flows import NoSignUp
from fv.passwords import flows
from fv.passwords.flows import NoChange

blueprint = Blueprint("passwords", __name__)


@blueprint.get("/password/<token>")
def form(token: str) -> Response:
    works = flows.works(token, clock.now())
    if works is None:
        raise problems.Problem("not_found")
    if not works:
        raise problems.Problem("link_ended")
    return web.screen("passwords/form.html", token=token)


@blueprint.post("/password/<token>")
def set_by_link(token: str) -> Response:
    if flows.works(token, clock.now()) is None:
        raise problems.Problem("not_found")
    refused = flows.set_by_link(token, request.form.get("password", ""), web.visitor(), clock.now())
    if isinstance(refused, NoChange):
        raise problems.Problem("link_ended")
    if isinstance(refused, NoSignUp):
        return web.screen("passwords/form.html", 422, token=token, wrong=refused)
    return web.screen("passwords/done.html")
