"""From a report to a decision: checks with a result and a reason, points, and what follows. Pure; today is an argument.

Each check gives all or most of its points when it is ok, half when a person has to look, none when it failed. Then:
a check that failed, or a detector that blocks, puts the score into the band of rejection; what is unavailable puts it
into the band of review; what a person has to look at keeps it out of the band of acceptance.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from fv.analysis.detectors import NAMES
from fv.analysis.findings import CHECKS, Finding, Findings, Likeness, Part, Portrait
from fv.analysis.report import KINDS, Detection, Document, Report

RULES = "1"  # names what stands in this file: raised whenever the same report may be judged otherwise
POINTS = {"document": 30, "mrz": 20, "face_match": 30, "liveness": 20}
HALF = 0.5  # of the points: neither for nor against. Four halves are 50 of 100, which is review.
ENOUGH = 0.8  # of the points, for what is just ok
#: The check that a detector belongs to; those of other packages are about the photos fitting together, too.
CHECK_OF = {"duplicate_face": "duplicate", "blocked_face": "duplicate"}
OF_PHOTOS = "liveness"

#: What nobody passes without. Others are often not printed, or not in the words of the zone (a nationality): how
#: sure they are is told, and they matter when print and zone contradict each other.
ESSENTIAL = ("full_name", "date_of_birth", "document_number")

NO_ANALYSER = "No analyser is installed for this."
BROKEN = "The analysis of these photos failed."
#: Why a photo has no face to compare, for a person who then looks at it.
REFUSED = {
    "no_face": "no face was found on the {photo}",
    "several_faces": "the {photo} shows several faces, and which one is meant cannot be told",
    "too_small": "the face on the {photo} is too small to be compared",
    "blurred": "the face on the {photo} is too blurred to be compared",
    "elsewhere": "the face on the {photo} is not where a portrait is on a document",
}


@dataclass(frozen=True)
class Policy:
    """`accept_from`: the lowest score that is accepted (101: none). `reject_below`: lower ones are rejected (0: none).

    Raises ValueError when no score between them is left for review.
    """

    accept_from: int = 70
    reject_below: int = 40

    def __post_init__(self) -> None:
        if not 0 <= self.reject_below < self.accept_from <= 101:
            raise ValueError("a session that a person has to look at needs a score between the two")

    def decision(self, score: int) -> str:
        return "accept" if score >= self.accept_from else "reject" if score < self.reject_below else "review"

    def as_facts(self) -> dict[str, object]:
        return {"rules": RULES, "accept_from": self.accept_from, "reject_below": self.reject_below}


@dataclass(frozen=True)
class _Grade:
    """`share`: of the points of the check, 0 to 1."""

    result: str
    share: float
    reason: str


def _unavailable(reason: str) -> _Grade:
    return _Grade("unavailable", 0, reason)


def judge(
    report: Report, detections: Iterable[Detection], policy: Policy, today: date, blind: str = NO_ANALYSER
) -> Findings:
    """`detections`: one of every detector that was to look, from photos and circumstances (detectors.settled).

    `blind`: what is said of every check when the report is that of nobody.
    """
    said = tuple(detections)
    if report.document_state == "unavailable" and report.model is None:
        return _unexamined(said, policy, blind)
    grades = {
        "document": _document(report, today),
        "mrz": _mrz(report),
        "face_match": _face_match(report),
        "liveness": _of_detectors(said, "liveness", "Selfie, head turn and ID photo fit together"),
        "duplicate": _of_detectors(said, "duplicate", "Nobody else of this account looks like this"),
    }
    parts = tuple(_part(check, grades[check], of) for check, of in POINTS.items())
    results = {grade.result for grade in grades.values()}
    score, decision = _decided(sum(part.points or 0 for part in parts), results, _blocks(said), policy)
    return Findings(
        findings=tuple(Finding(check, grades[check].result, grades[check].reason) for check in CHECKS),
        parts=parts, likenesses=_likenesses(report), model=report.model.id if report.model else None,
        detections=said, policy=policy.as_facts(), portrait=_portrait(report),
        possible_from=report.model.possible if report.model else None,
        match_from=report.model.match if report.model else None,
        seconds=_seconds(report), score=score, decision=decision,
        face_match={"ok": True, "failed": False}.get(grades["face_match"].result),
    )  # fmt: skip


def _unexamined(said: tuple[Detection, ...], policy: Policy, blind: str) -> Findings:
    """Nobody looked at a photo: a person has to, and there is no score. A file sent before is told all the same."""
    fired = {check: _reasons(one for one in said if one.fired and _check(one) == check) for check in CHECKS}
    return Findings(
        findings=tuple(Finding(one, "unavailable", f"{blind} {fired[one]}".strip()) for one in CHECKS),
        parts=tuple(Part(check, None, of) for check, of in POINTS.items()),
        detections=said, policy=policy.as_facts(), score=None,
        decision="reject" if _blocks(said) else "review", face_match=None,
    )  # fmt: skip


def _decided(total: int, results: set[str], blocks: bool, policy: Policy) -> tuple[int, str]:
    if blocks or "failed" in results:
        score = min(total, max(0, policy.reject_below - 1))
        return score, "reject" if blocks else policy.decision(score)
    score = max(total, policy.reject_below) if "unavailable" in results else total
    if results & {"unavailable", "review"}:
        score = min(score, policy.accept_from - 1)
    return score, policy.decision(score)


def _seconds(report: Report) -> float | None:
    """Within a day, whatever a process that had crafted photos before it says."""
    return round(max(0.0, min(86_400.0, sum(report.seconds.values()))), 1) if report.seconds else None


def _part(check: str, grade: _Grade, of: int) -> Part:
    return Part(check, None if grade.result == "unavailable" else round(of * grade.share), of)


# ── The document ─────────────────────────────────────────────────────────────────────────────────────────────


def _document(report: Report, today: date) -> _Grade:
    if (missing := _unread(report)) or report.document is None:
        return missing or _unavailable("The reader gave no document.")
    reasons = [*_expiry(report.document, today), *_birth(report.document, today), *_fields(report.document)]
    if reasons:
        return _Grade("review", HALF, " ".join(reasons))
    return _Grade("ok", 1, f"{_listed(ESSENTIAL).capitalize()} were read beyond doubt, and it has not expired.")


def _unread(report: Report) -> _Grade | None:
    if report.document_state == "unavailable":
        return _unavailable("The document was not read: no reader is installed, or it failed.")
    if report.document_state == "not_found":
        return _Grade(
            "review", HALF,
            "No machine-readable zone was found on the ID photo, so nothing was read. "
            "Look whether it shows the side with the lines of < signs, whole and sharp.",
        )  # fmt: skip
    return None


def _expiry(document: Document, today: date) -> list[str]:
    found = document.fields.get("expires_on")
    try:
        expires = date.fromisoformat(found.value) if found else None
    except ValueError:
        expires = None
    if expires is None:
        return ["When the document expires could not be read: compare it with the photo."]
    return ["The document has expired."] if expires < today else []  # not since when: this text is kept


def _birth(document: Document, today: date) -> list[str]:
    """By text: ISO 8601 sorts as time does, also where day or month are unknown."""
    found = document.fields.get("date_of_birth")
    return ["The date of birth is to come."] if found and found.value > today.isoformat() else []


def _fields(document: Document) -> list[str]:
    contradicted = [name for name, one in document.fields.items() if one.agrees is False]
    sure = {name for name, one in document.fields.items() if one.confidence == "high" and one.value.strip()}
    unsure = [name for name in ESSENTIAL if name not in sure and name not in contradicted]
    said = [f"Printed text and machine-readable zone differ in {_listed(contradicted)}."] if contradicted else []
    said += [f"Compare with the photo: {_listed(unsure)} could not be read beyond doubt."] if unsure else []
    return said if document.fields else ["Nothing was read."]


def _mrz(report: Report) -> _Grade:
    if (missing := _unread(report)) or report.document is None:
        return missing or _unavailable("The reader gave no document.")
    zone = report.document.mrz
    wrong = [name for name, result in zone.checks.items() if result == "fail"]
    right = [name for name, result in zone.checks.items() if result == "pass"]
    if wrong:
        return _Grade(
            "review", HALF,
            f"A check digit does not fit: {_listed(wrong)}. Perhaps it was misread: compare the lines with the photo.",
        )  # fmt: skip
    if not right:
        return _Grade("review", HALF, "The machine-readable zone has no check digit that could be tried.")
    number = len(right)
    reason = "The one check digit that there is fits" if number == 1 else f"All {number} check digits fit"
    if zone.repaired:
        return _Grade("ok", ENOUGH, f"{reason}, after {_counted(len(zone.repaired), 'repair')} of misread characters.")
    return _Grade("ok", 1, f"{reason}.")


# ── The face ─────────────────────────────────────────────────────────────────────────────────────────────────


def _face_match(report: Report) -> _Grade:
    model, alike = report.model, report.similarities.get("id_photo selfie")
    if model is None:
        return _unavailable("Faces were not compared: no face model is installed, or it failed.")
    if alike is None:
        return _uncompared(report)
    band, said = model.band(alike), f"{alike:.2f}; a match starts at {model.match}"
    if band == "match":
        share = ENOUGH + (1 - ENOUGH) * min(1.0, (alike - model.match) / max(1 - model.match, 1e-9))
        return _Grade("ok", share, f"Selfie and ID photo show the same person: {said}.")
    if band == "possible":
        return _Grade("review", HALF, f"Selfie and ID photo may show the same person: {said}. Compare them.")
    return _Grade("failed", 0, f"Selfie and ID photo show two people: {said}, a possible one at {model.possible}.")


def _uncompared(report: Report) -> _Grade:
    codes = {kind: report.refusals[kind] for kind in ("id_photo", "selfie") if kind in report.refusals}
    if not codes or "unavailable" in codes.values():
        return _unavailable("The faces of selfie and ID photo were not compared: that failed.")
    said = " and ".join(
        REFUSED.get(code, "the face on the {photo} could not be used").format(photo=NAMES[kind])
        for kind, code in codes.items()
    )
    return _Grade("review", HALF, f"Not compared: {said}. Compare them yourself.")


def _likenesses(report: Report) -> tuple[Likeness, ...]:
    model, alike = report.model, report.similarities
    if model is None:
        return ()
    return tuple(
        Likeness((a, b), round(alike[f"{a} {b}"], 4), model.band(alike[f"{a} {b}"]))
        for a, b in combinations(KINDS, 2)
        if f"{a} {b}" in alike
    )


def _portrait(report: Report) -> Portrait | None:
    found = report.faces.get("id_photo")
    return Portrait(found.box, found.turned) if found else None


# ── The detectors ────────────────────────────────────────────────────────────────────────────────────────────


def _of_detectors(said: tuple[Detection, ...], check: str, fine: str) -> _Grade:
    """Of those that are more than told. What fired counts before what could not look; the reason has both."""
    ours = [one for one in said if _check(one) == check and one.mode != "monitor"]
    fired, blind = [one for one in ours if one.fired], [one for one in ours if one.fired is None]
    if fired:
        result = "failed" if _blocks(tuple(fired)) else "review"
        return _Grade(result, 0 if result == "failed" else HALF, _reasons(fired + blind))
    if blind or not ours:
        return _unavailable(_reasons(blind) or "No detector was set to look at this.")
    most = max(one.score or 0.0 for one in ours)
    return _Grade("ok", 1 - (1 - ENOUGH) * most, f"{fine}: {_counted(len(ours), 'detector')} found nothing.")


def _check(one: Detection) -> str:
    return CHECK_OF.get(one.name, OF_PHOTOS)


def _blocks(said: tuple[Detection, ...]) -> bool:
    return any(one.fired and one.mode == "block" for one in said)


def _reasons(said: Iterable[Detection]) -> str:
    return " ".join(dict.fromkeys(one.reason for one in said))


# ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
