"""Lists of webhooks and of what they were told."""

from collections.abc import Sequence
from dataclasses import dataclass

from fv import db
from fv.webhooks.store import COLUMNS, FAILING, GONE, OF_DELIVERY, Delivery, Webhook, webhook

MANY = 100  # deliveries that are looked at to say how many wait


@dataclass(frozen=True)
class _Number:
    number: int


def page(account_id: str, before: int, before_id: str, most: int) -> list[Webhook]:
    """Newest first, older than (before, before_id)."""
    return db.many(
        webhook,
        f"""
        SELECT {COLUMNS} FROM webhooks
        WHERE account_id = :account_id AND (created_at, id) < (:before, :before_id)
        ORDER BY created_at DESC, id DESC LIMIT :most
        """,
        account_id=account_id, before=before, before_id=before_id, most=most,
    )  # fmt: skip


def deliveries(webhook_id: str, before: int, before_id: str, most: int) -> list[Delivery]:
    """Newest first, older than (before, before_id)."""
    return db.many(
        Delivery,
        f"""
        SELECT {OF_DELIVERY} FROM deliveries
        WHERE webhook_id = :webhook_id AND (created_at, id) < (:before, :before_id)
        ORDER BY created_at DESC, id DESC LIMIT :most
        """,
        webhook_id=webhook_id, before=before, before_id=before_id, most=most,
    )  # fmt: skip


def latest(webhook_ids: Sequence[str]) -> dict[str, Delivery]:
    """The newest of each that has one."""
    named = {f"id{number}": id for number, id in enumerate(webhook_ids)}
    rows = db.many(
        Delivery,
        f"""
        SELECT {OF_DELIVERY} FROM (
            SELECT *, row_number() OVER (PARTITION BY webhook_id ORDER BY created_at DESC, id DESC) AS place
            FROM deliveries WHERE webhook_id IN ({", ".join(f":{name}" for name in named) or "NULL"})
        ) AS placed WHERE place = 1
        """,
        **named,
    )
    return {row.webhook_id: row for row in rows}


@dataclass(frozen=True)
class Trouble:
    """A webhook that does not take what it is told. `waiting`: deliveries that were refused and are tried again, up to
    MANY; `since`: the first of them was made; None: there are none.
    """

    webhook: Webhook
    waiting: int
    since: int | None


@dataclass(frozen=True)
class _Waiting:
    number: int
    since: int | None


def in_trouble(account_id: str, mode: str) -> list[Trouble]:
    """Those that the service switched off, and those that have refused something which is tried again, or was given up.

    Not those that their holder switched off.
    """
    hooks = db.many(
        webhook,
        f"""
        SELECT {COLUMNS} FROM webhooks
        WHERE account_id = :account_id AND mode = :mode
          AND (disabled_at IS NULL OR disabled_because IN (:gone, :failing)) ORDER BY created_at, id
        """,
        account_id=account_id, mode=mode, gone=GONE, failing=FAILING,
    )  # fmt: skip
    found = [(one, _refused(one.id)) for one in hooks]
    return [
        Trouble(one, refused.number, refused.since)
        for one, refused in found
        if one.was_ended or one.failed or refused.number
    ]


def _refused(webhook_id: str) -> _Waiting:
    """Of the next that are due, so that a million that wait cost nothing."""
    found = db.one(
        _Waiting,
        """
        SELECT count(*) AS number, min(created_at) AS since FROM (
            SELECT tries, created_at FROM deliveries WHERE webhook_id = :webhook_id AND next_try_at IS NOT NULL
            ORDER BY next_try_at LIMIT :most
        ) AS due WHERE tries > 0
        """,
        webhook_id=webhook_id, most=MANY,
    )  # fmt: skip
    return found or _Waiting(0, None)


def ended() -> int:
    """How many the service has switched off, over all accounts."""
    found = db.one(
        _Number, "SELECT count(*) AS number FROM webhooks WHERE disabled_because IN (:gone, :failing)",
        gone=GONE, failing=FAILING,
    )  # fmt: skip
    return found.number if found else 0
