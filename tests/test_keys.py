"""API keys: made with a name, shown once, listed, revoked; managed by people only."""

import re

import pytest

from fv import db
from fv.gate import OPEN_TO_KEYS
from fv.keys.scopes import NAMES
from tests.conftest import Visitor


def test_a_key_is_shown_once_on_the_page(ada):
    assert "No keys yet" in ada.get("/keys").text
    page = ada.post("/keys", name="Onboarding server", scope=["sessions:create"], expires="365").text
    secret = re.search(r"fv_live_[A-Za-z0-9]{43}", page)[0]
    listed = ada.get("/keys").text
    assert secret not in listed and secret[:12] in listed and "1 of 20" in listed


def test_the_page_offers_no_scope_that_opens_nothing(ada):
    offered = set(re.findall(r'name="scope" value="([a-z:]+)"', ada.get("/keys").text))
    assert offered == set(OPEN_TO_KEYS.values()) and offered <= NAMES


def test_a_key_made_through_json_has_the_fields_of_the_contract(ada):
    answer = ada.call("POST", "/api/v1/keys", {"name": "Back office"})
    assert answer.status_code == 201
    made = answer.json
    assert re.fullmatch(r"key_[0-9a-f]{32}", made["id"]) and re.fullmatch(r"fv_live_[A-Za-z0-9]{43}", made["secret"])
    assert made["secret"].startswith(made["prefix"]) and len(made["prefix"]) == 12
    assert (made["name"], made["mode"], made["expires_at"]) == ("Back office", "live", None)
    assert made["scopes"] == ["sessions:create", "sessions:read"], "no faces and no documents unless asked for"
    (listed,) = ada.call("GET", "/api/v1/keys").json["data"]
    assert "secret" not in listed and listed == {k: v for k, v in made.items() if k != "secret"}


