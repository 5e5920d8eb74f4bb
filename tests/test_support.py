"""Support in a terminal: kind to who was verified, closed to everybody else."""

import re
import subprocess

import pyotp
import pytest

from fv import db
from fv.support import flows
from tests.conftest import Visitor
from tests.crashes import killed_before
from tests.test_audit import names, trail

VERIFIED = ("--ticket", "T-17", "--verified", "passport in a video call")


def run(app, *words, typed=None):
    return app.test_cli_runner().invoke(args=list(words), input=typed)


def re_enrol(app, email="ada@example.org"):
    """The code that support reads out to the person."""
    result = run(app, "support", "re-enrol", email, *VERIFIED, typed=f"{email}\n")
    assert result.exit_code == 0, result.output
    return re.search(r"^Re-enrolment code: (\S+)$", result.output, re.M)[1]


def begins_again(person, code):
    """A verified person comes back: password, the code from support, a new authenticator. The answer with the codes."""
    assert person.proves_password().location == "/setup"
    assert person.post("/setup", re_enrolment_code=code).location == "/setup"
    answer = person.enrols()
    person.post("/setup/codes/dismiss")
    return answer


# ── Re-enrolment ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_verified_person_comes_back_with_the_code_and_a_new_authenticator(app, ada):
    key = ada.call("POST", "/api/v1/keys", {"name": "server"}).json["secret"]
    phone = ada.another()
    phone.signs_in()
    old_secret, old_codes = ada.secret, ada.codes
    code = re_enrol(app)
    for one in (ada, phone):
        assert one.get("/dashboard").location.startswith("/login"), "every login has ended"
    headers = {"Authorization": f"Bearer {key}"}
    asleep = ada.app.test_client().get("/api/v1/keys", headers=headers)
    assert (asleep.status_code, asleep.json["code"]) == (403, "two_factor_required"), "keys sleep"

    assert ada.proves_password().location == "/setup"
    gate = ada.get("/setup").text
    assert "Enter the code from support" in gate
    assert "otpauth" not in gate and "<svg" in gate and "qr" not in gate and old_secret not in gate
    assert ada.get("/dashboard").location == "/setup"
    assert ada.post("/setup", re_enrolment_code=code).location == "/setup"
    answer = ada.enrols()
    assert answer.status_code == 200 and len(ada.codes) == 10
    assert ada.secret != old_secret and not set(ada.codes) & set(old_codes)
    ada.post("/setup/codes/dismiss")
    assert ada.is_in()
    awake = ada.app.test_client().get("/api/v1/keys", headers=headers)
    assert awake.json["code"] == "insufficient_scope", "keys are awake again"
    stranger = ada.another()
    stranger.proves_password()
    for old in (pyotp.TOTP(old_secret).at(ada.clock.now), *old_codes[:2]):
        assert stranger.post("/login/code", code=old).status_code == 422, "what was before opens nothing"


def test_the_new_entry_has_another_name_and_a_third_one_another_again(app, ada):
    for generation in (2, 3):
        code = re_enrol(app)
        ada.proves_password()
        ada.post("/setup", re_enrolment_code=code)
        gate = ada.get("/setup").text
        assert f"ada%40example.org%20%28{generation}%29?" in gate
        assert f"<strong>ada@example.org ({generation})</strong>" in gate and "does not work a second time" in gate
        ada.enrols()
        ada.post("/setup/codes/dismiss")


def test_the_password_alone_shows_no_new_secret_over_any_door(app, ada):
    re_enrol(app)
    thief = ada.another()
    thief.proves_password()
    assert "otpauth" not in thief.get("/setup").text
    refused = thief.call("POST", "/api/v1/totp/setup")
    assert (refused.status_code, refused.json["code"]) == (403, "re_enrolment_code_required")
    assert "secret" not in refused.json and "otpauth" not in refused.text
    confirm = thief.call("POST", "/api/v1/totp/confirm", {"code": "123456"})
    assert (confirm.status_code, confirm.json["code"]) == (403, "re_enrolment_code_required")
    for old in (ada.codes[0], ada.code(), "", "AAAA-AAAA-AAAA"):
        answer = thief.post("/setup", re_enrolment_code=old)
        assert answer.status_code == 422 and answer.text.count('role="alert"') == 1 and "otpauth" not in answer.text
    assert thief.get("/dashboard").location == "/setup"


