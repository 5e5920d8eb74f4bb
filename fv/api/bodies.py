"""JSON as it comes in and goes out, checked against declarations. Only this module knows msgspec.

A view declares `class NewKey(Body)`, its fields with their limits (`Annotated[int, Limit(ge=0, le=72)]`), and calls
`read(NewKey)`: unknown fields, wrong types and values out of range end the request with 422 and a pointer to the field.
What it tells is an `Answer`. The document of the API says both (fv/reference).
"""

import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from flask import g, request
from werkzeug.wrappers import Response

from fv.problems import FieldError, Problem

#: Of a pattern: in Python `$` alone is before a line break too.
END = r"(?!\n)$"
#: ge, le, min_length, max_length, pattern; and for the reader description, examples.
Limit = msgspec.Meta
#: RFC 3339, in UTC where we write it.
Time = Annotated[str, Limit(examples=["2026-11-23T14:32:00Z"], extra_json_schema={"format": "date-time"})]
#: 2026-11-23, a day of UTC.
Day = Annotated[
    str,
    Limit(pattern=rf"^\d{{4}}-\d\d-\d\d{END}", examples=["2026-11-23"], extra_json_schema={"format": "date"}),
]

#: How msgspec says what is wrong, and our stable word for it; whatever else it says is `invalid`.
_REASONS = (
    ("missing required field", "missing"),
    ("contains unknown field", "unknown"),
    (", got `", "wrong_type"),
    ("matching regex '^(?:", "not_allowed"),  # one of words()
)


class Body(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A JSON object that is sent to us."""


class Answer(msgspec.Struct, frozen=True):
    """A JSON object that we send."""


B = TypeVar("B", bound=Body)
A = TypeVar("A", bound=Answer)


class Page(Answer, Generic[A], frozen=True):
    """A page of a list, the newest first. `next_cursor`: for `after`; null on the last page."""

    data: list[A]
    has_more: bool
    next_cursor: str | None


def words(*allowed: str) -> msgspec.Meta:
    """One of these."""
    one_of = "|".join(map(re.escape, allowed))
    return Limit(pattern=f"^(?:{one_of}){END}", extra_json_schema={"enum": list(allowed)})


def id_of(prefix: str) -> Any:
    """As fv/ids.py makes them."""
    return Annotated[str, Limit(pattern=rf"^{prefix}_[0-9a-f]{{32}}$", examples=[f"{prefix}_{'0123456789abcdef' * 2}"])]


# ── In ───────────────────────────────────────────────────────────────────────────────────────────────────────


def read(kind: type[B]) -> B:
    """The body of this request. No body at all counts as `{}`."""
    if g.call.body is not kind:
        raise LookupError(f"this call is declared with {g.call.body}, and reads {kind}")
    raw = request.get_data()
    if raw and request.mimetype != "application/json":
        raise Problem("unsupported_media_type")
    try:
        return _decoded(raw or b"{}", kind)
    except msgspec.ValidationError as error:
        raise Problem("invalid_request", errors=[_field(str(error))]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _not_json(raw, kind) from None


def _decoded(raw: bytes, kind: type[B]) -> B:
    """`24.0` is a whole number too (JSON Schema, validation §6.1.1); programs with one kind of number write it so."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        if ", got `float`" not in str(error):
            raise
    return msgspec.convert(_whole(msgspec.json.decode(raw)), type=kind)


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def insist(name: str, text: str, kind: Any) -> None:
    """422 when this text, of a query or a header, is no such value."""
    try:
        msgspec.convert(text, type=kind, strict=False)  # not strict: a number is text there
    except msgspec.ValidationError as error:
        reason = _field(str(error)).code
        raise Problem("invalid_request", errors=[FieldError(f"/{name}", _of_text(reason))]) from None


def _of_text(reason: str) -> str:
    """All of a query is text: what is no number has no other type, it is just none."""
    return "invalid" if reason == "wrong_type" else reason


def _not_json(raw: bytes, kind: type[B]) -> Problem:
    """What some programs write for numbers that are none (NaN, Infinity) is no JSON; it is said with its field."""
    try:
        msgspec.convert(json.loads(raw, parse_constant=lambda _: None), type=kind)
    except msgspec.ValidationError as error:
        return Problem("invalid_request", errors=[_field(str(error))])
    except (ValueError, RecursionError):
        pass
    return Problem("malformed")


def _field(said: str) -> FieldError:
    """From "Expected `int`, got `str` - at `$.grace_hours`" to /grace_hours and wrong_type."""
    path = re.search(r"at `\$\.?([^`]*)`", said)
    named = re.search(r"field `([^`]*)`", said)
    parts = re.findall(r"[^.\[\]]+", path[1]) if path else []
    if named and ("missing" in said or "unknown" in said):
        parts.append(named[1])
    reason = next((word for start, word in _REASONS if start in said), "invalid")
    escaped = (part.replace("~", "~0").replace("/", "~1") for part in parts)
    return FieldError("".join(f"/{part}" for part in escaped), reason)


# ── Out ──────────────────────────────────────────────────────────────────────────────────────────────────────


def sent(told: Answer, status: int = 200) -> Response:
    """As the declaration of this call says."""
    return Response(msgspec.json.encode(told), status, mimetype="application/json")


def with_more(told: Answer, kind: type[A], **more: object) -> A:
    """The same as this kind, which has a few fields more."""
    return kind(**msgspec.structs.asdict(told), **more)


def schemas(kinds: Iterable[Any]) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """JSON Schema (2020-12) of each, and what they refer to, by name."""
    found, named = msgspec.json.schema_components(list(kinds), ref_template="#/components/schemas/{name}")
    return [_plain(one) for one in found], {_name(name): _plain(one) for name, one in named.items()}


def _name(name: str) -> str:
    """From Page_Key_ to KeyPage."""
    return re.sub(r"Page_(\w+)_$", r"\1Page", name)


def _plain(schema: Any) -> Any:
    """Without the pattern of words(), as the list of them says it, and without what is for Python alone."""
    if isinstance(schema, dict):
        kept = {name: _plain(one) for name, one in schema.items() if not (name == "pattern" and "enum" in schema)}
        if "pattern" in kept:
            kept["pattern"] = kept["pattern"].replace(END, "$")
        if "$ref" in kept:
            kept["$ref"] = _name(kept["$ref"])
        return kept
    return [_plain(one) for one in schema] if isinstance(schema, list) else schema
