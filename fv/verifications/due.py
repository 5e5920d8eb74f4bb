"""What is due without anybody asking: submitted sessions are analysed."""

import logging
from collections.abc import Callable

from fv import clock, db, ids, sealing
from fv.analysis import scoring
from fv.analysis.report import Case, Failed, Interrupted, Report
from fv.evidence import flows as evidence
from fv.usage import flows as usage
from fv.verifications import analysis, announcing, store, verdict
from fv.verifications.store import Verification

LEASE = 300  # seconds a worker has for one session: an examination ends within 120

_log = logging.getLogger("fv.jobs")


def analyse_next(now: int, examine: Callable[[Case], Report]) -> bool:
    """Analyse the submitted session that waits longest. False when none waits, or `examine` was Interrupted.

    It is taken by a lease: who dies in the middle loses it, the next one begins anew, and only who has it decides.
    """
    lease = ids.new("lease")
    session = store.take_due(lease, now + LEASE, now)
    if session is None:
        return False
    try:
        report, blind = _examined(session, examine)
        verdict.prepare(session, report)
        _conclude(session, lease, report, now, blind)
    except Interrupted:
        store.give_up(session.id, lease)
        return False
    except db.Unavailable:  # it may answer again by the time the lease runs out
        raise
    except Exception as error:
        # what nobody foresaw is there at the next try, too: a person decides, as without a report
        _log.error("session %s cannot be judged: %s", session.id, type(error).__name__)
        _conclude(session, lease, Report(), now, scoring.BROKEN)
    return True


def _conclude(session: Verification, lease: str, report: Report, now: int, blind: str) -> None:
    """The verdict is reached inside: of two sessions of one face that end at once, the later one sees the template of
    the first. Comparing with 1,000,000 templates of the account takes 6 ms. It is reached once, so the session is
    counted once, whatever a person makes of it later.
    """
    with db.transaction():
        found = verdict.reach(session, report, now, blind)
        if not store.finish(session.id, lease, found.as_text(), found.score, found.decision, found.face_match):
            raise db.Undo
        # by the clock of this transaction: `now` is from before the analysis, and the month it is in may be billed
        usage.count(session.account_id, session.mode, "sessions_billable", clock.now(), session.key_id)
        verdict.keep(session, report, now)
        new = {"accept": "passed", "review": "review", "reject": "failed"}[found.decision]
        store.become(session.account_id, session.id, new, now)
        store.note(session.id, new, now)
        announcing.completed(session.account_id, session.id, now)


def _examined(session: Verification, examine: Callable[[Case], Report]) -> tuple[Report, str]:
    """The report, and what is said of every check where it is that of nobody.

    Outside of any transaction: it takes seconds. A photo that does not open today does not open tomorrow either.
    """
    if analysis.staged(session.mode, session.external_user_id):
        return Report(), scoring.NO_ANALYSER
    kept = evidence.of_verification(session.account_id, session.id)
    try:
        photos = {photo.kind: evidence.open(photo) for photo in kept}
    except (sealing.Unreadable, db.Unavailable):
        return Report(), "A photo of this session cannot be opened."
    try:
        return examine(Case(photos, session.answered or session.challenge)), scoring.NO_ANALYSER
    except Failed:
        return Report(), scoring.BROKEN


def take_over() -> None:
    """For a worker that begins: what the one before it had taken is due now, and not when its lease runs out."""
    store.end_leases()
