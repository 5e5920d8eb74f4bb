"""The story: an account is made as every account is, and filled with sessions of people who do not exist.

Its second factor is confirmed by the one way there is, with a code of the secret it was offered. Rows are written so
many at a time, and made before the lock is taken: a service that runs beside it gets its turn between two of them.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from flask import current_app

from fv import db
from fv.accounts import flows as accounts
from fv.accounts import store as account_store
from fv.accounts.flows import Visitor
from fv.analysis import findings
from fv.billing import flows as billing
from fv.demo import histories, people, pictures
from fv.demo.histories import History, Plan
from fv.demo.pictures import Document
from fv.evidence import flows as evidence
from fv.evidence.store import Photo
from fv.fingerprints import flows as fingerprints
from fv.fingerprints.store import Space
from fv.mfa import flows as mfa
from fv.mfa import totp
from fv.passwords import flows as passwords
from fv.support import flows as support
from fv.support.flows import Refused
from fv.terms import flows as terms
from fv.usage import flows as usage
from fv.verifications import store

AT_ONCE = 1000  # sessions in one transaction: about 0.2 s
HERE = Visitor("127.0.0.1", "fv demo")


@dataclass(frozen=True)
class Made:
    """An account that anybody who reads this can sign in to."""

    account_id: str
    email: str
    password: str
    secret: str
    uri: str


def make_account(email: str, now: int) -> Made | Refused:
    """An account with a password and a confirmed authenticator; its backup codes go unseen, marked as saved."""
    token = support.create_account(email, now)
    if isinstance(token, Refused):
        return token
    password = secrets.token_hex(max(10, current_app.config["PASSWORD_LENGTH"]))
    passwords.set_by_link(token, password, HERE, now)
    account = support.find(email)
    id = accounts.open_login(account, HERE, now) if account else None
    login = account_store.login(id) if id else None
    offered = mfa.offer(login) if login else None
    if account is None or login is None or not isinstance(offered, mfa.Offer):
        raise LookupError("somebody else changed the account that was being made")
    earlier = totp.code_of(offered.secret, totp.step_at(now) - 1)  # so that the code of now is still good to sign in
    enrolled = mfa.confirm(login, earlier, now)
    risen = account_store.login(enrolled.login_id) if isinstance(enrolled, mfa.Enrolled) else None
    if risen is None:
        raise LookupError("somebody else changed the account that was being made")
    mfa.acknowledge(risen, now)
    with db.transaction():
        billing.put_on_roomy(account.id, now)  # so that there is room for more than what is made up
    accounts.end(risen, now)
    return Made(account.id, account.email, password, offered.secret, offered.uri)


def fill(account_id: str, sessions: int, photographed: int, now: int) -> Iterator[int]:
    """Add so many sessions, some of them with photos. Yields how many were added since it last did."""
    config = current_app.config
    plan = Plan(account_id, sessions, photographed, now, config["SESSION_WINDOW"], config["RETENTION"])
    with_photos = plan.with_photos()
    for first in range(0, sessions, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, sessions))
        made = {number: histories.history(plan, number, number in with_photos) for number in numbers}
        with db.transaction():
            for history in made.values():
                _add(history)
        yield len(made) - len(with_photos & made.keys())
        for number in sorted(with_photos & made.keys()):
            _photograph(number, made[number])
            yield 1


def _add(history: History) -> None:
    session = history.session
    store.add(session)
    terms.begin(session.id, session.account_id, session.token_hash, terms.default(), session.expires_at,
                session.created_at)  # fmt: skip
    usage.count(session.account_id, session.mode, "sessions_created", session.created_at)
    if session.completed_at is not None:
        usage.count(session.account_id, session.mode, "sessions_billable", session.completed_at)
    for line in history.timeline:
        store.note(session.id, line.event, line.at, line.note)


def _photograph(number: int, history: History) -> None:
    """By the same intake as every photo."""
    session, person = history.session, people.person(number)
    document = people.passport(person) if number % 2 else people.id_card(person)
    taken = {line.event.removeprefix("photo:"): line.at for line in history.timeline}
    drawn = {
        "id_photo": pictures.id_photo(person.look, document, histories.slant(number)),
        "selfie": pictures.selfie(person.look),
        "liveness_frame": pictures.selfie(person.look, session.challenge),
    }
    if model := findings.read(session.findings).model:
        _read(number, history, document)
        _recognise(number, history, model)
    for kind, picture in drawn.items():
        kept = evidence.keep(session.account_id, session.id, kind, picture, taken[kind])
        if not isinstance(kept, Photo):
            raise LookupError("a photo that was drawn here was not kept")


def _recognise(number: int, history: History, model: str) -> None:
    session, template = history.session, people.template(number)
    with db.transaction():
        fingerprints.keep(
            session.account_id, session.id, session.external_user_id, session.mode, Space(model), template,
            session.completed_at or 0,
        )  # fmt: skip


def _read(number: int, history: History, document: Document) -> None:
    session = history.session
    odd = {one.check for one in findings.read(session.findings).findings if one.result != "ok"}
    text = people.read(people.person(number), document, differs="document" in odd)
    evidence.keep_document(session.account_id, session.id, text, session.completed_at or 0)
