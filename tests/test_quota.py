"""How many sessions a plan has room for: decided where one is made, freed again, never in the way of one under way."""

from contextlib import closing
from importlib.resources import files

import pytest

from fv import db
from fv.db import sqlite
from fv.verifications import due, flows, listing, store
from tests.bills import PLANS, at, billed, billing, chooses, id_of, key
from tests.conftest import Clock
from tests.crashes import killed_before
from tests.photos import photographed, unexamined
from tests.test_links import agree, listed, make
from tests.test_serving import at_once, enrolled
from tests.test_sessions import bearer, create, get

LIMIT = PLANS.first.included


@pytest.fixture
def clock():
    clock = Clock()
    clock.now = float(at("2026-11-10 12:00") + 5)
    return clock


@pytest.fixture
def app(make_app):
    return make_app(PLANS=PLANS)


@pytest.fixture
def server_key(ada):
    return key(ada)


def makes(app, headers, number):
    return [create(app, headers, f"customer-{n}") for n in range(number)]


def statuses(answers):
    return [answer.status_code for answer in answers]


def counted(app):
    """How often a session was counted as billable, over all accounts."""
    with app.app_context():
        (row,) = db.many(
            dict, "SELECT coalesce(sum(amount), 0) AS n FROM usage_days WHERE counter = 'sessions_billable'"
        )
        return row["n"]


# ── The limit ────────────────────────────────────────────────────────────────────────────────────────────────


def test_over_the_limit_every_door_is_402_with_what_can_be_done(app, ada, server_key):
    assert statuses(makes(app, server_key, LIMIT)) == [201] * LIMIT
    refused = create(app, server_key)
    assert (refused.status_code, refused.json["code"]) == (402, "quota_exceeded")
    assert refused.json["detail"] == (
        "The 5 sessions a month of the plan Free are taken, 5 of them by sessions that are under way. They begin anew "
        "on 1 December 2026, 00:00 UTC. A larger plan, chosen on the page Billing, counts at once; a session that is "
        "canceled or expires frees its place."
    )
    assert [refused.json[name] for name in ("included", "used", "pending", "begins_anew")] == [
        5, 0, 5, "2026-12-01T00:00:00Z",
    ]  # fmt: skip
    by_cookie = ada.call("POST", "/api/v1/sessions", {"external_user_id": "x"})
    assert (by_cookie.status_code, by_cookie.json["code"]) == (402, "quota_exceeded")
    by_form = ada.post("/sessions", external_user_id="x", mode="live")
    assert by_form.status_code == 402 and "They begin anew on 1 December 2026" in by_form.text
    with app.app_context():
        assert len(db.many(dict, "SELECT id FROM verifications")) == LIMIT, "what was refused left nothing"


def test_what_is_wrong_is_said_before_what_is_full(app, server_key):
    makes(app, server_key, LIMIT)
    assert create(app, server_key, "").status_code == 422
    assert create(app, {}).status_code == 401


def test_test_mode_has_no_limit_and_takes_no_place(app, ada, server_key):
    trial = key(ada, mode="test")
    assert statuses(makes(app, trial, LIMIT + 2)) == [201] * (LIMIT + 2)
    assert statuses(makes(app, server_key, LIMIT + 1)) == [201] * LIMIT + [402]
    assert create(app, trial).status_code == 201
    assert ada.post("/sessions", external_user_id="x", mode="test").status_code == 200


def test_a_plan_without_a_hard_limit_goes_on(app, ada, server_key):
    chooses(ada, "starter")
    assert statuses(makes(app, server_key, PLANS.of("starter").included + 3)) == [201] * 13
    chooses(ada, "pro")
    assert create(app, server_key).status_code == 201


def test_a_larger_plan_makes_room_at_once(app, ada, server_key):
    billed(ada, LIMIT)
    assert create(app, server_key).status_code == 402
    chooses(ada, "starter")
    assert create(app, server_key).status_code == 201


