"""Days of accounts and terms of sessions as the database knows them."""

from dataclasses import dataclass

from fv import db
from fv.terms.span import Span


@dataclass(frozen=True)
class Term:
    """Until when what is kept; None: it is gone. `held_until`: nothing goes before that."""

    session_id: str
    account_id: str
    counted_from: int
    photos_until: int | None
    documents_until: int | None
    fingerprints_until: int | None
    next_at: int | None
    held_until: int | None = None
    held_because: str = ""
    receipt_hash: str | None = None

    def is_held(self, now: int) -> bool:
        return self.held_until is not None and self.held_until > now

    @property
    def last_at(self) -> int | None:
        """When nothing is left."""
        return max((at for at in self.untils.values() if at is not None), default=None)

    @property
    def untils(self) -> dict[str, int | None]:
        return {
            "photos": self.photos_until,
            "documents": self.documents_until,
            "fingerprints": self.fingerprints_until,
        }


@dataclass(frozen=True)
class Going:
    """How many sessions have something of this kind that goes."""

    sessions: int
    photos: int
    documents: int
    fingerprints: int


@dataclass(frozen=True)
class _Number:
    number: int


@dataclass(frozen=True)
class _Days:
    photos: int
    documents: int
    fingerprints: int


_COLUMNS = """
    session_id, account_id, counted_from, photos_until, documents_until, fingerprints_until, next_at, held_until,
    held_because, receipt_hash
"""
_EVER = 2**62  # seconds since 1970


def _least(one: str, other: str) -> str:
    return f"(CASE WHEN {one} < {other} THEN {one} ELSE {other} END)"


_FIRST = _least(
    _least(f"coalesce(photos_until, {_EVER})", f"coalesce(documents_until, {_EVER})"),
    f"coalesce(fingerprints_until, {_EVER})",
)
#: The first of the three, and not before the session is closed; NULL when all are NULL.
_NEXT = f"CASE WHEN {_FIRST} = {_EVER} THEN NULL WHEN {_FIRST} < closed_at THEN closed_at ELSE {_FIRST} END"


# ── Accounts ─────────────────────────────────────────────────────────────────────────────────────────────────


def days(account_id: str) -> dict[str, int] | None:
    """None: it never chose any."""
    found = db.one(
        _Days, "SELECT photos, documents, fingerprints FROM kept_days WHERE account_id = :account_id",
        account_id=account_id,
    )  # fmt: skip
    return dict(vars(found)) if found else None


def set_days(account_id: str, days: dict[str, int]) -> None:
    db.run(
        """
        INSERT INTO kept_days (account_id, photos, documents, fingerprints)
        VALUES (:account_id, :photos, :documents, :fingerprints)
        ON CONFLICT (account_id) DO UPDATE
        SET photos = :photos, documents = :documents, fingerprints = :fingerprints
        """,
        account_id=account_id, **days,
    )  # fmt: skip


def every_days() -> list[dict[str, int]]:
    """Of all accounts that chose any, each choice once."""
    return db.many(dict, "SELECT DISTINCT photos, documents, fingerprints FROM kept_days")


# ── Sessions ─────────────────────────────────────────────────────────────────────────────────────────────────


def add(session_id: str, account_id: str, now: int, closed_at: int, span: Span, receipt_hash: str) -> None:
    db.run(
        """
        INSERT INTO terms (session_id, account_id, counted_from, closed_at, photos_until, documents_until,
                           fingerprints_until, receipt_hash)
        VALUES (:session_id, :account_id, :now, :closed_at, :photos, :documents, :fingerprints, :receipt_hash)
        """,
        session_id=session_id, account_id=account_id, now=now, closed_at=closed_at, photos=now + span.photos,
        documents=now + span.documents, fingerprints=now + span.fingerprints, receipt_hash=receipt_hash,
    )  # fmt: skip
    db.run(f"UPDATE terms SET next_at = {_NEXT} WHERE session_id = :session_id", session_id=session_id)


def of_session(account_id: str, session_id: str) -> Term | None:
    """None: nothing was ever kept of it, or it was erased before there were terms."""
    return db.one(
        Term, f"SELECT {_COLUMNS} FROM terms WHERE session_id = :session_id AND account_id = :account_id",
        session_id=session_id, account_id=account_id,
    )  # fmt: skip


def of_receipt(receipt_hash: str) -> Term | None:
    return db.one(Term, f"SELECT {_COLUMNS} FROM terms WHERE receipt_hash = :receipt_hash", receipt_hash=receipt_hash)


