"""What a program sends and is told of fingerprints. No answer has a place for a template."""

from typing import Annotated

from fv.api import bodies, times
from fv.api.bodies import Answer, Limit, Time, words
from fv.api.parameters import Parameter
from fv.fingerprints import flows as fingerprints
from fv.fingerprints import listing, vector
from fv.keys import scopes
from fv.search import flows
from fv.verifications.answers import UserId

FINGERPRINT = Parameter("id", bodies.id_of("fp"), "Of the fingerprint.")

USUAL = 10  # results

Embedding = Annotated[
    list[float],
    Limit(
        min_length=vector.LENGTH,
        max_length=vector.LENGTH,
        description="The template of a face, as the model gives it; not all zero.",
    ),
]
Model = Annotated[
    str,
    Limit(
        pattern=f"^{fingerprints.MODEL}{bodies.END}",
        description="What made the numbers; of a model of ours its id. Those of different models are never compared.",
        examples=["dlib-resnet-1"],
    ),
]
Mode = Annotated[str, words(*scopes.MODES), Limit(description="For a person to say; a key has its own.")]


class NewFingerprint(bodies.Body, frozen=True):
    embedding: Embedding
    model: Model
    external_user_id: UserId
    session_id: Annotated[str, Limit(description="Of this account and mode; it is erased with it.")] | None = None
    mode: Mode | None = None


class NewSearch(bodies.Body, frozen=True):
    embedding: Annotated[Embedding, Limit(description="This, `session_id` or `fingerprint_id`.")] | None = None
    session_id: (
        Annotated[str, Limit(description="Whose selfie is compared.", examples=["vs_0123456789abcdef0123456789abcdef"])]
        | None
    ) = None
    fingerprint_id: str | None = None
    model: Model | None = None
    top_k: Annotated[int, Limit(ge=1, le=flows.MOST, description="How many at most.")] = USUAL
    min_similarity: Annotated[float, Limit(ge=-1, le=1)] = 0.0
    reason: Annotated[
        str, Limit(max_length=flows.LONGEST_REASON, description="Kept with the search.", examples=["fraud case 12"])
    ] = ""
    mode: Mode | None = None


class NewBlock(bodies.Body, frozen=True):
    reason: Annotated[str, Limit(min_length=1, max_length=flows.LONGEST_REASON, examples=["forged passport"])]


class Blocked(Answer, frozen=True):
    reason: str
    blocked_at: Time


class Fingerprint(Answer, frozen=True):
    id: str
    model: str
    external_user_id: str
    session_id: str | None
    mode: Annotated[str, words(*scopes.MODES)]
    created_at: Time
    blocked: Annotated[Blocked, Limit(description="No session passes by itself with this face.")] | None


class Found(Answer, frozen=True):
    id: str
    session_id: str | None
    external_user_id: str
    similarity: Annotated[float, Limit(ge=-1, le=1, description="The cosine, rounded to four decimals.")]
    created_at: Time


class Search(Answer, frozen=True):
    """The most similar first, equal ones by id."""

    search_id: str
    model: str
    searched: Annotated[int, Limit(ge=0, description="How many were compared: all of this account, mode and model.")]
    data: list[Found]


def told(one: listing.Fingerprint) -> Fingerprint:
    blocked = None if one.blocked_at is None else Blocked(one.reason or "", times.written(one.blocked_at))
    return Fingerprint(
        id=one.id,
        model=one.model,
        external_user_id=one.external_user_id,
        session_id=one.session_id,
        mode=one.mode,
        created_at=times.written(one.created_at),
        blocked=blocked,
    )


def found(answer: flows.Answer) -> Search:
    return Search(
        search_id=answer.search.id,
        model=answer.search.model,
        searched=answer.found.searched,
        data=[_found(hit.fingerprint, hit.similarity) for hit in answer.found.hits],
    )


def _found(one: listing.Fingerprint, similarity: float) -> Found:
    return Found(
        id=one.id,
        session_id=one.session_id,
        external_user_id=one.external_user_id,
        similarity=round(similarity, 4) + 0.0,  # -0.0 is 0.0
        created_at=times.written(one.created_at),
    )
