"""`fv models`: which face models there are, and how another one is added."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from fv.analysis import dlib_model
from fv.analysis.weights import Unfit
from fv.models import flows, names, registry
from tests import onnx_bytes
from tests.test_audit import run
from tests.test_doctor import findings
from tests.test_faces import PHOTOS

A1, A2, B = (str(PHOTOS / f"{name}.jpg") for name in ("person_a_1", "person_a_2", "person_b"))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "Tiny Face.onnx"
    path.write_bytes(onnx_bytes.model())
    return path


def kept(app) -> Path:
    return Path(app.instance_path) / "models"


def test_the_default_model_is_listed_as_the_one_that_is_used(app):
    assert dlib_model.MODEL.id == names.DEFAULT and dlib_model.MODEL.sha256.startswith("55533b28a958")
    assert run(app, "models", "list").output == "dlib-resnet-1  chosen  ready, SHA-256 55533b28a958…\n"


def test_a_model_is_added_under_a_name_of_its_own_and_can_be_used(app, make_app, file):
    result = run(app, "models", "add", str(file))
    assert result.exit_code == 0, result.output
    assert "Added tiny-face: nchw, rgb, match 0.363, possible 0.29." in result.output
    assert "It was not tried on faces" in result.output and "FV_FACE_MODEL=tiny-face" in result.output
    assert sorted(path.name for path in kept(app).iterdir()) == ["tiny-face.json", "tiny-face.onnx"]
    assert not [path for path in (kept(app), *kept(app).iterdir()) if path.stat().st_mode & 0o077]
    with make_app(FACE_MODEL="tiny-face").app_context():
        slot = registry.chosen()
    assert slot.id == "tiny-face" and slot.path.read_bytes() == file.read_bytes()
    assert "tiny-face  -  ready, SHA-256" in run(app, "models", "list").output
    with app.app_context():
        assert registry.chosen() is None


def test_what_was_said_about_a_model_is_kept(app, file):
    words = ["--name", "my-face", "--channels", "bgr", "--mean", "127.5", "--scale", "128"]
    words += ["--match", "0.5", "--possible", "0.35", "--false-match-rate", "1e-6"]
    assert run(app, "models", "add", str(file), *words).exit_code == 0
    note = json.loads((kept(app) / "my-face.json").read_text())
    assert note | {"sha256": ""} == {
        "sha256": "", "layout": "nchw", "channels": "bgr", "mean": 127.5, "scale": 128.0, "possible": 0.35,
        "match": 0.5, "false_match_rate": 1e-6,
    }  # fmt: skip


def test_a_model_is_never_replaced(app, file):
    assert run(app, "models", "add", str(file)).exit_code == 0
    file.write_bytes(onnx_bytes.model(factor=2.0))
    for name in ([], ["--name", "tiny-face"], ["--name", "dlib-resnet-1"]):
        result = run(app, "models", "add", str(file), *name)
        assert result.exit_code == 1 and "Models are not replaced" in result.output
    assert (kept(app) / "tiny-face.onnx").read_bytes() == onnx_bytes.model()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--name", "../elsewhere"], "1 to 64 of a-z"),
        (["--name", "Tiny"], "1 to 64 of a-z"),
        (["--scale", "0"], "the scale not 0"),
        (["--mean", "nan"], "have to be numbers"),
        (["--match", "1.5"], "between -1 and 1"),
        (["--match", "0.3", "--possible", "0.4"], "not above `match`"),
    ],
)
def test_settings_that_cannot_be_are_refused(app, file, words, reason):
    result = run(app, "models", "add", str(file), *words)
    assert result.exit_code == 1 and reason in result.output and result.output.count("\n") == 1
    assert not kept(app).exists()


def test_a_file_that_does_not_fit_is_refused_with_the_reason_and_leaves_nothing(app, file, tmp_path, monkeypatch):
    file.write_bytes(onnx_bytes.model(length=512))
    assert "gives 1 x 512" in run(app, "models", "add", str(file)).output
    file.write_bytes(b"hello")
    assert "not an ONNX model" in run(app, "models", "add", str(file)).output
    assert "cannot be read" in run(app, "models", "add", str(tmp_path / "nothing.onnx")).output
    monkeypatch.setattr(registry, "LARGEST", 4)
    assert "larger than" in run(app, "models", "add", str(file)).output
    assert not kept(app).exists()


def test_a_self_test_that_fails_keeps_the_model_out(app, file):
    """The tiny model tells bright faces from dark ones, not people."""
    result = run(app, "models", "add", str(file), "--self-test", A1, A2, B)
    assert result.exit_code == 1 and not kept(app).exists()
    assert "The same person is a match" in result.output and "Another person is NOT told apart" in result.output
    assert "The model was not added" in result.output


def test_a_self_test_that_holds_is_told_and_the_model_is_kept(app, file):
    """With one photo twice: the tiny model would not know it on another."""
    with app.app_context():
        slot, _ = flows.look_at(file, None, flows.Use("rgb", 127.5, 128.0, 0.29, 0.363))
        proof = flows.prove(slot, Path(A1), Path(A1), Path(B))
    between = ["--match", str(proof.same - 0.001), "--possible", str(proof.other + 0.001)]
    assert proof.other < proof.same - 0.002, proof
    result = run(
        app, "models", "add", str(file), "--self-test", A1, A1, B, "--mean", "127.5", "--scale", "128", *between
    )
    assert result.exit_code == 0, result.output
    assert "The same person is a match" in result.output and "Another person is told apart" in result.output
    assert "was not tried" not in result.output and (kept(app) / "tiny-face.onnx").exists()


def test_a_self_test_needs_a_good_face_in_each_photo(app, file, tmp_path):
    empty, none = tmp_path / "empty.jpg", tmp_path / "none.jpg"
    empty.write_bytes(b"hello")
    faceless = tmp_path / "faceless.png"
    Image.new("RGB", (400, 400), "gray").save(faceless)
    photos = {empty: "This is not a photo.", none: "cannot be read", faceless: "No face was found."}
    for bad, reason in photos.items():
        result = run(app, "models", "add", str(file), "--self-test", A1, str(bad), B)
        assert result.exit_code == 1 and reason in result.output and not kept(app).exists()


def test_a_changed_or_missing_model_is_not_used_and_the_doctor_says_so(app, make_app, file):
    run(app, "models", "add", str(file))
    using = make_app(FACE_MODEL="tiny-face")
    assert findings(using, "faces")[0][0] == "ok"
    model, note = kept(app) / "tiny-face.onnx", kept(app) / "tiny-face.json"
    model.write_bytes(onnx_bytes.model(factor=2.0))
    assert findings(using, "faces") == [("wrong", f"{model} is not the file it was: its SHA-256 is another one.")]
    assert f"tiny-face  chosen  not usable: {model} is not the file it was" in run(using, "models", "list").output
    model.unlink()
    assert findings(using, "faces")[0][0] == "wrong"
    for damage in (
        "{",
        "[]",
        '{"sha256": "1"}',
        note.read_text().replace("0.363", "7"),
        note.read_text().replace("nchw", "wide"),
        note.read_text().replace('"sha256": "', '"sha256": "0'),
    ):
        note.write_text(damage)
        assert findings(using, "faces") == [
            ("wrong", f"{note} is damaged. Put it back from a backup, or add the model under another name.")
        ]
    note.unlink()
    assert findings(using, "faces") == [("wrong", "There is no model tiny-face here. `fv models list` shows them.")]
    with using.app_context(), pytest.raises(Unfit):
        registry.chosen()


def test_an_altered_default_model_is_wrong(app, tmp_path, monkeypatch):
    assert findings(app, "faces") == [("ok", "dlib-resnet-1, SHA-256 55533b28a958…")]
    monkeypatch.setattr(dlib_model, "folder", lambda: tmp_path)
    for name in dlib_model.SHA256:
        (tmp_path / name).write_bytes(b"another")
    assert findings(app, "faces")[0][0] == "wrong"


def without_the_extra(tmp_path, *words):
    """A process of its own, in which the packages of the extra cannot be imported."""
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['cv2', 'dlib', 'onnxruntime'])); from fv.cli import main; main()"
    )
    plain = {name: value for name, value in os.environ.items() if not name.startswith("FV_")}
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env=plain | {"FV_INSTANCE": str(tmp_path / "bare")},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.long
def test_without_the_extra_the_service_runs_and_says_what_is_missing(tmp_path, file):
    missing = "The packages for faces are not installed: pip install 'facevault-server[face]'."
    listed = without_the_extra(tmp_path, "models", "list")
    assert listed.returncode == 0 and listed.stdout == f"dlib-resnet-1  chosen  not usable: {missing}\n"
    added = without_the_extra(tmp_path, "models", "add", str(file))
    assert added.returncode == 1 and added.stderr.strip() == f"Error: {missing}"
    assert f"note   faces         no face is looked at, and a person decides each session. {missing}" in (
        without_the_extra(tmp_path, "doctor").stdout
    )
