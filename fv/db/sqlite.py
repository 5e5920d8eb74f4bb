"""SQLite with sqlite-vec: the default engine. Only this module knows the driver.

The driver is Python's own sqlite3 when it can load extensions, else pysqlite3. Never both: one extension loaded into
two SQLite libraries of one process crashes it.
"""

import fcntl
import glob
import os
import sqlite3 as own
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

import sqlite_vec

from fv.config import Misconfigured

if TYPE_CHECKING:
    driver = own
else:
    driver = own if hasattr(own.Connection, "enable_load_extension") else import_module("pysqlite3")

BEGIN = "BEGIN IMMEDIATE"
BEGIN_READING = "BEGIN DEFERRED"
ENDING = 2  # seconds that another connection is given to be closed
EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)"  # its first number is 1 when somebody reads who began before
BUSY_BRIEFLY = "PRAGMA busy_timeout = 100"  # ms: while the log waits for a reader, nobody else can write
BUSY_AS_EVER = "PRAGMA busy_timeout = 5000"  # ms a writer waits for another
SETTINGS = (
    BUSY_AS_EVER,  # first, because the next line may have to wait
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a spent code stays spent when the power fails
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # deleted is overwritten
    "PRAGMA mmap_size = 1073741824",  # 1 GiB of address space: pages are read without being copied
    "PRAGMA trusted_schema = OFF",
)

COPYING = ".copying"  # the end of the name of a copy that is being made
Connection = driver.Connection
Broken = driver.DatabaseError
#: Result codes that say that the database cannot be reached at the moment, https://sqlite.org/rescode.html: busy,
#: locked, out of memory, read-only, I/O error, damaged, full, cannot open, no database. Any other is a bug of ours.
BUSY = 5
AWAY = frozenset({BUSY, 6, 7, 8, 10, 11, 13, 14, 26})


@dataclass(frozen=True)
class Facts:
    """What this database and its engine say of themselves. `damage` None: nothing is wrong with the file."""

    engine: str
    vectors: str
    journal: str
    step: int
    newest_step: int
    damage: str | None


class NewerSchema(Misconfigured):
    """The database was written by a newer version."""


class NoVectors(Misconfigured):
    """sqlite-vec does not work here."""


def is_away(error: Exception) -> bool:
    """Whether this error of the driver is about the database and not about what was asked."""
    return isinstance(error, driver.DatabaseError) and getattr(error, "sqlite_errorcode", 0) & 0xFF in AWAY


def default_path(instance: str) -> Path:
    return Path(instance) / "facevault.db"


def beside(path: Path) -> list[Path]:
    """The database and every file whose name begins with its name; a name may have `[` or `*` in it."""
    return sorted(path.parent.glob(f"{glob.escape(path.name)}*"))


def parts(path: Path) -> list[Path]:
    """The database, its log and the copies of it: all that is ours of what is beside it."""
    endings = {"", "-wal", "-shm", "-journal", COPYING}
    return [file for file in beside(path) if file.name[len(path.name) :] in endings] + copies(path)


