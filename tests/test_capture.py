"""What the end user of a session meets: consent, three photos, the end; in a browser and as a program."""

import html
import io
import re

import pytest
from PIL import Image

from fv import db, receiving, words
from fv.evidence.store import Photo
from fv.verifications import due
from fv.verifications import flows as verifications
from tests.conftest import Visitor
from tests.photos import unexamined


def picture(width=640, height=480):
    """A JPEG of nothing in particular."""
    file = io.BytesIO()
    Image.effect_noise((width, height), 40).convert("RGB").save(file, "JPEG")
    return file.getvalue()


JPEG = picture()
KINDS = ("id_photo", "selfie", "liveness_frame")


class Person:
    """The end user, in a browser that knows nothing of accounts."""

    def __init__(self, ada, **body):
        made = ada.call("POST", "/api/v1/sessions", {"external_user_id": "user 1"} | body).json
        self.ada, self.id, self.token, self.nonce = (
            ada,
            made["session_id"],
            made["session_token"],
            made["challenge_nonce"],
        )
        self.link = made["capture_url"].removeprefix("http://localhost")
        self.client = ada.app.test_client()

    def opens(self):
        return self.client.get(self.link)

    def sees(self, **kwargs):
        return self.client.get("/v/s", **kwargs)

    def heading(self):
        return re.search(r"<h1[^>]*>([^<]+)</h1>", self.sees().text)[1]

    def agrees(self):
        return self.client.post("/v/s/start", data={"consent": "yes"})

    def takes(self, kind, raw=JPEG, nonce=None, **kwargs):
        form = {"photo": (io.BytesIO(raw), "photo.jpg")}
        if kind == "liveness_frame":
            form["nonce"] = nonce if nonce is not None else self.shown_nonce()
        return self.client.post(f"/v/s/photos/{kind}", data=form, **kwargs)

    def shown_nonce(self):
        found = re.search(r'name="nonce" value="([^"]+)"', self.sees().text)
        return found[1] if found else ""

    def takes_all(self):
        for kind in KINDS:
            assert self.takes(kind).location == "/v/s"

    def submits(self):
        return self.client.post("/v/s/submit")

    def calls(self, method, path, token=None, **kwargs):
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return self.client.open(f"/api/v1/capture/{path}", method=method, headers=headers, **kwargs)

    def sends(self, kind, raw=JPEG, nonce=None, **kwargs):
        form = {"photo": (io.BytesIO(raw), "photo.jpg")} | ({} if nonce is None else {"nonce": nonce})
        return self.calls("POST", f"photos/{kind}", data=form, **kwargs)

    def status(self):
        return self.ada.call("GET", f"/api/v1/sessions/{self.id}").json["status"]


@pytest.fixture
def eve(ada):
    return Person(ada)


def rows(app):
    from fv import db

    with app.app_context():
        return [db.many(dict, f"SELECT * FROM {table}") for table in ("verifications", "verification_events", "audit")]


# ── In a browser ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_whole_way_from_the_link_to_the_end(eve):
    opened = eve.opens()
    assert (opened.status_code, opened.location) == (303, "/v/s")
    assert eve.heading() == "Before the camera opens" and eve.status() == "pending"
    assert eve.agrees().location == "/v/s" and eve.status() == "in_progress"
    assert eve.heading() == "The side with your photo"
    assert eve.takes("id_photo").location == "/v/s"
    assert eve.heading() == "Now your face"
    assert eve.takes("selfie").location == "/v/s"
    assert eve.heading() in ("Turn your head to the left", "Turn your head to the right", "Look up")
    assert eve.takes("liveness_frame").location == "/v/s"
    assert eve.heading() == "All three are there"
    assert eve.submits().location == "/v/s" and eve.status() == "analyzing"
    assert eve.heading() == "Received. Thank you."
    assert eve.client.get("/v/s/status").json == {"status": "analyzing"}


