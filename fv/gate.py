"""THE rule: nothing opens before a second factor is confirmed, except what stands in the lists below.

One guard sees every request the app receives, unknown addresses, HEAD and OPTIONS included, before any body is read.
A route is open to somebody only because its method and endpoint stand here, spelled out. HEAD counts as GET.
"""

from dataclasses import dataclass
from enum import Enum

from flask import Flask, g, request
from werkzeug.exceptions import BadHost
from werkzeug.wrappers import Response

from fv import clock, cookie, problems, web
from fv.accounts import flows as accounts
from fv.accounts.store import Login
from fv.keys import flows as keys
from fv.keys.store import Key
from fv.mfa import store as mfa


class Standing(Enum):
    NOBODY = "not signed in"
    PENDING = "the password was proved, the second factor was not"
    UNENROLLED = "the password was proved, and there is no second factor yet"
    CLEAR = "the password and the second factor were proved"


#: Everybody may call these. Each of them answers a stranger.
OPEN_TO_ALL = frozenset({
    ("GET", "static"),
    ("GET", "health.healthz"),
    ("GET", "reference.openapi"),
    ("GET", "reference.page"),
    ("GET", "accounts.register_form"),
    ("POST", "accounts.register"),
    ("GET", "login.password_form"),
    ("POST", "login.password"),
    ("GET", "passwords.form"),
    ("POST", "passwords.set_by_link"),
    ("GET", "mfa.help"),
    # the end user of a session; each of these asks for its token
    ("GET", "capture.front"),
    ("GET", "capture.page"),
    ("POST", "capture.start"),
    ("POST", "capture.challenge"),
    ("POST", "capture.keep_photo"),
    ("POST", "capture.submit"),
    ("GET", "capture.status"),
    ("POST", "capture.api_consent"),
    ("POST", "capture.api_keep_photo"),
    ("POST", "capture.api_submit"),
    ("GET", "capture.api_status"),
    # who opens a verification link
    ("GET", "entry.consent"),
    ("POST", "entry.start"),
    # who was photographed, on a page whose address holds a code; and what everybody may know
    ("GET", "receipts.page"),
    ("POST", "receipts.erase"),
    ("GET", "receipts.signed"),
    ("GET", "receipts.policy"),
})  # fmt: skip

#: Somebody who knows a password, and perhaps nothing else, may call these.
OPEN_TO_PENDING = OPEN_TO_ALL | {
    ("GET", "login.code_form"),
    ("POST", "login.code"),
    ("POST", "login.out"),
}

#: Somebody who knows the password of an account without a second factor may call these.
OPEN_TO_UNENROLLED = OPEN_TO_ALL | {
    ("GET", "profile.me"),
    ("GET", "mfa.setup"),
    ("POST", "mfa.confirm"),
    ("POST", "mfa.api_setup"),
    ("POST", "mfa.api_confirm"),
    ("POST", "login.out"),
}

#: An API key may call these, when it has the scope that stands beside them.
OPEN_TO_KEYS: dict[tuple[str, str], str] = {
    ("POST", "verifications.create"): "sessions:create",
    ("GET", "verifications.api_list"): "sessions:read",
    ("GET", "verifications.api_get"): "sessions:read",
    ("POST", "verifications.cancel"): "sessions:create",
    ("GET", "verifications.api_photos"): "photos:read",
    ("GET", "verifications.api_photo"): "photos:read",
    ("GET", "verifications.api_document"): "documents:read",
    ("DELETE", "erasures.api_erase"): "erase:write",
    ("GET", "erasures.api_list"): "erase:write",
    ("GET", "erasures.api_get"): "erase:write",
    ("GET", "usage.api_usage"): "usage:read",
    ("GET", "links.api_list"): "links:write",
    ("POST", "links.api_create"): "links:write",
    ("DELETE", "links.api_revoke"): "links:write",
    ("GET", "fingerprints.api_list"): "fingerprints:write",
    ("POST", "fingerprints.api_add"): "fingerprints:write",
    ("DELETE", "fingerprints.api_delete"): "fingerprints:write",
    ("POST", "fingerprints.api_search"): "fingerprints:search",
}

#: Pages open to an account that has not confirmed yet that its backup codes are saved. The API is open to it.
OPEN_TO_OWING = OPEN_TO_ALL | {
    ("GET", "mfa.codes_form"),
    ("POST", "mfa.renew_codes"),
    ("POST", "mfa.dismiss_codes"),
    ("POST", "login.out"),
}

READING = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 §9.2.1: nothing changes


@dataclass(frozen=True)
class Caller:
    """Who is asking. A key has no login: what a person may do, it may not."""

    standing: Standing
    account_id: str | None = None
    login: Login | None = None
    key: Key | None = None
    owes_codes: bool = False


NOBODY = Caller(Standing.NOBODY)


def init_app(app: Flask) -> None:
    app.before_request(_guard)
    app.jinja_env.globals["who"] = caller


