"""Keys and usage in a real browser: a key is rotated without a script, and the numbers fit a phone."""

import time

import pytest
from playwright.sync_api import expect

from fv import create_app, db
from fv.usage import store
from tests.e2e.conftest import NARROW, WIDE

DAY = 86400  # seconds


def makes_key(page, name):
    page.goto("/keys")
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_role("heading", name=f"Your new key “{name}”")).to_be_visible()


@pytest.mark.long
def test_a_key_is_rotated_with_and_without_a_script(person):
    ada = person(viewport=NARROW, has_touch=True)
    page = ada.page
    ada.enrols()
    makes_key(page, "Onboarding server of the second region")
    page.get_by_role("button", name="Rotate").click()
    expect(page.get_by_role("heading", name="Rotate Onboarding server of the second region?")).to_be_visible()
    ada.finds_nothing_with_axe("the question before a rotation")
    ada.shoots("key-rotate-narrow")
    page.get_by_role("button", name="Make the new secret").click()
    expect(page.get_by_text("works until")).to_be_visible()
    ada.finds_nothing_with_axe("a rotated key")
    ada.shoots("key-rotated-narrow")
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="dark")
    ada.finds_nothing_with_axe("a rotated key, wide and dark")
    ada.shoots("key-rotated-wide-dark")

    plain = person(java_script_enabled=False)
    plain.context.add_cookies(ada.context.cookies())
    plain.page.goto("/keys")
    plain.page.get_by_role("button", name="Rotate").click()
    plain.page.get_by_label("The old secret stops working").select_option("at once")
    plain.page.get_by_role("button", name="Make the new secret").click()
    expect(plain.page.get_by_text("no longer works.")).to_be_visible()


@pytest.mark.long
def test_usage_fits_every_screen(person, server):
    ada = person(viewport=NARROW, has_touch=True)
    page = ada.page
    ada.enrols()
    page.goto("/usage")
    expect(page.get_by_role("heading", name="Nothing yet")).to_be_visible()
    ada.finds_nothing_with_axe("usage, empty")
    makes_key(page, "Onboarding server")
    id = page.request.get("/api/v1/keys").json()["data"][0]["id"]
    account_id, today = page.request.get("/api/v1/me").json()["id"], int(time.time()) // DAY
    app = create_app(INSTANCE=server.instance, REGISTRATION="open")
    with app.app_context(), db.transaction():
        for ago in range(360):
            for counter, amount in (("sessions_created", 40), ("sessions_billable", 36), ("photo_views", 9)):
                store.add(account_id, today - ago, counter, id if ago % 3 else "", amount - ago // 12 % amount)
            store.add(account_id, today - ago, "storage_bytes", amount=11_000_000)
    db.close(app)
    page.goto("/usage")
    page.get_by_text("The numbers", exact=True).click()
    for what, size, scheme in (("narrow", NARROW, "light"), ("wide", WIDE, "light"), ("wide-dark", WIDE, "dark"),
                               ("narrow-dark", NARROW, "dark")):  # fmt: skip
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        ada.finds_nothing_with_axe(f"usage, {what}")
        ada.shoots(f"usage-{what}")
    plain = person(java_script_enabled=False, viewport=NARROW)
    plain.context.add_cookies(ada.context.cookies())
    plain.page.goto("/usage")
    plain.page.get_by_label("Counter", exact=True).select_option("Storage")
    plain.page.get_by_role("button", name="Show").click()
    expect(plain.page.get_by_role("heading", name="Storage")).to_be_visible()
    plain.page.get_by_role("link", name="Days of").click()
    expect(plain.page.get_by_role("heading", name="Storage")).to_be_visible()
    plain.shoots("usage-days-narrow")
    with plain.page.expect_download() as download:
        plain.page.get_by_role("link", name="Download as CSV", exact=True).click()
    assert download.value.suggested_filename.endswith("-by-day.csv")
