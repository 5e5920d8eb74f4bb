"""The story: what the audit trail says of an account is told to its holder, on the pages and by mail.

The trail is the only list of what happened; here stands what was told of it. A row is in the trail as soon as the
change it tells of is made, so no mail is forgotten as long as a worker comes by within a day. A mail is taken before it
is sent: two workers send it once. One that was killed while sending is sent again, with the same Message-ID.
"""

import logging
from dataclasses import dataclass, replace

from flask import current_app

from fv import address, db, words
from fv.accounts import flows as accounts
from fv.accounts import store as account_store
from fv.accounts.store import Login
from fv.audit import events
from fv.audit import flows as audit
from fv.audit import store as audit_store
from fv.audit.chain import Event
from fv.audit.events import Told
from fv.notices import mail, store
from fv.notices.mail import NotSent

AN_HOUR = 10  # mails to one account; more of them wait, so that nobody's mailbox is filled through us
LOOKED_AT = 200  # rows that are looked at for a banner
#: Seconds after which nothing is mailed any more, when no worker came by.
FRESH = 24 * 3600
#: Seconds between one try to send a mail and the next; after the last one it is given up.
AGAIN = (60, 300, 1800, 7200, 21600)

_log = logging.getLogger("fv.notices")


@dataclass(frozen=True)
class News:
    """One kind of event: its newest row in words, and how many there were."""

    event: Event
    told: Told
    times: int


def unread(login: Login) -> list[News]:
    """What others did, and this holder has not said to have seen: one of a kind, so that many hide no other."""
    news: dict[str, News] = {}
    for row, told in _of_others(login):
        first = news.get(row.event, News(row, told, 0))
        news[row.event] = replace(first, times=first.times + 1)
    return list(news.values())


def dismiss(login: Login, through: int) -> None:
    """Seen: whatever others did up to this row. What this login did itself stays news for all others."""
    with db.transaction():
        accounts.insist(login)
        for row, _ in _of_others(login):
            if row.number <= through:
                store.has_read(login.account_id, row.number)


def _of_others(login: Login) -> list[tuple[Event, Told]]:
    """Unread, the newest first."""
    rows = audit_store.told(login.account_id, events.TOLD, LOOKED_AT)
    read = store.read_numbers(login.account_id, rows[-1].number) if rows else set()
    told = [(row, events.tell(row.event, row.actor, row.facts)) for row in rows if row.number not in read]
    own = accounts.handle(login.id)
    return [(row, one) for row, one in told if one.login != own]


def beginning() -> int:
    """The row up to which there is nothing to mail: the last one mailed of, else the last one there is now."""
    return store.newest_mail() or audit.last_number()


def take_up(after: int, now: int) -> int:
    """Make a mail of every told row numbered above `after`; the number of the last one there is."""
    last = audit.last_number()
    for row in audit_store.told_since(events.TOLD, max(after, store.newest_mail()), now - FRESH):
        if row.account_id:
            store.add_mail(row.number, row.account_id, now)
    return last


def send_next(now: int) -> bool:
    """Send one mail that is due. False when none is."""
    due = store.due_mail(now)
    if due is None:
        return False
    again_at = now + AGAIN[due.tries] if due.tries < len(AGAIN) else None
    if store.sent_since(due.account_id, now - 3600) >= AN_HOUR:
        store.postpone_mail(due.number, now + 3600)
        return True
    if not store.take_mail(due, again_at):
        return True
    event, account = audit_store.event(due.number), account_store.by_id(due.account_id)
    if event is None or account is None:  # the account is gone
        store.sent_mail(due.number, now)
        return True
    told = events.tell(event.event, event.actor, event.facts)
    try:
        mail.send(
            current_app.config["SMTP_URL"], account.email, told.words, _text(event, told, account.email), event.id
        )
    except NotSent as error:
        _log.error("a mail could not be sent (try %d): the mail server %s", due.tries + 1, error)
    else:
        store.sent_mail(due.number, now)
    return True


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


def _text(event: Event, told: Told, email: str) -> str:
    lines = [f"{told.words}.", "", f"Account: {email}", f"When: {words.moment(event.at)}"]
    if told.details:
        lines.append(f"Details: {told.details}")
    return "\n".join([*lines, "", told.advice, "", f"Your account: {address.base()}/account", ""])
