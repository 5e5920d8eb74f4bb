"""Face search for people: asked by id or photo, answered with bands, recorded; faces are blocked with a reason."""

import io
import re
import threading
from pathlib import Path

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from fv import db, receiving
from fv.analysis.report import Failed, Model, Report
from fv.evidence import child
from fv.search import odds, photo
from fv.turns import Busy, Turns
from tests import onnx_bytes
from tests.reports import face
from tests.templates import near, template
from tests.test_audit import run, trail
from tests.test_capture import JPEG
from tests.test_search_api import NOWHERE, URL, add, session_of
from tests.test_search_api import eve as eve
from tests.test_usage import totals

DLIB = "dlib-resnet-1"
FACES = Path(__file__).parent / "data" / "faces"


def ask(visitor, htmx=False, **fields):
    form = {"reason": "seen at the door", "min_similarity": "-1"} | fields
    return visitor.post("/search", htmx, **form)


def sends(visitor, raw, **fields):
    form = {"reason": "seen at the door", "top_k": "7", "photo": FileStorage(io.BytesIO(raw), "photo.jpg")} | fields
    boundary, body = encode_multipart(form)  # the client itself would put a large one into a file
    return visitor.client.post("/search", data=body, content_type=f"multipart/form-data; boundary={boundary}")


def alert(answer):
    return re.sub(r"<svg.*?</svg>", "", re.search(r'role="alert">(.*?)</(?:p|div)>(?:</div>|\n)', answer.text, re.S)[1])


def rows(answer):
    """The rows of the results, without their tags."""
    table = re.search(r'id="results".*?</section>', answer.text, re.S)[0]
    return [
        " ".join(re.sub(r"<form.*?</form>|<[^>]+>", " ", row, flags=re.S).split()) for row in table.split("<tr>")[2:]
    ]


