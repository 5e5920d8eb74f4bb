"""Sessions over the API: what they can become, who sees them, and that equal requests make one."""

import itertools
import threading

import pytest

from fv import db
from fv.throttle.policy import Rate
from fv.verifications import flows, states
from tests.conftest import Visitor
from tests.test_audit import names


@pytest.fixture
def key(ada):
    """Headers with a live key that has the scopes a key has by default."""
    return bearer(ada.call("POST", "/api/v1/keys", {"name": "server"}).json["secret"])


@pytest.fixture
def trial_key(ada):
    return bearer(ada.call("POST", "/api/v1/keys", {"name": "test", "mode": "test"}).json["secret"])


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def create(app, headers, user="customer-1", **extra):
    return app.test_client().post("/api/v1/sessions", json={"external_user_id": user}, headers=headers | extra)


def get(app, headers, path):
    return app.test_client().get(path, headers=headers)


def put_into(app, id, status, **columns):
    with app.app_context():
        db.run("UPDATE verifications SET status = :status WHERE id = :id", id=id, status=status)


# ── Making one ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_session_has_the_fields_of_the_contract(app, key):
    made = create(app, key)
    assert made.status_code == 201
    assert made.json.keys() == {
        "session_id", "session_token", "steps", "challenge_nonce", "capture_url", "expires_at"
    }  # fmt: skip
    assert made.json["session_id"].startswith("vs_") and made.json["steps"] == ["id_photo", "selfie", "liveness_frame"]
    assert made.json["capture_url"].endswith(f"/?sid={made.json['session_id']}&st={made.json['session_token']}")
    found = get(app, key, f"/api/v1/sessions/{made.json['session_id']}").json
    assert found.keys() == {
        "session_id", "external_user_id", "status", "steps", "face_match_passed", "error", "created_at", "completed_at",
        "trust_score", "trust_decision", "require_poa", "poa", "anti_spoofing", "credential", "checks", "mode",
        "data_state", "erase_after",
    }  # fmt: skip
    assert (found["status"], found["mode"], found["external_user_id"]) == ("pending", "live", "customer-1")
    assert made.json["session_token"] not in str(found)


@pytest.mark.parametrize("way", ["query", "body"])
def test_what_it_is_for_stands_in_the_query_or_in_the_body(app, key, way):
    client = app.test_client()
    if way == "query":
        made = client.post("/api/v1/sessions?external_user_id=a%20b&require_poa=true", headers=key)
    else:
        made = client.post("/api/v1/sessions", json={"external_user_id": "a b", "require_poa": True}, headers=key)
    found = get(app, key, f"/api/v1/sessions/{made.json['session_id']}").json
    assert (found["external_user_id"], found["require_poa"]) == ("a b", True)


@pytest.mark.parametrize(
    ("query", "body", "pointer"),
    [
        ("", {}, "/external_user_id"), ("", {"external_user_id": ""}, "/external_user_id"),
        ("", {"external_user_id": "x" * 256}, "/external_user_id"),
        ("", {"external_user_id": "a\nb"}, "/external_user_id"),
        ("", {"external_user_id": 7}, "/external_user_id"), ("", {"external_user_id": "a", "more": 1}, "/more"),
        ("?external_user_id=a&require_poa=yes", {}, "/require_poa"), ("?external_user_id=a&colour=red", {}, "/colour"),
        ("?external_user_id=a", {"external_user_id": "b"}, "/external_user_id"),
    ],
)  # fmt: skip
def test_a_session_that_cannot_be_is_422_with_the_field(app, key, query, body, pointer):
    answer = app.test_client().post(f"/api/v1/sessions{query}", json=body, headers=key)
    assert answer.status_code == 422 and answer.json["errors"][0]["pointer"] == pointer


def test_without_a_key_or_the_scope_none_is_made(app, ada, key):
    assert create(app, {}).status_code == 401
    other = ada.call("POST", "/api/v1/keys", {"name": "reader", "scopes": ["sessions:read"]}).json["secret"]
    assert create(app, bearer(other)).json["code"] == "insufficient_scope"
    assert get(app, bearer(other), "/api/v1/sessions").status_code == 200
    assert ada.call("POST", "/api/v1/sessions", {"external_user_id": "by a person"}).status_code == 201


def test_only_a_hash_of_the_token_is_kept(app, key):
    made = create(app, key, **{"Idempotency-Key": "one"}).json
    with app.app_context():
        rows = str(db.many(dict, "SELECT * FROM verifications")) + str(db.many(dict, "SELECT * FROM idempotency"))
    assert made["session_token"] not in rows


