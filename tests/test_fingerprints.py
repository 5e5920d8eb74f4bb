"""Templates as they are kept: turned by a secret of the account, comparable inside it, and gone with their session."""

import math
import struct
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fv import db
from fv.fingerprints import flows, forgetting, listing, rotation, store, vector
from fv.sealing import Keyring, Unreadable
from tests.templates import NOW, SPACE, account, near, template

#: What the first rotation of this construction makes of 0 to 127 under the seed 0 to 31, its first four numbers.
KNOWN = [-6.3349609375, 5.7167968750, 50.8906250000, -0.0537109375]
SEEDS = st.binary(min_size=32, max_size=32)
NUMBERS = st.lists(st.floats(-1e3, 1e3), min_size=128, max_size=128).filter(lambda n: max(map(abs, n)) > 1e-3)


# ── Vectors ──────────────────────────────────────────────────────────────────────────────────────────────────


@given(NUMBERS)
def test_a_template_is_stored_as_512_bytes_of_length_one_in_the_same_direction(numbers):
    packed = vector.pack(numbers)
    stored = struct.unpack("<128f", packed)
    assert len(packed) == 512 and math.hypot(*stored) == pytest.approx(1, abs=1e-6)
    assert vector.cosine(vector.unit(numbers), vector.unpack(packed)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e160, 1e308])
def test_the_magnitude_does_not_matter(size):
    assert vector.unit([size] * 128) == pytest.approx([1 / math.sqrt(128)] * 128)


@pytest.mark.parametrize(
    "numbers",
    [[], [1.0] * 127, [1.0] * 129, [0.0] * 128, [math.nan] + [1.0] * 127, [1.0] * 127 + [math.nan],
     [math.inf] + [1.0] * 127, [-math.inf] * 128],
)  # fmt: skip
def test_what_is_no_template_is_refused(numbers):
    with pytest.raises(vector.Unusable):
        vector.pack(numbers)


@pytest.mark.parametrize(
    "packed", [b"", b"\0" * 511, b"\0" * 512, b"\0" * 513, struct.pack("<128f", *[math.nan] * 128)]
)
def test_bytes_that_are_no_template_are_refused(packed):
    with pytest.raises(vector.Unusable):
        vector.unpack(packed)


def test_a_cosine_stays_in_its_range():
    one = vector.unit([1.0] * 128)
    assert vector.cosine([1.0000001 * number for number in one], one) == 1.0
    assert vector.cosine([-1.0000001 * number for number in one], one) == -1.0
    assert vector.cosine(template(1), near(template(1), 0.6)) == pytest.approx(0.6)


# ── Rotations ────────────────────────────────────────────────────────────────────────────────────────────────


@given(SEEDS, NUMBERS, NUMBERS)
def test_cosines_inside_an_account_are_unchanged(seed, one, other):
    a, b, turning = vector.unit(one), vector.unit(other), rotation.of(seed)
    turned = [vector.unpack(vector.pack(turning.turn(straight))) for straight in (a, b)]
    assert abs(vector.cosine(*turned) - vector.cosine(a, b)) < 1e-6


@given(SEEDS, NUMBERS)
def test_turning_keeps_the_length_and_turning_back_undoes_it(seed, numbers):
    straight, turning = vector.unit(numbers), rotation.of(seed)
    turned = turning.turn(straight)
    assert math.hypot(*turned) == pytest.approx(1, abs=1e-12)
    assert turning.turn_back(turned) == pytest.approx(straight, abs=1e-12)
    assert turning.turn(turning.turn_back(straight)) == pytest.approx(straight, abs=1e-12)


def test_it_is_orthogonal():
    turning = rotation.of(b"s" * 32)
    columns = [turning.turn([float(place == row) for place in range(128)]) for row in range(128)]
    for row, one in enumerate(columns):
        for other in range(row, 128):
            assert math.fsum(a * b for a, b in zip(one, columns[other], strict=True)) == pytest.approx(
                float(row == other), abs=1e-12
            )
    largest = max(abs(number) for one in columns for number in one)
    assert largest < 0.5, "each number of the result hangs on every one of the template"


def test_the_same_seed_turns_alike_on_every_machine_and_in_every_version():
    turned = rotation.of(bytes(range(32))).turn([float(place) for place in range(128)])
    assert turned[:4] == pytest.approx(KNOWN, abs=1e-9)


