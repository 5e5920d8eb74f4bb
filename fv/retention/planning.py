"""The story: an account says how long things are kept, sees first what would go, and puts sessions on legal hold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fv import db
from fv.accounts.store import Login
from fv.audit import flows as audit
from fv.keys import flows as keys
from fv.retention import flows, store
from fv.retention.flows import Refused
from fv.terms import flows as term_flows
from fv.terms import span
from fv.terms import store as terms
from fv.terms.span import CLASSES, DAY, MOST_DAYS, Span
from fv.terms.store import Going, Term
from fv.verifications import store as verifications
from fv.verifications.store import Verification

WEEK = 7 * DAY
HOLDS = 100  # that are listed
LONGEST_HOLD = 3650  # days
_FOR_EVER = Span(2**40, 2**40, 2**40)  # seconds: shortens nothing


@dataclass(frozen=True)
class Plan:
    """`at_once`: what goes as soon as somebody looks; `soon`: in the next 7 days, that included."""

    days: dict[str, int]
    default_days: int
    kept: int
    at_once: Going
    soon: Going
    looked_at: int | None
    holds: list[Term]


def plan(account_id: str, now: int, days: Mapping[str, int] | None = None) -> Plan:
    """As it is; with `days`, as it would be if sessions were kept no longer than that."""
    shorter = span.of_days(dict(days)) if days else None
    return Plan(
        dict(days) if days else days_of(account_id),
        term_flows.default().in_days()["photos"],
        terms.kept_sessions(account_id),
        terms.going(account_id, now, now, shorter or _FOR_EVER),
        terms.going(account_id, now + WEEK, now, shorter or _FOR_EVER),
        store.looked_at(),
        terms.held(account_id, now, HOLDS),
    )


def days_of(account_id: str) -> dict[str, int]:
    return term_flows.of_account(account_id).in_days()


def is_possible(days: int) -> bool:
    return 1 <= days <= MOST_DAYS


# ── Changed ──────────────────────────────────────────────────────────────────────────────────────────────────


def set_days(login: Login, days: Mapping[str, int], now: int) -> Span | None:
    """For sessions to come; those there are keep what they began with, unless this is shorter. None: no such days."""
    chosen = span.of_days({name: days.get(name, 0) for name in CLASSES})
    if chosen is None:
        return None
    with db.transaction():
        traits = keys.insist(login)
        terms.set_days(login.account_id, dict(days))
        shortened = terms.shorten(login.account_id, chosen)
        verifications.erase_by(login.account_id, None, chosen.longest)
        said = {name: str(number) for name, number in days.items()}
        audit.record("retention.changed", login.account_id, now, shortened=shortened, **said, **traits)
        return chosen
    return None


def hold(login: Login, session_id: str, until: int, because: str, now: int) -> Term | Refused:
    """Nothing of it goes before then, whoever asks. A later hold takes the place of the one before."""
    line = flows.reason_of(because)
    if line is None:
        return Refused.REASON
    if not now < until <= now + LONGEST_HOLD * DAY:
        return Refused.UNTIL
    return _held(login, session_id, until, line, now)


def lift(login: Login, session_id: str, now: int) -> Term | Refused:
    """What was to go meanwhile goes now. Again: nothing changes."""
    return _held(login, session_id, None, "", now)


def _held(login: Login, session_id: str, until: int | None, because: str, now: int) -> Term | Refused:
    found: Term | Refused = Refused.NOT_THERE
    if verifications.find(login.account_id, session_id, None, now) is None:
        return found
    with db.transaction():
        traits = keys.insist(login)
        term = terms.of_session(login.account_id, session_id)
        if term is None or term.next_at is None:
            found = Refused.GONE
            raise db.Undo
        terms.hold(session_id, until, because)
        if until is not None:
            audit.record("session.held", login.account_id, now, session=session_id, until=until, **traits)
        elif term.held_until is not None:
            audit.record("session.released", login.account_id, now, session=session_id, **traits)
        return replace(term, held_until=until, held_because=because)
    return found


def end_with_hold(session: Verification, term: Term) -> None:
    """Its person wants it gone: it goes on the day the hold ends."""
    if term.held_until is None:
        return
    with db.transaction():
        seconds = term.held_until - term.counted_from
        terms.shorten(session.account_id, Span(seconds, seconds, seconds), session.id)
        verifications.erase_by(session.account_id, session.id, seconds)
