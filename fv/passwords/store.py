"""One-time links as the database knows them."""

from dataclasses import dataclass

from fv import db


@dataclass(frozen=True)
class Link:
    token_hash: str
    account_id: str
    made_at: int
    used_at: int | None


def add(token_hash: str, account_id: str, now: int) -> None:
    """The only link of the account that works."""
    end_links(account_id, now)
    db.run(
        "INSERT INTO password_links (token_hash, account_id, made_at) VALUES (:token_hash, :id, :now)",
        token_hash=token_hash, id=account_id, now=now,
    )  # fmt: skip


def link(token_hash: str) -> Link | None:
    return db.one(Link, "SELECT * FROM password_links WHERE token_hash = :token_hash", token_hash=token_hash)


def open_links(account_id: str, since: int) -> int:
    """How many of the account work; no more than one can."""
    links = db.many(
        Link,
        "SELECT * FROM password_links WHERE account_id = :id AND used_at IS NULL AND made_at > :since",
        id=account_id, since=since,
    )  # fmt: skip
    return len(links)


def spend(token_hash: str, since: int, now: int) -> bool:
    """False when it was used or replaced, or was made no later than `since`."""
    return db.run(
        """
        UPDATE password_links SET used_at = :now
        WHERE token_hash = :token_hash AND used_at IS NULL AND made_at > :since
        """,
        token_hash=token_hash, since=since, now=now,
    ) == 1  # fmt: skip


def end_links(account_id: str, now: int) -> None:
    db.run(
        "UPDATE password_links SET used_at = :now WHERE account_id = :id AND used_at IS NULL", id=account_id, now=now
    )  # fmt: skip


def forget(before: int) -> None:
    """Links so old that nobody will ask any more why they do not work."""
    db.run("DELETE FROM password_links WHERE made_at <= :before", before=before)
