"""Which session this browser has open: a cookie of its own, which says nothing about an account.

It is sealed, so that whoever reads the cookies of a browser does not learn the link. It is sent to `/v/<token>` too,
which then goes on with the session that was begun there.
"""

from dataclasses import dataclass

from flask import current_app, request, url_for
from werkzeug.wrappers import Response

from fv import clock, sealing
from fv.problems import Problem
from fv.terms import span
from fv.terms.span import Span
from fv.verifications import flows as verifications
from fv.verifications.store import Verification
from fv.verifications.views import capture_url

COOKIE = "facevault_capture"


def session() -> Verification:
    """The one whose link this browser opened last, as of now; refused to a page of another one."""
    found = remembered()
    if found is None:
        raise Problem("no_session")
    if request.args.get("of", found.id) != found.id:
        raise Problem("other_session")
    return found


def remembered() -> Verification | None:
    """As session(), or None."""
    return verifications.by_link(*_held(), clock.now())


def link() -> str:
    """What opens it elsewhere."""
    return capture_url(*_held())


def receipt_code() -> str:
    """The code of the person's own page of what is kept."""
    return span.code_of(_held()[1])


def remember(response: Response, id: str, token: str, expires_at: int) -> Response:
    """It lasts as long as the session: phones end a browser in the background, and reopening it must go on."""
    left = expires_at - clock.now()
    response.set_cookie(
        COOKIE,
        _keyring().seal(f"{id} {token}".encode(), bound_to=COOKIE),
        max_age=left if left > 0 else None,  # one that is done is still shown its end, while the browser lasts
        path=url_for("capture.page").removesuffix("/s"),
        secure=current_app.session_interface.get_cookie_secure(current_app),
        httponly=True,
        samesite="Lax",
    )
    return response


@dataclass(frozen=True)
class Visit:
    """What a form that begins a session carries: the token it will have, and for how long was said that things stay."""

    token: str
    shown: Span


def sealed(visit: Visit, link_id: str) -> str:
    """For the form of this link."""
    return _keyring().seal(f"{visit.token} {visit.shown.as_text()}".encode(), bound_to=f"{COOKIE} {link_id}")


def unsealed(text: str, link_id: str) -> Visit | None:
    """What sealed() was given; None when it did not write this."""
    try:
        token, _, shown = _keyring().open(text, bound_to=f"{COOKIE} {link_id}").decode().partition(" ")
        return Visit(token, span.read(shown))
    except (sealing.Unreadable, ValueError):
        return None


def _held() -> tuple[str, str]:
    """Id and token, from the cookie; empty without one."""
    try:
        text = _keyring().open(request.cookies.get(COOKIE, ""), bound_to=COOKIE).decode()
    except sealing.Unreadable:
        return "", ""
    id, _, token = text.partition(" ")
    return id, token


def _keyring() -> sealing.Keyring:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring
