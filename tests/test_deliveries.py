"""What a webhook is told: once a decision, signed, at least once whoever dies, and no longer than it is of use."""

import json
import re
import ssl
import threading
from itertools import pairwise
from pathlib import Path

import facevault
import pytest

from fv import db
from fv.spelling import reached
from fv.verifications import due
from fv.webhooks import delivering, flows, store
from fv.webhooks.delivering import AGAIN, Ways
from tests.conftest import Visitor, elsewhere
from tests.crashes import killed_before
from tests.photos import erase_due, photographed, unexamined
from tests.receivers import certified, receiving
from tests.reports import report
from tests.test_audit import names
from tests.test_sessions import bearer, create
from tests.test_usage import totals
from tests.test_webhooks import NAMES, make, resolver

ROOT = Path(__file__).parent.parent
ALLOWED = reached("127.0.0.1")
FIELDS = [
    "event", "signed_at", "session_id", "status", "external_user_id", "face_match_passed", "face_match_score",
    "anti_spoofing_passed", "anti_spoofing_score", "trust_score", "trust_decision", "completed_at",
]  # fmt: skip


@pytest.fixture
def app(make_app):
    return make_app(RESOLVER=resolver, WEBHOOK_ALLOW=ALLOWED)


@pytest.fixture
def receiver():
    with receiving() as one:
        yield one


@pytest.fixture
def ends(app, ada):
    """A session of this external_user_id is analysed and ends; its id. In test mode, where the name says how."""
    keys = {}

    def ends(user="test_pass", mode="test", said=None):
        if mode not in keys:
            keys[mode] = bearer(ada.call("POST", "/api/v1/keys", {"name": "x", "mode": mode}).json["secret"])
        id = create(app, keys[mode], user).json["session_id"]
        if said:
            photographed(app, id, None)
        with app.app_context():
            db.run("UPDATE verifications SET status = 'analyzing', submitted_at = 1 WHERE id = :id", id=id)
            examine = (lambda _case: said) if said else unexamined
            assert due.analyse_next(int(ada.clock.now), examine)
        return id

    return ends


def ways(limit=30.0, trust=None):
    return Ways(resolver, trust or ssl.create_default_context(), ALLOWED, limit)


def deliver(app, clock, **how):
    """Make every try that is due; how many there were."""
    number, by = 0, ways(**how)
    with app.app_context():
        while any(delivering.deliver_next(int(clock.now), by, quick) for quick in (True, False)):
            number += 1
    return number


def listed(ada, webhook):
    return ada.call("GET", f"/api/v1/webhooks/{webhook['id']}/deliveries").json["data"]


def rows(app):
    with app.app_context():
        return db.many(dict, "SELECT * FROM deliveries ORDER BY created_at, id")


# ── What is told ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("user", ["customer-17", "Zoë Ångström 🦊", "Łódź", "\"quoted\\' </script>", "客户"])
def test_the_published_client_verifies_and_reads_what_arrives(app, ada, clock, receiver, ends, user):
    webhook = make(ada, receiver.url, mode="live")
    id = ends(user, "live", report())
    assert deliver(app, clock) == 1
    (one,) = receiver.received
    signature = one.headers["X-FaceVault-Signature"]
    assert facevault.verify_signature(one.body, signature, webhook["secret"])
    assert facevault.verify_signature(one.body.decode(), signature, webhook["secret"])
    assert not facevault.verify_signature(one.body + b" ", signature, webhook["secret"])
    event = facevault.parse_event(one.body)
    assert (event.event, event.session_id, event.external_user_id) == ("verification.completed", id, user)
    assert (event.status, event.trust_decision, event.face_match_passed) == ("review", "review", True)
    assert event.face_match_score == 0.95 and event.trust_score > 0 and event.completed_at
    assert (event.anti_spoofing_passed, event.anti_spoofing_score) == (None, None)
    said = json.loads(one.body)
    assert list(said) == FIELDS and len(signature) == 64 and one.headers["Content-Type"] == "application/json"
    assert one.headers["X-FaceVault-Timestamp"] == str(int(clock.now)) and said["signed_at"].endswith("Z")
    assert b"ERIKSSON" not in one.body and b"L898902C" not in one.body and b"1974" not in one.body


