"""The ways past a second factor that other products were found to have, each tried over HTTP.

docs/security.md lists them all; those that have a test elsewhere are not repeated here.
"""

import base64
import socket

import pytest

from fv import db
from fv.throttle.policy import Rate
from tests.conftest import PASSWORD, Visitor
from tests.test_serving import enrolled, next_code, pending, receives
from tests.test_support import re_enrol, run


def spellings(code):
    """Ways to write six digits that some parser takes for the same number."""
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    arabic = "".join(chr(ord(digit) - 48 + 0x0660) for digit in code)
    return [
        code, f" {code}", f"{code} ", f"{code[:3]} {code[3:]}", f"{code}\n", f"{code}\0", f"0{code}", f"+{code}",
        f"-{code}", f"{code}.0", f"{code}e0", f"0x{int(code):x}", wide, arabic, f"{code[:3]}-{code[3:]}",
        f"{code[:3]}\u00a0{code[3:]}", f"{code}\u200b", f"[{code!r}]", f"{code},{code}",
    ]  # fmt: skip


def test_no_other_spelling_of_a_used_code_is_accepted(make_app, clock):
    app = make_app(CODE_FAILURES=(Rate(1000, 86400),))
    ada = Visitor(app, clock)
    ada.signs_up()
    ada.enrols()
    ada.post("/setup/codes/dismiss")
    code, backup = ada.code(), ada.codes[0]
    ada.signs_in(code)
    ada.another().signs_in(backup)
    clock.passes(seconds=-30)
    for used in [*spellings(code), backup, backup.lower(), f"{backup[:4]}-{backup[4:]}", f" {backup} "]:
        other = ada.another()
        other.proves_password()
        assert other.post("/login/code", code=used).status_code == 422, ascii(used)
        assert not other.is_in()
    other = ada.another()
    other.proves_password()
    several = other.client.post("/login/code", data={"code": [code, ada.code(1)]})
    assert several.status_code == 422, "the first value of a field counts, whatever follows it"


def test_the_result_of_a_wrong_code_is_not_ignored_by_any_later_request(ada):
    other = ada.another()
    other.proves_password()
    for path in ("/dashboard", "/login/code", "/account", "/api/v1/keys"):
        other.post("/login/code", code=ada.wrong_code())
        answer = other.get(path)
        assert (answer.status_code in (200, 303, 401) and "Sign out" not in answer.text) or path == "/login/code"
        assert not other.is_in()


def test_a_forged_x_forwarded_for_does_not_reset_a_limit(ada):
    """Without a trusted proxy the header counts for nothing; the limit per account would hold in any case."""
    for number in range(30):
        forged = {
            "X-Forwarded-For": f"198.51.100.{number}",
            "X-Real-IP": f"198.51.100.{number}",
            "Forwarded": "for=::1",
        }
        ada.another().client.post(
            "/login", data={"email": f"{number}@example.org", "password": "x" * 12}, headers=forged
        )
    refused = ada.another().client.post(
        "/login", data={"email": ada.email, "password": PASSWORD}, headers={"X-Forwarded-For": "192.0.2.1"}
    )
    assert refused.status_code == 429
    other = ada.another()
    other.client.environ_base["REMOTE_ADDR"] = "203.0.113.1"
    other.proves_password()
    for number in range(5):
        forged = {"X-Forwarded-For": f"198.51.100.{number}"}
        other.client.post("/login/code", data={"code": ada.wrong_code()}, headers=forged)
    assert other.client.post("/login/code", data={"code": ada.code()}).status_code == 429


def test_signing_out_and_in_again_does_not_reset_the_limit(ada):
    for _ in range(5):
        other = ada.another()
        other.proves_password()
        other.post("/login/code", code=ada.wrong_code())
        other.signs_out()
    other = ada.another()
    other.proves_password()
    assert other.post("/login/code", code=ada.code()).status_code == 429


def test_a_pending_login_that_has_expired_does_not_fall_through_to_anything(ada):
    other = ada.another()
    other.proves_password()
    ada.clock.passes(minutes=5)
    for path in ("/dashboard", "/setup", "/login/code", "/account"):
        assert other.get(path).location.startswith("/login?") or other.get(path).location == "/login"
    for path in ("/login/code", "/setup", "/setup/codes", "/setup/codes/dismiss", "/account/password"):
        assert other.post(path, code=ada.code()).status_code == 401
    assert other.call("POST", "/api/v1/totp/setup").status_code == 401


