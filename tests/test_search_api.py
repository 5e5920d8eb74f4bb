"""Templates of faces over the API: added, listed, searched, blocked, removed, and in no answer."""

import json
import math
import re
import threading

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fv import db
from fv.api import times
from fv.fingerprints import listing, rekeying, vector
from fv.terms import store as terms
from fv.terms.span import CLASSES
from tests.conftest import Visitor, elsewhere
from tests.templates import near, template
from tests.test_audit import trail
from tests.test_sessions import bearer
from tests.test_usage import totals

NOWHERE = "fp_" + "0" * 32
MODEL, OURS = "their-model.1", "dlib-resnet-1"
URL = "/api/v1/fingerprints"


@pytest.fixture
def eve(app, clock):
    other = Visitor(app, clock, "eve@example.org")
    other.signs_up()
    other.enrols()
    other.post("/setup/codes/dismiss")
    return other


def keyed(ada, *scopes, mode="live"):
    """A program with a key of these scopes."""
    body = {"name": "server", "scopes": list(scopes or ("fingerprints:write", "fingerprints:search")), "mode": mode}
    secret = ada.call("POST", "/api/v1/keys", body).json["secret"]
    client = ada.app.test_client()
    return lambda method, path, body=None: client.open(path, method=method, headers=bearer(secret), json=body)


def add(call, number=1, user="ann", **body):
    numbers = body.pop("embedding", template(number))
    answer = call("POST", URL, {"embedding": numbers, "model": MODEL, "external_user_id": user} | body)
    assert answer.status_code == 201, answer.text
    return answer.json


def search(call, **body):
    return call("POST", f"{URL}/search", body)


def listed(call, query=""):
    return [one["id"] for one in call("GET", URL + query).json["data"]]


def is_refused(answer, pointer, code=None):
    (error,) = answer.json["errors"]
    return answer.status_code == 422 and error["pointer"] == pointer and code in (None, error["code"])


def session_of(ada, user="customer-1", mode="live"):
    secret = ada.call("POST", "/api/v1/keys", {"name": "s", "mode": mode}).json["secret"]
    made = ada.app.test_client().post("/api/v1/sessions", json={"external_user_id": user}, headers=bearer(secret))
    return made.json["session_id"]


# ── Added and listed ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_template_is_added_and_told_without_its_numbers(ada):
    session = session_of(ada)
    made = add(ada.call, session_id=session)
    assert re.fullmatch(r"fp_[0-9a-f]{32}", made["id"])
    assert made | {"id": ""} == {
        "id": "", "model": MODEL, "external_user_id": "ann", "session_id": session, "mode": "live",
        "created_at": times.written(int(ada.clock.now)), "blocked": None,
    }  # fmt: skip
    assert ada.call("GET", URL).json == {"data": [made], "has_more": False, "next_cursor": None}


def test_the_list_is_paged_newest_first_and_can_be_of_one_model(ada):
    ids = []
    for number in range(5):
        ids.append(add(ada.call, number, mode="test" if number == 3 else "live", model=f"m{number % 2}")["id"])
        ada.clock.passes(seconds=1)
    first = ada.call("GET", f"{URL}?limit=3").json
    ids.append(add(ada.call, 9)["id"])
    rest = ada.call("GET", f"{URL}?limit=3&after={first['next_cursor']}").json
    assert [one["id"] for one in first["data"] + rest["data"]] == ids[4::-1] and not rest["has_more"]
    assert listed(ada.call, "?model=m1") == [ids[3], ids[1]] and listed(ada.call, "?model=none") == []
    assert is_refused(ada.call("GET", f"{URL}?external_user_id=ann"), "/external_user_id", "unknown")


