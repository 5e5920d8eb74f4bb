"""The most similar templates of a gallery, exactly: a bound says which rows can be meant, and those are compared.

Two ways lead to the same rows. A small gallery is compared by the database, in float32; a large one by an index in
memory (index.py), in int8. What either says is off by no more than a known bound, and each row within it is compared
anew from what is stored, with sums that are rounded once. So the answer does not depend on the way.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from fv.fingerprints import codes, store
from fv.fingerprints import memory as galleries
from fv.fingerprints.codes import Floats
from fv.fingerprints.index import Scan, scanned
from fv.fingerprints.store import Gallery, Row

SMALL = 2_000  # templates: fewer are compared by the database in less than a millisecond
AT_ONCE = 1_000  # rows that are read by one statement
CLOSE = 1e-12  # ten times what float64 can be off

#: How far vec_distance_cosine can be off. A sum of 128 products in float32 errs by at most 128 u / (1 - 128 u) of the
#: sum of their magnitudes, u = 2^-24, in any order (Higham, Accuracy and Stability, §3.1): 7.7e-6. The two lengths
#: enter with half of that each, and square roots, quotient and difference round five times more: 1.6e-5 together.
ROUGH = 2e-5


class Scored(NamedTuple):
    """A row and its cosine with what was looked for."""

    similarity: float
    number: int
    id: str


def nearest(gallery: Gallery, packed: bytes, most: int, least: float, *, by_index: bool = True) -> list[Scored]:
    """The `most` most similar ones of those from `least` on; similar ones first, equal ones by id.

    `packed`: as stored, turned by the rotation of the gallery. Inside of db.reading() or a transaction, in which the
    gallery was read too, and which has not changed it. Raises memory.Ahead, when it may go by the index.
    """
    (found,) = nearest_of_each(gallery, [packed], most, least, by_index=by_index)
    return found


def nearest_but(gallery: Gallery, packed: bytes, external_user_id: str) -> list[Scored]:
    """The most similar one of another external_user_id, or none: by the database, 60 ms for 100,000 templates."""
    rows = store.nearly_nearest(gallery.id, packed, 1, -1.0, 2 * ROUGH, external_user_id)
    return best(packed, rows, 1, -1.0)


def nearest_of_each(
    gallery: Gallery, queries: Sequence[bytes], most: int, least: float, *, by_index: bool = True
) -> list[list[Scored]]:
    """As nearest(), for many queries as of one moment. A segment of the index stays in the cache for all of them."""
    memory = galleries.of_app()
    if not queries or not by_index or gallery.size < SMALL or not memory.takes(gallery):
        found = [store.nearly_nearest(gallery.id, packed, most, least, 2 * ROUGH) for packed in queries]
        return [best(packed, rows, most, least) for packed, rows in zip(queries, found, strict=True)]
    with memory.lent(gallery) as index:
        scans = scanned(index, [codes.query(_wide(packed)) for packed in queries], most)
        return [
            best(packed, _reaching(scan, gallery, packed, most, least), most, least)
            for packed, scan in zip(queries, scans, strict=True)
        ]


def warm(gallery: Gallery) -> None:
    """Bring the index that nearest() would use up to date now: a gallery of a million takes seconds to be loaded."""
    memory = galleries.of_app()
    if gallery.size >= SMALL and memory.takes(gallery):
        with suppress(galleries.Ahead), memory.lent(gallery):
            pass


def best(packed: bytes, rows: Sequence[Row], most: int, least: float) -> list[Scored]:
    """Of these rows, compared exactly."""
    different = list({row.vector for row in rows})  # equal vectors are compared once: a gallery may consist of them
    cosines = codes.exact_cosines(_wide(packed), codes.array(b"".join(different)))
    known = dict(zip(different, cosines, strict=True))
    scored = (Scored(known[row.vector], row.number, row.id) for row in rows)
    found = sorted((one for one in scored if one.similarity >= least), key=lambda one: (-one.similarity, one.id))
    return found[:most]


def _reaching(scan: Scan, gallery: Gallery, packed: bytes, most: int, least: float) -> list[Row]:
    """Rows among which the answer is: whatever can reach the `most`-th best that is known by then."""
    known = _Known(_wide(packed), most, max(least, scan.floor(most)))
    highest, numbers = scan.reaching(known.floor)
    for start in range(0, len(numbers), AT_ONCE):
        if highest[start] < known.floor:
            break  # the floor rose meanwhile, and those that follow can have less
        known.add(store.rows(gallery.id, numbers[start : start + AT_ONCE].tolist()))
    return known.rows


def _wide(packed: bytes) -> Floats:
    return np.asarray(codes.array(packed)[0], dtype=np.float64)


class _Known:
    """Rows that were compared in float64, which errs by less than CLOSE. `floor`: no answer is below it."""

    def __init__(self, query: Floats, most: int, least: float) -> None:
        self._query, self._most = query, most
        self._cosines: Floats = np.zeros(0)
        self.rows: list[Row] = []
        self.floor = least - CLOSE

    def add(self, rows: list[Row]) -> None:
        found = codes.cosines(self._query, codes.array(b"".join(row.vector for row in rows)))
        cosines, together = np.concatenate([self._cosines, found]), [*self.rows, *rows]
        if len(cosines) >= self._most:
            worst = np.partition(cosines, -self._most)[-self._most]
            self.floor = max(self.floor, float(worst) - CLOSE)
        kept = np.flatnonzero(cosines >= self.floor)
        self._cosines, self.rows = cosines[kept], [together[place] for place in kept]
