"""`fv audit`: is the trail whole, and a copy of it to keep elsewhere."""

import json
from dataclasses import asdict
from itertools import islice

import click
from flask.cli import AppGroup

from fv import words
from fv.audit import flows, store

MOST = 50  # faults that are printed

audit = AppGroup("audit", help="The audit trail: every security event, in a chain of sealed rows.")


@audit.command()
@click.option("--after", default=0, show_default=True, metavar="ROW", help="Look only at the rows after this one.")
def verify(after: int) -> None:
    """Name every row that was edited, removed, moved or cut off at the end; fail when there is one."""
    last = flows.last_number()
    if after and after > last:
        raise click.ClickException(f"There is no row {after}; the last one is {last}.")
    faults = list(islice(flows.verify(after), MOST + 1))
    for fault in faults[:MOST]:
        click.echo(str(fault))
    if faults:
        more = " The first ones are above." if len(faults) > MOST else ""
        raise click.ClickException(
            f"The audit trail is not whole.{more} Somebody changed it without the key, or the database was restored "
            "from a backup. Compare it with your last export."
        )
    known = f" Rows 1 to {after} were not looked at." if after else ""
    click.echo(f"The audit trail is whole: {words.count(last - after, 'row')}, the last one is number {last}.{known}")


@audit.command()
def export() -> None:
    """Print every row as a line of JSON, with its hash and seal."""
    for row in store.all_rows():
        click.echo(json.dumps(asdict(row)))
