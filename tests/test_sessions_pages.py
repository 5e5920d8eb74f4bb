"""Sessions for the people behind the gate: the list, one session, its photos, the queue."""

import re

import pytest

from fv import db, words
from fv.evidence import flows as evidence
from tests.conftest import Visitor
from tests.photos import KINDS, forget_photos, photographed, picture
from tests.test_audit import trail

NOWHERE = "vs_" + "0" * 32


def make(visitor, user="customer-1", mode="live"):
    """By the page, a second after the one before; the id."""
    visitor.clock.passes(seconds=1)
    page = visitor.post("/sessions", external_user_id=user, mode=mode)
    assert page.status_code == 200, page.text
    return re.search(r"<code>(vs_[0-9a-f]{32})</code>", page.text)[1]


def reviewed(app, visitor, user="customer-1", **kwargs):
    id = make(visitor, user, **kwargs)
    photographed(app, id)
    return id


def put_into(app, id, status):
    with app.app_context():
        db.run("UPDATE verifications SET status = :status WHERE id = :id", id=id, status=status)


def listed(visitor, query=""):
    """Who stands on a page of the list, and the page."""
    answer = visitor.get(f"/sessions{query}")
    assert answer.status_code == 200
    return re.findall(r'<a class="cover"[^>]*>([^<]*)</a>', answer.text), answer.text


def tabs(page):
    return dict(re.findall(r'id="tab-(\w+)"[^>]*>\w+ <span class="num">([\d,]+)</span>', page))


def viewings(app):
    return [row for row in trail(app) if row["event"] == "session.photo_viewed"]


@pytest.fixture
def eve(app, clock):
    other = Visitor(app, clock, "eve@example.org")
    other.signs_up()
    other.enrols()
    other.post("/setup/codes/dismiss")
    return other


# ── The list ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_sessions_the_list_says_what_to_do(ada):
    who, page = listed(ada)
    assert who == [] and "No sessions yet" in page and "Make an API key" in page


def test_a_session_made_by_hand_shows_its_link_once(app, ada):
    page = ada.post("/sessions", external_user_id="customer-1", mode="live").text
    link = re.search(r'<code id="link">([^<]*)</code>', page)[1]
    token = link.rpartition("=")[2]
    assert re.search(r"/\?sid=vs_[0-9a-f]{32}&amp;st=[\w-]{43}$", link) and "Shown once" in page
    id = re.search(r"vs_[0-9a-f]{32}", page)[0]
    assert token not in ada.get("/sessions").text + ada.get(f"/sessions/{id}").text


@pytest.mark.parametrize("user", ["", "   ", "x" * 256, "two\nlines"])
def test_an_external_id_that_cannot_be_is_said_at_its_field(ada, user):
    answer = ada.post("/sessions", external_user_id=user, mode="live")
    assert answer.status_code == 422 and 'id="user-error" role="alert"' in answer.text
    assert listed(ada)[0] == []


def test_a_mode_that_is_none_is_refused(ada):
    assert ada.post("/sessions", external_user_id="a", mode="dead").status_code == 422
    assert ada.get("/sessions?mode=dead").status_code == 422 == ada.get("/review?mode=dead").status_code


def test_tabs_count_and_narrow(app, ada, clock):
    ids = {status: make(ada, status) for status in ("review", "passed", "failed", "analyzing", "canceled")}
    for status, id in ids.items():
        put_into(app, id, status)
    make(ada, "pending")
    who, page = listed(ada)
    assert who == ["pending", "canceled", "analyzing", "failed", "passed", "review"]
    expected = {"all": "6", "review": "1", "passed": "1", "failed": "1", "open": "2", "expired": "0", "canceled": "1"}
    assert tabs(page) == expected
    assert listed(ada, "?status=open")[0] == ["pending", "analyzing"]
    assert listed(ada, "?status=review")[0] == ["review"] and listed(ada, "?status=expired")[0] == []
    clock.passes(seconds=app.config["SESSION_WINDOW"])
    ada.signs_in()
    assert listed(ada, "?status=expired")[0] == ["pending"] and listed(ada, "?status=open")[0] == ["analyzing"]
    assert tabs(listed(ada)[1]) == expected | {"open": "1", "expired": "1"}
    assert ada.get("/sessions?status=nonsense").status_code == 422 == ada.get("/sessions?colour=red").status_code


