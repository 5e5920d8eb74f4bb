"""The story of a verdict: what is known besides the photos is looked up, everything is judged, what was read is kept.

No photo is opened here. A report comes from the process that looked at them, and nothing it calls harmless is believed
unseen: every detector that was to look has one answer, in the mode that the settings say (analysis/detectors.py).
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime

from flask import current_app

from fv.analysis import circumstances, detectors, scoring
from fv.analysis.circumstances import Blocked, Circumstances, Copy, Resemblance
from fv.analysis.findings import Findings
from fv.analysis.report import Report
from fv.evidence import flows as evidence
from fv.fingerprints import flows as fingerprints
from fv.fingerprints import vector
from fv.fingerprints.store import Space
from fv.terms import flows as terms
from fv.verifications import analysis, store
from fv.verifications.store import Verification


def reach(session: Verification, report: Report, now: int, blind: str = scoring.NO_ANALYSER) -> Findings:
    """What becomes of a session. Inside the transaction that ends the analysis, as keep().

    `blind`: what is said of every check when the report is that of nobody.
    """
    if staged := analysis.staged(session.mode, session.external_user_id):
        return staged
    if not _is_usable(report):
        report, blind = Report(), scoring.BROKEN
    modes = current_app.config["DETECTORS"]
    # the first answer of a name counts (detectors.settled): what the database says is not for the report to say
    said = [*circumstances.look(_circumstances(session, report, now), report, modes), *report.detections]
    today = datetime.fromtimestamp(now, UTC).date()
    return scoring.judge(report, detectors.settled(said, modes), current_app.config["POLICY"], today, blind)


def prepare(session: Verification, report: Report) -> None:
    """What takes long the first time, outside of the transaction that reach() is called in."""
    if space := _space(report):
        fingerprints.warm(session.account_id, session.mode, space)


def keep(session: Verification, report: Report, now: int) -> None:
    """What the document says, sealed, and the template of the selfie. Inside the transaction that ends the analysis.

    Nothing of a session that was erased while somebody looked at its photos.
    """
    if not _is_usable(report):
        return
    if report.document and terms.keeps(session.account_id, session.id, "documents"):
        evidence.keep_document(session.account_id, session.id, json.dumps(asdict(report.document)), now)
    face, space = report.faces.get("selfie"), _space(report)
    if face and space and terms.keeps(session.account_id, session.id, "fingerprints"):
        fingerprints.keep(
            session.account_id, session.id, session.external_user_id, session.mode, space, face.template, now
        )


def _is_usable(report: Report) -> bool:
    """Whether each template is one: numbers without a direction are compared with nobody, and pass nobody."""
    try:
        for face in report.faces.values():
            vector.unit(face.template)
    except vector.Unusable:
        return False
    return True


def _circumstances(session: Verification, report: Report, now: int) -> Circumstances:
    return Circumstances(
        _copies(session, now), session.answered, session.nonce != "" or session.answered != session.challenge,
        _nearest(session, report), _blocked(session, report),
    )  # fmt: skip


def _copies(session: Verification, now: int) -> tuple[Copy, ...]:
    """Within this session, and in others of the same mode: who tries something out in test mode has reused nothing."""
    found = []
    for one in evidence.copies(session.account_id, session.id):
        if one.verification_id == session.id:
            found.append(Copy(one.kind, one.other_kind, None, same_person=True))
        elif other := store.find(session.account_id, one.verification_id, session.mode, now):
            same_person = other.external_user_id == session.external_user_id
            found.append(Copy(one.kind, one.other_kind, other.id, same_person))
    return tuple(found)


def _nearest(session: Verification, report: Report) -> Resemblance | None:
    face, space = report.faces.get("selfie"), _space(report)
    if face is None or space is None:
        return None
    found = fingerprints.nearest_of_others(
        session.account_id, session.mode, space, face.template, session.external_user_id
    )
    return Resemblance(found.fingerprint.session_id, found.similarity) if found else None


def _blocked(session: Verification, report: Report) -> Blocked:
    face, space = report.faces.get("selfie"), _space(report)
    if face is None or space is None:
        return Blocked(None, 0)
    found, others = fingerprints.nearest_blocked(session.account_id, session.mode, space, face.template)
    return Blocked(Resemblance(found.fingerprint.session_id, found.similarity) if found else None, others)


def _space(report: Report) -> Space | None:
    model = report.model
    return Space(model.id, model.sha256, model.preprocessing) if model else None
