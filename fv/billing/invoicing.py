"""The story: what the accounts owe for a month becomes invoices, numbered without gaps, and paid once.

Each invoice is one transaction: number, lines and the row of the audit trail, or nothing. So commands that run at once,
or end in the middle, leave only what a next run goes on with.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum

from flask import current_app

from fv import clock, db, ids
from fv.accounts import store as account_store
from fv.audit import flows as audit
from fv.billing import quota, store
from fv.billing.store import Invoice
from fv.usage import flows as usage
from fv.usage.periods import Period


class NotPaid(Enum):
    NOT_THERE = "There is no invoice with this id or number. `fv invoices list` shows them."
    DRAFT = "This is a draft: its month is not over, so there is nothing to pay yet."
    ALREADY = "This invoice is marked as paid already."


def make(month: Period) -> Iterator[Invoice]:
    """Every account that has something to pay for it gets an open invoice; while the month is not over, a draft.

    Yields those that it makes. An account that has its open invoice is left alone. The month must have begun.
    """
    for account in account_store.every():
        if quota.month_at(account.created_at).first > month.first:
            continue  # it was not there yet
        before = store.of_month(account.id, month.name)
        if before is None and not quota.plan_in(account.id, month.name).cost(quota.used_in(account.id, month)):
            continue  # as most accounts, without the write lock; it is looked at again when the month is over
        if before is not None and before.number is not None:
            continue
        made = _make(account.id, month)
        if made:
            yield made


def is_over(month: Period, now: int) -> bool:
    return month.last < now // usage.DAY


def pay(name: str, now: int) -> Invoice | NotPaid:
    """The open invoice of this id or number was paid: once."""
    with db.transaction():
        found = store.called(name)
        if found is not None and store.pay(found.id, now):
            audit.record("invoice.paid", found.account_id, now, "support", invoice=str(found.number))
            return found
    if found is None:
        return NotPaid.NOT_THERE
    return NotPaid.DRAFT if found.number is None else NotPaid.ALREADY


def issuer() -> str:
    """Who sends the invoices."""
    return str(current_app.config["INVOICE_FROM"] or current_app.config["ISSUER"])


def _make(account_id: str, month: Period) -> Invoice | None:
    """None: somebody else was faster, or there is nothing to pay any more."""
    with db.transaction():
        now = clock.now()  # under the lock: whoever counts a session after this counts it into a month that is not over
        before, account = store.of_month(account_id, month.name), account_store.existing(account_id)
        if before is not None and before.number is not None:
            return None
        plan, sessions = quota.plan_in(account_id, month.name), quota.used_in(account_id, month)
        if plan.cost(sessions) == 0:
            store.drop_draft(account_id, month.name)
            return None
        id, created_at = (before.id, before.created_at) if before else (ids.new("inv"), now)
        store.draft(
            Invoice(
                id, account_id, month.name, account.email, issuer(), plan.name, plan.included, sessions,
                quota.plans().currency, plan.cost(sessions), created_at,
            ),
            plan.lines(sessions),
        )  # fmt: skip
        if is_over(month, now):
            year = datetime.fromtimestamp(now, UTC).year
            number = f"FV-{year}-{store.take_number(year):06}"
            store.open_draft(id, number, now)
            audit.record("invoice.opened", account_id, now, "service", invoice=number)
    return store.of_month(account_id, month.name)
