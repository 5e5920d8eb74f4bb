"""`fv demo`: something to look at before there is anything real."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from fv import clock
from fv.accounts import store as account_store
from fv.demo import flows
from fv.mfa import totp
from fv.support import flows as support
from fv.support.flows import Refused

MOST = 1_000_000  # sessions


@click.command()
@click.option("--email", default="demo@example.org", show_default=True, help="Of the account that is made.")
@click.option("--sessions", default=40, show_default=True, type=click.IntRange(1, MOST), help="How many there are.")
@click.option("--photos", default=12, show_default=True, type=click.IntRange(0, MOST), help="How many have photos.")
@click.option("--yes", is_flag=True, help="For scripts: do not ask, also beside other accounts.")
@with_appcontext
def demo(email: str, sessions: int, photos: int, yes: bool) -> None:
    """Make an account with made-up sessions to look at, and print its password and the key of its second factor."""
    if support.find(email):
        raise click.ClickException(Refused.TAKEN.value)
    is_first = not account_store.any_exists()
    if not (is_first or yes):
        click.confirm("There are accounts here. Put one with made-up sessions beside them?", abort=True, err=True)
    made = flows.make_account(email, clock.now())
    if isinstance(made, Refused):
        raise click.ClickException(made.value)
    click.echo(f"Email     {made.email}")
    click.echo(f"Password  {made.password}")
    click.echo(f"Key       {totp.in_groups(made.secret)}")
    click.echo(f"Address   {made.uri}")
    click.echo(_advice(is_first), err=True)
    with click.progressbar(length=sessions, label="Sessions", file=sys.stderr) as bar:
        for number in flows.fill(made.account_id, sessions, photos, clock.now()):
            bar.update(number)


def _advice(is_first: bool) -> str:
    lines = [
        "Shown once. Type the key into an authenticator app, or open the address with one; then sign in.",
        "This account is for looking around: whoever read this can sign in to it. Keep no real person's data in it.",
        "Its backup codes were shown to nobody; `fv support new-codes` lets it make ten new ones.",
    ]
    if is_first and current_app.config["REGISTRATION"] == "first":
        lines.append("It is the first account, so nobody can sign up any more; `fv accounts create` makes others.")
    return "\n".join(lines)
