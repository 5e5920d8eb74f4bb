"""Verification links: made, listed, opened, used up, expired, revoked; and where they may lead back to."""

import re
import threading
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some
from werkzeug.wrappers import Response

from fv import db
from fv.api import times
from fv.links import return_urls
from fv.throttle.policy import Rate
from tests.conftest import Visitor
from tests.test_audit import trail
from tests.test_capture import Person
from tests.test_serving import at_once
from tests.test_sessions import bearer

NOWHERE = "lnk_" + "0" * 32
DAY = 86400


def make(visitor, **body):
    answer = visitor.call("POST", "/api/v1/links", body)
    assert answer.status_code == 201, answer.text
    return answer.json


def path_of(link):
    return f"/v/{link['token']}"


def agree(client, link, **kwargs):
    return client.post(f"{path_of(link)}/start", data={"consent": "yes"}, **kwargs)


def listed(visitor):
    return {link["id"]: link for link in visitor.call("GET", "/api/v1/links").json["data"]}


def sessions(visitor):
    return visitor.call("GET", "/api/v1/sessions").json["data"]


def keyed(ada, **body):
    """A program with the key of this scope and mode."""
    made = ada.call("POST", "/api/v1/keys", {"name": "server", "scopes": ["links:write"]} | body).json
    client = ada.app.test_client()
    return lambda method, path, **kw: client.open(path, method=method, headers=bearer(made["secret"]), **kw)


# ── Making one ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_has_the_fields_of_the_contract_and_is_shown_once(app, ada):
    ends = times.written(int(ada.clock.now) + 90 * DAY)
    asked = {
        "kind": "reusable", "max_uses": 10, "expires_at": ends, "external_user_id": "customer-1",
        "return_url": "https://shop.example/done?order=1",
    }  # fmt: skip
    made = make(ada, **asked)
    assert re.fullmatch(r"lnk_[0-9a-f]{32}", made["id"]) and re.fullmatch(r"[\w-]{43}", made["token"])
    assert made["url"] == f"http://localhost/v/{made['token']}"
    now = times.written(int(ada.clock.now))
    expected = {"id": made["id"], "status": "active", "mode": "live", "uses": 0, "created_at": now} | asked
    assert listed(ada) == {made["id"]: expected} and made.keys() == expected.keys() | {"url", "token"}
    usual = make(ada)
    assert (usual["kind"], usual["max_uses"], usual["external_user_id"]) == ("single", 1, None)
    assert usual["expires_at"] == times.written(int(ada.clock.now) + 7 * DAY) and usual["return_url"] is None
    with app.app_context():
        rows = repr([db.many(dict, f"SELECT * FROM {table}") for table in ("links", "audit")])
    assert made["id"] in rows and made["token"] not in rows


IMPOSSIBLE = (
    ({"kind": "double"}, "/kind", "not_allowed"),
    ({"kind": None}, "/kind", "wrong_type"),
    ({"kind": "single", "max_uses": 2}, "/max_uses", "invalid"),
    ({"kind": "reusable", "max_uses": 0}, "/max_uses", "invalid"),
    ({"kind": "reusable", "max_uses": 1_000_001}, "/max_uses", "invalid"),
    ({"kind": "reusable", "max_uses": True}, "/max_uses", "wrong_type"),
    ({"expires_at": "tomorrow"}, "/expires_at", "invalid"),
    ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at", "invalid"),
    ({"expires_at": "now"}, "/expires_at", "invalid"),
    ({"expires_at": "90 days and a second"}, "/expires_at", "invalid"),
    ({"external_user_id": ""}, "/external_user_id", "invalid"),
    ({"external_user_id": "x" * 256}, "/external_user_id", "invalid"),
    ({"external_user_id": "two\nlines"}, "/external_user_id", "invalid"),
    ({"return_url": ""}, "/return_url", "invalid"),
    ({"return_url": "//evil.example"}, "/return_url", "invalid"),
    ({"return_url": "http://localhost/done"}, "/return_url", "invalid"),
    ({"mode": "dead"}, "/mode", "not_allowed"),
    ({"token": "mine"}, "/token", "unknown"),
    ({"uses": -1}, "/uses", "unknown"),
)


