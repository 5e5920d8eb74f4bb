"""SQLite with sqlite-vec: the default engine. Only this module knows the driver.

The driver is Python's own sqlite3 when it can load extensions, else pysqlite3. Never both: one extension loaded into
two SQLite libraries of one process crashes it.
"""

import re
import sqlite3 as own
import time
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

import sqlite_vec

from fv.config import Misconfigured

if TYPE_CHECKING or hasattr(own.Connection, "enable_load_extension"):
    driver = own
else:
    import pysqlite3 as driver

BEGIN = "BEGIN IMMEDIATE"
#: How the engines spell what differs between them in a step of the schema.
SPELLING = {"vector": "BLOB CHECK (length(vector) = 512)"}  # 128 float32
SETTINGS = (
    "PRAGMA busy_timeout = 5000",  # ms a writer waits for another; first, because the next line may have to wait
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a spent code stays spent when the power fails
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # deleted is overwritten
    "PRAGMA mmap_size = 1073741824",  # 1 GiB of address space: pages are read without being copied
    "PRAGMA trusted_schema = OFF",
)

Connection = driver.Connection
Unavailable = driver.OperationalError  # locked too long, disk full, file gone


class NewerSchema(Misconfigured):
    """The database was written by a newer version."""


class NoVectors(Misconfigured):
    """sqlite-vec does not work here."""


def default_path(instance: str) -> Path:
    return Path(instance) / "facevault.db"


def connect(path: Path) -> Connection:
    connection = driver.connect(path, isolation_level=None, check_same_thread=False)  # transactions are ours
    connection.row_factory = driver.Row
    for setting in SETTINGS:
        connection.execute(setting)
    connection.enable_load_extension(True)
    sqlite_vec.load(connection)
    connection.enable_load_extension(False)
    return connection


def prepare(path: Path, steps: Traversable | None = None) -> None:
    """Prove that vectors work, then apply every step not applied yet, after a copy when there is data to lose."""
    steps = steps or files("fv.schema")
    existed = path.exists()
    if not existed:
        path.touch(mode=0o600)
    connection = connect(path)
    try:
        _prove_vectors(connection)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_steps (number BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)"
        )
        known = {int(step.name[:3]): step for step in steps.iterdir() if step.name.endswith(".sql")}
        applied = _applied(connection)
        if applied and max(applied) > max(known):
            raise NewerSchema(
                f"The database {path} is at step {max(applied)}; this version knows {max(known)}. "
                "Install the newer version again, or restore the copy made before the upgrade."
            )
        missing = sorted(known.keys() - applied)
        if missing and applied:
            _copy(connection, path, max(applied))
        for number in missing:
            _apply(connection, number, known[number].read_text("utf-8"))
    finally:
        connection.close()


def _prove_vectors(connection: Connection) -> None:
    east, north = "[1, 0]", "[0, 1]"
    (distance,) = connection.execute("SELECT vec_distance_cosine(?, ?)", (east, north)).fetchone()
    if abs(distance - 1.0) > 1e-6:
        raise NoVectors(f"sqlite-vec says that right angles are {distance} apart instead of 1")


def _applied(connection: Connection) -> set[int]:
    return {row["number"] for row in connection.execute("SELECT number FROM schema_steps")}


def _apply(connection: Connection, number: int, sql: str) -> None:
    """One step in one transaction; whoever comes second finds it done."""
    connection.execute(BEGIN)
    try:
        if number not in _applied(connection):
            for statement in re.split(r";\s*\n", sql.format(**SPELLING)):
                if statement.strip():
                    connection.execute(statement)
            connection.execute("INSERT INTO schema_steps VALUES (?, ?)", (number, int(time.time())))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _copy(connection: Connection, path: Path, step: int) -> None:
    """`facevault.db.step-7` beside the database: whole, and as private. Only the newest copy is kept."""
    target = path.with_name(f"{path.name}.step-{step}")
    for old in path.parent.glob(f"{path.name}.step-*"):
        old.unlink()
    target.touch(mode=0o600)
    connection.execute("VACUUM INTO ?", (str(target),))
