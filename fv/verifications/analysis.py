"""What the analysers find in a session's photos, and what follows from it. Pure.

An analyser that is missing, fails or takes too long says `unavailable`, and a session with one such finding is never
passed by the machine: a person decides. None is installed in this version, so every session is decided by a person,
but for those in test mode, whose end is what their external_user_id asks for.
"""

import json
from dataclasses import asdict, dataclass

CHECKS = ("document", "mrz", "face_match", "liveness", "duplicate")
#: external_user_id of a test session → its end, and the check that says why
TEST = {
    "test_pass": ("accept", None),
    "test_review": ("review", "document"),
    "test_fail": ("reject", "face_match"),
    "test_duplicate": ("review", "duplicate"),
}
SCORES = {"accept": 95, "review": 55, "reject": 10}


@dataclass(frozen=True)
class Finding:
    """`result`: ok, review, failed, unavailable."""

    check: str
    result: str
    reason: str


@dataclass(frozen=True)
class Findings:
    """`score`: 0 to 100, high is safe; None: nothing could be measured."""

    findings: tuple[Finding, ...]
    score: int | None
    decision: str
    face_match: bool | None

    def as_text(self) -> str:
        return json.dumps([asdict(finding) for finding in self.findings])


def read(text: str | None) -> list[Finding]:
    """What Findings.as_text() wrote; nothing before the analysis."""
    return [Finding(**finding) for finding in json.loads(text)] if text else []


def examine(mode: str, external_user_id: str) -> Findings:
    if mode == "test" and external_user_id in TEST:
        decision, why = TEST[external_user_id]
        results = dict.fromkeys(CHECKS, "ok") | ({why: "review" if decision == "review" else "failed"} if why else {})
        findings = tuple(
            Finding(check, result, "Test mode: nothing was examined.") for check, result in results.items()
        )
        return Findings(findings, SCORES[decision], decision, results["face_match"] == "ok")
    return unexamined("No analyser is installed for this.")


def unexamined(why: str) -> Findings:
    """Nothing was measured: a person decides."""
    return Findings(tuple(Finding(check, "unavailable", why) for check in CHECKS), None, "review", None)
