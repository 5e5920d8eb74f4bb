"""The story: whatever costs something is counted in the transaction that does it, so no crash makes the two differ."""

from fv import db
from fv.usage import store
from fv.usage.periods import Period, days, months

#: What is counted, by the day (UTC) and by the key that caused it, in the order in which it is shown.
COUNTERS = (
    "sessions_created",
    "sessions_billable",
    "searches",
    "photo_views",
    "webhook_deliveries",
)
#: How much is kept: goes down too, and is of no key. Changes are counted, so the sum of all days is what is there.
STORAGE = "storage_bytes"
DAY = 86400  # seconds


def count(account_id: str, mode: str, counter: str, now: int, key_id: str = "") -> None:
    """One more, inside the transaction of what is counted. What happens in test mode is not. `key_id` '': a person."""
    if counter not in COUNTERS or not db.in_transaction():
        raise LookupError(f"{counter} is no counter, or there is no transaction")
    if mode == "live":
        store.add(account_id, now // DAY, counter, key_id)


def stored(account_id: str, more: int, now: int) -> None:
    """So many bytes of photos are kept from now on, or (below zero) no longer; test mode too: a disk is a disk."""
    if not db.in_transaction():
        raise LookupError("there is no transaction")
    if more:
        store.add(account_id, now // DAY, STORAGE, amount=more)


def series(
    account_id: str, first: int, last: int, by_month: bool, key_id: str | None = None
) -> dict[str, dict[str, int]]:
    """Counter → `2026-11-25` or `2026-11` → amount, every period from `first` to `last` (days since 1970) in it.

    Of the storage: how much there is when the period ends. `key_id`: only what this key caused, without the storage.
    """
    periods = months(first, last) if by_month else days(first, last)
    with db.reading():
        amounts = _counted(account_id, periods, key_id)
        return amounts if key_id is not None else amounts | {STORAGE: _kept(account_id, periods)}


def amount(account_id: str, counter: str, first: int, last: int) -> int:
    """How much was counted on these days (since 1970), over all keys."""
    return store.total(account_id, counter, first, last)


def by_key(account_id: str, first: int, last: int) -> dict[str, dict[str, int]]:
    """Key id ('': people) → counter → amount of these days (since 1970); those that caused anything."""
    amounts: dict[str, dict[str, int]] = {}
    for one in store.by_key(account_id, COUNTERS, first, last):
        amounts.setdefault(one.key_id, dict.fromkeys(COUNTERS, 0))[one.counter] = one.amount
    return amounts


def _counted(account_id: str, periods: list[Period], key_id: str | None) -> dict[str, dict[str, int]]:
    amounts = {counter: dict.fromkeys((period.name for period in periods), 0) for counter in COUNTERS}
    names = {day: period.name for period in periods for day in range(period.first, period.last + 1)}
    for one in store.between(account_id, COUNTERS, periods[0].first, periods[-1].last, key_id):
        amounts[one.counter][names[one.day]] += one.amount
    return amounts


def _kept(account_id: str, periods: list[Period]) -> dict[str, int]:
    changes = {one.day: one.amount for one in store.between(account_id, [STORAGE], periods[0].first, periods[-1].last)}
    kept, amounts = store.total(account_id, STORAGE, 0, periods[0].first - 1), {}
    for period in periods:
        kept += sum(changes.get(day, 0) for day in range(period.first, period.last + 1))
        amounts[period.name] = kept
    return amounts
