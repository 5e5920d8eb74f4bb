"""Promise 1: before the second factor is confirmed nothing opens, and new routes are closed by construction."""

import pytest

from fv import gate
from tests.conftest import Visitor

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
UNKNOWN = ("/nothing", "/api/v1/nothing", "/api", "/static", "/static/../wsgi.py", "/setup/", "/keys//", "/DASHBOARD")


def addresses(app):
    """Every rule of the app with its variables filled in, and addresses that have no rule."""
    for rule in app.url_map.iter_rules():
        values = {name: "icons.svg" if name == "filename" else "key_0" for name in rule.arguments}
        yield rule.endpoint, app.url_map.bind("localhost").build(rule.endpoint, values, method=_a_method(rule))
    for path in UNKNOWN:
        yield None, path


def _a_method(rule):
    return next(iter(rule.methods - {"HEAD", "OPTIONS"}))


def endpoint_of(app, path, method):
    """What the URL map itself says: the endpoint, or None when the address or the method does not exist."""
    from werkzeug.exceptions import HTTPException
    from werkzeug.routing import RequestRedirect

    try:
        return app.url_map.bind("localhost").match(path, method=method)[0]
    except (HTTPException, RequestRedirect):
        return None


@pytest.fixture
def standings(app, clock, ada):
    """One client of every standing, each proved to be what it says."""
    unenrolled = Visitor(app, clock, "new@example.org")
    unenrolled.signs_up()
    pending = ada.another()
    assert pending.proves_password().location == "/login/code"
    return {
        "NOBODY": Visitor(app, clock).client,
        "PENDING": pending.client,
        "UNENROLLED": unenrolled.client,
        "CLEAR": ada.client,
    }


LISTS = {"NOBODY": gate.OPEN_TO_ALL, "PENDING": gate.OPEN_TO_PENDING, "UNENROLLED": gate.OPEN_TO_UNENROLLED}


@pytest.mark.parametrize("standing", LISTS)
@pytest.mark.parametrize("kind", ["page", "htmx"])
def test_every_address_and_method_is_closed_unless_it_is_listed(app, standings, standing, kind):
    client, home = standings[standing], "/setup" if standing == "UNENROLLED" else "/login"
    refused = 0
    for path in {path for _, path in addresses(app)}:
        for method in METHODS:
            endpoint = endpoint_of(app, path, method)
            if ("GET" if method == "HEAD" else method, endpoint) in LISTS[standing]:
                continue
            headers = {"HX-Request": "true"} if kind == "htmx" else {}
            answer = client.open(path, method=method, headers=headers)
            status = 403 if standing == "UNENROLLED" else 401
            told = f"{method} {path} as {standing} ({kind}) answered {answer.status_code}"
            if path.startswith("/api/"):
                assert answer.status_code == status, told
                assert answer.mimetype == "application/problem+json" or method == "HEAD", told
            elif kind == "htmx":
                assert (answer.status_code, answer.headers["HX-Redirect"], answer.data) == (status, home, b""), told
            elif method in ("GET", "HEAD"):
                assert answer.status_code == 303 and answer.location.split("?")[0] == home, told
            else:
                assert answer.status_code == status, told
            refused += 1
    assert refused > 100