def test_the_same_face_in_two_accounts_looks_like_two_people():
    """Cosines of 200 pairs: those of random directions in 128 dimensions have a deviation of 0.088."""
    draw, found = Random(7), []
    for number in range(200):
        one, other = (rotation.of(draw.randbytes(32)) for _ in range(2))
        straight = template(number)
        found.append(vector.cosine(one.turn(straight), other.turn(straight)))
        found.append(vector.cosine(straight, one.turn(straight)))
    assert abs(sum(found) / len(found)) < 0.02 and max(map(abs, found)) < 0.5
    assert math.sqrt(sum(x * x for x in found) / len(found)) == pytest.approx(1 / math.sqrt(128), rel=0.15)


def test_one_changed_bit_of_a_seed_is_another_rotation():
    straight, seed = template(1), bytes(32)
    other = bytes([1]) + bytes(31)
    assert abs(vector.cosine(rotation.of(seed).turn(straight), rotation.of(other).turn(straight))) < 0.5


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_a_seed_has_32_bytes(seed):
    with pytest.raises(ValueError, match="32 bytes"):
        rotation.of(seed)


@pytest.mark.parametrize("length", [0, 127, 129])
def test_only_128_numbers_are_turned(length):
    for turns in (rotation.of(bytes(32)).turn, rotation.of(bytes(32)).turn_back):
        with pytest.raises(ValueError, match=f"not {length}"):
            turns([1.0] * length)


def test_nothing_secret_is_in_a_representation():
    assert repr(rotation.of(bytes(32))) == "Rotation()"
    kept = store.New("fp_1", None, "u", b"secret vector", 0)
    assert "secret" not in repr(kept) and "sealed" not in repr(store.Rotation("acc", 1, "sealed", 0))


# ── What is kept ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def ada(here):
    return account("acc_ada")


def keep(account_id, session, user, numbers, mode="live", space=SPACE):
    with db.transaction():
        return flows.keep(account_id, session, user, mode, space, numbers, NOW)


def rows():
    return db.many(
        dict,
        "SELECT f.*, g.model, g.generation FROM fingerprints f JOIN galleries g ON g.id = gallery_id ORDER BY f.id",
    )


def nearest(account_id, numbers, user="nobody", mode="live", space=SPACE):
    return flows.nearest_of_others(account_id, mode, space, numbers, user)


def session_of(hit):
    return hit.fingerprint.session_id


def test_what_is_stored_is_not_the_template_and_turns_back_to_it(here, ada):
    id = keep(ada, "vs_1", "ann", template(1))
    (row,) = rows()
    assert id.startswith("fp_") and row["id"] == id
    assert (row["session_id"], row["external_user_id"], row["model"], row["generation"]) == (
        "vs_1",
        "ann",
        "model-1",
        1,
    )
    stored = vector.unpack(row["vector"])
    assert abs(vector.cosine(stored, template(1))) < 0.5
    (found,) = store.rotations(ada)
    seed = here.extensions["keyring"].open(found.sealed_seed, bound_to=f"rotation {ada} 1")
    assert rotation.of(seed).turn_back(stored) == pytest.approx(template(1), abs=1e-6)


def test_the_nearest_of_another_person_is_found_with_its_cosine(ada):
    for number, user in enumerate(["ann", "ben", "eve"]):
        keep(ada, f"vs_{number}", user, template(number))
    found = nearest(ada, near(template(1), 0.93))
    assert (found.fingerprint.session_id, found.fingerprint.external_user_id) == ("vs_1", "ben")
    assert found.similarity == pytest.approx(0.93, abs=1e-6)


def test_the_nearest_of_many_is_that_of_comparing_each(ada):
    """Exact: against what pure Python finds over all of them, many times."""
    with db.transaction():
        for number in range(300):
            flows.keep(ada, f"vs_{number}", f"user {number % 40}", "live", SPACE, template(number), NOW)
    for query in range(1000, 1020):
        user = f"user {query % 40}"
        others = {n: vector.cosine(template(query), template(n)) for n in range(300) if f"user {n % 40}" != user}
        best = max(others, key=others.__getitem__)
        found = nearest(ada, template(query), user)
        assert session_of(found) == f"vs_{best}" and found.similarity == pytest.approx(others[best], abs=1e-6)


def test_of_equally_near_ones_the_first_by_id_is_found(ada):
    kept = {keep(ada, f"vs_{number}", "ann", template(1)): f"vs_{number}" for number in range(5)}
    assert session_of(nearest(ada, template(1))) == kept[min(kept)]


def test_the_same_person_is_nobody_else(ada):
    keep(ada, "vs_1", "ann", template(1))
    assert nearest(ada, template(1), "ann") is None and nearest(ada, template(1), "Ann") is not None


