"""Retention and erasure in a real browser, with the real background process: days, a hold, a person who erases."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NARROW
from tests.e2e.test_search import looks
from tests.e2e.test_sessions import workshop
from tests.photos import examined, photographed
from tests.reports import report

__all__ = ["workshop"]


def made(ada, app, user):
    """A session with everything: its id, and the address of its person."""
    answer = ada.page.request.post("/api/v1/sessions", data={"external_user_id": user}).json()
    photographed(app, answer["session_id"], None)
    examined(app, answer["session_id"], report())
    return answer["session_id"], answer["capture_url"]


@pytest.mark.long
def test_days_are_chosen_a_session_is_held_and_erased_and_a_person_erases_their_own(person, server, workshop):
    ada = person()
    page = ada.page
    ada.enrols()
    page.get_by_role("link", name="Retention").click()
    expect(page.get_by_role("heading", name="Nothing was erased yet")).to_be_visible()
    looks(ada, "retention-empty")
    first, capture = made(ada, workshop, "customer-48206")
    second, _ = made(ada, workshop, "customer-48207")

    page.goto("/retention")
    page.get_by_label("Photos, days").fill("7")
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is erased at once.")
    expect(page.get_by_role("alert")).to_contain_text("In the next 7 days it is 2 sessions")
    looks(ada, "retention-preview")
    page.get_by_label("Photos, days").fill("0")
    page.get_by_role("button", name="Show again").click()
    expect(page.get_by_role("alert")).to_contain_text("a whole number of days from 1 to 3,650")
    page.get_by_label("Photos, days").fill("7")
    page.get_by_role("button", name="Show what would go").click()
    page.get_by_role("button", name="Keep these days").click()
    expect(page.get_by_role("button", name="Keep these days")).to_have_count(0)
    expect(page.get_by_label("Photos, days")).to_have_value("7")

    page.goto(f"/sessions/{second}")
    page.get_by_text("Put it on legal hold").click()
    page.get_by_label("Until the end of").fill("2030-05-03")
    page.locator("#hold-reason").fill("file 77 of the court")
    looks(ada, "session-data")
    page.get_by_role("button", name="Hold", exact=True).click()
    expect(page.get_by_text("until 3 May 2030", exact=False).or_(page.get_by_text("4 May 2030"))).to_be_visible()
    page.goto("/retention")
    expect(page.get_by_role("heading", name="Legal holds")).to_be_visible()

    eve = person(viewport=NARROW, has_touch=True)
    eve.page.goto(capture)
    expect(eve.page.get_by_role("heading", level=1)).to_have_text("Received. Thank you.")
    eve.shoots("capture-end-receipt")
    eve.page.get_by_role("link", name="What is kept of you").click()
    expect(eve.page.get_by_role("heading", level=1)).to_have_text("What is kept of you")
    looks(eve, "receipt")
    eve.page.get_by_role("checkbox").check()
    eve.page.get_by_role("button", name="Erase now").click()
    expect(eve.page.get_by_role("heading", level=1)).to_have_text("Nothing is kept of you")
    expect(eve.page.get_by_role("link", name="Signed receipt")).to_be_visible(timeout=20_000)  # nobody reloads the page
    looks(eve, "receipt-erased")
    with eve.page.expect_download() as download:
        eve.page.get_by_role("link", name="Signed receipt").click()
    file = download.value.path()
    assert "signed by this service and unchanged" in server.run("erase", "--verify", str(file)).stdout
    eve.page.get_by_role("link", name="How long things are kept here").click()
    looks(eve, "policy")

    page.reload()
    expect(page.locator("#erasures").get_by_text("The person asked for it")).to_be_visible()
    looks(ada, "retention")
    page.goto(f"/sessions/{first}")
    expect(page.get_by_text("Photos erased, with what was read from them")).to_be_visible()
    page.goto(f"/sessions/{second}")
    page.get_by_text("End the hold").first.click()
    page.get_by_role("button", name="End the hold now").click()
    page.get_by_text("Erase it now").click()
    page.get_by_label("Why").first.fill("they wrote to us")
    page.get_by_role("button", name="Erase photos").click()
    expect(page.get_by_text("Photos erased, with what was read from them")).to_be_visible()
    ada.shoots("session-erased")
