"""The plan of an account: what it is told before it changes, from when a change counts, and who sees it."""

import html
import json
import re

import pytest

from fv import db
from fv.accounts import store as accounts
from fv.accounts.store import Account
from fv.billing import flows, plans
from fv.billing.quota import Standing
from fv.config import Misconfigured
from tests.bills import FILE, PLANS, at, billed, billing, chooses, id_of, key, until
from tests.conftest import Clock, Visitor
from tests.test_audit import trail
from tests.test_serving import at_once
from tests.test_sessions import create, get


@pytest.fixture
def clock():
    clock = Clock()
    clock.now = float(at("2026-11-10 12:00") + 5)
    return clock


@pytest.fixture
def app(make_app):
    return make_app(PLANS=PLANS)


def text(answer):
    """What a person reads of a page."""
    body = answer.text.partition("<main")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def plan(ada):
    return ada.get("/api/v1/me").json["plan"]


def happened(app):
    """What the trail says of plans."""
    return [
        (row["event"], json.loads(row["facts"])["plan"], json.loads(row["facts"])["month"])
        for row in trail(app)
        if row["event"].startswith("plan.")
    ]


# ── What there is ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_account_begins_on_the_first_plan_of_the_file(make_app, clock):
    renamed = plans.read(FILE.replace('"free"', '"basic"'))
    visitor = Visitor(make_app(PLANS=renamed), clock)
    visitor.signs_up()
    assert plan(visitor) == "basic"
    made = visitor.app.test_cli_runner().invoke(args=["accounts", "create", "bob@example.org"])
    assert made.exit_code == 0
    with visitor.app.app_context():
        assert flows.missing_plans() == set()


def test_the_running_month_over_the_api(ada, app):
    chooses(ada, "starter")
    billed(ada, 12, "2026-11-03")
    billed(ada, 7, "2026-10-31")
    create(app, key(ada))
    assert billing(ada) == {
        "currency": "EUR",
        "plan": {"id": "starter", "name": "Starter", "monthly_fee": 4900, "included": 10, "hard_limit": False,
                 "overage_fee": 40},
        "next": None,
        "period": {"month": "2026-11", "begins_at": "2026-11-01T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z"},
        "used": 12, "pending": 1, "overage": 2, "amount": 4980,
        "forecast": {"sessions": 38, "amount": 4900 + 28 * 40},
        "invoices": "/api/v1/billing/invoices",
    }  # fmt: skip


def test_the_page_says_the_same(ada, app):
    chooses(ada, "starter")
    billed(ada, 12, "2026-11-03")
    create(app, key(ada))
    page = text(ada.get("/billing"))
    for said in (
        "€ 49.00 a month", "10 a month, then € 0.40 each", "12 of 10 included", "1 more session under way.",
        "2 sessions above the plan.", "2 × € 0.40 € 0.80 So far € 49.80", "about 28 × € 0.40 € 11.20 Expected € 60.20",
        "12 sessions so far, on day 10 of the month; with the pace of the days gone in the 20 days left, about 38.",
    ):  # fmt: skip
        assert said in page, (said, page)
    assert 'aria-current="page"' in ada.get("/billing").text


def test_the_forecast_of_a_limited_plan_ends_at_its_limit(ada, app):
    billed(ada, 4, "2026-11-03")
    assert billing(ada)["forecast"] == {"sessions": 5, "amount": 0}
    assert "about 5, which is all that the plan allows." in text(ada.get("/billing"))
    billed(ada, 1)
    assert "No session can be begun this month." in text(ada.get("/billing"))


def test_what_another_feature_is_told(app, ada, here, clock):
    standing = flows.standing(id_of(ada), int(clock.now))
    assert isinstance(standing, Standing)
    assert (standing.plan_name, standing.included, standing.is_hard_limit) == ("Free", 5, True)
    assert (standing.used, standing.pending, standing.is_full) == (0, 0, False)


def test_no_key_sees_or_changes_anything(app, ada):
    headers = key(ada, scopes=["sessions:create", "usage:read"])
    for path in ("/api/v1/billing", "/api/v1/billing/invoices", "/api/v1/billing/invoices/inv_0", "/billing"):
        assert get(app, headers, path).status_code == 403, path
    assert app.test_client().post("/billing/plans/pro", headers=headers).status_code == 403
    assert app.test_client().get("/api/v1/billing").status_code == 401
    assert plan(ada) == "free"