def test_twenty_parallel_equal_posts_make_one_session_with_equal_answers(app, key):
    barrier, answers = threading.Barrier(20), []

    def posts():
        barrier.wait()
        answers.append(create(app, key, **{"Idempotency-Key": "order 17"}))

    threads = [threading.Thread(target=posts) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201} and len({answer.text for answer in answers}) == 1
    assert len(get(app, key, "/api/v1/sessions").json["data"]) == 1


def test_an_account_makes_no_more_sessions_than_it_may(make_app, clock):
    app = make_app(SESSIONS_ACCOUNT=(Rate(2, 60), Rate(3, 3600)))
    ada, eve = Visitor(app, clock), Visitor(app, clock, "eve@example.org")
    keys = []
    for one in (ada, eve):
        one.signs_up()
        one.enrols()
        one.post("/setup/codes/dismiss")
        keys.append(bearer(one.call("POST", "/api/v1/keys", {"name": "server"}).json["secret"]))

    def tries(again=None):
        answer = create(app, keys[0], **({"Idempotency-Key": again} if again else {}))
        return answer.status_code, answer.headers.get("Retry-After")

    assert [tries(), tries("one"), tries()] == [(201, None), (201, None), (429, "60")]
    assert tries("one") == (201, None), "that session is there already"
    assert create(app, keys[1]).status_code == 201
    clock.passes(seconds=60)
    assert [tries(), tries()] == [(201, None), (429, "3540")]
    page = ada.post("/sessions", external_user_id="a", mode="live")
    assert page.status_code == 429 and "Slow down" in page.text


def test_an_idempotency_key_is_for_one_request_one_account_and_one_day(app, clock, ada, key):
    first = create(app, key, **{"Idempotency-Key": "one"}).json
    reused = create(app, key, "somebody else", **{"Idempotency-Key": "one"})
    assert (reused.status_code, reused.json["code"]) == (422, "idempotency_key_reused")
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    theirs = bearer(eve.call("POST", "/api/v1/keys", {"name": "x"}).json["secret"])
    assert create(app, theirs, **{"Idempotency-Key": "one"}).json["session_id"] != first["session_id"]
    clock.passes(hours=24)
    assert create(app, key, **{"Idempotency-Key": "one"}).json["session_id"] != first["session_id"]
    for bad in ("", "x" * 256, "a\u00e9"):
        assert create(app, key, **{"Idempotency-Key": bad}).status_code == 422


# ── Who sees it ──────────────────────────────────────────────────────────────────────────────────────────────


def test_another_accounts_session_is_answered_like_one_that_never_was(app, clock, ada, key):
    theirs = create(app, key).json["session_id"]
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    headers = bearer(eve.call("POST", "/api/v1/keys", {"name": "x"}).json["secret"])
    for method, path in (("GET", ""), ("POST", "/cancel")):
        bodies = []
        for id in (theirs, "vs_" + "0" * 32):
            answer = app.test_client().open(f"/api/v1/sessions/{id}{path}", method=method, headers=headers)
            bodies.append({name: value for name, value in answer.json.items() if name != "request_id"})
            assert answer.status_code == 404
        assert bodies[0] == bodies[1]
    assert get(app, headers, "/api/v1/sessions").json["data"] == []


def test_test_mode_is_invisible_to_live_and_the_other_way_round(app, ada, key, trial_key):
    live, test = create(app, key).json["session_id"], create(app, trial_key, "test_pass").json["session_id"]
    for headers, own, other in ((key, live, test), (trial_key, test, live)):
        assert [row["session_id"] for row in get(app, headers, "/api/v1/sessions").json["data"]] == [own]
        assert get(app, headers, f"/api/v1/sessions/{other}").status_code == 404
        assert app.test_client().post(f"/api/v1/sessions/{other}/cancel", headers=headers).status_code == 404
    assert len(ada.call("GET", "/api/v1/sessions").json["data"]) == 2, "a person sees both"


def test_a_list_is_filtered_and_stays_true_under_inserts(app, clock, key):
    ids = []
    for number in range(5):
        ids.insert(0, create(app, key, f"user-{number % 2}").json["session_id"])
        clock.passes(seconds=1)
    first = get(app, key, "/api/v1/sessions?limit=2").json
    create(app, key, "meanwhile")
    second = get(app, key, f"/api/v1/sessions?limit=2&after={first['next_cursor']}").json
    assert [row["session_id"] for row in first["data"] + second["data"]] == ids[:4]

    def listed(query):
        return [row["session_id"] for row in get(app, key, f"/api/v1/sessions?{query}").json["data"]]

    assert listed("external_user_id=user-1") == [ids[1], ids[3]]
    at = first["data"][1]["created_at"]
    assert listed(f"created_after={at}&external_user_id=user-0") == [ids[0]]
    assert listed(f"created_before={at}") == ids[2:]
    app.test_client().post(f"/api/v1/sessions/{ids[4]}/cancel", headers=key)
    assert listed("status=canceled") == [ids[4]] and ids[4] not in listed("status=pending")
    for bad in ("status=lost", "created_after=soon", "colour=red", "limit=0", "after=x"):
        assert get(app, key, f"/api/v1/sessions?{bad}").status_code == 422


