"""Lost and found in a real browser: a reset by support, a link to set a password, and what the holder is told."""

import re

import pytest
from playwright.sync_api import expect

from tests.conftest import PASSWORD
from tests.e2e.conftest import NARROW, WIDE

NEW = "another long password"


def heading(ada, text):
    expect(ada.page.get_by_role("heading", level=1)).to_have_text(text)


def re_enrol(ada):
    result = ada.server.run("support", "re-enrol", ada.email, "--ticket", "T-1", "--verified", "in person", "--yes")
    return re.search(r"Re-enrolment code: (\S+)", result.stdout)[1]


def comes_back(ada, code):
    ada.proves_password()
    heading(ada, "Enter the code from support")
    ada.page.get_by_label("Re-enrolment code").fill(code)
    ada.page.get_by_role("button", name="Continue").click()
    heading(ada, "Two-factor authentication is required")


@pytest.mark.parametrize("script", [True, pytest.param(False, marks=pytest.mark.long)], ids=["script", "no-script"])
def test_a_verified_person_connects_a_new_authenticator(person, script):
    ada = person(java_script_enabled=script)
    ada.enrols()
    code = re_enrol(ada)
    ada.page.goto("/dashboard")
    heading(ada, "Sign in")
    ada.proves_password()
    heading(ada, "Enter the code from support")
    assert ada.page.locator(".qr").count() == 0
    ada.page.get_by_label("Re-enrolment code").fill("2222-2222-2222")
    ada.page.get_by_role("button", name="Continue").click()
    expect(ada.page.get_by_role("alert")).to_contain_text("4 tries left")
    comes_back(ada, code)
    assert ada.scans().startswith(f"otpauth://totp/FaceVault:{ada.email} (2)?")
    ada.confirms()
    assert len(ada.codes()) == 10
    ada.dismisses()
    told = ada.page.get_by_role("complementary", name="What happened on your account")
    expect(told).to_contain_text("Second factor reset by support")
    told.get_by_role("button", name="I have read this").click()
    heading(ada, "Overview")
    expect(told).to_have_count(0)


@pytest.mark.long
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_account_page_changes_the_password_and_checks_a_code(person, script):
    ada = person(java_script_enabled=script)
    codes = ada.enrols()
    page = ada.page
    page.goto("/account")
    page.get_by_text("Check a backup code").click()
    page.get_by_label("Backup code").fill("2222-2222")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("not one of your codes")
    page.get_by_label("Backup code").fill(codes[0].lower())
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("This code works.")
    page.get_by_label("Current password").fill("not the password")
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_contain_text("not your current password")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Password changed.", exact=True)).to_be_visible()
    expect(page.get_by_text("10 of 10 left")).to_be_visible()
    page.get_by_role("link", name="The whole audit trail").click()
    heading(ada, "Audit trail")
    page.get_by_label("Event").select_option(label="Password changed")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename == "facevault-audit.csv"


@pytest.mark.long
def test_new_codes_are_made_after_support_allowed_them(person):
    ada = person()
    old = ada.enrols()
    ada.server.run("support", "new-codes", ada.email, "--ticket", "T-2")
    ada.page.goto("/account")
    ada.page.get_by_role("link", name="Make new codes").click()
    heading(ada, "Make new backup codes")
    ada.page.get_by_label("Six-digit code").fill(ada.code(1))
    ada.page.get_by_role("button", name="Make ten new codes").click()
    new = ada.codes()
    assert len(new) == 10 and not set(new) & set(old)
    ada.dismisses()


@pytest.mark.long
@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", NARROW)], ids=["wide", "narrow"])
def test_axe_finds_nothing_on_the_pages_of_recovery(person, scheme, size):
    ada = person(viewport=size, color_scheme=scheme)
    look = f"{scheme}-{size['width']}"

    def check(name):
        ada.finds_nothing_with_axe(f"{name} {look}")
        ada.shoots(f"{name}-{look}")

    ada.enrols()
    result = ada.server.run("accounts", "set-password", ada.email)
    ada.page.goto(result.stdout.strip().partition(str(ada.server.port))[2])
    check("password-link")
    ada.page.get_by_label("Password").fill(NEW)
    ada.page.get_by_role("button", name="Set password").click()
    heading(ada, "Your password is set")
    check("password-done")
    ada.page.goto(ada.page.url)
    heading(ada, "This link has ended")
    check("password-link-ended")
    ada.password = NEW
    code = re_enrol(ada)
    ada.proves_password()
    heading(ada, "Enter the code from support")
    check("re-enrol")
    ada.page.get_by_label("Re-enrolment code").fill("x")
    ada.page.get_by_role("button", name="Continue").click()
    expect(ada.page.get_by_role("alert")).to_be_visible()
    check("re-enrol-wrong")
    comes_back(ada, code)
    ada.scans()
    ada.confirms()
    ada.codes()
    ada.dismisses()
    check("dashboard-told")
    ada.server.run("support", "new-codes", ada.email, "--ticket", "T-2")
    ada.page.goto("/account")
    ada.page.get_by_text("Check a backup code").click()
    check("account-new-codes")
    ada.page.get_by_label("Current password").fill("not the password")
    ada.page.get_by_label("New password").fill(PASSWORD)
    ada.page.get_by_role("button", name="Change password").click()
    expect(ada.page.get_by_role("alert")).to_be_visible()
    check("account-wrong-password")
    ada.page.goto("/audit?limit=8")
    check("audit")
    ada.page.goto("/audit?to=2020-01-01")
    check("audit-empty")
    ada.page.goto("/setup/codes")
    check("new-codes")