def test_filters_stand_in_the_address(ada, clock):
    make(ada, "old")
    clock.passes(hours=24 * 3)
    ada.signs_in()
    make(ada, "new")
    make(ada, "trial", mode="test")
    today = ada.call("GET", "/api/v1/sessions").json["data"][0]["created_at"][:10]
    assert listed(ada)[0] == ["new", "old"], "live unless something else is asked for"
    assert listed(ada, "?mode=test")[0] == ["trial"]
    assert listed(ada, "?external_user_id=old")[0] == ["old"]
    assert listed(ada, f"?from={today}&to={today}")[0] == ["new"]
    who, page = listed(ada, f"?to={today}&external_user_id=ol&status=review")
    assert who == [] and "No session matches" in page and f'value="{today}"' in page and 'value="ol"' in page
    assert f"/sessions?status=passed&amp;external_user_id=ol&amp;to={today}" in page, "a tab keeps the filters"
    assert ada.get("/sessions?from=yesterday").status_code == 422


def test_paging_stays_true_while_sessions_are_made(ada):
    for number in range(5):
        make(ada, f"customer-{number}")
    who, page = listed(ada, "?limit=2")
    assert who == ["customer-4", "customer-3"] and "Newest" not in page
    older = re.search(r'id="older" href="/sessions\?([^"]*)"', page)[1].replace("&amp;", "&")
    make(ada, "meanwhile")
    who, page = listed(ada, f"?limit=2&{older}")
    assert who == ["customer-2", "customer-1"] and 'id="newest" href="/sessions"' in page


def test_the_list_looks_again_only_while_something_moves(app, ada):
    id = make(ada)
    assert "hx-trigger" not in listed(ada)[1]
    put_into(app, id, "analyzing")
    assert 'hx-trigger="every 5s"' in listed(ada)[1]
    fragment = ada.get("/sessions", headers={"HX-Request": "true"}).text
    assert 'id="rows"' in fragment and '<nav class="side"' not in fragment
    put_into(app, id, "passed")
    assert "hx-trigger" not in listed(ada)[1]


def test_what_somebody_calls_a_person_is_text_and_no_markup(ada):
    id = make(ada, "<b>&\"'x")
    for path in ("/sessions", f"/sessions/{id}"):
        page = ada.get(path).text
        assert "<b>" not in page and "&lt;b&gt;&amp;&#34;&#39;x" in page


# ── One of them ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_of_a_session_tells_what_is_known(app, ada, clock):
    id = make(ada, "test_pass", mode="test")
    page = ada.get(f"/sessions/{id}").text
    assert "Not read" not in page and "labelled" not in ada.get("/sessions?mode=test").text
    assert "has not submitted" in page and "Cancel it" in page and 'name="decision"' not in page
    photographed(app, id, status="passed")
    page = ada.get(f"/sessions/{id}").text
    until = words.day(int(clock.now) + app.config["RETENTION"])
    assert until in page and until in ada.get("/sessions?mode=test").text, "when the photos go"
    for text in ("95<small> / 100", "Score 95 of 100", "nothing was examined", "Machine-readable zone", "Selfie taken",
                 "Not read", "Consent given", 'data-status="match"', "Take the pass back"):  # fmt: skip
        assert text in page, text
    assert "Cancel it" not in page and 'value="passed"' not in page and 'value="failed"' in page


def test_a_list_that_looks_again_by_itself_keeps_no_login_alive(app, ada):
    """Else a page left open on a desk would never be signed out."""
    for _ in range(11):
        ada.clock.passes(hours=1)
        assert ada.get("/sessions", headers={"X-Poll": "1"}).status_code == 200
    ada.clock.passes(hours=1)
    assert ada.get("/sessions", headers={"X-Poll": "1"}).status_code == 303


def test_an_open_session_can_be_canceled_once(app, ada):
    id = make(ada)
    assert ada.post(f"/sessions/{id}/cancel").location == f"/sessions/{id}"
    assert 'data-status="canceled"' in ada.get(f"/sessions/{id}").text
    again = ada.post(f"/sessions/{id}/cancel")
    assert again.status_code == 409 and "was faster" in again.text and 'data-status="canceled"' in again.text


