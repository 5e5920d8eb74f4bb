"""The overview: what of thirty days it counts, how exactly, and that old sessions cost it nothing."""

import re
import statistics
from collections import Counter
from random import Random

import pytest

from fv import db
from fv.dashboard import figures, flows
from fv.terms import store as terms
from fv.terms.span import Span
from fv.usage import chart
from fv.verifications import listing, store
from fv.verifications.listing import DAY
from fv.verifications.store import Verification
from fv.webhooks import store as webhooks
from fv.webhooks.store import Delivery, Webhook
from tests.bills import PLANS
from tests.photos import photographed
from tests.test_sessions import bearer

NOW = 20_000 * DAY + 9 * 3600  # nine in the morning of a day, in UTC


@pytest.fixture
def clock(clock):
    clock.now = float(NOW)
    return clock


@pytest.fixture
def account_id(ada):
    return ada.get("/api/v1/me").json["id"]


@pytest.fixture
def has(app, account_id):
    """`has("passed", ago=3600, took=90)`: a session that was created so many seconds ago."""
    numbers = iter(range(10**6))

    def add(status="passed", ago=0, took=None, mode="live", erase_in=30 * DAY, **more):
        number, at = next(numbers), NOW - ago
        session = Verification(
            f"vs_{number:032x}", account_id, "customer", mode, status, False, f"hash {number}", "left", "", at, at,
            at + 3600, NOW + erase_in, completed_at=None if took is None else at + took, **more,
        )  # fmt: skip
        with app.app_context():
            store.add(session)
        return session.id

    return add


@pytest.fixture
def seen(app, account_id):
    def look():
        with app.app_context():
            return flows.overview(account_id, NOW)

    return look


def numbers(page):
    """Name → the two lines of each figure, as text."""
    text = re.search(r'<dl class="card figures">(.*?)</dl>', page, re.S)[1]
    cells = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd><dd>(.*?)</dd>", text)
    return {name: (re.sub("<.*?>", "", number), re.sub("<.*?>", "", today)) for name, number, today in cells}


# ── What is counted ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_account_is_told_what_to_do_first_until_it_has_a_live_session(app, ada, clock):
    page = ada.get("/dashboard").text
    assert "First steps" in page and page.count(", done") == 0
    assert numbers(page)["Pass rate"] == ("–", "– today") and "Sessions a day" not in page
    assert numbers(page)["Created"] == ("0", "0 today")
    assert "Nothing waits" in page and "No photo is due" in page and "Latest sessions" not in page
    key = ada.call("POST", "/api/v1/keys", {"name": "server", "mode": "test"}).json["secret"]
    assert ada.get("/dashboard").text.count(", done") == 1
    ada.call("POST", "/api/v1/links", {})
    app.test_client().post("/api/v1/sessions?external_user_id=a", headers=bearer(key))
    assert ada.get("/dashboard").text.count(", done") == 2, "a session in test mode is none"
    ada.call("POST", "/api/v1/sessions", {"external_user_id": "a"})
    assert "First steps" not in ada.get("/dashboard").text


def test_today_and_thirty_days_are_counted_apart(ada, has):
    has("passed", took=60), has("failed", took=120), has("review", ago=3600, took=30)
    has("passed", ago=DAY, took=600), has("passed", ago=29 * DAY, took=900), has("pending", ago=DAY)
    has("passed", ago=30 * DAY, took=10**6), has("passed", mode="test", took=5)
    page = ada.get("/dashboard").text
    assert numbers(page) == {
        "Created": ("6", "3 today"), "Passed": ("3", "1 today"), "In review": ("1", "1 today"),
        "Failed": ("1", "1 today"), "Pass rate": ("75.0 %", "50.0 % today"),
        "Median time": ("2:00 min", "1:00 min today"),
    }  # fmt: skip


def test_a_day_begins_at_midnight_in_utc(has, seen):
    for ago in (9 * 3600, 9 * 3600 + 1, 29 * DAY + 9 * 3600, 29 * DAY + 9 * 3600 + 1):
        has("passed", ago=ago, took=1)
    found = seen()
    assert (found.today.created, found.month.created) == (1, 3)
    assert [counted.total() for counted in found.days.values()] == [1, *[0] * 27, 1, 1]
    assert len(found.days) == figures.DAYS


def test_what_ran_out_is_expired_and_decides_nothing(has, seen):
    has("pending", ago=2 * 3600), has("in_progress", ago=1), has("in_progress", ago=3600), has("analyzing", ago=7200)
    assert seen().month.counts == {"expired": 2, "in_progress": 1, "analyzing": 1}
    assert seen().month.pass_rate is None and seen().month.median is None


