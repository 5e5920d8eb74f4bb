"""The document of the API as the page shows it: groups, calls, fields, an example of each. Knows no request.

Texts name code between backticks, as the document does; the page makes links of what it knows.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fv.reference import problems

Schema = Mapping[str, Any]

LONG = 10  # items of a list from which on an example takes them from a file
KEY, TOKEN = "fv_live_…", "SESSION_TOKEN"  # to be replaced in the examples


@dataclass(frozen=True)
class Field:
    """`kind`: its type and limits in words. `is_required`: it has to be sent. `usual`: what counts without it."""

    name: str
    kind: str
    about: str
    is_required: bool
    usual: str | None = None


@dataclass(frozen=True)
class Shown:
    """One call. `who`: may make it. `sent`: headings and the fields below them. `answers`: status and what it is.

    `codes`: problems that not every call can have.
    """

    id: str
    method: str
    path: str
    summary: str
    about: str
    who: str
    sent: list[tuple[str, list[Field]]]
    example: str
    answers: list[tuple[str, str]]
    codes: list[str]


@dataclass(frozen=True)
class Object:
    """What an answer is made of."""

    name: str
    about: str
    fields: list[Field]


def groups(document: Schema, base: str) -> dict[str, list[Shown]]:
    """`base`: of this service, as in `https://verify.example.org`."""
    found: dict[str, list[Shown]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            found[operation["tags"][0]].append(_shown(method.upper(), path, operation, document, base))
    return found


def objects(document: Schema) -> list[Object]:
    """Those that answers are made of, and the event; the fields of bodies stand with their calls."""
    bodies = {_named(_sent(one)) for operations in document["paths"].values() for one in operations.values()}
    return [
        Object(name, schema.get("description", ""), [replace(one, is_required=False) for one in _fields(schema)])
        for name, schema in document["components"]["schemas"].items()
        if name not in bodies
    ]


def _shown(method: str, path: str, operation: Schema, document: Schema, base: str) -> Shown:
    schema = _sent(operation)
    whole = document["components"]["schemas"][_named(schema)] if "$ref" in schema else schema
    by_place: dict[str, list[Field]] = {}
    for one in operation["parameters"]:
        by_place.setdefault(one["in"], []).append(
            _field(one["name"], dict(one["schema"], description=one["description"]), one["required"])
        )
    headings = {"path": "In the path", "query": "In the query", "header": "Headers"}
    sent = [(heading, by_place[place]) for place, heading in headings.items() if place in by_place]
    if whole:
        sent.append(("Body", _fields(whole)))
    told = {status: answer for status, answer in operation["responses"].items() if status < "300"}
    return Shown(
        id=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        about=operation.get("description", ""),
        who=_who(operation["security"]),
        sent=sent,
        example=_example(method, path, operation, whole, base),
        answers=[(status, _told(answer)) for status, answer in told.items()],
        codes=_codes(operation),
    )


def _sent(operation: Schema) -> Schema:
    """The schema of its body; empty without one."""
    contents = operation.get("requestBody", {}).get("content", {})
    found: Schema = next((one["schema"] for one in contents.values()), {})
    return found


def _told(answer: Schema) -> str:
    for form, one in answer.get("content", {}).items():
        return kind(one["schema"]) if form == "application/json" else f"`{form}`"
    return "nothing more"


def _who(security: list[Mapping[str, list[str]]]) -> str:
    schemes = {name: scopes for one in security for name, scopes in one.items()}
    if not schemes:
        return "Everybody"
    if "captureToken" in schemes:
        return "The end user of a session, by its `session_token`"
    return f"A key with `{schemes['key'][0]}`, or a person" if "key" in schemes else "A person; no key may"


def _codes(operation: Schema) -> list[str]:
    found = [
        code
        for answer in operation["responses"].values()
        if "$ref" in answer
        for code in answer["$ref"].rpartition("/")[2].split(".")
    ]
    return [code for code in found if code not in problems.OF_EVERY_CALL]


# ── Fields ───────────────────────────────────────────────────────────────────────────────────────────────────


def _fields(schema: Schema) -> list[Field]:
    required = schema.get("required", ())
    return [_field(name, one, name in required) for name, one in schema.get("properties", {}).items()]


def _field(name: str, schema: Schema, is_required: bool) -> Field:
    usual = json.dumps(schema["default"]) if schema.get("default") not in (None, "") else None
    inner: Schema = next((one for one in schema.get("anyOf", ()) if "description" in one), {})
    about = schema.get("description") or inner.get("description", "")
    optional = not is_required and "default" in schema
    return Field(name, kind(schema, leave_null=optional), about, is_required, usual)


def kind(schema: Schema, leave_null: bool = False) -> str:
    """`text, 1 to 80 characters`, `list of …`, one of its words, the name of an object."""
    if "anyOf" in schema:
        kinds = [kind(one) for one in schema["anyOf"] if not (leave_null and one.get("type") == "null")]
        return " or ".join(kinds)
    if "$ref" in schema:
        return f"`{_named(schema)}`"
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"]) if len(schema["enum"]) < 12 else "a word"
    match schema.get("type"):
        case "array":
            inner = kind(schema["items"])
            return f"list of {_range(schema, 'Items')}{inner}{'s' if inner in ('number', 'text') else ''}"
        case "object":
            values = schema.get("additionalProperties")
            return f"object of {kind(values)}" if isinstance(values, Mapping) else "object"
        case "integer":
            return f"whole number{_between(schema)}"
        case "number":
            return f"number{_between(schema)}"
        case "boolean":
            return "`true` or `false`"
        case "string":
            return _text(schema)
    return "`null`" if schema.get("type") == "null" else "anything"


def _text(schema: Schema) -> str:
    if form := schema.get("format"):
        return {"date-time": "time", "date": "day", "binary": "file"}[form]
    if is_id := re.match(r"\^([a-z]+_)\[0-9a-f\]", schema.get("pattern", "")):
        return f"`{is_id[1]}…`"
    length = _range(schema, "Length")
    return f"text, {length}characters" if length else "text"


def _range(schema: Schema, of: str) -> str:
    least, most = schema.get(f"min{of}"), schema.get(f"max{of}")
    if least == most:
        return "" if most is None else f"{most} "
    if most is None:
        return f"at least {least} "
    return f"{least} to {most} " if least else f"up to {most} "


def _between(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is None:
        return "" if least is None else f" from {least} on"
    return f", {least} to {most}"


def _named(schema: Schema) -> str:
    """`Session`, of a reference to it."""
    name: str = schema.get("$ref", "").rpartition("/")[2]
    return name


# ── Examples ─────────────────────────────────────────────────────────────────────────────────────────────────


def _example(method: str, path: str, operation: Schema, body: Schema, base: str) -> str:
    """A line for a terminal, in pieces that fit a narrow page."""
    for one in operation["parameters"]:
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", _sample(one["schema"]))
    words = [f"curl '{base}{path}'"]
    if method not in ("GET", "POST") or (method == "POST" and not body):
        words.append(f"-X {method}")
    if schemes := {name for one in operation["security"] for name in one}:
        bearer = TOKEN if "captureToken" in schemes else KEY if "key" in schemes else None
        words.append(f"-H 'Authorization: Bearer {bearer}'" if bearer else "-b jar")
    return " \\\n    ".join([*words, *_body(operation, body)])


def _body(operation: Schema, body: Schema) -> Iterable[str]:
    if "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
        return ["-F photo=@photo.jpg"]
    if not body:
        return []
    if any(one.get("minItems", 0) > LONG for name, one in body["properties"].items() if name in body["required"]):
        return ["-H 'Content-Type: application/json'", "-d @body.json"]
    values = {
        name: value
        for name, one in body["properties"].items()
        if (value := _value(one, name in body["required"])) is not None
    }
    values = values or {name: one["default"] for name, one in body["properties"].items() if one.get("default")}
    return ["-H 'Content-Type: application/json'", f"-d '{json.dumps(values)}'"]


def _value(schema: Schema, is_required: bool) -> Any:
    """That of an example. A time is left out where it can be: it may be over when somebody reads it."""
    for one in (schema, *schema.get("anyOf", ())):
        if "examples" in one and (is_required or one.get("format") != "date-time"):
            return one["examples"][0]
        if one.get("type") == "array" and "examples" in one["items"]:
            return [one["items"]["examples"][0]]
        if "enum" in one and "default" not in schema and one is schema:
            return one["enum"][0]
    return None


def _sample(schema: Schema) -> str:
    """An id is cut: nobody has this one."""
    if "enum" in schema:
        return str(schema["enum"][0])
    return f"{str(schema['examples'][0]).partition('_')[0]}_…"
