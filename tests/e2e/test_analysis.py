"""From the end user's photos to what a person sees: a real face, a specimen of a document, the real worker."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from playwright.sync_api import expect

from fv import create_app, db
from tests.e2e.conftest import NARROW, WIDE
from tests.e2e.test_capture import agrees, gives, heading

DATA = Path(__file__).parents[1] / "data"
ANALYSED = 90_000  # ms for two sessions: models are loaded once, a session takes 4 s here
PHONE_HOST = "http://vault.test"  # without HTTPS: the file field, and no camera


def file(path, mirrored=False):
    image = Image.open(DATA / path)
    out = io.BytesIO()
    (ImageOps.mirror(image) if mirrored else image).save(out, "JPEG", quality=92)
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def asked(ada, user="customer-1"):
    """A session whose person is to turn the head to a side, and which one: no photo here looks up."""
    while True:
        made = ada.page.request.post("/api/v1/sessions", data={"external_user_id": user}).json()
        bearer = {"Authorization": f"Bearer {made['session_token']}"}
        way = ada.page.request.get("/api/v1/capture/status", headers=bearer).json()["challenge"]
        if way != "up":
            return made, way


def photographed(eve, link, selfie, way):
    agrees(eve, link)
    heading(eve, "The side with your photo")
    gives(eve, file("documents/specimen_td3.jpg"))
    heading(eve, "Now your face")
    gives(eve, selfie)
    heading(eve, f"Turn your head to the {way}")
    gives(eve, file("faces/person_a_1.jpg"))
    heading(eve, "All three are there")
    eve.page.get_by_role("button", name="Send my photos").click()
    heading(eve, "Received. Thank you.")


@pytest.mark.long
def test_photos_are_examined_and_a_person_sees_what_was_found(person, server):
    ada = person()
    page = ada.page
    ada.enrols()
    (made, way), host = asked(ada), f"{PHONE_HOST}:{server.port}"
    selfie = file("faces/person_a_2.jpg", mirrored=way == "right")  # looks 17 degrees to a side, person_a_1 straight on
    photographed(person(viewport=NARROW, base_url=host), made["capture_url"].replace(server.url, ""), selfie, way)
    id = made["session_id"]
    page.goto(f"/sessions/{id}")
    ada.shoots("analysis-waiting")
    expect(page.get_by_role("heading", name="Decision", exact=True)).to_be_visible(
        timeout=ANALYSED
    )  # nobody reloads the page
    expect(page.locator("#progress")).to_have_count(0)
    expect(page.locator(".likenesses [data-status=match]")).to_have_count(3)
    expect(page.get_by_text(re.compile(r"^The head turned about \d+ degrees: "))).to_be_visible()
    assert "SPECIMEN" not in page.content() and "L898902C3" not in page.content()

    told = page.request.get(f"/api/v1/sessions/{id}").json()
    assert (told["status"], told["trust_decision"], told["face_match_passed"]) == ("passed", "accept", True)
    assert set(told["checks"].values()) == {"ok"}
    document = page.request.get(f"/api/v1/sessions/{id}/document").json()
    read = {name: document[name]["value"] for name in ("surname", "given_names", "date_of_birth", "document_number")}
    assert read == {
        "surname": "SPECIMEN", "given_names": "ALEX JORDAN", "date_of_birth": "1974-08-12",
        "document_number": "L898902C3",
    }  # fmt: skip
    assert document["document_number"] | {"printed": None} == {
        "value": "L898902C3", "source": "both", "agrees": True, "confidence": "high", "printed": None
    }  # fmt: skip

    page.get_by_role("button", name="Show what was read").click()
    expect(page.get_by_role("row", name=re.compile("Surname SPECIMEN .*Agrees"))).to_be_visible()
    for name in ("wide-light", "wide-dark", "narrow-light", "narrow-dark"):
        looks(ada, f"analysis-session-{name}", name)
    page.goto("/audit?event=session.document_viewed")
    assert page.get_by_role("row").count() == 3, "a heading, once by the API, once on the page"

    again, way = asked(ada, "customer-2")  # the same face under another name
    selfie = file("faces/person_a_2.jpg", mirrored=way == "right")
    photographed(person(viewport=NARROW, base_url=host), again["capture_url"].replace(server.url, ""), selfie, way)
    page.set_viewport_size(WIDE)
    page.goto(f"/sessions/{again['session_id']}")
    expect(page.get_by_role("heading", name="Decision", exact=True)).to_be_visible(timeout=ANALYSED)
    checks = page.request.get(f"/api/v1/sessions/{again['session_id']}").json()["checks"]
    assert (checks["duplicate"], checks["face_match"]) == ("review", "ok")
    page.goto("/review")
    expect(page.get_by_text("Another person of this account has the same face")).to_be_visible()
    for what in ("document portrait", "Selfie"):
        page.get_by_role("button", name=f"Show {what}").click()
        page.get_by_role("img", name=re.compile(what, re.I)).evaluate("image => image.decode()")
    expect(page.locator(".card .status[data-status=match]")).to_be_visible()
    for name in ("wide-light", "narrow-dark"):
        looks(ada, f"analysis-review-{name}", name)


def looks(ada, what, name):
    ada.page.set_viewport_size(WIDE if name.startswith("wide") else NARROW)
    ada.page.emulate_media(color_scheme=name.split("-")[1])
    ada.finds_nothing_with_axe(what)
    ada.shoots(what)


@pytest.mark.parametrize("script", [True, pytest.param(False, marks=pytest.mark.long)], ids=["script", "no script"])
@pytest.mark.long
def test_a_page_follows_its_session_through_the_queue(person, server, script):
    ada = person(java_script_enabled=script)
    page = ada.page
    ada.enrols()
    id = page.request.post("/api/v1/sessions", data={"external_user_id": "customer-1"}).json()["session_id"]
    app = create_app(INSTANCE=server.instance, REGISTRATION="open")

    def becomes(status, lease):
        with app.app_context():
            db.run(
                "UPDATE verifications SET status = :status, submitted_at = 9, leased_until = :lease WHERE id = :id",
                status=status, lease=lease, id=id,
            )  # fmt: skip

    try:
        becomes("analyzing", 9_999_999_999)  # somebody has it, so nobody finishes it under the camera
        page.goto(f"/sessions/{id}")
        expect(page.get_by_text("Being analysed")).to_be_visible()
        ada.shoots(f"analysis-taken-{'script' if script else 'no-script'}")
        if script:
            ada.finds_nothing_with_axe("a session that is analysed")
        becomes("failed", None)
        if not script:
            page.get_by_role("link", name="Look again").click()
        expect(page.locator(".head [data-status=failed]")).to_be_visible()
        expect(page.get_by_text("Being analysed")).to_have_count(0)
    finally:
        db.close(app)


@pytest.mark.long
@pytest.mark.parametrize(("name", "view"), [("wide-light", WIDE), ("narrow-dark", NARROW)])
def test_how_made_up_sessions_look(person, server, name, view):
    email = f"demo.{name}@example.org"
    done = server.run("demo", "--yes", "--email", email, "--sessions", "20", "--photos", "3")
    assert done.returncode == 0, done.stderr
    said = dict(re.findall(r"^(\w+)  +(\S.*)$", done.stdout, re.M))
    ada = person(viewport=view, color_scheme=name.split("-")[1])
    ada.email, ada.password, ada.secret = email, said["Password"], said["Key"].replace(" ", "")
    ada.proves_password()
    ada.page.get_by_label("Six-digit code").fill(ada.code())
    ada.page.get_by_role("button", name="Sign in", exact=True).click()
    heading(ada, "Overview")
    ada.page.goto("/review")
    for what in ("document portrait", "Selfie"):
        ada.page.get_by_role("button", name=f"Show {what}").click()
        ada.page.get_by_role("img", name=re.compile(what, re.I)).evaluate("image => image.decode()")
    looks(ada, f"demo-review-{name}", name)
    ada.page.locator(".card h2 a").first.click()
    ada.page.get_by_role("button", name="Show what was read").click()
    expect(ada.page.get_by_text("nobody read this document")).to_be_visible()
    looks(ada, f"demo-session-{name}", name)
