"""A face model that somebody adds: used as it wants to be, refused with the reason when it does not fit."""

import math
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from fv.analysis import faces, onnx_file, onnx_model, weights
from fv.analysis.report import Face
from tests import onnx_bytes
from tests.test_faces import photo


def slot_of(folder: Path, raw: bytes, **changes) -> weights.Slot:
    path = folder / "tiny.onnx"
    path.write_bytes(raw)
    return replace(
        weights.Slot("tiny", path, sha256(raw).hexdigest(), "nchw", "rgb", 0, 1, possible=0.3, match=0.4), **changes
    )


def test_an_added_model_makes_templates_of_the_same_form(tmp_path):
    added = faces.load(slot_of(tmp_path, onnx_bytes.model()))
    assert added.model.id == "tiny" and added.model.preprocessing == "arcface-3p-1 nchw rgb 0 1"
    face = added.find(photo("person_a_1")).face
    assert len(face.template) == 128 and math.isclose(math.fsum(number**2 for number in face.template), 1, abs_tol=1e-9)
    assert isinstance(face, Face) and face.turned == 0


def test_layout_channels_mean_and_scale_reach_the_model(tmp_path):
    image = np.zeros((112, 112, 3), np.uint8)
    image[:, :, 0], image[:, :, 2] = 200, 50  # red, and a little blue
    at_home = np.array([(80, 51.5014), (67, 51.5014), (44.5, 51.6963), (32, 51.6963), (56, 78.2)])
    first, last = {}, {}
    for channels in ("rgb", "bgr"):
        for layout, shape in onnx_model.LAYOUTS.items():
            slot = slot_of(
                tmp_path, onnx_bytes.model(shape=shape), channels=channels, layout=layout, mean=100.0, scale=50.0
            )
            template = onnx_model.OnnxEmbedder(slot).template(image, at_home)
            first[channels, layout], last[channels, layout] = template[0], template[-1]
    assert (first["rgb", "nchw"], last["rgb", "nchw"]) == pytest.approx((2, -1))  # (200 - 100) / 50, (50 - 100) / 50
    assert (first["bgr", "nchw"], last["bgr", "nchw"]) == pytest.approx((-1, 2))
    assert first["rgb", "nhwc"] == pytest.approx(first["bgr", "nhwc"], abs=0.1), "each stripe has all three colours"


GOOD = {
    "channels first": ({}, "nchw"),
    "channels last": ({"shape": (1, 112, 112, 3)}, "nhwc"),
    "any number of pictures": ({"shape": ("N", 3, 112, 112), "out": ("N", 128)}, "nchw"),
}
BAD = {
    "512 numbers": ({"length": 512}, "gives 1 x 512 of float"),
    "another size": ({"shape": (1, 3, 160, 160)}, "takes 1 x 3 x 160 x 160"),
    "two pictures": ({"shape": (2, 3, 112, 112)}, "takes 2 x 3 x 112 x 112"),
    "doubles": ({"kind": onnx_bytes.DOUBLE}, "of double"),
    "the same for all": ({"factor": 0.0, "offset": 1.0}, "the same whatever it is shown"),
    "nearly the same for all": ({"factor": 1e-9, "offset": 1.0}, "the same whatever it is shown"),
    "zeros": ({"factor": 0.0}, "zeros, or with what is no number"),
    "no numbers": ({"factor": math.nan}, "zeros, or with what is no number"),
    "infinite": ({"factor": math.inf}, "zeros, or with what is no number"),
    "two outputs": ({"second_output": True}, "1 inputs and 2 outputs"),
    "a failure": ({"shape": ("N", 3, 112, 112), "cut": 300}, "fails when it is run"),
    "another form than it says": ({"row": (2, 64), "out": ("N", 128)}, "gives 2 x 64"),
    "numbers elsewhere": ({"apart": True}, "in another file"),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_model_that_fits_tells_its_layout(name):
    changes, layout = GOOD[name]
    assert onnx_model.inspected(onnx_bytes.model(**changes)) == layout


@pytest.mark.parametrize("name", BAD)
def test_a_model_that_does_not_fit_is_refused_with_the_reason(name):
    changes, reason = BAD[name]
    with pytest.raises(weights.Unfit, match=reason):
        onnx_model.inspected(onnx_bytes.model(**changes))


@pytest.mark.parametrize("raw", [b"", b"hello" * 100, b"\xff\xd8\xff\xe0", onnx_bytes.model()[:-40], b"\x3a\xff" * 9])
def test_what_is_no_onnx_is_refused(raw):
    with pytest.raises(weights.Unfit, match="not an ONNX model"):
        onnx_model.inspected(raw)


def test_numbers_in_another_file_are_seen_wherever_they_hide():
    far = onnx_bytes.external("far", [1])
    in_a_constant = onnx_bytes.field(1, onnx_bytes.field(5, onnx_bytes.field(5, far)))
    in_a_branch = onnx_bytes.field(1, onnx_bytes.field(5, onnx_bytes.field(6, onnx_bytes.field(5, far))))
    sparse = onnx_bytes.field(15, onnx_bytes.field(1, far))
    for graph in (in_a_constant, in_a_branch, sparse):
        assert onnx_file.keeps_data_elsewhere(onnx_bytes.field(7, graph))
    assert onnx_file.keeps_data_elsewhere(
        onnx_bytes.field(25, onnx_bytes.field(7, onnx_bytes.field(5, onnx_bytes.field(5, far))))
    )
    deep = far
    for _ in range(200):
        deep = onnx_bytes.field(5, onnx_bytes.field(6, onnx_bytes.field(1, deep)))
    for garbled in (b"\x0b", b"\x39\0", b"\xff" * 12, b"\x3a\x7f", onnx_bytes.field(7, onnx_bytes.field(1, deep))):
        assert not onnx_file.keeps_data_elsewhere(garbled)
    assert not onnx_file.keeps_data_elsewhere(onnx_bytes.model())


def test_a_model_whose_file_or_layout_changed_is_refused(tmp_path):
    slot = slot_of(tmp_path, onnx_bytes.model())
    with pytest.raises(weights.Unfit, match="takes its picture as nchw"):
        faces.load(replace(slot, layout="nhwc"))
    slot.path.write_bytes(onnx_bytes.model(factor=2.0))
    with pytest.raises(weights.Unfit, match="is not the file it was"):
        faces.load(slot)