@pytest.mark.parametrize("number", [1, 2, 3, 10, 57, 200])
def test_the_median_is_exact(app, account_id, has, number):
    draw = Random(number)
    took = [draw.randint(1, 5000) for _ in range(number)]
    for seconds in took:
        has(draw.choice(["passed", "failed", "review"]), ago=draw.randint(0, 28 * DAY), took=seconds)
    has("passed", ago=31 * DAY, took=1), has("passed", mode="test", took=1), has("pending")
    with app.app_context():
        assert listing.median_seconds(account_id, "live", NOW - 29 * DAY) == statistics.median(took)
        assert listing.median_seconds("another", "live", 0) is None


def test_the_median_is_of_the_first_verdict(app, ada, has, seen):
    id = has("review", took=90)
    ada.post(f"/sessions/{id}/decision", decision="passed", reason="the same person")
    assert seen().month.median == 90 and seen().month.counts["passed"] == 1


def test_what_waits_is_named_with_the_longest(ada, has):
    has("review", ago=3 * DAY, took=3600), has("review", took=1), has("review", mode="test", took=1)
    page = ada.get("/dashboard").text
    assert "Review 2</a>" in page and 'class="num">2</strong> wait for a person, the longest since' in page
    assert f'datetime="{"2024-10-01T10:00:00Z"}"' in page


def test_the_latest_live_sessions_are_listed(ada, has):
    ids = [has("passed", ago=ago, took=1) for ago in range(7)]
    other = has("passed", mode="test", took=1)
    page = ada.get("/dashboard").text
    assert [id for id in ids if id in page] == ids[:5] and other not in page


# ── What is erased next ──────────────────────────────────────────────────────────────────────────────────────


def test_sessions_that_lose_their_photos_within_seven_days_are_counted_with_them(app, ada, seen):
    made = [ada.call("POST", "/api/v1/sessions", {"external_user_id": "a"}).json["session_id"] for _ in range(4)]
    for id, kinds in zip(made, (3, 2, 3, 0), strict=True):
        photographed(app, id, None, kinds=("id_photo", "selfie", "liveness_frame")[:kinds])
    with app.app_context():
        for id, left in zip(made, (7 * DAY, 1, 7 * DAY + 60, 1), strict=True):
            db.run("UPDATE terms SET photos_until = :at, next_at = :at WHERE session_id = :id", id=id, at=NOW + left)
    assert (seen().erased.verifications, seen().erased.photos) == (2, 5)
    page = ada.get("/dashboard").text
    assert '<strong class="num">5</strong> photos of 2 sessions' in page and 'href="/retention">How long' in page
    with app.app_context():
        terms.hold(made[1], NOW + DAY, "a court")
        db.run("UPDATE verifications SET mode = 'test' WHERE id = :id", id=made[0])
    assert seen().erased.verifications == 0, "held, and of test mode"


def test_many_are_counted_some_hundred_at_a_time(app, account_id, has, seen, monkeypatch):
    ids = [has("passed", ago=ago, took=1, erase_in=DAY) for ago in range(7)]
    with app.app_context():
        for id in ids[:5]:
            db.run("INSERT INTO photos (id, account_id, verification_id, kind, sha256) "
                   "VALUES (:id, :account_id, :id, 'selfie', '')", id=id, account_id=account_id)  # fmt: skip
        for id in ids:
            terms.add(id, account_id, NOW - DAY, NOW, Span(2 * DAY, 2 * DAY, 2 * DAY), f"receipt of {id}")
    for at_once in (1, 2, 7, 200):
        monkeypatch.setattr("fv.dashboard.flows.AT_ONCE", at_once)
        assert (seen().erased.verifications, seen().erased.photos) == (5, 5)


# ── Webhooks ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hook(app, account_id):
    """`hook("a", tries=[1, 0])`: one at https://a.example, with deliveries that wait after so many tries."""

    def add(name, tries=(), mode="live", because=None, failed=0):
        with app.app_context():
            made = Webhook(f"whk_{name}", account_id, f"https://{name}.example/x", ("e",), mode, "", NOW - DAY)
            webhooks.add(made, 20)
            db.run("UPDATE webhooks SET disabled_at = :at, disabled_because = :why, failed = :failed WHERE id = :id",
                   id=made.id, at=None if because is None else NOW, why=because, failed=failed)  # fmt: skip
            for number, tried in enumerate(tries):
                webhooks.tell(Delivery(f"dlv_{name}_{number}", made.id, "e", f"vs_{number}", "passed", "{}", NOW - 60))
                db.run("UPDATE deliveries SET tries = :tries WHERE id = :id", id=f"dlv_{name}_{number}", tries=tried)

    return add


