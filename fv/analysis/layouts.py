"""How the lines of machine-readable zones are laid out: ICAO Doc 9303 parts 4 to 7 (8th edition). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

DIGITS, LETTERS, FILLER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "<"
ALPHABET = DIGITS + LETTERS + FILLER
#: What may stand at a place, by kind.
KINDS = {
    "name": LETTERS + FILLER,
    "code": LETTERS + FILLER,  # issuer, nationality, type of document
    "any": ALPHABET,
    "date": DIGITS + FILLER,
    "check": DIGITS + FILLER,
    "sex": "MF<",
}


@dataclass(frozen=True)
class Part:
    """Where a part of the zone stands: characters `start` to before `end` of a line, all counted from 0."""

    line: int
    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Layout:
    """`composite`: what the last check digit is computed over, in this order; empty: there is none."""

    lines: int
    length: int
    parts: dict[str, Part]
    composite: tuple[Part, ...] = ()


def _layout(length: int, optional_end: int, has_optional_check: bool, has_composite: bool) -> Layout:
    """Two lines: 9303-4 §4.2.2 (TD3), 9303-6 §4.2.2 (TD2), 9303-7 §4.2 and §5.2 (visas)."""
    parts = {
        "type": Part(0, 0, 2, "code"), "issuer": Part(0, 2, 5, "code"), "name": Part(0, 5, length, "name"),
        "number": Part(1, 0, 9, "any"), "number_check": Part(1, 9, 10, "check"),
        "nationality": Part(1, 10, 13, "code"),
        "birth": Part(1, 13, 19, "date"), "birth_check": Part(1, 19, 20, "check"),
        "sex": Part(1, 20, 21, "sex"),
        "expiry": Part(1, 21, 27, "date"), "expiry_check": Part(1, 27, 28, "check"),
        "optional": Part(1, 28, optional_end, "any"),
    }  # fmt: skip
    if has_optional_check:
        parts["optional_check"] = Part(1, optional_end, optional_end + 1, "check")
    if not has_composite:
        return Layout(2, length, parts)
    parts["composite"] = Part(1, length - 1, length, "check")
    return Layout(2, length, parts, (Part(1, 0, 10, ""), Part(1, 13, 20, ""), Part(1, 21, length - 1, "")))


LAYOUTS = {
    "TD1": Layout(
        3, 30,
        {
            "type": Part(0, 0, 2, "code"), "issuer": Part(0, 2, 5, "code"),
            "number": Part(0, 5, 14, "any"), "number_check": Part(0, 14, 15, "check"),
            "optional": Part(0, 15, 30, "any"),
            "birth": Part(1, 0, 6, "date"), "birth_check": Part(1, 6, 7, "check"),
            "sex": Part(1, 7, 8, "sex"),
            "expiry": Part(1, 8, 14, "date"), "expiry_check": Part(1, 14, 15, "check"),
            "nationality": Part(1, 15, 18, "code"),
            "optional2": Part(1, 18, 29, "any"), "composite": Part(1, 29, 30, "check"),
            "name": Part(2, 0, 30, "name"),
        },
        (Part(0, 5, 30, ""), Part(1, 0, 7, ""), Part(1, 8, 15, ""), Part(1, 18, 29, "")),  # 9303-5 §4.2.2
    ),
    "TD2": _layout(36, 35, has_optional_check=False, has_composite=True),
    "TD3": _layout(44, 42, has_optional_check=True, has_composite=True),
    "MRVB": _layout(36, 36, has_optional_check=False, has_composite=False),
    "MRVA": _layout(44, 44, has_optional_check=False, has_composite=False),
}  # fmt: skip
#: By number and length of the lines; where there are two, the V of a visa tells them apart.
SHAPES = {(3, 30): ("TD1",), (2, 36): ("TD2", "MRVB"), (2, 44): ("TD3", "MRVA")}


def format_of(lines: Sequence[str]) -> str | None:
    """TD1, TD2, TD3, MRVA or MRVB: by number and length of the lines, and by the V of visas."""
    lengths = {len(line) for line in lines}
    found = SHAPES.get((len(lines), lengths.pop())) if len(lengths) == 1 else None
    if found is None:
        return None
    return found[-1] if lines[0][0] == "V" else found[0]
