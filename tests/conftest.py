"""A running app on a throwaway database, a clock that a test can set, and a visitor who uses the product."""

import gc
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest
from flask import Flask
from hypothesis import settings
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from fv import create_app, db
from tests import declared, watching
from tests.live import Server
from tests.watch import WATCH

watching.install()

# a busy machine is slow, and nothing is wrong: no rule here is about time
settings.register_profile("fv", deadline=None)
settings.load_profile("fv")

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def watched():
    """Nothing that left the product while the test ran, or while it was set up, was where it does not belong."""
    yield
    WATCH.recent.clear()
    assert WATCH.told() == []


class Clock:
    """What time it is, as the app believes."""

    def __init__(self) -> None:
        self.now = float(int(time.time()) // 30 * 30 + 5)  # five seconds into a time step

    def __call__(self) -> float:
        return self.now

    def passes(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        self.now += seconds + 60 * minutes + 3600 * hours


class Templates(BytecodeCache):
    """What Jinja compiled for the app of one test serves those of all: that is half the time of most."""

    def __init__(self) -> None:
        self.compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.compiled[bucket.key] = bucket.bytecode_to_string()


gc.set_threshold(100_000, 50, 100)  # apps are made by the thousand: looking for cycles less often saves 6 %
TEMPLATES = Templates()

_compiled = Rule._compile_builder


def _compiled_when_used(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    """Werkzeug compiles two makers of addresses for each rule of each app, half of the time it takes: here at need."""

    def build(_rule: Rule, **values: object) -> tuple[str, str]:
        made = _compiled(rule, append_unknown).__get__(rule, None)
        setattr(rule, "_build_unknown" if append_unknown else "_build", made)
        return made(**values)

    return build


Rule._compile_builder = _compiled_when_used


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_app(tmp_path: Path, clock: Clock):
    """An app with cheap hashing; called twice it opens the same instance folder, as after a restart."""
    made = []

    def make(**settings: object) -> Flask:
        cheap = {"HASH_MEMORY_KIB": 8, "HASH_PASSES": 1, "REGISTRATION": "open"}
        app = create_app(INSTANCE=tmp_path / "instance", CLOCK=clock, **(cheap | settings))
        app.jinja_env.bytecode_cache = TEMPLATES
        app.test_client_class = declared.Client
        made.append(app)
        return app

    yield make
    for app in made:
        db.close(app)


@pytest.fixture
def app(make_app) -> Flask:
    return make_app()


@pytest.fixture
def here(app: Flask):
    """The app, as the code of a command or of the background process sees it."""
    with app.app_context():
        yield app


@pytest.fixture
def visitor(app: Flask, clock: Clock) -> "Visitor":
    return Visitor(app, clock)


@pytest.fixture
def ada(visitor: "Visitor") -> "Visitor":
    """A visitor who has an account, a second factor and saved codes, and is signed in."""
    visitor.signs_up()
    visitor.enrols()
    visitor.post("/setup/codes/dismiss")
    return visitor


class Visitor:
    """Drives the app as a person would; every method returns the last answer."""

    def __init__(self, app: Flask, clock: Clock, email: str = "ada@example.org", password: str = PASSWORD) -> None:
        self.app, self.clock, self.email, self.password = app, clock, email, password
        self.client = app.test_client()
        WATCH.learns(app.instance_path, "password", password)
        self.secret = ""
        self.codes: list[str] = []

    def another(self, email: str | None = None) -> "Visitor":
        """Another browser: of the same person, or of somebody with another email."""
        other = Visitor(self.app, self.clock, email or self.email, self.password)
        if email is None:
            other.secret, other.codes = self.secret, self.codes
        return other

    def get(self, path: str, **kwargs) -> TestResponse:
        return self.client.get(path, **kwargs)

    def post(self, path: str, htmx: bool = False, **form: object) -> TestResponse:
        return self.client.post(path, data=form, headers={"HX-Request": "true"} if htmx else {})

    def call(self, method: str, path: str, body: object = None) -> TestResponse:
        return self.client.open(path, method=method, json=body)

    def signs_up(self) -> TestResponse:
        return self.post("/register", email=self.email, password=self.password)

    def signs_out(self) -> TestResponse:
        return self.post("/logout")

    def proves_password(self) -> TestResponse:
        return self.post("/login", email=self.email, password=self.password)

    def scans(self) -> str:
        """Read the key off the gate, as an authenticator does."""
        page = self.get("/setup").text
        self.secret = re.search(r"secret=([A-Z2-7]{32})&amp;", page)[1]
        return self.secret

    def code(self, step: int = 0) -> str:
        """What the authenticator shows, so many time steps from now."""
        return pyotp.TOTP(self.secret).at(self.clock.now + 30 * step)

    def wrong_code(self) -> str:
        right = {self.code(step) for step in range(-25, 26)}
        return next(code for code in (f"{n:06}" for n in range(1000)) if code not in right)

    def enrols(self, **kwargs) -> TestResponse:
        self.scans()
        answer = self.post("/setup", code=self.code(), **kwargs)
        self.codes = backup_codes_in(answer)
        self.clock.passes(seconds=30)
        return answer

    def signs_in(self, code: str | None = None) -> TestResponse:
        """With the password, then a code: the current one unless another is given."""
        self.proves_password()
        answer = self.post("/login/code", code=code or self.code())
        self.clock.passes(seconds=30)
        return answer

    def is_in(self) -> bool:
        return self.get("/dashboard").status_code == 200


def elsewhere(work) -> None:
    """Do it in a thread: inside a request of this app another one would share its connection and what it knows."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def backup_codes_in(answer: TestResponse) -> list[str]:
    return re.findall(r"<li><code>([2-9A-Z]{8})</code></li>", answer.text)


@pytest.fixture
def serve(tmp_path: Path):
    """`serve("--tls-self-signed", FV_REGISTRATION="first")`: a real server, ended with the test."""
    servers: list[Server] = []

    def start(*options: str, **settings: str) -> Server:
        servers.append(Server(tmp_path, *options, **settings))
        return servers[-1].start()

    yield start
    for server in servers:
        server.ends()
