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


def keep_answer(
    account_id: str, request_key: str, fingerprint: str, sealed_answer: str, session_id: str, now: int, since: int
) -> None:
    """Older ones go. `session_id`: the session it tells of."""
    db.run("DELETE FROM idempotency WHERE made_at <= :since", since=since)
    db.run(
        """
        INSERT INTO idempotency (account_id, request_key, fingerprint, sealed_answer, session_id, made_at)
        VALUES (:account_id, :request_key, :fingerprint, :sealed_answer, :session_id, :now)
        """,
        account_id=account_id, request_key=request_key, fingerprint=fingerprint, sealed_answer=sealed_answer,
        session_id=session_id, now=now,
    )  # fmt: skip


def forget(session_id: str) -> list[str]:
    """The sealed answers that told of this session; they are gone."""
    told = db.many(
        Answer, "SELECT fingerprint, sealed_answer FROM idempotency WHERE session_id = :session_id",
        session_id=session_id,
    )  # fmt: skip
    db.run("DELETE FROM idempotency WHERE session_id = :session_id", session_id=session_id)
    return [one.sealed_answer for one in told]
