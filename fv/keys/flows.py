"""The story: make a key, show its secret once, find it by its secret, put another in its place, revoke it.

A key is found by the SHA-256 of its secret, in an index. Nothing is compared with the secret itself, so how long a
request takes tells a guesser nothing of it: whoever could learn a hash by its time would have to invert SHA-256.
"""

import hashlib
import re
import secrets
import string
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum

from flask import current_app

from fv import db, ids
from fv.accounts import flows as accounts
from fv.accounts.store import Login
from fv.audit import flows as audit
from fv.keys import scopes, store
from fv.keys.store import Key
from fv.throttle.policy import network_of

USED_EVERY = 60  # seconds between two notes of when and from where a key was last used: not one write a request
LONGEST_NAME = 80  # characters
MOST = 2000  # keys that work, whatever the setting says: 1,000, and as many that were replaced
HOUR = 3600  # seconds
LONGEST_GRACE = 72  # hours that a replaced key works on
USUAL_GRACE = 24  # hours, when nobody said how many
SECRET = 43  # of 62 symbols: 256 bits
_SYMBOLS = string.ascii_letters + string.digits
_SHAPE = re.compile(rf"fv_(live|test)_[A-Za-z0-9]{{{SECRET}}}")


@dataclass(frozen=True)
class Made:
    """A new key with its secret, which exists in clear only here. `instead_of`: the one whose place it takes."""

    key: Key
    secret: str
    instead_of: Key | None = None


class NoKey(Enum):
    """Why there is no new key: the field that is wrong, or (None) the number of keys."""

    NAME = "name"
    SCOPES = "scopes"
    MODE = "mode"
    EXPIRY = "expires_at"
    TOO_MANY = None
    GRACE = "grace_hours"
    NOT_THERE = "there is no such key"
    GONE = "the login has ended"


def make(login: Login, name: str, wanted: Iterable[str], mode: str, expires_at: int | None, now: int) -> Made | NoKey:
    name, allowed = " ".join(name.split()), frozenset(wanted)
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        return NoKey.NAME
    if not allowed or not allowed <= scopes.NAMES:
        return NoKey.SCOPES
    if mode not in scopes.MODES:
        return NoKey.MODE
    if expires_at is not None and expires_at <= now:
        return NoKey.EXPIRY
    made = _new(login.account_id, name, allowed, mode, expires_at, now)
    with db.transaction():
        accounts.insist(login)
        if not store.add(made.key, _most(), now):
            return NoKey.TOO_MANY
        audit.record("key.made", login.account_id, now, key=made.key.prefix, **accounts.traits(login))
        return made
    return NoKey.GONE


def rotate(login: Login, id: str, grace_hours: int, now: int) -> Made | NoKey:
    """Another key takes its place, with its name, scopes, mode and expiry; it works for so many hours more.

    Once a key: of two at once, one finds it replaced already.
    """
    before, retires_at = store.of_id(login.account_id, id), now + grace_hours * HOUR
    if before is None:
        return NoKey.NOT_THERE
    if not 0 <= grace_hours <= LONGEST_GRACE:
        return NoKey.GRACE
    refused = NoKey.GONE
    with db.transaction():
        accounts.insist(login)
        if not store.retire(login.account_id, id, retires_at, now):
            return NoKey.NOT_THERE
        if store.retiring(login.account_id, now) > _most():  # or a loop of rotations would make keys without end
            refused = NoKey.TOO_MANY
            raise db.Undo
        made = _new(login.account_id, before.name, before.scopes, before.mode, before.expires_at, now)
        store.add(made.key, MOST, now)
        audit.record(
            "key.rotated", login.account_id, now, key=before.prefix, successor=made.key.prefix, **accounts.traits(login)
        )
        return replace(made, instead_of=replace(before, retires_at=retires_at))
    return refused


def revoke(login: Login, id: str, now: int) -> bool:
    """False when the account has no such live key."""
    with db.transaction():
        accounts.insist(login)
        key = store.of_id(login.account_id, id)
        if key is None or not store.revoke(login.account_id, id, now):
            return False
        audit.record("key.revoked", login.account_id, now, key=key.prefix, **accounts.traits(login))
        return True
    return False


def of_secret(secret: str, address: str, now: int) -> Key | None:
    """The live key that has this secret. `address`: where it is shown from."""
    if not _SHAPE.fullmatch(secret):
        return None
    key = store.of_hash(_hash(secret), now)
    if key and now - (key.used_at or 0) >= USED_EVERY:
        with suppress(db.Unavailable):  # a call is not refused because a time could not be noted
            store.was_used(key.id, network_of(address), now)
    return key


def _new(account_id: str, name: str, allowed: frozenset[str], mode: str, expires_at: int | None, now: int) -> Made:
    """Not stored yet."""
    start = f"fv_{mode}_"
    secret = start + "".join(secrets.choice(_SYMBOLS) for _ in range(SECRET))
    prefix = secret[: len(start) + 4]
    return Made(Key(ids.new("key"), account_id, name, prefix, _hash(secret), allowed, mode, now, expires_at), secret)


def _most() -> int:
    most: int = current_app.config["KEYS_PER_ACCOUNT"]
    return most


def _hash(secret: str) -> str:
    """SHA-256 is enough for 256 random bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


# ── A key or a person: who may do the same ───────────────────────────────────────────────────────────────────


def insist(by: Login | Key) -> dict[str, str]:
    """What the audit trail says of who does it. Undoes the transaction when that login has ended meanwhile."""
    if isinstance(by, Key):
        return {"key": by.prefix}
    accounts.insist(by)
    return accounts.traits(by)


def mode_of(by: Login | Key) -> str | None:
    """A key reaches what is of its own mode; a person reaches both."""
    return by.mode if isinstance(by, Key) else None


def id_of(by: Login | Key) -> str:
    """Which key causes what is counted; '': a person does."""
    return by.id if isinstance(by, Key) else ""