def test_the_example_of_the_documentation_accepts_it_and_refuses_what_is_old_or_forged(app, ada, clock, receiver, ends):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.S)
    example = {}
    exec(next(block for block in blocks if "def verified" in block), example)
    webhook = make(ada, receiver.url, mode="test")
    ends()
    deliver(app, clock)
    (one,) = receiver.received
    verified, now = example["verified"], clock.now
    assert verified(one.body, one.headers, webhook["secret"], now)["status"] == "passed"
    assert verified(one.body, one.headers, webhook["secret"], now + 301) is None
    assert verified(one.body, one.headers, webhook["secret"] + "x", now) is None
    assert verified(one.body.replace(b"passed", b"failed"), one.headers, webhook["secret"], now) is None
    assert verified(one.body, {}, webhook["secret"], now) is None


def test_each_decision_of_a_session_is_told_once_with_what_it_was_then(app, ada, clock, receiver, ends):
    webhook = make(ada, receiver.url, mode="test")
    id = ends("test_review")
    for decision in ("passed", "failed"):
        clock.passes(seconds=1)
        answer = ada.call("POST", f"/api/v1/sessions/{id}/decision", {"decision": decision, "reason": "Looked."})
        assert answer.status_code == 200
        again = ada.call("POST", f"/api/v1/sessions/{id}/decision", {"decision": decision, "reason": "Looked."})
        assert again.status_code == 409
    assert len(rows(app)) == 3 == deliver(app, clock)
    assert [json.loads(one.body)["status"] for one in receiver.received] == ["review", "passed", "failed"]
    assert [one["session_status"] for one in listed(ada, webhook)] == ["failed", "passed", "review"]
    assert len(set(receiver.ids)) == 3


def test_only_webhooks_of_its_account_and_mode_that_are_switched_on_are_told(app, ada, clock, receiver, ends):
    told = make(ada, receiver.url, mode="test")
    make(ada, receiver.url, mode="live")
    off = make(ada, receiver.url, mode="test")
    ada.call("PATCH", f"/api/v1/webhooks/{off['id']}", {"active": False})
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    make(eve, receiver.url, mode="test")
    ends()
    assert [row["webhook_id"] for row in rows(app)] == [told["id"]] and deliver(app, clock) == 1


def test_it_is_written_with_the_decision_and_taken_back_with_it(app, ada, ends):
    make(ada, "https://1.1.1.1/", mode="test")
    id = ends("test_review")
    with app.app_context():
        account_id = db.one(dict, "SELECT account_id FROM verifications")["account_id"]
        for _ in range(2):
            with db.transaction():
                flows.announce(account_id, "test", id, {"status": "review"}, 1)
                flows.announce(account_id, "test", id, {"status": "failed"}, 1)
                raise db.Undo
        with pytest.raises(LookupError):
            flows.announce(account_id, "test", id, {"status": "failed"}, 1)
    assert [row["session_status"] for row in rows(app)] == ["review"]


def test_a_test_is_told_once_and_looks_like_an_event_of_nobody(app, ada, clock, receiver):
    webhook = make(ada, receiver.url)
    receiver.status = 500
    ada.call("POST", f"/api/v1/webhooks/{webhook['id']}/test")
    assert deliver(app, clock) == 1
    (one,), (log,) = receiver.received, listed(ada, webhook)
    assert (log["status"], log["tries"], log["response_code"], log["failure"]) == ("failed", 1, 500, "refused")
    event = facevault.parse_event(one.body)
    assert (event.event, event.session_id) == ("webhook.test", f"vs_{'0' * 32}")
    assert list(json.loads(one.body)) == FIELDS
    assert facevault.verify_signature(one.body, one.headers["X-FaceVault-Signature"], webhook["secret"])
    clock.passes(hours=30)
    assert deliver(app, clock) == 0


# ── Tries ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_there_are_eight_tries_over_about_twenty_hours_with_one_event_id(app, ada, clock, receiver, ends):
    webhook = make(ada, receiver.url, mode="test")
    receiver.status, begun = 503, clock.now
    ends()
    moments = []
    while rows(app)[0]["next_try_at"] is not None:
        clock.now = float(rows(app)[0]["next_try_at"])
        moments.append(int(clock.now - begun))
        assert deliver(app, clock) == 1
    assert len(moments) == 8 and 19.5 * 3600 <= moments[-1] <= 20.5 * 3600
    assert [after - before for before, after in pairwise(moments)] == list(AGAIN)
    assert len(receiver.ids) == 8 and len(set(receiver.ids)) == 1
    stamps = [json.loads(one.body)["signed_at"] for one in receiver.received]
    assert len(set(stamps)) == 8, "each try says when it was made"
    ada.signs_in()
    (log,) = listed(ada, webhook)
    assert (log["status"], log["tries"], log["response_code"], log["next_try_at"]) == ("failed", 8, 503, None)
    assert log["duration_ms"] >= 0 and "Answered 503" in ada.get(f"/webhooks/{webhook['id']}").text


