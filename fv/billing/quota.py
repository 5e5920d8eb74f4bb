"""How much of its month an account has used, and whether it may begin another session.

Of the sessions that are under way it knows only how many there are, and asks whoever calls: what they are is not its
matter, and those who make sessions ask it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app

from fv.accounts import store as account_store
from fv.billing import store
from fv.billing.plans import Plan, Plans
from fv.usage import flows as usage
from fv.usage import periods
from fv.usage.periods import Period

BILLED = "sessions_billable"  # the counter


@dataclass(frozen=True)
class Standing:
    """Of an account in a month. `used`: sessions that were billed; `pending`: those that still can be."""

    month: Period
    plan: Plan
    used: int
    pending: int

    @property
    def plan_name(self) -> str:
        return self.plan.name

    @property
    def included(self) -> int:
        return self.plan.included

    @property
    def is_hard_limit(self) -> bool:
        return self.plan.is_hard_limit

    @property
    def is_full(self) -> bool:
        """Whether no session can be begun. One that is canceled or expires frees its place."""
        return self.is_hard_limit and self.used + self.pending >= self.included

    @property
    def share(self) -> int:
        """Percent of what is included, 100 at most; with a hard limit those under way take their place too."""
        taken = self.used + (self.pending if self.is_hard_limit else 0)
        return min(100, 100 * taken // self.included) if self.included else 100 * bool(taken)

    @property
    def begins(self) -> int:
        """The first second of the month."""
        return self.month.first * usage.DAY

    @property
    def begins_anew(self) -> int:
        """The first second of the next month."""
        return (self.month.last + 1) * usage.DAY


def plans() -> Plans:
    found: Plans = current_app.config["PLANS"]
    return found


def month_at(now: int) -> Period:
    """The month (UTC) of this second."""
    return periods.month_of(now // usage.DAY)


def plan_in(account_id: str, month: str) -> Plan:
    """What the account had, or will have as it stands, in the month `2026-11`."""
    return plans().of(store.chosen(account_id, month) or account_store.existing(account_id).plan)


def used_in(account_id: str, month: Period) -> int:
    """Sessions that were billed."""
    return usage.amount(account_id, BILLED, month.first, month.last)


def standing(account_id: str, now: int, pending: int) -> Standing:
    month = month_at(now)
    return Standing(month, plan_in(account_id, month.name), used_in(account_id, month), pending)


def full(account_id: str, mode: str, now: int, pending: Callable[[], int]) -> Standing | None:
    """How the account stands when its plan has no room for another session, else None. Test mode has no limit.

    Inside the transaction that would add it. `pending` counts the live ones under way, where that matters.
    """
    if mode != "live" or not plan_in(account_id, month_at(now).name).is_hard_limit:
        return None
    found = standing(account_id, now, pending())
    return found if found.is_full else None
