"""Templates from a file: every row is looked at first, and then all of them are found at once, or none."""

import json
import math
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

from fv import db
from fv.audit import store as audit
from fv.fingerprints import flows as fingerprints
from fv.fingerprints import forgetting, listing, rekeying, turning, vector
from fv.fingerprints import store as templates
from fv.imports import flows, reading, store
from fv.imports.flows import Target
from fv.imports.reading import Bad, Refused, Row, Source
from fv.terms import store as terms
from fv.terms.span import CLASSES, Span
from fv.verifications import store as verifications
from fv.verifications.store import Verification
from tests.crashes import killed_before
from tests.templates import NOW, SPACE, account, by_hand, found, keep, template

USERS = {f"user {number}": number for number in range(12)}
HERE = {f"here {number}": number for number in range(50, 55)}
SESSION = "vs_" + "0" * 32


def line(number, user, **more):
    return json.dumps({"embedding": template(number), "external_user_id": user} | more)


@pytest.fixture
def lines(tmp_path):
    """`lines(USERS)`: a file with a template for each of {external_user_id: number}; or with these lines."""

    def written(what, name="templates.jsonl"):
        rows = [line(number, user) for user, number in what.items()] if isinstance(what, dict) else what
        (tmp_path / name).write_text("".join(f"{row}\n" for row in rows))
        return Source(tmp_path / name)

    return written


@pytest.fixture
def array(tmp_path):
    """`array(rows, ids)`: the two files of an array."""

    def written(rows, ids):
        np.save(tmp_path / "templates.npy", rows)
        (tmp_path / "ids.txt").write_text("".join(f"{id}\n" for id in ids))
        return Source(tmp_path / "templates.npy", tmp_path / "ids.txt")

    return written


@pytest.fixture
def ada(here):
    return account()


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(flows, "BATCH", 5)
    monkeypatch.setattr(rekeying, "BATCH", 4)


def quiet(_done, _all):
    pass


def taken(source, target, progress=quiet, again=False):
    """Imported, and not yet with the others."""
    checked = flows.check(source, target, NOW, quiet)
    assert checked.bad == 0
    flows.take(source, target, flows.begin(target, checked, again, NOW), NOW, progress)


def rows_of(source):
    return list(reading.rows(source, lambda text: 1 <= len(text) <= 255 and text.isprintable(), quiet))


def number_of_rows():
    return db.one(dict, "SELECT count(*) AS n FROM fingerprints")["n"]


# ── What a row can be ────────────────────────────────────────────────────────────────────────────────────────


def test_rows_of_both_forms_are_read_with_what_they_say(lines, array):
    (row,) = rows_of(lines([line(1, "ann", session_id=SESSION)]))
    assert (row.external_user_id, row.session_id, row.numbers.tolist()) == ("ann", SESSION, template(1))
    for kind in ("<f8", ">f8"):
        (row,) = rows_of(array(np.array([template(1)], kind), ["ann"]))
        assert (row.external_user_id, row.session_id, row.numbers.tolist()) == ("ann", None, template(1))
    (row,) = rows_of(array(np.array([template(1)], "<f4"), ["änn"]))
    assert row.external_user_id == "änn" and row.numbers.tolist() == np.array(template(1), "<f4").tolist()
    turned = np.asfortranarray(np.array([template(1), template(2)]))
    assert [one.numbers.tolist() for one in rows_of(array(turned, ["a", "b"]))] == [template(1), template(2)]


