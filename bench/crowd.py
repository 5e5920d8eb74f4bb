"""Made-up templates that lie as those of faces do, who is looked for among them, and what is right.

A face is a centre that all share, what is a person's own, and what is a photo's own, each of them stronger in some of
the 128 numbers than in others. Two photos of a person have a cosine of about 0.96, two people one of about 0.8: the
model that comes with the product draws its line at 0.92. tests/test_search_exact.py draws its faces the same way.
"""

import math
from collections.abc import Sequence

import numpy as np

from fv.fingerprints import vector

AT_ONCE = 100_000  # rows: 100 MB in float64
CENTRE, OWN, PHOTO = 0.88, 0.42, 0.2  # lengths, nearly
PHOTOS = 3  # of a person, on average
TIE = 1e-9  # cosines nearer than this are compared again, with sums that are rounded once


class Crowd:
    """People of whom there are `count` photos."""

    def __init__(self, count: int, seed: int) -> None:
        self._draw = np.random.default_rng(seed)
        centre = self._draw.standard_normal(128)
        self._centre = CENTRE * centre / np.linalg.norm(centre)
        spread = np.exp(self._draw.normal(0, 0.7, 128))
        self._spread = spread / np.linalg.norm(spread)
        self._own = self._draw.standard_normal((count // PHOTOS + 1, 128), dtype=np.float32)
        self.rows = np.empty((count, 128), dtype="<f4")
        for start in range(0, count, AT_ONCE):
            part = self.rows[start : start + AT_ONCE]
            part[:] = self._photos(self._own[self._draw.integers(0, len(self._own), len(part))])

    def queries(self, count: int) -> np.ndarray:
        """(count, 128): new photos, in turn of somebody who may be there and of somebody who is not."""
        known = self._own[self._draw.integers(0, len(self._own), count)]
        strangers = self._draw.standard_normal((count, 128), dtype=np.float32)
        return self._photos(np.where(np.arange(count)[:, None] % 2 == 0, known, strangers))

    def _photos(self, own: np.ndarray) -> np.ndarray:
        photo = self._draw.standard_normal(own.shape, dtype=np.float32)
        made = self._centre + self._spread * (OWN * own.astype(np.float64) + PHOTO * photo)
        return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype("<f4")


def right(rows: np.ndarray, ids: Sequence[str], queries: np.ndarray, most: int) -> list[list[int]]:
    """Of each query the places of the `most` most similar rows, in order, equal ones by id: float64, every row."""
    wide, found = queries.astype(np.float64), np.empty((len(queries), len(rows)))
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE].astype(np.float64)
        lengths = np.sqrt(np.einsum("ij,ij->i", part, part))
        found[:, start : start + AT_ONCE] = wide @ (part / lengths[:, None]).T
    found /= np.sqrt(np.einsum("ij,ij->i", wide, wide))[:, None]
    return [_ordered(rows, ids, query, cosines, most) for query, cosines in zip(queries, found, strict=True)]


def _ordered(
    rows: np.ndarray, ids: Sequence[str], query: np.ndarray, cosines: np.ndarray, most: int
) -> list[int]:  # fmt: skip
    edge = np.partition(cosines, -most)[-most] if most < len(cosines) else -math.inf
    places = np.flatnonzero(cosines >= edge - TIE).tolist()
    exact = vector.cosines(query.tolist(), rows[places].tolist())
    order = sorted(zip(exact, places, strict=True), key=lambda pair: (-pair[0], ids[pair[1]]))
    return [place for _, place in order[:most]]
