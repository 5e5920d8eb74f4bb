"""Sessions as the database knows them. Whatever is read is as of `now`: one that ran out is expired, written or not."""

from dataclasses import dataclass

from fv import db
from fv.verifications import states


@dataclass(frozen=True)
class Verification:
    id: str
    account_id: str
    external_user_id: str
    mode: str
    status: str
    require_poa: bool
    token_hash: str
    challenge: str
    nonce: str
    nonce_made_at: int
    created_at: int
    expires_at: int
    erase_after: int
    consented_at: int | None = None
    submitted_at: int | None = None
    completed_at: int | None = None
    trust_score: int | None = None
    trust_decision: str | None = None
    face_match_passed: bool | None = None
    findings: str | None = None
    error: str = ""
    answered: str | None = None
    link_id: str | None = None
    return_url: str = ""
    erased_at: int | None = None
    key_id: str = ""


@dataclass(frozen=True)
class Happening:
    """One line of the timeline."""

    number: int
    at: int
    event: str
    note: str


@dataclass(frozen=True)
class _Id:
    id: str


@dataclass(frozen=True)
class Number:
    number: int


@dataclass(frozen=True)
class _Moment:
    created_at: int


OPEN = ", ".join(f"'{status}'" for status in states.OPEN)
STATUS = f"CASE WHEN status IN ({OPEN}) AND expires_at <= :now THEN 'expired' ELSE status END"
COLUMNS = f"""
    id, account_id, external_user_id, mode, {STATUS} AS status, require_poa, token_hash, challenge, nonce,
    nonce_made_at, created_at, expires_at, consented_at, submitted_at, completed_at, trust_score, trust_decision,
    face_match_passed, findings, error, link_id, return_url, erase_after, erased_at, answered, key_id
"""


def verification(require_poa: int, face_match_passed: int | None, **columns: object) -> Verification:
    passed = None if face_match_passed is None else bool(face_match_passed)
    return Verification(require_poa=bool(require_poa), face_match_passed=passed, **columns)  # type: ignore[arg-type]


def add(new: Verification) -> None:
    """As it is, whatever has become of it."""
    db.run(
        """
        INSERT INTO verifications (id, account_id, external_user_id, mode, status, require_poa, token_hash, challenge,
            nonce, nonce_made_at, created_at, expires_at, erase_after, consented_at, submitted_at, completed_at,
            trust_score, trust_decision, face_match_passed, findings, error, link_id, return_url, erased_at,
            answered, key_id)
        VALUES (:id, :account_id, :external_user_id, :mode, :status, :require_poa, :token_hash, :challenge,
            :nonce, :nonce_made_at, :created_at, :expires_at, :erase_after, :consented_at, :submitted_at, :completed_at,
            :trust_score, :trust_decision, :face_match_passed, :findings, :error, :link_id, :return_url, :erased_at,
            :answered, :key_id)
        """,
        **vars(new) | {"require_poa": int(new.require_poa), "face_match_passed": _number(new.face_match_passed)},
    )


def _number(said: bool | None) -> int | None:
    return None if said is None else int(said)


def find(account_id: str, id: str, mode: str | None, now: int) -> Verification | None:
    """Of this account and mode (None: either)."""
    return db.one(
        verification,
        f"""
        SELECT {COLUMNS} FROM verifications
        WHERE id = :id AND account_id = :account_id AND (:mode IS NULL OR mode = :mode)
        """,
        id=id, account_id=account_id, mode=mode, now=now,
    )  # fmt: skip


def made_at(account_id: str, number: int) -> int | None:
    """When the so many newest session of the account was made; 1: the newest."""
    found = db.one(
        _Moment,
        """
        SELECT created_at FROM verifications WHERE account_id = :account_id
        ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET :skipped
        """,
        account_id=account_id, skipped=number - 1,
    )  # fmt: skip
    return found.created_at if found else None


def of_token(id: str, token_hash: str, now: int) -> Verification | None:
    """The one that the end user's link opens."""
    return db.one(
        verification,
        f"SELECT {COLUMNS} FROM verifications WHERE id = :id AND token_hash = :token_hash",
        id=id, token_hash=token_hash, now=now,
    )  # fmt: skip


def of_token_hash(token_hash: str, now: int) -> Verification | None:
    """The same for a program of the end user, which shows the token alone."""
    found = f"SELECT {COLUMNS} FROM verifications WHERE token_hash = :token_hash"
    return db.one(verification, found, token_hash=token_hash, now=now)


# ── What happens to it ───────────────────────────────────────────────────────────────────────────────────────


def become(account_id: str, id: str, new: str, now: int) -> bool:
    """False when it cannot become that any more: somebody was faster, or it ran out."""
    possible = ", ".join(f"'{status}'" for status in states.before(new))
    return db.run(
        f"""
        UPDATE verifications
        SET status = :new, completed_at = CASE WHEN :completes THEN coalesce(completed_at, :now) ELSE completed_at END
        WHERE id = :id AND account_id = :account_id AND status IN ({possible})
          AND NOT (status IN ({OPEN}) AND expires_at <= :now)
        """,
        id=id, account_id=account_id, new=new, completes=new in states.COMPLETED, now=now,
    ) == 1  # fmt: skip


