"""The audit trail: what is in it, who may read it, and that nobody can change it unnoticed."""

import base64
import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fv import db
from fv.accounts import store as account_store
from fv.api import times
from fv.api.sheets import harmless
from fv.audit import chain, events, flows, head
from fv.audit.chain import Event
from fv.config import Misconfigured
from fv.mfa import tries
from tests.conftest import PASSWORD, Visitor


def trail(app):
    """Every row as the database has it."""
    with app.app_context():
        return db.many(dict, "SELECT * FROM audit ORDER BY number")


def names(app):
    return [row["event"] for row in trail(app)]


def run(app, *words, **kwargs):
    return app.test_cli_runner().invoke(args=list(words), **kwargs)


def tamper(app, sql, **params):
    """What somebody does who can write to the database and has not got the key."""
    with app.app_context():
        return db.run(sql, **params)


def faults(app, *words):
    result = run(app, "audit", "verify", *words)
    assert (result.exit_code == 0) == ("is whole" in result.output), result.output
    return [] if result.exit_code == 0 else result.output.splitlines()[:-1]


# ── What is in it ────────────────────────────────────────────────────────────────────────────────────────────


def test_every_login_failure_lock_replay_enrolment_code_use_and_key_act_is_recorded(app, visitor):
    def happened():
        """Since the last look."""
        new = names(app)[len(seen) :]
        seen.extend(new)
        return new

    seen: list[str] = []
    visitor.signs_up()
    assert happened() == ["account.created", "password.proved"]
    visitor.enrols()
    assert happened() == ["second_factor.confirmed"]
    visitor.post("/setup/codes/dismiss")
    assert happened() == ["backup_codes.saved"]
    key = visitor.call("POST", "/api/v1/keys", {"name": "server"}).json["id"]
    visitor.call("DELETE", f"/api/v1/keys/{key}")
    visitor.signs_out()
    assert happened() == ["key.made", "key.revoked", "login.ended"]
    visitor.post("/login", email=visitor.email, password="wrong password")
    visitor.post("/login", email="nobody@example.org", password="wrong password")
    assert happened() == ["password.wrong", "password.wrong"]
    visitor.proves_password()
    visitor.post("/login/code", code=visitor.wrong_code())
    visitor.post("/login/code", code=(code := visitor.code()))
    assert happened() == ["password.proved", "code.wrong", "login.opened"]
    visitor.signs_in(code)
    assert happened() == ["login.ended", "password.proved", "code.replayed"], "a browser has one login"
    visitor.signs_in(visitor.codes[0])
    assert happened() == ["login.ended", "password.proved", "backup_code.used", "login.opened"]
    other = visitor.another()
    other.signs_in(visitor.codes[0])
    assert happened() == ["password.proved", "code.replayed"]
    other.proves_password()
    for _ in range(4):
        other.post("/login/code", code=visitor.wrong_code())
    assert happened() == ["login.ended", "password.proved", "code.wrong", "code.wrong", "code.locked"]
    visitor.post("/account/password", current=PASSWORD, password="another long password")
    visitor.post("/account/logins/end-others")
    assert happened() == ["password.changed"], "there was no other login left to end"


def test_an_older_code_after_a_newer_one_is_recorded_as_a_replay(app, ada):
    older, newer = ada.code(), ada.code(step=1)
    assert ada.another().signs_in(newer).location == "/dashboard"
    ada.another().signs_in(older)
    assert names(app)[-1] == "code.replayed"


def test_a_lock_is_recorded_once_and_again_when_it_comes_again(app, ada):
    for _ in range(2):
        other = ada.another()
        other.proves_password()
        for _ in range(8):
            other.post("/login/code", code=ada.wrong_code())
        ada.clock.passes(minutes=16)
    assert names(app).count("code.locked") == 2 and names(app).count("code.wrong") == 10


def test_of_five_wrong_codes_at_once_the_last_one_records_the_lock(app, ada):
    """All five are counted before any of them is found to be wrong."""
    ada.another().proves_password()
    with app.app_context():
        login, now = account_store.logins(account_id(app))[0], int(ada.clock.now)
        tried = [tries.begin(login.account_id, now) for _ in range(5)]
        for one in tried:
            tries.failed(one, login, now)
    assert names(app).count("code.locked") == 1 and names(app)[-1] == "code.locked"


