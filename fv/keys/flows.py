"""The story: make a key, show its secret once, find it by its secret, revoke it."""

import hashlib
import re
import secrets
import string
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from flask import current_app

from fv import db, ids
from fv.accounts import flows as accounts
from fv.accounts.store import Login
from fv.audit import flows as audit
from fv.keys import scopes, store
from fv.keys.store import Key

USED_EVERY = 60  # seconds between two notes of when a key was last used: one write a minute, not one a request
LONGEST_NAME = 80  # characters
MOST = 1000  # keys, whatever the setting says
SECRET = 43  # of 62 symbols: 256 bits
_SYMBOLS = string.ascii_letters + string.digits
_SHAPE = re.compile(rf"fv_(live|test)_[A-Za-z0-9]{{{SECRET}}}")


@dataclass(frozen=True)
class Made:
    """A new key with its secret, which exists in clear only here."""

    key: Key
    secret: str


class NoKey(Enum):
    """Why there is no new key: the field that is wrong, or (None) the number of keys."""

    NAME = "name"
    SCOPES = "scopes"
    MODE = "mode"
    EXPIRY = "expires_at"
    TOO_MANY = None
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
    secret = f"fv_{mode}_{''.join(secrets.choice(_SYMBOLS) for _ in range(SECRET))}"
    prefix = secret[: len(f"fv_{mode}_") + 4]
    key = Key(ids.new("key"), login.account_id, name, prefix, _hash(secret), allowed, mode, now, expires_at, None, None)
    most = current_app.config["KEYS_PER_ACCOUNT"]
    with db.transaction():
        accounts.insist(login)
        if not store.add(key, most, now):
            return NoKey.TOO_MANY
        audit.record("key.made", key.account_id, now, key=key.prefix, **accounts.traits(login))
        return Made(key, secret)
    return NoKey.GONE


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


def of_secret(secret: str, now: int) -> Key | None:
    """The live key that has this secret. Looked up by its hash: how long that takes says nothing about the secret."""
    if not _SHAPE.fullmatch(secret):
        return None
    key = store.of_hash(_hash(secret), now)
    if key and now - (key.used_at or 0) >= USED_EVERY:
        with suppress(db.Unavailable):  # a call is not refused because a time could not be noted
            store.was_used(key.id, now)
    return key


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
