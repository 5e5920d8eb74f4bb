"""Days and months of the calendar, in days since 1970-01-01 (UTC). Pure."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

_EPOCH = date(1970, 1, 1)
LAST = (date(9999, 11, 30) - _EPOCH).days  # the month after it has to have a first day


@dataclass(frozen=True)
class Period:
    """A day (`2026-11-23`) or a month (`2026-11`), or what of it was asked for: `first` to `last`, both included."""

    name: str
    first: int
    last: int


def days(first: int, last: int) -> list[Period]:
    return [Period(_date(day).isoformat(), day, day) for day in range(first, last + 1)]


def months(first: int, last: int) -> list[Period]:
    """Those that these days are in, the first and the last one only as far as they are."""
    found = []
    while first <= last:
        end = min(month_of(first).last, last)
        found.append(Period(f"{_date(first):%Y-%m}", first, end))
        first = end + 1
    return found


def month(name: str) -> Period | None:
    """Of the name `2026-11`; None: there is none of it since 1970."""
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", name) or not "1970-01" <= name < "9999-12":
        return None
    return month_of((date.fromisoformat(f"{name}-01") - _EPOCH).days)


def month_of(day: int) -> Period:
    """The whole month this day is in."""
    first = _date(day).replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    return Period(f"{first:%Y-%m}", (first - _EPOCH).days, (after - _EPOCH).days - 1)


def before(day: int, number: int) -> list[Period]:
    """So many whole months, the one this day is in being the last; none of before 1970."""
    found = [month_of(day)]
    while len(found) < number and found[0].first > 0:
        found.insert(0, month_of(found[0].first - 1))
    return found


def words(name: str) -> str:
    """`23 November 2026`, `November 2026`"""
    at = date.fromisoformat(f"{name}-01"[:10])
    return f"{at.day} {at:%B %Y}" if len(name) == 10 else f"{at:%B %Y}"


def mark(name: str) -> str:
    """What stands under its bar: `23`, `Nov`."""
    at = date.fromisoformat(f"{name}-01"[:10])
    return str(at.day) if len(name) == 10 else f"{at:%b}"


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)