def test_too_many_wrong_passwords_are_recorded_once_for_known_and_unknown_emails(app, ada):
    for email in (ada.email, "nobody@example.org"):
        for _ in range(12):
            ada.another(email).post("/login", email=email, password="wrong password")
    assert names(app).count("password.locked") == 2 and names(app).count("password.wrong") == 20
    assert {row["account_id"] for row in trail(app) if row["event"] == "password.locked"} == {account_id(app), None}


def account_id(app, email="ada@example.org"):
    with app.app_context():
        return db.one(dict, "SELECT id FROM accounts WHERE email = :email", email=email)["id"]


def test_no_row_holds_an_email_an_address_or_anything_that_was_typed(app, ada):
    ada.another().post("/login", email="somebody@example.net", password="typed password")
    ada.signs_in(ada.codes[3])
    text = json.dumps(trail(app))
    for secret in (ada.email, "somebody", "typed", "127.0.0.1", ada.codes[3], ada.secret, PASSWORD):
        assert secret not in text


def test_an_event_that_is_not_known_or_outside_of_a_transaction_is_a_bug(app):
    with app.app_context(), pytest.raises(LookupError):
        flows.record("key.made", None, 0)
    for event, actor in (("key.stolen", "holder"), ("key.made", "nobody")):
        with app.app_context(), pytest.raises(LookupError), db.transaction():
            flows.record(event, None, 0, actor)


def test_what_is_rolled_back_leaves_no_row_and_does_not_move_the_head(app, ada):
    with app.app_context():
        before = head.read(flows.path())
        with db.transaction():
            flows.record("key.made", None, 0)
            raise db.Undo
        with pytest.raises(ZeroDivisionError), db.transaction():
            flows.record("key.made", None, 0)
            raise ZeroDivisionError
        assert head.read(flows.path()) == before
    assert faults(app) == []


# ── That nobody can change it unnoticed ──────────────────────────────────────────────────────────────────────


def test_an_untouched_trail_is_whole_and_its_head_is_for_the_owner_only(app, ada):
    assert faults(app) == []
    path = Path(app.instance_path) / "audit.head"
    assert path.stat().st_mode & 0o777 == 0o600 and path.read_text().startswith(f"{len(trail(app))} ")
    assert path.stat().st_size == 256 and path.read_text().endswith(" \n")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("event", "login.opened"), ("account_id", None), ("account_id", "acc_0"), ("at", 1), ("actor", "support"),
        ("facts", "{}"), ("id", "evt_0"), ("hash", "0" * 64), ("seal", "00000000." + "0" * 64), ("seal", ""),
    ],
)  # fmt: skip
def test_an_edited_row_is_named(app, ada, column, value):
    assert tamper(app, f"UPDATE audit SET {column} = :value WHERE number = 2", value=value) == 1
    assert any("Row 2 " in fault for fault in faults(app))


def test_a_row_edited_by_somebody_who_recomputes_its_hash_and_the_chain_is_named(app, ada):
    rows = trail(app)
    rows[1]["event"] = "login.opened"
    before = rows[0]["hash"]
    for row in rows[1:]:
        plain = Event(*(row[name] for name in ("number", "id", "at", "account_id", "actor", "event", "facts")))
        before = row["hash"] = chain.link(before, plain)
        tamper(app, "UPDATE audit SET event = :event, hash = :hash WHERE number = :number",
               event=row["event"], hash=row["hash"], number=row["number"])  # fmt: skip
    assert faults(app)[0] == "Row 2 was not written by this installation, or was edited."


@pytest.mark.parametrize(("number", "said"), [(1, "Row 1 is missing."), (2, "Row 2 is missing.")])
def test_a_removed_row_is_named(app, ada, number, said):
    tamper(app, "DELETE FROM audit WHERE number = :number", number=number)
    assert faults(app) == [said]


def test_removed_rows_that_were_numbered_anew_are_named(app, ada):
    tamper(app, "DELETE FROM audit WHERE number = 2")
    tamper(app, "UPDATE audit SET number = number - 1 WHERE number = 3")
    assert faults(app)[0].startswith("Row 2 was edited, moved")


