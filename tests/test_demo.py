"""`fv demo`: somebody who has nothing yet looks around in an account that is as closed as every other."""

import io
import re
from collections import Counter

import pytest
from PIL import Image, ImageColor

from fv import db
from fv.demo import people, pictures
from fv.fingerprints import flows as fingerprints
from tests.conftest import Visitor
from tests.test_sessions_pages import tabs
from tests.test_support import run

KINDS = ("id_photo", "selfie", "liveness_frame")
ENDS = {"pending", "in_progress", "review", "passed", "failed", "expired", "canceled"}


def demo(app, clock, *options):
    """Whoever read what the command printed: not signed in yet."""
    done = run(app, "demo", *options)
    assert done.exit_code == 0
    said = dict(re.findall(r"^(\w+)  +(\S.*)$", done.stdout, re.M))
    assert said["Key"].replace(" ", "") in said["Address"] and said["Address"].startswith("otpauth://totp/FaceVault:")
    reader = Visitor(app, clock, said["Email"], said["Password"])
    reader.secret = said["Key"].replace(" ", "")
    return reader


def every(visitor, meanwhile=lambda: None):
    """Every session, over the API."""
    found, path = [], "/api/v1/sessions?limit=100"
    while path:
        page = visitor.get(path).json
        found += page["data"]
        meanwhile()
        path = page["has_more"] and f"/api/v1/sessions?limit=100&after={page['next_cursor']}"
    return found


def test_what_is_printed_opens_an_account_with_sessions_of_every_kind(app, clock):
    reader = demo(app, clock, "--photos", "1")
    reader.proves_password()
    assert not reader.is_in(), "the password alone opens nothing"
    assert reader.post("/login/code", code=reader.code()).location == "/dashboard", "the code of now was not used up"
    sessions = every(reader)
    assert len(sessions) == 40 and {one["status"] for one in sessions} == ENDS
    assert {one["mode"] for one in sessions} == {"live", "test"}
    assert all(re.fullmatch(r"demo-\d{4}|test_\w+", one["external_user_id"]) for one in sessions)
    (shown,) = [one["session_id"] for one in sessions if all(one["steps"].values())]
    one_each = {one["status"]: f"/sessions/{one['session_id']}" for one in sessions}.values()
    for path in ("/dashboard", "/sessions", *one_each):
        assert reader.get(path).status_code == 200, path
    for kind in KINDS:
        assert reader.get(f"/sessions/{shown}/photos/{kind}.jpg").data.startswith(b"\xff\xd8\xff")
    first = reader.get("/review").text
    assert first.count(">Show<") == 3, "who waits longest has photos"
    assert "/ 100</p>" in first and "no analyser is installed" not in first, "and was examined"
    assert run(app, "audit", "verify").exit_code == 0
    assert "Account created by support" in reader.get("/audit?limit=100").text


def test_an_email_that_is_taken_or_is_none_is_refused(app, ada):
    taken = run(app, "demo", "--yes", "--email", ada.email)
    assert taken.exit_code == 1 and taken.stdout == "" and "There is an account with this email" in taken.stderr
    none = run(app, "demo", "--yes", "--email", "nobody")
    assert none.exit_code == 1 and none.stdout == "" and "not an email address" in none.stderr
    assert run(app, "accounts", "list").stdout.count("\n") == 1


def test_beside_other_accounts_it_asks(app, clock, ada):
    assert run(app, "demo", typed="n\n").exit_code == 1
    assert "demo@example.org" not in run(app, "accounts", "list").stdout
    reader = demo(app, clock, "--yes", "--sessions", "3", "--photos", "0")
    reader.signs_in()
    assert len(every(reader)) == 3 and every(ada) == []


def test_its_documents_have_right_check_digits_and_its_people_differ():
    assert [people.digit(text) for text in ("L898902C3", "740812", "120415")] == ["6", "2", "9"], "ICAO Doc 9303 part 4"
    one, other = people.person(1), people.person(2)
    assert {len(line) for line in people.passport(one).lines} == {44}
    assert {len(line) for line in people.id_card(other).lines} == {30}
    assert pictures.selfie(one.look) == pictures.selfie(people.person(1).look) != pictures.selfie(other.look)
    assert len({pictures.selfie(one.look, turn) for turn in pictures.TURNS}) == 4


