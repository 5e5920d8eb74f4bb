"""How long things are kept, for the people behind the gate: the days, what would go, what went; and a hold."""

from datetime import UTC, datetime

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, gate, web
from fv.api import lists
from fv.problems import FieldError, Problem
from fv.retention import confirming, flows, planning, store, views
from fv.retention.flows import Refused
from fv.terms.span import CLASSES, MOST_DAYS

blueprint = Blueprint("retention", __name__)

LABELS = {"photos": "Photos", "documents": "What was read", "fingerprints": "Templates of faces"}
#: Who wanted it, in words.
CAUSES = {
    "term": "Its term was over",
    "account": "You asked for it",
    "person": "The person asked for it",
    "operator": "The operator asked for it",
}


@blueprint.get("/retention")
def index() -> Response:
    return _screen()


@blueprint.post("/retention")
def change() -> Response:
    """`do`: preview, which says what would go, or keep."""
    typed = {name: request.form.get(name, "").strip() for name in CLASSES}
    if not all(text.isascii() and text.isdigit() and len(text) <= 4 for text in typed.values()):
        return _screen(422, typed=typed, is_wrong=True)
    days = {name: int(text) for name, text in typed.items()}
    if not all(planning.is_possible(number) for number in days.values()):
        return _screen(422, typed=typed, is_wrong=True)
    if request.form.get("do") != "keep":
        return _screen(typed=typed, days=days)
    planning.set_days(gate.login(), days, clock.now())
    return web.go(".index")


@blueprint.post("/sessions/<id>/data/erase")
def erase(id: str) -> Response:
    _after(flows.erase(gate.login(), id, request.form.get("reason", ""), clock.now()))
    return web.go("sessions.one", id=id)


@blueprint.post("/sessions/<id>/hold")
def hold(id: str) -> Response:
    """To the end of the day that was chosen."""
    try:
        day = datetime.strptime(request.form.get("until", ""), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Problem("invalid_request", errors=[FieldError("/until", "invalid")]) from None
    until = int(day.timestamp()) + lists.DAY
    _after(planning.hold(gate.login(), id, until, request.form.get("reason", ""), clock.now()))
    return web.go("sessions.one", id=id)


@blueprint.post("/sessions/<id>/hold/end")
def lift(id: str) -> Response:
    _after(planning.lift(gate.login(), id, clock.now()))
    return web.go("sessions.one", id=id)


def _after(result: object) -> None:
    if isinstance(result, Refused):
        raise views.refusal(result)


def _screen(
    status: int = 200, typed: dict[str, str] | None = None, days: dict[str, int] | None = None, is_wrong: bool = False
) -> Response:
    asked, account_id, now = lists.requested(), gate.login().account_id, clock.now()
    rows = store.page(account_id, None, asked.created_at, asked.id, asked.limit + 1)
    plan = planning.plan(account_id, now)
    return web.screen(
        "retention/index.html",
        status,
        within="page",
        plan=plan,
        preview=planning.plan(account_id, now, days) if days else None,
        typed=typed or {name: str(number) for name, number in plan.days.items()},
        is_wrong=is_wrong,
        most_days=MOST_DAYS,
        labels=LABELS,
        causes=CAUSES,
        because=confirming.BECAUSE,
        listed=asked.answer(rows, lambda row: row),
        gone=lambda row: confirming.as_json(row)["gone"],
        now=now,
    )
