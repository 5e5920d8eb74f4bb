"""What showed a person goes, when its term is over or somebody asks, and only what is nowhere is said to be erased."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fv import db
from fv.accounts import store as accounts
from fv.api import times
from fv.billing import flows as billing
from fv.evidence import flows as evidence
from fv.fingerprints import flows as fingerprints
from fv.fingerprints import rekeying
from fv.retention import confirming, flows, planning, scan
from fv.retention import store as erasures
from fv.terms import store as terms
from fv.verifications import due
from fv.verifications import flows as verifications
from tests.conftest import Visitor
from tests.crashes import killed_before
from tests.photos import KINDS, erase_due, examined, photographed
from tests.reports import report
from tests.templates import template
from tests.test_audit import run, trail
from tests.test_serving import at_once
from tests.test_sessions import bearer, create, get

DAY = 24  # hours
SCOPES = ["sessions:create", "sessions:read", "photos:read", "documents:read", "erase:write", "fingerprints:write"]


@pytest.fixture
def key(ada):
    return bearer(ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": SCOPES}).json["secret"])


@pytest.fixture
def person(app, key):
    """A session with photos, a document that was read, and a template."""
    id = create(app, key, "customer-1").json["session_id"]
    photographed(app, id, None)
    examined(app, id, report())
    return id


def erase(app, clock):
    with app.app_context():
        return erase_due(int(clock.now))


def confirm(app, clock):
    with app.app_context():
        return confirming.confirm(int(clock.now))


def call(app, key, method, path, body=None):
    return app.test_client().open(path, method=method, json=body, headers=key)


def files(app):
    return files_in(app.config["BLOBS"])


def files_in(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


def stored(app):
    """Pieces of everything that shows somebody, as it stands in the files."""
    with app.app_context():
        texts = [one["vector"] for one in db.many(dict, "SELECT vector FROM fingerprints")]
        texts += [one["sealed_text"].encode() for one in db.many(dict, "SELECT sealed_text FROM documents")]
        texts += [one["sealed_key"].encode() for one in db.many(dict, "SELECT sealed_key FROM photos")]
        texts += [one["sha256"].encode() for one in db.many(dict, "SELECT sha256 FROM photos")]
        texts += [one["sealed_answer"].encode() for one in db.many(dict, "SELECT sealed_answer FROM idempotency")]
    return [piece for text in texts for piece in (text[20:60], text[-30:])]


#: A process that opens a file of SQLite and closes it loses its locks on it, so another one looks.
READS = """
import json, sys
from pathlib import Path
contents = [path.read_bytes() for path in Path(sys.argv[1]).rglob("*") if path.is_file()]
print(json.dumps([any(bytes.fromhex(piece) in one for one in contents) for piece in json.load(sys.stdin)]))
"""


def held_in_files(app, pieces):
    words = [sys.executable, "-c", READS, app.instance_path]
    asked = json.dumps([piece.hex() for piece in pieces])
    return json.loads(subprocess.run(words, input=asked, capture_output=True, check=True, text=True).stdout)


# ── By its term ──────────────────────────────────────────────────────────────────────────────────────────────


def test_after_its_term_a_session_has_its_decision_and_no_photo(app, ada, clock, key):
    id = create(app, key).json["session_id"]
    photographed(app, id)
    before = get(app, key, f"/api/v1/sessions/{id}").json
    assert before["data_state"] == "retained" and before["erase_after"] > before["created_at"]
    clock.passes(hours=30 * DAY, seconds=-1)
    assert not erase(app, clock) and len(files(app)) == 3
    clock.passes(seconds=1)
    ada.signs_in()
    (done,) = erase(app, clock)
    assert (done.status, done.cause, done.session_id) == ("erased", "term", id)
    assert not erase(app, clock) and files(app) == []
    after = get(app, key, f"/api/v1/sessions/{id}").json
    changed = {"data_state": "erased", "steps": dict.fromkeys(KINDS, False)}
    assert after == before | changed and after["status"] == "review"
    for path in (f"/api/v1/sessions/{id}/photos", f"/api/v1/sessions/{id}/photos/selfie"):
        assert get(app, key, path).json["code"] == "erased"
    assert get(app, key, f"/api/v1/sessions/{id}/document").json["code"] == "erased"
    (row,) = [row for row in trail(app) if row["event"] == "session.erased"]
    assert row["actor"] == "service" and id in row["facts"] and done.id in row["facts"]
    assert "Photos erased" in ada.get(f"/sessions/{id}").text


def test_each_kind_goes_when_its_own_days_are_over(app, ada, clock, key):
    assert ada.call("PUT", "/api/v1/retention", {"photos": 2, "documents": 5, "fingerprints": 9}).status_code == 200
    id = create(app, key).json["session_id"]
    photographed(app, id, None)
    examined(app, id, report())
    address, gone = f"/api/v1/sessions/{id}", []
    for days in (2, 3, 4):
        clock.passes(hours=days * DAY)
        (done,) = erase(app, clock)
        gone.append(json.loads(done.receipt)["gone"])
        with app.app_context():
            left = len(db.many(dict, "SELECT id FROM fingerprints"))
        state = get(app, key, address).json["data_state"]
        codes = [get(app, key, f"{address}{path}").status_code for path in ("/photos", "/document")]
        assert (codes, left, state) == {
            2: ([410, 200], 1, "retained"),
            3: ([410, 410], 1, "retained"),
            4: ([410, 410], 0, "erased"),
        }[days]
    assert gone[0] == {"photos": 3} and gone[1] == {"documents": 1}
    assert gone[2] == {"fingerprints": 1, "search_reasons": 0, "answers": 0, "deliveries": 0}


def test_a_template_cannot_be_added_to_a_session_whose_days_for_templates_are_over(app, ada, clock, key):
    ada.call("PUT", "/api/v1/retention", {"photos": 9, "documents": 9, "fingerprints": 2})
    id = create(app, key).json["session_id"]
    photographed(app, id)
    clock.passes(hours=3 * DAY)
    assert erase(app, clock)
    body = {"embedding": template(1), "model": "m", "external_user_id": "customer-1", "session_id": id}
    assert call(app, key, "POST", "/api/v1/fingerprints", body).json["code"] == "erased"


def test_an_analysis_that_ends_after_the_term_keeps_nothing(app, clock, key):
    id = create(app, key).json["session_id"]
    photographed(app, id, None)
    with app.app_context():
        db.run("UPDATE verifications SET status = 'analyzing', submitted_at = 1")
    clock.passes(hours=30 * DAY)

    def meanwhile(_case):
        assert [one.status for one in flows.erase_due(int(clock.now))] == ["pending"]
        return report()

    with app.app_context():
        assert due.analyse_next(int(clock.now), meanwhile)
        assert [] == db.many(dict, "SELECT read_at FROM documents") == db.many(dict, "SELECT id FROM fingerprints")
    assert confirm(app, clock) == 1


def test_a_session_is_not_erased_while_a_photo_of_it_may_be_on_its_way(make_app, clock):
    app = make_app(RETENTION=60, SESSION_WINDOW=60)
    with app.app_context():
        db.run("INSERT INTO accounts (id, email, password_hash, created_at) VALUES ('acc_1', 'a@b.c', 'x', 0)")
        verifications.create("acc_1", verifications.Asked("customer-1", False, "live"), None, int(clock.now))
    clock.passes(seconds=60 + 3600 - 1)
    assert not erase(app, clock)
    clock.passes(seconds=1)
    assert erase(app, clock)


def test_what_was_not_read_from_a_document_is_not_there(app, ada, key):
    id = create(app, key).json["session_id"]
    assert get(app, key, f"/api/v1/sessions/{id}/document").json["code"] == "document_not_read"
    assert get(app, key, f"/api/v1/sessions/vs_{'0' * 32}/document").json["code"] == "not_found"
    other = bearer(ada.call("POST", "/api/v1/keys", {"name": "y"}).json["secret"])
    assert get(app, other, f"/api/v1/sessions/{id}/document").json["code"] == "insufficient_scope"


# ── When somebody asks ───────────────────────────────────────────────────────────────────────────────────────


def test_who_asks_gets_a_receipt_that_says_erased_only_after_somebody_looked(app, ada, clock, key, person):
    address, before = f"/api/v1/sessions/{person}/data", get(app, key, f"/api/v1/sessions/{person}").json
    pieces = stored(app)
    assert all(held_in_files(app, pieces))
    asked = call(app, key, "DELETE", address, {"reason": "ticket 7"})
    assert asked.status_code == 202 and asked.headers["Location"] == f"/api/v1/erasures/{asked.json['id']}"
    assert asked.json["status"] == "pending" and asked.json["signature"] is None is asked.json["erased_at"]
    assert call(app, key, "DELETE", address, {"reason": "again"}).json == asked.json, "it is the same erasure"
    assert get(app, key, f"/api/v1/sessions/{person}").json["data_state"] == "erased"
    assert confirm(app, clock) == 1 and confirm(app, clock) == 0
    receipt = get(app, key, asked.headers["Location"]).json
    assert receipt["status"] == "erased" and receipt["reason"] == "ticket 7" and receipt["cause"] == "account"
    assert receipt["gone"] == {
        "photos": 3, "documents": 1, "fingerprints": 1, "search_reasons": 0, "answers": 0, "deliveries": 0,
    }  # fmt: skip
    assert receipt["looked"]["pieces"] > 10 and receipt["looked"]["database_bytes"] > 100_000
    assert files(app) == [] and not any(held_in_files(app, pieces))
    assert (
        get(app, key, "/api/v1/erasures").json["data"] == [receipt] == ada.call("GET", "/api/v1/erasures").json["data"]
    )
    session = get(app, key, f"/api/v1/sessions/{person}").json
    assert session == before | {"data_state": "erased", "steps": dict.fromkeys(KINDS, False)}, "the decision stays"
    assert session["completed_at"] and session["trust_score"] is not None
    (row,) = [row for row in trail(app) if row["event"] == "session.erased"]
    assert "ticket 7" not in str(row) and "fv_live_" in row["facts"]


def test_who_ask_at_once_get_the_same_erasure(app, key, person):
    """And not one of nothing, whose receipt would say that there were no photos."""
    path = f"/api/v1/sessions/{person}/data"
    told = at_once(8, lambda n: call(app, key, "DELETE", path, {"reason": f"letter {n}"}).json)
    assert len({one["id"] for one in told}) == 1 and told[0]["gone"]["photos"] == 3


def test_a_clock_that_was_set_back_hides_no_erasure_behind_an_older_one(app, ada, clock, key):
    ada.call("PUT", "/api/v1/retention", {"photos": 1, "documents": 5, "fingerprints": 5})
    id = create(app, key).json["session_id"]
    photographed(app, id, None)
    clock.passes(hours=2 * DAY)
    assert len(erase(app, clock)) == 1
    clock.passes(hours=-1)
    asked = call(app, key, "DELETE", f"/api/v1/sessions/{id}/data", {"reason": "x"}).json
    assert call(app, key, "DELETE", f"/api/v1/sessions/{id}/data", {"reason": "x"}).json["id"] == asked["id"]


def test_an_answer_that_would_be_given_again_and_why_somebody_was_looked_for_go_too(app, ada, clock, key):
    made = create(app, {**key, "Idempotency-Key": "once"}).json
    id = made["session_id"]
    photographed(app, id, None)
    examined(app, id, report())
    search = {"session_id": id, "reason": "is it the same as yesterday?"}
    assert ada.call("POST", "/api/v1/fingerprints/search", search).status_code == 200
    pieces = stored(app)
    asked = call(app, key, "DELETE", f"/api/v1/sessions/{id}/data", {"reason": "asked for"}).json
    assert asked["gone"]["answers"] == 1 == asked["gone"]["search_reasons"]
    confirm(app, clock)
    assert not any(held_in_files(app, pieces)) and "yesterday" not in ada.get("/search").text
    assert not any(held_in_files(app, [b"same as yesterday"]))
    assert create(app, {**key, "Idempotency-Key": "once"}).json["session_id"] != id


def test_why_somebody_was_looked_for_goes_with_a_fingerprint_that_is_removed(app, ada, key, person):
    with app.app_context():
        (one,) = db.many(dict, "SELECT id FROM fingerprints")
    search = {"fingerprint_id": one["id"], "reason": "is it Grace Hopper?"}
    assert ada.call("POST", "/api/v1/fingerprints/search", search).status_code == 200
    assert call(app, key, "DELETE", f"/api/v1/fingerprints/{one['id']}").status_code == 204
    assert "Grace" not in ada.get("/search").text and not any(held_in_files(app, [b"Grace Hopper"]))


def test_a_search_that_ends_after_the_erasure_of_who_was_looked_for_keeps_no_reason(
    app, ada, clock, key, person, monkeypatch
):
    compared = fingerprints.search

    def meanwhile(*about):
        call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", {"reason": "x"})
        return compared(*about)

    monkeypatch.setattr(fingerprints, "search", meanwhile)
    search = {"session_id": person, "reason": "is it Grace Hopper?"}
    assert ada.call("POST", "/api/v1/fingerprints/search", search).json["code"] == "not_found"
    assert confirm(app, clock) == 1 and not any(held_in_files(app, [b"Grace Hopper"]))


def test_a_session_that_is_open_ends_with_its_erasure(app, clock, key):
    made = create(app, key).json
    photographed(app, made["session_id"], None, KINDS[:1])
    assert call(app, key, "DELETE", f"/api/v1/sessions/{made['session_id']}/data", {"reason": "x"}).status_code == 202
    session = get(app, key, f"/api/v1/sessions/{made['session_id']}").json
    assert (session["status"], session["data_state"]) == ("canceled", "erased")
    late = app.test_client().post("/api/v1/capture/consent", headers=bearer(made["session_token"]))
    assert late.json["code"] == "invalid_transition"


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}, {"reason": "a\x00b"},
                                  {"reason": 7}, {"reason": "x", "more": 1}])  # fmt: skip
def test_an_erasure_needs_a_reason_that_can_be_read(app, key, person, body):
    answer = call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request") and len(files(app)) == 3


def test_a_key_needs_the_scope_and_reaches_its_own_mode_only(app, ada, key, person):
    def new(**about):
        return bearer(ada.call("POST", "/api/v1/keys", {"name": "y"} | about).json["secret"])

    path, body = f"/api/v1/sessions/{person}/data", {"reason": "x"}
    assert call(app, new(scopes=SCOPES[:4]), "DELETE", path, body).json["code"] == "insufficient_scope"
    assert call(app, new(scopes=SCOPES, mode="test"), "DELETE", path, body).json["code"] == "not_found"
    for method, way in (("GET", "/api/v1/retention"), ("PUT", "/api/v1/retention"),
                        ("PUT", f"/api/v1/sessions/{person}/hold")):  # fmt: skip
        assert call(app, key, method, way, {}).json["code"] == "insufficient_scope"
    erasure = call(app, key, "DELETE", path, body).json["id"]
    assert get(app, new(scopes=SCOPES, mode="test"), f"/api/v1/erasures/{erasure}").status_code == 404


@pytest.mark.long
def test_what_two_sessions_have_in_common_stays_with_the_other(app, clock, key):
    """The same files and the same face: what is found is of a row that is kept, and the receipt is signed."""
    ids = []
    for _ in range(2):
        ids.append(create(app, key).json["session_id"])
        photographed(app, ids[-1], None)
        examined(app, ids[-1], report())
    call(app, key, "DELETE", f"/api/v1/sessions/{ids[0]}/data", {"reason": "x"})
    assert confirm(app, clock) == 1
    assert get(app, key, f"/api/v1/sessions/{ids[1]}/photos").json["data"]
    with app.app_context():
        assert len(db.many(dict, "SELECT id FROM fingerprints")) == 1


#: Another program that began to read, and goes on until it is told to end.
READER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN")
database.execute("SELECT count(*) FROM photos").fetchone()
print("reads", flush=True)
sys.stdin.readline()
"""