def test_one_that_was_given_up_is_sent_again_by_a_person_with_all_of_its_tries(app, ada, clock, receiver, ends):
    webhook = make(ada, receiver.url, mode="test")
    receiver.status = 500
    ends()
    with app.app_context():
        db.run("UPDATE deliveries SET tries = 7")
    deliver(app, clock)
    (log,) = listed(ada, webhook)
    assert log["status"] == "failed" and deliver(app, clock) == 0
    again = ada.call("POST", f"/api/v1/deliveries/{log['id']}/resend")
    assert (again.status_code, again.json["status"], again.json["tries"]) == (200, "pending", 0)
    deliver(app, clock)
    assert listed(ada, webhook)[0]["next_try_at"] is not None
    receiver.status = 200
    assert ada.post(f"/webhooks/{webhook['id']}/deliveries/{log['id']}/resend").status_code == 303
    deliver(app, clock)
    (log,) = listed(ada, webhook)
    assert (log["status"], log["response_code"], log["failure"], log["tries"]) == ("delivered", 200, None, 1)
    assert len(set(receiver.ids)) == 1 and len(receiver.ids) == 3
    assert "Answered 200 in" in ada.get(f"/webhooks/{webhook['id']}").text


def test_the_answer_is_kept_nowhere_but_for_its_status(app, ada, clock, receiver, ends):
    make(ada, receiver.url, mode="test")
    receiver.answer = b"HTTP/1.1 500 secret reason\r\nX-Secret: secret\r\n\r\nsecret"
    ends()
    deliver(app, clock)
    assert "secret" not in repr(rows(app)) and rows(app)[0]["code"] == 500


@pytest.mark.parametrize(("url", "failure"), [
    ("http://127.0.0.1:1/", "unreachable"), ("https://gone.example/", "unresolved"),
    ("http://127.0.0.2:1/", "not_allowed"),
    ("https://inside.example/", "not_allowed"), ("https://both.example/", "not_allowed"),
    ("https://[::1]/", "not_allowed"),
    ("https://169.254.169.254/", "not_allowed"), ("http://1.1.1.1/", "not_allowed"),
    ("https://2130706433/", "not_allowed"),
])  # fmt: skip
def test_where_it_leads_is_judged_again_at_each_sending(app, ada, clock, ends, url, failure):
    webhook = make(ada, "https://1.1.1.1/", mode="test")
    ends()
    with app.app_context():
        db.run("UPDATE webhooks SET url = :url", url=url)
    assert deliver(app, clock) == 1
    (log,) = listed(ada, webhook)
    assert (log["status"], log["failure"], log["response_code"]) == ("pending", failure, None)
    from fv.webhooks.pages import WORDS

    assert WORDS[failure] in ada.get(f"/webhooks/{webhook['id']}").text


def test_a_name_that_leads_inside_since_it_was_made_is_not_connected_to(app, ada, clock, receiver, ends):
    """Rebinding: the name is looked up once, and what was found is judged and connected to."""
    webhook = make(ada, f"https://rebound.example:{receiver.port}/", mode="test")
    ends()
    answers = [["127.0.0.2"], ["1.1.1.1"]]
    by = Ways(lambda _: answers.pop(0), ssl.create_default_context(), ALLOWED, 30.0)
    with app.app_context():
        assert delivering.deliver_next(int(clock.now), by, quick=False)
    assert listed(ada, webhook)[0]["failure"] == "not_allowed" and len(answers) == 1 and receiver.received == []


def test_a_redirect_is_a_failure_and_is_not_followed(app, ada, clock, receiver, ends):
    webhook = make(ada, receiver.url, mode="test")
    with receiving() as elsewhere:
        receiver.status, receiver.headers = 302, {"Location": elsewhere.url}
        ends()
        deliver(app, clock)
    log = listed(ada, webhook)[0]
    assert (log["failure"], log["response_code"], log["status"]) == ("redirected", 302, "pending")
    assert elsewhere.received == []


