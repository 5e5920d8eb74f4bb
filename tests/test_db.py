"""The engine: settings of every connection, transactions, schema steps, and what is refused at start."""

import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from fv import db
from fv.config import Misconfigured
from fv.db import sqlite


@pytest.fixture
def steps(tmp_path):
    """A folder of schema steps to add to."""
    folder = tmp_path / "steps"
    folder.mkdir()
    (folder / "001_first.sql").write_text("CREATE TABLE things (name TEXT);\nINSERT INTO things VALUES ('first');\n")
    return folder


def test_every_connection_has_the_settings_that_promises_rest_on(app):
    expected = {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 5000,
        "trusted_schema": 0,
    }  # fmt: skip
    with app.app_context():
        for name, value in expected.items():
            assert db.one(dict, f"PRAGMA {name}").popitem()[1] == value, name
        assert db.one(dict, "PRAGMA mmap_size")["mmap_size"] >= 2**30
        assert db.one(dict, "SELECT vec_version() AS version")["version"].startswith("v0.1")
        assert abs(db.one(dict, "SELECT vec_distance_cosine('[1,0]','[0,2]') AS d")["d"] - 1) < 1e-6


def test_one_driver_is_loaded_and_it_is_pythons_own_where_that_can_load_extensions():
    own = hasattr(sqlite3.Connection, "enable_load_extension")
    assert sqlite.driver.__name__ == ("sqlite3" if own else "pysqlite3")


