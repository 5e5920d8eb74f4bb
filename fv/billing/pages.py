"""The billing section: the running month, the plans, and invoices to print."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, gate, web, words
from fv.api import lists
from fv.billing import flows, quota, store
from fv.billing.flows import Change, NoChange, OtherTerms
from fv.billing.views import found
from fv.problems import Problem
from fv.usage import periods

blueprint = Blueprint("billing", __name__)


@blueprint.get("/billing")
def index() -> Response:
    asked, account_id, now = lists.requested(), gate.login().account_id, clock.now()
    bill = flows.bill(account_id, now)
    rows = store.page(account_id, asked.created_at, asked.id, asked.limit + 1)
    return web.screen(
        "billing/index.html",
        within="page",
        bill=bill,
        standing=bill.standing,
        plans=quota.plans(),
        listed=asked.answer(rows, lambda row: row),
        is_first=not request.args.get("after"),
        money=_money,
        words=periods.words,
        count=words.count,
    )


@blueprint.get("/billing/plans/<id>")
def confirm(id: str) -> Response:
    """What would follow if this plan were chosen."""
    change = flows.preview(gate.login().account_id, id, clock.now())
    return _no_change(change) if isinstance(change, NoChange) else _confirm_screen(change)


@blueprint.post("/billing/plans/<id>")
def choose(id: str) -> Response:
    changed = flows.change(gate.login(), id, request.form.get("terms", ""), clock.now())
    if isinstance(changed, OtherTerms):
        return _confirm_screen(changed.change, 409, is_stale=True)
    return _no_change(changed) if isinstance(changed, NoChange) else web.go(".index")


@blueprint.get("/billing/invoices/<id>")
def invoice(id: str) -> Response:
    one = found(id)
    return web.screen(
        "billing/invoice.html",
        within="page",
        invoice=one,
        lines=store.lines(one.id),
        month=periods.words(one.month),
        part_of="billing.index",
    )


def _confirm_screen(change: Change, status: int = 200, is_stale: bool = False) -> Response:
    return web.screen(
        "billing/change.html",
        status,
        within="page",
        change=change,
        is_stale=is_stale,
        standing=flows.standing(gate.login().account_id, clock.now()),
        money=_money,
        words=periods.words,
        part_of="billing.index",
    )


def _no_change(why: NoChange) -> Response:
    if why is NoChange.NOT_OFFERED:
        raise Problem("not_found")
    return web.go(".index")


def _money(cents: int) -> str:
    return words.money(cents, quota.plans().currency)
