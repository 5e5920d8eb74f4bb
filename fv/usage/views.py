"""Usage for programs."""

from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from fv import clock, gate
from fv.api import lists
from fv.keys import store as keys
from fv.problems import FieldError, Problem
from fv.usage import flows

blueprint = Blueprint("usage", __name__)

LONGEST = 366  # days of one answer


@blueprint.get("/api/v1/usage")
def api_usage() -> Response:
    """Without `from` and `to`: the last 30 days."""
    lists.only("from", "to", "granularity", "key_id")
    granularity = request.args.get("granularity", "day")
    if granularity not in ("day", "month"):
        raise Problem("invalid_request", errors=[FieldError("/granularity", "not_allowed")])
    last = lists.day("to", clock.now()) // flows.DAY
    first = lists.day("from", (last - 29) * flows.DAY) // flows.DAY
    if not (0 <= first <= last and last - first < LONGEST):
        raise Problem("invalid_request", errors=[FieldError("/from", "invalid")])
    amounts = flows.series(gate.account_id(), first, last, granularity == "month", _key_id())
    return jsonify(
        granularity=granularity,
        series={
            counter: [{"period": period, "amount": amount} for period, amount in periods.items()]
            for counter, periods in amounts.items()
        },
    )


def _key_id() -> str | None:
    """The key whose usage is asked for; 404 when the account never had it."""
    id = request.args.get("key_id")
    if id is not None and keys.of_id(gate.account_id(), id) is None:
        raise Problem("not_found")
    return id
