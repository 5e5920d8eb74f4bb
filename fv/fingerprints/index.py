"""The codes of one gallery in memory, and the scan over them. Only this module knows faiss.

152 bytes a template. The scan is FAISS's scalar quantizer with one signed byte a number: an exact product of whole
numbers for each row, the best ones kept in a heap, without the GIL and in one thread, because requests are the
parallelism. What it says is off by a known bound (codes.py), so it names rows; it decides nothing.
"""

from collections.abc import Sequence
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from fv.fingerprints import codes
from fv.fingerprints.codes import ZERO, Bytes, Coding, Floats, Query, Singles
from fv.fingerprints.vector import LENGTH

Numbers = NDArray[np.int64]

SEGMENT = 65_536  # rows: each has its own mean, step and bound, and a call costs 7 µs
GROWTH = 20  # a full segment gets room for a twentieth more: 160 bytes a template at most
BLOCK = 8_192  # rows whose codes are widened at once: 4 MB
ENOUGH = 128  # best rows that are asked for, over all segments: about 60 of a million can be among the first ten
LEAST = 48  # of one segment
MORE = 8  # times as many, where those are not enough
SIDES = LENGTH // 8  # bytes: a bit for each number
A_ROW = LENGTH + SIDES + 8  # bytes, the last of them for its number in the gallery