def test_a_hundred_previews_consume_nothing(app, eve):
    before = rows(app)
    for _ in range(50):
        assert app.test_client().get(eve.link).status_code == 303
        assert app.test_client().head(eve.link).status_code == 303
    eve.opens()
    for path in ("/v/s", "/v/s?photo=liveness_frame", "/v/s/status"):
        assert eve.client.get(path).status_code == eve.client.head(path).status_code == 200
    assert rows(app) == before
    eve.agrees()
    eve.takes("id_photo")
    eve.takes("selfie")
    before = rows(app)
    for _ in range(5):
        eve.sees()
    eve.ada.clock.passes(minutes=5)
    assert eve.heading() == "Last, a turn of your head"
    assert rows(app) == before


def test_the_cookie_is_for_these_pages_only_and_does_not_show_the_link(eve):
    cookie = eve.opens().headers["Set-Cookie"]
    assert re.fullmatch(
        r'facevault_capture="?[^;]+; Expires=[^;]+; Max-Age=86400; HttpOnly; Path=/v; SameSite=Lax', cookie
    )
    assert eve.token not in cookie and eve.id not in cookie
    secure = eve.client.get(eve.link, base_url="https://localhost")
    assert "; Secure" in secure.headers["Set-Cookie"]


def test_the_link_of_an_account_that_is_served_under_https_gives_a_secure_cookie(make_app, clock):
    visitor = Visitor(make_app(BASE_URL="https://verify.example.org"), clock)
    visitor.signs_up()
    visitor.enrols()
    person = Person(visitor)
    assert person.link.startswith("https://verify.example.org/?sid=")
    assert "; Secure" in person.client.get(person.link.partition(".org")[2]).headers["Set-Cookie"]


def test_a_wrong_link_is_not_there(app, ada, eve):
    other = Person(ada)
    for link in (
        f"/?sid={eve.id}&st={other.token}", f"/?sid={eve.id}", f"/?st={eve.token}", "/?sid=&st=", "/?sid=%00&st=%ff",
    ):  # fmt: skip
        answer = app.test_client().get(link)
        assert (
            answer.status_code == 404 and "Open your link again" in answer.text and "Set-Cookie" not in answer.headers
        )
        assert 'href="/"' not in answer.text


@pytest.mark.parametrize("value", ["", "x", "x.y", "\x00", "é", "a.b.c", "=" * 3000])
def test_a_cookie_that_is_not_ours_opens_nothing(app, value):
    for method, path in (("GET", "/v/s"), ("GET", "/v/s/status"), ("POST", "/v/s/start"), ("POST", "/v/s/submit"),
                         ("POST", "/v/s/challenge"), ("POST", "/v/s/photos/selfie")):  # fmt: skip
        client = app.test_client()
        client.set_cookie("facevault_capture", value, path="/v/s")
        assert client.open(path, method=method).status_code == 404


def test_without_a_link_the_front_leads_to_the_dashboard_or_the_login(app, ada, visitor):
    assert ada.get("/").location == "/dashboard"
    assert app.test_client().get("/").location == "/login"
    fresh = Visitor(app, ada.clock, "new@example.org")
    fresh.signs_up()
    assert fresh.client.get("/", follow_redirects=True).request.path == "/setup"


def test_somebody_who_is_signed_in_verifies_without_losing_the_login(ada, eve):
    eve.client = ada.client
    opened = eve.opens()
    assert "facevault_capture" in opened.headers["Set-Cookie"] and len(opened.headers.getlist("Set-Cookie")) == 1
    eve.agrees()
    eve.takes_all()
    eve.submits()
    assert eve.status() == "analyzing" and ada.is_in()


def test_no_camera_before_consent(eve):
    eve.opens()
    refused = eve.client.post("/v/s/start", data={})
    assert refused.status_code == 422 and "Tick the box" in refused.text and eve.status() == "pending"
    early = eve.takes("id_photo")
    assert early.status_code == 422 and "Before the camera opens" in early.text
    assert eve.sends("id_photo").json["code"] == "consent_required"
    assert eve.calls("POST", "submit").json["code"] == "consent_required"
    eve.agrees()
    assert eve.calls("GET", "status").json["steps"] == dict.fromkeys(KINDS, False)


