"""Search is exact: the ids and the order of comparing every row, whatever is stored and however it is found."""

import math
import re
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from random import Random

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fv import create_app, db
from fv.accounts import store as accounts
from fv.accounts.store import Account
from fv.fingerprints import codes, comparing, flows, index, memory, store, vector
from fv.fingerprints.flows import Face
from fv.fingerprints.index import Index
from fv.fingerprints.store import New, Space

ROOT = Path(__file__).parent.parent
NOW = 1_800_000_000
SPACE = Space("model-1")
EVERYTHING = 10**6


@pytest.fixture
def gallery(here, monkeypatch):
    """Fills a gallery with these vectors, as they are; small ones go by the index too."""
    monkeypatch.setattr(comparing, "SMALL", 1)
    monkeypatch.setattr(index, "SEGMENT", 700)  # so that a few thousand rows have several
    assert accounts.add(Account("acc_ada", "ada@example.org", "no password", "free", NOW))

    def fill(vectors):
        with db.transaction():
            generation, _ = flows.newest("acc_ada", NOW)
            made = flows.gallery_of("acc_ada", "live", SPACE, generation)
            store.add(made.id, new(vectors, made.version))
        return store.gallery(made.id)

    return fill


def new(vectors, first=0):
    order = Random(first).sample(range(len(vectors)), len(vectors))  # ids are in no order
    return [
        New(f"fp_{number:08x}{first:08x}", None, f"user {place}", packed(row), NOW)
        for place, (number, row) in enumerate(zip(order, vectors, strict=True))
    ]


def packed(row):
    return vector.pack([float(number) for number in row])


