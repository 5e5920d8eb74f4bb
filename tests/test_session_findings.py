"""What people and programs are told of an analysis: decision, document, faces, and where a session stands meanwhile."""

import io
import re
from dataclasses import replace

import pytest
from PIL import Image

from fv import clock as clocks
from fv import db
from fv.analysis.report import Failed, Field, Report
from fv.evidence import portrait
from fv.verifications import due
from tests.conftest import Visitor
from tests.photos import erase_due, examined, photographed
from tests.reports import detection, document, face, report
from tests.test_audit import trail
from tests.test_sessions_pages import NOWHERE, bearer, eve, make, put_into, viewings  # noqa: F401 (eve is a fixture)

NAME, NUMBER = "ANNA ERIKSSON", "L898902C3"
DETECTED = tuple(
    detection(name) for name in ("same_still", "same_portrait", "head_turn", "sharpness_and_size", "three_people")
)
PERSONAL = (NAME, "ERIKSSON", NUMBER, "1974", "2030-04-15", "15 April 2030", "TD3", "P&lt;UTO")


def seen(**otherwise):
    """A session of which all is known, in review because a head was not turned."""
    odd = (replace(DETECTED[2], fired=True, score=0.6, reason="The head moved about 6 degrees."),)
    faces = {kind: face(side=120, template=(1.0,) + (0.0,) * 127) for kind in ("id_photo", "selfie", "liveness_frame")}
    return report(**{"detections": DETECTED[:2] + odd + DETECTED[3:], "faces": faces, "seconds": {"reading": 2.05,
                     "faces": 1.0}} | otherwise)  # fmt: skip


@pytest.fixture
def analysed(app, ada):
    """`analysed(report)`: the id of a session in which this was seen."""

    def analyses(said=None, user="customer-1", mode="live"):
        id = make(ada, user, mode)
        photographed(app, id, None)
        examined(app, id, said or seen())
        return id

    return analyses


def documents_viewed(app):
    return [row for row in trail(app) if row["event"] == "session.document_viewed"]


# ── The decision ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_session_shows_score_parts_policy_and_why(ada, analysed):
    page = ada.get(f"/sessions/{analysed()}").text
    assert "Score 69 of 100: below 40 reject, 40 to 69 review, 70 and above accept" in page and "Rules 1" in page
    assert re.findall(r'class="num">(\d+ / \d+)<', page) == ["30 / 30", "20 / 20", "26 / 30", "10 / 20"]
    assert "To review: consistency. A person decides." in page
    assert "To review, score 69" in page and "Analysed in 3.0 s" in page
    assert page.count('<li data-result="review">') == 1 and "The head moved about 6 degrees." in page
    assert '<dd class="mono">model-1</dd>' in page


def test_once_a_person_has_decided_no_page_says_that_one_decides(ada, analysed):
    id = analysed()
    ada.post(f"/sessions/{id}/decision", decision="passed", reason="The same person.")
    page = ada.get(f"/sessions/{id}").text
    assert "To review: consistency. A person decided." in page and "A person decides" not in page


def test_other_thresholds_are_shown_as_they_were(make_app, clock):
    app = make_app(ACCEPT_FROM=101, REJECT_BELOW=0)
    ada = Visitor(app, clock)
    ada.signs_up(), ada.enrols(), ada.post("/setup/codes/dismiss")
    id = make(ada)
    photographed(app, id, None)
    examined(app, id, seen(detections=DETECTED))
    page = ada.get(f"/sessions/{id}").text
    assert re.search(r"of 100: 0 to 100 review\"", page) and 'class="even"' in page and " accept</li>" not in page
    assert "To review: the score is below 101. A person decides." in page


def test_what_could_not_be_measured_is_said_and_not_drawn_as_nothing(ada, analysed):
    page = ada.get(f"/sessions/{analysed(seen(document=None, document_state='unavailable'))}").text
    assert page.count('<span class="num">unavailable</span>') == 2 and "no reader is installed" in page
    assert "To review: document, machine-readable zone and consistency. A person decides." in page


