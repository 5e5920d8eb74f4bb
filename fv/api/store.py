"""Answers that are given again to an equal request with the same Idempotency-Key."""

from dataclasses import dataclass

from fv import db
from fv.db.sealed import Column

ANSWERS = Column("idempotency", "sealed_answer", ("account_id", "request_key"))


@dataclass(frozen=True)
class Answer:
    fingerprint: str
    sealed_answer: str


def answer(account_id: str, request_key: str, since: int) -> Answer | None:
    return db.one(
        Answer,
        """
        SELECT fingerprint, sealed_answer FROM idempotency
        WHERE account_id = :account_id AND request_key = :request_key AND made_at > :since
        """,
        account_id=account_id, request_key=request_key, since=since,
    )  # fmt: skip


def keep_answer(account_id: str, request_key: str, fingerprint: str, sealed_answer: str, now: int, since: int) -> None:
    """Older ones go."""
    db.run("DELETE FROM idempotency WHERE made_at <= :since", since=since)
    db.run(
        """
        INSERT INTO idempotency (account_id, request_key, fingerprint, sealed_answer, made_at)
        VALUES (:account_id, :request_key, :fingerprint, :sealed_answer, :now)
        """,
        account_id=account_id, request_key=request_key, fingerprint=fingerprint, sealed_answer=sealed_answer, now=now,
    )  # fmt: skip
