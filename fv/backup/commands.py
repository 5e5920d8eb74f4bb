"""`fv backup`: one encrypted file, and back from it."""

import os
import sys
from pathlib import Path
from typing import BinaryIO

import click
from flask import current_app
from flask.cli import AppGroup

from fv import db, serving, words
from fv.accounts import store as accounts
from fv.backup import flows
from fv.backup.envelope import Unreadable

backup = AppGroup("backup", help="One encrypted file of everything, and the way back.")
passphrase_file = click.option(
    "--passphrase-file", type=click.File("r"), metavar="FILE", help="Its first line is the passphrase: for scripts."
)


@backup.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@passphrase_file
def create(file: Path, passphrase_file: BinaryIO | None) -> None:
    """Write database, keys, photos and models into FILE, encrypted; the service may run meanwhile."""
    if file.exists():
        raise click.ClickException(f"{file} is there already. Name another one.")
    passphrase = _passphrase(passphrase_file, is_new=True)
    draft = file.with_name(f"{file.name}.part")
    taken = 0
    try:
        opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(
            f"{draft} is there: another backup is being written, or one was broken off. Then delete it."
        ) from None
    except OSError as error:
        raise click.ClickException(f"{draft} cannot be written: {error.strerror}.") from None
    try:
        with open(opened, "wb") as target:
            for size in flows.create(target, passphrase):
                taken += size
                if sys.stderr.isatty():  # pragma: no cover (tests have no terminal)
                    click.echo(f"\r{words.size(taken)} taken up", nl=False, err=True)
            os.fsync(target.fileno())
        os.link(draft, file)  # fails where a file came in between
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"{file}: {words.size(file.stat().st_size)}. Without the passphrase nobody opens it, you neither.")


@backup.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@passphrase_file
@click.option("--yes", is_flag=True, help="For scripts: do not ask.")
def restore(file: Path, passphrase_file: BinaryIO | None, yes: bool) -> None:
    """Put everything in FILE in place of what there is, with the service stopped."""
    with serving.alone(f"fv backup restore is at work in {current_app.instance_path}. Wait until it has ended."):
        existing = accounts.every()
        if existing and not yes:
            emails = ", ".join(account.email for account in existing[:3])
            said = f"{words.count(len(existing), 'account')} ({emails}) and all that is theirs are replaced. Go on?"
            click.confirm(said, abort=True, err=True)
        if not db.is_alone():
            raise click.ClickException("Something else has the database open. Stop it first.")
        try:
            with file.open("rb") as source:
                found = flows.unpack(source, _passphrase(passphrase_file, is_new=False))
        except Unreadable as error:
            raise click.ClickException(f"{file} was not restored: {error}. Nothing was changed.") from None
        if flows.has_other_keys():
            flows.drop_unpacked()
            raise click.ClickException("FV_SECRET_KEY is not the key of this backup. Unset it, or set that one.")
        if not db.is_alone():  # unpacking takes minutes
            flows.drop_unpacked()
            raise click.ClickException("Something else has opened the database meanwhile. Stop it first.")
        try:
            flows.put_in_place()
        except OSError as error:
            flows.drop_unpacked()
            raise click.ClickException(
                f"{file} was not restored: {error.filename2 or error.filename} cannot be written ({error.strerror})."
            ) from None
    click.echo(f"Restored: {words.count(found.photos, 'photo')}, {words.count(found.models, 'model')}. Run: fv doctor")
    click.echo("Who was erased after this backup is here again: erase them again (fv erase --verify FILE).", err=True)


def _passphrase(file: BinaryIO | None, *, is_new: bool) -> str:
    if file is not None:
        typed = str(file.readline()).rstrip("\r\n")
    else:
        typed = click.prompt("Passphrase", hide_input=True, confirmation_prompt=is_new, err=True)
    if is_new and len(typed) < flows.SHORTEST:
        raise click.ClickException(f"The passphrase needs {flows.SHORTEST} characters or more.")
    return str(typed)