def test_only_its_pages_may_ask_for_the_camera(ada, eve):
    eve.opens()
    assert eve.sees().headers["Permissions-Policy"] == "camera=(self)"
    assert eve.client.post("/v/s/start", data={}).headers["Permissions-Policy"] == "camera=(self)"
    for path in ("/login", "/dashboard", "/nothing", "/static/capture.js", "/healthz"):
        answer = ada.get(path)
        assert answer.headers["Permissions-Policy"] == "camera=()"
        answer.close()


def test_a_reload_and_another_phone_go_on_where_it_was(eve):
    eve.opens()
    eve.agrees()
    eve.takes("id_photo")
    assert eve.heading() == eve.heading() == "Now your face"
    eve.client = eve.ada.app.test_client()
    eve.opens()
    assert eve.heading() == "Now your face"
    assert eve.agrees().location == "/v/s" and eve.heading() == "Now your face"


def test_the_consent_and_the_end_say_how_long_it_stays(make_app, clock):
    visitor = Visitor(make_app(RETENTION=45 * 86400), clock)
    visitor.signs_up()
    visitor.enrols()
    person = Person(visitor)
    person.opens()
    said = person.sees().text
    assert "For 45 days, then it is deleted: the photos, what was read, and a template of your face" in said
    assert "A machine reads your document and compares your face" in said
    person.agrees()
    person.takes_all()
    person.submits()
    assert f"Your photos are deleted on {words.day(int(clock.now) + 45 * 86400)}." in person.sees().text


def test_a_page_that_looks_on_gets_the_screen_the_phone_is_at_and_else_nothing(eve):
    swap = {"HX-Request": "true"}
    eve.opens()
    looks_on, eve.client = eve.client, eve.ada.app.test_client()
    eve.opens()

    def follows(page):
        """What the page asks for by itself, as it says."""
        path = html.unescape(re.search(r'hx-get="(/v/s/status[^"]+)"', page)[1])
        return looks_on.get(path, headers=swap)

    page = looks_on.get("/v/s").text
    for does, heading in (
        (eve.agrees, "The side with your photo"),
        (lambda: eve.takes("id_photo"), "Now your face"),
        (lambda: eve.takes("selfie"), "Turn your head|Look up"),
        (lambda: eve.takes("liveness_frame"), "All three are there"),
        (eve.submits, "Received. Thank you."),
    ):
        still = follows(page)
        assert (still.status_code, still.data) == (204, b"")
        does()
        moved = follows(page)
        assert moved.status_code == 200 and re.search(heading, moved.text) and "<html" not in moved.text
        page = moved.text
    assert "/v/s/status" not in page


def test_a_page_of_an_earlier_link_puts_nothing_into_the_later_one(app, ada, eve):
    eve.opens()
    eve.agrees()
    page = eve.sees().text
    other = Person(ada)
    other.client = eve.client
    other.opens()
    other.agrees()
    path = html.unescape(re.search(r'action="(/v/s/photos/id_photo[^"]*)"', page)[1])
    for headers in ({}, {"HX-Request": "true"}):
        form = {"photo": (io.BytesIO(JPEG), "photo.jpg")}
        answer = eve.client.post(path, data=form, headers=headers)
        assert answer.status_code == 409 and "Another verification is open in this browser" in answer.text
        for step in ("start", "challenge", "submit"):
            assert eve.client.post(f"/v/s/{step}?of={eve.id}", data={"consent": "yes"}).status_code == 409
    for person in (eve, other):
        assert person.calls("GET", "status").json["steps"] == dict.fromkeys(KINDS, False)
    assert eve.takes("id_photo").location == "/v/s" and other.calls("GET", "status").json["steps"]["id_photo"]


