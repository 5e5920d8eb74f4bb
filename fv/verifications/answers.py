"""What a program sends and is told of sessions, their photos, and what their documents say."""

from collections.abc import Set
from typing import Annotated

from fv.analysis import findings, report
from fv.api import bodies, times
from fv.api.bodies import Answer, Limit, Time, words
from fv.api.parameters import Parameter
from fv.evidence import store as evidence
from fv.keys import scopes
from fv.verifications import flows, states, store

SESSION = Parameter("id", bodies.id_of("vs"), "Of the session.")
KIND = Parameter("kind", Annotated[str, words(*flows.STEPS)], "Which photo.")

#: What is told of a document, in this order; what it does not say is null.
FIELDS = (
    "type", "issuing_country", "full_name", "given_names", "surname", "date_of_birth", "nationality", "sex",
    "document_number", "expires_on",
)  # fmt: skip

UserId = Annotated[
    str,
    Limit(
        min_length=1,
        max_length=flows.LONGEST_USER_ID,
        description="What you call the person: an id of yours, no name and no email.",
        examples=["customer-17"],
    ),
]
RequirePoa = Annotated[bool, Limit(description="Noted with the session; nothing is asked for because of it yet.")]
Reason = Annotated[str, Limit(min_length=1, max_length=flows.LONGEST_REASON, examples=["The photos match"])]
Status = Annotated[str, words(*states.NEXT)]
Result = Annotated[str, words("ok", "review", "failed", "unavailable")]
Mode = Annotated[str, words(*scopes.MODES)]


# ── What is sent ─────────────────────────────────────────────────────────────────────────────────────────────


class NewSession(bodies.Body, frozen=True):
    external_user_id: UserId | None = None
    require_poa: RequirePoa | None = None


class Decision(bodies.Body, frozen=True):
    decision: Annotated[str, words(*flows.SUBJECT)]
    reason: Reason


# ── What is told ─────────────────────────────────────────────────────────────────────────────────────────────


class MadeSession(Answer, frozen=True):
    session_id: str
    session_token: Annotated[str, Limit(description="For the person alone.")]
    steps: list[str]
    challenge_nonce: str
    capture_url: Annotated[str, Limit(description="What the person opens. It holds the token.")]
    expires_at: Time


class Steps(Answer, frozen=True):
    """Which photos there are."""

    id_photo: bool
    selfie: bool
    liveness_frame: bool


class Checks(Answer, frozen=True):
    """`unavailable`: what should have looked is missing or failed; null: nothing looked yet."""

    document: Result | None
    mrz: Result | None
    face_match: Result | None
    liveness: Result | None
    duplicate: Result | None


class Session(Answer, frozen=True):
    """`status` is what counts, and the only field that follows the decision of a person."""

    session_id: str
    external_user_id: str
    status: Status
    steps: Steps
    face_match_passed: bool | None
    error: str
    created_at: Time
    completed_at: Time | None
    trust_score: Annotated[int, Limit(ge=0, le=100, description="High is safe.")] | None
    trust_decision: Annotated[str, words("accept", "review", "reject")] | None
    require_poa: bool
    poa: Annotated[None, Limit(description="Always null in this version.")]
    anti_spoofing: Annotated[None, Limit(description="Always null: nothing here measures it.")]
    credential: Annotated[None, Limit(description="Always null in this version.")]
    checks: Checks
    mode: Mode
    data_state: Annotated[str, words("retained", "erased")]
    erase_after: Annotated[Time, Limit(description="When the photos, and what was read from them, go.")]


class Photo(Answer, frozen=True):
    kind: Annotated[str, words(*flows.STEPS)]
    width: Annotated[int, Limit(ge=1, description="Pixels.")]
    height: Annotated[int, Limit(ge=1, description="Pixels.")]
    bytes: Annotated[int, Limit(ge=1)]
    taken_at: Time


class Read(Answer, frozen=True):
    """One thing that the document says."""

    value: str
    source: Annotated[str, words("mrz", "visual", "both")]
    agrees: Annotated[bool, Limit(description="Whether both say the same; null: only one was read.")] | None
    confidence: Annotated[str, words("high", "review")]
    printed: Annotated[str, Limit(description="The printed text where it differs.")] | None


class Zone(Answer, frozen=True):
    """The machine-readable zone."""

    format: Annotated[str, words("TD1", "TD2", "TD3", "MRVA", "MRVB")]
    lines: list[str]
    checks: dict[str, Annotated[str, words("pass", "fail", "absent")]]
    unseen: Annotated[list[str], Limit(description="Look-alikes that the check digits cannot tell apart.")]
    repaired: Annotated[list[str], Limit(description="Misread characters that were put right, in words.")]


class Document(Answer, frozen=True):
    type: Read | None
    issuing_country: Read | None
    full_name: Read | None
    given_names: Read | None
    surname: Read | None
    date_of_birth: Read | None
    nationality: Read | None
    sex: Read | None
    document_number: Read | None
    expires_on: Read | None
    mrz: Zone


def told(session: store.Verification, taken: Set[str]) -> Session:
    """`taken`: the kinds of photo there are."""
    results = {finding.check: finding.result for finding in findings.read(session.findings).findings}
    return Session(
        session_id=session.id,
        external_user_id=session.external_user_id,
        status=session.status,
        steps=Steps(**{step: step in taken for step in flows.STEPS}),
        face_match_passed=session.face_match_passed,
        error=session.error,
        created_at=times.written(session.created_at),
        completed_at=times.written(session.completed_at),
        trust_score=session.trust_score,
        trust_decision=session.trust_decision,
        require_poa=session.require_poa,
        poa=None,
        anti_spoofing=None,
        credential=None,
        checks=Checks(**{check: results.get(check) for check in findings.CHECKS}),
        mode=session.mode,
        data_state="retained" if session.erased_at is None else "erased",
        erase_after=times.written(session.erase_after),
    )


def photo(kept: evidence.Photo) -> Photo:
    return Photo(
        kind=kept.kind,
        width=kept.width,
        height=kept.height,
        bytes=kept.bytes,
        taken_at=times.written(kept.taken_at),
    )


def document(seen: report.Document) -> Document:
    fields = {name: _read(seen.fields[name]) if name in seen.fields else None for name in FIELDS}
    zone = seen.mrz
    return Document(
        **fields,
        mrz=Zone(zone.format, list(zone.lines), zone.checks, list(zone.unseen), list(zone.repaired)),
    )


def _read(field: report.Field) -> Read:
    return Read(field.value, field.source, field.agrees, field.confidence, field.printed)
