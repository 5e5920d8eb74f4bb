"""Searches as the database knows them: who looked for whom, and why."""

from dataclasses import asdict, dataclass

from fv import db


@dataclass(frozen=True)
class Search:
    """`asked_by`: the email of a person or the prefix of a key. `about`: what was looked for, with its id."""

    id: str
    account_id: str
    mode: str
    model: str
    asked_by: str
    about: str
    reason: str
    searched: int
    found: int
    created_at: int


def add(new: Search) -> None:
    db.run(
        """
        INSERT INTO searches (id, account_id, mode, model, asked_by, about, reason, searched, found, created_at)
        VALUES (:id, :account_id, :mode, :model, :asked_by, :about, :reason, :searched, :found, :created_at)
        """,
        **asdict(new),
    )


def latest(account_id: str, most: int) -> list[Search]:
    """The newest first."""
    return db.many(
        Search,
        "SELECT * FROM searches WHERE account_id = :account_id ORDER BY created_at DESC, id DESC LIMIT :most",
        account_id=account_id, most=most,
    )  # fmt: skip


def forget(account_id: str, about: str) -> int:
    """Why anybody looked for this is not known any more; of how many searches."""
    return db.run(
        "UPDATE searches SET reason = '' WHERE account_id = :account_id AND about = :about AND reason <> ''",
        account_id=account_id, about=about,
    )  # fmt: skip
