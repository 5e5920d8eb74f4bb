"""The second factor against a small model: two browsers of one person, right and wrong codes, a clock that jumps,
support that resets, a password that is changed."""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pyotp
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fv import create_app, db
from fv.audit import flows as audit
from fv.support import flows as support
from tests.conftest import Clock, Visitor, backup_codes_in

HOUR, DAY = 3600, 86400
browsers = st.integers(0, 1)


@dataclass
class Login:
    created: float
    seen: float
    proved: bool = False
    locked: bool = False


@dataclass
class Model:
    """What should be true. `now` is the clock; a login is None where the browser has none.

    `owed`: support reset the second factor; `code`, made at `code_made`, lets one login go on; `let_in` is its browser.
    """

    enrolled: bool = False
    spent: int = 0
    unused: set[str] = field(default_factory=set)
    failures: list[float] = field(default_factory=list)
    logins: list[Login | None] = field(default_factory=lambda: [None, None])
    owed: bool = False
    code: str | None = None
    code_made: float = 0
    let_in: int | None = None

    def begins(self, who: int, now: float) -> None:
        self.ends(who)
        self.logins[who] = Login(now, now)

    def ends(self, who: int) -> None:
        self.logins[who] = None
        if self.let_in == who:
            self.let_in = None

    def standing(self, who: int, now: float) -> str:
        login = self.logins[who]
        if login is None or now - login.seen >= 12 * HOUR or now - login.created >= 7 * DAY:
            return "nobody"
        if not self.enrolled:
            return "unenrolled"
        if login.proved:
            return "clear"
        return "pending" if now - login.created < 300 else "nobody"

    def paused(self, now: float) -> bool:
        return any(sum(at > now - window for at in self.failures) >= most for most, window in ((5, 900), (20, DAY)))

    def fails(self, now: float) -> None:
        self.failures.append(now)
        if self.enrolled and self.paused(now):
            self.locks()

    def locks(self) -> None:
        for login in self.logins:
            if login and not login.proved:
                login.locked = True

    def rises(self, who: int, now: float) -> None:
        self.logins[who].proved, self.logins[who].seen = True, now