def test_two_rows_that_changed_places_are_named(app, ada):
    for old, new in ((2, 99), (3, 2), (99, 3)):
        tamper(app, "UPDATE audit SET number = :new WHERE number = :old", old=old, new=new)
    named = [fault.split(" was ")[0] for fault in faults(app)]
    assert named == ["Row 2", "Row 3", "Row 4"], "the one behind them follows on another row now"


def test_a_row_that_was_put_in_is_named(app, ada):
    last = len(trail(app))
    tamper(app, "INSERT INTO audit SELECT :new, 'evt_1', at, account_id, actor, event, facts, hash, seal "
           "FROM audit WHERE number = :last", new=last + 1, last=last)  # fmt: skip
    assert faults(app) == [f"Row {last + 1} was edited, moved, or put in place of another."]


@pytest.mark.parametrize("number", [1, 2, 4])
def test_rows_cut_off_at_the_end_are_missed_also_when_new_ones_follow(app, ada, number):
    last = len(trail(app))
    assert tamper(app, "DELETE FROM audit WHERE number > :kept", kept=last - number) == number
    first = last - number + 1
    said = f"Row {last} is missing" if number == 1 else f"Rows {first} to {last} are missing"
    assert faults(app) == [f"{said} at the end."]
    ada.signs_out()
    ada.signs_in()
    assert faults(app) == [f"{said}."]
    assert faults(app, "--after", str(last)) == [], "what is known can be left out of the next look"
    assert f"Rows 1 to {last} were not looked at." in run(app, "audit", "verify", "--after", str(last)).output
    app.extensions["is_new"] = False
    assert run(app, "doctor").exit_code == 1 and run(app, "doctor", "--audit-after", str(last)).exit_code == 0
    assert "There is no row 999" in run(app, "audit", "verify", "--after", "999").output


def test_a_trail_that_was_emptied_is_missed(app, ada):
    last = len(trail(app))
    tamper(app, "DELETE FROM audit")
    assert faults(app) == [f"Rows 1 to {last} are missing at the end."]


def test_a_last_row_put_in_place_of_the_real_one_is_not_the_one_that_was_noted(app, ada):
    """An older sealed state of the whole database, with other rows of the same numbers."""
    with app.app_context():
        last = head.read(flows.path())
        forged = head.Head(last.number, "f" * 64, "")
        seal = app.extensions["keyring"].sign("audit head", f"{forged.number} {forged.hash}")
        flows.path().unlink()
        head.write(flows.path(), head.Head(forged.number, forged.hash, seal), lambda _: True)
    assert faults(app) == [f"Row {last.number} is not the one that was written last."]


def test_a_trail_of_no_row_and_one_of_one_row_need_the_note_alike(app):
    note = Path(app.instance_path) / "audit.head"
    assert note.read_text().startswith(f"0 {chain.FIRST} ")
    assert run(app, "audit", "verify").output == "The audit trail is whole: 0 rows, the last one is number 0.\n"
    empty = note.read_bytes()
    note.unlink()
    assert len(faults(app)) == 1
    note.write_bytes(empty)
    with app.app_context(), db.transaction():
        flows.record("key.made", None, 0)
    assert run(app, "audit", "verify").output == "The audit trail is whole: 1 row, the last one is number 1.\n"
    after = run(app, "audit", "verify", "--after", "1").output
    assert after.startswith("The audit trail is whole: 0 rows, the last one is number 1.")
    note.unlink()
    assert len(faults(app)) == 1


@pytest.mark.parametrize(
    "content", [None, b"", b"nonsense", b"99 " + b"0" * 64 + b" 00000000.00", b"\xff" * 256, b"9" * 5000 + b" a b"]
)
def test_a_head_that_is_missing_or_forged_is_told_and_recorded(app, ada, content):
    path = Path(app.instance_path) / "audit.head"
    path.unlink() if content is None else path.write_bytes(content)
    assert len(faults(app)) == 1 and "is missing or was altered" in faults(app)[0]
    ada.signs_out()
    assert names(app)[-2:] == ["trail.head_missing", "login.ended"] and path.stat().st_mode & 0o777 == 0o600
    said = f"Before row {len(trail(app)) - 1} the note of the end was missing: rows may have been cut off there."
    assert faults(app) == [said] and faults(app, "--after", str(len(trail(app)) - 1)) == []