def test_likenesses_are_bands_with_where_a_match_starts(ada, analysed):
    alike = {"id_photo selfie": 0.85, "id_photo liveness_frame": 0.7, "selfie liveness_frame": 0.95}
    page = ada.get(f"/sessions/{analysed(seen(similarities=alike))}").text
    told = re.findall(r'data-status="(\w+)">[\w ]+</span><span class="hint">([\d.]+); a match starts at 0.92', page)
    assert told == [("possible", "0.85"), ("no", "0.70"), ("match", "0.95")]
    assert "possible from 0.8" in page


def test_a_detector_is_told_with_its_mode_when_it_fired_and_else_with_its_result(ada, analysed):
    page = ada.get(f"/sessions/{analysed()}").text.split(">Consistency</h2>")[1]
    tags = dict(re.findall(r'<h3>([^<]+)</h3><p>[^<]*</p></div><span class="tag">(\w+)</span>', page))
    assert tags.pop("Head turn") == "review" and set(tags.values()) == {"ok"} and len(tags) == 8


def test_where_nothing_is_installed_that_is_said_once_and_of_a_failure_nothing_else(app, ada, analysed):
    id = analysed(Report())
    assert "To review: nothing was examined: no analyser is installed." in ada.get(f"/sessions/{id}").text
    page = ada.get("/review").text
    assert page.count("no analyser is installed") == 1
    put_into(app, id, "passed")
    broken = make(ada, "customer-2")
    photographed(app, broken, None)
    with app.app_context():
        db.run("UPDATE verifications SET status = 'analyzing', submitted_at = 1 WHERE id = :id", id=broken)

        def breaks(_case):
            raise Failed("crashed")

        assert due.analyse_next(clocks.now(), breaks)
    page = ada.get("/review").text
    assert "The analysis of these photos failed. Look at the photos." in page and "installed" not in page
    assert "The same file was sent again" in page, "what is known without looking is told all the same"


def test_the_api_tells_what_is_stored(ada, analysed):
    told = ada.get(f"/api/v1/sessions/{analysed()}").json
    assert told["checks"] == {
        "document": "ok", "mrz": "ok", "face_match": "ok", "liveness": "review", "duplicate": "ok"
    }  # fmt: skip
    assert (told["trust_score"], told["trust_decision"], told["face_match_passed"]) == (69, "review", True)
    assert told["anti_spoofing"] is None, "nothing here measures it"


# ── The document ─────────────────────────────────────────────────────────────────────────────────────────────


def test_before_somebody_asks_no_page_says_what_stands_in_a_document(app, ada, analysed):
    id = analysed(seen(document=document(date_of_birth=Field("1974-08-12", "both", False, "review", "1974-08-13"))))
    for path in (f"/sessions/{id}", "/review", "/sessions", "/dashboard", "/audit", f"/api/v1/sessions/{id}"):
        page = ada.get(path).text
        assert [one for one in PERSONAL if one in page] == [], path
    assert (
        "Show what was read" in ada.get(f"/sessions/{id}").text and "differ in date of birth" in ada.get("/review").text
    )
    assert documents_viewed(app) == []