def test_a_delivery_over_tls_with_a_certificate_that_is_trusted(app, ada, clock, tmp_path, ends):
    server, trust = certified(tmp_path, ["127.0.0.1"], clock.now)
    with receiving(server) as receiver:
        webhook = make(ada, receiver.url, mode="test")
        ends()
        deliver(app, clock)
        assert listed(ada, webhook)[0]["failure"] == "tls"
        clock.passes(minutes=1)
        deliver(app, clock, trust=trust)
    assert listed(ada, webhook)[0]["status"] == "delivered"


def test_a_secret_that_does_not_open_signs_nothing(app, ada, clock, receiver, ends):
    webhook = make(ada, receiver.url, mode="test")
    ends()
    with app.app_context():
        db.run("UPDATE webhooks SET sealed_secret = '00000000.AAAA'")
    deliver(app, clock)
    assert listed(ada, webhook)[0]["failure"] == "unsigned" and receiver.received == []


def test_what_nobody_foresaw_is_a_try_too_and_leaves_no_text_in_the_log(app, ada, clock, ends, caplog, monkeypatch):
    webhook = make(ada, "https://1.1.1.1/", mode="test")
    ends()

    def breaks(*_):
        raise OverflowError("ANNA ERIKSSON")

    monkeypatch.setattr(delivering.sending, "post", breaks)
    deliver(app, clock)
    assert listed(ada, webhook)[0]["failure"] == "broken"
    assert "cannot be sent: OverflowError" in caplog.text and "ERIKSSON" not in caplog.text


# ── When it has no use any more ──────────────────────────────────────────────────────────────────────────────


def test_410_switches_it_off_at_once_and_what_waits_is_sent_when_it_is_switched_on(app, ada, clock, receiver, ends):
    webhook = make(ada, receiver.url, mode="test")
    receiver.status = 410
    ends(), ends()
    assert deliver(app, clock) == 1
    state = ada.call("GET", f"/api/v1/webhooks/{webhook['id']}").json
    assert (state["active"], state["disabled_reason"]) == (False, "gone") and "webhook.disabled" in names(app)
    assert {one["status"] for one in listed(ada, webhook)} == {"pending", "failed"}
    (given_up,) = [one for one in listed(ada, webhook) if one["status"] == "failed"]
    assert ada.call("POST", f"/api/v1/deliveries/{given_up['id']}/resend").json["code"] == "webhook_inactive"
    receiver.status = 200
    ada.call("PATCH", f"/api/v1/webhooks/{webhook['id']}", {"active": True})
    assert deliver(app, clock) == 1


def test_five_deliveries_in_a_row_that_are_given_up_switch_it_off_and_a_delivered_one_forgives(
    app, ada, clock, receiver, ends
):
    webhook = make(ada, receiver.url, mode="test")

    def gives_up(number):
        receiver.status = 500
        for _ in range(number):
            ends()
            with app.app_context():
                db.run("UPDATE deliveries SET tries = 7 WHERE next_try_at IS NOT NULL")
            deliver(app, clock)

    def is_active():
        return ada.call("GET", f"/api/v1/webhooks/{webhook['id']}").json["active"]

    gives_up(4)
    receiver.status = 200
    ends()
    assert deliver(app, clock) == 1 and is_active()
    gives_up(4)
    ada.call("POST", f"/api/v1/webhooks/{webhook['id']}/test")
    deliver(app, clock)
    assert is_active(), "tests do not count"
    gives_up(1)
    assert not is_active() and names(app).count("webhook.disabled") == 1
    ends()
    assert len(rows(app)) == 11 and "failed at every try" in ada.get("/webhooks").text, "nothing is told to it"


# ── Nobody waits for somebody else's receiver ────────────────────────────────────────────────────────────────


def test_one_that_hangs_is_tried_in_turn_and_in_another_line_than_those_that_answer(app, ada, clock, receiver, ends):
    with receiving() as hanging:
        hanging.status = None
        slow, good = (make(ada, one.url, mode="test") for one in (hanging, receiver))
        for _ in range(3):
            ends()
        clock.passes(seconds=1)

        def one_try(quick):
            with app.app_context():
                return delivering.deliver_next(int(clock.now), ways(limit=0.3), quick)

        assert one_try(quick=False) and one_try(quick=False), "both are new: each has one turn"
        assert (len(hanging.received), len(receiver.received)) == (1, 1)
        assert one_try(quick=True) and one_try(quick=True) and not one_try(quick=True)
        assert len(receiver.received) == 3, "it does not wait for the one that hangs"
        assert one_try(quick=False) and len(hanging.received) == 2
    assert {one["status"] for one in listed(ada, good)} == {"delivered"}
    assert {one["failure"] for one in listed(ada, slow)} == {None, "too_slow"}


