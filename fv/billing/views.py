"""Billing for a person's program: no key sees it."""

from flask import Blueprint, jsonify, url_for
from werkzeug.wrappers import Response

from fv import clock, gate
from fv.api import lists, times
from fv.billing import flows, quota, store
from fv.billing.plans import Plan
from fv.billing.store import Invoice
from fv.problems import Problem

blueprint = Blueprint("billing_api", __name__)


@blueprint.get("/api/v1/billing")
def api_billing() -> Response:
    """The running month. Money is cents."""
    bill = flows.bill(gate.login().account_id, clock.now())
    standing, next_month = bill.standing, None
    if bill.following != bill.plan:
        next_month = {"month": bill.next_month, "plan": _plan(bill.following)}
    return jsonify(
        currency=quota.plans().currency,
        plan=_plan(bill.plan),
        next=next_month,
        period={
            "month": standing.month.name,
            "begins_at": times.written(standing.begins),
            "ends_at": times.written(standing.begins_anew),
        },
        used=standing.used,
        pending=standing.pending,
        overage=bill.plan.over(standing.used),
        amount=bill.cost,
        forecast={"sessions": bill.expected, "amount": bill.expected_cost},
        invoices=url_for(".api_invoices"),
    )


@blueprint.get("/api/v1/billing/invoices")
def api_invoices() -> Response:
    asked = lists.requested()
    rows = store.page(gate.login().account_id, asked.created_at, asked.id, asked.limit + 1)
    return jsonify(asked.answer(rows, _invoice))


@blueprint.get("/api/v1/billing/invoices/<id>")
def api_invoice(id: str) -> Response:
    invoice = found(id)
    lines = [
        {"description": line.what, "quantity": line.quantity, "unit_amount": line.each, "amount": line.amount}
        for line in store.lines(invoice.id)
    ]
    return jsonify(_invoice(invoice) | {"lines": lines, "issuer": invoice.issuer, "email": invoice.email})


def found(id: str) -> Invoice:
    """One of the caller's own."""
    invoice = store.find(gate.login().account_id, id)
    if invoice is None:
        raise Problem("not_found")
    return invoice


def _plan(plan: Plan) -> dict[str, object]:
    return {
        "id": plan.id,
        "name": plan.name,
        "monthly_fee": plan.monthly_fee,
        "included": plan.included,
        "hard_limit": plan.is_hard_limit,
        "overage_fee": plan.overage,
    }


def _invoice(invoice: Invoice) -> dict[str, object]:
    return {
        "id": invoice.id,
        "number": invoice.number,
        "status": invoice.status,
        "month": invoice.month,
        "plan_name": invoice.plan_name,
        "included": invoice.included,
        "sessions": invoice.sessions,
        "currency": invoice.currency,
        "total": invoice.total,
        "created_at": times.written(invoice.created_at),
        "opened_at": times.written(invoice.opened_at),
        "paid_at": times.written(invoice.paid_at),
    }