def units(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("<f4")


def people(draw, count):
    """Like templates of faces: close to each other, and a few of one person closer."""
    centre = draw.standard_normal(128)
    spread = np.exp(draw.normal(0, 0.7, 128))
    spread *= 1 / np.linalg.norm(spread)
    someone = draw.standard_normal((count // 3 + 1, 128)) * spread
    own = someone[draw.integers(0, len(someone), count)]
    return units(
        0.88 * centre / np.linalg.norm(centre) + 0.42 * own + 0.2 * spread * draw.standard_normal((count, 128))
    )


def every(gallery_id):
    """All rows, compared in float64 by brute force and ordered by it; nearly equal ones by sums that are exact."""
    rows = db.many(dict, "SELECT id, vector FROM fingerprints WHERE gallery_id = :id", id=gallery_id)
    ids, stored = [row["id"] for row in rows], np.frombuffer(b"".join(row["vector"] for row in rows), "<f4")
    matrix = stored.reshape(-1, 128).astype(float)
    lengths = np.sqrt((matrix * matrix).sum(axis=1))

    def compared(query, most=EVERYTHING, least=-1.0):
        wanted = np.frombuffer(query, "<f4").astype(float)
        cosines = matrix @ wanted / lengths / math.sqrt(wanted @ wanted)
        edge = np.partition(cosines, -most)[-most] if most < len(cosines) else -2
        exact = {}
        for place in np.flatnonzero(cosines >= max(edge, least) - 1e-9):
            exact[ids[place]] = vector.cosine(wanted.tolist(), matrix[place].tolist())
        found = sorted((-cosine, id) for id, cosine in exact.items() if cosine >= least)
        return [(id, -cosine) for cosine, id in found[:most]]

    return compared


def found(gallery, query, most=EVERYTHING, least=-1.0):
    with db.reading():
        now = store.gallery(gallery.id)
        by_index = [(one.id, one.similarity) for one in comparing.nearest(now, query, most, least)]
        by_database = [(one.id, one.similarity) for one in comparing.nearest(now, query, most, least, by_index=False)]
    assert by_index == by_database, "the way does not show"
    return by_index


def queries(draw, rows, count):
    """Known people, people like them, and strangers."""
    for number in range(count):
        noise = (0.0, 0.01, 0.03, 0.1, 1.0)[number % 5]
        yield packed(rows[draw.integers(len(rows))] + noise * draw.standard_normal(128) / 4)


LONG = partial(pytest.param, marks=pytest.mark.long)


# ── Against brute force ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["faces", "random", *map(LONG, ("doubled", "near ties", "sparse", "two clusters"))])
def test_ids_and_order_are_those_of_comparing_every_row(gallery, kind):
    draw = np.random.default_rng(1)
    rows = {
        "faces": lambda: people(draw, 3000),
        "random": lambda: units(draw.standard_normal((3000, 128))),
        "doubled": lambda: np.repeat(people(draw, 300), 10, axis=0),
        "near ties": lambda: units(people(draw, 1)[0] + 1e-7 * draw.standard_normal((800, 128))),
        "sparse": lambda: units(np.eye(128)[draw.integers(0, 128, 3000)] * draw.choice([-1, 1], (3000, 1))),
        "two clusters": lambda: np.concatenate([people(draw, 1500), -people(draw, 1500)]),
    }[kind]()
    filled = gallery(rows)
    brute = every(filled.id)
    for number, query in enumerate(queries(draw, rows, 170)):  # of six kinds: 1,020
        most = (1, 10, 100)[number % 3]
        least = (-1.0, 0.0, 0.8)[number // 3 % 3]
        assert found(filled, query, most, least) == brute(query, most, least), (number, most, least)


def test_many_queries_at_once_have_the_answers_of_each_alone(gallery):
    draw = np.random.default_rng(12)
    rows = people(draw, 3000)
    filled = gallery(rows)
    brute, asked = every(filled.id), list(queries(draw, rows, 60))
    with db.reading():
        for most, least in ((1, -1.0), (10, 0.9), (100, -1.0)):
            wanted = [brute(query, most, least) for query in asked]
            for by_index in (True, False):
                answers = comparing.nearest_of_each(filled, asked, most, least, by_index=by_index)
                assert [[(one.id, one.similarity) for one in answer] for answer in answers] == wanted
        assert comparing.nearest_of_each(filled, [], 1, 0.0) == []


@pytest.mark.long
def test_everything_above_a_threshold_is_found_however_many_there_are(gallery):
    draw = np.random.default_rng(2)
    rows = people(draw, 4500)
    filled = gallery(rows)
    brute, counts = every(filled.id), []
    for query in queries(draw, rows, 3):
        for least in (-1.0, 0.75, 0.9, 0.999):
            answer = found(filled, query, EVERYTHING, least)
            assert answer == brute(query, EVERYTHING, least)
            counts.append(len(answer))
    assert max(counts) == 4500, "more than the 4,096 that vec0 stops at"


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 699, 700, LONG(701), LONG(1400)])
def test_galleries_of_any_size_are_searched_whole(gallery, count):
    draw = np.random.default_rng(count)
    rows = people(draw, count)
    filled = gallery(rows)
    brute = every(filled.id)
    for query in queries(draw, rows, 5):
        for most in (1, count, count + 1, 10 * count):
            assert found(filled, query, most) == brute(query, most)


def test_a_gallery_of_equal_vectors_is_ordered_by_id(gallery):
    same = units(np.random.default_rng(3).standard_normal((1, 128)))
    filled = gallery(np.repeat(same, 3000, axis=0))
    ids = sorted(row["id"] for row in db.many(dict, "SELECT id FROM fingerprints"))
    assert found(filled, packed(same[0]), 100) == [(id, 1.0) for id in ids[:100]]
    assert found(filled, packed(same[0]), EVERYTHING, 1.0) == [(id, 1.0) for id in ids]
    assert found(filled, packed(-same[0]), 5) == [(id, -1.0) for id in ids[:5]]
    assert found(filled, packed(-same[0]), 5, -0.9) == []


def test_what_came_is_like_nothing_that_was_there_before(gallery):
    """The codes were chosen for the first rows: what is far from them has more left over, and is found all the same."""
    draw = np.random.default_rng(4)
    near_one = units(people(draw, 1)[0] + 1e-3 * draw.standard_normal((1000, 128)))
    filled = gallery(near_one)
    found(filled, packed(near_one[0]), 1)  # now it is in memory
    rows = units(draw.standard_normal((500, 128)))
    gallery(rows), gallery(-near_one[:50])
    brute = every(filled.id)
    for query in queries(draw, rows, 40):
        assert found(filled, query, 10) == brute(query, 10)
    for query in queries(draw, near_one, 40):
        assert found(filled, query, 10) == brute(query, 10)


# ── The bound ────────────────────────────────────────────────────────────────────────────────────────────────

NUMBERS = st.floats(-1.0, 1.0, width=32)
ROWS = st.lists(st.lists(NUMBERS, min_size=128, max_size=128).filter(lambda row: max(map(abs, row)) > 1e-3),
                min_size=1, max_size=6)  # fmt: skip


@pytest.mark.long
@given(ROWS, ROWS)
def test_no_cosine_is_further_from_its_estimate_than_the_bound_says(sample, others):
    """Rows that a coding was made for, and rows it was not."""
    stored = np.stack([np.frombuffer(packed(row), "<f4") for row in [*sample, *others]])
    coding = codes.Coding(stored[: len(sample)])
    coded = coding.code(stored)
    for wanted in stored.astype(float):
        query = codes.query(wanted)
        products = (coded.rows.astype(float) - 128) @ query.code.astype(float)
        exact = codes.cosines(wanted, stored)
        off = np.abs(coding.estimates(query, products.astype(np.float32)) - exact)
        assert off.max() <= codes.slack(query, coded.left, coded.length)
        nearer = coding.step * codes.nearer(query.vector, coded.rows, coded.sides) + query.vector @ coding.mean
        assert np.abs(nearer - exact).max() <= codes.slack_nearer(coded.halved)
        assert codes.exact_cosines(wanted, stored) == vector.cosines(wanted.tolist(), stored.tolist())


LEVELS = [name for name in dir(faiss) if re.fullmatch("SIMDLevel_(NONE|AVX2|AVX512|ARM_NEON)", name)
          and faiss.SIMDConfig.is_simd_level_available(getattr(faiss, name))]  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
def test_the_scan_multiplies_whole_numbers_exactly_with_every_instruction_set_of_this_machine(level):
    """Also the largest there are, which no float16 and no 16-bit sum would hold."""
    draw = np.random.default_rng(5)
    rows = np.concatenate([units(draw.standard_normal((500, 128))), units(np.ones((1, 128)))])
    made, usual = Index(), faiss.SIMDConfig.get_level()
    made.add(range(1, 502), rows)
    (segment,) = made.segments
    faiss.SIMDConfig.set_level(getattr(faiss, level))
    try:
        for wanted in (np.ones(128), -np.ones(128), *draw.standard_normal((20, 128))):
            query = codes.query(wanted)
            ((estimates, places),) = segment.best([query], 501)
            everything, _ = segment.all(query)
            assert sorted(places.tolist()) == list(range(501))
            assert estimates.tolist() == everything[places].tolist()
    finally:
        faiss.SIMDConfig.set_level(usual)


def test_a_template_takes_160_bytes_at_most():
    draw, made = np.random.default_rng(6), Index()
    for start in range(0, 150_000, 1_000):  # as they come, a thousand at a time
        made.add(range(start, start + 1_000), units(draw.standard_normal((1_000, 128))))
        if start >= 1_000:
            assert made.bytes <= 160 * len(made)
    assert len(made) == 150_000


def test_the_place_of_what_is_deleted_is_overwritten():
    rows = units(np.random.default_rng(7).standard_normal((1_000, 128)))
    made = Index()
    made.add(range(1_000), rows)
    gone = codes.Coding(rows).code(rows[[0, 500, 999]]).rows
    made.remove([0, 500, 999, 12_345])
    (segment,) = made.segments
    kept = bytes(segment._codes)
    assert len(made) == 997 and not [row for row in gone if bytes(row) in kept]
    assert sorted(segment._numbers[:997].tolist()) == sorted({*range(1_000)} - {0, 500, 999})
    made.remove(range(1_000))
    assert len(made) == 0 and made.segments == []


# ── While others write ───────────────────────────────────────────────────────────────────────────────────────


def test_what_was_added_or_removed_is_seen_by_the_next_search(gallery):
    draw = np.random.default_rng(8)
    rows = people(draw, 2000)
    filled = gallery(rows)
    ids = [row["id"] for row in db.many(dict, "SELECT id FROM fingerprints ORDER BY number")]
    query = packed(rows[7])
    assert found(filled, query, 1) == [(ids[7], 1.0)]
    with db.transaction():
        assert store.remove(filled.id, [ids[7], "fp_nobody"]) == 1
    assert found(filled, query, 1) == every(filled.id)(query, 1) != [(ids[7], 1.0)]
    gallery(rows[7:8])
    assert found(filled, query, 1)[0][1] == 1.0 and found(filled, query) == every(filled.id)(query)


def test_what_was_undone_was_never_there(gallery):
    rows = people(np.random.default_rng(9), 2000)
    filled = gallery(rows)
    query = packed(-rows[0])
    before = found(filled, query, 3)
    with db.transaction():
        store.add(filled.id, new([-rows[0]], 77))
        raise db.Undo
    assert found(filled, query, 3) == before


def test_a_copy_that_missed_too_many_removals_is_made_anew(gallery, monkeypatch):
    monkeypatch.setattr(store, "KEPT", 20)
    rows = people(np.random.default_rng(10), 500)
    filled = gallery(rows)
    found(filled, packed(rows[0]), 3)
    ids = [row["id"] for row in db.many(dict, "SELECT id FROM fingerprints")]
    for id in ids[:100]:
        with db.transaction():
            store.remove(filled.id, [id])
    assert len(db.many(dict, "SELECT * FROM removals")) <= 2 * 20 + 1
    for row in rows[::50]:
        assert found(filled, packed(row), 5) == every(filled.id)(packed(row), 5)


def test_searches_in_threads_are_right_while_others_add_and_remove(here, gallery):
    """Every answer is that of one moment: who was there all the time is always found, and nobody twice."""
    draw = np.random.default_rng(11)
    always, passing = people(draw, 1500), people(draw, 400)
    filled = gallery(always)
    names = {packed(row): f"user {place}" for place, row in enumerate(always)}
    stop, wrong, rounds = threading.Event(), [], [0, 0]

    def search(which):
        with here.app_context():
            turn = flows.rotation_of("acc_ada", 1)
            while not stop.is_set():
                row = always[rounds[which] % len(always)]
                straight = turn.turn_back([float(number) for number in row])
                answer = flows.search("acc_ada", "live", Face(SPACE, straight, (filled.id, packed(row))), 5, -1.0)
                ids = [hit.fingerprint.id for hit in answer.hits]
                best = answer.hits[0]
                if len(set(ids)) != 5 or best.similarity != 1.0:
                    wrong.append((rounds[which], best.similarity))
                if best.fingerprint.external_user_id != names[packed(row)]:
                    wrong.append((rounds[which], best.fingerprint))
                rounds[which] += 1

    def write():
        with here.app_context():
            for start in range(0, 400, 20):
                with db.transaction():
                    store.add(filled.id, new(passing[start : start + 20], 5000 + start))
                with db.transaction():
                    store.remove(filled.id, [one.id for one in new(passing[start : start + 20], 5000 + start)[:10]])

    threads = [threading.Thread(target=search, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    write()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == [] and min(rounds) > 0
    for row in always[::300]:
        assert found(filled, packed(row), 10) == every(filled.id)(packed(row), 10)


# ── Room ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def three(here, monkeypatch):
    """Galleries of three accounts, 600 templates each."""
    monkeypatch.setattr(comparing, "SMALL", 1)
    made = []
    for name in ("ada", "ben", "eve"):
        assert accounts.add(Account(f"acc_{name}", f"{name}@example.org", "no password", "free", NOW))
        with db.transaction():
            generation, _ = flows.newest(f"acc_{name}", NOW)
            one = flows.gallery_of(f"acc_{name}", "live", SPACE, generation)
            rows = people(np.random.default_rng(len(name)), 600)
            templates = [New(f"fp_{name}{n:04x}", None, "u", packed(row), NOW) for n, row in enumerate(rows)]
            store.add(one.id, templates)
        made.append((store.gallery(one.id), packed(rows[0])))
    return made


def test_the_gallery_that_was_used_longest_ago_leaves_when_there_is_no_room(here, three):
    held = here.extensions["galleries"] = memory.Memory(2 * 600 * index.A_ROW)
    (ada, query), (ben, _), (eve, _) = three
    for one in (ada, ben, ada, eve):
        assert found(one, query, 1)
    assert held.ids == [ada.id, eve.id] and held.bytes <= held.room
    for one in (ada, ben, eve, eve, ben, ada):
        assert found(one, query, 3) == every(one.id)(query, 3)
    assert held.ids == [ben.id, ada.id]


def test_room_is_made_before_a_gallery_is_loaded(here, three):
    held = here.extensions["galleries"] = memory.Memory(1000 * index.A_ROW)
    most, add = [], Index.add

    class Watched(Index):
        def add(self, numbers, vectors):
            add(self, numbers, vectors)
            most.append(held.bytes)

    for one, query in three:
        held._taken(one.id).index = Watched()
        assert found(one, query, 1)
    assert max(most) <= held.room and len(most) == 3


def test_a_gallery_there_is_no_room_for_is_compared_by_the_database(here, three):
    held = here.extensions["galleries"] = memory.Memory(500 * index.A_ROW)
    for one, query in three:
        assert found(one, query, 3) == every(one.id)(query, 3)
    assert held.ids == []


def test_what_was_deleted_leaves_the_memory_without_a_search(here, three):
    held = here.extensions["galleries"]
    (ada, query), _, (eve, _) = three
    for one, _ in three:
        found(one, query, 1)
    with db.transaction():
        store.remove(ada.id, ["fp_ada0000"])
    db.run("DELETE FROM accounts WHERE id = 'acc_ben'")
    held.tidy()
    assert held.ids == [ada.id, eve.id] and held.bytes == 2 * 600 * index.A_ROW
    assert len(held._held[ada.id].index) == 599 and held._held[ada.id].index.version == 601
    held._held[eve.id].used_at -= memory.IDLE + 1
    held.tidy()
    assert held.ids == [ada.id]


def test_who_sees_an_older_version_is_told_to_look_again(here, three):
    ada, query = three[0]
    found(ada, query, 1)
    older = store.gallery(ada.id)
    with db.transaction():
        store.remove(ada.id, ["fp_ada0000"])
    assert found(ada, query, 1)
    with pytest.raises(memory.Ahead):
        comparing.nearest(older, query, 1, -1.0)


def test_an_index_that_could_not_be_brought_up_to_date_is_made_anew(here, three, monkeypatch):
    ada, query = three[0]
    before = found(ada, query, 3)
    with db.transaction():
        store.remove(ada.id, [before[0][0]])

    def breaks(*_):
        raise db.Unavailable("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(store, "since", breaks)
        with pytest.raises(db.Unavailable):
            found(ada, query, 3)
    assert found(ada, query, 3) == every(ada.id)(query, 3)


def test_a_process_that_serves_tidies_by_itself(here, three, monkeypatch):
    monkeypatch.setattr(memory, "TIDIED", 0.001)
    held, (ada, query) = here.extensions["galleries"], three[0]
    found(ada, query, 1)
    ending, tidy, failed = threading.Event(), memory.Memory.tidy, []

    def fails_once(self):
        if not failed:
            failed.append(True)
            raise MemoryError
        tidy(self)

    monkeypatch.setattr(memory.Memory, "tidy", fails_once)
    thread = memory.keep_tidy(here, ending)
    db.run("DELETE FROM accounts")
    while held.ids:
        assert thread.is_alive()
    ending.set()
    thread.join()


def test_where_others_are_always_ahead_the_database_compares(here, three):
    ada, query = three[0]
    face = flows.face_of("acc_ada", found(ada, query, 1)[0][0])
    answer = flows.search("acc_ada", "live", face, 5, -1.0)
    here.extensions["galleries"]._held[ada.id].index.version += 1
    assert flows.search("acc_ada", "live", face, 5, -1.0) == answer
    assert answer.searched == 600 and answer.hits[0].similarity == 1.0


def test_an_embedding_is_turned_by_the_rotation_that_stays_beside_the_index(here, three):
    ada, query = three[0]
    id = found(ada, query, 1)[0][0]
    face = Face(SPACE, flows.face_of("acc_ada", id).numbers)
    answers = [flows.search("acc_ada", "live", face, 5, -1.0) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2] and answers[0].hits[0].fingerprint.id == id
    assert here.extensions["galleries"]._held[ada.id].rotation == flows.rotation_of("acc_ada", ada.generation)


def test_an_index_that_was_warmed_is_there_when_it_is_needed(here, three):
    held, (ada, query) = here.extensions["galleries"], three[0]
    with db.transaction():
        store.remove(ada.id, ["fp_ada0000"])
    for other in (Space("model-2"), SPACE):
        flows.warm("acc_ada", "live", other)
    assert held.ids == [ada.id] and held._held[ada.id].index.version == 601
    with db.transaction():
        assert comparing.nearest(store.gallery(ada.id), query, 3, -1.0) == comparing.nearest(
            store.gallery(ada.id), query, 3, -1.0, by_index=False
        )


def test_what_is_compared_by_the_database_is_not_warmed(here, three, monkeypatch):
    held = here.extensions["galleries"] = memory.Memory(500 * index.A_ROW)
    flows.warm("acc_ada", "live", SPACE)
    monkeypatch.setattr(comparing, "SMALL", 601)
    flows.warm("acc_ben", "live", SPACE)
    assert held.ids == []


def test_a_new_process_finds_the_same(here, three, tmp_path):
    answers = [found(one, query, 5) for one, query in three]
    other = create_app(INSTANCE=here.instance_path)
    with other.app_context():
        assert [found(one, query, 5) for one, query in three] == answers
    db.close(other)


# ── Other processes ──────────────────────────────────────────────────────────────────────────────────────────

WRITES = """
import itertools, sys
import numpy as np
from fv import create_app, db
from fv.fingerprints import store, vector
from tests.test_search_exact import NOW, New, people, packed
app = create_app(INSTANCE=sys.argv[1])
rows = people(np.random.default_rng(13), 50)
with app.app_context():
    (gallery,) = store.galleries("acc_ada")
    print("begun", flush=True)
    for turn in itertools.count():
        ids = [f"fp_passing{turn:08x}{place:08x}" for place in range(50)]
        with db.transaction():
            store.add(gallery.id, [New(id, None, "u", packed(row), NOW) for id, row in zip(ids, rows)])
        with db.transaction():
            store.remove(gallery.id, ids[: 49 if turn % 2 else 50])
"""


@pytest.mark.long
def test_searches_are_right_while_another_process_writes_and_after_it_was_killed(here, gallery):
    draw = np.random.default_rng(14)
    rows = people(draw, 1000)
    filled = gallery(rows)
    asked, versions = list(queries(draw, rows, 10)), set()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITES, here.instance_path], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout.readline() == "begun\n"
    while len(versions) < 40:
        with db.reading():
            now = store.gallery(filled.id)
            versions.add(now.version)
            assert writer.poll() is None
            query = asked[len(versions) % 10]
            assert found(now, query, 10) == every(now.id)(query, 10)
    writer.kill()
    writer.wait()
    writer.stdout.close()
    for query in asked:
        assert found(filled, query) == every(filled.id)(query)
    assert store.gallery(filled.id).size == db.one(dict, "SELECT count(*) AS n FROM fingerprints")["n"]
