"""Ours, in an instance folder of its own: a gallery with these rows, and the three ways to ask it."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fv import create_app, db, ids
from fv.accounts import store as accounts
from fv.accounts.store import Account
from fv.fingerprints import codes, comparing, flows, memory, store, vector
from fv.fingerprints.flows import Face
from fv.fingerprints.index import scanned
from fv.fingerprints.store import New, Space

SPACE, MODE = Space("bench"), "live"
ROOM = 1024  # MiB for the index: a gallery of five million has 650
AT_ONCE = 50_000  # templates in one transaction
LEAST = 0.0  # similarity, as the API has it when nobody says otherwise


class Ours:
    """`rows`: turned by the rotation of the account, as they are stored; `ids`: of the templates, by their places.

    Turned rows are coded better than straight ones: what is strong in a few numbers is spread over all of them.
    """

    def __init__(self, rows: np.ndarray, folder: Path, account_id: str | None = None) -> None:
        """`account_id`: of one that is there; None: one is made."""
        self.app = create_app(INSTANCE=folder / "instance", SEARCH_MEMORY=ROOM)
        self._context = self.app.app_context()
        self._context.push()
        self.account_id = account_id or ids.new("acc")
        if account_id is None:
            now = int(time.time())
            accounts.add(Account(self.account_id, "ada@example.org", "no password", "free", now))
        with db.transaction():
            generation, self._turning = flows.newest(self.account_id, int(time.time()))
            self._gallery_id = flows.gallery_of(self.account_id, MODE, SPACE, generation).id
        self.rows = self._turned(rows)
        self.ids = [ids.new("fp") for _ in rows]
        begun = time.perf_counter()
        for start in range(0, len(rows), AT_ONCE):
            with db.transaction():
                store.add(self._gallery_id, self._new(range(start, min(start + AT_ONCE, len(rows)))))
        db.empty_log()
        self.filling = (time.perf_counter() - begun) / len(rows)  # seconds a template
        before, begun = _resident(), time.perf_counter()
        with db.reading(), memory.of_app().lent(self.gallery()) as index:
            self.index = index
        self.loading = time.perf_counter() - begun  # seconds until the first search can begin
        self.resident = (_resident() - before) / len(rows)  # bytes a template
        self.held = memory.of_app().bytes / len(rows)  # the same, as the product counts them

    def _turned(self, rows: np.ndarray) -> np.ndarray:
        """As the rotation turns them one by one: it is linear. In place, so many at a time."""
        matrix = np.array([self._turning.turn(axis) for axis in np.eye(128).tolist()])
        for start in range(0, len(rows), AT_ONCE):
            rows[start : start + AT_ONCE] = rows[start : start + AT_ONCE].astype(np.float64) @ matrix
        return rows

    def _new(self, places: Sequence[int]) -> list[New]:
        now, rows = int(time.time()), self.rows
        return [New(self.ids[place], None, f"customer-{place // 3}", rows[place].tobytes(), now) for place in places]

    def gallery(self) -> store.Gallery:
        """Inside of a transaction."""
        found = store.gallery(self._gallery_id)
        assert found
        return found

    def face(self, query: np.ndarray) -> tuple[Face, bytes]:
        """And its template as it is compared: turned, 512 bytes."""
        straight = vector.unit(query.tolist())
        return Face(SPACE, straight), vector.pack(self._turning.turn(straight))

    # ── Three ways ───────────────────────────────────────────────────────────────────────────────────────────

    def scan(self, coded: codes.Query, most: int) -> None:
        """Every segment, and nothing with what it says."""
        scanned(self.index, [coded], most)

    def search(self, packed: bytes, most: int) -> list[str]:
        """Ids. What a search costs with the database, and without who asks."""
        with db.reading():
            return [one.id for one in comparing.nearest(self.gallery(), packed, most, LEAST)]

    def search_all(self, face: Face, most: int) -> list[str]:
        """Ids. With the galleries looked up, the template turned and every row described."""
        found = flows.search(self.account_id, MODE, face, most, LEAST)
        return [hit.fingerprint.id for hit in found.hits]

    def many(self, packed: Sequence[bytes], most: int) -> list[list[str]]:
        """Many templates against all of them, as an import does."""
        with db.reading():
            found = comparing.nearest_of_each(self.gallery(), packed, most, LEAST)
        return [[one.id for one in some] for some in found]

    def close(self) -> None:
        self._context.pop()
        db.close(self.app)


def _resident() -> int:
    """Bytes of this process that are no file."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon"))
