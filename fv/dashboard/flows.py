"""What an account sees first: how its live sessions went, and what waits for somebody. Test mode is not in it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fv import db
from fv.api import lists
from fv.billing import flows as billing
from fv.billing.quota import Standing
from fv.dashboard import figures
from fv.dashboard.figures import DAYS, Figures
from fv.evidence import store as evidence
from fv.evidence.store import Kept
from fv.keys import store as keys
from fv.links import store as links
from fv.terms import store as terms
from fv.verifications import listing
from fv.verifications.listing import DAY, Filter
from fv.verifications.store import Verification
from fv.webhooks import listing as webhooks
from fv.webhooks.listing import Trouble

MODE = "live"
SOON = 7 * DAY  # seconds in which what is to be erased is named
LATEST = 5  # sessions that are listed
AT_ONCE = 200  # sessions that a statement names; with 1,000 it takes half as long again


@dataclass(frozen=True)
class Step:
    """Something to do first."""

    name: str
    is_done: bool


@dataclass(frozen=True)
class Overview:
    """`days`: since 1970-01-01, the oldest first, each with its sessions by status. `oldest`: of those in review;
    `erased`: what loses its photos soon.

    `steps`: None once there is a live session.
    """

    today: Figures
    month: Figures
    days: dict[int, Counter[str]]
    waiting: int
    oldest: Verification | None
    troubles: Sequence[Trouble]
    erased: Kept
    latest: Sequence[Verification]
    standing: Standing
    steps: tuple[Step, ...] | None


def overview(account_id: str, now: int) -> Overview:
    """As it is at one moment. Whatever is counted is a range of an index, of 30 days or 7."""
    today = now // DAY
    first = today - DAYS + 1
    with db.reading():
        by_day = listing.by_day(account_id, MODE, first, now)
        oldest = listing.longest_waiting(account_id, MODE, 0, "", 1, now)
        return Overview(
            today=_figures(account_id, by_day, today),
            month=_figures(account_id, by_day, first),
            days=by_day,
            waiting=listing.waiting(account_id, MODE),
            oldest=oldest[0] if oldest else None,
            troubles=webhooks.in_trouble(account_id, MODE),
            erased=_erased(account_id, now + SOON, now),
            latest=listing.page(account_id, Filter(MODE), *lists.BEGINNING, LATEST, now),
            standing=billing.standing(account_id, now),
            steps=None if listing.has_any(account_id, MODE) else _steps(account_id, now),
        )


def _figures(account_id: str, by_day: dict[int, Counter[str]], first: int) -> Figures:
    return Figures(figures.whole(by_day, first), listing.median_seconds(account_id, MODE, first * DAY))


def _erased(account_id: str, by: int, now: int) -> Kept:
    ids, sessions, photos = terms.losing_photos(account_id, by, now), 0, 0
    for at in range(0, len(ids), AT_ONCE):
        live = listing.kept_of_mode(account_id, MODE, ids[at : at + AT_ONCE])
        kept = evidence.kept_of(live)
        sessions, photos = sessions + kept.verifications, photos + kept.photos
    return Kept(sessions, photos)


def _steps(account_id: str, now: int) -> tuple[Step, ...]:
    return (
        Step("key", keys.count(account_id, now) > 0),
        Step("link", bool(links.page(account_id, MODE, *lists.BEGINNING, 1))),
    )
