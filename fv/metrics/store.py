"""The counts of the analysis as the database knows them."""

from dataclasses import dataclass

from fv import db


@dataclass(frozen=True)
class Sum:
    counter: str
    about: str
    amount: int


def add(day: int, counter: str, about: str, amount: int) -> None:
    db.run(
        """
        INSERT INTO analysis_days (day, counter, about, amount) VALUES (:day, :counter, :about, :amount)
        ON CONFLICT (day, counter, about) DO UPDATE SET amount = analysis_days.amount + :amount
        """,
        day=day, counter=counter, about=about, amount=amount,
    )  # fmt: skip


def sums(since: int) -> list[Sum]:
    """Over this day and all that followed."""
    return db.many(
        Sum,
        """
        SELECT counter, about, sum(amount) AS amount FROM analysis_days WHERE day >= :since GROUP BY counter, about
        """,
        since=since,
    )  # fmt: skip