def test_every_photo_can_be_retaken_until_they_are_sent(eve):
    eve.opens()
    eve.agrees()
    eve.takes_all()
    for kind, heading in (("id_photo", "The side with your photo"), ("selfie", "Now your face")):
        page = eve.client.get(f"/v/s?photo={kind}").text
        assert heading in page and "Keep the photo that is there" in page
        assert eve.takes(kind).location == "/v/s" and eve.heading() == "All three are there"
    assert eve.client.get("/v/s?photo=nothing").text == eve.sees().text or eve.heading() == "All three are there"
    again = eve.client.post("/v/s/challenge")
    assert again.location == "/v/s?photo=liveness_frame"
    nonce = re.search(r'name="nonce" value="([^"]+)"', eve.client.get(again.location).text)[1]
    assert eve.takes("liveness_frame", nonce=nonce).location == "/v/s"
    eve.submits()
    late = eve.takes("selfie")
    assert late.location == "/v/s" and eve.heading() == "Received. Thank you."
    assert eve.client.post("/v/s/challenge").location.startswith("/v/s") and eve.status() == "analyzing"


def test_a_refused_photo_says_why_and_what_to_do(eve):
    eve.opens()
    eve.agrees()
    refused = eve.takes("id_photo", raw=b"GIF89a no photo at all")
    assert refused.status_code == 422 and 'role="alert"' in refused.text
    assert "This photo cannot be used." in refused.text and "JPEG, PNG or WebP" in refused.text
    assert "The side with your photo" in refused.text
    for data in ({}, {"photo": "text"}, {"photo": (io.BytesIO(b""), "")}):
        nothing = eve.client.post("/v/s/photos/id_photo", data=data, content_type="multipart/form-data")
        assert nothing.status_code == 422 and "No photo arrived." in nothing.text
    assert eve.client.post("/v/s/photos/passport").status_code == 404
    assert eve.heading() == "The side with your photo"


def at_the_head_turn(eve):
    eve.opens()
    eve.agrees()
    eve.takes("id_photo")
    eve.takes("selfie")
    return eve.shown_nonce()


def test_a_head_turn_that_comes_too_late_gets_another_direction(eve):
    nonce = at_the_head_turn(eve)
    eve.ada.clock.passes(seconds=121)
    late = eve.takes("liveness_frame", nonce=nonce)
    assert late.status_code == 422 and "That took too long." in late.text
    fresh = re.search(r'name="nonce" value="([^"]+)"', late.text)[1]
    assert fresh != nonce
    assert eve.takes("liveness_frame", nonce=fresh).location == "/v/s"
    twice = eve.takes("liveness_frame", nonce=fresh)
    assert twice.status_code == 422 and "arrived already" in twice.text and "Keep the photo that is there" in twice.text


def test_a_wrong_nonce_does_not_use_up_the_right_one(eve):
    nonce = at_the_head_turn(eve)
    for wrong in ("", "x", "\x00", nonce + "x"):
        assert eve.takes("liveness_frame", nonce=wrong).status_code == 422
    assert eve.takes("liveness_frame", nonce=nonce).location == "/v/s"


def test_who_was_away_asks_for_the_direction_when_ready(eve):
    at_the_head_turn(eve)
    eve.ada.clock.passes(seconds=95)
    assert eve.heading() == "Last, a turn of your head"
    eve.client.post("/v/s/challenge")
    assert "Turn" in eve.heading() or "Look up" in eve.heading()
    assert eve.takes("liveness_frame").location == "/v/s"


def test_a_bad_photo_of_the_head_turn_gets_another_direction(eve):
    nonce = at_the_head_turn(eve)
    bad = eve.takes("liveness_frame", raw=b"nothing", nonce=nonce)
    assert bad.status_code == 422 and "This photo cannot be used." in bad.text
    fresh = re.search(r'name="nonce" value="([^"]+)"', bad.text)[1]
    assert fresh != nonce and eve.takes("liveness_frame", nonce=fresh).location == "/v/s"


def test_sending_too_early_shows_what_is_missing_and_twice_is_once(eve):
    eve.opens()
    assert eve.submits().location == "/v/s" and eve.status() == "pending"
    eve.agrees()
    eve.takes("id_photo")
    eve.submits()
    assert eve.status() == "in_progress" and eve.heading() == "Now your face"
    eve.takes("selfie")
    eve.takes("liveness_frame")
    assert [eve.submits().status_code for _ in range(2)] == [303, 303]
    assert eve.status() == "analyzing"


