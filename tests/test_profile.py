"""What an account sees of itself."""

from fv import db
from tests.conftest import Visitor


def test_me_before_and_after_enrolment(visitor):
    visitor.signs_up()
    before = visitor.call("GET", "/api/v1/me").json
    assert before.keys() == {
        "id", "email", "totp_enabled", "backup_codes_remaining", "backup_codes_acknowledged", "plan", "created_at",
    }  # fmt: skip
    assert (before["totp_enabled"], before["backup_codes_remaining"], before["backup_codes_acknowledged"]) == (
        False,
        0,
        False,
    )
    assert (before["email"], before["plan"]) == ("ada@example.org", "free") and before["created_at"].endswith("Z")
    visitor.enrols()
    after = visitor.call("GET", "/api/v1/me").json
    assert (after["totp_enabled"], after["backup_codes_remaining"]) == (True, 10)


def test_the_account_page_shows_a_number_of_codes_and_never_a_code(ada):
    page = ada.get("/account").text
    assert "10 of 10 left" in page and "Few backup codes" not in page
    assert not [code for code in ada.codes if code in page] and ada.secret not in page


def test_few_codes_are_warned_of(app, ada):
    with app.app_context():
        db.run("UPDATE backup_codes SET used_at = 1 WHERE code_hash IN (SELECT code_hash FROM backup_codes LIMIT 7)")
    page = ada.get("/account").text
    assert "3 of 10 left" in page and "3 backup codes left." in page and "allow a new set" in page
    with app.app_context():
        db.run("UPDATE backup_codes SET used_at = 1")
    assert "No backup codes left" in ada.get("/account").text


def test_logins_are_listed_in_words_and_can_be_ended(ada):
    phone = ada.another()
    agent = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"}
    phone.client.post("/login", data={"email": ada.email, "password": ada.password}, headers=agent)
    logins = ada.get("/account").text.partition("Security events")[0]
    assert "Chrome on Android" not in logins, "a login without its second factor is not active"
    phone.post("/login/code", code=phone.code())
    page = ada.get("/account").text
    assert "Chrome on Android" in page and page.count("this one") == 1
    handle = page.split('name="login" value="')[1].split('"')[0]
    assert ada.post("/account/logins/end", login=handle).location == "/account"
    assert not phone.is_in() and ada.is_in()
    assert ada.post("/account/logins/end", login=handle).location == "/account"


def test_all_other_logins_can_be_ended_at_once(ada):
    others = [ada.another() for _ in range(3)]
    for other in others:
        assert other.signs_in().location == "/dashboard"
        ada.clock.passes(seconds=30)
        for one in others:
            one.codes = ada.codes
    assert ada.post("/account/logins/end-others").location == "/account"
    assert ada.is_in() and not [other for other in others if other.is_in()]


def test_another_accounts_login_cannot_be_ended(app, clock, ada):
    from fv.accounts import flows, store

    with app.app_context():
        account = store.by_email(ada.email)
        (handle,) = [flows.handle(login.id) for login in store.logins(account.id)]
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    eve.post("/setup/codes/dismiss")
    eve.post("/account/logins/end", login=handle)
    eve.post("/account/logins/end-others")
    assert ada.is_in() and eve.is_in()


def test_the_overview_counts_logins_and_codes_and_warns_when_few_are_left(app, ada):
    page = ada.get("/dashboard").text
    assert "1 active login<" in page and "10 of 10 backup codes left" in page and "mark-no" not in page
    for code in ada.codes[:7]:
        ada.another().signs_in(code)
    page = ada.get("/dashboard").text
    assert "8 active logins<" in page and "3 of 10 backup codes left" in page and "mark-no" in page
