"""Sessions for programs: with an API key of the right scope, or with the cookie of a person."""

from typing import Annotated

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, gate, web
from fv.analysis.report import Document
from fv.api import bodies, lists, times
from fv.api.bodies import Limit, Page, Time, words
from fv.api.calls import JPEG, described
from fv.api.parameters import Parameter
from fv.billing.quota import Standing
from fv.evidence import flows as evidence
from fv.evidence.store import Photo
from fv.keys import flows as keys
from fv.problems import FieldError, Problem
from fv.throttle.flows import Pause
from fv.verifications import answers, flows, listing, store, viewing
from fv.verifications.answers import SESSION, Decision, NewSession
from fv.verifications.flows import Asked, Refused
from fv.verifications.listing import Filter
from fv.verifications.store import Verification
from fv.verifications.viewing import NoDocument, NoPhoto
from fv.words import day

blueprint = Blueprint("verifications", __name__)

#: Made from one person's answer to the next, so who sends it twice gets one session.
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    Annotated[str, Limit(pattern=rf"^[!-~]([ -~]{{0,{flows.LONGEST_KEY - 2}}}[!-~])?$", examples=["order-4711"])],
    "Up to 255 characters. Equal requests with the same key make one session and get one answer, for a day.",
)


@blueprint.post("/api/v1/sessions")
@described(
    "createSession",
    "Begin the verification of a person",
    "`external_user_id` stands in the query or in the body; what stands in both has to agree. "
    "Send the person to `capture_url`.",
    query=(
        Parameter("external_user_id", answers.UserId, "As in the body."),
        Parameter("require_poa", Annotated[str, words("true", "false")], "As in the body."),
    ),
    headers=(IDEMPOTENCY_KEY,),
    body=NewSession,
    answers={201: answers.MadeSession},
    problems=("idempotency_key_reused", "quota_exceeded", "too_many_sessions"),
)
def create() -> Response:
    asked, request_key = _asked(), request.headers.get("Idempotency-Key")
    made = flows.create(gate.account_id(), asked, request_key, clock.now())
    if made is Refused.KEY_REUSED:
        raise Problem("idempotency_key_reused")
    if isinstance(made, Pause):
        raise Problem("too_many_sessions", retry_after=made.seconds)
    if isinstance(made, Standing):
        raise over_quota(made)
    if isinstance(made, Refused):
        raise Problem("invalid_request", errors=[FieldError("/external_user_id", "invalid")])
    told = answers.MadeSession(
        session_id=made.id,
        session_token=made.token,
        steps=list(flows.STEPS),
        challenge_nonce=made.nonce,
        capture_url=capture_url(made.id, made.token),
        expires_at=times.written(made.expires_at),
    )
    return bodies.sent(told, 201)


def over_quota(standing: Standing) -> Problem:
    """With what was used, when it begins anew, and what can be done."""
    under_way = f", {standing.pending:,} of them by sessions that are under way" if standing.pending else ""
    return Problem(
        "quota_exceeded",
        detail=f"The {standing.included:,} sessions a month of the plan {standing.plan_name} are taken{under_way}. "
        f"They begin anew on {day(standing.begins_anew)}, 00:00 UTC. A larger plan, chosen on the page Billing, "
        "counts at once; a session that is canceled or expires frees its place.",
        included=standing.included,
        used=standing.used,
        pending=standing.pending,
        begins_anew=times.written(standing.begins_anew),
    )


@blueprint.get("/api/v1/sessions")
@described(
    "listSessions",
    "List sessions",
    query=(
        *lists.PAGE,
        Parameter("status", answers.Status, "Those of this status."),
        Parameter("external_user_id", str, "Those of this person."),
        Parameter("created_after", Time, "Those that were made later."),
        Parameter("created_before", Time, "Those that were made earlier."),
    ),
    answers={200: Page[answers.Session]},
)
def api_list() -> Response:
    asked = lists.asked()
    status = request.args.get("status")
    wanted = Filter(
        keys.mode_of(gate.asker()),
        (status,) if status else None,
        request.args.get("external_user_id"),
        lists.moment("created_after", -1),
        lists.moment("created_before", 2**62),
    )
    rows = listing.page(gate.account_id(), wanted, asked.created_at, asked.id, asked.limit + 1, clock.now())
    taken = evidence.of_verifications(gate.account_id(), [row.id for row in rows])
    return bodies.sent(asked.page(rows, lambda row: answers.told(row, taken.get(row.id, set()))))


