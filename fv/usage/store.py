"""The counters as the database knows them."""

from dataclasses import dataclass

from fv import db


@dataclass(frozen=True)
class Count:
    day: int
    counter: str
    amount: int


def add(account_id: str, day: int, counter: str) -> None:
    """One more."""
    db.run(
        """
        INSERT INTO usage_days (account_id, day, counter, amount) VALUES (:account_id, :day, :counter, 1)
        ON CONFLICT (account_id, day, counter) DO UPDATE SET amount = usage_days.amount + 1
        """,
        account_id=account_id, day=day, counter=counter,
    )  # fmt: skip


def between(account_id: str, first: int, last: int) -> list[Count]:
    """Of these days, both included."""
    return db.many(
        Count,
        """
        SELECT day, counter, amount FROM usage_days
        WHERE account_id = :account_id AND day BETWEEN :first AND :last ORDER BY day
        """,
        account_id=account_id, first=first, last=last,
    )  # fmt: skip
