"""Passwords, pending logins, codes at the door, and how logins end."""

import pytest

from fv import db
from fv.accounts import email as emails
from tests.conftest import Visitor


def cookie_of(visitor):
    return visitor.client.get_cookie("facevault").value


def test_unknown_email_and_wrong_password_get_one_text(ada):
    stranger = ada.another("nobody@example.org")
    unknown, wrong = stranger.proves_password(), ada.another().post("/login", email=ada.email, password="wrong" * 4)
    assert unknown.status_code == wrong.status_code == 422
    assert unknown.text.replace(stranger.email, "") == wrong.text.replace(ada.email, "")
    assert "Set-Cookie" not in unknown.headers and "Set-Cookie" not in wrong.headers


def test_unknown_email_and_wrong_password_cost_the_same_hashing(make_app, clock, monkeypatch):
    """One run each at the same cost. The clock on the wall is measured in bench/web.py."""
    from passlib.hash import argon2

    app = make_app(HASH_MEMORY_KIB=64)
    Visitor(app, clock).signs_up()
    runs = []
    verify = argon2.verify
    monkeypatch.setattr(argon2, "verify", lambda secret, hash: runs.append(hash.split("$")[3]) or verify(secret, hash))
    for email in ("ada@example.org", "nobody@example.org", "not an email"):
        Visitor(app, clock, email).post("/login", email=email, password="x" * 12)
    assert runs == ["m=64,t=1,p=1"] * 3


def test_the_email_is_the_same_whatever_its_case(ada):
    other = Visitor(ada.app, ada.clock, "  ADA@Example.ORG ")
    assert other.proves_password().location == "/login/code"


def test_a_pending_login_is_nobody_everywhere_but_at_the_code_step(ada):
    pending = ada.another()
    pending.proves_password()
    assert pending.get("/login/code").status_code == 200
    for path in ("/dashboard", "/setup", "/keys", "/account"):
        assert pending.get(path).location.startswith("/login?next=")
    assert pending.get("/api/v1/me").status_code == 401
    value = cookie_of(pending)
    for headers in (
        {"Authorization": f"Bearer {value}"},
        {"X-FaceVault-Api-Key": value},
        {"Cookie": f"session={value}"},
    ):
        assert Visitor(ada.app, ada.clock).get("/api/v1/me", headers=headers).status_code == 401


def test_a_pending_login_ends_after_five_minutes(ada):
    pending = ada.another()
    pending.proves_password()
    ada.clock.passes(seconds=299)
    assert pending.get("/login/code").status_code == 200
    ada.clock.passes(seconds=1)
    assert pending.get("/login/code").location.startswith("/login")
    assert pending.post("/login/code", code=pending.code()).status_code == 401


def test_a_right_code_that_is_being_checked_when_the_five_minutes_end_is_too_late(app, ada):
    from fv.accounts import store
    from fv.login import flows
    from fv.mfa.flows import Wrong

    pending = ada.another()
    pending.proves_password()
    with app.app_context():
        account = store.by_email(ada.email)
        (login,) = [one for one in store.logins(account.id) if one.proved_at is None]
        ada.clock.passes(minutes=5)
        assert isinstance(flows.prove_code(login, pending.code(), int(ada.clock.now)), Wrong)


def test_a_code_is_not_accepted_twice_over_any_door(ada):
    code = ada.code()
    ada.signs_in(code)
    again = ada.another()
    again.proves_password()
    assert again.post("/login/code", code=code).status_code == 422


def test_an_older_code_is_not_accepted_after_a_newer_one(ada):
    ada.signs_out()
    older = ada.code()
    ada.proves_password()
    assert ada.post("/login/code", code=ada.code(step=1)).location == "/dashboard"
    ada.signs_out()
    ada.proves_password()
    assert ada.post("/login/code", code=older).status_code == 422


def test_a_clock_that_jumps_back_does_not_bring_a_code_back(ada):
    ada.clock.passes(minutes=10)
    code = ada.code()
    assert ada.signs_in(code).location == "/dashboard"
    ada.clock.passes(minutes=-5)
    ada.signs_out()
    ada.proves_password()
    for step in (-1, 0, 1):
        assert ada.post("/login/code", code=ada.code(step)).status_code == 422