def sure(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", re.search(r'id="sure".*?</section>', answer.text, re.S)[0]).split())


@pytest.fixture
def gallery(ada):
    """Three faces of the default model: one that matches the first, one that is possible, one that is not."""
    base = template(1)
    return {
        user: add(ada.call, user=user, model=DLIB, embedding=near(base, cosine) if cosine < 1 else base)["id"]
        for user, cosine in {"ann": 1.0, "bea": 0.91, "cem": 0.5}.items()
    }


# ── Asking ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_account_without_faces_is_told_so_and_may_ask_all_the_same(ada):
    page = ada.get("/search").text
    assert "No faces yet" in page and "Nobody has searched yet" in page and 'aria-current="page"' in page
    assert ask(ada, face="vs_" + "0" * 32).status_code == 404


def test_results_come_with_bands_bars_and_links(ada, gallery):
    session = session_of(ada)
    own = add(ada.call, user="dan", model=DLIB, embedding=near(template(1), 0.95), session_id=session)["id"]
    answer = ask(ada, face=session)
    assert answer.status_code == 200 and "Results for dan" in answer.text
    first, _, third, last = rows(answer)
    assert first.startswith("dan this face vs_") and "Match 1.0000" in first and own[:9] not in first
    assert third.startswith("ann fp_") and "Match 0.9500" in third and "No match 0." in last
    assert f'<a class="cover" href="/sessions/{session}">dan</a>' in answer.text
    by_id = ask(ada, face=gallery["ann"], min_similarity="0.9")
    found = {row.split()[0]: row for row in rows(by_id)}
    assert "Possible 0.9100" in found["bea"] and "cem" not in found
    assert '<rect width="55.0" height="4"/><rect class="tick" x="60.0" width="0.6" height="4"/>' in by_id.text
    assert "The bar runs from 0.80 to 1" in by_id.text and "0.92" in sure(by_id)


def test_the_form_can_be_reached_with_what_to_look_for(ada, gallery):
    session = session_of(ada)
    link = f'href="/search?session_id={session}"'
    assert link not in ada.get(f"/sessions/{session}").text, "there is no face yet"
    add(ada.call, session_id=session, model=DLIB)
    assert link in ada.get(f"/sessions/{session}").text
    for name, id in (("session_id", session), ("fingerprint_id", gallery["ann"])):
        assert f'value="{id}"' in ada.get(f"/search?{name}={id}").text
    assert ada.get("/search?x=1").status_code == 422


WRONG = (
    ({"face": ""}, "Give an id"), ({"face": "ann"}, "An id is"), ({"face": "vs_" + "0" * 31}, "An id is"),
    ({"reason": ""}, "Say why"), ({"reason": " \n "}, "Say why"), ({"reason": "x" * 501}, "Say why"),
    ({"top_k": "0"}, "A whole number"), ({"top_k": "101"}, "A whole number"), ({"top_k": "１"}, "A whole number"),
    ({"min_similarity": "2"}, "A number from"), ({"min_similarity": "nan"}, "A number from"),
    ({"min_similarity": "1e0"}, "A number from"), ({"mode": "dead"}, "Choose mode"), ({"model": "A B"}, "Choose mode"),
)  # fmt: skip


def test_what_cannot_be_is_said_at_its_field_and_the_others_stay(ada, gallery):
    for fields, said in WRONG:
        answer = ask(ada, **{"face": gallery["ann"], "top_k": "7"} | fields)
        assert answer.status_code == 422 and said in alert(answer), fields
        if "top_k" not in fields:
            assert 'value="7"' in answer.text
        if "reason" not in fields:
            assert 'value="seen at the door"' in answer.text
    assert totals(ada)["searches"] == 0


def test_nobody_above_the_threshold_is_said_with_how_many_were_compared(ada, gallery):
    answer = ask(ada, face=gallery["cem"], min_similarity="0.9", top_k="1")
    assert len(rows(answer)) == 1
    ada.call("DELETE", f"{URL}/{gallery['ann']}"), ada.call("DELETE", f"{URL}/{gallery['bea']}")
    lone = add(ada.call, 7, model="m2")["id"]
    assert "1 of 1" in sure(ask(ada, face=lone))
    nobody = ask(ada, face=lone, min_similarity="1")
    assert rows(nobody) or "Nobody is as alike as that" in nobody.text


def test_a_model_from_elsewhere_has_no_bands_and_that_is_said(ada):
    id = add(ada.call)["id"]
    answer = ask(ada, face=id)
    assert (
        "no band 1.0000" in rows(answer)[0]
        and "There are no bands" in answer.text
        and 'class="tick"' not in answer.text
    )
    assert "neither threshold nor error rate" in sure(answer)


def test_what_to_expect_of_strangers_is_computed_for_this_gallery(app, ada, tmp_path):
    (tmp_path / "theirs.onnx").write_bytes(onnx_bytes.model())
    assert run(app, "models", "add", str(tmp_path / "theirs.onnx"), "--false-match-rate", "0.01").exit_code == 0
    ids = [add(ada.call, number, model="theirs")["id"] for number in range(5)]
    said = sure(ask(ada, face=ids[0]))
    assert "about 0.05 a search; the chance of at least one is 4.9 %" in said and "expect 10,000" in said


def test_searches_are_listed_with_who_why_and_how_many_and_only_of_the_own_account(ada, eve, gallery):
    ask(ada, face=gallery["ann"], reason="<b>came back</b>", top_k="2")
    page = ada.get("/search").text
    assert "&lt;b&gt;came back&lt;/b&gt;" in page and "2 of 3" in page and "ada@example.org" in page
    assert "came back" not in eve.get("/search").text and totals(ada)["searches"] == 1
    theirs, nobodys = (ask(eve, face=id) for id in (gallery["ann"], NOWHERE))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.text.replace(gallery["ann"], NOWHERE) == nobodys.text


def test_a_login_that_ended_meanwhile_is_shown_nothing(ada, gallery, monkeypatch):
    from fv.accounts import flows as accounts

    def has_ended(_):
        raise db.Undo

    monkeypatch.setattr(accounts, "insist", has_ended)
    assert ask(ada, face=gallery["ann"]).location == "/search"
    assert ada.post("/search/block", fingerprint_id=gallery["ann"], reason="x").location == "/search"


# ── By a photo ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def seen(monkeypatch):
    """What the process that finds faces would say; the process itself is tried with real photos below."""
    report = {"said": Report(model=Model(DLIB, "", "", 0.9, 0.92), faces={"selfie": face(template=tuple(template(1)))})}

    def examined(_jpeg, settings):
        assert settings["stages"] == ["faces"]
        if isinstance(report["said"], Exception):
            raise report["said"]
        return report["said"]

    monkeypatch.setattr(photo, "_examined", examined)
    return report


def test_a_photo_finds_those_who_look_like_it_and_is_nowhere_kept(app, ada, gallery, seen):
    before = {path: path.stat().st_mtime_ns for path in app.config["BLOBS"].rglob("*")}
    answer = sends(ada, JPEG)
    assert answer.status_code == 200 and "Results for this photo" in answer.text
    assert [row.split()[0] for row in rows(answer)][:2] == ["ann", "bea"] and 'value="7"' in answer.text
    with app.app_context():
        assert db.many(dict, "SELECT id FROM photos") == []
        (kept,) = db.many(dict, "SELECT about, reason FROM searches")
    assert kept == {"about": "photo", "reason": "seen at the door"}
    assert {path: path.stat().st_mtime_ns for path in app.config["BLOBS"].rglob("*")} == before
    assert "fingerprints.searched" in [row["event"] for row in trail(app)]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Report(refusals={"selfie": "no_face"}), "No face was found"),
        (Report(refusals={"selfie": "several_faces"}), "Only one may be"),
        (Report(refusals={"selfie": "too_small"}), "Go closer"), (Report(refusals={"selfie": "blurred"}), "blurred"),
        (Report(failures={"faces": "ModuleNotFoundError"}), "pip install"),
        (Report(failures={"faces": "Unfit"}), "cannot be used"), (Report(), "did not answer"),
        (Failed("too_slow"), "did not answer"),
    ],
)  # fmt: skip
def test_why_there_is_no_face_is_said_at_the_photo(ada, gallery, seen, said, words):
    seen["said"] = said
    answer = sends(ada, JPEG)
    assert answer.status_code == 422 and words in alert(answer)
    assert 'value="7"' in answer.text and 'value="seen at the door"' in answer.text and totals(ada)["searches"] == 0