def test_canceled_and_expired_sessions_free_their_place_and_a_decided_one_does_not(app, ada, server_key, clock):
    made = [answer.json["session_id"] for answer in makes(app, server_key, LIMIT)]
    assert app.test_client().post(f"/api/v1/sessions/{made[0]}/cancel", headers=server_key).status_code == 200
    assert statuses([create(app, server_key), create(app, server_key)]) == [201, 402]
    photographed(app, made[1])
    assert create(app, server_key).status_code == 402, "it is billed now, and takes the same place"
    clock.passes(hours=24)  # the others expire
    ada.signs_in()
    assert [billing(ada)[name] for name in ("used", "pending")] == [1, 0]
    assert statuses(makes(app, server_key, LIMIT)) == [201] * (LIMIT - 1) + [402]


def test_a_session_under_way_finishes_whatever_is_full(app, ada, server_key):
    made = create(app, server_key).json["session_id"]
    billed(ada, LIMIT + 3)
    assert create(app, server_key).status_code == 402
    photographed(app, made)
    assert get(app, server_key, f"/api/v1/sessions/{made}").json["status"] == "review"
    assert billing(ada)["used"] == LIMIT + 4


def test_a_submitted_session_takes_its_place_until_it_is_billed(app, ada, server_key, clock):
    made = create(app, server_key).json["session_id"]
    photographed(app, made, status=None)
    submits(app, made)
    clock.passes(hours=48)
    ada.signs_in()
    assert [billing(ada)[name] for name in ("used", "pending")] == [0, 1], "it does not expire any more"


def test_an_equal_post_gets_its_session_again_when_all_are_taken(app, server_key):
    first = create(app, server_key, **{"Idempotency-Key": "one"})
    makes(app, server_key, LIMIT - 1)
    again = create(app, server_key, **{"Idempotency-Key": "one"})
    assert (again.status_code, again.json) == (201, first.json)


def test_a_refused_post_can_be_sent_again_with_its_key(app, server_key):
    made = [answer.json["session_id"] for answer in makes(app, server_key, LIMIT)]
    assert create(app, server_key, **{"Idempotency-Key": "two"}).status_code == 402
    app.test_client().post(f"/api/v1/sessions/{made[0]}/cancel", headers=server_key)
    assert create(app, server_key, **{"Idempotency-Key": "two"}).status_code == 201


def test_the_month_begins_anew_in_utc(app, ada, server_key, clock):
    billed(ada, LIMIT)
    clock.now = float(at("2026-11-30 23:59") + 55)
    assert create(app, server_key).status_code == 402
    clock.passes(seconds=10)
    assert create(app, server_key).status_code == 201


def test_another_account_has_room_of_its_own(app, ada, server_key):
    billed(ada, LIMIT)
    eve = ada.another("eve@example.org")
    eve.signs_up()
    eve.enrols()
    assert create(app, key(eve)).status_code == 201


def test_the_open_sessions_are_counted_by_indexes_alone(here, monkeypatch):
    seen, one = [], db.one
    monkeypatch.setattr(db, "one", lambda kind, sql, **params: seen.append((sql, params)) or one(kind, sql, **params))
    assert listing.unbilled("acc_1", 0) == 0
    ((sql, params),) = seen
    plan = [row["detail"] for row in db.many(dict, f"EXPLAIN QUERY PLAN {sql}", **params)]
    searched = [step for step in plan if "verifications" in step]
    assert len(searched) == 2 and all("USING COVERING INDEX" in step for step in searched), plan
    assert "verifications_open" in searched[0] and "expires_at>" in searched[0]


# ── By a link ────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_opens_a_link_of_a_full_account_is_told_so_and_the_link_stays_good(app, ada):
    link = make(ada)
    billed(ada, LIMIT)
    visitor = app.test_client()
    for answer in (visitor.get(f"/v/{link['token']}"), agree(visitor, link)):
        assert answer.status_code == 402 and "Not at the moment" in answer.text
        for secret in (ada.email, id_of(ada), "Free", "plan", "quota", "Billing", "/dashboard"):
            assert secret not in answer.text, secret
    assert (listed(ada)[link["id"]]["uses"], listed(ada)[link["id"]]["status"]) == (0, "active")
    assert ada.get("/api/v1/sessions").json["data"] == []
    chooses(ada, "starter")
    assert visitor.get(f"/v/{link['token']}").status_code == 200
    assert agree(visitor, link).status_code == 303
    assert listed(ada)[link["id"]]["uses"] == 1


