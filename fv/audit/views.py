"""The audit trail of one account: a page, a file for a spreadsheet, and the JSON twin."""

from typing import Annotated

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import gate, web
from fv.api import bodies, lists, sheets, times
from fv.api.bodies import Page, Time, words
from fv.api.calls import described
from fv.api.parameters import Parameter
from fv.audit import answers, events, store
from fv.audit.chain import Event
from fv.audit.events import Told
from fv.problems import FieldError, Problem

blueprint = Blueprint("audit", __name__)

EVER = (0, 2**62)  # seconds since 1970
ALL = 2**31  # rows


def shown(event: Event) -> tuple[Event, Told]:
    return event, events.tell(event.event, event.actor, event.facts)


@blueprint.get("/audit")
def index() -> Response:
    asked = lists.requested("event", "from", "to")
    rows = store.page(gate.login().account_id, asked.id, *_filters(), asked.limit + 1)
    chosen = {name: request.args[name] for name in ("event", "from", "to") if request.args.get(name)}
    return web.screen(
        "audit/index.html",
        within="page",
        listed=asked.answer(rows, shown),
        kinds=events.KINDS,
        chosen=chosen,
        is_first=not asked.id,
    )


@blueprint.get("/audit/export")
def export() -> Response:
    """Every row the filters leave, for a spreadsheet."""

    def cells(row: Event, told: Told) -> tuple[object, ...]:
        return times.written(row.at), row.event, told.words, told.by, told.details, row.id

    rows = store.page(gate.login().account_id, "", *_filters(), ALL)
    heading = ("time", "event", "what", "by", "details", "id")
    return sheets.answer("facevault-audit.csv", [heading, *(cells(*shown(row)) for row in rows)])


@blueprint.get("/api/v1/audit")
@described(
    "listAuditEvents",
    "List what happened on the account",
    query=(
        *lists.PAGE,
        Parameter("event", Annotated[str, words(*events.KINDS)], "Those of this kind."),
        Parameter("created_after", Time, "Those that happened later."),
        Parameter("created_before", Time, "Those that happened earlier."),
    ),
    answers={200: Page[answers.AuditEvent]},
)
def api_list() -> Response:
    asked = lists.asked()
    since, until = lists.moment("created_after", EVER[0] - 1) + 1, lists.moment("created_before", EVER[1])
    rows = store.page(gate.login().account_id, asked.id, _event(), since, until, asked.limit + 1)
    return bodies.sent(asked.page(rows, answers.told))


def _filters() -> tuple[str, int, int]:
    """The kind of event, and the time from the first day to the last: each day in UTC, the last one included."""
    return _event(), lists.day("from", EVER[0]), lists.day("to", EVER[1] - lists.DAY) + lists.DAY


def _event() -> str:
    event = request.args.get("event", "")
    if event and event not in events.KINDS:
        raise Problem("invalid_request", errors=[FieldError("/event", "not_allowed")])
    return event
