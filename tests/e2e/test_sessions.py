"""Sessions in a real browser: looking at photos, deciding, and how the pages look."""

import pytest
from playwright.sync_api import expect

from fv import create_app, db
from tests.e2e.conftest import NARROW, WIDE
from tests.photos import photographed

STATUSES = ("passed", "failed", "canceled", "analyzing", "passed", "review")


@pytest.fixture
def workshop(server):
    """The app of the server once more, to put people's photos into its database."""
    app = create_app(INSTANCE=server.instance, REGISTRATION="open")
    yield app
    db.close(app)


def make(ada, user, mode="live"):
    answer = ada.page.request.post("/api/v1/sessions", data={"external_user_id": user})
    assert answer.status == 201
    return answer.json()["session_id"]


def seeded(ada, app):
    """One session of each kind; the one in review, with a score."""
    for number, status in enumerate(STATUSES):
        id = make(ada, f"customer-{48206 + number}")
        if status in ("passed", "failed", "review"):
            photographed(app, id, status)
        with app.app_context():
            score = {"passed": 94, "failed": 21, "review": 58}.get(status)
            db.run(
                "UPDATE verifications SET status = :status, trust_score = :score WHERE id = :id",
                id=id, status=status, score=score,
            )  # fmt: skip
            if status == "analyzing":  # somebody has it, so nobody finishes it under the camera
                db.run("UPDATE verifications SET leased_until = 9999999999 WHERE id = :id", id=id)
    make(ada, "driver-0916")
    return id


@pytest.mark.long
@pytest.mark.parametrize(("name", "view"), [("wide-light", WIDE), ("narrow-dark", NARROW)])
def test_how_the_pages_of_sessions_look(person, workshop, name, view):
    ada = person(viewport=view, color_scheme=name.split("-")[1], has_touch=view is NARROW)
    page = ada.page
    ada.enrols()

    def looks(what):
        ada.finds_nothing_with_axe(f"{what} {name}")
        ada.shoots(f"{what}-{name}")

    def shows(name):
        page.get_by_role("button", name=f"Show {name}").click()
        page.get_by_role("img", name=f"{name} of").evaluate("image => image.decode()")

    page.goto("/sessions")
    looks("sessions-empty")
    page.goto("/review")
    looks("review-empty")
    id = seeded(ada, workshop)
    page.goto("/sessions")
    looks("sessions")
    page.goto("/sessions?external_user_id=customer-99999")
    looks("sessions-no-match")
    page.goto(f"/sessions/{id}")
    looks("session")
    shows("ID photo")
    looks("session-shown")
    page.goto("/review")
    shows("ID photo")
    shows("Selfie")
    looks("review")
    page.goto("/sessions#new")
    page.get_by_label("External id").last.fill("customer-1")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Send this link to customer-1")
    looks("session-made")
    page.goto("/dashboard")
    looks("overview")


@pytest.mark.parametrize("script", [True, pytest.param(False, marks=pytest.mark.long)], ids=["script", "no script"])
def test_a_person_looks_and_decides(person, workshop, script):
    ada = person(java_script_enabled=script)
    page = ada.page
    ada.enrols()
    first, second = make(ada, "customer-1"), make(ada, "customer-2")
    for id in (first, second):
        photographed(workshop, id)
    page.get_by_role("link", name="Review").first.click()
    who = page.locator(".card h2").first.inner_text()
    page.get_by_role("button", name="Show Selfie").click()
    image = page.get_by_role("img", name=f"Selfie of {who}")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640
    if script:
        expect(page).to_have_title("Review · FaceVault")
        expect(page.get_by_role("link", name=f"Selfie of {who}")).to_be_focused()
    else:
        page.go_back()
    page.get_by_label("Reason").fill("The same face twice.")
    page.get_by_role("button", name="Pass").click()
    expect(page.locator(".card h2").first).not_to_have_text(who)
    page.get_by_label("Reason").fill("Not the same.")
    page.get_by_role("button", name="Fail").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    page.goto("/audit?event=session.photo_viewed")
    assert page.get_by_role("row").count() == 2, "a heading, and one viewing"


@pytest.mark.long
def test_the_list_follows_what_happens(person, workshop):
    ada = person()
    page = ada.page
    ada.enrols()
    id = make(ada, "customer-1")
    with workshop.app_context():
        db.run("UPDATE verifications SET status = 'in_progress' WHERE id = :id", id=id)
    page.goto("/sessions")
    page.get_by_label("External id").first.fill("typed meanwhile")
    page.get_by_role("link", name="customer-1").focus()
    with workshop.app_context():
        db.run("UPDATE verifications SET status = 'failed' WHERE id = :id", id=id)
    expect(page.locator("#rows [data-status=failed]")).to_be_visible(timeout=20_000)
    expect(page.locator("#tab-failed .num")).to_have_text("1")
    expect(page.get_by_label("External id").first).to_have_value("typed meanwhile")
    expect(page.get_by_role("link", name="customer-1")).to_be_focused()


@pytest.mark.long
@pytest.mark.parametrize("view", [WIDE, NARROW], ids=["wide", "narrow"])
def test_what_somebody_typed_is_wrapped_however_long_it_is(person, workshop, view):
    ada = person(viewport=view)
    page = ada.page
    ada.email = f"a.very.long.name.of.a.developer.{ada.email.split('@')[0]}@subdomain.example.org"

    def fits(what):
        too_wide = """[document.documentElement, ...document.querySelectorAll('.card')]
            .filter(one => one.scrollWidth > one.clientWidth).map(one => one.className)"""
        assert page.evaluate(too_wide) == [], f"{what} is wider than its place"

    ada.signs_up()
    fits("setup")
    ada.scans(), ada.confirms(), ada.codes(), ada.dismisses()
    id = make(ada, "customer_" + 240 * "x")
    photographed(workshop, id, "review")
    for path in ("/sessions", "/review", f"/sessions/{id}"):
        page.goto(path)
        fits(path)
    page.get_by_label("Reason").fill(400 * "x")
    page.get_by_role("button", name="Pass").click()
    expect(page.locator(".timeline")).to_contain_text("Passed by a person")
    fits("a decision")
    page.goto("/audit")
    fits("the audit trail")
    page.goto("/keys")
    page.get_by_label("Name", exact=True).fill(80 * "x")
    page.get_by_role("button", name="Create key").click()
    expect(page.locator("#secret")).to_be_visible()
    fits("a key")
