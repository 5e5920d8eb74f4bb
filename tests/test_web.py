"""What every answer carries, how htmx is answered, and how refusals look."""

import json
import re
import threading

import pytest

from fv import problems, words
from tests.conftest import Visitor

CASES = ("/login", "/api/v1/me", "/nothing", "/healthz", "/dashboard", "/static/nothing")


@pytest.mark.parametrize("path", CASES)
def test_every_answer_carries_the_headers_of_the_contract(visitor, path):
    answer = visitor.get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy and "unsafe" not in policy
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])
    if not path.startswith("/static"):
        assert answer.headers["Cache-Control"] == "no-store"


def test_static_files_are_asked_for_again_and_answered_with_304(visitor):
    first = visitor.get("/static/facevault.css")
    assert first.status_code == 200 and "no-store" not in first.headers["Cache-Control"]
    again = visitor.get("/static/facevault.css", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    first.close()
    again.close()


def test_no_page_holds_an_inline_style_or_script(ada):
    for path in ("/dashboard", "/keys", "/account", "/login", "/help/authenticator", "/nothing"):
        page = ada.get(path).text
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", page), path


def test_every_page_says_not_to_keep_its_history(ada):
    page = ada.get("/dashboard").text
    assert 'hx-history="false"' in page and '"historyCacheSize": 0' in page
    config = json.loads(re.search(r"name=\"htmx-config\" content='([^']+)'", page)[1])
    assert config["allowEval"] is False and config["includeIndicatorStyles"] is False


def test_a_redirect_towards_htmx_is_a_header_and_no_page(ada):
    ada.signs_out()
    answer = ada.post("/login", htmx=True, email=ada.email, password=ada.password)
    assert (answer.status_code, answer.headers["HX-Redirect"], answer.data) == (204, "/login/code", b"")
    assert "Location" not in answer.headers and "Set-Cookie" in answer.headers


def test_a_history_restore_gets_the_whole_page(ada):
    answer = ada.get("/dashboard", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in answer.text


def test_a_swap_gets_the_screen_with_its_title_and_nothing_around(ada):
    answer = ada.get("/dashboard", headers={"HX-Request": "true"})
    assert answer.text.lstrip().startswith("<title>Overview · FaceVault</title>")
    assert "<nav" not in answer.text and "<html" not in answer.text
    assert "HX-Request" in answer.headers["Vary"]


def test_refusals_are_a_page_a_screen_or_json(ada):
    page, swap = ada.get("/nothing"), ada.get("/nothing", headers={"HX-Request": "true"})
    assert page.status_code == swap.status_code == 404
    assert "<html" in page.text and "<html" not in swap.text
    assert "Nothing here" in page.text and "not_found" in page.text and page.headers["X-Request-Id"] in page.text
    api = ada.get("/api/v1/nothing")
    assert api.json | {"request_id": ""} == {
        "type": "urn:facevault:problem:not_found",
        "title": "Nothing here",
        "status": 404,
        "detail": "The address is wrong, or what it named is gone.",
        "code": "not_found",
        "request_id": "",
    }


def test_a_wrong_method_says_which_ones_there_are(ada):
    answer = ada.call("PATCH", "/api/v1/keys")
    assert answer.status_code == 405 and answer.json["code"] == "method_not_allowed"
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_an_address_with_a_slash_too_many_is_not_there(ada):
    assert ada.get("/dashboard/").status_code == 404


def test_every_code_has_a_status_a_heading_and_a_sentence():
    for code, kind in problems.KINDS.items():
        assert re.fullmatch(r"[a-z_]+", code) and 400 <= kind.status < 600
        assert kind.detail.endswith(".") and not kind.title.endswith(".")


def test_when_too_many_hash_at_once_the_answer_is_503_with_a_time(ada, monkeypatch):
    from fv import hashing

    monkeypatch.setattr(hashing._turns, "queue", threading.BoundedSemaphore(1))
    hashing._turns.queue.acquire()
    answer = ada.another().proves_password()
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "2" and "busy" in answer.text
    hashing._turns.queue.release()
    assert ada.another().proves_password().status_code == 303


def test_who_does_not_get_a_turn_in_time_is_told_to_come_back(ada, monkeypatch):
    from fv import hashing

    monkeypatch.setattr(hashing._turns, "patience", 0.01)
    hashing._turns.turn.acquire()
    try:
        assert ada.another().proves_password().status_code == 503
    finally:
        hashing._turns.turn.release()
    assert ada.another().proves_password().status_code == 303


@pytest.mark.parametrize("host", ["x" * 300, "..", "a..b", "x" * 70 + ".org"])
@pytest.mark.parametrize("path", ["/login", "/dashboard", "/api/v1/me", "/static/copy.js"])
def test_a_host_that_cannot_be_is_400_with_all_the_headers(ada, host, path):
    answer = ada.get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "X-Request-Id" in answer.headers and "Content-Security-Policy" in answer.headers
    answer.close()


def test_a_401_says_how_to_authenticate(visitor):
    for answer in (visitor.get("/api/v1/me"), visitor.post("/keys"), visitor.post("/keys", htmx=True)):
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="FaceVault"'


def test_strangers_who_send_half_a_body_do_not_take_the_threads_of_those_who_are_in(ada):
    from fv import receiving

    for _ in range(receiving.STRANGERS):
        receiving._strangers.acquire()
    try:
        assert ada.another().proves_password().status_code == 503
        assert ada.call("POST", "/api/v1/keys", {"name": "x"}).status_code == 201
        assert ada.another().get("/login").status_code == 200
    finally:
        for _ in range(receiving.STRANGERS):
            receiving._strangers.release()
    assert ada.another().proves_password().status_code == 303


def test_half_bodies_of_one_account_do_not_take_the_threads_of_others(app, ada):
    from fv import receiving

    eve = Visitor(app, ada.clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    account = ada.call("GET", "/api/v1/me").json["id"]
    receiving._own[account] = receiving.OWN
    try:
        assert ada.call("POST", "/api/v1/keys", {"name": "x"}).status_code == 503
        assert eve.call("POST", "/api/v1/keys", {"name": "x"}).status_code == 201
        assert ada.get("/account").status_code == 200
    finally:
        receiving._own.clear()
    assert ada.call("POST", "/api/v1/keys", {"name": "x"}).status_code == 201 and not receiving._own


def test_a_log_that_nobody_reads_any_more_does_not_stop_the_product(visitor, monkeypatch):
    import sys

    class Gone:
        def write(self, _):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())
    assert visitor.get("/healthz").status_code == 200


# ── Behind a proxy ───────────────────────────────────────────────────────────────────────────────────────────


def address_seen(app, clock, remote, forwarded):
    from fv import db

    visitor = Visitor(app, clock)
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "verify.example.org"}
    form = {"email": f"{remote}{len(forwarded)}@example.org".replace(":", "-"), "password": visitor.password}
    answer = visitor.client.post("/register", data=form, headers=headers, environ_base={"REMOTE_ADDR": remote})
    assert answer.status_code == 303
    with app.app_context():
        seen = db.one(dict, "SELECT address FROM logins ORDER BY created_at DESC, rowid DESC LIMIT 1")["address"]
    return seen, answer.headers["Set-Cookie"].startswith("__Host-")


@pytest.mark.parametrize(
    ("remote", "forwarded", "seen"),
    [
        ("10.0.0.5", "203.0.113.7", ("203.0.113.7", True)),
        ("10.0.0.5", "1.2.3.4, 203.0.113.7", ("203.0.113.7", True)),
        ("10.0.0.5", "1.2.3.4, 203.0.113.7, 10.0.0.9", ("203.0.113.7", True)),
        ("10.0.0.5", "203.0.113.7, nonsense", ("10.0.0.5", True)),
        ("10.0.0.5", "", ("10.0.0.5", True)),
        ("198.51.100.1", "203.0.113.7", ("198.51.100.1", False)),
        ("::ffff:10.0.0.5", "203.0.113.7", ("203.0.113.7", True)),
        ("", "203.0.113.7", ("", False)),
    ],
)
def test_only_a_trusted_proxy_says_who_is_asking(make_app, clock, remote, forwarded, seen):
    from fv.config import networks

    app = make_app(TRUSTED_PROXIES=networks("10.0.0.0/24"))
    assert address_seen(app, clock, remote, forwarded) == seen


def test_without_a_setting_no_proxy_is_trusted(app, clock):
    assert address_seen(app, clock, "127.0.0.1", "203.0.113.7") == ("127.0.0.1", False)


# ── The log ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_is_one_json_line_a_request_with_the_route_and_no_address(visitor, capfd):
    visitor.get("/login?next=/keys&token=s3cr3t-t0ken")
    visitor.get("/s3cr3t-t0ken")
    visitor.client.open("/login", method="SECRETSECRET")
    printed = capfd.readouterr().out
    lines = [json.loads(line) for line in printed.splitlines()]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("GET", "/login", 200),
        ("GET", None, 303),
        ("?", None, 401),
    ]
    assert all({"at", "level", "event", "request_id", "ms", "caller", "account"} <= line.keys() for line in lines)
    assert "s3cr3t" not in printed and "SECRET" not in printed


# ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 seconds"), (1, "1 second"), (120, "120 seconds"), (121, "3 minutes"), (180, "3 minutes"),
        (900, "15 minutes"), (7200, "120 minutes"), (7201, "3 hours"), (86400, "24 hours"),
        (172_800, "48 hours"), (172_801, "3 days"), (30 * 86400, "30 days"),
    ],
)  # fmt: skip
def test_a_duration_is_rounded_up(seconds, said):
    assert words.duration(seconds) == said


def test_times_are_said_for_people():
    at = 1_795_444_320  # 2026-11-23 14:32 UTC
    assert words.moment(at) == "23 Nov 2026, 14:32 UTC"
    assert words.day(at) == "23 November 2026"
    assert words.brief(at, at + 86400) == "23 Nov, 14:32" and words.brief(at, at + 86400 * 60) == "23 Nov 2026"
    assert [words.ago(at, at + passed) for passed in (0, 119, 120, 7199, 7200, 86399, 86400)] == [
        "now", "now", "2 minutes ago", "119 minutes ago", "2 hours ago", "23 hours ago", "23 Nov 2026, 14:32 UTC",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36",
         "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1 Version/18.1 Mobile Safari/604.1",
         "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("curl/8.5", "curl"),
        ("", "A program"),
        ("<script>alert(1)</script>", "A program"),
    ],
)  # fmt: skip
def test_a_browser_is_named_as_people_know_it(agent, said):
    assert words.device(agent) == said
