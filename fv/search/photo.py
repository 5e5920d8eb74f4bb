"""The face of a photo that somebody looks for. The photo and its template are in memory only, and are nowhere kept.

As with the photos of a session, whatever a crafted file does to a decoder or a model happens in a process that holds no
key: one that reads it, then one that finds the face, which are started for this photo and gone after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from fv.analysis.examining import Settings
from fv.analysis.report import WORDS, Case, Failed, Report
from fv.evidence import child
from fv.evidence.intake import Refused
from fv.jobs.examiner import Process
from fv.models import flows as models
from fv.turns import Turns

PATIENCE = 20  # seconds of the clock, with the start of the process; the default model takes 0.5 to 1.5 here
BROKEN = "The process that looks for faces did not answer. Try again, or another photo."
UNFIT = "The face model that is chosen cannot be used: fv doctor says why."

# a core and 0.1 GB each with the default model, and at most what fv/jobs/examiner.py says
_turns = Turns("face", at_once=1, room=4, patience=10)


@dataclass(frozen=True)
class Seen:
    """`model`: the name of the one that made the template."""

    model: str
    template: Sequence[float] = field(repr=False)


def face_of(raw: bytes) -> Seen | str:
    """The one good face of this file, or the sentence that says why there is none. Raises turns.Busy."""
    photo = child.read(raw)
    if isinstance(photo, Refused):
        return photo.sentence
    settings = {"stages": ["faces"], **models.for_analysis()}
    with _turns.one():
        try:
            report = _examined(photo.jpeg, settings)
        except Failed:
            return BROKEN
    return _told(report)


def _examined(jpeg: bytes, settings: Settings) -> Report:
    """Raises Failed. The process is gone afterwards."""
    until = monotonic() + PATIENCE
    process = Process(lambda: False, until, settings)
    try:
        return process.ask(Case({"selfie": jpeg}, ""), until)
    finally:
        process.kill()


def _told(report: Report) -> Seen | str:
    if why := report.failures.get("faces"):
        return models.EXTRA if why in ("ModuleNotFoundError", "ImportError") else UNFIT
    if report.model is None or "selfie" not in report.faces:
        return WORDS.get(report.refusals.get("selfie", ""), BROKEN)
    return Seen(report.model.id, report.faces["selfie"].template)