def test_test_mode_and_expiry(ada):
    body = {"name": "x", "mode": "test", "scopes": ["photos:read"], "expires_at": "2126-11-24T00:00:00Z"}
    made = ada.call("POST", "/api/v1/keys", body).json
    assert made["secret"].startswith("fv_test_") and made["expires_at"] == "2126-11-24T00:00:00Z"
    page = ada.post("/keys", name="Laptop", scope=["usage:read"], mode="test", expires="never").text
    assert re.search(r"fv_test_[A-Za-z0-9]{43}", page) and "never" in page


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/name", "missing"),
        ({"name": ""}, "/name", "invalid"),
        ({"name": " \n "}, "/name", "invalid"),
        ({"name": "x" * 81}, "/name", "invalid"),
        ({"name": "a\u0000b"}, "/name", "invalid"),
        ({"name": "\u202egpj"}, "/name", "invalid"),
        ({"name": 7}, "/name", "wrong_type"),
        ({"name": "x", "scopes": []}, "/scopes", "invalid"),
        ({"name": "x", "scopes": ["keys:write"]}, "/scopes/0", "not_allowed"),
        ({"name": "x", "scopes": "sessions:read"}, "/scopes", "wrong_type"),
        ({"name": "x", "scopes": ["sessions:read", 7]}, "/scopes/1", "wrong_type"),
        ({"name": "x", "mode": "production"}, "/mode", "not_allowed"),
        ({"name": "x", "expires_at": "tomorrow"}, "/expires_at", "invalid"),
        ({"name": "x", "expires_at": "2126-11-24T00:00:00"}, "/expires_at", "invalid"),
        ({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}, "/expires_at", "invalid"),
        ({"name": "x", "expires_at": "0001-01-01T00:00:00+23:59"}, "/expires_at", "invalid"),
        ({"name": "x", "expires_at": "9999-12-31T23:59:59-12:00"}, "/expires_at", "invalid"),
        ({"name": "x", "expires_at": "2127-W01-1T00:00:00Z"}, "/expires_at", "invalid"),
        ({"name": "x", "expires_at": "2126-02-30T00:00:00Z"}, "/expires_at", "invalid"),
        ({"name": "x", "secret": "fv_live_mine"}, "/secret", "unknown"),
        ({"name": "x", "account_id": "acc_0"}, "/account_id", "unknown"),
        ([], "", "wrong_type"),
    ],
)
def test_a_key_that_cannot_be_is_422_with_the_field(ada, body, pointer, code):
    answer = ada.call("POST", "/api/v1/keys", body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert answer.json["errors"][0]["pointer"] == pointer and answer.json["errors"][0]["code"] == code
    assert ada.call("GET", "/api/v1/keys").json["data"] == []


def test_the_form_says_what_to_correct_and_loses_nothing(ada):
    page = ada.post("/keys", name="Server", expires="90", mode="test")
    assert page.status_code == 422 and "Choose at least one" in page.text
    assert 'value="Server"' in page.text and '<option value="90" selected>' in page.text
    assert 'name="mode" value="test" checked' in page.text and 'name="scope" value="sessions:read">' in page.text
    page = ada.post("/keys", name="", scope=["usage:read"], expires="never")
    assert page.status_code == 422 and "Give it a name" in page.text
    assert 'value="usage:read" checked' in page.text and 'value="sessions:create">' in page.text


def test_after_a_key_was_made_the_form_is_empty_again(ada):
    page = ada.post("/keys", name="Back office", scope=["photos:read"], expires="90").text
    assert 'value="photos:read">' in page and 'value="sessions:read" checked' in page
    assert '<option value="365" selected>' in page


@pytest.mark.parametrize("change", [{"expires": ""}, {"expires": "soon"}, {"mode": "production"}])
def test_a_choice_that_is_not_offered_makes_no_key(ada, change):
    page = ada.post("/keys", **({"name": "x", "scope": ["usage:read"], "expires": "365"} | change))
    assert page.status_code == 422 and "Nothing was made." in page.text and page.text.count('role="alert"') == 1
    assert ada.call("GET", "/api/v1/keys").json["data"] == []


def test_keys_over_a_lowered_most_can_still_be_revoked(make_app, ada, clock):
    for name in ("one", "two", "three"):
        ada.call("POST", "/api/v1/keys", {"name": name})
    lower = make_app(KEYS_PER_ACCOUNT=1).test_client()
    lower.set_cookie("facevault", ada.client.get_cookie("facevault").value)
    assert lower.get("/keys").text.count(">Revoke<") == 3


def test_the_last_moment_that_can_be_written_can_be_read_again(ada):
    ada.call("POST", "/api/v1/keys", {"name": "x", "expires_at": "9999-12-31T23:59:59Z"})
    assert ada.call("GET", "/api/v1/keys").json["data"][0]["expires_at"] == "9999-12-31T23:59:59Z"
    assert "31 December 9999" in ada.get("/keys").text


def test_a_revoked_or_expired_key_fails_on_the_next_request(ada):
    def works(secret):
        answer = ada.app.test_client().get("/api/v1/keys", headers={"Authorization": f"Bearer {secret}"})
        return answer.json["code"] == "insufficient_scope"

    expires = {"name": "short", "expires_at": "2126-11-24T00:00:00Z"}
    one, two = (ada.call("POST", "/api/v1/keys", body).json for body in ({"name": "one"}, expires))
    assert works(one["secret"]) and works(two["secret"])
    assert ada.call("DELETE", f"/api/v1/keys/{one['id']}").status_code == 204
    assert not works(one["secret"])
    assert ada.call("DELETE", f"/api/v1/keys/{one['id']}").status_code == 404
    with ada.app.app_context():
        db.run("UPDATE api_keys SET expires_at = :now WHERE id = :id", now=int(ada.clock.now), id=two["id"])
    assert not works(two["secret"])
    assert ada.call("GET", "/api/v1/keys").json["data"] == []


def test_revoking_on_the_page(ada):
    key = ada.call("POST", "/api/v1/keys", {"name": "one"}).json["id"]
    assert ada.post(f"/keys/{key}/revoke").location == "/keys"
    assert "No keys yet" in ada.get("/keys").text
    assert ada.post(f"/keys/{key}/revoke").status_code == 404


def test_another_accounts_key_is_not_there(app, clock, ada):
    key = ada.call("POST", "/api/v1/keys", {"name": "mine"}).json["id"]
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    eve.post("/setup/codes/dismiss")
    for id in (key, "key_" + "0" * 32):
        answer = eve.call("DELETE", f"/api/v1/keys/{id}")
        assert answer.status_code == 404
        assert answer.json | {"request_id": ""} == eve.call("DELETE", "/api/v1/keys/x").json | {"request_id": ""}
        assert eve.post(f"/keys/{id}/revoke").status_code == 404
    assert len(ada.call("GET", "/api/v1/keys").json["data"]) == 1


def test_there_is_a_most_and_parallel_makers_do_not_exceed_it(make_app, clock):
    import threading

    app = make_app(KEYS_PER_ACCOUNT=3)
    ada = Visitor(app, clock)
    ada.signs_up()
    ada.enrols()
    ada.post("/setup/codes/dismiss")
    value = ada.client.get_cookie("facevault").value
    barrier, statuses = threading.Barrier(8), []

    def makes():
        client = app.test_client()
        client.set_cookie("facevault", value)
        barrier.wait()
        statuses.append(client.post("/api/v1/keys", json={"name": "x"}).status_code)

    threads = [threading.Thread(target=makes) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] * 3 + [409] * 5
    assert ada.call("POST", "/api/v1/keys", {"name": "x"}).json["code"] == "too_many_keys"
    refused = ada.post("/keys", name="x", scope=["usage:read"], expires="365")
    assert refused.status_code == 409 and "3 keys are the most" in refused.text


def test_a_list_is_given_a_page_at_a_time_and_stays_true_under_inserts(ada):
    def make(name):
        ada.clock.passes(seconds=1)
        return ada.call("POST", "/api/v1/keys", {"name": name}).json["id"]

    ids = [make(f"key {n}") for n in range(5)]
    first = ada.call("GET", "/api/v1/keys?limit=2").json
    assert [key["id"] for key in first["data"]] == ids[:2:-1] and first["has_more"] is True
    make("later")
    second = ada.call("GET", f"/api/v1/keys?limit=2&after={first['next_cursor']}").json
    third = ada.call("GET", f"/api/v1/keys?limit=2&after={second['next_cursor']}").json
    assert [key["id"] for key in second["data"] + third["data"]] == ids[2::-1]
    assert (third["has_more"], third["next_cursor"]) == (False, None)


BAD_LISTS = (
    "limit=0", "limit=101", "limit=x", "limit=-1", "limit=", "limit=٣", "page=2",
    "after=x", "after=AAAA", "after=MQ==", "limit=1&after=%00",
)  # fmt: skip


@pytest.mark.parametrize("query", BAD_LISTS)
def test_a_list_parameter_that_cannot_be_is_422(ada, query):
    answer = ada.call("GET", f"/api/v1/keys?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")


def test_when_a_key_was_last_used_is_noted_once_a_minute(ada):
    secret = ada.call("POST", "/api/v1/keys", {"name": "x"}).json["secret"]

    def used():
        return ada.call("GET", "/api/v1/keys").json["data"][0]["last_used_at"]

    assert used() is None
    seen = []
    for _ in range(3):
        ada.app.test_client().get("/api/v1/keys", headers={"X-FaceVault-Api-Key": secret})
        seen.append(used())
        ada.clock.passes(seconds=40)
    assert seen[0] == seen[1] != seen[2]


def test_only_a_hash_of_the_secret_is_kept(app, ada):
    secret = ada.call("POST", "/api/v1/keys", {"name": "x"}).json["secret"]
    with app.app_context():
        row = db.one(dict, "SELECT * FROM api_keys")
    assert secret[12:] not in repr(row) and len(row["secret_hash"]) == 64
