"""The whole way in, as a person with a browser and a phone goes it."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NARROW, WIDE


def test_from_sign_up_to_the_dashboard_and_in_again_with_a_code(person):
    ada = person()
    page = ada.page
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_role("link", name="Create an account").click()
    ada.signs_up()
    expect(page.get_by_role("navigation")).to_have_count(0)
    address = ada.scans()
    assert address.startswith(f"otpauth://totp/FaceVault:{ada.email}?")
    assert page.get_by_role("link", name="Open in authenticator").get_attribute("href").startswith("otpauth://totp/")
    assert page.locator("#key").inner_text().replace(" ", "") == ada.secret
    page.get_by_role("button", name="Copy key").click()
    expect(page.locator("#said")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == ada.secret

    ada.confirms()
    codes = ada.codes()
    assert len(set(codes)) == 10
    page.get_by_role("button", name="Copy all").click()
    expect(page.locator("#said")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").split() == codes
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    head, *lines = download.value.path().read_text().split("\n\n")
    assert head.startswith(f"FaceVault backup codes for {ada.email}, made ") and "".join(lines).split() == codes
    ada.dismisses()

    ada.signs_out()
    ada.proves_password()
    page.get_by_label("Six-digit code").fill(ada.code(step=1))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")

    ada.signs_out()
    ada.proves_password()
    page.get_by_text("Use a backup code instead").click()
    page.get_by_label("Backup code").fill(codes[3].lower())
    page.get_by_role("button", name="Sign in with a backup code").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.get_by_role("link", name="Account", exact=True).click()
    expect(page.get_by_text("9 of 10 left")).to_be_visible()


def test_a_wrong_code_keeps_the_secret_and_says_how_many_tries_are_left(person):
    ada = person()
    ada.signs_up()
    before = ada.scans()
    ada.confirms("000000")
    expect(ada.page.get_by_role("alert")).to_contain_text("That code does not match.")
    expect(ada.page.get_by_role("alert")).to_contain_text("4 tries left")
    expect(ada.page.get_by_label("Type the six digits it shows")).to_be_focused()
    assert ada.scans() == before
    ada.page.reload()
    assert ada.scans() == before
    ada.confirms()
    assert len(ada.codes()) == 10


@pytest.mark.long
def test_a_phone_with_a_wrong_clock_is_told_by_how_much(person):
    ada = person()
    ada.signs_up()
    ada.scans()
    ada.confirms(ada.code(step=4))
    expect(ada.page.get_by_role("alert")).to_contain_text(re.compile("about (90|120|150) seconds ahead"))


@pytest.mark.long
def test_back_after_dismissal_shows_no_codes(person):
    ada = person()
    codes = ada.enrols()
    ada.page.go_back()
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Overview")
    for _ in range(2):
        shown = ada.page.content()
        assert not [code for code in codes if code in shown]
        ada.page.go_forward()


@pytest.mark.long
def test_an_unenrolled_person_ends_at_the_gate_wherever_they_go(person):
    ada = person()
    ada.signs_up()
    for path in ("/dashboard", "/keys", "/account", "/setup/codes", "/nothing"):
        ada.page.goto(path)
        expect(ada.page.get_by_role("heading", level=1)).to_have_text("Two-factor authentication is required")
        assert ada.page.url.endswith("/setup")


@pytest.mark.long
def test_a_page_left_open_after_sign_out_goes_to_the_login(person):
    ada = person()
    ada.enrols()
    ada.page.get_by_role("link", name="API keys", exact=True).click()
    ada.page.get_by_label("Name", exact=True).fill("left open")
    with httpx.Client(base_url=ada.server.url, cookies={c["name"]: c["value"] for c in ada.context.cookies()}) as other:
        other.post("/logout")
    ada.page.get_by_role("button", name="Create key").click()
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Sign in")


@pytest.mark.long
def test_without_a_connection_the_page_says_that_nothing_was_sent(person):
    ada = person()
    ada.signs_up()
    ada.scans()
    ada.context.set_offline(True)
    ada.confirms()
    expect(ada.page.get_by_role("alert")).to_have_text("No connection: nothing was sent. Try again.")
    ada.context.set_offline(False)
    ada.complaints.clear()  # the browser's own word about it
    ada.confirms()
    assert len(ada.codes()) == 10


@pytest.mark.long
def test_the_printed_sheet_names_the_account_and_nothing_of_the_screen(person):
    ada = person()
    ada.signs_up()
    ada.scans()
    ada.confirms()
    codes = ada.codes()
    ada.page.emulate_media(media="print")
    expect(ada.page.get_by_text(f"FaceVault backup codes for {ada.email}")).to_be_visible()
    assert len(codes) == 10 and ada.page.locator("#codes code").first.is_visible()
    for hidden in (ada.page.get_by_role("button"), ada.page.locator("#said"), ada.page.locator(".notice")):
        assert not [one for one in hidden.all() if one.is_visible()]
    ada.shoots("codes-printed")


@pytest.mark.long
def test_lost_codes_are_replaced_after_a_fresh_code(person):
    ada = person()
    ada.signs_up()
    ada.scans()
    ada.confirms()
    lost = ada.codes()
    ada.page.goto("/dashboard")
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Did you save your backup codes?")
    ada.finds_nothing_with_axe("renewing codes")
    ada.shoots("renew")
    ada.page.get_by_label("Six-digit code").fill(ada.code(step=1))
    ada.page.get_by_role("button", name="Make ten new codes").click()
    assert not set(ada.codes()) & set(lost)
    ada.dismisses()


@pytest.mark.long
def test_keys_are_made_shown_once_and_revoked(person):
    ada = person()
    ada.enrols()
    ada.page.get_by_role("link", name="API keys", exact=True).click()
    expect(ada.page.get_by_role("heading", name="No keys yet")).to_be_visible()
    ada.page.get_by_label("Name", exact=True).fill("Onboarding server")
    ada.page.get_by_role("button", name="Create key").click()
    secret = ada.page.locator("#secret").inner_text()
    assert re.fullmatch(r"fv_live_[A-Za-z0-9]{43}", secret)
    ada.finds_nothing_with_axe("a new key")
    ada.shoots("key-made")
    ada.page.get_by_role("link", name="I have stored it").click()
    expect(ada.page.get_by_role("rowheader", name="Onboarding server")).to_be_visible()
    assert secret not in ada.page.content()
    ada.page.locator("summary", has_text="Revoke Onboarding server").click()
    ada.shoots("key-revoke")
    ada.page.get_by_role("button", name="Revoke now Onboarding server").click()
    expect(ada.page.get_by_role("heading", name="No keys yet")).to_be_visible()


def test_everything_works_without_javascript(person):
    ada = person(java_script_enabled=False)
    ada.signs_up()
    ada.scans()
    ada.confirms("000000")
    expect(ada.page.get_by_role("alert")).to_contain_text("That code does not match.")
    ada.confirms()
    codes = ada.codes()
    ada.dismisses()
    ada.signs_out()
    ada.proves_password()
    ada.page.get_by_label("Six-digit code").fill("000000")
    ada.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(ada.page.get_by_role("alert")).to_contain_text("That code is not valid.")
    ada.page.get_by_label("Backup code").fill(codes[0])
    ada.page.get_by_role("button", name="Sign in with a backup code").click()
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Overview")
    ada.page.goto("/keys")
    ada.page.get_by_label("Name", exact=True).fill("No script")
    ada.page.get_by_role("button", name="Create key").click()
    expect(ada.page.locator("#secret")).to_have_text(re.compile("^fv_live_"))


@pytest.mark.long
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_plain_http_at_another_name_than_localhost_works(person, server, script):
    """There Chromium says no Sec-Fetch-Site, and the Origin of a form depends on the referrer policy."""
    ada = person(base_url=f"http://vault.test:{server.port}", java_script_enabled=script)
    ada.signs_up()
    ada.scans()
    ada.confirms()
    assert len(ada.codes()) == 10
    ada.dismisses()
    ada.signs_out()
    assert ada.page.url == f"http://vault.test:{server.port}/login"


@pytest.mark.long
@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", NARROW)], ids=["wide", "narrow"])
def test_axe_finds_nothing_and_no_page_scrolls_sideways(person, scheme, size):
    ada = person(viewport=size, color_scheme=scheme)
    look = f"{scheme}-{size['width']}"

    def check(name):
        ada.finds_nothing_with_axe(f"{name} {look}")
        ada.shoots(f"{name}-{look}")

    for path, name in (("/login", "login"), ("/register", "register"), ("/help/authenticator", "help")):
        ada.page.goto(path)
        check(name)
    ada.signs_up()
    check("setup")
    ada.scans()
    ada.confirms("000000")
    expect(ada.page.get_by_role("alert")).to_be_visible()
    check("setup-wrong")
    ada.confirms()
    codes = ada.codes()
    check("codes")
    ada.dismisses()
    check("dashboard")
    ada.page.goto("/keys")
    check("keys-empty")
    for name in ("Onboarding server", "Back office"):
        ada.page.goto("/keys")
        ada.page.get_by_label("Name", exact=True).fill(name)
        ada.page.get_by_role("button", name="Create key").click()
        expect(ada.page.locator("#secret")).to_be_visible()
    check("keys")
    ada.page.goto("/account")
    check("account")
    ada.page.goto("/nothing")
    check("not-found")
    if size is NARROW:
        ada.page.goto("/dashboard")
        ada.page.get_by_role("button", name="Menu").click()
        check("menu")
        ada.page.get_by_role("navigation").get_by_role("button", name="Sign out").click()
    else:
        ada.page.goto("/dashboard")
        ada.signs_out()
    ada.proves_password()
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Enter your code")
    check("code")
    ada.page.get_by_label("Six-digit code").fill("000000")
    ada.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(ada.page.get_by_role("alert")).to_be_visible()
    check("code-wrong")
    ada.page.get_by_label("Backup code").fill(codes[0])
    ada.page.get_by_role("button", name="Sign in with a backup code").click()
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Overview")


@pytest.mark.long
def test_the_way_in_can_be_gone_with_the_keyboard_alone(person):
    ada = person()
    page = ada.page
    page.goto("/register")
    page.keyboard.type(ada.email)
    page.keyboard.press("Tab")
    page.keyboard.type(ada.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Two-factor authentication is required")
    ada.scans()
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "code":
            break
    page.keyboard.type(ada.code())
    page.keyboard.press("Enter")
    ada.codes()
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "I have saved them":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