GOOD = template(1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "it is no JSON"),
        ("[" * 10_000, "it is no JSON"),
        ("[1]", "it is no JSON object"),
        ("{}", "embedding is missing, or no list"),
        (line(1, "ann", more=1), "it has a field other than embedding, external_user_id and session_id"),
        (line(1, "ann", embedding="x"), "embedding is missing, or no list"),
        (line(1, "ann", embedding=GOOD[:127]), "embedding has 127 numbers, not 128"),
        (line(1, "ann", embedding=[*GOOD, 1.0]), "embedding has 129 numbers, not 128"),
        (line(1, "ann", embedding=["1", *GOOD[1:]]), "embedding holds something that is no number"),
        (line(1, "ann", embedding=[True, *GOOD[1:]]), "embedding holds something that is no number"),
        (line(1, "ann", embedding=[None, *GOOD[1:]]), "embedding holds something that is no number"),
        (line(1, "ann", embedding=[math.nan, *GOOD[1:]]), "it has a number that is not finite"),
        (line(1, "ann", embedding=[-math.inf, *GOOD[1:]]), "it has a number that is not finite"),
        (line(1, "ann", embedding=[10**400, *GOOD[1:]]), "it has a number that is not finite"),
        (line(1, "ann", embedding=[0] * 128), "all its numbers are zero"),
        (json.dumps({"embedding": GOOD}), "external_user_id is missing"),
        (line(1, None), "external_user_id is missing"),
        (line(1, ""), "external_user_id is no text of 1 to 255 characters"),
        (line(1, 7), "external_user_id is no text of 1 to 255 characters"),
        (line(1, "a" * 256), "external_user_id is no text of 1 to 255 characters"),
        (line(1, "a\nb"), "external_user_id is no text of 1 to 255 characters"),
        (line(1, "ann", session_id="vs_1"), "session_id is not the id of a session"),
        (line(1, "ann", session_id=7), "session_id is not the id of a session"),
        (line(1, "a" * 70_000), "it is longer than 65,536 bytes"),
    ],
)
def test_a_bad_line_is_told_by_its_number_and_reason_and_the_others_are_read(lines, bad, reason):
    first, second, third = rows_of(lines([line(1, "ann"), bad, line(2, "ben")]))
    assert isinstance(first, Row) and isinstance(third, Row) and second == Bad(2, reason)


def test_what_is_no_utf_8_is_bad_and_empty_lines_are_nothing(tmp_path, array):
    file = tmp_path / "x.jsonl"
    file.write_bytes(b"\n" + line(1, "ann").encode() + b"\n\n\xff\xfe\n" + line(2, "ben").encode())
    assert [type(one) for one in rows_of(Source(file))] == [Row, Bad, Row]
    source = array(np.array([GOOD] * 3), ["ann", "ben", "eve"])
    source.ids.write_bytes(b"ann\r\n\xff\neve")
    assert [getattr(one, "external_user_id", None) for one in rows_of(source)] == ["ann", None, "eve"]


def test_a_bad_row_of_an_array_is_told_by_its_number_and_reason(array):
    rows = np.array([GOOD] * 7)
    rows[1, 5], rows[2, 127], rows[3] = math.nan, math.inf, 0
    found = rows_of(array(rows, ["a", "b", "c", "d", "", "x" * 256, "g"]))
    assert [one for one in found if isinstance(one, Bad)] == [
        Bad(2, "it has a number that is not finite"),
        Bad(3, "it has a number that is not finite"),
        Bad(4, "all its numbers are zero"),
        Bad(5, "external_user_id is missing"),
        Bad(6, "external_user_id is no text of 1 to 255 characters"),
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (np.ones((2, 127)), "shape 2 x 127"),
        (np.ones(128), "shape 128"),
        (np.ones((1, 2, 128)), "shape 1 x 2 x 128"),
        (np.ones((2, 128), "f2"), "float16"),
        (np.ones((2, 128), "i4"), "int32"),
        (np.ones((2, 128), "c8"), "complex64"),
    ],
)
def test_an_array_of_another_form_is_refused(array, rows, said):
    with pytest.raises(Refused, match=said):
        rows_of(array(rows, ["a", "b"]))


