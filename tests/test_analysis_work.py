"""Background work on sessions: none is stuck, none ends twice, whoever dies in between."""

import subprocess
import sys

import pytest

from fv import db
from fv.verifications import flows, store
from tests.test_serving import at_once
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
        row = db.one(
            dict, "SELECT status, trust_decision, trust_score, findings, lease FROM verifications WHERE id = :id", id=id
        )
        return row, [one.event for one in store.timeline(id)]


def analyse(app, clock):
    with app.app_context():
        return flows.analyse_next(int(clock.now))


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


def test_of_eight_workers_at_once_one_ends_a_session(app, clock, submitted):
    ids = [submitted() for _ in range(5)]
    at_once(8, lambda _: [analyse(app, clock) for _ in range(5)])
    assert [state(app, id)[1] for id in ids] == [["review", "pending"]] * 5


@pytest.mark.long
def test_kill_9_at_any_statement_leaves_a_session_that_the_next_worker_ends_once(app, clock, submitted):
    program = (
        "import os, signal, sys; from fv import create_app, db; from fv.verifications import flows\n"
        "app, n = create_app(INSTANCE=sys.argv[1], HASH_MEMORY_KIB=8, HASH_PASSES=1), int(sys.argv[2])\n"
        "execute = db._execute\n"
        "def counts(*words):\n"
        "    global n\n"
        "    n -= 1\n"
        "    os.kill(os.getpid(), signal.SIGKILL) if n == 0 else None\n"
        "    return execute(*words)\n"
        "db._execute = counts\n"
        "with app.app_context(): flows.analyse_next(int(sys.argv[3]))\n"
    )
    n, ended = 0, -9
    while ended == -9:
        n += 1
        id = submitted("test", "test_pass")
        words = [sys.executable, "-c", program, app.instance_path, str(n), str(int(clock.now))]
        ended = subprocess.run(words, check=False).returncode
        clock.passes(seconds=120)
        while analyse(app, clock):
            pass
        row, events = state(app, id)
        assert (row["status"], events) == ("passed", ["passed", "pending"])
    assert n > 5
