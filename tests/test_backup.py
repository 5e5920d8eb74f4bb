"""One encrypted file of everything, and back from it on an empty machine."""

import errno
import io
import os
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fv import create_app, db
from fv.backup import envelope, flows, placing
from fv.backup.envelope import CHUNK, MAGIC, SALT, Reader, Unreadable, Writer
from tests.conftest import Visitor
from tests.photos import examined, photographed
from tests.reports import report
from tests.test_audit import faults, run, trail
from tests.test_erasure import files_in
from tests.test_serving import at_once
from tests.test_sessions import bearer, create, get

PHRASE = "eleven blue elephants"


@pytest.fixture
def phrase(tmp_path):
    file = tmp_path / "phrase"
    file.write_text(f"{PHRASE}\n")
    return ("--passphrase-file", str(file))


@pytest.fixture
def key(ada):
    scopes = ["sessions:create", "sessions:read", "photos:read", "documents:read"]
    return bearer(ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": scopes}).json["secret"])


@pytest.fixture
def person(app, key):
    id = create(app, key).json["session_id"]
    photographed(app, id, None)
    examined(app, id, report())
    return id


@pytest.fixture
def elsewhere(tmp_path, clock):
    """An app on another machine: an empty instance folder."""
    made = []

    def make():
        cheap = {"HASH_MEMORY_KIB": 8, "HASH_PASSES": 1}
        made.append(create_app(INSTANCE=tmp_path / "elsewhere", CLOCK=clock, **cheap))
        return made[-1]

    yield make
    for app in made:
        db.close(app)


def kept_in(app):
    """Names of files, but for those that come and go with who has the database open."""
    passing = ("-shm", "-wal", ".lock")
    return sorted(path.name for path in files_in(app.instance_path) if not path.name.endswith(passing))


def test_everything_is_there_again_on_an_empty_machine(app, ada, clock, key, person, phrase, tmp_path, elsewhere):
    (Path(app.instance_path) / "models").mkdir(exist_ok=True)
    (Path(app.instance_path) / "models" / "tiny.json").write_text("{}")
    before = {path: get(app, key, path).data for path in (
        f"/api/v1/sessions/{person}", f"/api/v1/sessions/{person}/photos/selfie", f"/api/v1/sessions/{person}/document",
    )}  # fmt: skip
    file = tmp_path / "vault.backup"
    made = run(app, "backup", "create", str(file), *phrase)
    assert made.exit_code == 0, made.output
    assert file.stat().st_mode & 0o777 == 0o600 and not list(Path(app.instance_path).glob("*.copying"))
    restored = run(elsewhere(), "backup", "restore", str(file), *phrase)
    assert restored.exit_code == 0 and "3 photos, 1 model" in restored.output, restored.output
    other = elsewhere()
    assert {path: get(other, key, path).data for path in before} == before
    assert not (Path(other.instance_path) / "restoring").exists() and faults(other) == []
    assert (Path(other.instance_path) / "models" / "tiny.json").exists()
    again = Visitor(other, clock)
    again.secret = ada.secret
    assert again.signs_in().headers["location"] == "/dashboard"
    loose = [path for path in files_in(other.instance_path) if path.stat().st_mode & 0o077 and path.suffix != ".lock"]
    assert loose == []


def test_the_file_shows_nothing_of_what_is_in_it(app, ada, person, phrase, tmp_path):
    file = tmp_path / "vault.backup"
    run(app, "backup", "create", str(file), *phrase)
    whole, secret = file.read_bytes(), (Path(app.instance_path) / "secret.key").read_text().strip()
    for text in (secret, "ada@example.org", person, "SQLite format", "customer-1", PHRASE, "secret.key"):
        assert text.encode() not in whole


@pytest.mark.parametrize(
    "harm",
    [
        "another phrase",
        "cut at a chunk",
        "changed",
        "text",
        *(pytest.param(one, marks=pytest.mark.long) for one in ("cut inside", "empty", "longer")),
    ],
)
def test_a_file_that_is_not_whole_or_a_wrong_passphrase_changes_nothing(
    app, person, phrase, tmp_path, elsewhere, harm
):  # fmt: skip
    file = tmp_path / "vault.backup"
    run(app, "backup", "create", str(file), *phrase)
    whole = file.read_bytes()
    assert len(whole) > 3 * (CHUNK + 16)
    head, size = len(MAGIC) + SALT, CHUNK + 16
    harmed = {
        "another phrase": whole, "cut at a chunk": whole[: head + 2 * size],
        "cut inside": whole[: head + 2 * size + 99], "empty": b"", "longer": whole + b"x",
        "changed": whole[:-40] + bytes([whole[-40] ^ 1]) + whole[-39:],
        "text": b"no backup at all",
    }[harm]  # fmt: skip
    file.write_bytes(harmed)
    if harm == "another phrase":
        Path(phrase[1]).write_text("eleven red elephants")
    target = elsewhere()
    before = kept_in(target)
    refused = run(target, "backup", "restore", str(file), *phrase)
    assert refused.exit_code == 1 and "Nothing was changed" in refused.output, refused.output
    assert kept_in(target) == before


@pytest.mark.long
def test_what_is_there_is_replaced_only_after_a_question_and_with_nothing_else_at_work(
    app, ada, person, phrase, tmp_path
):
    file = tmp_path / "vault.backup"
    run(app, "backup", "create", str(file), *phrase)
    ada.call("POST", "/api/v1/sessions", {"external_user_id": "after the backup"})
    asked = run(app, "backup", "restore", str(file), *phrase, input="n\n")
    assert asked.exit_code == 1 and "1 account (ada@example.org)" in asked.output
    reader = reading(app)
    busy = run(app, "backup", "restore", str(file), *phrase, "--yes")
    reader.communicate(b"\n")
    assert busy.exit_code == 1 and "Something else has the database open" in busy.output
    assert len(ada.call("GET", "/api/v1/sessions").json["data"]) == 2
    assert run(app, "backup", "restore", str(file), *phrase, "--yes").exit_code == 0
    assert len(ada.call("GET", "/api/v1/sessions").json["data"]) == 1 and trail(app)


def test_a_short_passphrase_and_a_file_that_is_there_are_refused(app, phrase, tmp_path):
    file = tmp_path / "vault.backup"
    Path(phrase[1]).write_text("elephants")
    assert "needs 12 characters" in run(app, "backup", "create", str(file), *phrase).output and not file.exists()
    typed = run(app, "backup", "create", str(file), input=f"{PHRASE}\n{PHRASE}\n")
    assert typed.exit_code == 0 and PHRASE not in typed.output and file.exists()
    before = file.read_bytes()
    assert "is there already" in run(app, "backup", "create", str(file), *phrase).output
    assert file.read_bytes() == before and not list(tmp_path.glob("*.part"))
    assert run(app, "backup", "create", str(tmp_path / "no" / "folder"), input=f"{PHRASE}\n{PHRASE}\n").exit_code == 1


@pytest.mark.long
def test_of_backups_that_are_made_at_once_each_is_whole(app, ada, key, person, phrase, tmp_path, elsewhere):
    """And of two with one name, one is made."""
    address = f"/api/v1/sessions/{person}/photos/selfie"
    with app.app_context():
        for number in range(60):  # so that a copy takes longer than its begin
            db.run("INSERT INTO invoices (id, account_id, month, email, issuer, plan_name, included, sessions, "
                   "currency, total, created_at) VALUES (:id, :id, 'x', 'x', :text, 'x', 1, 1, 'x', 1, 1)",
                   id=f"x{number}", text=os.urandom(50_000).hex())  # fmt: skip
    files = [tmp_path / name for name in ("a", "b", "c", "c")]
    program, environment = Path(sys.executable).with_name("fv"), os.environ | {"FV_INSTANCE": app.instance_path}
    started = [
        subprocess.Popen([program, "backup", "create", file, *phrase], env=environment, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL) for file in files
    ]  # fmt: skip
    made = [one.wait(60) for one in started]
    assert made[:2] == [0, 0] and sorted(made[2:]) == [0, 1]
    assert not list(tmp_path.glob("*.part")) and not list(tmp_path.rglob("*.copying"))
    for file in files[:3]:
        target = elsewhere()
        restored = run(target, "backup", "restore", str(file), *phrase, "--yes")
        assert restored.exit_code == 0, restored.output
        target = elsewhere()
        assert get(target, key, address).data == get(app, key, address).data and not faults(target)
        db.close(target)


def test_a_copy_of_the_database_is_left_alone_by_the_next_one(app, person):
    def looks(_number):
        with app.app_context(), db.copied() as copy:
            before = copy.stat().st_ino
            return db.why_unusable(copy), copy.stat().st_ino == before

    assert at_once(6, looks) == [(None, True)] * 6


def test_a_file_that_another_backup_is_written_to_is_left_alone(app, phrase, tmp_path):
    draft = tmp_path / "vault.backup.part"
    draft.write_text("of another one")
    refused = run(app, "backup", "create", str(tmp_path / "vault.backup"), *phrase)
    assert refused.exit_code == 1 and "another backup is being written" in refused.output
    assert draft.read_text() == "of another one"


#: Restores, and is killed before the call of this number that changes what there is.
RESTORES = """
import os, pathlib, signal, sys
from fv import create_app
from fv.backup import flows, placing
app = create_app(INSTANCE=sys.argv[1], HASH_MEMORY_KIB=8, HASH_PASSES=1)
number = int(sys.argv[4])

def counted(work):
    def counts(*words, **more):
        global number
        number -= 1
        if number == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return work(*words, **more)
    return counts

os.replace, os.link, pathlib.Path.unlink = counted(os.replace), counted(os.link), counted(pathlib.Path.unlink)
with app.app_context():
    flows.unpack(open(sys.argv[2], "rb"), sys.argv[3])
    flows.put_in_place()
"""


@pytest.mark.long
def test_kill_9_at_any_moment_of_a_restore_leaves_what_there_was_or_what_restores_again(
    app, ada, key, person, phrase, tmp_path, make_app
):
    file, address = tmp_path / "vault.backup", f"/api/v1/sessions/{person}/photos/selfie"
    run(app, "backup", "create", str(file), *phrase)
    before, database = get(app, key, address).data, db.path_of(app)
    changed = 0
    db.close(app)
    for number in range(1, 100, 2):
        words = [sys.executable, "-c", RESTORES, app.instance_path, str(file), PHRASE, str(number)]
        if subprocess.run(words, check=False).returncode == 0:
            break
        changed += not database.exists()
        fresh = make_app()
        assert "A restore was broken off" in run(fresh, "serve").output
        again = run(fresh, "backup", "restore", str(file), *phrase, "--yes")
        assert again.exit_code == 0, again.output
        assert get(fresh, key, address).data == before and not faults(fresh)
        db.close(fresh)
        assert not list(Path(app.instance_path).rglob("*restoring*"))
    assert number > 9 and changed


@pytest.mark.long
@pytest.mark.parametrize("place", ["key", "photos"])
def test_a_restore_that_cannot_write_everything_changes_nothing(make_app, clock, phrase, tmp_path, place):
    source = make_app()
    file = tmp_path / "vault.backup"
    run(source, "backup", "create", str(file), *phrase)
    target = create_app(
        INSTANCE=tmp_path / "other", CLOCK=clock, HASH_MEMORY_KIB=8, HASH_PASSES=1, REGISTRATION="open",
        SECRET_KEY_FILE=tmp_path / "keys" / "key", BLOBS=tmp_path / "store",
    )  # fmt: skip
    Visitor(target, clock).signs_up()
    if place == "key":
        (tmp_path / "keys" / "key.restoring" / "in the way").mkdir(parents=True)
    else:
        (tmp_path / "store" / "photos" / ".restoring").write_text("in the way")
    refused = run(target, "backup", "restore", str(file), *phrase, "--yes")
    assert refused.exit_code == 1 and "cannot be written" in refused.output and "Traceback" not in refused.output
    with target.app_context():
        assert len(db.many(dict, "SELECT id FROM accounts")) == 1
    db.close(target)


def test_photos_come_back_into_a_folder_that_is_a_link_on_a_disk_without_second_names(
    app, ada, key, person, phrase, tmp_path, monkeypatch
):
    file, address = tmp_path / "vault.backup", f"/api/v1/sessions/{person}/photos/selfie"
    run(app, "backup", "create", str(file), *phrase)
    before, photos = get(app, key, address).data, app.config["BLOBS"] / "photos"
    photos.rename(tmp_path / "disk")
    photos.symlink_to(tmp_path / "disk")
    mine = Path(app.instance_path) / "facevault.db.mine"
    mine.write_text("of somebody else")
    monkeypatch.setattr(placing.os, "link", Mock(side_effect=OSError(errno.EXDEV, "Invalid cross-device link")))
    assert run(app, "backup", "restore", str(file), *phrase, "--yes").exit_code == 0
    assert get(app, key, address).data == before and photos.is_symlink() and mine.exists()


@pytest.mark.long
def test_a_backup_of_a_newer_version_is_refused_before_anything_is_replaced(app, ada, phrase, tmp_path):
    file = tmp_path / "vault.backup"
    with app.app_context():
        db.run("INSERT INTO schema_steps VALUES (999, 1)")
    run(app, "backup", "create", str(file), *phrase)
    with app.app_context():
        db.run("DELETE FROM schema_steps WHERE number = 999")
    refused = run(app, "backup", "restore", str(file), *phrase, "--yes")
    assert refused.exit_code == 1 and "step 999 of a newer version" in refused.output
    assert ada.get("/sessions").status_code == 200 and not (Path(app.instance_path) / "restoring").exists()


def test_a_receipt_of_after_the_backup_is_known_when_its_person_is_here_again(app, person, phrase, tmp_path, make_app):
    """Also the first one of all: the key that signs it was in the backup."""
    file, receipt = tmp_path / "vault.backup", tmp_path / "receipt.json"
    run(app, "backup", "create", str(file), *phrase)
    receipt.write_text(run(app, "erase", "--session", person, "--yes").stdout)
    assert run(app, "erase", "--verify", str(receipt)).exit_code == 0
    assert run(app, "backup", "restore", str(file), *phrase, "--yes").exit_code == 0
    again = run(make_app(), "erase", "--verify", str(receipt))
    assert again.exit_code == 1 and "there is again: photos" in again.output, again.output


@pytest.mark.long
@pytest.mark.parametrize("name", ["photos/..", "photos/../../x", "facevault.db", "/etc/x", "photos/a/b", "models/."])
def test_a_file_with_odd_names_in_it_is_refused(app, ada, phrase, tmp_path, name):
    file = tmp_path / "vault.backup"
    with file.open("wb") as target:
        writer = Writer(target, PHRASE)
        with tarfile.open(fileobj=writer, mode="w|") as archive:
            for one in ("facevault.db", "secret.key", name):
                archive.addfile(tarfile.TarInfo(one), io.BytesIO())
        writer.close()
    refused = run(app, "backup", "restore", str(file), *phrase, "--yes")
    assert refused.exit_code == 1 and "was not restored" in refused.output
    assert ada.get("/sessions").status_code == 200 and not (Path(app.instance_path) / "restoring").exists()


@pytest.mark.long
def test_keys_from_the_environment_are_in_it_and_are_not_replaced(make_app, phrase, tmp_path, clock):
    keyed = make_app(SECRET_KEY="k" * 40, AUDIT_HEAD=tmp_path / "head")
    (tmp_path / "head").unlink()
    file = tmp_path / "vault.backup"
    assert run(keyed, "backup", "create", str(file), *phrase).exit_code == 0
    with create_app_in(tmp_path / "third", clock, SECRET_KEY="z" * 40) as third:
        refused = run(third, "backup", "restore", str(file), *phrase)
        assert refused.exit_code == 1 and "FV_SECRET_KEY is not the key of this backup" in refused.output
        assert not (tmp_path / "third" / "restoring").exists()
    with create_app_in(tmp_path / "fourth", clock, SECRET_KEY="k" * 40) as fourth:
        assert run(fourth, "backup", "restore", str(file), *phrase).exit_code == 0
        assert not (tmp_path / "fourth" / "secret.key").exists() and not (tmp_path / "fourth" / "audit.head").exists()


@contextmanager
def create_app_in(folder, clock, **settings):
    app = create_app(INSTANCE=folder, CLOCK=clock, HASH_MEMORY_KIB=8, HASH_PASSES=1, **settings)
    yield app
    db.close(app)


@pytest.mark.parametrize("odd", ["a link", "another name", "outside", "no key", "a folder"])
def test_a_backup_with_something_that_none_has_is_refused(app, phrase, tmp_path, odd):
    file, target = tmp_path / "odd", io.BytesIO()
    writer = Writer(target, PHRASE)
    with tarfile.open(fileobj=writer, mode="w|") as archive:
        names = {"another name": "notes", "outside": "photos/../../x", "a folder": "photos"}
        member = tarfile.TarInfo(names.get(odd, "facevault.db"))
        if odd == "a link":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        if odd == "a folder":
            member.type = tarfile.DIRTYPE
        archive.addfile(member)
    writer.close()
    file.write_bytes(target.getvalue())
    refused = run(app, "backup", "restore", str(file), *phrase, "--yes")
    assert refused.exit_code == 1 and "Nothing was changed" in refused.output
    assert not (Path(app.instance_path) / "restoring").exists()


@pytest.mark.long
def test_a_strange_file_beside_the_photos_stays_out_of_it(app, person, phrase, tmp_path, elsewhere):
    (Path(app.config["BLOBS"]) / "photos" / "with a space").write_text("x")
    (Path(app.config["BLOBS"]) / "photos" / "folder").mkdir()
    run(app, "backup", "create", str(tmp_path / "b"), *phrase)
    assert "3 photos" in run(elsewhere(), "backup", "restore", str(tmp_path / "b"), *phrase).output


def sealed(plain, monkeypatch):
    target = io.BytesIO()
    writer = Writer(target, PHRASE)
    for at in range(0, len(plain), 7919):
        writer.write(plain[at : at + 7919])
    writer.close()
    return target.getvalue()


@pytest.fixture
def cheap(monkeypatch):
    monkeypatch.setattr(envelope, "COST", 2)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5])
