"""What was told, as the database knows it."""

from dataclasses import dataclass

from fv import db


@dataclass(frozen=True)
class Mail:
    """`next_try_at` None: it was sent, or given up."""

    number: int
    account_id: str
    made_at: int
    tries: int
    next_try_at: int | None
    sent_at: int | None


@dataclass(frozen=True)
class _Number:
    number: int


def read_numbers(account_id: str, since: int) -> set[int]:
    """The numbers from `since` on that the holder has read."""
    rows = db.many(
        _Number, "SELECT number FROM notices_read WHERE account_id = :id AND number >= :since",
        id=account_id, since=since,
    )  # fmt: skip
    return {row.number for row in rows}


def has_read(account_id: str, number: int) -> None:
    db.run(
        "INSERT INTO notices_read (account_id, number) VALUES (:id, :number) ON CONFLICT DO NOTHING",
        id=account_id, number=number,
    )  # fmt: skip


# ── Mails ────────────────────────────────────────────────────────────────────────────────────────────────────


def newest_mail() -> int:
    """The number of the newest row there is a mail for; 0: none."""
    found = db.one(_Number, "SELECT coalesce(max(number), 0) AS number FROM mails")
    return found.number if found else 0


def add_mail(number: int, account_id: str, now: int) -> None:
    """Once for each row, whoever comes first."""
    db.run(
        """
        INSERT INTO mails (number, account_id, made_at, next_try_at) VALUES (:number, :account_id, :now, :now)
        ON CONFLICT (number) DO NOTHING
        """,
        number=number, account_id=account_id, now=now,
    )  # fmt: skip


def due_mail(now: int) -> Mail | None:
    """The oldest that is to be sent now."""
    return db.one(Mail, "SELECT * FROM mails WHERE next_try_at <= :now ORDER BY number LIMIT 1", now=now)


def take_mail(mail: Mail, again_at: int | None) -> bool:
    """Try to send it, and again at that time unless it is sent before. False when somebody else took it."""
    return db.run(
        """
        UPDATE mails SET tries = tries + 1, next_try_at = :again_at
        WHERE number = :number AND tries = :tries AND next_try_at IS NOT NULL
        """,
        number=mail.number, tries=mail.tries, again_at=again_at,
    ) == 1  # fmt: skip


def sent_since(account_id: str, since: int) -> int:
    """How many mails this account was sent."""
    found = db.one(
        _Number,
        "SELECT count(*) AS number FROM mails WHERE account_id = :id AND sent_at > :since",
        id=account_id, since=since,
    )  # fmt: skip
    return found.number if found else 0


def postpone_mail(number: int, until: int) -> None:
    db.run(
        "UPDATE mails SET next_try_at = :until WHERE number = :number AND sent_at IS NULL", number=number, until=until
    )


def sent_mail(number: int, now: int) -> None:
    db.run("UPDATE mails SET sent_at = :now, next_try_at = NULL WHERE number = :number", number=number, now=now)


def given_up_mails(since: int) -> int:
    found = db.one(
        _Number,
        """
        SELECT count(*) AS number FROM mails WHERE sent_at IS NULL AND next_try_at IS NULL AND made_at > :since
        """,
        since=since,
    )
    return found.number if found else 0
