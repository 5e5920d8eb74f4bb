"""Read machine-readable zones: ICAO Doc 9303 parts 3 to 7 (8th edition). Pure.

TD1, TD2 and TD3 (identity cards and passports), MRV-A and MRV-B (visas). What comes from a recogniser of letters is
taken as it is, but for two things, and both are told: a letter where only a digit can stand, or the other way round, is
its look-alike; and where check digits do not fit, one character may be its look-alike, if exactly one such change makes
them all fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fv.analysis.layouts import ALPHABET, DIGITS, FILLER, KINDS, LAYOUTS, LETTERS, Layout, Part, format_of

_TO_DIGIT = dict(zip("OQDILZSGBA", "0001125684", strict=True))
_TO_LETTER = dict(zip("0124568", "OIZASGB", strict=True))
#: Pairs that a recogniser takes for one another in OCR-B.
ALIKE = (
    "0O", "0Q", "0D", "OQ", "OD", "DQ", "1I", "1L", "IL", "2Z", "5S", "6G", "8B", "8S", "6S", "4A", "UV", "VY", "CG",
    "MN", "EF", "PR", "7T", "7Z", "KX", "<K", "<C",
)  # fmt: skip
_PARTNERS = {one: {pair.replace(one, "", 1) for pair in ALIKE if one in pair} for one in ALPHABET}

#: Line and place, counted from 0, to letters.
Doubts = Mapping[tuple[int, int], str]


@dataclass(frozen=True)
class Repair:
    """`line` and `place` count from 1. `why`: place (nothing else can be there), checks (only so they fit), printed."""

    line: int
    place: int
    was: str
    became: str
    why: str


@dataclass(frozen=True)
class Check:
    """`result`: pass, fail or absent. `unseen`: look-alikes the check digit cannot tell apart, as (what was read, what
    it may be), since their values differ by a multiple of 10 (9303-3 §4.9): L and 1, G and 6, S and 8.
    """

    result: str
    unseen: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Zone:
    """What stands in it. `checks`: document_number, date_of_birth, expiry, optional, composite."""

    format: str
    lines: tuple[str, ...]
    checks: dict[str, Check]
    repaired: tuple[Repair, ...] = ()

    def text(self, part: str) -> str:
        """One part without the fillers around it; empty: it is not there."""
        place = LAYOUTS[self.format].parts.get(part)
        return _cut(self.lines, place).strip(FILLER) if place else ""

    @property
    def number(self) -> str:
        """The document number, all of it, also where it goes on in the optional data (9303-5 and -6, note j)."""
        return _number(LAYOUTS[self.format], self.lines)[0].strip(FILLER)

    @property
    def names(self) -> tuple[str, str]:
        """Surname and given names; no given names: the name is in one piece (9303-3 §4.6)."""
        surname, _, given = self.text("name").partition(FILLER * 2)
        return surname.replace(FILLER, " ").strip(), " ".join(given.replace(FILLER, " ").split())

    @property
    def is_cut(self) -> bool:
        """Whether the name fills its part, so that the end of it may be missing (9303-3 §4.6)."""
        return not _cut(self.lines, LAYOUTS[self.format].parts["name"]).endswith(FILLER)

    @property
    def fits(self) -> bool:
        return all(check.result != "fail" for check in self.checks.values())

    @property
    def is_substituted(self) -> bool:
        """Whether a letter was replaced that could have stood there."""
        return any(repair.why != "place" for repair in self.repaired)


def check_digit(text: str) -> str:
    """Weights 7, 3, 1, modulo 10 (9303-3 §4.9). Raises KeyError for what is not in the alphabet."""
    return str(sum(_VALUES[one] * (7, 3, 1)[place % 3] for place, one in enumerate(text)) % 10)


_VALUES = {one: number for number, one in enumerate(DIGITS + LETTERS)} | {FILLER: 0}


def read(lines: Sequence[str], today: date, doubts: Doubts | None = None) -> Zone | None:
    """The zone these lines are, with what had to be put right; None: they are none.

    `lines`: in the alphabet of the zone, each of full length. `today`: no birth is later. `doubts`: what each place may
    be too, in the eyes of who read it; None: any look-alike.
    """
    format = format_of(lines)
    if format is None or not set("".join(lines)) <= set(ALPHABET):
        return None
    forced, repairs = _forced(LAYOUTS[format], lines)
    zone = Zone(format, forced, _checks(format, forced), repairs)
    fitting = [] if zone.fits else alternatives(zone, today, doubts)
    return fitting[0] if len(fitting) == 1 else zone


def odd_letters(lines: Sequence[str]) -> int:
    """How many letters cannot stand where they do, look-alikes aside; all of them where there is no such format."""
    format = format_of(lines)
    if format is None:
        return sum(map(len, lines))
    forced, _ = _forced(LAYOUTS[format], lines)
    return sum(one not in KINDS[part.kind] for part in LAYOUTS[format].parts.values() for one in _cut(forced, part))


# ── Dates ────────────────────────────────────────────────────────────────────────────────────────────────────


def born(digits: str, today: date) -> str | None:
    """ISO 8601, shorter where day or month are unknown (9303-3 §4.8); None: no date. The latest that is not to come."""
    return _date(digits, [today.year // 100 * 100, today.year // 100 * 100 - 100], today, None)


def ends(digits: str, today: date) -> str | None:
    """As born(): the end of a document's term is at most 50 years from now, and less than 50 ago."""
    century = today.year // 100 * 100
    return _date(digits, [century + 100, century, century - 100], None, today.year + 50)


def _date(digits: str, centuries: list[int], latest: date | None, last_year: int | None) -> str | None:
    year, month, day = digits[:2], digits[2:4].strip(FILLER), digits[4:].strip(FILLER)
    if len(digits) != 6 or not year.isdigit() or (day and not month) or any(len(part) == 1 for part in (month, day)):
        return None
    for century in centuries:
        whole = century + int(year)
        try:
            first = date(whole, int(month or 1), int(day or 1))
        except ValueError:
            continue
        if (latest is None or first <= latest) and (last_year is None or whole <= last_year):
            return "-".join(filter(None, (f"{whole:04}", month, day)))
    return None


# ── Checks ───────────────────────────────────────────────────────────────────────────────────────────────────


def _cut(lines: Sequence[str], part: Part) -> str:
    return lines[part.line][part.start : part.end]


def _number(layout: Layout, lines: Sequence[str]) -> tuple[str, str]:
    """The document number and its check digit, which may stand in the optional data."""
    number, digit = _cut(lines, layout.parts["number"]), _cut(lines, layout.parts["number_check"])
    goes_on = _cut(lines, layout.parts["optional"]).partition(FILLER)[0]
    may_go_on = bool(layout.composite) and "optional_check" not in layout.parts  # TD1 and TD2
    if may_go_on and digit == FILLER and FILLER not in number and len(goes_on) >= 2:
        return number + goes_on[:-1], goes_on[-1]
    return number, digit


def _checks(format: str, lines: Sequence[str]) -> dict[str, Check]:
    layout = LAYOUTS[format]
    parts = layout.parts
    checks = {
        "document_number": _checked(*_number(layout, lines)),
        "date_of_birth": _checked(_cut(lines, parts["birth"]), _cut(lines, parts["birth_check"]), "date"),
        "expiry": _checked(_cut(lines, parts["expiry"]), _cut(lines, parts["expiry_check"]), "date"),
        "optional": Check("absent"),
        "composite": Check("absent"),
    }
    if "optional_check" in parts:
        checks["optional"] = _checked(_cut(lines, parts["optional"]), _cut(lines, parts["optional_check"]))
    if layout.composite:
        over = "".join(_cut(lines, part) for part in layout.composite)
        checks["composite"] = Check("pass" if check_digit(over) == _cut(lines, parts["composite"]) else "fail")
    return checks


def _checked(text: str, digit: str, kind: str = "any") -> Check:
    """Where nothing stands, its check digit is a filler or 0 (9303-4 §4.2.2.2 for the optional data)."""
    if not text.strip(FILLER) and digit in (FILLER, "0"):
        return Check("absent")
    if check_digit(text) != digit:
        return Check("fail")
    return Check("pass", tuple((one, other) for one in text for other in sorted(_PARTNERS[one] & set(KINDS[kind]))
                               if (_VALUES[one] - _VALUES[other]) % 10 == 0))  # fmt: skip


# ── Repairs ──────────────────────────────────────────────────────────────────────────────────────────────────


def _forced(layout: Layout, lines: Sequence[str]) -> tuple[tuple[str, ...], tuple[Repair, ...]]:
    """Letters where only digits can stand, and digits where only letters can, become their look-alikes."""
    new, repairs = [list(line) for line in lines], []
    for part in layout.parts.values():
        allowed = KINDS[part.kind]
        for place in range(part.start, part.end):
            was = new[part.line][place]
            became = was if was in allowed else (_TO_DIGIT if "0" in allowed else _TO_LETTER).get(was, was)
            if became != was and became in allowed:
                new[part.line][place] = became
                repairs.append(Repair(part.line + 1, place + 1, was, became, "place"))
    return tuple("".join(line) for line in new), tuple(sorted(repairs, key=lambda one: (one.line, one.place)))


def alternatives(zone: Zone, today: date, doubts: Doubts | None = None) -> list[Zone]:
    """Every zone that differs from this one in one letter, and in which every check fits. `doubts`: as for read()."""
    layout, found = LAYOUTS[zone.format], []
    for name, part in layout.parts.items():
        if name in ("name", "type", "issuer", "nationality", "sex"):
            continue  # no check digit covers them
        for place in range(part.start, part.end):
            was = zone.lines[part.line][place]
            others = _PARTNERS[was] if doubts is None else set(doubts.get((part.line, place), ""))
            for became in sorted(others & set(KINDS[part.kind]) - {was}):
                lines = list(zone.lines)
                lines[part.line] = lines[part.line][:place] + became + lines[part.line][place + 1 :]
                other = Zone(zone.format, tuple(lines), _checks(zone.format, lines))
                if other.fits and _has_dates(other, today):
                    repair = Repair(part.line + 1, place + 1, was, became, "checks")
                    found.append(Zone(zone.format, other.lines, other.checks, (*zone.repaired, repair)))
    return found


def _has_dates(zone: Zone, today: date) -> bool:
    parts = LAYOUTS[zone.format].parts
    birth, expiry = _cut(zone.lines, parts["birth"]), _cut(zone.lines, parts["expiry"])
    return born(birth, today) is not None and (not expiry.strip(FILLER) or ends(expiry, today) is not None)
