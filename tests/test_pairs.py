"""Every pair of alike faces is found, with the cosine a search gives, and no other."""

import os
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fv import create_app, db
from fv.audit import store as audit
from fv.fingerprints import flows, pairs, rekeying, vector
from fv.fingerprints.flows import Template
from tests.templates import NOW, SPACE, account, keep, near, template

#: Where a face is, and whose: a few faces, each a bit off.
CROWD = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 4)), max_size=25)


@pytest.fixture
def ada(here):
    return account()


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(pairs, "BLOCK", 4)
    monkeypatch.setattr(pairs, "READ", 3)
    monkeypatch.setattr(pairs, "CHUNK", 2)


def quiet(_done, _all):
    pass


def crowd(account_id, people):
    """(face, how far off, whose) of each."""
    with db.transaction():
        new = [Template(f"user {who}", near(template(face), 1 - off / 40)) for face, off, who in people]
        flows.add(account_id, "live", SPACE, new, NOW)


def alike(account_id, at_least, same_person=False, progress=quiet, mode="live"):
    return pairs.compare(account_id, mode, SPACE, at_least, same_person, NOW, progress)


def by_hand(at_least, same_person=False):
    """Of what is stored, each with each."""
    rows = db.many(dict, "SELECT id, external_user_id AS user, vector FROM fingerprints ORDER BY id")
    stored = [(row["id"], row["user"], struct.unpack("<128f", row["vector"])) for row in rows]
    found = [
        (vector.cosine(mine, theirs), one, user, other, name)
        for number, (one, user, mine) in enumerate(stored)
        for other, name, theirs in stored[number + 1 :]
        if same_person or user != name
    ]
    return sorted((row for row in found if row[0] >= at_least), key=lambda row: (-row[0], row[1], row[3]))


@settings(max_examples=40)
@given(CROWD, st.sampled_from([-1.0, 0.0, 0.5, 0.9, 0.95, 0.975, 1.0]), st.booleans())
def test_exactly_the_pairs_that_comparing_each_with_each_finds(app_of_all, people, at_least, same_person):
    with app_of_all.app_context():
        db.run("DELETE FROM fingerprints"), db.run("DELETE FROM galleries")
        crowd("acc_all", people)
        found = alike("acc_all", at_least, same_person)
        assert [tuple(pair) for pair in found.pairs] == by_hand(at_least, same_person)
        assert found.compared == len(people) and not found.is_cut


@pytest.fixture(scope="module")
def app_of_all(tmp_path_factory):
    """One database for all examples, with an account."""
    app = create_app(INSTANCE=tmp_path_factory.mktemp("pairs") / "instance", HASH_MEMORY_KIB=8, HASH_PASSES=1)
    with app.app_context():
        account("acc_all")
    yield app
    db.close(app)


@pytest.mark.long
def test_no_pair_at_the_threshold_is_left_out_by_rounding(ada, monkeypatch):
    """The threshold is the cosine of a pair itself: float32 is off by less than what is let through."""
    monkeypatch.setattr(pairs, "BLOCK", 2_048)
    with db.transaction():
        new = [Template(f"user {n}", near(template(n % 40), 0.93, 1000 + n)) for n in range(200)]
        flows.add(ada, "live", SPACE, new, NOW)
    for threshold, *_ in by_hand(0.7)[::50]:
        assert [tuple(pair) for pair in alike(ada, threshold).pairs] == by_hand(threshold)


@pytest.mark.parametrize("most", [1, 7, 40])
def test_of_too_many_pairs_the_best_are_kept_and_it_is_said(ada, monkeypatch, most):
    monkeypatch.setattr(pairs, "MOST", most)
    crowd(ada, [(number % 2, number % 5, number) for number in range(30)])
    found = alike(ada, 0.0)
    assert found.is_cut and found.number == most
    assert [tuple(pair) for pair in found.pairs] == by_hand(0.0)[:most]


def test_a_gallery_of_one_face_is_compared_as_well(ada, monkeypatch):
    monkeypatch.setattr(pairs, "MOST", 500)
    keep(ada, {"ann": 1})
    with db.transaction():
        flows.add(ada, "live", SPACE, [Template(f"user {number}", template(1)) for number in range(60)], NOW)
    found = alike(ada, 1.0)
    assert found.is_cut and [tuple(pair) for pair in found.pairs] == by_hand(1.0)[:500]


