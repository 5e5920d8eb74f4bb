"""The list of detectors: what the setting may say, what of an answer is believed, and detectors of other packages."""

import re
import sys
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest

from fv.analysis import consistency, detectors
from fv.analysis.consistency import Look
from fv.analysis.report import Detection
from tests.reports import detection, report


@pytest.fixture
def install(tmp_path, monkeypatch):
    """As pip leaves a package: its module, and beside it the folder that says which entry points it has."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def installs(code: str, **names: str) -> None:
        (tmp_path / "their_detectors.py").write_text(code)
        info = tmp_path / "their_detectors-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-detectors\nVersion: 1.0\n")
        lines = [f"{name} = their_detectors:{function}\n" for name, function in names.items()]
        (info / "entry_points.txt").write_text("".join(["[facevault.detectors]\n", *lines]))

    yield installs
    sys.modules.pop("their_detectors", None)


def looked(modes):
    at = Look({"selfie": np.full((4, 4, 3), 250, np.uint8)}, {}, "left", report())
    return {one.name: one for one in consistency.look(at, modes)}


# ── The setting ──────────────────────────────────────────────────────────────────────────────────────────────


def test_ours_look_always_and_only_the_block_list_blocks_unless_told_to():
    assert detectors.modes("") == dict(detectors.DEFAULTS)
    assert [name for name, mode in detectors.DEFAULTS.items() if mode == "block"] == ["blocked_face"]
    assert detectors.modes("same_file=block") == dict(detectors.DEFAULTS) | {"same_file": "block"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [("same_file", "NAME=MODE"), ("same_file=off", "monitor, review, block"), ("same_file=", "NAME=MODE"),
     ("same_file=block same_file=review", "each name once"), ("same_flie=block", "three_people")],
)  # fmt: skip
def test_a_setting_that_names_no_detector_or_no_mode_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        detectors.modes(text)


# ── Detectors of other packages ──────────────────────────────────────────────────────────────────────────────

PAGE = (Path(__file__).parent.parent / "docs" / "detectors.md").read_text()
EXAMPLE = re.search(r"```python\n(.+?)```", PAGE, re.S)[1]  # that of the documentation
OTHERS = """
from fv.analysis.report import Detection

def breaks(look):
    raise RuntimeError("L898902C3")

def lies(look):
    return Detection("same_file", "9" * 99, 1.0, "block", True, "a\\nb" * 400)

def says_nothing(look):
    return None
"""


def test_a_detector_of_another_package_looks_when_it_is_named_and_not_before(install):
    install(EXAMPLE, overexposed="overexposed")
    assert "overexposed" not in detectors.modes("") and "overexposed" not in looked(detectors.modes(""))
    modes = detectors.modes("overexposed=monitor")
    assert modes == dict(detectors.DEFAULTS) | {"overexposed": "monitor"}
    assert looked(modes)["overexposed"] == Detection(
        "overexposed", "1", 1.0, "monitor", True, "100% of the selfie is white."
    )
    no_selfie = consistency.look(Look({}, {}, "left", report()), {"overexposed": "review"})
    assert [one.fired for one in no_selfie] == [None]
    assert set(looked(modes)) == detectors.PHOTOS.keys() | {"overexposed"}


def test_a_detector_that_raises_could_not_look_and_its_text_is_not_told(install):
    install(EXAMPLE + OTHERS, breaks="breaks", overexposed="overexposed")
    said = looked(detectors.modes("breaks=block overexposed=review"))
    assert said["breaks"] == Detection(
        "breaks", "", None, "block", None, "Could not look: it failed with RuntimeError."
    )  # fmt: skip
    assert said["overexposed"].fired


def test_a_detector_that_cannot_be_imported_could_not_look(install):
    install("import a_package_that_is_not_there", overexposed="overexposed")
    assert looked(detectors.modes("overexposed=review"))["overexposed"].fired is None


def test_a_detector_cannot_give_itself_another_name_or_mode_or_a_long_text(install):
    install(OTHERS, lies="lies")
    said = looked(detectors.modes("lies=monitor"))["lies"]
    assert (said.name, said.mode, len(said.version), len(said.reason)) == ("lies", "monitor", 32, 300)
    assert said.reason.isprintable()


def test_a_detector_that_answers_something_else_could_not_look(install):
    install(OTHERS, quiet="says_nothing")
    assert looked(detectors.modes("quiet=review"))["quiet"].reason == "Could not look: the detector gave no Detection."


def test_a_detector_that_takes_a_name_of_ours_or_an_odd_one_is_not_there(install):
    install(OTHERS, same_file="lies", **{"Not-Plain": "lies"})
    assert detectors.installed() == {}
    with pytest.raises(ValueError, match="installed"):
        detectors.modes("Not-Plain=block")


def test_a_detector_that_was_removed_since_the_start_could_not_look():
    assert looked({"removed": "review"})["removed"].reason == "Could not look: it failed with KeyError."


# ── What is believed ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "said",
    [Detection("x", "1", 0.5, "review", None, "a"), Detection("x", "1", None, "review", True, "a"),
     Detection("x", "1", nan, "review", True, "a"), Detection("x", "1", inf, "review", True, "a"),
     Detection("x", "1", 1.1, "review", True, "a"), Detection("x", "1", -0.1, "review", True, "a"),
     Detection("x", "1", True, "review", True, "a"), Detection("x", "1", "1", "review", True, "a"),
     Detection("x", "1", 0.5, "review", 1, "a"), Detection("x", "1", 0.5, "review", True, None),
     Detection("x", 1, 0.5, "review", True, "a")],
)  # fmt: skip
def test_a_detection_that_contradicts_itself_is_none(said):
    assert detectors.believed(said, "x", "block").reason.startswith(
        "Could not look: the detector gave a Detection that"
    )


@pytest.mark.parametrize(
    "said", [detection("x", score=0, fired=True), detection("x", score=1.0), detection(fired=None)]
)
def test_a_whole_detection_is_believed(said):
    assert detectors.believed(said, "x", "block").reason == "Seen."


def test_each_detector_that_was_to_look_has_one_answer_in_the_mode_it_is_set_to():
    """Whatever a process that had crafted photos before it leaves out, repeats, adds or calls harmless."""
    said = [
        detection("head_turn", "monitor", True, 1.0), detection("head_turn", "review", False),
        detection("same_still", "monitor", None), detection("invented", "block", True, 1.0),
    ]  # fmt: skip
    modes = {"same_still": "review", "head_turn": "block", "three_people": "review"}
    settled = detectors.settled(said, modes)
    assert [(one.name, one.mode, one.fired) for one in settled] == [
        ("same_still", "review", None), ("head_turn", "block", True), ("three_people", "review", None)
    ]  # fmt: skip
    assert settled[2].reason == "Could not look: the photos were not examined."


def test_the_page_lists_every_detector_of_ours_with_its_mode():
    listed = dict(re.findall(r"^\| `(\w+)` \| `(monitor|review|block)` \| ", PAGE, re.M))
    assert listed == dict(detectors.DEFAULTS)
