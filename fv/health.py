"""Whether the service answers and its database does: for a proxy, a container, a person in a hurry."""

from flask import Blueprint, jsonify
from werkzeug.wrappers import Response

from fv import db

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    if db.is_reachable():
        return jsonify(status="ok")
    response = jsonify(status="unavailable")
    response.status_code = 503
    return response
