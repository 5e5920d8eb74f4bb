"""Sessions for programs: with an API key of the right scope, or with the cookie of a person."""

import re
from collections.abc import Set

from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from fv import clock, gate, web, words
from fv.analysis import findings
from fv.analysis.report import Document
from fv.api import bodies, lists, times
from fv.billing.quota import Standing
from fv.evidence import flows as evidence
from fv.evidence.store import Photo
from fv.keys import flows as keys
from fv.problems import FieldError, Problem
from fv.throttle.flows import Pause
from fv.verifications import flows, listing, states, store, viewing
from fv.verifications.flows import Asked, Refused
from fv.verifications.listing import Filter
from fv.verifications.store import Verification
from fv.verifications.viewing import NoDocument, NoPhoto

blueprint = Blueprint("verifications", __name__)

#: What is told of a document, in this order; what it does not say is null.
FIELDS = (
    "type", "issuing_country", "full_name", "given_names", "surname", "date_of_birth", "nationality", "sex",
    "document_number", "expires_on",
)  # fmt: skip


class NewSession(bodies.Body, frozen=True):
    external_user_id: str | None = None
    require_poa: bool | None = None


class Decision(bodies.Body, frozen=True):
    decision: str
    reason: str


@blueprint.post("/api/v1/sessions")
def create() -> Response:
    asked, request_key = _asked(), request.headers.get("Idempotency-Key")
    if request_key is not None and not re.fullmatch(rf"[ -~]{{1,{flows.LONGEST_KEY}}}", request_key):
        raise Problem("invalid_request", errors=[FieldError("/Idempotency-Key", "invalid")])
    made = flows.create(gate.account_id(), asked, request_key, clock.now())
    if made is Refused.KEY_REUSED:
        raise Problem("idempotency_key_reused")
    if isinstance(made, Pause):
        raise Problem("too_many_sessions", retry_after=made.seconds)
    if isinstance(made, Standing):
        raise over_quota(made)
    if isinstance(made, Refused):
        raise Problem("invalid_request", errors=[FieldError("/external_user_id", "invalid")])
    response = jsonify(
        session_id=made.id,
        session_token=made.token,
        steps=list(flows.STEPS),
        challenge_nonce=made.nonce,
        capture_url=capture_url(made.id, made.token),
        expires_at=times.written(made.expires_at),
    )
    response.status_code = 201
    return response


def over_quota(standing: Standing) -> Problem:
    """With what was used, when it begins anew, and what can be done."""
    under_way = f", {standing.pending:,} of them by sessions that are under way" if standing.pending else ""
    return Problem(
        "quota_exceeded",
        detail=f"The {standing.included:,} sessions a month of the plan {standing.plan_name} are taken{under_way}. "
        f"They begin anew on {words.day(standing.begins_anew)}, 00:00 UTC. A larger plan, chosen on the page Billing, "
        "counts at once; a session that is canceled or expires frees its place.",
        included=standing.included,
        used=standing.used,
        pending=standing.pending,
        begins_anew=times.written(standing.begins_anew),
    )


@blueprint.get("/api/v1/sessions")
def api_list() -> Response:
    asked = lists.requested("status", "external_user_id", "created_after", "created_before")
    status = request.args.get("status")
    if status is not None and status not in states.NEXT:
        raise Problem("invalid_request", errors=[FieldError("/status", "not_allowed")])
    wanted = Filter(
        keys.mode_of(gate.asker()),
        (status,) if status else None,
        request.args.get("external_user_id"),
        lists.moment("created_after", -1),
        lists.moment("created_before", 2**62),
    )
    rows = listing.page(gate.account_id(), wanted, asked.created_at, asked.id, asked.limit + 1, clock.now())
    taken = evidence.of_verifications(gate.account_id(), [row.id for row in rows])
    return jsonify(asked.answer(rows, lambda row: as_json(row, taken.get(row.id, set()))))


@blueprint.get("/api/v1/sessions/<id>")
def api_get(id: str) -> Response:
    return jsonify(_whole(_session(id)))


@blueprint.get("/api/v1/sessions/<id>/photos")
def api_photos(id: str) -> Response:
    found = [viewing.kept(_session(id), kind) for kind in flows.STEPS]
    shown = [_photo_as_json(photo) for photo in found if isinstance(photo, Photo)]
    if not shown and NoPhoto.ERASED in found:
        raise Problem("erased")
    return jsonify(data=shown, has_more=False, next_cursor=None)


