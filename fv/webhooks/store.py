"""Webhooks and deliveries as the database knows them."""

from dataclasses import dataclass, field

from fv import db
from fv.db.sealed import Column

SECRETS = Column("webhooks", "sealed_secret", ("id", "account_id"))

#: Why one is told nothing any more: its holder said so; it answered 410; deliveries in a row were given up.
BY_HOLDER, GONE, FAILING = "switched_off", "gone", "failing"


@dataclass(frozen=True)
class Webhook:
    id: str
    account_id: str
    url: str
    events: tuple[str, ...]
    mode: str
    sealed_secret: str = field(repr=False)
    created_at: int
    disabled_at: int | None = None
    disabled_because: str | None = None
    failed: int = 0

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def was_ended(self) -> bool:
        """By the service, and not by its holder."""
        return self.disabled_because in (GONE, FAILING)


@dataclass(frozen=True)
class Delivery:
    """`facts`: what is told, as JSON; None: erased with the session."""

    id: str
    webhook_id: str
    event: str
    session_id: str | None
    session_status: str | None
    facts: str | None = field(repr=False)
    created_at: int
    tries: int = 0
    next_try_at: int | None = None
    delivered_at: int | None = None
    code: int | None = None
    milliseconds: int | None = None
    failure: str | None = None

    @property
    def status(self) -> str:
        if self.next_try_at is not None:
            return "pending"
        return "failed" if self.delivered_at is None else "delivered"


COLUMNS = """
    id, account_id, url, events, mode, sealed_secret, created_at, disabled_at, disabled_because, failed
"""
OF_DELIVERY = """
    id, webhook_id, event, session_id, session_status, facts, created_at, tries, next_try_at, delivered_at, code,
    milliseconds, failure
"""


def webhook(events: str, **columns: object) -> Webhook:
    return Webhook(events=tuple(events.split()), **columns)  # type: ignore[arg-type]


# ── Webhooks ─────────────────────────────────────────────────────────────────────────────────────────────────


def add(new: Webhook, most: int) -> bool:
    """False when the account has `most` of them already."""
    return db.run(
        """
        INSERT INTO webhooks (id, account_id, url, events, mode, sealed_secret, created_at)
        SELECT :id, :account_id, :url, :events, :mode, :sealed_secret, :created_at
        WHERE (SELECT count(*) FROM webhooks WHERE account_id = :account_id) < :most
        """,
        id=new.id, account_id=new.account_id, url=new.url, events=" ".join(new.events), mode=new.mode,
        sealed_secret=new.sealed_secret, created_at=new.created_at, most=most,
    ) == 1  # fmt: skip


def find(account_id: str, id: str) -> Webhook | None:
    return db.one(
        webhook, f"SELECT {COLUMNS} FROM webhooks WHERE id = :id AND account_id = :account_id",
        id=id, account_id=account_id,
    )  # fmt: skip


def active(account_id: str, mode: str) -> list[Webhook]:
    return db.many(
        webhook,
        f"""
        SELECT {COLUMNS} FROM webhooks
        WHERE account_id = :account_id AND mode = :mode AND disabled_at IS NULL ORDER BY created_at, id
        """,
        account_id=account_id, mode=mode,
    )  # fmt: skip


def move(account_id: str, id: str, url: str) -> bool:
    """False when it leads there already, or is not there."""
    return db.run(
        "UPDATE webhooks SET url = :url, is_quick = 0 WHERE id = :id AND account_id = :account_id AND url != :url",
        id=id, account_id=account_id, url=url,
    ) == 1  # fmt: skip


def enable(account_id: str, id: str) -> bool:
    """It is told again, also what waited meanwhile. False when it was active."""
    return db.run(
        """
        UPDATE webhooks SET disabled_at = NULL, disabled_because = NULL, failed = 0
        WHERE id = :id AND account_id = :account_id AND disabled_at IS NOT NULL
        """,
        id=id, account_id=account_id,
    ) == 1  # fmt: skip


def disable(account_id: str, id: str, because: str, now: int) -> bool:
    """False when it was not active."""
    return db.run(
        """
        UPDATE webhooks SET disabled_at = :now, disabled_because = :because
        WHERE id = :id AND account_id = :account_id AND disabled_at IS NULL
        """,
        id=id, account_id=account_id, because=because, now=now,
    ) == 1  # fmt: skip


def remove(account_id: str, id: str) -> bool:
    """With all of its deliveries. False when it is not there."""
    return db.run("DELETE FROM webhooks WHERE id = :id AND account_id = :account_id", id=id, account_id=account_id) == 1


# ── Deliveries ───────────────────────────────────────────────────────────────────────────────────────────────