def decide(account_id: str, id: str, decision: str) -> bool:
    """As become(), by a person: from review, or from passed to failed. A worker's verdict is not forestalled."""
    return db.run(
        """
        UPDATE verifications SET status = :decision
        WHERE id = :id AND account_id = :account_id
          AND (status = 'review' OR (status = 'passed' AND :decision = 'failed'))
        """,
        id=id, account_id=account_id, decision=decision,
    ) == 1  # fmt: skip


def spend_nonce(id: str, nonce: str, since: int) -> bool:
    """The challenge was answered. False when it is another one, was used, or was made by `since`."""
    return db.run(
        """
        UPDATE verifications SET nonce = '' WHERE id = :id AND nonce = :nonce AND nonce != '' AND nonce_made_at > :since
        """,
        id=id, nonce=nonce, since=since,
    ) == 1  # fmt: skip


def answer(id: str, challenge: str) -> None:
    """The head turn that is kept from now on answers this."""
    db.run("UPDATE verifications SET answered = :challenge WHERE id = :id", id=id, challenge=challenge)


def consent(id: str, now: int) -> None:
    db.run("UPDATE verifications SET consented_at = :now WHERE id = :id", id=id, now=now)


def submit(id: str, now: int) -> None:
    db.run("UPDATE verifications SET submitted_at = :now WHERE id = :id", id=id, now=now)


def renew_challenge(id: str, challenge: str, nonce: str, now: int) -> None:
    db.run(
        "UPDATE verifications SET challenge = :challenge, nonce = :nonce, nonce_made_at = :now WHERE id = :id",
        id=id, challenge=challenge, nonce=nonce, now=now,
    )  # fmt: skip


def note(id: str, event: str, now: int, note: str = "") -> None:
    """One more line of its timeline. Inside a transaction."""
    db.run(
        """
        INSERT INTO verification_events (verification_id, number, at, event, note)
        SELECT :id, coalesce(max(number), 0) + 1, :now, :event, :note
        FROM verification_events WHERE verification_id = :id
        """,
        id=id, event=event, note=note, now=now,
    )  # fmt: skip


def timeline(id: str) -> list[Happening]:
    """The newest first."""
    return db.many(
        Happening,
        """
        SELECT number, at, event, note FROM verification_events
        WHERE verification_id = :id ORDER BY number DESC
        """,
        id=id,
    )


# ── Analysis ─────────────────────────────────────────────────────────────────────────────────────────────────


def take_due(lease: str, until: int, now: int) -> Verification | None:
    """The submitted one that waits longest, for whoever holds this lease; nobody else takes it before `until`."""
    found = db.one(
        _Id,
        """
        SELECT id FROM verifications WHERE status = 'analyzing' AND (leased_until IS NULL OR leased_until <= :now)
        ORDER BY submitted_at, id LIMIT 1
        """,
        now=now,
    )
    if found is None:
        return None
    taken = db.run(
        """
        UPDATE verifications SET lease = :lease, leased_until = :until
        WHERE id = :id AND status = 'analyzing' AND (leased_until IS NULL OR leased_until <= :now)
        """,
        id=found.id, lease=lease, until=until, now=now,
    )  # fmt: skip
    if taken != 1:
        return None
    return db.one(verification, f"SELECT {COLUMNS} FROM verifications WHERE id = :id", id=found.id, now=now)


def end_leases() -> None:
    db.run("UPDATE verifications SET lease = NULL, leased_until = NULL WHERE status = 'analyzing'")


def give_up(id: str, lease: str) -> None:
    """It is due at once, for whoever comes next."""
    db.run("UPDATE verifications SET lease = NULL, leased_until = NULL WHERE id = :id AND lease = :lease",
           id=id, lease=lease)  # fmt: skip


def finish(id: str, lease: str, findings: str, score: int | None, decision: str, face_match: bool | None) -> bool:
    """False when the lease went to somebody else, or the session is no longer being analysed."""
    return db.run(
        """
        UPDATE verifications
        SET findings = :findings, trust_score = :score, trust_decision = :decision, face_match_passed = :face_match,
            lease = NULL, leased_until = NULL
        WHERE id = :id AND lease = :lease AND status = 'analyzing'
        """,
        id=id, lease=lease, findings=findings, score=score, decision=decision,
        face_match=_number(face_match),
    ) == 1  # fmt: skip


# ── Erasure ──────────────────────────────────────────────────────────────────────────────────────────────────


def erase_by(account_id: str, id: str | None, longest: int) -> None:
    """Of one session, or of all of the account: nothing is kept longer than so many seconds."""
    db.run(
        """
        UPDATE verifications SET erase_after = created_at + :longest
        WHERE account_id = :account_id AND (:id IS NULL OR id = :id) AND erased_at IS NULL
          AND erase_after > created_at + :longest
        """,
        account_id=account_id, id=id, longest=longest,
    )  # fmt: skip


def erased(id: str, now: int) -> bool:
    """Where the end user was to go on may tell who they are, and goes as well. False when it was noted already."""
    return db.run(
        "UPDATE verifications SET erased_at = :now, return_url = '' WHERE id = :id AND erased_at IS NULL",
        id=id, now=now,
    ) == 1  # fmt: skip