@blueprint.get("/api/v1/sessions/<id>/photos/<kind>")
def api_photo(id: str, kind: str) -> Response:
    """Plain for a program; with the name of who looks across it for a person."""
    session, key, now = _session(id), gate.caller().key, clock.now()
    return picture(
        viewing.by_key(session, kind, key, now) if key else viewing.by_person(session, kind, gate.login(), now)
    )


@blueprint.get("/api/v1/sessions/<id>/document")
def api_document(id: str) -> Response:
    """What was read from the document."""
    session, key, now = _session(id), gate.caller().key, clock.now()
    if key:
        return jsonify(_document_as_json(read(viewing.document_by_key(session, key.prefix, now))))
    return jsonify(_document_as_json(read(viewing.document_by_person(session, gate.login(), now))))


def picture(seen: bytes | NoPhoto) -> Response:
    if isinstance(seen, NoPhoto):
        raise Problem(seen.value)
    return Response(seen, mimetype="image/jpeg")


def read(seen: Document | NoDocument) -> Document:
    if isinstance(seen, NoDocument):
        raise Problem(seen.value)
    return seen


@blueprint.post("/api/v1/sessions/<id>/cancel")
def cancel(id: str) -> Response:
    return _changed(flows.cancel(gate.asker(), id, clock.now()))


@blueprint.post("/api/v1/sessions/<id>/decision")
def decide(id: str) -> Response:
    body = bodies.read(Decision)
    if body.decision not in flows.SUBJECT:
        raise Problem("invalid_request", errors=[FieldError("/decision", "not_allowed")])
    return _changed(flows.decide(gate.login(), id, body.decision, body.reason, clock.now()))


def capture_url(id: str, token: str) -> str:
    """What the end user opens."""
    return f"{web.address_of('capture.front')}?sid={id}&st={token}"


def as_json(session: Verification, taken: Set[str]) -> dict[str, object]:
    """`taken`: the kinds of photo there are."""
    results = {finding.check: finding.result for finding in findings.read(session.findings).findings}
    return {
        "session_id": session.id,
        "external_user_id": session.external_user_id,
        "status": session.status,
        "steps": {step: step in taken for step in flows.STEPS},
        "face_match_passed": session.face_match_passed,
        "error": session.error,
        "created_at": times.written(session.created_at),
        "completed_at": times.written(session.completed_at),
        "trust_score": session.trust_score,
        "trust_decision": session.trust_decision,
        "require_poa": session.require_poa,
        "poa": None,
        "anti_spoofing": None,
        "credential": None,
        "checks": {check: results.get(check) for check in findings.CHECKS},
        "mode": session.mode,
        "data_state": "retained" if session.erased_at is None else "erased",
        "erase_after": times.written(session.erase_after),
    }


def _whole(session: Verification) -> dict[str, object]:
    return as_json(session, {photo.kind for photo in evidence.of_verification(session.account_id, session.id)})


def _photo_as_json(photo: Photo) -> dict[str, object]:
    return {
        "kind": photo.kind,
        "width": photo.width,
        "height": photo.height,
        "bytes": photo.bytes,
        "taken_at": times.written(photo.taken_at),
    }


def _document_as_json(document: Document) -> dict[str, object]:
    told: dict[str, object] = {name: document.fields.get(name) for name in FIELDS}
    return told | {"mrz": document.mrz}


def _session(id: str) -> Verification:
    found = store.find(gate.account_id(), id, keys.mode_of(gate.asker()), clock.now())
    if found is None:
        raise Problem("not_found")
    return found


def _asked() -> Asked:
    """From the query or the body; what stands in both has to agree."""
    body, given = bodies.read(NewSession), request.args
    lists.only("external_user_id", "require_poa")
    user_id = given.get("external_user_id", body.external_user_id)
    if user_id is None:
        raise Problem("invalid_request", errors=[FieldError("/external_user_id", "missing")])
    typed = given.get("require_poa")
    if typed not in (None, "true", "false"):
        raise Problem("invalid_request", errors=[FieldError("/require_poa", "invalid")])
    require_poa = bool(body.require_poa) if typed is None else typed == "true"
    if body.external_user_id not in (None, user_id) or body.require_poa not in (None, require_poa):
        raise Problem("invalid_request", errors=[FieldError("/external_user_id", "contradiction")])
    by = gate.asker()
    return Asked(user_id, require_poa, keys.mode_of(by) or "live", keys.id_of(by))


def _changed(result: Verification | Refused) -> Response:
    if result is Refused.NOT_THERE:
        raise Problem("not_found")
    if result is Refused.TRANSITION:
        raise Problem("invalid_transition")
    if isinstance(result, Refused):
        raise Problem("invalid_request", errors=[FieldError("/reason", "invalid")])
    return jsonify(_whole(result))
