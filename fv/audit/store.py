"""The trail as the database knows it. Rows are added and read; nothing here changes or removes one."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from fv import db
from fv.audit.chain import Event, Row

_COLUMNS = "number, id, at, account_id, actor, event, facts"


def add(row: Row) -> None:
    db.run(
        """
        INSERT INTO audit (number, id, at, account_id, actor, event, facts, hash, seal)
        VALUES (:number, :id, :at, :account_id, :actor, :event, :facts, :hash, :seal)
        """,
        **asdict(row),
    )


def last() -> Row | None:
    return db.one(Row, f"SELECT {_COLUMNS}, hash, seal FROM audit ORDER BY number DESC LIMIT 1")


def all_rows() -> Iterator[Row]:
    """From the first to the last, from the table itself and not by an index that somebody may have made."""
    return db.each(Row, f"SELECT {_COLUMNS}, hash, seal FROM audit ORDER BY +number")


_EVENT = f"SELECT {_COLUMNS} FROM audit"


def page(account_id: str, before_id: str, event: str, since: int, until: int, most: int) -> list[Event]:
    """Of this account, newest first, older than the row `before_id` ('': from the newest); event '': of every kind."""
    return db.many(
        Event,
        f"""
        {_EVENT}
        WHERE account_id = :account_id AND at >= :since AND at < :until AND (:event = '' OR event = :event)
          AND (
            :before_id = ''
            OR number < (SELECT number FROM audit WHERE id = :before_id AND account_id = :account_id)
          )
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


def last_of(kind: str) -> Event | None:
    """The newest row of this kind, of any account or none. Reads the trail from its end to that row."""
    return db.one(Event, f"{_EVENT} WHERE event = :event ORDER BY number DESC LIMIT 1", event=kind)


def told(account_id: str, kinds: Sequence[str], most: int) -> list[Event]:
    """Of these kinds and this account, newest first."""
    return db.many(
        Event,
        f"""
        {_EVENT} WHERE account_id = :account_id AND event IN ({_listed(kinds)})
        ORDER BY number DESC LIMIT :most
        """,
        account_id=account_id, most=most, **_named(kinds),
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
