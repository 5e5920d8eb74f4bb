"""Authenticators, offered secrets and backup codes as the database knows them."""

from dataclasses import dataclass

from fv import db
from fv.db.sealed import Column

SECRETS = Column("authenticators", "sealed_secret", ("account_id",))
OFFERS = Column("offered_secrets", "sealed_secret", ("login_id",))


@dataclass(frozen=True)
class Authenticator:
    """`confirmed_at` None: not enrolled. `codes_acknowledged_at` None: the codes may have been lost on the way."""

    account_id: str
    generation: int
    sealed_secret: str | None
    confirmed_at: int | None
    last_step: int
    codes_recipe: str | None
    codes_issued_at: int | None
    codes_acknowledged_at: int | None
    codes_allowed_at: int | None

    @property
    def is_enrolled(self) -> bool:
        return self.confirmed_at is not None

    @property
    def owes_acknowledgement(self) -> bool:
        """Whether ten codes were issued and nobody said that they are saved."""
        return self.is_enrolled and self.codes_acknowledged_at is None

    def may_renew_codes(self, since: int) -> bool:
        """Whether they are still owed, or support allowed a new set after `since`."""
        return self.owes_acknowledgement or (self.is_enrolled and (self.codes_allowed_at or 0) > since)


@dataclass(frozen=True)
class ReEnrolment:
    """Support reset the second factor. `login_id`: the login at which the code was typed that allows a new one."""

    account_id: str
    code_hash: str
    made_at: int
    accepted_at: int | None
    login_id: str | None


@dataclass(frozen=True)
class _Sealed:
    sealed_secret: str


@dataclass(frozen=True)
class _Count:
    number: int


def authenticator(account_id: str) -> Authenticator:
    """The one of this account; not enrolled when there is no row yet."""
    found = db.one(Authenticator, "SELECT * FROM authenticators WHERE account_id = :id", id=account_id)
    return found or Authenticator(account_id, 1, None, None, 0, None, None, None, None)


def any_enrolled() -> Authenticator | None:
    return db.one(Authenticator, "SELECT * FROM authenticators WHERE sealed_secret IS NOT NULL LIMIT 1")


def confirm(account_id: str, sealed_secret: str, step: int, recipe: str, now: int) -> bool:
    """Enrolled from now on, with one step spent and a set of codes owed. False when it was enrolled already."""
    return (
        db.run(
            """
        INSERT INTO authenticators (account_id, sealed_secret, confirmed_at, last_step, codes_recipe, codes_issued_at)
        VALUES (:id, :sealed_secret, :now, :step, :recipe, :now)
        ON CONFLICT (account_id) DO UPDATE
        SET sealed_secret = :sealed_secret, confirmed_at = :now, last_step = :step,
            codes_recipe = :recipe, codes_issued_at = :now, codes_acknowledged_at = NULL
        WHERE authenticators.confirmed_at IS NULL
        """,
            id=account_id, sealed_secret=sealed_secret, step=step, recipe=recipe, now=now,
        )
        == 1
    )  # fmt: skip


def spend_step(account_id: str, sealed_secret: str, step: int) -> bool:
    """False when this or a newer step was spent already, or the secret is not this one any more."""
    return db.run(
        """
        UPDATE authenticators SET last_step = :step
        WHERE account_id = :id AND sealed_secret = :sealed_secret AND confirmed_at IS NOT NULL AND last_step < :step
        """,
        id=account_id, sealed_secret=sealed_secret, step=step,
    ) == 1  # fmt: skip


# ── The secret that is shown before it is confirmed ──────────────────────────────────────────────────────────


def offered_secret(login_id: str) -> str | None:
    """Sealed."""
    found = db.one(_Sealed, "SELECT sealed_secret FROM offered_secrets WHERE login_id = :id", id=login_id)
    return found.sealed_secret if found else None


def offer_secret(login_id: str, sealed_secret: str) -> None:
    """Keep the first one: two tabs that open at once show the same."""
    db.run(
        """
        INSERT INTO offered_secrets (login_id, sealed_secret) VALUES (:id, :sealed_secret)
        ON CONFLICT (login_id) DO NOTHING
        """,
        id=login_id, sealed_secret=sealed_secret,
    )  # fmt: skip


def take_offer(login_id: str, sealed_secret: str) -> bool:
    """The offer is used up. False when its login was raised or ended meanwhile."""
    return db.run(
        "DELETE FROM offered_secrets WHERE login_id = :id AND sealed_secret = :sealed_secret",
        id=login_id, sealed_secret=sealed_secret,
    ) == 1  # fmt: skip


# ── After support has reset it ───────────────────────────────────────────────────────────────────────────────


