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

SEGMENT = 131_072  # rows: each has its own mean, step and bound, and to ask it costs 20 µs besides the scan
GROWTH = 20  # a full segment gets room for a twentieth more: 160 bytes a template at most
BLOCK = 8_192  # rows whose codes are widened at once: 4 MB
#: Best rows that are asked for over all segments, and besides of each. On data like faces those that can be among the
#: first ten are 190 of 100,000 (one time of ten over 320), and of a million 43 in each segment (one of a hundred 110).
ENOUGH, EACH = 320, 88
MORE = 4  # times as many, where they are not: a second scan costs more than two hundred rows in the first
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
        begin, end = self.count, self.count + len(numbers)
        if end > len(self._numbers):
            self._make_room(min(SEGMENT, max(end, self.count + self.count // GROWTH)))
        for start in range(0, len(numbers), BLOCK):
            coded = self.coding.code(vectors[start : start + BLOCK])
            here = slice(begin + start, begin + start + len(coded.rows))
            self._codes[here], self._sides[here] = coded.rows, coded.sides
            self.left, self.halved = max(self.left, coded.left), max(self.halved, coded.halved)
            self.length = max(self.length, coded.length)
        self._numbers[begin:end] = numbers
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

    def coded(self, places: Numbers) -> tuple[Bytes, Bytes]:
        """These rows, and their ninth bits."""
        return self._codes[places], self._sides[places]

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
    share = max(3 * most, ENOUGH // max(1, len(index.segments)) + EACH)
    best = zip(*(segment.best(queries, share) for segment in index.segments), strict=True)
    return [Scan(query, index.segments, of_segments) for query, of_segments in zip(queries, best, strict=True)]


class Scan:
    """One query against an index. `best`: of each segment, as Segment.best() says."""

    def __init__(self, query: Query, segments: Sequence[Segment], best: Sequence[tuple[Floats, Numbers]]) -> None:
        self._query, self._segments, self._best = query, segments, best

    def floor(self, most: int) -> float:
        """What the cosine of the `most`-th best row is at least; -1 where fewer rows are known."""
        edge = np.sort(np.concatenate([estimates for estimates, _ in self._best]))[-2 * most :][0]
        estimates, off = self._nearer([places[estimates >= edge] for estimates, places in self._best])
        lowest = np.sort(estimates - off)
        return float(lowest[-most]) if most <= len(lowest) else -1.0

    def reaching(self, floor: float) -> tuple[Floats, Numbers]:
        """Every row whose cosine can reach the floor: the most it can have, highest first, and its number."""
        chosen = []
        for segment, best in zip(self._segments, self._best, strict=True):
            slack = codes.slack(self._query, segment.left, segment.length)
            estimates, places = self._down_to(floor - slack, segment, best)
            chosen.append(places[estimates + slack >= floor])
        estimates, off = self._nearer(chosen)
        highest = estimates + off
        numbers = np.concatenate([one.numbers(places) for one, places in zip(self._segments, chosen, strict=True)])
        order = np.argsort(-highest)
        order = order[highest[order] >= floor]
        return highest[order], numbers[order]

    def _nearer(self, chosen: Sequence[Numbers]) -> tuple[Floats, Floats]:
        """Of these places of each segment estimates with nine bits, and how far they can be off."""
        rows, sides = zip(*(one.coded(places) for one, places in zip(self._segments, chosen, strict=True)), strict=True)
        vector = self._query.vector
        of_segments = [
            (one.coding.step, vector @ one.coding.mean, codes.slack_nearer(one.halved)) for one in self._segments
        ]
        step, product, off = np.repeat(np.array(of_segments), [len(places) for places in chosen], axis=0).T
        return product + step * codes.nearer(vector, np.concatenate(rows), np.concatenate(sides)), off

    def _down_to(self, least: float, segment: Segment, best: tuple[Floats, Numbers]) -> tuple[Floats, Numbers]:
        """Every row of the segment whose estimate reaches this: the best ones, when the last of them does not."""
        for _ in range(2):
            estimates, places = best
            if len(places) == segment.count or estimates[-1] < least:
                return best
            (best,) = segment.best([self._query], MORE * len(places))
        return segment.all(self._query)
