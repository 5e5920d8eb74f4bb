"""A template as bytes: 128 float32, little-endian, of length 1. Pure."""

import math
import struct
from collections.abc import Iterable, Sequence
from operator import mul

LENGTH = 128  # numbers
BYTES = 4 * LENGTH
_FORMAT = f"<{LENGTH}f"


class Unusable(Exception):
    """Not 128 finite numbers with a direction. Says no more: a template is in no message."""


def unit(numbers: Sequence[float]) -> list[float]:
    """The same direction, of length 1, whatever the magnitude. Raises Unusable."""
    largest = max(map(abs, numbers), default=0.0)
    if len(numbers) != LENGTH or not all(map(math.isfinite, numbers)) or largest == 0:
        raise Unusable("a template has 128 finite numbers, and not all of them are zero")
    scaled = [number / largest for number in numbers]  # else the squares of very large or small numbers are lost
    length = math.sqrt(math.fsum(number * number for number in scaled))
    return [number / length for number in scaled]


def pack(numbers: Sequence[float]) -> bytes:
    """512 bytes. Raises Unusable."""
    return struct.pack(_FORMAT, *unit(numbers))


def unpack(packed: bytes) -> list[float]:
    """What pack() wrote: of length 1 within 1e-6. Raises Unusable."""
    if len(packed) != BYTES:
        raise Unusable(f"a stored template has {BYTES} bytes")
    return unit(struct.unpack(_FORMAT, packed))


def numbers(packed: bytes) -> tuple[float, ...]:
    """The 128 numbers as they are stored."""
    return struct.unpack(_FORMAT, packed)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two vectors that are not zero, -1 to 1."""
    return cosines(one, [other])[0]


def cosines(one: Sequence[float], others: Iterable[Sequence[float]]) -> list[float]:
    """Of one vector with each of the others; none of them is zero.

    Each sum is rounded once, whatever the order of its terms; of stored vectors, whose products float64 holds exactly,
    it is the sum itself. So equal vectors have equal cosines everywhere, and one with itself has 1.0.
    """
    length = math.fsum(map(mul, one, one))
    found = []
    for other in others:
        lengths = length * math.fsum(map(mul, other, other))
        found.append(max(-1.0, min(1.0, math.fsum(map(mul, one, other)) / math.sqrt(lengths))))
    return found