# ── Changing it ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_larger_plan_counts_at_once_for_the_whole_month(ada, app):
    billed(ada, 4, "2026-11-02")
    told = text(ada.get("/billing/plans/starter"))
    for said in (
        "Change to Starter Nothing has changed yet.", "A month € 0.00 € 49.00", "Sessions included 5 10",
        "Each one above refused € 0.40", "A month with 4 sessions as November 2026 stands € 0.00 € 49.00",
        "It counts at once, and for the whole of November 2026. As it stands, this month then costs € 49.00 instead of "
        "€ 0.00.",
    ):  # fmt: skip
        assert said in told, (said, told)
    assert (plan(ada), billing(ada)["amount"]) == ("free", 0), "looking changes nothing"
    chooses(ada, "starter")
    assert (plan(ada), billing(ada)["amount"]) == ("starter", 4900)
    assert happened(app) == [("plan.raised", "starter", "2026-11")]
    until(ada, "2026-12-05 09:00")
    assert plan(ada) == "starter"


def test_a_smaller_plan_counts_from_the_next_month_on(ada, app):
    chooses(ada, "pro")
    billed(ada, 30)
    told = text(ada.get("/billing/plans/free"))
    for said in (
        "It begins on 1 December 2026. Until then Pro stays, and November 2026 costs € 299.00 as it stands.",
        "After 5 sessions in a month no other can be begun until the next month.",
    ):
        assert said in told, (said, told)
    chooses(ada, "free")
    assert plan(ada) == "pro" and billing(ada)["plan"]["id"] == "pro"
    assert (billing(ada)["next"]["month"], billing(ada)["next"]["plan"]["id"]) == ("2026-12", "free")
    assert "From 1 December 2026 Free, € 0.00 a month" in text(ada.get("/billing"))
    assert happened(app)[-1] == ("plan.lowered", "free", "2026-12")
    until(ada, "2026-11-30 23:59")
    assert plan(ada) == "pro"
    until(ada, "2026-12-01 00:00")
    assert (plan(ada), billing(ada)["next"], billing(ada)["used"]) == ("free", None, 0)


def test_a_smaller_plan_can_be_taken_back(ada, app):
    chooses(ada, "pro")
    chooses(ada, "starter")
    told = text(ada.get("/billing/plans/pro"))
    assert "Pro goes on at € 299.00 a month. The change to Starter on 1 December 2026 is taken back." in told
    chooses(ada, "pro")
    assert billing(ada)["next"] is None and happened(app)[-1] == ("plan.kept", "pro", "2026-11")
    until(ada, "2026-12-02 00:00")
    assert plan(ada) == "pro"


def test_the_change_for_the_next_month_can_be_another_one(ada):
    chooses(ada, "pro")
    chooses(ada, "free")
    told = text(ada.get("/billing/plans/starter"))
    assert "This replaces the change to Free that was to begin on 1 December 2026." in told
    chooses(ada, "starter")
    assert billing(ada)["next"]["plan"]["id"] == "starter"


def test_a_larger_plan_ends_the_change_to_a_smaller_one(ada):
    chooses(ada, "starter")
    chooses(ada, "free")
    chooses(ada, "pro")
    assert (plan(ada), billing(ada)["next"]) == ("pro", None)
    until(ada, "2027-01-02 00:00")
    assert plan(ada) == "pro"


def test_nothing_is_changed_without_the_terms_that_were_shown(ada, app):
    page = ada.get("/billing/plans/starter").text
    for terms in ({}, {"terms": ""}, {"terms": "plan.raised free pro 2026-11  29900 100 25"}):
        answer = ada.post("/billing/plans/starter", **terms)
        assert answer.status_code == 409 and "Nothing was done." in text(answer)
        assert re.search(r'name="terms" value="([^"]*)"', answer.text)[1] in page
    assert plan(ada) == "free" and happened(app) == []


def test_who_confirms_after_something_changed_is_asked_again(ada, app):
    terms = re.search(r'name="terms" value="([^"]*)"', ada.get("/billing/plans/starter").text)[1]
    until(ada, "2026-12-01 00:00")
    assert ada.post("/billing/plans/starter", terms=terms).status_code == 409, "it would be another month"
    terms = re.search(r'name="terms" value="([^"]*)"', ada.get("/billing/plans/starter").text)[1]
    chooses(ada, "pro")
    answer = ada.post("/billing/plans/starter", terms=terms)
    assert answer.status_code == 409 and "It begins on 1 January 2027." in text(answer)
    assert plan(ada) == "pro"


