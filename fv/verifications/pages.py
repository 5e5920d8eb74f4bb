"""Sessions for the people behind the gate: the list, one of them, and those that wait for a decision."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, gate, web
from fv.analysis import findings
from fv.analysis.findings import Portrait
from fv.api import lists
from fv.billing.quota import Standing
from fv.evidence import flows as evidence
from fv.fingerprints import listing as fingerprints
from fv.problems import FieldError, Problem
from fv.terms import store as terms
from fv.throttle.flows import Pause
from fv.verifications import explaining, flows, listing, states, store, viewing
from fv.verifications.flows import Asked, Refused
from fv.verifications.listing import Filter
from fv.verifications.store import Verification
from fv.verifications.viewing import NoPhoto
from fv.verifications.views import capture_url, over_quota, picture, read

blueprint = Blueprint("sessions", __name__)

MODES = ("live", "test")
EVER = 2**62  # seconds since 1970
FILTERS = ("external_user_id", "from", "to", "mode")
#: What a tab shows; None: every status.
TABS = {
    "": None,
    "review": ("review",),
    "passed": ("passed",),
    "failed": ("failed",),
    "open": ("pending", "in_progress", "analyzing"),
    "expired": ("expired",),
    "canceled": ("canceled",),
}
MOVING = {"in_progress", "analyzing"}  # what changes while somebody looks on
MAY_DECIDE = {"review": ("passed", "failed"), "passed": ("failed",)}


@blueprint.get("/sessions")
def index() -> Response:
    return _index_screen()


@blueprint.post("/sessions")
def create() -> Response:
    form = request.form
    if form.get("mode") not in MODES:
        raise Problem("invalid_request", errors=[FieldError("/mode", "not_allowed")])
    asked = Asked(form.get("external_user_id", "").strip(), False, form["mode"])
    made = flows.create(gate.login().account_id, asked, None, clock.now())
    if isinstance(made, Pause):
        raise Problem("too_many_sessions", retry_after=made.seconds)
    if isinstance(made, Standing):
        raise over_quota(made)
    if isinstance(made, Refused):
        return _index_screen(422, wrong=made)
    link = capture_url(made.id, made.token)
    return web.screen("verifications/made.html", within="page", made=made, asked=asked, link=link)


@blueprint.get("/sessions/<id>")
def one(id: str) -> Response:
    return _session_screen(_session(id))


@blueprint.get("/sessions/<id>/progress")
def progress(id: str) -> Response:
    """For a page that shows place `at` of the queue: the one it has now, or nothing; at the end what came of it."""
    session = _session(id)
    if not web.is_swap():
        return web.go(".one", id=id)
    if session.status != "analyzing":
        return _session_screen(session)
    if _place(session) == request.args.get("at"):
        return Response(status=204)
    return web.piece(_session_screen(session), "progress")


@blueprint.post("/sessions/<id>/cancel")
def cancel(id: str) -> Response:
    canceled = flows.cancel(gate.login(), id, clock.now())
    if isinstance(canceled, Refused):
        return _session_screen(_session(id), 409, wrong=canceled)
    return web.go(".one", id=id)


@blueprint.post("/sessions/<id>/decision")
def decide(id: str) -> Response:
    """From the page of the session, or from the queue, which then goes on with the next one."""
    form = request.form
    if form.get("decision") not in flows.SUBJECT:
        raise Problem("invalid_request", errors=[FieldError("/decision", "not_allowed")])
    decided = flows.decide(gate.login(), id, form["decision"], form.get("reason", ""), clock.now())
    if isinstance(decided, Refused):
        return _session_screen(_session(id), 422 if decided is Refused.REASON else 409, wrong=decided)
    if form.get("then") == "review":
        return web.go(".review", mode=decided.mode, after=form.get("after") or None)
    return web.go(".one", id=id)


@blueprint.post("/sessions/<id>/photos/<kind>")
def show(id: str, kind: str) -> Response:
    """Lifts the veil. The image is fetched by its own address, and what is recorded is that it was given."""
    session = _session(id)
    photo = viewing.kept(session, kind)
    if isinstance(photo, NoPhoto):
        raise Problem(photo.value)
    return web.screen("verifications/photo.html", within="page", session=session, photo=photo)


@blueprint.get("/sessions/<id>/photos/<kind>.jpg")
def photo(id: str, kind: str) -> Response:
    return picture(viewing.by_person(_session(id), kind, gate.login(), clock.now()))


@blueprint.post("/sessions/<id>/portrait")
def show_portrait(id: str) -> Response:
    """As show(), of the face on the document."""
    session = _session(id)
    photo = viewing.kept(session, "id_photo")
    if isinstance(photo, NoPhoto):
        raise Problem(photo.value)
    _portrait(session)
    return web.screen("verifications/portrait.html", within="page", session=session)


@blueprint.get("/sessions/<id>/portrait.jpg")
def portrait(id: str) -> Response:
    session = _session(id)
    return picture(viewing.portrait_by_person(session, _portrait(session), gate.login(), clock.now()))


@blueprint.post("/sessions/<id>/document")
def show_document(id: str) -> Response:
    """What the document says. To ask for it is to see it, so it is recorded here."""
    session = _session(id)
    document = read(viewing.document_by_person(session, gate.login(), clock.now()))
    return web.screen(
        "verifications/document.html",
        within="page",
        session=session,
        zone=document.mrz,
        title=explaining.title(document),
        rows=explaining.rows(document),
        look_alikes=explaining.look_alikes(document),
    )


@blueprint.get("/review")
def review() -> Response:
    """One at a time, the longest waiting first."""
    asked, mode, account_id, now = lists.requested("mode"), _mode(), gate.login().account_id, clock.now()
    after = (asked.created_at, asked.id) if request.args.get("after") else (0, "")
    rows = listing.longest_waiting(account_id, mode, *after, 2, now)
    return web.screen(
        "verifications/review.html",
        within="page",
        waiting=listing.waiting(account_id, mode),
        listed=replace(asked, limit=1).answer(rows, _looked_into),
        mode=mode,
        after=request.args.get("after"),
    )


def _index_screen(status: int = 200, wrong: Refused | None = None) -> Response:
    asked, account_id, now = lists.requested("status", *FILTERS), gate.login().account_id, clock.now()
    tab, mode = request.args.get("status", ""), _mode()
    if tab not in TABS:
        raise Problem("invalid_request", errors=[FieldError("/status", "not_allowed")])
    wanted = Filter(
        mode,
        TABS[tab],
        request.args.get("external_user_id") or None,
        lists.day("from", 0) - 1,
        lists.day("to", EVER - lists.DAY) + lists.DAY,
    )
    rows = listing.page(account_id, wanted, asked.created_at, asked.id, asked.limit + 1, now)
    counts = listing.counts(account_id, mode, now)
    return web.screen(
        "verifications/index.html",
        status,
        within="page",
        listed=asked.answer(rows, lambda row: row),
        with_photos=evidence.of_verifications(account_id, [row.id for row in rows]),
        is_first=not request.args.get("after"),
        is_moving=any(row.status in MOVING for row in rows[: asked.limit]),
        tab=tab,
        tabs={name: sum(counts[one] for one in TABS[name] or states.NEXT) for name in TABS},
        mode=mode,
        chosen={name: request.args[name] for name in FILTERS if request.args.get(name)},
        here=request.args,
        now=now,
        wrong=wrong,
        typed=request.form,
    )


def _session_screen(session: Verification, status: int = 200, wrong: Refused | None = None) -> Response:
    return web.screen(
        "verifications/session.html",
        status,
        within="page",
        timeline=store.timeline(session.id),
        place=_place(session),
        has_face=bool(fingerprints.of_session(session.account_id, session.id)),
        may_cancel=session.status in states.OPEN,
        term=terms.of_session(session.account_id, session.id),
        now=clock.now(),
        wrong=wrong,
        typed=request.form,
        **_looked_into(session),
    )


def _looked_into(session: Verification) -> dict[str, Any]:
    """What a decision is made on."""
    told = findings.read(session.findings)
    return {
        "session": session,
        "photos": {kind: viewing.kept(session, kind) for kind in flows.STEPS},
        "told": told,
        "checked": explaining.checked(told),
        "detected": explaining.detected(told),
        "reasons": explaining.reasons(told),
        "summary": explaining.summary(told, session.trust_decision, session.status == "review"),
        "no_document": viewing.document_state(session),
        "may_decide": MAY_DECIDE.get(session.status, ()),
    }


def _place(session: Verification) -> str | None:
    """`taken`, or how many come before it; None: it does not wait for its analysis."""
    found = listing.place(session.account_id, session.id, clock.now())
    return None if found is None else "taken" if found.is_taken else str(found.ahead)


def _portrait(session: Verification) -> Portrait:
    found = findings.read(session.findings).portrait
    if found is None:
        raise Problem("not_found")
    return found


def _session(id: str) -> Verification:
    found = store.find(gate.login().account_id, id, None, clock.now())
    if found is None:
        raise Problem("not_found")
    return found


def _mode() -> str:
    mode = request.args.get("mode") or "live"
    if mode not in MODES:
        raise Problem("invalid_request", errors=[FieldError("/mode", "not_allowed")])
    return mode
