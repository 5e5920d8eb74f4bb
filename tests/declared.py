"""Whatever a test asks the API, the answer has to be one that its declaration allows: status, form, fields, problem."""

from typing import Any

import jsonschema_rs
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from fv.reference import document
from fv.webhooks.answers import Event

_made: dict[str, Any] = {}
_validators: dict[int, Any] = {}  # by the schema, which lives as long as the document


class Client(FlaskClient):
    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        if answer.request.path.startswith("/api/"):
            check(self.application, answer)
        return answer


def check(app: Flask, answer: TestResponse) -> None:
    """Raises what differs. A route that only a test has is declared nowhere, and is let through."""
    method, path = answer.request.method, answer.request.path
    if method == "OPTIONS" and answer.status_code == 200:
        return
    told = f"{method} {path}: {answer.status_code} {answer.data[:300]!r}"
    operation = _operation(app, "GET" if method == "HEAD" else method, path)
    if operation is None:
        if answer.status_code != 200:
            assert answer.mimetype == "application/problem+json", told
        return
    assert str(answer.status_code) in operation["responses"], f"{told} is not declared"
    declared = _resolved(operation["responses"][str(answer.status_code)])
    for name, header in declared["headers"].items():
        assert name in answer.headers or not _resolved(header)["required"], f"{told} has no {name}"
    if method == "HEAD":
        return
    contents = declared.get("content", {})
    assert (answer.mimetype in contents) if contents else not answer.data, f"{told} has another form"
    if "json" in answer.mimetype:
        errors = wrong(contents[answer.mimetype]["schema"], answer.json)
        assert errors == [], f"{told}: {errors}"


def of(app: Flask) -> dict[str, Any]:
    """The document. All apps of the tests have the same routes."""
    if not _made:
        _made.update(document.of(app, Event))
    return _made


def wrong(schema: dict[str, Any], instance: object) -> list[str]:
    """What is wrong with it; a field that is declared nowhere, too."""
    if id(schema) not in _validators:
        schemas = {
            name: one | ({"additionalProperties": False} if "properties" in one else {})
            for name, one in _made["components"]["schemas"].items()
        }
        whole = schema | {"components": {"schemas": schemas}}
        _validators[id(schema)] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    return [f"{list(error.instance_path)}: {error.message}" for error in _validators[id(schema)].iter_errors(instance)]


def _resolved(one: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in one:
        return one
    found = _made
    for part in one["$ref"].split("/")[1:]:
        found = found[part]
    return found


def _operation(app: Flask, method: str, path: str) -> dict[str, Any] | None:
    try:
        rule, _ = app.url_map.bind("localhost").match(path, method=method, return_rule=True)
    except HTTPException:
        return None
    return of(app)["paths"].get(document.Route(method, rule, None).path, {}).get(method.lower())
