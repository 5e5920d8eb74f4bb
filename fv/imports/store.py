"""Imports as the database knows them. The templates of one are in a gallery that is closed until `opened_at`."""

from dataclasses import asdict, dataclass

from fv import db


@dataclass(frozen=True)
class Import:
    """`gallery_id` None: its templates are with the others. `done` of `total` templates are in the gallery; -1: it is
    being taken back, and is never opened.
    """

    id: str
    account_id: str
    gallery_id: int | None
    digest: str
    total: int
    done: int
    begun_at: int
    opened_at: int | None


def add(new: Import) -> None:
    db.run(
        """
        INSERT INTO imports (id, account_id, gallery_id, digest, total, done, begun_at, opened_at)
        VALUES (:id, :account_id, :gallery_id, :digest, :total, :done, :begun_at, :opened_at)
        """,
        **asdict(new),
    )


def by_id(id: str) -> Import | None:
    return db.one(Import, "SELECT * FROM imports WHERE id = :id", id=id)


def of_digest(account_id: str, digest: str) -> Import | None:
    """The one that is not open yet, else the one that was opened last."""
    return db.one(
        Import,
        """
        SELECT * FROM imports WHERE account_id = :account_id AND digest = :digest
        ORDER BY opened_at IS NOT NULL, opened_at DESC LIMIT 1
        """,
        account_id=account_id, digest=digest,
    )  # fmt: skip


def closed(account_id: str) -> list[Import]:
    """Those that were begun and are not open."""
    return db.many(
        Import, "SELECT * FROM imports WHERE account_id = :account_id AND opened_at IS NULL ORDER BY begun_at, id",
        account_id=account_id,
    )  # fmt: skip


def advance(id: str, done: int) -> None:
    db.run("UPDATE imports SET done = :done WHERE id = :id", id=id, done=done)


def open_it(id: str, now: int) -> bool:
    """From now on its templates are found. False when not all are there, or somebody else opened it."""
    return db.run(
        "UPDATE imports SET opened_at = :now WHERE id = :id AND opened_at IS NULL AND done = total", id=id, now=now
    ) == 1  # fmt: skip


def give_up(id: str) -> bool:
    """From now on nothing is added to it and nobody opens it. False when it is open, or gone."""
    return db.run("UPDATE imports SET done = -1 WHERE id = :id AND opened_at IS NULL", id=id) == 1


def remove(id: str) -> None:
    db.run("DELETE FROM imports WHERE id = :id", id=id)