def test_files_that_are_not_what_they_seem_are_refused(tmp_path, array):
    source = array(np.array([GOOD] * 2), ["a", "b"])
    whole = source.file.read_bytes()
    for content in (whole[:-1], whole[:100], whole[:6], whole[:9], b"\x93NUMPY\x01\x00\x02\x00{}"):
        source.file.write_bytes(content)
        with pytest.raises(Refused, match=r"cannot be read as \.npy"):
            rows_of(source)
    source.file.write_bytes(pickle.dumps([GOOD]))
    with pytest.raises(Refused, match="does not begin as one"):
        rows_of(source)
    np.save(source.file, np.array([[GOOD]], object), allow_pickle=True)
    with pytest.raises(Refused, match="Python objects"):
        rows_of(source)
    np.savez(tmp_path / "many.npz", np.array([GOOD]))
    with pytest.raises(Refused, match="does not begin as one"):
        rows_of(Source(tmp_path / "many.npz", source.ids))
    with pytest.raises(Refused, match="No such file"):
        rows_of(Source(tmp_path / "nothing"))
    with pytest.raises(Refused, match="cannot be read"):
        Source(tmp_path).digest()


def test_each_row_of_an_array_needs_one_id(array):
    source = array(np.array([GOOD] * 3), ["a", "b"])
    with pytest.raises(Refused, match="2 lines for 3 rows"):
        rows_of(source)
    with pytest.raises(Refused, match="--ids"):
        rows_of(Source(source.file))


def test_an_array_without_rows_has_none(array):
    assert rows_of(array(np.empty((0, 128)), [])) == []


# ── All at once ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("is_new", [True, False])
def test_nothing_is_found_before_all_are_there_and_then_everything(ada, lines, is_new):
    already = {} if is_new else HERE
    if already:
        keep(ada, already)
    target, told = Target(ada, "live", SPACE), []

    def meanwhile(done, all):
        told.append((done, all))
        expected = by_hand(already, template(3), most=99)
        if done < all:
            assert found(ada, template(3), most=99) == expected
            assert listing.page([one.id for one in templates.galleries(ada)], NOW + 1, "", 99) == [] or already

    taken(lines(USERS), target, meanwhile)
    assert told == [(5, 12), (10, 12), (12, 12)]
    everybody = by_hand(already | USERS, template(3), most=99)
    assert found(ada, template(3), most=99) == everybody
    rekeying.settle(ada, NOW, lambda *_: check(ada, everybody))
    check(ada, everybody)
    assert [one.size for one in templates.galleries(ada)] == [len(everybody)]
    assert [one.generation for one in templates.rotations(ada)] == [1]
    (event,) = [row for row in audit.newest(ada, 9) if row.event == "fingerprints.imported"]
    assert json.loads(event.facts) == {"templates": 12} and event.actor == "support"


def check(account_id, everybody):
    assert found(account_id, template(3), most=99) == everybody


def test_what_was_imported_is_bit_for_bit_what_one_by_one_would_have_been(ada, lines, array):
    keep(ada, {"other": 99})
    target = Target(ada, "live", SPACE)
    taken(lines({"ann": 1}), target)
    gallery = next(one for one in templates.galleries(ada) if one.generation < 0)
    there = fingerprints.rotation_of(ada, gallery.generation)
    (row,) = templates.first(gallery.id, 9)
    assert row.vector == vector.pack(there.turn(template(1)))


def begun_session(account_id, mode="live"):
    verifications.add(
        Verification(SESSION, account_id, "u", mode, "passed", False, "hash", "left", "", NOW, NOW, NOW, NOW + 99)
    )
    terms.add(SESSION, account_id, NOW, NOW, Span(99, 99, 99), "hash")
    return SESSION


@pytest.mark.parametrize("mode", ["test", None])
def test_a_template_of_a_session_that_the_account_has_not_is_a_bad_row(ada, lines, mode):
    if mode:
        begun_session(ada, mode)
    source = lines([line(1, "ann", session_id=SESSION), line(2, "ben")])
    checked = flows.check(source, Target(ada, "live", SPACE), NOW, quiet)
    assert (checked.good, checked.bad) == (1, 1) and "no session of this id and mode" in checked.examples[0].reason


def test_a_file_of_a_session_goes_with_it_also_before_it_is_open(ada, lines):
    target, session = Target(ada, "live", SPACE), begun_session(ada)
    source = lines([line(number, f"u{number}", session_id=session) for number in range(6)] + [line(9, "ann")])

    def erased(done, _all):
        if done == 5:
            with db.transaction():
                assert len(forgetting.of_session(ada, session)) == 5
                assert verifications.erased(session, NOW)
                terms.gone(session, CLASSES)

    taken(source, target, erased)
    assert [user for user, _ in found(ada, template(9), most=9)] == ["ann"], "what came after it is not kept either"
    again = flows.check(source, target, NOW, quiet)
    assert (again.good, again.bad) == (1, 6)


