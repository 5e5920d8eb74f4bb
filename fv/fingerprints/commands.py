"""`fv fingerprints`: what is done with all templates of an account, in a terminal and while the service runs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click
from flask.cli import AppGroup

from fv import clock, words
from fv.accounts import email as emails
from fv.accounts import store as account_store
from fv.accounts.store import Account
from fv.fingerprints import flows, pairs, rekeying, store
from fv.fingerprints.pairs import Pair
from fv.fingerprints.rekeying import Progress
from fv.models import flows as models

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


@fingerprints.command()
@email
@click.option("--model", required=True, help="Whose templates: a name from `fv models list`, or one of your own.")
@click.option(
    "--at-least", type=click.FloatRange(-1, 1), help="The cosine; unless given, where a match of the model is."
)
@click.option("--mode", type=click.Choice(["live", "test"]), default="live", show_default=True)
@click.option("--same-person", is_flag=True, help="Also pairs with one external_user_id.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A new file, readable by you only.")
def dedupe(email: str, model: str, at_least: float | None, mode: str, same_person: bool, output: Path | None) -> None:
    """Print who is there twice: pairs of alike faces, the best first, each a line of five fields with tabs between.

    The fields: similarity, id, external_user_id, and both of the other one. Nothing is left out.
    """
    account, space = account_of(email), flows.space_of(model)
    known = models.known(model)
    if at_least is None and known is None:
        raise click.ClickException(
            "Say with --at-least from which cosine on it is one person: the model is none of ours."
        )
    least = at_least if at_least is not None else known.match if known else 1.0
    stored = {one.space for one in store.galleries(account.id, mode) if one.size}
    if space not in stored:
        names = ", ".join(sorted({one.model for one in stored})) or "none"
        raise click.ClickException(
            f"There are no templates of this model in {mode} mode. Stored are those of: {names}."
        )
    with _written(output) as file:
        with progress_bar("Compared") as tell:
            alike = pairs.compare(account.id, mode, space, least, same_person, clock.now(), tell)
        for pair in alike.pairs:
            click.echo(_line(pair), file=file)
    click.echo(
        f"{alike.compared:,} templates compared, {words.count(alike.number, 'pair')} from {least:g} on.", err=True
    )
    if alike.is_cut:
        click.echo("There are more, which are less alike; a higher --at-least leaves fewer.", err=True)


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


@contextmanager
def _written(path: Path | None) -> Iterator[TextIO]:
    """A file that nobody else can read, and that was not there; else standard output."""
    if path is None:
        yield sys.stdout
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None
    try:
        with open(handle, "w", encoding="utf-8") as file:
            yield file
    except BaseException:
        path.unlink()  # half of an answer looks like one
        raise


def _line(pair: Pair) -> str:
    fields = (pair.id, pair.external_user_id, pair.other_id, pair.other_external_user_id)
    return "\t".join([f"{pair.similarity:.4f}", *map(_printable, fields)])


def _printable(text: str) -> str:
    """A name is text of whoever calls the API: it may be no tab, and nothing that moves a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _plan(account: Account) -> str:
    number = sum(gallery.size for gallery in store.galleries(account.id))
    if len(flows.generations(account.id)) > 1:
        return f"A move to a new secret was broken off. What is left of {number:,} templates of {account.email} moves."
    return f"{number:,} templates of {account.email} are turned by a new secret, and the old one is destroyed."