def reset(account_id: str) -> bool:
    """Not enrolled any more, without a secret, a spent step or a set of codes. False when it was not enrolled."""
    done = db.run(
        """
        UPDATE authenticators
        SET generation = generation + 1, sealed_secret = NULL, confirmed_at = NULL, last_step = 0,
            codes_recipe = NULL, codes_issued_at = NULL, codes_acknowledged_at = NULL, codes_allowed_at = NULL
        WHERE account_id = :id AND confirmed_at IS NOT NULL
        """,
        id=account_id,
    )  # fmt: skip
    return done == 1


def re_enrolment(account_id: str) -> ReEnrolment | None:
    return db.one(ReEnrolment, "SELECT * FROM re_enrolments WHERE account_id = :id", id=account_id)


def ask_for_code(account_id: str, code_hash: str, now: int) -> None:
    """From now on only this code lets a login set up an authenticator; an older one dies."""
    db.run(
        """
        INSERT INTO re_enrolments (account_id, code_hash, made_at) VALUES (:id, :code_hash, :now)
        ON CONFLICT (account_id) DO UPDATE
        SET code_hash = :code_hash, made_at = :now, accepted_at = NULL, login_id = NULL
        """,
        id=account_id, code_hash=code_hash, now=now,
    )  # fmt: skip


def accept_code(account_id: str, code_hash: str, login_id: str, since: int, now: int) -> bool:
    """This login may go on. False when it ended, or the code was used, replaced, or made by `since`."""
    return db.run(
        """
        UPDATE re_enrolments SET accepted_at = :now, login_id = :login_id
        WHERE account_id = :id AND code_hash = :code_hash AND accepted_at IS NULL AND made_at > :since
          AND EXISTS (SELECT 1 FROM logins WHERE id = :login_id)
        """,
        id=account_id, code_hash=code_hash, login_id=login_id, since=since, now=now,
    ) == 1  # fmt: skip


def end_re_enrolment(account_id: str, login_id: str) -> bool:
    """False when another login, or none, was let in by the code."""
    db.run(
        "DELETE FROM re_enrolments WHERE account_id = :id AND login_id = :login_id", id=account_id, login_id=login_id
    )
    return re_enrolment(account_id) is None


# ── Backup codes ─────────────────────────────────────────────────────────────────────────────────────────────


def replace_codes(account_id: str, hashes: list[str]) -> None:
    """The old set dies, used or not."""
    db.run("DELETE FROM backup_codes WHERE account_id = :id", id=account_id)
    for code_hash in hashes:
        db.run(
            "INSERT INTO backup_codes (account_id, code_hash) VALUES (:id, :code_hash)",
            id=account_id, code_hash=code_hash,
        )  # fmt: skip


def issue_codes(account_id: str, recipe: str, since: int, now: int) -> bool:
    """A new set is owed. False when the last one was acknowledged, and support allowed no other after `since`."""
    return db.run(
        """
        UPDATE authenticators
        SET codes_recipe = :recipe, codes_issued_at = :now, codes_acknowledged_at = NULL, codes_allowed_at = NULL
        WHERE account_id = :id AND confirmed_at IS NOT NULL
          AND (codes_acknowledged_at IS NULL OR codes_allowed_at > :since)
        """,
        id=account_id, recipe=recipe, since=since, now=now,
    ) == 1  # fmt: skip


def allow_codes(account_id: str, now: int) -> bool:
    """The account may issue itself one new set. False when it is not enrolled."""
    return db.run(
        "UPDATE authenticators SET codes_allowed_at = :now WHERE account_id = :id AND confirmed_at IS NOT NULL",
        id=account_id, now=now,
    ) == 1  # fmt: skip


def acknowledge_codes(account_id: str, now: int) -> bool:
    """False when nothing was owed."""
    return db.run(
        """
        UPDATE authenticators SET codes_acknowledged_at = :now
        WHERE account_id = :id AND codes_issued_at IS NOT NULL AND codes_acknowledged_at IS NULL
        """,
        id=account_id, now=now,
    ) == 1  # fmt: skip


def spend_code(account_id: str, code_hash: str, now: int) -> bool:
    """False when it is not a code of the current set, or was used."""
    return db.run(
        """
        UPDATE backup_codes SET used_at = :now
        WHERE account_id = :id AND code_hash = :code_hash AND used_at IS NULL
        """,
        id=account_id, code_hash=code_hash, now=now,
    ) == 1  # fmt: skip


def has_code(account_id: str, code_hash: str, *, used: bool) -> bool:
    """Whether the current set has this code, and it was used, or was not."""
    return db.one(
        dict,
        """
        SELECT used_at FROM backup_codes
        WHERE account_id = :id AND code_hash = :code_hash AND (used_at IS NOT NULL) = :used
        """,
        id=account_id, code_hash=code_hash, used=used,
    ) is not None  # fmt: skip


def codes_left(account_id: str) -> int:
    (found,) = db.many(
        _Count,
        "SELECT count(*) AS number FROM backup_codes WHERE account_id = :id AND used_at IS NULL",
        id=account_id,
    )
    return found.number
