"""The document of the API (OpenAPI 3.1), made of what the views are declared with and of the gate's lists.

Nothing is written here a second time: a new route with `@described` is in the document, and a test says which has none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from fv import gate
from fv.api import bodies, calls
from fv.api.bodies import Answer
from fv.api.calls import Call
from fv.api.parameters import Parameter
from fv.reference import problems

PREFIX = "/api/v1/"

#: What begins with it, and how that is called. Whatever is not here is a group of its own.
GROUPS = {
    "sessions": "Sessions", "links": "Links", "fingerprints": "Fingerprints", "capture": "Capture",
    "webhooks": "Webhooks", "deliveries": "Webhooks", "usage": "Usage", "billing": "Billing",
    "retention": "Retention and erasure", "erasures": "Retention and erasure", "keys": "Keys", "audit": "Audit trail",
    "me": "Account", "totp": "Account", "openapi.json": "This document",
}  # fmt: skip

SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key. Its scopes stand beside each call."},
    "keyHeader": {"type": "apiKey", "in": "header", "name": "X-FaceVault-Api-Key", "description": "The same key."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "facevault",
        "description": "A person who proved password and code. Over HTTPS it is called `__Host-facevault`.",
    },
    "captureToken": {"type": "http", "scheme": "bearer", "description": "The `session_token` of one session."},
}

HEADERS = {
    "X-Request-Id": {"description": "Names this request in the log.", "required": True, "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds.", "required": True, "schema": {"type": "integer", "minimum": 1}},
    "WWW-Authenticate": {"description": "`Bearer`", "required": True, "schema": {"type": "string"}},
}


@dataclass(frozen=True)
class Route:
    """One call and where it is; `call` None: nobody declared it."""

    method: str
    rule: Rule
    call: Call | None

    @property
    def path(self) -> str:
        """`/api/v1/keys/{id}`"""
        return re.sub(r"<(?:[^<>]+:)?(\w+)>", r"{\1}", self.rule.rule)

    @property
    def group(self) -> str:
        first = self.rule.rule.removeprefix(PREFIX).partition("/")[0]
        return GROUPS.get(first, first.capitalize())


def routes(app: Flask) -> list[Route]:
    """Everything under /api/, in the order of GROUPS."""
    found = [
        Route(method, rule, calls.of(app.view_functions[rule.endpoint]))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]
    order = list(dict.fromkeys(GROUPS.values()))
    return sorted(found, key=lambda one: order.index(one.group) if one.group in order else len(order))


def of(app: Flask, events: type[Answer]) -> dict[str, Any]:
    """The whole document. `events`: what a webhook is told."""
    declared = [(one, one.call) for one in routes(app) if one.call]
    kinds = [*_kinds([call for _, call in declared]), events]
    found, named = bodies.schemas(kinds)
    schemas = {id(kind): schema for kind, schema in zip(kinds, found, strict=True)}
    paths: dict[str, Any] = {}
    shared: dict[str, Any] = {}
    for route, call in declared:
        operation = _operation(route, call, schemas)
        for status, (name, answer) in problems.answers(
            route.method, route.rule.endpoint, call, bool(call.path)
        ).items():
            shared[name] = answer
            operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "FaceVault",
            "version": "1",
            "summary": "Self-hosted identity verification.",
            "description": "JSON in UTF-8. Times are RFC 3339 in UTC; ids are a prefix and 128 random bits.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(route.group for route, _ in declared)],
        "paths": paths,
        "webhooks": {"event": {"post": _event(schemas[id(events)])}},
        "components": {
            "schemas": {**dict(sorted(named.items())), "Problem": problems.SCHEMA},
            "responses": dict(sorted(shared.items())),
            "headers": HEADERS,
            "securitySchemes": SECURITY,
        },
    }


def scope(route: Route) -> str | None:
    """That of the keys that may call it; None: no key may."""
    return gate.OPEN_TO_KEYS.get((route.method, route.rule.endpoint))


def _kinds(declared: list[Call]) -> Iterator[Any]:
    """Every type that stands in a declaration, the same object as often as it does."""
    for call in declared:
        yield from (one.kind for one in (*call.form, *call.path, *call.query, *call.headers) if one.kind is not bytes)
        yield from (kind for kind in (call.body, *call.answers.values()) if kind and not isinstance(kind, str))


def _operation(route: Route, call: Call, schemas: dict[int, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": call.id,
        "tags": [route.group],
        "summary": call.summary,
        "parameters": [
            *(_parameter(one, "path", schemas) for one in call.path),
            *(_parameter(one, "query", schemas) for one in call.query),
            *(_parameter(one, "header", schemas) for one in call.headers),
        ],
        "security": _security(route, call),
        "responses": {str(status): _answer(kind, schemas) for status, kind in call.answers.items()},
    }
    if call.about:
        operation["description"] = call.about
    if call.body:
        operation["requestBody"] = {
            "required": bool(_required(call.body)), "content": {"application/json": {"schema": schemas[id(call.body)]}}
        }  # fmt: skip
    if call.form:
        fields = {one.name: _schema(one, schemas) | {"description": one.about} for one in call.form}
        schema = {"type": "object", "properties": fields, "required": [call.form[0].name]}
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return operation


def _required(body: type[bodies.Body]) -> list[str]:
    _, named = bodies.schemas([body])
    found: list[str] = named[body.__name__]["required"]
    return found


def _parameter(one: Parameter, place: str, schemas: dict[int, Any]) -> dict[str, Any]:
    schema = _schema(one, schemas)
    if one.usual is not None:
        schema = schema | {"default": one.usual}
    return {"name": one.name, "in": place, "required": place == "path", "description": one.about, "schema": schema}


def _schema(one: Parameter, schemas: dict[int, Any]) -> dict[str, Any]:
    return {"type": "string", "format": "binary"} if one.kind is bytes else dict(schemas[id(one.kind)])


def _answer(kind: Any, schemas: dict[int, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": "Nothing more to say." if kind is None else "What was asked for.",
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
    }
    if isinstance(kind, str):
        answer["content"] = {kind: {"schema": {"type": "string", "format": "binary"}}}
    elif kind is not None:
        answer["content"] = {"application/json": {"schema": schemas[id(kind)]}}
    return answer


def _security(route: Route, call: Call) -> list[dict[str, list[str]]]:
    """Any one of these. Empty: everybody may."""
    if call.by_token:
        return [{"captureToken": []}]
    if (route.method, route.rule.endpoint) in gate.OPEN_TO_ALL:
        return []
    by_key = [{name: [opened]} for name in ("key", "keyHeader")] if (opened := scope(route)) else []
    return [*by_key, {"cookie": []}]


def _event(schema: dict[str, Any]) -> dict[str, Any]:
    """What we send to a webhook, as the same document says it."""
    sent = {
        "X-FaceVault-Signature": "Hexadecimal HMAC-SHA256 of the raw body under the secret of the webhook.",
        "X-FaceVault-Event-Id": "The same at every try.",
        "X-FaceVault-Timestamp": "When it was sent, seconds since 1970.",
    }
    return {
        "operationId": "event",
        "summary": "A session became passed, review or failed",
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": about, "schema": {"type": "string"}}
            for name, about in sent.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "200": {"description": "Any status from 200 to 299 within 10 seconds; whatever else is tried again."}
        },
        "security": [],
    }
