"""`fv doctor`: what is misconfigured, missing or weak, one line each."""

import shutil
import sqlite3
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from fv import db, doctor, sealing
from fv.fingerprints import flows as fingerprints
from fv.fingerprints.store import Space
from fv.metrics import flows as metrics
from fv.notices import smtp_url
from tests.live import free_port
from tests.photos import photographed
from tests.test_audit import run, tamper
from tests.test_notices import Mailbox


@pytest.fixture
def app(make_app):
    """After a restart: at its first start an installation is new, and the doctor says so."""
    make_app()
    return make_app()


def findings(app, subject):
    """[(level, text)] about this subject."""
    result = run(app, "doctor")
    rows = [(line[:6].strip(), line[7:20].strip(), line[21:]) for line in result.output.splitlines()]
    assert (result.exit_code != 0) == any(level == "wrong" for level, _, _ in rows), result.output
    return [(level, said) for level, about, said in rows if about == subject]


def levels(app, subject):
    return [level for level, _ in findings(app, subject)]


def test_a_healthy_installation_is_told_line_by_line(app, ada):
    result = run(app, "doctor")
    assert result.exit_code == 0, result.output
    subjects = {line[7:20].strip() for line in result.output.splitlines()}
    assert subjects == {
        "clock", "files", "key", "engine", "vectors", "database", "schema", "disk", "audit trail", "registration",
        "hashing", "address", "proxies", "photos", "retention", "faces", "analysis", "search", "mail", "webhooks",
        "accounts",
    }  # fmt: skip
    assert "sqlite-vec v0" in result.output and "SQLite 3." in result.output
    assert ada.secret not in result.output and ada.email not in result.output


def test_photos_whose_files_are_gone_or_whose_term_is_over_are_counted(app, ada, clock):
    assert findings(app, "photos") == [("ok", "0 kept, each with its file")]
    id = ada.call("POST", "/api/v1/sessions", {"external_user_id": "customer-1"}).json["session_id"]
    photographed(app, id)
    assert findings(app, "photos") == [("ok", "3 kept, each with its file")]
    next(Path(app.config["BLOBS"]).glob("photos/*")).unlink()
    gone = ("wrong", "the files of 1 photo are gone. Put back the folder of FV_BLOBS from your backup.")
    assert findings(app, "photos") == [gone]
    clock.passes(hours=31 * 24)
    assert findings(app, "retention") == [("wrong", "1 session should have been erased: run `fv serve`")]
    shutil.rmtree(app.config["BLOBS"])
    assert levels(app, "photos") == ["wrong"]


def test_a_queue_that_does_not_move_is_wrong(app, ada, clock):
    assert findings(app, "analysis") == [("ok", "0 waiting; 0 in 7 days, of which 0 without a report")]
    id = ada.call("POST", "/api/v1/sessions", {"external_user_id": "customer-1"}).json["session_id"]
    with app.app_context():
        db.run(
            "UPDATE verifications SET status = 'analyzing', submitted_at = :now WHERE id = :id", id=id, now=clock.now
        )
        metrics.add({("jobs", "all"): 12, ("failures", "all"): 2}, int(clock.now))
    clock.passes(minutes=10)
    assert findings(app, "analysis") == [("ok", "1 waiting; 12 in 7 days, of which 2 without a report")]
    clock.passes(seconds=1)
    ((level, said),) = findings(app, "analysis")
    assert level == "wrong" and said.startswith("1 session, the first for 11 minutes: `fv serve` does not run")


def test_a_gallery_that_there_is_no_room_for_is_worth_knowing(app, ada):
    assert findings(app, "search") == [("ok", "0 faces; the largest gallery needs 1 of 512 MB")]
    with app.app_context():
        account_id = db.one(dict, "SELECT id FROM accounts")["id"]
        with db.transaction():
            generation = fingerprints.new_rotation(account_id, 0)
            gallery = fingerprints.gallery_of(account_id, "live", Space("model-1"), generation)
        db.run("UPDATE galleries SET size = 4000000 WHERE id = :id", id=gallery.id)
    said = "4,000,000 faces; the largest gallery needs 580 of 512 MB: slower without. Raise FV_SEARCH_MEMORY."
    assert findings(app, "search") == [("note", said)]


def test_what_is_open_to_others_is_named_with_what_to_do(app):
    key, folder = Path(app.instance_path) / "secret.key", Path(app.instance_path)
    assert levels(app, "files") == ["ok"]
    for path in (key, folder, folder / "facevault.db", folder / "audit.head"):
        path.exists() or path.touch(mode=0o600)
        before = path.stat().st_mode
        path.chmod(0o755)
        assert findings(app, "files") == [("wrong", f"{path} is open to others. Run: chmod go= {path}")]
        path.chmod(before)
    (folder / "tls-cert.pem").touch(mode=0o644)
    assert levels(app, "files") == ["ok"], "a certificate is public"


def test_a_clock_that_was_set_back_is_wrong(app, ada):
    assert "wrong" not in levels(app, "clock")
    ada.clock.passes(hours=-3)
    level, said = findings(app, "clock")[0]
    assert level == "wrong" and "3 hours" in said


def test_a_clock_that_nobody_keeps_right_is_worth_knowing(app, monkeypatch):
    for answer, level in ((0, "ok"), (5, "note"), (-1, "note")):
        monkeypatch.setattr(
            doctor.ctypes, "CDLL", lambda _, answer=answer: type("C", (), {"adjtimex": lambda _: answer})
        )
        monkeypatch.setattr(doctor.sys, "platform", "linux")
        assert levels(app, "clock") == [level]


