"""The story: an account looks at its month, and changes its plan after it was told what follows from that.

A larger plan counts at once, for the whole running month; a smaller one from the first of the next. So nobody has the
larger one for the days that need it and pays for the smaller one.
"""

from dataclasses import dataclass
from enum import Enum

from fv import db
from fv.accounts import flows as accounts
from fv.accounts import store as account_store
from fv.accounts.store import Login
from fv.audit import flows as audit
from fv.billing import forecast, quota, store
from fv.billing.plans import Plan
from fv.billing.quota import Standing
from fv.usage import periods
from fv.usage.periods import Period
from fv.verifications import listing


@dataclass(frozen=True)
class Bill:
    """The running month of an account, as it stands at `now`. Money is cents.

    `following`: the plan from the next month on. `expected`: sessions that will have been billed, at this pace.
    """

    standing: Standing
    following: Plan
    expected: int
    days_gone: int
    days_left: int
    next_month: str

    @property
    def plan(self) -> Plan:
        return self.standing.plan

    @property
    def cost(self) -> int:
        return self.plan.cost(self.standing.used)

    @property
    def expected_cost(self) -> int:
        return self.plan.cost(self.expected)


class Kind(Enum):
    """What a change of plan is, by its event in the audit trail."""

    UPGRADE = "plan.raised"
    DOWNGRADE = "plan.lowered"
    STAY = "plan.kept"


@dataclass(frozen=True)
class Change:
    """What would follow: `plan` instead of `before`, from this month (`2026-11`) on. `dropped`: what is chosen for the
    next month, and would not come. `cost`: cents, of the running month as it stands, with the plan it would have.
    """

    kind: Kind
    plan: Plan
    before: Plan
    month: str
    dropped: Plan | None
    cost: int
    cost_before: int

    @property
    def terms(self) -> str:
        """All that somebody agrees to: who was shown other terms than those of the moment is asked again."""
        plan, dropped = self.plan, self.dropped.id if self.dropped else ""
        numbers = (plan.monthly_fee, plan.included, plan.overage)
        return " ".join(map(str, (self.kind.value, self.before.id, plan.id, self.month, dropped, *numbers)))


class NoChange(Enum):
    NOT_OFFERED = "there is no such plan, or nobody can choose it any more"
    ALREADY = "it has this plan"
    GONE = "the login has ended"


@dataclass(frozen=True)
class OtherTerms:
    """What was shown is not so any more; this is."""

    change: Change


def standing(account_id: str, now: int) -> Standing:
    """Plan, what it includes, whether that is a hard limit, how much is used, how much is under way."""
    with db.reading():
        return quota.standing(account_id, now, listing.unbilled(account_id, now))


def bill(account_id: str, now: int) -> Bill:
    with db.reading():
        found = standing(account_id, now)
        after = store.chosen_after(account_id, found.month.name)
    expected = forecast.expected(found.used, found.begins, found.begins_anew, now)
    return Bill(
        found,
        quota.plans().of(after.plan) if after else found.plan,
        min(expected, max(found.included, found.used)) if found.is_hard_limit else expected,
        now // forecast.DAY - found.month.first + 1,
        found.month.last - now // forecast.DAY,
        _month_after(found.month),
    )


def preview(account_id: str, id: str, now: int) -> Change | NoChange:
    """What it would be to choose this plan. Nothing is changed."""
    plan = quota.plans().find(id)
    with db.reading():
        found = standing(account_id, now)
        month, current = found.month.name, found.plan
        after = store.chosen_after(account_id, month)
    if plan is None or (plan.is_retired and plan != current):
        return NoChange.NOT_OFFERED
    dropped = quota.plans().of(after.plan) if after else None
    if plan == (dropped or current):
        return NoChange.ALREADY
    cost = current.cost(found.used)
    if plan == current:
        return Change(Kind.STAY, plan, current, month, dropped, cost, cost)
    if quota.plans().is_larger(plan, current):
        return Change(Kind.UPGRADE, plan, current, month, dropped, plan.cost(found.used), cost)
    return Change(Kind.DOWNGRADE, plan, current, _month_after(found.month), dropped, cost, cost)


def change(login: Login, id: str, terms: str, now: int) -> Change | OtherTerms | NoChange:
    """Choose this plan, by somebody who was shown these `terms`; an invoice that is open stays as it is."""
    with db.transaction():
        accounts.insist(login)
        found = preview(login.account_id, id, now)
        if isinstance(found, NoChange):
            return found
        open_one = store.of_month(login.account_id, found.month)
        if found.terms != terms or (open_one is not None and open_one.number is not None):
            return OtherTerms(found)
        if found.kind is Kind.STAY:
            store.forget_after(login.account_id, found.month)
        else:
            store.choose(login.account_id, found.month, found.plan.id, now)
        told = accounts.traits(login)
        audit.record(found.kind.value, login.account_id, now, plan=found.plan.id, month=found.month, **told)
        return found
    return NoChange.GONE


def put_on_roomy(account_id: str, now: int) -> None:
    """On the largest plan without a hard limit, if there is one: for an account that is made up. In a transaction."""
    roomy = [plan for plan in quota.plans().offered if not plan.is_hard_limit]
    if roomy:
        store.choose(account_id, quota.month_at(now).name, roomy[-1].id, now)


def missing_plans() -> set[str]:
    """Those that accounts have, had or chose, and that are not in the file of plans."""
    return (store.named() | account_store.plans()) - {plan.id for plan in quota.plans().all}


def _month_after(month: Period) -> str:
    return periods.month_of(month.last + 1).name
