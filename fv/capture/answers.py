"""What a program sends and is told while it takes the photos of a session."""

from typing import Annotated

from fv.api.bodies import Answer, words
from fv.api.parameters import Parameter
from fv.verifications import flows, states
from fv.verifications.answers import Steps
from fv.verifications.store import Verification

PHOTO = Parameter("photo", bytes, "JPEG, PNG or WebP, up to 10 MB.")
NONCE = Parameter("nonce", str, "With the `liveness_frame`: that of the challenge it answers.")


class CaptureState(Answer, frozen=True):
    """`challenge`: the way the head is to be turned."""

    status: Annotated[str, words(*states.NEXT)]
    steps: Steps
    challenge: Annotated[str, words(*flows.CHALLENGES)]


def state(session: Verification) -> CaptureState:
    return CaptureState(status=session.status, steps=Steps(**flows.taken(session)), challenge=session.challenge)
