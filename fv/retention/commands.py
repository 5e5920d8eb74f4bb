"""`fv retention` and `fv erase`: what is over goes, and what a person asked to be gone; receipts are printed."""

import json
from collections.abc import Iterator
from typing import IO

import click
from flask.cli import AppGroup, with_appcontext

from fv import clock, words
from fv.accounts import store as accounts
from fv.accounts.store import Account
from fv.retention import confirming, flows, store
from fv.retention.flows import Refused
from fv.retention.store import Erasure
from fv.terms import store as terms
from fv.verifications import listing
from fv.verifications.listing import Filter
from fv.verifications.store import Verification

retention = AppGroup("retention", help="What is kept of people, and for how long.")


@retention.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def run(dry_run: bool) -> None:
    """Erase what is past its term now, as the service does by itself, and print the receipts."""
    now = clock.now()
    if dry_run:
        for term in terms.due(now, 2**31):
            account = accounts.existing(term.account_id)
            classes = ", ".join(flows.due_classes(term, now))
            click.echo(f"{term.session_id}  {account.email}  {classes}, over since {words.moment(term.next_at or now)}")
        click.echo(f"{words.count(terms.number_due(now), 'session')} would be erased. Nothing was changed.", err=True)
        return
    begun: list[Erasure] = []
    while some := flows.erase_due(now):
        begun += some
    _tell(begun)


@click.command()
@click.option("--session", "session_id", metavar="ID", help="All that shows the person of this session.")
@click.option("--external-user-id", "--external-user", metavar="ID",
              help="The same of every session that goes by this id, and of fingerprints of no session.")  # fmt: skip
@click.option("--account", "email", metavar="EMAIL", help="With --external-user-id: of this account.")
@click.option("--reason", default="asked for", show_default=True, help="Stands in the receipt. Name nobody in it.")
@click.option("--yes", is_flag=True, help="For scripts: do not ask.")
@click.option("--verify", "file", type=click.File("rb"), metavar="FILE", help="Are these receipts ours, and unchanged?")
@with_appcontext
def erase(
    session_id: str | None, external_user_id: str | None, email: str | None, reason: str, yes: bool,
    file: IO[bytes] | None,
) -> None:  # fmt: skip
    """Erase what shows a person, and print the receipts; or verify such receipts."""
    if sum(one is not None for one in (session_id, external_user_id, file)) != 1:
        raise click.UsageError("Give one of --session, --external-user-id and --verify.")
    if file is not None:
        _verify(file)
        return
    if flows.reason_of(reason) is None:
        raise click.UsageError(f"--reason has 1 to {flows.LONGEST_REASON} printable characters.")
    found = [*_of_session(session_id)] if session_id else []
    account = _account(email, external_user_id) if external_user_id else None
    if account and external_user_id:
        found = [*_of_person(account, external_user_id)]
    click.echo(f"{words.count(len(found), 'session')}: photos, what was read, templates go for good.", err=True)
    if not yes:
        click.confirm("Erase it?", abort=True, err=True)
    begun, held = [], 0
    for session in found:
        erased = flows.erase_for(session, "operator", reason, clock.now())
        if isinstance(erased, Erasure):
            begun.append(erased)
        held += erased is Refused.HELD
    if account and external_user_id:
        rest = flows.erase_templates(account.id, external_user_id, reason, clock.now())
        begun += [rest] if rest else []
    _tell(begun)
    if held:
        raise click.ClickException(f"{words.count(held, 'session')} stayed: a legal hold keeps them.")
    if not begun:
        raise click.ClickException("Nothing is kept of anybody who goes by this id.")


def _tell(begun: list[Erasure]) -> None:
    """One receipt a line. What is in the way of one is said; the service goes on with it."""
    while confirming.confirm(clock.now()):
        pass
    receipts = [confirming.as_json(store.by_id(one.id) or one) for one in begun]
    for receipt in receipts:
        click.echo(json.dumps(receipt, ensure_ascii=False))
    blocked = sorted({str(receipt["because"]) for receipt in receipts if receipt["status"] != "erased"})
    done = sum(receipt["status"] == "erased" for receipt in receipts)
    click.echo(f"{words.count(done, 'erasure')} done and looked for.", err=True)
    for because in blocked:
        click.echo(confirming.BECAUSE.get(because, "It was not looked for yet."), err=True)


def _of_session(id: str) -> Iterator[Verification]:
    found = [one for account in accounts.every() if (one := flows.find(account.id, id, None, clock.now()))]
    if not found:
        raise click.ClickException("There is no session of this id.")
    yield from found


def _account(email: str | None, external_user_id: str) -> Account:
    """The one that is named, or the only one that knows this id."""
    if email is not None:
        if account := accounts.by_email(email.strip().lower()):
            return account
        raise click.ClickException("There is no account with this email.")
    knowing = [one for one in accounts.every() if flows.knows(one.id, external_user_id, clock.now())]
    if not knowing:
        raise click.ClickException("Nobody goes by this id.")
    if len(knowing) > 1:
        emails = ", ".join(one.email for one in knowing)
        raise click.ClickException(f"Several accounts know somebody of this id: {emails}. Choose one with --account.")
    return knowing[0]


def _of_person(account: Account, external_user_id: str) -> Iterator[Verification]:
    """Those that are not erased yet, in both modes."""
    before, before_id = 2**62, ""
    while some := listing.page(account.id, Filter(None, None, external_user_id), before, before_id, 100, clock.now()):
        yield from (session for session in some if session.erased_at is None)
        before, before_id = some[-1].created_at, some[-1].id


def _verify(file: IO[bytes]) -> None:
    """Every receipt of the file; fails at the first that is not ours, was changed, or is not true any more."""
    try:
        receipts = [json.loads(line) for line in _objects(file.read().decode())]
    except ValueError:
        receipts = []
    if not receipts or not all(isinstance(one, dict) for one in receipts):
        raise click.ClickException("This is no receipt: JSON was expected.")
    for receipt in receipts:
        if not confirming.verified(receipt):
            raise click.ClickException(
                f"{str(receipt.get('id', 'a receipt'))[:40]}: not signed by this service, or changed since."
            )
        session_id, classes = str(receipt["session_id"]), [str(name) for name in receipt["classes"]]
        back = [name for one in accounts.every() for name in flows.came_back(one.id, session_id, classes)]
        if back:
            raise click.ClickException(f"{receipt['id']}: signed, but there is again: {', '.join(back)}.")
        click.echo(
            f"{receipt['id']}: signed by this service and unchanged. {receipt['session_id'] or 'Fingerprints'} erased "
            f"{receipt['erased_at']}, and nothing of it is here today."
        )


def _objects(text: str) -> list[str]:
    """One JSON object over the whole file, or one a line."""
    try:
        json.loads(text)
    except ValueError:
        return [line for line in text.splitlines() if line.strip()]
    return [text]
