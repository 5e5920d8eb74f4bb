"""The gate's page, its confirmation, the one look at the backup codes, and the help that goes with them."""

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fv import clock, cookie, gate, qr, web
from fv.api import bodies
from fv.api.calls import described
from fv.mfa import answers, flows, store, totp, tries
from fv.mfa.answers import NewSetup, TypedCode
from fv.mfa.flows import Codes, Offer, Refused
from fv.mfa.tries import Wrong
from fv.problems import FieldError, Problem
from fv.throttle.flows import Pause

blueprint = Blueprint("mfa", __name__)


# ── The gate ─────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/setup")
def setup() -> Response:
    if gate.is_signed_in():
        return web.go("dashboard.index")
    return _setup_screen(pause=tries.pause(gate.login().account_id, clock.now()))


@blueprint.post("/setup")
def confirm() -> Response:
    if gate.is_signed_in():
        return web.go("dashboard.index")
    if flows.owes_re_enrolment_code(gate.login()):
        return _accept_re_enrolment_code()
    confirmed = flows.confirm(gate.login(), request.form.get("code", ""), clock.now())
    if isinstance(confirmed, Wrong):
        return _setup_screen(422, wrong=confirmed, then=tries.pause(gate.login().account_id, clock.now()))
    if isinstance(confirmed, Pause):
        return _setup_screen(429, pause=confirmed, retry_after=confirmed.seconds)
    if isinstance(confirmed, Refused):
        return web.go("dashboard.index")
    cookie.set_login(confirmed.login_id)
    return _codes_screen(confirmed)


def _accept_re_enrolment_code() -> Response:
    """After support has reset the second factor: nothing of the new one is shown before this code."""
    typed = request.form.get("re_enrolment_code") or request.form.get("code", "")
    refused = flows.accept_re_enrolment_code(gate.login(), typed, clock.now())
    if isinstance(refused, Wrong):
        return _setup_screen(422, wrong=refused, then=tries.pause(gate.login().account_id, clock.now()))
    if isinstance(refused, Pause):
        return _setup_screen(429, pause=refused, retry_after=refused.seconds)
    return web.go(".setup")


@blueprint.get("/setup/codes")
def codes_form() -> Response:
    if not flows.may_renew_codes(gate.login().account_id, clock.now()):
        return web.go("dashboard.index")
    return _renewal_screen()


@blueprint.post("/setup/codes")
def renew_codes() -> Response:
    renewed = flows.renew_codes(gate.login(), request.form.get("code", ""), clock.now())
    if isinstance(renewed, Wrong):
        return _renewal_screen(422, wrong=renewed, then=tries.pause(gate.login().account_id, clock.now()))
    if isinstance(renewed, Pause):
        return _renewal_screen(429, pause=renewed, retry_after=renewed.seconds)
    if isinstance(renewed, Refused):
        return web.go("dashboard.index")
    return _codes_screen(renewed)


@blueprint.post("/setup/codes/dismiss")
def dismiss_codes() -> Response:
    flows.acknowledge(gate.login(), clock.now())
    return web.go("dashboard.index")


@blueprint.get("/help/authenticator")
def help() -> Response:
    return web.screen("mfa/help.html")


# ── The same for programs ────────────────────────────────────────────────────────────────────────────────────


@blueprint.post("/api/v1/totp/setup")
@described(
    "setUpAuthenticator",
    "Get the key for an authenticator",
    body=NewSetup,
    answers={200: answers.Authenticator},
    problems=("re_enrolment_code_required", "already_enrolled", "too_many_attempts"),
)
def api_setup() -> Response:
    if gate.is_signed_in():
        raise Problem("already_enrolled")
    typed = bodies.read(NewSetup).re_enrolment_code
    if typed is not None and flows.owes_re_enrolment_code(gate.login()):
        refused = flows.accept_re_enrolment_code(gate.login(), typed, clock.now())
        if isinstance(refused, Wrong):
            raise Problem("re_enrolment_code_required", errors=[FieldError("/re_enrolment_code", "invalid_code")])
        if isinstance(refused, Pause):
            raise Problem("too_many_attempts", retry_after=refused.seconds)
    offer = _still_there(flows.offer(gate.login()))
    if isinstance(offer, Refused):
        raise Problem("re_enrolment_code_required")
    return bodies.sent(answers.Authenticator(offer.uri, offer.secret, str(qr.svg(offer.uri))))


@blueprint.post("/api/v1/totp/confirm")
@described(
    "confirmAuthenticator",
    "Confirm it with its first code",
    "From now on the account is open. The ten backup codes are told once.",
    body=TypedCode,
    answers={200: answers.BackupCodes},
    problems=("re_enrolment_code_required", "already_enrolled", "invalid_code", "too_many_attempts"),
)
def api_confirm() -> Response:
    if gate.is_signed_in():
        raise Problem("already_enrolled")
    confirmed = flows.confirm(gate.login(), bodies.read(TypedCode).code, clock.now())
    if isinstance(confirmed, Wrong):
        raise Problem("invalid_code", errors=[FieldError("/code", "invalid_code")])
    if isinstance(confirmed, Pause):
        raise Problem("too_many_attempts", retry_after=confirmed.seconds)
    if isinstance(confirmed, Refused):
        raise Problem("re_enrolment_code_required" if confirmed is Refused.CODE_OWED else "already_enrolled")
    cookie.set_login(confirmed.login_id)
    return bodies.sent(answers.BackupCodes(list(confirmed.codes)))


def _still_there(offer: Offer | Refused | None) -> Offer | Refused:
    if offer is None:  # the login ended meanwhile
        raise Problem("not_authenticated")
    return offer


def _setup_screen(status: int = 200, **context: Any) -> Response:
    offer = _still_there(flows.offer(gate.login()))
    if isinstance(offer, Refused):
        return web.screen("mfa/re_enrol.html", status, email=gate.login().email, **context)
    return web.screen(
        "mfa/setup.html",
        status,
        email=gate.login().email,
        uri=offer.uri,
        name_in_app=offer.name_in_app,
        key=totp.in_groups(offer.secret),
        **context,
    )


def _renewal_screen(status: int = 200, **context: Any) -> Response:
    is_owed = store.authenticator(gate.login().account_id).owes_acknowledgement
    return web.screen("mfa/renew.html", status, is_owed=is_owed, **context)


def _codes_screen(made: Codes) -> Response:
    """The only answer that ever holds the codes."""
    return web.screen("mfa/codes.html", codes=made.codes, email=gate.login().email, now=clock.now())
