"""What became of the made-up sessions. Nothing was examined, and each reason says so. Times lie in the past.

Drawn people have no faces that could be compared: what stands here is what a report would look like.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from fv import ids
from fv.analysis.detectors import DEFAULTS
from fv.analysis.findings import CHECKS, Finding, Findings, Likeness, Part, Portrait
from fv.analysis.report import Detection, Report
from fv.analysis.scoring import CHECK_OF, HALF, OF_PHOTOS, POINTS, Policy, judge
from fv.demo import pictures
from fv.verifications import analysis, states
from fv.verifications.flows import CHALLENGES, STEPS
from fv.verifications.store import Happening, Verification

DAYS = 30  # that they are spread over, more of them lately
LATEST = 3600  # seconds ago the newest one began; what happens in it takes less
#: Of twenty sessions, the newest first. The open ones of more than a day ago have expired.
OUTCOMES = (
    "in_progress", "passed", "review", "passed", "pending", "failed", "passed", "passed", "canceled", "passed",
    "passed", "review", "passed", "in_progress", "passed", "passed", "failed", "passed", "pending", "passed",
)  # fmt: skip
EVERY_TEST = 7  # one of so many is in test mode
TEST_USERS = {"passed": "test_pass", "review": "test_review", "failed": "test_fail"}
BY_PERSON, UNAVAILABLE = 0.2, 0.25  # of those decided, of those in review
#: The worst result of a check, what follows from it, and the lowest and highest score.
VERDICTS = {
    "passed": ("ok", "accept", 70, 99),
    "review": ("review", "review", 40, 69),
    "failed": ("failed", "reject", 4, 39),
}
#: What is said of a check, by its result.
REASONS = {
    "ok": {
        "document": "whole and sharp.", "mrz": "all check digits fit.", "face_match": "the same person.",
        "liveness": "the head was turned as asked.", "duplicate": "nobody else looks like this.",
    },
    "review": {
        "document": "a corner is covered.", "mrz": "one letter could be two.", "face_match": "perhaps the same person.",
        "liveness": "the head was turned too little.", "duplicate": "somebody else looks much like this.",
    },
    "failed": {
        "document": "the portrait was pasted in.", "mrz": "two check digits do not fit.", "face_match": "two people.",
        "liveness": "the selfie was sent again.", "duplicate": "the face of another customer.",
    },
}  # fmt: skip
MODEL, POSSIBLE, MATCH = "made-up", 0.9, 0.92
#: Of the points of a check, by its result.
SHARES = {"ok": 1.0, "review": HALF, "failed": 0.0}
#: Lowest and highest cosine of ID photo and selfie, and the band, by the result of the face match.
COSINES = {"ok": (0.94, 0.98, "match"), "review": (0.9, 0.919, "possible"), "failed": (0.71, 0.84, "no")}
#: The detector that fires when liveness or duplicate is not ok.
FIRING = {
    OF_PHOTOS: {"review": "head_turn", "failed": "same_still"},
    "duplicate": dict.fromkeys(("review", "failed"), "duplicate_face"),
}
QUIET = "Made up: nothing odd was seen."
#: What a person says who decides.
SAID = {"passed": "The same person on both photos.", "failed": "The portrait was pasted in."}


@dataclass(frozen=True)
class Plan:
    """So many sessions of an account, as of `now`. `window`, `kept`: seconds until a session expires, is erased."""

    account_id: str
    sessions: int
    photographed: int
    now: int
    window: int
    kept: int

    def with_photos(self) -> frozenset[int]:
        """Whose photos there are: half of them wait longest for a person, the others are the newest that are over."""
        over = [number for number in range(self.sessions) if _outcome(number) in states.COMPLETED]
        waiting = [number for number in over if _outcome(number) == "review" and _mode(number) == "live"]
        first = waiting[::-1][: (self.photographed + 1) // 2]
        return frozenset([*first, *(number for number in over if number not in first)][: self.photographed])


@dataclass(frozen=True)
class History:
    """A session as it stands, and its timeline, the oldest line first."""

    session: Verification
    timeline: tuple[Happening, ...]


def history(plan: Plan, number: int, has_photos: bool) -> History:
    """Of the session of this number; 0 is the newest. The same number tells the same story."""
    draw, end = Random(f"session {number}"), _outcome(number)  # noqa: S311 (drawn, not guarded)
    session = _created(plan, number, draw)
    told, at = [("pending", session.created_at, "")], session.created_at + draw.randint(20, 300)
    if end == "canceled":
        told.append((end, at, ""))
    elif end != "pending":
        told.append(("in_progress", at, ""))
        session = replace(session, consented_at=at)
    if end in states.COMPLETED:
        taken = [(f"photo:{step}", at + 25 * turn, "") for turn, step in enumerate(STEPS, 1)] if has_photos else []
        verdict = "review" if session.mode == "live" and draw.random() < BY_PERSON else end
        session = replace(session, answered=session.challenge if has_photos else None)
        session = _examined(session, verdict, at + draw.randint(80, 130), draw, slant(number) if has_photos else None)
        told += [*taken, ("analyzing", session.submitted_at or 0, ""), (verdict, session.completed_at or 0, "")]
        if verdict != end:
            told.append((end, told[-1][1] + draw.randint(60, LATEST // 2), SAID[end]))
    return History(session, tuple(Happening(line, at, event, note) for line, (event, at, note) in enumerate(told, 1)))


def slant(number: int) -> float:
    """Degrees by which the document lies askew on its photo."""
    return number % 7 - 3


def _created(plan: Plan, number: int, draw: Random) -> Verification:
    end, mode = _outcome(number), _mode(number)
    at = plan.now - LATEST - int((DAYS * 86400 - LATEST) * ((number + 0.5) / plan.sessions) ** 2)
    user = f"demo-{draw.randint(1, plan.sessions // 2 + 1):04}"
    return Verification(
        ids.new("vs"), plan.account_id, TEST_USERS.get(end, "test_pass") if mode == "test" else user, mode, end,
        require_poa=False, token_hash=secrets.token_hex(32),  # of no token: nobody can open it as its person
        challenge=draw.choice(CHALLENGES), nonce="", nonce_made_at=at, created_at=at,
        expires_at=at + plan.window, erase_after=at + plan.kept,
    )  # fmt: skip


def _examined(session: Verification, verdict: str, at: int, draw: Random, slant: float | None) -> Verification:
    """`at`: when it was submitted; `slant`: of the document on its photo, if there is one: then it was examined."""
    unexamined = judge(Report(), (), Policy(), date.min)  # as where no analyser is installed
    found = analysis.staged(session.mode, session.external_user_id) or unexamined
    is_blind = verdict == "review" and slant is None and draw.random() < UNAVAILABLE
    if session.mode == "live" and not is_blind:
        found = _found(verdict, draw)
        found = found if slant is None else replace(found, portrait=Portrait(pictures.portrait(slant), 0))
    return replace(
        session, submitted_at=at, completed_at=at + draw.randint(2, 6), findings=found.as_text(),
        trust_score=found.score, trust_decision=found.decision, face_match_passed=found.face_match,
    )  # fmt: skip


def _found(verdict: str, draw: Random) -> Findings:
    result, decision, lowest, highest = VERDICTS[verdict]
    odd = draw.sample(CHECKS, draw.randint(1, 2)) if result != "ok" else []
    results = {check: result if check in odd else "ok" for check in CHECKS}
    findings = tuple(Finding(check, said, f"Made up: {REASONS[said][check]}") for check, said in results.items())
    parts = _parts(results, draw)
    total, policy = sum(part.points or 0 for part in parts), Policy()
    return Findings(
        findings=findings, parts=parts, likenesses=_likenesses(results["face_match"], draw), model=MODEL,
        detections=_detections(results), policy=policy.as_facts(), possible_from=POSSIBLE, match_from=MATCH,
        seconds=round(draw.uniform(2, 6), 1), score=min(max(total, lowest), highest), decision=decision,
        face_match={"ok": True, "review": None, "failed": False}[results["face_match"]],
    )  # fmt: skip


def _parts(results: dict[str, str], draw: Random) -> tuple[Part, ...]:
    """What is ok has most of its points."""
    return tuple(
        Part(check, round(of * SHARES[results[check]] * draw.uniform(0.85, 1)), of) for check, of in POINTS.items()
    )


def _likenesses(result: str, draw: Random) -> tuple[Likeness, ...]:
    lowest, highest, band = COSINES[result]
    between, same = round(draw.uniform(lowest, highest), 4), round(draw.uniform(0.95, 0.98), 4)
    return (
        Likeness(("id_photo", "selfie"), between, band),
        Likeness(("id_photo", "liveness_frame"), between, band),
        Likeness(("selfie", "liveness_frame"), same, "match"),
    )


def _detections(results: dict[str, str]) -> tuple[Detection, ...]:
    said = []
    for name, mode in DEFAULTS.items():
        check = CHECK_OF.get(name, OF_PHOTOS)
        result = results[check] if FIRING[check].get(results[check]) == name else "ok"
        reason = f"Made up: {REASONS[result][check]}" if result != "ok" else QUIET
        blocks = "block" if result == "failed" else mode
        said.append(Detection(name, "1", 0.9 if result != "ok" else 0.1, blocks, result != "ok", reason))
    return tuple(said)


def _outcome(number: int) -> str:
    return OUTCOMES[number % len(OUTCOMES)]


def _mode(number: int) -> str:
    return "test" if number % EVERY_TEST == EVERY_TEST - 1 else "live"