def test_the_files_are_for_their_owner_only(app):
    folder = Path(app.instance_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path.name


def test_a_transaction_is_all_or_nothing(app):
    with app.app_context():
        with pytest.raises(sqlite.Broken, match="no such table"), db.transaction():
            db.run("INSERT INTO attempts VALUES ('try_1', 'b', 's', 1)")
            db.run("INSERT INTO nowhere VALUES (1)")
        assert db.one(dict, "SELECT count(*) AS n FROM attempts") == {"n": 0}
        with db.transaction():
            db.run("INSERT INTO attempts VALUES ('try_1', 'b', 's', 1)")
            raise db.Undo
        assert db.one(dict, "SELECT count(*) AS n FROM attempts") == {"n": 0}
        with db.transaction():
            db.run("INSERT INTO attempts VALUES ('try_1', 'b', 's', 1)")
        assert db.one(dict, "SELECT count(*) AS n FROM attempts") == {"n": 1}


def test_a_transaction_that_the_engine_has_ended_itself_keeps_its_error(app):
    """SQLite rolls back by itself when the disk is full; a second ROLLBACK would hide why."""
    with app.app_context(), pytest.raises(RuntimeError, match="disk full"), db.transaction():
        db.run("ROLLBACK")
        raise RuntimeError("disk full")


def test_a_connection_given_back_inside_a_transaction_is_rolled_back(app):
    with app.app_context():
        connection = db._connection()
        connection.execute(sqlite.BEGIN)
        db.run("INSERT INTO attempts VALUES ('try_1', 'b', 's', 1)")
    with app.app_context():
        assert db._connection() is connection, "idle connections are lent again"
        assert db.one(dict, "SELECT count(*) AS n FROM attempts") == {"n": 0}


def test_writers_wait_for_each_other(app):
    barrier, errors = threading.Barrier(8), []

    def writes(number):
        try:
            with app.app_context():
                barrier.wait()
                for turn in range(5):
                    with db.transaction():
                        db.run("INSERT INTO attempts VALUES (:id, 'b', 's', 1)", id=f"{number}-{turn}")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=writes, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with app.app_context():
        assert db.one(dict, "SELECT count(*) AS n FROM attempts") == {"n": 40}


def test_deleted_text_is_overwritten(app):
    with app.app_context():
        db.run("INSERT INTO attempts VALUES ('try_1', 'b', 'a-very-recognisable-subject', 1)")
        db.run("DELETE FROM attempts")
        db.one(dict, "PRAGMA wal_checkpoint(TRUNCATE)")
    found = [file for file in Path(app.instance_path).glob("*.*") if b"recognisable" in file.read_bytes()]
    assert found == []


# ── Schema steps ─────────────────────────────────────────────────────────────────────────────────────────────


def rows(path, sql):
    connection = sqlite.connect(path)
    try:
        return [tuple(row) for row in connection.execute(sql)]
    finally:
        connection.close()


def test_steps_are_applied_once_in_order_after_a_copy(tmp_path, steps):
    path = tmp_path / "test.db"
    sqlite.prepare(path, steps)
    assert list(tmp_path.glob("*.step-*")) == [], "there was nothing to lose"
    (steps / "002_second.sql").write_text("INSERT INTO things VALUES ('second')")
    sqlite.prepare(path, steps)
    sqlite.prepare(path, steps)
    assert rows(path, "SELECT name FROM things") == [("first",), ("second",)]
    copy = tmp_path / "test.db.step-1"
    assert rows(copy, "SELECT name FROM things") == [("first",)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    (steps / "003_third.sql").write_text("INSERT INTO things VALUES ('third')")
    sqlite.prepare(path, steps)
    assert [file.name for file in tmp_path.glob("*.step-?")] == ["test.db.step-2"], "the newest copy is kept"


def test_a_step_may_hold_a_trigger_a_brace_and_a_comment_behind_a_statement(tmp_path, steps):
    (steps / "002_second.sql").write_text(
        "CREATE TABLE log (text TEXT); -- {append} only\n"
        "CREATE TRIGGER keep BEFORE DELETE ON log\nBEGIN\n    SELECT RAISE(ABORT, 'kept; always');\nEND;\n"
    )
    path = tmp_path / "test.db"
    sqlite.prepare(path, steps)
    assert rows(path, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'") == [(1,)]


def test_a_step_that_breaks_leaves_the_schema_as_it_was(tmp_path, steps):
    path = tmp_path / "test.db"
    sqlite.prepare(path, steps)
    (steps / "002_second.sql").write_text("CREATE TABLE more (a TEXT);\nINSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(sqlite.Broken):
        sqlite.prepare(path, steps)
    assert rows(path, "SELECT name FROM sqlite_master WHERE name = 'more'") == []
    assert rows(path, "SELECT number FROM schema_steps") == [(1,)]


def test_a_newer_schema_is_refused_with_what_to_do(tmp_path, steps):
    path = tmp_path / "test.db"
    (steps / "007_later.sql").write_text("CREATE TABLE later (a TEXT)")
    sqlite.prepare(path, steps)
    (steps / "007_later.sql").unlink()
    with pytest.raises(Misconfigured, match="step 7; this version knows 1") as refused:
        sqlite.prepare(path, steps)
    assert "restore" in refused.value.message


def test_starts_at_the_same_time_apply_each_step_once(tmp_path, steps):
    path, barrier, errors = tmp_path / "test.db", threading.Barrier(6), []
    for number in range(2, 6):
        (steps / f"00{number}_more.sql").write_text(f"INSERT INTO things VALUES ('{number}')")

    def prepares():
        try:
            barrier.wait()
            sqlite.prepare(path, steps)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=prepares) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert rows(path, "SELECT count(*) FROM things") == [(5,)]


def test_vectors_that_do_not_work_stop_the_start(tmp_path, monkeypatch):
    monkeypatch.setattr(
        sqlite.sqlite_vec, "load", lambda c: c.create_function("vec_distance_cosine", 2, lambda a, b: 0.5)
    )
    with pytest.raises(sqlite.NoVectors, match=r"0\.5 apart instead of 1"):
        sqlite.prepare(tmp_path / "test.db")


def test_the_database_can_be_kept_elsewhere(make_app, tmp_path):
    elsewhere = tmp_path / "elsewhere.db"
    app = make_app(DATABASE=elsewhere)
    assert elsewhere.exists() and not (Path(app.instance_path) / "facevault.db").exists()


def test_a_mistake_in_sql_is_a_bug_and_not_an_absent_database(app, ada, monkeypatch):
    from fv.mfa import store

    monkeypatch.setattr(store, "codes_left", lambda _: db.run("SELECT * FROM nowhere"))
    answer = ada.get("/api/v1/me")
    assert (answer.status_code, answer.json["code"]) == (500, "internal")


def test_a_database_that_cannot_be_used_stops_the_start_with_one_sentence(make_app, tmp_path):
    make_app()
    (tmp_path / "text.db").write_text("this is no database, only a text that is long enough" * 100)
    for path in (tmp_path / "text.db", tmp_path / "nowhere" / "x.db", tmp_path):
        with pytest.raises(Misconfigured, match="cannot be used") as refused:
            make_app(DATABASE=path)
        assert str(path) in refused.value.message


def test_a_connection_that_is_open_anywhere_is_noticed(app, monkeypatch):
    monkeypatch.setattr(sqlite, "ENDING", 0.05)
    with app.app_context():
        assert db.many(dict, "SELECT 1 AS one") and db.is_alone(), "its own are closed first"
        other = sqlite.connect(db.path_of(app))
        other.execute("SELECT * FROM accounts").fetchall()
        assert not db.is_alone()
        other.close()
        assert db.is_alone() and db.many(dict, "SELECT 1 AS one"), "and it can be used as before"


def test_a_file_that_is_no_database_belongs_to_nobody(app, tmp_path):
    other = tmp_path / "other.db"
    other.write_bytes(b"no database" * 1000)
    app.config["DATABASE"] = other
    with app.app_context(), pytest.raises(db.Unavailable, match="file is not a database"):
        db.is_alone()


def test_health_says_whether_the_database_answers(app, visitor, monkeypatch):
    answer = visitor.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})

    def fails(*_):
        raise db.Unavailable("disk I/O error")

    monkeypatch.setattr(db, "_execute", fails)
    assert visitor.get("/healthz").status_code == 503
