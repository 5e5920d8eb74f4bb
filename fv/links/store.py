"""Links as the database knows them."""

from dataclasses import dataclass

from fv import db


@dataclass(frozen=True)
class Link:
    id: str
    account_id: str
    mode: str
    kind: str
    token_hash: str
    external_user_id: str | None
    return_url: str
    max_uses: int | None
    uses: int
    created_at: int
    expires_at: int
    revoked_at: int | None = None
    key_id: str = ""

    def status(self, now: int) -> str:
        """What became of it. Only an active one begins sessions."""
        if self.revoked_at is not None:
            return "revoked"
        if self.max_uses is not None and self.uses >= self.max_uses:
            return "used_up"
        return "expired" if self.expires_at <= now else "active"


def add(link: Link) -> None:
    db.run(
        """
        INSERT INTO links (id, account_id, mode, kind, token_hash, external_user_id, return_url, max_uses, uses,
            created_at, expires_at, key_id)
        VALUES (:id, :account_id, :mode, :kind, :token_hash, :external_user_id, :return_url, :max_uses, :uses,
            :created_at, :expires_at, :key_id)
        """,
        id=link.id, account_id=link.account_id, mode=link.mode, kind=link.kind, token_hash=link.token_hash,
        external_user_id=link.external_user_id, return_url=link.return_url, max_uses=link.max_uses, uses=link.uses,
        created_at=link.created_at, expires_at=link.expires_at, key_id=link.key_id,
    )  # fmt: skip


def of_token(token_hash: str) -> Link | None:
    return db.one(Link, "SELECT * FROM links WHERE token_hash = :token_hash", token_hash=token_hash)


def find(account_id: str, id: str, mode: str | None) -> Link | None:
    """Of this account and mode (None: either)."""
    return db.one(
        Link,
        "SELECT * FROM links WHERE id = :id AND account_id = :account_id AND (:mode IS NULL OR mode = :mode)",
        id=id, account_id=account_id, mode=mode,
    )  # fmt: skip


def page(account_id: str, mode: str | None, before: int, before_id: str, most: int) -> list[Link]:
    """Newest first, older than (before, before_id)."""
    return db.many(
        Link,
        """
        SELECT * FROM links
        WHERE account_id = :account_id AND (created_at, id) < (:before, :before_id) AND (:mode IS NULL OR mode = :mode)
        ORDER BY created_at DESC, id DESC LIMIT :most
        """,
        account_id=account_id, mode=mode, before=before, before_id=before_id, most=most,
    )  # fmt: skip


def spend(id: str, now: int) -> bool:
    """One more use. False when it is used up, has expired or was revoked; Link.status() says the same in words."""
    return db.run(
        """
        UPDATE links SET uses = uses + 1
        WHERE id = :id AND revoked_at IS NULL AND expires_at > :now AND (max_uses IS NULL OR uses < max_uses)
        """,
        id=id, now=now,
    ) == 1  # fmt: skip


def revoke(account_id: str, id: str, now: int) -> bool:
    """False when it was revoked before, or is not there."""
    return db.run(
        "UPDATE links SET revoked_at = :now WHERE id = :id AND account_id = :account_id AND revoked_at IS NULL",
        id=id, account_id=account_id, now=now,
    ) == 1  # fmt: skip
