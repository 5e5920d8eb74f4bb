"""The gate: from sign-up to ten saved backup codes."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from fv import db
from tests.conftest import Visitor, backup_codes_in, elsewhere


def test_the_whole_way_in_and_in_again(visitor):
    assert visitor.get("/").location == "/login"
    signed_up = visitor.signs_up()
    assert (signed_up.status_code, signed_up.location) == (303, "/setup")
    gate = visitor.get("/setup").text
    assert "<nav" not in gate and "<svg viewBox" in gate and "Two-factor authentication is required" in gate

    answer = visitor.enrols()
    assert answer.status_code == 200
    assert len(set(visitor.codes)) == 10

    left = visitor.post("/setup/codes/dismiss")
    assert (left.status_code, left.location) == (303, "/dashboard")
    assert "<nav" in visitor.get("/dashboard").text

    visitor.signs_out()
    assert visitor.get("/dashboard").location == "/login?next=/dashboard"
    assert visitor.proves_password().location == "/login/code"
    assert visitor.post("/login/code", code=visitor.code()).location == "/dashboard"
    assert visitor.is_in()

    visitor.signs_out()
    visitor.proves_password()
    assert visitor.post("/login/code", code=visitor.codes[0]).location == "/dashboard"
    assert visitor.is_in()


def test_the_address_in_the_gate_is_what_authenticators_read(app, clock):
    visitor = Visitor(app, clock, "ada.o'neil+fv@example.org")
    visitor.signs_up()
    offer = visitor.call("POST", "/api/v1/totp/setup").json
    parts = urlsplit(offer["otpauth_uri"])
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/FaceVault:ada.o'neil+fv@example.org"
    assert "+" not in offer["otpauth_uri"]
    assert parse_qs(parts.query) == {
        "secret": [offer["secret"]],
        "issuer": ["FaceVault"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }
    assert offer["qr_svg"].startswith("<svg") and len(offer["secret"]) == 32


def test_an_issuer_with_a_space_is_written_with_percent_20(make_app, clock):
    visitor = Visitor(make_app(ISSUER="Face Vault"), clock)
    visitor.signs_up()
    uri = visitor.call("POST", "/api/v1/totp/setup").json["otpauth_uri"]
    assert uri.startswith("otpauth://totp/Face%20Vault:ada%40example.org?") and "issuer=Face%20Vault" in uri


def test_a_reload_and_the_json_door_show_the_same_secret(visitor):
    visitor.signs_up()
    secret = visitor.scans()
    assert visitor.scans() == secret
    assert visitor.call("POST", "/api/v1/totp/setup").json["secret"] == secret
    visitor.post("/setup", code="000000")
    assert visitor.scans() == secret


def test_another_login_is_offered_another_secret_and_cannot_use_mine(visitor):
    """Somebody who knows the password before the second factor is set up learns nothing that works afterwards."""
    visitor.signs_up()
    intruder = visitor.another()
    assert intruder.proves_password().location == "/setup"
    assert intruder.scans() != visitor.scans()
    intruder.secret = visitor.secret
    assert intruder.post("/setup", code=intruder.code()).status_code == 422

    visitor.enrols()
    assert intruder.get("/setup").location == "/login?next=/setup"
    assert intruder.get("/api/v1/me").status_code == 401


def test_a_wrong_code_is_422_on_the_same_screen_with_one_alert(visitor):
    visitor.signs_up()
    secret = visitor.scans()
    for htmx in (False, True):
        wrong = visitor.post("/setup", htmx=htmx, code=visitor.wrong_code())
        assert wrong.status_code == 422
        assert wrong.text.count('role="alert"') == 1 and secret in wrong.text
        assert ("<html" in wrong.text) is not htmx
    assert visitor.call("POST", "/api/v1/totp/confirm", {"code": "000000"}).json["code"] == "invalid_code"
    assert visitor.call("GET", "/api/v1/me").json["totp_enabled"] is False


def test_a_code_before_anything_was_shown_is_wrong(visitor):
    visitor.signs_up()
    assert visitor.post("/setup", code="123456").status_code == 422


@pytest.mark.parametrize(
    ("steps", "said"),
    [(2, "60 seconds ahead"), (3, "90 seconds ahead"), (-4, "120 seconds behind"), (7, "4 minutes ahead")],
)
def test_a_phone_with_a_wrong_clock_is_told_by_how_much(visitor, steps, said):
    visitor.signs_up()
    visitor.scans()
    assert f"clock is about {said}" in visitor.post("/setup", code=visitor.code(step=steps)).text


def test_the_hint_about_the_clock_is_given_nowhere_else(ada):
    ada.signs_out()
    ada.proves_password()
    assert "clock" not in ada.post("/login/code", code=ada.code(step=4)).text


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_one_step_either_side_is_accepted(visitor, step):
    visitor.signs_up()
    visitor.scans()
    assert visitor.post("/setup", code=visitor.code(step)).status_code == 200


@pytest.mark.parametrize("step", [-2, 2])
def test_two_steps_away_is_not(visitor, step):
    visitor.signs_up()
    visitor.scans()
    assert visitor.post("/setup", code=visitor.code(step)).status_code == 422


def test_the_confirm_code_counts_as_used(visitor):
    visitor.signs_up()
    visitor.scans()
    code = visitor.code()
    visitor.post("/setup", code=code)
    visitor.post("/setup/codes/dismiss")
    visitor.signs_out()
    visitor.proves_password()
    assert visitor.post("/login/code", code=code).status_code == 422
    assert visitor.post("/login/code", code=visitor.code(step=-1)).status_code == 422
    assert visitor.post("/login/code", code=visitor.code(step=1)).location == "/dashboard"


def test_confirming_through_json_hands_over_the_codes_once(visitor):
    visitor.signs_up()
    visitor.scans()
    answer = visitor.call("POST", "/api/v1/totp/confirm", {"code": visitor.code()})
    assert answer.status_code == 200 and len(set(answer.json["backup_codes"])) == 10
    again = visitor.call("POST", "/api/v1/totp/confirm", {"code": visitor.code(step=1)})
    assert (again.status_code, again.json["code"]) == (409, "already_enrolled")
    me = visitor.call("GET", "/api/v1/me").json
    assert (me["totp_enabled"], me["backup_codes_remaining"], me["backup_codes_acknowledged"]) == (True, 10, False)
    visitor.post("/setup/codes/dismiss")
    assert visitor.call("GET", "/api/v1/me").json["backup_codes_acknowledged"] is True


def test_an_enrolled_account_cannot_set_up_again_and_nothing_changes(app, ada):
    def row():
        with app.app_context():
            return db.one(dict, "SELECT * FROM authenticators")

    before = row()
    assert ada.get("/setup").location == "/dashboard"
    assert ada.post("/setup", code=ada.code()).location == "/dashboard"
    for path, body in (("setup", None), ("confirm", {"code": ada.code()})):
        answer = ada.call("POST", f"/api/v1/totp/{path}", body)
        assert (answer.status_code, answer.json["code"]) == (409, "already_enrolled")
    assert row() == before
    assert ada.secret not in ada.get("/account").text


@pytest.mark.parametrize(
    "body",
    [{"code": "123456", "secret": "A" * 32}, {"code": "123456", "account_id": "acc_0"}, {"secret": "A" * 32}, {}],
)
def test_the_client_chooses_neither_secret_nor_account(visitor, body):
    visitor.signs_up()
    answer = visitor.call("POST", "/api/v1/totp/confirm", body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert visitor.call("POST", "/api/v1/totp/setup", {"secret": "A" * 32}).status_code == 422


def test_there_is_no_way_to_switch_the_second_factor_off(app, ada):
    spoken = [rule.rule + rule.endpoint for rule in app.url_map.iter_rules()]
    assert not [one for one in spoken if re.search(r"disable|deactivate|remove|switch|turn|skip|later|trust", one)]

    def second_factor():
        with app.app_context():
            return db.one(dict, "SELECT * FROM authenticators"), db.many(dict, "SELECT * FROM backup_codes")

    before = second_factor()
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<path:filename>", "copy.js").replace("<id>", "key_0")
        for method in methods:
            if rule.endpoint not in ("login.out", "login.password"):  # the caller stays signed in
                ada.call(method, path, {"totp_enabled": False}).close()
                ada.client.open(path, method=method, data={"totp_enabled": "", "disable": "1"}).close()
    assert second_factor() == before and ada.is_in()


@pytest.fixture
def meanwhile(monkeypatch):
    """`meanwhile(work)`: do this once while the next request hashes its new codes, as a parallel request would."""
    from fv.mfa import flows

    new_codes = flows._new_codes

    def arranges(work):
        def works():
            monkeypatch.setattr(flows, "_new_codes", new_codes)
            elsewhere(work)
            return new_codes()

        monkeypatch.setattr(flows, "_new_codes", works)

    return arranges


@pytest.mark.parametrize("json", [False, True])
def test_of_two_confirmations_at_once_the_second_changes_nothing(visitor, meanwhile, json):
    visitor.signs_up()
    other = visitor.another()
    other.proves_password()
    visitor.scans()
    meanwhile(other.enrols)
    if json:
        answer = visitor.call("POST", "/api/v1/totp/confirm", {"code": visitor.code()})
        assert (answer.status_code, answer.json["code"]) == (409, "already_enrolled")
    else:
        answer = visitor.post("/setup", code=visitor.code())
        assert answer.location == "/dashboard" and not backup_codes_in(answer)
    assert visitor.call("GET", "/api/v1/me").status_code == 401
    assert other.call("GET", "/api/v1/me").json["backup_codes_remaining"] == 10


def test_an_offer_that_was_replaced_meanwhile_enrols_nobody(app, visitor, meanwhile):
    def is_replaced():
        with app.app_context():
            db.run("UPDATE offered_secrets SET sealed_secret = 'another'")

    visitor.signs_up()
    visitor.scans()
    meanwhile(is_replaced)
    assert not backup_codes_in(visitor.post("/setup", code=visitor.code()))
    assert visitor.call("GET", "/api/v1/me").json["totp_enabled"] is False


def test_a_reset_that_comes_meanwhile_is_not_ended_by_a_login_that_gave_no_code(app, visitor, meanwhile):
    def is_reset():
        with app.app_context():
            db.run("INSERT INTO re_enrolments (account_id, code_hash, made_at) SELECT id, 'x', 0 FROM accounts")

    visitor.signs_up()
    visitor.scans()
    meanwhile(is_reset)
    assert not backup_codes_in(visitor.post("/setup", code=visitor.code()))
    with app.app_context():
        assert len(db.many(dict, "SELECT * FROM re_enrolments")) == 1
    assert visitor.call("GET", "/api/v1/me").json["totp_enabled"] is False


def test_of_two_renewals_at_once_with_one_code_one_hands_over_codes(visitor, meanwhile):
    visitor.signs_up()
    visitor.enrols()
    code, renewed = visitor.code(), []
    meanwhile(lambda: renewed.append(visitor.post("/setup/codes", code=code)))
    second = visitor.post("/setup/codes", code=code)
    assert len(backup_codes_in(renewed[0])) == 10
    assert second.status_code == 422 and not backup_codes_in(second)


def test_codes_that_are_acknowledged_meanwhile_are_not_replaced(visitor, meanwhile):
    visitor.signs_up()
    visitor.enrols()
    meanwhile(lambda: visitor.post("/setup/codes/dismiss"))
    answer = visitor.post("/setup/codes", code=visitor.code())
    assert answer.location == "/dashboard" and not backup_codes_in(answer)
    visitor.signs_out()
    visitor.proves_password()
    assert visitor.post("/login/code", code=visitor.codes[0]).location == "/dashboard"


def test_a_later_generation_has_another_name_in_the_app(app, visitor):
    visitor.signs_up()
    with app.app_context():
        account = db.one(dict, "SELECT id FROM accounts")["id"]
        db.run("INSERT INTO authenticators (account_id, generation) VALUES (:id, 2)", id=account)
    assert "FaceVault:ada%40example.org%20%282%29?" in visitor.call("POST", "/api/v1/totp/setup").json["otpauth_uri"]
    visitor.enrols()
    assert len(visitor.codes) == 10


# ── Backup codes ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_codes_are_in_one_answer_only(visitor):
    visitor.signs_up()
    shown = visitor.enrols()
    assert shown.headers["Cache-Control"] == "no-store"
    for path in ("/setup", "/setup/codes", "/dashboard", "/account", "/api/v1/me"):
        assert not [code for code in visitor.codes if code in visitor.get(path).text]
    assert visitor.get("/setup").location == "/setup/codes"


def test_dismissing_through_htmx_goes_to_the_dashboard(visitor):
    visitor.signs_up()
    visitor.enrols(htmx=True)
    answer = visitor.post("/setup/codes/dismiss", htmx=True)
    assert (answer.status_code, answer.headers["HX-Redirect"], answer.data) == (204, "/dashboard", b"")


def test_saved_codes_are_dismissed_for_the_own_account_only(visitor):
    eve = visitor.another("eve@example.org")
    for somebody in (eve, visitor):
        somebody.signs_up()
        somebody.enrols()
    visitor.post("/setup/codes/dismiss")
    assert visitor.is_in() and eve.get("/dashboard").location == "/setup/codes"


def test_an_unacknowledged_set_is_replaced_after_a_fresh_code(visitor):
    visitor.signs_up()
    visitor.enrols()
    lost = visitor.codes
    assert visitor.post("/setup/codes", code=visitor.wrong_code()).status_code == 422
    assert visitor.post("/setup/codes", code=visitor.code(step=-1)).status_code == 422, "spent at the confirmation"
    assert visitor.post("/setup/codes", code=lost[0]).status_code == 422, "a backup code is no fresh code"
    renewed = visitor.post("/setup/codes", code=visitor.code())
    codes = backup_codes_in(renewed)
    assert renewed.status_code == 200 and len(set(codes)) == 10 and not set(codes) & set(lost)
    visitor.post("/setup/codes/dismiss")
    visitor.signs_out()
    visitor.proves_password()
    assert visitor.post("/login/code", code=lost[1]).status_code == 422
    assert visitor.post("/login/code", code=codes[1]).location == "/dashboard"


def test_a_renewal_ends_the_own_set_and_nobody_elses(app, visitor):
    def kept():
        with app.app_context():
            rows = db.many(dict, "SELECT account_id, count(*) AS n FROM backup_codes GROUP BY account_id")
        return sorted(row["n"] for row in rows)

    eve = visitor.another("eve@example.org")
    for somebody in (eve, visitor):
        somebody.signs_up()
        somebody.enrols()
    assert len(backup_codes_in(visitor.post("/setup/codes", code=visitor.code()))) == 10
    assert kept() == [10, 10]
    eve.signs_out()
    assert eve.signs_in(eve.codes[0]).location == "/dashboard"


def test_an_acknowledged_set_is_not_replaced(ada):
    assert ada.get("/setup/codes").location == "/dashboard"
    answer = ada.post("/setup/codes", code=ada.code())
    assert answer.location == "/dashboard" and not backup_codes_in(answer)
    ada.signs_out()
    ada.proves_password()
    assert ada.post("/login/code", code=ada.codes[0]).location == "/dashboard"


def test_a_browser_closed_before_the_codes_were_saved_ends_at_the_renewal(visitor):
    visitor.signs_up()
    visitor.enrols()
    visitor.signs_out()
    assert visitor.signs_in().location == "/dashboard"
    assert visitor.get("/dashboard").location == "/setup/codes"
    assert "Did you save your backup codes?" in visitor.get("/setup/codes").text


def test_codes_work_whatever_the_case_spaces_and_dashes(ada):
    for number, spelled in enumerate(
        (
            lambda code: code.lower(),
            lambda code: f"{code[:4]}-{code[4:]}",
            lambda code: f" {code[:4]} {code[4:].lower()} ",
        )
    ):
        ada.signs_out()
        ada.proves_password()
        assert ada.post("/login/code", code=spelled(ada.codes[number])).location == "/dashboard"


def test_a_backup_code_works_once(ada):
    ada.signs_out()
    ada.proves_password()
    assert ada.post("/login/code", code=ada.codes[0]).location == "/dashboard"
    assert ada.call("GET", "/api/v1/me").json["backup_codes_remaining"] == 9
    ada.signs_out()
    ada.proves_password()
    assert ada.post("/login/code", code=ada.codes[0]).status_code == 422


def test_codes_still_work_after_the_cost_of_hashing_was_raised(make_app, ada, clock):
    later = Visitor(make_app(HASH_MEMORY_KIB=16, HASH_PASSES=2), clock)
    later.proves_password()
    assert later.post("/login/code", code=ada.codes[0]).location == "/dashboard"
