"""Billing for a person's program: no key sees it."""

from flask import Blueprint, url_for
from werkzeug.wrappers import Response

from fv import clock, gate
from fv.api import bodies, lists
from fv.api.bodies import Page
from fv.api.calls import described
from fv.billing import answers, flows, store
from fv.billing.store import Invoice
from fv.problems import Problem

blueprint = Blueprint("billing_api", __name__)


@blueprint.get("/api/v1/billing")
@described("getBilling", "Read what the running month costs", "Money is integer cents.", answers={200: answers.Billing})
def api_billing() -> Response:
    bill = flows.bill(gate.login().account_id, clock.now())
    return bodies.sent(answers.told(bill, url_for(".api_invoices")))


@blueprint.get("/api/v1/billing/invoices")
@described("listInvoices", "List invoices", query=lists.PAGE, answers={200: Page[answers.Invoice]})
def api_invoices() -> Response:
    asked = lists.asked()
    rows = store.page(gate.login().account_id, asked.created_at, asked.id, asked.limit + 1)
    return bodies.sent(asked.page(rows, answers.invoice))


@blueprint.get("/api/v1/billing/invoices/<id>")
@described("getInvoice", "Read an invoice with its lines", path=(answers.INVOICE,), answers={200: answers.WholeInvoice})
def api_invoice(id: str) -> Response:
    invoice = found(id)
    return bodies.sent(answers.whole(invoice, store.lines(invoice.id)))


def found(id: str) -> Invoice:
    """One of the caller's own."""
    invoice = store.find(gate.login().account_id, id)
    if invoice is None:
        raise Problem("not_found")
    return invoice