@pytest.mark.parametrize("htmx", [True, False], ids=["script", "no script"])
def test_what_was_read_is_shown_with_where_it_came_from_and_recorded(app, ada, analysed, htmx):
    fields = {
        "type": Field("P", "mrz", None, "review"),
        "given_names": Field("ANNA", "both", False, "review", "ANA"),
        "surname": Field("ERIKSSON", "both", True, "high"),
    }
    id = analysed(
        seen(document=document(repaired=("line 2, place 13: 0 became O, only that can stand there",), **fields))
    )
    shown = ada.post(f"/sessions/{id}/document", htmx=htmx)
    assert shown.status_code == 200 and ('<nav class="side"' in shown.text) is not htmx
    rows = dict(re.findall(r'<th scope="row">([^<]*)</th>(.*?)</tr>', shown.text))
    assert "ERIKSSON" in rows["Surname"] and "Agrees" in rows["Surname"] and "compare" not in rows["Surname"]
    assert "printed: ANA" in rows["Given names"] and "Differs" in rows["Given names"]
    assert "P · Passport" in rows["Type"] and "MRZ only" in rows["Type"] and "compare with the photo" in rows["Type"]
    assert "12 August 1974" in rows["Date of birth"] and "Name" not in rows
    for text in ("Passport, TD3", "P&lt;UTOERIKSSON", "Number fits", "Optional data absent", "0 became O"):
        assert text in shown.text, text
    (row,) = documents_viewed(app)
    assert id in row["facts"] and row["actor"] == "holder" and NUMBER not in row["facts"]
    assert "What a document says viewed" in ada.get("/audit").text and viewings(app) == []
    ada.post(f"/sessions/{id}/document")
    assert len(documents_viewed(app)) == 2


def test_a_program_reads_the_document_with_its_scope_and_each_time_is_recorded(app, ada, analysed):
    id = analysed(seen(document=document(full_name=Field(NAME, "both", False, "review", "ANNA ERIKSON"))))
    key = bearer(ada, scopes=["documents:read"])
    path = f"/api/v1/sessions/{id}/document"
    told = app.test_client().get(path, headers=key).json
    assert told["full_name"] == {
        "value": NAME, "source": "both", "agrees": False, "confidence": "review", "printed": "ANNA ERIKSON"
    }  # fmt: skip
    assert set(told) == {
        "type", "issuing_country", "full_name", "given_names", "surname", "date_of_birth", "nationality", "sex",
        "document_number", "expires_on", "mrz",
    }  # fmt: skip
    assert told["sex"] is None, "what was not read"
    assert told["mrz"].keys() == {"format", "lines", "checks", "repaired", "unseen"}
    assert told["mrz"]["checks"].keys() == {"document_number", "date_of_birth", "expiry", "optional", "composite"}
    assert ada.get(path).json == told
    rows = documents_viewed(app)
    assert ["key" in row["facts"] for row in rows] == [True, False]
    with app.app_context():
        assert not [row for row in db.many(dict, "SELECT * FROM usage_days") if row["counter"] == "photo_views"]
    without, test = (
        bearer(ada, scopes=["photos:read", "sessions:read"]),
        bearer(ada, scopes=["documents:read"], mode="test"),
    )
    assert app.test_client().get(path, headers=without).json["code"] == "insufficient_scope"
    assert app.test_client().get(path, headers=test).status_code == 404, "a key of the other mode"
    assert len(documents_viewed(app)) == 2


def test_who_is_not_enrolled_or_of_another_account_sees_none_of_it(app, ada, analysed, eve, clock):  # noqa: F811
    id = analysed()
    new = Visitor(app, clock, "new@example.org")
    new.signs_up()
    asked = [("POST", "document"), ("POST", "portrait"), ("GET", "portrait.jpg"), ("GET", "progress")]

    def answers(visitor, id):
        return [visitor.client.open(f"/sessions/{id}/{what}", method=method) for method, what in asked]

    assert [one.status_code for one in answers(new, id)] == [403, 403, 303, 303]
    assert new.get(f"/api/v1/sessions/{id}/document").json["code"] == "two_factor_required"
    theirs, nobodys = answers(eve, id), answers(eve, NOWHERE)
    assert {one.status_code for one in theirs + nobodys} == {404}
    strip = [re.sub(r'request(_id":"| )\w+', "", one.text) for one in theirs + nobodys]
    assert strip[:4] == strip[4:]
    assert eve.get(f"/api/v1/sessions/{id}/document").json["code"] == "not_found"
    assert documents_viewed(app) == [] == viewings(app)