@pytest.mark.parametrize("typed", ["１２３４５６", "12345", "1234567", "", "12 34 5x", "0x1234", "+12345", "٣٤٥٦٧٨"])
def test_what_is_not_six_ascii_digits_is_wrong_with_the_same_text(ada, typed):
    ada.signs_out()
    ada.proves_password()
    expected = ada.post("/login/code", code=ada.wrong_code())
    answer = ada.post("/login/code", code=typed)
    assert (answer.status_code, answer.text) == (422, expected.text)


def test_full_width_digits_of_the_right_code_are_wrong(ada):
    ada.signs_out()
    ada.proves_password()
    wide = ada.code().translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    assert ada.post("/login/code", code=wide).status_code == 422
    assert ada.post("/login/code", code=" ".join(ada.code())).location == "/dashboard"


def test_the_login_id_changes_at_every_rise_and_the_old_one_is_dead(app, visitor):
    visitor.signs_up()
    seen = [cookie_of(visitor)]
    visitor.enrols()
    seen.append(cookie_of(visitor))
    visitor.post("/setup/codes/dismiss")
    visitor.proves_password()
    seen.append(cookie_of(visitor))
    visitor.post("/login/code", code=visitor.code())
    seen.append(cookie_of(visitor))
    assert len(set(seen)) == 4 and visitor.is_in()
    for old in seen[:3]:
        thief = app.test_client()
        thief.set_cookie("facevault", old)
        assert thief.get("/api/v1/me").status_code == 401


def test_confirming_ends_the_other_logins(visitor):
    visitor.signs_up()
    other = visitor.another()
    other.proves_password()
    assert other.get("/setup").status_code == 200
    visitor.enrols()
    assert other.get("/setup").location == "/login?next=/setup"


def test_signing_out_ends_the_login_and_not_just_the_cookie(app, ada):
    thief = app.test_client()
    thief.set_cookie("facevault", cookie_of(ada))
    assert thief.get("/api/v1/me").status_code == 200
    assert ada.signs_out().location == "/login"
    assert thief.get("/api/v1/me").status_code == 401


def test_a_login_ends_when_it_is_idle_for_twelve_hours(ada):
    ada.clock.passes(hours=11)
    assert ada.is_in()
    ada.clock.passes(hours=11)
    assert ada.is_in()
    ada.clock.passes(hours=12)
    assert not ada.is_in()


def test_a_login_ends_after_seven_days_in_any_case(ada):
    for _ in range(7 * 4 - 1):
        ada.clock.passes(hours=6)
        assert ada.is_in()
    ada.clock.passes(hours=6)
    assert not ada.is_in()


def test_ended_logins_leave_the_database(app, ada):
    ada.clock.passes(hours=24 * 8)
    ada.another().proves_password()
    with app.app_context():
        assert db.one(dict, "SELECT count(*) AS n FROM logins") == {"n": 1}


def test_a_stale_standing_in_the_cookie_is_refused_at_the_next_request(app, ada):
    assert ada.is_in()
    with app.app_context():
        db.run("UPDATE authenticators SET confirmed_at = NULL, sealed_secret = NULL")
    assert ada.get("/dashboard").location == "/setup"
    assert ada.get("/api/v1/keys").json["code"] == "two_factor_required"


def test_backup_codes_alone_do_not_count_as_enrolled(app, visitor):
    visitor.signs_up()
    with app.app_context():
        account = db.one(dict, "SELECT id FROM accounts")["id"]
        db.run("INSERT INTO authenticators (account_id) VALUES (:id)", id=account)
        db.run("INSERT INTO backup_codes (account_id, code_hash) VALUES (:id, 'x')", id=account)
    assert visitor.get("/dashboard").location == "/setup"


def test_a_person_who_is_in_is_not_asked_again(ada):
    assert ada.get("/login").location == "/dashboard"
    assert ada.get("/login?next=/keys").location == "/keys"
    assert ada.get("/login/code").location == "/dashboard"
    assert ada.post("/login/code", code="000000").location == "/dashboard"


def test_a_changed_cookie_names_nobody(app, ada):
    value = cookie_of(ada)
    for changed in (value[:-1], value[:10] + "A" + value[11:], "", "x" * 4000, "é", '{"_user_id": "log_0"}', value * 2):
        client = app.test_client()
        client.set_cookie("facevault", changed)
        assert client.get("/api/v1/me").status_code == 401


def test_no_cookie_remembers_anybody(ada):
    assert [cookie.key for cookie in ada.client._cookies.values()] == ["facevault"]
    header = ada.signs_in().headers["Set-Cookie"]
    assert "HttpOnly" in header and "SameSite=Lax" in header and "Expires" not in header and "Max-Age" not in header


