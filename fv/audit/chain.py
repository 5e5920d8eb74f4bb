"""How one row of the trail holds on to the row before it. Pure.

The hash of a row is over everything in it and the hash of the row before. It needs no key, so whoever has an export can
follow it; whoever can write to the database can recompute it too. That is why each hash is sealed as well (flows.py).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass

FIRST = "0" * 64  # what the first row holds on to


@dataclass(frozen=True)
class Event:
    """Something that happened. `facts` is a JSON object as text, exactly as it is stored."""

    number: int
    id: str
    at: int
    account_id: str | None
    actor: str
    event: str
    facts: str

    @property
    def created_at(self) -> int:
        return self.at


@dataclass(frozen=True)
class Row(Event):
    hash: str
    seal: str


def link(before: str, event: Event) -> str:
    """SHA-256, hexadecimal, over the hash of the row before and every column of this one."""
    return hashlib.sha256(_text(before, event).encode()).hexdigest()


def sealed_text(hash: str, event: Event) -> str:
    """What the seal of a row is over: its hash, and its columns too, for when the row before is missing."""
    return _text(hash, event)


def facts_as_text(facts: Mapping[str, object]) -> str:
    return json.dumps(facts, ensure_ascii=False, sort_keys=True)


def _text(hash: str, event: Event) -> str:
    columns = astuple(event)[:7]  # without the hash and the seal that a row has beyond an event
    return json.dumps([hash, *columns], ensure_ascii=False)