def test_the_json_door_takes_the_code_with_the_setup_call(app, ada):
    code = re_enrol(app)
    ada.proves_password()
    wrong = ada.call("POST", "/api/v1/totp/setup", {"re_enrolment_code": "2222-2222-2222"})
    assert (wrong.status_code, wrong.json["code"]) == (403, "re_enrolment_code_required")
    assert wrong.json["errors"] == [{"pointer": "/re_enrolment_code", "code": "invalid_code"}]
    right = ada.call("POST", "/api/v1/totp/setup", {"re_enrolment_code": code.lower().replace("-", " ")})
    assert right.status_code == 200 and right.json["secret"]
    assert ada.call("POST", "/api/v1/totp/setup").json == right.json, "the same answer until it is confirmed"
    codes = ada.call("POST", "/api/v1/totp/confirm", {"code": pyotp.TOTP(right.json["secret"]).at(ada.clock.now)})
    assert codes.status_code == 200 and len(codes.json["backup_codes"]) == 10


def test_the_code_works_once_and_for_the_login_that_gave_it_only(app, ada):
    code = re_enrol(app)
    ada.proves_password()
    assert ada.post("/setup", re_enrolment_code=code).location == "/setup"
    assert "otpauth" in ada.get("/setup").text
    other = ada.another()
    other.proves_password()
    assert other.post("/setup", re_enrolment_code=code).status_code == 422
    assert "otpauth" not in other.get("/setup").text
    assert other.call("POST", "/api/v1/totp/setup", {"re_enrolment_code": code}).status_code == 403
    ada.signs_out()
    ada.proves_password()
    assert "otpauth" not in ada.get("/setup").text, "what was accepted has ended with its login"
    begins_again(ada, re_enrol(app))
    assert ada.is_in()


def test_the_code_ends_after_a_day(app, ada):
    code = re_enrol(app)
    ada.clock.passes(hours=24)
    ada.proves_password()
    assert ada.post("/setup", re_enrolment_code=code).status_code == 422
    assert "too old" in run(app, "support", "show", ada.email).output
    begins_again(ada, re_enrol(app))
    assert ada.is_in()


def test_the_code_is_good_until_the_last_second_of_the_day(app, ada):
    code = re_enrol(app)
    ada.clock.passes(hours=24, seconds=-1)
    ada.proves_password()
    assert ada.post("/setup", re_enrolment_code=code).location == "/setup"


def test_a_newer_code_replaces_the_older_one_and_what_it_opened(app, ada):
    first = re_enrol(app)
    ada.proves_password()
    ada.post("/setup", re_enrolment_code=first)
    secret = ada.scans()
    second = re_enrol(app)
    again = run(app, "support", "re-enrol", ada.email, *VERIFIED, typed="")
    assert first != second and "made before stops working" in again.output
    assert ada.post("/setup", code=pyotp.TOTP(secret).at(ada.clock.now)).status_code == 401, "that login has ended"
    ada.proves_password()
    assert ada.post("/setup", re_enrolment_code=first).status_code == 422
    begins_again(ada, second)


def test_wrong_re_enrolment_codes_are_counted_with_all_others(app, ada):
    code = re_enrol(app)
    ada.proves_password()
    for left in (4, 3, 2, 1):
        assert f"{left} {'try' if left == 1 else 'tries'} left" in ada.post("/setup", re_enrolment_code="x").text
    assert "That was the last try for now" in ada.post("/setup", re_enrolment_code="x").text
    paused = ada.post("/setup", re_enrolment_code=code)
    assert paused.status_code == 429 and paused.headers["Retry-After"]
    assert ada.call("POST", "/api/v1/totp/setup", {"re_enrolment_code": code}).status_code == 429
    assert run(app, "support", "unlock", ada.email, "--ticket", "T-17").exit_code == 0
    assert ada.post("/setup", re_enrolment_code=code).location == "/setup"


def test_what_support_does_for_one_account_changes_no_other(app, clock, ada):
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    eve.post("/setup/codes/dismiss")
    assert run(app, "support", "new-codes", ada.email, "--ticket", "T-17").exit_code == 0
    assert ada.get("/setup/codes").status_code == 200 and eve.get("/setup/codes").location == "/dashboard"

    code = re_enrol(app)
    assert eve.is_in() and eve.call("GET", "/api/v1/me").json["backup_codes_remaining"] == 10
    codes = {ada: code, eve: re_enrol(app, eve.email)}
    for somebody, other in ((ada, eve), (eve, ada)):
        somebody.proves_password()
        assert somebody.post("/setup", re_enrolment_code=codes[other]).status_code == 422
        begins_again(somebody, codes[somebody])
        assert somebody.is_in()


