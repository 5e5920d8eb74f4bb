"""The trail as the database knows it. Rows are added and read; nothing here changes or removes one."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from fv import db
from fv.audit.chain import Event, Row


def add(row: Row) -> None:
    db.run(
        """
        INSERT INTO audit (number, id, at, account_id, actor, event, facts, hash, seal)
        VALUES (:number, :id, :at, :account_id, :actor, :event, :facts, :hash, :seal)
        """,
        **asdict(row),
    )


def last() -> Row | None:
    return db.one(Row, "SELECT * FROM audit ORDER BY number DESC LIMIT 1")


def all_rows(batch: int = 1000) -> Iterator[Row]:
    """From the first to the last, a batch at a time."""
    after = -(2**62)
    while rows := db.many(
        Row, "SELECT * FROM audit WHERE number > :after ORDER BY number LIMIT :batch", after=after, batch=batch
    ):
        yield from rows
        after = rows[-1].number


_EVENT = "SELECT number, id, at, account_id, actor, event, facts FROM audit"


def page(account_id: str, before_id: str, event: str, since: int, until: int, most: int) -> list[Event]:
    """Of this account, newest first, older than the row `before_id` ('': from the newest); event '': of every kind."""
    return db.many(
        Event,
        f"""
        {_EVENT}
        WHERE account_id = :account_id AND at >= :since AND at < :until AND (:event = '' OR event = :event)
          AND (:before_id = '' OR number < (SELECT number FROM audit WHERE id = :before_id))
        ORDER BY number DESC LIMIT :most
        """,
        account_id=account_id, before_id=before_id, event=event, since=since, until=until, most=most,
    )  # fmt: skip


def newest(account_id: str, most: int) -> list[Event]:
    """Of this account, newest first."""
    return db.many(
        Event,
        f"{_EVENT} WHERE account_id = :account_id ORDER BY number DESC LIMIT :most",
        account_id=account_id, most=most,
    )  # fmt: skip


def event(number: int) -> Event | None:
    return db.one(Event, f"{_EVENT} WHERE number = :number", number=number)


def told(account_id: str, kinds: Sequence[str], after: int, most: int) -> list[Event]:
    """Of these kinds and this account, newest first."""
    return db.many(
        Event,
        f"""
        {_EVENT} WHERE account_id = :account_id AND number > :after AND event IN ({_listed(kinds)})
        ORDER BY number DESC LIMIT :most
        """,
        account_id=account_id, after=after, most=most, **_named(kinds),
    )  # fmt: skip


def told_since(kinds: Sequence[str], after: int, since: int) -> list[Event]:
    """Of these kinds and every account, oldest first."""
    return db.many(
        Event,
        f"{_EVENT} WHERE number > :after AND at > :since AND event IN ({_listed(kinds)}) ORDER BY number",
        after=after, since=since, **_named(kinds),
    )  # fmt: skip


def _listed(kinds: Sequence[str]) -> str:
    return ", ".join(f":kind{number}" for number in range(len(kinds)))


def _named(kinds: Sequence[str]) -> dict[str, object]:
    return {f"kind{number}": kind for number, kind in enumerate(kinds)}
