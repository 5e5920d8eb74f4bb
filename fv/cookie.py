"""The cookie that names a login. Only this module knows flask_login.

The cookie holds the id of a row in `logins`, signed; what that login may do is read from the database at every
request. (flask_login also puts two marks of its own in it, which nothing here looks at.) No remember-me cookie exists.
"""

from dataclasses import dataclass

from flask import Flask, g, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user, login_user

from fv import clock, web
from fv.accounts import flows as accounts
from fv.accounts.store import Login


@dataclass(frozen=True)
class _Holder(UserMixin):  # type: ignore[misc]  # it has no types
    login: Login

    def get_id(self) -> str:
        return self.login.id


class _Cookies(SecureCookieSessionInterface):
    """`__Host-` and Secure under HTTPS: then no other host and no plain connection can set or read it."""

    def get_cookie_name(self, app: Flask) -> str:
        return "__Host-facevault" if self.get_cookie_secure(app) else "facevault"

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure or str(app.config["BASE_URL"] or "").startswith("https://")


def init_app(app: Flask) -> None:
    app.config.update(
        SECRET_KEY=app.extensions["keyring"].derive("cookies"),  # of the current key: what an older one signed is void
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_PROTECTION=None,  # off: it ties a cookie to an address, and people move between networks
        REMEMBER_COOKIE_NAME="; none",  # a name that no cookie can have: flask_login never looks for one
    )
    app.session_interface = _Cookies()
    manager = LoginManager(app, add_context_processor=False)  # a page of an error must not look up a login again
    manager.user_loader(_holder)


def current_login() -> Login | None:
    """The live login that this request's cookie names."""
    return current_user.login if current_user.is_authenticated else None


def look_again() -> None:
    """Let the next question find out anew who the cookie names."""
    g.pop("_login_user", None)  # where flask_login keeps it


def set_login(login_id: str) -> None:
    """Answer with a cookie that names this login, in place of any other."""
    session.clear()
    if holder := _holder(login_id):
        login_user(holder)


def forget() -> None:
    session.clear()


def _holder(login_id: str) -> _Holder | None:
    login = accounts.live_login(login_id, clock.now(), is_used=not web.is_poll())
    return _Holder(login) if login else None