class Segment:
    """Up to SEGMENT rows. `left`, `halved` and `length`: of all that were ever in it, as in codes.Coded."""

    def __init__(self, coding: Coding) -> None:
        self.coding, self.count = coding, 0
        self.left = self.halved = self.length = 0.0
        self._codes: Bytes = np.zeros((0, LENGTH), dtype=np.uint8)
        self._sides: Bytes = np.zeros((0, SIDES), dtype=np.uint8)
        self._numbers: Numbers = np.zeros(0, dtype=np.int64)
        self._index = _empty()

    def add(self, numbers: Numbers, vectors: Singles) -> None:
        """There has to be room for them: see `free`."""
        coded, end = self.coding.code(vectors), self.count + len(numbers)
        if end > len(self._numbers):
            self._make_room(min(SEGMENT, max(end, self.count + self.count // GROWTH)))
        self._codes[self.count : end], self._sides[self.count : end] = coded.rows, coded.sides
        self._numbers[self.count : end] = numbers
        self.left, self.halved = max(self.left, coded.left), max(self.halved, coded.halved)
        self.length = max(self.length, coded.length)
        self._count(end)

    def remove(self, gone: Numbers) -> None:
        """The last rows take the places of those that go; the places that get free are overwritten."""
        for place in np.flatnonzero(np.isin(self._numbers[: self.count], gone))[::-1]:
            last = self.count - 1
            for part in (self._codes, self._sides, self._numbers):
                part[place] = part[last]
            self._codes[last], self._sides[last], self._numbers[last] = ZERO, 0, 0
            self._count(last)

    def best(self, queries: Sequence[Query], most: int) -> list[tuple[Floats, Numbers]]:
        """For each query estimates of its best rows, in order, and their places."""
        faiss.omp_set_num_threads(1)  # it is a setting of the calling thread
        products, places = self._index.search(np.stack([one.code for one in queries]), min(most, self.count))
        return [
            (self.coding.estimates(query, some), where)
            for query, some, where in zip(queries, products, places, strict=True)
        ]

    def all(self, query: Query) -> tuple[Floats, Numbers]:
        """Those of every row, by place."""
        products = np.empty(self.count, dtype=np.float32)
        for start in range(0, self.count, BLOCK):
            block = self._codes[start : min(start + BLOCK, self.count)].astype(np.float32) - ZERO
            products[start : start + BLOCK] = block @ query.code
        return self.coding.estimates(query, products), np.arange(self.count)

    def refined(self, query: Query, places: Numbers) -> Floats:
        """Estimates of these rows that are nearer: with the ninth bits, and with the query itself."""
        return self.coding.products(query.vector, self._codes[places], self._sides[places])

    def numbers(self, places: Numbers) -> Numbers:
        return self._numbers[places]

    @property
    def free(self) -> int:
        """Rows that can be added."""
        return SEGMENT - self.count

    @property
    def bytes(self) -> int:
        return A_ROW * len(self._numbers)

    def _count(self, rows: int) -> None:
        self.count = self._index.ntotal = rows

    def _make_room(self, rows: int) -> None:
        """A vector of exactly this size: one that grows by itself takes twice as much."""
        grown = _empty()
        grown.codes.resize(rows * LENGTH)
        codes: Bytes = faiss.rev_swig_ptr(grown.codes.data(), rows * LENGTH).reshape(rows, LENGTH)
        sides: Bytes = np.zeros((rows, SIDES), dtype=np.uint8)
        numbers: Numbers = np.zeros(rows, dtype=np.int64)
        for new, old in ((codes, self._codes), (sides, self._sides), (numbers, self._numbers)):
            new[: self.count] = old[: self.count]
        self._codes[:], self._sides[:] = ZERO, 0  # they go back to the allocator as they are
        self._index, self._codes, self._sides, self._numbers = grown, codes, sides, numbers
        self._count(self.count)


def _empty() -> Any:
    return faiss.IndexScalarQuantizer(LENGTH, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT)


class Index:
    """The segments of a gallery, as it was at `version`. Whoever changes it is alone with it (memory.py)."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """As it was at the version before all changes."""
        self.version, self.segments = 0, list[Segment]()

    def add(self, numbers: Sequence[int], vectors: Singles) -> None:
        """(n,) and (n, 128), of length 1."""
        given, start = np.asarray(numbers, dtype=np.int64), 0
        while start < len(given):
            segment = self._with_room(vectors[start : start + SEGMENT])
            end = start + min(segment.free, len(given) - start)
            segment.add(given[start:end], vectors[start:end])
            start = end

    def remove(self, numbers: Sequence[int]) -> None:
        """Those that are not there are passed over."""
        gone = np.asarray(numbers, dtype=np.int64)
        for segment in self.segments if len(gone) else ():
            segment.remove(gone)
        self.segments = [segment for segment in self.segments if segment.count]

    def __len__(self) -> int:
        return sum(segment.count for segment in self.segments)

    @property
    def bytes(self) -> int:
        return sum(segment.bytes for segment in self.segments)

    def _with_room(self, sample: Singles) -> Segment:
        for segment in self.segments:
            if segment.free:
                return segment
        # one that begins with few rows knows too little of them: it is coded as those before it
        coding = self.segments[-1].coding if self.segments and len(sample) < BLOCK else Coding(sample)
        self.segments.append(Segment(coding))
        return self.segments[-1]


def scanned(index: Index, queries: Sequence[Query], most: int) -> "list[Scan]":
    """Each query against an index, which must not change meanwhile."""
    share = max(2 * most, ENOUGH // max(1, len(index.segments)), LEAST)
    best = zip(*(segment.best(queries, share) for segment in index.segments), strict=True)
    return [Scan(query, index.segments, of_segments) for query, of_segments in zip(queries, best, strict=True)]


class Scan:
    """One query against an index. `best`: of each segment, as Segment.best() says."""

    def __init__(self, query: Query, segments: Sequence[Segment], best: Sequence[tuple[Floats, Numbers]]) -> None:
        self._query, self._segments, self._best = query, segments, best

    def floor(self, most: int) -> float:
        """What the cosine of the `most`-th best row is at least; -1 where fewer rows are known."""
        lowest = [
            segment.refined(self._query, places[:most]) - codes.slack_refined(segment.halved)
            for segment, (_, places) in zip(self._segments, self._best, strict=True)
        ]
        together = np.sort(np.concatenate(lowest))
        return float(together[-most]) if most <= len(together) else -1.0

    def reaching(self, floor: float) -> tuple[Floats, Numbers]:
        """Every row whose cosine can reach the floor: the most it can have, highest first, and its number."""
        found = []
        for segment, best in zip(self._segments, self._best, strict=True):
            slack = codes.slack(self._query, segment.left, segment.length)
            estimates, places = self._down_to(floor - slack, segment, best)
            places = places[estimates + slack >= floor]
            highest = segment.refined(self._query, places) + codes.slack_refined(segment.halved)
            can = highest >= floor
            found.append((highest[can], segment.numbers(places[can])))
        highest = np.concatenate([part for part, _ in found])
        order = np.argsort(-highest)
        return highest[order], np.concatenate([part for _, part in found])[order]

    def _down_to(self, least: float, segment: Segment, best: tuple[Floats, Numbers]) -> tuple[Floats, Numbers]:
        """Every row of the segment whose estimate reaches this: the best ones, when the last of them does not."""
        for _ in range(2):
            estimates, places = best
            if len(places) == segment.count or estimates[-1] < least:
                return best
            (best,) = segment.best([self._query], MORE * len(places))
        return segment.all(self._query)
