"""Where a verification link leads: consent, and with it a session. Its other steps are in views.py.

GET never uses a link up: previews of a chat open it too. Who began a session here comes back to it.
"""

from flask import Blueprint, request, url_for
from werkzeug.wrappers import Response

from fv import clock, web
from fv.billing.quota import Standing
from fv.capture import opened
from fv.capture.opened import Visit
from fv.links import flows as links
from fv.links.store import Link
from fv.problems import Problem
from fv.terms import flows as terms
from fv.throttle.flows import Pause
from fv.verifications import flows as verifications
from fv.verifications import states

blueprint = Blueprint("entry", __name__)


@blueprint.get("/v/<token>")
def consent(token: str) -> Response:
    link = _link(token)
    return web.go("capture.page") if _is_under_way(link) else _screen(link, token)


@blueprint.post("/v/<token>/start")
def start(token: str) -> Response:
    link = _link(token)
    if _is_under_way(link):
        return web.go("capture.page")
    if request.form.get("consent") != "yes":
        return _screen(link, token, 422, unticked=True)
    visit = opened.unsealed(request.form.get("visit", ""), link.id) or _new_visit(link)
    session = links.begin(link, visit.token, visit.shown, clock.now())
    if isinstance(session, Pause):
        raise Problem("busy", retry_after=session.seconds)
    if isinstance(session, Standing):
        raise Problem("cannot_begin")
    if session is None:
        raise Problem("verification_link_ended")
    return opened.remember(web.go("capture.page"), session.id, visit.token, session.expires_at)


def _link(token: str) -> Link:
    link = links.by_token(token)
    if link is None:
        raise Problem("no_session")
    return link


def _is_under_way(link: Link) -> bool:
    """Whether this browser began a session with it, and cannot begin another one."""
    session = opened.remembered()
    if session is None or session.link_id != link.id or session.status in ("expired", "canceled"):
        return False
    return session.status in states.OPEN or link.status(clock.now()) != "active"


def _new_visit(link: Link) -> Visit:
    return Visit(verifications.new_token(), terms.of_account(link.account_id))


def _screen(link: Link, token: str, status: int = 200, unticked: bool = False) -> Response:
    """With the token that the session will have: sent twice, because the answer was lost, it is the same session."""
    if link.status(clock.now()) != "active":
        raise Problem("verification_link_ended")
    if verifications.full(link.account_id, link.mode, clock.now()):
        raise Problem("cannot_begin")  # said before somebody agrees; start() decides
    visit = _new_visit(link)
    address = web.address_of(".consent", token=token)
    return web.screen(
        "capture/consent.html", status, agree_at=url_for(".start", token=token), visit=opened.sealed(visit, link.id),
        unticked=unticked,
        link=address, kept_for=vars(visit.shown),
    )  # fmt: skip
