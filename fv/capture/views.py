"""The end user's page, one address for all its steps, and the same for programs.

GET never changes anything: previews of a chat open links too. Who holds the link is known by a cookie of its own, which
is sent to these pages only and says nothing about an account. A browser has one; each form says which session it is
of (`of`), so that nothing sent from a page of an earlier link lands in a later one.
"""

from typing import Any, NoReturn

from flask import Blueprint, jsonify, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from fv import clock, gate, receiving, web
from fv.api import bodies, parameters
from fv.api.calls import described
from fv.capture import answers, flows, opened
from fv.capture.flows import Step
from fv.evidence.intake import Refused as NoPhoto
from fv.evidence.store import Photo
from fv.problems import FieldError, Problem
from fv.terms import store as terms
from fv.terms.store import Term
from fv.verifications import flows as verifications
from fv.verifications import states
from fv.verifications.answers import KIND
from fv.verifications.flows import Refused
from fv.verifications.store import Verification

blueprint = Blueprint("capture", __name__)

#: What a refusal by the session is called outside.
CODES = {
    Refused.CONSENT: "consent_required",
    Refused.NONCE: "invalid_nonce",
    Refused.TRANSITION: "invalid_transition",
}


@blueprint.get("/")
def front() -> Response:
    """The end user's link, in the form that the published client makes; for everybody else the way in."""
    id, token = request.args.get("sid"), request.args.get("st")
    if id is None and token is None:
        return web.go("dashboard.index" if gate.caller().login else "login.password_form")
    session = verifications.by_link(id or "", token or "", clock.now())
    if session is None:
        raise Problem("no_session")
    if flows.step(session, {}) is Step.OVER:
        raise Problem("session_ended")
    return opened.remember(web.go(".page"), session.id, token or "", session.expires_at)


@blueprint.get("/v/s")
def page() -> Response:
    return _screen(opened.session(), again=request.args.get("photo"))


@blueprint.post("/v/s/start")
def start() -> Response:
    session = opened.session()
    if flows.step(session, {}) is Step.CONSENT and request.form.get("consent") != "yes":
        return _screen(session, 422, unticked=True)
    verifications.consent(session, clock.now())
    return _onward()


@blueprint.post("/v/s/photos/<kind>")
def keep_photo(kind: str) -> Response:
    session = opened.session()
    if kind not in verifications.STEPS:
        raise Problem("not_found")
    if session.status != "in_progress":
        return _screen(session, 422) if session.status == "pending" else _onward()
    try:
        kept = _kept(session, kind)
    except RequestEntityTooLarge:  # not read: said like a photo that was, and the page is still there
        return _screen(session, 413, again=kind, refused=NoPhoto.TOO_LARGE)
    if isinstance(kept, Photo) or kept is Refused.TRANSITION:
        return _onward()
    if kind == Step.HEAD_TURN.value:
        session = flows.challenged(opened.session(), clock.now())
    return _screen(session, 422, again=kind, refused=kept)


@blueprint.post("/v/s/challenge")
def challenge() -> Response:
    """Show which way to turn the head, now that the person is ready to."""
    session = opened.session()
    if session.status == "in_progress":
        flows.challenged(session, clock.now())
    return _onward(again=Step.HEAD_TURN.value)


@blueprint.post("/v/s/submit")
def submit() -> Response:
    verifications.submit(opened.session(), clock.now())
    return _onward()


@blueprint.get("/v/s/status")
def status() -> Response:
    """For a page that shows step `at` while the person goes on elsewhere: the screen of another step, or nothing."""
    session = opened.session()
    if not web.is_swap():
        return jsonify(status=session.status)
    step = flows.step(session, verifications.taken(session))
    return Response(status=204) if step.value == request.args.get("at") else _screen(session)


# ── The same for programs ────────────────────────────────────────────────────────────────────────────────────


@blueprint.post("/api/v1/capture/consent")
@described(
    "consentToCapture",
    "Say that the person agrees",
    "Before any photo.",
    answers={200: answers.CaptureState},
    problems=("invalid_transition",),
    by_token=True,
)
def api_consent() -> Response:
    session = _session_of_token()
    if not verifications.consent(session, clock.now()):
        raise Problem("invalid_transition")
    return _state()


@blueprint.post("/api/v1/capture/photos/<kind>")
@described(
    "sendPhoto",
    "Send a photo",
    "`invalid_photo` says why in `errors`. For a `liveness_frame` a refusal brings the next `challenge` and its "
    "`challenge_nonce`.",
    path=(KIND,),
    form=(answers.PHOTO, answers.NONCE),
    answers={201: answers.CaptureState},
    problems=("invalid_transition", "consent_required", "invalid_photo", "invalid_nonce"),
    by_token=True,
)
def api_keep_photo(kind: str) -> Response:
    session = _session_of_token()
    if kind not in verifications.STEPS:
        raise Problem("not_found")
    _insist_on_consent(session)
    kept = _kept(session, kind)
    if not isinstance(kept, Photo):
        _refuse(kept, kind)
    return _state(201)