def test_the_code_is_kept_as_a_slow_hash_and_stands_in_no_row(app, ada):
    code = re_enrol(app)
    with app.app_context():
        row = db.one(dict, "SELECT * FROM re_enrolments")
    assert row["code_hash"].startswith("$argon2id$")
    assert code not in str(row) + str(trail(app)) and code.replace("-", "") not in str(row) + str(trail(app))


def test_the_row_in_the_trail_says_ticket_and_how_it_was_verified(app, ada):
    re_enrol(app)
    last = trail(app)[-1]
    assert (last["event"], last["actor"]) == ("support.re_enrolled", "support")
    assert last["facts"] == '{"ticket": "T-17", "verified": "passport in a video call"}'


@pytest.mark.parametrize("missing", ["--ticket", "--verified"])
def test_without_a_ticket_or_how_it_was_verified_nothing_happens(app, ada, missing):
    at = VERIFIED.index(missing)
    given = VERIFIED[:at] + VERIFIED[at + 2 :]
    result = run(app, "support", "re-enrol", ada.email, *given, typed=f"{ada.email}\n")
    assert result.exit_code == 2 and f"Missing option '{missing}'" in result.output
    blank = run(app, "support", "re-enrol", ada.email, *given, missing, "  ", typed=f"{ada.email}\n")
    assert blank.exit_code == 2 and ada.is_in()


def test_another_email_or_none_typed_again_changes_nothing(app, ada):
    Visitor(app, ada.clock, "eve@example.org").signs_up()
    for typed in ("eve@example.org\n", "nobody@example.org\n", ""):
        result = run(app, "support", "re-enrol", ada.email, *VERIFIED, typed=typed)
        assert result.exit_code == 1 and "Re-enrolment code" not in result.output
    assert ada.is_in() and "support.re_enrolled" not in names(app)


def test_a_script_is_not_asked(app, ada):
    result = run(app, "support", "re-enrol", "  ADA@example.org ", *VERIFIED, "--yes")
    assert result.exit_code == 0 and not ada.is_in()


@pytest.mark.parametrize(
    "words",
    [("support", "show"), ("support", "re-enrol", *VERIFIED), ("support", "new-codes", "--ticket", "T"),
     ("support", "unlock", "--ticket", "T"), ("accounts", "set-password")],
)  # fmt: skip
@pytest.mark.parametrize("email", ["nobody@example.org", "no email"])
def test_an_unknown_account_is_refused_with_a_clear_sentence(app, ada, words, email):
    result = run(app, *words[:2], email, *words[2:], typed=f"{email}\n")
    assert result.exit_code == 1 and "There is no account with this email." in result.output
    assert "Traceback" not in result.output


def test_an_account_that_was_never_enrolled_needs_no_support(app, visitor):
    visitor.signs_up()
    for words in (("re-enrol", visitor.email, *VERIFIED, "--yes"), ("new-codes", visitor.email, "--ticket", "T")):
        result = run(app, "support", *words)
        assert result.exit_code == 1 and "no second factor yet" in result.output
    assert "otpauth" in visitor.get("/setup").text and names(app) == ["account.created", "password.proved"]


def test_an_account_without_a_second_factor_is_not_reset_whoever_asks(app, visitor):
    visitor.signs_up()
    with app.app_context():
        account = flows.find(visitor.email)
        assert flows.re_enrol(account, "T", "V", 0) is flows.Refused.NOT_ENROLLED
    assert "otpauth" in visitor.get("/setup").text and names(app)[-1] == "password.proved"


@pytest.mark.long
def test_kill_9_at_any_statement_leaves_the_old_state_or_the_new_one(app, ada):
    """A real process, killed before its n-th statement, for every n there is."""
    doing = "from fv.support import flows; flows.re_enrol(flows.find('ada@example.org'), 'T', 'V', 0)"
    tables = ("authenticators", "backup_codes", "logins", "re_enrolments", "audit")

    def state():
        with app.app_context():
            return [db.many(dict, f"SELECT * FROM {table}") for table in tables]

    old, n = state(), 1
    while killed_before(n, app, doing):
        assert state() == old
        n += 1
    assert n == 10 and len(state()[4]) == len(old[4]) + 1
    assert (state()[1], state()[2], len(state()[3])) == ([], [], 1)


