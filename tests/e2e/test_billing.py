"""Billing in a real browser: a plan is chosen and taken back, and an invoice fits on one sheet of paper."""

import io
import re
import time

import pypdf
import pytest
from playwright.sync_api import expect

from fv import create_app, db
from fv.billing import store as billing
from fv.usage import periods
from fv.usage import store as usage
from tests.e2e.conftest import NARROW, WIDE

VIEWS = {"wide-light": WIDE, "wide-dark": WIDE, "narrow-light": NARROW, "narrow-dark": NARROW}
A4 = (595, 842)  # points


def looks(ada, what):
    for name, view in VIEWS.items():
        ada.page.set_viewport_size(view)
        ada.page.emulate_media(color_scheme=name.split("-")[1])
        ada.finds_nothing_with_axe(f"{what}, {name}")
        ada.shoots(f"{what}-{name}")
    ada.page.set_viewport_size(WIDE)
    ada.page.emulate_media(color_scheme="light")


def was_here(server, ada, months, plan="pro", sessions=5128):
    """As if the account had this plan and so many sessions in these months."""
    account_id = ada.page.request.get("/api/v1/me").json()["id"]
    app = create_app(INSTANCE=server.instance, REGISTRATION="open")
    with app.app_context(), db.transaction():
        db.run("UPDATE accounts SET created_at = 0 WHERE id = :id", id=account_id)
        billing.choose(account_id, months[0].name, plan, 0)
        for month in months:
            usage.add(account_id, month.first, "sessions_billable", amount=sessions)
    db.close(app)


def invoices(server, *words):
    result = server.run("invoices", *words)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.long
def test_a_plan_is_chosen_and_taken_back(person, server):
    ada = person()
    page = ada.page
    ada.enrols()
    page.get_by_role("link", name="Billing").click()
    expect(page.get_by_role("heading", name="No invoice yet")).to_be_visible()
    looks(ada, "billing-empty")

    page.get_by_role("link", name="Choose Pro").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Change to Pro")
    expect(page.locator("#screen")).to_contain_text("It counts at once")
    looks(ada, "billing-upgrade")
    page.get_by_role("button", name="Change to Pro").click()
    expect(page).to_have_url(re.compile("/billing$"))
    expect(page.locator("#screen")).to_contain_text("5,000 a month, then € 0.25 each")

    page.get_by_role("link", name="Choose Free").click()
    expect(page.locator("#screen")).to_contain_text("After 50 sessions in a month no other can be begun")
    looks(ada, "billing-downgrade")
    page.get_by_role("button", name="Change to Free").click()
    expect(page.get_by_role("link", name="Change it, or stay on Pro")).to_be_visible()
    looks(ada, "billing-changing")
    page.get_by_role("link", name="Stay on Pro", exact=True).click()
    looks(ada, "billing-stay")
    stale = page.url
    page.get_by_role("button", name="Stay on Pro").click()
    expect(page.get_by_role("link", name="Change the plan", exact=True)).to_be_visible()
    page.goto(stale)
    expect(page).to_have_url(re.compile("/billing$"))


@pytest.mark.long
def test_what_was_shown_and_is_not_so_any_more_is_shown_again(person):
    ada = person()
    page, other = ada.page, ada.context.new_page()
    ada.enrols()
    for one in (page, other):
        one.goto("/billing/plans/starter")
    other.goto("/billing/plans/pro")
    other.get_by_role("button", name="Change to Pro").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Billing")
    page.get_by_role("button", name="Change to Starter").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was done.")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    looks(ada, "billing-stale")
    page.get_by_role("button", name="Change to Starter").click()
    expect(page.locator("#screen")).to_contain_text("Starter, € 49.00 a month")


@pytest.mark.long
def test_an_invoice_is_printed_on_one_page(person, server):
    ada = person()
    page = ada.page
    ada.enrols()
    now = periods.month_of(int(time.time()) // 86400)
    months = periods.before(now.first, 4)
    was_here(server, ada, months)
    for month in months:
        printed = invoices(server, "make", "--month", month.name)
    assert "draft" in printed
    mine = [line.split("\t") for line in invoices(server, "list").splitlines() if ada.email in line]
    number = mine[1][0]
    invoices(server, "paid", mine[2][0])
    page.goto("/billing")
    expect(page.locator("[data-status=draft]")).to_have_count(1)
    expect(page.locator("[data-status=paid]")).to_have_count(1)
    looks(ada, "billing")

    page.get_by_role("link", name=number).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Invoice {number}")
    looks(ada, "invoice")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        made = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
        (sheet,) = made.pages
        assert [round(side) for side in (sheet.mediabox.width, sheet.mediabox.height)] == list(A4)
        text = " ".join(sheet.extract_text().split())
        for said in (f"Invoice {number}", ada.email, "Pro plan", "€ 299.00", "128", "€ 0.25", "€ 32.00", "€ 331.00",
                     "1 / 1"):  # fmt: skip
            assert said in text, (said, text)
        assert mine[1][5] in text.replace(" ", "")
        for not_printed in ("Overview", "Sign out", "Print", "Menu"):
            assert not_printed not in text, not_printed
    page.emulate_media(media="print", color_scheme="light")
    ada.shoots("invoice-print")
    page.emulate_media(media="screen")

    page.goto("/billing")
    page.get_by_role("link", name="Draft").click()
    expect(page.locator("#screen")).to_contain_text("The month is not over")
    looks(ada, "invoice-draft")


@pytest.mark.long
def test_who_opens_a_link_of_a_full_account_is_told_so_on_a_phone(person, server):
    ada = person()
    ada.enrols()
    link = ada.page.request.post("/api/v1/links", data={}).json()
    was_here(server, ada, [periods.month_of(int(time.time()) // 86400)], plan="free", sessions=50)
    ada.page.goto("/billing")
    expect(ada.page.get_by_text("No session can be begun this month.")).to_be_visible()
    looks(ada, "billing-full")
    ada.page.goto(f"/v/{link['token']}")
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Not at the moment")
    looks(ada, "link-of-full-account")
    assert ada.page.request.get("/api/v1/links").json()["data"][0]["uses"] == 0
