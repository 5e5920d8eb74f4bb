"""Tries as the database knows them."""

from dataclasses import dataclass

from fv import db, ids


@dataclass(frozen=True)
class Made:
    made_at: int


def times(bucket: str, subject: str, since: int) -> list[int]:
    """When this subject tried, after `since`."""
    rows = db.many(
        Made,
        "SELECT made_at FROM attempts WHERE bucket = :bucket AND subject = :subject AND made_at > :since",
        bucket=bucket,
        subject=subject,
        since=since,
    )
    return [row.made_at for row in rows]


def add(bucket: str, subject: str, now: int) -> str:
    id = ids.new("try")
    db.run(
        "INSERT INTO attempts (id, bucket, subject, made_at) VALUES (:id, :bucket, :subject, :now)",
        id=id,
        bucket=bucket,
        subject=subject,
        now=now,
    )
    return id


def remove(id: str) -> None:
    db.run("DELETE FROM attempts WHERE id = :id", id=id)


def remove_all(bucket: str, subject: str) -> int:
    return db.run("DELETE FROM attempts WHERE bucket = :bucket AND subject = :subject", bucket=bucket, subject=subject)


def forget(bucket: str, before: int) -> None:
    """Tries that no longer count for anything."""
    db.run("DELETE FROM attempts WHERE bucket = :bucket AND made_at <= :before", bucket=bucket, before=before)