def why_unusable(path: Path) -> str | None:
    """What speaks against using this file as the database; None: nothing does. It is only read."""
    known = max(_known_steps(files("fv.schema")))
    try:
        with closing(driver.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (step,) = connection.execute("SELECT max(number) FROM schema_steps").fetchone()
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except Broken:
        return "what it holds is no database of ours"
    if said != "ok" or step is None:
        return "its database is damaged"
    return f"its database is at step {step} of a newer version, and this one knows {known}" if step > known else None


def copies(path: Path) -> list[Path]:
    """Those made before an upgrade."""
    return [file for file in beside(path) if file.name.startswith(f"{path.name}.step-")]


def connect(path: Path) -> Connection:
    connection = driver.connect(path, isolation_level=None, check_same_thread=False)  # transactions are ours
    connection.row_factory = driver.Row
    for setting in SETTINGS:
        connection.execute(setting)
    connection.enable_load_extension(True)
    sqlite_vec.load(connection)
    connection.enable_load_extension(False)
    return connection


def is_alone(path: Path) -> bool:
    """Whether no connection to it is open, of this process or another: with a write-ahead log each holds a lock.

    One that is about to end is waited for.
    """
    with closing(driver.connect(path, timeout=ENDING)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # taken with the first page that is read
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except Broken as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != BUSY:
                raise
            return False
        return True


def facts(connection: Connection) -> Facts:
    def says(question: str) -> str:
        return str(connection.execute(question).fetchone()[0])

    checked = says("PRAGMA integrity_check(1)")  # with the indexes: a changed one hides rows
    return Facts(
        engine=f"SQLite {says('SELECT sqlite_version()')} through {driver.__name__}",
        vectors=f"sqlite-vec {says('SELECT vec_version()')}, {sqlite_vec.loadable_path()}",
        journal=says("PRAGMA journal_mode"),
        step=int(says("SELECT max(number) FROM schema_steps")),
        newest_step=max(_known_steps(files("fv.schema"))),
        damage=None if checked == "ok" else checked,
    )


def prepare(path: Path, steps: Traversable | None = None) -> None:
    """Prove that vectors work, then apply every step not applied yet, after a copy when there is data to lose."""
    if not path.exists():
        path.touch(mode=0o600)
    with _alone(path), closing(connect(path)) as connection:
        _prove_vectors(connection)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_steps (number BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)"
        )
        known = _known_steps(steps or files("fv.schema"))
        applied = {row["number"] for row in connection.execute("SELECT number FROM schema_steps")}
        if applied and max(applied) > max(known):
            raise NewerSchema(
                f"The database {path} is at step {max(applied)}; this version knows {max(known)}. "
                "Install the newer version again, or restore the copy made before the upgrade."
            )
        missing = sorted(known.keys() - applied)
        if missing and applied:
            _copy(connection, path, max(applied))
        # a new database is there as a whole or not at all; an older one gets its steps one by one
        for numbers in [[number] for number in missing] if applied else [missing]:
            _apply(connection, {number: known[number].read_text("utf-8") for number in numbers})


def _known_steps(folder: Traversable) -> dict[int, Traversable]:
    return {int(step.name[:3]): step for step in folder.iterdir() if step.name[-4:] == ".sql"}


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process at a time makes this file: two at once would get in each other's way."""
    with open(os.open(path.with_name(f"{path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the file, also after kill -9
        yield


def _prove_vectors(connection: Connection) -> None:
    east, north = "[1, 0]", "[0, 1]"
    (distance,) = connection.execute("SELECT vec_distance_cosine(?, ?)", (east, north)).fetchone()
    if abs(distance - 1.0) > 1e-6:
        raise NoVectors(f"sqlite-vec says that right angles are {distance} apart instead of 1")


def _apply(connection: Connection, steps: Mapping[int, str]) -> None:
    """These steps in one transaction, their DDL included."""
    connection.execute(BEGIN)
    try:
        for number, sql in steps.items():
            for statement in _statements(sql):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_steps VALUES (?, ?)", (number, int(time.time())))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _statements(sql: str) -> Iterator[str]:
    """One after the other; a `;` inside a trigger, a text or a comment does not end one."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if driver.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


@contextmanager
def copied(connection: Connection, path: Path) -> Iterator[Path]:
    """`facevault.db.copying` beside the database: whole, and as private; gone afterwards, unless it was renamed.

    One at a time: who comes second waits, and makes it anew.
    """
    draft = path.with_name(f"{path.name}{COPYING}")
    with _alone(draft):
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        try:
            connection.execute("VACUUM INTO ?", (str(draft),))
            yield draft
        finally:
            draft.unlink(missing_ok=True)


def _copy(connection: Connection, path: Path, step: int) -> None:
    """`facevault.db.step-7` beside the database: whole, and as private. The older copy goes when this one is there."""
    target = path.with_name(f"{path.name}.step-{step}")
    with copied(connection, path) as draft:
        draft.rename(target)
    for old in copies(path):
        if old != target:
            old.unlink()
