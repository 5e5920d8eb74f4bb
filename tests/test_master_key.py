"""`fv master-key rotate`: everything is sealed anew under another key, and nothing is lost on the way."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fv import db, serving
from fv.db import sealed, sqlite
from fv.evidence import flows as evidence
from fv.fingerprints import flows as fingerprints
from fv.fingerprints import store as templates
from fv.fingerprints.store import Space
from fv.imports import flows as imports
from fv.imports.flows import Checked, Target
from fv.master_key import flows, key_file
from fv.mfa import flows as mfa
from fv.mfa import store as mfa_store
from fv.retention import confirming
from fv.retention import flows as retention
from fv.retention import store as erasures
from fv.sealing import Keyring
from fv.verifications import flows as verifications
from fv.webhooks import flows as webhooks
from fv.webhooks import store as webhook_store
from tests.conftest import Visitor
from tests.crashes import killed_before
from tests.live import DEADLINE, Server, free_port, is_free
from tests.photos import examined, photographed
from tests.reports import MODEL, face, report
from tests.test_audit import faults, names, run, tamper, trail
from tests.test_erasure import files_in
from tests.test_serving import enrolled, next_code, pending
from tests.test_sessions import bearer, create, get

ROTATE = ("master-key", "rotate", "--yes")
SPACE = Space(MODEL.id, MODEL.sha256, MODEL.preprocessing)
GOES_ON = "A rotation was not finished"


def key_path(app):
    return Path(app.instance_path) / "secret.key"


def keys(app):
    return key_path(app).read_text().split()


@pytest.fixture
def rotate(app, make_app):
    """Run the command, in this app or another one, with the connections of all others closed."""
    every = [app]

    def rotates(of=None, *words, **kwargs):
        for one in every:
            db.close(one)
        return run(of or app, *(words or ROTATE), **kwargs)

    def restarts(**settings):
        every.append(make_app(**settings))
        return every[-1]

    rotates.restart = restarts
    return rotates


def newest_id(app):
    return Keyring(key_path(app).read_text()).current_id


def sealed_columns(app):
    """(table, column) of every column whose name says that it is sealed."""
    with app.app_context():
        return {
            (table["name"], column["name"])
            for table in db.many(dict, "SELECT name FROM sqlite_master WHERE type = 'table'")
            for column in db.many(dict, f"SELECT name FROM pragma_table_info('{table['name']}')")
            if column["name"].startswith("sealed_")
        }


def texts(app):
    """Every sealed text there is, by its column."""
    with app.app_context():
        return {
            column: [
                row["text"] for row in db.many(dict, f"SELECT {column[1]} AS text FROM {column[0]}") if row["text"]
            ]
            for column in sealed_columns(app)
        }


def key_ids(app):
    return {text.partition(".")[0] for column in texts(app).values() for text in column}


class Household:
    """An account and everything that is sealed for it, and what each of it opens as."""

    def __init__(self, app, ada):
        self.ada, self.again = ada, {"Idempotency-Key": "order 17"}
        secret = ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": ["sessions:create", "photos:read"]}).json
        self.key = bearer(secret["secret"])
        self.webhook = ada.call("POST", "/api/v1/webhooks", {"url": "https://1.1.1.1/"}).json["id"]
        self.id = create(app, self.key, **self.again).json["session_id"]
        photographed(app, self.id, None)
        examined(app, self.id, report())
        self.erased, self.pending = (self._erased(app, f"order {number}", now) for number, now in ((18, 1), (19, None)))
        self.eve = ada.another("eve@example.org")
        self.eve.signs_up()
        self.eve.scans()
        self.before = self.opened(app)

    def _erased(self, app, order, confirmed_at):
        """An erasure, looked for or not."""
        id = create(app, self.key, **{"Idempotency-Key": order}).json["session_id"]
        with app.app_context():
            account_id = mfa_store.any_enrolled().account_id
            session = retention.find(account_id, id, None, 1)
            erasure = retention.erase_for(session, "operator", "x", 1)
            if confirmed_at:
                confirming.confirm(confirmed_at)
            return erasure.id

    def opened(self, app):
        with app.app_context():
            account_id = mfa_store.any_enrolled().account_id
            photos = evidence.of_verification(account_id, self.id)
            near = fingerprints.nearest_of_others(account_id, "live", SPACE, face().template, "somebody else")
            return [
                [evidence.open(photo) for photo in photos],
                evidence.open_document(account_id, self.id),
                (near.fingerprint.session_id, round(near.similarity, 6)),
                create(app, self.key, **self.again).json,
                mfa.can_open_secrets(),
                self._offered(app),
                webhooks.secret_of(webhook_store.find(account_id, self.webhook)),
                len(confirming._traces(erasures.by_id(self.pending))),
                confirming._seed(1),
            ]

    def _offered(self, app):
        with app.app_context():
            (row,) = db.many(dict, "SELECT login_id, sealed_secret FROM offered_secrets")
            return app.extensions["keyring"].open(row["sealed_secret"], row["login_id"])

    def is_as_before(self, app):
        return self.opened(app) == self.before


@pytest.fixture
def household(app, ada):
    return Household(app, ada)


# ── Everything ───────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_is_sealed_under_the_new_key_and_opens_as_before(app, household, clock, rotate):
    (old,) = keys(app)
    assert all(texts(app).values()) and key_ids(app) == {newest_id(app)}
    result = rotate()
    assert result.exit_code == 0, result.output
    assert keys(app)[0] == old and len(keys(app)) == 2 and key_ids(app) == {newest_id(app)}
    assert "Everything is sealed under the new key." in result.stdout
    assert household.is_as_before(app), "in this process"
    restarted = rotate.restart()
    assert household.is_as_before(restarted)
    ada = Visitor(restarted, clock)
    ada.secret = household.ada.secret
    assert ada.signs_in().headers["location"] == "/dashboard" and ada.is_in()
    photos = get(restarted, household.key, f"/api/v1/sessions/{household.id}/photos/selfie")
    assert photos.status_code == 200 and photos.data[:2] == b"\xff\xd8"


def test_every_column_of_sealed_texts_is_sealed_anew(app):
    kinds = (*mfa.SEALED, *evidence.SEALED, *verifications.SEALED, *fingerprints.SEALED, *webhooks.SEALED,
             *retention.SEALED)  # fmt: skip
    assert {(kind.column.table, kind.column.name) for kind in kinds} == sealed_columns(app)
    assert len(flows.SEALING) == len(kinds)


def test_without_the_older_key_what_is_sealed_opens_and_the_trail_is_not_believed(app, household, rotate):
    rotate()
    assert faults(app) == []
    newest = rotate.restart(SECRET_KEY=keys(app)[-1])
    assert household.is_as_before(newest)
    assert faults(newest)[0] == "Row 1 was not written by this installation, or was edited."


def test_the_trail_says_who_did_it_and_which_key_seals(app, household, rotate):
    rotate()
    (row,) = [row for row in trail(app) if row["event"] == "master_key.rotated"]
    assert (row["account_id"], row["actor"]) == (None, "support")
    assert json.loads(row["facts"]) == {"left": 0, "sealed_under": newest_id(app)}
    assert row["seal"].startswith(f"{newest_id(app)}.")


def test_rotations_follow_each_other(app, household, rotate):
    for number in (2, 3, 4):
        restarted = rotate.restart()
        assert rotate(restarted).exit_code == 0
        assert len(keys(app)) == number == len(set(keys(app))) and key_ids(app) == {newest_id(app)}
        assert household.is_as_before(rotate.restart()) and faults(rotate.restart()) == []


def test_many_rows_are_sealed_anew_in_parts(app, household, monkeypatch, rotate):
    monkeypatch.setattr(flows, "BATCH", 2)
    assert rotate().exit_code == 0
    assert key_ids(app) == {newest_id(app)} and household.is_as_before(app)


def test_no_file_holds_what_was_sealed_before(app, household, rotate):
    before = [text[9:].encode() for column in texts(app).values() for text in column]

    def held():
        content = b"".join(path.read_bytes() for path in files_in(app.instance_path))
        return [text in content for text in before]

    assert all(held())
    rotate()
    assert not any(held())


@pytest.mark.long
def test_who_begins_to_read_meanwhile_keeps_the_log_and_is_told_of(app, household, rotate, monkeypatch):
    readers, begins = [], flows.begin

    def and_then_somebody_reads(plan):
        refused = begins(plan)
        readers.append(sqlite.connect(db.path_of(app)))
        readers[0].execute("BEGIN")
        readers[0].execute("SELECT * FROM photos").fetchone()
        return refused

    monkeypatch.setattr(flows, "begin", and_then_somebody_reads)
    result = rotate()
    readers[0].close()
    assert result.exit_code == 0 and "Something else reads the database" in result.stderr
    assert household.is_as_before(app)


def test_a_device_that_was_known_is_known_after_a_rotation(app, household, clock, rotate):
    rotate()
    ada = Visitor(rotate.restart(), clock)
    ada.secret = household.ada.secret
    ada.signs_in()
    assert names(app)[-1] == "login.opened" and "login.new_device" not in names(app)


def test_a_cookie_that_an_older_key_signed_signs_nobody_in(app, household, rotate):
    def status(of):
        browser = of.test_client()
        browser.set_cookie("facevault", household.ada.client.get_cookie("facevault").value)
        return browser.get("/api/v1/me").status_code

    assert status(rotate.restart()) == 200
    assert "Everybody signs in once more" in rotate().stderr
    restarted = rotate.restart()
    assert status(restarted) == 401
    assert create(restarted, household.key).status_code == 201, "keys go on"


def test_no_key_and_no_secret_is_printed(app, household, rotate):
    shown = rotate(app, "master-key", "rotate", input="y\n")
    said = shown.output + json.dumps(trail(app)) + run(app, "doctor").output
    assert len(keys(app)) == 2 and not [key for key in keys(app) if key in said]
    assert household.ada.secret not in said and household.eve.secret not in said


def test_face_templates_are_turned_by_another_secret_and_those_of_an_unfinished_import_wait(app, household, rotate):
    with app.app_context():
        account_id = mfa_store.any_enrolled().account_id
        waiting = imports.begin(Target(account_id, "live", SPACE), Checked(1, 0, (), "digest"), False, 1)
        generation = templates.gallery(waiting.gallery_id).generation
        before = {one["id"]: one["vector"] for one in db.many(dict, "SELECT id, vector FROM fingerprints")}
    assert rotate().exit_code == 0
    restarted = rotate.restart()
    with restarted.app_context():
        after = {one["id"]: one["vector"] for one in db.many(dict, "SELECT id, vector FROM fingerprints")}
        assert after.keys() == before.keys() and not set(after.values()) & set(before.values())
        assert fingerprints.generations(account_id) == [2]
        assert fingerprints.rotation_of(account_id, generation)
    assert household.is_as_before(restarted)


def test_a_move_that_was_broken_off_is_finished_and_then_there_is_another_secret(app, household, rotate):
    with app.app_context():
        account_id = mfa_store.any_enrolled().account_id
        with db.transaction():
            fingerprints.new_rotation(account_id, 1)  # a rekey that was killed here: its secret is as old as the key
        before = {one.sealed_seed for one in templates.rotations(account_id)}
    assert rotate().exit_code == 0
    restarted = rotate.restart()
    with restarted.app_context():
        assert fingerprints.generations(account_id) == [3]
        assert not before & {one.sealed_seed for one in templates.rotations(account_id)}
    assert household.is_as_before(restarted)


# ── What is asked, and what is refused ───────────────────────────────────────────────────────────────────────


def test_it_says_what_it_will_do_and_asks(app, household, rotate):
    result = rotate(app, "master-key", "rotate", input="n\n")
    assert result.exit_code == 1 and len(keys(app)) == 1 and names(app)[-1] != "master_key.rotated"
    lines = [line.split(maxsplit=1) for line in result.stderr.splitlines() if line.strip()[:1].isdigit()]
    assert lines == [
        ["1", "accounts whose face templates are turned by another secret"],
        ["1", "TOTP secrets"], ["1", "TOTP secrets not confirmed yet"], ["3", "keys of photos"],
        ["1", "what was read from documents"], ["1", "answers that are given again"], ["1", "seeds of rotations"],
        ["1", "secrets of webhooks"], ["1", "pieces of what was erased, to be looked for"],
        ["1", "keys that receipts are signed with"],
    ]  # fmt: skip
    assert str(key_path(app)) in result.stderr and "Older keys stay in the file" in result.stderr


def test_a_key_in_the_environment_is_refused_with_what_to_do_and_then_goes_on(app, household, rotate):
    (old,) = keys(app)
    result = rotate(rotate.restart(SECRET_KEY=old))
    assert result.exit_code == 1 and result.output.startswith("Error: FV_SECRET_KEY holds the key")
    assert "openssl rand -hex 32" in result.output and names(app)[-1] != "master_key.rotated"
    by_hand = rotate.restart(SECRET_KEY=f"{old}\n{'n' * 64}")
    result = rotate(by_hand)
    assert result.exit_code == 0 and GOES_ON in result.stderr and keys(app) == [old]
    assert key_ids(app) == {Keyring("n" * 64).current_id} and household.is_as_before(by_hand)
    assert "FV_SECRET_KEY holds the key" in rotate(by_hand).output, "that one is finished"


def test_a_key_file_that_cannot_be_written_is_refused_and_a_line_by_hand_goes_on(app, household, rotate):
    before = key_path(app).read_text()
    in_the_way = key_path(app).with_name("secret.key.new")
    in_the_way.mkdir()
    result = rotate()
    assert result.exit_code == 1 and f"{key_path(app)} cannot be written (Is a directory)" in result.output
    assert "on a line of its own" in result.output
    assert key_path(app).read_text() == before and household.is_as_before(app)
    key_path(app).write_text(before + "n" * 64)
    by_hand = rotate.restart()
    assert rotate(by_hand).exit_code == 0
    assert key_ids(app) == {Keyring("n" * 64).current_id} and len(keys(app)) == 2


def test_what_no_key_opens_stays_is_told_and_holds_up_nothing(app, household, rotate):
    tamper(app, "UPDATE photos SET sealed_key = '00000000.AAAA' WHERE kind = 'id_photo'")
    for number in (2, 3):
        result = rotate()
        assert result.exit_code == 1 and "1 thing could not be opened with any key" in result.output
        assert key_ids(app) == {"00000000", newest_id(app)} and len(keys(app)) == number
    assert "1 thing sealed under older keys, or with no key of this installation" in run(app, "doctor").output


def test_what_changes_meanwhile_is_not_written_over(app, household):
    with app.app_context():
        column, keyring = mfa_store.SECRETS, app.extensions["keyring"]
        (found,) = sealed.otherwise(column, "00000000", None, 10)
        assert (
            sealed.number_otherwise(column, keyring.current_id)
            == 0
            == len(sealed.otherwise(column, keyring.current_id, None, 10))
        )
        assert sealed.otherwise(column, "00000000", found, 10) == []
        assert mfa_store.reset(found.row["account_id"])
        assert not sealed.replace(column, found, keyring.renewed(found.text, found.row["account_id"]))
        assert mfa_store.authenticator(found.row["account_id"]).sealed_secret is None
    assert found.text not in repr(found)


# ── The key file ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_key_file_keeps_its_lines_its_mode_and_the_link_to_it(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text(f"{'a' * 64}\n\n{'b' * 64}")
    real.chmod(0o440)
    link.symlink_to(real)
    (tmp_path / "real.new").write_text("of one who was killed")
    assert key_file.add(link, "c" * 64) == real.read_text() == f"{'a' * 64}\n\n{'b' * 64}\n{'c' * 64}\n"
    assert link.is_symlink() and stat.S_IMODE(real.stat().st_mode) == 0o440
    assert sorted(os.listdir(tmp_path)) == ["link", "real"]


def test_the_key_file_keeps_its_owner_also_when_somebody_else_rotates(tmp_path, monkeypatch):
    path, given = tmp_path / "key", []
    path.write_text("a" * 64)
    monkeypatch.setattr(os, "fchown", lambda _file, *to: given.append(to))  # which root only may do
    key_file.add(path, "b" * 64)
    assert given == [(path.stat().st_uid, path.stat().st_gid)]


def test_a_key_file_that_is_not_replaced_is_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "key"
    path.write_text("a" * 64)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="mounted"):
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(16, "mounted")))
        key_file.add(path, "b" * 64)
    assert path.read_text() == "a" * 64 and os.listdir(tmp_path) == ["key"]


# ── Interrupted ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rotation_that_only_added_its_key_goes_on_with_it(app, household, rotate):
    with app.app_context():
        flows.add_key()
    before, restarted = keys(app), rotate.restart()
    assert household.is_as_before(restarted) and len(before) == 2
    assert "11 things left. Stop the service and run: fv master-key rotate" in run(restarted, "doctor").output
    result = rotate(restarted)
    assert result.exit_code == 0 and GOES_ON in result.stderr and keys(app) == before
    assert "master-key" not in run(restarted, "doctor").output
    assert rotate(restarted).exit_code == 0 and len(keys(app)) == 3, "the next one is another one"


@pytest.mark.long
def test_kill_9_at_any_statement_loses_nothing_and_the_next_call_goes_on(app, household, rotate):
    doing = (
        "from fv.master_key import flows; flows.plan().goes_on or flows.add_key(); list(flows.renew(1)); flows.end(1)"
    )
    n, killed = 0, True
    while killed:
        n += 1
        before = keys(app)
        killed = killed_before(n, app, doing)
        assert keys(app)[: len(before)] == before and len(keys(app)) - len(before) in (0, 1)
        restarted = rotate.restart()
        assert household.is_as_before(restarted) and faults(restarted) == []
        is_begun = len(keys(app)) > len(before)
        result = rotate(restarted)
        assert result.exit_code == 0 and (GOES_ON in result.stderr) == (is_begun and not is_ended(app, before))
        assert key_ids(app) == {newest_id(app)} and household.is_as_before(restarted)
        db.close(restarted)
    assert n > 30


def is_ended(app, before):
    """Whether the process that was killed had written the last row of its rotation, so that another key came."""
    return len(keys(app)) == len(before) + 2


# ── Beside the service ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.long
def test_it_is_refused_while_the_service_runs_and_the_service_knows_everything_afterwards(serve):
    server = serve()
    secret, _ = enrolled(server.client())
    path = server.instance / "secret.key"
    before = path.read_text()
    refused = server.run(*ROTATE)
    assert refused.returncode == 1 and f"fv serve uses {server.instance}: {server.url}" in refused.stderr.replace(
        "127.0.0.1", "localhost"
    )
    assert path.read_text() == before
    server.stop()
    done = server.run(*ROTATE)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Everything is sealed under the new key. Start the service again.\n"
    assert "Sealed anew" not in done.stderr, "no bar where nobody looks"
    server.start()
    again = pending(server)
    assert again.post("/login/code", data={"code": next_code(secret)}).headers["location"] == "/dashboard"
    assert again.get("/dashboard").status_code == 200
    assert server.run("audit", "verify").returncode == 0
    assert not [key for key in path.read_text().split() if key in server.log.read_text() + done.stderr]


def test_it_is_refused_while_any_other_program_has_the_database_open(app, household, rotate, monkeypatch):
    monkeypatch.setattr(sqlite, "ENDING", 0.05)
    other = sqlite.connect(db.path_of(app))
    other.execute("SELECT * FROM photos").fetchone()
    result = rotate()
    assert result.exit_code == 1 and "Something else has the database open" in result.output and len(keys(app)) == 1
    with app.app_context():
        flows.add_key()
    assert "Something else has the database open" in rotate().output, "also where it only goes on"
    other.close()
    assert rotate().exit_code == 0 and household.is_as_before(app)


@pytest.mark.long
def test_another_server_that_knows_nothing_of_the_locked_file_is_noticed(tmp_path):
    server, root, port = Server(tmp_path), Path(__file__).parent.parent, free_port()
    waitress = subprocess.Popen(
        [sys.executable, "-m", "waitress", f"--listen=127.0.0.1:{port}", "wsgi:app"],
        env=server.environment(), cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + DEADLINE
        while is_free(port) and time.monotonic() < until:
            assert waitress.poll() is None
        refused = server.run(*ROTATE)
        assert refused.returncode == 1 and "Something else has the database open" in refused.stderr
    finally:
        waitress.kill()
        waitress.wait()
    assert server.run(*ROTATE).returncode == 0


@pytest.mark.long
def test_kill_9_of_the_command_itself_leaves_an_instance_that_serves_and_goes_on(serve):
    server = serve()
    secret, _ = enrolled(server.client())
    server.stop()
    command = subprocess.Popen(
        server.command("master-key", "rotate"), env=server.environment(), cwd=server.folder,
        stdin=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    path = server.instance / "secret.key"
    command.stdin.write(b"y\n")
    command.stdin.flush()
    while len(path.read_text().split()) == 1 and command.poll() is None:
        os.sched_yield()
    command.kill()
    command.communicate()
    assert len(path.read_text().split()) == 2
    server.start()
    answer = pending(server).post("/login/code", data={"code": next_code(secret)})
    assert answer.headers["location"] == "/dashboard"
    server.stop()
    assert server.run(*ROTATE).returncode == 0 and server.run("audit", "verify").returncode == 0


@pytest.mark.long
def test_no_service_starts_while_everything_is_sealed_anew(serve, app):
    server = serve()
    server.stop()
    with app.app_context(), serving.alone("fv master-key rotate is at work."):
        assert server.instance == Path(app.instance_path)
        result = server.run("serve", "--port", str(server.port))
    assert result.returncode == 1 and result.stderr == "Error: fv master-key rotate is at work.\n"
    server.start()
