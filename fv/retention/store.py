"""Erasures, and the keys their receipts are signed with, as the database knows them."""

from dataclasses import asdict, dataclass, field

from fv import db
from fv.db.sealed import Column

TRACES = Column("erasures", "sealed_traces", ("id",))
SEEDS = Column("receipt_keys", "sealed_seed", ("id",))


@dataclass(frozen=True)
class Erasure:
    """`cause`: term, account, person, operator. `gone`: JSON, how many of what. `receipt`: JSON, signed."""

    id: str
    account_id: str
    session_id: str | None
    mode: str | None
    cause: str
    reason: str
    classes: str
    gone: str
    created_at: int
    status: str = "pending"
    because: str | None = None
    sealed_traces: str | None = field(default=None, repr=False)
    erased_at: int | None = None
    receipt: str | None = None


@dataclass(frozen=True)
class SigningKey:
    id: str
    public_key: str
    sealed_seed: str = field(repr=False)
    made_at: int


@dataclass(frozen=True)
class _Number:
    number: int | None


def add(new: Erasure) -> None:
    db.run(
        """
        INSERT INTO erasures (id, account_id, session_id, mode, cause, reason, classes, gone, created_at, status,
                              because, sealed_traces, erased_at, receipt)
        VALUES (:id, :account_id, :session_id, :mode, :cause, :reason, :classes, :gone, :created_at, :status,
                :because, :sealed_traces, :erased_at, :receipt)
        """,
        **asdict(new),
    )


def find(account_id: str, id: str, mode: str | None) -> Erasure | None:
    """Of this account, and of a session of this mode (None: of any, and of none)."""
    return db.one(
        Erasure,
        "SELECT * FROM erasures WHERE id = :id AND account_id = :account_id AND (:mode IS NULL OR mode = :mode)",
        id=id, account_id=account_id, mode=mode,
    )  # fmt: skip


def by_id(id: str) -> Erasure | None:
    return db.one(Erasure, "SELECT * FROM erasures WHERE id = :id", id=id)


def latest_of(session_id: str) -> Erasure | None:
    """One that is not finished first: a clock that was set back must not hide it behind one that is."""
    return db.one(
        Erasure,
        """
        SELECT * FROM erasures WHERE session_id = :session_id
        ORDER BY CASE WHEN status = 'erased' THEN 1 ELSE 0 END, created_at DESC, id DESC LIMIT 1
        """,
        session_id=session_id,
    )  # fmt: skip


def page(account_id: str, mode: str | None, before: int, before_id: str, most: int) -> list[Erasure]:
    """Newest first, older than (before, before_id)."""
    return db.many(
        Erasure,
        """
        SELECT * FROM erasures
        WHERE account_id = :account_id AND (created_at, id) < (:before, :before_id) AND (:mode IS NULL OR mode = :mode)
        ORDER BY created_at DESC, id DESC LIMIT :most
        """,
        account_id=account_id, mode=mode, before=before, before_id=before_id, most=most,
    )  # fmt: skip


def unfinished(most: int) -> list[Erasure]:
    """Of all accounts: those nobody looked for yet, then those that wait for somebody, then those that are stuck."""
    return db.many(
        Erasure,
        """
        SELECT * FROM erasures WHERE status <> 'erased'
        ORDER BY CASE WHEN because IS NULL THEN 0 WHEN because IN ('log', 'file') THEN 1
                      WHEN because IN ('copy', 'found') THEN 2 ELSE 3 END, created_at, id
        LIMIT :most
        """,
        most=most,
    )


def oldest_unfinished() -> int | None:
    """When it was asked for."""
    (found,) = db.many(_Number, "SELECT min(created_at) AS number FROM erasures WHERE status <> 'erased'")
    return found.number


def block(id: str, because: str) -> None:
    db.run(
        """
        UPDATE erasures SET status = 'blocked', because = :because
        WHERE id = :id AND status <> 'erased' AND coalesce(because, '') <> :because
        """,
        id=id, because=because,
    )  # fmt: skip


def finish(id: str, receipt: str, now: int) -> bool:
    """False when somebody else did."""
    return db.run(
        """
        UPDATE erasures SET status = 'erased', because = NULL, sealed_traces = NULL, erased_at = :now,
                            receipt = :receipt
        WHERE id = :id AND status <> 'erased'
        """,
        id=id, receipt=receipt, now=now,
    ) == 1  # fmt: skip


# ── Signing ──────────────────────────────────────────────────────────────────────────────────────────────────


def add_key(new: SigningKey) -> None:
    db.run(
        """
        INSERT INTO receipt_keys (id, public_key, sealed_seed, made_at)
        VALUES (:id, :public_key, :sealed_seed, :made_at)
        """,
        id=new.id, public_key=new.public_key, sealed_seed=new.sealed_seed, made_at=new.made_at,
    )  # fmt: skip


def signing_keys() -> list[SigningKey]:
    """The newest first."""
    return db.many(SigningKey, "SELECT * FROM receipt_keys ORDER BY made_at DESC, id DESC")


# ── Looking ──────────────────────────────────────────────────────────────────────────────────────────────────


def looked(now: int) -> None:
    db.run(
        """
        INSERT INTO retention_looks (id, looked_at) VALUES (1, :now)
        ON CONFLICT (id) DO UPDATE SET looked_at = :now
        """,
        now=now,
    )


def looked_at() -> int | None:
    found = db.one(_Number, "SELECT looked_at AS number FROM retention_looks")
    return found.number if found else None
