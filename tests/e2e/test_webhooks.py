"""A webhook in a real browser: made, tested by a message that really arrives, switched off by the service, removed."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NARROW, WIDE
from tests.live import DEADLINE, Server
from tests.receivers import receiving


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"), FV_WEBHOOK_ALLOW="127.0.0.1").start()
    yield server
    server.ends()


@pytest.mark.parametrize("scripts", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_webhook_is_made_tested_switched_off_and_removed(person, scripts):
    ada = person(viewport=NARROW, java_script_enabled=True)
    page = ada.page
    ada.enrols()
    if not scripts:
        state = ada.context.storage_state()
        plain = person(viewport=NARROW, java_script_enabled=False, storage_state=state)
        page = plain.page
    looks = ada.finds_nothing_with_axe if scripts else lambda _what: None

    page.goto("/webhooks")
    expect(page.get_by_role("heading", name="No webhooks yet")).to_be_visible()
    looks("webhooks, empty")
    page.get_by_label("Address").fill("https://10.0.0.1/" + "a-long-path/" * 30)
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_role("alert")).to_contain_text("a whole https:// address in the internet")
    looks("webhooks, refused")
    with receiving() as receiver:
        page.get_by_label("Address").fill(receiver.url + "&path=" + "a-long-path/" * 30)
        page.get_by_role("button", name="Create webhook").click()
        expect(page.get_by_role("heading", name="The secret of your new webhook")).to_be_visible()
        assert page.locator("#secret").inner_text().startswith("whsec_")
        looks("the new webhook")
        page.get_by_role("link", name="I have stored it").click()
        expect(page.get_by_role("heading", name="Nothing was sent yet")).to_be_visible()
        looks("a webhook, empty")
        page.get_by_role("button", name="Send a test").click()
        assert receiver.arrived.wait(DEADLINE)
        receiver.arrived.clear()
        receiver.status = 410
        page.get_by_role("button", name="Send a test").click()
        assert receiver.arrived.wait(DEADLINE)
        notice = page.get_by_text("is told nothing any more.")
        while not notice.is_visible():
            page.reload()
    looks("a webhook that is gone")
    if scripts:
        ada.shoots("webhook-narrow")
        page.set_viewport_size(WIDE)
        ada.shoots("webhook-wide")
        page.goto("/webhooks")
        ada.finds_nothing_with_axe("webhooks")
        ada.shoots("webhooks-wide")
        page.set_viewport_size(NARROW)
        ada.finds_nothing_with_axe("webhooks, narrow")
        ada.shoots("webhooks-narrow")
        page.locator("table a").click()
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("Active", exact=True)).to_be_visible()
    page.get_by_text("Remove", exact=False).first.click()
    page.get_by_role("button", name="Remove now").click()
    expect(page.get_by_role("heading", name="No webhooks yet")).to_be_visible()