def test_a_password_set_by_a_link_does_not_sign_in(app, ada):
    link = run(app, "accounts", "set-password", ada.email).output.split("://")[1].split()[0].partition("/")[2]
    thief = ada.another()
    assert thief.post(f"/{link}", password="another long password").status_code == 200
    assert thief.client.get_cookie("facevault") is None
    for path in ("/dashboard", "/setup", "/login/code"):
        assert thief.get(path).status_code == 303 and thief.get(path).location.startswith("/login")
    thief.password = "another long password"
    assert thief.proves_password().location == "/login/code", "the second factor is asked for as before"


def test_a_scanned_secret_is_no_second_factor_before_it_is_confirmed(visitor):
    visitor.signs_up()
    visitor.scans()
    assert visitor.call("GET", "/api/v1/me").json["totp_enabled"] is False
    assert visitor.get("/dashboard").location == "/setup"
    again = visitor.another()
    assert again.proves_password().location == "/setup", "nobody is asked for a code that nobody confirmed"
    assert again.post("/login/code", code=visitor.code()).status_code == 403


@pytest.mark.parametrize("path", ["/api/v1/totp/setup", "/setup", "/api/v1/totp/confirm"])
def test_no_setup_overwrites_a_live_secret(app, ada, path):
    def row():
        with app.app_context():
            return db.one(dict, "SELECT * FROM authenticators")

    before = row()
    pending_login = ada.another()
    pending_login.proves_password()
    for one in (ada, pending_login):
        for body in ({}, {"code": ada.code()}, {"secret": "A" * 32}):
            one.call("POST", path, body)
            one.post(path, **body)
    assert row() == before


@pytest.mark.parametrize(
    "path",
    [
        "/setupx", "/setup/", "/setup/x", "/setup/../dashboard", "/static/../dashboard", "/static/..%2fdashboard",
        "/login/../keys", "/healthz/../keys", "/api/v1/totp/setup/../keys", "/api/v1/me/keys",
        "/api/v1/totp", "/api/v1/me;/keys", "/API/v1/keys", "/Dashboard", "/dashboard/", "/dashboard;x",
        "/dashboard%00", "/help/authenticator/x", "/password/../keys",
    ],
)  # fmt: skip
def test_an_address_that_only_begins_like_an_open_one_is_closed(visitor, path):
    visitor.signs_up()
    for method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "BREW"):
        answer = visitor.client.open(path, method=method)
        assert answer.status_code in (303, 308, 403, 404), (method, path)
        assert answer.status_code != 308 or "dashboard" not in visitor.client.get(answer.location).text
        assert "API keys" not in answer.text and "Active logins" not in answer.text


@pytest.mark.parametrize("header", ["X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Forwarded-Prefix"])
def test_headers_that_rewrite_the_request_elsewhere_mean_nothing_here(visitor, header):
    visitor.signs_up()
    answer = visitor.client.get("/healthz", headers={header: "/dashboard"})
    assert answer.json == {"status": "ok"}
    assert visitor.client.post("/dashboard", headers={header: "GET"}).status_code == 403


def test_no_account_is_exempt_not_the_first_and_not_one_made_in_the_terminal(make_app, clock):
    app = make_app(REGISTRATION="first")
    path = run(app, "accounts", "create", "root@example.org").output.split("://")[1].split()[0].partition("/")[2]
    root = Visitor(app, clock, "root@example.org")
    root.post(f"/{path}", password=PASSWORD)
    root.proves_password()
    assert root.get("/dashboard").location == "/setup"
    assert root.call("GET", "/api/v1/keys").json["code"] == "two_factor_required"


def test_the_cookie_from_before_a_reset_opens_nothing_after_it(app, ada):
    code = re_enrol(app)
    thief = ada.another()
    thief.client.set_cookie("facevault", ada.client.get_cookie("facevault").value)
    assert thief.get("/dashboard").location.startswith("/login")
    ada.proves_password()
    ada.post("/setup", re_enrolment_code=code)
    ada.enrols()
    assert thief.get("/dashboard").location.startswith("/login") and thief.get("/setup").location.startswith("/login")


