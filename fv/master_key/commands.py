"""`fv master-key rotate`: for after a leak of the key, or because a year is over."""

import sys

import click
from flask import current_app
from flask.cli import AppGroup

from fv import clock, serving, words
from fv.master_key import flows
from fv.master_key.flows import Plan, Refused

master_key = AppGroup("master-key", help="The key that everything is sealed with.")


@master_key.command()
@click.option("--yes", is_flag=True, help="For scripts: do not ask.")
def rotate(yes: bool) -> None:
    """Add a new key to the key file and seal everything anew under it, with the service stopped.

    Older keys stay in the file. A rotation that was interrupted goes on with the key it added.
    """
    with serving.alone(f"fv master-key rotate is at work in {current_app.instance_path}. Wait until it has ended."):
        plan = flows.plan()
        if isinstance(plan, Refused):
            raise click.ClickException(plan.sentence)
        click.echo(_said(plan), err=True)
        if not yes:
            click.confirm("Go on?", abort=True, err=True)
        if refused := flows.begin(plan):
            raise click.ClickException(refused.sentence)
        number = sum(number for _, number in plan.numbers)
        with click.progressbar(
            length=number, label="Sealed anew", file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as bar:
            for done in flows.renew(clock.now()):
                bar.update(done)
        ended = flows.end(clock.now())
    if not ended.is_log_empty:
        click.echo(_READ_MEANWHILE, err=True)
    if ended.left:
        raise click.ClickException(
            f"The new key seals, but {words.count(ended.left, 'thing')} could not be opened with any key and stayed "
            "as they were: damaged, put there from elsewhere, or written by a program that runs with the older keys."
        )
    click.echo("Everything is sealed under the new key. Start the service again.")
    click.echo(_advice(), err=True)


def _said(plan: Plan) -> str:
    first = (
        "A rotation was not finished: no other key is added, and what is left is sealed anew under the newest one."
        if plan.goes_on
        else f"A new key is added at the end of {flows.place()}, and everything is sealed anew under it."
    )
    return "\n".join([first, *(f"{number:>9,}  {what}" for what, number in plan.numbers), _OLDER])


_OLDER = (
    "Older keys stay in the file: the seals of the audit trail are theirs, and copies of the database that were made "
    "before need them.\nEverybody signs in once more; API keys, links and sessions go on."
)
_READ_MEANWHILE = (
    "Something else reads the database, so what was replaced stands in its write-ahead log until the service starts."
)


def _advice() -> str:
    file = flows.place()
    where = f"Keep a copy of {file} apart from" if file else "Keep the keys apart from"
    return f"{where} the copies of the database: those made from now on need the new key."
