"""The secret rotation of an account: its templates keep their cosines, and fit to nobody else's. Pure.

Four rounds of a keyed change of signs, a keyed order, and the Walsh-Hadamard transform, each of which is orthogonal; so
is the whole, and turning back is the same rounds backwards. Everything but the transform comes out of SHAKE256 of the
seed (FIPS 202), byte for byte: no random-number library whose next version could draw otherwise, no stored matrix, no
logarithm that differs between machines. Making one takes 0.1 ms, turning a template as long.

It is a second layer and no encryption: who knows about 128 templates of an account, turned and unturned, can work the
rotation out. Then the account is given another one; a face could not be.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import add, sub

LENGTH = 128  # numbers, a power of two
SEED = 32  # bytes
ROUNDS = 4  # after two, each number of the result hangs on each of the template; two more cost 0.05 ms
_DRAW = 8  # bytes of one draw: the order is off from evenly drawn by less than 2^-56
_SIGNS = LENGTH // 8
_OF_ROUND = _SIGNS + _DRAW * (LENGTH - 1)
_STEPS = 7  # log2 of LENGTH
_SCALE = 1 / math.sqrt(LENGTH)
_PURPOSE = b"facevault template rotation 1\0"  # another construction has another number


@dataclass(frozen=True)
class Rotation:
    """`signs`: per round, 1 or -1 for each place. `orders`: per round, the place that each number comes from."""

    signs: tuple[tuple[int, ...], ...] = field(repr=False)
    orders: tuple[tuple[int, ...], ...] = field(repr=False)

    def turn(self, vector: Sequence[float]) -> list[float]:
        """128 numbers to 128, of the same length. Raises ValueError for another number of them."""
        turned = _checked(vector)
        for signs, order in zip(self.signs, self.orders, strict=True):
            turned = _transformed([turned[place] * sign for place, sign in zip(order, signs, strict=True)])
        return turned

    def turn_back(self, turned: Sequence[float]) -> list[float]:
        """What turn() was given, within 1e-12."""
        vector = _checked(turned)
        for signs, order in zip(reversed(self.signs), reversed(self.orders), strict=True):
            placed = [0.0] * LENGTH
            for place, sign, number in zip(order, signs, _transformed(vector), strict=True):
                placed[place] = number * sign
            vector = placed
        return vector


def of(seed: bytes) -> Rotation:
    """The rotation that belongs to this seed, the same on every machine. Raises ValueError when it is not 32 bytes."""
    if len(seed) != SEED:
        raise ValueError(f"a seed has {SEED} bytes")
    stream = hashlib.shake_256(_PURPOSE + seed).digest(ROUNDS * _OF_ROUND)
    rounds = [stream[at : at + _OF_ROUND] for at in range(0, len(stream), _OF_ROUND)]
    return Rotation(tuple(_signs(one[:_SIGNS]) for one in rounds), tuple(_order(one[_SIGNS:]) for one in rounds))


def _signs(drawn: bytes) -> tuple[int, ...]:
    bits = int.from_bytes(drawn, "little")
    return tuple(1 - 2 * (bits >> place & 1) for place in range(LENGTH))


def _order(drawn: bytes) -> tuple[int, ...]:
    """Fisher and Yates."""
    order = list(range(LENGTH))
    for number, last in enumerate(range(LENGTH - 1, 0, -1)):
        chosen = int.from_bytes(drawn[number * _DRAW : (number + 1) * _DRAW], "little") % (last + 1)
        order[last], order[chosen] = order[chosen], order[last]
    return tuple(order)


def _transformed(vector: list[float]) -> list[float]:
    """Walsh-Hadamard, scaled so that it is orthogonal and its own inverse.

    Each step takes neighbours together and puts sums before differences, which turns the bits of a place by one: after
    seven steps every number is in its own place again.
    """
    for _ in range(_STEPS):
        left, right = vector[0::2], vector[1::2]
        vector = [*map(add, left, right), *map(sub, left, right)]
    return [number * _SCALE for number in vector]


def _checked(vector: Sequence[float]) -> list[float]:
    if len(vector) != LENGTH:
        raise ValueError(f"{LENGTH} numbers are turned, not {len(vector)}")
    return list(vector)
