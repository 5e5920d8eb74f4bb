"""A key is replaced by another: who works until when, once however often it is asked, and what a key may never do."""

import html
import re
import threading

import pytest

from fv import db, gate
from fv.keys.scopes import NAMES
from tests.conftest import Visitor
from tests.test_gate import addresses
from tests.test_sessions import bearer

HOUR = 3600


def make(ada, **body):
    answer = ada.call("POST", "/api/v1/keys", {"name": "server", "scopes": ["sessions:read"]} | body)
    assert answer.status_code == 201
    return answer.json


def rotate(ada, key, **body):
    return ada.call("POST", f"/api/v1/keys/{key['id']}/rotate", body)


def works(ada, secret, address="127.0.0.1"):
    client = ada.app.test_client()
    answer = client.get("/api/v1/sessions", headers=bearer(secret), environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


def listed(ada):
    return ada.call("GET", "/api/v1/keys").json["data"]


def test_the_new_key_is_like_the_old_one_and_its_secret_is_shown_once(ada):
    old = make(ada, name="Back office", scopes=["photos:read"], mode="test", expires_at="2126-11-24T00:00:00Z")
    answer = rotate(ada, old, grace_hours=1)
    new = answer.json
    assert answer.status_code == 201 and new["id"] != old["id"] and new["secret"] != old["secret"]
    assert re.fullmatch(r"fv_test_[A-Za-z0-9]{43}", new["secret"])
    same = ("name", "scopes", "mode", "expires_at")
    assert [new[field] for field in same] == [old[field] for field in same]
    assert new["replaces"]["id"] == old["id"] and new["last_used_at"] is new["retires_at"] is None
    assert {key["id"]: key["retires_at"] for key in listed(ada)} == {
        new["id"]: None, old["id"]: new["replaces"]["works_until"],
    }  # fmt: skip
    assert new["secret"] not in ada.get("/keys").text + str(listed(ada))


def test_the_old_key_works_until_its_grace_ends_and_the_new_one_from_now_on(ada):
    old = make(ada)
    new = rotate(ada, old, grace_hours=72).json
    assert works(ada, old["secret"]) and works(ada, new["secret"])
    ada.clock.passes(seconds=72 * HOUR - 1)
    assert works(ada, old["secret"])
    ada.clock.passes(seconds=1)
    assert not works(ada, old["secret"]) and works(ada, new["secret"])
    ada.signs_in()
    assert [key["id"] for key in listed(ada)] == [new["id"]]


def test_without_grace_the_next_request_is_refused(ada):
    old = make(ada)
    assert works(ada, old["secret"])
    new = rotate(ada, old, grace_hours=0).json
    assert not works(ada, old["secret"]) and works(ada, new["secret"])


def test_who_does_not_say_how_long_has_a_day(ada):
    old = make(ada)
    new = rotate(ada, old).json
    ada.clock.passes(seconds=24 * HOUR - 1)
    assert works(ada, old["secret"])
    ada.clock.passes(seconds=1)
    assert not works(ada, old["secret"]) and works(ada, new["secret"])


def test_an_expiry_within_the_grace_comes_first_and_is_the_new_keys_too(ada):
    old = make(ada)
    with ada.app.app_context():
        db.run("UPDATE api_keys SET expires_at = :at", at=int(ada.clock.now) + HOUR)
    new = rotate(ada, old, grace_hours=2).json
    assert new["replaces"]["works_until"] == new["expires_at"]
    ada.clock.passes(seconds=HOUR)
    assert not works(ada, old["secret"]) and not works(ada, new["secret"])


def test_a_key_that_is_rotated_expired_revoked_or_not_there_is_404(ada):
    rotated, revoked, expired = (make(ada) for _ in range(3))
    assert rotate(ada, rotated, grace_hours=72).status_code == 201
    ada.call("DELETE", f"/api/v1/keys/{revoked['id']}")
    with ada.app.app_context():
        db.run("UPDATE api_keys SET expires_at = :at WHERE id = :id", at=int(ada.clock.now), id=expired["id"])
    before = len(listed(ada))
    for key in (rotated, revoked, expired, {"id": "key_" + "0" * 32}, {"id": "x"}):
        answer = rotate(ada, key, grace_hours=0)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
        assert ada.post(f"/keys/{key['id']}/rotate", grace_hours="0").status_code == 404
    assert len(listed(ada)) == before and works(ada, rotated["secret"]), "nothing was made, and nothing ended sooner"


def test_a_replaced_key_can_be_revoked_before_its_grace_ends(ada):
    old = make(ada)
    rotate(ada, old, grace_hours=72)
    assert ada.call("DELETE", f"/api/v1/keys/{old['id']}").status_code == 204
    assert not works(ada, old["secret"])


@pytest.mark.parametrize("hours", [-1, 73, 2**70, 1.5, "1", True, None])
def test_a_grace_that_cannot_be_is_422_and_changes_nothing(ada, hours):
    old = make(ada)
    answer = rotate(ada, old, grace_hours=hours)
    assert answer.status_code == 422 and answer.json["errors"][0]["pointer"] == "/grace_hours"
    assert ada.post(f"/keys/{old['id']}/rotate", grace_hours=f"{hours} hours").status_code == 422
    assert [key["id"] for key in listed(ada)] == [old["id"]] and works(ada, old["secret"])


def test_another_accounts_key_cannot_be_rotated(ada):
    old = make(ada)
    eve = ada.another("eve@example.org")
    eve.signs_up()
    eve.enrols()
    eve.post("/setup/codes/dismiss")
    for hours in (0, 99, "x"):
        assert rotate(eve, old, grace_hours=hours).status_code == 404
    assert eve.post(f"/keys/{old['id']}/rotate", grace_hours="0").status_code == 404
    assert works(ada, old["secret"])


def test_parallel_rotations_make_one_successor(app, ada):
    old = make(ada)
    value = ada.client.get_cookie("facevault").value
    barrier, statuses = threading.Barrier(8), []

    def rotates():
        client = app.test_client()
        client.set_cookie("facevault", value)
        barrier.wait()
        statuses.append(client.post(f"/api/v1/keys/{old['id']}/rotate", json={"grace_hours": 1}).status_code)

    threads = [threading.Thread(target=rotates) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [404] * 7 and len(listed(ada)) == 2


def test_a_full_account_can_rotate_and_a_loop_of_rotations_ends(make_app, clock):
    app = make_app(KEYS_PER_ACCOUNT=2)
    ada = Visitor(app, clock)
    ada.signs_up()
    ada.enrols()
    ada.post("/setup/codes/dismiss")
    one, _ = make(ada), make(ada)
    second = rotate(ada, one, grace_hours=1).json
    assert "2 of 2" in ada.get("/keys").text and ada.call("POST", "/api/v1/keys", {"name": "x"}).status_code == 409
    third = rotate(ada, second, grace_hours=1).json
    refused = rotate(ada, third, grace_hours=1)
    assert (refused.status_code, refused.json["code"]) == (409, "too_many_keys")
    assert works(ada, third["secret"]) and third["id"] in {key["id"] for key in listed(ada) if not key["retires_at"]}
    assert ada.post(f"/keys/{third['id']}/rotate", grace_hours="1").status_code == 409
    assert rotate(ada, third, grace_hours=0).status_code == 201, "what works on no longer takes no room"


def test_rotating_on_the_page_needs_no_script_and_says_until_when_the_old_one_works(ada):
    old = make(ada, name="Server <1>")
    page = ada.get("/keys").text
    assert f'<form class="stack tight" method="post" action="/keys/{old["id"]}/rotate"' in page
    page = ada.post(f"/keys/{old['id']}/rotate", grace_hours="24").text
    secret = re.search(r"fv_live_[A-Za-z0-9]{43}", page)[0]
    assert works(ada, secret) and secret not in ada.get("/keys").text
    told = re.search(r"The old one, <code>(.*?)…</code>, works until <time datetime=\"(.*?)\"", page)
    retires = next(key["retires_at"] for key in listed(ada) if key["id"] == old["id"])
    assert told.groups() == (old["prefix"], retires) and "Server <1>" in html.unescape(page)
    assert page.count(">Rotate<") == 1 and page.count(">Revoke<") == 2 and "1 of 20" in page
    page = ada.post(f"/keys/{next(k['id'] for k in listed(ada) if not k['retires_at'])}/rotate", grace_hours="0").text
    assert "no longer works" in page


def test_a_rotation_is_recorded_with_both_keys(ada):
    old = make(ada)
    new = rotate(ada, old, grace_hours=1).json
    (row,) = ada.get("/api/v1/audit?event=key.rotated").json["data"]
    assert (row["facts"]["key"], row["facts"]["successor"]) == (old["prefix"], new["prefix"])
    assert f"{old['prefix']}…, by {new['prefix']}…" in html.unescape(ada.get("/audit").text)
    assert old["secret"] not in str(row) and new["secret"] not in str(row)


def test_where_a_key_was_last_used_from_is_shown_as_a_network(ada):
    key = make(ada)
    assert listed(ada)[0]["last_used_from"] is None
    for address, network in (("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")):
        assert works(ada, key["secret"], address)
        assert listed(ada)[0]["last_used_from"] == network and f"<small>{network}</small>" in ada.get("/keys").text
        ada.clock.passes(minutes=1)


# ── What a key can never do ──────────────────────────────────────────────────────────────────────────────────

#: Addresses with one of these words are for people: a key that could call them could make itself more than it is.
FOR_PEOPLE = {"keys", "billing", "invoices", "retention", "audit", "decision", "review", "block", "totp", "setup", "me",
              "account", "webhooks", "login", "logout"}  # fmt: skip


def test_no_list_lets_a_key_manage_keys_money_terms_the_trail_reviews_or_the_second_factor(app):
    for rule in app.url_map.iter_rules():
        for method in rule.methods:
            if (method, rule.endpoint) in gate.OPEN_TO_KEYS:
                words = set(re.split(r"[/._-]", rule.rule))
                assert rule.rule.startswith("/api/v1/") and not words & FOR_PEOPLE, rule.rule
    assert not {scope.partition(":")[0] for scope in NAMES} & FOR_PEOPLE
    assert set(gate.OPEN_TO_KEYS.values()) <= NAMES


def test_a_key_of_every_scope_is_refused_there(app, ada):
    key = bearer(make(ada, scopes=sorted(NAMES))["secret"])
    tried = 0
    for endpoint, path in addresses(app):
        if endpoint is None or not set(re.split(r"[/._-]", path)) & FOR_PEOPLE:
            continue
        for rule in app.url_map.iter_rules(endpoint):
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                if (method, endpoint) not in gate.OPEN_TO_ALL:
                    answer = app.test_client().open(path, method=method, headers=key)
                    assert answer.status_code in (403, 405), (method, path, answer.status_code)
                    tried += 1
    assert tried > 20