def test_a_link_that_cannot_be_is_422_with_the_field(ada):
    for body, pointer, code in IMPOSSIBLE:
        if (at := {"now": 0, "90 days and a second": 90 * DAY + 1}.get(body.get("expires_at"))) is not None:
            body = {"expires_at": times.written(int(ada.clock.now) + at)}
        answer = ada.call("POST", "/api/v1/links", body)
        assert (answer.status_code, answer.json["errors"]) == (422, [{"pointer": pointer, "code": code}]), body
    assert listed(ada) == {}


def test_a_key_makes_and_sees_links_of_its_own_mode_only(app, ada):
    live, trial = keyed(ada), keyed(ada, mode="test")
    ids = {name: key("POST", "/api/v1/links", json={}).json["id"] for name, key in (("live", live), ("test", trial))}
    ids["by hand"] = make(ada, mode="test", return_url="http://127.0.0.1:5000/done")["id"]

    def seen(key):
        return {link["id"] for link in key("GET", "/api/v1/links").json["data"]}

    assert seen(live) == {ids["live"]} and seen(trial) == {ids["test"], ids["by hand"]}
    assert set(listed(ada)) == set(ids.values())
    chosen = live("POST", "/api/v1/links", json={"mode": "live"})
    assert chosen.status_code == 422 and chosen.json["errors"] == [{"pointer": "/mode", "code": "not_allowed"}]
    assert live("DELETE", f"/api/v1/links/{ids['test']}").status_code == 404
    assert live("DELETE", f"/api/v1/links/{ids['live']}").status_code == 204
    assert listed(ada)[ids["live"]]["status"] == "revoked" and listed(ada)[ids["test"]]["status"] == "active"
    rows = [row for row in trail(app) if row["event"].startswith("link.")]
    assert [row["event"] for row in rows] == ["link.made"] * 3 + ["link.revoked"] and '"key"' in rows[-1]["facts"]
    assert keyed(ada, scopes=["sessions:create"])("POST", "/api/v1/links", json={}).json["code"] == "insufficient_scope"


def test_another_accounts_link_is_not_there(app, clock, ada):
    link = make(ada)
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    eve.post("/setup/codes/dismiss")
    answers = [eve.call("DELETE", f"/api/v1/links/{id}") for id in (link["id"], NOWHERE)]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].json | {"request_id": ""} == answers[1].json | {"request_id": ""}
    assert eve.post(f"/links/{link['id']}/revoke").status_code == 404
    assert listed(eve) == {} and link["id"] not in eve.get("/links").text
    assert listed(ada)[link["id"]]["status"] == "active"


# ── Opening one ──────────────────────────────────────────────────────────────────────────────────────────────


def test_looking_at_a_link_a_hundred_times_changes_nothing(app, ada):
    link = make(ada)
    for _ in range(50):
        seen, peeked = app.test_client().get(path_of(link)), app.test_client().head(path_of(link))
        assert seen.status_code == peeked.status_code == 200 and "Set-Cookie" not in {**seen.headers, **peeked.headers}
    assert f'action="{path_of(link)}/start"' in seen.text and "Before the camera opens" in seen.text
    assert seen.headers["Referrer-Policy"] == "no-referrer" and seen.headers["Cache-Control"] == "no-store"
    assert listed(ada)[link["id"]]["uses"] == 0 and sessions(ada) == []
    assert agree(app.test_client(), link).location == "/v/s"