NO_NUMBERS = (
    None, True, "x", {}, 1, [], [1.0] * 127, [1.0] * 129, [1.0] * 512, [0.0] * 128, [-0.0] * 128, [1.0] * 127 + [True],
    [1.0] * 127 + ["1"], [1.0] * 127 + [None], [1.0] * 127 + [[1.0]], [[1.0] * 128], [1.0] * 127 + [{}],
    [1.0] * 127 + [math.nan], [math.inf] + [1.0] * 127, [-math.inf] * 128, [1.0] * 127 + [10**400],
)  # fmt: skip
IMPOSSIBLE = (
    ({"model": ""}, "/model"), ({"model": "A"}, "/model"), ({"model": "a" * 65}, "/model"),
    ({"model": "a/b"}, "/model"),
    ({"model": None}, "/model"), ({"external_user_id": ""}, "/external_user_id"),
    ({"external_user_id": "x" * 256}, "/external_user_id"), ({"external_user_id": "a\nb"}, "/external_user_id"),
    ({"external_user_id": 7}, "/external_user_id"), ({"mode": "dead"}, "/mode"), ({"session_id": 1}, "/session_id"),
    ({"vector": [1.0]}, "/vector"), ({"id": NOWHERE}, "/id"),
)  # fmt: skip


@pytest.mark.parametrize("numbers", NO_NUMBERS, ids=lambda numbers: str(numbers)[:20])
def test_what_is_no_template_is_422_with_its_place(ada, numbers):
    body = {"embedding": numbers, "model": MODEL, "external_user_id": "ann"}
    for path, asked in ((URL, body), (f"{URL}/search", {"embedding": numbers})):
        answer = ada.client.post(path, data=json.dumps(asked), content_type="application/json")
        assert answer.status_code == 422, answer.text
        assert answer.json["errors"][0]["pointer"].startswith("/embedding")
    assert listed(ada.call) == []


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_none_are_said_with_their_place(ada, text):
    raw = '{"model": "m", "external_user_id": "a", "embedding": [' + "1, " * 127 + text + "]}"
    answer = ada.client.post(URL, data=raw, content_type="application/json")
    assert is_refused(answer, "/embedding/127")
    if not text[-1].isdigit():  # what is no JSON in another way, too, is not read any further
        cut = ada.client.post(URL, data=raw[:-1], content_type="application/json")
        assert (cut.status_code, cut.json["code"]) == (400, "malformed")


def test_a_field_that_cannot_be_is_422_with_its_name(ada):
    for body, pointer in IMPOSSIBLE:
        whole = {"embedding": template(1), "model": MODEL, "external_user_id": "ann"} | body
        assert is_refused(ada.call("POST", URL, whole), pointer), body
    for field in ("embedding", "model", "external_user_id"):
        whole = {"embedding": template(1), "model": MODEL, "external_user_id": "ann"}
        del whole[field]
        assert is_refused(ada.call("POST", URL, whole), f"/{field}", "missing")
    assert listed(ada.call) == []


numbers = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=3), st.lists(st.floats()))
vectors = st.one_of(numbers, st.lists(numbers, max_size=5), st.lists(st.floats(), min_size=126, max_size=130))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example([5e-324] * 128)
@example([1.7e308] * 128)
@given(vectors)
def test_any_embedding_is_taken_or_refused_at_its_field(ada, embedding):
    body = json.dumps({"embedding": embedding, "model": "m", "external_user_id": "a"})
    answer = ada.client.post(URL, data=body, content_type="application/json")
    is_one = isinstance(embedding, list) and len(embedding) == 128 and all(
        type(one) in (int, float) and math.isfinite(one) for one in embedding
    ) and any(embedding)  # fmt: skip
    assert answer.status_code == (201 if is_one else 422), answer.text
    if not is_one:
        assert answer.json["errors"][0]["pointer"].startswith("/embedding")