@blueprint.get("/api/v1/sessions/<id>")
@described("getSession", "Read a session", path=(SESSION,), answers={200: answers.Session})
def api_get(id: str) -> Response:
    return bodies.sent(_whole(_session(id)))


@blueprint.get("/api/v1/sessions/<id>/photos")
@described("listPhotos", "List its photos", path=(SESSION,), answers={200: Page[answers.Photo]}, problems=("erased",))
def api_photos(id: str) -> Response:
    found = [viewing.kept(_session(id), kind) for kind in flows.STEPS]
    shown = [answers.photo(photo) for photo in found if isinstance(photo, Photo)]
    if not shown and NoPhoto.ERASED in found:
        raise Problem("erased")
    return bodies.sent(Page(data=shown, has_more=False, next_cursor=None))


@blueprint.get("/api/v1/sessions/<id>/photos/<kind>")
@described(
    "getPhoto",
    "Look at a photo",
    "Each call is a row of the audit trail and one `photo_views`. A key gets the photo as it was taken; a person gets "
    "it with their email and the time across it.",
    path=(SESSION, answers.KIND),
    answers={200: JPEG},
    problems=("erased", "busy"),
)
def api_photo(id: str, kind: str) -> Response:
    """Plain for a program; with the name of who looks across it for a person."""
    session, key, now = _session(id), gate.caller().key, clock.now()
    return picture(
        viewing.by_key(session, kind, key, now) if key else viewing.by_person(session, kind, gate.login(), now)
    )


@blueprint.get("/api/v1/sessions/<id>/document")
@described(
    "getDocument",
    "Read what the document says",
    "Each call is a row of the audit trail; it is not counted.",
    path=(SESSION,),
    answers={200: answers.Document},
    problems=("document_not_read", "erased"),
)
def api_document(id: str) -> Response:
    """What was read from the document."""
    session, key, now = _session(id), gate.caller().key, clock.now()
    if key:
        return bodies.sent(answers.document(read(viewing.document_by_key(session, key.prefix, now))))
    return bodies.sent(answers.document(read(viewing.document_by_person(session, gate.login(), now))))


def picture(seen: bytes | NoPhoto) -> Response:
    if isinstance(seen, NoPhoto):
        raise Problem(seen.value)
    return Response(seen, mimetype="image/jpeg")


def read(seen: Document | NoDocument) -> Document:
    if isinstance(seen, NoDocument):
        raise Problem(seen.value)
    return seen


@blueprint.post("/api/v1/sessions/<id>/cancel")
@described(
    "cancelSession",
    "Cancel a session",
    "While the person has not submitted.",
    path=(SESSION,),
    answers={200: answers.Session},
    problems=("invalid_transition",),
)
def cancel(id: str) -> Response:
    return _changed(flows.cancel(gate.asker(), id, clock.now()))


@blueprint.post("/api/v1/sessions/<id>/decision")
@described(
    "decideSession",
    "Decide a session",
    "From `review`, or from `passed` to `failed`.",
    path=(SESSION,),
    body=Decision,
    answers={200: answers.Session},
    problems=("invalid_transition",),
)
def decide(id: str) -> Response:
    _session(id)  # whose it is, is asked before what was sent is read
    body = bodies.read(Decision)
    return _changed(flows.decide(gate.login(), id, body.decision, body.reason, clock.now()))


def capture_url(id: str, token: str) -> str:
    """What the end user opens."""
    return f"{web.address_of('capture.front')}?sid={id}&st={token}"


def _whole(session: Verification) -> answers.Session:
    return answers.told(session, {photo.kind for photo in evidence.of_verification(session.account_id, session.id)})


def _session(id: str) -> Verification:
    found = store.find(gate.account_id(), id, keys.mode_of(gate.asker()), clock.now())
    if found is None:
        raise Problem("not_found")
    return found


def _asked() -> Asked:
    """From the query or the body; what stands in both has to agree."""
    body, given = bodies.read(NewSession), request.args
    user_id = given.get("external_user_id", body.external_user_id)
    if user_id is None:
        raise Problem("invalid_request", errors=[FieldError("/external_user_id", "missing")])
    typed = given.get("require_poa")
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
    return bodies.sent(_whole(result))