def test_half_way_to_another_rotation_the_same_pairs_are_found(ada, monkeypatch):
    crowd(ada, [(number % 3, number % 5, number % 7) for number in range(24)])
    told = [alike_by_ids(ada)]
    monkeypatch.setattr(rekeying, "BATCH", 5)

    def meanwhile(done, all):
        if 0 < done < all:
            told.append(alike_by_ids(ada))

    rekeying.rekey_account(ada, NOW, meanwhile)
    assert len(told) >= 4 and len(told[0]) > 10
    for one in told[1:]:
        assert one == {pair: pytest.approx(similarity, abs=1e-6) for pair, similarity in told[0].items()}


def alike_by_ids(account_id):
    return {(pair.id, pair.other_id): pair.similarity for pair in alike(account_id, 0.913).pairs}


def test_modes_and_accounts_are_not_mixed_and_the_act_is_recorded(ada):
    eve = account("acc_eve")
    keep(ada, {"ann": 1}), keep(eve, {"ben": 1}), keep(ada, {"eve": 1}, mode="test")
    assert alike(ada, 0.0).number == alike(ada, 0.0, mode="test").number == alike(eve, 0.0).number == 0
    assert [row.event for row in audit.newest(ada, 9)] == ["fingerprints.compared"] * 2


def test_it_tells_how_far_it_is(ada):
    told = []
    crowd(ada, [(number % 4, number, number) for number in range(10)])
    alike(ada, 0.9, progress=lambda done, all: told.append((done, all)))
    assert told == [(number, 6) for number in range(1, 7)]
    assert alike(ada, 0.0, mode="test").compared == 0


# ── In the terminal ──────────────────────────────────────────────────────────────────────────────────────────


def run(app, *words):
    return app.test_cli_runner().invoke(args=["fingerprints", "dedupe", *map(str, words)])


@pytest.fixture
def holder(app):
    with app.app_context():
        ada, ours = account(), flows.space_of("dlib-resnet-1")
        with db.transaction():
            for number, (user, numbers) in enumerate(
                [("ann", template(1)), ("ann\tB", near(template(1), 0.95)), ("ben", template(2)),
                 ("ann", near(template(1), 0.96))]
            ):  # fmt: skip
                flows.keep(ada, f"vs_{number}", user, "live", ours, numbers, NOW)
    return "acc_ada@example.org"


def test_the_command_prints_pairs_as_lines_with_tabs(app, holder):
    done = run(app, holder, "--model", "dlib-resnet-1")
    assert done.exit_code == 0
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [float(line[0]) for line in lines] == sorted((float(line[0]) for line in lines), reverse=True)
    assert {frozenset((line[2], line[4])) for line in lines} == {frozenset(("ann", "ann\N{REPLACEMENT CHARACTER}B"))}
    assert len(lines) == 2 and all(len(line) == 5 and line[1].startswith("fp_") for line in lines)
    assert "4 templates compared, 2 pairs from 0.92 on" in done.stderr
    assert len(run(app, holder, "--model", "dlib-resnet-1", "--same-person").stdout.splitlines()) == 3
    assert run(app, holder, "--model", "dlib-resnet-1", "--at-least", "0.9999").stdout == ""


def test_a_file_is_for_its_owner_only_and_none_is_replaced(app, holder, tmp_path):
    file = tmp_path / "pairs.tsv"
    assert run(app, holder, "--model", "dlib-resnet-1", "--output", file).stdout == ""
    assert len(file.read_text().splitlines()) == 2 and os.stat(file).st_mode & 0o777 == 0o600
    again = run(app, holder, "--model", "dlib-resnet-1", "--output", file)
    assert again.exit_code == 1 and "File exists" in again.output


def test_an_answer_that_breaks_off_leaves_no_file(app, holder, tmp_path, monkeypatch):
    def breaks(*_words):
        raise KeyboardInterrupt

    monkeypatch.setattr(pairs, "_told", breaks)
    assert run(app, holder, "--model", "dlib-resnet-1", "--output", tmp_path / "pairs.tsv").exit_code == 1
    assert list(tmp_path.glob("*.tsv")) == []


def test_the_command_says_when_there_are_more(app, holder, monkeypatch):
    monkeypatch.setattr(pairs, "MOST", 1)
    assert "There are more" in run(app, holder, "--model", "dlib-resnet-1").stderr


def test_the_command_refuses_what_it_cannot_do(app, holder):
    assert "--at-least" in run(app, holder, "--model", "other").output
    other = run(app, holder, "--model", "other", "--at-least", "0.5")
    assert other.exit_code == 1 and "Stored are those of: dlib-resnet-1" in other.output
    assert "of: none" in run(app, holder, "--model", "other", "--at-least", "0.5", "--mode", "test").output
    assert "no account" in run(app, "x@y.z", "--model", "other").output
