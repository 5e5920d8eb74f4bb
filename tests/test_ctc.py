"""The likeliest text of a known length: compared with trying every path."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fv.analysis import ctc
from fv.analysis.ctc import LEAST

LETTERS = 3  # and the blank


def collapsed(path):
    """What a path spells: equal neighbours are one, blanks nothing."""
    kept = [one for number, one in enumerate(path) if number == 0 or one != path[number - 1]]
    return tuple(one for one in kept if one != LETTERS)


def best_of_all(likely, length):
    """The logarithm of the likeliest path that spells so many letters."""
    logs = np.log(np.maximum(likely, LEAST))
    return max(
        (
            sum(logs[place, one] for place, one in enumerate(path))
            for path in product(range(LETTERS + 1), repeat=len(likely))
            if len(collapsed(path)) == length
        ),
        default=-np.inf,
    )


def of(numbers):
    likely = np.array(numbers, np.float32).reshape(-1, LETTERS + 1)
    return likely / likely.sum(axis=1, keepdims=True)


outputs = st.integers(1, 5).flatmap(
    lambda slices: st.lists(st.floats(0.01, 1), min_size=slices * (LETTERS + 1), max_size=slices * (LETTERS + 1))
)


@settings(max_examples=60)
@given(outputs, st.integers(1, 5))
def test_it_finds_the_likeliest_of_all_paths(numbers, length):
    likely = of(numbers)
    found, best = ctc.spell(likely, length), best_of_all(likely, length)
    if found is None:
        assert length > len(likely)
    elif best == -np.inf:  # no path spells so many
        assert found.score == -np.inf
    else:
        assert found.score * len(likely) == pytest.approx(best, rel=1e-5)


@settings(max_examples=60)
@given(outputs, st.integers(1, 3))
def test_what_it_says_is_spelled_by_a_path_of_that_likelihood(numbers, length):
    likely = of(numbers)
    found = ctc.spell(likely, length)
    if found is None or found.score == -np.inf:
        return
    logs = np.log(np.maximum(likely, LEAST))
    alike = [path for path in product(range(LETTERS + 1), repeat=len(likely)) if collapsed(path) == found.letters]
    best = max(sum(logs[place, one] for place, one in enumerate(path)) for path in alike)
    assert found.score * len(likely) == pytest.approx(best, rel=1e-5)
    assert list(found.places) == sorted(found.places) and len(found.letters) == length
    for letter, place, sure in zip(found.letters, found.places, found.sure, strict=True):
        assert likely[place, letter] == pytest.approx(sure)


def test_a_run_of_equal_letters_has_as_many_as_are_asked_for():
    """Read slice by slice, `AA` with a weak gap between them becomes one `A`."""
    likely = of([0.9, 0.05, 0.03, 0.02] * 3 + [0.6, 0.1, 0.1, 0.2] + [0.9, 0.05, 0.03, 0.02] * 3)
    assert ctc.spell(likely, 1).letters == (0,) and ctc.spell(likely, 2).letters == (0, 0)


@pytest.mark.parametrize("length", [0, 4])
def test_more_letters_than_slices_or_none_are_no_text(length):
    assert ctc.spell(of([1, 1, 1, 1] * 3), length) is None