def test_a_canceled_or_expired_session_is_one_410(eve):
    eve.opens()
    eve.agrees()
    other = Person(eve.ada)
    other.opens()
    eve.ada.call("POST", f"/api/v1/sessions/{eve.id}/cancel")
    eve.ada.clock.passes(hours=24 * 40)
    eve.ada.signs_in()
    for person in (eve, other):
        for answer in (person.opens(), person.sees()):
            assert answer.status_code == 410 and "This verification has ended" in answer.text
            assert "Go to the start" not in answer.text
        for answer in (person.agrees(), person.takes("selfie"), person.submits()):
            assert (answer.status_code, answer.location) == (303, "/v/s") or answer.status_code == 410
        swap = person.takes("selfie", headers={"HX-Request": "true"})
        assert swap.status_code == 410 and "<html" not in swap.text
        assert person.calls("POST", "consent").json["code"] == "invalid_transition"
        assert person.sends("selfie").json["code"] == "invalid_transition"
        assert person.calls("POST", "submit").json["code"] == "invalid_transition"
    assert eve.calls("GET", "status").json["status"] == "canceled"
    assert other.client.get("/v/s/status").json == {"status": "expired"}


def test_a_retake_of_the_head_turn_that_is_given_up_leaves_the_turn_that_is_kept(app, eve):
    eve.opens()
    eve.agrees()
    eve.takes_all()
    page = f"/sessions/{eve.id}"
    (way,) = re.findall(r"Head turn, (left|right|up)", eve.ada.get(page).text)
    with app.app_context():
        db.run("UPDATE verifications SET nonce = '', challenge = :other", other="up" if way != "up" else "left")
    eve.submits()
    assert f"Head turn, {way}" in eve.ada.get(page).text


def test_a_head_turn_answers_the_challenge_of_its_nonce_and_not_an_older_one(app, eve):
    """A request may be under way since before the challenge was renewed."""
    eve.opens()
    eve.agrees()
    with app.app_context():
        now = int(eve.ada.clock.now)
        before = verifications.by_link(eve.id, eve.token, now)
        asked = before
        while asked.challenge == before.challenge:
            asked = verifications.new_challenge(before, now)
        assert isinstance(verifications.keep_photo(before, "liveness_frame", JPEG, asked.nonce, now), Photo)
        assert verifications.by_link(eve.id, eve.token, now).answered == asked.challenge


def test_one_who_is_done_sees_the_end_and_not_the_verdict(app, eve):
    eve.opens()
    eve.agrees()
    eve.takes_all()
    eve.submits()
    assert 'hx-trigger="every 3s"' in eve.sees().text
    with app.app_context():
        assert due.analyse_next(int(eve.ada.clock.now), unexamined)
    assert eve.status() == "review"
    page = eve.sees().text
    assert "You are done; you can close this page." in page and "hx-trigger" not in page and "review" not in page
    assert eve.opens().location == "/v/s"


def test_a_swap_gets_the_next_screen_at_once(eve):
    swap = {"HX-Request": "true"}
    eve.opens()
    answer = eve.client.post("/v/s/start", data={"consent": "yes"}, headers=swap)
    assert answer.status_code == 200 and "The side with your photo" in answer.text and "<html" not in answer.text
    assert "Now your face" in eve.takes("id_photo", headers=swap).text


def test_its_pages_hand_the_link_on_until_the_end_and_hold_nothing_inline(eve, capfd):
    eve.opens()
    texts = [eve.sees().text]
    eve.agrees()
    for kind in KINDS:
        texts.append(eve.sees().text)
        eve.takes(kind)
    texts.append(eve.sees().text)
    for text in texts:
        shown = re.search(r'<code id="address">([^<]+)</code>', text)[1]
        assert html.unescape(shown) == f"http://localhost{eve.link}" and text.count(eve.token) == 1
        assert 'aria-label="QR code that opens this page on your phone"><svg' in text
    eve.submits()
    texts.append(eve.sees().text)
    assert eve.token not in texts[-1] and "QR code" not in texts[-1]
    eve.client.get(eve.link + "x")
    for text in texts:
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", text)
    assert eve.token not in capfd.readouterr().out


