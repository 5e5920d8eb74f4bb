"""What a similarity is worth: its place on a bar, and how many strangers would look as alike. Pure."""

import math


def low_end(match: float) -> float:
    """The similarity at which bars begin: the threshold stands at three fifths of them, unless that is below 0."""
    return max(0.0, round(1 - 2.5 * (1 - match), 2))


def place(similarity: float, low: float) -> float:
    """Between `low` and 1, in percent."""
    return round(100 * min(max((similarity - low) / (1 - low), 0.0), 1.0), 1)


def expected(rate: float, strangers: int) -> float:
    """False matches, when one search compares a face with so many strangers. `rate`: of one comparison."""
    return rate * strangers


def chance(rate: float, strangers: int) -> float:
    """Of at least one false match: 1 - (1 - rate)^strangers, also where a rate is so small that 1 - rate is 1."""
    return 1.0 if rate >= 1 else -math.expm1(strangers * math.log1p(-rate))


def few(number: float) -> str:
    """`0.048`, `0.5`, `12`, `1,200`; `under 0.001`"""
    if 0 < number < 0.001:
        return "under 0.001"
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def percent(part: float) -> str:
    """`4.7 %`, `63 %`; never 0 or 100 % of what is not sure."""
    if 0 < part < 0.001:
        return "under 0.1 %"
    if 0.99 < part < 1:
        return "over 99 %"
    return f"{100 * part:.1f} %" if 0 < part < 0.1 else f"{100 * part:.0f} %"
