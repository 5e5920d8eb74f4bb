"""From the photos of a case to a report: three stages, each of which may be missing or break without the others.

A stage that is not installed, or breaks, leaves what it should have said `unavailable`, and its exception's type in
`failures`: the text of an exception may hold what a document says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from importlib import import_module
from itertools import combinations
from pathlib import Path
from time import monotonic
from typing import Any

from fv.analysis.report import KINDS, Case, Face, Report


@dataclass
class Seen:
    """A case, and what is known of it so far. `crops`: aligned gray crops of the faces, by kind of photo.

    `line`: where the upper line of a machine-readable zone is on the ID photo (belonging.py); None: there is no zone.
    """

    case: Case
    today: date
    report: Report = field(default_factory=Report)
    crops: dict[str, Any] = field(default_factory=dict)
    line: Any = None
    _images: dict[str, Any] = field(default_factory=dict)

    def image(self, kind: str) -> Any:
        """The photo as an array (height, width, 3) of uint8, RGB; decoded once. Raises images.Unreadable, KeyError."""
        if kind not in self._images:
            self._images[kind] = import_module("fv.analysis.images").decode(self.case.photos[kind])
        return self._images[kind]


#: Gives the report with what it found in it.
Stage = Callable[[Seen], Report]
#: What the service is told about analysing, as JSON can say it; `readable`: files and folders that a stage reads;
#: `stages`: the names of those that are wanted, where it is not all.
Settings = Mapping[str, Any]
#: Loads models, which takes seconds. ImportError: it is not installed.
Loader = Callable[[Settings], Stage]


def reading(_settings: Settings) -> Stage:
    reader = import_module("fv.analysis.reading").Reader()

    def reads(seen: Seen) -> Report:
        looked = reader.look(seen.image("id_photo"), seen.today)
        if looked is None:
            return replace(seen.report, document_state="not_found")
        seen.line = looked.line
        return replace(seen.report, document_state="read", document=looked.document)

    return reads


def faces(settings: Settings) -> Stage:
    """`model`: a slot (weights.Slot) of a model that was added; without one the default model is loaded."""
    weights = import_module("fv.analysis.weights")
    told = settings.get("model")
    model = import_module("fv.analysis.faces")
    is_on_document = import_module("fv.analysis.belonging").is_on_document
    faces = model.load(weights.Slot(**told | {"path": Path(told["path"])}) if told else None)

    def finds(seen: Seen) -> Report:
        found: dict[str, Face] = {}
        refusals: dict[str, str] = {}
        for kind in [kind for kind in KINDS if kind in seen.case.photos]:
            # people hold a card any way round, and themselves upright
            one = faces.find(seen.image(kind), model.FOUR_WAYS if kind == "id_photo" else model.ONE_WAY)
            if isinstance(one, str):
                refusals[kind] = one
            elif kind == "id_photo" and seen.line is not None and not is_on_document(one.face.box, seen.line):
                refusals[kind] = "elsewhere"
            else:
                found[kind], seen.crops[kind] = one.face, one.crop
        similarities = {
            f"{one} {other}": model.similarity(found[one], found[other]) for one, other in combinations(found, 2)
        }
        return replace(seen.report, model=faces.model, faces=found, refusals=refusals, similarities=similarities)

    return finds


def consistency(settings: Settings) -> Stage:
    """`detectors`: the mode of each that is to look."""
    module = import_module("fv.analysis.consistency")
    modes = settings.get("detectors", {})

    def looks(seen: Seen) -> Report:
        photos = {kind: seen.image(kind) for kind in seen.case.photos}
        at = module.Look(photos, seen.crops, seen.case.challenge, seen.report)
        return replace(seen.report, detections=tuple(module.look(at, modes)))

    return looks


#: In this order: the last one looks at what the others found.
LOADERS: Mapping[str, Loader] = {"reading": reading, "faces": faces, "consistency": consistency}


def utc_today() -> date:
    return datetime.now(UTC).date()


class Examiner:
    """Loads every stage that is wanted once. What does not load is told with every report."""

    def __init__(
        self, settings: Settings, loaders: Mapping[str, Loader] = LOADERS, today: Callable[[], date] = utc_today
    ) -> None:
        self.today = today
        self.stages: dict[str, Stage] = {}
        self.missing: dict[str, str] = {}
        for name in settings.get("stages", loaders):
            load = loaders[name]
            try:
                self.stages[name] = load(settings)
            except Exception as error:
                self.missing[name] = type(error).__name__

    def examine(self, case: Case) -> Report:
        """Never raises for what a photo does to a stage."""
        seen, failures, seconds = Seen(case, self.today()), dict(self.missing), {}
        for name, stage in self.stages.items():
            begun = monotonic()
            try:
                seen.report = stage(seen)
            except Exception as error:
                failures[name] = type(error).__name__
            seconds[name] = round(monotonic() - begun, 3)
        if "faces" in failures:
            seen.report = replace(seen.report, refusals=dict.fromkeys(case.photos, "unavailable"))
        return replace(seen.report, seconds=seconds, failures=failures)
