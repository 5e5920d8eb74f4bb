"""Templates as people see them, without their numbers: one, those of a session, pages of a list, the block list.

Only SQL, as in store.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fv import db
from fv.fingerprints.index import A_ROW
from fv.fingerprints.store import Space

MIB = 1024 * 1024  # bytes


@dataclass(frozen=True)
class Fingerprint:
    """A template of a gallery, without its numbers."""

    id: str
    gallery_id: int
    session_id: str | None
    external_user_id: str
    created_at: int
    mode: str
    model: str
    blocked_at: int | None
    reason: str | None


class Place(NamedTuple):
    gallery_id: int
    id: str


FINGERPRINT = """
    SELECT f.id, f.gallery_id, f.session_id, f.external_user_id, f.created_at, g.mode, g.model, b.blocked_at, b.reason
    FROM fingerprints f JOIN open_galleries g ON g.id = f.gallery_id
    LEFT JOIN blocked_fingerprints b ON b.fingerprint_id = f.id
"""


class _Account(NamedTuple):
    account_id: str


def accounts() -> list[str]:
    """The ids of those that have templates, or had once: they have a rotation."""
    found = db.many(_Account, "SELECT DISTINCT account_id FROM rotations ORDER BY account_id")
    return [one.account_id for one in found]


def find(account_id: str, id: str, mode: str | None) -> Fingerprint | None:
    """Of this account and mode (None: either)."""
    return db.one(
        Fingerprint,
        f"{FINGERPRINT} WHERE f.id = :id AND g.account_id = :account_id AND (:mode IS NULL OR g.mode = :mode)",
        id=id, account_id=account_id, mode=mode,
    )  # fmt: skip


def of_session(account_id: str, session_id: str) -> list[Fingerprint]:
    """The newest first."""
    return db.many(
        Fingerprint,
        f"""
        {FINGERPRINT} WHERE f.session_id = :session_id AND g.account_id = :account_id
        ORDER BY f.created_at DESC, f.id DESC
        """,
        account_id=account_id, session_id=session_id,
    )  # fmt: skip


def places_of_session(account_id: str, session_id: str) -> list[Place]:
    """Gallery and id of each, those in closed galleries too."""
    return db.many(
        Place,
        """
        SELECT f.gallery_id, f.id FROM fingerprints f JOIN galleries g ON g.id = f.gallery_id
        WHERE f.session_id = :session_id AND g.account_id = :account_id
        """,
        account_id=account_id, session_id=session_id,
    )  # fmt: skip


def places_of_person(account_id: str, external_user_id: str) -> list[Place]:
    """As places_of_session(), of those that are of no session."""
    return db.many(
        Place,
        """
        SELECT f.gallery_id, f.id FROM fingerprints f JOIN galleries g ON g.id = f.gallery_id
        WHERE f.external_user_id = :external_user_id AND f.session_id IS NULL AND g.account_id = :account_id
        """,
        account_id=account_id, external_user_id=external_user_id,
    )  # fmt: skip


def has_piece(piece: bytes) -> bool:
    """Reads every template."""
    return db.one(dict, "SELECT id FROM fingerprints WHERE instr(vector, :piece) > 0 LIMIT 1", piece=piece) is not None


def everyone(gallery_id: int, rows: int) -> Iterator[list[tuple[str, str, bytes]]]:
    """(id, external_user_id, vector) of each, so many rows at a time."""
    return db.chunks(
        "SELECT id, external_user_id, vector FROM fingerprints WHERE gallery_id = :gallery_id", rows,
        gallery_id=gallery_id,
    )  # fmt: skip


def page(gallery_ids: Sequence[int], created_at: int, id: str, limit: int) -> list[Fingerprint]:
    """The newest first, of those that come after (`created_at`, `id`)."""
    found: list[Fingerprint] = []
    for gallery_id in gallery_ids:  # one by one, so that the index on the time is used
        found += db.many(
            Fingerprint,
            f"""
            {FINGERPRINT} WHERE f.gallery_id = :gallery_id AND (f.created_at, f.id) < (:created_at, :id)
            ORDER BY f.created_at DESC, f.id DESC LIMIT :limit
            """,
            gallery_id=gallery_id, created_at=created_at, id=id, limit=limit,
        )  # fmt: skip
    return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)[:limit]


def described(gallery_id: int, numbers: Sequence[int]) -> dict[str, Fingerprint]:
    """By id."""
    listed = ", ".join(str(int(number)) for number in numbers)
    found = db.many(
        Fingerprint, f"{FINGERPRINT} WHERE f.gallery_id = :gallery_id AND f.number IN ({listed})",
        gallery_id=gallery_id,
    )  # fmt: skip
    return {one.id: one for one in found}


@dataclass(frozen=True)
class Totals:
    """Over all accounts. `largest`: templates of the gallery that has most."""

    templates: int
    largest: int

    @property
    def megabytes(self) -> int:
        """That the index of the largest gallery needs."""
        return self.largest * A_ROW // MIB + 1


def totals() -> Totals:
    found = db.one(
        Totals,
        """
        SELECT coalesce(sum(size), 0) AS templates, coalesce(max(size), 0) AS largest
        FROM galleries
        """,
    )
    return found or Totals(0, 0)


# ── The block list ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Blocked:
    """`vector`: turned by the rotation of its gallery."""

    id: str
    model: str
    model_sha256: str
    preprocessing: str
    generation: int
    vector: bytes = field(repr=False)

    @property
    def space(self) -> Space:
        return Space(self.model, self.model_sha256, self.preprocessing)


def blocked(account_id: str, mode: str) -> list[Blocked]:
    """Whom a new face of this account and mode is compared with, where the space is the same."""
    return db.many(
        Blocked,
        """
        SELECT f.id, g.model, g.model_sha256, g.preprocessing, g.generation, f.vector
        FROM blocked_fingerprints b JOIN fingerprints f ON f.id = b.fingerprint_id
        JOIN open_galleries g ON g.id = f.gallery_id
        WHERE b.account_id = :account_id AND g.mode = :mode
        """,
        account_id=account_id, mode=mode,
    )  # fmt: skip


def block_list(account_id: str, mode: str | None, most: int) -> list[Fingerprint]:
    """The one that was blocked last first."""
    return db.many(
        Fingerprint,
        f"""
        {FINGERPRINT} WHERE b.account_id = :account_id AND (:mode IS NULL OR g.mode = :mode)
        ORDER BY b.blocked_at DESC, f.id LIMIT :most
        """,
        account_id=account_id, mode=mode, most=most,
    )  # fmt: skip


def block(account_id: str, id: str, reason: str, now: int) -> bool:
    """False when it was blocked already; the reason stays as it was."""
    return db.run(
        """
        INSERT INTO blocked_fingerprints (fingerprint_id, account_id, reason, blocked_at)
        VALUES (:id, :account_id, :reason, :now)
        ON CONFLICT (fingerprint_id) DO NOTHING
        """,
        account_id=account_id, id=id, reason=reason, now=now,
    ) == 1  # fmt: skip


def unblock(id: str) -> bool:
    """False when it was not blocked."""
    return db.run("DELETE FROM blocked_fingerprints WHERE fingerprint_id = :id", id=id) == 1
