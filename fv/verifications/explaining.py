"""What was concluded and what was read, in the words of the pages: lines, reasons, one sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from fv.analysis.findings import Told
from fv.analysis.report import Document, Field
from fv.analysis.scoring import CHECK_OF, NO_ANALYSER, OF_PHOTOS

CHECKS = {
    "document": "Document",
    "mrz": "Machine-readable zone",
    "face_match": "Face match",
    "liveness": "Consistency",
    "duplicate": "Duplicate face",
}
DETECTORS = {
    "same_still": "Selfie and head turn",
    "same_portrait": "Portrait of the document",
    "head_turn": "Head turn",
    "sharpness_and_size": "Sharpness and size",
    "three_people": "Same person on all photos",
    "same_file": "Same file used before",
    "challenge_current": "Challenge answered",
    "duplicate_face": "Duplicate face",
    "blocked_face": "Block list",
}
OF_DETECTORS = {OF_PHOTOS, *CHECK_OF.values()}  # checks that are told by the detectors they consist of
NOBODY_LOOKED = "Nothing was examined: no analyser is installed."
LOOK = "Look at the photos."
#: Of a document, in the order they are shown; the full name is only shown where it could not be taken apart.
FIELDS = {
    "type": "Type",
    "document_number": "Document number",
    "full_name": "Name",
    "surname": "Surname",
    "given_names": "Given names",
    "date_of_birth": "Date of birth",
    "sex": "Sex",
    "nationality": "Nationality",
    "issuing_country": "Issued by",
    "expires_on": "Expires",
}
SOURCES = {"mrz": "MRZ", "visual": "Printed", "both": "MRZ and printed"}
ZONE_CHECKS = {
    "document_number": "Number",
    "date_of_birth": "Birth",
    "expiry": "Expiry",
    "optional": "Optional data",
    "composite": "Composite",
}
TYPES = {"P": "Passport", "V": "Visa", "I": "Identity card", "A": "Identity card", "C": "Identity card"}


@dataclass(frozen=True)
class Line:
    """One thing that was looked at. `result`: ok, review, failed, unavailable.

    `tag`: the word beside it, the result; of a detector that fired its mode.
    """

    title: str
    result: str
    text: str
    tag: str


def checked(told: Told) -> list[Line]:
    """The checks; those that consist of detectors only where no detector is told."""
    return [
        Line(CHECKS.get(one.check, one.check), one.result, one.reason, one.result)
        for one in told.findings
        if not (told.detections and one.check in OF_DETECTORS)
    ]


def detected(told: Told) -> list[Line]:
    """The detectors, a line each. Beside one that found nothing, the word `review` would be read as its result."""
    lines = []
    for one in told.detections:
        fired = "failed" if one.mode == "block" else "review"
        result = "unavailable" if one.fired is None else fired if one.fired else "ok"
        title = DETECTORS.get(one.name, one.name.replace("_", " ").capitalize())
        lines.append(Line(title, result, one.reason, one.mode if one.fired else result))
    return lines


def reasons(told: Told) -> list[Line]:
    """Why a person is asked; a text that stands for several checks is told once."""
    said = detected(told)
    if blind := _blind(told):
        words = f"{NOBODY_LOOKED if blind == NO_ANALYSER else blind} {LOOK}"
        return [Line("", "unavailable", words, ""), *(one for one in said if one.result in ("review", "failed"))]
    heard = (line for line, one in zip(said, told.detections, strict=True) if one.mode != "monitor")
    asking = [*checked(told), *heard]
    return list({one.text: one for one in asking if one.result != "ok"}.values())


def summary(told: Told, decision: str | None, waits: bool) -> str:
    """What the machine made of it, and why. `waits`: for a person, who has not decided yet."""
    odd = {one.check: one.result for one in told.findings if one.result != "ok"}
    failed, policy = [check for check, result in odd.items() if result == "failed"], told.policy
    if decision == "accept":
        return "Passed: nothing has to be looked at."
    if decision == "reject":
        said = _listed(failed) or f"the score is below {policy.get('reject_below')}"
        return f"Failed: {said}."
    if decision != "review":
        return ""
    then = "A person decides." if waits else "A person decided."
    if blind := _blind(told):
        return f"To review: {_low(NOBODY_LOOKED) if blind == NO_ANALYSER else _low(blind)} {then}"
    said = _listed(odd) or f"the score is below {policy.get('accept_from')}"
    return f"To review: {said}. {then}"


def _blind(told: Told) -> str:
    """What is said of every check when nobody looked at a photo; else nothing."""
    results = {one.result for one in told.findings}
    texts = {one.reason for one in told.findings if one.check not in OF_DETECTORS}
    return texts.pop() if results == {"unavailable"} and len(texts) == 1 else ""


def _listed(checks: Iterable[str]) -> str:
    """`face match, consistency and duplicate face`"""
    names = [_low(CHECKS.get(check, check)) for check in checks]
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _low(text: str) -> str:
    return text[:1].lower() + text[1:]


# ── The document ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Row:
    """One field. `agreement`: ok, no or none; `words`: the same in words."""

    label: str
    value: str
    printed: str | None
    source: str
    agreement: str
    words: str
    is_doubtful: bool


def rows(document: Document) -> list[Row]:
    fields = document.fields
    is_apart = any(fields[name].value for name in ("surname", "given_names") if name in fields)
    return [_row(name, fields[name]) for name in FIELDS if name in fields and not (is_apart and name == "full_name")]


def title(document: Document) -> str:
    """`Passport, TD3`"""
    return f"{_type(document.fields['type'].value) if 'type' in document.fields else 'Document'}, {document.mrz.format}"


def look_alikes(document: Document) -> list[str]:
    """What check digits cannot tell apart here, each pair once: `1 or L`."""
    return list({frozenset(one.split(" or ")): one for one in document.mrz.unseen}.values())


def _row(name: str, one: Field) -> Row:
    value = {"type": _typed, "date_of_birth": day, "expires_on": day}.get(name, str)(one.value)
    agreement, words = {
        True: ("ok", "Agrees"),
        False: ("no", "Differs"),
        None: ("none", f"{SOURCES.get(one.source, one.source)} only"),
    }[one.agrees]
    source = SOURCES.get(one.source, one.source)
    return Row(FIELDS[name], value, one.printed, source, agreement, words, one.confidence != "high")


def _type(code: str) -> str:
    return TYPES.get(code[:1], "Document")


def _typed(code: str) -> str:
    return f"{code} · {_type(code)}" if code else ""


def day(text: str) -> str:
    """`12 June 1987`, of an ISO 8601 date; one without month or day, as some documents have, stays as it is."""
    try:
        at = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{at.day} {at:%B %Y}"
