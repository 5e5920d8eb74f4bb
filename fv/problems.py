"""Refusals and failures, each with a stable code: as problem+json (RFC 9457), as a page, or as a screen for htmx."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flask import Flask, g, jsonify
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from fv import db, turns, web


@dataclass(frozen=True)
class Kind:
    """What a code means: its status, a heading, and a sentence that says what to do. `leads_on`: with a button."""

    status: int
    title: str
    detail: str
    leads_on: bool = True


#: Clients depend on the codes and the statuses; the words may be improved.
KINDS: Mapping[str, Kind] = {
    "malformed": Kind(400, "That could not be read", "The request is not well-formed."),
    "not_authenticated": Kind(401, "Sign in first", "This needs a login or a valid API key."),
    "quota_exceeded": Kind(
        402,
        "The plan is used up",
        "The sessions of this month are used up. Choose a larger plan, or wait for the next.",
    ),
    "cannot_begin": Kind(
        402,
        "Not at the moment",
        "The company that sent you this link cannot take another verification at the moment. Nothing was used up: "
        "the link stays good until it ends. Open it again later, or ask the company.",
        leads_on=False,
    ),
    "two_factor_required": Kind(
        403, "Two-factor authentication is required", "Set up an authenticator app to open this account."
    ),
    "re_enrolment_code_required": Kind(
        403,
        "The code from support comes first",
        "Support reset the second factor. Send the re-enrolment code that support gave to the verified person.",
    ),
    "cross_site": Kind(
        403,
        "Not from here",
        "This request came from another site, so it was refused. Open the page again and repeat what you wanted to do.",
    ),
    "insufficient_scope": Kind(403, "Not with this key", "This API key does not open what was asked for."),
    "registration_closed": Kind(403, "Sign-up is closed", "Ask whoever runs this FaceVault for an account."),
    "no_session": Kind(
        404,
        "Open your link again",
        "There is no verification at this address. Open the whole link that you were sent, in this browser.",
        leads_on=False,
    ),
    "no_receipt": Kind(
        404,
        "Nothing is kept at this address",
        "It is not the address that you were shown, or the whole account is gone. Open the whole address again.",
        leads_on=False,
    ),
    "not_found": Kind(404, "Nothing here", "The address is wrong, or what it named is gone."),
    "document_not_read": Kind(404, "Not read", "Nothing was read from a document of this session."),
    "method_not_allowed": Kind(405, "Not in this way", "This address does not answer this method."),
    "already_enrolled": Kind(409, "Already set up", "Two-factor authentication is set up; nothing was changed."),
    "legal_hold": Kind(
        409, "A legal hold keeps it", "It can be erased on the day the hold ends, or after somebody ended it sooner."
    ),
    "invalid_transition": Kind(
        409, "Not any more", "The session has gone on meanwhile, so this cannot be done. Look at it again."
    ),
    "other_session": Kind(
        409,
        "Another verification is open in this browser",
        "The page you came from belongs to an earlier link, so nothing was sent. "
        "Go on with the one that was opened last, or open the earlier link again.",
    ),
    "model_mismatch": Kind(
        409,
        "Nothing to compare with",
        "No template of this model is stored; `models` says of which there are. Those of different models are never "
        "compared.",
    ),
    "too_many_keys": Kind(409, "No room for another key", "Revoke a key that is no longer used, then make this one."),
    "too_many_webhooks": Kind(
        409, "No room for another webhook", "Remove one that is no longer used, then make this one."
    ),
    "webhook_inactive": Kind(
        409, "It is switched off", "Nothing is sent to this webhook. Switch it on, then do this again."
    ),
    "link_ended": Kind(410, "This link has ended", "It was used, replaced, or is too old. Ask support for a new one."),
    "erased": Kind(410, "Erased", "What showed the person was erased. The decision stays."),
    "length_required": Kind(411, "How long is it?", "Send the body with a Content-Length."),
    "session_ended": Kind(
        410,
        "This verification has ended",
        "It took too long or was canceled. Ask the company that sent you the link for a new one.",
        leads_on=False,
    ),
    "verification_link_ended": Kind(
        410,
        "This link has ended",
        "It was used, withdrawn, or is too old. Ask the company that sent it to you for a new one.",
        leads_on=False,
    ),
    "body_too_large": Kind(413, "Too much at once", "The request is larger than this address accepts."),
    "unsupported_media_type": Kind(415, "Not in this form", "Send the body as application/json."),
    "invalid_request": Kind(422, "Something to correct", "A field is missing, unknown, or has a value it cannot have."),
    "url_not_allowed": Kind(
        422,
        "Not to this address",
        "A webhook leads to a whole https:// address in the internet, without a user, on port 443 or one from 1024 on. "
        "Whoever runs this service can allow others (FV_WEBHOOK_ALLOW).",
    ),
    "idempotency_key_reused": Kind(
        422, "That key was used before", "This Idempotency-Key was sent with another request within the last day."
    ),
    "invalid_photo": Kind(422, "That is no photo we can use", "Send a JPEG, PNG or WebP of up to 10 MB."),
    "invalid_nonce": Kind(422, "Too late", "The challenge was used or is too old. Take the new one."),
    "consent_required": Kind(422, "Consent comes first", "The person has to agree before a photo is taken."),
    "photos_missing": Kind(422, "Not everything is there", "The ID photo, the selfie and the head turn are needed."),
    "invalid_code": Kind(422, "That code does not match", "Type the newest code of your authenticator."),
    "too_many_attempts": Kind(429, "Too many tries", "Even the right code is refused for now. Try again later."),
    "too_many_sessions": Kind(429, "Slow down", "This account makes sessions faster than it may. Try again later."),
    "internal": Kind(
        500,
        "Something broke on our side",
        "It was written down. Try again in a moment.",
    ),
    "busy": Kind(503, "Too many at once", "The service is very busy at this moment. Try again in a few seconds."),
    "unavailable": Kind(503, "Not available", "The database does not answer at the moment. Try again."),
}

_OF_STATUS = {400: "malformed", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large",
              415: "unsupported_media_type", 422: "invalid_request"}  # fmt: skip

_log = logging.getLogger("fv.failures")


@dataclass(frozen=True)
class FieldError:
    """One field to correct: where (RFC 6901) and a stable word for why."""

    pointer: str
    code: str


class Problem(Exception):
    """Ends the request with this code. `detail`: instead of that of its kind. `more`: members of the JSON answer."""

    def __init__(
        self, code: str, *, errors: Sequence[FieldError] = (), retry_after: int | None = None,
        detail: str | None = None, **more: object,
    ) -> None:  # fmt: skip
        super().__init__(code)
        self.code, self.errors, self.retry_after, self.detail, self.more = code, errors, retry_after, detail, more


def init_app(app: Flask) -> None:
    app.register_error_handler(Problem, _answer)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(turns.Busy, lambda _: _answer(Problem("busy", retry_after=2)))
    app.register_error_handler(db.Unavailable, _unavailable)
    app.register_error_handler(Exception, _broken)


def _answer(problem: Problem) -> Response:
    kind = KINDS[problem.code]
    if problem.detail:
        kind = replace(kind, detail=problem.detail)
    if web.is_api():
        response = _json(problem, kind)
    else:
        try:
            response = web.screen("problem.html", kind.status, kind=kind, code=problem.code, start=web.start())
        except Exception:  # the database or the address of this host is what is broken: say it without a page
            response = web.plain(kind.status, f"{kind.title}. {kind.detail}")
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _json(problem: Problem, kind: Kind) -> Response:
    body: dict[str, object] = {
        "type": f"urn:facevault:problem:{problem.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": kind.detail,
        "code": problem.code,
        "request_id": g.request_id,
        **problem.more,
    }
    if problem.errors:
        body["errors"] = [{"pointer": error.pointer, "code": error.code} for error in problem.errors]
    response = jsonify(body)
    response.status_code = kind.status
    response.content_type = "application/problem+json"
    return response


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:  # a redirect of the URL map, RFC 9110 §15.4.9
        return error.get_response()
    code = _OF_STATUS.get(error.code, "malformed" if error.code < 500 else "internal")
    response = _answer(Problem(code))
    response.headers.extend((k, v) for k, v in error.get_headers() if k == "Allow")
    return response


def _unavailable(error: Exception) -> Response:
    _log.error("database unavailable: %s", error, extra={"request_id": g.request_id})
    return _answer(Problem("unavailable", retry_after=2))


def _broken(error: Exception) -> Response:
    """Where it broke, without what it said: the text of an exception may quote what somebody sent."""
    _log.error("%s", type(error).__name__, extra={"request_id": g.request_id, "trace": error.__traceback__})
    return _answer(Problem("internal"))
