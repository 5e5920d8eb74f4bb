"""The story: whatever costs something is counted in the transaction that does it, so no crash makes the two differ."""

from datetime import date, timedelta

from fv import db
from fv.usage import store

COUNTERS = ("sessions_created", "sessions_billable", "searches", "photo_views")
DAY = 86400  # seconds
_FIRST = date(1970, 1, 1)


def count(account_id: str, mode: str, counter: str, now: int) -> None:
    """One more, inside the transaction of what is counted. What happens in test mode is not."""
    if counter not in COUNTERS or not db.in_transaction():
        raise LookupError(f"{counter} is no counter, or there is no transaction")
    if mode == "live":
        store.add(account_id, now // DAY, counter)


def series(account_id: str, first: int, last: int, by_month: bool) -> dict[str, dict[str, int]]:
    """Counter → `2026-11-25` or `2026-11` → amount, every period from `first` to `last` (days since 1970) in it."""
    written = {
        day: (_FIRST + timedelta(days=day)).isoformat()[: 7 if by_month else 10] for day in range(first, last + 1)
    }
    amounts = {counter: dict.fromkeys(written.values(), 0) for counter in COUNTERS}
    for one in store.between(account_id, first, last):
        amounts[one.counter][written[one.day]] += one.amount
    return amounts
