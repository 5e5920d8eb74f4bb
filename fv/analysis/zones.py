"""Find the machine-readable zone on a photo, at any angle, and read it: several times, and by all readings together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from fv.analysis import ctc, images, layouts, mrz, strips
from fv.analysis.images import Array, Quad
from fv.analysis.ocr import Ocr

LINE, TOO_LONG = 8, 45  # times its height: how long a line of a zone may be, with a part missing; they are 15 to 30
MOST = 8  # pieces that are tried, the longest first: 60 ms each; on a document no others are as long as those of a zone
MOST_GROUPS = 3  # that are read again: 0.6 s each
DECIDED = 0.3  # how much surer one way up has to be read than the other; then no more lines are tried
ALMOST = -0.35  # the least score (ctc.Spelling) of a line of a zone; they have -0.05 to 0, other text -0.5 and less
#: Further readings: how much longer and higher than the piece of text, in heights of it, and how much stretched.
AGAIN = ((0.6, 0.12, 1.0), (0.3, 0.0, 1.25), (0.5, 0.25, 0.85), (0.4, -0.06, 1.1))
DOUBT = 0.02  # how likely a letter must be for a place to be in doubt; a look-alike that it is not has less than 0.001
ODD = 4  # letters of a zone that cannot stand where they were read at first; lines of other text have 10 and more
LENGTHS = {30: 3, 36: 2, 44: 2}  # letters of a line, and lines


@dataclass(frozen=True)
class Found:
    """`doubts`: what each place may be, in the eyes of the recogniser; `sure`: how likely the letters of its least sure
    line are, 0 to 1 and by their mean: a line that was seen in part is below 0.9.
    """

    zone: mrz.Zone
    quads: tuple[Quad, ...]
    doubts: mrz.Doubts
    sure: float

    @property
    def rank(self) -> tuple[bool, float]:
        """Higher is better."""
        return self.zone.fits, self.sure


@dataclass(frozen=True)
class Page:
    """The pieces of text on a photo, all in one reading direction (a unit vector)."""

    quads: tuple[Quad, ...]
    direction: Quad


@dataclass(frozen=True, eq=False)
class Row:
    quad: Quad
    spelled: dict[int, ctc.Spelling]  # by number of letters


def page(ocr: Ocr, image: Array, quads: Sequence[Quad]) -> Page | None:
    """Which way up it is: the way in which its longest pieces read better. None: no piece is as long as a line."""
    longest = sorted((strips.along(quad) for quad in quads), key=strips.length, reverse=True)
    lines = [quad for quad in longest if strips.length(quad) >= LINE * strips.height(quad)]
    if not lines:
        return None
    way = strips.direction(lines)
    better = 0.0
    for quad in (strips.along(one, way) for one in lines[:3]):
        upright, turned = (_uprightness(*ocr.text(images.between(image, one))) for one in (quad, strips.turned(quad)))
        better += upright - turned
        if abs(better) > DECIDED:
            break
    way = way if better >= 0 else -way
    return Page(tuple(strips.along(quad, way) for quad in quads), way)


def _uprightness(text: str, sure: float) -> float:
    """How sure a line was read, and fillers count more than that: upside down they are `>`, and surely read too."""
    return sure + 0.1 * (text.count("<") - text.count(">"))


def find(ocr: Ocr, image: Array, page: Page, today: date) -> Found | None:
    """None: there is no zone."""
    seen: set[int] = set()
    whole = list(page.quads)
    for pieces in (whole, strips.joined(whole, page.direction)):
        lines = [quad for quad in pieces if _may_be_line(quad) and id(quad) not in seen]
        seen |= {id(quad) for quad in pieces}
        rows: list[Row] = []
        tried = 0
        for row in _rows(ocr, image, sorted(lines, key=strips.length, reverse=True)[:MOST]):
            rows.append(row)  # the lines of a zone are the longest ones of most documents
            for chosen, length in groups(rows, page.direction):
                if row in chosen and tried < MOST_GROUPS:
                    tried += 1
                    if found := _read(ocr, image, [one.quad for one in chosen], length, today):
                        return found
    return None


def _may_be_line(quad: Quad) -> bool:
    return LINE <= strips.length(quad) / strips.height(quad) <= TOO_LONG


def _rows(ocr: Ocr, image: Array, quads: Sequence[Quad]) -> Iterator[Row]:
    for quad in quads:
        likely = ocr.letters(images.between(image, strips.grown(quad, 0.3, 0.0)))
        spelled = {length: one for length in LENGTHS if (one := ctc.spell(likely, length)) and one.score >= ALMOST}
        if spelled:
            yield Row(quad, spelled)


def groups(rows: Sequence[Row], direction: Quad) -> list[tuple[Sequence[Row], int]]:
    """Lines that may be a zone, with their number of letters, the likeliest first."""
    groups: list[tuple[float, Sequence[Row], int]] = []
    for length, number in LENGTHS.items():
        fitting = [row for row in rows if length in row.spelled]
        fitting.sort(key=lambda row: strips.place(row.quad, direction)[1])
        for start in range(len(fitting) - number + 1):
            chosen = fitting[start : start + number]
            follow = all(_is_next(one.quad, other.quad, direction) for one, other in pairwise(chosen))
            if follow and mrz.odd_letters([_text(row.spelled[length].letters) for row in chosen]) <= ODD:
                groups.append((min(row.spelled[length].score for row in chosen), chosen, length))
    groups.sort(key=lambda group: group[0], reverse=True)
    return [(chosen, length) for _, chosen, length in groups]


def _is_next(upper: Quad, lower: Quad, direction: Quad) -> bool:
    """Whether two lines lie as close, and are as long, as two of one zone (9303-3 §4.4: 5 to 7 mm for 3 mm letters)."""
    (x, y), (other_x, other_y) = strips.place(upper, direction), strips.place(lower, direction)
    unit, longer = strips.height(upper), max(strips.length(upper), strips.length(lower))
    return (
        other_y - y < 5 * unit
        and abs(other_x - x) < 0.15 * longer
        and min(strips.length(upper), strips.length(lower)) > 0.8 * longer
    )


def _read(ocr: Ocr, image: Array, quads: Sequence[Quad], length: int, today: date) -> Found | None:
    read = [_likely(ocr, image, quad, length) for quad in quads]
    lines = [_text(likely.argmax(axis=1)) for likely in read]
    doubts = {
        (line, place): "".join(layouts.ALPHABET[letter] for letter in np.flatnonzero(at >= DOUBT))
        for line, likely in enumerate(read)
        for place, at in enumerate(likely)
    }
    zone = mrz.read(lines, today, doubts)
    sure = min(float(likely.max(axis=1).mean()) for likely in read)
    return Found(zone, tuple(quads), doubts, sure) if zone and _is_one(zone, today) else None


def _likely(ocr: Ocr, image: Array, quad: Quad, length: int) -> ctc.Floats:
    """How likely each letter is at each place of a line: places × letters, the mean of several readings.

    A reading that is far less sure of the line than the best one is left out.
    """
    readings: list[tuple[float, ctc.Floats]] = []
    for ahead, above, stretch in AGAIN:
        strip = images.between(image, strips.grown(quad, ahead, above))
        likely = ocr.letters(images.stretched(strip, round(strip.shape[1] * stretch), strip.shape[0]))
        spelled = ctc.spell(likely, length)
        if spelled:
            readings.append((spelled.score, likely[list(spelled.places), :-1]))
    best = max((score for score, _ in readings), default=0.0)
    kept = [likely for score, likely in readings if score >= best - 0.1]
    return (
        np.asarray(np.mean(kept, axis=0), np.float32) if kept else np.zeros((length, len(layouts.ALPHABET)), np.float32)
    )


def _text(letters: Iterable[int]) -> str:
    return "".join(layouts.ALPHABET[letter] for letter in letters)


def _is_one(zone: mrz.Zone, today: date) -> bool:
    """Whether these lines are a zone at all: a photo of something else must not become a document.

    By its first letter (9303-4, -5, -6, -7) and its dates, and by two check digits that fit (a chance of 1 in 100 where
    there are dates by chance) or, where a zone was altered, by its fillers.
    """
    passed = sum(zone.checks[name].result == "pass" for name in ("document_number", "date_of_birth", "expiry"))
    dates = mrz.born(zone.text("birth").ljust(6, "<"), today), mrz.ends(zone.text("expiry").ljust(6, "<"), today)
    return zone.lines[0][0] in "ACIPV" and (passed >= 2 or (all(dates) and "<<" in zone.lines[0]))