def test_who_agrees_begins_a_session_and_comes_back_to_it_without_another_use(app, ada):
    link = make(ada, kind="reusable", max_uses=2)
    client = app.test_client()
    unticked = client.post(f"{path_of(link)}/start", data={})
    assert unticked.status_code == 422 and 'role="alert"' in unticked.text and sessions(ada) == []
    assert agree(client, link).location == "/v/s" and "The side with your photo" in client.get("/v/s").text
    for again in (client.get(path_of(link)), agree(client, link), client.post(f"{path_of(link)}/start")):
        assert (again.status_code, again.location) == (303, "/v/s")
    (session,) = sessions(ada)
    assert re.fullmatch(rf"link:{link['id']}:[0-9a-f]{{8}}", session["external_user_id"])
    assert (session["status"], listed(ada)[link["id"]]["uses"]) == ("in_progress", 1)
    assert link["id"] in ada.get(f"/sessions/{session['session_id']}").text
    ada.call("DELETE", f"/api/v1/links/{link['id']}")
    assert client.get(path_of(link)).location == "/v/s", "what was begun goes on"
    ada.call("POST", f"/api/v1/sessions/{session['session_id']}/cancel")
    assert client.get(path_of(link)).status_code == agree(client, link).status_code == 410


def test_an_answer_that_was_lost_on_the_way_costs_nobody_their_link(app, ada):
    """The phone sends the same form again, without the cookie that it never got."""
    link, other = make(ada), make(ada)
    page = app.test_client().get(path_of(link)).text
    form = {"consent": "yes", "visit": re.search(r'name="visit" value="([^"]+)"', page)[1]}
    phones = [app.test_client() for _ in range(8)]
    at_once(8, lambda n: phones[n].post(f"{path_of(link)}/start", data=form))
    assert len({re.search(r"vs_[0-9a-f]{32}", phone.get("/v/s").text)[0] for phone in phones}) == 1
    assert len(sessions(ada)) == 1 and listed(ada)[link["id"]]["uses"] == 1
    assert agree(app.test_client(), link).status_code == 410, "without the form it is somebody else"
    assert app.test_client().post(f"{path_of(other)}/start", data=form).status_code == 303
    assert len(sessions(ada)) == 2, "the form of one link begins nothing of another"
    assert form["visit"] not in app.test_client().get(path_of(make(ada))).text


def test_a_single_link_shows_its_person_the_end_when_they_come_back(app, ada):
    link, phone = make(ada), app.test_client()
    agree(phone, link)
    photographed_already(app, sessions(ada)[0]["session_id"])
    assert phone.get(path_of(link)).location == "/v/s" and "Received. Thank you." in phone.get("/v/s").text
    assert app.test_client().get(path_of(link)).status_code == 410


def test_a_link_begins_no_more_sessions_than_its_account_may_make(make_app, clock):
    app = make_app(SESSIONS_ACCOUNT=(Rate(2, 60),))
    ada = Visitor(app, clock)
    ada.signs_up()
    ada.enrols()
    link = make(ada, kind="reusable")
    answers = [agree(app.test_client(), link) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 503]
    assert answers[2].headers["Retry-After"] == "60" and listed(ada)[link["id"]]["uses"] == 2
    clock.passes(seconds=60)
    assert agree(app.test_client(), link).status_code == 303


def photographed_already(app, id):
    with app.app_context():
        db.run("UPDATE verifications SET status = 'review' WHERE id = :id", id=id)


def test_the_cookie_of_another_session_does_not_resume_a_link(app, ada):
    eve, link = Person(ada), make(ada, external_user_id="customer-7", mode="test")
    eve.opens()
    eve.agrees()
    assert eve.client.get(path_of(link)).status_code == 200
    assert agree(eve.client, link).location == "/v/s"
    begun = sessions(ada)[0]
    assert {begun["external_user_id"], sessions(ada)[1]["external_user_id"]} == {"customer-7", "user 1"}
    assert {one["mode"] for one in sessions(ada)} == {"live", "test"}


