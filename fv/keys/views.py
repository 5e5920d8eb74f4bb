"""The API keys section, and its JSON twin."""

from flask import Blueprint, current_app, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from fv import clock, gate, web
from fv.api import bodies, lists, times
from fv.api.bodies import Page
from fv.api.calls import described
from fv.keys import answers, flows, scopes, store
from fv.keys.answers import NewKey, Rotation
from fv.keys.flows import Made, NoKey
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


@blueprint.get("/api/v1/keys")
@described("listKeys", "List the keys that work", query=lists.PAGE, answers={200: Page[answers.Key]})
def api_list() -> Response:
    asked = lists.asked()
    rows = store.page(gate.login().account_id, asked.created_at, asked.id, asked.limit + 1, clock.now())
    return bodies.sent(asked.page(rows, answers.told))


@blueprint.post("/api/v1/keys")
@described("makeKey", "Make a key", body=NewKey, answers={201: answers.MadeKey}, problems=("too_many_keys",))
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
    return bodies.sent(answers.made(made), 201)


@blueprint.post("/api/v1/keys/<id>/rotate")
@described(
    "rotateKey",
    "Put another key in its place",
    "It has the same name, scopes, mode and expiry. A key can be rotated once.",
    path=(answers.KEY,),
    body=Rotation,
    answers={201: answers.RotatedKey},
    problems=("too_many_keys",),
)
def api_rotate(id: str) -> Response:
    if store.of_id(gate.login().account_id, id) is None:
        raise Problem("not_found")  # before what was sent is read: whose id it is, is asked first
    made = flows.rotate(gate.login(), id, bodies.read(Rotation).grace_hours, clock.now())
    if made is NoKey.GONE:
        raise Problem("not_authenticated")
    return bodies.sent(answers.made(_rotated(made)), 201)


@blueprint.delete("/api/v1/keys/<id>")
@described("revokeKey", "Revoke a key", "Its next request is refused.", path=(answers.KEY,), answers={204: None})
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
