"""Invoices: by the plan of their month, numbered without gaps, never twice, and never changed."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from fv import create_app, db
from fv.accounts import store as accounts
from fv.accounts.store import Account
from fv.billing import invoicing, plans, store
from fv.usage import periods
from fv.usage import store as usage
from tests.bills import FILE, PLANS, at, billed, chooses, key, until
from tests.conftest import Clock, Visitor
from tests.crashes import killed_before
from tests.test_audit import names
from tests.test_billing import text
from tests.test_serving import at_once
from tests.test_sessions import get

OCTOBER = periods.month("2026-10")
DAY = 86400


@pytest.fixture
def clock():
    clock = Clock()
    clock.now = float(at("2026-10-10 12:00") + 5)
    return clock


@pytest.fixture
def app(make_app):
    return make_app(PLANS=PLANS)


def run(app, *words):
    return app.test_cli_runner().invoke(args=["invoices", *words])


def made(app, month="2026-10"):
    """The lines that the command prints, as fields."""
    result = run(app, "make", "--month", month)
    assert result.exit_code == 0, result.output
    return [line.split("\t") for line in result.stdout.splitlines()]


def listed(visitor):
    return visitor.get("/api/v1/billing/invoices").json["data"]


def whole(visitor, id):
    answer = visitor.get(f"/api/v1/billing/invoices/{id}")
    assert answer.status_code == 200, answer.text
    return answer.json


def customers(app, number, plan="starter", since="2026-09-10 12:00"):
    """Accounts that have something to pay, without people."""
    with app.app_context(), db.transaction():
        for n in range(number):
            account = Account(f"acc_{plan}_{n}", f"{plan}-{n}@example.org", "no password", "free", at(since))
            assert accounts.add(account)
            store.choose(account.id, since[:7], plan, 0)


def numbers(app):
    with app.app_context():
        return sorted(row["number"] for row in db.many(dict, "SELECT number FROM invoices WHERE number IS NOT NULL"))


def expected(number, year=2026):
    return [f"FV-{year}-{n:06}" for n in range(1, number + 1)]


# ── What stands in one ───────────────────────────────────────────────────────────────────────────────────────


def test_a_month_that_is_over_becomes_one_open_invoice(ada, app):
    chooses(ada, "starter")
    billed(ada, 13, "2026-10-20")
    billed(ada, 2, "2026-11-01")
    until(ada, "2026-11-02 03:15")
    (row,) = made(app)
    (invoice,) = listed(ada)
    assert row == ["FV-2026-000001", "open", "2026-10", "50.20 EUR", ada.email, invoice["id"]]
    assert re.fullmatch(r"inv_[0-9a-f]{32}", invoice["id"])
    assert whole(ada, invoice["id"]) == invoice | {
        "lines": [
            {"description": "Starter plan", "quantity": 1, "unit_amount": 4900, "amount": 4900},
            {"description": "Sessions above the 10 included", "quantity": 3, "unit_amount": 40, "amount": 120},
        ],
        "issuer": "FaceVault", "email": ada.email,
    }  # fmt: skip
    assert {name: invoice[name] for name in ("status", "month", "plan_name", "included", "sessions", "total")} == {
        "status": "open", "month": "2026-10", "plan_name": "Starter", "included": 10, "sessions": 13, "total": 5020,
    }  # fmt: skip
    assert (invoice["currency"], invoice["opened_at"], invoice["paid_at"]) == ("EUR", "2026-11-02T03:15:35Z", None)
    assert names(app)[-1] == "invoice.opened"


def test_who_pays_nothing_or_was_not_there_gets_none(ada, app):
    billed(ada, 5)
    customers(app, 1, since="2026-11-01 00:00")
    until(ada, "2026-12-02 00:00")
    assert made(app, "2026-10") == []
    assert [row[4] for row in made(app, "2026-11")] == ["starter-0@example.org"]


def test_a_month_is_billed_by_the_plan_it_had(ada, app):
    chooses(ada, "starter")
    until(ada, "2026-11-10 00:00")
    chooses(ada, "pro")
    chooses(ada, "free")
    until(ada, "2026-12-10 00:00")
    chooses(ada, "starter")
    until(ada, "2027-01-10 00:00")
    totals = {month: [row[3] for row in made(app, month)] for month in ("2026-09", "2026-10", "2026-11", "2026-12")}
    assert totals == {"2026-09": [], "2026-10": ["49.00 EUR"], "2026-11": ["299.00 EUR"], "2026-12": ["49.00 EUR"]}
    assert numbers(app) == expected(3, 2027), "by the year in which they are made"


def test_run_again_it_makes_nothing_twice(ada, app):
    customers(app, 3)
    until(ada, "2026-11-02 00:00")
    assert len(made(app)) == 3
    again = run(app, "make", "--month", "2026-10")
    assert again.stdout == "" and "Nothing was made" in again.output
    customers(app, 1, plan="pro")
    assert [row[0] for row in made(app)] == ["FV-2026-000004"], "only what is missing"


def test_what_an_open_invoice_says_never_changes(ada, app, make_app):
    chooses(ada, "starter")
    billed(ada, 13)
    until(ada, "2026-11-02 00:00")
    made(app)
    (invoice,) = listed(ada)
    before = whole(ada, invoice["id"])
    page = ada.get(f"/billing/invoices/{invoice['id']}").text
    billed(ada, 50, "2026-10-15")
    chooses(ada, "pro")
    with app.app_context():
        db.run("UPDATE accounts SET email = 'other@example.org'")
    dearer = FILE.replace("4900", "9900").replace('"Starter"', '"Team"').replace("EUR", "USD")
    changed = make_app(PLANS=plans.read(dearer.replace("5000", "9900")), ISSUER="Somebody", INVOICE_FROM="Else")
    ada.app, ada.client = changed, changed.test_client()
    ada.email = "other@example.org"
    ada.signs_in()
    made(changed)
    assert whole(ada, invoice["id"]) == before
    article = re.compile(r"<article.*</article>", re.S)
    assert article.search(ada.get(f"/billing/invoices/{invoice['id']}").text)[0] == article.search(page)[0]


def test_the_issuer_is_who_the_setting_says(make_app, clock):
    app = make_app(PLANS=PLANS, INVOICE_FROM="Vault Ltd\n12 Harbour Road <b>\nVAT included")
    ada = Visitor(app, clock)
    ada.signs_up()
    ada.enrols()
    ada.post("/setup/codes/dismiss")
    chooses(ada, "starter")
    made(app, "2026-10")
    (draft,) = listed(ada)
    assert whole(ada, draft["id"])["issuer"].splitlines()[0] == "Vault Ltd"
    page = ada.get(f"/billing/invoices/{draft['id']}").text
    assert "<address>Vault Ltd<br>12 Harbour Road &lt;b&gt;<br>VAT included</address>" in page


# ── Drafts ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_while_the_month_runs_there_are_drafts_which_the_next_run_computes_anew(ada, app):
    chooses(ada, "starter")
    assert [row[:4] for row in made(app)] == [["-", "draft", "2026-10", "49.00 EUR"]]
    (draft,) = listed(ada)
    assert (draft["status"], draft["number"], draft["opened_at"]) == ("draft", None, None)
    page = text(ada.get(f"/billing/invoices/{draft['id']}"))
    assert "Draft for October 2026" in page and "no invoice" in page
    billed(ada, 12)
    assert [row[3] for row in made(app)] == ["49.80 EUR"]
    (again,) = listed(ada)
    assert (again["id"], again["created_at"], again["total"]) == (draft["id"], draft["created_at"], 4980)
    until(ada, "2026-10-31 23:59")
    assert [row[:2] for row in made(app)] == [["-", "draft"]], "its last day is not over"
    until(ada, "2026-11-01 00:00")
    billed(ada, 1, "2026-10-31")
    assert [row[:4] for row in made(app)] == [["FV-2026-000001", "open", "2026-10", "50.20 EUR"]]
    (opened,) = listed(ada)
    assert (opened["id"], opened["status"], len(whole(ada, opened["id"])["lines"])) == (draft["id"], "open", 2)


def test_a_draft_of_what_costs_nothing_any_more_goes(ada, app, make_app):
    chooses(ada, "starter")
    made(app)
    assert len(listed(ada)) == 1
    free = make_app(PLANS=plans.read(FILE.replace("4900", "0")))
    assert made(free) == []
    with free.app_context():
        assert store.every() == [] and db.many(dict, "SELECT * FROM invoice_lines") == []


def test_a_month_that_has_not_begun_or_is_none_is_refused(app):
    for month, reason in (("2026-11", "has not begun"), ("2026-13", "such as 2026-11"), ("october", "such as 2026-11")):
        result = run(app, "make", "--month", month)
        assert result.exit_code != 0 and reason in result.output
    assert run(app, "make").exit_code != 0


# ── Paying ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invoice_is_paid_once_by_its_number_or_its_id(ada, app):
    customers(app, 2)
    until(ada, "2026-11-02 00:00")
    (first, second) = made(app)
    by_number = run(app, "paid", first[0])
    assert by_number.exit_code == 0
    assert by_number.output == f"{first[0]} of {first[4]} is paid: €\N{NO-BREAK SPACE}49.00.\n"
    assert run(app, "paid", second[5]).exit_code == 0
    for name in (first[0], first[5]):
        again = run(app, "paid", name)
        assert again.exit_code != 0 and "marked as paid already" in again.output
    nowhere = run(app, "paid", "FV-2026-000009")
    assert nowhere.exit_code != 0 and "no invoice with this id or number" in nowhere.output
    assert [line.split("\t")[1] for line in run(app, "list").stdout.splitlines()] == ["paid", "paid"]
    assert names(app).count("invoice.paid") == 2
    with app.app_context():
        assert {row.paid_at for row in store.every()} == {at("2026-11-02 00:00") + 35}


def test_a_draft_cannot_be_paid(ada, app):
    chooses(ada, "starter")
    ((_, _, _, _, _, id),) = made(app)
    refused = run(app, "paid", id)
    assert refused.exit_code != 0 and "This is a draft" in refused.output
    assert run(app, "paid", "-").exit_code != 0 and run(app, "paid", "").exit_code != 0


def test_a_list_without_invoices_says_so(app):
    assert run(app, "list").output == "There is no invoice yet.\n"


# ── Who sees it ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invoice_of_another_account_is_not_there(ada, app):
    chooses(ada, "starter")
    ((*_, id),) = made(app)
    eve = ada.another("eve@example.org")
    eve.signs_up()
    eve.enrols()
    eve.post("/setup/codes/dismiss")
    for wrong in (id, "inv_" + "0" * 32, "x"):
        assert eve.get(f"/billing/invoices/{wrong}").status_code == 404
        assert eve.get(f"/api/v1/billing/invoices/{wrong}").json["code"] == "not_found"
    assert listed(eve) == [] and ada.get(f"/billing/invoices/{id}").status_code == 200
    assert get(app, key(ada), f"/api/v1/billing/invoices/{id}").json["code"] == "insufficient_scope"


def test_the_list_is_paged_newest_first(ada, app):
    chooses(ada, "starter")
    for month in ("2026-11", "2026-12", "2027-01"):
        until(ada, f"{month}-02 00:00")
        made(app, periods.month_of(periods.month(month).first - 1).name)
    page = ada.get("/api/v1/billing/invoices?limit=2").json
    assert [row["month"] for row in page["data"]] == ["2026-12", "2026-11"] and page["has_more"]
    rest = ada.get(f"/api/v1/billing/invoices?limit=2&after={page['next_cursor']}").json
    assert [row["month"] for row in rest["data"]] == ["2026-10"] and not rest["has_more"]
    shown = text(ada.get("/billing?limit=2"))
    assert "FV-2027-000001 Open December 2026 € 49.00" in shown and "FV-2026-000001" not in shown
    assert "FV-2026-000001" in text(ada.get(f"/billing?after={page['next_cursor']}"))


def test_the_page_of_an_invoice_has_all_of_it(ada, app):
    chooses(ada, "starter")
    billed(ada, 12)
    until(ada, "2026-11-02 00:00")
    ((number, *_, id),) = made(app)
    run(app, "paid", number)
    page = text(ada.get(f"/billing/invoices/{id}"))
    for said in (
        f"Invoice {number}", "2 November 2026", "October 2026 (UTC)", "12 (10 included)", "Paid, 2 November 2026", id,
        f"For {ada.email}", "Starter plan 1 € 49.00 € 49.00", "Sessions above the 10 included 2 € 0.40 € 0.80",
        "Total € 49.80",
    ):  # fmt: skip
        assert said in page, (said, page)


# ── At once, and broken off ──────────────────────────────────────────────────────────────────────────────────


def test_eight_runs_at_once_make_each_invoice_once_and_number_them_without_a_gap(ada, app):
    customers(app, 12)
    until(ada, "2026-11-02 00:00")

    def runs(_):
        with app.app_context():
            return [invoice.number for invoice in invoicing.make(OCTOBER)]

    got = [number for numbers in at_once(8, runs) for number in numbers]
    assert sorted(got) == numbers(app) == expected(12)


def test_one_invoice_is_paid_once_by_eight_at_once(ada, app):
    customers(app, 1)
    until(ada, "2026-11-02 00:00")
    ((number, *_),) = made(app)

    def pays(_):
        with app.app_context():
            return isinstance(invoicing.pay(number, int(ada.clock.now)), store.Invoice)

    assert at_once(8, pays).count(True) == 1 and names(app).count("invoice.paid") == 1


@pytest.mark.long
def test_two_commands_at_once_make_each_invoice_once(tmp_path, make_app):
    app = make_app()
    month = periods.month_of(int(app.config["CLOCK"]()) // DAY - 60)
    customers(app, 30, since=f"{month.name}-01 00:00")
    program = "from fv.cli import main; main()"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FV_")}
    environment |= {"FV_INSTANCE": app.instance_path}
    words = [sys.executable, "-c", program, "invoices", "make", "--month", month.name]
    both = [subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            for _ in range(2)]  # fmt: skip
    printed = [line.split("\t")[0] for one in both for line in one.communicate(timeout=60)[0].splitlines()]
    year = int(printed[0][3:7])
    assert sorted(printed) == numbers(app) == expected(30, year)
    assert [one.returncode for one in both] == [0, 0]


MAKES = """
from fv.billing import invoicing
from fv.usage import periods
list(invoicing.make(periods.month("{month}")))
"""


@pytest.mark.long
def test_kill_9_at_any_statement_leaves_no_gap_and_nothing_twice(make_app):
    """The month before the one that the killed process lives in; its account pays for each month since long ago."""
    app, n, killed = make_app(), 0, True
    customers(app, 1, since="2020-01-01 00:00")
    done = 0
    while killed:
        n += 1
        month = periods.month_of(periods.month("2020-01").first + 31 * n).name
        killed = killed_before(n, app, MAKES.format(month=month))
        year = numbers(app)[0][3:7] if numbers(app) else None
        assert numbers(app) == (expected(len(numbers(app)), int(year)) if year else [])
        with app.app_context():
            found = store.of_month("acc_starter_0", month)
            assert found is None or (found.number and store.lines(found.id)), "all of it or nothing"
            rest = list(invoicing.make(periods.month(month)))
        done += 1
        assert len(rest) == (0 if found else 1) and len(numbers(app)) == done
    assert n > 15 and names(app).count("invoice.opened") == done


steps = some.lists(
    some.tuples(some.sampled_from(["starter", "pro", "free"]), some.integers(0, 200), some.booleans()),
    min_size=1, max_size=12,
)  # fmt: skip


@given(steps)
@settings(max_examples=20)
@pytest.mark.long
def test_whatever_happens_numbers_have_no_gap_and_totals_are_those_of_the_plans(script):
    """Accounts come with a plan and a use; the command is run now and then, in the month and after it."""
    clock = Clock()
    clock.now = float(at("2026-10-10 12:00"))
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(INSTANCE=Path(folder), CLOCK=clock, HASH_MEMORY_KIB=8, HASH_PASSES=1, PLANS=PLANS)
        model = {}
        with app.app_context():
            for n, (plan, sessions, is_run) in enumerate(script):
                with db.transaction():
                    assert accounts.add(Account(f"acc_{n}", f"{n}@example.org", "x", "free", int(clock.now)))
                    store.choose(f"acc_{n}", "2026-10", plan, 0)
                    usage.add(f"acc_{n}", OCTOBER.first + n, "sessions_billable", amount=sessions)
                cost = PLANS.of(plan).monthly_fee + (PLANS.of(plan).overage or 0) * max(
                    0, sessions - PLANS.of(plan).included
                )
                if cost:
                    model[f"acc_{n}"] = cost
                if is_run:
                    list(invoicing.make(OCTOBER))
                    assert {row.account_id: row.total for row in store.every()} == model
                    assert {row.status for row in store.every()} <= {"draft"}
            clock.now = float(at("2026-11-01 00:00"))
            for _ in range(2):
                list(invoicing.make(OCTOBER))
            assert {row.account_id: row.total for row in store.every()} == model
            assert [row.number for row in store.every()] == expected(len(model))
        db.close(app)


def test_the_code_has_no_statement_that_changes_an_open_invoice():
    """Everything but the mark that it was paid asks for a draft."""
    sql = Path(store.__file__).read_text()
    changes = re.findall(r"(?:UPDATE|DELETE FROM) invoices\b[^\"]*", sql)
    assert len(changes) == 3
    assert all("number IS NULL" in one or "SET paid_at" in one for one in changes)
    assert not re.findall(r"(?:UPDATE|DELETE FROM) invoice_lines", sql)
