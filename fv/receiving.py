"""How the body of a request comes in: declared, bounded, and never awaited by all threads at once.

The server starts a thread as soon as it has the headers, so a stranger who sends half a body and falls silent keeps
that thread for as long as the connection lasts. Only so many threads of a process wait for strangers; the others are
for people who are signed in. (A read cannot be given up: one in a thread of its own, abandoned after ten seconds, stops
granian 2.8.7 altogether. A proxy with a body timeout in front is the whole answer; docs/operate.md says so.)
"""

import threading

from flask import Flask, request

from fv import gate
from fv.config import THREADS
from fv.gate import Standing
from fv.problems import Problem

STRANGERS = THREADS - 8  # threads of a process that may wait for a body of somebody who has proved nothing

_strangers = threading.BoundedSemaphore(STRANGERS)


def init_app(app: Flask) -> None:
    """Registered behind the gate: what it refuses is never read."""
    app.before_request(_receive)


def _receive() -> None:
    """Take the whole body in; the views find it in memory. Over MAX_CONTENT_LENGTH: 413, unread."""
    if request.content_length is None and "Transfer-Encoding" in request.headers:
        raise Problem("length_required")  # its end cannot be told from an interruption
    if not request.content_length:
        return
    if gate.caller().standing is Standing.CLEAR:
        request.get_data()
        return
    if not _strangers.acquire(blocking=False):
        raise Problem("busy", retry_after=2)
    try:
        request.get_data()
    finally:
        _strangers.release()
