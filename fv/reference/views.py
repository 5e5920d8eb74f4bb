"""The API, described: /api/v1/openapi.json."""

import json
from typing import Any

from flask import Blueprint, current_app
from werkzeug.wrappers import Response

from fv.api.calls import described
from fv.reference import document
from fv.webhooks.answers import Event

blueprint = Blueprint("reference", __name__)


@blueprint.get("/api/v1/openapi.json")
@described("getDocumentation", "This document", answers={200: dict[str, Any]})
def openapi() -> Response:
    return Response(json.dumps(_document()), mimetype="application/json")


def _document() -> dict[str, Any]:
    """Made once: it says the same to everybody."""
    if "document" not in current_app.extensions:
        current_app.extensions["document"] = document.of(current_app, Event)
    made: dict[str, Any] = current_app.extensions["document"]
    return made
