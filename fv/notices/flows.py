"""The story: what the audit trail says of an account is told to its holder, on the pages and by mail.

The trail is the only list of what happened; here stands what was told of it. A row is in the trail as soon as the
change it tells of is made, so no mail can be lost; a mail is taken before it is sent, so none is sent by two processes.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from flask import current_app

from fv import words
from fv.accounts import flows as accounts
from fv.accounts import store as account_store
from fv.accounts.store import Login
from fv.audit import events
from fv.audit import store as audit_store
from fv.audit.chain import Event
from fv.notices import mail, store
from fv.notices.mail import NotSent

SHOWN = 3  # banners at once; the rest is on the audit page
LOOKED_AT = 50  # rows that are looked at for them
FRESH = (
    24 * 3600
)  # seconds after which an event is too old to begin to mail of: a server that was set up today tells of today
#: Seconds between one try to send a mail and the next; after the last one it is given up.
AGAIN = (60, 300, 1800, 7200, 21600)

_log = logging.getLogger("fv.notices")


@dataclass(frozen=True)
class Notice:
    """One event in words."""

    number: int
    at: int
    title: str
    details: str
    advice: str
    unusual: bool


def unread(login: Login) -> list[Notice]:
    """What other logins did and others did, and this holder has not said to have seen; the newest first."""
    after = store.read_through(login.account_id)
    rows = audit_store.told(login.account_id, events.TOLD, after, LOOKED_AT)
    own = accounts.handle(login.id)
    return [_notice(row) for row in rows if json.loads(row.facts).get("login") != own][:SHOWN]


def dismiss(account_id: str, through: int) -> None:
    store.has_read(account_id, through)


def send_due(now: int) -> None:
    """Send every mail that is due. Called again and again by the worker."""
    for row in audit_store.told_since(events.TOLD, store.newest_mail(), now - FRESH):
        if row.account_id:
            store.add_mail(row.number, row.account_id, now)
    for due in _taken(now):
        event, account = audit_store.event(due.number), account_store.by_id(due.account_id)
        if event is None or account is None:  # the account is gone
            store.sent_mail(due.number, now)
            continue
        notice = _notice(event)
        try:
            mail.send(current_app.config["SMTP_URL"], account.email, notice.title, _text(notice), event.id)
        except NotSent as error:
            _log.error("a mail could not be sent (try %d): %s", due.tries + 1, error)
        else:
            store.sent_mail(due.number, now)


def given_up(since: int) -> int:
    """How many mails about what happened after `since` were never taken by the mail server, and are tried no more."""
    return store.given_up_mails(since)


def why_mail_is_refused() -> str | None:
    """Connect to the mail server as for a mail, and send none. None: it answers."""
    try:
        mail.greet(current_app.config["SMTP_URL"])
    except NotSent as error:
        return str(error)
    return None


def _taken(now: int) -> Iterator[store.Mail]:
    while due := store.due_mail(now):
        again_at = now + AGAIN[due.tries] if due.tries < len(AGAIN) else None
        if store.take_mail(due, again_at):
            yield due


def _notice(event: Event) -> Notice:
    kind = events.KINDS[event.event]
    details = ", ".join(events.details(json.loads(event.facts)))
    return Notice(event.number, event.at, kind.words, details, kind.advice, kind.unusual)


def _text(notice: Notice) -> str:
    base = current_app.config["BASE_URL"]
    lines = [f"{notice.title}.", "", f"When: {words.moment(notice.at)}"]
    if notice.details:
        lines.append(f"How: {notice.details}")
    lines += [
        "",
        notice.advice,
        "",
        f"Your account: {base}/account" if base else "Look at your account, under Account.",
    ]
    return "\n".join(lines) + "\n"
