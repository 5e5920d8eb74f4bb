"""Face search for the people behind the gate: ask, look at what was found, block a face or no longer."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from fv import clock, gate, receiving, web
from fv.accounts.store import Login
from fv.api import parameters
from fv.evidence.intake import Refused
from fv.fingerprints import flows as fingerprints
from fv.fingerprints import listing
from fv.fingerprints import store as galleries
from fv.fingerprints.listing import Fingerprint
from fv.keys import scopes
from fv.problems import Problem
from fv.search import flows, photo, results
from fv.search import store as searches
from fv.search.flows import Question

blueprint = Blueprint("search", __name__)

USUAL = 10  # results
RECENT = 10  # searches that are listed
MOST_BLOCKED = 100  # faces of the block list that are shown
LONGEST_FORM = 64 * 1024 * 1024  # bytes: the other fields of a form with too large a photo are still known
MEANT = re.compile(r"(?:vs|fp)_[0-9a-f]{32}")


@dataclass(frozen=True)
class Wrong:
    """A field, or none of them, and what to say of it."""

    field: str
    sentence: str
    status: int = 422


@dataclass(frozen=True)
class Asked:
    """What the form says, but for the photo. `face`: an id, or empty."""

    face: str
    mode: str
    model: str | None
    most: int
    least: float
    reason: str


@blueprint.get("/search")
def index() -> Response:
    parameters.only("session_id", "fingerprint_id")
    return _screen({"face": request.args.get("session_id") or request.args.get("fingerprint_id") or ""})


@blueprint.post("/search")
def ask() -> Response:
    login = gate.login()
    try:
        with receiving.photo(f"search {login.account_id}", LONGEST_FORM) as raw:
            understood = _understood(request.form, raw)
    except RequestEntityTooLarge:
        return _screen({}, wrong=Wrong("photo", Refused.TOO_LARGE.sentence, 413))
    if isinstance(understood, Wrong):
        return _screen(request.form, wrong=understood)
    asked, question = understood
    try:
        answer = flows.ask(login, question, asked.most, asked.least, asked.reason, clock.now())
    except flows.NoFace:
        said = "There is no such session or fingerprint, or no face of it is stored."
        return _screen(request.form, wrong=Wrong("face", said, 404))
    except flows.ModelMismatch as mismatch:
        return _screen(request.form, wrong=_mismatch(question, mismatch))
    except flows.Gone:
        return web.go(".index")
    shown = results.shown(answer, question, asked.most, galleries.galleries(login.account_id))
    return _screen(request.form, shown=shown)


@blueprint.post("/search/block")
def block() -> Response:
    reason = flows.reason(request.form.get("reason", ""))
    if not reason:
        return _face_screen(_face(), 422, f"Say why, in up to {flows.LONGEST_REASON} characters.")
    return _changed(lambda login, id: flows.block(login, id, reason, clock.now()))


@blueprint.post("/search/unblock")
def unblock() -> Response:
    return _changed(lambda login, id: flows.unblock(login, id, clock.now()))


# ── What is asked ────────────────────────────────────────────────────────────────────────────────────────────


def _understood(form: Mapping[str, str], raw: bytes) -> tuple[Asked, Question] | Wrong:
    """A photo is looked at last: that takes a while."""
    asked = _asked(form, raw)
    if isinstance(asked, Wrong):
        return asked
    question = _question(asked, raw)
    return question if isinstance(question, Wrong) else (asked, question)


def _asked(form: Mapping[str, str], raw: bytes) -> Asked | Wrong:
    face = next((form[name].strip() for name in ("face", "session_id", "fingerprint_id") if form.get(name)), "")
    if bool(face) == bool(raw):
        return Wrong("face", "Either an id or a photo, not both." if face else "Give an id, or choose a photo.")
    if face and not MEANT.fullmatch(face):
        return Wrong("face", "An id is vs_ or fp_ and 32 characters. Copy it from the page of a session.")
    most, least = form.get("top_k", "").strip() or str(USUAL), form.get("min_similarity", "").strip() or "0"
    if not re.fullmatch(r"[0-9]{1,3}", most) or not 1 <= int(most) <= flows.MOST:
        return Wrong("top_k", f"A whole number from 1 to {flows.MOST}.")
    if not re.fullmatch(r"-?[0-9]{0,2}\.?[0-9]{1,8}", least) or not -1 <= float(least) <= 1:
        return Wrong("min_similarity", "A number from -1 to 1, such as 0.86.")
    mode, model = form.get("mode") or "live", form.get("model") or None
    if mode not in scopes.MODES or (model is not None and not fingerprints.is_name(model)):
        return Wrong("", "Choose mode and model again.")
    reason = flows.reason(form.get("reason", ""))
    if not reason:
        return Wrong("reason", f"Say why, in up to {flows.LONGEST_REASON} characters.")
    return Asked(face, mode, model, int(most), float(least), reason)


def _question(asked: Asked, raw: bytes) -> Question | Wrong:
    """A stored face is compared with those of its own mode."""
    if asked.face.startswith("vs_"):
        return Question(session_id=asked.face, model=asked.model)
    if asked.face:
        return Question(fingerprint_id=asked.face, model=asked.model)
    seen = photo.face_of(raw)
    if isinstance(seen, str):
        return Wrong("photo", seen)
    return Question(seen.template, model=seen.model, mode=asked.mode, by_photo=True)


def _mismatch(question: Question, mismatch: flows.ModelMismatch) -> Wrong:
    stored = ", ".join(mismatch.stored)
    if question.by_photo:
        said = f"Photos are compared by {question.model}, and no template of it is stored. There are some of: {stored}."
        return Wrong("photo", said, 409)
    return Wrong("face", f"There is no template of it of {question.model}. There are some of: {stored}.", 409)


# ── What is shown ────────────────────────────────────────────────────────────────────────────────────────────


def _changed(change: Callable[[Login, str], Fingerprint | None]) -> Response:
    try:
        face = change(gate.login(), request.form.get("fingerprint_id", ""))
    except flows.Gone:
        return web.go(".index")
    except flows.ModelMismatch as mismatch:
        said = f"Faces of sessions are compared by {mismatch.stored[0]}, so with this one they never would be."
        return _face_screen(_face(), 409, said)
    if face is None:
        raise Problem("not_found")
    return web.go_or_show(".index", lambda: _face_screen(face), _anchor="blocked")


def _face() -> Fingerprint:
    found = listing.find(gate.login().account_id, request.form.get("fingerprint_id", ""), None)
    if found is None:
        raise Problem("not_found")
    return found


def _face_screen(face: Fingerprint, status: int = 200, wrong: str = "") -> Response:
    return web.screen("search/face.html", status, within="page", face=face, wrong=wrong, **_blocked())


def _blocked() -> dict[str, Any]:
    found = listing.block_list(gate.login().account_id, None, MOST_BLOCKED)
    return {"blocked": found, "most_blocked": MOST_BLOCKED, "now": clock.now()}


def _screen(typed: Mapping[str, str], shown: results.Shown | None = None, wrong: Wrong | None = None) -> Response:
    account_id = gate.login().account_id
    stored = results.stored(galleries.galleries(account_id))
    modes = sorted({mode for mode, _ in stored}) or ["live"]
    names = list(dict.fromkeys(model for _, model in stored))
    usual, low = results.usual(names[0] if names else None)
    return web.screen(
        "search/index.html",
        wrong.status if wrong else 200,
        within="page",
        shown=shown,
        wrong=wrong,
        typed={"top_k": str(USUAL), "min_similarity": f"{usual:.2f}"} | {name: typed[name] for name in typed},
        low=low,
        stored=stored,
        modes=modes,
        names=names,
        longest=flows.LONGEST_REASON,
        searches=searches.latest(account_id, RECENT),
        **_blocked(),
    )
