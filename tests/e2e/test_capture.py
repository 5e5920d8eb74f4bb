"""The end user's way, on a phone: by file and by camera."""

import io
import re

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.conftest import NARROW, WIDE

PHONE = {"viewport": NARROW, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
WAYS = re.compile("Turn your head to the (left|right)|Look up")


def photo(width=1200, height=900):
    file = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(file, "JPEG")
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


@pytest.fixture(scope="module")
def ask(browser, server):
    """`ask()`: the link of a new session, of one account for all these tests."""
    from tests.e2e.conftest import Person

    holder = Person(browser, server)
    holder.enrols()

    def new():
        made = holder.page.request.post("/api/v1/sessions", data={"external_user_id": "user 1"}).json()
        return made["capture_url"].replace(server.url, "")

    yield new
    holder.context.close()


def heading(eve, text):
    expect(eve.page.get_by_role("heading", level=1)).to_have_text(text)


def agrees(eve, link):
    eve.page.goto(link)
    heading(eve, "Before the camera opens")
    eve.page.get_by_label("I agree that my document").check()
    eve.page.get_by_role("button", name="Agree and start").click()


def gives(eve, file):
    eve.page.get_by_label("Take the photo, or choose a file").set_input_files(file)
    eve.page.get_by_role("button", name="Use this photo").click()


def shoots(eve):
    eve.page.get_by_role("button", name="Take the photo", exact=True).click()
    eve.page.get_by_role("button", name="Use this photo").click()


@pytest.mark.parametrize("script", [True, pytest.param(False, marks=pytest.mark.long)], ids=["script", "no-script"])
def test_the_whole_way_by_file(person, server, ask, script):
    """Without HTTPS there is no camera for a page: the file field opens the phone's own."""
    eve = person(**PHONE, base_url=f"http://vault.test:{server.port}", java_script_enabled=script)
    look = "script" if script else "no-script"
    agrees(eve, ask())
    heading(eve, "The side with your photo")
    eve.shoots(f"capture-file-{look}")
    gives(eve, {"name": "cat.gif", "mimeType": "image/gif", "buffer": b"GIF89a no photo"})
    expect(eve.page.get_by_role("alert")).to_contain_text("This photo cannot be used.")
    eve.shoots(f"capture-refused-{look}")
    gives(eve, photo())
    heading(eve, "Now your face")
    eve.page.reload()
    heading(eve, "Now your face")
    gives(eve, photo(900, 1200))
    heading(eve, WAYS)
    gives(eve, photo(901, 1200))
    heading(eve, "All three are there")
    eve.page.get_by_role("link", name="Retake Selfie").click()
    heading(eve, "Now your face")
    gives(eve, photo(902, 1200))
    heading(eve, "All three are there")
    eve.page.get_by_role("button", name="Retake Head turn").click()
    heading(eve, WAYS)
    eve.page.get_by_role("link", name="Keep the photo that is there").click()
    heading(eve, "All three are there")
    eve.page.get_by_role("button", name="Send my photos").click()
    heading(eve, "Received. Thank you.")


@pytest.mark.long
def test_the_whole_way_by_camera(person, ask):
    eve = person(**PHONE)
    agrees(eve, ask())
    heading(eve, "The side with your photo")
    expect(eve.page.get_by_role("button", name="Take the photo", exact=True)).to_be_visible()
    eve.finds_nothing_with_axe("the live view")
    eve.shoots("capture-live")
    eve.page.get_by_role("button", name="Take the photo", exact=True).click()
    expect(eve.page.get_by_role("button", name="Retake")).to_be_visible()
    expect(eve.page.get_by_role("status")).to_have_text("Sharp, and nothing cut off?")
    eve.finds_nothing_with_axe("the photo that was taken")
    eve.shoots("capture-taken")
    eve.page.get_by_role("button", name="Retake").click()
    shoots(eve)
    heading(eve, "Now your face")
    eve.shoots("capture-live-selfie")
    shoots(eve)
    heading(eve, WAYS)
    expect(eve.page.get_by_role("button", name="Take the photo", exact=True)).to_be_visible()
    eve.shoots("capture-live-turn")
    shoots(eve)
    heading(eve, "All three are there")
    eve.page.get_by_role("button", name="Send my photos").click()
    heading(eve, "Received. Thank you.")
    with eve.page.expect_response("**/v/s"):
        pass  # it asks again by itself
    expect(eve.page.get_by_role("list", name="Progress")).to_have_count(1)
    heading(eve, "Received. Thank you.")


@pytest.mark.long
def test_a_file_is_shown_before_it_is_sent_and_a_large_one_is_made_smaller(person, server, ask):
    eve = person(**PHONE)
    agrees(eve, ask())
    expect(eve.page.get_by_role("button", name="Take the photo", exact=True)).to_be_visible()
    large = io.BytesIO()
    Image.effect_noise((4000, 3000), 90).save(large, "PNG")
    assert len(large.getvalue()) > 10 * 1024 * 1024
    with eve.page.expect_file_chooser() as chooser:
        eve.page.get_by_role("button", name="Choose file").click()
    chooser.value.set_files({"name": "large.png", "mimeType": "image/png", "buffer": large.getvalue()})
    expect(eve.page.get_by_role("button", name="Retake")).to_be_visible()
    eve.page.get_by_role("button", name="Use this photo").click()
    heading(eve, "Now your face")


def test_without_a_connection_the_photo_stays_and_can_be_sent_again(person, ask):
    eve = person(**PHONE)
    agrees(eve, ask())
    eve.page.get_by_role("button", name="Take the photo", exact=True).click()
    eve.context.set_offline(True)
    eve.page.get_by_role("button", name="Use this photo").click()
    expect(eve.page.get_by_role("alert")).to_have_text("No connection: this was not sent.")
    expect(eve.page.get_by_role("button", name="Try again")).to_be_focused()
    expect(eve.page.locator("canvas")).to_be_visible()
    eve.finds_nothing_with_axe("the photo that was not sent")
    eve.shoots("capture-offline")
    sent = []
    eve.page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    eve.context.set_offline(False)
    expect(eve.page.get_by_role("alert")).to_have_text("The connection is back.")
    eve.complaints.clear()  # the browser's own word about it
    eve.page.get_by_role("button", name="Try again").click()
    heading(eve, "Now your face")
    assert len(sent) == 1
    eve.page.reload()
    heading(eve, "Now your face")


@pytest.mark.long
def test_what_the_service_cannot_do_now_is_said_and_the_photo_stays(person, ask):
    eve = person(**PHONE)
    agrees(eve, ask())
    eve.page.get_by_role("button", name="Take the photo", exact=True).click()
    busy = '<section class="problem"><p class="code">503</p><h1>x</h1><p>The service is very busy.</p></section>'
    eve.page.route("**/v/s/photos/**", lambda route: route.fulfill(status=503, body=busy, content_type="text/html"))
    eve.page.get_by_role("button", name="Use this photo").click()
    expect(eve.page.get_by_role("alert")).to_have_text("The service is very busy.")
    expect(eve.page.locator("canvas")).to_be_visible()
    eve.page.unroute("**/v/s/photos/**")
    eve.page.get_by_role("button", name="Try again").click()
    heading(eve, "Now your face")


@pytest.mark.long
def test_a_desktop_hands_over_to_the_phone_and_follows_it(person, ask):
    desk, phone = person(), person(**PHONE)
    desk.page.goto(ask())
    code = desk.page.get_by_role("img", name="QR code that opens this page on your phone")
    expect(code).to_be_visible()
    desk.finds_nothing_with_axe("the hand-off")
    desk.shoots("capture-handoff")
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(code.screenshot())))
    agrees(phone, found.text)
    heading(desk, "The side with your photo")
    expect(desk.page.get_by_role("button", name="Open the camera")).to_be_visible()
    expect(code).to_be_visible()
    desk.shoots("capture-handoff-id")
    phone.page.get_by_text("Use another phone or browser").click()
    expect(phone.page.get_by_role("img", name="QR code")).to_have_count(0)
    expect(phone.page.locator("#address")).to_have_text(found.text)
    phone.finds_nothing_with_axe("the address to copy")
    phone.shoots("capture-address")
    desk.page.get_by_label("Take the photo, or choose a file").set_input_files(photo())
    shoots(phone)
    heading(phone, "Now your face")
    with desk.page.expect_event("console", lambda message: message.text == "four seconds have passed"):
        desk.page.evaluate("setTimeout(() => console.log('four seconds have passed'), 4500)")
    heading(desk, "The side with your photo")  # a photo is chosen here: nothing is taken away
    desk.page.get_by_role("button", name="Retake").click()
    heading(desk, "Now your face")