def test_another_site_cannot_consent_for_somebody(eve):
    eve.opens()
    cross = {"Sec-Fetch-Site": "cross-site"}
    answer = eve.client.post("/v/s/start", data={"consent": "yes"}, headers=cross)
    assert answer.status_code == 403 and 'href="/v/s"' in answer.text and eve.status() == "pending"


# ── As a program ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_whole_way_of_a_program(eve):
    assert eve.calls("GET", "status").json["status"] == "pending"
    assert eve.calls("POST", "consent").json["status"] == "in_progress"
    assert eve.calls("POST", "consent").status_code == 200
    missing = eve.calls("POST", "submit")
    assert missing.status_code == 422 and missing.json["code"] == "photos_missing"
    assert [error["pointer"] for error in missing.json["errors"]] == ["/id_photo", "/selfie", "/liveness_frame"]
    assert eve.sends("id_photo").status_code == eve.sends("selfie").status_code == 201
    sent = eve.sends("liveness_frame", nonce=eve.nonce)
    assert sent.status_code == 201 and sent.json["steps"] == dict.fromkeys(KINDS, True)
    assert eve.calls("POST", "submit").json["status"] == "analyzing"
    again = eve.calls("POST", "submit")
    assert (again.status_code, again.json["code"]) == (409, "invalid_transition")
    assert eve.sends("selfie").json["code"] == "invalid_transition"


def test_a_program_needs_the_token_of_its_own_session(ada, eve):
    other = Person(ada)
    other.calls("POST", "consent")
    key = ada.call("POST", "/api/v1/keys", {"name": "k", "scopes": ["sessions:create"]}).json["secret"]
    for token in ("x", "fv_live_" + "x" * 43, key, eve.id, "é", "\x00"):
        for method, path in (("GET", "status"), ("POST", "consent"), ("POST", "submit"), ("POST", "photos/selfie"),
                             ("POST", "photos/nothing")):  # fmt: skip
            answer = eve.calls(method, path, token=token)
            assert (answer.status_code, answer.json["code"]) == (401, "not_authenticated"), (token, path)
    for headers in ({}, {"Authorization": eve.token}, {"Authorization": f"Basic {eve.token}"},
                    {"X-FaceVault-Api-Key": eve.token}):  # fmt: skip
        assert eve.client.get("/api/v1/capture/status", headers=headers).status_code == 401
    assert eve.sends("selfie", token=other.token).status_code == 201
    assert eve.calls("GET", "status").json["steps"]["selfie"] is False


def test_the_token_counts_alone_whoever_is_signed_in_beside_it(app, ada, eve):
    unenrolled, pending = Visitor(app, ada.clock, "new@example.org"), ada.another()
    unenrolled.signs_up()
    pending.proves_password()
    for client in (ada.client, unenrolled.client, pending.client):
        eve.client = client
        assert eve.calls("POST", "consent").status_code == 200
        assert eve.sends("selfie").status_code == 201
        assert client.post("/api/v1/capture/consent").status_code == 401
    assert ada.is_in()


def test_what_a_program_sends_wrongly_is_named(eve):
    eve.calls("POST", "consent")
    unknown = eve.sends("passport")
    assert (unknown.status_code, unknown.json["code"]) == (404, "not_found")
    bad = eve.sends("selfie", raw=b"no photo")
    assert (bad.status_code, bad.json["code"], bad.json["errors"][0]["pointer"]) == (422, "invalid_photo", "/photo")
    for kwargs in ({}, {"json": {}}, {"data": JPEG[:999], "content_type": "image/jpeg"}, {"data": {"photo": "text"}}):
        none = eve.calls("POST", "photos/selfie", **kwargs)
        assert (none.status_code, none.json["errors"]) == (422, [{"pointer": "/photo", "code": "missing"}])
    assert eve.calls("GET", "status").json["steps"] == dict.fromkeys(KINDS, False)