@pytest.mark.long
def test_its_faces_can_be_searched_and_one_of_them_has_a_double(app, clock):
    demo(app, clock)
    with app.app_context():
        account_id = db.one(dict, "SELECT id FROM accounts")["id"]
        kept = db.many(dict, "SELECT f.id, mode FROM fingerprints f JOIN galleries g ON g.id = gallery_id")
        seconds = []
        for one in kept:
            found = fingerprints.search(account_id, one["mode"], fingerprints.face_of(account_id, one["id"]), 2, -1.0)
            seconds += [hit.similarity for hit in found.hits[1:]]
    assert len(kept) >= 5 and max(seconds) > 0.95 and min(seconds) < 0.9


@pytest.mark.long
def test_its_pages_are_full_and_say_that_all_is_made_up(app, clock):
    reader = demo(app, clock, "--sessions", "20", "--photos", "12")
    reader.signs_in()
    page = reader.get("/review").text
    id = re.search(r'<h2><a href="/sessions/(vs_\w+)"', page)[1]
    assert "Document portrait" in page and "a match starts at 0.92" in page and "Made up: " in page
    page = reader.get(f"/sessions/{id}").text
    assert page.count('class="num">') >= 4 and page.count("a match starts at") == 3 and "Analysed in" in page
    assert "Head turn" in page and "made-up" in page and "SPECIMEN" not in page
    shown = reader.post(f"/sessions/{id}/document").text
    assert "SPECIMEN" in shown and people.MADE_UP in shown and "UTO" in shown
    assert reader.get(f"/sessions/{id}/portrait.jpg").data.startswith(b"\xff\xd8\xff")
    document = reader.get(f"/api/v1/sessions/{id}/document").json
    assert document["mrz"]["repaired"] == [people.MADE_UP] and document["sex"]["source"] == "mrz"


@pytest.mark.parametrize("slant", range(-3, 4))
def test_the_portrait_of_a_drawn_document_is_where_it_says(slant):
    person = people.person(5)
    photo = Image.open(io.BytesIO(pictures.id_photo(person.look, people.passport(person), slant)))
    left, top, right, bottom = pictures.portrait(slant)
    nose = photo.getpixel(((left + right) // 2, (top + bottom) // 2 + 10))
    skin = ImageColor.getrgb(person.look.skin)
    assert all(abs(one - other) < 90 for one, other in zip(nose, skin, strict=True)), (nose, skin)


@pytest.mark.long
def test_of_50_000_sessions_each_is_met_once_while_others_are_made(app, clock):
    reader = demo(app, clock, "--sessions", "50000", "--photos", "0")
    reader.signs_in()
    with app.app_context():
        ids = [row["id"] for row in db.many(dict, "SELECT id FROM verifications")]
    number = 0

    def somebody_makes_another():
        nonlocal number
        number += 1
        if number % 20 == 0:
            made = reader.call("POST", "/api/v1/sessions", {"external_user_id": f"meanwhile-{number}"})
            assert made.status_code == 201

    before = {mode: tabs(reader.get(f"/sessions?mode={mode}").text) for mode in ("live", "test")}
    listed = every(reader, meanwhile=somebody_makes_another)
    assert sorted(one["session_id"] for one in listed) == sorted(ids)

    met = []
    for mode in ("live", "test"):
        path = f"/sessions?limit=100&mode={mode}"
        while path:
            page = reader.get(path).text
            met += re.findall(r'<a class="cover" id="(vs_\w+)"', page)
            somebody_makes_another()
            older = re.search(r'id="older" href="([^"]*)"', page)
            path = older and older[1].replace("&amp;", "&") + "&limit=100"
    assert len(met) == len(set(met)) and set(ids) <= set(met)

    for mode, shown in before.items():
        counted = Counter(one["status"] for one in listed if one["mode"] == mode)
        counted["open"] = counted.pop("pending") + counted.pop("in_progress")
        expected = {"all": counted.total()} | {status: counted[status] for status in shown if status != "all"}
        assert shown == {name: f"{number:,}" for name, number in expected.items()}