@pytest.mark.long
def test_two_workers_make_a_try_once_and_one_at_a_time_to_each(app, ada, clock, receiver, ends):
    make(ada, receiver.url, mode="test")
    for _ in range(4):
        ends()
    barrier = threading.Barrier(4)

    def works():
        barrier.wait()
        for _ in range(8):
            with app.app_context():
                delivering.deliver_next(int(clock.now), ways(), quick=True)
                delivering.deliver_next(int(clock.now), ways(), quick=False)

    threads = [threading.Thread(target=works) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deliver(app, clock)
    assert len(receiver.ids) == 4 == len(set(receiver.ids))


def test_a_lease_that_went_to_somebody_else_writes_nothing(app, ada, clock, receiver, ends):
    make(ada, receiver.url, mode="test")
    ends()
    with app.app_context():
        now = int(clock.now)
        webhook, due_one = store.take_due("lease_1", now + 60, now, False)
        assert store.take_due("lease_2", now + 120, now + 59, False) is None
        assert store.take_due("lease_2", now + 120, now + 60, False) == (webhook, due_one)
        delivering._conclude(webhook, due_one, "lease_1", delivering.Outcome(200, None, 0.1), now)
        assert store.delivery(webhook.account_id, due_one.id) == due_one
        delivering.take_over()
        assert store.take_due("lease_3", now + 60, now, False) == (webhook, due_one)


# ── Counted, erased, killed ──────────────────────────────────────────────────────────────────────────────────


def test_what_a_receiver_took_is_counted_once_and_not_in_test_mode(app, ada, clock, receiver, ends):
    live, _ = make(ada, receiver.url), make(ada, receiver.url, mode="test")
    receiver.status = 500
    ends("customer-1", "live"), ends()
    deliver(app, clock)
    assert totals(ada)["webhook_deliveries"] == 0
    receiver.status = 200
    clock.passes(minutes=1)
    deliver(app, clock)
    ada.call("POST", f"/api/v1/webhooks/{live['id']}/test")
    deliver(app, clock)
    assert totals(ada)["webhook_deliveries"] == 1


def test_with_a_session_what_waits_is_erased_and_of_what_was_sent_only_that_stays(app, ada, clock, receiver, ends):
    webhook = make(ada, receiver.url, mode="test")
    ends("test_pass")
    deliver(app, clock)
    receiver.status = 500
    ends("test_fail")
    deliver(app, clock)
    assert [row["facts"] is None for row in rows(app)] == [False, False]
    clock.passes(hours=30 * 24)
    with app.app_context():
        while erase_due(int(clock.now)):
            pass
    assert deliver(app, clock) == 0
    ada.signs_in()
    (log,) = listed(ada, webhook)
    assert (log["status"], log["response_code"], log["session_status"]) == ("delivered", 200, "passed")
    assert rows(app)[0]["facts"] is None and "Erased" in ada.get(f"/webhooks/{webhook['id']}").text
    refused = ada.call("POST", f"/api/v1/deliveries/{log['id']}/resend")
    assert (refused.status_code, refused.json["code"]) == (410, "erased")


def test_one_that_is_erased_while_it_is_sent_is_not_tried_again(app, ada, clock, receiver, ends):
    webhook = make(ada, receiver.url, mode="test")
    id = ends()
    deliver(app, clock)
    (log,) = listed(ada, webhook)
    ada.call("POST", f"/api/v1/deliveries/{log['id']}/resend")
    receiver.status = None
    thread = threading.Thread(target=deliver, args=(app, clock), kwargs={"limit": 1.0})
    receiver.arrived.clear()
    thread.start()
    assert receiver.arrived.wait(30)
    with app.app_context(), db.transaction():
        flows.forget(id)
    receiver.released.set()
    thread.join()
    (row,) = rows(app)
    assert row["facts"] is None and row["next_try_at"] is None and deliver(app, clock) == 0


@pytest.mark.long
def test_kill_9_at_any_statement_of_a_verdict_leaves_one_delivery_or_none_and_then_one(app, ada, clock, ends):
    make(ada, "https://1.1.1.1/", mode="test")
    key = bearer(ada.call("POST", "/api/v1/keys", {"name": "x", "mode": "test"}).json["secret"])
    doing = f"from fv.verifications import due; due.analyse_next({int(clock.now)}, None)"
    n, killed, ids = 0, True, []
    while killed:
        n += 1
        ids.append(create(app, key, "test_pass").json["session_id"])
        with app.app_context():
            db.run("UPDATE verifications SET status = 'analyzing', submitted_at = 1 WHERE id = :id", id=ids[-1])
        killed = killed_before(n, app, doing)
        with app.app_context():
            decided = {row["id"] for row in db.many(dict, "SELECT id FROM verifications WHERE status = 'passed'")}
            assert {row["session_id"] for row in rows(app)} == decided, "neither without the other"
            due.take_over()
            while due.analyse_next(int(clock.now), unexamined):
                pass
    assert sorted(row["session_id"] for row in rows(app)) == sorted(ids) and n > 8


SENDS = """
import ssl
from fv.webhooks import delivering
while any(delivering.deliver_next({now}, delivering.usual_ways(), quick) for quick in (True, False)): pass
"""


@pytest.mark.long
def test_kill_9_at_any_statement_of_a_delivery_loses_none_and_doubles_no_row(
    app, ada, clock, receiver, ends, monkeypatch
):
    monkeypatch.setenv("FV_WEBHOOK_ALLOW", "127.0.0.1")
    webhook, n, killed = make(ada, receiver.url, mode="test"), 0, True
    while killed:
        n += 1
        ends()
        killed = killed_before(n, app, SENDS.format(now=int(clock.now)))
        with app.app_context():
            delivering.take_over()
        deliver(app, clock)
        assert {row["id"] for row in rows(app)} == set(receiver.ids) and len(rows(app)) == n
        assert all(row["delivered_at"] and row["tries"] == 1 for row in rows(app))
    assert n > 5 and len(receiver.ids) - n <= n, "at most once more, with the same id"
    assert {one["status"] for one in listed(ada, webhook)} == {"delivered"}


# ── What changes while a try is under way ────────────────────────────────────────────────────────────────────


def deliver_while(app, clock, meanwhile):
    """One try, to a name whose look-up is when this happens."""

    def looks_up(_name):
        elsewhere(meanwhile)
        return ["127.0.0.1"]

    by = Ways(looks_up, ssl.create_default_context(), ALLOWED, 30.0)
    with app.app_context():
        return any(delivering.deliver_next(int(clock.now), by, quick) for quick in (True, False))


@pytest.fixture
def named(ada, receiver, monkeypatch):
    """A webhook whose receiver has a name."""
    monkeypatch.setitem(NAMES, "hooks.test", ["127.0.0.1"])
    return make(ada, f"http://hooks.test:{receiver.port}/", mode="test")


def test_what_the_address_before_answered_does_not_switch_off_the_one_after(app, ada, clock, receiver, ends, named):
    ends()
    receiver.status = 410
    path = f"/api/v1/webhooks/{named['id']}"
    moves = lambda: ada.call("PATCH", path, {"url": f"http://hooks.test:{receiver.port}/new"})  # noqa: E731
    assert deliver_while(app, clock, moves)
    assert ada.call("GET", path).json["active"] and len(receiver.received) == 1


def test_asking_to_send_again_during_the_last_try_is_not_lost(app, ada, clock, receiver, ends, named):
    ends()
    receiver.status = 500
    (one,) = listed(ada, named)
    with app.app_context():
        db.run("UPDATE deliveries SET tries = 7")
    assert deliver_while(app, clock, lambda: ada.call("POST", f"/api/v1/deliveries/{one['id']}/resend"))
    (one,) = listed(ada, named)
    assert (one["status"], one["tries"]) == ("pending", 0)


def test_switching_off_and_on_during_a_try_begins_the_count_anew(app, ada, clock, receiver, ends, named):
    ends()
    receiver.status, path = 500, f"/api/v1/webhooks/{named['id']}"
    with app.app_context():
        db.run("UPDATE deliveries SET tries = 7")
        db.run("UPDATE webhooks SET failed = 4")

    def off_and_on():
        assert ada.call("PATCH", path, {"active": False}).status_code == 200
        assert ada.call("PATCH", path, {"active": True}).status_code == 200

    assert deliver_while(app, clock, off_and_on)
    assert ada.call("GET", path).json["active"]
