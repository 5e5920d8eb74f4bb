"""What a program sends and is told of webhooks, and what a webhook is told."""

from typing import Annotated

from fv.api import bodies, times
from fv.api.bodies import Answer, Limit, Time, words
from fv.api.parameters import Parameter
from fv.keys import scopes
from fv.webhooks import flows, store

WEBHOOK = Parameter("id", bodies.id_of("whk"), "Of the webhook.")
DELIVERY = Parameter("id", bodies.id_of("dlv"), "Of the delivery.")

Url = Annotated[
    str,
    Limit(
        description="A whole `https://` address in the internet, on port 443 or one from 1024 on, in ASCII, up to 2000 "
        "characters.",
        examples=["https://shop.example/facevault"],
    ),
]
Asked = Annotated[str, words(*flows.EVENTS)]
Mode = Annotated[str, words(*scopes.MODES)]


class NewWebhook(bodies.Body, frozen=True):
    url: Url
    events: Annotated[list[Asked], Limit(min_length=1, description="All there are, without it.")] | None = None
    mode: Annotated[Mode, Limit(description="Of the sessions that it is told of.")] = "live"


class WebhookChange(bodies.Body, frozen=True):
    url: Url | None = None
    active: bool | None = None


class Webhook(Answer, frozen=True):
    id: str
    url: str
    events: list[Asked]
    mode: Mode
    active: bool
    disabled_at: Time | None
    disabled_reason: Annotated[str, words(store.BY_HOLDER, store.GONE, store.FAILING)] | None
    created_at: Time


class MadeWebhook(Webhook, frozen=True):
    secret: Annotated[str, Limit(description="What its events are signed with. Shown here and nowhere else.")]


class Delivery(Answer, frozen=True):
    id: Annotated[str, Limit(description="What arrives as `X-FaceVault-Event-Id`.")]
    webhook_id: str
    event: Annotated[str, words(*flows.EVENTS, flows.TEST)]
    session_id: str | None
    session_status: str | None
    status: Annotated[str, words("pending", "delivered", "failed")]
    tries: Annotated[int, Limit(ge=0)]
    response_code: int | None
    duration_ms: int | None
    failure: Annotated[str, Limit(description="Why there was no answer.")] | None
    created_at: Time
    next_try_at: Time | None
    delivered_at: Time | None


class Event(Answer, frozen=True):
    """What a webhook is told. `status` is what counts, and the only field that follows the decision of a person."""

    event: Annotated[str, words(*flows.EVENTS, flows.TEST)]
    signed_at: Annotated[Time, Limit(description="Refuse what is older than a few minutes.")]
    session_id: str
    status: Annotated[str, words("passed", "review", "failed")]
    external_user_id: str
    face_match_passed: bool | None
    face_match_score: (
        Annotated[
            float,
            Limit(ge=-1, le=1, description="The cosine of selfie and ID photo; what it means depends on the model."),
        ]
        | None
    )
    anti_spoofing_passed: Annotated[None, Limit(description="Always null: nothing here measures it.")]
    anti_spoofing_score: Annotated[None, Limit(description="Always null: nothing here measures it.")]
    trust_score: Annotated[int, Limit(ge=0, le=100)] | None
    trust_decision: Annotated[str, words("accept", "review", "reject")] | None
    completed_at: Time | None


def told(webhook: store.Webhook) -> Webhook:
    return Webhook(
        id=webhook.id,
        url=webhook.url,
        events=list(webhook.events),
        mode=webhook.mode,
        active=webhook.is_active,
        disabled_at=times.written(webhook.disabled_at),
        disabled_reason=webhook.disabled_because,
        created_at=times.written(webhook.created_at),
    )


def delivery(one: store.Delivery) -> Delivery:
    return Delivery(
        id=one.id,
        webhook_id=one.webhook_id,
        event=one.event,
        session_id=one.session_id,
        session_status=one.session_status,
        status=one.status,
        tries=one.tries,
        response_code=one.code,
        duration_ms=one.milliseconds,
        failure=one.failure,
        created_at=times.written(one.created_at),
        next_try_at=times.written(one.next_try_at),
        delivered_at=times.written(one.delivered_at),
    )