class TwoBrowsers(RuleBasedStateMachine):
    @initialize(enrolled=st.booleans())
    def signs_up(self, enrolled):
        self.folder = Path(tempfile.mkdtemp())
        self.clock, self.model, self.used, self.old_codes = Clock(), Model(), [], ["2222-2222-2222"] * 2
        self.app = create_app(
            INSTANCE=self.folder, CLOCK=self.clock, HASH_MEMORY_KIB=8, HASH_PASSES=1, REGISTRATION="open"
        )
        first = Visitor(self.app, self.clock)
        self.visitors = [first, first.another()]
        assert first.signs_up().location == "/setup"
        self.model.begins(0, self.clock.now)
        if enrolled:
            self.types_six_digits(0, 0)

    def teardown(self):
        if hasattr(self, "app"):
            with self.app.app_context():
                assert list(audit.verify(after=0)) == [], "whatever happened, the trail is whole"
            db.close(self.app)
            shutil.rmtree(self.folder)

    @rule(seconds=st.sampled_from([1, 29, 30, 61, 299, 300, 899, 900, 11 * HOUR, DAY, -30, -90, -600]))
    def time_passes(self, seconds):
        self.clock.passes(seconds=seconds)

    @rule(who=browsers)
    def proves_the_password(self, who):
        answer = self.visitors[who].proves_password()
        assert answer.location == ("/login/code" if self.model.enrolled else "/setup")
        self.model.begins(who, self.clock.now)

    @rule(who=browsers)
    def signs_out(self, who):
        signed_in = self.model.standing(who, self.clock.now) != "nobody"
        assert self.visitors[who].signs_out().status_code == (303 if signed_in else 401)
        if signed_in:
            self.model.ends(who)

    @rule(who=browsers, away=st.integers(-3, 3))
    def types_six_digits(self, who, away):
        now, model, visitor = self.clock.now, self.model, self.visitors[who]
        step = int(now) // 30 + away
        standing = model.standing(who, now)
        if standing == "unenrolled" and model.owed and model.let_in != who:
            assert "otpauth" not in visitor.get("/setup").text
            assert visitor.call("POST", "/api/v1/totp/setup").json["code"] == "re_enrolment_code_required"
            assert not self.answered(visitor.post("/setup", code=visitor.code(away)), who, 303, right=False)
        elif standing == "unenrolled":
            visitor.scans()
            right = abs(away) <= 1
            answer = visitor.post("/setup", code=visitor.code(away))
            if self.answered(answer, who, 200, right):
                model.enrolled, model.spent, model.unused = True, step, set(backup_codes_in(answer))
                assert len(model.unused) == 10
                model.owed, model.code, model.let_in = False, None, None
                model.ends(1 - who)
                model.rises(who, now)
                self.visitors[1 - who].secret = visitor.secret
                visitor.post("/setup/codes/dismiss")
        elif standing == "pending":
            right = abs(away) <= 1 and step > model.spent
            answer = visitor.post("/login/code", code=visitor.code(away))
            if self.answered(answer, who, 303, right):
                model.spent = step
                model.rises(who, now)

    @precondition(lambda self: self.model.enrolled and not self.model.paused(self.clock.now))
    @rule(who=browsers, steps_back=st.integers(0, 1))
    def replays_a_code_that_was_accepted(self, who, steps_back):
        self.proves_the_password(who)
        step = self.model.spent - steps_back
        answer = self.visitors[who].post("/login/code", code=pyotp.HOTP(self.visitors[who].secret).at(step))
        assert not self.answered(answer, who, 303, right=False)

    @precondition(lambda self: self.model.enrolled and self.used and not self.model.paused(self.clock.now))
    @rule(who=browsers)
    def replays_a_backup_code(self, who):
        self.proves_the_password(who)
        answer = self.visitors[who].post("/login/code", code=self.used[-1])
        assert not self.answered(answer, who, 303, right=False)

    @rule(who=browsers, data=st.data())
    def types_a_backup_code(self, who, data):
        if self.model.standing(who, self.clock.now) != "pending":
            return
        code = data.draw(st.sampled_from(sorted(self.model.unused | {"22222222"}))) if self.model.unused else "22222222"
        right = code in self.model.unused
        answer = self.visitors[who].post("/login/code", code=code.lower())
        if self.answered(answer, who, 303, right):
            self.model.unused.discard(code)
            self.used.append(code)
            self.model.rises(who, self.clock.now)

    @precondition(lambda self: self.model.enrolled or self.model.owed)
    @rule()
    def support_resets(self):
        model = self.model
        if model.code:
            self.old_codes.append(model.code)
        with self.app.app_context():
            model.code = support.re_enrol(support.find("ada@example.org"), "T", "V", int(self.clock.now))
        model.enrolled, model.owed, model.code_made, model.spent, model.unused = False, True, self.clock.now, 0, set()
        for who in (0, 1):
            model.ends(who)

    @precondition(lambda self: self.model.owed)
    @rule(who=browsers, which=st.integers(-2, 2))
    def types_a_re_enrolment_code(self, who, which):
        model, now = self.model, self.clock.now
        if model.standing(who, now) != "unenrolled" or model.let_in == who:
            return
        typed = model.code if which >= 0 and model.code else self.old_codes[which]
        right = typed == model.code and now - model.code_made < DAY
        answer = self.visitors[who].post("/setup", re_enrolment_code=typed)
        if self.answered(answer, who, 303, right, "/setup"):
            self.old_codes.append(model.code)
            model.code, model.let_in = None, who

    @rule(who=browsers)
    def changes_the_password(self, who):
        visitor, standing = self.visitors[who], self.model.standing(who, self.clock.now)
        answer = visitor.post("/account/password", current=visitor.password, password=visitor.password[::-1])
        assert answer.status_code == {"clear": 303, "unenrolled": 403}.get(standing, 401)
        if standing == "clear":
            self.model.ends(1 - who)
            for one in self.visitors:
                one.password = one.password[::-1]

    def answered(self, answer, who, success, right, leads_to="/dashboard") -> bool:
        """Check one answer against the model; whether the code was accepted."""
        model, now = self.model, self.clock.now
        if model.enrolled and model.logins[who].locked:
            assert answer.status_code == (429 if model.paused(now) else 303)
            if answer.status_code == 303:
                assert answer.location == "/login"
                model.ends(who)
            return False
        if model.paused(now):
            assert answer.status_code == 429
            if model.enrolled:
                model.locks()
            return False
        if not right:
            assert answer.status_code == 422
            model.fails(now)
            return False
        assert answer.status_code == success and (success == 200 or answer.location == leads_to)
        return True

    @invariant()
    def everybody_stands_where_the_model_says(self):
        if not hasattr(self, "model"):
            return
        for who, visitor in enumerate(self.visitors):
            standing, login = self.model.standing(who, self.clock.now), self.model.logins[who]
            me, keys = visitor.get("/api/v1/me").status_code, visitor.get("/api/v1/keys").status_code
            expected = {"nobody": (401, 401), "pending": (401, 401), "unenrolled": (200, 403), "clear": (200, 200)}
            assert (me, keys) == expected[standing], standing
            page = visitor.get("/login/code").status_code
            assert (page == 200) is (standing == "pending")
            alive = login and self.clock.now - login.seen < 12 * HOUR and self.clock.now - login.created < 7 * DAY
            if alive and self.clock.now - login.seen >= 60:
                login.seen = self.clock.now


TestTwoBrowsers = pytest.mark.long(TwoBrowsers.TestCase)
TestTwoBrowsers.settings = settings(
    max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