def test_a_session_that_ran_out_says_so(app, ada, clock):
    id = make(ada)
    clock.passes(seconds=app.config["SESSION_WINDOW"])
    ada.signs_in()
    page = ada.get(f"/sessions/{id}").text
    assert "<span>Expired</span>" in page and "Nothing was." in page


@pytest.mark.parametrize("decision", ["passed", "failed"])
def test_a_decision_needs_a_reason_and_is_kept_with_it(app, ada, decision):
    id = reviewed(app, ada)
    for reason in ("", "  ", "x" * 501):
        answer = ada.post(f"/sessions/{id}/decision", decision=decision, reason=reason)
        assert answer.status_code == 422 and 'id="reason-error" role="alert"' in answer.text
    assert ada.post(f"/sessions/{id}/decision", decision="maybe", reason="x").status_code == 422
    assert 'data-status="review"' in ada.get(f"/sessions/{id}").text
    assert ada.post(f"/sessions/{id}/decision", decision=decision, reason="looked twice").status_code == 303
    page = ada.get(f"/sessions/{id}").text
    assert f'data-status="{decision}"' in page and f"{decision.capitalize()} by a person: looked twice" in page
    assert trail(app)[-1]["event"] == f"session.{decision}"


def test_a_pass_can_be_taken_back_and_a_fail_cannot(app, ada):
    id = reviewed(app, ada)
    ada.post(f"/sessions/{id}/decision", decision="passed", reason="fine")
    assert ada.post(f"/sessions/{id}/decision", decision="failed", reason="was not").status_code == 303
    late = ada.post(f"/sessions/{id}/decision", decision="passed", reason="was")
    assert late.status_code == 409 and "was faster" in late.text and 'name="decision"' not in late.text


def test_of_two_who_decide_the_second_sees_what_the_first_decided(app, ada):
    id = reviewed(app, ada)
    other = ada.another()
    other.signs_in()
    assert ada.post(f"/sessions/{id}/decision", decision="failed", reason="blurred").status_code == 303
    second = other.post(f"/sessions/{id}/decision", htmx=True, decision="passed", reason="fine")
    assert second.status_code == 409 and "Nothing was changed" in second.text and 'data-status="failed"' in second.text


def test_a_session_of_another_account_is_not_there(app, ada, eve):
    theirs, key = reviewed(app, ada), bearer(eve)

    def answers(id):
        asked = [("GET", f"/sessions/{id}"), ("POST", f"/sessions/{id}/cancel"), ("POST", f"/sessions/{id}/decision"),
                 ("POST", f"/sessions/{id}/photos/selfie"), ("GET", f"/sessions/{id}/photos/selfie.jpg")]  # fmt: skip
        form = {"decision": "passed", "reason": "x"}
        pages = [
            eve.client.open(path, method=method, data=form if method == "POST" else None) for method, path in asked
        ]
        paths = (f"/api/v1/sessions/{id}/photos", f"/api/v1/sessions/{id}/photos/selfie")
        api = [app.test_client().get(path, headers=key) for path in paths]
        return [(one.status_code, re.sub(r'request(_id":"| )\w+', "", one.text)) for one in pages + api]

    assert answers(theirs) == answers(NOWHERE) and {status for status, _ in answers(theirs)} == {404}
    assert listed(eve)[0] == [] and "Nothing waits" in eve.get("/review").text and viewings(app) == []
    assert 'data-status="review"' in ada.get(f"/sessions/{theirs}").text


# ── Photos ───────────────────────────────────────────────────────────────────────────────────────────────────


def bearer(visitor, **body):
    body = {"name": "server", "scopes": ["photos:read", "sessions:read"]} | body
    return {"Authorization": f"Bearer {visitor.call('POST', '/api/v1/keys', body).json['secret']}"}


def test_a_veiled_tile_holds_no_image_and_opening_the_page_is_no_viewing(app, ada):
    id = reviewed(app, ada)
    for path in (f"/sessions/{id}", "/review"):
        page = ada.get(path).text
        assert "<img" not in page and page.count('<div class="veil">') == 3 and page.count(">Show<") == 3
    assert viewings(app) == []


