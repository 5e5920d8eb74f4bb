"""What a program sends and is told of retention, legal holds and erasures."""

from typing import Annotated, Any

from fv.api import bodies, times
from fv.api.bodies import Answer, Limit, Time, words
from fv.api.parameters import Parameter
from fv.retention import confirming, flows, planning, receipts
from fv.terms.span import CLASSES, MOST_DAYS
from fv.terms.store import Going, Term

ERASURE = Parameter("id", bodies.id_of("era"), "Of the erasure.")

Days = Annotated[int, Limit(ge=1, le=MOST_DAYS)]
Because = Annotated[
    str,
    Limit(
        min_length=1,
        max_length=flows.LONGEST_REASON,
        description="It stands in the receipt for good, so name nobody.",
        examples=["asked for in letter 12"],
    ),
]


class NewDays(bodies.Body, frozen=True):
    """Those that are not named stay as they are."""

    photos: Days | None = None
    documents: Days | None = None
    fingerprints: Days | None = None
    dry_run: Annotated[bool, Limit(description="Say what would go, and change nothing.")] = False


class Reason(bodies.Body, frozen=True):
    reason: Because


class NewHold(bodies.Body, frozen=True):
    until: Annotated[Time, Limit(description="At most ten years ahead.", examples=["2030-01-01T00:00:00Z"])]
    reason: Annotated[str, Limit(min_length=1, max_length=flows.LONGEST_REASON, examples=["case 12"])]


class Hold(Answer, frozen=True):
    session_id: str
    until: Time | None
    reason: str


class Goes(Answer, frozen=True):
    """How many sessions have something that goes, and of how many what."""

    sessions: int
    photos: int
    documents: int
    fingerprints: int


class Retention(Answer, frozen=True):
    """Days for sessions to come; those there are keep what their person was shown, or less."""

    photos: Days
    documents: Days
    fingerprints: Days
    default_days: int
    sessions_kept: int
    would_erase: Annotated[Goes, Limit(description="At once.")]
    next_7_days: Goes
    last_looked_at: Time | None
    holds: list[Hold]


class Erasure(Answer, frozen=True):
    """Signed once it is `erased`, which it is only after somebody looked. `because`: why it is blocked."""

    receipt: Annotated[str, words(receipts.KIND)]
    id: str
    session_id: str | None
    status: Annotated[str, words("pending", "blocked", "erased")]
    because: Annotated[str, words(*confirming.BECAUSE)] | None
    cause: Annotated[str, words("term", "account", "person", "operator")]
    reason: str
    classes: list[Annotated[str, words(*CLASSES)]]
    gone: Annotated[dict[str, int], Limit(description="How many of what.")]
    kept: Annotated[list[str], Limit(description="What stays, in words.")]
    requested_at: Time
    erased_at: Time | None
    looked: Annotated[dict[str, Any], Limit(description="Where it was looked for, and when.")] | None
    key: Annotated[str, Limit(description="Of the public keys at `/retention-policy`.")] | None
    signature: Annotated[str, Limit(description="Ed25519, Base64.")] | None


def hold(term: Term) -> Hold:
    return Hold(term.session_id, times.written(term.held_until), term.held_because)


def told(plan: planning.Plan) -> Retention:
    return Retention(
        **plan.days,
        default_days=plan.default_days,
        sessions_kept=plan.kept,
        would_erase=_goes(plan.at_once),
        next_7_days=_goes(plan.soon),
        last_looked_at=times.written(plan.looked_at),
        holds=[hold(term) for term in plan.holds],
    )


def _goes(going: Going) -> Goes:
    return Goes(**vars(going))
