"""The story as the end user lives it: consent, ID photo, selfie, head turn, sending, the end."""

from collections.abc import Mapping
from enum import Enum

from fv.verifications import flows as verifications
from fv.verifications import states
from fv.verifications.store import Verification

IN_TIME = 30  # seconds a challenge has to be good for when it is shown: to read it, to turn, to press


class Step(Enum):
    CONSENT = "consent"
    ID_PHOTO = "id_photo"
    SELFIE = "selfie"
    HEAD_TURN = "liveness_frame"
    SENDING = "sending"
    END = "end"
    OVER = "over"


def step(session: Verification, taken: Mapping[str, bool], again: str | None = None) -> Step:
    """Where the person is. `again`: the photo that they want to retake."""
    if session.status in ("expired", "canceled"):
        return Step.OVER
    if session.status not in states.OPEN:
        return Step.END
    if session.consented_at is None:
        return Step.CONSENT
    missing = next((kind for kind, is_there in taken.items() if not is_there), None)
    kind = again if again in taken else missing
    return Step(kind) if kind else Step.SENDING


def has_time(session: Verification, now: int) -> bool:
    """Whether the challenge that was made last can still be answered."""
    return session.nonce != "" and now + IN_TIME < session.nonce_made_at + verifications.CHALLENGE_LASTS


def challenged(session: Verification, now: int) -> Verification:
    """With a challenge that can be answered: the one it has, or a new one."""
    return session if has_time(session, now) else verifications.new_challenge(session, now)