def test_each_viewing_is_recorded_once(app, ada):
    id = reviewed(app, ada)
    for number, (kind, htmx) in enumerate([*((kind, True) for kind in KINDS), ("selfie", False)]):
        shown = ada.post(f"/sessions/{id}/photos/{kind}", htmx=htmx)
        (source,) = re.findall(r'<img src="([^"]*)"', shown.text)
        assert shown.status_code == 200 and ('<nav class="side"' in shown.text) is not htmx
        assert len(viewings(app)) == number, "lifting the veil is none yet"
        image = ada.get(source)
        assert image.mimetype == "image/jpeg" and image.headers["Cache-Control"] == "no-store"
        row = viewings(app)[-1]
        assert f'"session": "{id}"' in row["facts"] and f'"kind": "{kind}"' in row["facts"] and row["actor"] == "holder"
        name = {"id_photo": "ID photo", "liveness_frame": "head turn"}.get(kind, kind)
        assert f"{id}, {name}" in ada.get("/audit?event=session.photo_viewed").text
    ada.get(source)
    assert len(viewings(app)) == 5


def test_a_person_sees_a_mark_across_the_photo_and_a_key_does_not(app, ada):
    id = reviewed(app, ada)
    key = bearer(ada)
    marked = ada.get(f"/sessions/{id}/photos/selfie.jpg").data
    path = f"/api/v1/sessions/{id}/photos/selfie"
    plain = app.test_client().get(path, headers=key)
    assert plain.mimetype == "image/jpeg" and plain.headers["Cache-Control"] == "no-store"
    assert plain.data.startswith(b"\xff\xd8\xff") and marked.startswith(b"\xff\xd8\xff") and plain.data != marked
    assert ada.get(path).data not in (plain.data, b"")
    assert ["key" in row["facts"] for row in viewings(app)] == [False, True, False]


def test_a_photo_that_was_not_taken_is_not_there(app, ada):
    id = make(ada)
    photographed(app, id, status=None, kinds=("id_photo",))
    page = ada.get(f"/sessions/{id}").text
    assert page.count("Not taken") == 2 and page.count(">Show<") == 1
    for kind in ("selfie", "passport", "..%2fselfie"):
        assert ada.post(f"/sessions/{id}/photos/{kind}").status_code == 404
        assert ada.get(f"/sessions/{id}/photos/{kind}.jpg").status_code == 404
        assert ada.get(f"/api/v1/sessions/{id}/photos/{kind}").status_code == 404
    assert viewings(app) == []


def test_the_api_lists_the_photos_and_needs_the_scope(app, ada):
    id = reviewed(app, ada)
    key = bearer(ada)
    answer = app.test_client().get(f"/api/v1/sessions/{id}/photos", headers=key)
    assert [row["kind"] for row in sorted(answer.json["data"], key=lambda row: KINDS.index(row["kind"]))] == [*KINDS]
    assert all(row.keys() == {"kind", "width", "height", "bytes", "taken_at"} for row in answer.json["data"])
    assert {(row["width"], row["height"]) for row in answer.json["data"]} == {(640, 480)}
    assert viewings(app) == [], "sizes are no viewing"
    reader, test = bearer(ada, scopes=["sessions:read"]), bearer(ada, mode="test")
    for path in (f"/api/v1/sessions/{id}/photos", f"/api/v1/sessions/{id}/photos/selfie"):
        assert app.test_client().get(path, headers=reader).json["code"] == "insufficient_scope"
        assert app.test_client().get(path, headers=test).status_code == 404, "a key of the other mode"


def test_an_erased_photo_is_410(app, ada):
    id = reviewed(app, ada)
    with app.app_context():
        account_id = db.one(dict, "SELECT account_id FROM verifications")["account_id"]
        assert forget_photos(account_id, id, 1) == 3
    page = ada.get(f"/sessions/{id}").text
    assert page.count("Erased") == 3 and ">Show<" not in page
    for path in (f"/api/v1/sessions/{id}/photos", f"/api/v1/sessions/{id}/photos/selfie"):
        answer = ada.get(path)
        assert (answer.status_code, answer.json["code"]) == (410, "erased")
    assert ada.post(f"/sessions/{id}/photos/selfie").status_code == 410
    assert ada.get(f"/sessions/{id}/photos/selfie.jpg").status_code == 410 and viewings(app) == []


