"""`fv fingerprints import` and `discard`: templates that were made elsewhere, from a file."""

from pathlib import Path

import click

from fv import clock, words
from fv.fingerprints import flows as fingerprints
from fv.fingerprints import rekeying
from fv.fingerprints.commands import account_of, email, progress_bar
from fv.fingerprints.commands import fingerprints as group
from fv.imports import flows, store
from fv.imports.flows import Checked, Discarded, Target
from fv.imports.reading import Refused, Source
from fv.imports.store import Import

__all__ = ["discard", "group", "import_file"]

path = click.Path(path_type=Path, dir_okay=False)


@group.command("import")
@click.argument("file", type=path)
@click.option("--account", required=True, metavar="EMAIL", help="Whose they become.")
@click.option("--model", required=True, help="What made them: a name from `fv models list`, or one of your own.")
@click.option("--ids", type=path, help="For a .npy file: the external_user_id of each row, one a line.")
@click.option("--mode", type=click.Choice(["live", "test"]), default="live", show_default=True)
@click.option("--skip-bad", is_flag=True, help="Import the other rows when some cannot be.")
@click.option("--resume", is_flag=True, help="Only go on with an import of this file that was broken off.")
@click.option("--again", is_flag=True, help="Import a file that was imported before a second time.")
def import_file(
    file: Path, account: str, model: str, ids: Path | None, mode: str, skip_bad: bool, resume: bool, again: bool
) -> None:
    """Import templates: a .npy array of n x 128, or a JSON object a line. All of them are found, or none.

    Run again after it was broken off, it goes on where it was.
    """
    if not fingerprints.is_name(model):
        raise click.ClickException("The name of a model has 1 to 64 of a-z, 0-9, dot, underscore and dash.")
    source, now = Source(file, ids), clock.now()
    target = Target(account_of(account).id, mode, fingerprints.space_of(model))
    try:
        with progress_bar("Checked") as tell:
            checked = flows.check(source, target, now, tell)
        _insist(checked, skip_bad)
        before = flows.known(target, checked)
        if resume and (before is None or before.opened_at is not None):
            raise click.ClickException("No import of this file was broken off.")
        begun = flows.begin(target, checked, again, now)
        if begun.opened_at is not None:
            _settle(target)  # which may have been broken off
            click.echo(f"This file was imported {words.moment(begun.opened_at)}; --again imports it a second time.")
            return
        _tell_others(begun)
        with progress_bar("Written") as tell:
            flows.take(source, target, begun, now, tell)
    except Refused as error:
        raise click.ClickException(str(error)) from None
    except Discarded:
        raise click.ClickException("This import was taken back by `fv fingerprints discard`.") from None
    _settle(target)
    click.echo(f"{words.count(checked.good, 'template')} imported.")


@group.command()
@email
@click.option("--yes", is_flag=True, help="For scripts: do not ask.")
def discard(email: str, yes: bool) -> None:
    """Take back what imports that were broken off have written. Nobody found anything of it."""
    account = account_of(email)
    begun = store.closed(account.id)
    if not begun:
        raise click.ClickException("No import of this account was broken off.")
    for one in begun:
        click.echo(_said(one), err=True)
    if not yes:
        click.confirm("Take back what is there?", abort=True, err=True)
    taken = sum(flows.discard(account.id, one, clock.now()) for one in begun)
    if taken < len(begun):
        click.echo(f"{words.count(len(begun) - taken, 'import')} came to an end first, and stays.", err=True)
    click.echo(f"{words.count(taken, 'import')} taken back.")


def _insist(checked: Checked, skip_bad: bool) -> None:
    """Says which rows are bad; goes on when there are none, or others are wanted."""
    for bad in checked.examples:
        click.echo(f"Row {bad.number}: {bad.reason}.", err=True)
    if more := checked.bad - len(checked.examples):
        click.echo(f"And {words.count(more, 'more row')}." if more == 1 else f"And {more:,} more rows.", err=True)
    if not checked.good:
        raise click.ClickException("There is no row that can be imported.")
    if checked.bad and not skip_bad:
        raise click.ClickException(
            f"Nothing was imported: {checked.bad:,} of {checked.good + checked.bad:,} rows cannot be. "
            "--skip-bad imports the others."
        )


def _settle(target: Target) -> None:
    with progress_bar("Joined with the others") as tell:
        rekeying.settle(target.account_id, clock.now(), tell)


def _tell_others(begun: Import) -> None:
    if begun.done:
        click.echo(f"Going on. {_said(begun)}", err=True)
    for other in store.closed(begun.account_id):
        if other.id != begun.id:
            click.echo(f"{_said(other)} Import that file again to go on, or see `fv fingerprints discard`.", err=True)


def _said(begun: Import) -> str:
    if begun.done < 0:
        return f"An import that began {words.moment(begun.begun_at)} is being taken back."
    return f"An import that began {words.moment(begun.begun_at)} has {begun.done:,} of {begun.total:,} templates."
