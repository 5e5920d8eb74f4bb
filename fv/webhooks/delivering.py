"""The story: what is due is sent, and what came of it is written down; a webhook that has no use is switched off.

A try is made under a lease, so two workers do not make it twice. Who is killed between the answer and the row that
says so sends it again, with the same X-FaceVault-Event-Id: at least once, and never silently not.
"""

import json
import logging
import ssl
from dataclasses import dataclass, replace
from time import monotonic

from flask import current_app

from fv import db, ids, sealing
from fv.api import times
from fv.audit import flows as audit
from fv.usage import flows as usage
from fv.webhooks import flows, sending, signing, store, targets
from fv.webhooks.sending import NotSent, Resolver
from fv.webhooks.store import Delivery, Webhook
from fv.webhooks.targets import Allowed

#: Seconds between one try and the next: eight tries in 20 hours and 11 minutes.
AGAIN = (10, 60, 600, 3600, 10800, 21600, 36000)
LEASE = 60  # seconds a worker has for one try, which ends within 10
QUICK = 2.0  # seconds: who answers within waits in another line than who does not
ENOUGH = 5  # deliveries in a row that all tries failed of: then it is switched off

_log = logging.getLogger("fv.webhooks")


@dataclass(frozen=True)
class Ways:
    """How to reach a receiver. `limit`: seconds for one try."""

    resolver: Resolver
    trust: ssl.SSLContext
    allowed: Allowed
    limit: float = sending.LIMIT


@dataclass(frozen=True)
class Outcome:
    """`code`: the HTTP status; None: there was no answer, for this reason."""

    code: int | None
    failure: str | None
    seconds: float

    @property
    def is_taken(self) -> bool:
        return self.code is not None and 200 <= self.code < 300


def usual_ways() -> Ways:
    """By the settings, and with the certificate authorities that this system trusts."""
    settings = current_app.config
    return Ways(settings["RESOLVER"], ssl.create_default_context(), settings["WEBHOOK_ALLOW"])


def deliver_next(now: int, ways: Ways, quick: bool) -> bool:
    """Make one try that is due. False when none is.

    Who answered at once the last time and who did not are two lines, and of each line the webhook comes first that was
    tried longest ago. So one that hangs, however much is due to it, keeps nobody waiting who does not hang too.
    """
    lease = ids.new("lease")
    taken = store.take_due(lease, now + LEASE, now, quick)
    if taken is None:
        return False
    webhook, due = taken
    outcome = _tried(webhook, due, now, ways)
    _conclude(webhook, due, lease, outcome, now)
    return True


def take_over() -> None:
    """For a worker that begins: what the one before it was sending is due now, and not when its lease runs out."""
    store.end_leases()


def _tried(webhook: Webhook, due: Delivery, now: int, ways: Ways) -> Outcome:
    """Outside of any transaction: it takes seconds. Nothing of an answer is kept or logged but its status."""
    begun = monotonic()
    code = failure = None
    try:
        code = _sent(webhook, due, now, ways, begun + ways.limit)
        if not 200 <= code < 300:
            failure = "redirected" if 300 <= code < 400 else "refused"
    except NotSent as not_sent:
        failure = not_sent.reason
    except sealing.Unreadable:
        failure = "unsigned"
    except Exception as error:
        _log.error("delivery %s cannot be sent: %s", due.id, type(error).__name__)
        failure = "broken"
    return Outcome(code, failure, monotonic() - begun)


def _sent(webhook: Webhook, due: Delivery, now: int, ways: Ways, until: float) -> int:
    target = targets.parse(webhook.url)
    if target is None:
        raise NotSent("not_allowed")
    found = sending.addresses(target, ways.resolver, until - monotonic())
    if not targets.may_be_called(target, found, ways.allowed):
        raise NotSent("not_allowed")
    facts, secret = json.loads(due.facts or "{}"), flows.secret_of(webhook)
    message = signing.signed(due.event, facts, secret, due.id, now, times.written(now) or "")
    return sending.post(target, found, message, ways.trust, until)


def _conclude(webhook: Webhook, due: Delivery, lease: str, outcome: Outcome, now: int) -> None:
    tries, is_test = due.tries + 1, due.event == flows.TEST
    is_last = outcome.is_taken or is_test or outcome.code == 410 or tries > len(AGAIN)
    tried = replace(
        due, tries=tries, next_try_at=None if is_last else now + AGAIN[tries - 1],
        delivered_at=now if outcome.is_taken else due.delivered_at, code=outcome.code,
        milliseconds=round(outcome.seconds * 1000), failure=outcome.failure,
    )  # fmt: skip
    with db.transaction():
        current = store.find(webhook.account_id, webhook.id)
        if current is None:
            raise db.Undo
        # what came of another address says nothing of the one it has now
        is_same = current.url == webhook.url
        counts = is_same and current.is_active and is_last and not is_test
        failed = 0 if outcome.is_taken and is_same else current.failed + counts
        is_quick = outcome.code is not None and outcome.seconds <= QUICK
        if not store.give_back(webhook.id, lease, is_quick, failed):
            raise db.Undo
        store.note_try(tried, due)
        if outcome.is_taken and not is_test:
            usage.count(webhook.account_id, webhook.mode, "webhook_deliveries", now)
        if outcome.code == 410 and is_same:
            _switch_off(webhook, store.GONE, now)
        elif counts and failed >= ENOUGH:
            _switch_off(webhook, store.FAILING, now)


def _switch_off(webhook: Webhook, because: str, now: int) -> None:
    if store.disable(webhook.account_id, webhook.id, because, now):
        audit.record("webhook.disabled", webhook.account_id, now, "service", webhook=webhook.id)
