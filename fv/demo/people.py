"""People who do not exist, how they look, and what their documents say. The same number is the same person."""

import json
from dataclasses import asdict, dataclass
from random import Random

from fv.analysis import report
from fv.analysis.report import Field, Zone
from fv.demo.pictures import Document, Look

COUNTRY = "UTO"  # Utopia, the country of specimens: ICAO Doc 9303 part 3 §5
GIVEN = ("NORA", "ILIAN", "MEERA", "TOMASZ", "AMARA", "YUKI", "LEILA", "OSKAR", "ZURI", "MATEO", "SAOIRSE", "KOFI")
SURNAMES = ("VALE", "BRIGHTWATER", "OKONDO", "LINDQUIST", "MARLOWE", "TANAVEER", "ASHGROVE", "PELIKAN", "QUILL")
SKINS = ("#f2d3bd", "#e3b18e", "#c98f65", "#a86f48", "#7d4e31", "#573524")
HAIRS = ("#1d1a19", "#3b2417", "#6b4423", "#a8743d", "#d1b375", "#8d8d8f")
CUTS = ("short", "long", "fringe", "bald")
EYES = ("#33231a", "#4f3a22", "#46637d", "#4d6b4a")
SHIRTS = ("#2f4858", "#7a3b46", "#40623f", "#5b4a7d", "#b0803a", "#454545")
MADE_UP = "made up: nobody read this document"
WALLS = ("#cfd8d3", "#d9cfc3", "#c4cfda", "#d8d3e0", "#c9d6c4", "#e0d6d0")


@dataclass(frozen=True)
class Person:
    """`born` and `expires`: YYMMDD."""

    given: str
    surname: str
    number: str
    born: str
    expires: str
    look: Look


def person(number: int) -> Person:
    draw = Random(f"person {number}")  # noqa: S311 (drawn, not guarded)
    skin, hair, cut, eyes, shirt, wall = (draw.choice(some) for some in (SKINS, HAIRS, CUTS, EYES, SHIRTS, WALLS))
    look = Look(skin, hair, cut, eyes, shirt, wall, has_glasses=draw.random() < 0.3)
    return Person(
        draw.choice(GIVEN), draw.choice(SURNAMES), f"SP{number % 10_000_000:07}",
        f"{draw.randrange(55, 100):02}{draw.randrange(1, 13):02}{draw.randrange(1, 29):02}",
        f"{draw.randrange(31, 36):02}{draw.randrange(1, 13):02}{draw.randrange(1, 29):02}", look,
    )  # fmt: skip


def template(number: int) -> list[float]:
    """128 numbers that no model made of no face, spread like templates: cosines of two people are about 0.82.

    One person of five looks like another one: about 0.98.
    """
    own = number - 2 if number % 5 == 4 else number
    draws = ((2.0, "people"), (0.9, f"face {own}"), (0.3, f"photo {number}"))
    parts = [[scale * draw.gauss(0, 1) for _ in range(128)] for scale, draw in ((s, Random(of)) for s, of in draws)]  # noqa: S311
    return [sum(numbers) for numbers in zip(*parts, strict=True)]


def passport(one: Person) -> Document:
    """With the machine-readable zone of ICAO Doc 9303 part 4 §4.2 (TD3)."""
    number, born, expires, none = _checked(one.number), _checked(one.born), _checked(one.expires), "<" * 14 + "0"
    second = f"{number}{COUNTRY}{born}<{expires}{none}{digit(number + born + expires + none)}"
    return Document("PASSPORT", "#7b2d3b", _printed(one), (f"P<{COUNTRY}{_names(one)}".ljust(44, "<")[:44], second))


def id_card(one: Person) -> Document:
    """With the machine-readable zone of ICAO Doc 9303 part 5 §4.2 (TD1)."""
    first = f"I<{COUNTRY}{_checked(one.number)}".ljust(30, "<")
    born, expires, none = _checked(one.born), _checked(one.expires), "<" * 11
    second = f"{born}<{expires}{COUNTRY}{none}{digit(first[5:] + born + expires + none)}"
    return Document("IDENTITY CARD", "#1f5566", _printed(one), (first, second, _names(one).ljust(30, "<")[:30]))


def read(one: Person, document: Document, differs: bool) -> str:
    """What would be kept of it, and says that nobody read it: JSON of a report.Document. `differs`: in one field."""
    given, number = f"{one.given} SPECIMEN", one.number
    values = {
        "type": document.lines[0][0], "issuing_country": COUNTRY, "full_name": f"{given} {one.surname}",
        "given_names": given, "surname": one.surname, "date_of_birth": f"19{_dashed(one.born)}",
        "nationality": COUNTRY, "sex": "X", "document_number": number, "expires_on": f"20{_dashed(one.expires)}",
    }  # fmt: skip
    fields = {name: Field(value, "both", True, "high") for name, value in values.items()}
    fields |= {name: Field(values[name], "mrz", None, "review") for name in ("type", "sex")}
    if differs:
        fields["given_names"] = Field(given, "both", False, "review", f"{one.given} SPECIMAN")
    checks = dict.fromkeys(("document_number", "date_of_birth", "expiry", "composite"), "pass") | {"optional": "absent"}
    zone = Zone({2: "TD3", 3: "TD1"}[len(document.lines)], document.lines, checks, (), (MADE_UP,))
    return json.dumps(asdict(report.Document(fields, zone)))


def digit(text: str) -> str:
    """The check digit of ICAO Doc 9303 part 3 §4.9: weights 7, 3, 1; A is 10, < is 0."""
    values = (0 if mark == "<" else int(mark, 36) for mark in text)
    return str(sum(value * (7, 3, 1)[at % 3] for at, value in enumerate(values)) % 10)


def _checked(text: str) -> str:
    return text + digit(text)


def _names(one: Person) -> str:
    return f"{one.surname}<<{one.given}<SPECIMEN"


def _printed(one: Person) -> tuple[tuple[str, str], ...]:
    return (
        ("Surname", one.surname), ("Given names", f"{one.given} SPECIMEN"), ("Nationality", "UTOPIAN"),
        ("Date of birth", _day(one.born)), ("Number", one.number), ("Expires", _day(one.expires)),
    )  # fmt: skip


def _dashed(text: str) -> str:
    return f"{text[:2]}-{text[2:4]}-{text[4:]}"


def _day(text: str) -> str:
    return f"{text[4:]}.{text[2:4]}.{text[:2]}"