def test_who_began_by_a_link_goes_on_when_the_account_is_full(app, ada):
    link, person = make(ada), app.test_client()
    assert agree(person, link).status_code == 303
    billed(ada, LIMIT)
    assert person.get(f"/v/{link['token']}").location == "/v/s"
    assert agree(person, link).status_code == 303 and person.get("/v/s").status_code == 200


def test_a_link_of_test_mode_has_no_limit(app, ada):
    billed(ada, LIMIT)
    assert agree(app.test_client(), make(ada, mode="test")).status_code == 303


# ── At once ──────────────────────────────────────────────────────────────────────────────────────────────────

TWENTY = """
currency = "EUR"
[[plan]]
id = "free"
name = "Free"
monthly_fee = 0
included = 20
hard_limit = true
"""


@pytest.mark.long
def test_fifty_at_once_get_exactly_as_many_sessions_as_there_is_room(serve, tmp_path):
    """Over real connections, to two processes; half of them by links."""
    (tmp_path / "plans.toml").write_text(TWENTY)
    server = serve("--workers", "2", FV_PLANS=str(tmp_path / "plans.toml"))
    ada = server.client()
    enrolled(ada)
    headers = bearer(ada.post("/api/v1/keys", json={"name": "x"}).json()["secret"])
    links = [ada.post("/api/v1/links", json={}).json() for _ in range(25)]
    clients = [server.client() for _ in range(50)]

    def creates(n):
        if n < 25:
            return clients[n].post(f"/api/v1/sessions?external_user_id=c{n}", headers=headers)
        return clients[n].post(f"/v/{links[n - 25]['token']}/start", data={"consent": "yes"})

    answers = at_once(50, creates)
    made = [answer.status_code in (201, 303) for answer in answers]
    assert made.count(True) == 20 and {answer.status_code for answer in answers} <= {201, 303, 402}
    spent = sum(link["uses"] for link in ada.get("/api/v1/links?limit=100").json()["data"])
    assert spent == made[25:].count(True), "a use is a session"
    told = ada.get("/api/v1/billing").json()
    assert (told["used"], told["pending"]) == (0, 20)


@pytest.mark.long
def test_fifty_at_once_by_one_key_make_exactly_the_limit(serve):
    """The limit of the plan that is shipped: of sixty, fifty are made."""
    server = serve("--workers", "2")
    ada = server.client()
    enrolled(ada)
    headers = bearer(ada.post("/api/v1/keys", json={"name": "x"}).json()["secret"])
    clients = [server.client() for _ in range(60)]
    answers = at_once(60, lambda n: clients[n].post(f"/api/v1/sessions?external_user_id=c{n}", headers=headers))
    assert sorted(answer.status_code for answer in answers) == [201] * 50 + [402] * 10
    assert {answer.json()["code"] for answer in answers if answer.status_code == 402} == {"quota_exceeded"}


# ── What is billed ───────────────────────────────────────────────────────────────────────────────────────────


def submits(app, id):
    with app.app_context():
        now = int(app.config["CLOCK"]())
        account_id = db.one(dict, "SELECT account_id FROM verifications WHERE id = :id", id=id)["account_id"]
        assert flows.submit(store.find(account_id, id, None, now), now) is True


def submitted(app, headers):
    """The id of a session that waits for its verdict."""
    made = create(app, headers).json["session_id"]
    photographed(app, made, status=None)
    submits(app, made)
    return made


def test_a_session_is_billed_at_its_first_verdict_and_never_again(app, ada, server_key, clock):
    made = submitted(app, server_key)
    assert counted(app) == 0, "to submit costs nothing yet"
    with app.app_context():
        assert due.analyse_next(int(clock.now), unexamined) and not due.analyse_next(int(clock.now), unexamined)
    assert counted(app) == 1
    for decision in ("passed", "failed"):
        body = {"decision": decision, "reason": "looked at it"}
        assert ada.call("POST", f"/api/v1/sessions/{made}/decision", body).status_code == 200
    assert counted(app) == 1