def test_webhooks_that_fail_are_named_and_those_that_are_well_are_not(ada, hook):
    hook("fine", tries=[0, 0]), hook("off", because=webhooks.BY_HOLDER, tries=[1]), hook("tested", [3], mode="test")
    assert "See deliveries" not in ada.get("/dashboard").text
    hook("slow", tries=[2, 0, 1]), hook("one", tries=[1]), hook("given-up", failed=2), hook("once", failed=1)
    hook("gone", because=webhooks.GONE), hook("failing", because=webhooks.FAILING, failed=20)
    page = ada.get("/dashboard").text
    assert page.count("See deliveries") == 6
    for said in (
        "slow.example does not take what it is told.", "2 deliveries wait for another try", "1 delivery waits for",
        "given-up.example missed 2 deliveries.", "once.example missed a delivery.",
        "gone.example is told nothing any more.", "It answered 410", "Several deliveries in a row failed",
    ):  # fmt: skip
        assert said in page, said
    assert 'href="/webhooks/whk_gone"' in page


def test_of_very_many_that_wait_it_says_at_least(ada, hook):
    hook("slow", tries=[1] * 120)
    assert "At least 100 deliveries wait" in ada.get("/dashboard").text


# ── What it costs, and how it stays true ─────────────────────────────────────────────────────────────────────


def test_old_sessions_cost_nothing(app, ada, account_id, has):
    """Counted in steps of the database's own machine: as many with a thousand sessions of before as with fifty."""
    for ago in range(20):
        has("passed", ago=ago * DAY, took=60)

    def steps():
        counted = Counter()
        with app.app_context():
            flows.overview(account_id, NOW)  # the plans are made
            db._connection().set_progress_handler(lambda: counted.update(steps=1), 1)
            flows.overview(account_id, NOW)
            db._connection().set_progress_handler(None, 1)
        return counted["steps"]

    def grows_old(number):
        for ago in range(number):
            has("failed" if ago % 3 else "expired", ago=(31 + ago % 300) * DAY, took=60, erased_at=NOW)

    grows_old(50)
    before = steps()
    grows_old(950)
    assert before > 1000 and abs(steps() - before) < 50


def test_every_question_to_the_sessions_is_a_range_of_an_index(app, account_id, has, monkeypatch):
    asked, execute = [], db._execute
    monkeypatch.setattr(db, "_execute", lambda sql, params=(): asked.append((sql, params)) or execute(sql, params))
    with app.app_context():
        flows.overview(account_id, NOW)
        monkeypatch.undo()
        of_sessions = [(sql, params) for sql, params in asked if "FROM verifications" in sql]
        plans = [row["detail"] for sql, params in of_sessions
                 for row in db.many(dict, f"EXPLAIN QUERY PLAN {sql}", **params)]  # fmt: skip
    looked = [plan for plan in plans if re.match(r"(SCAN|SEARCH) (verifications|one|photos)\b", plan)]
    assert len(looked) >= 8 and all(re.search(r"^SEARCH \w+ USING (COVERING )?INDEX", plan) for plan in looked), looked


def test_it_renews_itself_without_keeping_a_login_alive(ada, clock):
    page = ada.get("/dashboard").text
    part = re.search(r'<div class="stack" id="now" [^>]*>', page)[0]
    assert 'hx-trigger="every 60s"' in part and "X-Poll" in part and 'hx-select="#now, .problem"' in part


# ── Numbers and bars ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, ("0", "s")), (59.5, ("59.5", "s")), (60, ("1:00", "min")), (108, ("1:48", "min")), (3599, ("59:59", "min")),
        (3600, ("1:00", "h")), (12_000, ("3:20", "h")), (172_799, ("47:59", "h")), (216_000, ("2.5", "days")),
    ],
)  # fmt: skip
def test_a_time_is_said_in_the_unit_that_fits(seconds, said):
    assert figures.clock(seconds) == said


def test_bars_stand_on_each_other_and_end_where_their_sum_says():
    drawn = chart.stacked([[3, 0, 1], [0, 0, 0], [1, 2, 3]])
    assert [line.amount for line in drawn.lines] == [6, 4, 2, 0] and drawn.width == 30
    assert [(one.kind, one.x) for one in drawn.pieces] == [(1, 2), (3, 2), (1, 22), (2, 22), (3, 22)]
    assert [(one.y, one.height) for one in drawn.pieces] == [
        (50, 50), (33.33, 16.67), (83.33, 16.67), (50, 33.33), (0, 50)
    ]  # fmt: skip


def test_the_plan_and_how_much_of_it_is_taken_stand_there(app, ada):
    def plan():
        card = re.search(r'id="quota">(.*?)</section>', ada.get("/dashboard").text, re.S)[1]
        return " ".join(re.sub(r"<[^>]*>", " ", card).split())

    assert plan().startswith("Plan Free 0 of 50 sessions 0 % It begins anew on")
    app.config["PLANS"] = PLANS
    for _ in range(PLANS.first.included):
        assert ada.call("POST", "/api/v1/sessions", {"external_user_id": "customer-1"}).status_code == 201
    assert "0 of 5 sessions 100 % No session can be begun until" in plan()
