"""Machine-readable zones made for tests: what fv/analysis/mrz.py reads, built from their parts."""

from datetime import date

from hypothesis import strategies as st

from fv.analysis.layouts import LAYOUTS
from fv.analysis.mrz import check_digit


def zone(
    format,
    number="L898902C3",
    birth="740812",
    sex="F",
    expiry="320415",
    nationality="UTO",
    optional="",
    name="ERIKSSON<<ANNA<MARIA",
):
    """The lines. A number of more than nine characters goes on in the optional data (TD1, TD2)."""
    layout = LAYOUTS[format]
    lines = [["<"] * layout.length for _ in range(layout.lines)]

    def put(part, text):
        place = layout.parts[part]
        lines[place.line][place.start : place.end] = text[: place.end - place.start].ljust(place.end - place.start, "<")

    put("type", "V" if format.startswith("MRV") else "P" if format == "TD3" else "I")
    put("issuer", "UTO")
    put("name", name)
    put("nationality", nationality)
    put("sex", sex)
    put("birth", birth)
    put("birth_check", check_digit(birth))
    put("expiry", expiry)
    put("expiry_check", check_digit(expiry))
    if len(number) > 9:
        put("number", number[:9])
        optional = number[9:] + check_digit(number) + ("<" + optional if optional else "")
    else:
        put("number", number)
        put("number_check", check_digit(number.ljust(9, "<")))
    put("optional", optional)
    if "optional_check" in layout.parts:
        put("optional_check", check_digit("".join(lines[1][28:42])) if optional else "<")
    if layout.composite:
        put(
            "composite",
            check_digit("".join("".join(lines[part.line][part.start : part.end]) for part in layout.composite)),
        )
    return ["".join(line) for line in lines]


@st.composite
def zones(draw):
    """The format and the lines."""
    format = draw(st.sampled_from(sorted(LAYOUTS)))
    alnum = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=5, max_size=9)
    day = st.dates(min_value=date(1930, 1, 1), max_value=date(2020, 12, 31))
    return format, zone(
        format, draw(alnum), f"{draw(day):%y%m%d}", draw(st.sampled_from("MF<")), f"{draw(day):%y%m%d}",
        optional=draw(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=6)),
    )  # fmt: skip
