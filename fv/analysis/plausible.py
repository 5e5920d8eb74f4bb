"""Whether a report can be one of ours: names that exist, measures that occur. Pure.

Each value has its type already (report.read). What is refused here breaks nothing where the report was made, but it
would elsewhere: a box of 10^4000 pixels on the page that draws it, seconds without an end in the metrics; and a name
that nobody gave would put a document's text into rows that are kept after it was erased.
"""

import re
from itertools import combinations

from fv.analysis.report import KINDS, STAGES, Document, Face, Model, Report

FIELDS = frozenset({
    "type", "issuing_country", "full_name", "given_names", "surname", "date_of_birth", "nationality", "sex",
    "document_number", "expires_on",
})  # fmt: skip
FORMATS = frozenset({"TD1", "TD2", "TD3", "MRVA", "MRVB"})
CHECKS = frozenset({"document_number", "date_of_birth", "expiry", "optional", "composite"})
PAIRS = frozenset(f"{one} {other}" for one, other in combinations(KINDS, 2))
LONGEST_SIDE = 10_000  # pixels: photos are kept with 2400
LONGEST = 86_400  # seconds of a stage: none has more than 60
ROUNDED = 1e-6  # how far a cosine may lie beyond 1


def is_plausible(report: Report) -> bool:
    return (
        report.document_state in ("read", "not_found", "unavailable")
        and (report.document is None or _is_document(report.document))
        and (report.model is None or _is_model(report.model))
        and report.faces.keys() | report.refusals.keys() <= set(KINDS)
        and all(map(_is_face, report.faces.values()))
        and all(re.fullmatch(r"[a-z_]{1,32}", code) for code in report.refusals.values())
        and report.similarities.keys() <= PAIRS
        and all(map(_is_cosine, report.similarities.values()))
        and report.seconds.keys() <= set(STAGES)
        and all(0 <= seconds <= LONGEST for seconds in report.seconds.values())
    )


def _is_document(found: Document) -> bool:
    zone = found.mrz
    return (
        found.fields.keys() <= FIELDS
        and all(
            one.source in ("mrz", "visual", "both") and one.confidence in ("high", "review")
            for one in found.fields.values()
        )
        and zone.format in FORMATS
        and zone.checks.keys() <= CHECKS
        and set(zone.checks.values()) <= {"pass", "fail", "absent"}
    )


def _is_model(found: Model) -> bool:
    return (
        re.fullmatch(r"[a-z0-9._-]{1,64}", found.id) is not None
        and re.fullmatch(r"[0-9a-f]{64}", found.sha256) is not None
        and re.fullmatch(r"[ -~]{1,100}", found.preprocessing) is not None
        and -1 <= found.possible <= found.match <= 1
    )


def _is_face(found: Face) -> bool:
    left, top, right, bottom = found.box
    return 0 <= left < right <= LONGEST_SIDE and 0 <= top < bottom <= LONGEST_SIDE and 0 <= found.turned < 4


def _is_cosine(number: float) -> bool:
    return abs(number) <= 1 + ROUNDED
