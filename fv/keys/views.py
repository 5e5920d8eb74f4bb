"""The API keys section, and its JSON twin."""

from flask import Blueprint, current_app, jsonify, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from fv import clock, gate, web
from fv.api import bodies, lists, times
from fv.keys import flows, scopes, store
from fv.keys.flows import Made, NoKey
from fv.keys.store import Key
from fv.problems import FieldError, Problem

blueprint = Blueprint("keys", __name__)

DAY = 86400
#: What the form offers: days until the key ends.
EXPIRIES = {"90": 90 * DAY, "365": 365 * DAY, "never": None}
#: And hours until a key ends whose place another one takes.
GRACES = {"0": "at once", "1": "in an hour", "24": "in 24 hours", "72": "in 72 hours"}


@blueprint.get("/keys")
def index() -> Response:
    return _index_screen()


@blueprint.post("/keys")
def create() -> Response:
    form, now = request.form, clock.now()
    if form.get("expires") not in EXPIRIES:
        return _index_screen(422, wrong=NoKey.EXPIRY)
    lasts = EXPIRIES[form["expires"]]
    made = flows.make(
        gate.login(),
        form.get("name", ""),
        form.getlist("scope"),
        form.get("mode", "live"),
        now + lasts if lasts else None,
        now,
    )
    if made is NoKey.GONE:
        return web.go(".index")
    if isinstance(made, NoKey):
        return _index_screen(409 if made is NoKey.TOO_MANY else 422, wrong=made)
    return _index_screen(made=made)


@blueprint.post("/keys/<id>/rotate")
def rotate_form(id: str) -> Response:
    typed = request.form.get("grace_hours", "")
    made = flows.rotate(gate.login(), id, int(typed) if typed in GRACES else -1, clock.now())
    if made is NoKey.GONE:
        return web.go(".index")
    return _index_screen(made=_rotated(made))


@blueprint.post("/keys/<id>/revoke")
def revoke_form(id: str) -> Response:
    if not flows.revoke(gate.login(), id, clock.now()):
        raise Problem("not_found")
    return web.go(".index")


# ── The same for programs (a person's program: a key cannot manage keys) ─────────────────────────────────────


class NewKey(bodies.Body, frozen=True):
    name: str
    scopes: list[str] | None = None
    mode: str = "live"
    expires_at: str | None = None


class Rotation(bodies.Body, frozen=True):
    grace_hours: int = flows.USUAL_GRACE


@blueprint.get("/api/v1/keys")
def api_list() -> Response:
    asked = lists.requested()
    rows = store.page(gate.login().account_id, asked.created_at, asked.id, asked.limit + 1, clock.now())
    return jsonify(asked.answer(rows, _shown))


@blueprint.post("/api/v1/keys")
def api_create() -> Response:
    body, now = bodies.read(NewKey), clock.now()
    expires_at = times.read(body.expires_at) if body.expires_at is not None else None
    if body.expires_at is not None and expires_at is None:
        raise Problem("invalid_request", errors=[FieldError("/expires_at", "invalid")])
    wanted = scopes.DEFAULT if body.scopes is None else body.scopes
    made = flows.make(gate.login(), body.name, wanted, body.mode, expires_at, now)
    if made is NoKey.TOO_MANY:
        raise Problem("too_many_keys")
    if made is NoKey.GONE:
        raise Problem("not_authenticated")
    if isinstance(made, NoKey):
        raise Problem("invalid_request", errors=[FieldError(f"/{made.value}", "invalid")])
    return _with_secret(made)


@blueprint.post("/api/v1/keys/<id>/rotate")
def api_rotate(id: str) -> Response:
    made = flows.rotate(gate.login(), id, bodies.read(Rotation).grace_hours, clock.now())
    if made is NoKey.GONE:
        raise Problem("not_authenticated")
    return _with_secret(_rotated(made))


@blueprint.delete("/api/v1/keys/<id>")
def api_revoke(id: str) -> Response:
    if not flows.revoke(gate.login(), id, clock.now()):
        raise Problem("not_found")
    return Response(status=204)


def _rotated(made: Made | NoKey) -> Made:
    if made is NoKey.NOT_THERE:
        raise Problem("not_found")
    if made is NoKey.TOO_MANY:
        raise Problem("too_many_keys")
    if isinstance(made, NoKey):
        raise Problem("invalid_request", errors=[FieldError(f"/{made.value}", "invalid")])
    return made


def _with_secret(made: Made) -> Response:
    told = _shown(made.key) | {"secret": made.secret}
    if old := made.instead_of:
        told["replaces"] = {"id": old.id, "works_until": times.written(old.ends_at)}
    response = jsonify(told)
    response.status_code = 201
    return response


def _shown(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "mode": key.mode,
        "created_at": times.written(key.created_at),
        "expires_at": times.written(key.expires_at),
        "last_used_at": times.written(key.used_at),
        "last_used_from": key.used_from,
        "retires_at": times.written(key.retires_at),
    }


def _index_screen(status: int = 200, made: Made | None = None, wrong: NoKey | None = None) -> Response:
    """Every live key, and the form: as it was typed when something is to be corrected, else empty."""
    account_id, now = gate.login().account_id, clock.now()
    keys = store.page(account_id, *lists.BEGINNING, flows.MOST, now)
    return web.screen(
        "keys/index.html",
        status,
        within="page",
        keys=keys,
        counted=sum(key.retires_at is None for key in keys),
        graces=GRACES,
        usual_grace=str(flows.USUAL_GRACE),
        most=current_app.config["KEYS_PER_ACCOUNT"],
        made=made,
        wrong=wrong,
        typed=request.form if wrong else MultiDict({"expires": "365", "scope": list(scopes.DEFAULT)}),
        expiries={"90": "in 90 days", "365": "in a year", "never": "never"},
        scopes=[one for one in scopes.SCOPES if one.name in gate.OPEN_TO_KEYS.values()],
        now=now,
    )
