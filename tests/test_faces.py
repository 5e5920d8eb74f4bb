"""Faces: found, refused with a word, compared, by the default model."""

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from fv.analysis import dlib_model, faces, images, weights
from fv.analysis.alignment import PLACES, alignment
from fv.analysis.pose import DOWN, FORWARD, yaw_and_pitch
from fv.analysis.report import WORDS

PHOTOS = Path(__file__).parent / "data" / "faces"
PEOPLE = ("person_a_1", "person_a_2", "person_b", "person_c")


def photo(name: str) -> images.Array:
    return images.decode((PHOTOS / f"{name}.jpg").read_bytes())


def narrowed(image: images.Array, factor: float) -> images.Array:
    return images.resized(image, round(max(image.shape) * factor))


def beside(*pictures: images.Array) -> images.Array:
    """In one row, gray around them."""
    row = np.full((max(one.shape[0] for one in pictures), sum(one.shape[1] for one in pictures), 3), 128, np.uint8)
    at = 0
    for one in pictures:
        row[: one.shape[0], at : at + one.shape[1]] = one
        at += one.shape[1]
    return row


def on_a_page(image: images.Array, height=1800, width=2400) -> images.Array:
    page = np.full((height, width, 3), 210, np.uint8)
    page[300 : 300 + image.shape[0], 200 : 200 + image.shape[1]] = image
    return page


@pytest.fixture(scope="module")
def model():
    return faces.load()


@pytest.fixture(scope="module")
def found(model):
    """The face of each photo."""
    return {name: model.find(photo(name)) for name in PEOPLE}


# ── Finding ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", PEOPLE)
def test_a_face_is_found_where_it_is(found, name):
    face, (height, width) = found[name].face, photo(name).shape[:2]
    left, top, right, bottom = face.box
    assert 0 <= left < right <= width and 0 <= top < bottom <= height and face.turned == 0
    assert 0.35 < (left + right) / 2 / width < 0.65, "the photos were cut so that the face is in the middle"
    assert abs((right - left) - (bottom - top)) <= 2 and right - left >= faces.SMALLEST
    assert found[name].crop.shape == (faces.CROP, faces.CROP) and found[name].crop.dtype == np.uint8


@pytest.mark.parametrize("quarters", range(4))
def test_a_face_is_found_whichever_way_the_photo_lies(model, found, quarters):
    image = photo("person_b")
    height, width = image.shape[:2]
    seen = model.find(images.turned(image, quarters), faces.FOUR_WAYS)
    assert seen.face.turned == -quarters % 4
    assert faces.similarity(seen.face, found["person_b"].face) > 0.99
    left, top, right, bottom = found["person_b"].face.box
    where = [
        (left, top, right, bottom),
        (height - bottom, left, height - top, right),
        (width - right, height - bottom, width - left, height - top),
        (top, width - right, bottom, width - left),
    ][quarters]
    assert np.abs(np.subtract(seen.face.box, where)).max() <= 3


def test_a_selfie_is_looked_at_upright_only(model):
    assert model.find(images.turned(photo("person_a_1"), 2)) == "no_face"


@pytest.mark.parametrize("quarters", range(4))
def test_a_small_portrait_on_a_large_page_is_found(model, found, quarters):
    page = on_a_page(narrowed(photo("person_a_1"), 0.85))  # 150 of 2400 pixels
    seen = model.find(images.turned(page, quarters), faces.FOUR_WAYS)
    assert seen.face.turned == -quarters % 4
    assert faces.similarity(seen.face, found["person_a_1"].face) > 0.97


