"""Retention and erasure for programs. How long things are kept, and legal holds, are for people only."""

from flask import Blueprint, jsonify, url_for
from werkzeug.wrappers import Response

from fv import clock, gate
from fv.api import bodies, lists, times
from fv.keys import flows as keys
from fv.problems import FieldError, Problem
from fv.retention import confirming, flows, planning, store
from fv.retention.flows import Refused
from fv.retention.store import Erasure
from fv.terms.span import CLASSES
from fv.terms.store import Term

blueprint = Blueprint("erasures", __name__)

#: What a refusal is called outside, with the field it is about.
CODES: dict[Refused, tuple[str, str]] = {
    Refused.NOT_THERE: ("not_found", ""),
    Refused.HELD: ("legal_hold", ""),
    Refused.GONE: ("erased", ""),
    Refused.REASON: ("invalid_request", "/reason"),
    Refused.UNTIL: ("invalid_request", "/until"),
}


class NewDays(bodies.Body, frozen=True):
    """Those that are not named stay as they are. `dry_run`: say what would go, and change nothing."""

    photos: int | None = None
    documents: int | None = None
    fingerprints: int | None = None
    dry_run: bool = False


class Reason(bodies.Body, frozen=True):
    reason: str


class NewHold(bodies.Body, frozen=True):
    """`until`: RFC 3339."""

    until: str
    reason: str


@blueprint.get("/api/v1/retention")
def api_retention() -> Response:
    lists.only()
    return jsonify(_as_json(planning.plan(gate.login().account_id, clock.now())))


@blueprint.put("/api/v1/retention")
def api_change() -> Response:
    body, account_id, now = bodies.read(NewDays), gate.login().account_id, clock.now()
    named = {name: getattr(body, name) for name in CLASSES}
    days = planning.days_of(account_id) | {name: number for name, number in named.items() if number is not None}
    wrong = [FieldError(f"/{name}", "invalid") for name in days if not planning.is_possible(days[name])]
    if wrong:
        raise Problem("invalid_request", errors=wrong)
    if not body.dry_run and planning.set_days(gate.login(), days, now) is None:
        raise Problem("not_authenticated")
    return jsonify(_as_json(planning.plan(account_id, now, days)))


@blueprint.delete("/api/v1/sessions/<id>/data")
def api_erase(id: str) -> Response:
    erasure = flows.erase(gate.asker(), id, bodies.read(Reason).reason, clock.now())
    if isinstance(erasure, Refused):
        raise refusal(erasure)
    response = jsonify(confirming.as_json(erasure))
    response.status_code = 202
    response.headers["Location"] = url_for(".api_get", id=erasure.id)
    return response


@blueprint.get("/api/v1/erasures")
def api_list() -> Response:
    asked = lists.requested()
    mode = keys.mode_of(gate.asker())
    rows = store.page(gate.account_id(), mode, asked.created_at, asked.id, asked.limit + 1)
    return jsonify(asked.answer(rows, confirming.as_json))


@blueprint.get("/api/v1/erasures/<id>")
def api_get(id: str) -> Response:
    return jsonify(confirming.as_json(found(id)))


@blueprint.put("/api/v1/sessions/<id>/hold")
def api_hold(id: str) -> Response:
    body = bodies.read(NewHold)
    until = times.read(body.until)
    held = planning.hold(gate.login(), id, until if until is not None else -1, body.reason, clock.now())
    if isinstance(held, Refused):
        raise refusal(held)
    return jsonify(_hold_as_json(held))


@blueprint.delete("/api/v1/sessions/<id>/hold")
def api_lift(id: str) -> Response:
    lifted = planning.lift(gate.login(), id, clock.now())
    if isinstance(lifted, Refused):
        raise refusal(lifted)
    return Response(status=204)


def found(id: str) -> Erasure:
    erasure = store.find(gate.account_id(), id, keys.mode_of(gate.asker()))
    if erasure is None:
        raise Problem("not_found")
    return erasure


def refusal(refused: Refused) -> Problem:
    code, pointer = CODES[refused]
    return Problem(code, errors=[FieldError(pointer, "invalid")] if pointer else [])


def _hold_as_json(term: Term) -> dict[str, object]:
    return {"session_id": term.session_id, "until": times.written(term.held_until), "reason": term.held_because}


def _as_json(plan: planning.Plan) -> dict[str, object]:
    return {
        **plan.days,
        "default_days": plan.default_days,
        "sessions_kept": plan.kept,
        "would_erase": vars(plan.at_once),
        "next_7_days": vars(plan.soon),
        "last_looked_at": times.written(plan.looked_at),
        "holds": [_hold_as_json(term) for term in plan.holds],
    }