def test_the_lists_name_real_endpoints_and_methods(app):
    real = {
        (method, rule.endpoint) for rule in app.url_map.iter_rules() for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    listed = gate.OPEN_TO_PENDING | gate.OPEN_TO_UNENROLLED | gate.OPEN_TO_OWING | set(gate.OPEN_TO_KEYS)
    assert listed <= real


def test_what_an_unenrolled_account_reaches_is_exactly_profile_setup_confirm_and_sign_out():
    assert {
        ("GET", "profile.me"),
        ("GET", "mfa.setup"),
        ("POST", "mfa.confirm"),
        ("POST", "mfa.api_setup"),
        ("POST", "mfa.api_confirm"),
        ("POST", "login.out"),
    } == gate.OPEN_TO_UNENROLLED - gate.OPEN_TO_ALL


def test_what_a_pending_login_reaches_is_exactly_the_code_step_and_sign_out():
    assert {
        ("GET", "login.code_form"),
        ("POST", "login.code"),
        ("POST", "login.out"),
    } == gate.OPEN_TO_PENDING - gate.OPEN_TO_ALL


def test_the_standings_differ_where_they_should(standings):
    assert {who: client.get("/dashboard").location for who, client in standings.items()} == {
        "NOBODY": "/login?next=/dashboard",
        "PENDING": "/login?next=/dashboard",
        "UNENROLLED": "/setup",
        "CLEAR": None,
    }
    assert {who: client.get("/api/v1/me").status_code for who, client in standings.items()} == {
        "NOBODY": 401,
        "PENDING": 401,
        "UNENROLLED": 200,
        "CLEAR": 200,
    }


def test_nobody_is_brought_back_to_an_address_that_does_not_exist(visitor):
    """It may be a link with something behind its token, which would then stand in the address of the login."""
    for path in ("/nothing", f"/v/{'a' * 43}/nothing", f"/password/{'a' * 43}/"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.location) == (303, "/login")
    assert visitor.get("/keys").location == "/login?next=/keys"


def test_a_route_that_nobody_listed_is_closed_to_all_but_clear(make_app, clock):
    app = make_app()
    app.add_url_rule("/fresh", "fresh", lambda: "secret", methods=["GET", "POST"])
    app.add_url_rule("/api/v1/fresh", "api_fresh", lambda: "secret")
    visitor = Visitor(app, clock)
    assert visitor.get("/fresh").location == "/login?next=/fresh"
    visitor.signs_up()
    assert visitor.get("/fresh").location == "/setup"
    assert visitor.post("/fresh").status_code == 403
    assert visitor.get("/api/v1/fresh").json["code"] == "two_factor_required"
    visitor.enrols()
    visitor.post("/setup/codes/dismiss")
    assert visitor.get("/fresh").text == visitor.get("/api/v1/fresh").text == "secret"


def test_the_json_refusals_say_what_to_do(visitor):
    nobody = visitor.get("/api/v1/keys")
    assert nobody.status_code == 401 and nobody.mimetype == "application/problem+json"
    assert nobody.json["code"] == "not_authenticated"
    assert nobody.json["request_id"] == nobody.headers["X-Request-Id"]
    assert {"type", "title", "status", "detail"} <= nobody.json.keys()
    visitor.signs_up()
    refused = visitor.get("/api/v1/keys")
    assert refused.status_code == 403
    assert refused.json["code"] == "two_factor_required" and refused.json["setup_url"] == "http://localhost/setup"


def test_the_gate_answers_before_the_body_is_read(app, visitor):
    class Untouchable:
        def read(self, *_):
            raise AssertionError("the body was read")

        readline = readlines = __iter__ = read

    visitor.signs_up()
    for path, status in (("/api/v1/keys", 403), ("/keys", 403)):
        environ = {"wsgi.input": Untouchable(), "CONTENT_LENGTH": "100", "CONTENT_TYPE": "application/json"}
        assert visitor.client.post(path, environ_overrides=environ).status_code == status


def test_an_account_that_owes_the_dismissal_sees_no_page_but_may_call_the_api(visitor):
    visitor.signs_up()
    visitor.enrols()
    for path in ("/dashboard", "/keys", "/account", "/nothing", "/setup"):
        assert visitor.get(path).location == "/setup/codes"
        swap = visitor.get(path, headers={"HX-Request": "true"})
        assert (swap.status_code, swap.headers["HX-Redirect"], swap.data) == (204, "/setup/codes", b"")
    assert visitor.post("/keys", name="x", scope=["usage:read"]).location == "/setup/codes"
    assert visitor.get("/api/v1/keys").json["data"] == []
    visitor.post("/setup/codes/dismiss")
    assert visitor.is_in()


def test_a_storage_error_fails_closed(app, ada, monkeypatch):
    from fv import db
    from fv.mfa import store

    def fails(_):
        raise db.Unavailable("disk I/O error")

    monkeypatch.setattr(store, "authenticator", fails)
    answer = ada.get("/dashboard")
    assert answer.status_code == 503 and "Overview" not in answer.text
    assert ada.get("/api/v1/keys").json["code"] == "unavailable"


def test_an_unexpected_error_fails_closed_and_says_nothing(app, ada, monkeypatch, capfd):
    from fv.mfa import store

    def fails(_):
        raise RuntimeError("the secret is K5QVI3LBOR2GK4TT")

    monkeypatch.setattr(store, "authenticator", fails)
    answer = ada.get("/api/v1/keys")
    assert answer.status_code == 500 and answer.json["code"] == "internal"
    printed = "".join(capfd.readouterr())
    assert "K5QVI3LBOR2GK4TT" not in answer.text + printed


# ── API keys ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def key(ada):
    from fv.keys import scopes

    body = {"name": "everything", "scopes": sorted(scopes.NAMES)}
    return ada.call("POST", "/api/v1/keys", body).json["secret"]


def with_key(app, key, method, path):
    return app.test_client().open(path, method=method, headers={"Authorization": f"Bearer {key}"})


def test_a_key_with_every_scope_reaches_only_what_is_listed_for_keys(app, ada, key):
    refused = 0
    for path in {path for _, path in addresses(app)}:
        for method in METHODS:
            endpoint = endpoint_of(app, path, method)
            listed = ("GET" if method == "HEAD" else method, endpoint)
            if endpoint is None or listed in gate.OPEN_TO_ALL or listed in gate.OPEN_TO_KEYS:
                continue
            assert with_key(app, key, method, path).status_code == 403, f"{method} {path}"
            refused += 1
    assert refused > 10
    assert with_key(app, key, "GET", "/api/v1/me").json["code"] == "insufficient_scope"
    assert with_key(app, key, "GET", "/api/v1/nothing").status_code == 404
    assert ada.is_in()


def test_a_key_sleeps_while_its_account_is_not_enrolled(app, ada, key):
    from fv import db

    with app.app_context():
        db.run("UPDATE authenticators SET confirmed_at = NULL, sealed_secret = NULL")
    for path in ("/api/v1/me", "/api/v1/keys", "/dashboard", "/api/v1/totp/setup", "/setup", "/api/v1/nothing"):
        for method in ("GET", "POST"):
            answer = with_key(app, key, method, path)
            assert answer.status_code == 403, (method, path)
    assert with_key(app, key, "POST", "/api/v1/totp/setup").json["code"] == "two_factor_required"


def test_only_a_live_key_is_somebody(app, ada, key):
    for wrong in ("", "fv_live_", key[:-1], key + "x", key.swapcase(), "é" * 43, "fv_live_" + "A" * 43):
        assert with_key(app, wrong, "GET", "/api/v1/keys").status_code == 401
    basic = app.test_client().get("/api/v1/keys", headers={"Authorization": f"Basic {key}"})
    assert basic.status_code == 401
    header = app.test_client().get("/api/v1/keys", headers={"X-FaceVault-Api-Key": key})
    assert header.json["code"] == "insufficient_scope"


def test_a_key_beside_a_cookie_is_judged_alone(ada, key):
    answer = ada.get("/api/v1/keys", headers={"Authorization": f"Bearer {key}"})
    assert answer.json["code"] == "insufficient_scope"
    for header in (
        {"Authorization": "Bearer something else"},
        {"Authorization": "Bearer "},
        {"X-FaceVault-Api-Key": ""},
    ):
        assert ada.get("/api/v1/keys", headers=header).status_code == 401
    assert ada.get("/api/v1/keys", headers={"Authorization": "Basic cHJveHk6cHc="}).status_code == 200
    bearer = {"Authorization": f"Bearer {key}"}
    assert ada.get("/login", headers=bearer).status_code == 200
    assert ada.client.post("/login", data={}, headers=bearer).status_code == 422


def test_a_view_that_needs_a_person_breaks_when_it_is_listed_for_others(app):
    with app.test_request_context("/"), pytest.raises(LookupError, match="without a login"):
        gate.login()
    with app.test_request_context("/"), pytest.raises(LookupError, match="without an account"):
        gate.account_id()


# ── Other sites ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "SAME-ORIGIN"}, True),
        ({"Origin": "http://localhost"}, False),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "http://localhost.evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, False),
    ],
)
def test_a_change_that_another_site_asks_for_is_refused(ada, headers, refused):
    answer = ada.client.post("/api/v1/keys", json={"name": "x"}, headers=headers)
    assert answer.status_code == (403 if refused else 201)
    if refused:
        assert answer.json["code"] == "cross_site"
        assert "Not from here" in ada.client.post("/keys", data={}, headers=headers).text
        assert ada.client.get("/api/v1/keys", headers=headers).status_code == 200


def test_another_site_cannot_sign_somebody_in_or_confirm_for_them(visitor):
    visitor.signs_up()
    secret = visitor.scans()
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert visitor.client.post("/setup", data={"code": visitor.code()}, headers=cross).status_code == 403
    assert visitor.client.post("/login", data={"email": "x", "password": "y"}, headers=cross).status_code == 403
    assert visitor.client.post("/logout", headers=cross).status_code == 403
    assert visitor.scans() == secret


def test_the_standing_comes_before_the_site(visitor):
    answer = visitor.client.post("/api/v1/keys", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 401


def test_the_own_address_is_also_the_one_in_the_settings(make_app, clock):
    visitor = Visitor(make_app(BASE_URL="https://verify.example.org"), clock)
    answer = visitor.client.post("/register", data={}, headers={"Origin": "https://verify.example.org"})
    assert answer.status_code == 422
