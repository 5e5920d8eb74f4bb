"""The webhooks section: which there are, whether they are reached, and what each was told."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, gate, web
from fv.api import lists, parameters
from fv.keys import scopes
from fv.problems import Problem
from fv.webhooks import delivering, flows, listing, targets, views
from fv.webhooks.flows import Made, Refused
from fv.webhooks.store import Delivery

blueprint = Blueprint("webhooks", __name__)

#: Why a try was none, for people.
WORDS = {
    "not_allowed": "Not sent: it leads to an address that is not allowed",
    "unresolved": "Its name was not found",
    "unreachable": "No connection",
    "tls": "No TLS, or a certificate that is not trusted",
    "too_slow": "No answer within 10 seconds",
    "broken": "It broke off, or its answer was no HTTP",
    "redirected": "A redirect, which is not followed",
    "unsigned": "Not sent: its secret cannot be opened",
}


@blueprint.get("/webhooks")
def index() -> Response:
    parameters.only()
    return _index_screen()


@blueprint.post("/webhooks")
def create() -> Response:
    made = flows.make(
        gate.login(), request.form.get("url", "").strip(), flows.EVENTS, request.form.get("mode", ""), clock.now()
    )
    if made is Refused.GONE:
        return web.go(".index")
    if isinstance(made, Refused):
        return _index_screen(409 if made is Refused.TOO_MANY else 422, wrong=made)
    return _index_screen(made=made)


@blueprint.get("/webhooks/<id>")
def one(id: str) -> Response:
    return _screen(id)


@blueprint.post("/webhooks/<id>/url")
def move(id: str) -> Response:
    changed = flows.change(gate.login(), id, request.form.get("url", "").strip(), None, clock.now())
    if changed is Refused.URL:
        return _screen(id, 422, wrong=changed)
    return _after(id, changed)


@blueprint.post("/webhooks/<id>/active")
def set_active(id: str) -> Response:
    is_active = request.form.get("active")
    if is_active not in ("yes", "no"):
        raise Problem("invalid_request")
    return _after(id, flows.change(gate.login(), id, None, is_active == "yes", clock.now()))


@blueprint.post("/webhooks/<id>/test")
def test(id: str) -> Response:
    return _after(id, flows.test(gate.login(), id, clock.now()))


@blueprint.post("/webhooks/<id>/delete")
def delete(id: str) -> Response:
    if not flows.remove(gate.login(), id, clock.now()):
        raise Problem("not_found")
    return web.go(".index")


@blueprint.post("/webhooks/<id>/deliveries/<delivery_id>/resend")
def resend(id: str, delivery_id: str) -> Response:
    return _after(id, flows.resend(gate.login(), delivery_id, clock.now(), webhook_id=id))


def said(delivery: Delivery) -> str:
    """What came of the last try, in words; empty before it."""
    if delivery.code is not None and delivery.failure == "refused":
        return f"Answered {delivery.code}"
    if delivery.failure is not None:
        return WORDS.get(delivery.failure, delivery.failure)
    return f"Answered {delivery.code} in {delivery.milliseconds:,} ms" if delivery.code is not None else ""


def _after(id: str, result: object) -> Response:
    if isinstance(result, Refused):
        views.refuse(result)
    return web.go(".one", id=id)


def _index_screen(status: int = 200, made: Made | None = None, wrong: Refused | None = None) -> Response:
    webhooks = listing.page(gate.login().account_id, *lists.BEGINNING, flows.MOST)
    return web.screen(
        "webhooks/index.html",
        status,
        within="page",
        webhooks=webhooks,
        latest=listing.latest([webhook.id for webhook in webhooks]),
        most=flows.MOST,
        made=made,
        wrong=wrong,
        typed=request.form if wrong else {},
        modes=scopes.MODES,
        said=said,
        host=_host,
        now=clock.now(),
    )


def _screen(id: str, status: int = 200, wrong: Refused | None = None) -> Response:
    webhook, asked = views.found(id), lists.requested()
    rows = listing.deliveries(webhook.id, asked.created_at, asked.id, asked.limit + 1)
    return web.screen(
        "webhooks/webhook.html",
        status,
        within="page",
        webhook=webhook,
        listed=asked.answer(rows, lambda row: row),
        is_first=not request.args.get("after"),
        wrong=wrong,
        typed=request.form,
        tries=len(delivering.AGAIN) + 1,
        said=said,
        host=_host,
        now=clock.now(),
    )


def _host(url: str) -> str:
    target = targets.parse(url)
    return target.authority if target else url
