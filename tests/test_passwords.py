"""Setting a password again: by a one-time link, or by who knows the old one. It never signs in."""

import re
import threading

import pytest

from fv import db, hashing
from tests.conftest import PASSWORD, Visitor, elsewhere
from tests.test_audit import names
from tests.test_support import run

NEW = "another long password"


def link(app, *words):
    """Where the printed link leads on this host."""
    result = run(app, *words)
    assert result.exit_code == 0, result.output
    return re.search(r"^http://\S+(/password/\S+)$", result.output, re.M)[1]


@pytest.fixture
def path(app, ada):
    return link(app, "accounts", "set-password", ada.email)


# ── The link ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_account_made_in_the_terminal_sets_its_password_and_then_meets_the_gate(make_app, clock):
    app = make_app(REGISTRATION="closed")
    path = link(app, "accounts", "create", "Ada@Example.org")
    ada = Visitor(app, clock, password=NEW)
    assert ada.proves_password().status_code == 422, "no password opens it yet"
    page = ada.get(path).text
    assert "For ada@example.org" in page and "connect an authenticator" in page and "stays as it is" not in page
    done = ada.post(path, password=NEW)
    assert done.status_code == 200 and "not signed in" in done.text and ada.get("/setup").location.startswith("/login")
    assert ada.proves_password().location == "/setup"
    ada.enrols()
    assert names(app)[:4] == ["support.account_created", "password.wrong", "password.chosen", "password.proved"]


def test_an_account_is_made_once_and_with_an_email(app, ada):
    for email, said in ((ada.email, "already"), ("nonsense", "not an email")):
        result = run(app, "accounts", "create", email)
        assert result.exit_code == 1 and said in result.output and "/password/" not in result.output


def test_looking_at_the_link_uses_nothing_up(app, ada, path):
    for _ in range(50):
        assert ada.another().get(path).status_code == 200
        assert ada.client.head(path).status_code == 200
    assert ada.post(path, password=NEW).status_code == 200


def test_the_link_works_once(app, ada, path):
    assert ada.post(path, password=NEW).status_code == 200
    assert ada.get(path).status_code == 410 == ada.post(path, password=PASSWORD).status_code
    ada.password = NEW
    assert ada.proves_password().location == "/login/code"


def test_a_password_that_cannot_be_leaves_the_link_alive(ada, path):
    for bad, said in (("short", "Too short"), ("x" * 1025, "Too long")):
        answer = ada.post(path, password=bad)
        assert answer.status_code == 422 and said in answer.text and answer.text.count('role="alert"') == 1
    assert ada.post(path, password=NEW).status_code == 200


def test_the_link_ends_after_a_day(ada, path):
    ada.clock.passes(hours=24)
    assert ada.get(path).status_code == 410 == ada.post(path, password=NEW).status_code
    assert ada.proves_password().location == "/login/code", "the old password still is the password"


def test_the_link_is_good_until_the_last_second_of_the_day(ada, path):
    ada.clock.passes(hours=24, seconds=-1)
    assert ada.post(path, password=NEW).status_code == 200


def test_a_newer_link_replaces_the_older_one(app, ada, path):
    newer = link(app, "accounts", "set-password", ada.email)
    assert ada.get(path).status_code == 410
    assert ada.post(newer, password=NEW).status_code == 200


def test_a_link_that_never_was_is_not_there(ada):
    assert ada.get("/password/nonsense").status_code == 404 == ada.post("/password/nonsense", password=NEW).status_code


