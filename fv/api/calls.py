"""What a call of the API is sent and what it answers, declared beside its view.

    @blueprint.post("/api/v1/keys/<id>/rotate")
    @described("rotateKey", "Put another key in its place", body=Rotation, path=(KEY,), answers={201: RotatedKey},
               problems=("too_many_keys",))
    def api_rotate(id: str) -> Response:
        body = bodies.read(Rotation)

The declaration counts: a parameter that it does not have is refused, one that it has is checked, and what `bodies.read`
and `lists.asked` are asked for has to stand in it. The document of the API (fv/reference) is made of it, of the
gate's lists, which say who may call, and of fv/problems.py. Of the problems those stand in a declaration that not every
call can have.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import g
from werkzeug.wrappers import Response

from fv import problems as known
from fv.api import parameters
from fv.api.bodies import Body
from fv.api.parameters import Parameter

JPEG = "image/jpeg"

View = TypeVar("View", bound=Callable[..., Response])


@dataclass(frozen=True)
class Call:
    """`answers`: by status an Answer, a media type, or None for no content. `form`: a multipart body, in place of
    `body`.

    `by_token`: the end user of a session calls it, and its view checks the token.
    """

    id: str
    summary: str
    about: str
    body: type[Body] | None
    form: tuple[Parameter, ...]
    path: tuple[Parameter, ...]
    query: tuple[Parameter, ...]
    headers: tuple[Parameter, ...]
    answers: Mapping[int, Any]
    problems: tuple[str, ...]
    by_token: bool


def described(
    id: str,
    summary: str,
    about: str = "",
    *,
    answers: Mapping[int, Any],
    body: type[Body] | None = None,
    form: tuple[Parameter, ...] = (),
    path: tuple[Parameter, ...] = (),
    query: tuple[Parameter, ...] = (),
    headers: tuple[Parameter, ...] = (),
    problems: tuple[str, ...] = (),
    by_token: bool = False,
) -> Callable[[View], View]:
    """Between the route and the view. `id`: what programs that are generated call it; `about`: sentences."""
    if strange := set(problems) - set(known.KINDS):
        raise LookupError(f"{id} is declared with problems that fv/problems.py does not have: {strange}")
    call = Call(id, summary, about, body, form, path, query, headers, answers, problems, by_token)

    def declared(view: View) -> View:
        @wraps(view)
        def answer(**values: str) -> Response:
            g.call = call
            if not by_token:  # who has none learns nothing else: the view asks for it first
                parameters.admit(query, headers)
            return view(**values)

        answer.call = call  # type: ignore[attr-defined]
        return answer  # type: ignore[return-value]

    return declared


def of(view: object) -> Call | None:
    """What this view was declared with."""
    found: Call | None = getattr(view, "call", None)
    return found
