"""Webhooks over the API and on their pages: made, shown their secret once, changed, tested, removed; by people only."""

import re

import pytest

from fv import db
from fv.accounts import flows as accounts
from fv.webhooks import flows
from tests.conftest import Visitor
from tests.test_audit import run, trail

URL = "https://hooks.example.com/facevault"
NAMES = {"inside.example": ["10.0.0.5"], "both.example": ["1.1.1.1", "fd00::1"], "localhost": ["127.0.0.1", "::1"]}


def resolver(name):
    """What tests know of names; of any other one nothing, as without a network."""
    if name not in NAMES:
        raise OSError
    return NAMES[name]


@pytest.fixture
def app(make_app):
    return make_app(RESOLVER=resolver)


def make(ada, url=URL, **body):
    answer = ada.call("POST", "/api/v1/webhooks", {"url": url} | body)
    assert answer.status_code == 201, answer.text
    return answer.json


def stranger(app, clock):
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    eve.post("/setup/codes/dismiss")
    return eve


def test_a_webhook_is_made_listed_and_its_secret_shown_once(ada):
    made = make(ada)
    assert re.fullmatch(r"whk_[0-9a-f]{32}", made["id"]) and re.fullmatch(r"whsec_[A-Za-z0-9_-]{43}", made["secret"])
    (listed,) = ada.call("GET", "/api/v1/webhooks").json["data"]
    assert listed == {name: value for name, value in made.items() if name != "secret"}
    assert ada.call("GET", f"/api/v1/webhooks/{made['id']}").json == listed
    assert listed | {"id": "", "created_at": ""} == {
        "id": "", "url": URL, "events": ["verification.completed"], "mode": "live", "active": True, "disabled_at": None,
        "disabled_reason": None, "created_at": "",
    }  # fmt: skip
    for path in ("/webhooks", f"/webhooks/{made['id']}"):
        assert made["secret"] not in ada.get(path).text


def test_the_secret_is_sealed_and_bound_to_its_row(app, ada):
    secrets = [make(ada)["secret"] for _ in range(2)]
    with app.app_context():
        rows = db.many(dict, "SELECT * FROM webhooks")
        assert not [secret for secret in secrets if secret in repr(rows)]
        one, two = (row["sealed_secret"] for row in rows)
        db.run("UPDATE webhooks SET sealed_secret = CASE sealed_secret WHEN :one THEN :two ELSE :one END",
               one=one, two=two)  # fmt: skip
        for row in rows:
            with pytest.raises(flows.sealing.Unreadable):
                flows.secret_of(flows.store.find(row["account_id"], row["id"]))


@pytest.mark.parametrize("url", [
    "", "hooks.example.com", "http://hooks.example.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/", "https://[::ffff:127.0.0.1]/", "https://2130706433/", "https://0x7f.1/",
    "https://0177.0.0.1/", "https://user:pw@hooks.example.com/", "https://localhost/", "https://inside.example/",
    "https://both.example/", "https://hooks.example.com:25/", f"https://hooks.example.com/{'a' * 2000}",
])  # fmt: skip
def test_what_leads_inside_is_refused_at_both_doors_and_nothing_is_made(ada, url):
    refused = ada.call("POST", "/api/v1/webhooks", {"url": url})
    assert (refused.status_code, refused.json["code"]) == (422, "url_not_allowed")
    assert refused.json["errors"] == [{"pointer": "/url", "code": "not_allowed"}]
    page = ada.post("/webhooks", url=url, mode="live")
    assert page.status_code == 422 and 'role="alert"' in page.text
    assert ada.call("GET", "/api/v1/webhooks").json["data"] == []
    id = make(ada)["id"]
    changed = ada.call("PATCH", f"/api/v1/webhooks/{id}", {"url": url})
    assert (changed.status_code, changed.json["code"]) == (422, "url_not_allowed")
    page = ada.post(f"/webhooks/{id}/url", url=url)
    assert page.status_code == 422 and 'role="alert"' in page.text
    assert ada.call("GET", f"/api/v1/webhooks/{id}").json["url"] == URL


