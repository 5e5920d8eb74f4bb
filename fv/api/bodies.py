"""JSON bodies, checked against a declaration. Only this module knows msgspec.

A view declares `class NewKey(Body)` and calls `read(NewKey)`; unknown fields, wrong types and values out of range
end the request with 422 and a pointer to the field.
"""

import json
import re
from typing import TypeVar

import msgspec
from flask import request

from fv.problems import FieldError, Problem

B = TypeVar("B", bound="Body")

#: How msgspec says what is wrong, and our stable word for it.
_REASONS = (
    ("missing required field", "missing"),
    ("contains unknown field", "unknown"),
    ("Expected `", "wrong_type"),
    ("Invalid enum value", "not_allowed"),
)


class Body(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A JSON object."""


def read(kind: type[B]) -> B:
    """The body of this request. No body at all counts as `{}`."""
    raw = request.get_data()
    if raw and request.mimetype != "application/json":
        raise Problem("unsupported_media_type")
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise Problem("invalid_request", errors=[_field(str(error))]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _not_json(raw, kind) from None


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
