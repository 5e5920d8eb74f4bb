"""The page of the person who was photographed: what is kept, until when, erase it now. Its address holds a code."""

import json

from flask import Blueprint, current_app, request
from werkzeug.wrappers import Response

from fv import clock, web
from fv.api import parameters
from fv.problems import Problem
from fv.retention import confirming, flows, planning
from fv.retention import store as erasures
from fv.retention.flows import Refused
from fv.terms import flows as term_flows
from fv.terms import span
from fv.terms import store as terms
from fv.terms.store import Term
from fv.verifications.store import Verification

blueprint = Blueprint("receipts", __name__)

WISH = "the person asked for it on their own page"


@blueprint.get("/v/receipt/<code>")
def page(code: str) -> Response:
    parameters.only()
    return _screen(code)


@blueprint.post("/v/receipt/<code>")
def erase(code: str) -> Response:
    """All of it, after one question. Under a legal hold: on the day that it ends."""
    term, session = _found(code)
    if request.form.get("sure") != "yes":
        return _screen(code, 422, unticked=True)
    now = clock.now()
    if session.status == "analyzing":
        return _screen(code, 409, is_too_early=True)
    if flows.erase_for(session, "person", WISH, now) is Refused.HELD:
        planning.end_with_hold(session, term)
    return web.go_or_show(".page", lambda: _screen(code), code=code)


@blueprint.get("/v/receipt/<code>/signed")
def signed(code: str) -> Response:
    """The receipt as a file."""
    _, session = _found(code)
    erasure = erasures.latest_of(session.id)
    if erasure is None or erasure.status != "erased":
        raise Problem("no_receipt")
    text = json.dumps(confirming.as_json(erasure), ensure_ascii=False, indent=2)
    response = Response(f"{text}\n", mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="facevault-{erasure.id}.json"'
    return response


@blueprint.get("/retention-policy")
def policy() -> Response:
    """With the numbers of this service as they are now."""
    days = [term_flows.default().in_days(), *terms.every_days()]
    return web.screen(
        "receipts/policy.html",
        ranges={name: (min(one[name] for one in days), max(one[name] for one in days)) for name in span.CLASSES},
        default=term_flows.default().in_days()["photos"],
        window=current_app.config["SESSION_WINDOW"],
        keys=confirming.public_keys(),
        copy_days=confirming.COPY_KEPT // span.DAY,
    )


def _found(code: str) -> tuple[Term, Verification]:
    term = terms.of_receipt(span.hash_of(code))
    session = flows.find(term.account_id, term.session_id, None, clock.now()) if term else None
    if term is None or session is None:
        raise Problem("no_receipt")
    return term, session


def _screen(code: str, status: int = 200, unticked: bool = False, is_too_early: bool = False) -> Response:
    (term, session), now = _found(code), clock.now()
    return web.screen(
        "receipts/page.html",
        status,
        code=code,
        term=term,
        session=session,
        held=flows.held_of(session.account_id, session.id),
        is_held=term.is_held(now),
        erasure=erasures.latest_of(session.id) if session.erased_at is not None else None,
        because=confirming.BECAUSE,
        unticked=unticked,
        is_too_early=is_too_early,
    )
