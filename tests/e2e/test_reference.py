"""The page of the API in a real browser: read by anybody, on any screen, by keyboard and on paper."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NARROW, SCREENSHOTS, WIDE

VIEWS = {"wide-light": WIDE, "wide-dark": WIDE, "narrow-light": NARROW, "narrow-dark": NARROW}


@pytest.mark.long
def test_the_page_of_the_api_reads_well_everywhere(person):
    stranger = person()
    page = stranger.page
    page.goto("/docs")
    expect(page.get_by_role("heading", level=1)).to_have_text("The API")
    for name, view in VIEWS.items():
        page.set_viewport_size(view)
        page.emulate_media(color_scheme=name.split("-")[1])
        stranger.finds_nothing_with_axe(f"docs, {name}")
        page.screenshot(
            path=SCREENSHOTS / f"docs-{name}.png",
            clip={"x": 0, "y": 0, "width": view["width"], "height": 5000},
            full_page=True,
        )
        page.goto("/docs#rotateKey")
        expect(page.locator("#rotateKey")).to_be_in_viewport()
        page.screenshot(path=SCREENSHOTS / f"docs-call-{name}.png")
        page.goto("/docs")
    page.set_viewport_size(NARROW)
    example = page.get_by_role("group", name="Begin a session")
    example.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "name => document.querySelector(`[aria-label='${name}']`).scrollLeft > 0", arg="Begin a session"
    )


def test_a_call_is_found_by_the_table_of_contents_and_its_problems_by_their_links(person):
    page = person().page
    page.goto("/docs")
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="Put another key in its place").click()
    call = page.locator("#rotateKey")
    expect(call).to_be_in_viewport()
    expect(call).to_contain_text("whole number, 0 to 72; 24 without it")
    call.get_by_role("link", name="too_many_keys").click()
    expect(page.locator("#too_many_keys")).to_be_in_viewport()


def test_the_keys_page_leads_to_the_page_of_the_api(person):
    ada = person()
    ada.enrols()
    ada.page.goto("/keys")
    ada.page.get_by_role("link", name="How to use a key").click()
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("The API")


def test_the_page_is_printed_without_what_is_for_the_screen(person):
    stranger = person()
    stranger.page.goto("/docs")
    stranger.page.emulate_media(media="print")
    expect(stranger.page.get_by_role("navigation", name="On this page")).to_be_hidden()
    stranger.page.pdf(path=SCREENSHOTS / "docs.pdf")