def test_a_session_is_billed_in_the_month_in_which_its_verdict_is_written(app, ada, server_key, clock):
    """An analysis that begins before midnight ends in the next month: the one before may have its invoice by then."""
    clock.now = float(at("2026-11-30 23:59") + 55)
    submitted(app, server_key)

    def takes_a_while(case):
        began.append(clock.now)
        clock.passes(seconds=30)
        return unexamined(case)

    began = []
    with app.app_context():
        assert due.analyse_next(int(clock.now), takes_a_while)
        days = db.many(dict, "SELECT day FROM usage_days WHERE counter = 'sessions_billable'")
    assert [row["day"] for row in days] == [at("2026-12-01 00:00") // 86400] and began


def test_what_ends_without_a_verdict_is_not_billed(app, ada, server_key, clock):
    one, _ = (answer.json["session_id"] for answer in makes(app, server_key, 2))
    app.test_client().post(f"/api/v1/sessions/{one}/cancel", headers=server_key)
    clock.passes(hours=25)
    assert counted(app) == 0


JUDGES = """
from fv.verifications import due
from tests.photos import unexamined
due.take_over()
due.analyse_next({now}, unexamined)
"""


@pytest.mark.long
def test_a_verdict_that_is_killed_at_any_moment_is_counted_exactly_once(make_app, ada, clock):
    app, headers, n = ada.app, key(ada), 0
    killed = True
    while killed:
        n += 1
        made = submitted(app, headers)
        before = counted(app)
        killed = killed_before(n, app, JUDGES.format(now=int(clock.now)))
        assert counted(app) - before == (get(app, headers, f"/api/v1/sessions/{made}").json["status"] == "review")
        with app.app_context():
            due.take_over()
            while due.analyse_next(int(clock.now), unexamined):
                pass
        assert counted(app) - before == 1
        with app.app_context():
            db.run("DELETE FROM usage_days")
    assert n > 10


def test_an_upgrade_does_not_count_twice_what_was_counted_when_it_was_submitted(tmp_path, make_app, clock):
    instance, steps = tmp_path / "instance", tmp_path / "steps"
    instance.mkdir(mode=0o700)
    steps.mkdir()
    for step in files("fv.schema").iterdir():
        if step.name.endswith(".sql") and int(step.name[:3]) <= 17:
            (steps / step.name).write_text(step.read_text())
    sqlite.prepare(instance / "facevault.db", steps)
    now = int(clock.now)
    columns = (
        "id, account_id, external_user_id, mode, status, require_poa, token_hash, challenge, nonce, nonce_made_at, "
        "created_at, expires_at, erase_after, submitted_at, key_id"
    )
    with closing(sqlite.connect(instance / "facevault.db")) as connection:
        connection.execute("INSERT INTO accounts (id, email, password_hash, created_at) VALUES ('acc_a', 'a', 'x', 0)")
        for number, (status, mode, key_id) in enumerate(
            [("analyzing", "live", ""), ("analyzing", "live", "key_1"), ("analyzing", "test", ""),
             ("review", "live", "key_1"), ("in_progress", "live", "")]
        ):  # fmt: skip
            connection.execute(
                f"INSERT INTO verifications ({columns}) VALUES (?, 'acc_a', 'u', ?, ?, 0, ?, 'left', 'n', 0, ?, ?, ?, "
                "?, ?)",
                (f"vs_{number}", mode, status, f"hash {number}", now, now + 9999, now + 9999, now, key_id),
            )
        for key_id, amount in (("", 1), ("key_1", 2)):
            connection.execute("INSERT INTO usage_days VALUES ('acc_a', 'sessions_billable', ?, ?, ?)",
                               (now // 86400, key_id, amount))  # fmt: skip
    app = make_app(SECRET_KEY="k" * 64, PLANS=PLANS)
    assert counted(app) == 1, "the one that was decided"
    with app.app_context():
        while due.analyse_next(now, unexamined):
            pass
        amounts = {
            row["key_id"]: row["amount"]
            for row in db.many(dict, "SELECT key_id, amount FROM usage_days WHERE counter = 'sessions_billable'")
        }
        assert amounts == {"": 1, "key_1": 2} and db.facts().damage is None
