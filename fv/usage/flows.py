"""The story: whatever costs something is counted in the transaction that does it, so no crash makes the two differ."""

from collections import Counter
from datetime import date, timedelta

from fv import db
from fv.usage import store

COUNTERS = ("sessions_created", "sessions_billable", "photo_views")
DAY = 86400  # seconds
_FIRST = date(1970, 1, 1)


def count(account_id: str, counter: str, now: int, amount: int = 1) -> None:
    """Inside the transaction of what is counted."""
    if counter not in COUNTERS or not db.in_transaction():
        raise LookupError(f"{counter} is no counter, or there is no transaction")
    store.add(account_id, now // DAY, counter, amount)


def series(account_id: str, first: int, last: int, by_month: bool) -> dict[str, dict[str, int]]:
    """Counter → `2026-11-25` or `2026-11` → amount, every period from `first` to `last` (days since 1970) in it."""
    found = Counter({(one.counter, one.day): one.amount for one in store.between(account_id, first, last)})
    written = {
        day: (_FIRST + timedelta(days=day)).isoformat()[: 7 if by_month else 10] for day in range(first, last + 1)
    }
    amounts = {counter: dict.fromkeys(written.values(), 0) for counter in COUNTERS}
    for (counter, day), amount in found.items():
        amounts[counter][written[day]] += amount
    return amounts
