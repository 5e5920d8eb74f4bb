"""The links section, and its JSON twin."""

import re
from typing import NoReturn

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, gate, web
from fv.api import bodies, lists, times
from fv.api.bodies import Page
from fv.api.calls import described
from fv.keys import flows as keys
from fv.keys import scopes
from fv.links import answers, flows, store
from fv.links.answers import NewLink
from fv.links.flows import DAY, Asked, Made, NoLink
from fv.problems import FieldError, Problem

blueprint = Blueprint("links", __name__)

#: What the form offers: days until the link ends.
EXPIRIES = {"1": "in a day", "7": "in 7 days", "30": "in 30 days", "90": "in 90 days"}


@blueprint.get("/links")
def index() -> Response:
    return _index_screen()


@blueprint.post("/links")
def create() -> Response:
    now = clock.now()
    asked = _typed(now)
    made = asked if isinstance(asked, NoLink) else flows.make(gate.login(), asked, now)
    if made is NoLink.GONE:
        return web.go(".index")
    if isinstance(made, NoLink):
        return _index_screen(422, wrong=made)
    address = _address(made)
    return web.screen("links/made.html", within="page", link=made.link, address=address)


@blueprint.post("/links/<id>/revoke")
def revoke_form(id: str) -> Response:
    if not flows.revoke(gate.login(), id, clock.now()):
        raise Problem("not_found")
    return web.go(".index")


# ── The same for programs ────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/api/v1/links")
@described("listLinks", "List links", query=lists.PAGE, answers={200: Page[answers.Link]})
def api_list() -> Response:
    asked, by, now = lists.asked(), gate.asker(), clock.now()
    rows = store.page(by.account_id, keys.mode_of(by), asked.created_at, asked.id, asked.limit + 1)
    return bodies.sent(asked.page(rows, lambda row: answers.told(row, now)))


@blueprint.post("/api/v1/links")
@described(
    "makeLink",
    "Make a link",
    "It begins sessions without a server of yours.",
    body=NewLink,
    answers={201: answers.MadeLink},
)
def api_create() -> Response:
    body, by, now = bodies.read(NewLink), gate.asker(), clock.now()
    own_mode = keys.mode_of(by)
    if own_mode and body.mode is not None:
        _refuse("mode", "not_allowed")  # that of the key
    expires_at = times.read(body.expires_at) if body.expires_at is not None else None
    if body.expires_at is not None and expires_at is None:
        _refuse("expires_at", "invalid")
    mode = own_mode or ("live" if body.mode is None else body.mode)
    asked = Asked(body.kind, mode, body.max_uses, expires_at, body.external_user_id, body.return_url)
    made = flows.make(by, asked, now)
    if made is NoLink.GONE:
        raise Problem("not_authenticated")
    if isinstance(made, NoLink):
        _refuse(made.value, "invalid")
    told = answers.told(made.link, now)
    return bodies.sent(bodies.with_more(told, answers.MadeLink, url=_address(made), token=made.token), 201)


@blueprint.delete("/api/v1/links/<id>")
@described("revokeLink", "Revoke a link", "Sessions that were begun go on.", path=(answers.LINK,), answers={204: None})
def api_revoke(id: str) -> Response:
    if not flows.revoke(gate.asker(), id, clock.now()):
        raise Problem("not_found")
    return Response(status=204)


def _refuse(field: str, why: str) -> NoReturn:
    raise Problem("invalid_request", errors=[FieldError(f"/{field}", why)])


def _address(made: Made) -> str:
    """What the end user opens."""
    return web.address_of("entry.consent", token=made.token)


# ── The page ─────────────────────────────────────────────────────────────────────────────────────────────────


def _typed(now: int) -> Asked | NoLink:
    """What the form says. An empty field is none."""
    form = request.form
    max_uses = form.get("max_uses", "").strip()
    if not re.fullmatch(r"[0-9]{0,7}", max_uses):
        return NoLink.MAX_USES
    if form.get("expires") not in EXPIRIES:
        return NoLink.EXPIRY
    return Asked(
        form.get("kind", ""),
        form.get("mode", ""),
        int(max_uses) if max_uses else None,
        now + int(form["expires"]) * DAY,
        form.get("external_user_id", "").strip() or None,
        form.get("return_url", "").strip() or None,
    )


def _index_screen(status: int = 200, wrong: NoLink | None = None) -> Response:
    asked, now = lists.requested(), clock.now()
    rows = store.page(gate.login().account_id, None, asked.created_at, asked.id, asked.limit + 1)
    return web.screen(
        "links/index.html",
        status,
        within="page",
        listed=asked.answer(rows, lambda row: row),
        is_first=not request.args.get("after"),
        wrong=wrong,
        typed=request.form,
        modes=scopes.MODES,
        expiries=EXPIRIES,
        most_uses=flows.MOST_USES,
        now=now,
    )