def test_a_cookie_that_other_software_remembers_people_by_is_not_looked_at(visitor):
    for value in ("a|b", "a|\\303\\251", "log_0|" + "0" * 128):
        headers = {"Cookie": f'remember_token="{value}"; "; none"="{value}"'}
        assert visitor.get("/healthz", headers=headers).status_code == 200
        assert visitor.get("/api/v1/me", headers=headers).status_code == 401


def test_a_login_whose_last_use_cannot_be_noted_still_opens_the_page(app, ada):
    from fv.db import sqlite

    ada.clock.passes(minutes=2)
    with app.app_context():
        db._connection().execute("PRAGMA busy_timeout = 1")
    other = sqlite.connect(db.path_of(app))
    other.execute(sqlite.BEGIN)
    assert ada.is_in()
    assert ada.call("POST", "/api/v1/keys", {"name": "x"}).json["code"] == "unavailable"
    other.execute("ROLLBACK")
    other.close()
    assert ada.call("POST", "/api/v1/keys", {"name": "x"}).status_code == 201


def test_a_login_that_ends_while_it_asks_for_its_secret_gets_none(app, visitor, monkeypatch):
    from fv.accounts import store
    from fv.mfa import flows

    visitor.signs_up()
    with app.app_context():
        (login,) = store.logins(store.by_email(visitor.email).id)
        store.end_login(login.id)
        assert flows.offer(login) is None
    monkeypatch.setattr(flows, "offer", lambda _: None)
    visitor.proves_password()
    assert visitor.get("/setup").status_code == 401


def test_under_https_the_cookie_is_bound_to_the_host(make_app, clock):
    visitor = Visitor(make_app(), clock)
    answer = visitor.client.post(
        "/register", data={"email": visitor.email, "password": visitor.password}, base_url="https://localhost"
    )
    header = answer.headers["Set-Cookie"]
    assert (
        header.startswith("__Host-facevault=") and "Secure" in header and "Path=/" in header and "Domain" not in header
    )


def test_behind_a_proxy_that_hides_https_the_setting_makes_the_cookie_secure(make_app, clock):
    visitor = Visitor(make_app(BASE_URL="https://verify.example.org"), clock)
    answer = visitor.signs_up()
    assert answer.headers["Set-Cookie"].startswith("__Host-facevault=") and "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


# ── Where to go afterwards ───────────────────────────────────────────────────────────────────────────────────

AWAY = (
    "//evil.example", "/\\evil.example", "\\/evil.example", "https://evil.example", "https:evil.example",
    "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example", "/%0d%0aSet-Cookie:x", "///evil.example",
    "/ /evil", "/é", "", "/keys\r\nX: y", "//", "/\\", "\x00/keys", "/" + "a" * 3000, "http:///evil.example",
    "/x\\@evil.example", "evil.example",
)  # fmt: skip


@pytest.mark.parametrize("next", AWAY)
def test_next_stays_home(ada, next):
    ada.signs_out()
    form = {"email": ada.email, "password": ada.password}
    first = ada.client.post("/login", data=form, query_string={"next": next})
    assert first.location in ("/login/code", "/login/code?next=/%250d%250aSet-Cookie:x")
    second = ada.client.post("/login/code", data={"code": ada.code()}, query_string={"next": next})
    assert second.location in ("/dashboard", "/%0d%0aSet-Cookie:x")


def test_next_is_kept_over_both_steps(ada):
    ada.signs_out()
    assert ada.get("/account?tab=logins").location == "/login?next=/account?tab%3Dlogins"
    page = ada.get("/login?next=/account?tab%3Dlogins").text
    assert 'action="/login?next=/account?tab%3Dlogins"' in page
    first = ada.client.post("/login?next=/account?tab%3Dlogins", data={"email": ada.email, "password": ada.password})
    assert first.location == "/login/code?next=/account?tab%3Dlogins"
    assert ada.client.post(first.location, data={"code": ada.code()}).location == "/account?tab=logins"


# ── Signing up ───────────────────────────────────────────────────────────────────────────────────────────────


def test_by_default_only_the_first_account_can_sign_up(make_app, clock):
    app = make_app(REGISTRATION="first")
    ada = Visitor(app, clock)
    assert "Create an account" in ada.get("/login").text
    assert ada.signs_up().location == "/setup"
    eve = ada.another("eve@example.org")
    assert "Create an account" not in eve.get("/login").text
    for answer in (eve.get("/register"), eve.signs_up()):
        assert answer.status_code == 403 and "registration_closed" in answer.text


