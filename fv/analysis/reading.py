"""From the photo of a document to what it says, with how sure each thing is: see docs/accuracy.md."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from fv.analysis import images, layouts, mrz, printed, strips, zones
from fv.analysis.images import Array, Quad
from fv.analysis.ocr import Ocr
from fv.analysis.printed import Comparison, Line
from fv.analysis.report import Document, Field, Zone

SEARCHED = 1280  # pixels of the longer side in which text is looked for: 0.5 s
CLOSELY = 1600  # pixels of the longer side of the part with text, laid straight, where it is looked for once more
AROUND = 8  # heights of a line that this part goes beyond the text that was found: a zone may not have been
SURE = 0.95  # how likely the letters of a zone must be (zones.Found) that it is not looked at once more
LARGER = (
    1.4  # times as large it has to be seen then, unless it is tilted: text that was found is legible in most photos
)
TILTED = 0.05  # sine of 3 degrees
A_PAGE = 40  # pieces of text and more are a page, and no document in a large picture
#: Sides of a photo that shows no document: so many times as long as wide, or so few pixels. rapidocr would enlarge it
#: until memory runs out.
LONGEST, SHORTEST = 8, 100
MOST_TEXT = 40  # pieces of printed text that are read, 25 ms each
#: Which check digit covers a field.
COVERED = {"document_number": "document_number", "date_of_birth": "date_of_birth", "expires_on": "expiry"}


@dataclass(frozen=True)
class Looked:
    """`line`: where the upper line of the zone is on the photo, in its pixels."""

    document: Document
    line: Quad


class Reader:
    """Keeps the models, 0.3 GB. Not to be shared by threads."""

    def __init__(self) -> None:
        self._ocr = Ocr()

    def read(self, image: Array, today: date) -> Document | None:
        """As look(), what it says alone."""
        seen = self.look(image, today)
        return seen.document if seen else None

    def look(self, image: Array, today: date) -> Looked | None:
        """`image`: height × width × RGB, any way up. None: there is no machine-readable zone on it."""
        if max(image.shape[:2]) > LONGEST * min(image.shape[:2]) or min(image.shape[:2]) < SHORTEST:
            return None
        part: Quad | None = None
        page, found = self._seen(image, today)
        if page and (around := _worth_a_closer_look(image, page, found)) is not None:
            straight = images.between(image, around)
            closer_page, closer = self._seen(straight, today, CLOSELY)
            if closer and (found is None or closer.rank > found.rank):
                image, page, found, part = straight, closer_page, closer, around
        if page is None or found is None:
            return None
        lines = self._printed(image, page, found)
        line = found.quads[0] if part is None else strips.back(found.quads[0], part, *image.shape[:2])
        return Looked(document(with_printed_number(found, lines, today), lines, today), line)

    def _seen(
        self, image: Array, today: date, longer_side: int = SEARCHED
    ) -> tuple[zones.Page | None, zones.Found | None]:
        small, scale = images.at_most(image, longer_side)
        page = zones.page(self._ocr, image, [quad / scale for quad in self._ocr.find(small)])
        return page, zones.find(self._ocr, image, page, today) if page else None

    def _printed(self, image: Array, page: zones.Page, found: zones.Found) -> list[Line]:
        lines: list[Line] = []
        for quad in page.quads:
            if not any(strips.overlaps(quad, line) for line in found.quads) and len(lines) < MOST_TEXT:
                text, _ = self._ocr.text(images.between(image, quad))
                lines.append(Line(text, *strips.place(quad, page.direction), strips.length(quad), strips.height(quad)))
        return lines


def _worth_a_closer_look(image: Array, page: zones.Page, found: zones.Found | None) -> Quad | None:
    """The part of a photo that may show more than was seen; None: nothing more is to be expected."""
    if len(page.quads) >= A_PAGE or (found and found.sure >= SURE and found.zone.fits):
        return None
    around = strips.around(page.quads, page.direction, AROUND)
    seen = min(1.0, SEARCHED / max(image.shape[:2]))
    closer = min(1.0, CLOSELY / max(strips.length(around), strips.height(around)))
    is_tilted = float(np.abs(page.direction).min()) > TILTED
    return around if found or is_tilted or closer >= LARGER * seen else None


def document(zone: mrz.Zone, lines: Sequence[Line], today: date) -> Document:
    """`lines`: the printed text."""
    surname, given = zone.names
    values = {
        "type": zone.text("type"),
        "issuing_country": zone.text("issuer"),
        "full_name": f"{given} {surname}".strip(),
        "given_names": given,
        "surname": surname,
        "date_of_birth": mrz.born(zone.text("birth").ljust(6, layouts.FILLER), today) or "",
        "nationality": zone.text("nationality"),
        "sex": zone.text("sex") or "X",
        "document_number": zone.number,
        "expires_on": mrz.ends(zone.text("expiry").ljust(6, layouts.FILLER), today) or "",
    }
    # only the end of a name can be missing, and the given names come last
    is_cut = {"surname": zone.is_cut and not given, "given_names": zone.is_cut}
    said = {name: printed.compare(name, values[name], lines, is_cut.get(name, False)) for name in printed.LABELS}
    said["full_name"] = _both(said["surname"], said["given_names"] if given else Comparison(True))
    fields = {name: _field(zone, name, value, said.get(name, Comparison(None))) for name, value in values.items()}
    unseen = sorted({f"{one} or {other}" for check in zone.checks.values() for one, other in check.unseen})
    checks = {name: check.result for name, check in zone.checks.items()}
    return Document(fields, Zone(zone.format, zone.lines, checks, tuple(unseen), tuple(map(_told, zone.repaired))))


def _field(zone: mrz.Zone, name: str, value: str, said: Comparison) -> Field:
    covered = zone.checks[COVERED[name]].result == "pass" if name in COVERED else True
    is_sure = bool(value) and covered and zone.fits and not zone.is_substituted and said.agrees is True
    return Field(
        value,
        "mrz" if said.agrees is None else "both",
        said.agrees,
        "high" if is_sure else "review",
        said.printed,
    )


def _both(one: Comparison, other: Comparison) -> Comparison:
    said = (one.agrees, other.agrees)
    return Comparison(False if False in said else None if None in said else True)


def with_printed_number(found: zones.Found, lines: Sequence[Line], today: date) -> mrz.Zone:
    """Where the check digits leave open which of two look-alikes it is (6 or G), the printed number says it."""
    zone = found.zone
    if zone.fits and printed.compare("document_number", zone.number, lines).agrees is not False:
        return zone
    fitting = [
        other
        for other in mrz.alternatives(zone, today, found.doubts)
        if printed.compare("document_number", other.number, lines).agrees
    ]
    if len(fitting) != 1:
        return zone
    *before, last = fitting[0].repaired
    return replace(fitting[0], repaired=(*before, replace(last, why="printed")))


def _told(repair: mrz.Repair) -> str:
    why = {
        "place": "only that can stand there",
        "checks": "only so do the check digits fit",
        "printed": "the printed number says so",
    }[repair.why]
    return f"line {repair.line}, place {repair.place}: {repair.was} became {repair.became}, {why}"
