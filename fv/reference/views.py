"""The API, described: /api/v1/openapi.json for programs, /docs for people."""

import json
import re
from typing import Any

from flask import Blueprint, current_app
from werkzeug.wrappers import Response

from fv import gate, problems, receiving, web
from fv.api.calls import described
from fv.keys import scopes
from fv.reference import document, reading
from fv.reference.problems import OF_EVERY_CALL
from fv.webhooks import flows as webhooks
from fv.webhooks.answers import Event

blueprint = Blueprint("reference", __name__)

OF_AN_ADDRESS = "method_not_allowed"  # of no call, therefore


@blueprint.get("/api/v1/openapi.json")
@described("getDocumentation", "This document", answers={200: dict[str, Any]})
def openapi() -> Response:
    return Response(json.dumps(_document()), mimetype="application/json")


@blueprint.get("/docs")
def page() -> Response:
    base = web.address_of("capture.front").rstrip("/")
    groups, objects = reading.groups(_document(), base), reading.objects(_document())
    told = {code for name in _document()["components"]["responses"] for code in name.split(".")} | {OF_AN_ADDRESS}
    return web.screen(
        "reference/docs.html",
        base=base,
        key=reading.KEY,
        groups=groups,
        objects=objects,
        anchors={name: re.sub(r"[^a-z]+", "-", name.lower()) for name in groups},
        links={one.name: f"object-{one.name}" for one in objects},
        event=Event.__name__,
        scopes=[one for one in scopes.SCOPES if one.name in gate.OPEN_TO_KEYS.values()],
        problems={code: kind for code, kind in problems.KINDS.items() if code in told},
        everywhere=OF_EVERY_CALL | {OF_AN_ADDRESS},
        settings=current_app.config,
        photo=receiving.PHOTO,
        webhooks=webhooks.MOST,
    )


def _document() -> dict[str, Any]:
    """Made once: it says the same to everybody."""
    if "document" not in current_app.extensions:
        current_app.extensions["document"] = document.of(current_app, Event)
    made: dict[str, Any] = current_app.extensions["document"]
    return made
