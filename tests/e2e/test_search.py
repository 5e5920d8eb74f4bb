"""Face search in a real browser: a known face is found again by a photo that nobody kept, and blocked."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from fv.analysis import faces, images
from tests.e2e.conftest import NARROW, WIDE

FACES = Path(__file__).parents[1] / "data" / "faces"
VIEWS = {"wide-light": WIDE, "wide-dark": WIDE, "narrow-light": NARROW, "narrow-dark": NARROW}


def known(ada, *names):
    """Somebody who was here before, by their real face."""
    model = faces.load()
    for name in names:
        face = model.find(images.decode((FACES / f"{name}.jpg").read_bytes())).face
        body = {"embedding": list(face.template), "model": model.model.id, "external_user_id": name.replace("_", "-")}
        assert ada.page.request.post("/api/v1/fingerprints", data=body).status == 201


def looks(ada, what):
    for name, view in VIEWS.items():
        ada.page.set_viewport_size(view)
        ada.page.emulate_media(color_scheme=name.split("-")[1])
        ada.finds_nothing_with_axe(f"{what}, {name}")
        ada.shoots(f"{what}-{name}")


def asks(page, photo=None, **fields):
    if photo:
        page.get_by_label("Or a photo").set_input_files(FACES / photo if isinstance(photo, str) else photo)
    for label, text in ({"Reason": "seen at the door"} | fields).items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Search", exact=True).click()


@pytest.mark.long
def test_a_known_face_is_found_by_a_photo_and_blocked(person):
    ada = person()
    page = ada.page
    ada.enrols()
    page.get_by_role("link", name="Face search").click()
    expect(page.get_by_role("heading", name="No faces yet")).to_be_visible()
    looks(ada, "search-empty")

    known(ada, "person_a_1", "person_b", "person_c")
    page.set_viewport_size(WIDE)
    page.goto("/search")
    page.get_by_label("From, as a slider").fill("0.8")
    expect(page.get_by_label("From", exact=True)).to_have_value("0.80")
    page.get_by_label("From", exact=True).fill("0.95")
    expect(page.get_by_label("From, as a slider")).to_have_value("0.95")
    looks(ada, "search-form")

    asks(page, {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"}, From="0")
    expect(page.get_by_role("alert")).to_contain_text("This is not a photo.")
    expect(page.get_by_label("Reason", exact=True)).to_have_value("seen at the door")
    looks(ada, "search-refused")

    asks(page, "person_a_2.jpg", Reason="comes back")
    expect(page.get_by_role("heading", name="Results for this photo")).to_be_focused()
    rows = page.locator("#results tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("person-a-1")
    expect(rows.first.locator("[data-status=match]")).to_be_visible()
    expect(rows.locator("[data-status=no]")).to_have_count(2)
    expect(page.locator("#sure")).to_contain_text("3 of 3")
    looks(ada, "search-results")

    rows.first.get_by_role("button", name="Block").click()
    expect(page.get_by_label("Reason to block").first).to_be_focused()
    looks(ada, "search-block")
    page.keyboard.type("forged passport")
    page.keyboard.press("Enter")
    expect(rows.first).to_contain_text("Blocked")
    expect(page.locator("#blocked")).to_contain_text("forged passport")
    expect(rows).to_have_count(3)
    looks(ada, "search-blocked")
    rows.first.get_by_role("button", name="Unblock").click()
    expect(rows.first.get_by_role("button", name="Block")).to_be_visible()
    expect(page.locator("#blocked")).to_contain_text("None.")

    asks(page, "person_b.jpg", Reason="again", From="0.99")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    asks(page, "person_a_2.jpg", Reason="again", From="0.99")
    expect(page.get_by_role("heading", name="Nobody is as alike as that")).to_be_visible()
    looks(ada, "search-nobody")


@pytest.mark.long
def test_a_face_is_searched_and_blocked_without_a_script(person):
    ada = person(java_script_enabled=False, viewport=NARROW)
    page = ada.page
    ada.enrols()
    known(ada, "person_a_1")
    page.goto("/search")
    expect(page.get_by_label("From, as a slider")).to_be_hidden()
    asks(page, "person_a_2.jpg", Reason="no script")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    ada.shoots("search-no-script")
    page.get_by_role("button", name="Block person-a-1").click()
    page.get_by_label("Reason to block").fill("by hand")
    page.get_by_role("button", name="Block now").click()
    expect(page).to_have_url(re.compile("/search#blocked$"))
    expect(page.locator("#blocked")).to_contain_text("by hand")
    page.locator("#blocked summary").click()
    page.locator("#blocked").get_by_role("button", name="Remove now").click()
    expect(page.locator("#blocked")).to_contain_text("None.")
