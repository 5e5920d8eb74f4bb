"""The most similar templates of a gallery, exactly: a bound says which rows can be meant, and those are compared.

Two ways lead to the same rows. A small gallery is compared by the database, in float32; a large one by an index in
memory (index.py), in int8. What either says is off by no more than a known bound, and each row within it is compared
anew from what is stored, with sums that are rounded once. So the answer does not depend on the way.
"""

from collections.abc import Iterable
from typing import NamedTuple

from fv.fingerprints import store, vector
from fv.fingerprints.store import Gallery, Row

#: How far vec_distance_cosine can be off. A sum of 128 products in float32 errs by at most 128 u / (1 - 128 u) of the
#: sum of their magnitudes, u = 2^-24, in any order (Higham, Accuracy and Stability, §3.1): 7.7e-6. The two lengths
#: enter with half of that each, and square roots, quotient and difference round five times more: 1.6e-5 together.
ROUGH = 2e-5


class Scored(NamedTuple):
    """A row and its cosine with what was looked for."""

    similarity: float
    number: int
    id: str


def nearest(gallery: Gallery, packed: bytes, most: int, least: float) -> list[Scored]:
    """The `most` most similar ones of those from `least` on; similar ones first, equal ones by id.

    `packed`: as stored, turned by the rotation of the gallery. Inside of db.reading() or a transaction, in which the
    gallery was read too.
    """
    if gallery.size == 0:
        return []
    return best(packed, store.nearly_nearest(gallery.id, packed, most, least, 2 * ROUGH), most, least)


def best(packed: bytes, rows: Iterable[Row], most: int, least: float) -> list[Scored]:
    """Of these rows, compared exactly."""
    query = vector.numbers(packed)
    known: dict[bytes, float] = {}  # equal vectors are compared once: a gallery may consist of them
    for row in (rows := list(rows)):
        if row.vector not in known:
            known[row.vector] = vector.cosine(query, vector.numbers(row.vector))
    scored = (Scored(known[row.vector], row.number, row.id) for row in rows)
    found = sorted((one for one in scored if one.similarity >= least), key=lambda one: (-one.similarity, one.id))
    return found[:most]