def test_a_file_that_is_no_photo_or_too_large_keeps_the_rest_of_the_form(ada, gallery):
    for raw, words, status in (
        (b"<html>", "not a photo", 422), (JPEG[:-300], "damaged", 422), (b"", "Give an id", 422),
        (b"\xff\xd8\xff" + bytes(receiving.PHOTO), "larger than 10 MB", 422),
        (bytes(3 * receiving.PHOTO), "larger than 10 MB", 422),
    ):  # fmt: skip
        answer = sends(ada, raw)
        assert answer.status_code == status and words in alert(answer)
        assert 'value="7"' in answer.text and 'value="seen at the door"' in answer.text
    both = sends(ada, JPEG, face=gallery["ann"])
    assert "not both" in alert(both)


def test_a_form_that_is_larger_than_any_photo_is_not_read(ada, monkeypatch):
    from fv.search import pages

    monkeypatch.setattr(pages, "LONGEST_FORM", 1000)
    answer = sends(ada, JPEG)
    assert answer.status_code == 413 and "larger than 10 MB" in alert(answer)


def test_a_photo_of_another_model_than_the_stored_ones_finds_nobody_and_says_why(ada, seen):
    add(ada.call)
    answer = sends(ada, JPEG)
    assert (
        answer.status_code == 409
        and "no template of it is stored" in alert(answer)
        and "their-model.1" in alert(answer)
    )


def test_one_photo_is_looked_at_at_a_time_and_a_crowd_is_told_to_come_back(app, ada, gallery, seen, monkeypatch):
    monkeypatch.setattr(photo, "_turns", Turns("face", at_once=1, room=1, patience=0))
    entered, leave = threading.Event(), threading.Event()

    def waits():
        with app.app_context(), photo._turns.one():
            entered.set()
            leave.wait(20)

    thread = threading.Thread(target=waits)
    thread.start()
    assert entered.wait(20)
    answer = sends(ada, JPEG)
    leave.set()
    thread.join()
    assert answer.status_code == 503 and "Too many at once" in answer.text
    assert sends(ada, JPEG).status_code == 200


def test_a_decoder_that_has_no_turn_is_a_busy_page(ada, monkeypatch):
    def busy(_):
        raise Busy

    monkeypatch.setattr(child, "read", busy)
    assert sends(ada, JPEG).status_code == 503


@pytest.mark.long
def test_the_real_process_finds_a_real_face_and_leaves_nothing_behind(app, ada, capfd):
    with app.app_context():
        seen = photo.face_of((FACES / "person_a_1.jpg").read_bytes())
    assert seen.model == DLIB and len(seen.template) == 128 and repr(seen) == f"Seen(model='{DLIB}')"
    add(ada.call, user="known", model=DLIB, embedding=list(seen.template))
    answer = sends(ada, (FACES / "person_a_2.jpg").read_bytes())
    assert re.match(r"known fp_\S+ Match 0\.9", rows(answer)[0])
    text = answer.text + "".join(capfd.readouterr())
    assert not [number for number in seen.template if f"{abs(number):.9f}"[:7] in text]
    assert "no face" in alert(sends(ada, JPEG)).lower()


