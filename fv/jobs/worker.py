"""The process that does what is due, beside the web processes of `fv serve`."""

import logging
import signal
import threading
from collections.abc import Callable
from typing import TypeVar

from flask import Flask

from fv import clock, db
from fv.evidence import flows as evidence
from fv.fingerprints import memory
from fv.jobs import couriers
from fv.jobs.analyst import Analyst
from fv.metrics import flows as metrics
from fv.models import flows as models
from fv.notices import flows as notices
from fv.retention import confirming
from fv.retention import flows as retention
from fv.verifications import due

T = TypeVar("T")

PAUSE = 1  # seconds between two looks at what is due
SWEEP = 3600  # seconds between two looks for files that no photo belongs to

_log = logging.getLogger("fv.jobs")


def beginning() -> int:
    """The row of the audit trail after which events are mailed: what is there before the first request."""
    return notices.beginning()


def run(app: Flask, seen: int) -> None:
    """Until SIGTERM; the one piece of work that is under way is finished first, but for an analysis, which is dropped
    and begun anew by the next worker. `seen`: see beginning().
    """
    stopping = threading.Event()
    with app.app_context():
        analyst = Analyst(stopping.is_set, {"detectors": app.config["DETECTORS"], **models.for_analysis()})
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the first process, which then stops this one
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    with app.app_context():
        _do(due.take_over, None)
    sending = couriers.started(app, stopping)
    swept = tidied = confirmed = 0
    while not stopping.is_set():
        with app.app_context():
            sent = False
            if app.config["SMTP_URL"]:
                seen = _do(lambda: notices.take_up(seen, clock.now()), seen)  # noqa: B023 (called at once)
                sent = _do(lambda: notices.send_next(clock.now()), False)
            analysed = _do(lambda: due.analyse_next(clock.now(), analyst.examine), False)
            _do(lambda: metrics.add(analyst.taken(), clock.now()), None)
            if clock.now() - tidied >= memory.TIDIED:
                tidied = clock.now()
                _do(memory.of_app().tidy, None)
            erased = _do(lambda: bool(retention.erase_due(clock.now())), False)
            if _do(lambda: confirming.is_waiting(clock.now() - confirmed), False):  # noqa: B023 (called at once)
                confirmed = clock.now()
                _do(lambda: confirming.confirm(clock.now()), 0)
                _do(lambda: confirming.drop_old_copies(clock.now()), None)
            if clock.now() - swept >= SWEEP:
                swept = clock.now()
                _do(lambda: evidence.sweep(clock.now()), 0)
                _do(db.empty_log, False)  # where a reader was in the way after a template was deleted
        if not (sent or analysed or erased):
            stopping.wait(PAUSE)
    analyst.close()
    for thread in sending:
        thread.join()


def _do(work: Callable[[], T], otherwise: T) -> T:
    """One piece of work. Whatever goes wrong with it is tried again: nothing is lost, and the others go on."""
    try:
        return work()
    except Exception as error:
        _log.error("background work has to wait: %s", type(error).__name__)
        return otherwise