def test_a_long_row_of_combining_marks_is_refused_before_it_is_normalised(monkeypatch):
    """NFKC takes seconds for it, and time that a stranger chooses is a way to stop the service."""
    from fv.accounts import email

    monkeypatch.setattr(email, "unicodedata", None)
    assert email.normalised("a" + "\u0345\u0301" * 15_000 + "@example.org") is None


@pytest.mark.parametrize(
    ("one", "other"), [("J\u030cda", "\u01f0da"), ("I\u0307\u0327da", "i\u0327\u0307da"), ("\uff21da", "ada")]
)
def test_two_spellings_of_one_email_are_one_account_or_none(app, clock, one, other):
    for local in (one, other):
        normal = emails.normalised(f"{local}@example.org")
        assert normal is None or emails.normalised(normal) == normal
    assert emails.normalised(f"{one}@example.org") in (None, emails.normalised(f"{other}@example.org"))


def test_an_email_is_measured_in_bytes_as_mail_servers_do(app, clock):
    assert Visitor(app, clock, "🔑" * 64 + "@" + "🔑" * 180).signs_up().status_code == 422
    keys = Visitor(app, clock, "🔑" * 20 + "@" + "ы" * 80)
    assert keys.signs_up().location == "/setup"
    assert keys.get("/setup").status_code == 200


def test_somebody_who_is_first_meanwhile_closes_sign_up(make_app, clock, monkeypatch):
    from fv import hashing

    app = make_app(REGISTRATION="first")
    eve, hash = Visitor(app, clock, "eve@example.org"), hashing.hash

    def slowly(secret):
        monkeypatch.setattr(hashing, "hash", hash)
        assert Visitor(app, clock).signs_up().location == "/setup"
        return hash(secret)

    monkeypatch.setattr(hashing, "hash", slowly)
    assert eve.signs_up().status_code == 403


def test_a_cookie_is_not_made_for_a_login_that_has_ended(app):
    from flask import session

    from fv import cookie

    with app.test_request_context("/"):
        cookie.set_login("log_0")
        assert "_user_id" not in session


def test_sign_up_can_be_closed(make_app, clock):
    visitor = Visitor(make_app(REGISTRATION="closed"), clock)
    assert visitor.get("/register").status_code == visitor.signs_up().status_code == 403


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("ada@example.org", "x" * 11, "Too short: 12 characters"),
        ("ada@example.org", "x" * 1025, "Too long"),
        ("ada@example.org", "", "Too short: 12 characters"),
        ("ada", "x" * 12, "not an email address"),
        ("a:da@example.org", "x" * 12, "not an email address"),
        ("ada@exa mple.org", "x" * 12, "not an email address"),
        ("ada@example.org\x00", "x" * 12, "not an email address"),
        ("a" * 250 + "@x.org", "x" * 12, "not an email address"),
        ("<b>@x.org", "x" * 12, "not an email address"),
    ],
)
def test_what_cannot_be_an_account_is_422_with_the_reason(visitor, email, password, said):
    answer = visitor.post("/register", email=email, password=password)
    assert answer.status_code == 422 and said in answer.text and answer.text.count('role="alert"') == 1
    assert "Set-Cookie" not in answer.headers


def test_an_email_can_be_taken_once(visitor):
    visitor.signs_up()
    answer = visitor.another("ADA@example.org").signs_up()
    assert answer.status_code == 422 and "Sign in instead" in answer.text


def test_the_password_may_be_any_text_up_to_1024_characters(app, clock):
    for number, password in enumerate(("pass\x00word with nul", "пароль из слов 🔑", "x" * 1024, " " * 12)):
        visitor = Visitor(app, clock, f"ada{number}@example.org", password)
        assert visitor.signs_up().location == "/setup"
        assert visitor.proves_password().location == "/setup"


def test_a_password_over_the_limit_is_wrong_and_not_an_error(ada):
    assert ada.another().post("/login", email=ada.email, password=ada.password + "x" * 5000).status_code == 422


def test_an_outdated_password_hash_is_made_anew_at_the_next_login(make_app, ada, clock):
    def stored(app):
        with app.app_context():
            return db.one(dict, "SELECT password_hash AS hash FROM accounts")["hash"]

    stronger = make_app(HASH_MEMORY_KIB=32)
    assert "m=8," in stored(stronger)
    assert Visitor(stronger, clock).proves_password().location == "/login/code"
    assert "m=32," in stored(stronger)
