"""API keys as the database knows them."""

from dataclasses import dataclass

from fv import db


@dataclass(frozen=True)
class Key:
    id: str
    account_id: str
    name: str
    prefix: str
    secret_hash: str
    scopes: frozenset[str]
    mode: str
    created_at: int
    expires_at: int | None
    used_at: int | None = None
    revoked_at: int | None = None
    retires_at: int | None = None
    used_from: str | None = None

    @property
    def ends_at(self) -> int | None:
        """When it stops working, by its expiry or because another one took its place."""
        return min((at for at in (self.expires_at, self.retires_at) if at is not None), default=None)


@dataclass(frozen=True)
class _Count:
    number: int


def _key(scopes: str, **columns: object) -> Key:
    return Key(scopes=frozenset(scopes.split()), **columns)  # type: ignore[arg-type]


_LIVE = """
    revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now) AND (retires_at IS NULL OR retires_at > :now)
"""


def add(key: Key, most: int, now: int) -> bool:
    """False when the account has `most` live keys already; those that another one has replaced are not counted."""
    return db.run(
        f"""
        INSERT INTO api_keys (id, account_id, name, prefix, secret_hash, scopes, mode, created_at, expires_at)
        SELECT :id, :account_id, :name, :prefix, :secret_hash, :scopes, :mode, :created_at, :expires_at
        WHERE (SELECT count(*) FROM api_keys
               WHERE account_id = :account_id AND retires_at IS NULL AND {_LIVE}) < :most
        """,
        id=key.id, account_id=key.account_id, name=key.name, prefix=key.prefix, secret_hash=key.secret_hash,
        scopes=" ".join(sorted(key.scopes)), mode=key.mode, created_at=key.created_at, expires_at=key.expires_at,
        most=most, now=now,
    ) == 1  # fmt: skip


def of_hash(secret_hash: str, now: int) -> Key | None:
    """The live key with this secret."""
    return db.one(
        _key, f"SELECT * FROM api_keys WHERE secret_hash = :secret_hash AND {_LIVE}", secret_hash=secret_hash, now=now
    )  # fmt: skip


def of_id(account_id: str, id: str) -> Key | None:
    return db.one(
        _key, "SELECT * FROM api_keys WHERE id = :id AND account_id = :account_id", id=id, account_id=account_id
    )


def page(account_id: str, before: int, before_id: str, most: int, now: int) -> list[Key]:
    """Live keys, newest first."""
    return db.many(
        _key,
        f"""
        SELECT * FROM api_keys
        WHERE account_id = :account_id AND {_LIVE}
          AND (created_at < :before OR (created_at = :before AND id < :before_id))
        ORDER BY created_at DESC, id DESC LIMIT :most
        """,
        account_id=account_id, before=before, before_id=before_id, most=most, now=now,
    )  # fmt: skip


def count(account_id: str, now: int) -> int:
    """Of live keys, without those that another one has replaced."""
    return _counted(f"account_id = :account_id AND retires_at IS NULL AND {_LIVE}", account_id, now)


def named(account_id: str) -> list[Key]:
    """All there ever were, the newest first."""
    return db.many(
        _key, "SELECT * FROM api_keys WHERE account_id = :account_id ORDER BY created_at DESC, id DESC",
        account_id=account_id,
    )  # fmt: skip


def was_used(id: str, network: str, now: int) -> None:
    db.run("UPDATE api_keys SET used_at = :now, used_from = :network WHERE id = :id", id=id, network=network, now=now)


def retire(account_id: str, id: str, at: int, now: int) -> bool:
    """Another one takes its place. False when the account has no such live key, or another one did before."""
    return db.run(
        f"""
        UPDATE api_keys SET retires_at = :at
        WHERE id = :id AND account_id = :account_id AND retires_at IS NULL AND {_LIVE}
        """,
        id=id, account_id=account_id, at=at, now=now,
    ) == 1  # fmt: skip


def retiring(account_id: str, now: int) -> int:
    """How many still work although another one has taken their place."""
    return _counted(f"account_id = :account_id AND retires_at IS NOT NULL AND {_LIVE}", account_id, now)


def revoke(account_id: str, id: str, now: int) -> bool:
    """False when the account has no such live key."""
    return db.run(
        f"UPDATE api_keys SET revoked_at = :now WHERE id = :id AND account_id = :account_id AND {_LIVE}",
        id=id, account_id=account_id, now=now,
    ) == 1  # fmt: skip


def _counted(where: str, account_id: str, now: int) -> int:
    (found,) = db.many(_Count, f"SELECT count(*) AS number FROM api_keys WHERE {where}", account_id=account_id, now=now)
    return found.number
