"""A verification link in a real browser: made on the page, read off its QR code, opened by somebody else."""

import io

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from fv import create_app, db
from fv.links import return_urls
from tests.e2e.conftest import NARROW, WIDE
from tests.test_links import GOOD


def heading(page, text):
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def test_a_link_is_made_scanned_opened_and_leads_to_the_first_photo(person):
    ada = person(viewport=NARROW, has_touch=True)
    page = ada.page
    ada.enrols()
    page.goto("/links")
    expect(page.get_by_role("heading", name="No links yet")).to_be_visible()
    ada.finds_nothing_with_axe("links, empty")
    page.get_by_label("Leads back to").fill("https://shop.example/\\evil.example")
    page.get_by_role("button", name="Make link").click()
    expect(page.get_by_role("alert")).to_contain_text("begins with https://")
    ada.finds_nothing_with_axe("links, refused")
    page.get_by_label("Leads back to").fill("https://shop.example/done")
    page.get_by_label("Several times").check()
    page.get_by_label("At most so many times").fill("3")
    page.get_by_label("External id").fill("customer-48211")
    page.get_by_role("button", name="Make link").click()
    heading(page, "Send this link to customer-48211")
    ada.finds_nothing_with_axe("the new link")
    ada.shoots("link-made-narrow")
    link = page.locator("#link").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == link
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    (found,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    assert found.text == link

    eve = person(viewport=NARROW, has_touch=True)
    eve.page.goto(link)
    heading(eve.page, "Before the camera opens")
    eve.finds_nothing_with_axe("consent by link")
    eve.page.get_by_label("I agree that my document").check()
    eve.page.get_by_role("button", name="Agree and start").click()
    heading(eve.page, "The side with your photo")
    assert eve.page.url.endswith("/v/s"), "the token is no longer in the address"
    eve.page.goto(link)
    heading(eve.page, "The side with your photo")

    page.get_by_role("link", name="I have sent it").click()
    expect(page.get_by_role("cell", name="1 of 3")).to_be_visible()
    page.get_by_text("Revoke", exact=False).first.click()
    ada.finds_nothing_with_axe("links")
    ada.shoots("links-narrow")
    page.set_viewport_size(WIDE)
    ada.shoots("links-wide")
    page.get_by_role("button", name="Revoke now").click()
    expect(page.get_by_text("Revoked")).to_be_visible()
    bob = person(viewport=NARROW)
    bob.page.goto(link)
    heading(bob.page, "This link has ended")
    bob.finds_nothing_with_axe("an ended link")


@pytest.mark.long
def test_long_names_and_hosts_fit_a_narrow_screen(person, server):
    ada = person(viewport=NARROW)
    page = ada.page
    ada.enrols()
    app = create_app(INSTANCE=server.instance, REGISTRATION="open")
    back = f"https://{'a-long-name.' * 15}example:8443/done"
    link = page.request.post("/api/v1/links", data={"external_user_id": "x" * 255, "return_url": back}).json()
    page.goto("/links")
    ada.finds_nothing_with_axe("links with long names")
    box = page.locator("table").bounding_box()
    assert box["width"] <= NARROW["width"], "nothing of it is hidden at the side"
    eve = person(viewport=NARROW)
    eve.page.goto(link["url"])
    eve.page.get_by_label("I agree that my document").check()
    eve.page.get_by_role("button", name="Agree and start").click()
    heading(eve.page, "The side with your photo")
    with app.app_context():
        db.run("UPDATE verifications SET status = 'passed' WHERE link_id = :id", id=link["id"])
    db.close(app)
    eve.page.reload()
    expect(eve.page.get_by_role("link", name="Go back to a-long-name.")).to_have_attribute("href", back)
    eve.finds_nothing_with_axe("an end that leads back")
    eve.shoots("link-end-narrow")


READ = """texts => texts.map(text => {
    try { const url = new URL(text); return [url.protocol, url.username, url.host] } catch { return null }
})"""


def test_a_browser_reads_return_urls_as_we_do(person):
    """Its parser is the one that follows them, and it repairs what we refuse."""
    page = person().page
    hosts = [text.split("/")[2].partition("?")[0].lower() for text in GOOD]
    assert page.evaluate(READ, list(GOOD)) == [["https:", "", host] for host in hosts]
    repaired = ["https:/evil.example", "https:\\\\evil.example", "ht\ttps://evil.example", "https://evil。example/"]
    assert page.evaluate(READ, repaired) == [["https:", "", "evil.example"]] * 4
    assert not [text for text in repaired if return_urls.is_safe(text, "live")]
