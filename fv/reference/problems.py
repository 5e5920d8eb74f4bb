"""Which problems a call can answer with: those that it is declared with, and those that come before every view."""

from collections.abc import Iterator, Mapping
from typing import Any

from fv import gate, problems
from fv.api.calls import Call

#: Answered with Retry-After, in seconds.
RETRIED = (429, 503)

#: The page of the API says them once.
OF_EVERY_CALL = frozenset({
    "malformed", "invalid_request", "internal", "unavailable", "not_authenticated", "two_factor_required",
    "insufficient_scope", "cross_site", "length_required", "body_too_large", "busy", "unsupported_media_type",
})  # fmt: skip

SCHEMA: Mapping[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457. Write programs against `code`.",
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "A sentence that says what to do."},
        "code": {"type": "string", "enum": list(problems.KINDS)},
        "request_id": {"type": "string", "description": "As in `X-Request-Id`: name it when you ask for help."},
        "errors": {
            "type": "array",
            "description": "What is to be corrected.",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901: the field, parameter or header."},
                    "code": {"type": "string", "description": "missing, unknown, wrong_type, not_allowed, invalid, …"},
                },
                "required": ["pointer", "code"],
            },
        },
        "setup_url": {"type": "string", "description": "With `two_factor_required`: where the account is opened."},
        "models": {"type": "array", "items": {"type": "string"}, "description": "With `model_mismatch`: those stored."},
        "included": {"type": "integer", "description": "With `quota_exceeded`: sessions a month of the plan."},
        "used": {"type": "integer", "description": "With `quota_exceeded`: those that were decided this month."},
        "pending": {"type": "integer", "description": "With `quota_exceeded`: those under way."},
        "begins_anew": {
            "type": "string",
            "format": "date-time",
            "description": "With `quota_exceeded`: the next month.",
        },
        "challenge": {"type": "string", "description": "With a refused head turn: the next way to turn."},
        "challenge_nonce": {"type": "string", "description": "The nonce that goes with it."},
    },
    "required": ["type", "title", "status", "detail", "code", "request_id"],
}


def answers(method: str, endpoint: str, call: Call, has_path: bool) -> dict[str, tuple[str, Any]]:
    """By status: what many calls call it, and the answer of OpenAPI."""
    by_status: dict[int, list[str]] = {}
    for code in sorted(set(_codes(method, endpoint, call, has_path)), key=list(problems.KINDS).index):
        by_status.setdefault(problems.KINDS[code].status, []).append(code)
    return {str(status): (".".join(codes), _answer(status, codes)) for status, codes in sorted(by_status.items())}


def _codes(method: str, endpoint: str, call: Call, has_path: bool) -> Iterator[str]:
    yield from ("malformed", "invalid_request", "internal", "unavailable", *call.problems)
    if has_path:
        yield "not_found"
    if call.by_token or (method, endpoint) not in gate.OPEN_TO_ALL:
        yield "not_authenticated"
    if (method, endpoint) not in gate.OPEN_TO_ALL:
        yield from ("two_factor_required", "insufficient_scope")  # a key too, whose account has lost its second factor
    if method != "GET":
        yield from ("cross_site", "length_required", "body_too_large", "busy")
    if call.body:
        yield "unsupported_media_type"


def _answer(status: int, codes: list[str]) -> dict[str, Any]:
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"code": {"enum": codes}, "status": {"const": status}}},
        ]
    }
    headers = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    if status in RETRIED:
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    if status == 401:
        headers["WWW-Authenticate"] = {"$ref": "#/components/headers/WWW-Authenticate"}
    return {
        "description": " ".join(f"`{code}`: {problems.KINDS[code].detail}" for code in codes),
        "headers": headers,
        "content": {"application/problem+json": {"schema": schema}},
    }