def test_a_login_that_ended_meanwhile_sees_nothing(app, ada, monkeypatch):
    id = reviewed(app, ada)
    watermarked = evidence.watermarked

    def slow(*given):
        db.run("DELETE FROM logins")
        return watermarked(*given)

    monkeypatch.setattr(evidence, "watermarked", slow)
    assert ada.get(f"/sessions/{id}/photos/selfie.jpg").status_code == 404 and viewings(app) == []


def test_a_crowd_that_looks_at_photos_is_told_to_come_back_and_nothing_is_recorded(app, ada):
    id = reviewed(app, ada)
    taken = 0
    while evidence._marking.queue.acquire(blocking=False):
        taken += 1
    try:
        for path in (f"/sessions/{id}/photos/selfie.jpg", f"/api/v1/sessions/{id}/photos/selfie"):
            answer = ada.get(path)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert viewings(app) == []
    finally:
        for _ in range(taken):
            evidence._marking.queue.release()
    assert ada.get(f"/sessions/{id}/photos/selfie.jpg").status_code == 200 and len(viewings(app)) == 1


def test_steps_and_checks_of_a_session_are_true(app, ada):
    id = make(ada)
    other = reviewed(app, ada, "customer-2")
    photographed(app, id, status=None, kinds=("id_photo", "selfie"))
    found = ada.get(f"/api/v1/sessions/{id}").json
    assert found["steps"] == {"id_photo": True, "selfie": True, "liveness_frame": False}
    assert set(found["checks"].values()) == {None}
    whole = ada.get(f"/api/v1/sessions/{other}").json
    assert set(whole["steps"].values()) == {True} and set(whole["checks"].values()) == {"unavailable"}
    assert {row["session_id"]: row for row in ada.get("/api/v1/sessions").json["data"]} == {id: found, other: whole}
    decided = ada.call("POST", f"/api/v1/sessions/{other}/decision", {"decision": "passed", "reason": "x"}).json
    assert decided == whole | {"status": "passed"}


# ── The queue ────────────────────────────────────────────────────────────────────────────────────────────────


def in_queue(visitor, query=""):
    page = visitor.get(f"/review{query}").text
    return (re.findall(r'<h2><a href="[^"]*">([^<]*)</a></h2>', page) or [None])[0], page


def test_the_queue_goes_on_with_the_next_one_the_longest_waiting_first(app, ada, clock):
    ids = []
    for number in range(3):
        ids.append(reviewed(app, ada, f"customer-{number}"))
        clock.passes(seconds=7)
    trial = reviewed(app, ada, "trial", mode="test")
    who, page = in_queue(ada)
    assert who == "customer-0" and "3 waiting" in page and page.count("no analyser is installed") == 1
    assert '<span class="count">3<span class="visually-hidden"> waiting</span></span>' in ada.get("/dashboard").text
    onward = re.search(r'href="/review\?([^"]*)">Skip', page)[1]
    who, page = in_queue(ada, f"?{onward}")
    assert who == "customer-1" and "First" in page
    after = re.search(r'name="after" value="([^"]+)"', page)[1]
    form = {"decision": "passed", "reason": "same face", "then": "review", "after": after}
    answer = ada.post(f"/sessions/{ids[1]}/decision", **form)
    assert answer.location.startswith("/review?") and "customer-2" in ada.get(answer.location).text
    answer = ada.post(f"/sessions/{ids[2]}/decision", **form)
    assert "You are through" in ada.get(answer.location).text
    ada.post(f"/sessions/{ids[0]}/decision", decision="failed", reason="no", then="review", after="")
    who, page = in_queue(ada)
    assert who is None and "Nothing waits" in page and '<span class="count">' not in page
    assert in_queue(ada, "?mode=test")[0] == "trial"
    assert ada.post(f"/sessions/{trial}/decision", **form | {"after": ""}).location == "/review?mode=test"


def test_the_picture_of_the_tests_is_one():
    assert picture().startswith(b"\xff\xd8\xff") and picture() != picture("olive")
