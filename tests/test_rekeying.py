"""An account gets another rotation: its templates move, all are found meanwhile, and the old secret is destroyed."""

import subprocess
import sys
import threading
from contextlib import closing

import pytest

from fv import db
from fv.audit import store as audit
from fv.db import sqlite
from fv.fingerprints import flows, forgetting, listing, rekeying, store, vector
from tests.crashes import killed_before
from tests.templates import NOW, SPACE, account, by_hand, found, keep, template

USERS = {f"user {number}": number for number in range(30)}
OTHER = store.Space("model-2")


def quiet(_done, _all):
    pass


@pytest.fixture
def ada(here):
    return account()


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(rekeying, "BATCH", 4)


def rows():
    return db.many(
        dict, "SELECT f.*, g.mode, g.model, g.generation FROM fingerprints f JOIN galleries g ON g.id = f.gallery_id"
    )


def stored():
    return {row["id"]: row["vector"] for row in rows()}


def generations(account_id):
    return [one.generation for one in store.rotations(account_id)]


def events():
    return [row.facts for row in audit.newest("acc_ada", 99) if row.event == "fingerprints.rekeyed"]


def test_every_template_is_turned_by_another_secret_and_the_old_one_is_gone(ada, small_batches):
    keep(ada, USERS), keep(ada, {"x": 500}, mode="test"), keep(ada, {"y": 501}, space=OTHER)
    before, told = stored(), []
    done = rekeying.rekey_account(ada, NOW, lambda done, all: told.append((done, all)))
    assert (done.went_on, done.templates, done.is_log_empty) == (False, 32, True)
    assert told[0] == (0, 32) and told[-1] == (32, 32) and told == sorted(told) and len(told) >= 8
    assert generations(ada) == [2] and {row["generation"] for row in rows()} == {2}
    assert len(store.galleries(ada)) == 3 and sum(one.size for one in store.galleries(ada)) == 32
    assert before.keys() == stored().keys() and not set(before.values()) & set(stored().values())
    for number in range(0, 30, 7):
        assert found(ada, template(number)) == by_hand(USERS, template(number))
    assert found(ada, template(500), mode="test") == [("x", 1.0)]
    assert found(ada, template(501), space=OTHER) == [("y", 1.0)]
    assert events() == ['{"generation": 2, "templates": 32}']


def test_a_template_that_moved_is_bit_for_bit_what_turning_it_alone_gives(ada):
    keep(ada, USERS)
    old, before = flows.rotation_of(ada, 1), stored()
    rekeying.rekey_account(ada, NOW, quiet)
    new = flows.rotation_of(ada, 2)
    for id, packed in stored().items():
        assert packed == vector.pack(new.turn(old.turn_back(vector.numbers(before[id]))))


def test_the_vectors_of_two_rotations_cannot_be_linked(ada):
    keep(ada, USERS)
    before = stored()
    rekeying.rekey_account(ada, NOW, quiet)
    assert max(abs(vector.cosine(vector.unpack(before[id]), vector.unpack(now))) for id, now in stored().items()) < 0.5


def test_block_list_session_and_time_stay(ada):
    with db.transaction():
        flows.keep(ada, "vs_1", "ann", "live", SPACE, template(1), NOW)
    (id,) = stored()
    listing.block(ada, id, "fraud", NOW + 5)
    before = listing.find(ada, id, None)
    rekeying.rekey_account(ada, NOW + 9, quiet)
    after = listing.find(ada, id, None)
    assert (after.session_id, after.external_user_id, after.created_at) == ("vs_1", "ann", NOW)
    assert (after.blocked_at, after.reason) == (NOW + 5, "fraud") and after.gallery_id != before.gallery_id
    hit, _ = flows.nearest_blocked(ada, "live", SPACE, template(1))
    assert hit.fingerprint == after and hit.similarity == pytest.approx(1, abs=1e-6)
    with db.transaction():
        assert len(forgetting.of_session(ada, "vs_1")) == 1
    assert listing.block_list(ada, None, 9) == []


