"""Columns of sealed texts: which rows another key has sealed, and one text put in place of another.

A store names its columns, its flows say what each text is bound to, and the statements are the same for all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from fv import db


@dataclass(frozen=True)
class Column:
    """`row`: the columns that name a row, one that is unique or the primary key first."""

    table: str
    name: str
    row: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """What is in such a column, in words, and what a text of it is sealed for; called with the columns of its row."""

    what: str
    column: Column
    bound_to: Callable[..., str]


@dataclass(frozen=True)
class Sealed:
    """A text, and the row that it is in."""

    row: dict[str, str | int]
    text: str = field(repr=False)


@dataclass(frozen=True)
class _Count:
    number: int


_OTHERWISE = "substr({name}, 1, length(:key_id) + 1) != :key_id || '.'"


def number(column: Column) -> int:
    """Of all texts."""
    return _counted(f"SELECT count({column.name}) AS number FROM {column.table}")


def number_otherwise(column: Column, key_id: str) -> int:
    """Of those that another key than this one has sealed."""
    where = _OTHERWISE.format(name=column.name)
    return _counted(f"SELECT count(*) AS number FROM {column.table} WHERE {where}", key_id=key_id)


def otherwise(column: Column, key_id: str, after: Sealed | None, most: int) -> list[Sealed]:
    """Those that another key than this one has sealed, by the order of their rows, behind that of `after`."""
    names, params = ", ".join(column.row), _params(after) if after else {}
    behind = f"AND ({names}) > ({', '.join(f':of_{name}' for name in column.row)})" if after else ""
    return db.many(
        _sealed,
        f"""
        SELECT {names}, {column.name} AS sealed_text FROM {column.table}
        WHERE {_OTHERWISE.format(name=column.name)} {behind} ORDER BY {names} LIMIT :most
        """,
        key_id=key_id, most=most, **params,
    )  # fmt: skip


def replace(column: Column, before: Sealed, text: str) -> bool:
    """False when the row is gone, or holds something else by now."""
    where = " AND ".join(f"{name} = :of_{name}" for name in column.row)
    return db.run(
        f"UPDATE {column.table} SET {column.name} = :text WHERE {where} AND {column.name} = :before",
        text=text, before=before.text, **_params(before),
    ) == 1  # fmt: skip


def _params(of: Sealed) -> dict[str, object]:
    return {f"of_{name}": value for name, value in of.row.items()}


def _sealed(sealed_text: str, **row: str | int) -> Sealed:
    return Sealed(row, sealed_text)


def _counted(sql: str, **params: object) -> int:
    (found,) = db.many(_Count, sql, **params)
    return found.number