def shorten(account_id: str, span: Span, session_id: str | None = None) -> int:
    """Of all its sessions, or of one: nothing is kept longer than that; how many that changes."""
    shorter = " OR ".join(f"{name}_until > counted_from + :{name}" for name in vars(span))
    where = f"account_id = :account_id AND (:session_id IS NULL OR session_id = :session_id) AND ({shorter})"
    changed = ", ".join(
        f"{name}_until = CASE WHEN {name}_until > counted_from + :{name} THEN counted_from + :{name} "
        f"ELSE {name}_until END"
        for name in vars(span)
    )
    params = {"account_id": account_id, "session_id": session_id, **vars(span)}
    number = db.run(f"UPDATE terms SET {changed} WHERE {where}", **params)
    if number:
        db.run(
            f"""
            UPDATE terms SET next_at = {_NEXT}
            WHERE account_id = :account_id AND (:session_id IS NULL OR session_id = :session_id)
              AND next_at IS NOT NULL
            """,
            account_id=account_id, session_id=session_id,
        )  # fmt: skip
    return number


def gone(session_id: str, classes: tuple[str, ...]) -> None:
    """Nothing of these kinds is kept any more."""
    named = ", ".join(f"{name}_until = NULL" for name in Span.__dataclass_fields__ if name in classes)
    db.run(f"UPDATE terms SET {named} WHERE session_id = :session_id", session_id=session_id)
    db.run(f"UPDATE terms SET next_at = {_NEXT} WHERE session_id = :session_id", session_id=session_id)


def hold(session_id: str, until: int | None, because: str) -> None:
    """None: not any more."""
    db.run(
        "UPDATE terms SET held_until = :until, held_because = :because WHERE session_id = :session_id",
        session_id=session_id, until=until, because=because,
    )  # fmt: skip


def held(account_id: str, now: int, most: int) -> list[Term]:
    """Of this account, those whose hold ends first."""
    return db.many(
        Term,
        f"""
        SELECT {_COLUMNS} FROM terms WHERE account_id = :account_id AND held_until > :now AND next_at IS NOT NULL
        ORDER BY held_until, session_id LIMIT :most
        """,
        account_id=account_id, now=now, most=most,
    )  # fmt: skip


# ── What is due ──────────────────────────────────────────────────────────────────────────────────────────────


def due(now: int, most: int) -> list[Term]:
    """Of all accounts, those whose time is over longest and that nobody holds."""
    return db.many(
        Term,
        f"""
        SELECT {_COLUMNS} FROM terms
        WHERE next_at <= :now AND (held_until IS NULL OR held_until <= :now) ORDER BY next_at, session_id LIMIT :most
        """,
        now=now, most=most,
    )  # fmt: skip


def number_due(now: int) -> int:
    """Of all accounts."""
    (found,) = db.many(
        _Number,
        """
        SELECT count(*) AS number FROM terms WHERE next_at <= :now AND (held_until IS NULL OR held_until <= :now)
        """,
        now=now,
    )  # fmt: skip
    return found.number


def going(account_id: str, by: int, now: int, span: Span) -> Going:
    """What goes until then, if nothing were kept longer than `span`."""
    ends = {
        name: f"CASE WHEN {name}_until > counted_from + :{name} THEN counted_from + :{name} ELSE {name}_until END"
        for name in vars(span)
    }
    goes = {name: f"coalesce({end} <= :by, false) AND closed_at <= :by" for name, end in ends.items()}
    (found,) = db.many(
        Going,
        f"""
        SELECT coalesce(sum(CASE WHEN {" OR ".join(f"({one})" for one in goes.values())} THEN 1 ELSE 0 END), 0)
                   AS sessions,
               {", ".join(f"coalesce(sum(CASE WHEN {one} THEN 1 ELSE 0 END), 0) AS {name}"
                          for name, one in goes.items())}
        FROM terms WHERE account_id = :account_id AND next_at IS NOT NULL
          AND (held_until IS NULL OR held_until <= :now)
        """,
        account_id=account_id, by=by, now=now, **vars(span),
    )  # fmt: skip
    return found


def losing_photos(account_id: str, by: int, now: int) -> list[str]:
    """The sessions whose photos go until then, if there are any; a range of an index."""
    found = """
        SELECT session_id FROM terms
        WHERE account_id = :account_id AND next_at <= :by AND photos_until <= :by
          AND (held_until IS NULL OR held_until <= :now)
    """
    parts = db.chunks(found, 1000, account_id=account_id, by=by, now=now)
    return [id for part in parts for (id,) in part]


def kept_sessions(account_id: str) -> int:
    """Of how many sessions anything is kept."""
    (found,) = db.many(
        _Number, "SELECT count(*) AS number FROM terms WHERE account_id = :account_id AND next_at IS NOT NULL",
        account_id=account_id,
    )  # fmt: skip
    return found.number
