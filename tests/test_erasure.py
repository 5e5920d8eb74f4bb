"""When the term of a session is over, what showed the person goes, and the decision stays."""

from pathlib import Path

import pytest

from fv import db
from fv.evidence import flows as evidence
from fv.verifications import due, flows
from tests.crashes import killed_before
from tests.photos import KINDS, examined, photographed
from tests.reports import report
from tests.test_audit import trail
from tests.test_sessions import bearer, create, get

DAY = 24  # hours


@pytest.fixture
def key(ada):
    scopes = ["sessions:create", "sessions:read", "photos:read", "documents:read"]
    return bearer(ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": scopes}).json["secret"])


def erase(app, clock):
    with app.app_context():
        return due.erase_next(int(clock.now))


def files(app):
    return files_in(app.config["BLOBS"])


def files_in(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


def test_after_its_term_a_session_has_its_decision_and_no_photo(app, ada, clock, key):
    id = create(app, key).json["session_id"]
    photographed(app, id)
    before = get(app, key, f"/api/v1/sessions/{id}").json
    assert before["data_state"] == "retained" and before["erase_after"] > before["created_at"]
    clock.passes(hours=30 * DAY, seconds=-1)
    assert not erase(app, clock) and len(files(app)) == 3
    clock.passes(seconds=1)
    ada.signs_in()
    assert erase(app, clock) and not erase(app, clock) and files(app) == []
    after = get(app, key, f"/api/v1/sessions/{id}").json
    changed = {"data_state": "erased", "steps": dict.fromkeys(KINDS, False)}
    assert after == before | changed and after["status"] == "review"
    for path in (f"/api/v1/sessions/{id}/photos", f"/api/v1/sessions/{id}/photos/selfie"):
        assert get(app, key, path).json["code"] == "erased"
    assert get(app, key, f"/api/v1/sessions/{id}/document").json["code"] == "erased"
    (row,) = [row for row in trail(app) if row["event"] == "session.erased"]
    assert row["actor"] == "service" and id in row["facts"]
    assert "Photos erased" in ada.get(f"/sessions/{id}").text


def test_after_an_erasure_no_file_holds_what_was_deleted(app, clock, key):
    id = create(app, key).json["session_id"]
    photographed(app, id, None)
    examined(app, id, report())
    with app.app_context():
        vector = db.one(dict, "SELECT vector FROM fingerprints")["vector"]
        read = db.one(dict, "SELECT sealed_text FROM documents")["sealed_text"].encode()
        photo_keys = [one["sealed_key"].encode() for one in db.many(dict, "SELECT sealed_key FROM photos")]
    pieces = [vector[:32], vector[-32:], read[20:80], read[-60:], *(one[20:80] for one in photo_keys)]

    def held():
        return [any(piece in path.read_bytes() for path in files_in(app.instance_path)) for piece in pieces]

    assert all(held())
    clock.passes(hours=30 * DAY)
    assert erase(app, clock) and not any(held())


def test_what_an_analysis_kept_while_its_session_was_being_erased_goes_too(app, clock, key, monkeypatch):
    id = create(app, key).json["session_id"]
    photographed(app, id, None)
    with app.app_context():
        db.run("UPDATE verifications SET status = 'analyzing', submitted_at = 1")
    erases = evidence.erase

    def and_then_an_analysis_ends(*of):
        number = erases(*of)
        assert due.analyse_next(int(clock.now), lambda _case: report())
        assert db.many(dict, "SELECT read_at FROM documents")
        return number

    monkeypatch.setattr(evidence, "erase", and_then_an_analysis_ends)
    clock.passes(hours=30 * DAY)
    assert erase(app, clock)
    with app.app_context():
        assert [] == db.many(dict, "SELECT read_at FROM documents") == db.many(dict, "SELECT id FROM fingerprints")


def test_a_session_is_not_erased_while_a_photo_of_it_may_be_on_its_way(make_app, clock):
    app = make_app(RETENTION=60, SESSION_WINDOW=60)
    with app.app_context():
        db.run("INSERT INTO accounts (id, email, password_hash, created_at) VALUES ('acc_1', 'a@b.c', 'x', 0)")
        flows.create("acc_1", flows.Asked("customer-1", False, "live"), None, int(clock.now))
    clock.passes(seconds=60 + due.UPLOAD - 1)
    assert not erase(app, clock)
    clock.passes(seconds=1)
    assert erase(app, clock)


def test_what_was_not_read_from_a_document_is_not_there(app, ada, key):
    id = create(app, key).json["session_id"]
    assert get(app, key, f"/api/v1/sessions/{id}/document").json["code"] == "document_not_read"
    assert get(app, key, f"/api/v1/sessions/vs_{'0' * 32}/document").json["code"] == "not_found"
    other = bearer(ada.call("POST", "/api/v1/keys", {"name": "y"}).json["secret"])
    assert get(app, other, f"/api/v1/sessions/{id}/document").json["code"] == "insufficient_scope"


@pytest.mark.long
def test_kill_9_at_any_statement_of_an_erasure_leaves_it_to_the_next_worker(app, clock, key):
    n, killed = 0, True
    while killed:
        n += 1
        id = create(app, key).json["session_id"]
        photographed(app, id)
        clock.passes(hours=30 * DAY)
        killed = killed_before(n, app, f"from fv.verifications import due; due.erase_next({int(clock.now)})")
        while erase(app, clock):
            pass
        assert files(app) == [] and get(app, key, f"/api/v1/sessions/{id}").json["data_state"] == "erased"
    assert n > 8
    events = [row["facts"] for row in trail(app) if row["event"] == "session.erased"]
    assert len(events) == len(set(events)) == n, "each is recorded once"
