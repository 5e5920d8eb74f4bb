"""How the body of a request comes in: declared, bounded, and never awaited by all threads at once.

The server starts a thread as soon as it has the headers, so a stranger who sends half a body and falls silent keeps
that thread for as long as the connection lasts. Only so many threads of a process wait for strangers, and so many for
one account; the others are for everybody else who is signed in. (A read cannot be given up: one in a thread of its own,
abandoned after ten seconds, stops granian 2.8.7 altogether. A proxy with a body timeout in front is the whole answer;
docs/operate.md says so.)
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, request
from werkzeug.wrappers import Response

from fv import gate
from fv.config import THREADS
from fv.gate import Standing
from fv.problems import Problem

STRANGERS = THREADS - 8  # threads of a process that may wait for a body of somebody who has proved nothing
OWN = 8  # threads of a process that may wait for bodies of one account

_strangers = threading.BoundedSemaphore(STRANGERS)
_own: Counter[str] = Counter()
_counting = threading.Lock()


def init_app(app: Flask) -> None:
    """Registered behind the gate: what it refuses is never read."""
    app.before_request(_receive)


def _receive() -> Response | None:
    """Take the whole body in; the views find it in memory. Over MAX_CONTENT_LENGTH: 413, unread.

    A body may take as long as its sender likes, and meanwhile the login may have ended: so the gate is asked again.
    """
    if request.content_length is None and "Transfer-Encoding" in request.headers:
        raise Problem("length_required")  # its end cannot be told from an interruption
    if not request.content_length:
        return None
    who = gate.caller()
    with _place_of(who.account_id) if who.standing is Standing.CLEAR and who.account_id else _place():
        request.get_data()
    return gate.ask_again()


@contextmanager
def _place() -> Iterator[None]:
    if not _strangers.acquire(blocking=False):
        raise Problem("busy", retry_after=2)
    try:
        yield
    finally:
        _strangers.release()


@contextmanager
def _place_of(account_id: str) -> Iterator[None]:
    with _counting:
        if _own[account_id] >= OWN:
            raise Problem("busy", retry_after=2)
        _own[account_id] += 1
    try:
        yield
    finally:
        with _counting:
            _own[account_id] -= 1
            if not _own[account_id]:
                del _own[account_id]