def test_htmx_is_led_on_to_the_page_of_the_session(app, ada):
    answer = agree(app.test_client(), make(ada), headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"], answer.data) == (204, "/v/s", b"")
    assert "facevault_capture" in answer.headers["Set-Cookie"]


def test_used_expired_and_revoked_links_share_one_page_and_an_unknown_one_is_not_there(app, ada):
    used, late, revoked = make(ada), make(ada), make(ada)
    agree(app.test_client(), used)
    with app.app_context():
        db.run("UPDATE links SET expires_at = :now WHERE id = :id", now=int(ada.clock.now), id=late["id"])
    for _ in range(2):
        assert ada.call("DELETE", f"/api/v1/links/{revoked['id']}").status_code == 204, "again: nothing changes"
    statuses = [listed(ada)[link["id"]]["status"] for link in (used, late, revoked)]
    assert statuses == ["used_up", "expired", "revoked"]
    pages = set()
    for link in (used, late, revoked):
        client = app.test_client()
        for answer in (client.get(path_of(link)), agree(client, link), client.post(f"{path_of(link)}/start")):
            assert answer.status_code == 410 and "Set-Cookie" not in answer.headers
            pages.add(answer.text.replace(answer.headers["X-Request-Id"], ""))
    assert len(pages) == 1 and "verification_link_ended" in pages.pop()
    for token in ("x", used["token"][:-1], used["token"] + "x", used["token"].swapcase(), "%00", "é"):
        unknown = {"token": token}
        assert (
            app.test_client().get(path_of(unknown)).status_code == 404 == agree(app.test_client(), unknown).status_code
        )
    assert len(sessions(ada)) == 1


def test_a_link_ends_to_the_second(app, ada):
    link = make(ada, kind="reusable", expires_at=times.written(int(ada.clock.now) + 60))
    ada.clock.passes(seconds=59)
    assert app.test_client().get(path_of(link)).status_code == 200
    assert agree(app.test_client(), link).status_code == 303
    ada.clock.passes(seconds=1)
    assert app.test_client().get(path_of(link)).status_code == 410
    assert agree(app.test_client(), link).status_code == 410


@pytest.mark.parametrize(("body", "most"), [({"kind": "reusable", "max_uses": 5}, 5), ({"kind": "single"}, 1)])
def test_of_twenty_parallel_starts_exactly_as_many_begin_as_there_are_uses(app, ada, body, most):
    link, barrier, answers = make(ada, **body), threading.Barrier(20), []

    def starts():
        client = app.test_client()
        barrier.wait()
        answers.append(agree(client, link).status_code)

    threads = [threading.Thread(target=starts) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303] * most + [410] * (20 - most)
    assert len(sessions(ada)) == most == listed(ada)[link["id"]]["uses"]


def test_a_session_that_cannot_be_stored_uses_nothing_up(app, ada):
    link = make(ada)
    with app.app_context():
        db.run("CREATE TRIGGER full BEFORE INSERT ON verification_events BEGIN SELECT RAISE(ABORT, 'full'); END")
    assert agree(app.test_client(), link).status_code == 500
    assert listed(ada)[link["id"]]["uses"] == 0 and sessions(ada) == []
    with app.app_context():
        db.run("DROP TRIGGER full")
    assert agree(app.test_client(), link).status_code == 303


def test_the_end_leads_back_and_adds_nothing(app, ada):
    link = make(ada, return_url="https://shop.example:8443/done?a=1&b='2'#thanks")
    client = app.test_client()
    agree(client, link)
    (session,) = sessions(ada)
    with app.app_context():
        db.run("UPDATE verifications SET status = 'analyzing' WHERE id = :id", id=session["session_id"])
    page = client.get("/v/s").text
    href = 'href="https://shop.example:8443/done?a=1&amp;b=&#39;2&#39;#thanks" rel="noreferrer"'
    assert href in page and "Go back to shop.example:8443<" in page


def test_the_token_is_in_no_line_of_the_log_and_in_no_file(app, ada, capfd):
    link = make(ada)
    client = app.test_client()
    client.get(path_of(link))
    agree(client, link)
    client.get(f"{path_of(link)}?x=1")
    client.get(f"{path_of(link)}/nothing")
    printed = "".join(capfd.readouterr())
    assert '"/v/<token>"' in printed and '"/v/<token>/start"' in printed and link["token"] not in printed
    cookie = client.get_cookie("facevault_capture", path="/v").value
    files = [file for file in db.path_of(app).parent.rglob("*") if file.is_file()]
    assert [file for file in files if link["id"].encode() in file.read_bytes()], "the search can find what is there"
    assert not [file for file in files if link["token"].encode() in file.read_bytes()]
    assert link["token"] not in cookie


# ── The page ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_made_on_the_page_is_shown_once_with_its_qr_code(ada):
    assert "No links yet" in ada.get("/links").text
    form = {"kind": "reusable", "max_uses": "10", "expires": "30", "mode": "test", "return_url": "https://shop.example"}
    page = ada.post("/links", **form).text
    token = re.search(r'<code id="link">http://localhost/v/([\w-]{43})</code>', page)[1]
    assert "Shown once" in page and "<svg" in page.partition('class="qr"')[2]
    shown = ada.get("/links").text
    assert token not in shown and "0 of 10" in shown and "shop.example" in shown and ">Active<" in shown
    ((id, link),) = listed(ada).items()
    assert (link["mode"], link["expires_at"]) == ("test", times.written(int(ada.clock.now) + 30 * DAY))
    assert ada.post(f"/links/{id}/revoke").location == "/links"
    assert ">Revoked<" in ada.get("/links").text and ada.post(f"/links/{NOWHERE}/revoke").status_code == 404


MISTAKES = (
    ({"max_uses": "2"}, "uses-error"),
    ({"kind": "reusable", "max_uses": "٣"}, "uses-error"),
    ({"external_user_id": "x" * 256}, "user-error"),
    ({"return_url": "https://shop.example\\@evil.example"}, "return-error"),
    ({"return_url": "http://localhost:5000/"}, "return-error"),
    ({"expires": "365"}, "Nothing was made."),
    ({"kind": "double"}, "Nothing was made."),
    ({"mode": ""}, "Nothing was made."),
)


def test_the_form_says_what_to_correct_and_loses_nothing(ada):
    form = {"kind": "single", "max_uses": "", "expires": "90", "mode": "live", "external_user_id": "", "return_url": ""}
    for change, said in MISTAKES:
        answer = ada.post("/links", **(form | change))
        assert answer.status_code == 422 and said in answer.text and answer.text.count('role="alert"') == 1, change
        kept = change.get("return_url", "")
        assert f'value="{kept}"' in answer.text and ('value="90" selected' in answer.text) == ("expires" not in change)
    assert listed(ada) == {}


def test_many_links_are_shown_a_page_at_a_time(ada):
    for number in range(26):
        ada.clock.passes(seconds=1)
        make(ada, external_user_id=f"customer-{number}")
    first = ada.get("/links").text
    older = re.search(r'href="(/links\?after=[^"]+)"', first)[1]
    assert "customer-25<" in first and "customer-0<" not in first and "customer-0<" in ada.get(older).text
    assert ada.get("/links?page=2").status_code == 422


# ── Where a link leads back to ───────────────────────────────────────────────────────────────────────────────

GOOD = (
    "https://shop.example", "https://shop.example/", "https://Shop.Example:8443/a/b-c_d~e?x=1&y=a%20b#part",
    "https://xn--bcher-kva.example/", "https://192.168.0.10/done", "https://localhost/x", "https://shop.example?x=/a?b",
    "https://shop.example/@user/a:b", "https://a.b.c.d.example/a//b", "https://shop.example/%E2%9C%93",
    "https://shop.example/" + "a" * 1979,
)  # fmt: skip
BAD = (
    "", "/done", "//evil.example", "///evil.example", "\\\\evil.example", "/\\evil.example", "https:evil.example",
    "https:/evil.example", "https:///evil.example", "https:\\\\evil.example", "https://\\evil.example",
    "https://shop.example\\.evil.example", "https://shop.example/\\evil.example", "https://shop.example//evil.example",
    "javascript:alert(1)", "JavaScript://shop.example/%0aalert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd",
    "ftp://shop.example/", "HTTPS://shop.example/", "http://shop.example/", "http://localhost.evil.example/",
    "http://localhost@evil.example/", "http://127.0.0.1.evil.example/", "http://127.1/", "http://0x7f000001/",
    "https://shop.example@evil.example/", "https://shop.example:443@evil.example/", "https://:x@evil.example/",
    "https://@evil.example/", "https://shop.example%2f@evil.example/", "https://shop.example%00.evil.example/",
    " https://shop.example/", "https://shop.example/ ", "https://shop.example/\n", "\thttps://shop.example/",
    "ht\ttps://shop.example/", "https://shop.example/a\r\nSet-Cookie: a=b", "https://shop.example/\x00",
    "https://shop.example/a b", "https://shop.example/%0d%0aSet-Cookie:a", "https://shop.example/%5cevil.example",
    "https://shop.example/%", "https://shop.example/%zz", "https://shop.example/<script>", 'https://shop.example/"x',
    "https://shop.example/{x}", "https://shop.example/`x", "https://shop.example/é", "https://shöp.example/",
    "https://ｓhop.example/", "https://shop。example/", "https://shop.example．evil.example/", "https://sh_op.example/",
    "https://-shop.example/", "https://shop-.example/", "https://shop..example/", "https://.example/", "https://shop.example./",
    "https://", "https://?x", "https://#x", "https://[::1]/", "https://[evil.example]/", "https://2130706433/", "https://0x7f.1/",
    "https://127.1/", "https://256.1.1.1/", "https://01.1.1.1/", "https://1.2.3.4.5/", "https://shop.example:/",
    "https://shop.example:0/", "https://shop.example:65536/", "https://shop.example:99999999/", "https://shop.example:4٣/",
    "https://" + "a" * 64 + ".example/", "https://" + "a." * 127 + "example/", "https://shop.example/" + "a" * 1980,
)  # fmt: skip
OF_A_DEVELOPER = ("http://localhost", "http://localhost:3000/done?x#y", "http://127.0.0.1:8000/")


def test_whole_addresses_are_kept_and_every_trick_is_refused():
    assert [
        text for text in GOOD if not (return_urls.is_safe(text, "live") and return_urls.is_safe(text, "test"))
    ] == []
    assert [text for text in BAD if return_urls.is_safe(text, "live") or return_urls.is_safe(text, "test")] == []
    assert [text for text in OF_A_DEVELOPER if not return_urls.is_safe(text, "test")] == []
    assert [text for text in OF_A_DEVELOPER if return_urls.is_safe(text, "live")] == []


PIECES = (
    "https", "http", ":", "/", "//", "\\", "@", "?", "#", "%", "%0a", "\r\n", "\t", " ", ".", "-", "[", "]", "0x7f",
    "127.1", ":443", "shop.example", "evil.example", "localhost", "javascript:", "é", "。", "'", '"', "<",
)  # fmt: skip


@given(
    some.sampled_from(["", "https://", "https://shop.example", "http://localhost"]),
    some.lists(some.sampled_from(PIECES) | some.characters(), max_size=8).map("".join),
)
def test_whatever_is_kept_leads_where_it_looks_like_and_can_stand_in_a_header(beginning, rest):
    text = beginning + rest
    if not return_urls.is_safe(text, "test"):
        return
    parts = urlsplit(text)
    assert text.isascii() and text.isprintable() and not set(text) & set(' \\"<>`{}|^')
    assert parts.scheme in ("https", "http") and parts.geturl().rstrip("?#/") == text.rstrip("?#/")
    assert parts.username is None and parts.password is None and parts.netloc == return_urls.host(text)
    assert parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1")
    assert Response(headers={"Location": text}).headers["Location"] == text


@given(some.integers(0, 40), some.sampled_from([*'\\\r\n\t\0 "<>`{}|^\x7f\x85\u2028é。', "%0a", "%00", "%5C"]))
def test_one_character_too_many_anywhere_is_refused(where, extra):
    good = "https://shop.example:8443/done?a=1&b=2#end"
    assert return_urls.is_safe(good, "live")
    assert not return_urls.is_safe(good[:where] + extra + good[where:], "live")