def test_an_import_that_breaks_off_goes_on_where_it_was(ada, lines):
    source, target, told = lines(USERS), Target(ada, "live", SPACE), []

    def breaks(done, _all):
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        taken(source, target, breaks)
    before = {row["id"] for row in db.many(dict, "SELECT id FROM fingerprints")}
    assert len(before) == 10 and found(ada, template(3)) == [] and templates.galleries(ada) == []
    taken(source, target, lambda *words: told.append(words))
    after = {row["id"] for row in db.many(dict, "SELECT id FROM fingerprints")}
    assert before < after and found(ada, template(3), most=99) == by_hand(USERS, template(3), most=99)


def test_the_same_file_is_not_imported_twice_unless_it_is_said(ada, lines):
    source, target = lines(USERS), Target(ada, "live", SPACE)
    for _ in range(2):
        taken(source, target)
        rekeying.settle(ada, NOW, quiet)
    assert number_of_rows() == 12
    taken(source, target, again=True)
    assert number_of_rows() == 24
    taken(source, Target(ada, "test", SPACE))
    assert number_of_rows() == 36 and len(found(ada, template(3), most=99, mode="test")) == 12


def test_a_rekey_meanwhile_leaves_an_import_closed_and_whole(ada, lines):
    keep(ada, HERE)

    def rekeys(done, _all):
        if done == 5:
            assert rekeying.rekey_account(ada, NOW, quiet).templates == 5

    taken(lines(USERS), Target(ada, "live", SPACE), rekeys)
    everybody = by_hand(HERE | USERS, template(3), most=99)
    check(ada, everybody)
    rekeying.settle(ada, NOW, quiet)
    check(ada, everybody)
    assert [one.generation for one in templates.rotations(ada)] == [2]


def test_one_that_is_opened_or_taken_back_by_somebody_else_is_written_no_further(ada, lines):
    source, target = lines(USERS), Target(ada, "live", SPACE)
    rows = rows_of(source)
    begun = flows.begin(target, flows.check(source, target, NOW, quiet), False, NOW)
    flows._write(begun, 0, rows[:5], NOW, lambda _id: True)
    flows._write(begun, 0, rows[:5], NOW, lambda _id: True)
    flows._write(begun, 0, rows[:7], NOW, lambda _id: True)
    assert number_of_rows() == 7 and store.by_id(begun.id).done == 7, "what is there is not written again"
    flows.take(source, target, begun, NOW, quiet)
    rekeying.settle(ada, NOW, quiet)
    flows._write(begun, 5, rows[5:], NOW, lambda _id: True)
    assert number_of_rows() == 12
    again = flows.begin(target, flows.check(source, target, NOW, quiet), True, NOW)
    flows.discard(ada, again, NOW)
    with pytest.raises(flows.Discarded):
        flows._write(again, 0, rows, NOW, lambda _id: True)
    assert number_of_rows() == 12


def test_one_that_is_taken_back_between_turning_and_writing_is_not_written(ada, lines, monkeypatch):
    source, target = lines(USERS), Target(ada, "live", SPACE)
    begun = flows.begin(target, flows.check(source, target, NOW, quiet), False, NOW)
    packs = turning.packed

    def late(turned):
        flows.discard(ada, begun, NOW)
        return packs(turned)

    monkeypatch.setattr(turning, "packed", late)
    with pytest.raises(flows.Discarded):
        flows.take(source, target, begun, NOW, quiet)
    assert number_of_rows() == 0


def test_it_tells_how_far_the_reading_of_either_form_is(lines, array, monkeypatch):
    monkeypatch.setattr(reading, "_BLOCK", 5)
    told = []
    for source in (lines(USERS), array(np.array([template(n) for n in range(12)]), USERS)):
        told.append([])
        list(reading.rows(source, str.isprintable, lambda done, all: told[-1].append(done / all)))
    assert told[1] == [5 / 12, 10 / 12, 1.0] and len(told[0]) == 2 and 0 < told[0][0] < told[0][1] < 1


