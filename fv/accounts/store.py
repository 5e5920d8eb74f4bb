"""Accounts and logins as the database knows them."""

from dataclasses import dataclass

from fv import db


@dataclass(frozen=True)
class Account:
    id: str
    email: str
    password_hash: str
    plan: str
    created_at: int


@dataclass(frozen=True)
class Login:
    """One way somebody is signed in, with the email of its account. `proved_at` None: by the password only."""

    id: str
    account_id: str
    email: str
    address: str
    user_agent: str
    created_at: int
    seen_at: int
    proved_at: int | None
    locked_at: int | None


@dataclass(frozen=True)
class _Plan:
    plan: str


def add(account: Account) -> bool:
    """False when the email is taken."""
    return db.run(
        """
        INSERT INTO accounts (id, email, password_hash, plan, created_at)
        VALUES (:id, :email, :password_hash, :plan, :created_at)
        ON CONFLICT (email) DO NOTHING
        """,
        id=account.id, email=account.email, password_hash=account.password_hash,
        plan=account.plan, created_at=account.created_at,
    ) == 1  # fmt: skip


def by_email(email: str) -> Account | None:
    return db.one(Account, "SELECT * FROM accounts WHERE email = :email", email=email)


def by_id(id: str) -> Account | None:
    return db.one(Account, "SELECT * FROM accounts WHERE id = :id", id=id)


def every() -> list[Account]:
    """In the order they were made."""
    return db.many(Account, "SELECT * FROM accounts ORDER BY created_at, email")


def existing(id: str) -> Account:
    """The account of a row that cannot be without one (a foreign key)."""
    found = by_id(id)
    if found is None:
        raise LookupError("the account went together with the row that named it")
    return found


def of_login(login: "Login") -> Account:
    return existing(login.account_id)


def plans() -> set[str]:
    """Every plan that some account began with."""
    return {row.plan for row in db.many(_Plan, "SELECT DISTINCT plan FROM accounts")}


def any_exists() -> bool:
    return db.one(dict, "SELECT id FROM accounts LIMIT 1") is not None


def set_password_hash(id: str, password_hash: str, before: str) -> bool:
    """False when the one before is not this one any more: what was found out about it does not count."""
    return db.run(
        "UPDATE accounts SET password_hash = :password_hash WHERE id = :id AND password_hash = :before",
        id=id, password_hash=password_hash, before=before,
    ) == 1  # fmt: skip


# ── Logins ───────────────────────────────────────────────────────────────────────────────────────────────────

_LOGIN = """
    SELECT logins.id, account_id, email, address, user_agent, logins.created_at, seen_at, proved_at, locked_at
    FROM logins JOIN accounts ON accounts.id = account_id
"""


def add_login(id: str, account_id: str, address: str, user_agent: str, now: int) -> None:
    db.run(
        """
        INSERT INTO logins (id, account_id, address, user_agent, created_at, seen_at)
        VALUES (:id, :account_id, :address, :user_agent, :now, :now)
        """,
        id=id, account_id=account_id, address=address, user_agent=user_agent, now=now,
    )  # fmt: skip


def login(id: str) -> Login | None:
    return db.one(Login, f"{_LOGIN} WHERE logins.id = :id", id=id)


def logins(account_id: str) -> list[Login]:
    """Newest first."""
    return db.many(
        Login,
        f"{_LOGIN} WHERE account_id = :account_id ORDER BY logins.created_at DESC, logins.id",
        account_id=account_id,
    )


def saw_login(id: str, now: int) -> None:
    db.run("UPDATE logins SET seen_at = :now WHERE id = :id", id=id, now=now)


def raise_login(id: str, new_id: str, since: int, now: int) -> bool:
    """The second factor was proved: a new id. False when the login ended, was locked, or is from before `since`."""
    return db.run(
        """
        UPDATE logins SET id = :new_id, proved_at = :now, seen_at = :now
        WHERE id = :id AND proved_at IS NULL AND locked_at IS NULL AND created_at > :since
        """,
        id=id, new_id=new_id, since=since, now=now,
    ) == 1  # fmt: skip


def lock_pending_logins(account_id: str, now: int) -> None:
    db.run(
        """
        UPDATE logins SET locked_at = :now
        WHERE account_id = :account_id AND proved_at IS NULL AND locked_at IS NULL
        """,
        account_id=account_id, now=now,
    )  # fmt: skip


def rename_login(id: str, new_id: str) -> bool:
    """The cookie that named it names nothing any more. False when it ended meanwhile."""
    return db.run("UPDATE logins SET id = :new_id WHERE id = :id", id=id, new_id=new_id) == 1


def end_login(id: str) -> bool:
    """False when it had ended."""
    return db.run("DELETE FROM logins WHERE id = :id", id=id) == 1


def end_logins(account_id: str, but: str = "") -> int:
    """All of them, or all but one; how many there were."""
    return db.run("DELETE FROM logins WHERE account_id = :account_id AND id != :but", account_id=account_id, but=but)


def forget_logins(unseen_since: int, begun_before: int) -> None:
    """Logins that have ended by themselves, idle or by age."""
    db.run(
        "DELETE FROM logins WHERE seen_at <= :unseen_since OR created_at <= :begun_before",
        unseen_since=unseen_since,
        begun_before=begun_before,
    )


# ── Devices ──────────────────────────────────────────────────────────────────────────────────────────────────


def knows_device(account_id: str, mark: str, since: int) -> bool:
    """Whether the account was used from there after `since`."""
    return db.one(
        dict,
        "SELECT seen_at FROM known_devices WHERE account_id = :account_id AND mark = :mark AND seen_at > :since",
        account_id=account_id, mark=mark, since=since,
    ) is not None  # fmt: skip


def saw_device(account_id: str, mark: str, since: int, now: int) -> None:
    """Note it, and forget the ones not seen after `since`."""
    db.run(
        """
        INSERT INTO known_devices (account_id, mark, seen_at) VALUES (:account_id, :mark, :now)
        ON CONFLICT (account_id, mark) DO UPDATE SET seen_at = :now
        """,
        account_id=account_id, mark=mark, now=now,
    )  # fmt: skip
    db.run("DELETE FROM known_devices WHERE account_id = :id AND seen_at <= :since", id=account_id, since=since)