def test_the_secret_cannot_be_read_again_after_it_was_confirmed(ada):
    pages = [
        "/setup",
        "/setup/codes",
        "/account",
        "/dashboard",
        "/audit",
        "/audit/export",
        "/api/v1/me",
        "/api/v1/audit",
    ]
    answers = [ada.get(path).text for path in pages]
    answers.append(ada.call("POST", "/api/v1/totp/setup").text)
    answers.append(ada.call("POST", "/api/v1/totp/confirm", {"code": ada.code()}).text)
    grouped = " ".join(ada.secret[start : start + 4] for start in range(0, 32, 4))
    hexadecimal = base64.b32decode(ada.secret).hex()
    assert not [text for text in answers if ada.secret in text or grouped in text or hexadecimal in text]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_of_a_lower_standing_removes_anything(app, ada, method):
    """Every address there is, by somebody who has only the password of an enrolled account."""

    def rows():
        tables = ("authenticators", "backup_codes", "api_keys", "accounts", "re_enrolments")
        with app.app_context():
            return [db.many(dict, f"SELECT * FROM {table}") for table in tables]

    ada.call("POST", "/api/v1/keys", {"name": "server"})
    before = rows()
    thief = ada.another()
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in ("login.password", "accounts.register"):
            thief.proves_password() if rule.endpoint == "login.out" else None
            path = rule.rule.replace("<id>", before[2][0]["id"]).replace("<token>", "x").replace("<path:filename>", "x")
            thief.client.open(path, method=method, json={"code": "000000", "totp_enabled": False, "enabled": False})
    assert rows() == before and ada.is_in()


@pytest.mark.long
def test_a_lock_holds_over_the_real_server_whatever_address_is_claimed(serve):
    server = serve()
    secret, _ = enrolled(server.client())
    for number in range(5):
        headers = {"X-Forwarded-For": f"192.0.2.{number}", "X_Forwarded_For": f"192.0.2.{number}"}
        pending(server).post("/login/code", data={"code": "000000"}, headers=headers)
    last = pending(server)
    answer = last.post("/login/code", data={"code": next_code(secret)}, headers={"X-Forwarded-For": "127.0.0.2"})
    assert answer.status_code == 429 and answer.headers["retry-after"]


@pytest.mark.long
def test_a_request_that_was_let_in_before_its_login_ended_does_nothing_after_it(serve):
    """Headers first; then every login ends; then the body."""
    server = serve()
    holder = server.client()
    enrolled(holder)
    cookie = f"facevault={holder.cookies['facevault']}"
    held = {}
    for method, path, body, kind in (
        ("POST", "/api/v1/keys", b'{"name": "held"}', "application/json"),
        ("POST", "/account/logins/end-others", b"x=1", "application/x-www-form-urlencoded"),
        ("POST", "/account/notices/dismiss", b"through=99", "application/x-www-form-urlencoded"),
    ):
        connection = socket.create_connection(("127.0.0.1", server.port))
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost:{server.port}\r\nCookie: {cookie}\r\nContent-Type: {kind}\r\n"
        )
        connection.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body[:1])
        held[path] = connection, body[1:]
    server.client().get("/healthz")
    link = server.run("accounts", "set-password", "ada@example.org").stdout.strip()
    assert server.client().post(link, data={"password": "another long password"}).status_code == 200
    for path, (connection, rest) in held.items():
        connection.sendall(rest)
        answer = receives(connection, b"\r\n\r\n")
        connection.close()
        assert b" 401 " in answer.partition(b"\r\n")[0], path
    export = server.run("audit", "export").stdout
    assert "key.made" not in export and "login.others_ended" not in export


@pytest.mark.long
def test_one_account_cannot_take_all_threads(serve):
    server = serve("--workers", "1")
    eve, ada = server.client(), server.client()
    enrolled(eve, "eve@example.org")
    enrolled(ada)
    cookie, connections = f"facevault={eve.cookies['facevault']}", []
    for _ in range(40):
        connections.append(socket.create_connection(("127.0.0.1", server.port)))
        head = (
            f"POST /logout HTTP/1.1\r\nHost: localhost:{server.port}\r\nCookie: {cookie}\r\nContent-Length: 9\r\n\r\nx"
        )
        connections[-1].sendall(head.encode())
    for _ in range(5):
        assert ada.get("/dashboard").status_code == 200
        assert ada.post("/account/logins/end-others", data={"x": "1"}).status_code == 303
    for connection in connections:
        connection.close()