def test_a_file_that_changes_while_it_is_read_is_not_imported(ada, lines):
    source = lines(USERS)

    def changes(done, _all):
        if done == 5:
            with source.file.open("a") as file:
                file.write(line(77, "late"))

    with pytest.raises(Refused, match="was changed"):
        taken(source, Target(ada, "live", SPACE), changes)
    assert number_of_rows() == 0 and store.closed(ada) == [] and found(ada, template(3)) == []


def test_what_was_broken_off_can_be_taken_back_also_while_it_goes_on(ada, lines):
    target = Target(ada, "live", SPACE)

    def discards(done, _all):
        if done == 10:
            (begun,) = store.closed(ada)
            flows.discard(ada, begun, NOW)

    with pytest.raises(flows.Discarded):
        taken(lines(USERS), target, discards)
    assert number_of_rows() == 0 and templates.galleries(ada) == []
    assert [one.generation for one in templates.rotations(ada)] == [1]


def test_one_whose_taking_back_was_broken_off_is_not_opened_and_the_file_begins_anew(ada, lines, monkeypatch):
    source, target = lines(USERS), Target(ada, "live", SPACE)
    begun = flows.begin(target, flows.check(source, target, NOW, quiet), False, NOW)
    flows._write(begun, 0, list(rows_of(source))[:10], NOW, lambda _id: True)
    monkeypatch.setattr(flows, "BATCH", 5)
    assert store.give_up(begun.id) and not flows._is_gone(begun)  # and here it was killed
    assert number_of_rows() == 5
    for _ in range(2):
        with pytest.raises(flows.Discarded):
            flows._write(begun, 10, list(rows_of(source))[10:], NOW, lambda _id: True)
        with pytest.raises(flows.Discarded):
            flows.take(source, target, begun, NOW, quiet)
    taken(source, target)
    assert len(found(ada, template(3), most=99)) == number_of_rows() == 12


def test_one_that_is_taken_back_before_it_is_opened_is_not_opened(ada, lines):
    def discards(done, _all):
        if done == 12:
            (begun,) = store.closed(ada)
            assert flows.discard(ada, begun, NOW) and flows._is_gone(begun)

    with pytest.raises(flows.Discarded):
        taken(lines(USERS), Target(ada, "live", SPACE), discards)
    assert number_of_rows() == 0


def test_an_import_that_is_open_is_not_taken_back(ada, lines):
    source, target = lines(USERS), Target(ada, "live", SPACE)
    taken(source, target)
    assert not flows.discard(ada, flows.known(target, flows.check(source, target, NOW, quiet)), NOW)
    assert len(found(ada, template(3), most=99)) == 12


def in_app(app, work):
    with app.app_context():
        work()


@pytest.mark.long
def test_the_same_file_by_two_at_once_is_imported_once(app, here, ada, lines):
    source, target, errors = lines({f"user {n}": n for n in range(100)}), Target(ada, "live", SPACE), []
    barrier = threading.Barrier(2)

    def imports():
        try:
            barrier.wait()
            taken(source, target)
            rekeying.settle(ada, NOW, quiet)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=in_app, args=(app, imports)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and number_of_rows() == 100
    assert len([row for row in audit.newest(ada, 9) if row.event == "fingerprints.imported"]) == 1


IMPORTS = """
from pathlib import Path
from fv.fingerprints import rekeying
from fv.imports import flows
from fv.imports.reading import Source
from fv.fingerprints.store import Space
quiet = lambda *_: None
flows.BATCH = rekeying.BATCH = 2
source, target = Source(Path({file!r})), flows.Target("acc_ada", "live", Space("model-1", "ab" * 32, "1"))
begun = flows.begin(target, flows.check(source, target, 1, quiet), {again}, 1)
if begun.opened_at is None:
    flows.take(source, target, begun, 1, quiet)
rekeying.settle("acc_ada", 1, quiet)
"""


