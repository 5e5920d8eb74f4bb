"""The likeliest text of a known length in the output of a recogniser that was trained with CTC. Pure.

A recogniser gives, for each narrow slice of a line, how likely each letter is, or none (the blank). Read slice by
slice, two equal neighbours become one letter, and a run of twenty fillers becomes nineteen. The lines of a
machine-readable zone have a fixed number of letters: of all paths that spell so many, this finds the likeliest
(the Viterbi algorithm over the states of Graves et al., 2006, §4.1, with the number of letters as part of the state).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-5  # what any letter is worth in any slice: an unlikely one must not forbid the whole path

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Spelling:
    """`letters`: columns of the input. `sure`: of each letter, 0 to 1. `places`: the slice in which it is likeliest.

    `score`: mean natural logarithm of the likelihood of a slice; 0 is certain, and what is no such line is below -0.5.
    """

    letters: tuple[int, ...]
    sure: tuple[float, ...]
    places: tuple[int, ...]
    score: float


def spell(likely: Floats, length: int) -> Spelling | None:
    """`likely`: slices × letters, the blank in the last column. None: there are fewer slices than letters."""
    slices, blank = likely.shape[0], likely.shape[1] - 1
    if slices < length or not length:
        return None
    logs = np.log(np.maximum(likely, LEAST)).astype(np.float64)
    rows = np.arange(length + 1)
    # After n letters: the best path that ends in a blank, and in each letter.
    in_blank, in_letter = np.full(length + 1, -np.inf), np.full((length + 1, blank), -np.inf)
    in_blank[0] = 0.0
    came: list[tuple[NDArray[np.int8], NDArray[np.int64], NDArray[np.int64]]] = []
    for log in logs:
        best = in_letter.argmax(axis=1)
        highest = in_letter[rows, best]
        without = in_letter.copy()
        without[rows, best] = -np.inf
        second = without.argmax(axis=1)
        # A letter goes on, or begins after a blank, or after another letter.
        other, before = np.repeat(highest[:, None], blank, axis=1), np.repeat(best[:, None], blank, axis=1)
        other[rows, best], before[rows, best] = without[rows, second], second
        begins = np.full((2, length + 1, blank), -np.inf)
        begins[0, 1:], begins[1, 1:] = in_blank[:-1, None], other[:-1]
        ways = np.stack((in_letter, begins[0], begins[1]))
        way = ways.argmax(axis=0).astype(np.int8)
        came.append((way, before, np.where(in_blank >= highest, -1, best)))
        in_letter, in_blank = ways.max(axis=0) + log[:blank], np.maximum(in_blank, highest) + log[blank]
    return _traced(likely, length, in_blank, in_letter, came)


def _traced(
    likely: Floats,
    length: int,
    in_blank: NDArray[np.float64],
    in_letter: NDArray[np.float64],
    came: list[tuple[NDArray[np.int8], NDArray[np.int64], NDArray[np.int64]]],
) -> Spelling:
    letter = int(in_letter[length].argmax())
    score = max(in_letter[length, letter], in_blank[length]) / len(came)
    at: int = -1 if in_blank[length] >= in_letter[length, letter] else letter  # -1: in a blank
    number, letters, sure, places = length, [0] * length, [0.0] * length, [0] * length
    for place in range(len(came) - 1, -1, -1):
        way, before, from_blank = came[place]
        if at < 0:
            at = int(from_blank[number])
            continue
        letters[number - 1] = at
        if likely[place, at] >= sure[number - 1]:
            sure[number - 1], places[number - 1] = float(likely[place, at]), place
        took = way[number, at]
        if took:
            number, at = number - 1, -1 if took == 1 else int(before[number - 1, at])
    return Spelling(tuple(letters), tuple(sure), tuple(places), float(score))
