"""Whether a face on the photo of a document is where a portrait can be."""

import numpy as np
import pytest

from fv.analysis import strips
from fv.analysis.belonging import is_on_document

#: The upper line of a zone, 1000 pixels long.
LINE = np.array([(100, 700), (1100, 700), (1100, 730), (100, 730)], np.float32)


def face(x, y, side=150):
    """With its middle there."""
    return x - side // 2, y - side // 2, x + side // 2, y + side // 2


@pytest.mark.parametrize("box", [face(250, 400), face(950, 400), face(250, 300, 300), face(100, 650, 80)])
def test_a_portrait_above_the_zone_is_on_the_document(box):
    assert is_on_document(box, LINE)


@pytest.mark.parametrize(
    "box", [face(1400, 400), face(-200, 400), face(600, -50), face(600, 800), face(600, 300, 500)],
    ids=["beside it", "on the other side", "far above", "below", "too large"],
)  # fmt: skip
def test_another_face_is_not(box):
    assert not is_on_document(box, LINE)


@pytest.mark.parametrize("degrees", [90, 180, 200, 270])
def test_it_does_not_matter_how_the_document_lies(degrees):
    angle = np.radians(degrees)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    line = (LINE @ turn.T).astype(np.float32)
    for box, expected in ((face(250, 400), True), (face(1400, 400), False), (face(600, 800), False)):
        x, y = turn @ ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        assert is_on_document(face(round(x), round(y)), line) is expected


def test_a_line_without_a_length_holds_no_portrait():
    assert not is_on_document(face(250, 400), np.zeros((4, 2), np.float32))


def test_what_was_seen_in_a_part_of_a_photo_has_its_place_on_the_whole():
    part = np.array([(200, 100), (200, 500), (100, 500), (100, 100)], np.float32)  # stands on its side, 400 long
    seen = np.array([(0, 0), (800, 0), (800, 200), (0, 200)], np.float32)  # all of it, at twice the size
    assert np.allclose(strips.back(seen, part, 200, 800), part)
    assert np.allclose(strips.back(seen / 2, part, 200, 800)[2], (150, 300))