# ── New codes ────────────────────────────────────────────────────────────────────────────────────────────────


def allow(app, email="ada@example.org"):
    result = run(app, "support", "new-codes", email, "--ticket", "T-18")
    assert result.exit_code == 0, result.output
    return result


def test_support_opens_the_door_and_the_account_issues_itself_a_new_set(app, ada):
    assert ada.get("/setup/codes").location == "/dashboard"
    assert not re.search(r"[2-9A-Z]{8}", allow(app).output), "support sees no code"
    assert "Make new codes" in ada.get("/account").text and ada.is_in(), "no page is closed meanwhile"
    door = ada.get("/setup/codes").text
    assert "Support allowed you a new set" in door and "I have saved" not in door
    old = ada.codes
    assert ada.post("/setup/codes", code=old[0]).status_code == 422, "an old backup code is no fresh code"
    answer = ada.post("/setup/codes", code=ada.code())
    ada.clock.passes(seconds=30)
    new = re.findall(r"<li><code>([2-9A-Z]{8})</code></li>", answer.text)
    assert len(new) == 10 and not set(new) & set(old)
    ada.post("/setup/codes/dismiss")
    assert ada.post("/setup/codes", code=ada.code()).location == "/dashboard", "it was allowed once"
    other = ada.another()
    other.proves_password()
    assert other.post("/login/code", code=old[1]).status_code == 422
    assert other.post("/login/code", code=new[1]).location == "/dashboard"


def test_a_new_set_that_was_not_saved_is_owed_like_the_first(app, ada):
    allow(app)
    ada.post("/setup/codes", code=ada.code())
    assert ada.get("/dashboard").location == "/setup/codes"


def test_what_was_allowed_ends_after_a_day(app, ada):
    allow(app)
    ada.clock.passes(hours=12)
    ada.signs_in()
    assert ada.get("/setup/codes").status_code == 200
    ada.clock.passes(hours=12)
    ada.signs_in()
    assert ada.get("/setup/codes").location == "/dashboard"
    assert ada.post("/setup/codes", code=ada.code()).location == "/dashboard"
    assert "backup_codes.replaced" not in names(app)


def test_what_was_allowed_is_good_until_the_last_second_of_the_day(app, ada):
    allow(app)
    for _ in range(2):
        ada.clock.passes(hours=11)
        ada.signs_in()
    ada.clock.passes(hours=2, seconds=-61)
    assert ada.get("/setup/codes").status_code == 200
    ada.clock.passes(seconds=1)
    assert ada.get("/setup/codes").location == "/dashboard"


def test_a_code_of_an_account_that_support_did_not_allow_is_not_spent_at_the_door(app, ada):
    code = ada.code()
    assert ada.post("/setup/codes", code=code).location == "/dashboard"
    assert ada.another().signs_in(code).location == "/dashboard"


# ── Show, unlock ─────────────────────────────────────────────────────────────────────────────────────────────


def test_show_tells_the_standing_and_never_a_secret(app, ada):
    ada.call("POST", "/api/v1/keys", {"name": "server"})
    other = ada.another()
    other.proves_password()
    for _ in range(5):
        other.post("/login/code", code=ada.wrong_code())
    for _ in range(10):
        other.post("/login", email=ada.email, password="wrong password")
    said = run(app, "support", "show", ada.email).output
    for words in ("confirmed", "10 of 10 left", "codes for 15 minutes, passwords for 15 minutes", "1 active",
                  "API keys       1\n", "UTC  Too many wrong passwords: sign-in paused"):  # fmt: skip
        assert words in said
    with app.app_context():
        private = [value for row in db.many(dict, "SELECT * FROM authenticators") for value in row.values()]
        private += [row["id"] for row in db.many(dict, "SELECT id FROM logins")]
        private += [row["password_hash"] for row in db.many(dict, "SELECT password_hash FROM accounts")]
    assert not [
        one for one in [*private, ada.secret, *ada.codes] if isinstance(one, str) and one[:3] != "acc" and one in said
    ]
    re_enrol(app)
    said = run(app, "support", "show", ada.email).output
    assert "Password link  none" in said
    run(app, "accounts", "set-password", ada.email, "--ticket", "T-20")
    assert "Password link  open" in run(app, "support", "show", ada.email).output
    assert "waits for the re-enrolment code" in said and "Backup codes   none" in said and "1, asleep" in said