def test_what_was_sealed_opens_whatever_its_length(cheap, monkeypatch, size):
    plain = os.urandom(size)
    whole = sealed(plain, monkeypatch)
    assert Reader(io.BytesIO(whole), PHRASE).read() == plain
    with pytest.raises(Unreadable):
        Reader(io.BytesIO(whole), PHRASE + " ").read()


@given(at=st.integers(0, 10**9), bit=st.integers(0, 7), cut=st.booleans())
def test_no_bit_can_be_changed_and_nothing_cut_off(at, bit, cut):
    before, envelope.COST = envelope.COST, 2
    try:
        plain = bytes(range(256)) * 600
        target = io.BytesIO()
        writer = Writer(target, PHRASE)
        writer.write(plain)
        writer.close()
        whole = target.getvalue()
        at %= len(whole)
        harmed = whole[:at] if cut else whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
        with pytest.raises(Unreadable):
            Reader(io.BytesIO(harmed), PHRASE).read()
    finally:
        envelope.COST = before


def test_chunks_in_another_order_do_not_open(cheap, monkeypatch):
    whole, head, size = sealed(os.urandom(3 * CHUNK + 9), monkeypatch), len(MAGIC) + SALT, CHUNK + 16
    chunks = [whole[head + n * size : head + (n + 1) * size] for n in range(4)]
    for order in ((1, 0, 2, 3), (0, 0, 2, 3), (0, 2, 3), (0, 1, 2, 2)):
        with pytest.raises(Unreadable):
            Reader(io.BytesIO(whole[:head] + b"".join(chunks[n] for n in order)), PHRASE).read()


