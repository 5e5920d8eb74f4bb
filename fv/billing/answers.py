"""What a program is told of plans, of the running month and of invoices. Money is cents."""

from collections.abc import Sequence
from typing import Annotated

from fv.api import bodies, times
from fv.api.bodies import Answer, Limit, Time, words
from fv.api.parameters import Parameter
from fv.billing import flows, plans, quota, store

INVOICE = Parameter("id", bodies.id_of("inv"), "Of the invoice.")

Cents = Annotated[int, Limit(ge=0)]
Month = Annotated[str, Limit(examples=["2026-11"])]


class Plan(Answer, frozen=True):
    id: str
    name: str
    monthly_fee: Cents
    included: Annotated[int, Limit(description="Sessions a month.")]
    hard_limit: bool
    overage_fee: Annotated[int, Limit(description="Of each session above, in cents.")] | None


class NextMonth(Answer, frozen=True):
    month: Month
    plan: Plan


class Period(Answer, frozen=True):
    month: Month
    begins_at: Time
    ends_at: Time


class Forecast(Answer, frozen=True):
    """If it goes on as it did on the days that are over."""

    sessions: int
    amount: Cents


class Billing(Answer, frozen=True):
    """The running month. `next`: the plan of the next one, where it is another one."""

    currency: str
    plan: Plan
    next: NextMonth | None
    period: Period
    used: Annotated[int, Limit(description="Sessions that were decided.")]
    pending: Annotated[int, Limit(description="Sessions under way.")]
    overage: Annotated[int, Limit(description="Sessions above what is included.")]
    amount: Annotated[int, Limit(ge=0, description="What the month costs as it stands.")]
    forecast: Forecast
    invoices: Annotated[str, Limit(description="Where they are listed.")]


class Invoice(Answer, frozen=True):
    id: str
    number: Annotated[str, Limit(description="Null: a draft.", examples=["FV-2026-000001"])] | None
    status: Annotated[str, words("draft", "open", "paid")]
    month: Month
    plan_name: str
    included: int
    sessions: int
    currency: str
    total: Cents
    created_at: Time
    opened_at: Time | None
    paid_at: Time | None


class Line(Answer, frozen=True):
    description: str
    quantity: int
    unit_amount: Cents
    amount: Cents


class WholeInvoice(Invoice, frozen=True):
    lines: list[Line]
    issuer: str
    email: str


def told(bill: flows.Bill, invoices: str) -> Billing:
    standing = bill.standing
    return Billing(
        currency=quota.plans().currency,
        plan=_plan(bill.plan),
        next=NextMonth(bill.next_month, _plan(bill.following)) if bill.following != bill.plan else None,
        period=Period(standing.month.name, times.written(standing.begins), times.written(standing.begins_anew)),
        used=standing.used,
        pending=standing.pending,
        overage=bill.plan.over(standing.used),
        amount=bill.cost,
        forecast=Forecast(bill.expected, bill.expected_cost),
        invoices=invoices,
    )


def invoice(row: store.Invoice) -> Invoice:
    return Invoice(
        id=row.id,
        number=row.number,
        status=row.status,
        month=row.month,
        plan_name=row.plan_name,
        included=row.included,
        sessions=row.sessions,
        currency=row.currency,
        total=row.total,
        created_at=times.written(row.created_at),
        opened_at=times.written(row.opened_at),
        paid_at=times.written(row.paid_at),
    )


def whole(row: store.Invoice, lines: Sequence[plans.Line]) -> WholeInvoice:
    return bodies.with_more(
        invoice(row),
        WholeInvoice,
        lines=[Line(line.what, line.quantity, line.each, line.amount) for line in lines],
        issuer=row.issuer,
        email=row.email,
    )


def _plan(plan: plans.Plan) -> Plan:
    return Plan(plan.id, plan.name, plan.monthly_fee, plan.included, plan.is_hard_limit, plan.overage)