def test_what_comes_and_goes_meanwhile_is_neither_lost_nor_brought_back(ada, small_batches):
    ids = dict(zip(USERS, keep(ada, USERS), strict=True))

    def meanwhile(done, _all):
        if done == 8:
            keep(ada, {"late": 700})
            with db.transaction():
                assert flows.remove(ada, ids["user 0"], None) and flows.remove(ada, ids["user 29"], None)

    rekeying.rekey_account(ada, NOW, meanwhile)
    users = {user: number for user, number in USERS.items() if number not in (0, 29)} | {"late": 700}
    assert found(ada, template(700), most=99) == by_hand(users, template(700), most=99)
    assert generations(ada) == [2] and flows.newest(ada, NOW)[0] == 2


def test_one_that_is_removed_between_reading_and_moving_does_not_come_back(ada, monkeypatch):
    ids, move = keep(ada, USERS), rekeying._move

    def late(batch):
        with db.transaction():
            flows.remove(ada, ids[0], None)
        move(batch)

    monkeypatch.setattr(rekeying, "_move", late)
    assert rekeying.rekey_account(ada, NOW, quiet).templates == 29 and ids[0] not in stored()


def test_those_that_somebody_else_has_moved_meanwhile_are_not_moved_again(ada):
    keep(ada, USERS)
    with db.transaction():
        flows.new_rotation(ada, NOW)
    batch = rekeying._next(ada)
    rekeying._move(batch), rekeying._move(batch)
    assert [(one.generation, one.size, one.version) for one in store.galleries(ada)] == [(2, 30, 30), (1, 0, 60)]


def test_what_is_opened_when_all_seemed_to_be_moved_moves_as_well(ada, monkeypatch):
    keep(ada, USERS)
    look, late = rekeying._next, []

    def looks(account_id):
        found = look(account_id)
        if found is None and not late:
            late.append(put_apart(account_id, "late", 700))
        return found

    monkeypatch.setattr(rekeying, "_next", looks)
    rekeying.rekey_account(ada, NOW, quiet)
    assert late and [one.generation for one in store.galleries(ada)] == generations(ada) == [2]
    assert found(ada, template(700), most=1) == [("late", 1.0)]


def put_apart(account_id, user, number):
    with db.transaction():
        gallery = flows.apart(account_id, "live", SPACE, NOW)
        turned = flows.rotation_of(account_id, gallery.generation).turn(template(number))
        store.add(gallery.id, [store.New(f"fp_{user}", None, user, vector.pack(turned), NOW)])
    return gallery


def test_what_was_turned_for_a_rotation_that_is_no_longer_the_newest_does_not_move(ada):
    keep(ada, USERS)
    with db.transaction():
        flows.new_rotation(ada, NOW)
    batch = rekeying._next(ada)
    with db.transaction():
        flows.new_rotation(ada, NOW)
    rekeying._move(batch)
    assert {row["generation"] for row in rows()} == {1}
    assert rekeying.rekey_account(ada, NOW, quiet).went_on and {row["generation"] for row in rows()} == {3}


def test_one_that_was_broken_off_goes_on_with_the_secret_it_made(ada, small_batches):
    keep(ada, USERS)

    def breaks(done, _all):
        if done == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rekeying.rekey_account(ada, NOW, breaks)
    assert sorted(generations(ada)) == [1, 2] and len({row["generation"] for row in rows()}) == 2
    assert found(ada, template(3), most=99) == by_hand(USERS, template(3), most=99)
    assert rekeying.rekey_account(ada, NOW, quiet).went_on
    assert generations(ada) == [2] and found(ada, template(3)) == by_hand(USERS, template(3))
    assert not rekeying.rekey_account(ada, NOW, quiet).went_on and generations(ada) == [3]


