"""The database: one connection a request, explicit transactions, numbered schema steps.

Stores write portable SQL with :named parameters. What differs between engines (how to connect, how to begin, how a
step of the schema is spelled) lives in sqlite.py; a second engine is a second module with the same names.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any, TypeVar

import click
from flask import Flask, current_app, g

from fv.config import Misconfigured
from fv.db import sqlite
from fv.db.sqlite import COPYING, Connection, Facts

__all__ = [
    "COPYING",
    "Connection",
    "Facts",
    "Unavailable",
    "Undo",
    "after_commit",
    "chunks",
    "close",
    "copies",
    "each",
    "empty_log",
    "facts",
    "in_transaction",
    "init_app",
    "is_alone",
    "is_reachable",
    "many",
    "one",
    "parts",
    "path_of",
    "reading",
    "run",
    "transaction",
    "why_unusable",
]

T = TypeVar("T")


class Unavailable(click.ClickException):
    """Locked too long, disk full, file gone: the database cannot be reached at the moment. A command prints it."""


class Undo(Exception):
    """Ends a transaction as if it had not begun."""


class Pool:
    """Idle connections, last used first. Opening one costs 0.25 ms, more than a whole gated request."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._idle: LifoQueue[Connection] = LifoQueue()

    def take(self) -> Connection:
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._connect()

    def give_back(self, connection: Connection) -> None:
        if connection.in_transaction:  # the request broke off inside one
            connection.execute("ROLLBACK")
        self._idle.put(connection)

    def close(self) -> None:
        while not self._idle.empty():
            self._idle.get_nowait().close()


def path_of(app: Flask) -> Path:
    """The database file."""
    path: Path = app.config["DATABASE"] or sqlite.default_path(app.instance_path)
    return path


def init_app(app: Flask) -> None:
    """Prove the engine, bring the schema up to date, and lend a connection to each request."""
    path = path_of(app)
    try:
        sqlite.prepare(path)
    except (OSError, sqlite.Broken) as error:
        raise Misconfigured(f"The database {path} cannot be used: {error}.") from None
    app.extensions["db"] = Pool(lambda: sqlite.connect(path))
    app.teardown_appcontext(_give_back)


def close(app: Flask) -> None:
    """Close every idle connection, before the process forks or ends."""
    app.extensions["db"].close()


def one(kind: Callable[..., T], sql: str, **params: object) -> T | None:
    """The single row as a `kind`, or None."""
    row = _execute(sql, params).fetchone()
    return None if row is None else kind(**dict(row))


def many(kind: Callable[..., T], sql: str, **params: object) -> list[T]:
    return [kind(**dict(row)) for row in _execute(sql, params)]


def each(kind: Callable[..., T], sql: str, **params: object) -> Iterator[T]:
    """The rows one by one, for results too large to hold. A row that cannot be read ends it with Unavailable."""
    try:
        for row in _execute(sql, params):
            yield kind(**dict(row))
    except sqlite.Broken as error:
        raise Unavailable(f"The database cannot be read: {error}.") from None


def chunks(sql: str, rows: int, **params: object) -> Iterator[list[tuple[Any, ...]]]:
    """The rows as they are, so many at a time: for reading a million of them."""
    answer = _execute(sql, params)
    while some := answer.fetchmany(rows):
        yield some


def run(sql: str, **params: object) -> int:
    """Execute a write; the number of rows it touched is its answer."""
    return int(_execute(sql, params).rowcount)


@contextmanager
def transaction() -> Iterator[None]:
    """All of it or nothing. Takes the write lock at once: no read inside can be out of date when it is acted on.

    `raise Undo` inside leaves it with nothing done and no error.
    """
    _execute(sqlite.BEGIN)
    g.after_commit = {}
    try:
        yield
        _execute("COMMIT")
    except BaseException as error:
        if _connection().in_transaction:
            _execute("ROLLBACK")
        if not isinstance(error, Undo):
            raise
        return
    for work in g.after_commit.values():
        work()


@contextmanager
def reading() -> Iterator[None]:
    """Every read inside sees the database as it is at the first one. Inside a transaction: as it is there."""
    if in_transaction():
        yield
        return
    _execute(sqlite.BEGIN_READING)
    try:
        yield
    finally:
        _execute("COMMIT")


def in_transaction() -> bool:
    return bool(_connection().in_transaction)


def after_commit(name: str, work: Callable[[], None]) -> None:
    """Do it once the transaction under way is committed, and never if it is not. Of one name the last one counts."""
    g.after_commit[name] = work


def empty_log() -> bool:
    """Take what was deleted out of the write-ahead log too, where it stands until it is overwritten.

    Outside of any transaction. False: somebody still reads who began before; then the next call does it.
    """
    _execute(sqlite.BUSY_BRIEFLY)
    try:
        return bool(_execute(sqlite.EMPTY_LOG).fetchone()[0] == 0)
    finally:
        _execute(sqlite.BUSY_AS_EVER)


def files() -> list[Path]:
    """Every file that may hold what was once in the database: itself, its log, the copy made before an upgrade."""
    return sqlite.beside(path_of(current_app._get_current_object()))  # type: ignore[attr-defined]


def copies(app: Flask) -> list[Path]:
    """Those of them that were made before an upgrade."""
    return sqlite.copies(path_of(app))


def parts() -> list[Path]:
    """Those of them that are ours: somebody may have put another file beside them."""
    return sqlite.parts(path_of(current_app._get_current_object()))  # type: ignore[attr-defined]


def why_unusable(path: Path) -> str | None:
    """What speaks against using this file as the database; None: nothing does."""
    return sqlite.why_unusable(path)


@contextmanager
def copied() -> Iterator[Path]:
    """A whole copy of the database as it is now, beside it and as private; gone afterwards."""
    path = path_of(current_app._get_current_object())  # type: ignore[attr-defined]
    with sqlite.copied(_connection(), path) as copy:
        yield copy


def facts() -> Facts:
    """What the engine says of itself and of the file: reads the whole database."""
    return sqlite.facts(_connection())


def is_alone() -> bool:
    """Whether nothing else has the database open: another program, or a shell. Outside of any transaction."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    _give_back()
    close(app)
    try:
        return sqlite.is_alone(path_of(app))
    except sqlite.Broken as error:
        raise Unavailable(f"The database cannot be used: {error}.") from None


def is_reachable() -> bool:
    """Whether the database answers."""
    try:
        return one(dict, "SELECT count(*) AS steps FROM schema_steps") is not None
    except Unavailable:
        return False


def _connection() -> Connection:
    if "db" not in g:
        g.db = current_app.extensions["db"].take()
    return g.db  # type: ignore[no-any-return]


def _execute(sql: str, params: dict[str, object] | tuple[()] = ()) -> Any:
    try:
        return _connection().execute(sql, params)
    except sqlite.Broken as error:
        if sqlite.is_away(error):
            raise Unavailable(f"The database cannot be used: {error}.") from None
        raise


def _give_back(_error: BaseException | None = None) -> None:
    if connection := g.pop("db", None):
        current_app.extensions["db"].give_back(connection)
