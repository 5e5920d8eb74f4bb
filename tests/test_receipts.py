"""The page of the person who was photographed: what is kept, until when, erase it now; and the public policy."""

import json
import re
from datetime import UTC, datetime

import pytest

from fv import db
from fv.api import times
from fv.retention import confirming, receipts
from fv.retention import flows as retention
from fv.terms import span
from tests.photos import examined, photographed
from tests.reports import report
from tests.test_audit import trail
from tests.test_sessions import bearer, create, get


@pytest.fixture
def key(ada):
    return bearer(
        ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": ["sessions:create", "sessions:read"]}).json["secret"]
    )


@pytest.fixture
def made(app, key):
    """A session with everything, and the page of its person."""
    made = create(app, key).json
    photographed(app, made["session_id"], None)
    examined(app, made["session_id"], report())
    return made | {"page": f"/v/receipt/{span.code_of(made['session_token'])}"}


def said(text):
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def day(seconds):
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%B %Y}"


def confirm(app, clock):
    with app.app_context():
        confirming.confirm(int(clock.now))


def test_at_the_end_stands_the_address_of_the_own_page_which_says_what_is_kept_until_when(app, made, clock):
    person = app.test_client()
    person.get(f"/?sid={made['session_id']}&st={made['session_token']}")
    end = person.get("/v/s").text
    assert f'href="{made["page"]}"' in end and made["session_token"] not in made["page"]
    stranger = app.test_client().get(made["page"])
    text, until = said(stranger.text), day(clock.now + 30 * 86400)
    assert stranger.status_code == 200 and "What is kept of you" in text
    assert f"Photos 3, until {until}" in text and f"What was read from your document kept, until {until}" in text
    assert f"Template of your face kept, until {until}" in text and "it stays" in text
    for private in (made["session_token"], "customer-1", "ada@example.org", "ERIKSSON", "L898902C3"):
        assert private not in stranger.text
    assert stranger.headers["Referrer-Policy"] == "no-referrer" and stranger.headers["Cache-Control"] == "no-store"


def test_its_person_erases_everything_and_gets_a_signed_receipt(app, made, clock, key):
    visitor = app.test_client()
    unticked = visitor.post(made["page"])
    assert unticked.status_code == 422 and "Tick the box first" in unticked.text
    assert visitor.get(f"{made['page']}/signed").status_code == 404
    assert visitor.post(made["page"], data={"sure": "yes"}).headers["Location"] == made["page"]
    pending = visitor.get(made["page"]).text
    assert "It is being looked for" in pending and "Erase now" not in pending
    confirm(app, clock)
    done = visitor.get(made["page"]).text
    assert "Nothing is kept of you" in done and "nothing of it was found" in said(done)
    answer = visitor.get(f"{made['page']}/signed")
    receipt = json.loads(answer.text)
    assert "attachment" in answer.headers["Content-Disposition"] and receipt["cause"] == "person"
    policy = visitor.get("/retention-policy").text
    public = re.search(rf"<code>{receipt['key']}</code><br><code class=\"long\">([^<]*)</code>", policy)[1]
    assert receipts.is_signed(receipt, public) and not receipts.is_signed(receipt | {"reason": "x"}, public)
    assert get(app, key, f"/api/v1/sessions/{made['session_id']}").json["data_state"] == "erased"
    assert visitor.post(made["page"], data={"sure": "yes"}).status_code == 303, "again changes nothing"
    assert [row["event"] for row in trail(app)].count("session.erased") == 1


def test_a_session_under_way_ends_when_its_person_erases_it(app, key):
    made = create(app, key).json
    photographed(app, made["session_id"], None, ("id_photo",))
    page = f"/v/receipt/{span.code_of(made['session_token'])}"
    assert "The verification ends" in app.test_client().get(page).text
    app.test_client().post(page, data={"sure": "yes"})
    session = get(app, key, f"/api/v1/sessions/{made['session_id']}").json
    assert (session["status"], session["data_state"]) == ("canceled", "erased")