# ── What is in the way ───────────────────────────────────────────────────────────────────────────────────────


def status(app, key, erasure):
    answer = get(app, key, f"/api/v1/erasures/{erasure}").json
    return answer["status"], answer["because"]


def test_an_open_reader_blocks_it_and_when_that_ends_it_goes_on(app, clock, key, person):
    pieces = stored(app)
    reader = subprocess.Popen([sys.executable, "-c", READER, Path(app.instance_path) / "facevault.db"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert reader.stdout.readline() == b"reads\n"
    id = call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", {"reason": "x"}).json["id"]
    assert confirm(app, clock) == 0 and status(app, key, id) == ("blocked", "log")
    assert any(held_in_files(app, pieces)), "it would have been a lie"
    with app.app_context():
        assert confirming.is_waiting(5) and not confirming.is_waiting(4)
    reader.communicate(b"enough\n")
    assert confirm(app, clock) == 1 and status(app, key, id) == ("erased", None)
    assert not any(held_in_files(app, pieces))


def test_a_file_that_cannot_be_deleted_blocks_its_own_erasure_and_no_other(app, clock, key, person):
    other = create(app, key).json["session_id"]
    photographed(app, other)
    with app.app_context():
        name = db.one(dict, "SELECT id FROM photos WHERE verification_id = :id LIMIT 1", id=person)["id"]
    path = Path(app.config["BLOBS"]) / "photos" / name
    path.unlink(), path.mkdir()  # a file that cannot be deleted
    ids = [call(app, key, "DELETE", f"/api/v1/sessions/{one}/data", {"reason": "x"}).json["id"]
           for one in (person, other)]  # fmt: skip
    assert confirm(app, clock) == 1
    assert [status(app, key, id) for id in ids] == [("blocked", "file"), ("erased", None)]
    path.rmdir()
    assert confirm(app, clock) == 1 and status(app, key, ids[0]) == ("erased", None)


@pytest.mark.long
def test_a_copy_made_before_an_upgrade_blocks_it_for_a_week(app, clock, key, person):
    """So does anything else beside the database that still holds it."""
    with app.app_context():
        db.empty_log()
    database = Path(app.instance_path) / "facevault.db"
    copy = database.with_name("facevault.db.step-3")
    subprocess.run(["cp", database, copy], check=True)
    os.utime(copy, (clock.now, clock.now))
    id = call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", {"reason": "x"}).json["id"]
    with app.app_context():
        for passed in (0, 7 * 86400, 7 * 86400 + 1):
            confirming.confirm(int(clock.now))
            confirming.drop_old_copies(int(clock.now) + passed)
            assert copy.exists() == (passed <= 7 * 86400) and status(app, key, id) == ("blocked", "copy")
        assert confirming.confirm(int(clock.now)) == 1
    other = database.with_name("facevault.db.before")
    other.write_bytes(b"")
    assert status(app, key, id) == ("erased", None)


def test_no_template_is_read_for_what_only_a_copy_has(app, clock, key, person, monkeypatch):
    """With a large gallery the background process would do nothing else while the copy is there."""
    database = Path(app.instance_path) / "facevault.db"
    with app.app_context():
        db.empty_log()
    subprocess.run(["cp", database, database.with_name("facevault.db.step-3")], check=True)
    id = call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", {"reason": "x"}).json["id"]
    read = []
    monkeypatch.setattr(confirming, "_stays", read.append)
    assert confirm(app, clock) == 0 and status(app, key, id) == ("blocked", "copy") and read == []


@pytest.mark.long
@pytest.mark.parametrize("of_session", [True, False])
def test_a_copy_blocks_it_though_templates_are_turned_otherwise_in_it(app, clock, key, person, of_session):
    """As after a new rotation, or a new master key: no piece of what is stored now is in that copy."""
    body = {"embedding": template(5), "model": "m", "external_user_id": "customer-2"}
    assert call(app, key, "POST", "/api/v1/fingerprints", body).status_code == 201
    database = Path(app.instance_path) / "facevault.db"
    copy = database.with_name("facevault.db.step-3")
    with app.app_context():
        db.empty_log()
        subprocess.run(["cp", database, copy], check=True)
        (account,) = db.many(dict, "SELECT id FROM accounts")
        rekeying.rekey_account(account["id"], int(clock.now), lambda _done, _all: None)
        if of_session:
            db.run("UPDATE terms SET fingerprints_until = 1, next_at = 1")
            (erasure,) = flows.erase_due(int(clock.now))
        else:
            erasure = flows.erase_templates(account["id"], "customer-2", "asked for", int(clock.now))
    assert confirm(app, clock) == 0
    with app.app_context():
        assert erasures.by_id(erasure.id).because == "copy"
    copy.unlink()
    assert confirm(app, clock) == 1


def test_a_database_is_read_whatever_its_name(make_app, clock, tmp_path):
    app = make_app(DATABASE=tmp_path / "faces[1]*.db")
    ada = Visitor(app, clock)
    ada.signs_up()
    ada.enrols()
    key = bearer(ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": SCOPES}).json["secret"])
    id = create(app, key).json["session_id"]
    photographed(app, id)
    copy = tmp_path / "faces[1]*.db.step-3"
    with app.app_context():
        db.empty_log()
    subprocess.run(["cp", tmp_path / "faces[1]*.db", copy], check=True)
    erasure = call(app, key, "DELETE", f"/api/v1/sessions/{id}/data", {"reason": "x"}).json["id"]
    assert confirm(app, clock) == 0 and status(app, key, erasure) == ("blocked", "copy")
    assert str(copy) in run(app, "doctor").output
    copy.unlink()
    assert confirm(app, clock) == 1
    assert get(app, key, f"/api/v1/erasures/{erasure}").json["looked"]["database_files"] > 1


def test_what_is_still_found_is_never_said_to_be_erased(app, clock, key, person):
    pieces = stored(app)
    id = call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", {"reason": "x"}).json["id"]
    left = Path(app.instance_path) / "facevault.db.old"
    with app.app_context():
        wanted = confirming._traces(erasures.by_id(id)).pieces
    left.write_bytes(b"." * (scan.CHUNK - 7) + min(wanted) + b".")
    assert confirm(app, clock) == 0 and status(app, key, id) == ("blocked", "found")
    with app.app_context():
        assert confirming.is_waiting(300) and not confirming.is_waiting(299)
    left.unlink()
    assert confirm(app, clock) == 1 and pieces


def test_an_erasure_whose_note_of_what_to_look_for_was_altered_is_never_confirmed(app, clock, key, person):
    id = call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", {"reason": "x"}).json["id"]
    with app.app_context():
        db.run("UPDATE erasures SET sealed_traces = 'x'")
    assert confirm(app, clock) == 0 and status(app, key, id) == ("blocked", "altered")
    clock.passes(hours=3)
    assert "erasures wait for 3 hours" in run(app, "doctor").output


@pytest.mark.long
def test_who_is_stuck_holds_nobody_up(app, clock, key, person, monkeypatch):
    first = call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", {"reason": "x"}).json["id"]
    with app.app_context():
        db.run("UPDATE erasures SET sealed_traces = 'x'")
    confirm(app, clock)
    monkeypatch.setattr(confirming, "AT_ONCE", 1)
    second = create(app, key, "customer-2").json["session_id"]
    other = call(app, key, "DELETE", f"/api/v1/sessions/{second}/data", {"reason": "x"}).json["id"]
    assert confirm(app, clock) == 1
    assert [status(app, key, id)[0] for id in (first, other)] == ["blocked", "erased"]


def test_a_database_that_cannot_be_read_blocks_it(app, clock, key, person):
    id = call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", {"reason": "x"}).json["id"]
    strange = Path(app.instance_path) / "facevault.db.d"
    strange.mkdir()
    assert confirm(app, clock) == 0 and status(app, key, id) == ("blocked", "file")
    strange.rmdir()
    folder = Path(app.config["BLOBS"]) / "photos"
    aside = folder.rename(folder.with_name("aside"))
    assert confirm(app, clock) == 0 and status(app, key, id) == ("blocked", "file")
    aside.rename(folder)
    with app.app_context():
        (stale,) = erasures.unfinished(9)
        assert confirming.confirm(int(clock.now)) == 1 and not confirming.is_waiting(10**6)
        look = confirming.Look({}, 0, 0, frozenset())
        assert not confirming._judge(stale, confirming.Traces(set(), set()), look, int(clock.now)), "it is signed once"
        confirming.drop_old_copies(int(clock.now))


def test_a_session_that_was_erased_before_there_were_receipts_gets_one(app, clock, key, person):
    call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", {"reason": "x"})
    with app.app_context():
        db.run("DELETE FROM erasures")
    again = call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", {"reason": "y"}).json
    assert set(again["gone"].values()) == {0} and confirm(app, clock) == 1


@pytest.mark.long
def test_a_blob_that_came_back_under_its_name_blocks_it(app, clock, key, person):
    id = call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", {"reason": "x"}).json["id"]
    with app.app_context():
        (photo, *_) = db.many(dict, "SELECT id FROM photos")
        for one in db.many(dict, "SELECT id, blob_key FROM photos"):
            evidence.blobs.delete(one["blob_key"])
            db.run("UPDATE photos SET blob_key = NULL WHERE id = :id", id=one["id"])
    left = Path(app.config["BLOBS"]) / "photos" / f"{photo['id']}#1"
    left.write_bytes(b"half-written")
    assert confirm(app, clock) == 0 and status(app, key, id) == ("blocked", "file")
    left.unlink()
    assert confirm(app, clock) == 1


def test_a_login_or_a_key_that_ended_meanwhile_erases_and_holds_nothing(app, ada, clock, key, person):
    now = int(clock.now)
    with app.app_context():
        (login,) = [one for one in accounts.logins(account_of(person)) if one.proved_at]
        accounts.end_login(login.id)
        assert flows.erase(login, person, "x", now) is flows.Refused.NOT_THERE
        assert planning.hold(login, person, now + 9, "x", now) is flows.Refused.NOT_THERE
        assert planning.set_days(login, {"photos": 1, "documents": 1, "fingerprints": 1}, now) is None
        assert planning.set_days(login, {"photos": 0, "documents": 1, "fingerprints": 1}, now) is None
        assert flows.erase(login, "vs_0", "x", now) is planning.lift(login, "vs_0", now) is flows.Refused.NOT_THERE
        assert planning.hold(login, person, now + 9, " ", now) is flows.Refused.REASON
        planning.end_with_hold(
            flows.find(account_of(person), person, None, now), terms.of_session(account_of(person), person)
        )
    assert len(files(app)) == 3


def test_what_was_held_or_lengthened_since_it_was_found_due_stays(app, clock, key, person, monkeypatch):
    due_then, now = terms.due, int(clock.now) + 30 * 86400

    def and_then_held(*of):
        found = due_then(*of)
        terms.hold(person, now + 9, "court")
        return found

    monkeypatch.setattr(terms, "due", and_then_held)
    with app.app_context():
        assert flows.erase_due(now) == [] and len(files(app)) == 3
        term = terms.of_session(account_of(person), person)
        assert flows.due_classes(term, now + 8) == () and len(flows.due_classes(term, now + 9)) == 3
        assert flows._erase(
            flows.find(account_of(person), person, None, now), (), flows.Asked("term", "", {}), now
        ) is (flows.Refused.HELD)


@pytest.mark.long
def test_kill_9_at_any_statement_of_an_erasure_leaves_it_to_the_next_worker(app, clock, key):
    n, killed = 0, True
    while killed:
        n += 1
        id = create(app, key).json["session_id"]
        photographed(app, id)
        clock.passes(hours=30 * DAY)
        doing = f"from tests.photos import erase_due; erase_due({int(clock.now)})"
        killed = killed_before(n, app, doing)
        erase(app, clock)
        assert files(app) == [] and get(app, key, f"/api/v1/sessions/{id}").json["data_state"] == "erased"
    assert n > 20
    events = [row["facts"] for row in trail(app) if row["event"] == "session.erased"]
    assert len(events) == len(set(events)) == n, "each is recorded once"
    with app.app_context():
        assert {one.status for one in erasures.page(account_of(id), None, 2**62, "", 1000)} == {"erased"}


def account_of(id):
    return db.one(dict, "SELECT account_id FROM verifications WHERE id = :id", id=id)["account_id"]


@pytest.mark.long
def test_of_hundreds_of_sessions_nothing_of_those_that_went_is_in_the_file(app, clock, key):
    """Pages are split and joined, rows move: whatever stays behind in one of them would be found."""
    with app.app_context():
        (row,) = db.many(dict, "SELECT account_id FROM api_keys")
        account = row["account_id"]
        with db.transaction():
            billing.put_on_roomy(account, int(clock.now))
        space = fingerprints.space_of("m")
    ids = [create(app, key).json["session_id"] for _ in range(300)]
    with app.app_context():
        for number, id in enumerate(ids):
            with db.transaction():
                db.run("INSERT INTO documents VALUES (:account, :id, :text, 1)", account=account, id=id,
                       text=f"k.{os.urandom(400 + 37 * (number % 60)).hex()}")  # fmt: skip
                fingerprints.add(account, "live", space, [fingerprints.Template("u", template(number), id)], 1)
        for id in ids[::3] + ids[1::7]:
            flows.erase_for(flows.find(account, id, None, int(clock.now)), "operator", "x", int(clock.now))
        while confirming.confirm(int(clock.now)):
            pass
        assert erasures.oldest_unfinished() is None


@given(st.binary(max_size=3000), st.integers(0, 2999), st.integers(0, 200))
def test_a_piece_is_found_wherever_it_stands_and_nothing_else_is(noise, at, seed):
    piece = hashlib.sha256(str(seed).encode()).digest()[: scan.PIECE]
    other = hashlib.sha256(b"other").digest()[: scan.PIECE]
    with tempfile.TemporaryDirectory() as folder:
        clean, holding = Path(folder) / "clean", Path(folder) / "holding"
        clean.write_bytes(noise)
        holding.write_bytes(noise[:at] + piece + noise[at:])
        asked = {"files": [str(clean), str(holding), f"{folder}/none"], "wanted": [b64(piece), b64(other)]}
        assert json.loads(scan.main(json.dumps(asked))) == {str(holding): [b64(piece)]}


def b64(text):
    return base64.b64encode(text).decode()


def test_a_piece_across_two_reads_is_found_and_short_texts_give_what_they_can(tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "CHUNK", 64)
    piece, file = os.urandom(scan.PIECE), tmp_path / "file"
    for at in range(30, 100):
        file.write_bytes(b"." * at + piece + b"." * 70)
        assert scan.found([file], {piece}) == {file: {piece}}
    assert scan.found([file], set()) == {}
    assert [len(scan.pieces(bytes(size))) for size in (0, 23, 24, 47, 48, 49, 600)] == [0, 0, 1, 1, 1, 2, 3]
    text = os.urandom(600)
    assert all(piece in text for piece in scan.pieces(text)) and text[-24:] in scan.pieces(text)


# ── On the pages ─────────────────────────────────────────────────────────────────────────────────────────────


def test_people_do_the_same_on_the_pages(app, ada, clock, person):
    page = ada.get(f"/sessions/{person}").text
    assert "Erase it now" in page and "Put it on legal hold" in page
    address = f"/sessions/{person}"
    assert ada.post(f"{address}/hold", until="soon", reason="x").status_code == 422
    assert ada.post(f"{address}/hold", until="2001-01-01", reason="x").status_code == 422
    day = datetime.fromtimestamp(clock.now + 86400, UTC).strftime("%Y-%m-%d")
    assert ada.post(f"{address}/hold", until=day, reason="court").headers["location"] == address
    assert ada.post(f"{address}/data/erase", reason="x").status_code == 409
    assert ada.post(f"{address}/hold/end").headers["location"] == address
    assert ada.post(f"{address}/data/erase", reason=" ").status_code == 422
    assert (
        ada.post(f"{address}/data/erase", reason="letter").headers["location"] == address
        and "letter" in ada.get("/retention").text
    )
    assert ada.post(f"{address}/hold", until=day, reason="court").status_code == 410
    assert ada.call("DELETE", f"/api/v1/sessions/{person}/hold").status_code == 410
    for path in ("data/erase", "hold", "hold/end"):
        assert ada.post(f"/sessions/vs_0/{path}", until=day, reason="x").status_code == 404
    assert confirm(app, clock) == 1 and "Erased" in ada.get("/retention").text
    assert ada.post("/retention", photos="x", documents="1", fingerprints="1").status_code == 422


# ── Terms and holds ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_term_only_ever_becomes_shorter(app, ada, clock, key):
    first = create(app, key).json["session_id"]
    before = get(app, key, f"/api/v1/sessions/{first}").json["erase_after"]
    longer = {"photos": 90, "documents": 400, "fingerprints": 60}
    assert ada.call("PUT", "/api/v1/retention", longer).json | longer == ada.call("GET", "/api/v1/retention").json
    assert get(app, key, f"/api/v1/sessions/{first}").json["erase_after"] == before
    second = create(app, key).json["session_id"]
    with app.app_context():
        one = terms.of_session(account_of(second), second)
        assert [until - one.counted_from for until in one.untils.values()] == [d * 86400 for d in longer.values()]
    ada.call("PUT", "/api/v1/retention", {"photos": 5})
    with app.app_context():
        for id, days in ((first, [5, 30, 30]), (second, [5, 400, 60])):
            one = terms.of_session(account_of(id), id)
            assert [until - one.counted_from for until in one.untils.values()] == [d * 86400 for d in days]
            assert one.next_at == one.photos_until
    ada.call("PUT", "/api/v1/retention", {"photos": 5, "documents": 7, "fingerprints": 6})
    after = get(app, key, f"/api/v1/sessions/{second}").json
    with app.app_context():
        assert terms.of_session(account_of(second), second).last_at == int(clock.now) // 1 + 7 * 86400
    assert after["erase_after"][:10] != before[:10]
    (row, *_) = [row for row in trail(app) if row["event"] == "retention.changed"]
    assert row["actor"] == "holder"


def test_what_would_go_is_said_before_it_goes(app, ada, clock, key, person):
    clock.passes(hours=3 * DAY)
    ada.signs_in()
    days = {"photos": 2, "documents": 3, "fingerprints": 9}
    would = ada.call("PUT", "/api/v1/retention", days | {"dry_run": True}).json
    assert would["would_erase"] == {"sessions": 1, "photos": 1, "documents": 1, "fingerprints": 0}
    assert would["next_7_days"] == {"sessions": 1, "photos": 1, "documents": 1, "fingerprints": 1}
    now = ada.call("GET", "/api/v1/retention").json
    assert now["photos"] == 30 == now["default_days"] and now["would_erase"]["sessions"] == 0, "nothing was changed"
    page = ada.post("/retention", do="preview", **days).text
    assert "At once this erases 1 session: photos of 1, what was read of 1, templates of 0." in " ".join(page.split())
    assert len(files(app)) == 3 and ada.call("GET", "/api/v1/retention").json["photos"] == 30
    assert ada.post("/retention", do="keep", **days).status_code == 303
    assert len(erase(app, clock)) == 1 and files(app) == []
    assert ada.call("GET", "/api/v1/retention").json["last_looked_at"] is not None


@pytest.mark.parametrize("days", [0, -1, 3651, 10**30, "7", 7.5, True])
def test_days_are_whole_and_from_1_to_3650(ada, days):
    answer = ada.call("PUT", "/api/v1/retention", {"photos": days})
    assert answer.status_code in (400, 422) and ada.call("GET", "/api/v1/retention").json["photos"] == 30
    assert ada.post("/retention", photos=str(days), documents="30", fingerprints="30", do="keep").status_code == (
        303 if days == "7" else 422
    )


def test_a_legal_hold_keeps_it_from_everybody_until_its_day(app, ada, clock, key, person):
    made = {"until": "2999-01-01T00:00:00Z", "reason": "court"}
    address = f"/api/v1/sessions/{person}/hold"
    assert ada.call("PUT", address, made).json["errors"][0]["pointer"] == "/until", "ten years are the longest"
    until = int(clock.now) + 40 * 86400
    held = ada.call("PUT", address, {"until": times.written(until), "reason": "court 12"})
    assert held.status_code == 200 and held.json == {
        "session_id": person,
        "until": times.written(until),
        "reason": "court 12",
    }
    refused = call(app, key, "DELETE", f"/api/v1/sessions/{person}/data", {"reason": "x"})
    assert (refused.status_code, refused.json["code"]) == (409, "legal_hold")
    assert "legal hold keeps" in run(app, "erase", "--session", person, "--yes").output
    (face,) = get(app, key, "/api/v1/fingerprints").json["data"]
    kept = call(app, key, "DELETE", f"/api/v1/fingerprints/{face['id']}")
    assert (kept.status_code, kept.json["code"]) == (409, "legal_hold")
    assert "court 12" in ada.get(f"/sessions/{person}").text and "court 12" in ada.get("/retention").text
    clock.passes(hours=39 * DAY)
    assert not erase(app, clock), "its term is over, and the hold is not"
    clock.passes(hours=1 * DAY)
    assert [one.session_id for one in erase(app, clock)] == [person]
    events = [row["event"] for row in trail(app)]
    assert "session.held" in events and "session.released" not in events


def test_a_hold_that_is_ended_lets_go_at_once(app, ada, clock, key, person):
    address = f"/api/v1/sessions/{person}/hold"
    ada.call("PUT", address, {"until": times.written(int(clock.now) + 40 * 86400), "reason": "court"})
    clock.passes(hours=31 * DAY)
    ada.signs_in()
    assert not erase(app, clock)
    assert ada.call("DELETE", address).status_code == 204 == ada.call("DELETE", address).status_code
    assert erase(app, clock)
    gone = ada.call("PUT", address, {"until": times.written(int(clock.now) + 86400), "reason": "court"})
    assert (gone.status_code, gone.json["code"]) == (410, "erased")
    assert [row["event"] for row in trail(app)].count("session.released") == 1


# ── The terminal ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_receipt_is_verified_and_a_changed_one_is_not(app, clock, key, person, tmp_path):
    result = run(app, "erase", "--session", person, "--reason", "letter of 3 May", "--yes")
    receipt = json.loads(result.stdout)
    assert receipt["status"] == "erased" and receipt["cause"] == "operator" and result.exit_code == 0
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(receipt, indent=2))
    verified = run(app, "erase", "--verify", str(file))
    assert verified.exit_code == 0 and "signed by this service and unchanged" in verified.stdout
    for name, value in (("erased_at", "2020-01-01T00:00:00Z"), ("session_id", "vs_" + "0" * 32), ("more", 1),
                        ("signature", "AAAA"), ("key", "rk_0")):  # fmt: skip
        file.write_text(json.dumps(receipt | {name: value}))
        refused = run(app, "erase", "--verify", str(file))
        assert refused.exit_code == 1 and "not signed by this service" in refused.output
    for text in ("", "[]", "7", "{", "\xff", "null"):
        file.write_bytes(text.encode("latin-1"))
        assert run(app, "erase", "--verify", str(file)).exit_code == 1


def test_a_receipt_is_not_true_any_more_when_something_came_back(app, clock, key, person, tmp_path):
    with app.app_context():
        before = db.one(dict, "SELECT * FROM documents")
    file = tmp_path / "receipt.json"
    file.write_text(run(app, "erase", "--session", person, "--yes").stdout)
    with app.app_context():
        db.run("INSERT INTO documents VALUES (:account_id, :verification_id, :sealed_text, :read_at)", **before)
        db.run("DELETE FROM erasures")  # as in a backup of before
    again = run(app, "erase", "--verify", str(file))
    assert again.exit_code == 1 and "there is again: documents" in again.output


def test_a_person_is_erased_by_their_id_with_templates_that_are_of_no_session(app, clock, key, person):
    second = create(app, key, "customer-1").json["session_id"]
    photographed(app, second)
    body = {"embedding": template(3), "model": "m", "external_user_id": "customer-1"}
    assert call(app, key, "POST", "/api/v1/fingerprints", body).status_code == 201
    other = create(app, key, "customer-2").json["session_id"]
    photographed(app, other)
    result = run(app, "erase", "--external-user-id", "customer-1", "--yes")
    receipts = [json.loads(line) for line in result.stdout.splitlines()]
    assert {one["session_id"] for one in receipts} == {person, second, None}
    assert {one["status"] for one in receipts} == {"erased"} and result.exit_code == 0
    with app.app_context():
        assert db.many(dict, "SELECT id FROM fingerprints") == []
    assert len(get(app, key, f"/api/v1/sessions/{other}/photos").json["data"]) == 3
    again = run(app, "erase", "--external-user", "customer-1", "--yes")
    assert again.exit_code == 1 and "Nothing is kept" in again.output
    assert "Nobody goes by this id" in run(app, "erase", "--external-user-id", "nobody", "--yes").output


def test_of_a_receipt_of_fingerprints_nobody_says_that_they_did_not_come_back(app, key, tmp_path):
    """It does not say whose they were."""
    body = {"embedding": template(5), "model": "m", "external_user_id": "customer-2"}
    assert call(app, key, "POST", "/api/v1/fingerprints", body).status_code == 201
    file = tmp_path / "receipt.json"
    file.write_text(run(app, "erase", "--external-user-id", "customer-2", "--yes").stdout)
    assert call(app, key, "POST", "/api/v1/fingerprints", body).status_code == 201
    verified = run(app, "erase", "--verify", str(file))
    assert verified.exit_code == 0 and "it cannot say" in verified.stdout and "nothing of it" not in verified.stdout


@pytest.mark.long
def test_of_two_accounts_that_know_the_same_id_one_has_to_be_chosen(app, ada, clock, key, person):
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up(), eve.enrols(), eve.post("/setup/codes/dismiss")
    eve.call("POST", "/api/v1/sessions", {"external_user_id": "customer-1"})
    asked = run(app, "erase", "--external-user-id", "customer-1", "--yes")
    assert asked.exit_code == 1 and "ada@example.org, eve@example.org" in asked.output and len(files(app)) == 3
    chosen = ("erase", "--external-user-id", "customer-1", "--account", "ada@example.org", "--yes")
    assert run(app, *chosen).exit_code == 0 and files(app) == []
    assert run(app, *chosen[:-2], "who@example.org", "--yes").exit_code == 1


@pytest.mark.long
def test_the_terminal_says_what_is_in_the_way(app, clock, key, person, tmp_path):
    copy = Path(app.instance_path) / "facevault.db.step-3"
    subprocess.run(["cp", Path(app.instance_path) / "facevault.db", copy], check=True)
    with app.app_context():
        db.empty_log()
    subprocess.run(["cp", Path(app.instance_path) / "facevault.db", copy], check=True)
    said = run(app, "erase", "--session", person, "--yes")
    assert json.loads(said.stdout)["because"] == "copy" and "0 erasures done" in said.output
    assert "A copy of the database made before an upgrade" in said.output and said.exit_code == 0
    clock.passes(hours=2)
    assert "erasures wait" in run(app, "doctor").output
    copy.unlink()
    assert confirm(app, clock) == 1


def test_nothing_goes_without_a_question_or_with_two_wishes(app, key, person):
    assert run(app, "erase", "--session", person, input="n\n").exit_code == 1 and len(files(app)) == 3
    assert run(app, "erase").exit_code == 2 == run(app, "erase", "--session", "a", "--external-user-id", "b").exit_code
    assert run(app, "erase", "--session", person, "--reason", " ", "--yes").exit_code == 2
    assert "no session of this id" in run(app, "erase", "--session", "vs_0", "--yes").output and len(files(app)) == 3


def test_a_dry_run_says_what_would_go_and_changes_nothing(app, clock, key, person):
    clock.passes(hours=30 * DAY)
    said = run(app, "retention", "run", "--dry-run")
    assert person in said.stdout and "ada@example.org" in said.stdout and "1 session would be erased" in said.output
    assert len(files(app)) == 3
    done = run(app, "retention", "run")
    assert json.loads(done.stdout)["session_id"] == person and files(app) == []
    assert run(app, "retention", "run").stdout == ""
