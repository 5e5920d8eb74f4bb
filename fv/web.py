"""How a view answers: screens, redirects, headers. Only here is htmx known by name."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, g, make_response, redirect, render_template, request, url_for
from htmx_flask import Htmx
from werkzeug.wrappers import Response

from fv.accounts.flows import Visitor

#: Nothing from elsewhere, nothing inline, no frame around us, no form that posts to somebody else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
END_USER = frozenset({"capture", "entry"})  # who knows nothing of accounts, and may be asked for the camera
HOME = "/dashboard"

#: One slash, then no second one and no backslash, and nothing but printable ASCII: stays on this host in every browser.
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


@dataclass(frozen=True)
class Section:
    """One entry in the navigation of the pages behind the gate. `count`: how much waits there for this account."""

    label: str
    endpoint: str
    icon: str
    count: Callable[[str], int] | None = None


def init_app(app: Flask, sections: Sequence[Sequence[Section]]) -> None:
    Htmx(app)
    app.jinja_env.globals["sections"] = sections
    app.after_request(_finish)


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────────────────


def screen(
    template: str,
    status: int = 200,
    *,
    within: str = "bare",
    retry_after: int | None = None,
    **context: Any,
) -> Response:
    """Render one screen: within a layout for a browser, alone for an htmx swap."""
    layout = f"layouts/{'fragment' if is_swap() else within}.html"
    response = make_response(render_template(template, layout=layout, **context), status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def piece(response: Response, id: str) -> Response:
    """Of this screen, htmx puts one element in place of the one that is there, and leaves the rest."""
    response.headers.update({"HX-Retarget": f"#{id}", "HX-Reselect": f"#{id}", "HX-Reswap": "outerHTML"})
    return response


def go(endpoint: str, **values: object) -> Response:
    """303: the browser asks for the other page with GET, whatever it sent here (RFC 9110 §15.4.4)."""
    return redirect(url_for(endpoint, **values), 303)  # type: ignore[arg-type]


def go_to(path: str) -> Response:
    return redirect(path, 303)


def go_or_show(endpoint: str, show: Callable[[], Response], **values: object) -> Response:
    """303 to another screen of the same page; htmx gets it at once, and the page with its live view goes on."""
    return show() if is_swap() else go(endpoint, **values)


def send_away(endpoint: str, status: int) -> Response:
    """Tell htmx to leave the page. No body: nothing of any page may be swapped in."""
    return Response(status=status, headers={"HX-Redirect": url_for(endpoint)})


def plain(status: int, text: str) -> Response:
    """For when not even a page can be made."""
    return Response(f"{text}\n", status, mimetype="text/plain")


# ── What kind of caller ──────────────────────────────────────────────────────────────────────────────────────


def is_api() -> bool:
    """A program, to be answered in JSON. Decides the form of an answer and never who may have one."""
    return request.path.startswith("/api/")


def is_poll() -> bool:
    """Whether a page asks by itself, with nobody touching it: a login that is left alone has to end all the same."""
    return request.headers.get("X-Poll") == "1"


def is_swap() -> bool:
    """An htmx request for a piece of the page that is open."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not is_api() and not htmx.history_restore_request


def is_page_read() -> bool:
    """A person who opens a page, and can be sent to another one."""
    return request.method in ("GET", "HEAD") and not is_api() and not is_swap()


def visitor() -> Visitor:
    """Where the request comes from, as a login remembers it."""
    return Visitor(request.remote_addr or "", request.user_agent.string)


# ── Addresses ────────────────────────────────────────────────────────────────────────────────────────────────


def own_address() -> str | None:
    """Where the caller was going, to be brought back after signing in."""
    path = request.full_path.rstrip("?")
    return path if stays_home(path) == path else None


def stays_home(path: str | None) -> str:
    """The path when it stays on this host, else the dashboard."""
    return path if path and len(path) <= 2048 and _OWN_PATH.fullmatch(path) else HOME


def address_of(endpoint: str, **values: str) -> str:
    """The whole address of one of our pages, as a program or a person outside needs it."""
    return f"{_base_url() or request.host_url.rstrip('/')}{url_for(endpoint, **values)}"  # type: ignore[arg-type]


def own_hosts() -> set[str]:
    """What an Origin header of our own pages says behind its scheme."""
    return {request.host.lower(), urlsplit(_base_url()).netloc} - {""}


def start() -> str:
    """Where somebody goes on who met a problem: an end user knows nothing of our front door."""
    return url_for("capture.page" if request.blueprint in END_USER else "capture.front")


def _base_url() -> str:
    return current_app.config["BASE_URL"] or ""


# ── Every answer ─────────────────────────────────────────────────────────────────────────────────────────────


def _finish(response: Response) -> Response:
    if is_swap() and response.location:  # a script would follow it and swap a page into a page
        response.headers["HX-Redirect"] = response.headers.pop("Location")
        response.status_code = 204
        response.set_data(b"")
    response.vary.add("HX-Request")
    response.headers["X-Request-Id"] = g.request_id  # from fv/journal.py
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = (
            'Bearer realm="FaceVault"'  # RFC 9110 §11.6.1; browsers ask nobody for it
        )
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    response.headers.update(HEADERS)
    response.headers["Permissions-Policy"] = f"camera=({'self' if request.blueprint in END_USER else ''})"
    if request.is_secure:  # browsers warn where they ignore it
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if _base_url().startswith("https://"):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