def test_a_session_has_to_be_of_this_account_and_mode_and_not_erased(app, ada, eve):
    theirs, trial, own = session_of(eve), session_of(ada, mode="test"), session_of(ada)
    body = {"embedding": template(1), "model": MODEL, "external_user_id": "ann"}
    for id in (theirs, trial, "vs_" + "0" * 32, ""):
        answer = ada.call("POST", URL, body | {"session_id": id})
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert add(ada.call, session_id=trial, mode="test")["session_id"] == trial
    with app.app_context():
        terms.gone(own, CLASSES)
    answer = ada.call("POST", URL, body | {"session_id": own})
    assert (answer.status_code, answer.json["code"]) == (410, "erased") and len(listed(ada.call)) == 1


# ── Searched ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_template_is_compared_and_the_most_similar_come_first(app, ada):
    base = template(1)
    ids = {cosine: add(ada.call, user=f"u{cosine}", embedding=near(base, cosine))["id"] for cosine in (0.5, 0.93, -0.4)}
    ids[1.0] = add(ada.call, embedding=[1000 * number for number in base], user="same")["id"]
    found = search(ada.call, embedding=base, reason="looking").json
    assert found.keys() == {"search_id", "model", "searched", "data"}
    assert re.fullmatch(r"srch_[0-9a-f]{32}", found["search_id"]) and (found["model"], found["searched"]) == (MODEL, 4)
    assert [(one["id"], one["similarity"]) for one in found["data"]] == [(ids[c], c) for c in (1.0, 0.93, 0.5)]
    assert found["data"][1] | {"id": ""} == {
        "id": "", "session_id": None, "external_user_id": "u0.93", "similarity": 0.93,
        "created_at": times.written(int(ada.clock.now)),
    }  # fmt: skip
    assert len(search(ada.call, embedding=base, top_k=1).json["data"]) == 1
    assert len(search(ada.call, embedding=base, min_similarity=-1).json["data"]) == 4
    assert [one["similarity"] for one in search(ada.call, embedding=base, min_similarity=0.94).json["data"]] == [1.0]
    by_id = search(ada.call, fingerprint_id=ids[0.93]).json["data"]
    assert (by_id[0]["id"], by_id[0]["similarity"]) == (ids[0.93], 1.0)


def test_equal_ones_are_ordered_by_id(ada):
    ids = sorted(add(ada.call)["id"] for _ in range(5))
    assert [one["id"] for one in search(ada.call, embedding=template(1), top_k=3).json["data"]] == ids[:3]


def test_a_session_is_looked_for_by_its_face(ada):
    session = session_of(ada)
    assert search(ada.call, session_id=session).status_code == 404, "it has none yet"
    id = add(ada.call, session_id=session)["id"]
    (found,) = search(ada.call, session_id=session).json["data"]
    assert (found["id"], found["session_id"], found["similarity"]) == (id, session, 1.0)


def test_what_cannot_be_asked_is_422(ada):
    id = add(ada.call)["id"]
    for body, pointer, code in (
        ({}, "/embedding", "missing"), ({"fingerprint_id": id, "session_id": "vs_1"}, "/embedding", "contradiction"),
        ({"fingerprint_id": id, "embedding": template(1)}, "/embedding", "contradiction"),
        ({"fingerprint_id": id, "top_k": 0}, "/top_k", "invalid"),
        ({"fingerprint_id": id, "top_k": 101}, "/top_k", "invalid"),
        ({"fingerprint_id": id, "top_k": True}, "/top_k", "wrong_type"),
        ({"fingerprint_id": id, "min_similarity": 1.01}, "/min_similarity", "invalid"),
        ({"fingerprint_id": id, "min_similarity": "0"}, "/min_similarity", "wrong_type"),
        ({"fingerprint_id": id, "model": "A B"}, "/model", "invalid"),
        ({"fingerprint_id": id, "mode": "both"}, "/mode", "not_allowed"),
        ({"fingerprint_id": id, "reason": "x" * 501}, "/reason", "invalid"),
        ({"fingerprint_id": id, "reason": "\x00"}, "/reason", "invalid"),
        ({"fingerprint_id": id, "most": 1}, "/most", "unknown"),
    ):  # fmt: skip
        assert is_refused(search(ada.call, **body), pointer, code), body
    assert totals(ada)["searches"] == 0