def test_an_account_without_templates_has_nothing_to_turn(ada):
    assert rekeying.rekey_account(ada, NOW, quiet) is None and rows() == [] and listing.accounts() == []


def test_a_secret_without_templates_is_replaced_too(ada):
    (id,) = keep(ada, {"ann": 1})
    with db.transaction():
        flows.remove(ada, id, None)
    assert rekeying.rekey_account(ada, NOW, quiet).templates == 0
    assert generations(ada) == [2] and store.galleries(ada) == [] and listing.accounts() == [ada]


def test_another_account_is_not_touched(ada):
    eve = account("acc_eve")
    keep(ada, USERS), keep(eve, {"ann": 1})
    before = [row for row in rows() if row["external_user_id"] == "ann"]
    rekeying.rekey_account(ada, NOW, quiet)
    assert [row for row in rows() if row["external_user_id"] == "ann"] == before and generations(eve) == [1]


def test_no_file_holds_the_old_secret_or_an_old_vector(here, ada):
    keep(ada, USERS)
    before, (old,) = stored(), store.rotations(ada)
    secrets = [old.sealed_seed.encode(), *(packed[:64] for packed in before.values())]
    assert db.empty_log() and all(one in db.path_of(here).read_bytes() for one in secrets)
    assert rekeying.rekey_account(ada, NOW, quiet).is_log_empty
    for file in db.path_of(here).parent.glob("facevault.db*"):
        assert not [one for one in secrets if one in file.read_bytes()], file.name


def test_a_search_by_a_stored_face_reads_it_and_its_rotation_as_of_one_moment(app, here, ada, monkeypatch):
    """The template moves between the reading of its place and of its vector."""
    (id,) = keep(ada, {"ann": 1})
    with db.transaction():
        flows.new_rotation(ada, NOW)
    find = listing.find

    def moved_meanwhile(*words):
        answer = find(*words)
        thread = threading.Thread(target=in_app, args=(app, lambda: rekeying.settle(ada, NOW, quiet)))
        thread.start()
        thread.join()
        return answer

    monkeypatch.setattr(listing, "find", moved_meanwhile)
    face = flows.face_of(ada, id)
    assert flows.face_of(ada, "fp_nobody") is None
    assert generations(ada) == [2] and vector.cosine(face.numbers, template(1)) == pytest.approx(1, abs=1e-6)


def in_app(app, work):
    with app.app_context():
        work()