def packed(tmp_path, **contents):
    """A backup file of these contents, by name, with a dot for `_`."""
    target = io.BytesIO()
    writer = Writer(target, PHRASE)
    with tarfile.open(fileobj=writer, mode="w|") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    writer.close()
    file = tmp_path / "packed"
    file.write_bytes(target.getvalue())
    return str(file)


@pytest.mark.parametrize("database", ["text", "another"])
def test_a_backup_whose_database_is_none_of_ours_is_refused(app, phrase, tmp_path, database):
    content = b"no database at all" * 99
    if database == "another":
        subprocess.run(
            ["python3", "-c", "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); "
             "d.execute('CREATE TABLE schema_steps (number BIGINT)'); d.commit()", tmp_path / "other"], check=True,
        )  # fmt: skip
        content = (tmp_path / "other").read_bytes()
    file = packed(tmp_path, facevault_db=content, secret_key=b"k" * 40)
    refused = run(app, "backup", "restore", file, *phrase, "--yes")
    assert refused.exit_code == 1 and "Nothing was changed" in refused.output, refused.output
    assert not (Path(app.instance_path) / "restoring").exists()


def test_what_came_in_between_stays_as_it_is(app, phrase, tmp_path, monkeypatch):
    file, create = tmp_path / "vault.backup", flows.create

    def and_then_another(*of):
        yield from create(*of)
        file.write_text("another one")

    monkeypatch.setattr(flows, "create", and_then_another)
    refused = run(app, "backup", "create", str(file), *phrase)
    assert refused.exit_code == 1 and "cannot be written" in refused.output
    assert file.read_text() == "another one" and not list(tmp_path.glob("*.part"))


