"""Usage: the page, its files for a spreadsheet, and the JSON twin."""

from dataclasses import dataclass
from typing import Annotated

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, gate, web
from fv.api import bodies, lists, parameters, sheets
from fv.api.bodies import Day, words
from fv.api.calls import described
from fv.api.parameters import Parameter
from fv.keys import store as keys
from fv.keys.flows import mode_of
from fv.problems import FieldError, Problem
from fv.usage import answers, chart, flows, periods
from fv.usage.answers import SPLITS
from fv.usage.periods import Period

blueprint = Blueprint("usage", __name__)

LONGEST = 366  # days of one answer of the API
MONTHS = 12  # in the chart
OFFERED = 24  # months to choose from


@dataclass(frozen=True)
class Shown:
    """What of the usage is looked at: twelve months up to this one, or its days, as far as they have come."""

    month: Period
    by: str
    key_id: str | None
    whole: tuple[Period, ...]
    today: int

    @property
    def first(self) -> int:
        return self.whole[0].first

    @property
    def last(self) -> int:
        return min(self.whole[-1].last, self.today)

    def series(self) -> dict[str, dict[str, int]]:
        return flows.series(gate.account_id(), self.first, self.last, self.by == "month", self.key_id)

    def chosen(self) -> dict[str, str]:
        """The same as an address says it."""
        said = {"by": self.by, "month": self.month.name}
        return said if self.key_id is None else said | {"key_id": self.key_id}


@blueprint.get("/usage")
def index() -> Response:
    parameters.only("by", "month", "key_id", "counter")
    shown, account_id = _shown(), gate.login().account_id
    series = shown.series()
    counter = request.args.get("counter", "sessions_billable")
    if counter not in series:
        raise Problem("invalid_request", errors=[FieldError("/counter", "not_allowed")])
    amounts = list(series[counter].values())
    month, before = shown.month, periods.month_of(shown.month.first - 1)
    two = flows.series(account_id, before.first, min(month.last, shown.today), True, shown.key_id)
    return web.screen(
        "usage/index.html",
        within="page",
        shown=shown,
        chosen=shown.chosen(),
        series=series,
        counter=counter,
        chart=chart.of(amounts, len(shown.whole)),
        names=_names(series),
        totals={name: (two[name][month.name], two[name][before.name]) for name in two},
        before=before,
        by_key=_by_key(shown),
        key=keys.of_id(account_id, shown.key_id) if shown.key_id else None,
        months=_months(shown),
        storage=flows.STORAGE,
        counters=flows.COUNTERS,
        label=_label,
        mark=periods.mark,
        words=periods.words,
    )


@blueprint.get("/usage.csv")
def export() -> Response:
    """The table of the page, or (`per=key`) the one by key, the same rows in the same order."""
    parameters.only("by", "month", "key_id", "per")
    shown, per = _shown(), request.args.get("per", "period")
    if per not in ("period", "key"):
        raise Problem("invalid_request", errors=[FieldError("/per", "not_allowed")])
    name = f"facevault-usage-{shown.month.name}-by-{'key' if per == 'key' else shown.by}.csv"
    if per == "key":
        rows = [(id, *told, *amounts.values()) for id, told, amounts in _by_key(shown)]
        return sheets.answer(name, [("key_id", "name", "begins", *flows.COUNTERS), *rows])
    series = shown.series()
    lines = [(period, *(line[period] for line in series.values())) for period in _names(series)]
    return sheets.answer(name, [(shown.by, *series), *lines])


@blueprint.get("/api/v1/usage")
@described(
    "getUsage",
    "Read what was used",
    "At most 366 days.",
    query=(
        Parameter("from", Day, "The first day. Without it 30 days are told."),
        Parameter("to", Day, "The last day; today without it."),
        Parameter("granularity", Annotated[str, words(*SPLITS)], "Days or months.", "day"),
        Parameter("key_id", str, "Only what this key caused, without the storage."),
    ),
    answers={200: answers.Usage},
    problems=("not_found",),
)
def api_usage() -> Response:
    granularity = request.args.get("granularity", "day")
    last = lists.day("to", clock.now()) // flows.DAY
    if last > periods.LAST:
        raise Problem("invalid_request", errors=[FieldError("/to", "invalid")])
    first = lists.day("from", (last - 29) * flows.DAY) // flows.DAY
    if not (0 <= first <= last and last - first < LONGEST):
        raise Problem("invalid_request", errors=[FieldError("/from", "invalid")])
    amounts = flows.series(gate.account_id(), first, last, granularity == "month", _key_id())
    return bodies.sent(answers.told(granularity, amounts))


def _key_id() -> str | None:
    """The key whose usage is asked for; 404 when the account never had it. A key asks for those of its own mode."""
    id = request.args.get("key_id")
    if id is None:
        return None
    found, own_mode = keys.of_id(gate.account_id(), id), mode_of(gate.asker())
    if found is None or own_mode not in (None, found.mode):
        raise Problem("not_found")
    return id


def _shown() -> Shown:
    today, by = clock.now() // flows.DAY, request.args.get("by", "month")
    month = periods.month(request.args.get("month") or periods.month_of(today).name)
    if by not in SPLITS:
        raise Problem("invalid_request", errors=[FieldError("/by", "not_allowed")])
    if month is None or month.first > today:
        raise Problem("invalid_request", errors=[FieldError("/month", "invalid")])
    whole = periods.before(month.first, MONTHS) if by == "month" else periods.days(month.first, month.last)
    return Shown(month, by, _key_id(), tuple(whole), today)


def _by_key(shown: Shown) -> list[tuple[str, tuple[str, str], dict[str, int]]]:
    """Key id, name and beginning, amounts; who caused most first. Of people the first three are empty."""
    account_id = gate.login().account_id
    told = {key.id: (key.name, key.prefix) for key in keys.named(account_id)}
    amounts = flows.by_key(account_id, shown.first, shown.last)
    most_first = sorted(amounts.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    return [(id, told.get(id, ("", "")), line) for id, line in most_first]


def _names(series: dict[str, dict[str, int]]) -> list[str]:
    """Of the periods, the newest first."""
    return [*series[flows.COUNTERS[0]]][::-1]


def _months(shown: Shown) -> list[str]:
    """To choose from, the newest first."""
    offered = {period.name for period in periods.before(shown.today, OFFERED)}
    return sorted(offered | {shown.month.name}, reverse=True)


def _label(counter: str) -> str:
    """`Sessions created`, `Storage`"""
    words = {"searches": "face searches", flows.STORAGE: "storage"}.get(counter, counter.replace("_", " "))
    return words.capitalize()