@pytest.mark.parametrize("content", [None, b"99 " + b"0" * 64 + b" 00000000.00"])
def test_a_restart_does_not_make_up_for_a_note_that_is_missing_or_forged(app, ada, make_app, content):
    path = Path(app.instance_path) / "audit.head"
    path.unlink() if content is None else path.write_bytes(content)
    assert "is missing or was altered" in faults(make_app())[0]


def test_a_last_row_that_was_altered_does_not_stop_the_start(app, ada, make_app):
    last = len(trail(app))
    tamper(app, "UPDATE audit SET seal = 'another' WHERE number = :last", last=last)
    assert faults(make_app()) == [f"Row {last} was not written by this installation, or was edited."]


def test_rows_cut_off_together_with_the_note_leave_a_trace_for_good(app, ada):
    tamper(app, "DELETE FROM audit WHERE number > 2")
    (Path(app.instance_path) / "audit.head").unlink()
    ada.signs_out()
    ada.signs_in()
    assert faults(app) == ["Before row 3 the note of the end was missing: rows may have been cut off there."]


def test_a_trail_that_was_emptied_together_with_the_note_leaves_a_trace_for_good(make_app, ada):
    tamper(ada.app, "DELETE FROM audit")
    (Path(ada.app.instance_path) / "audit.head").unlink()
    again = Visitor(make_app(), ada.clock)
    again.secret = ada.secret
    assert again.signs_in().location == "/dashboard"
    assert faults(again.app) == ["Before row 1 the note of the end was missing: rows may have been cut off there."]


def test_the_first_row_behind_a_gap_is_still_sealed(app, ada):
    tamper(app, "DELETE FROM audit WHERE number = 3")
    tamper(app, "UPDATE audit SET event = 'login.opened' WHERE number = 4")
    assert faults(app) == ["Row 3 is missing.", "Row 4 was not written by this installation, or was edited."]


def test_a_note_that_cannot_be_kept_where_the_setting_says_stops_the_start(make_app, tmp_path):
    for place in (tmp_path, tmp_path / "nowhere" / "head"):
        with pytest.raises(Misconfigured, match=r"FV_AUDIT_HEAD: .* cannot be read and written"):
            make_app(AUDIT_HEAD=place)


def test_a_head_that_is_behind_hides_nothing(app, ada):
    """A crash between the commit and the note."""
    path = Path(app.instance_path) / "audit.head"
    older = path.read_bytes()
    ada.signs_out()
    path.write_bytes(older)
    assert faults(app) == []
    ada.signs_in()
    assert faults(app) == []


def test_of_two_processes_that_note_in_the_wrong_order_the_newer_row_stays_noted(app, ada):
    with app.app_context():
        newest = head.read(flows.path())
        head.write(flows.path(), head.Head(newest.number - 1, "0" * 64, ""), lambda _: True)
        assert head.read(flows.path()) == newest


def test_a_note_that_is_no_file_makes_nobody_wait(app, ada):
    path = Path(app.instance_path) / "audit.head"
    path.unlink()
    os.mkfifo(path)
    with app.app_context():
        assert head.read(path) is None
    path.unlink()


def test_a_head_that_cannot_be_written_does_not_stop_the_product(app, ada):
    path = Path(app.instance_path) / "audit.head"
    path.unlink()
    path.symlink_to("/proc/nowhere/head")
    assert ada.signs_out().status_code == 303
    assert names(app)[-1] == "login.ended"
    path.unlink()
    assert ada.signs_in().location == "/dashboard"


def test_the_head_can_be_kept_elsewhere(make_app, clock, tmp_path):
    app = make_app(AUDIT_HEAD=tmp_path / "elsewhere")
    Visitor(app, clock).signs_up()
    assert (tmp_path / "elsewhere").read_text().startswith("2 ") and faults(app) == []
    assert not (Path(app.instance_path) / "audit.head").exists()