def test_a_program_is_told_the_next_challenge(eve):
    eve.calls("POST", "consent")
    for wrong in (None, "", "x"):
        refused = eve.sends("liveness_frame", nonce=wrong)
        assert (refused.status_code, refused.json["code"]) == (422, "invalid_nonce")
        assert refused.json["challenge_nonce"] == eve.nonce and refused.json["challenge"] in ("left", "right", "up")
    eve.ada.clock.passes(seconds=121)
    late = eve.sends("liveness_frame", nonce=eve.nonce)
    assert late.json["code"] == "invalid_nonce" and late.json["challenge_nonce"] != eve.nonce
    assert eve.sends("liveness_frame", nonce=late.json["challenge_nonce"]).status_code == 201
    reused = eve.sends("liveness_frame", nonce=late.json["challenge_nonce"])
    assert reused.json["code"] == "invalid_nonce"


# ── Bytes ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_photo_of_ten_megabytes_comes_in_and_never_touches_the_disk(eve, monkeypatch):
    def fails(*_, **__):
        raise AssertionError("a file is written to the disk")

    eve.opens()
    eve.agrees()
    kept = []
    monkeypatch.setattr("fv.verifications.flows.keep_photo", lambda _, __, raw, *___: kept.append(len(raw)))
    form, kind = eve_form(JPEG + b"\x00" * (receiving.PHOTO - len(JPEG)))
    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(f"tempfile.{name}", fails)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", fails, raising=False)
    monkeypatch.setattr("werkzeug.formparser.TemporaryFile", fails, raising=False)
    eve.client.post("/v/s/photos/id_photo", data=form, content_type=kind)
    assert kept == [receiving.PHOTO]


def eve_form(raw):
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="p.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    return head + raw + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"


def test_more_than_that_is_413_and_only_a_form_with_a_photo_may_be_so_large(eve):
    eve.opens()
    eve.agrees()
    form, kind = eve_form(b"\x00" * (receiving.PHOTO + receiving.AROUND))
    page = eve.client.post("/v/s/photos/id_photo", data=form, content_type=kind)
    assert page.status_code == 413 and "larger than 10 MB" in page.text and "The side with your photo" in page.text
    assert eve.calls("POST", "photos/selfie", data=form, content_type=kind).json["code"] == "body_too_large"
    small, kind = eve_form(b"\x00" * 100_000)
    assert eve.client.post("/v/s/start", data=small, content_type=kind).status_code == 413
    assert eve.client.post("/login", data=small, content_type=kind).status_code == 413
    form = "photo=" + "x" * 100_000
    answer = eve.client.post("/v/s/photos/id_photo", data=form, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413


def test_so_many_photos_at_once_and_no_more(eve):
    eve.opens()
    eve.agrees()
    for _ in range(receiving.PHOTOS):
        receiving._photos.acquire()
    try:
        busy = eve.takes("id_photo")
        assert busy.status_code == 503 and busy.headers["Retry-After"] == "2"
        assert eve.sends("selfie").json["code"] == "busy"
        assert eve.heading() == "The side with your photo"
    finally:
        for _ in range(receiving.PHOTOS):
            receiving._photos.release()
    receiving._own[eve.id] = receiving.PHOTOS_OF_ONE
    try:
        assert eve.takes("id_photo").status_code == 503
    finally:
        receiving._own.clear()
    assert eve.takes("id_photo").location == "/v/s" and not receiving._own


def test_the_photo_of_a_stranger_is_never_read(app):
    class Untouchable:
        def read(self, *_):
            raise AssertionError("the body was read")

        readline = readlines = __iter__ = read

    environ = {
        "wsgi.input": Untouchable(),
        "CONTENT_LENGTH": "1000000",
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
    }
    client = app.test_client()
    assert client.post("/v/s/photos/selfie", environ_overrides=environ).status_code == 404
    assert client.post("/api/v1/capture/photos/selfie", environ_overrides=environ).status_code == 401
