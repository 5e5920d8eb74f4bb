"""Webhooks for a person's program: a key cannot manage them."""

from typing import NoReturn

from flask import Blueprint
from werkzeug.wrappers import Response

from fv import clock, gate
from fv.api import bodies, lists
from fv.api.bodies import Page
from fv.api.calls import described
from fv.problems import FieldError, Problem
from fv.webhooks import answers, flows, listing, store
from fv.webhooks.answers import WEBHOOK, NewWebhook, WebhookChange
from fv.webhooks.flows import Refused
from fv.webhooks.store import Delivery, Webhook

blueprint = Blueprint("webhooks_api", __name__)

#: What a refusal is called outside; any other one is about the field that it names.
CODES = {
    Refused.URL: "url_not_allowed",
    Refused.TOO_MANY: "too_many_webhooks",
    Refused.NOT_THERE: "not_found",
    Refused.INACTIVE: "webhook_inactive",
    Refused.ERASED: "erased",
    Refused.GONE: "not_authenticated",
}


@blueprint.get("/api/v1/webhooks")
@described("listWebhooks", "List webhooks", query=lists.PAGE, answers={200: Page[answers.Webhook]})
def api_list() -> Response:
    asked = lists.asked()
    rows = listing.page(gate.login().account_id, asked.created_at, asked.id, asked.limit + 1)
    return bodies.sent(asked.page(rows, answers.told))


@blueprint.post("/api/v1/webhooks")
@described(
    "makeWebhook",
    "Make a webhook",
    "At most 20.",
    body=NewWebhook,
    answers={201: answers.MadeWebhook},
    problems=("url_not_allowed", "too_many_webhooks"),
)
def api_create() -> Response:
    body = bodies.read(NewWebhook)
    events = flows.EVENTS if body.events is None else body.events
    made = flows.make(gate.login(), body.url, events, body.mode, clock.now())
    if isinstance(made, Refused):
        refuse(made)
    return bodies.sent(bodies.with_more(answers.told(made.webhook), answers.MadeWebhook, secret=made.secret), 201)


@blueprint.get("/api/v1/webhooks/<id>")
@described("getWebhook", "Read a webhook", path=(WEBHOOK,), answers={200: answers.Webhook})
def api_get(id: str) -> Response:
    return bodies.sent(answers.told(found(id)))


@blueprint.patch("/api/v1/webhooks/<id>")
@described(
    "changeWebhook",
    "Change a webhook",
    "The secret stays.",
    path=(WEBHOOK,),
    body=WebhookChange,
    answers={200: answers.Webhook},
    problems=("url_not_allowed",),
)
def api_change(id: str) -> Response:
    found(id)  # whose it is, is asked before what was sent is read
    body = bodies.read(WebhookChange)
    changed = flows.change(gate.login(), id, body.url, body.active, clock.now())
    if isinstance(changed, Refused):
        refuse(changed)
    return bodies.sent(answers.told(changed))


@blueprint.delete("/api/v1/webhooks/<id>")
@described("removeWebhook", "Remove a webhook", "What waits is not sent.", path=(WEBHOOK,), answers={204: None})
def api_delete(id: str) -> Response:
    if not flows.remove(gate.login(), id, clock.now()):
        raise Problem("not_found")
    return Response(status=204)


@blueprint.post("/api/v1/webhooks/<id>/test")
@described(
    "testWebhook",
    "Send a test event",
    "`webhook.test`, with the same fields as any other, sent once.",
    path=(WEBHOOK,),
    answers={201: answers.Delivery},
    problems=("webhook_inactive",),
)
def api_test(id: str) -> Response:
    return _sent(flows.test(gate.login(), id, clock.now()), 201)


@blueprint.get("/api/v1/webhooks/<id>/deliveries")
@described(
    "listDeliveries",
    "List what was sent to a webhook",
    path=(WEBHOOK,),
    query=lists.PAGE,
    answers={200: Page[answers.Delivery]},
)
def api_deliveries(id: str) -> Response:
    asked = lists.asked()
    rows = listing.deliveries(found(id).id, asked.created_at, asked.id, asked.limit + 1)
    return bodies.sent(asked.page(rows, answers.delivery))


@blueprint.post("/api/v1/deliveries/<id>/resend")
@described(
    "resendDelivery",
    "Send an event again",
    "At once, with all of its tries.",
    path=(answers.DELIVERY,),
    answers={200: answers.Delivery},
    problems=("webhook_inactive", "erased"),
)
def api_resend(id: str) -> Response:
    return _sent(flows.resend(gate.login(), id, clock.now()))


def found(id: str) -> Webhook:
    """Of this account, or 404."""
    webhook = store.find(gate.login().account_id, id)
    if webhook is None:
        raise Problem("not_found")
    return webhook


def refuse(refused: Refused) -> NoReturn:
    code = CODES.get(refused, "invalid_request")
    named = refused in (Refused.URL, Refused.EVENTS, Refused.MODE)
    why = "not_allowed" if refused is Refused.URL else "invalid"
    raise Problem(code, errors=[FieldError(f"/{refused.value}", why)] if named else [])


def _sent(delivery: Delivery | Refused, status: int = 200) -> Response:
    if isinstance(delivery, Refused):
        refuse(delivery)
    return bodies.sent(answers.delivery(delivery), status)