@pytest.mark.parametrize("space", [replace(SPACE, model="model-2"), replace(SPACE, model_sha256="cd" * 32),
                                   replace(SPACE, preprocessing="2")])  # fmt: skip
def test_templates_of_another_space_or_mode_are_never_compared(ada, space):
    keep(ada, "vs_1", "ann", template(1))
    assert nearest(ada, template(1), space=space) is None and nearest(ada, template(1), mode="test") is None


def test_templates_of_another_account_are_never_compared_and_cannot_be_linked(ada):
    eve = account("acc_eve")
    keep(ada, "vs_1", "ann", template(1)), keep(eve, "vs_2", "ann", template(1))
    assert session_of(nearest(ada, template(1))) == "vs_1" and session_of(nearest(eve, template(1))) == "vs_2"
    assert nearest("acc_new", template(1)) is None
    assert abs(vector.cosine(*(vector.unpack(row["vector"]) for row in rows()))) < 0.5


def test_one_rotation_is_made_for_an_account_and_analysing_again_replaces_a_template(ada):
    first, second = keep(ada, "vs_1", "ann", template(1)), keep(ada, "vs_1", "ann", template(2))
    assert first != second and [row["id"] for row in rows()] == [second] and len(store.rotations(ada)) == 1


def test_what_a_program_added_to_a_session_stays_when_it_is_analysed_again(ada):
    with db.transaction():
        (added,) = flows.add(
            ada, "live", replace(SPACE, model="theirs"), [flows.Template("ann", template(3), "vs_1")], 0
        )
    keep(ada, "vs_1", "ann", template(1))
    second = keep(ada, "vs_1", "ann", template(2))
    assert {row["id"] for row in rows()} == {added, second}
    with db.transaction():
        assert len(forgetting.of_session(ada, "vs_1")) == 2


def test_templates_of_two_generations_are_both_found(here, ada):
    """While templates move to the next generation."""
    keep(ada, "vs_old", "ann", template(1))
    with db.transaction():
        assert flows.new_rotation(ada, NOW) == 2
    keep(ada, "vs_new", "ben", template(2))
    assert [row["generation"] for row in sorted(rows(), key=lambda row: row["session_id"])] == [2, 1]
    assert session_of(nearest(ada, near(template(1), 0.9))) == "vs_old"
    assert session_of(nearest(ada, near(template(2), 0.9))) == "vs_new"


def test_a_seed_that_was_swapped_or_is_of_another_key_does_not_open(here, ada):
    eve = account("acc_eve")
    keep(ada, "vs_1", "ann", template(1)), keep(eve, "vs_2", "ann", template(1))
    db.run("UPDATE rotations SET sealed_seed = (SELECT sealed_seed FROM rotations WHERE account_id = 'acc_eve')")
    with pytest.raises(Unreadable):
        nearest(ada, template(1))
    here.extensions["keyring"] = Keyring("b" * 64)
    with pytest.raises(Unreadable):
        nearest(eve, template(1))


@pytest.mark.parametrize("model", ["", "A", "a" * 65, "a b", "a/b", "a\n"])
def test_a_model_has_a_plain_name(ada, model):
    with pytest.raises(ValueError, match="1 to 64"):
        keep(ada, "vs_1", "ann", template(1), space=replace(SPACE, model=model))
    assert rows() == []


def test_a_refused_template_replaces_nothing_and_is_in_no_message(ada):
    keep(ada, "vs_1", "ann", template(1))
    bad = [math.nan, *template(2)[1:]]
    for refused in (lambda: keep(ada, "vs_1", "ann", bad), lambda: nearest(ada, bad)):
        with pytest.raises(vector.Unusable) as why:
            refused()
        assert not any(letter.isdigit() for letter in str(why.value).replace("128", ""))
    assert len(rows()) == 1


def test_the_database_takes_no_vector_of_another_size(ada):
    keep(ada, "vs_1", "ann", template(1))
    with pytest.raises(Exception, match="CHECK"):
        db.run("UPDATE fingerprints SET vector = :short", short=bytes(508))


def test_a_stored_template_is_looked_for_by_its_id(ada):
    ids = [keep(ada, f"vs_{number}", "ann", near(template(1), 1 - number / 10)) for number in range(3)]
    found = flows.search(ada, "live", flows.face_of(ada, ids[0]), 10, 0.85)
    assert [hit.fingerprint.id for hit in found.hits] == ids[:2] and found.searched == 3
    assert found.hits[0].similarity == 1.0 and found.hits[1].similarity == pytest.approx(0.9, abs=1e-6)
    assert flows.face_of("acc_eve", ids[0]) is None and flows.face_of(ada, "fp_nobody") is None