def test_while_photos_are_being_checked_it_is_too_early(app, key):
    made = create(app, key).json
    photographed(app, made["session_id"], None)
    with app.app_context():
        db.run("UPDATE verifications SET status = 'analyzing', submitted_at = 1")
    page = f"/v/receipt/{span.code_of(made['session_token'])}"
    early = app.test_client().post(page, data={"sure": "yes"})
    assert early.status_code == 409 and "just being checked" in early.text


def test_under_a_legal_hold_it_goes_on_the_day_that_ends(app, ada, made, clock):
    until = int(clock.now) + 9 * 86400
    hold = {"until": times.written(until), "reason": "police file 77"}
    assert ada.call("PUT", f"/api/v1/sessions/{made['session_id']}/hold", hold).status_code == 200
    visitor = app.test_client()
    page = visitor.get(made["page"]).text
    assert f"It has to be kept until {day(until)}" in page and "police" not in page and "Erase it then" in page
    assert visitor.post(made["page"], data={"sure": "yes"}).status_code == 303
    page = visitor.get(made["page"]).text
    assert "It is erased on that day" in page and "Erase it then" not in page
    clock.passes(hours=9 * 24)
    with app.app_context():
        assert [one.cause for one in retention.erase_due(int(clock.now))] == ["term"]
    assert "Nothing is kept of you" in visitor.get(made["page"]).text


@pytest.mark.parametrize("code", ["", "x", "0" * 32, "a" * 400, "%00", "%F0%9F%98%80", "../x"])
def test_another_code_is_not_there_whatever_it_looks_like(app, made, code):
    client = app.test_client()
    for answer in (client.get(f"/v/receipt/{code}"), client.post(f"/v/receipt/{code}", data={"sure": "yes"})):
        assert answer.status_code in (303, 401, 404, 405)
    token = client.get(f"/v/receipt/{made['session_token']}")
    assert token.status_code == 404, "the token of the session is no code of this page"
    assert client.get(f"/v/{made['page'].rpartition('/')[2]}").status_code == 404, "nor the code a link"


def test_the_code_opens_no_session_and_another_site_cannot_press_the_button(app, made):
    code = made["page"].rpartition("/")[2]
    assert app.test_client().get(f"/?sid={made['session_id']}&st={code}").status_code == 404
    assert app.test_client().get("/api/v1/capture/status", headers=bearer(code)).status_code == 401
    foreign = app.test_client().post(made["page"], data={"sure": "yes"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    with app.app_context():
        stored = json.dumps(db.many(dict, "SELECT * FROM terms"))
    assert code not in stored and made["session_token"] not in stored


def test_what_a_link_said_for_how_long_is_kept_though_the_account_lengthens_it_meanwhile(app, ada, clock):
    ada.call("PUT", "/api/v1/retention", {"photos": 3, "documents": 4, "fingerprints": 5})
    link = ada.call("POST", "/api/v1/links", {"kind": "single"}).json
    visitor = app.test_client()
    page = visitor.get(f"/v/{link['token']}").text
    assert "Photos for 3 days, what was read for 4 days, a template of your face" in page
    visit = re.search(r'name="visit" value="([^"]+)"', page)[1]
    ada.call("PUT", "/api/v1/retention", {"photos": 90, "documents": 1, "fingerprints": 90})
    visitor.post(f"/v/{link['token']}/start", data={"consent": "yes", "visit": visit})
    with app.app_context():
        (term,) = db.many(dict, "SELECT * FROM terms")
    kept = [term[f"{kind}_until"] - term["counted_from"] for kind in span.CLASSES]
    assert kept == [3 * 86400, 1 * 86400, 5 * 86400], "what was said, or less"


def test_the_policy_is_public_and_has_the_numbers_of_this_moment(app, ada):
    assert "30 days" in app.test_client().get("/retention-policy").text
    ada.call("PUT", "/api/v1/retention", {"photos": 7, "documents": 90, "fingerprints": 30})
    text = said(app.test_client().get("/retention-policy").text)
    assert "Photos of document and face 7 to 30 days" in text and "read from the document 30 to 90 days" in text
    assert "ada" not in text
