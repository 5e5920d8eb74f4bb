"""Guessing is limited per account, over every door, and the count survives whatever happens to a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fv import db
from fv.throttle import policy
from fv.throttle.policy import Rate
from tests.conftest import Visitor


def guesses(visitor, times, path="/login/code"):
    return [visitor.post(path, code="00000Z").status_code for _ in range(times)]


def test_after_five_wrong_codes_even_the_right_one_is_refused(ada):
    other = ada.another()
    other.proves_password()
    assert guesses(other, 7) == [422] * 5 + [429] * 2
    refused = other.post("/login/code", code=other.code())
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "900"
    assert "15 minutes" in refused.text
    assert other.post("/login/code", code=other.codes[0]).status_code == 429
    assert ada.is_in(), "a live login keeps working"


def test_a_pause_is_told_before_somebody_types(visitor):
    visitor.signs_up()
    visitor.scans()
    last = [visitor.post("/setup", code=visitor.wrong_code()) for _ in range(5)][-1]
    assert "the next one is possible in 15 minutes" in last.text
    assert "Even the right one is refused for 15 minutes." in visitor.get("/setup").text
    visitor.clock.passes(minutes=15)
    assert "refused" not in visitor.get("/setup").text


def test_a_pause_is_told_at_the_code_step_before_somebody_types(ada):
    other = ada.another()
    other.proves_password()
    guesses(other, 5)
    assert "Sign in again in 15 minutes." in other.get("/login/code").text


def test_the_pause_ends_when_the_oldest_failure_is_fifteen_minutes_old(ada):
    other = ada.another()
    for _ in range(5):
        other.proves_password()
        guesses(other, 1)
        ada.clock.passes(minutes=1)
    other.proves_password()
    locked = other.post("/login/code", code=other.code())
    assert (locked.status_code, locked.headers["Retry-After"]) == (429, "600")
    ada.clock.passes(seconds=600)
    other.proves_password()
    assert other.post("/login/code", code=other.code()).location == "/dashboard"


def test_a_lock_ends_every_pending_login_for_good(ada):
    first, second = ada.another(), ada.another()
    first.proves_password()
    second.proves_password()
    guesses(first, 5)
    with ada.app.app_context():
        db.run("DELETE FROM attempts WHERE bucket = 'code'")  # as support does when it unlocks
    for pending in (first, second):
        answer = pending.post("/login/code", code=pending.code())
        assert answer.location == "/login" and not pending.is_in()
    assert second.signs_in().location == "/dashboard"


def test_a_lock_reached_at_another_door_ends_pending_logins_too(app, ada):
    pending = ada.another()
    pending.proves_password()
    with app.app_context():
        db.run("UPDATE authenticators SET codes_acknowledged_at = NULL")
    assert guesses(ada, 5, "/setup/codes") == [422] * 5
    with app.app_context():
        db.run("DELETE FROM attempts WHERE bucket = 'code'")
    assert pending.post("/login/code", code=pending.code()).location == "/login"


def test_the_count_is_one_over_all_doors_logins_and_addresses(ada):
    for number in range(4):
        other = ada.another()
        environ = {"REMOTE_ADDR": f"203.0.113.{number}"}
        headers = {"X-Forwarded-For": f"198.51.100.{number}"}
        other.client.post("/login", data={"email": ada.email, "password": ada.password}, environ_base=environ)
        answer = other.client.post("/login/code", data={"code": "000000"}, environ_base=environ, headers=headers)
        assert answer.status_code == 422
    with ada.app.app_context():
        db.run("UPDATE authenticators SET codes_acknowledged_at = NULL")
    assert ada.post("/setup/codes", code="000000").status_code == 422
    last = ada.another()
    last.proves_password()
    assert last.post("/login/code", code=last.code()).status_code == 429
    assert ada.post("/setup/codes", code=ada.code()).status_code == 429


def test_the_setup_counts_too(visitor):
    visitor.signs_up()
    visitor.scans()
    assert guesses(visitor, 3, "/setup") == [422] * 3
    wrong = [visitor.call("POST", "/api/v1/totp/confirm", {"code": "x"}).status_code for _ in range(3)]
    assert wrong == [422, 422, 429]
    locked = visitor.call("POST", "/api/v1/totp/confirm", {"code": visitor.code()})
    assert locked.json["code"] == "too_many_attempts" and locked.headers["Retry-After"] == "900"
    assert visitor.post("/setup", code=visitor.code()).status_code == 429
    assert visitor.get("/setup").status_code == 200, "the login itself goes on"
    visitor.clock.passes(minutes=15)
    assert visitor.post("/setup", code=visitor.code()).status_code == 200


def test_twenty_failures_in_a_day_are_the_most(ada):
    other = ada.another()
    for _ in range(4):
        other.proves_password()
        assert guesses(other, 5) == [422] * 5
        ada.clock.passes(minutes=16)
    other.proves_password()
    locked = other.post("/login/code", code=other.code())
    assert locked.status_code == 429 and int(locked.headers["Retry-After"]) == 24 * 3600 - 4 * 16 * 60
    assert "hours" in locked.text


def test_right_codes_are_not_counted(ada):
    for _ in range(6):
        ada.signs_out()
        assert ada.signs_in().location == "/dashboard"


def test_a_lock_survives_a_restart(make_app, ada, clock):
    other = ada.another()
    other.proves_password()
    guesses(other, 5)
    later = Visitor(make_app(), clock)
    later.proves_password()
    later.secret = ada.secret
    assert later.post("/login/code", code=later.code()).status_code == 429


def test_a_failure_stays_when_the_request_breaks_off(app, ada, monkeypatch):
    from fv.mfa import tries

    other = ada.another()
    other.proves_password()

    def breaks(*_):
        raise RuntimeError

    monkeypatch.setattr(tries, "find", breaks)
    assert guesses(other, 5) == [500] * 5
    monkeypatch.undo()
    assert other.post("/login/code", code=other.code()).status_code == 429


def test_ten_wrong_passwords_for_one_email_are_the_most_known_or_not(ada):
    for email in (ada.email, "nobody@example.org"):
        other = Visitor(ada.app, ada.clock, email)
        wrong = [other.post("/login", email=email, password="x" * 12).status_code for _ in range(11)]
        assert wrong == [422] * 10 + [429]
        right = other.post("/login", email=email, password=ada.password)
        assert right.status_code == 429 and right.headers["Retry-After"] == "900"
    assert ada.is_in()
    ada.clock.passes(minutes=15)
    assert ada.another().proves_password().location == "/login/code"


def test_thirty_wrong_passwords_from_one_address_are_the_most(ada):
    def tries(number, address):
        form = {"email": f"somebody{number}@example.org", "password": "x" * 12}
        return ada.another().client.post("/login", data=form, environ_base={"REMOTE_ADDR": address}).status_code

    assert [tries(n, "203.0.113.9") for n in range(31)] == [422] * 30 + [429]
    assert [tries(n, f"2001:db8::{n:x}") for n in range(31)] == [422] * 30 + [429], "one /64 is one household"
    assert tries(99, "203.0.113.10") == 422
    right = ada.client.post(
        "/login", data={"email": ada.email, "password": ada.password}, environ_base={"REMOTE_ADDR": "203.0.113.9"}
    )
    assert right.status_code == 429
    assert ada.another().proves_password().location == "/login/code", "the account itself is not locked"


def test_sign_ups_from_one_address_are_limited(make_app, clock):
    app = make_app(SIGN_UPS_ADDRESS=(Rate(3, 3600),))
    answers = [Visitor(app, clock, f"ada{n}@example.org").signs_up().status_code for n in range(4)]
    assert answers == [303] * 3 + [429]


def test_no_email_that_somebody_typed_is_kept(app, visitor):
    visitor.post("/login", email="correct-horse@battery.staple", password="x" * 12)
    with app.app_context():
        kept = db.many(dict, "SELECT subject FROM attempts")
    assert kept and not [row for row in kept if "horse" in row["subject"]]


def test_tries_leave_the_database_when_they_no_longer_count(app, ada):
    for _ in range(3):
        ada.another().post("/login", email=ada.email, password="x" * 12)
    ada.clock.passes(hours=24 * 8)
    ada.another().post("/login", email=ada.email, password="x" * 12)
    with app.app_context():
        assert db.one(dict, "SELECT count(*) AS n FROM attempts WHERE bucket = 'password'") == {"n": 1}


def test_tries_stay_a_week_longer_than_they_count(app, ada):
    def kept_after_one_more():
        ada.another().post("/login", email=ada.email, password="x" * 12)
        with app.app_context():
            return db.one(dict, "SELECT count(*) AS n FROM attempts WHERE bucket = 'password'")["n"]

    assert kept_after_one_more() == 1
    ada.clock.passes(hours=7 * 24, minutes=15, seconds=-1)
    assert kept_after_one_more() == 2
    ada.clock.passes(seconds=1)
    assert kept_after_one_more() == 2


def test_a_try_at_one_door_forgets_none_that_was_made_at_another(app, ada):
    """A wrong password counts for 15 minutes, a wrong code for a day: each is kept a week longer than that."""
    ada.signs_out()
    ada.proves_password()
    guesses(ada, 1)
    ada.clock.passes(hours=7 * 24 + 23)
    ada.post("/login", email=ada.email, password="x" * 12)
    with app.app_context():
        assert db.one(dict, "SELECT count(*) AS n FROM attempts WHERE bucket = 'code'") == {"n": 1}


def test_a_clock_that_jumps_ahead_and_back_wipes_no_lock(app, ada):
    other = ada.another()
    other.proves_password()
    guesses(other, 5)
    ada.clock.passes(hours=48)
    eve = Visitor(app, ada.clock, "eve@example.org")
    eve.signs_up()
    guesses(eve, 1, "/setup")
    ada.clock.passes(hours=-48)
    other.proves_password()
    assert other.post("/login/code", code=other.code()).status_code == 429


@pytest.fixture
def crowd():
    """So many people hash at this moment that nobody else gets a turn."""
    from fv import hashing

    taken = 0
    while hashing._turns.queue.acquire(blocking=False):
        taken += 1
    yield
    for _ in range(taken):
        hashing._turns.queue.release()


def test_a_try_that_nobody_had_the_time_to_compare_is_not_counted(app, ada, crowd):
    pending = ada.another()
    with app.app_context():
        account = db.one(dict, "SELECT id FROM accounts")["id"]
        db.run(
            "INSERT INTO logins VALUES ('log_0', :a, '', '', :now, :now, NULL, NULL)", a=account, now=int(ada.clock.now)
        )
    with pending.client.session_transaction() as session:
        session["_user_id"] = "log_0"
    for _ in range(12):
        assert ada.another().proves_password().status_code == 503
        assert pending.post("/login/code", code=ada.codes[0]).status_code == 503
    with app.app_context():
        db.run("UPDATE authenticators SET codes_acknowledged_at = NULL")
    for _ in range(6):
        assert ada.post("/setup/codes", code=ada.code()).status_code == 503
    with app.app_context():
        assert db.one(dict, "SELECT count(*) AS n FROM attempts WHERE bucket != 'sign-up from'") == {"n": 0}


def test_a_confirmation_that_nobody_had_the_time_for_is_not_counted(visitor):
    from fv import hashing

    visitor.signs_up()
    visitor.scans()
    hashing._turns.turn.acquire()
    for _ in range(hashing.QUEUE):
        hashing._turns.queue.acquire()
    statuses = [visitor.post("/setup", code=visitor.code()).status_code for _ in range(6)]
    for _ in range(hashing.QUEUE):
        hashing._turns.queue.release()
    hashing._turns.turn.release()
    assert statuses == [503] * 6
    assert visitor.post("/setup", code=visitor.code()).status_code == 200


# ── The arithmetic ───────────────────────────────────────────────────────────────────────────────────────────

RATES = (Rate(5, 900), Rate(20, 86400))
times = st.lists(st.integers(0, 200_000), max_size=40)


@given(times, st.integers(0, 200_000))
def test_there_is_a_pause_exactly_when_a_rate_is_used_up(times, now):
    used_up = any(sum(at > now - rate.seconds for at in times) >= rate.count for rate in RATES)
    assert bool(policy.pause(times, RATES, now)) is used_up
    assert (policy.left(times, RATES, now) == 0) is used_up


@given(times, st.integers(0, 200_000))
def test_when_the_pause_is_over_a_try_is_admitted_and_not_a_second_earlier(times, now):
    wait = policy.pause(times, RATES, now)
    assert policy.pause(times, RATES, now + wait) == 0
    assert not wait or policy.pause(times, RATES, now + wait - 1) == 1


def test_a_try_counts_to_the_last_second_of_its_window_and_no_longer():
    rate = (Rate(1, 900),)
    assert (policy.left([1000], rate, now=1899), policy.pause([1000], rate, now=1899)) == (0, 1)
    assert (policy.left([1000], rate, now=1900), policy.pause([1000], rate, now=1900)) == (1, 0)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_what_counts_as_one_address(address, network):
    assert policy.network_of(address) == network


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.200", "203.0.113.0/24"), ("2001:db8:1:ffff::6", "2001:db8:1::/48"), ("nonsense", "unknown")],
)
def test_what_counts_as_one_neighbourhood(address, network):
    assert policy.neighbourhood_of(address) == network
