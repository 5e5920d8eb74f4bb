"""Lists of webhooks and of what they were told."""

from collections.abc import Sequence
from dataclasses import dataclass

from fv import db
from fv.webhooks.store import COLUMNS, FAILING, GONE, OF_DELIVERY, Delivery, Webhook, webhook


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


def ended() -> int:
    """How many the service has switched off, over all accounts."""
    found = db.one(
        _Number, "SELECT count(*) AS number FROM webhooks WHERE disabled_because IN (:gone, :failing)",
        gone=GONE, failing=FAILING,
    )  # fmt: skip
    return found.number if found else 0