@pytest.mark.parametrize(
    ("said", "header", "text"),
    [
        (seen(document=None, document_state="not_found"), "Nothing found", "No machine-readable zone was found"),
        (seen(document=None, document_state="unavailable"), "Not read", "no reader is installed, or it failed"),
        (Report(), "Not read", "No analyser is installed"),
    ],
)
def test_why_there_is_nothing_to_show_is_said(app, ada, analysed, said, header, text):
    id = analysed(said)
    page = ada.get(f"/sessions/{id}").text
    assert f"<h2>Document</h2><p>{header}</p>" in page and text in page and "Show what was read" not in page
    assert ada.post(f"/sessions/{id}/document").status_code == 404
    assert ada.get(f"/api/v1/sessions/{id}/document").json["code"] == "document_not_read"
    assert documents_viewed(app) == []


def test_after_its_term_what_was_read_is_gone_and_the_decision_stays(app, ada, analysed, clock):
    id = analysed()
    clock.passes(hours=31 * 24)
    with app.app_context():
        while erase_due(int(clock.now)):
            pass
    ada.signs_in()
    page = ada.get(f"/sessions/{id}").text
    assert "<h2>Document</h2><p>Erased</p>" in page and "What was read was erased" in page
    assert "To review: consistency" in page and "Show" not in page
    assert ada.post(f"/sessions/{id}/document").status_code == 410 == ada.post(f"/sessions/{id}/portrait").status_code
    assert ada.get(f"/sessions/{id}/portrait.jpg").status_code == 410
    assert ada.get(f"/api/v1/sessions/{id}/document").json["code"] == "erased"
    assert "Show" not in ada.get("/review").text and documents_viewed(app) == [] == viewings(app)


def test_a_login_that_ended_meanwhile_reads_nothing(app, ada, analysed, monkeypatch):
    id = analysed()
    from fv.evidence import flows as evidence

    opened = evidence.open_document

    def slow(*given):
        db.run("DELETE FROM logins")
        return opened(*given)

    monkeypatch.setattr(evidence, "open_document", slow)
    answer = ada.post(f"/sessions/{id}/document")
    assert answer.status_code == 404 and NUMBER not in answer.text and documents_viewed(app) == []


# ── The portrait ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_portrait_stands_beside_the_selfie_and_each_viewing_is_recorded(app, ada, analysed):
    id = analysed()
    page = ada.get("/review").text
    assert "<img" not in page and page.index("Document portrait") < page.index("Selfie") < page.index(
        "Show the document"
    )
    assert page.count('<div class="frame tall">') == 2 and "0.95; a match starts at 0.92" in page
    assert "The head moved about 6 degrees." in page and "Nothing was examined" not in page
    shown = ada.post(f"/sessions/{id}/portrait", htmx=True)
    (source,) = re.findall(r'<img src="([^"]*)"', shown.text)
    assert viewings(app) == []
    image = ada.get(source)
    assert image.mimetype == "image/jpeg" and image.headers["Cache-Control"] == "no-store"
    (row,) = viewings(app)
    assert '"kind": "portrait"' in row["facts"] and id in row["facts"]
    with Image.open(io.BytesIO(image.data)) as cut:
        assert cut.height >= 600 and cut.width < cut.height


def test_without_a_face_on_the_document_that_is_said_and_its_whole_photo_stands_there(ada, analysed):
    faces = {kind: face() for kind in ("selfie", "liveness_frame")}
    id = analysed(seen(faces=faces, similarities={}, refusals={"id_photo": "no_face"}))
    page = ada.get("/review").text
    assert "No face that can be cut out was found on the document" in page
    assert page.count('<div class="frame square">') == 3 and "portrait" not in page
    assert (
        ada.post(f"/sessions/{id}/portrait").status_code == 404 == ada.get(f"/sessions/{id}/portrait.jpg").status_code
    )


def jpeg(size, box, colour="red"):
    image = Image.new("RGB", size, "white")
    image.paste(colour, box)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.mark.parametrize("turned", [0, 1, 2, 3])
