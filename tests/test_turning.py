"""Many templates at once are, bit for bit, what one after the other gives."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fv.fingerprints import rotation, turning, vector

SEEDS = st.binary(min_size=32, max_size=32)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
#: Very large, very small and both zeros among them; a few are drawn and repeated, or drawing takes long.
ROWS = st.lists(
    st.lists(FLOATS, min_size=1, max_size=16).map(lambda few: (few * 128)[:128]).filter(any), min_size=1, max_size=4
)


def bits(rows):
    return [struct.pack("<128d", *row) for row in rows]


@given(SEEDS, ROWS)
def test_many_are_turned_as_one(seed, rows):
    one, straight = rotation.of(seed), [vector.unit(row) for row in rows]
    assert bits(turning.turned(one, np.array(straight))) == bits(one.turn(row) for row in straight)
    assert bits(turning.turned_back(one, np.array(straight))) == bits(one.turn_back(row) for row in straight)


@given(ROWS)
def test_many_are_brought_to_length_one_and_packed_as_one(rows):
    assert bits(turning.units(np.array(rows))) == bits(vector.unit(row) for row in rows)
    assert turning.packed(np.array(rows)) == [vector.pack(row) for row in rows]


@given(ROWS)
def test_stored_ones_are_read_as_one(rows):
    stored = [vector.pack(row) for row in rows]
    assert bits(turning.numbers(stored)) == bits(vector.numbers(one) for one in stored)


def test_a_thousand_at_once_are_turned_as_one():
    rows = np.random.default_rng(1).standard_normal((1000, 128))
    one = rotation.of(bytes(range(32)))
    assert bits(turning.turned(one, rows)) == bits(one.turn(row) for row in rows.tolist())


@pytest.mark.parametrize("bad", [[0.0] * 128, [math.nan] + [1.0] * 127, [1.0] * 127 + [-math.inf]])
def test_one_that_is_no_template_is_refused_wherever_it_stands(bad):
    with pytest.raises(vector.Unusable):
        turning.packed(np.array([[1.0] * 128, bad, [1.0] * 128]))


@pytest.mark.parametrize("shape", [(0,), (128,), (2, 127), (2, 129), (1, 2, 128)])
def test_only_rows_of_128_numbers_are_turned(shape):
    for turns in (turning.turned, turning.turned_back):
        with pytest.raises(ValueError, match="128 numbers"):
            turns(rotation.of(bytes(32)), np.ones(shape))
    with pytest.raises(vector.Unusable):
        turning.units(np.ones(shape))


def test_none_at_all_are_none():
    none = np.empty((0, 128))
    assert turning.packed(turning.turned(rotation.of(bytes(32)), none)) == [] and turning.numbers([]).shape == (0, 128)
