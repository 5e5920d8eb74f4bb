"""Who has which plan, and invoices, as the database knows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from fv import db
from fv.billing.plans import Line


@dataclass(frozen=True)
class Chosen:
    """A plan, and the month (`2026-11`) from which an account has it on."""

    month: str
    plan: str


@dataclass(frozen=True)
class Invoice:
    """`number`, `opened_at` None: a draft. Money is cents."""

    id: str
    account_id: str
    month: str
    email: str
    issuer: str
    plan_name: str
    included: int
    sessions: int
    currency: str
    total: int
    created_at: int
    number: str | None = None
    opened_at: int | None = None
    paid_at: int | None = None

    @property
    def status(self) -> str:
        return "draft" if self.opened_at is None else "open" if self.paid_at is None else "paid"


@dataclass(frozen=True)
class _Number:
    last: int


@dataclass(frozen=True)
class _Name:
    plan: str


# ── Plans ────────────────────────────────────────────────────────────────────────────────────────────────────


def chosen(account_id: str, month: str) -> str | None:
    """The plan it chose for this month or, the last time, before; None: it never did."""
    found = db.one(
        _Name,
        """
        SELECT plan FROM account_plans WHERE account_id = :account_id AND month <= :month ORDER BY month DESC LIMIT 1
        """,
        account_id=account_id, month=month,
    )  # fmt: skip
    return found.plan if found else None


def chosen_after(account_id: str, month: str) -> Chosen | None:
    """What it chose for a later month."""
    return db.one(
        Chosen,
        """
        SELECT month, plan FROM account_plans WHERE account_id = :account_id AND month > :month ORDER BY month LIMIT 1
        """,
        account_id=account_id, month=month,
    )  # fmt: skip


def choose(account_id: str, month: str, plan: str, now: int) -> None:
    """From this month on, whatever was chosen for it or for later ones."""
    forget_after(account_id, month)
    db.run(
        """
        INSERT INTO account_plans (account_id, month, plan, chosen_at) VALUES (:account_id, :month, :plan, :now)
        ON CONFLICT (account_id, month) DO UPDATE SET plan = :plan, chosen_at = :now
        """,
        account_id=account_id, month=month, plan=plan, now=now,
    )  # fmt: skip


def forget_after(account_id: str, month: str) -> None:
    db.run("DELETE FROM account_plans WHERE account_id = :account_id AND month > :month",
           account_id=account_id, month=month)  # fmt: skip


def named() -> set[str]:
    """Every plan that some account chose for some month."""
    return {row.plan for row in db.many(_Name, "SELECT DISTINCT plan FROM account_plans")}


# ── Invoices ─────────────────────────────────────────────────────────────────────────────────────────────────


def of_month(account_id: str, month: str) -> Invoice | None:
    return db.one(
        Invoice,
        "SELECT * FROM invoices WHERE account_id = :account_id AND month = :month",
        account_id=account_id, month=month,
    )  # fmt: skip


def find(account_id: str, id: str) -> Invoice | None:
    return db.one(
        Invoice, "SELECT * FROM invoices WHERE id = :id AND account_id = :account_id", id=id, account_id=account_id
    )


def called(name: str) -> Invoice | None:
    """Of this id or number, of any account."""
    return db.one(Invoice, "SELECT * FROM invoices WHERE id = :name OR number = :name", name=name)


def page(account_id: str, before: int, before_id: str, most: int) -> list[Invoice]:
    """Newest first, older than (before, before_id)."""
    return db.many(
        Invoice,
        """
        SELECT * FROM invoices WHERE account_id = :account_id AND (created_at, id) < (:before, :before_id)
        ORDER BY created_at DESC, id DESC LIMIT :most
        """,
        account_id=account_id, before=before, before_id=before_id, most=most,
    )  # fmt: skip


def every() -> list[Invoice]:
    """The newest month first; in it by number, drafts last."""
    return db.many(Invoice, "SELECT * FROM invoices ORDER BY month DESC, number IS NULL, number, email")


def lines(invoice_id: str) -> list[Line]:
    return db.many(
        Line,
        "SELECT what, quantity, each FROM invoice_lines WHERE invoice_id = :invoice_id ORDER BY place",
        invoice_id=invoice_id,
    )


def draft(new: Invoice, billed: Sequence[Line]) -> None:
    """Instead of the draft that this account may have of this month. One that is open is never replaced."""
    drop_draft(new.account_id, new.month)
    db.run(
        """
        INSERT INTO invoices (id, account_id, month, email, issuer, plan_name, included, sessions, currency, total,
            created_at)
        VALUES (:id, :account_id, :month, :email, :issuer, :plan_name, :included, :sessions, :currency, :total,
            :created_at)
        """,
        id=new.id, account_id=new.account_id, month=new.month, email=new.email, issuer=new.issuer,
        plan_name=new.plan_name, included=new.included, sessions=new.sessions, currency=new.currency, total=new.total,
        created_at=new.created_at,
    )  # fmt: skip
    for place, line in enumerate(billed, 1):
        db.run(
            """
            INSERT INTO invoice_lines (invoice_id, place, what, quantity, each)
            VALUES (:invoice_id, :place, :what, :quantity, :each)
            """,
            invoice_id=new.id, place=place, what=line.what, quantity=line.quantity, each=line.each,
        )  # fmt: skip


def drop_draft(account_id: str, month: str) -> bool:
    """Its lines go with it. False when there was none."""
    return db.run(
        "DELETE FROM invoices WHERE account_id = :account_id AND month = :month AND number IS NULL",
        account_id=account_id, month=month,
    ) == 1  # fmt: skip


def take_number(year: int) -> int:
    """1, 2, 3, … of this year. Inside the transaction of the invoice that gets it: so there is never a gap."""
    db.run("INSERT INTO invoice_numbers (year, last) VALUES (:year, 0) ON CONFLICT (year) DO NOTHING", year=year)
    db.run("UPDATE invoice_numbers SET last = last + 1 WHERE year = :year", year=year)
    (taken,) = db.many(_Number, "SELECT last FROM invoice_numbers WHERE year = :year", year=year)
    return taken.last


def open_draft(id: str, number: str, now: int) -> bool:
    """False when it was opened before, or is not there."""
    return db.run(
        "UPDATE invoices SET number = :number, opened_at = :now WHERE id = :id AND number IS NULL",
        id=id, number=number, now=now,
    ) == 1  # fmt: skip


def pay(id: str, now: int) -> bool:
    """False when it is a draft, or was paid before."""
    return db.run(
        "UPDATE invoices SET paid_at = :now WHERE id = :id AND number IS NOT NULL AND paid_at IS NULL", id=id, now=now
    ) == 1  # fmt: skip
