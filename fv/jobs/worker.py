"""The process that does what is due, beside the web processes of `fv serve`."""

import logging
import signal
import threading

from flask import Flask

from fv import clock
from fv.notices import flows as notices

PAUSE = 1  # seconds between two looks at what is due

_log = logging.getLogger("fv.jobs")


def is_needed(app: Flask) -> bool:
    """Whether there can be anything to do."""
    return app.config["SMTP_URL"] is not None


def beginning() -> int:
    """The row of the audit trail after which events are mailed: what is there before the first request."""
    return notices.beginning()


def run(app: Flask, seen: int) -> None:
    """Until SIGTERM; the one piece of work that is under way is finished first. `seen`: see beginning()."""
    stopping = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the first process, which then stops this one
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    while not stopping.is_set():
        with app.app_context():
            try:
                seen = notices.take_up(seen, clock.now())
                if notices.send_next(clock.now()):
                    continue
            except Exception as error:  # it is tried again: nothing is lost, and one bad row must not stop the others
                _log.error("background work has to wait: %s", type(error).__name__)
        stopping.wait(PAUSE)
