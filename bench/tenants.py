"""Ten thousand accounts with three templates each: what they take in the file, and what a search among three costs."""

import random
import statistics
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from crowd import Crowd
from gallery import LEAST, MODE, SPACE

from fv import create_app, db, ids
from fv.accounts import store as accounts
from fv.accounts.store import Account
from fv.db import sqlite
from fv.fingerprints import flows
from fv.fingerprints.flows import Face, Template

ACCOUNTS, EACH, SEARCHES = 10_000, 3, 300


@dataclass(frozen=True)
class Tenants:
    """`file`: bytes of the database; `parts`: of each table and of its indexes, the largest first.

    `wall`, `cpu`: milliseconds of flows.search, medians.
    """

    file: int
    parts: dict[str, int]
    wall: float
    cpu: float


def tenants(folder: Path, seed: int) -> Tenants:
    app = create_app(INSTANCE=folder / "tenants", HASH_MEMORY_KIB=8, HASH_PASSES=1)
    rows, now = Crowd(ACCOUNTS * EACH, seed).rows, int(time.time())
    made = [ids.new("acc") for _ in range(ACCOUNTS)]
    with app.app_context():
        for start in range(0, ACCOUNTS, 1000):
            with db.transaction():
                for place in range(start, start + 1000):
                    _fill(made[place], place, rows[EACH * place : EACH * place + EACH], now)
        db.empty_log()  # what was written is in the file
        took = []
        for place in random.Random(seed).sample(range(ACCOUNTS), SEARCHES):
            face = Face(SPACE, rows[EACH * place].tolist())
            wall, cpu = time.perf_counter(), time.process_time()
            found = flows.search(made[place], MODE, face, 10, LEAST)
            took.append((time.perf_counter() - wall, time.process_time() - cpu))
            assert found.searched == EACH
            assert found.hits[0].similarity > 1 - 1e-6
        path = db.path_of(app)
    db.close(app)
    walls, cpus = zip(*took, strict=True)
    return Tenants(path.stat().st_size, _parts(path), statistics.median(walls) * 1000, statistics.median(cpus) * 1000)


def _parts(path: Path) -> dict[str, int]:
    """What would get free without it: nothing is written."""
    with closing(sqlite.driver.connect(path, isolation_level=None)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        parts = {}
        for name in tables:
            connection.execute("BEGIN")
            connection.execute(f"DROP TABLE {name}")
            parts[name] = page * connection.execute("PRAGMA freelist_count").fetchone()[0]
            connection.execute("ROLLBACK")
    return dict(sorted(parts.items(), key=lambda part: -part[1]))


def _fill(account_id: str, number: int, rows: np.ndarray, now: int) -> None:
    """As an account comes by its templates over the API: no session, ids of our own, the name of a customer."""
    assert accounts.add(Account(account_id, f"customer{number}@example.org", "$argon2id$" + "x" * 87, "free", now))
    templates = [Template(f"customer-{number}-{place}", row.tolist()) for place, row in enumerate(rows)]
    flows.add(account_id, MODE, SPACE, templates, now)
