"""Templates of faces for programs: added, listed, removed, searched, blocked. No answer holds one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from fv import clock, db, gate
from fv.api import bodies, lists, times
from fv.fingerprints import flows as fingerprints
from fv.fingerprints import listing, store, vector
from fv.fingerprints.flows import Hit
from fv.fingerprints.listing import Fingerprint
from fv.keys import flows as keys
from fv.keys import scopes
from fv.problems import FieldError, Problem
from fv.search import flows
from fv.search.flows import Question
from fv.verifications import flows as verifications

blueprint = Blueprint("fingerprints", __name__)

USUAL = 10  # results


class NewFingerprint(bodies.Body, frozen=True):
    embedding: list[float]
    model: str
    external_user_id: str
    session_id: str | None = None
    mode: str | None = None


class NewSearch(bodies.Body, frozen=True):
    embedding: list[float] | None = None
    session_id: str | None = None
    fingerprint_id: str | None = None
    model: str | None = None
    top_k: int = USUAL
    min_similarity: float = 0.0
    reason: str = ""
    mode: str | None = None


class NewBlock(bodies.Body, frozen=True):
    reason: str


@blueprint.get("/api/v1/fingerprints")
def api_list() -> Response:
    asked, by, model = lists.requested("model"), gate.asker(), request.args.get("model")
    with db.reading():  # while templates move from one gallery to another each is in one of them
        wanted = [one.id for one in store.galleries(by.account_id, keys.mode_of(by)) if model in (None, one.model)]
        rows = listing.page(wanted, asked.created_at, asked.id, asked.limit + 1)
    return jsonify(asked.answer(rows, _shown))


@blueprint.post("/api/v1/fingerprints")
def api_add() -> Response:
    body, by = bodies.read(NewFingerprint), gate.asker()
    mode = _mode(body.mode) or "live"
    _insist_on_model(body.model)
    if not verifications.is_user_id(body.external_user_id):
        _refuse("external_user_id", "invalid")
    with _saying_why_not():
        added = flows.add(by, mode, body.model, body.external_user_id, body.session_id, body.embedding, clock.now())
    response = jsonify(_shown(added))
    response.status_code = 201
    return response


@blueprint.delete("/api/v1/fingerprints/<id>")
def api_delete(id: str) -> Response:
    with _saying_why_not():
        if not flows.remove(gate.asker(), id, clock.now()):
            raise Problem("not_found")
    return Response(status=204)


@blueprint.post("/api/v1/fingerprints/search")
def api_search() -> Response:
    body, by = bodies.read(NewSearch), gate.asker()
    named = [one for one in (body.embedding, body.session_id, body.fingerprint_id) if one is not None]
    if len(named) != 1:
        _refuse("embedding", "contradiction" if named else "missing")
    if body.model is not None:
        _insist_on_model(body.model)
    if not 1 <= body.top_k <= flows.MOST:
        _refuse("top_k", "invalid")
    if not -1 <= body.min_similarity <= 1:
        _refuse("min_similarity", "invalid")
    reason = _reason(body.reason)
    question = Question(body.embedding, body.session_id, body.fingerprint_id, body.model, _mode(body.mode))
    with _saying_why_not():
        answer = flows.ask(by, question, body.top_k, body.min_similarity, reason, clock.now())
    return jsonify(
        search_id=answer.search.id,
        model=answer.search.model,
        searched=answer.found.searched,
        data=[_found(hit) for hit in answer.found.hits],
    )


# ── The block list: a person decides ─────────────────────────────────────────────────────────────────────────


@blueprint.post("/api/v1/fingerprints/<id>/block")
def api_block(id: str) -> Response:
    reason = _reason(bodies.read(NewBlock).reason)
    if not reason:
        _refuse("reason", "invalid")
    with _saying_why_not():
        blocked = flows.block(gate.login(), id, reason, clock.now())
    if blocked is None:
        raise Problem("not_found")
    return jsonify(_shown(blocked))


@blueprint.delete("/api/v1/fingerprints/<id>/block")
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
    if typed is not None and (own or typed not in scopes.MODES):
        _refuse("mode", "not_allowed")
    return own or typed


def _insist_on_model(name: str) -> None:
    if not fingerprints.is_name(name):
        _refuse("model", "invalid")


def _reason(typed: str) -> str:
    reason = flows.reason(typed)
    if reason is None:
        _refuse("reason", "invalid")
    return reason


def _refuse(field: str, why: str) -> NoReturn:
    raise Problem("invalid_request", errors=[FieldError(f"/{field}", why)]) from None


def _shown(one: Fingerprint) -> dict[str, object]:
    blocked = {"reason": one.reason, "blocked_at": times.written(one.blocked_at)}
    return {
        "id": one.id,
        "model": one.model,
        "external_user_id": one.external_user_id,
        "session_id": one.session_id,
        "mode": one.mode,
        "created_at": times.written(one.created_at),
        "blocked": blocked if one.blocked_at is not None else None,
    }


def _found(hit: Hit) -> dict[str, object]:
    one = hit.fingerprint
    return {
        "id": one.id,
        "session_id": one.session_id,
        "external_user_id": one.external_user_id,
        "similarity": round(hit.similarity, 4) + 0.0,  # -0.0 is 0.0
        "created_at": times.written(one.created_at),
    }
