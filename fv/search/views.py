"""Templates of faces for programs: added, listed, removed, searched, blocked. No answer holds one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, db, gate
from fv.api import bodies, lists
from fv.api.bodies import Page
from fv.api.calls import described
from fv.api.parameters import Parameter
from fv.fingerprints import listing, store, vector
from fv.keys import flows as keys
from fv.problems import FieldError, Problem
from fv.search import answers, flows
from fv.search.answers import FINGERPRINT, NewBlock, NewFingerprint, NewSearch
from fv.search.flows import Question
from fv.verifications import flows as verifications

blueprint = Blueprint("fingerprints", __name__)


@blueprint.get("/api/v1/fingerprints")
@described(
    "listFingerprints",
    "List fingerprints",
    query=(*lists.PAGE, Parameter("model", str, "Those of this model.")),
    answers={200: Page[answers.Fingerprint]},
)
def api_list() -> Response:
    asked, by, model = lists.asked(), gate.asker(), request.args.get("model")
    with db.reading():  # while templates move from one gallery to another each is in one of them
        wanted = [one.id for one in store.galleries(by.account_id, keys.mode_of(by)) if model in (None, one.model)]
        rows = listing.page(wanted, asked.created_at, asked.id, asked.limit + 1)
    return bodies.sent(asked.page(rows, answers.told))


@blueprint.post("/api/v1/fingerprints")
@described(
    "addFingerprint",
    "Add a fingerprint",
    body=NewFingerprint,
    answers={201: answers.Fingerprint},
    problems=("not_found", "erased"),
)
def api_add() -> Response:
    body, by = bodies.read(NewFingerprint), gate.asker()
    mode = _mode(body.mode) or "live"
    if not verifications.is_user_id(body.external_user_id):
        _refuse("external_user_id", "invalid")
    with _saying_why_not():
        added = flows.add(by, mode, body.model, body.external_user_id, body.session_id, body.embedding, clock.now())
    return bodies.sent(answers.told(added), 201)


@blueprint.delete("/api/v1/fingerprints/<string(length=35):id>")  # not /search, which is only posted to
@described("removeFingerprint", "Remove a fingerprint", path=(FINGERPRINT,), answers={204: None})
def api_delete(id: str) -> Response:
    with _saying_why_not():
        if not flows.remove(gate.asker(), id, clock.now()):
            raise Problem("not_found")
    return Response(status=204)


@blueprint.post("/api/v1/fingerprints/search")
@described(
    "searchFingerprints",
    "Find who is most like this face",
    "Exact: every fingerprint of this account, mode and model is compared. Each search is a row of the audit trail and "
    "one `searches`.",
    body=NewSearch,
    answers={200: answers.Search},
    problems=("model_mismatch", "not_found", "erased"),
)
def api_search() -> Response:
    body, by = bodies.read(NewSearch), gate.asker()
    named = [one for one in (body.embedding, body.session_id, body.fingerprint_id) if one is not None]
    if len(named) != 1:
        _refuse("embedding", "contradiction" if named else "missing")
    reason = _reason(body.reason)
    question = Question(body.embedding, body.session_id, body.fingerprint_id, body.model, _mode(body.mode))
    with _saying_why_not():
        answer = flows.ask(by, question, body.top_k, body.min_similarity, reason, clock.now())
    return bodies.sent(answers.found(answer))


# ── The block list: a person decides ─────────────────────────────────────────────────────────────────────────


@blueprint.post("/api/v1/fingerprints/<id>/block")
@described(
    "blockFingerprint",
    "Block a face",
    "No session passes by itself with it. One that is blocked keeps its first reason.",
    path=(FINGERPRINT,),
    body=NewBlock,
    answers={200: answers.Fingerprint},
    problems=("model_mismatch",),
)
def api_block(id: str) -> Response:
    if listing.find(gate.login().account_id, id, None) is None:
        raise Problem("not_found")  # before what was sent is read: whose id it is, is asked first
    reason = _reason(bodies.read(NewBlock).reason)
    if not reason:
        _refuse("reason", "invalid")
    with _saying_why_not():
        blocked = flows.block(gate.login(), id, reason, clock.now())
    if blocked is None:
        raise Problem("not_found")
    return bodies.sent(answers.told(blocked))


@blueprint.delete("/api/v1/fingerprints/<id>/block")
@described("unblockFingerprint", "Unblock a face", path=(FINGERPRINT,), answers={204: None})
def api_unblock(id: str) -> Response:
    with _saying_why_not():
        if flows.unblock(gate.login(), id, clock.now()) is None:
            raise Problem("not_found")
    return Response(status=204)


# ── What is asked, and what is told ──────────────────────────────────────────────────────────────────────────


@contextmanager
def _saying_why_not() -> Iterator[None]:
    try:
        yield
    except vector.Unusable:
        _refuse("embedding", "invalid")
    except (flows.NoFace, flows.NoSession):
        raise Problem("not_found") from None
    except flows.Erased:
        raise Problem("erased") from None
    except flows.ModelMismatch as mismatch:
        raise Problem("model_mismatch", models=list(mismatch.stored)) from None
    except flows.Gone:
        raise Problem("not_authenticated") from None


def _mode(typed: str | None) -> str | None:
    """A key has its own. None: nobody said."""
    own = keys.mode_of(gate.asker())
    if own and typed is not None:
        _refuse("mode", "not_allowed")
    return own or typed


def _reason(typed: str) -> str:
    reason = flows.reason(typed)
    if reason is None:
        _refuse("reason", "invalid")
    return reason


def _refuse(field: str, why: str) -> NoReturn:
    raise Problem("invalid_request", errors=[FieldError(f"/{field}", why)]) from None
