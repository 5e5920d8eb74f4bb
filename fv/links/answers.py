"""What a program sends and is told of verification links."""

from typing import Annotated

from fv.api import bodies, times
from fv.api.bodies import Answer, Limit, Time, words
from fv.api.parameters import Parameter
from fv.keys import scopes
from fv.links import flows, return_urls, store
from fv.verifications.answers import UserId

LINK = Parameter("id", bodies.id_of("lnk"), "Of the link.")

Kind = Annotated[str, words(*flows.KINDS)]
Mode = Annotated[str, words(*scopes.MODES)]


class NewLink(bodies.Body, frozen=True):
    kind: Kind = "single"
    max_uses: (
        Annotated[
            int, Limit(ge=1, le=flows.MOST_USES, description="Sessions that it begins; of a `single` one it is 1.")
        ]
        | None
    ) = None
    expires_at: Annotated[Time, Limit(description="At most 90 days ahead; 7 without it.")] | None = None
    external_user_id: (
        Annotated[UserId, Limit(description="Of every session; without it each gets one of its own.")] | None
    ) = None
    return_url: (
        Annotated[
            str,
            Limit(
                max_length=return_urls.LONGEST,
                description="Where the person goes on afterwards: `https://`. Nothing is added to it.",
                examples=["https://shop.example/done"],
            ),
        ]
        | None
    ) = None
    mode: Annotated[Mode, Limit(description="For a person to say, `live` without it; a key has its own.")] | None = None


class Link(Answer, frozen=True):
    id: str
    kind: Kind
    mode: Mode
    status: Annotated[str, words("active", "used_up", "expired", "revoked")]
    uses: Annotated[int, Limit(ge=0)]
    max_uses: int | None
    external_user_id: str | None
    return_url: str | None
    created_at: Time
    expires_at: Time


class MadeLink(Link, frozen=True):
    url: Annotated[str, Limit(description="What the person opens. It holds the token.")]
    token: Annotated[str, Limit(description="Shown here and nowhere else.")]


def told(link: store.Link, now: int) -> Link:
    return Link(
        id=link.id,
        kind=link.kind,
        mode=link.mode,
        status=link.status(now),
        uses=link.uses,
        max_uses=link.max_uses,
        external_user_id=link.external_user_id,
        return_url=link.return_url or None,
        created_at=times.written(link.created_at),
        expires_at=times.written(link.expires_at),
    )
