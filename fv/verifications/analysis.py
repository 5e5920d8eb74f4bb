"""What becomes of a session whose photos nobody looks at. Pure.

In test mode a few names of external_user_id ask for an end, and nothing is examined. Everything else is judged by
fv/analysis/scoring.py; the report of nobody, as without an analyser, makes every check `unavailable`: a person decides.
"""

from datetime import date

from fv.analysis.findings import CHECKS, Finding, Findings
from fv.analysis.report import Report
from fv.analysis.scoring import Policy, judge

#: external_user_id of a test session → its end, and the check that says why
TEST = {
    "test_pass": ("accept", None),
    "test_review": ("review", "document"),
    "test_fail": ("reject", "face_match"),
    "test_duplicate": ("review", "duplicate"),
}
SCORES = {"accept": 95, "review": 55, "reject": 10}


def staged(mode: str, external_user_id: str) -> Findings | None:
    """The end that a test session asks for; None: it is examined like any other."""
    if mode != "test" or external_user_id not in TEST:
        return None
    decision, why = TEST[external_user_id]
    results = dict.fromkeys(CHECKS, "ok") | ({why: "review" if decision == "review" else "failed"} if why else {})
    findings = tuple(Finding(check, result, "Test mode: nothing was examined.") for check, result in results.items())
    return Findings(
        findings=findings, score=SCORES[decision], decision=decision, face_match=results["face_match"] == "ok"
    )


def examine(mode: str, external_user_id: str) -> Findings:
    """Without an analyser."""
    return staged(mode, external_user_id) or judge(Report(), (), Policy(), date.min)