def test_who_opens_the_database_while_it_is_unpacked_keeps_it(app, ada, phrase, tmp_path, monkeypatch):
    file, unpack, readers = tmp_path / "vault.backup", flows.unpack, []
    run(app, "backup", "create", str(file), *phrase)

    def and_then_somebody_reads(*of):
        found = unpack(*of)
        readers.append(reading(app))
        return found

    monkeypatch.setattr(flows, "unpack", and_then_somebody_reads)
    refused = run(app, "backup", "restore", str(file), *phrase, "--yes")
    readers[0].communicate(b"\n")
    assert refused.exit_code == 1 and "opened the database meanwhile" in refused.output
    assert ada.is_in() and not (Path(app.instance_path) / "restoring").exists()


def test_a_folder_that_cannot_be_made_is_named(app, phrase, tmp_path):
    file = tmp_path / "vault.backup"
    run(app, "backup", "create", str(file), *phrase)
    (Path(app.instance_path) / "restoring").write_text("in the way")
    refused = run(app, "backup", "restore", str(file), *phrase, "--yes")
    assert refused.exit_code == 1 and "cannot be written" in refused.output


def reading(app):
    """Another process that reads the database until it is told to end."""
    words = (
        "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('BEGIN'); "
        "d.execute('SELECT 1 FROM accounts').fetchone(); print(1, flush=True); sys.stdin.readline()"
    )
    process = subprocess.Popen(
        ["python3", "-c", words, Path(app.instance_path) / "facevault.db"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    return process


def test_what_is_no_archive_inside_is_refused(app, phrase, tmp_path):
    target = io.BytesIO()
    writer = Writer(target, PHRASE)
    writer.write(b"no archive" * 2000)
    writer.close()
    (tmp_path / "odd").write_bytes(target.getvalue())
    refused = run(app, "backup", "restore", str(tmp_path / "odd"), *phrase, "--yes")
    assert refused.exit_code == 1 and "altered or cut off" in refused.output