@pytest.mark.long
def test_several_at_once_move_each_template_once(app, here, ada, small_batches):
    keep(ada, USERS | {f"more {n}": n for n in range(100, 200)})
    barrier, done = threading.Barrier(3), []

    def rekeys():
        barrier.wait()
        done.append(rekeying.rekey_account(ada, NOW, quiet))

    threads = [threading.Thread(target=in_app, args=(app, rekeys)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 3 and len(rows()) == 130 and len(generations(ada)) == 1
    assert [one.size for one in store.galleries(ada)] == [130]
    users = USERS | {f"more {n}": n for n in range(100, 200)}
    assert found(ada, template(5), most=200) == by_hand(users, template(5), most=200)


@pytest.mark.long
def test_kill_9_at_any_statement_loses_and_doubles_nothing(app, here, ada):
    users = {f"user {number}": number for number in range(3)}
    ids = dict(zip(users, keep(ada, users), strict=True))
    listing.block(ada, ids["user 1"], "fraud", NOW)
    doing = (
        "from fv.fingerprints import rekeying; rekeying.BATCH = 2; rekeying.rekey_account('acc_ada', 1, lambda *_: 0)"
    )
    n, killed = 0, True
    while killed:
        n += 1
        killed = killed_before(n, app, doing)
        assert found(ada, template(1)) == by_hand(users, template(1)), n
        assert sorted(row["id"] for row in rows()) == sorted(ids.values()), n
        if killed and len(flows.generations(ada)) > 1:
            assert rekeying.rekey_account(ada, NOW, quiet).went_on, n
        assert len(store.galleries(ada)) == 1 and len(store.rotations(ada)) == 1, n
        assert [one.id for one in listing.block_list(ada, None, 9)] == [ids["user 1"]], n
    assert n > 30


@pytest.mark.long
def test_while_a_process_moves_them_another_finds_everybody_once(app, here, ada):
    users = {f"user {number}": number for number in range(600)}
    ids = keep(ada, users)
    queries = [(template(number), by_hand(users, template(number), most=600)) for number in (1, 300, 1000)]
    program = (
        "import sys; from fv import create_app; from fv.fingerprints import rekeying; rekeying.BATCH = 5\n"
        "with create_app(INSTANCE=sys.argv[1], HASH_MEMORY_KIB=8, HASH_PASSES=1).app_context():\n"
        "    for _ in range(3): rekeying.rekey_account('acc_ada', 1, lambda *_: 0)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, app.instance_path])
    seen = set()
    while process.poll() is None:
        for numbers, expected in queries:
            answer = found(ada, numbers, most=600)
            assert answer == expected
        face = flows.face_of(ada, ids[300])
        assert flows.search(ada, "live", face, 1, -1.0).hits[0].fingerprint.id == ids[300]
        seen.add(tuple(sorted(one.generation for one in store.galleries(ada) if one.size)))
    assert process.returncode == 0 and any(len(both) == 2 for both in seen)
    assert generations(ada) == [4] and found(ada, queries[1][0], most=600) == queries[1][1]


# ── In the terminal ──────────────────────────────────────────────────────────────────────────────────────────


def run(app, *words, typed=None):
    return app.test_cli_runner().invoke(args=["fingerprints", *words], input=typed)


def test_the_command_says_what_it_does_asks_and_does_it(app):
    with app.app_context():
        keep(account(), USERS)
    asked = run(app, "rekey", "acc_ada@example.org", typed="n\n")
    assert asked.exit_code == 1 and "30 templates of acc_ada@example.org are turned by a new secret" in asked.output
    with app.app_context():
        assert generations("acc_ada") == [1]
    done = run(app, "rekey", "ACC_ADA@example.org", "--yes")
    assert done.exit_code == 0 and "30 templates are turned by the newest secret" in done.output
    with app.app_context():
        assert generations("acc_ada") == [2]


def test_the_command_says_when_it_finishes_what_was_begun(app):
    with app.app_context():
        keep(account(), USERS)
        with db.transaction():
            flows.new_rotation("acc_ada", NOW)
    done = run(app, "rekey", "acc_ada@example.org", typed="y\n")
    assert "was broken off" in done.output and "finished what was begun before" in done.output and done.exit_code == 0


def test_the_command_refuses_what_it_cannot_do(app):
    with app.app_context():
        account()
    assert "no account" in run(app, "rekey", "nobody@example.org", "--yes").output
    assert "no account" in run(app, "rekey", "nobody", "--yes").output
    nothing = run(app, "rekey", "acc_ada@example.org", "--yes")
    assert nothing.exit_code == 1 and "nothing to turn" in nothing.output


def test_a_rotation_that_is_no_generation_of_new_templates_is_replaced_as_well(ada):
    """What was put apart is turned as the others are."""
    gallery = put_apart(ada, "ann", 1)
    assert gallery.generation < 0 and found(ada, template(1)) == [("ann", 1.0)]
    assert rekeying.rekey_account(ada, NOW, quiet).templates == 1
    assert generations(ada) == [1] and found(ada, template(1)) == [("ann", 1.0)] and events() == []


@pytest.mark.long
def test_the_command_says_when_the_log_keeps_the_old_secret_because_somebody_reads(app):
    with app.app_context():
        keep(account(), USERS)
    with closing(sqlite.connect(db.path_of(app))) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM fingerprints").fetchone()
        said = run(app, "rekey", "acc_ada@example.org", "--yes")
    assert said.exit_code == 0 and "facevault.db-wal" in said.output
