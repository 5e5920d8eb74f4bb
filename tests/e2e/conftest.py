"""Debian's Chromium, driven over a real server. Screenshots go to screenshots/, which git ignores."""

import io
import secrets
import shutil
import time
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import PASSWORD
from tests.live import Server

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
#: Everything that moves has come to rest, but for what turns for ever; one that is taken away meanwhile is at rest too.
SETTLED = """document.getAnimations()
    .filter(one => one.effect.getComputedTiming().endTime !== Infinity).forEach(one => one.finish())"""
#: Quarters of the screen's size. At one size alone the reader misses 1 of 150 codes of 2 pixels a module.
NEARER = (4, 6, 8, 5, 7, 3)
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "there is no Chromium on this machine: sudo apt install chromium"
    SCREENSHOTS.mkdir(exist_ok=True)
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
    options.append("--host-resolver-rules=MAP vault.test 127.0.0.1")  # a name that is neither localhost nor HTTPS
    options += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]  # a camera, and leave to use it
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    server.ends()


@pytest.fixture
def person(browser: Browser, server: Server):
    """Somebody with a browser and a phone; the test fails if the page breaks the security policy or logs an error."""
    people: list[Person] = []

    def come(**context) -> Person:
        people.append(Person(browser, server, **context))
        return people[-1]

    yield come
    for one in people:
        one.context.close()
        assert one.complaints == []


class Person:
    def __init__(self, browser: Browser, server: Server, **context) -> None:
        self.server, self.email, self.password = server, f"ada.{secrets.token_hex(3)}@example.org", PASSWORD
        defaults = {"viewport": WIDE, "base_url": server.url}
        self.context: BrowserContext = browser.new_context(**(defaults | context))
        if context.get("java_script_enabled", True):
            self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.context.set_default_timeout(10_000)  # ms
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.secret = ""

    def _heard(self, message) -> None:
        """Chromium reports every answer from 400 on as an error of the console; those are tested by their text."""
        if message.type in ("error", "warning") and "the server responded with a status of" not in message.text:
            self.complaints.append(f"{message.text} {message.location}")

    def signs_up(self) -> None:
        self.page.goto("/register")
        self.page.get_by_label("Email").fill(self.email)
        self.page.get_by_label("Password").fill(self.password)
        self.page.get_by_role("button", name="Create account").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Two-factor authentication is required")

    def scans(self) -> str:
        """Read the QR off the screen as a phone does, which moves nearer until it can; the otpauth: address."""
        screen = Image.open(io.BytesIO(self.page.screenshot(full_page=True)))
        frames = (
            zxingcpp.read_barcodes(screen.resize((n * screen.width // 4, n * screen.height // 4))) for n in NEARER
        )
        (found,) = next(filter(None, frames), [])
        self.secret = parse_qs(urlsplit(found.text).query)["secret"][0]
        return unquote(found.text)

    def code(self, step: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(time.time() + 30 * step)

    def confirms(self, code: str | None = None) -> None:
        self.page.get_by_label("Type the six digits it shows").fill(code or self.code())
        self.page.get_by_role("button", name="Confirm").click()

    def codes(self) -> list[str]:
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Save your ten backup codes")
        return self.page.locator("#codes code").all_inner_texts()

    def dismisses(self) -> None:
        self.page.get_by_role("button", name="I have saved them").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Overview")

    def enrols(self) -> list[str]:
        self.signs_up()
        self.scans()
        self.confirms()
        codes = self.codes()
        self.dismisses()
        return codes

    def signs_out(self) -> None:
        self.page.get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Sign in")

    def proves_password(self) -> None:
        self.page.goto("/login")
        self.page.get_by_label("Email").fill(self.email)
        self.page.get_by_label("Password").fill(self.password)
        self.page.get_by_role("button", name="Continue").click()

    def shoots(self, name: str) -> None:
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def finds_nothing_with_axe(self, what: str) -> None:
        self.page.mouse.move(0, 0)  # what the pointer happens to rest on is changing its colour
        self.page.evaluate(SETTLED)
        found = Axe().run(self.page).response["violations"]
        told = [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
        assert told == [], f"{what}: {told}"
        width = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, f"{what} scrolls sideways by {width} px"
