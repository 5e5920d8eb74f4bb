"""Retention and erasure for programs. How long things are kept, and legal holds, are for people only."""

from flask import Blueprint, jsonify, url_for
from werkzeug.wrappers import Response

from fv import clock, gate
from fv.api import bodies, lists, times
from fv.api.bodies import Page
from fv.api.calls import described
from fv.keys import flows as keys
from fv.problems import FieldError, Problem
from fv.retention import answers, confirming, flows, planning, store
from fv.retention.answers import NewDays, NewHold, Reason
from fv.retention.flows import Refused
from fv.retention.store import Erasure
from fv.terms.span import CLASSES, MOST_DAYS
from fv.verifications.answers import SESSION

blueprint = Blueprint("erasures", __name__)

#: What a refusal is called outside, with the field it is about.
CODES: dict[Refused, tuple[str, str]] = {
    Refused.NOT_THERE: ("not_found", ""),
    Refused.HELD: ("legal_hold", ""),
    Refused.GONE: ("erased", ""),
    Refused.REASON: ("invalid_request", "/reason"),
    Refused.UNTIL: ("invalid_request", "/until"),
}


@blueprint.get("/api/v1/retention")
@described("getRetention", "Read how long things are kept", answers={200: answers.Retention})
def api_retention() -> Response:
    return bodies.sent(answers.told(planning.plan(gate.login().account_id, clock.now())))


@blueprint.put("/api/v1/retention")
@described(
    "changeRetention",
    "Change how long things are kept",
    "What is not named stays. For sessions there are it only ever becomes shorter.",
    body=NewDays,
    answers={200: answers.Retention},
)
def api_change() -> Response:
    body, account_id, now = bodies.read(NewDays), gate.login().account_id, clock.now()
    named = {name: getattr(body, name) for name in CLASSES}
    days = {name: min(number, MOST_DAYS) for name, number in planning.days_of(account_id).items()}
    days |= {name: number for name, number in named.items() if number is not None}
    if not body.dry_run:
        planning.set_days(gate.login(), days, now)
    return bodies.sent(answers.told(planning.plan(account_id, now, days)))


@blueprint.delete("/api/v1/sessions/<id>/data")
@described(
    "eraseSession",
    "Erase what is kept of a person",
    "Again: the same erasure. An open session ends as `canceled`; the decision stays.",
    path=(SESSION,),
    body=Reason,
    answers={202: answers.Erasure},
    problems=("legal_hold", "erased"),
)
def api_erase(id: str) -> Response:
    _insist(id, keys.mode_of(gate.asker()))
    erasure = flows.erase(gate.asker(), id, bodies.read(Reason).reason, clock.now())
    if isinstance(erasure, Refused):
        raise refusal(erasure)
    response = jsonify(confirming.as_json(erasure))
    response.status_code = 202
    response.headers["Location"] = url_for(".api_get", id=erasure.id)
    return response


@blueprint.get("/api/v1/erasures")
@described("listErasures", "List erasures", query=lists.PAGE, answers={200: Page[answers.Erasure]})
def api_list() -> Response:
    asked = lists.asked()
    mode = keys.mode_of(gate.asker())
    rows = store.page(gate.account_id(), mode, asked.created_at, asked.id, asked.limit + 1)
    return jsonify(asked.answer(rows, confirming.as_json))


@blueprint.get("/api/v1/erasures/<id>")
@described("getErasure", "Read the receipt of an erasure", path=(answers.ERASURE,), answers={200: answers.Erasure})
def api_get(id: str) -> Response:
    return jsonify(confirming.as_json(found(id)))


@blueprint.put("/api/v1/sessions/<id>/hold")
@described(
    "holdSession",
    "Put a session on legal hold",
    "Nothing of it is erased before then, whoever asks. It takes the place of an earlier hold.",
    path=(SESSION,),
    body=NewHold,
    answers={200: answers.Hold},
    problems=("erased",),
)
def api_hold(id: str) -> Response:
    _insist(id, None)
    body = bodies.read(NewHold)
    until = times.read(body.until)
    held = planning.hold(gate.login(), id, until if until is not None else -1, body.reason, clock.now())
    if isinstance(held, Refused):
        raise refusal(held)
    return bodies.sent(answers.hold(held))


@blueprint.delete("/api/v1/sessions/<id>/hold")
@described("liftHold", "End a legal hold", path=(SESSION,), answers={204: None}, problems=("erased",))
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


def _insist(session_id: str, mode: str | None) -> None:
    """There is such a session: asked before what was sent is read."""
    if flows.find(gate.account_id(), session_id, mode, clock.now()) is None:
        raise Problem("not_found")


def refusal(refused: Refused) -> Problem:
    code, pointer = CODES[refused]
    return Problem(code, errors=[FieldError(pointer, "invalid")] if pointer else [])
