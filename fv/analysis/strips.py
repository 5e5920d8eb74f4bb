"""Pieces of text as they lie on a photo: their corners, in the order in which one reads them. Pure."""

from collections.abc import Iterable, Sequence

import numpy as np

from fv.analysis.images import Quad


def along(quad: Quad, direction: Quad | None = None) -> Quad:
    """The same corners, the first side the longer one; of two ways round, the one towards `direction` (x, y).

    Where a piece of text is about as high as it is long, the side that lies nearer to `direction` is the first.
    """
    sides = np.roll(quad, -1, axis=0) - quad
    length, height = _mean(sides[0], sides[2]), _mean(sides[1], sides[3])
    first = int(height > length)
    if direction is not None:
        if max(length, height) < 3 * min(length, height):
            first = int(abs(float(_unit(sides[1]) @ direction)) > abs(float(_unit(sides[0]) @ direction)))
        if float(sides[first] @ direction) < 0:
            first += 2
    return np.roll(quad, -first, axis=0)


def turned(quad: Quad) -> Quad:
    """Upside down."""
    return np.roll(quad, -2, axis=0)


def length(quad: Quad) -> float:
    return _mean(quad[1] - quad[0], quad[2] - quad[3])


def height(quad: Quad) -> float:
    return _mean(quad[3] - quad[0], quad[2] - quad[1])


def direction(quads: Iterable[Quad]) -> Quad:
    """The unit vector along the longest of them."""
    longest = max(quads, key=length)
    return _unit((longest[1] - longest[0]) + (longest[2] - longest[3]))


def place(quad: Quad, direction: Quad) -> tuple[float, float]:
    """How far along the reading direction, and how far below it, the middle lies."""
    middle = quad.mean(axis=0)
    return float(middle @ direction), float(middle @ _down(direction))


def grown(quad: Quad, ahead: float, above: float) -> Quad:
    """Longer by `ahead` and higher by `above` at each end, in heights of the piece."""
    unit = height(quad)
    right = _unit((quad[1] - quad[0]) + (quad[2] - quad[3])) * unit * ahead
    down = _unit((quad[3] - quad[0]) + (quad[2] - quad[1])) * unit * above
    return _quad(quad[0] - right - down, quad[1] + right - down, quad[2] + right + down, quad[3] - right + down)


def narrowed(quad: Quad, start: float, end: float) -> Quad:
    """The part between two parts of its length, 0 to 1; less than 0 and more than 1 is beyond its ends."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    return _quad(quad[0] + top * start, quad[0] + top * end, quad[3] + bottom * end, quad[3] + bottom * start)


def joined(quads: Sequence[Quad], direction: Quad) -> list[Quad]:
    """Pieces of one row made one: those at one level, of one height, less than four heights apart."""
    rows: list[Quad] = []
    for quad in sorted(quads, key=lambda one: place(one, direction)[0]):
        for number, row in enumerate(rows):
            gap = float(_unit(row[1] - row[0]) @ (quad[0] - row[1]))
            level = abs(_beside(row, quad))
            if level < 0.5 and -1 < gap / height(row) < 4 and 0.6 < height(quad) / height(row) < 1.7:
                rows[number] = _quad(row[0], quad[1], quad[2], row[3])
                break
        else:
            rows.append(quad)
    return rows


def around(quads: Sequence[Quad], direction: Quad, margin: float) -> Quad:
    """The rectangle in reading direction that holds all of them, and so many heights of a usual one around.

    But never more around than half of what they take, whatever their heights are.
    """
    corners, down = np.concatenate(quads), _down(direction)
    right_of, below = corners @ direction, corners @ down
    most = max(np.ptp(right_of), np.ptp(below)) / 2
    more = min(margin * float(np.median([height(quad) for quad in quads])), float(most))
    ends = [(right_of.min() - more, below.min() - more), (right_of.max() + more, below.max() + more)]
    (left, top), (right, bottom) = ends
    places = ((left, top), (right, top), (right, bottom), (left, bottom))
    return _quad(*(direction * x + down * y for x, y in places))


def back(quad: Quad, part: Quad, height: int, width: int) -> Quad:
    """Where a piece seen in a part of a photo is on the whole: `part` was a rectangle there and became this size."""
    start, ahead, _, down = part
    return _quad(*(start + x / width * (ahead - start) + y / height * (down - start) for x, y in quad))


def overlaps(quad: Quad, line: Quad) -> bool:
    """Whether the middle of a piece of text lies on a line."""
    right, down = line[1] - line[0], line[3] - line[0]
    x, y = np.linalg.solve(np.stack((right, down), axis=1).astype(np.float64), quad.mean(axis=0) - line[0])
    return bool(-0.05 < x < 1.05 and -0.3 < y < 1.3)


def _beside(row: Quad, quad: Quad) -> float:
    """How far the middle of a piece lies off the line through the row, in heights of the row."""
    right = _unit((row[1] - row[0]) + (row[2] - row[3]))
    off = (quad[0] + quad[3]) / 2 - (row[1] + row[2]) / 2
    return float(off @ _down(right)) / height(row)


def _mean(one: Quad, other: Quad) -> float:
    return float(np.hypot(*one) + np.hypot(*other)) / 2


def _unit(vector: Quad) -> Quad:
    return np.asarray(vector / max(float(np.hypot(*vector)), 1e-6), np.float32)


def _down(direction: Quad) -> Quad:
    return np.array((-direction[1], direction[0]), np.float32)


def _quad(*corners: Quad) -> Quad:
    return np.array(corners, np.float32)