# ── Blocking ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_face_is_blocked_from_a_result_with_a_reason_and_unblocked(app, ada, gallery):
    id = gallery["bea"]
    refused = ada.post("/search/block", fingerprint_id=id, reason="  ")
    assert refused.status_code == 422 and "Say why" in alert(refused) and "<h1>bea</h1>" in refused.text
    assert ada.post("/search/block", fingerprint_id=id, reason="forged <i>").location == "/search#blocked"
    page = ada.get("/search").text
    assert "forged &lt;i&gt;" in page and 'data-status="failed">Blocked' in ask(ada, face=id).text
    assert [
        one["blocked"] and one["blocked"]["reason"] for one in ada.call("GET", URL).json["data"] if one["id"] == id
    ] == ["forged <i>"]
    assert ada.post("/search/unblock", fingerprint_id=id).location == "/search#blocked"
    assert "forged" not in ada.get("/search").text
    events = [row["event"] for row in trail(app)]
    assert events.count("fingerprint.blocked") == events.count("fingerprint.unblocked") == 1


def test_a_face_that_no_selfie_is_compared_with_is_not_offered_to_be_blocked(ada):
    id = add(ada.call, model="their-model.1")["id"]
    page = ask(ada, face=id).text
    assert "no band" in page and "Block now" not in page
    answer = ada.post("/search/block", fingerprint_id=id, reason="forged")
    assert answer.status_code == 409 and "compared by dlib-resnet-1" in alert(answer)


def test_htmx_gets_the_mark_of_the_row_and_the_list(ada, gallery):
    answer = ada.post("/search/block", htmx=True, fingerprint_id=gallery["bea"], reason="forged")
    assert answer.status_code == 200 and 'class="held"' in answer.text and 'id="blocked"' in answer.text
    assert "Unblock" in answer.text and "<html" not in answer.text
    swap = ask(ada, htmx=True, face=gallery["ann"])
    assert swap.status_code == 200 and "<html" not in swap.text and len(rows(swap)) == 3


def test_nobody_blocks_what_is_not_theirs(ada, eve, gallery):
    for path in ("/search/block", "/search/unblock"):
        for id in (gallery["ann"], NOWHERE, ""):
            assert eve.post(path, fingerprint_id=id, reason="x").status_code == 404
            assert eve.post(path, fingerprint_id=id).status_code == 404
    assert ada.call("GET", URL).json["data"][0]["blocked"] is None


def test_live_and_test_faces_are_told_apart_and_can_be_chosen(ada, gallery, seen):
    assert 'id="mode"' not in ada.get("/search").text and 'id="model"' not in ada.get("/search").text
    trial = add(ada.call, user="tim", model=DLIB, mode="test")["id"]
    add(ada.call, 3, model="m2")
    page = ada.get("/search").text
    assert 'id="mode"' in page and 'id="model"' in page
    answer = sends(ada, JPEG, mode="test")
    assert [row.split()[0] for row in rows(answer)] == ["tim"] and "test mode" in answer.text
    assert totals(ada)["searches"] == 0
    assert [row.split()[0] for row in rows(ask(ada, face=trial))] == ["tim"]
    mismatch = ask(ada, face=trial, model="m2")
    assert mismatch.status_code == 409 and DLIB in alert(mismatch)


# ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bar_begins_where_its_threshold_stands_at_three_fifths():
    assert odds.low_end(0.92) == 0.8 and odds.place(0.92, 0.8) == 60.0 and odds.low_end(0.363) == 0.0
    assert (odds.place(1.0, 0.8), odds.place(-1.0, 0.8), odds.place(0.3, 0.0)) == (100.0, 0.0, 30.0)


def test_the_chance_of_a_false_match_is_that_of_at_least_one():
    assert odds.chance(0.5, 2) == pytest.approx(0.75) and odds.chance(1.0, 1) == 1.0 and odds.chance(1e-6, 0) == 0
    assert odds.chance(1e-20, 10**6) == pytest.approx(1e-14), "1 - 1e-20 is 1 in float64"
    assert odds.expected(1e-6, 48_211) == pytest.approx(0.048211)
    assert [odds.few(n) for n in (0, 1e-9, 0.0482, 0.5, 12.3, 1200)] == [
        "0",
        "under 0.001",
        "0.048",
        "0.5",
        "12",
        "1,200",
    ]
    assert [odds.percent(p) for p in (0, 1e-9, 0.047, 0.63, 0.9999, 1)] == [
        "0 %", "under 0.1 %", "4.7 %", "63 %", "over 99 %", "100 %"
    ]  # fmt: skip
