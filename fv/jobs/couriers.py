"""The threads that send what webhooks are told, beside the analysis: neither waits for the other.

Two send to webhooks that answered at once the last time, two to all others, new ones among them. A try ends after 10
seconds, so a stop of the service waits that long for it.
"""

import logging
import threading

from flask import Flask

from fv import clock
from fv.webhooks import delivering
from fv.webhooks.delivering import Ways

LINES = (True, True, False, False)  # whether a thread serves the quick ones
PAUSE = 1  # seconds between two looks at what is due

_log = logging.getLogger("fv.jobs")


def started(app: Flask, stopping: threading.Event) -> list[threading.Thread]:
    """They run until it is set, and the one try that is under way is finished."""
    with app.app_context():
        delivering.take_over()
        ways = delivering.usual_ways()
    threads = [threading.Thread(target=_run, args=(app, stopping, ways, quick), daemon=True) for quick in LINES]
    for thread in threads:
        thread.start()
    return threads


def _run(app: Flask, stopping: threading.Event, ways: Ways, quick: bool) -> None:
    while not stopping.is_set():
        try:
            with app.app_context():
                has_sent = delivering.deliver_next(clock.now(), ways, quick)
        except Exception as error:  # nothing is lost: it is due again when its lease runs out
            _log.error("webhooks have to wait: %s", type(error).__name__)
            has_sent = False
        if not has_sent:
            stopping.wait(PAUSE)
