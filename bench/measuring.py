"""What one photo showed of one reader, and what the parts of ours and its process cost."""

import functools
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from readers import Ours, Plain, Tesseract, cpu

from fv.analysis import detectors, images, ocr, reading, zones
from fv.analysis.report import Case, Document
from fv.jobs.analyst import Analyst

FACES = Path(__file__).parent.parent / "tests" / "data" / "faces"
#: What is counted as right or wrong in the tables, and the fields it stands for.
SHOWN = {
    "name": ("surname", "given_names"), "number": ("document_number",), "nationality": ("nationality",),
    "birth": ("date_of_birth",),
}  # fmt: skip
#: The parts of our reader, as a stopwatch is put around them.
PARTS = (
    ("find text", ocr.Ocr, "find"), ("which way up", zones, "page"), ("read the zone", zones, "find"),
    ("printed text", reading.Reader, "_printed"),
)  # fmt: skip
READERS = (Ours, Plain, Tesseract)


@dataclass(frozen=True)
class Outcome:
    """`right`: of SHOWN. `high`, `wrong`: fields called high, and those of them that are wrong, as (read, true).

    `fits_wrongly`: every check digit fits, and a field is wrong. `said`: the lines of the zone, or none.
    """

    is_whole: bool
    right: frozenset[str]
    high: tuple[str, ...]
    wrong: dict[str, tuple[str, str]]
    fits_wrongly: bool
    said: tuple[str, ...]
    seconds: float


def outcome(document: Document | None, lines: Sequence[str], true: Mapping[str, str], seconds: float) -> Outcome:
    """`lines`, `true`: what the zone and the fields have to be."""
    if document is None:
        return Outcome(False, frozenset(), (), {}, False, (), seconds)
    read = {name: field.value for name, field in document.fields.items()}
    high = tuple(name for name, field in document.fields.items() if field.confidence == "high")
    right = frozenset(shown for shown, names in SHOWN.items() if all(read[name] == true[name] for name in names))
    wrong = {name: (read[name], true[name]) for name in high if read[name] != true[name]}
    fits = "fail" not in document.mrz.checks.values() and any(read[name] != true[name] for name in true)
    is_whole = list(document.mrz.lines) == list(lines)
    return Outcome(is_whole, right, high, wrong, fits, document.mrz.lines, seconds)


@functools.cache
def reader(kind: type) -> Ours | Plain | Tesseract:
    """One in each process; models are loaded once, and outside what is measured."""
    return kind()


def measured(kind: type, jpeg: bytes, lines: Sequence[str], true: Mapping[str, str]) -> Outcome:
    image, read = images.decode(jpeg), reader(kind).read
    begun = cpu()
    document = read(image)
    return outcome(document, lines, true, cpu() - begun)


def parts(jpegs: Sequence[bytes]) -> dict[str, float]:
    """CPU seconds a document of each part of our reader, and of looking for a face, which these have not."""
    spent: Counter[str] = Counter()
    for name, owner, method in PARTS:
        setattr(owner, method, _timed(getattr(owner, method), name, spent))
    read = reader(Ours).read
    faces = import_module("fv.analysis.faces")
    finder = faces.load()
    for jpeg in jpegs:
        begun = cpu()
        image = images.decode(jpeg)
        decoded = cpu()
        read(image)
        spent["decode"] += decoded - begun
        spent["all of reading"] += cpu() - begun
        begun = cpu()
        finder.find(image, faces.FOUR_WAYS)
        spent["look for a face four ways"] += cpu() - begun
    return {name: seconds / len(jpegs) for name, seconds in spent.items()}


def _timed(function, name: str, spent: Counter[str]):
    @functools.wraps(function)
    def timed(*args, **kwargs):
        begun = cpu()
        try:
            return function(*args, **kwargs)
        finally:
            spent[name] += cpu() - begun

    return timed


@dataclass(frozen=True)
class Throughput:
    """Of the process that the service uses: whole cases of three photos. Seconds of all; `resident`: bytes at most."""

    cases: int
    start: float
    wall: float
    cpu: float
    resident: int
    failed: int


def throughput(jpegs: Sequence[bytes]) -> Throughput:
    selfie, turned = ((FACES / name).read_bytes() for name in ("person_a_1.jpg", "person_a_2.jpg"))
    analyst = Analyst(settings={"detectors": detectors.modes("")})
    cases = [Case({"id_photo": jpeg, "selfie": selfie, "liveness_frame": turned}, "left") for jpeg in jpegs]
    begun = time.perf_counter()
    analyst.examine(cases[0])  # starts the process
    start, began, used = time.perf_counter() - begun, time.perf_counter(), _ticks(analyst.pid)
    failed = sum(bool(analyst.examine(case).failures) for case in cases[1:])
    wall, spent = time.perf_counter() - began, _ticks(analyst.pid) - used
    status = Path(f"/proc/{analyst.pid}/status").read_text()
    peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    analyst.close()
    return Throughput(len(cases) - 1, start, wall, spent, peak, failed)


def _ticks(pid: int | None) -> float:
    """CPU seconds of a process that goes on."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / 100  # USER_HZ is 100 on every Linux