def test_show_follows_an_account_through_its_re_enrolment(app, visitor):
    visitor.signs_up()
    assert "never set up" in run(app, "support", "show", visitor.email).output
    visitor.enrols()
    assert "not marked as saved" in run(app, "support", "show", visitor.email).output
    code = re_enrol(app)
    visitor.proves_password()
    visitor.post("/setup", re_enrolment_code=code)
    assert "the code was typed" in run(app, "support", "show", visitor.email).output


def test_unlock_lifts_the_pause_of_one_account_only(app, clock, ada):
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    for somebody in (ada, eve):
        somebody.signs_out()
        somebody.proves_password()
        for _ in range(5):
            somebody.post("/login/code", code=somebody.wrong_code())
    assert run(app, "support", "unlock", ada.email, "--ticket", "T-19").exit_code == 0
    assert ada.signs_in().location == "/dashboard"
    assert eve.signs_in().status_code == 429


def test_unlock_lifts_both_pauses_and_leaves_locked_logins_locked(app, ada):
    other = ada.another()
    other.proves_password()
    for _ in range(5):
        other.post("/login/code", code=ada.wrong_code())
    for _ in range(10):
        ada.another().post("/login", email=ada.email, password="wrong password")
    assert ada.another().proves_password().status_code == 429
    assert run(app, "support", "unlock", ada.email, "--ticket", "T-19").exit_code == 0
    assert other.post("/login/code", code=ada.code()).location.startswith("/login"), (
        "the locked login has to begin again"
    )
    assert other.signs_in().location == "/dashboard"
    assert trail(app)[-3]["event"] == "support.unlocked"
    nothing = run(app, "support", "unlock", ada.email, "--ticket", "T-19")
    assert "nothing to lift" in nothing.output and nothing.exit_code == 0 and names(app).count("support.unlocked") == 1


# ── Accounts ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_accounts_are_listed_with_their_standing(app, ada):
    Visitor(app, ada.clock, "eve@example.org").signs_up()
    said = run(app, "accounts", "list").output.splitlines()
    assert len(said) == 2 and said[0].startswith("ada@example.org") and "confirmed" in said[0]
    assert said[1].startswith("eve@example.org") and "no second factor yet" in said[1]
    re_enrol(app)
    assert "reset by support" in run(app, "accounts", "list").output


def test_an_empty_installation_has_no_account_and_says_so(app):
    assert "There is no account yet." in run(app, "accounts", "list").output


@pytest.mark.long
def test_the_commands_work_beside_the_running_service(serve):
    """The whole way with real processes: make an account, set its password, enrol, reset, come back."""
    server = serve(FV_REGISTRATION="closed")
    made = server.run("accounts", "create", "ada@example.org")
    assert made.returncode == 0 and made.stdout.startswith(f"http://127.0.0.1:{server.port}/password/")
    path = made.stdout.strip().partition(str(server.port))[2]
    ada = server.client()
    assert ada.post(path, data={"password": "correct horse battery"}).status_code == 200
    signed_in = ada.post("/login", data={"email": "ada@example.org", "password": "correct horse battery"})
    assert signed_in.headers["location"] == "/setup"
    secret = ada.post("/api/v1/totp/setup").json()["secret"]
    assert ada.post("/api/v1/totp/confirm", json={"code": pyotp.TOTP(secret).now()}).status_code == 200
    assert ada.get("/api/v1/keys").status_code == 200
    reset = subprocess.run(
        server.command("support", "re-enrol", "ada@example.org", *VERIFIED), input="ada@example.org\n",
        env=server.environment(), cwd=server.folder, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert reset.returncode == 0 and ada.get("/api/v1/keys").status_code == 401, "at the very next request"
    code = re.search(r"Re-enrolment code: (\S+)", reset.stdout)[1]
    ada.post("/login", data={"email": "ada@example.org", "password": "correct horse battery"})
    assert ada.post("/api/v1/totp/setup").status_code == 403
    assert ada.post("/api/v1/totp/setup", json={"re_enrolment_code": code}).status_code == 200
    assert server.run("audit", "verify").returncode == 0
    assert code not in server.log.read_text() and path not in server.log.read_text()
