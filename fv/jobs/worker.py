"""The process that does what is due, beside the web processes of `fv serve`."""

import logging
import signal
import threading

from flask import Flask

from fv import clock, db
from fv.notices import flows as notices

PAUSE = 1  # seconds between two looks at what is due

_log = logging.getLogger("fv.jobs")


def is_needed(app: Flask) -> bool:
    """Whether there can be anything to do."""
    return app.config["SMTP_URL"] is not None


def run(app: Flask) -> None:
    """Until SIGTERM or Ctrl+C; what is under way is finished first."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    while not stopping.wait(PAUSE):
        with app.app_context():
            try:
                notices.send_due(clock.now())
            except db.Unavailable as error:  # it is tried again: nothing is lost
                _log.error("background work has to wait: %s", error)