def tell(new: Delivery) -> bool:
    """False when it was told this of the session already."""
    return db.run(
        """
        INSERT INTO deliveries (id, webhook_id, event, session_id, session_status, facts, created_at, next_try_at)
        VALUES (:id, :webhook_id, :event, :session_id, :session_status, :facts, :created_at, :created_at)
        ON CONFLICT DO NOTHING
        """,
        id=new.id, webhook_id=new.webhook_id, event=new.event, session_id=new.session_id,
        session_status=new.session_status, facts=new.facts, created_at=new.created_at,
    ) == 1  # fmt: skip


def delivery(account_id: str, id: str) -> Delivery | None:
    return db.one(
        Delivery,
        f"""
        SELECT {OF_DELIVERY} FROM deliveries
        WHERE id = :id AND webhook_id IN (SELECT id FROM webhooks WHERE account_id = :account_id)
        """,
        id=id, account_id=account_id,
    )  # fmt: skip


def waiting_test(webhook_id: str) -> Delivery | None:
    """A test that has no answer yet."""
    return db.one(
        Delivery,
        f"""
        SELECT {OF_DELIVERY} FROM deliveries
        WHERE webhook_id = :webhook_id AND next_try_at IS NOT NULL AND session_id IS NULL LIMIT 1
        """,
        webhook_id=webhook_id,
    )


def send_again(id: str, now: int) -> bool:
    """It is due at once, with all of its tries. False when what it told is erased."""
    return db.run(
        "UPDATE deliveries SET tries = 0, next_try_at = :now WHERE id = :id AND facts IS NOT NULL", id=id, now=now
    ) == 1  # fmt: skip


def forget(session_id: str) -> int:
    """What was not sent is gone; of what was, or was given up, only that stays. How many told of it."""
    unsent = db.run(
        """
        DELETE FROM deliveries WHERE session_id = :session_id AND next_try_at IS NOT NULL AND delivered_at IS NULL
        """,
        session_id=session_id,
    )
    return unsent + db.run(
        "UPDATE deliveries SET facts = NULL, next_try_at = NULL WHERE session_id = :session_id AND facts IS NOT NULL",
        session_id=session_id,
    )


# ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────────


def take_due(lease: str, until: int, now: int, quick: bool) -> tuple[Webhook, Delivery] | None:
    """What is due to the webhook that was tried longest ago, for whoever holds this lease.

    Nobody else sends anything to it before `until`. `quick`: of those that answered at once the last time, or of the
    others.
    """
    found = db.one(
        webhook,
        f"""
        SELECT {COLUMNS} FROM webhooks
        WHERE disabled_at IS NULL AND is_quick = :quick AND (leased_until IS NULL OR leased_until <= :now)
          AND EXISTS (SELECT 1 FROM deliveries WHERE webhook_id = webhooks.id AND next_try_at <= :now)
        ORDER BY coalesce(tried_at, 0), id LIMIT 1
        """,
        quick=int(quick), now=now,
    )  # fmt: skip
    if found is None:
        return None
    taken = db.run(
        """
        UPDATE webhooks SET lease = :lease, leased_until = :until, tried_at = :now
        WHERE id = :id AND disabled_at IS NULL AND (leased_until IS NULL OR leased_until <= :now)
        """,
        id=found.id, lease=lease, until=until, now=now,
    )  # fmt: skip
    if taken != 1:
        return None
    due = db.one(
        Delivery,
        f"""
        SELECT {OF_DELIVERY} FROM deliveries
        WHERE webhook_id = :id AND next_try_at <= :now ORDER BY next_try_at, created_at, id LIMIT 1
        """,
        id=found.id, now=now,
    )  # fmt: skip
    return (found, due) if due else None


def give_back(id: str, lease: str, is_quick: bool, failed: int) -> bool:
    """False when the lease went to somebody else, or the webhook is gone."""
    return db.run(
        """
        UPDATE webhooks SET lease = NULL, leased_until = NULL, is_quick = :is_quick, failed = :failed
        WHERE id = :id AND lease = :lease
        """,
        id=id, lease=lease, is_quick=int(is_quick), failed=failed,
    ) == 1  # fmt: skip


def end_leases() -> None:
    db.run("UPDATE webhooks SET lease = NULL, leased_until = NULL WHERE lease IS NOT NULL")


def note_try(tried: Delivery, before: Delivery) -> None:
    """What came of it; nothing of one that was erased meanwhile, or that somebody has asked to be sent again."""
    db.run(
        """
        UPDATE deliveries SET tries = :tries, next_try_at = :next_try_at, delivered_at = :delivered_at, code = :code,
            milliseconds = :milliseconds, failure = :failure
        WHERE id = :id AND facts IS NOT NULL AND tries = :tries_before AND next_try_at = :due_at
        """,
        tries_before=before.tries, due_at=before.next_try_at, id=tried.id, tries=tried.tries,
        next_try_at=tried.next_try_at, delivered_at=tried.delivered_at, code=tried.code,
        milliseconds=tried.milliseconds, failure=tried.failure,
    )  # fmt: skip