def test_templates_of_another_model_are_never_compared_and_that_is_said(ada):
    assert search(ada.call, embedding=template(1)).json["data"] == [], "nothing is stored yet: anything can be asked"
    id = add(ada.call)["id"]
    for body in ({"embedding": template(1), "model": "other"}, {"fingerprint_id": id, "model": "other"}):
        answer = search(ada.call, **body)
        assert (answer.status_code, answer.json["code"], answer.json["models"]) == (409, "model_mismatch", [MODEL])
    add(ada.call, 2, model="other")
    answer = search(ada.call, embedding=template(1))
    assert answer.json["models"] == sorted([MODEL, "other"]), "of two it has to be said which"
    assert search(ada.call, embedding=template(1), model="other").json["searched"] == 1


def test_live_and_test_mode_are_two_galleries(ada):
    live, trial = keyed(ada), keyed(ada, mode="test")
    ids = {"live": add(live)["id"], "test": add(trial)["id"]}
    assert listed(live) == [ids["live"]] and listed(trial) == [ids["test"]] and len(listed(ada.call)) == 2
    for call, own, other in ((live, "live", "test"), (trial, "test", "live")):
        found = search(call, embedding=template(1)).json
        assert ([one["id"] for one in found["data"]], found["searched"]) == ([ids[own]], 1)
        assert search(call, fingerprint_id=ids[other]).status_code == 404
        assert call("DELETE", f"{URL}/{ids[other]}").status_code == 404
        assert is_refused(search(call, embedding=template(1), mode=own), "/mode", "not_allowed")
        assert is_refused(call("POST", URL, {"embedding": template(1), "model": MODEL, "external_user_id": "a",
                                             "mode": own}), "/mode", "not_allowed")  # fmt: skip
    by_hand = search(ada.call, embedding=template(1), mode="test").json["data"]
    assert [one["id"] for one in by_hand] == [ids["test"]]
    assert [one["id"] for one in search(ada.call, fingerprint_id=ids["test"]).json["data"]] == [ids["test"]]
    assert search(ada.call, fingerprint_id=ids["test"], mode="live").status_code == 404
    assert totals(ada)["searches"] == 1, "what happens in test mode is not counted"


def test_another_accounts_templates_are_not_there(ada, eve):
    id = add(ada.call)["id"]
    assert listed(eve.call) == []
    found = search(eve.call, embedding=template(1)).json
    assert (found["data"], found["searched"]) == ([], 0)
    for ask in (
        lambda id: eve.call("DELETE", f"{URL}/{id}"),
        lambda id: search(eve.call, fingerprint_id=id),
        lambda id: eve.call("POST", f"{URL}/{id}/block", {"reason": "x"}),
        lambda id: eve.call("DELETE", f"{URL}/{id}/block"),
    ):
        theirs, nobodys = ask(id), ask(NOWHERE)
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.json | {"request_id": ""} == nobodys.json | {"request_id": ""}
    assert listed(ada.call) == [id] and ada.call("GET", URL).json["data"][0]["blocked"] is None


def test_each_search_is_counted_and_recorded_with_who_and_why(app, ada):
    id = add(ada.call)["id"]
    key = keyed(ada)
    asked = [
        search(ada.call, fingerprint_id=id, reason="  a\n  second look "),
        search(key, embedding=template(2), model=MODEL),
    ]
    assert totals(ada)["searches"] == 2
    with app.app_context():
        kept = db.many(dict, "SELECT * FROM searches ORDER BY about DESC")
    assert [(row["id"], row["about"], row["reason"], row["searched"], row["found"]) for row in kept] == [
        (asked[0].json["search_id"], f"fingerprint {id}", "a second look", 1, 1),
        (asked[1].json["search_id"], "embedding", "", 1, len(asked[1].json["data"])),
    ]
    assert kept[0]["asked_by"] == "ada@example.org" and kept[1]["asked_by"].startswith("fv_live_")
    rows = [row for row in trail(app) if row["event"].startswith("fingerprint")]
    assert [row["event"] for row in rows] == ["fingerprint.added", *["fingerprints.searched"] * 2]
    assert asked[1].json["search_id"] in rows[2]["facts"] and "second look" not in str(rows)


# ── Scopes, blocking, removing ───────────────────────────────────────────────────────────────────────────────


def test_a_key_needs_the_scope_and_never_decides_about_the_block_list(ada):
    id = add(ada.call)["id"]
    writing, searching = keyed(ada, "fingerprints:write"), keyed(ada, "fingerprints:search")
    assert search(writing, fingerprint_id=id).json["code"] == "insufficient_scope"
    for method, path in (("GET", URL), ("POST", URL), ("DELETE", f"{URL}/{id}")):
        assert searching(method, path).json["code"] == "insufficient_scope"
    both = keyed(ada)
    for method in ("POST", "DELETE"):
        assert both(method, f"{URL}/{id}/block", {"reason": "x"}).json["code"] == "insufficient_scope"
    page = ada.get("/keys").text
    assert "fingerprints:write" in page and "fingerprints:search" in page


def test_a_face_is_blocked_and_unblocked_by_a_person_with_a_reason(app, ada):
    id = add(ada.call, model=OURS)["id"]
    for reason in ("", "   ", "x" * 501, "\x07"):
        assert is_refused(ada.call("POST", f"{URL}/{id}/block", {"reason": reason}), "/reason", "invalid")
    assert is_refused(ada.call("POST", f"{URL}/{id}/block", {}), "/reason", "missing")
    blocked = {"reason": "forged passport", "blocked_at": times.written(int(ada.clock.now))}
    answer = ada.call("POST", f"{URL}/{id}/block", {"reason": " forged  passport"})
    assert (answer.status_code, answer.json["blocked"]) == (200, blocked)
    ada.clock.passes(hours=1)
    again = ada.call("POST", f"{URL}/{id}/block", {"reason": "another"})
    assert again.json["blocked"] == ada.call("GET", URL).json["data"][0]["blocked"] == blocked
    for _ in range(2):
        assert ada.call("DELETE", f"{URL}/{id}/block").status_code == 204
    assert ada.call("GET", URL).json["data"][0]["blocked"] is None
    events = [row["event"] for row in trail(app)]
    assert events.count("fingerprint.blocked") == events.count("fingerprint.unblocked") == 1


def test_a_list_is_whole_while_templates_move_to_another_rotation(app, ada, monkeypatch):
    ids = [add(ada.call, number)["id"] for number in range(3)]
    page, moved = listing.page, []

    def moves():
        with app.app_context():
            account_id = db.one(dict, "SELECT id FROM accounts")["id"]
            moved.append(rekeying.rekey_account(account_id, 1, lambda _done, _all: None).templates)

    def meanwhile(*words):
        elsewhere(moves)
        return page(*words)

    monkeypatch.setattr(listing, "page", meanwhile)
    assert sorted(listed(ada.call)) == sorted(ids) and moved == [3]


def test_a_face_that_no_selfie_is_compared_with_is_not_blocked(ada):
    id = add(ada.call)["id"]
    answer = ada.call("POST", f"{URL}/{id}/block", {"reason": "forged passport"})
    assert (answer.status_code, answer.json["code"], answer.json["models"]) == (409, "model_mismatch", [OURS])
    assert ada.call("GET", URL).json["data"][0]["blocked"] is None


def test_a_template_that_was_removed_is_found_no_more(app, ada):
    ids = [add(ada.call, number)["id"] for number in (1, 2)]
    assert ada.call("DELETE", f"{URL}/{ids[0]}").status_code == 204
    assert ada.call("DELETE", f"{URL}/{ids[0]}").status_code == 404
    assert listed(ada.call) == [ids[1]] and search(ada.call, embedding=template(1), top_k=5).json["searched"] == 1
    assert [row["event"] for row in trail(app)].count("fingerprint.removed") == 1