def test_the_plan_one_has_and_the_change_that_is_chosen_lead_back(ada):
    assert ada.get("/billing/plans/free").location == ada.post("/billing/plans/free").location == "/billing"
    chooses(ada, "pro")
    chooses(ada, "free")
    assert ada.get("/billing/plans/free").location == "/billing"


@pytest.mark.parametrize("id", ["huge", "old", "Free", "..", "%00"])
def test_a_plan_that_cannot_be_chosen_is_not_there(ada, id):
    for answer in (ada.get(f"/billing/plans/{id}"), ada.post(f"/billing/plans/{id}", terms="x")):
        assert answer.status_code == 404
    assert "Old" not in text(ada.get("/billing"))


def test_eight_confirmations_at_once_are_one_change(ada, app):
    terms = re.search(r'name="terms" value="([^"]*)"', ada.get("/billing/plans/starter").text)[1]
    clients = [app.test_client() for _ in range(8)]
    for client in clients:
        client.set_cookie("facevault", ada.client.get_cookie("facevault").value)
    posts = at_once(8, lambda n: clients[n].post("/billing/plans/starter", data={"terms": terms}))
    assert {(answer.status_code, answer.location) for answer in posts} == {(303, "/billing")}
    assert happened(app) == [("plan.raised", "starter", "2026-11")]


def test_the_plan_of_a_month_that_has_its_invoice_stays(ada, app):
    """A clock that was set back: the invoice says what it says, and so does the history."""
    chooses(ada, "starter")
    until(ada, "2026-12-02 00:00")
    assert app.test_cli_runner().invoke(args=["invoices", "make", "--month", "2026-11"]).exit_code == 0
    ada.clock.now = float(at("2026-11-20 00:00"))
    terms = re.search(r'name="terms" value="([^"]*)"', ada.get("/billing/plans/pro").text)[1]
    assert ada.post("/billing/plans/pro", terms=terms).status_code == 409 and plan(ada) == "starter"


def test_the_trail_tells_changes_and_invoices_in_words(ada, app):
    chooses(ada, "starter")
    until(ada, "2026-12-02 00:00")
    assert app.test_cli_runner().invoke(args=["invoices", "make", "--month", "2026-11"]).exit_code == 0
    page = text(ada.get("/audit"))
    assert "Larger plan chosen" in page and "starter, from 2026-11 on" in page
    assert "Invoice made" in page and "FV-2026-000001" in page and "the service" in page


def test_an_account_that_is_made_up_has_room(make_app, app):
    for settings, expected in ((PLANS, "pro"), (plans.read(FILE.partition('[[plan]]\nid = "starter"')[0]), "free")):
        made = make_app(PLANS=settings)
        with made.app_context(), db.transaction():
            account = Account(f"acc_{expected}", f"{expected}@example.org", "no password", "free", 0)
            assert accounts.add(account)
            flows.put_on_roomy(account.id, int(made.config["CLOCK"]()))
            assert flows.standing(account.id, int(made.config["CLOCK"]())).plan.id == expected
            raise db.Undo


def test_a_login_that_has_ended_changes_nothing(app, ada, clock):
    with app.app_context():
        (login,) = accounts.logins(accounts.by_email(ada.email).id)
        terms = flows.preview(login.account_id, "starter", int(clock.now)).terms
        accounts.end_login(login.id)
        assert flows.change(login, "starter", terms, int(clock.now)) is flows.NoChange.GONE
        assert flows.standing(login.account_id, int(clock.now)).plan.id == "free"


def test_who_has_a_retired_plan_keeps_it_and_cannot_come_back_to_it(make_app, ada):
    chooses(ada, "starter")
    retired = plans.read(FILE.replace("overage = 40", "overage = 40\nretired = true"))
    ada.app = app = make_app(PLANS=retired)
    ada.client = app.test_client()
    ada.signs_in()
    assert plan(ada) == "starter" and "Starter now" in text(ada.get("/billing"))
    chooses(ada, "free")
    assert ada.get("/billing/plans/starter").status_code == 200, "to take back is to stay"
    chooses(ada, "starter")
    chooses(ada, "pro")
    assert ada.get("/billing/plans/starter").status_code == 404


def test_the_start_is_refused_without_a_plan_that_somebody_has(make_app, ada):
    chooses(ada, "pro")
    with pytest.raises(Misconfigured, match="accounts have or had the plan pro, which is not in the file"):
        make_app(PLANS=plans.read(FILE.replace('"pro"', '"business"')))
    with pytest.raises(Misconfigured, match="the plan free,"):
        make_app(PLANS=plans.read(FILE.replace('"free"', '"basic"')))
    make_app(PLANS=PLANS)