def test_a_link_is_refused_when_another_site_uses_it(ada, path):
    answer = ada.client.post(path, data={"password": NEW}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403 and ada.get(path).status_code == 200


def test_setting_a_password_by_link_ends_every_login_and_does_not_touch_the_second_factor(app, ada, path):
    assert "authenticator stays as it is" in ada.another().get(path).text
    phone = ada.another()
    phone.signs_in()
    waiting = ada.another()
    waiting.proves_password()
    with app.app_context():
        before = db.many(dict, "SELECT * FROM authenticators")
        codes = db.many(dict, "SELECT * FROM backup_codes")
    ada.another().post(path, password=NEW)
    assert not ada.is_in() and not phone.is_in()
    assert waiting.post("/login/code", code=ada.code()).status_code == 401, "a pending login dies too"
    with app.app_context():
        assert db.many(dict, "SELECT * FROM authenticators") == before
        assert db.many(dict, "SELECT * FROM backup_codes") == codes
    ada.password = NEW
    assert ada.signs_in().location == "/dashboard"


def test_a_new_password_lifts_the_pause_that_guesses_at_the_old_one_brought(ada, path):
    for _ in range(10):
        ada.another().post("/login", email=ada.email, password="wrong password")
    ada.post(path, password=NEW)
    ada.password = NEW
    assert ada.proves_password().location == "/login/code"


@pytest.fixture
def meanwhile(monkeypatch):
    """Do something while a password is being compared: after its hash was read, before anything comes of it."""

    def arranges(work):
        compare = hashing.matches

        def matches(secret, stored):
            monkeypatch.setattr(hashing, "matches", compare)
            elsewhere(work)
            return compare(secret, stored)

        monkeypatch.setattr(hashing, "matches", matches)

    return arranges


@pytest.mark.parametrize("passes", [1, 2], ids=["as-it-is", "outdated"])
def test_an_old_password_that_is_replaced_while_it_is_compared_opens_nothing(make_app, ada, path, meanwhile, passes):
    app = make_app(HASH_PASSES=passes)
    late, holder = Visitor(app, ada.clock), Visitor(app, ada.clock)
    meanwhile(lambda: holder.post(path, password=NEW))
    assert late.proves_password().status_code == 422 and late.get("/login/code").location.startswith("/login")
    holder.password = NEW
    assert holder.proves_password().location == "/login/code" and late.proves_password().status_code == 422


def test_a_link_that_is_used_while_its_password_is_hashed_is_used_up(app, ada, path, monkeypatch):
    real = hashing.hash

    def slowly(secret):
        monkeypatch.setattr(hashing, "hash", real)
        elsewhere(lambda: ada.another().post(path, password=NEW))
        return real(secret)

    monkeypatch.setattr(hashing, "hash", slowly)
    assert ada.another().post(path, password="yet another password").status_code == 410
    ada.password = NEW
    assert ada.proves_password().location == "/login/code"


def test_a_change_that_meets_a_fresh_hash_of_the_old_password_changes_nothing(make_app, ada, meanwhile):
    """The cost was raised, and a sign-in elsewhere makes the hash anew while this one is being compared."""
    app = make_app(HASH_PASSES=2)
    here, there = Visitor(app, ada.clock), Visitor(app, ada.clock)
    here.secret = there.secret = ada.secret
    here.client.set_cookie("facevault", ada.client.get_cookie("facevault").value)
    meanwhile(there.proves_password)
    assert here.post("/account/password", current=PASSWORD, password=NEW).location == "/account"
    assert "password.changed" not in names(app) and here.is_in()
    assert here.post("/account/password", current=PASSWORD, password=NEW).location == "/account"
    assert names(app)[-1] == "password.changed"


def test_of_two_changes_of_the_password_at_once_the_later_changes_nothing(app, ada, path, meanwhile):
    meanwhile(lambda: ada.another().post(path, password=NEW))
    assert ada.post("/account/password", current=PASSWORD, password="yet another password").location == "/account"
    ada.password = NEW
    assert ada.proves_password().location == "/login/code" and "password.changed" not in names(app)


def test_only_a_hash_of_the_link_is_kept_and_dead_ones_are_forgotten(app, ada, path):
    token = path.rpartition("/")[2]
    with app.app_context():
        assert token not in str(db.many(dict, "SELECT * FROM password_links")) and len(token) >= 43
    ada.clock.passes(hours=31 * 24)
    link(app, "accounts", "set-password", ada.email)
    with app.app_context():
        assert len(db.many(dict, "SELECT * FROM password_links")) == 1


def test_of_twenty_parallel_uses_of_one_link_one_sets_the_password(app, ada, path):
    barrier, statuses = threading.Barrier(20), []

    def uses(number):
        barrier.wait()
        statuses.append(app.test_client().post(path, data={"password": f"{NEW} {number}"}).status_code)

    threads = [threading.Thread(target=uses, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [410] * 19 and names(app).count("password.set_by_link") == 1


@pytest.mark.long
def test_the_first_account_of_an_unattended_start_is_printed_once(serve):
    server = serve(FV_ADMIN_EMAIL="root@example.org", FV_REGISTRATION="closed")
    (url,) = re.findall(r"Set its password here: (\S+)", server.log.read_text())
    root = server.client()
    assert root.post(url, data={"password": NEW}).status_code == 200
    assert root.post("/login", data={"email": "root@example.org", "password": NEW}).headers["location"] == "/setup"
    assert root.get("/dashboard").headers["location"] == "/setup", "the first account is no exception"
    server.stop()
    server.start()
    assert server.log.read_text().count("Set its password here") == 1


# ── On the account page ──────────────────────────────────────────────────────────────────────────────────────


def test_a_new_password_ends_all_other_logins_and_the_old_cookie_of_this_one(app, ada):
    phone, waiting, copied = ada.another(), ada.another(), ada.another()
    phone.signs_in()
    waiting.proves_password()
    copied.client.set_cookie("facevault", ada.client.get_cookie("facevault").value)
    assert copied.is_in()
    answer = ada.post("/account/password", current=PASSWORD, password=NEW)
    assert answer.location == "/account"
    assert "Password changed." in ada.get(answer.location).text and ada.is_in()
    assert not phone.is_in() and not copied.is_in()
    assert waiting.post("/login/code", code=ada.code()).status_code == 401
    assert ada.another().proves_password().status_code == 422, "the old password is wrong now"


def test_a_change_of_the_password_ends_a_link_that_was_not_used(app, ada, path):
    ada.post("/account/password", current=PASSWORD, password=NEW)
    assert ada.get(path).status_code == 410


def test_what_cannot_be_the_new_password_or_is_not_the_old_one_changes_nothing(ada):
    for form, said in (
        ({"current": PASSWORD, "password": "short"}, "Too short"),
        ({"current": PASSWORD}, "Too short"),
        ({"current": "wrong password", "password": NEW}, "not your current password"),
        ({"password": NEW}, "not your current password"),
    ):
        answer = ada.post("/account/password", **form)
        assert answer.status_code == 422 and said in answer.text and answer.text.count('role="alert"') == 1
    assert ada.another().proves_password().location == "/login/code"


def test_wrong_current_passwords_are_counted_with_those_at_the_door(app, ada):
    for _ in range(10):
        assert ada.post("/account/password", current="wrong password", password=NEW).status_code == 422
    paused = ada.post("/account/password", current=PASSWORD, password=NEW)
    assert paused.status_code == 429 and paused.headers["Retry-After"]
    assert ada.another().proves_password().status_code == 429
    assert names(app).count("password.locked") == 1 and ada.is_in()


def test_a_login_that_ends_while_the_password_is_changed_changes_nothing(app, ada, monkeypatch):
    from fv.accounts import store
    from fv.passwords import flows

    real = flows.ids.new

    def ends_it(prefix):
        monkeypatch.undo()
        store.end_logins(store.by_email(ada.email).id)
        return real(prefix)

    monkeypatch.setattr(flows.ids, "new", lambda prefix: ends_it(prefix) if prefix == "log" else real(prefix))
    answer = ada.post("/account/password", current=PASSWORD, password=NEW)
    assert answer.location == "/account" and ada.get("/account").location.startswith("/login")
    assert "password.changed" not in names(app)
    assert ada.another().proves_password().location == "/login/code"


# ── Checking a backup code ───────────────────────────────────────────────────────────────────────────────────


def test_a_backup_code_is_checked_without_being_used_up(app, ada):
    for typed in (ada.codes[0], ada.codes[0].lower(), f"{ada.codes[0][:4]}-{ada.codes[0][4:]}"):
        answer = ada.post("/account/codes/check", code=typed)
        assert answer.status_code == 200 and "This code works." in answer.text and ada.codes[0] not in answer.text
    assert ada.another().signs_in(ada.codes[0]).location == "/dashboard"
    used = ada.post("/account/codes/check", code=ada.codes[0])
    assert used.status_code == 422 and "This code was used." in used.text
    assert "9 of 10 left" in used.text


def test_wrong_codes_at_the_check_are_counted_with_all_others(ada):
    for typed in ("", "2222-2222", ada.code(), "nonsense"):
        wrong = ada.post("/account/codes/check", code=typed)
        assert wrong.status_code == 422 and "not one of your codes" in wrong.text
    other = ada.another()
    other.proves_password()
    assert "last try for now" in ada.post("/account/codes/check", code="x").text
    assert ada.post("/account/codes/check", code=ada.codes[0]).status_code == 429
    assert other.post("/login/code", code=ada.code()).status_code == 429 and ada.is_in()


def test_right_checks_are_not_counted(ada):
    for _ in range(7):
        assert ada.post("/account/codes/check", code=ada.codes[1]).status_code == 200