def test_somebody_who_is_there_a_hundred_times_does_not_hide_the_others(ada):
    with db.transaction():
        same = [flows.Template("ann", near(template(1), 0.9999 - number / 1e6)) for number in range(120)]
        other = flows.Template("eve", near(template(1), 0.4, number=98))
        flows.add(ada, "live", SPACE, [*same, other, flows.Template("ben", near(template(1), 0.5))], NOW)
    found = nearest(ada, template(1), "ann")
    assert found.fingerprint.external_user_id == "ben" and found.similarity == pytest.approx(0.5, abs=1e-6)


def test_one_template_is_removed_by_its_id_and_of_its_own_account_and_mode_only(ada):
    ids = [keep(ada, f"vs_{number}", "ann", template(number)) for number in range(2)]
    with db.transaction():
        assert not flows.remove("acc_eve", ids[0], None) and not flows.remove(ada, ids[0], "test")
        assert flows.remove(ada, ids[0], "live") and not flows.remove(ada, ids[0], None)
    (left,) = store.galleries(ada)
    assert [row["id"] for row in rows()] == [ids[1]] and (left.size, left.version) == (1, 3)
    assert store.removed_since(left.id, 2) == [1] and store.removed_since(left.id, 3) == []


def test_templates_are_listed_newest_first_a_page_at_a_time(ada):
    with db.transaction():
        for at in (NOW, NOW + 1, NOW + 1, NOW + 2):
            flows.add(ada, "live", SPACE, [flows.Template("ann", template(at))], at)
        flows.add(ada, "live", replace(SPACE, model="model-2"), [flows.Template("ben", template(1))], NOW + 1)
    ids = [gallery.id for gallery in store.galleries(ada)]
    listed, at = [], (2**62, "")
    while page := listing.page(ids, *at, 2):
        listed += page
        at = (page[-1].created_at, page[-1].id)
    assert [one.created_at - NOW for one in listed] == [2, 1, 1, 1, 0] and len({one.id for one in listed}) == 5
    assert [(one.created_at, one.id) for one in listed] == sorted(((o.created_at, o.id) for o in listed), reverse=True)


def test_the_block_list_says_who_is_on_it_since_when_and_why(ada):
    ids = [keep(ada, f"vs_{number}", "ann", template(number)) for number in range(3)]
    assert listing.block(ada, ids[0], "Two passports", NOW) and listing.block(ada, ids[1], "Sold it", NOW + 5)
    assert not listing.block(ada, ids[0], "Another reason", NOW + 9)
    listed = [(one.id, one.reason, one.blocked_at) for one in listing.block_list(ada, "live", 10)]
    assert listed == [(ids[1], "Sold it", NOW + 5), (ids[0], "Two passports", NOW)]
    assert listing.block_list(ada, "test", 10) == [] == listing.block_list("acc_eve", None, 10)
    assert listing.find(ada, ids[2], None).blocked_at is None


def test_a_gallery_that_is_gone_takes_no_template(ada):
    with pytest.raises(LookupError), db.transaction():
        store.add(1, [store.New("fp_1", None, "ann", vector.pack(template(1)), NOW)])


# ── What is gone ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_templates_of_a_session_go_with_it_and_no_others(ada):
    for session in ("vs_1", "vs_2"):
        keep(ada, session, session, template(1))
    assert [len(forgetting.of_session(whose, "vs_1")) for whose in ("acc_eve", ada, ada)] == [0, 1, 0]
    assert [row["session_id"] for row in rows()] == ["vs_2"]
    assert nearest(ada, template(1), "vs_2") is None


def test_a_deleted_template_is_overwritten_in_the_file(here, ada):
    keep(ada, "vs_1", "ann", template(1))
    stored = rows()[0]["vector"]
    db.one(dict, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert stored[:64] in db.path_of(here).read_bytes()
    forgetting.of_session(ada, "vs_1")
    db.one(dict, "PRAGMA wal_checkpoint(TRUNCATE)")
    for file in db.path_of(here).parent.glob("facevault.db*"):
        assert stored[:64] not in file.read_bytes(), file.name


def test_with_an_account_its_templates_and_rotations_go(ada):
    keep(ada, "vs_1", "ann", template(1))
    db.run("DELETE FROM accounts WHERE id = :id", id=ada)
    assert rows() == [] and store.rotations(ada) == []
