"""The story: a try is counted, in a committed transaction of its own, before anything is compared.

So parallel guesses cannot slip past the limit, and a crash or a rolled-back request cannot lose one. A try that
turned out right is taken back; a wrong one stays until its window has passed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import current_app

from fv import db, turns
from fv.throttle import policy, store
from fv.throttle.policy import Rate

#: bucket → the setting that holds its rates. The numbers and their reasons stand in fv/config.py.
BUCKETS = {
    "code": "CODE_FAILURES",  # one account, over every door at which a second factor is asked for
    "password": "PASSWORD_FAILURES",  # one email
    "password from": "PASSWORD_FAILURES_ADDRESS",  # one address
    "sign-up from": "SIGN_UPS_ADDRESS",  # one address
}


#: How long tries are kept after they no longer count: a clock that jumps ahead by less than this and back wipes none.
MARGIN = 7 * 86400  # seconds


@dataclass(frozen=True)
class Try:
    """A place taken in the count, to be taken back when the try turns out right.

    `is_last`: when it turns out wrong, the pause begins. Of several at once only one is.
    """

    id: str
    is_last: bool


@dataclass(frozen=True)
class Pause:
    """No more tries for so many seconds, not even right ones."""

    seconds: int


def begin(bucket: str, subject: str, now: int) -> Try | Pause:
    """Count one try of this subject, or say how long the pause is."""
    rates = _rates(bucket)
    since = now - policy.horizon(rates)
    with db.transaction():
        times = store.times(bucket, subject, since)
        if seconds := policy.pause(times, rates, now):
            return Pause(seconds)
        store.forget(bucket, before=since - MARGIN)
        return Try(store.add(bucket, subject, now), is_last=policy.left(times, rates, now) == 1)


def waiting(bucket: str, subject: str, now: int) -> Pause | None:
    """The pause this subject is in, if it is in one. Counts nothing."""
    rates = _rates(bucket)
    seconds = policy.pause(store.times(bucket, subject, now - policy.horizon(rates)), rates, now)
    return Pause(seconds) if seconds else None


def take_back(*tries: Try) -> None:
    """These were right. Inside a transaction of the caller, or alone."""
    for made in tries:
        store.remove(made.id)


def forgive(bucket: str, subject: str) -> int:
    """Forget every try of this subject; how many there were. Inside a transaction of the caller, or alone."""
    return store.remove_all(bucket, subject)


@contextmanager
def not_counting_busyness(*tries: Try) -> Iterator[None]:
    """A try that nobody had the time to compare is no wrong try."""
    try:
        yield
    except turns.Busy:
        take_back(*tries)
        raise


def left(bucket: str, subject: str, now: int) -> int:
    """How many more wrong tries there may be before a pause."""
    rates = _rates(bucket)
    return policy.left(store.times(bucket, subject, now - policy.horizon(rates)), rates, now)


def _rates(bucket: str) -> tuple[Rate, ...]:
    rates: tuple[Rate, ...] = current_app.config[BUCKETS[bucket]]
    return rates