@pytest.mark.parametrize(
    ("scheme", "size"),
    [
        ("dark", {"width": 320, "height": 568}),
        pytest.param("light", NARROW, marks=pytest.mark.long),
        pytest.param("light", WIDE, marks=pytest.mark.long),
    ],
    ids=["dark", "light", "wide"],
)
def test_axe_finds_nothing_on_the_way(person, server, ask, scheme, size):
    eve = person(viewport=size, color_scheme=scheme, base_url=f"http://vault.test:{server.port}")
    look = f"{scheme}-{size['width']}"

    def check(name):
        eve.finds_nothing_with_axe(f"{name} {look}")
        eve.shoots(f"capture-{name}-{look}")

    link = ask()
    eve.page.goto(link)
    check("consent")
    agrees(eve, link)
    heading(eve, "The side with your photo")
    check("id")
    eve.page.get_by_label("Take the photo, or choose a file").set_input_files(photo())
    expect(eve.page.get_by_role("button", name="Retake")).to_be_visible()
    check("id-chosen")
    eve.page.get_by_role("button", name="Use this photo").click()
    heading(eve, "Now your face")
    gives(eve, photo(900, 1200))
    heading(eve, WAYS)
    check("turn")
    gives(eve, {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"})
    expect(eve.page.get_by_role("alert")).to_be_visible()
    check("turn-refused")
    gives(eve, photo(901, 1200))
    heading(eve, "All three are there")
    check("sending")
    eve.page.get_by_role("button", name="Send my photos").click()
    heading(eve, "Received. Thank you.")
    check("end")
    eve.page.goto("/?sid=x&st=y")
    heading(eve, "Open your link again")
    check("no-session")
