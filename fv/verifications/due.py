"""What is due without anybody asking: submitted sessions are analysed, and those whose term is over erased."""

from fv import db, ids
from fv.analysis.report import Report
from fv.audit import flows as audit
from fv.evidence import flows as evidence
from fv.fingerprints import flows as fingerprints
from fv.verifications import store, verdict

LEASE = 120  # seconds a worker has for one session
UPLOAD = 3600  # seconds after the end of a session in which a photo may still be on its way into the database


# ── Analysis ─────────────────────────────────────────────────────────────────────────────────────────────────


def analyse_next(now: int) -> bool:
    """Analyse the submitted session that waits longest. False when none waits.

    It is taken by a lease: who dies in the middle loses it, the next one begins anew, and only who has it decides.
    """
    lease = ids.new("lease")
    session = store.take_due(lease, now + LEASE, now)
    if session is None:
        return False
    report = Report()  # of nobody: no analyser is installed
    found = verdict.reach(session, report, now)
    with db.transaction():
        if not store.finish(session.id, lease, found.as_text(), found.score, found.decision, found.face_match):
            raise db.Undo
        verdict.keep(session, report, now)
        new = {"accept": "passed", "review": "review", "reject": "failed"}[found.decision]
        store.become(session.account_id, session.id, new, now)
        store.note(session.id, new, now)
    return True


def take_over() -> None:
    """For a worker that begins: what the one before it had taken is due now, and not when its lease runs out."""
    store.end_leases()


# ── Erasure ──────────────────────────────────────────────────────────────────────────────────────────────────


def erase_next(now: int) -> bool:
    """Erase the photos of the session whose time is over longest. False when none is due.

    The photos first: who dies in between leaves a session that is still due, and erasing again finds nothing to do.
    """
    session = store.due_for_erasure(now, now - UPLOAD)
    if session is None:
        return False
    evidence.erase(session.account_id, session.id, now)
    with db.transaction():
        fingerprints.forget(session.account_id, session.id)
        if not store.erased(session.id, now):
            raise db.Undo
        store.note(session.id, "erased", now)
        audit.record("session.erased", session.account_id, now, "service", session=session.id)
    return True
