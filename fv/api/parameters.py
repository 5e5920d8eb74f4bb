"""What stands in an address or a header of a call: declared with its limits, and refused when it is something else."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import request

from fv.api import bodies
from fv.problems import FieldError, Problem


@dataclass(frozen=True)
class Parameter:
    """`kind`: a type with its limits, as a field of a Body has it. `usual`: what counts without it."""

    name: str
    kind: Any
    about: str
    usual: object = None


def admit(query: Iterable[Parameter], headers: Iterable[Parameter]) -> None:
    """422 when the address has another parameter, or one of these has a value that it cannot have."""
    declared = {one.name: one for one in query}
    only(*declared)
    for name, text in request.args.items():
        bodies.insist(name, text, declared[name].kind)
    for one in headers:
        if (sent := request.headers.get(one.name)) is not None:
            bodies.insist(one.name, sent, one.kind)


def only(*names: str) -> None:
    """422 when the address has a parameter that is none of these."""
    unknown = sorted(set(request.args) - {*names})
    if unknown:
        raise Problem("invalid_request", errors=[FieldError(f"/{name}", "unknown") for name in unknown])
