"""Background work on sessions: none is stuck, none ends twice, whoever dies in between."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from fv import db
from fv.analysis.report import Failed, Interrupted, Report
from fv.db import sqlite
from fv.evidence import flows as evidence
from fv.metrics import flows as metrics
from fv.verifications import due, flows, store
from tests.analysts import DOES, written
from tests.crashes import killed_before
from tests.live import DEADLINE, Server
from tests.photos import KINDS, photographed, picture, unexamined
from tests.reports import report
from tests.test_notices import worker_of
from tests.test_serving import at_once, enrolled
from tests.test_sessions import bearer, create


@pytest.fixture
def submitted(app, ada):
    """The id of a session that waits for its analysis."""

    def submits(mode="live", user="customer-1"):
        secret = ada.call("POST", "/api/v1/keys", {"name": "x", "mode": mode}).json["secret"]
        id = create(app, bearer(secret), user).json["session_id"]
        with app.app_context():
            db.run("UPDATE verifications SET status = 'analyzing', submitted_at = 1 WHERE id = :id", id=id)
        return id

    return submits


def state(app, id):
    with app.app_context():
        row = db.one(dict, "SELECT * FROM verifications WHERE id = :id", id=id)
        return row, [one.event for one in store.timeline(id)]


def analyse(app, clock):
    with app.app_context():
        return due.analyse_next(int(clock.now), unexamined)


def test_without_an_analyser_a_person_decides(app, clock, submitted):
    id = submitted()
    assert analyse(app, clock) and not analyse(app, clock)
    row, events = state(app, id)
    assert (row["status"], row["trust_decision"], row["trust_score"], row["lease"]) == ("review", "review", None, None)
    assert row["findings"].count('"unavailable"') == 5 and events == ["review", "pending"]


@pytest.mark.parametrize(
    ("user", "status"),
    [("test_pass", "passed"), ("test_review", "review"), ("test_fail", "failed"), ("test_duplicate", "review"),
     ("x", "review")],
)  # fmt: skip
def test_in_test_mode_the_user_id_says_how_it_ends(app, clock, submitted, user, status):
    id = submitted("test", user)
    analyse(app, clock)
    assert state(app, id)[0]["status"] == status


def test_the_names_of_test_mode_mean_nothing_to_live_sessions(app, clock, submitted):
    id = submitted("live", "test_pass")
    analyse(app, clock)
    assert state(app, id)[0]["status"] == "review"


# ── What is examined ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def taken(app, submitted):
    """As submitted(), with its three photos."""

    def takes(mode="live", user="customer-1"):
        id = submitted(mode, user)
        with app.app_context():
            db.run("UPDATE verifications SET status = 'pending' WHERE id = :id", id=id)
            photographed(app, id, None)
            db.run("UPDATE verifications SET status = 'analyzing', submitted_at = 1 WHERE id = :id", id=id)
        return id

    return takes


def photos_of(app, id):
    with app.app_context():
        account_id = db.one(dict, "SELECT account_id FROM verifications WHERE id = :id", id=id)["account_id"]
        return {photo.kind: photo for photo in evidence.of_verification(account_id, id)}


def test_the_three_photos_and_the_challenge_they_answer_are_examined_outside_of_any_lock(app, clock, taken):
    id, cases = taken(), []
    with app.app_context():
        db.run("UPDATE verifications SET challenge = 'up', answered = 'right' WHERE id = :id", id=id)

    def examine(case):
        cases.append(case)
        with closing(sqlite.connect(db.path_of(app))) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        return Report()

    with app.app_context():
        assert due.analyse_next(int(clock.now), examine)
        (case,) = cases
        assert case.challenge == "right" and case.photos.keys() == set(KINDS)
        assert all(evidence.open(photo) == case.photos[kind] for kind, photo in photos_of(app, id).items())


def test_sessions_in_test_mode_with_the_magic_names_are_not_examined(app, clock, taken):
    taken("test", "test_pass")
    with app.app_context():
        assert due.analyse_next(int(clock.now), None)


@pytest.mark.parametrize("what", ["gone", "swapped"])
def test_a_photo_that_cannot_be_opened_leaves_its_session_to_a_person(app, clock, taken, what):
    id = taken()
    files = [Path(app.config["BLOBS"]) / photo.blob_key for photo in photos_of(app, id).values()]
    files[0].unlink() if what == "gone" else files[0].write_bytes(files[1].read_bytes())
    with app.app_context():
        assert due.analyse_next(int(clock.now), None)
    row, events = state(app, id)
    assert row["status"] == "review" and events[0] == "review"
    assert row["findings"].count("A photo of this session cannot be opened.") == 5


@pytest.mark.parametrize("reason", ["crashed", "too_slow", "malformed", "unavailable"])
def test_an_examination_that_failed_leaves_its_session_to_a_person(app, clock, taken, reason):
    id = taken()

    def examine(_case):
        raise Failed(reason)

    with app.app_context():
        assert due.analyse_next(int(clock.now), examine)
    row, _ = state(app, id)
    assert (row["status"], row["trust_score"], row["face_match_passed"]) == ("review", None, None)
    assert row["findings"].count("The analysis of these photos failed.") == 5


def test_what_nobody_foresaw_leaves_its_session_to_a_person_and_no_text_in_the_log(app, clock, taken, caplog):
    id = taken()

    def examine(_case):
        raise OverflowError("ANNA ERIKSSON")

    with app.app_context():
        assert due.analyse_next(int(clock.now), examine)
    row, events = state(app, id)
    assert (row["status"], row["lease"], events[0]) == ("review", None, "review")
    assert row["findings"].count("The analysis of these photos failed.") == 5
    assert f"session {id} cannot be judged: OverflowError" in caplog.text and "ERIKSSON" not in caplog.text


def test_where_the_secret_of_the_templates_does_not_open_a_person_decides(app, clock, taken):
    for number in range(2):
        id = taken(user=f"customer-{number}")
        with app.app_context():
            assert due.analyse_next(int(clock.now), lambda _case: report())
            db.run("UPDATE rotations SET sealed_seed = 'another'")
    assert state(app, id)[0]["status"] == "review"


def test_a_database_that_is_away_is_waited_for(app, clock, taken):
    id = taken()

    def examine(_case):
        raise db.Unavailable("disk full")

    with app.app_context():
        with pytest.raises(db.Unavailable):
            due.analyse_next(int(clock.now), examine)
        assert not due.analyse_next(int(clock.now), unexamined)
        clock.passes(seconds=due.LEASE)
        assert due.analyse_next(int(clock.now), unexamined)
    assert state(app, id)[1][0] == "review"


def test_an_examination_that_was_interrupted_is_begun_anew_at_once(app, clock, taken):
    id = taken()

    def examine(_case):
        raise Interrupted

    with app.app_context():
        assert not due.analyse_next(int(clock.now), examine)
    row, events = state(app, id)
    assert (row["status"], row["lease"], "review" in events) == ("analyzing", None, False)
    assert analyse(app, clock) and state(app, id)[0]["status"] == "review"


WORKER = """
import sys
from functools import partial
from pathlib import Path
from fv import create_app
from fv.jobs import worker
app = create_app(INSTANCE=sys.argv[1], HASH_MEMORY_KIB=8, HASH_PASSES=1)
worker.Analyst = partial(worker.Analyst, program=Path(sys.argv[2]), patience=float(sys.argv[3]))
worker.run(app, 0)
"""


@contextmanager
def working(app, program, patience):
    """The background process, with this program where photos are examined."""
    words = [sys.executable, "-c", WORKER, app.instance_path, str(program), str(patience)]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(holds):
    end = time.monotonic() + DEADLINE
    while not (found := holds()):
        assert time.monotonic() < end
    return found


@pytest.mark.long
def test_a_stop_does_not_wait_for_an_examination_and_the_next_start_does_it_anew(app, clock, taken, tmp_path):
    id, ready = taken(), tmp_path / "ready"
    os.mkfifo(ready)
    endless = DOES.replace(
        "    exec(seen.", f"    open({str(ready)!r}, 'w').close()\n    while True: pass\n    exec(seen."
    )
    with working(app, written(tmp_path, endless), 600) as worker:
        children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
        child = int(until(lambda: state(app, id)[0]["lease"] and children.read_text()))
        worker.terminate()
        assert worker.wait(DEADLINE) == 0
        assert not Path(f"/proc/{child}").exists()
    assert (state(app, id)[0]["status"], state(app, id)[0]["lease"]) == ("analyzing", None)
    nothing = DOES.replace("exec(seen.", "(seen.")
    with working(app, written(tmp_path, nothing), 600) as worker:
        until(lambda: state(app, id)[0]["status"] == "review")
        worker.terminate()
        assert worker.wait(DEADLINE) == 0
    with app.app_context():
        assert metrics.grown()["jobs", "all"] == 1


@pytest.mark.long
def test_photos_that_hang_and_crash_it_do_not_hold_up_the_others(app, clock, taken, tmp_path):
    """The photos of the first end it, those of the second never end, those of the third are fine."""
    ids = [taken() for _ in range(3)]
    with app.app_context():
        for number, id in enumerate(ids):
            db.run("UPDATE verifications SET submitted_at = :n, answered = :turn WHERE id = :id",
                   n=number, turn=("left", "right", "up")[number], id=id)  # fmt: skip
    does = DOES.replace("exec(seen.", "turn = seen.case.challenge\n    turn == 'left' and ctypes.string_at(0)\n"
                        "    while turn == 'right': pass\n    (seen.")  # fmt: skip
    with working(app, written(tmp_path, does), 2) as worker:
        until(lambda: state(app, ids[2])[0]["status"] == "review")
        assert [state(app, id)[0]["findings"].count("The analysis of these") for id in ids] == [5, 5, 0]
        worker.terminate()
        assert worker.wait(DEADLINE) == 0
    with app.app_context():
        grown = metrics.grown()
        assert (grown["process", "crashed"], grown["process", "too_slow"], grown["jobs", "all"]) == (2, 2, 3)
        assert grown["milliseconds", "all"] >= 4000 and grown["failures", "all"] == 2


@pytest.mark.long
def test_a_start_that_fails_leaves_every_session_to_a_person(app, clock, taken, tmp_path):
    ids = [taken() for _ in range(3)]
    with working(app, written(tmp_path, "raise SystemExit"), 60) as worker:
        until(lambda: {state(app, id)[0]["status"] for id in ids} == {"review"})
        worker.terminate()
        assert worker.wait(DEADLINE) == 0
    with app.app_context():
        assert metrics.grown()["process", "unavailable"] == 3


# ── Leases ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_one_that_waits_longest_comes_first(app, clock, submitted):
    first, second = submitted(), submitted()
    with app.app_context():
        db.run("UPDATE verifications SET submitted_at = 2 WHERE id = :id", id=first)
    analyse(app, clock)
    assert (state(app, first)[0]["status"], state(app, second)[0]["status"]) == ("analyzing", "review")


def test_a_lease_that_ran_out_goes_to_the_next_and_the_late_one_decides_nothing(app, clock, submitted):
    id = submitted()
    with app.app_context():
        assert store.take_due("slow", int(clock.now) + 120, int(clock.now)).id == id
        assert store.take_due("other", int(clock.now) + 120, int(clock.now)) is None
        clock.passes(seconds=120)
        assert store.take_due("next", int(clock.now) + 120, int(clock.now)).id == id
        assert not store.finish(id, "slow", "[]", 99, "accept", True)
        assert store.finish(id, "next", "[]", None, "review", None)


def test_a_worker_that_begins_does_not_wait_for_the_lease_of_a_dead_one(app, clock, submitted):
    id = submitted()
    with app.app_context():
        store.take_due("dead", int(clock.now) + 120, int(clock.now))
        assert not due.analyse_next(int(clock.now), unexamined)
        due.take_over()
    assert analyse(app, clock) and state(app, id)[1] == ["review", "pending"]


def test_of_eight_workers_at_once_one_ends_a_session(app, clock, submitted):
    ids = [submitted() for _ in range(5)]
    at_once(8, lambda _: [analyse(app, clock) for _ in range(5)])
    assert [state(app, id)[1] for id in ids] == [["review", "pending"]] * 5


@pytest.mark.long
def test_kill_9_at_any_statement_leaves_a_session_that_the_next_worker_ends_once(app, clock, submitted):
    n, killed = 0, True
    doing = f"from fv.verifications import due; due.analyse_next({int(clock.now)}, None)"
    while killed:
        n += 1
        id = submitted("test", "test_pass")
        killed = killed_before(n, app, doing)
        clock.passes(seconds=due.LEASE)
        while analyse(app, clock):
            pass
        row, events = state(app, id)
        assert (row["status"], events) == ("passed", ["passed", "pending"])
    assert n > 5


@pytest.mark.long
def test_kill_9_of_any_process_leaves_no_session_stuck_and_ends_none_twice(serve):
    """Three times over: of the worker, of a web process, of the whole service, while sessions are submitted."""
    server = serve()
    ada = server.client()
    enrolled(ada)
    key = ada.post("/api/v1/keys", json={"name": "x", "mode": "test"}).json()["secret"]
    program = server.client(headers=bearer(key))
    made = [program.post("/api/v1/sessions", json={"external_user_id": "test_pass"}).json() for _ in range(9)]
    people = [server.client(headers=bearer(one["session_token"])) for one in made]
    for person, one in zip(people, made, strict=True):
        photographs(person, one["challenge_nonce"])

    def submits(number):
        """As a phone does: until it is answered."""
        for person in people[number * 3 : number * 3 + 3]:
            while True:
                with suppress(httpx.TransportError):
                    if person.post("/api/v1/capture/submit").status_code in (200, 409):
                        break

    for number, kills in enumerate((kill_worker, kill_web, Server.kill)):
        person = threading.Thread(target=submits, args=(number,))
        person.start()
        kills(server)
        if kills is Server.kill:
            server.start()
        person.join()
    waiting = [one["session_id"] for one in made]
    until = time.monotonic() + DEADLINE
    while waiting:
        assert time.monotonic() < until, waiting
        answers = {id: program.get(f"/api/v1/sessions/{id}").json()["status"] for id in waiting}
        assert set(answers.values()) <= {"analyzing", "passed"}
        waiting = [id for id, status in answers.items() if status == "analyzing"]
    assert server.stop() == 0
    with closing(sqlite.connect(server.instance / "facevault.db")) as database:
        events = [tuple(row) for row in database.execute("SELECT event, count(*) FROM verification_events GROUP BY 1")]
    assert dict(events) == dict.fromkeys(
        ("pending", "in_progress", "photo:id_photo", "photo:selfie", "photo:liveness_frame", "analyzing", "passed"), 9
    )


def photographs(person, nonce):
    assert person.post("/api/v1/capture/consent").status_code == 200
    for kind in flows.STEPS:
        form = {"nonce": nonce} if kind == "liveness_frame" else {}
        taken = person.post(f"/api/v1/capture/photos/{kind}", data=form, files={"photo": ("a.jpg", picture())})
        assert taken.status_code == 201, taken.text


def kill_worker(server):
    os.kill(worker_of(server), signal.SIGKILL)


def kill_web(server):
    """One of two; the first process, which they were forked from, starts another."""
    first = server.process.pid
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    web = [pid for pid in children if b"multiprocessing" not in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(int(web[0]), signal.SIGKILL)
