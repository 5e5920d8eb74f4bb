"""The story: look at a model file, try it on faces, keep it, and say whether it is still what it was.

Core runs without the extra `face`; so whatever needs its packages is imported where it is used.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType

from flask import current_app

from fv.analysis import default_model
from fv.analysis.weights import Slot, Unfit, verified
from fv.evidence import intake
from fv.models import registry
from fv.models.names import DEFAULT

EXTRA = "The packages for faces are not installed: pip install 'facevault-server[face]'."


@dataclass(frozen=True)
class State:
    """Of a model. `said`: for people. `is_missing`: nothing is wrong with it, the packages for it are not installed."""

    is_usable: bool
    said: str
    is_missing: bool = False


@dataclass(frozen=True)
class Known:
    """A model of ours. `possible`, `match`: as in report.Model. `false_match_rate`: as in Slot."""

    id: str
    sha256: str
    preprocessing: str
    possible: float
    match: float
    false_match_rate: float | None

    def band(self, similarity: float) -> str:
        """What people are shown: match, possible or no."""
        return "match" if similarity >= self.match else "possible" if similarity >= self.possible else "no"


@dataclass(frozen=True)
class Proof:
    """Cosines: of two photos of one person, and the higher one of both with another person."""

    same: float
    other: float
    slot: Slot

    @property
    def holds(self) -> bool:
        return self.same >= self.slot.match and self.other < self.slot.possible

    def __str__(self) -> str:
        same = "is a match" if self.same >= self.slot.match else "is NOT a match"
        other = "is told apart" if self.other < self.slot.possible else "is NOT told apart"
        return (
            f"The same person {same}: {self.same:.3f}, from {self.slot.match:g} on. "
            f"Another person {other}: {self.other:.3f}, below {self.slot.possible:g}."
        )


@dataclass(frozen=True)
class Use:
    """How a model wants its pixels, and what its cosines mean: as in Slot."""

    channels: str
    mean: float
    scale: float
    possible: float
    match: float
    false_match_rate: float | None = None


def look_at(file: Path, name: str | None, use: Use) -> tuple[Slot, bytes]:
    """The slot that a file would get, with the file as it lies there, and its bytes. Raises Unfit with the reason."""
    free = registry.free_name(name, file)
    raw, sha256 = registry.read(file)
    layout = _onnx_model().inspected(raw)
    found = Slot(free, file, sha256, layout, use.channels, use.mean, use.scale, use.possible, use.match,
                 use.false_match_rate)  # fmt: skip
    try:
        registry.checked(found)
    except ValueError as error:
        raise Unfit(f"This cannot be: {error}.") from None
    return found, raw


def prove(slot: Slot, one: Path, again: Path, other: Path) -> Proof:
    """Try a model on two photos of one person and one of another. Raises Unfit when a photo shows no good face."""
    _onnx_model()
    from fv.analysis import faces, images
    from fv.analysis.report import WORDS, Face

    model = faces.load(slot)

    def face(path: Path) -> Face:
        try:
            photo = intake.read(path.read_bytes())
        except OSError as error:
            raise Unfit(f"{path} cannot be read: {error.strerror}.") from None
        if isinstance(photo, intake.Refused):
            raise Unfit(f"{path}: {photo.sentence}")
        found = model.find(images.decode(photo.jpeg))
        if isinstance(found, str):
            raise Unfit(f"{path}: {WORDS[found]}")
        return found.face

    first, second, third = face(one), face(again), face(other)
    other_person = max(faces.similarity(first, third), faces.similarity(second, third))
    return Proof(faces.similarity(first, second), other_person, slot)


def keep(slot: Slot, raw: bytes) -> None:
    registry.keep(replace(slot, path=registry.folder() / f"{slot.id}.onnx"), raw)


def for_analysis() -> dict[str, object]:
    """What the process that examines photos is told of the model of FV_FACE_MODEL, and which file it has to read.

    A model that is not fit is told all the same: it is not loaded then, and no other one takes its place.
    """
    try:
        slot = registry.chosen()
    except Unfit:
        return {"model": {"path": ""}}
    return {"model": asdict(slot) | {"path": str(slot.path)}, "readable": [str(slot.path)]} if slot else {}


def chosen() -> str:
    """The name of the model that sessions are examined with."""
    return str(current_app.config["FACE_MODEL"])


def known(name: str) -> Known | None:
    """What a model of ours says of its templates; None: there is none of this name, so it is a model of elsewhere."""
    if name == DEFAULT:
        own = default_model.MODEL
        return Known(own.id, own.sha256, own.preprocessing, own.possible, own.match, None)
    if name not in registry.names():
        return None
    try:
        slot = registry.slot(name)
    except Unfit:
        return None
    return Known(slot.id, slot.sha256, slot.preprocessing, slot.possible, slot.match, slot.false_match_rate)


def state(name: str) -> State:
    """Whether a model could be loaded now; its file is read whole and compared with its SHA-256."""
    try:
        if name == DEFAULT:
            sha256 = _default_sha256()
        else:
            slot = registry.slot(name)
            verified(slot.path, slot.sha256)
            _onnx_model()
            sha256 = slot.sha256
    except NotInstalled as error:
        return State(False, str(error), is_missing=True)
    except Unfit as error:
        return State(False, str(error))
    return State(True, f"SHA-256 {sha256[:12]}…")


class NotInstalled(Unfit):
    """Not the model is at fault: its packages are not there."""


def _default_sha256() -> str:
    try:
        from fv.analysis import dlib_model
    except ImportError:
        raise NotInstalled(EXTRA) from None
    for name, sha256 in default_model.SHA256.items():
        verified(dlib_model.folder() / name, sha256)
    return default_model.MODEL.sha256


def _onnx_model() -> ModuleType:
    """With dlib, which finds the faces for every model."""
    try:
        from fv.analysis import dlib_model, onnx_model
    except ImportError:
        raise NotInstalled(EXTRA) from None
    dlib_model.folder()
    return onnx_model