def test_where_the_key_is(make_app, tmp_path):
    assert levels(make_app(), "key") == ["note"]
    text = (Path(make_app().instance_path) / "secret.key").read_text()
    elsewhere = tmp_path / "key"
    elsewhere.write_text(text)
    (Path(make_app().instance_path) / "secret.key").unlink()
    elsewhere.chmod(0o644)
    assert levels(make_app(SECRET_KEY_FILE=elsewhere), "key") == ["note"]
    elsewhere.chmod(0o400)
    assert findings(make_app(SECRET_KEY_FILE=elsewhere), "key") == [("ok", f"from {elsewhere}")]
    assert findings(make_app(SECRET_KEY=text), "key") == [("ok", "from the environment or facevault.cfg")]


def test_a_trail_that_is_not_whole_is_wrong(app, ada):
    tamper(app, "DELETE FROM audit WHERE number = 2")
    assert findings(app, "audit trail") == [("wrong", "not whole. Row 2 is missing. Run: fv audit verify")]


def test_the_state_of_the_database(app, ada, monkeypatch):
    assert levels(app, "database") == ["ok"] == levels(app, "schema")
    copy = Path(app.instance_path) / "facevault.db.step-3"
    copy.touch(mode=0o600)
    assert levels(app, "schema") == ["ok", "note"]
    monkeypatch.setattr(doctor, "LARGEST_WAL", 0)
    assert "the WAL has grown" in findings(app, "database")[0][1]


def test_an_installation_that_was_made_by_the_question_is_wrong(make_app):
    assert findings(make_app(), "database")[0][0] == "wrong"
    assert levels(make_app(), "database") == ["ok"]


def test_a_damaged_database_is_wrong_and_nothing_else_is_asked(make_app, ada):
    path = db.path_of(ada.app)
    db.close(ada.app)
    with sqlite3.connect(path) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audit_by_account'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\x0a" + b"\xff" * 30)
    result = run(make_app(), "doctor")
    assert result.exit_code == 1 and "is damaged" in result.output and "audit trail" not in result.output


def test_a_journal_in_which_readers_wait_for_writers_is_wrong(app):
    with app.app_context():
        facts = replace(db.facts(), journal="delete")
    assert [one.level for one in doctor._database(app, facts) if one.subject == "database"] == ["wrong"]


def test_little_room_on_the_disk_is_wrong(app, monkeypatch):
    assert levels(app, "disk") == ["ok"]
    monkeypatch.setattr(doctor, "LEAST_FREE", 2**60)
    assert levels(app, "disk") == ["wrong"]


def test_who_may_sign_up_is_told(make_app, clock):
    assert levels(make_app(), "registration") == ["note"]
    first = make_app(REGISTRATION="first")
    assert "sign up before" in findings(first, "registration")[0][1]
    run(first, "accounts", "create", "ada@example.org")
    assert levels(first, "registration") == ["ok"] == levels(make_app(REGISTRATION="closed"), "registration")
    assert levels(make_app(HASH_MEMORY_KIB=65536, HASH_PASSES=2), "hashing") == []


def test_the_own_certificate_is_looked_at(app):
    path, now = Path(app.instance_path) / "tls-cert.pem", app.config["CLOCK"]()
    for content, level in (
        (sealing.self_signed_certificate(["localhost"], now)[0], "ok"),
        (sealing.self_signed_certificate(["localhost"], now - 380 * 86400)[0], "note"),
        (b"nonsense", "wrong"),
    ):
        path.write_bytes(content)
        assert levels(app, "tls") == [level]


@pytest.mark.parametrize(
    ("address", "level"), [(None, "note"), ("http://fv.example.org", "note"), ("https://fv.example.org", "ok")]
)
def test_the_address_people_open(make_app, address, level):
    assert levels(make_app(BASE_URL=address), "address") == [level]


@pytest.mark.parametrize(
    ("networks", "level"),
    [((), "ok"), (("10.0.0.0/8",), "ok"), (("0.0.0.0/0",), "wrong"), (("10.0.0.1", "::/0"), "wrong")],
)
def test_a_trusted_proxy_that_is_everybody_is_wrong(make_app, networks, level):
    app = make_app(TRUSTED_PROXIES=tuple(ip_network(one) for one in networks))
    assert levels(app, "proxies") == [level]


def test_the_mail_server_is_asked(make_app, ada, clock):
    mailbox = Mailbox()
    app = make_app(SMTP_URL=smtp_url.mail_server(mailbox.url))
    assert levels(app, "mail") == ["ok"] and mailbox.all() == []
    tamper(app, "INSERT INTO mails (number, account_id, made_at) VALUES (1, 'acc_1', :now)", now=int(clock.now))
    assert findings(app, "mail")[1] == ("wrong", "1 mail of the last 7 days given up: no server took them")
    mailbox.controller.stop()
    gone = make_app(SMTP_URL=smtp_url.mail_server(f"smtp://u:secret@127.0.0.1:{free_port()}"))
    assert "secret" not in run(gone, "doctor").output and findings(gone, "mail")[0][0] == "wrong"


@pytest.mark.long
def test_what_stops_the_start_stops_the_doctor_with_one_sentence(tmp_path, serve):
    server = serve()
    server.settings = {"FV_REGISTRATION": "perhaps"}
    result = server.run("doctor")
    assert result.returncode == 1
    assert result.stderr == "Error: FV_REGISTRATION: expected one of first, open, closed.\n"
    server.settings = {}
    assert server.run("doctor").returncode == 0, "beside the running service"