@pytest.mark.long
def test_kill_9_at_any_statement_leaves_nothing_or_everything_and_the_next_run_finishes(app, here, ada, lines):
    keep(ada, {"here": 50})
    source, n, killed, before = lines({f"user {number}": number for number in range(3)}), 0, True, 1
    while killed:
        n += 1
        again = IMPORTS.format(file=str(source.file), again=True)
        killed = killed_before(n, app, again)
        assert len(found(ada, template(50), most=999)) in (before, before + 3), n
        if killed and store.closed(ada):
            taken(source, Target(ada, "live", SPACE))  # in batches of another size
        rekeying.settle(ada, NOW, quiet)
        now = len(found(ada, template(50), most=999))
        assert now in (before, before + 3) and number_of_rows() == now and store.closed(ada) == [], n
        assert len(templates.galleries(ada)) == 1 and len(templates.rotations(ada)) == 1, n
        before = now
    assert n > 40


@pytest.mark.long
def test_while_a_process_imports_another_finds_nothing_of_it_or_all(app, here, ada, lines):
    keep(ada, HERE)
    source = lines({f"user {n}": n for n in range(100, 500)})
    words = [sys.executable, "-c", PROGRAM, app.instance_path, IMPORTS.format(file=str(source.file), again=False)]
    process = subprocess.Popen(words)
    few, all = by_hand(HERE, template(3), most=999), by_hand(HERE | {f"user {n}": n for n in range(100, 500)},
                                                             template(3), most=999)  # fmt: skip
    while process.poll() is None:
        assert found(ada, template(3), most=999) in (few, all)
    assert process.returncode == 0 and found(ada, template(3), most=999) == all


PROGRAM = """
import sys
from fv import create_app
with create_app(INSTANCE=sys.argv[1], HASH_MEMORY_KIB=8, HASH_PASSES=1).app_context():
    exec(sys.argv[2])
"""


# ── In the terminal ──────────────────────────────────────────────────────────────────────────────────────────


def run(app, *words, typed=None):
    return app.test_cli_runner().invoke(args=["fingerprints", *map(str, words)], input=typed)


@pytest.fixture
def holder(app):
    with app.app_context():
        account()
    return "acc_ada@example.org"


def imports(app, source, *more):
    ids = ["--ids", source.ids] if source.ids else []
    return run(app, "import", source.file, "--account", "acc_ada@example.org", "--model", "model-1", *ids, *more)


def people(app, number=3, **where):
    with app.app_context():
        return [user for user, _ in found("acc_ada", template(number), most=999, **where)]


def test_the_command_imports_a_file_and_says_how_many(app, holder, array):
    source = array(np.array([template(n) for n in range(12)], "<f4"), USERS)
    done = imports(app, source, "--mode", "test")
    assert done.exit_code == 0 and done.output == "12 templates imported.\n"
    here = {"space": templates.Space("model-1"), "mode": "test"}
    assert people(app, **here)[0] == "user 3" and len(people(app, **here)) == 12 and people(app) == []
    again = imports(app, source, "--mode", "test")
    assert again.exit_code == 0 and "--again" in again.output and len(people(app, **here)) == 12
    assert imports(app, source, "--mode", "test", "--again").exit_code == 0 and len(people(app, **here)) == 24


def test_a_model_of_ours_means_its_file_and_preparation(app, holder, lines):
    assert run(app, "import", lines(USERS).file, "--account", holder, "--model", "dlib-resnet-1").exit_code == 0
    with app.app_context():
        (gallery,) = templates.galleries("acc_ada")
        assert gallery.space == fingerprints.space_of("dlib-resnet-1") and len(gallery.model_sha256) == 64


def test_one_bad_row_and_nothing_is_imported_unless_it_is_skipped(app, holder, lines):
    bad = [json.dumps({"embedding": [1.0], "external_user_id": "x"})] * 25
    source = lines([line(1, "ann"), *bad, line(2, "ben")])
    refused = imports(app, source)
    assert refused.exit_code == 1 and "Nothing was imported: 25 of 27 rows cannot be" in refused.output
    assert "Row 2: embedding has 1 numbers, not 128." in refused.output and "And 5 more rows." in refused.output
    assert "Row 21:" in refused.output and "Row 22:" not in refused.output
    here = {"space": templates.Space("model-1")}
    assert people(app, **here) == []
    assert imports(app, source, "--skip-bad").output.endswith("2 templates imported.\n")
    assert sorted(people(app, **here)) == ["ann", "ben"]


