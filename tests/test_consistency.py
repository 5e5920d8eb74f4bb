"""Whether the photos fit together, and fit what is known besides them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fv.analysis import circumstances, consistency, detectors
from fv.analysis.circumstances import Blocked, Circumstances, Copy, Resemblance
from fv.analysis.consistency import LEAST_TURN, Look
from tests.reports import MODEL, face, report

DRAW = np.random.default_rng(1)


def crop(number, size=64):
    """Smooth shades, as a face has, another for each number."""
    coarse = np.random.default_rng(number).integers(0, 255, (size // 8, size // 8)).astype(np.uint8)
    return np.kron(coarse, np.ones((8, 8), np.uint8))


def noisy(picture, most=12):
    return np.clip(picture.astype(int) + DRAW.integers(-most, most, picture.shape), 0, 255).astype(np.uint8)


def at(challenge="left", crops=None, **otherwise):
    usual = {"selfie": crop(1), "liveness_frame": crop(2), "id_photo": crop(3)}
    return Look({}, usual if crops is None else crops, challenge, report(**otherwise))


def turned(challenge, selfie=(0.0, 0.0), frame=(0.0, 0.0)):
    faces = {"selfie": face(*selfie), "liveness_frame": face(*frame), "id_photo": face()}
    return consistency.head_turn(at(challenge, faces=faces))


# ── The same still ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("again", ["as it is", "brighter", "mirrored", "compressed anew"])
def test_a_selfie_that_is_sent_again_fires(again):
    selfie = crop(1)
    frame = {"as it is": selfie, "brighter": (selfie // 2 + 100).astype(np.uint8), "mirrored": selfie[:, ::-1],
             "compressed anew": noisy(selfie)}[again]  # fmt: skip
    seen = consistency.same_still(at(crops={"selfie": selfie, "liveness_frame": frame}))
    assert seen.fired and seen.score >= 0.9 and ("mirrored" in seen.reason) == (again == "mirrored")


def test_two_pictures_do_not_fire():
    seen = consistency.same_still(at())
    assert seen.fired is False and seen.score < 0.9


@pytest.mark.parametrize("kind", ["selfie", "liveness_frame"])
def test_the_portrait_of_the_document_as_selfie_or_head_turn_fires(kind):
    crops = {"id_photo": crop(3), "selfie": crop(1), "liveness_frame": crop(2)}
    assert consistency.same_portrait(at(crops=crops)).fired is False
    seen = consistency.same_portrait(at(crops=crops | {kind: noisy(crop(3))[:, ::-1]}))
    assert seen.fired and "mirrored" in seen.reason
    assert seen.reason.startswith(f"ID photo and {detectors.NAMES[kind]} show the same picture")
    del crops[kind]
    assert consistency.same_portrait(at(crops=crops)).fired is None


def test_it_fires_from_nine_tenths_on_and_not_below():
    firing = {}
    for noise in range(10, 250, 10):
        frame = noisy(crop(1), noise)
        seen = consistency.same_still(at(crops={"selfie": crop(1), "liveness_frame": frame}))
        firing[seen.fired] = seen.score
        assert seen.fired is (consistency.correlation(crop(1), frame) >= 0.9)
    assert firing.keys() == {True, False}


def test_a_face_of_one_colour_can_be_compared_with_nothing():
    flat = {"selfie": crop(1), "liveness_frame": np.full((64, 64), 9, np.uint8)}
    assert consistency.same_still(at(crops=flat)).fired is None


def test_without_a_face_there_is_nothing_to_correlate_and_the_reason_says_where():
    seen = consistency.same_still(at(crops={"selfie": crop(1)}))
    assert (seen.score, seen.fired) == (None, None) and seen.reason.endswith("no usable face on head turn.")


def test_the_correlation_is_that_of_numpy():
    one, other = crop(1), noisy(crop(1), 90)
    assert consistency.correlation(one, other) == pytest.approx(np.corrcoef(one.ravel(), other.ravel())[0, 1])


# ── The head turn ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("challenge", "frame"), [("left", (15.0, 0.0)), ("right", (-15.0, 0.0)), ("up", (0.0, 10.0)), ("left", (80.0, 9.0))]
)
def test_a_head_that_turned_as_asked_does_not_fire(challenge, frame):
    seen = turned(challenge, frame=frame)
    assert (seen.fired, seen.score) == (False, 0.0)


@pytest.mark.parametrize(
    ("challenge", "frame"), [("left", (14.9, 0.0)), ("right", (-14.9, 0.0)), ("up", (0.0, 9.9)), ("left", (0.0, 30.0))]
)
def test_a_head_that_moved_too_little_fires(challenge, frame):
    seen = turned(challenge, frame=frame)
    assert seen.fired and seen.score > 0 and "at least" in seen.reason


def test_a_head_that_sways_the_other_way_is_told_without_a_sign():
    assert "moved about 4 degrees the other way" in turned("left", frame=(-4.0, 0.0)).reason
    assert "moved about 0 degrees:" in turned("left", frame=(-0.4, 0.0)).reason


def test_what_counts_is_the_difference_to_the_selfie():
    assert turned("left", selfie=(20.0, 0.0), frame=(25.0, 0.0)).fired
    assert turned("left", selfie=(-10.0, 0.0), frame=(5.0, 0.0)).fired is False


@pytest.mark.parametrize(("challenge", "frame"), [("left", (-15.0, 0.0)), ("right", (30.0, 0.0)), ("up", (0.0, -10.0))])
def test_the_other_way_round_fires_and_says_what_may_be_why(challenge, frame):
    seen = turned(challenge, frame=frame)
    assert seen.fired and seen.score == 1 and "the other way" in seen.reason
    assert ("mirrors" in seen.reason) == (challenge != "up")


ANGLES = st.tuples(st.floats(-90, 90), st.floats(-90, 90))


@given(st.sampled_from(sorted(LEAST_TURN)), ANGLES, ANGLES)
def test_a_score_says_the_same_as_firing(challenge, selfie, frame):
    said = detectors.told("head_turn", "review", turned(challenge, selfie, frame))
    assert 0 <= said.score <= 1 and (said.fired or said.score == 0)


def test_without_a_face_or_a_challenge_it_could_not_look():
    assert consistency.head_turn(at(faces={"selfie": face()})).fired is None
    assert consistency.head_turn(at("down")).fired is None


# ── Sharpness, size, and the people ──────────────────────────────────────────────────────────────────────────


def of(**faces):
    return consistency.sharpness_and_size(at(faces={kind: face() for kind in consistency.KINDS} | faces))


def test_faces_that_are_large_and_alike_in_sharpness_do_not_fire():
    assert of().fired is False
    assert of(selfie=face(side=112), liveness_frame=face(sharpness=12.5)).fired is False
    assert of(id_photo=face(sharpness=0.1)).fired is False, "a portrait on a document is never as sharp"


def test_a_small_face_fires_and_is_named_with_its_pixels():
    seen = of(id_photo=face(side=111))
    assert seen.fired and "ID photo 111 pixels" in seen.reason and seen.score == pytest.approx(1 / 112)


@pytest.mark.parametrize("box", [(300, 500, 356, 900), (500, 300, 900, 356)])
def test_the_shorter_side_of_a_face_counts_wherever_it_is(box):
    seen = of(selfie=replace(face(), box=box))
    assert seen.fired and "selfie 56 pixels" in seen.reason and seen.score == 0.5


def test_the_score_of_unlike_sharpness_says_how_unlike():
    assert of(selfie=face(sharpness=10.0)).score == pytest.approx(0.9)


def test_half_a_turn_is_half_as_odd():
    assert turned("left", frame=(7.5, 0.0)).score == pytest.approx(0.5)


def test_the_least_alike_of_three_counts():
    alike = dict(zip(PAIRS, (0.99, 0.86, 0.95), strict=True))
    assert consistency.three_people(at(similarities=alike)).score == pytest.approx(0.5)


def test_a_selfie_much_sharper_than_the_head_turn_fires():
    assert of(liveness_frame=face(sharpness=12.4)).fired and of(selfie=face(sharpness=12.4)).fired


def test_size_needs_all_three_faces():
    assert consistency.sharpness_and_size(at(faces={"selfie": face()})).fired is None


PAIRS = ("id_photo selfie", "id_photo liveness_frame", "selfie liveness_frame")


@pytest.mark.parametrize("pair", PAIRS)
def test_any_two_photos_of_two_people_fire(pair):
    alike = dict.fromkeys(PAIRS, 0.95)
    seen = consistency.three_people(at(similarities=alike | {pair: 0.7999}))
    assert seen.fired and seen.score == 1 and "0.80" in seen.reason
    assert consistency.three_people(at(similarities=alike | {pair: 0.8})).fired is False


@pytest.mark.parametrize(("least", "score"), [(0.99, 0.0), (0.92, 0.0), (0.86, 0.5), (0.8, 1.0)])
def test_between_possible_and_match_the_score_rises(least, score):
    seen = consistency.three_people(at(similarities=dict.fromkeys(PAIRS, least)))
    assert seen.score == pytest.approx(score) and seen.fired is False


def test_a_pair_that_was_not_compared_leaves_open_whether_it_is_one_person_unless_another_says_no():
    two = {PAIRS[0]: 0.95, PAIRS[1]: 0.95}
    assert consistency.three_people(at(similarities=two)).fired is None
    assert consistency.three_people(at(similarities=two, faces={"selfie": face()})).reason.endswith(
        "ID photo and head turn."
    )
    assert consistency.three_people(at(similarities=two | {PAIRS[0]: 0.1})).fired
    assert consistency.three_people(at(model=None)).fired is None


# ── All of them ──────────────────────────────────────────────────────────────────────────────────────────────


def test_every_detector_that_looks_at_photos_answers_in_its_mode():
    said = consistency.look(at(), detectors.DEFAULTS | {"head_turn": "block"})
    assert {one.name: one.mode for one in said} == detectors.PHOTOS | {"head_turn": "block"}
    assert {one.fired for one in said} == {False} and {one.version for one in said} == {"1"}
    assert [one.name for one in consistency.look(at(), {"head_turn": "review"})] == ["head_turn"]


def test_a_detector_of_ours_that_fails_could_not_look_and_the_others_do():
    """Crops of two sizes cannot be correlated."""
    said = consistency.look(at(crops={"selfie": crop(1), "liveness_frame": crop(2, 32)}), detectors.DEFAULTS)
    blind = {one.name: one.reason for one in said if one.fired is None}
    assert blind["same_still"] == "Could not look: it failed with ValueError." and len(said) == 5


# ── What is known besides the photos ─────────────────────────────────────────────────────────────────────────

QUIET = Circumstances((), "left", False, Resemblance("vs_2", 0.4), Blocked(None, 0))


def test_each_detector_of_the_circumstances_answers_in_its_mode():
    said = circumstances.look(QUIET, report(), detectors.DEFAULTS | {"same_file": "block"})
    assert {one.name: one.mode for one in said} == detectors.CIRCUMSTANCES | {"same_file": "block"}
    assert {one.fired for one in said} == {False}
    assert circumstances.look(QUIET, report(), {}) == []


def test_the_same_file_fires_and_the_reason_says_where_it_was():
    here, other = Copy("selfie", "liveness_frame", None, True), Copy("id_photo", "id_photo", "vs_9", False)
    assert (
        circumstances.same_file((here,)).reason == "The same file was sent again: selfie as head turn of this session."
    )
    seen = circumstances.same_file((here, other))
    assert seen.fired and seen.score == 1 and "ID photo as ID photo of vs_9 (another external id)" in seen.reason


def test_the_same_file_in_another_session_of_one_person_is_half_as_odd():
    seen = circumstances.same_file((Copy("id_photo", "id_photo", "vs_9", True),))
    assert seen.fired and seen.score == 0.5
    for odd in (Copy("selfie", "id_photo", None, True), Copy("id_photo", "id_photo", "vs_8", False)):
        assert circumstances.same_file((odd,)).score == 1
        assert circumstances.same_file((odd, Copy("id_photo", "id_photo", "vs_9", True))).score == 1


def test_many_copies_are_counted():
    copies = tuple(Copy("selfie", "selfie", f"vs_{number}", False) for number in range(5))
    assert "more" not in circumstances.same_file(copies[:3]).reason
    reason = circumstances.same_file(copies).reason
    long = (Copy("liveness_frame", "liveness_frame", "vs_" + "f" * 32, False),) * 20
    assert len(circumstances.same_file(long).reason) <= detectors.LONGEST_REASON
    assert reason.endswith("; and 2 more.") and reason.count("vs_") == 3


@pytest.mark.parametrize("answered", [None, "", "down"])
def test_a_head_turn_that_answers_no_challenge_fires(answered):
    assert circumstances.challenge_current(answered, is_open=False).fired


def test_a_retake_that_was_given_up_does_not_fire_and_is_told():
    seen = circumstances.challenge_current("left", is_open=True)
    assert seen.fired is False and seen.score == 0.2
    assert circumstances.challenge_current("up", is_open=False).score == 0


@pytest.mark.parametrize(("similarity", "fired"), [(0.92, True), (0.9199, False), (-0.3, False)])
def test_the_face_of_another_person_fires_from_a_match_on(similarity, fired):
    said = circumstances.look(replace(QUIET, nearest=Resemblance("vs_2", similarity)), report(), detectors.DEFAULTS)
    (seen,) = [one for one in said if one.name == "duplicate_face"]
    assert seen.fired is fired and 0 <= seen.score <= 1 and ("vs_2" in seen.reason) is fired
    assert f"a match starts at {MODEL.match}" in seen.reason


def test_a_face_can_be_that_of_somebody_without_a_session():
    assert "(" not in circumstances.duplicate_face(Resemblance(None, 0.99), report()).reason


@pytest.mark.parametrize(("similarity", "fired"), [(0.92, True), (0.9199, False)])
def test_a_face_of_the_block_list_fires_from_a_match_on(similarity, fired):
    blocked = Blocked(Resemblance("vs_2", similarity), 0)
    said = circumstances.look(replace(QUIET, blocked=blocked), report(), detectors.DEFAULTS)
    (seen,) = [one for one in said if one.name == "blocked_face"]
    assert (seen.fired, seen.mode) == (fired, "block") and "vs_2" not in seen.reason


def test_where_the_block_list_cannot_be_compared_nobody_says_that_a_face_is_not_on_it():
    assert circumstances.blocked_face(Blocked(None, 0), report()).fired is False
    assert circumstances.blocked_face(Blocked(Resemblance(None, 0.5), 2), report()).fired is None
    assert circumstances.blocked_face(Blocked(Resemblance(None, 0.95), 2), report()).fired
    assert circumstances.blocked_face(Blocked(None, 0), report(faces={})).fired is None
    assert circumstances.blocked_face(Blocked(None, 0), report(model=None)).fired is None


def test_with_nobody_to_compare_with_there_is_no_duplicate_and_without_a_face_nobody_can_say():
    assert circumstances.duplicate_face(None, report()).fired is False
    assert circumstances.duplicate_face(None, report(faces={})).fired is None
    assert circumstances.duplicate_face(None, report(model=None)).fired is None