def test_a_portrait_is_cut_around_its_face_and_stands_upright(turned):
    """A face of 80 x 80, with its brow marked; the document lies any way round."""
    upright = Image.new("RGB", (900, 700), "white")
    upright.paste("red", (300, 300, 380, 380))
    upright.paste("blue", (300, 300, 380, 320))
    lying = upright.rotate(90 * turned, expand=True)  # anticlockwise, so that turning it clockwise sets it up
    red = lying.point(lambda value: 255 if value < 128 else 0).split()[1].getbbox()
    out = io.BytesIO()
    lying.save(out, "JPEG", quality=95)
    with Image.open(io.BytesIO(portrait.cut(out.getvalue(), red, turned))) as cut:
        assert abs(cut.width / cut.height - 0.8) < 0.02
        middle = cut.width // 2
        brow, chin = cut.getpixel((middle, cut.height // 2 - 90)), cut.getpixel((middle, cut.height // 2 + 60))
        assert brow[2] > 200 > 60 > brow[0] and chin[0] > 200 > 60 > chin[2]


@pytest.mark.parametrize(
    "box",
    [(0, 0, 0, 0), (50, 50, 10, 10), (-900, -900, -800, -800), (5000, 5000, 6000, 6000), (-(10**30), 0, 10**30, 5)],
)
def test_a_box_that_is_none_still_gives_a_part_of_the_photo(box):
    """It comes from a process that had crafted photos before it."""
    for turned in (0, 1, -5, 10**20):
        with Image.open(io.BytesIO(portrait.cut(jpeg((300, 200), (0, 0, 10, 10)), box, turned))) as cut:
            assert cut.width >= 1 and 600 <= cut.height <= 2400


# ── Meanwhile ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_session_that_waits_says_where_it_stands_until_it_is_done(app, ada):
    first, second = make(ada, "customer-1"), make(ada, "customer-2")
    photographed(app, second, None)
    with app.app_context():
        for at, id in enumerate((first, second)):
            db.run("UPDATE verifications SET status = 'analyzing', submitted_at = :at WHERE id = :id", at=at, id=id)

    def progress(at):
        headers = {"HX-Request": "true", "X-Poll": "1"}
        return ada.get(f"/sessions/{second}/progress?at={at}", headers=headers)

    page = ada.get(f"/sessions/{second}").text
    assert "Waiting in the queue: 1 before it" in page and "Look again" in page and "at=1" in page
    assert progress("1").status_code == 204
    put_into(app, first, "review")
    moved = progress("1")
    assert "it is next" in moved.text and moved.headers["HX-Retarget"] == "#progress" == moved.headers["HX-Reselect"]
    with app.app_context():
        db.run("UPDATE verifications SET leased_until = 9999999999 WHERE id = :id", id=second)
    assert "Being analysed" in progress("0").text and progress("taken").status_code == 204
    with app.app_context():
        db.run("UPDATE verifications SET leased_until = NULL WHERE id = :id", id=second)
        assert due.analyse_next(clocks.now(), lambda _case: seen())
    done = progress("taken")
    assert "HX-Retarget" not in done.headers and 'id="progress"' not in done.text
    assert "To review: consistency" in done.text
    assert ada.get(f"/sessions/{second}/progress").location == f"/sessions/{second}"


def test_a_page_that_follows_its_session_keeps_no_login_alive(app, ada):
    id = make(ada)
    put_into(app, id, "analyzing")
    for _ in range(12):
        ada.clock.passes(hours=1)
        ada.get(f"/sessions/{id}/progress?at=0", headers={"X-Poll": "1", "HX-Request": "true"})
    assert ada.get("/dashboard").status_code == 303


def test_a_large_portrait_is_not_made_larger():
    with Image.open(io.BytesIO(portrait.cut(jpeg((1200, 1500), (0, 0, 10, 10)), (400, 500, 800, 900), 0))) as cut:
        assert cut.size == (800, 1000)
