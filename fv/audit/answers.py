"""What a program is told of the audit trail."""

import json
from typing import Annotated, Any

from fv.api import times
from fv.api.bodies import Answer, Limit, Time, words
from fv.audit import chain, events


class AuditEvent(Answer, frozen=True):
    id: str
    created_at: Time
    event: Annotated[str, Limit(examples=["key.made"])]
    description: Annotated[str, Limit(description="The same in words.")]
    actor: Annotated[str, words(*events.ACTORS)]
    facts: Annotated[dict[str, Any], Limit(description="Ids, and what is known of where it came from.")]


def told(event: chain.Event) -> AuditEvent:
    return AuditEvent(
        id=event.id,
        created_at=times.written(event.at),
        event=event.event,
        description=events.tell(event.event, event.actor, event.facts).words,
        actor=event.actor,
        facts=json.loads(event.facts),
    )