def test_rows_sealed_with_an_older_key_are_still_ours_and_with_another_key_are_not(make_app, ada, clock):
    text = (Path(ada.app.instance_path) / "secret.key").read_text()
    newer = make_app(SECRET_KEY=text + "n" * 40)
    other = Visitor(newer, clock)
    other.secret = ada.secret
    other.signs_in()
    assert faults(newer) == []
    tamper(newer, "DELETE FROM authenticators")
    with pytest.raises(Misconfigured, match="does not belong"):
        make_app(SECRET_KEY="o" * 40)


@pytest.mark.parametrize("number", ["NULL", "-9223372036854775808", "'text'", "2.5", "x'01'"])
def test_a_row_with_a_number_that_no_row_has_cannot_be_put_in_or_is_named(app, ada, number):
    columns = f"{number}, 'evt_1', at, account_id, actor, event, facts, hash, seal"
    sql = f"INSERT INTO {{}} SELECT {columns} FROM audit WHERE number = 2"
    if number in ("NULL", "-9223372036854775808"):
        with pytest.raises(Exception, match="constraint"):
            tamper(app, sql.format("audit"))
    for change in ("CREATE TABLE loose AS SELECT * FROM audit", sql.format("loose"), "DROP TABLE audit",
                   "ALTER TABLE loose RENAME TO audit"):  # fmt: skip
        tamper(app, change)
    assert any("that this program did not write" in fault for fault in faults(app))


@pytest.mark.parametrize("column", ["id", "actor", "event", "facts", "hash", "seal", "account_id", "at"])
def test_a_column_of_another_kind_is_named(app, ada, column):
    tamper(app, f"UPDATE audit SET {column} = x'6162' WHERE number = 2")
    assert faults(app)


def test_text_that_is_none_ends_the_reading_and_is_named(app, ada):
    tamper(app, "UPDATE audit SET event = CAST(x'ff' AS TEXT) WHERE number = 3")
    (said,) = faults(app)
    assert said.startswith("Nothing can be read from row ") and said.endswith("the database is damaged.")


def test_an_event_of_another_version_is_shown_by_its_name(app, ada):
    tamper(app, "UPDATE audit SET event = 'key.painted' WHERE number = 2")
    assert "key.painted" in ada.get("/audit").text and "key.painted" in ada.get("/account").text
    assert ada.call("GET", "/api/v1/audit").status_code == 200
    assert "key.painted" in run(app, "support", "show", ada.email).output
    assert events.tell("key.painted", "holder", "{}").unusual, "what nobody here knows is worth a second look"


def test_an_index_that_hides_rows_hides_none_from_the_doctor(app, ada):
    for change in (
        "DROP INDEX audit_by_account",
        "CREATE INDEX audit_by_account ON audit (CASE WHEN number = 3 THEN 'x' ELSE account_id END, number)",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE INDEX audit_by_account ON audit (account_id, number)' "
        "WHERE name = 'audit_by_account'",
        "PRAGMA writable_schema = RESET",
    ):
        tamper(app, change)
    assert "is damaged" in run(app, "doctor").output


def test_a_cursor_of_another_account_says_nothing(app, clock, ada):
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    eve.post("/setup/codes/dismiss")

    def behind(id):
        cursor = base64.urlsafe_b64encode(f"1 {id}".encode()).decode()
        return eve.call("GET", f"/api/v1/audit?after={cursor}").json

    ada.signs_out()
    for row in trail(app):
        if row["account_id"] != account_id(app, eve.email):
            assert behind(row["id"]) == behind("evt_" + "0" * 32), row


def test_fifty_faults_are_all_that_there_are(app):
    for _ in range(50):
        with app.app_context(), db.transaction():
            flows.record("key.made", None, 0)
    tamper(app, "UPDATE audit SET at = at + 1")
    output = run(app, "audit", "verify").output
    assert output.count("Row ") == 50 and "The first ones" not in output


def test_of_many_faults_the_first_fifty_are_named(app, ada):
    for _ in range(60):
        with app.app_context(), db.transaction():
            flows.record("key.made", None, 0)
    tamper(app, "UPDATE audit SET at = at + 1")
    result = run(app, "audit", "verify")
    assert result.exit_code == 1 and result.output.count("Row ") == 50 and "The first ones are above." in result.output