def test_of_eight_who_remove_and_block_at_once_one_does_each(app, ada):
    ids = [add(ada.call, number, model=OURS)["id"] for number in range(2)]
    calls = [keyed(ada) for _ in range(8)]
    cookie = ada.client.get_cookie("facevault").value
    barrier, answers = threading.Barrier(16), []

    def does(work):
        barrier.wait()
        answers.append(work().status_code)

    def blocks():
        client = app.test_client()
        client.set_cookie("facevault", cookie)
        return client.post(f"{URL}/{ids[1]}/block", json={"reason": "at once"})

    work = [lambda call=call: call("DELETE", f"{URL}/{ids[0]}") for call in calls] + [blocks] * 8
    threads = [threading.Thread(target=does, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] * 8 + [204] + [404] * 7
    events = [row["event"] for row in trail(app)]
    assert events.count("fingerprint.removed") == events.count("fingerprint.blocked") == 1


def test_a_login_that_ended_meanwhile_adds_and_finds_nothing(app, ada, monkeypatch):
    from fv.accounts import flows as accounts

    id = add(ada.call)["id"]

    def has_ended(_):
        raise db.Undo

    monkeypatch.setattr(accounts, "insist", has_ended)
    body = {"embedding": template(1), "model": MODEL, "external_user_id": "ann"}
    answers = [
        ada.call("POST", URL, body), search(ada.call, fingerprint_id=id), ada.call("DELETE", f"{URL}/{id}"),
        ada.call("POST", f"{URL}/{id}/block", {"reason": "x"}), ada.call("DELETE", f"{URL}/{id}/block"),
    ]  # fmt: skip
    assert {(one.status_code, one.json["code"]) for one in answers} == {(401, "not_authenticated")}
    assert listed(ada.call) == [id]


# ── No answer holds a template ───────────────────────────────────────────────────────────────────────────────


def beginnings(numbers):
    """How each number would begin, wherever it were written: `0.071934`."""
    return {f"{abs(number):.12f}"[:8] for number in numbers}


def test_no_answer_page_log_row_or_error_holds_a_number_of_a_template(app, ada, capfd):
    base, wrong = template(1), [*template(1)[:127], math.nan]
    own = session_of(ada)
    one = add(ada.call, embedding=base, session_id=own, model=OURS)["id"]
    add(ada.call, embedding=near(base, 0.9), model=OURS)
    said = [
        ada.call("GET", URL), search(ada.call, embedding=base, reason="r"), search(ada.call, fingerprint_id=one),
        search(ada.call, embedding=base, model="other"), search(ada.call, embedding=base, top_k=0),
        search(ada.call, embedding=base[:127]), search(ada.call, embedding=[*base, 1.0]),
        ada.client.post(URL, data=json.dumps({"embedding": wrong}), content_type="application/json"),
        ada.client.post(URL, data=json.dumps(base), content_type="application/json"),
        ada.call("POST", URL, {"embedding": base, "model": "A", "external_user_id": "a"}),
        ada.call("POST", f"{URL}/{one}/block", {"reason": "r"}), ada.get("/search"),
        ada.post("/search", face=one, reason="r", min_similarity="-1"), ada.get(f"/sessions/{own}"), ada.get("/audit"),
        ada.call("GET", "/api/v1/audit"), ada.call("DELETE", f"{URL}/{one}"),
    ]  # fmt: skip
    text = "".join(answer.text for answer in said) + "".join(capfd.readouterr())
    with app.app_context():
        for table in ("audit", "searches", "usage_days", "blocked_fingerprints", "galleries", "verifications"):
            text += repr(db.many(dict, f"SELECT * FROM {table}"))
        (stored,) = db.many(dict, "SELECT vector FROM fingerprints")
    private = beginnings([*base, *near(base, 0.9), *vector.numbers(stored["vector"])])
    assert len(private) > 370
    assert not [digits for digits in private if digits in text]