@pytest.mark.parametrize(("body", "pointer", "code"), [
    ({}, "/url", "missing"), ({"url": 7}, "/url", "wrong_type"), ({"url": URL, "secret": "mine"}, "/secret", "unknown"),
    ({"url": URL, "events": []}, "/events", "invalid"),
    ({"url": URL, "events": ["session.created"]}, "/events/0", "not_allowed"),
    ({"url": URL, "mode": "production"}, "/mode", "not_allowed"), ({"url": URL, "active": False}, "/active", "unknown"),
])  # fmt: skip
def test_a_webhook_that_cannot_be_is_422_with_the_field(ada, body, pointer, code):
    answer = ada.call("POST", "/api/v1/webhooks", body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert answer.json["errors"] == [{"pointer": pointer, "code": code}]


def test_it_is_changed_switched_off_and_on_and_removed(app, ada):
    path = f"/api/v1/webhooks/{make(ada, mode='test')['id']}"
    assert ada.call("PATCH", path, {"url": "https://b.example/"}).json["url"] == "https://b.example/"
    off = ada.call("PATCH", path, {"active": False}).json
    assert (off["active"], off["disabled_reason"]) == (False, "switched_off") and off["disabled_at"]
    assert ada.call("POST", f"{path}/test").json["code"] == "webhook_inactive"
    before = len(trail(app))
    assert ada.call("PATCH", path, {"active": False}).json == off and ada.call("PATCH", path, {}).json == off
    assert len(trail(app)) == before, "what changes nothing leaves no row"
    on = ada.call("PATCH", path, {"active": True}).json
    assert (on["active"], on["disabled_at"], on["disabled_reason"]) == (True, None, None)
    assert ada.call("PATCH", path, {"events": []}).status_code == 422
    assert ada.call("DELETE", path).status_code == 204
    assert {ada.call("DELETE", path).status_code, ada.call("PATCH", path, {}).status_code} == {404}
    told = [row["event"] for row in trail(app) if row["event"].startswith("webhook.")]
    assert told == ["webhook.made", *["webhook.changed"] * 3, "webhook.removed"]


def test_there_is_a_most(ada, monkeypatch):
    monkeypatch.setattr(flows, "MOST", 2)
    make(ada)
    make(ada)
    assert ada.call("POST", "/api/v1/webhooks", {"url": URL}).json["code"] == "too_many_webhooks"
    page = ada.post("/webhooks", url=URL, mode="live")
    assert page.status_code == 409 and "2 webhooks are the most" in page.text


def test_another_accounts_webhook_and_deliveries_are_not_there(app, clock, ada):
    id = make(ada)["id"]
    delivery = ada.call("POST", f"/api/v1/webhooks/{id}/test").json["id"]
    eve = stranger(app, clock)
    for one in (id, f"whk_{'0' * 32}"):
        for method, path, body in (
            ("GET", f"/api/v1/webhooks/{one}", None), ("PATCH", f"/api/v1/webhooks/{one}", {"active": False}),
            ("PATCH", f"/api/v1/webhooks/{one}", {"url": "x"}), ("DELETE", f"/api/v1/webhooks/{one}", None),
            ("POST", f"/api/v1/webhooks/{one}/test", None), ("GET", f"/api/v1/webhooks/{one}/deliveries", None),
            ("POST", f"/api/v1/deliveries/{delivery}/resend", None), ("GET", f"/webhooks/{one}", None),
            ("POST", f"/webhooks/{one}/test", None), ("POST", f"/webhooks/{one}/delete", None),
            ("POST", f"/webhooks/{one}/deliveries/{delivery}/resend", None),
        ):  # fmt: skip
            assert eve.call(method, path, body).status_code == 404, (method, path)
        assert eve.post(f"/webhooks/{one}/url", url=URL).status_code == 404
        assert eve.post(f"/webhooks/{one}/active", active="no").status_code == 404
    assert ada.call("GET", f"/api/v1/webhooks/{id}").json["active"]
    assert len(ada.call("GET", f"/api/v1/webhooks/{id}/deliveries").json["data"]) == 1


def test_a_key_manages_no_webhooks(app, ada):
    from fv.gate import OPEN_TO_KEYS

    scopes = sorted(set(OPEN_TO_KEYS.values()))
    secret = ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": scopes}).json["secret"]
    for method, path in (
        ("GET", "/api/v1/webhooks"),
        ("POST", "/api/v1/webhooks"),
        ("POST", "/api/v1/deliveries/x/resend"),
    ):
        answer = app.test_client().open(path, method=method, headers={"Authorization": f"Bearer {secret}"})
        assert answer.json["code"] == "insufficient_scope"


def test_while_a_test_waits_there_is_no_second_one(ada):
    id = make(ada)["id"]
    first, second = (ada.call("POST", f"/api/v1/webhooks/{id}/test") for _ in range(2))
    assert first.status_code == second.status_code == 201 and first.json == second.json
    assert first.json | {"id": "", "created_at": "", "next_try_at": ""} == {
        "id": "", "webhook_id": id, "event": "webhook.test", "session_id": None, "session_status": None,
        "status": "pending", "tries": 0, "response_code": None, "duration_ms": None, "failure": None, "created_at": "",
        "next_try_at": "", "delivered_at": None,
    }  # fmt: skip


def test_a_login_that_has_ended_meanwhile_changes_nothing(app, ada):
    id = make(ada)["id"]
    delivery = ada.call("POST", f"/api/v1/webhooks/{id}/test").json["id"]
    with app.app_context():
        account_id, now = db.one(dict, "SELECT account_id FROM webhooks")["account_id"], int(ada.clock.now)
        (login,) = accounts.active_logins(account_id, now)
    ada.signs_out()
    with app.app_context():
        before = db.many(dict, "SELECT * FROM webhooks"), db.many(dict, "SELECT * FROM deliveries")
        assert {
            flows.make(login, URL, flows.EVENTS, "live", now),
            flows.change(login, id, "https://b.example/", False, now),
            flows.test(login, id, now), flows.resend(login, delivery, now),
        } == {flows.Refused.GONE}  # fmt: skip
        assert not flows.remove(login, id, now)
        assert before == (db.many(dict, "SELECT * FROM webhooks"), db.many(dict, "SELECT * FROM deliveries"))


# ── The pages ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_webhook_is_made_tested_moved_and_removed_on_the_pages_without_a_script(ada):
    assert "No webhooks yet" in ada.get("/webhooks").text and 'href="/webhooks"' in ada.get("/dashboard").text
    page = ada.post("/webhooks", url=f" {URL} ", mode="test")
    assert page.status_code == 200 and re.search(r"whsec_[A-Za-z0-9_-]{43}", page.text)
    id = re.search(r"/webhooks/(whk_[0-9a-f]{32})", page.text)[1]
    assert URL in ada.get("/webhooks").text and "1 of 20" in ada.get("/webhooks").text
    assert ada.post(f"/webhooks/{id}/test").location == f"/webhooks/{id}"
    page = ada.get(f"/webhooks/{id}").text
    assert "Waiting" in page and "Send now" in page
    assert ada.post(f"/webhooks/{id}/url", url="https://b.example/x").location == f"/webhooks/{id}"
    assert ada.post(f"/webhooks/{id}/active", active="no").location == f"/webhooks/{id}"
    page = ada.get(f"/webhooks/{id}").text
    assert "Switched off" in page and "when it is switched on" in page and "https://b.example/x" in page
    assert ada.post(f"/webhooks/{id}/test").status_code == 409
    assert ada.post(f"/webhooks/{id}/active", active="perhaps").status_code == 422
    ada.post(f"/webhooks/{id}/active", active="yes")
    assert ada.post(f"/webhooks/{id}/delete").location == "/webhooks"
    assert ada.get(f"/webhooks/{id}").status_code == 404 == ada.post(f"/webhooks/{id}/delete").status_code


def test_the_form_says_what_to_correct_and_loses_nothing(ada):
    page = ada.post("/webhooks", url="http://a.example/<x>", mode="test")
    assert page.status_code == 422 and 'value="http://a.example/&lt;x&gt;"' in page.text
    assert '<option value="test" selected>' in page.text and page.text.count('role="alert"') == 1
    page = ada.post("/webhooks", url=URL, mode="production")
    assert page.status_code == 422 and "Choose its mode again." in page.text


def test_one_that_the_service_switched_off_is_told_on_the_pages_and_by_doctor(app, ada):
    assert "none switched off after failures" in run(app, "doctor").output
    id = make(ada)["id"]
    for because, words in (("failing", "failed at every try"), ("gone", "It answered 410")):
        with app.app_context():
            db.run("UPDATE webhooks SET disabled_at = 1, disabled_because = :because", because=because)
        for path in ("/webhooks", f"/webhooks/{id}"):
            page = ada.get(path).text
            assert "hooks.example.com is told nothing any more." in page and words in page
        assert "1 webhook switched off after failures" in run(app, "doctor").output
    ada.post(f"/webhooks/{id}/active", active="yes")
    assert "is told nothing any more" not in ada.get("/webhooks").text


def test_what_the_operator_allows_is_named_by_doctor(make_app):
    from fv.spelling import reached

    said = run(make_app(WEBHOOK_ALLOW=reached("hooks.internal 10.0.0.0/8")), "doctor").output
    assert "messages sent to hooks.internal, 10.0.0.0/8, by plain HTTP too" in said