@pytest.mark.long
def test_writers_in_several_processes_make_one_chain(app, ada):
    """Each of four processes adds 25 rows as fast as it can."""
    program = (
        "import sys; from fv import create_app, db; from fv.audit import flows\n"
        "app = create_app(INSTANCE=sys.argv[1])\n"
        "for n in range(25):\n"
        "    with app.app_context(), db.transaction(): flows.record('key.made', None, n)\n"
    )
    before = len(trail(app))
    processes = [subprocess.Popen([sys.executable, "-c", program, app.instance_path]) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert len(trail(app)) == before + 100 and faults(app) == []
    assert (Path(app.instance_path) / "audit.head").read_text().startswith(f"{before + 100} ")


def test_a_trail_that_an_earlier_version_wrote_can_be_followed_today():
    """The hash is over this text; an export that is kept elsewhere must not become wrong by an upgrade."""
    facts = chain.facts_as_text({"ticket": "é", "left": 9})
    assert facts == '{"left": 9, "ticket": "é"}'
    event = Event(1, "evt_0", 1_800_000_000, None, "support", "support.unlocked", facts)
    assert chain.link(chain.FIRST, event) == "42ae19dc1cbb8ffd086a19bdeeadb78901aa75c826b888806b841bcfeaec8ac3"


def test_the_export_is_every_row_and_its_hashes_can_be_followed_without_a_key(app, ada):
    result = run(app, "audit", "export")
    rows = [json.loads(line) for line in result.output.splitlines()]
    assert result.exit_code == 0 and rows == trail(app)
    before = "0" * 64
    for row in rows:
        columns = [row[name] for name in ("number", "id", "at", "account_id", "actor", "event", "facts")]
        before = chain.hashlib.sha256(json.dumps([before, *columns], ensure_ascii=False).encode()).hexdigest()
        assert before == row["hash"]


# ── Who may read it ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_tells_the_own_account_in_words_and_no_other(app, clock, ada):
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    eve.post("/setup/codes/dismiss")
    page = ada.get("/audit").text
    assert "Second factor confirmed" in page and page.count("Account created</th>") == 1
    ids = {row["id"] for row in trail(app) if row["account_id"] == account_id(app)}
    listed = {row["id"] for row in ada.call("GET", "/api/v1/audit?limit=100").json["data"]}
    assert listed == ids and len(ids) < len(trail(app))
    assert not ids & {row["id"] for row in eve.call("GET", "/api/v1/audit?limit=100").json["data"]}


def test_the_list_is_given_a_page_at_a_time_newest_first(app, ada):
    everything = [row["id"] for row in reversed(trail(app))]
    first = ada.call("GET", "/api/v1/audit?limit=2").json
    assert [row["id"] for row in first["data"]] == everything[:2] and first["has_more"]
    ada.call("POST", "/api/v1/keys", {"name": "meanwhile"})
    second = ada.call("GET", f"/api/v1/audit?limit=2&after={first['next_cursor']}").json
    assert [row["id"] for row in second["data"]] == everything[2:4]
    assert second["data"][0].keys() == {"id", "created_at", "event", "description", "actor", "facts"}


def test_the_list_can_be_filtered(ada):
    def events_of(query):
        return [row["event"] for row in ada.call("GET", f"/api/v1/audit?{query}").json["data"]]

    ada.clock.passes(hours=48)
    ada.signs_in()
    at = ada.call("GET", "/api/v1/audit?event=login.opened").json["data"][0]["created_at"]
    assert events_of("event=second_factor.confirmed") == ["second_factor.confirmed"]
    assert events_of(f"created_before={at}")[0] == "backup_codes.saved"
    assert events_of(f"created_after={at}") == []
    second_before = times.written(times.read(at) - 1)
    assert "login.opened" in events_of(f"created_after={second_before}")
    for query, pointer in (
        ("event=nonsense", "/event"), ("created_after=yesterday", "/created_after"),
        ("created_before=", "/created_before"), ("from=2026-01-01", "/from"),
    ):  # fmt: skip
        answer = ada.call("GET", f"/api/v1/audit?{query}")
        assert answer.status_code == 422 and answer.json["errors"][0]["pointer"] == pointer


def test_the_page_can_be_filtered_and_paged(ada):
    rows = ada.get("/audit?limit=2").text
    assert rows.count('<tr>\n        <th scope="row">') == 2 and "Older" in rows and "Newest" not in rows
    older = rows.split('href="/audit?after=')[1].split('"')[0]
    assert "Newest" in ada.get(f"/audit?after={older}").text
    (confirmed,) = ada.call("GET", "/api/v1/audit?event=second_factor.confirmed").json["data"]
    today = confirmed["created_at"][:10]  # which may be yesterday by now
    page = ada.get(f"/audit?event=second_factor.confirmed&from={today}&to={today}").text
    assert page.count('<tr>\n        <th scope="row">') == 1 and f'value="{today}"' in page
    assert "No event fits this filter." in ada.get("/audit?to=2020-01-01").text
    assert ada.get("/audit?from=nonsense").status_code == 422 == ada.get("/audit?event=nonsense").status_code


def test_a_day_goes_from_its_first_second_to_its_last(app, ada):
    midnight = times.read("2026-03-01T00:00:00Z")
    for at in (midnight - 1, midnight, midnight + 86399, midnight + 86400):
        with app.app_context(), db.transaction():
            flows.record("key.made", account_id(app), at)
    rows = list(csv.reader(io.StringIO(ada.get("/audit/export?event=key.made&from=2026-03-01&to=2026-03-01").text)))
    assert [row[0] for row in rows[1:]] == ["2026-03-01T23:59:59Z", "2026-03-01T00:00:00Z"]
    by_json = ada.call("GET", "/api/v1/audit?event=key.made&created_after=2026-02-28T23:59:59Z").json["data"]
    assert [row["created_at"] for row in by_json][-1] == "2026-03-01T00:00:00Z" and len(by_json) == 3


def test_cells_that_a_spreadsheet_would_compute_are_neutralised(app, ada):
    with app.app_context():
        for ticket in ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "plain"):
            with db.transaction():
                flows.record("support.unlocked", account_id(app), 0, "support", ticket=ticket)
    with app.app_context(), db.transaction():
        flows.record("support.unlocked", account_id(app), 0, "support", device="=1+1")
    answer = ada.get("/audit/export")
    assert answer.mimetype == "text/csv" and "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["time", "event", "what", "by", "details", "id"] and rows[1][4] == "'=1+1"
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert len(list(csv.reader(io.StringIO(ada.get("/audit/export?event=support.unlocked").text)))) == 7
    assert len(rows) == len(trail(app)) + 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_every_beginning_of_a_formula_gets_an_apostrophe(start):
    assert harmless(f"{start}1") == f"'{start}1" and harmless(f"1{start}") == f"1{start}"