# ── What it can become ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", states.NEXT)
@pytest.mark.parametrize("new", ["canceled", "passed", "failed"])
def test_every_pair_that_is_not_in_the_table_is_409_and_leaves_no_event(app, ada, key, status, new):
    id = create(app, key).json["session_id"]
    put_into(app, id, status)
    with app.app_context():
        before = flows.store.timeline(id)
    if new == "canceled":
        answer = app.test_client().post(f"/api/v1/sessions/{id}/cancel", headers=key)
        allowed = status in states.OPEN
    else:
        answer = ada.call("POST", f"/api/v1/sessions/{id}/decision", {"decision": new, "reason": "looked at it"})
        allowed = status == "review" or (status, new) == ("passed", "failed")
    assert answer.status_code == (200 if allowed else 409)
    with app.app_context():
        after = flows.store.timeline(id)
    if allowed:
        assert answer.json["status"] == new and [one.event for one in after] == [new, "pending"]
    else:
        assert answer.json["code"] == "invalid_transition" and after == before


def test_the_table_is_that_of_the_contract():
    pairs = {
        (status, new) for status, new in itertools.product(states.NEXT, repeat=2) if states.may_become(status, new)
    }
    assert pairs == {
        ("pending", "in_progress"), ("in_progress", "analyzing"), ("analyzing", "passed"), ("analyzing", "review"),
        ("analyzing", "failed"), ("review", "passed"), ("review", "failed"), ("passed", "failed"),
        ("pending", "expired"), ("in_progress", "expired"), ("pending", "canceled"), ("in_progress", "canceled"),
    }  # fmt: skip


def test_a_session_that_ran_out_is_expired_without_anybody_writing_it(app, clock, key):
    id = create(app, key).json["session_id"]
    clock.passes(hours=24, seconds=-1)
    assert get(app, key, f"/api/v1/sessions/{id}").json["status"] == "pending"
    clock.passes(seconds=1)
    assert get(app, key, f"/api/v1/sessions/{id}").json["status"] == "expired"
    assert [row["session_id"] for row in get(app, key, "/api/v1/sessions?status=expired").json["data"]] == [id]
    assert get(app, key, "/api/v1/sessions?status=pending").json["data"] == []
    assert app.test_client().post(f"/api/v1/sessions/{id}/cancel", headers=key).status_code == 409


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"decision": "passed", "reason": "  "}, "/reason"), ({"decision": "passed", "reason": "x" * 501}, "/reason"),
     ({"decision": "review", "reason": "x"}, "/decision"), ({"decision": "passed"}, "/reason")],
)  # fmt: skip
def test_a_decision_needs_a_reason_and_is_passed_or_failed(app, ada, key, body, pointer):
    id = create(app, key).json["session_id"]
    put_into(app, id, "review")
    answer = ada.call("POST", f"/api/v1/sessions/{id}/decision", body)
    assert answer.status_code == 422 and answer.json["errors"][0]["pointer"] == pointer


def test_a_decision_is_a_persons_and_is_recorded(app, ada, key):
    id = create(app, key).json["session_id"]
    put_into(app, id, "review")
    by_key = app.test_client().post(
        f"/api/v1/sessions/{id}/decision", json={"decision": "passed", "reason": "x"}, headers=key
    )
    assert by_key.json["code"] == "insufficient_scope"
    assert (
        ada.call("POST", f"/api/v1/sessions/{id}/decision", {"decision": "passed", "reason": "same person"}).json[
            "status"
        ]
        == "passed"
    )
    assert names(app)[-1] == "session.passed"
    with app.app_context():
        assert flows.store.timeline(id)[0].note == "same person"


def test_of_ten_decisions_at_once_one_counts(app, ada, key):
    id = create(app, key).json["session_id"]
    put_into(app, id, "review")
    cookie = ada.client.get_cookie("facevault").value
    barrier, statuses = threading.Barrier(10), []

    def decides(number):
        client = app.test_client()
        client.set_cookie("facevault", cookie)
        barrier.wait()
        body = {"decision": "passed", "reason": f"{number}"}
        statuses.append(client.post(f"/api/v1/sessions/{id}/decision", json=body).status_code)

    threads = [threading.Thread(target=decides, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [409] * 9 and names(app).count("session.passed") == 1
