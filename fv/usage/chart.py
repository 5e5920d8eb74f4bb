"""Amounts as bars of an SVG: their places are numbers, for attributes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

SLOT, BAR, HEIGHT = 10, 6, 100  # units: what a bar has, what it takes of that, and the highest
LINES = 3  # above the base
_STEPS = (1, 2, 3, 4, 5, 6, 8)  # times a power of ten: what a person reads at a line without thinking


@dataclass(frozen=True)
class Bar:
    x: int
    y: float
    height: float


@dataclass(frozen=True)
class Line:
    """`amount`: what stands beside it."""

    y: float
    amount: int


@dataclass(frozen=True)
class Chart:
    width: int
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]  # from the top to the base


def of(amounts: Sequence[int], slots: int) -> Chart:
    """Room for so many bars, which may be more than there are amounts: not all days of a month have come."""
    step = _step(max(amounts, default=0))
    top = LINES * step
    heights = [round(HEIGHT * max(0, amount) / top, 1) for amount in amounts]
    return Chart(
        SLOT * slots,
        tuple(
            Bar(SLOT * place + (SLOT - BAR) // 2, round(HEIGHT - height, 1), height)
            for place, height in enumerate(heights)
        ),
        tuple(Line(round(HEIGHT * (LINES - n) / LINES, 1), n * step) for n in range(LINES, -1, -1)),
    )


@dataclass(frozen=True)
class Piece:
    """Of a bar, the lowest first. `kind`: which of the amounts it shows, from 1."""

    kind: int
    x: int
    y: float
    height: float


@dataclass(frozen=True)
class Stacked:
    """`lines`: as those of a Chart."""

    width: int
    pieces: tuple[Piece, ...]
    lines: tuple[Line, ...]


def stacked(bars: Sequence[Sequence[int]]) -> Stacked:
    """The amounts of each bar on top of each other; of nothing there is no piece."""
    around = of([sum(amounts) for amounts in bars], len(bars))
    unit, pieces = HEIGHT / around.lines[0].amount, []
    for amounts, bar in zip(bars, around.bars, strict=True):
        below = 0
        for kind, amount in enumerate(amounts, 1):
            below += amount
            if amount:
                pieces.append(Piece(kind, bar.x, round(HEIGHT - below * unit, 2), round(amount * unit, 2)))
    return Stacked(around.width, tuple(pieces), around.lines)


def _step(most: int) -> int:
    """From one line to the next: the smallest good one with which the highest bar fits."""
    power = 1
    while True:
        for step in _STEPS:
            if LINES * step * power >= most:
                return step * power
        power *= 10
