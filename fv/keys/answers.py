"""What a program sends and is told of API keys."""

from typing import Annotated

from fv.api import bodies, times
from fv.api.bodies import Answer, Limit, Time, words
from fv.api.parameters import Parameter
from fv.keys import flows, scopes, store

KEY = Parameter("id", bodies.id_of("key"), "Of the key.")

Name = Annotated[str, Limit(min_length=1, max_length=flows.LONGEST_NAME, examples=["server"])]
Scope = Annotated[str, words(*(scope.name for scope in scopes.SCOPES)), Limit(examples=["sessions:create"])]
Mode = Annotated[str, words(*scopes.MODES)]


class NewKey(bodies.Body, frozen=True):
    name: Name
    scopes: (
        Annotated[
            list[Scope],
            Limit(min_length=1, description="What it may do; without it `sessions:create` and `sessions:read`."),
        ]
        | None
    ) = None
    mode: Annotated[Mode, Limit(description="A `test` key sees test sessions and no others.")] = "live"
    expires_at: Annotated[Time, Limit(description="Without it the key does not expire.")] | None = None


class Rotation(bodies.Body, frozen=True):
    grace_hours: Annotated[
        int, Limit(ge=0, le=flows.LONGEST_GRACE, description="How long the old one works on; 0: not at all.")
    ] = flows.USUAL_GRACE


class Key(Answer, frozen=True):
    id: str
    name: str
    prefix: Annotated[str, Limit(description="How its secret begins.", examples=["fv_live_Zx3k"])]
    scopes: list[Scope]
    mode: Mode
    created_at: Time
    expires_at: Time | None
    last_used_at: Annotated[Time, Limit(description="To the minute.")] | None
    last_used_from: Annotated[str, Limit(description="An address; of IPv6 its /64.")] | None
    retires_at: Annotated[Time, Limit(description="When it ends because another one took its place.")] | None


class Replaced(Answer, frozen=True):
    id: str
    works_until: Time | None


class MadeKey(Key, frozen=True):
    secret: Annotated[str, Limit(description="Shown here and nowhere else.")]


class RotatedKey(MadeKey, frozen=True):
    replaces: Replaced


def told(key: store.Key) -> Key:
    return Key(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=sorted(key.scopes),
        mode=key.mode,
        created_at=times.written(key.created_at),
        expires_at=times.written(key.expires_at),
        last_used_at=times.written(key.used_at),
        last_used_from=key.used_from,
        retires_at=times.written(key.retires_at),
    )


def made(new: flows.Made) -> MadeKey:
    shown = bodies.with_more(told(new.key), MadeKey, secret=new.secret)
    if (old := new.instead_of) is None:
        return shown
    replaced = Replaced(id=old.id, works_until=times.written(old.ends_at))
    return bodies.with_more(shown, RotatedKey, replaces=replaced)
