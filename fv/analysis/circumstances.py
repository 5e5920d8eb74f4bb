"""Whether the photos fit what is known besides them: files, challenge, other people. Pure: the facts are arguments."""

from collections.abc import Mapping
from dataclasses import dataclass

from fv.analysis import detectors
from fv.analysis.detectors import NAMES, Seen, unseen
from fv.analysis.report import TURNS, Detection, Report

TOLD = 3  # copies that a reason names; the others are counted


@dataclass(frozen=True)
class Copy:
    """A photo of this session is the same file, byte for byte, as another. `session_id`: None, this one."""

    kind: str
    other_kind: str
    session_id: str | None
    same_person: bool


@dataclass(frozen=True)
class Resemblance:
    """The most similar face of another person of the account, or of its block list.

    `similarity`: cosine of the two templates.
    """

    session_id: str | None
    similarity: float


@dataclass(frozen=True)
class Blocked:
    """The block list of the account. `nearest`: None, nobody on it can be compared; `others`: faces of other models."""

    nearest: Resemblance | None
    others: int


@dataclass(frozen=True)
class Circumstances:
    """What the database says. `answered`: the challenge that the kept head turn answers; `is_open`: another one was
    shown since, and not answered. `nearest`: None when there is nobody to compare with."""

    copies: tuple[Copy, ...]
    answered: str | None
    is_open: bool
    nearest: Resemblance | None
    blocked: Blocked


def look(at: Circumstances, report: Report, modes: Mapping[str, str]) -> list[Detection]:
    """What each of these detectors says, in its mode."""
    seen = {
        "same_file": same_file(at.copies),
        "challenge_current": challenge_current(at.answered, at.is_open),
        "duplicate_face": duplicate_face(at.nearest, report),
        "blocked_face": blocked_face(at.blocked, report),
    }
    return [detectors.told(name, modes[name], one) for name, one in seen.items() if name in modes]


def same_file(copies: tuple[Copy, ...]) -> Seen:
    """By SHA-256 of the files as they came. Within one person it can be a second try: still told, and half as odd."""
    if not copies:
        return Seen(0.0, False, "No photo is a file that was sent before.")
    said = "; ".join(_copy(one) for one in copies[:TOLD])
    more = f"; and {len(copies) - TOLD} more" if len(copies) > TOLD else ""
    harmless = all(one.session_id is not None and one.same_person for one in copies)
    return Seen(0.5 if harmless else 1.0, True, f"The same file was sent again: {said}{more}.")


def _copy(one: Copy) -> str:
    said = f"{NAMES[one.kind]} as {NAMES[one.other_kind]} of"
    if one.session_id is None:
        return f"{said} this session"
    return f"{said} {one.session_id} ({'the same' if one.same_person else 'another'} external id)"


def challenge_current(answered: str | None, is_open: bool) -> Seen:
    """A late, foreign or used nonce is refused when the photo comes, so a kept head turn has answered one.

    One without an answer came another way: a restored or an altered database. A retake that was begun and given up is
    no contradiction: the frame that is kept answers the challenge before.
    """
    if answered not in TURNS:
        return Seen(1.0, True, "The head turn answers no challenge of this session.")
    if is_open:
        return Seen(0.2, False, "A newer challenge was shown and not answered; the head turn answers the one before.")
    return Seen(0.0, False, "The head turn answers the newest challenge, once and in time.")


def duplicate_face(nearest: Resemblance | None, report: Report) -> Seen:
    """From `match` on, not `possible`: among many people the most similar one is often possible."""
    if report.model is None or "selfie" not in report.faces:
        return unseen("Could not look: there is no face on the selfie to compare with others.")
    if nearest is None:
        return Seen(0.0, False, "There is nobody else to compare this face with.")
    said, match = f"{nearest.similarity:.2f}; a match starts at {report.model.match}", report.model.match
    if nearest.similarity >= match:
        where = f" ({nearest.session_id})" if nearest.session_id else ""
        return Seen(nearest.similarity, True, f"Another person of this account has the same face{where}: {said}.")
    return Seen(nearest.similarity, False, f"Nobody else looks like this: at most {said}.")


def blocked_face(blocked: Blocked, report: Report) -> Seen:
    """From `match` on. Faces of other models cannot be compared: who is on the list might be here."""
    if report.model is None or "selfie" not in report.faces:
        return unseen("Could not look: there is no face on the selfie to compare with the block list.")
    if blocked.nearest and blocked.nearest.similarity >= report.model.match:
        said = f"{blocked.nearest.similarity:.2f}; a match starts at {report.model.match}"
        return Seen(blocked.nearest.similarity, True, f"This face is on the block list: {said}.")
    if blocked.others:
        return unseen(f"Could not look: {blocked.others} on the block list by another face model.")
    return Seen(0.0, False, "This face is not on the block list.")