def caller() -> Caller:
    """Who is asking, from the database and once a request."""
    if "caller" not in g:
        presented = _presented_key()
        g.caller = _cookie_caller() if presented is None else _key_caller(presented)
    found: Caller = g.caller
    return found


def ask_again() -> Response | None:
    """Judge the request anew: time has passed since the guard did."""
    g.pop("caller", None)
    cookie.look_again()
    return _guard()


def login() -> Login:
    """The login of a caller who came with a cookie; a bug for any other."""
    found = caller().login
    if found is None:
        raise LookupError("this endpoint is listed for callers without a login")
    return found


def asker() -> Login | Key:
    """The key or the login of a caller who came with one; a bug for any other."""
    return caller().key or login()


def account_id() -> str:
    """The account that a caller with a cookie or a key speaks for; a bug for any other."""
    found = caller().account_id
    if found is None:
        raise LookupError("this endpoint is listed for callers without an account")
    return found


def is_signed_in() -> bool:
    """Whether a person is asking who has proved the password and the second factor."""
    return caller().standing is Standing.CLEAR and caller().login is not None


def admits(standing: Standing, method: str, endpoint: str | None) -> bool:
    """Whether a person of this standing may call it. Endpoint None: the address or the method does not exist."""
    if standing is Standing.CLEAR:
        return True
    opened = {Standing.PENDING: OPEN_TO_PENDING, Standing.UNENROLLED: OPEN_TO_UNENROLLED}.get(standing, OPEN_TO_ALL)
    return endpoint is not None and (method, endpoint) in opened


def _guard() -> Response | None:
    if isinstance(request.routing_exception, BadHost):
        raise request.routing_exception  # 400 for everybody: with such a Host header no address can be made
    method, endpoint = _listed(request.method), request.endpoint
    if method == "GET" and (method, endpoint) in OPEN_TO_ALL:
        return None  # without asking who it is: the health check must not wait for anybody's row
    who = caller()
    if who.key is not None:
        _guard_key(who.standing, who.key, method, endpoint)
        return None
    if not admits(who.standing, method, endpoint):
        return _unenrolled() if who.standing is Standing.UNENROLLED else _nobody()
    if _is_cross_site():
        raise problems.Problem("cross_site")
    if who.owes_codes and not web.is_api() and (method, endpoint) not in OPEN_TO_OWING:
        return web.go("mfa.codes_form")
    return None


def _guard_key(standing: Standing, key: Key, method: str, endpoint: str | None) -> None:
    if (method, endpoint) in OPEN_TO_ALL:
        return
    if standing is not Standing.CLEAR:
        raise problems.Problem("two_factor_required", setup_url=web.address_of("mfa.setup"))
    if endpoint is not None and OPEN_TO_KEYS.get((method, endpoint)) not in key.scopes:
        raise problems.Problem("insufficient_scope")  # an address that does not exist is a 404 for a key too


def _nobody() -> Response:
    if web.is_page_read():
        # to an address that does not exist nobody is brought back: it may be a link with something behind its token
        return web.go("login.password_form", next=web.own_address() if request.endpoint else None)
    if web.is_swap():
        return web.send_away("login.password_form", 401)
    raise problems.Problem("not_authenticated")


def _unenrolled() -> Response:
    if web.is_page_read():
        return web.go("mfa.setup")
    if web.is_swap():
        return web.send_away("mfa.setup", 403)
    raise problems.Problem("two_factor_required", setup_url=web.address_of("mfa.setup"))


def _listed(method: str) -> str:
    return "GET" if method == "HEAD" else method


def _is_cross_site() -> bool:
    """A change that another site makes this browser ask for. Programs send neither header."""
    if request.method in READING:
        return False
    if site := request.headers.get("Sec-Fetch-Site"):
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2].lower() not in web.own_hosts()


# ── From what was sent to who it is ──────────────────────────────────────────────────────────────────────────


def _presented_key() -> str | None:
    """The key a request comes with. Whoever sends one is judged by it alone; a cookie beside it counts for nothing."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("X-FaceVault-Api-Key")


def _key_caller(presented: str) -> Caller:
    key = keys.of_secret(presented, request.remote_addr or "", clock.now())
    if key is None:
        return NOBODY
    enrolled = mfa.authenticator(key.account_id).is_enrolled
    return Caller(Standing.CLEAR if enrolled else Standing.UNENROLLED, key.account_id, key=key)


def _cookie_caller() -> Caller:
    login = cookie.current_login()
    if login is None:
        return NOBODY
    authenticator = mfa.authenticator(login.account_id)
    if not authenticator.is_enrolled:
        return Caller(Standing.UNENROLLED, login.account_id, login)
    if login.proved_at is not None:
        return Caller(Standing.CLEAR, login.account_id, login, owes_codes=authenticator.owes_acknowledgement)
    if accounts.is_in_time_for_code(login, clock.now()):
        return Caller(Standing.PENDING, login.account_id, login)
    return NOBODY
