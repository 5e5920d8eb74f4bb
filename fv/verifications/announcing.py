"""What the account's webhooks are told of a session that was decided: no name, no number, no image, no template."""

from collections.abc import Mapping

from fv.analysis import findings
from fv.api import times
from fv.verifications import store
from fv.verifications.store import Verification
from fv.webhooks import flows as webhooks

COMPARED = ("id_photo", "selfie")  # the likeness that is told of


def completed(account_id: str, id: str, now: int) -> None:
    """It became passed, review or failed. Inside the transaction that makes it so."""
    if session := store.find(account_id, id, None, now):
        webhooks.announce(account_id, session.mode, session.id, facts(session), now)


def facts(session: Verification) -> Mapping[str, object]:
    """The fields of a body, but for those that every event has.

    `anti_spoofing_…` is null: nothing here measures whether a photo shows a living person.
    """
    alike = {one.photos: one.similarity for one in findings.read(session.findings).likenesses}
    return {
        "session_id": session.id,
        "status": session.status,
        "external_user_id": session.external_user_id,
        "face_match_passed": session.face_match_passed,
        "face_match_score": alike.get(COMPARED),
        "anti_spoofing_passed": None,
        "anti_spoofing_score": None,
        "trust_score": session.trust_score,
        "trust_decision": session.trust_decision,
        "completed_at": times.written(session.completed_at),
    }
