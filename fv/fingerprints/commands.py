"""`fv fingerprints`: what is done with all templates of an account, in a terminal and while the service runs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup

from fv import clock
from fv.accounts import email as emails
from fv.accounts import store as account_store
from fv.accounts.store import Account
from fv.fingerprints import flows, rekeying, store
from fv.fingerprints.rekeying import Progress

fingerprints = AppGroup("fingerprints", help="The templates of faces of an account, all at once.")
email = click.argument("email")


@fingerprints.command()
@email
@click.option("--yes", is_flag=True, help="For scripts: do not ask.")
def rekey(email: str, yes: bool) -> None:
    """Turn every template by a new secret and destroy the old one, as after a leak. The service goes on meanwhile.

    A move that was broken off is finished, and no other secret made.
    """
    account = account_of(email)
    click.echo(_plan(account), err=True)
    if not yes:
        click.confirm("Go on?", abort=True, err=True)
    with progress_bar("Templates") as tell:
        done = rekeying.rekey_account(account.id, clock.now(), tell)
    if done is None:
        raise click.ClickException("This account has no templates, so there is nothing to turn.")
    click.echo(f"{done.templates:,} templates are turned by the newest secret; the one before is destroyed.")
    if done.went_on:
        click.echo("That finished what was begun before. For another secret, run it again.", err=True)
    if not done.is_log_empty:
        click.echo("Somebody was reading: the old secret, sealed, stands in facevault.db-wal until the next erasure.",
                   err=True)  # fmt: skip
    click.echo("Copies of the database from before, backups and facevault.db.step-N, still have it.", err=True)


def account_of(email: str) -> Account:
    typed = emails.normalised(email)
    found = account_store.by_email(typed) if typed else None
    if found is None:
        raise click.ClickException("There is no account with this email. `fv accounts list` shows them.")
    return found


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """On a terminal only. What it gives is told how many are done, and of how many."""
    with click.progressbar(length=0, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def tell(done: int, all: int) -> None:
            bar.length = all
            bar.update(done - bar.pos)

        yield tell


def _plan(account: Account) -> str:
    number = sum(gallery.size for gallery in store.galleries(account.id))
    if len(flows.generations(account.id)) > 1:
        return f"A move to a new secret was broken off. What is left of {number:,} templates of {account.email} moves."
    return f"{number:,} templates of {account.email} are turned by a new secret, and the old one is destroyed."
