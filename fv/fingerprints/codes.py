"""Vectors as bytes, and how far what is computed from the bytes can be off. Pure; arrays are numpy's.

A row x is coded as 128 whole numbers c between -127 and 127, so that x = m + s c + r: m is the mean of its segment, s a
step, r what is left, which is at most R long. A query q is coded as q = t d + e. Then

    q·x = q·m + t s (d·c) + e·(s c) + q·r

and by Cauchy and Schwarz the last two terms are at most ‖e‖ L + ‖q‖ R, where L is the longest s c. The whole numbers
are multiplied and added without rounding: d·c is below 2^21, and float32 is exact up to 2^24.

A ninth bit of each number, kept apart, says on which side of c the row is: with c + 1/4 or c - 1/4 half as much is
left, and the product is taken with q itself. Only the rows that the scan named are looked at so.
"""

from dataclasses import dataclass
from math import fsum, sqrt

import numpy as np
from numpy.typing import NDArray

from fv.fingerprints.vector import LENGTH

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bytes = NDArray[np.uint8]

MOST = 127  # of a coded number
ZERO = 128  # how it is written as an unsigned byte: 0
QUARTER = 0.25  # of a step: from a whole number to the middle of either half around it
FINEST = 1e-4  # the smallest step: of equal vectors any will do
#: Lengths of stored vectors are 1 within 1e-7 (each of 128 numbers is rounded to float32), so a cosine and a product
#: differ by less than 2e-7; everything in float64 here rounds by less than 1e-13.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Coded:
    """Rows as bytes (n, 128), and their ninth bits (n, 16). `left`: the longest of what is left; `halved`: with the
    ninth bit. `length`: the longest of what is coded.
    """

    rows: Bytes
    sides: Bytes
    left: float
    halved: float
    length: float


@dataclass(frozen=True)
class Query:
    """`code`: whole numbers as float32 (128,); q = step * code + what is left, which is `left` long."""

    vector: Floats
    code: Singles
    step: float
    left: float


class Coding:
    """Of a segment. Made for the rows of a sample; codes any row, those far from it with more left over."""

    def __init__(self, sample: Singles) -> None:
        self.mean: Floats = sample.mean(axis=0, dtype=np.float64)
        furthest = max(float((sample.max(axis=0) - self.mean).max()), float((self.mean - sample.min(axis=0)).max()))
        self.step = max(FINEST, furthest / MOST)

    def code(self, vectors: Singles) -> Coded:
        """(n, 128) to (n, 128). n >= 1."""
        away = vectors - self.mean
        whole = np.clip(np.rint(away / self.step), -MOST, MOST)
        coded = self.step * whole
        is_above = away >= coded
        nearer = coded + self.step * np.where(is_above, QUARTER, -QUARTER)
        left, halved, length = map(_longest, (away - coded, away - nearer, coded))
        return Coded((whole + ZERO).astype(np.uint8), np.packbits(is_above, axis=1), left, halved, length)

    def estimates(self, query: Query, products: Singles) -> Floats:
        """Of q·x, from the products d·c."""
        return float(query.vector @ self.mean) + query.step * self.step * products.astype(np.float64)


def query(vector: Floats) -> Query:
    """Of a vector that is not zero, whatever its length."""
    unit = vector / np.sqrt(vector @ vector)
    step = float(np.abs(unit).max()) / MOST
    whole = np.rint(unit / step)
    rest = unit - step * whole
    return Query(unit, whole.astype(np.float32), step, float(np.sqrt(rest @ rest)))


def nearer(vector: Floats, rows: Bytes, sides: Bytes) -> Floats:
    """Products of a vector with c ± 1/4 of each row: an estimate is m·q and a step for each of them."""
    above = np.unpackbits(sides, axis=1) @ (2 * QUARTER * vector)
    return np.asarray(rows @ vector + above - (ZERO + QUARTER) * vector.sum())


def slack(query: Query, left: float, length: float) -> float:
    """How far a cosine can be from its estimate, for every row with no more left over and no longer code."""
    return left + query.left * length + ROUNDING


def slack_nearer(halved: float) -> float:
    """The same for the product with a row of nine bits: nothing is left of the query then."""
    return halved + ROUNDING


def _longest(rows: Floats) -> float:
    return float(np.sqrt(np.einsum("ij,ij->i", rows, rows).max()))


def cosines(vector: Floats, rows: Singles) -> Floats:
    """In float64, of rows as they are stored: right within 1e-13."""
    wide = rows.astype(np.float64)
    lengths = np.einsum("ij,ij->i", wide, wide) * (vector @ vector)
    return np.asarray(wide @ vector / np.sqrt(lengths))


def exact_cosines(vector: Floats, rows: Singles) -> list[float]:
    """As vector.cosines, bit for bit: float64 holds products of float32 numbers, and each sum is rounded once."""
    wide = rows.astype(np.float64)
    length = fsum((vector * vector).tolist())
    return [
        max(-1.0, min(1.0, fsum(product) / sqrt(length * fsum(square))))
        for product, square in zip((wide * vector).tolist(), (wide * wide).tolist(), strict=True)
    ]


def array(packed: bytes) -> Singles:
    """Stored vectors, one after the other, as (n, 128)."""
    return np.frombuffer(packed, dtype="<f4").reshape(-1, LENGTH)
