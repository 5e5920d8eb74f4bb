"""The story: an account names an address, is given a secret once, and what becomes of its sessions is told there.

What is to be told is written in the transaction that decides the session, so there is never one without the other; it
is sent afterwards (delivering.py).
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from flask import current_app

from fv import db, ids, sealing
from fv.accounts import flows as accounts
from fv.accounts.store import Login
from fv.audit import flows as audit
from fv.db.sealed import Kind
from fv.keys import scopes
from fv.webhooks import sending, store, targets
from fv.webhooks.store import Delivery, Webhook

COMPLETED, TEST = "verification.completed", "webhook.test"
EVENTS = (COMPLETED,)  # what can be asked for; a test is sent to any
MOST = 20  # of one account
LOOKING_UP = 3.0  # seconds, while somebody waits for the answer; it is looked up again before each sending

#: A test looks like an event of nobody.
OF_A_TEST: Mapping[str, object] = {
    "session_id": f"vs_{'0' * 32}", "status": "passed", "external_user_id": "webhook-test", "face_match_passed": None,
    "face_match_score": None, "anti_spoofing_passed": None, "anti_spoofing_score": None, "trust_score": None,
    "trust_decision": None, "completed_at": None,
}  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A new webhook with its secret, which is shown only here."""

    webhook: Webhook
    secret: str = field(repr=False)


class Refused(Enum):
    EVENTS = "events"
    MODE = "mode"
    URL = "url"
    TOO_MANY = "there is no room for another one"
    NOT_THERE = "there is none of this id"
    INACTIVE = "nothing is sent to it"
    ERASED = "what it told is erased"
    GONE = "the login has ended"


def make(login: Login, url: str, events: Sequence[str], mode: str, now: int) -> Made | Refused:
    if not events or not set(events) <= set(EVENTS):
        return Refused.EVENTS
    if mode not in scopes.MODES:
        return Refused.MODE
    if not _may_lead_to(url):
        return Refused.URL
    id, secret = ids.new("whk"), f"whsec_{secrets.token_urlsafe(32)}"  # 256 random bits
    sealed = _keyring().seal(secret.encode(), bound_to=_of(id, login.account_id))
    new = Webhook(id, login.account_id, url, tuple(dict.fromkeys(events)), mode, sealed, now)
    with db.transaction():
        accounts.insist(login)
        if not store.add(new, MOST):
            return Refused.TOO_MANY
        audit.record("webhook.made", login.account_id, now, webhook=id, **accounts.traits(login))
        return Made(new, secret)
    return Refused.GONE


def change(login: Login, id: str, url: str | None, is_active: bool | None, now: int) -> Webhook | Refused:
    """None: that stays as it is."""
    if store.find(login.account_id, id) is None:
        return Refused.NOT_THERE
    if url is not None and not _may_lead_to(url):
        return Refused.URL
    with db.transaction():
        accounts.insist(login)
        changed = url is not None and store.move(login.account_id, id, url)
        if is_active is not None:
            switched = (
                store.enable(login.account_id, id)
                if is_active
                else store.disable(login.account_id, id, store.BY_HOLDER, now)
            )
            changed = changed or switched
        if changed:
            audit.record("webhook.changed", login.account_id, now, webhook=id, **accounts.traits(login))
        return store.find(login.account_id, id) or Refused.NOT_THERE
    return Refused.GONE


def remove(login: Login, id: str, now: int) -> bool:
    """With all that it was told, or would have been. False when there is none."""
    with db.transaction():
        accounts.insist(login)
        if not store.remove(login.account_id, id):
            return False
        audit.record("webhook.removed", login.account_id, now, webhook=id, **accounts.traits(login))
        return True
    return False


def test(login: Login, id: str, now: int) -> Delivery | Refused:
    """Told once, without further tries; while one waits there is no second one."""
    with db.transaction():
        accounts.insist(login)
        webhook = store.find(login.account_id, id)
        if webhook is None:
            return Refused.NOT_THERE
        if not webhook.is_active:
            return Refused.INACTIVE
        new = store.waiting_test(id)
        if new is None:
            new = Delivery(ids.new("dlv"), id, TEST, None, None, json.dumps(OF_A_TEST), now, 0, now)
            store.tell(new)
        return new
    return Refused.GONE


def resend(login: Login, id: str, now: int, webhook_id: str | None = None) -> Delivery | Refused:
    """The same event again, with the same id, at once and with all of its tries. `webhook_id`: only of this one."""
    with db.transaction():
        accounts.insist(login)
        found = store.delivery(login.account_id, id)
        if found is None or webhook_id not in (None, found.webhook_id):
            return Refused.NOT_THERE
        webhook = store.find(login.account_id, found.webhook_id)
        if webhook is None or not webhook.is_active:
            return Refused.INACTIVE
        if not store.send_again(id, now):
            return Refused.ERASED
        return store.delivery(login.account_id, id) or Refused.NOT_THERE
    return Refused.GONE


# ── For those who decide, and who erase ──────────────────────────────────────────────────────────────────────


def announce(account_id: str, mode: str, session_id: str, facts: Mapping[str, object], now: int) -> None:
    """A session was decided. Inside the transaction that does it; `facts`: the fields of the body, `status` among them.

    The same status of a session is told once, however often this is called.
    """
    if not db.in_transaction():
        raise LookupError("there is no transaction")
    for webhook in store.active(account_id, mode):
        if COMPLETED in webhook.events:
            store.tell(
                Delivery(
                    ids.new("dlv"), webhook.id, COMPLETED, session_id, str(facts["status"]), json.dumps(facts), now
                )
            )


def forget(session_id: str) -> int:
    """The session is erased: what was not sent yet is gone, of what was only that stays; how many told of it.

    Inside that transaction.
    """
    return store.forget(session_id)


def secret_of(webhook: Webhook) -> str:
    """Raises sealing.Unreadable when rows were swapped."""
    return _keyring().open(webhook.sealed_secret, bound_to=_of(webhook.id, webhook.account_id)).decode()


def _may_lead_to(url: str) -> bool:
    """Whether nothing speaks against it now. A name that is not found may be found later: it is looked up again."""
    target = targets.parse(url)
    if target is None:
        return False
    try:
        found = sending.addresses(target, current_app.config["RESOLVER"], LOOKING_UP)
    except sending.NotSent:
        found = []
    return targets.may_be_called(target, found, current_app.config["WEBHOOK_ALLOW"])


def _of(id: str, account_id: str) -> str:
    """What a secret is sealed for: put beside another row, it does not open."""
    return f"webhook {account_id} {id}"


SEALED = (Kind("secrets of webhooks", store.SECRETS, _of),)


def _keyring() -> sealing.Keyring:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring
