"""The counters as the database knows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from fv import db


@dataclass(frozen=True)
class Count:
    """`key_id` '': of a person. Where amounts were added up over keys or days, that says nothing."""

    counter: str
    amount: int
    day: int = 0
    key_id: str = ""


@dataclass(frozen=True)
class _Sum:
    amount: int


def add(account_id: str, day: int, counter: str, key_id: str = "", amount: int = 1) -> None:
    """So many more."""
    db.run(
        """
        INSERT INTO usage_days (account_id, counter, day, key_id, amount)
        VALUES (:account_id, :counter, :day, :key_id, :amount)
        ON CONFLICT (account_id, counter, day, key_id) DO UPDATE SET amount = usage_days.amount + :amount
        """,
        account_id=account_id, counter=counter, day=day, key_id=key_id, amount=amount,
    )  # fmt: skip


def between(account_id: str, counters: Sequence[str], first: int, last: int, key_id: str | None = None) -> list[Count]:
    """Of these days, both included, over all keys or (`key_id`) of one; those days that have any."""
    names = _names(counters)
    return db.many(
        Count,
        f"""
        SELECT counter, day, sum(amount) AS amount FROM usage_days
        WHERE account_id = :account_id AND counter IN ({", ".join(f":{name}" for name in names)})
          AND day BETWEEN :first AND :last AND (:key_id IS NULL OR key_id = :key_id)
        GROUP BY counter, day
        """,
        account_id=account_id, first=first, last=last, key_id=key_id, **names,
    )  # fmt: skip


def by_key(account_id: str, counters: Sequence[str], first: int, last: int) -> list[Count]:
    """Of these days, both included, added up."""
    names = _names(counters)
    return db.many(
        Count,
        f"""
        SELECT counter, key_id, sum(amount) AS amount FROM usage_days
        WHERE account_id = :account_id AND counter IN ({", ".join(f":{name}" for name in names)})
          AND day BETWEEN :first AND :last
        GROUP BY counter, key_id
        """,
        account_id=account_id, first=first, last=last, **names,
    )  # fmt: skip


def total(account_id: str, counter: str, first: int, last: int) -> int:
    """Of these days, both included, over all keys."""
    (found,) = db.many(
        _Sum,
        """
        SELECT coalesce(sum(amount), 0) AS amount FROM usage_days
        WHERE account_id = :account_id AND counter = :counter AND day BETWEEN :first AND :last
        """,
        account_id=account_id, counter=counter, first=first, last=last,
    )  # fmt: skip
    return found.amount


def _names(counters: Sequence[str]) -> dict[str, str]:
    return {f"counter{number}": counter for number, counter in enumerate(counters)}