def test_nothing_to_see_is_no_face(model):
    for nothing in (
        np.full((1200, 1600, 3), 90, np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((3, 900, 3), np.uint8),
    ):
        assert model.find(nothing) == model.find(nothing, faces.FOUR_WAYS) == "no_face"


def test_two_faces_that_are_alike_are_refused(model):
    assert model.find(beside(photo("person_a_1"), photo("person_b"))) == "several_faces"
    assert model.find(beside(photo("person_b"), photo("person_b"))) == "several_faces"


def test_a_much_smaller_second_face_does_not_stand_in_the_way(model, found):
    seen = model.find(beside(photo("person_a_1"), narrowed(photo("person_b"), 0.5)))
    assert faces.similarity(seen.face, found["person_a_1"].face) > 0.99


def test_the_best_scored_face_is_taken_and_not_the_largest(model, monkeypatch):
    image = photo("person_a_1")
    (score, box), *_ = model._detector.boxes(images.gray(image))
    large = np.array([0, 0, 400, 400], float)
    monkeypatch.setattr(model._detector, "boxes", lambda _: [(score, box), (score * 0.4, large)])
    assert model.find(image).face.box[0] == round(box[0])


def test_a_face_under_eighty_pixels_is_too_small(model):
    image = photo("person_b")  # 180 pixels wide
    assert model.find(narrowed(image, 0.35)) == "too_small"
    assert isinstance(model.find(narrowed(image, 0.6)), faces.Found)


def test_a_blurred_face_is_refused_and_a_sharp_one_is_not(model, found):
    image = photo("person_b")
    blurred = Image.fromarray(image).filter(ImageFilter.GaussianBlur(0.04 * 180))  # 4 % of the width of the face
    assert model.find(np.asarray(blurred)) == "blurred"
    assert all(one.face.sharpness > 5 * faces.SHARP for one in found.values())


def test_darkness_is_no_blur(model, found):
    dark = model.find((photo("person_b") // 3).astype(np.uint8))
    assert dark.face.sharpness > 0.7 * found["person_b"].face.sharpness


def test_every_refusal_says_what_to_do():
    assert list(WORDS) == ["no_face", "several_faces", "too_small", "blurred"]
    assert all(words.endswith(".") and words.count(".") >= 2 for words in WORDS.values())


# ── Comparing ────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_photos_of_one_person_match_and_others_do_not(model, found):
    for one, other in combinations(PEOPLE, 2):
        similarity = faces.similarity(found[one].face, found[other].face)
        same = one[:8] == other[:8]
        assert model.model.band(similarity) == ("match" if same else "no"), (one, other, similarity)
        assert similarity > 0.95 if same else similarity < 0.86


def test_a_template_has_length_one_and_stays_out_of_what_is_printed(found):
    for one in found.values():
        assert len(one.face.template) == 128
        assert math.isclose(math.fsum(number**2 for number in one.face.template), 1, abs_tol=1e-9)
        assert (
            "template" not in repr(one) and str(one.face.template[0])[:6] not in repr(one) and "crop" not in repr(one)
        )


def test_a_template_does_not_depend_on_what_was_seen_before(model, found):
    for name in reversed(PEOPLE):
        assert model.find(photo(name)).face == found[name].face


def test_the_file_of_the_default_model_is_named_and_a_changed_one_refused(tmp_path, monkeypatch):
    for name in dlib_model.SHA256:
        (tmp_path / name).write_bytes((dlib_model.folder() / name).read_bytes())
    monkeypatch.setattr(dlib_model, "folder", lambda: tmp_path)
    faces.load()
    for name in dlib_model.SHA256:
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(weights.Unfit, match="is not the file it was"):
            faces.load()
        (tmp_path / name).unlink()
        with pytest.raises(weights.Unfit, match="cannot be read"):
            faces.load()
        (tmp_path / name).write_bytes(whole)


def test_the_default_model_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(dlib_model, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(weights.Unfit, match=r"pip install 'facevault-server\[face\]'"):
        faces.load()


# ── Which way a head is turned ───────────────────────────────────────────────────────────────────────────────


def head(yaw=0.0, pitch=0.0, tilt=0.0, size=200.0) -> np.ndarray:
    """Landmarks of the head that pose.py describes, as a camera far away sees it; angles in degrees."""
    a, b, c = (math.radians(angle) for angle in (yaw, pitch, tilt))
    points = []
    for x, y, z in ((0.5, 0, 0), (0.2, 0, 0), (-0.5, 0, 0), (-0.2, 0, 0), (0, DOWN, FORWARD)):
        x, z = x * math.cos(a) + z * math.sin(a), z * math.cos(a) - x * math.sin(a)
        y = y * math.cos(b) - z * math.sin(b)
        points.append((x * math.cos(c) - y * math.sin(c), x * math.sin(c) + y * math.cos(c)))
    return np.array(points) * size + 500


@pytest.mark.parametrize("yaw", [-40, -15, 0, 15, 40])
@pytest.mark.parametrize("pitch", [-25, 0, 25])
def test_the_angles_of_the_head_we_describe_are_told(yaw, pitch):
    # with both at once the eyes leave the plane of the picture, which the arithmetic leaves out
    if yaw == 0 or pitch == 0:
        for tilt in (-20, 0, 20):
            assert yaw_and_pitch(head(yaw, pitch, tilt)) == pytest.approx((yaw, pitch), abs=0.5)
    told = yaw_and_pitch(head(yaw, pitch))
    assert all(
        math.copysign(1, one) == math.copysign(1, other) for one, other in zip(told, (yaw, pitch), strict=True) if other
    )


def test_a_mirrored_photo_turns_the_other_way(model, found):
    for name in ("person_a_2", "person_b"):
        mirrored = model.find(np.ascontiguousarray(photo(name)[:, ::-1])).face
        assert mirrored.yaw == pytest.approx(-found[name].face.yaw, abs=6) and abs(mirrored.yaw) > 8
    assert found["person_a_2"].face.yaw < 0 < found["person_b"].face.yaw, (
        "to the right of the first, the left of the other"
    )
    assert abs(found["person_a_1"].face.yaw) < 5 and all(abs(one.face.pitch) < 8 for one in found.values())


def test_landmarks_in_one_point_are_no_reason_to_fail():
    assert yaw_and_pitch(np.zeros((5, 2))) == (0, 0)


# ── Pictures ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("raw", [b"", b"<svg/>", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff" + b"\0" * 99])
def test_what_is_no_jpeg_is_unreadable(raw):
    with pytest.raises(images.Unreadable):
        images.decode(raw)


def test_a_jpeg_that_says_it_is_far_too_large_is_unreadable():
    raw = bytearray((PHOTOS / "person_c.jpg").read_bytes())
    frame = raw.index(b"\xff\xc0")
    raw[frame + 5 : frame + 9] = b"\xff\xdc\xff\xdc"  # 65,500 x 65,500
    with pytest.raises(images.Unreadable):
        images.decode(bytes(raw))


def test_a_quarter_turn_is_clockwise_and_four_are_none():
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert images.turned(image, 1).tolist() == [[3, 0], [4, 1], [5, 2]]
    assert images.turned(image, 4).tolist() == image.tolist()


@pytest.mark.parametrize("size", [100, 400, 3000])
def test_a_cut_out_lies_where_it_should_however_large_the_photo_is(size):
    image = np.zeros((size, size, 3), np.uint8)
    image[size // 4 : size // 2, size // 2 : 3 * size // 4] = 255  # the square right of the middle, above it
    scale = 112 / size
    matrix = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2]])
    square = images.cut_out(image, matrix, 112)
    bright = np.argwhere(square[:, :, 0] > 127)
    assert bright.min(0).tolist() == [28, 56] and bright.max(0).tolist() == [55, 83]


def test_eyes_and_nose_are_brought_to_the_places_of_the_template():
    turn = math.radians(30)
    there = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]) * 3
    right, left, nose = (there @ place + (400, 90) for place in PLACES)
    apart = np.array([10.0, 4.0])
    landmarks = np.array([left + apart, left - apart, right - apart, right + apart, nose])
    matrix = alignment(landmarks)
    for point, place in zip((right, left, nose), PLACES, strict=True):
        assert matrix[:, :2] @ point + matrix[:, 2] == pytest.approx(place, abs=1e-6)
    assert np.isfinite(alignment(np.zeros((5, 2)))).all()
