"""The story: make a link, show its address once, begin sessions with it until it ends.

A use is counted in the transaction that begins its session, so there is never one without the other.
"""

import secrets
from dataclasses import dataclass
from enum import Enum

from fv import db, ids
from fv.accounts.store import Login
from fv.audit import flows as audit
from fv.billing.quota import Standing
from fv.keys import flows as keys
from fv.keys import scopes
from fv.keys.store import Key
from fv.links import return_urls, store
from fv.links.store import Link
from fv.terms.span import Span
from fv.throttle.flows import Pause
from fv.verifications import flows as verifications
from fv.verifications.store import Verification

KINDS = ("single", "reusable")
MOST_USES = 1_000_000
DAY = 86400  # seconds
USUAL = 7 * DAY  # until a link ends for which nobody said when
LONGEST = 90 * DAY


@dataclass(frozen=True)
class Asked:
    """What a new link is to be. None: as usual."""

    kind: str
    mode: str
    max_uses: int | None = None
    expires_at: int | None = None
    external_user_id: str | None = None
    return_url: str | None = None


@dataclass(frozen=True)
class Made:
    """A new link with the token of its address, which exists in clear only here."""

    link: Link
    token: str


class NoLink(Enum):
    """Why there is no new link: the field that is wrong."""

    KIND = "kind"
    MODE = "mode"
    MAX_USES = "max_uses"
    EXPIRY = "expires_at"
    USER_ID = "external_user_id"
    RETURN_URL = "return_url"
    GONE = "the login has ended"


def make(by: Login | Key, asked: Asked, now: int) -> Made | NoLink:
    expires_at = now + USUAL if asked.expires_at is None else asked.expires_at
    if wrong := _wrong(asked, expires_at, now):
        return wrong
    token = secrets.token_urlsafe(32)
    link = Link(
        ids.new("lnk"), by.account_id, asked.mode, asked.kind, verifications.hash_of(token), asked.external_user_id,
        asked.return_url or "", 1 if asked.kind == "single" else asked.max_uses, 0, now, expires_at,
        key_id=keys.id_of(by),
    )  # fmt: skip
    with db.transaction():
        who = keys.insist(by)
        store.add(link)
        audit.record("link.made", by.account_id, now, link=link.id, **who)
        return Made(link, token)
    return NoLink.GONE


def revoke(by: Login | Key, id: str, now: int) -> bool:
    """It begins no session any more; again: nothing changes. False when there is no such link."""
    with db.transaction():
        who = keys.insist(by)
        if store.find(by.account_id, id, keys.mode_of(by)) is None:
            return False
        if store.revoke(by.account_id, id, now):
            audit.record("link.revoked", by.account_id, now, link=id, **who)
        return True
    return False


def by_token(token: str) -> Link | None:
    """The link of this address, whatever became of it."""
    return store.of_token(verifications.hash_of(token))


def begin(link: Link, token: str, shown: Span, now: int) -> Verification | Pause | Standing | None:
    """The session of a person who opened this link and consents, with this token. None when the link has ended.

    `shown`: for how long they were told that something is kept.

    The same token again: the same session. So an answer that was lost on the way costs nobody their link.
    """
    user_id = link.external_user_id or f"link:{link.id}:{secrets.token_hex(4)}"
    asked = verifications.Asked(user_id, False, link.mode, link.key_id)
    begun: Verification | Pause | Standing | None = None
    with db.transaction():
        begun = verifications.by_token(token, now)
        if begun is None and store.spend(link.id, now):
            begun = verifications.begin(link.account_id, asked, token, link.id, link.return_url, shown, now)
        if isinstance(begun, Pause | Standing):
            raise db.Undo  # the use was not one
    return begun


def _wrong(asked: Asked, expires_at: int, now: int) -> NoLink | None:
    if asked.kind not in KINDS:
        return NoLink.KIND
    if asked.mode not in scopes.MODES:
        return NoLink.MODE
    if asked.max_uses is not None and not 1 <= asked.max_uses <= (1 if asked.kind == "single" else MOST_USES):
        return NoLink.MAX_USES
    if not now < expires_at <= now + LONGEST:
        return NoLink.EXPIRY
    if asked.external_user_id is not None and not verifications.is_user_id(asked.external_user_id):
        return NoLink.USER_ID
    if asked.return_url is not None and not return_urls.is_safe(asked.return_url, asked.mode):
        return NoLink.RETURN_URL
    return None
