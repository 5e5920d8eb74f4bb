"""Webhooks for a person's program: a key cannot manage them."""

from typing import NoReturn

from flask import Blueprint, jsonify
from werkzeug.wrappers import Response

from fv import clock, gate
from fv.api import bodies, lists, times
from fv.problems import FieldError, Problem
from fv.webhooks import flows, listing, store
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


class NewWebhook(bodies.Body, frozen=True):
    url: str
    events: list[str] | None = None
    mode: str = "live"


class Change(bodies.Body, frozen=True):
    url: str | None = None
    active: bool | None = None


@blueprint.get("/api/v1/webhooks")
def api_list() -> Response:
    asked = lists.requested()
    rows = listing.page(gate.login().account_id, asked.created_at, asked.id, asked.limit + 1)
    return jsonify(asked.answer(rows, _shown))


@blueprint.post("/api/v1/webhooks")
def api_create() -> Response:
    body = bodies.read(NewWebhook)
    events = flows.EVENTS if body.events is None else body.events
    made = flows.make(gate.login(), body.url, events, body.mode, clock.now())
    if isinstance(made, Refused):
        refuse(made)
    response = jsonify(_shown(made.webhook) | {"secret": made.secret})
    response.status_code = 201
    return response


@blueprint.get("/api/v1/webhooks/<id>")
def api_get(id: str) -> Response:
    return jsonify(_shown(found(id)))


@blueprint.patch("/api/v1/webhooks/<id>")
def api_change(id: str) -> Response:
    body = bodies.read(Change)
    changed = flows.change(gate.login(), id, body.url, body.active, clock.now())
    if isinstance(changed, Refused):
        refuse(changed)
    return jsonify(_shown(changed))


@blueprint.delete("/api/v1/webhooks/<id>")
def api_delete(id: str) -> Response:
    if not flows.remove(gate.login(), id, clock.now()):
        raise Problem("not_found")
    return Response(status=204)


@blueprint.post("/api/v1/webhooks/<id>/test")
def api_test(id: str) -> Response:
    response = _sent(flows.test(gate.login(), id, clock.now()))
    response.status_code = 201
    return response


@blueprint.get("/api/v1/webhooks/<id>/deliveries")
def api_deliveries(id: str) -> Response:
    asked = lists.requested()
    rows = listing.deliveries(found(id).id, asked.created_at, asked.id, asked.limit + 1)
    return jsonify(asked.answer(rows, _delivery_as_json))


@blueprint.post("/api/v1/deliveries/<id>/resend")
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


def _sent(delivery: Delivery | Refused) -> Response:
    if isinstance(delivery, Refused):
        refuse(delivery)
    return jsonify(_delivery_as_json(delivery))


def _shown(webhook: Webhook) -> dict[str, object]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.events),
        "mode": webhook.mode,
        "active": webhook.is_active,
        "disabled_at": times.written(webhook.disabled_at),
        "disabled_reason": webhook.disabled_because,
        "created_at": times.written(webhook.created_at),
    }


def _delivery_as_json(delivery: Delivery) -> dict[str, object]:
    return {
        "id": delivery.id,
        "webhook_id": delivery.webhook_id,
        "event": delivery.event,
        "session_id": delivery.session_id,
        "session_status": delivery.session_status,
        "status": delivery.status,
        "tries": delivery.tries,
        "response_code": delivery.code,
        "duration_ms": delivery.milliseconds,
        "failure": delivery.failure,
        "created_at": times.written(delivery.created_at),
        "next_try_at": times.written(delivery.next_try_at),
        "delivered_at": times.written(delivery.delivered_at),
    }
