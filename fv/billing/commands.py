"""`fv invoices`: made once a month, marked as paid, listed."""

import click
from flask.cli import AppGroup

from fv import clock, words
from fv.billing import invoicing, quota, store
from fv.billing.invoicing import NotPaid
from fv.billing.store import Invoice
from fv.usage import periods
from fv.usage.periods import Period

invoices = AppGroup("invoices", help="What accounts owe for a month.")


def _month(_context: click.Context, _option: click.Parameter, typed: str) -> Period:
    found = periods.month(typed)
    if found is None:
        raise click.BadParameter("needs a month such as 2026-11.")
    return found


@invoices.command()
@click.option("--month", required=True, callback=_month, metavar="YYYY-MM", help="The month that is billed, in UTC.")
def make(month: Period) -> None:
    """Make the invoice of every account that has something to pay; while the month is not over, drafts.

    Run again it makes nothing twice, also after it was broken off.
    """
    if month.first > quota.month_at(clock.now()).first:
        raise click.ClickException(f"{periods.words(month.name)} has not begun.")
    number = {"open": 0, "draft": 0}
    for invoice in invoicing.make(month):
        number[invoice.status] += 1
        click.echo(_line(invoice))
    said = [words.count(number[status], what) for status, what in (("open", "invoice"), ("draft", "draft"))]
    if number["draft"]:
        click.echo(f"{said[1]} made: the month is not over. Run this again when it is.", err=True)
    elif number["open"]:
        click.echo(f"{said[0]} made for {periods.words(month.name)}.", err=True)
    else:
        click.echo("Nothing was made: every account has its invoice, or nothing to pay.", err=True)


@invoices.command()
@click.argument("invoice", metavar="ID")
def paid(invoice: str) -> None:
    """Mark the open invoice of this id or number as paid."""
    found = invoicing.pay(invoice, clock.now())
    if isinstance(found, NotPaid):
        raise click.ClickException(found.value)
    click.echo(f"{found.number} of {found.email} is paid: {words.money(found.total, found.currency)}.")


@invoices.command("list")
def list_invoices() -> None:
    """Every invoice, the newest month first: number, status, month, total, email, id."""
    found = store.every()
    for invoice in found:
        click.echo(_line(invoice))
    if not found:
        click.echo("There is no invoice yet.", err=True)


def _line(invoice: Invoice) -> str:
    """With tabs between its fields."""
    total = f"{invoice.total // 100}.{invoice.total % 100:02} {invoice.currency}"
    return "\t".join((invoice.number or "-", invoice.status, invoice.month, total, invoice.email, invoice.id))