@blueprint.post("/api/v1/capture/submit")
@described(
    "submitCapture",
    "Say that everything is there",
    "From then on it is analysed.",
    answers={200: answers.CaptureState},
    problems=("invalid_transition", "consent_required", "photos_missing"),
    by_token=True,
)
def api_submit() -> Response:
    session = _session_of_token()
    _insist_on_consent(session)
    submitted = verifications.submit(session, clock.now())
    if isinstance(submitted, Refused):
        raise Problem(CODES[submitted])
    if not submitted:
        missing = [kind for kind, is_there in verifications.taken(session).items() if not is_there]
        raise Problem("photos_missing", errors=[FieldError(f"/{kind}", "missing") for kind in missing])
    return _state()


@blueprint.get("/api/v1/capture/status")
@described("getCaptureState", "Ask how far it is", answers={200: answers.CaptureState}, by_token=True)
def api_status() -> Response:
    _session_of_token()
    return _state()


def _insist_on_consent(session: Verification) -> None:
    """Before a photo is read. Who comes too late is told so, whatever else is missing."""
    if session.status not in states.OPEN:
        raise Problem("invalid_transition")
    if session.consented_at is None:
        raise Problem("consent_required")


def _refuse(why: NoPhoto | Refused | None, kind: str) -> NoReturn:
    """With the challenge to answer next, when it is about the head turn."""
    code = CODES[why] if isinstance(why, Refused) else "invalid_photo"
    errors = [] if isinstance(why, Refused) else [FieldError("/photo", why.value if why else "missing")]
    if kind != Step.HEAD_TURN.value or code == "invalid_transition":
        raise Problem(code, errors=errors)
    new = flows.challenged(_session_of_token(), clock.now())
    raise Problem(code, errors=errors, challenge=new.challenge, challenge_nonce=new.nonce)


def _state(status: int = 200) -> Response:
    return bodies.sent(answers.state(_session_of_token()), status)


# ── Whose session it is ──────────────────────────────────────────────────────────────────────────────────────


def _session_of_token() -> Verification:
    shown = request.authorization
    token = shown.token if shown and shown.type == "bearer" else None
    session = verifications.by_token(token, clock.now()) if token else None
    if session is None:
        raise Problem("not_authenticated")
    parameters.only()
    return session


# ── What is shown ────────────────────────────────────────────────────────────────────────────────────────────


def _kept(session: Verification, kind: str) -> Photo | NoPhoto | Refused | None:
    """None: no photo came."""
    with receiving.photo(session.id) as raw:
        if not raw:
            return None
        return verifications.keep_photo(session, kind, raw, request.form.get("nonce"), clock.now())


def _onward(again: str | None = None) -> Response:
    """After a change: the step that comes now. It has a fresh challenge, if it is the head turn."""
    session, now = opened.session(), clock.now()
    if flows.step(session, verifications.taken(session), again) is Step.HEAD_TURN:
        session = flows.challenged(session, now)
    return web.go_or_show(".page", lambda: _screen(session, again=again), photo=again)


def _screen(session: Verification, status: int = 200, again: str | None = None, **context: Any) -> Response:
    taken = verifications.taken(session)
    step, now_at = flows.step(session, taken, again), flows.step(session, taken)
    if step is Step.OVER:
        raise Problem("session_ended")
    templates = {Step.CONSENT: "consent", Step.SENDING: "sending", Step.END: "end"}
    template = templates.get(step, "photo")
    if step is Step.HEAD_TURN and not flows.has_time(session, clock.now()):
        template = "ready"
    term = terms.of_session(session.account_id, session.id)
    link = None if step is Step.END else opened.link()  # to go on elsewhere: afterwards nobody needs it
    return web.screen(
        f"capture/{template}.html", status, session=session, step=step.value, now_at=now_at.value, taken=taken,
        is_decided=session.status in states.COMPLETED, link=link,
        agree_at=url_for(".start", of=session.id), kept_for=_kept_for(term), term=term,
        receipt=url_for("receipts.page", code=opened.receipt_code()) if term and term.receipt_hash else None, **context,
    )  # fmt: skip


def _kept_for(term: Term | None) -> dict[str, int]:
    """Seconds from the making of the session, of each kind."""
    return {kind: (until or 0) - term.counted_from for kind, until in term.untils.items()} if term else {}