def test_every_event_is_said_in_words_and_what_is_told_comes_with_advice():
    assert all(kind.words and not kind.words.endswith(".") for kind in events.KINDS.values())
    assert all(bool(kind.advice) == kind.told for kind in events.KINDS.values())


def test_which_events_are_told_and_which_are_worth_a_second_look():
    assert set(events.TOLD) == {
        "backup_code.used", "backup_codes.replaced", "code.locked", "code.replayed", "login.new_device",
        "password.changed", "password.locked", "password.set_by_link", "second_factor.confirmed", "support.new_codes",
        "support.re_enrolled",
    }  # fmt: skip
    assert {name for name, kind in events.KINDS.items() if kind.unusual} == {
        "backup_code.used", "code.locked", "code.replayed", "code.wrong", "master_key.rotated", "password.changed",
        "password.locked", "password.set_by_link", "password.wrong", "re_enrolment.code_accepted", "support.new_codes",
        "support.password_link", "support.re_enrolled", "support.unlocked", "trail.head_missing",
    }  # fmt: skip


def test_what_a_key_did_is_told_as_its_doing_and_not_as_the_holders(ada):
    made = ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": ["links:write"]}).json
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    program = ada.app.test_client()
    assert program.post("/api/v1/links", json={}, headers=bearer, base_url="http://localhost").status_code == 201
    rows = csv.DictReader(io.StringIO(ada.get("/audit/export").text))
    by = {row["event"]: (row["by"], row["details"]) for row in rows}
    assert by["link.made"][0] == "an API key" and f"{made['prefix']}…" in by["link.made"][1]
    assert by["key.made"][0] == "you"
