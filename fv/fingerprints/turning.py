"""Many templates at once, bit for bit as rotation.py and vector.py turn and pack them one at a time. Pure.

Arrays are float64 of shape (n, 128), a template a row. Each number goes through the same additions and products in the
same order, so nothing depends on how many there are: what was imported and what was added one by one is the same.
"""

import math

import numpy as np
from numpy.typing import NDArray

from fv.fingerprints.rotation import Rotation
from fv.fingerprints.vector import BYTES, LENGTH, Unusable

Array = NDArray[np.float64]

_STEPS = LENGTH.bit_length() - 1
_SCALE = 1 / math.sqrt(LENGTH)


def turned(rotation: Rotation, straight: Array) -> Array:
    """As Rotation.turn of each row. Raises ValueError when rows have another length."""
    places = _places(straight)
    for signs, order in zip(rotation.signs, rotation.orders, strict=True):
        places = _transformed(places[list(order)] * _column(signs))
    return places.T


def turned_back(rotation: Rotation, turned: Array) -> Array:
    """As Rotation.turn_back of each row. Raises ValueError when rows have another length."""
    places = _places(turned)
    for signs, order in zip(reversed(rotation.signs), reversed(rotation.orders), strict=True):
        placed = np.empty_like(places)
        placed[list(order)] = _transformed(places) * _column(signs)
        places = placed
    return places.T


def units(rows: Array) -> Array:
    """As vector.unit of each row. Raises Unusable when one of them is no template."""
    largest = np.abs(rows).max(axis=1, initial=0.0) if rows.shape[1:] == (LENGTH,) else np.zeros(1)
    if not (np.isfinite(largest) & (largest > 0)).all():
        raise Unusable("a template has 128 finite numbers, and not all of them are zero")
    scaled = rows / largest[:, None]
    # numpy's sums are rounded at each addition; 5 µs a row
    lengths = [math.sqrt(math.fsum(squares)) for squares in (scaled * scaled).tolist()]
    unit: Array = scaled / np.array(lengths).reshape(-1, 1)
    return unit


def packed(rows: Array) -> list[bytes]:
    """As vector.pack of each row. Raises Unusable when one of them is no template."""
    whole = units(rows).astype("<f4").tobytes()
    return [whole[at : at + BYTES] for at in range(0, len(whole), BYTES)]


def numbers(stored: list[bytes]) -> Array:
    """As vector.numbers of each."""
    return np.frombuffer(b"".join(stored), "<f4").reshape(-1, LENGTH).astype(np.float64)


def _places(rows: Array) -> Array:
    """A place a row: so each step adds long runs of numbers that are beside each other."""
    if rows.ndim != 2 or rows.shape[1] != LENGTH:
        raise ValueError(f"{LENGTH} numbers are turned, not {rows.shape[-1] if rows.ndim else 0}")
    return np.ascontiguousarray(rows.T)


def _column(signs: tuple[int, ...]) -> Array:
    return np.array(signs, np.float64).reshape(-1, 1)


def _transformed(places: Array) -> Array:
    """As rotation._transformed."""
    for _ in range(_STEPS):
        left, right = places[0::2], places[1::2]
        places = np.concatenate((left + right, left - right))
    return places * _SCALE