def test_the_command_refuses_what_it_cannot_do(app, holder, lines, tmp_path):
    source = lines(USERS)
    assert "no account" in run(app, "import", source.file, "--account", "x@y.z", "--model", "m").output
    assert "1 to 64" in run(app, "import", source.file, "--account", holder, "--model", "A b").output
    assert "No such file" in run(app, "import", tmp_path / "no", "--account", holder, "--model", "m").output
    assert "no row" in imports(app, lines(["{}"], "bad.jsonl"), "--skip-bad").output
    nothing = imports(app, source, "--resume")
    assert nothing.exit_code == 1 and "No import of this file was broken off" in nothing.output
    assert people(app, space=templates.Space("model-1")) == []


def test_the_command_says_that_its_import_was_taken_back(app, holder, lines, monkeypatch):
    source, write = lines(USERS), flows._write

    def late(begun, place, *words):
        if place == 5:
            flows.discard("acc_ada", begun, NOW)
        write(begun, place, *words)

    monkeypatch.setattr(flows, "_write", late)
    said = imports(app, source)
    assert said.exit_code == 1 and "taken back by `fv fingerprints discard`" in said.output
    assert imports(app, lines([*["{}"] * 21, line(1, "ann")], "x.jsonl")).output.count("And 1 more row.") == 1


def test_what_was_broken_off_is_told_goes_on_or_is_taken_back(app, holder, lines):
    source, other = lines(USERS), lines(HERE, "other.jsonl")
    with app.app_context():
        target = Target("acc_ada", "live", templates.Space("model-1"))
        for one in (source, other):
            begun = flows.begin(target, flows.check(one, target, NOW, quiet), False, NOW)
            flows._write(begun, 0, list(rows_of(one))[:5], NOW, lambda _id: True)
    going_on = imports(app, source, "--resume")
    assert going_on.exit_code == 0 and "has 5 of 12 templates" in going_on.output
    assert "has 5 of 5 templates. Import that file again" in going_on.output
    assert len(people(app, space=templates.Space("model-1"))) == 12
    asked = run(app, "discard", holder, typed="n\n")
    assert asked.exit_code == 1 and "has 5 of 5 templates" in asked.output
    assert run(app, "discard", holder, typed="y\n").output.endswith("1 import taken back.\n")
    with app.app_context():
        assert number_of_rows() == 12
    assert "No import of this account was broken off" in run(app, "discard", holder, "--yes").output
    with app.app_context():
        flows.begin(target, flows.check(other, target, NOW, quiet), False, NOW)
    assert run(app, "discard", holder, "--yes").exit_code == 0


def test_one_that_was_opened_first_is_told_and_stays_and_one_half_taken_back_is_told(app, holder, lines, monkeypatch):
    source, discards = lines(USERS), flows.discard
    with app.app_context():
        target = Target("acc_ada", "live", templates.Space("model-1"))
        begun = flows.begin(target, flows.check(source, target, NOW, quiet), False, NOW)
        assert store.give_up(begun.id)
    assert "is being taken back" in run(app, "discard", holder, typed="n\n").output

    def opened_first(*words):
        db.run("UPDATE imports SET opened_at = 1")
        return discards(*words)

    monkeypatch.setattr(flows, "discard", opened_first)
    said = run(app, "discard", holder, "--yes").output
    assert "1 import came to an end first, and stays." in said and "0 imports taken back." in said


def test_no_message_holds_a_template(app, holder, lines):
    said = imports(app, lines([line(1, "ann"), line(2, "secret person", embedding=[7.7123] * 127)])).output
    assert "7.7123" not in said and "secret" not in said
    assert "7.7" not in repr(flows.Checked(0, 1, (Bad(1, "x"),), ""))
