"""`fv support` and `fv accounts`: what is done for people in a terminal, one clear sentence each."""

from typing import TypeVar

import click
from flask import current_app
from flask.cli import AppGroup

from fv import address, clock, words
from fv.accounts import store as account_store
from fv.accounts.store import Account
from fv.audit import events
from fv.mfa import backup_codes
from fv.mfa import store as mfa_store
from fv.support import flows
from fv.support.flows import Refused, Shown

T = TypeVar("T")


def _reference(_context: click.Context, _option: click.Parameter, typed: str) -> str:
    """A few words, which will stand in the audit trail."""
    text = " ".join(typed.split())
    if not 1 <= len(text) <= 200 or not text.isprintable():
        raise click.BadParameter("needs 1 to 200 printable characters.")
    return text


email = click.argument("email")
ticket = click.option(
    "--ticket", required=True, callback=_reference, metavar="REF", help="Where the request is written down."
)

support = AppGroup("support", help="Help somebody who cannot get in.")
accounts = AppGroup("accounts", help="Make accounts and links to a password.")


@support.command()
@email
def show(email: str) -> None:
    """Standing, codes left, pauses, last events; never a secret."""
    for line in _lines(flows.show(_account(email), clock.now()), clock.now()):
        click.echo(line)


@support.command("re-enrol")
@email
@ticket
@click.option("--verified", required=True, callback=_reference, metavar="HOW", help="How you made sure who it is.")
@click.option("--yes", is_flag=True, help="For scripts: do not ask for the email a second time.")
def re_enrol(email: str, ticket: str, verified: str, yes: bool) -> None:
    """Reset the second factor of a verified person, who sets up a new one with the code that is printed."""
    account = _account(email)
    _done(flows.can_re_enrol(account))
    click.echo(_consequence(account), err=True)
    if not yes and not _is(account, click.prompt("Type the email again to go on", err=True)):
        raise click.ClickException("That is another email. Nothing was changed.")
    code = _done(flows.re_enrol(account, ticket, verified, clock.now()))
    click.echo(f"Re-enrolment code: {code}")
    click.echo(f"Give it to the person you verified, and to nobody else. {_once()}", err=True)


@support.command("new-codes")
@email
@ticket
def new_codes(email: str, ticket: str) -> None:
    """Let the account issue itself ten new backup codes, with a code of its authenticator."""
    _done(flows.allow_new_codes(_account(email), ticket, clock.now()))
    click.echo(f"The account can now make ten new backup codes on its account page, for {_window()}.")


@support.command()
@email
@ticket
def unlock(email: str, ticket: str) -> None:
    """Lift the pause after too many wrong codes or passwords."""
    if flows.unlock(_account(email), ticket, clock.now()):
        click.echo("The counted failures are forgotten. A login that was waiting for a code has to begin again.")
    else:
        click.echo("Nothing was counted against this account, so there was nothing to lift.")


@accounts.command()
@email
def create(email: str) -> None:
    """Make an account and print the one-time link at which its password is set."""
    _print_link(_done(flows.create_account(email, clock.now())))


@accounts.command("list")
def list_accounts() -> None:
    """Every account, and whether its second factor is confirmed."""
    found = account_store.every()
    for account in found:
        click.echo(f"{account.email}  since {words.day(account.created_at)}  {_in_short(account)}")
    if not found:
        click.echo("There is no account yet.", err=True)


@accounts.command("set-password")
@email
@click.option("--ticket", callback=_reference, default="-", metavar="REF", help="Where the request stands.")
def set_password(email: str, ticket: str) -> None:
    """Print a one-time link at which a new password is set; the second factor stays as it is."""
    _print_link(flows.link_to_password(_account(email), ticket, clock.now()))


def print_first_account() -> None:
    """At an unattended start: make the account of FV_ADMIN_EMAIL when there is none at all, and print its link once."""
    admin = current_app.config["ADMIN_EMAIL"]
    if admin and not account_store.any_exists():
        token = flows.create_account(admin, clock.now(), only_first=True)
        if not isinstance(token, Refused):
            click.echo(f"The first account is {admin}. Set its password here: {_link(token)} {_once()}", err=True)


def _account(email: str) -> Account:
    account = flows.find(email)
    if account is None:
        raise click.ClickException("There is no account with this email. `fv accounts list` shows them.")
    return account


def _is(account: Account, typed: str) -> bool:
    found = flows.find(typed)
    return found is not None and found.id == account.id


def _in_short(account: Account) -> str:
    if mfa_store.authenticator(account.id).is_enrolled:
        return "second factor confirmed"
    return "reset by support" if mfa_store.re_enrolment(account.id) else "no second factor yet"


def _consequence(account: Account) -> str:
    if mfa_store.re_enrolment(account.id):
        return f"{account.email} waits for its new authenticator. The code that was made before stops working."
    return (
        f"The authenticator and the backup codes of {account.email} stop working, every login ends, and its API keys "
        "are refused until a new authenticator is confirmed."
    )


def _done(result: T | Refused) -> T:
    if isinstance(result, Refused):
        raise click.ClickException(result.value)
    return result


def _print_link(token: str) -> None:
    click.echo(_link(token))
    click.echo(_once(), err=True)
    if address.is_of_this_machine():
        click.echo("This address opens on this machine only; FV_BASE_URL sets the one that others use.", err=True)


def _link(token: str) -> str:
    return f"{address.base()}/password/{token}"


def _once() -> str:
    return f"It works once, for {_window()}."


def _window() -> str:
    return words.duration(current_app.config["SUPPORT_WINDOW"])


def _lines(shown: Shown, now: int) -> list[str]:
    authenticator, waiting = shown.authenticator, shown.re_enrolment
    if authenticator.is_enrolled:
        standing = f"confirmed {words.moment(authenticator.confirmed_at or 0)}"
    elif waiting and waiting.accepted_at:
        standing = "reset by support; the code was typed, the new authenticator is not confirmed yet"
    elif waiting and waiting.made_at > now - current_app.config["SUPPORT_WINDOW"]:
        standing = f"reset by support {words.moment(waiting.made_at)}; waits for the re-enrolment code"
    elif waiting:
        standing = "reset by support; the re-enrolment code is too old, `fv support re-enrol` makes a new one"
    else:
        standing = "never set up"
    codes = f"{shown.codes_left} of {backup_codes.COUNT} left" if authenticator.is_enrolled else "none"
    pauses = {"codes": shown.code_pause, "passwords": shown.password_pause}
    paused = [f"{what} for {words.duration(pause.seconds)}" for what, pause in pauses.items() if pause]
    return [
        f"Account        {shown.account.email}, {shown.account.id}, since {words.day(shown.account.created_at)}",
        f"Second factor  {standing}",
        f"Backup codes   {codes}{', not marked as saved' if authenticator.owes_acknowledgement else ''}",
        f"Paused         {', '.join(paused) or 'no'}",
        f"Logins         {len(shown.logins)} active",
        f"Password link  {'open' if shown.has_link else 'none'}",
        f"API keys       {shown.keys}{'' if authenticator.is_enrolled or not shown.keys else ', asleep'}",
        "Last events    " + ("" if shown.events else "none"),
        *(f"  {words.moment(row.at)}  {events.tell(row.event, row.actor, row.facts).words}" for row in shown.events),
    ]
