"""The program of the process that examines photos: cases on standard input, reports on standard output.

Run by its path and without site-packages, as the one that reads photos is (evidence/inside.py). It lives long, because
models take seconds to load; what it holds of a person is gone with the next case, or with it. Of `fv` it can import
only fv.analysis: no database, no keyring, no settings are in it.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO


def serve(questions: BinaryIO, answers: BinaryIO, frames: Any, examiner: Any) -> None:
    """Until there are no more questions."""
    _say(answers, frames.framed(frames.READY))
    while head := questions.read(frames.LENGTH.size):
        (length,) = frames.LENGTH.unpack(head)
        name, case = frames.case_of(questions.read(length))
        _say(answers, frames.framed(frames.answered(name, examiner.examine(case))))


def _say(answers: BinaryIO, frame: bytes) -> None:
    answers.write(frame)
    answers.flush()


def only_analysis() -> None:  # pragma: no cover (what it does would hold for the tests too)
    """Modules of this folder can be imported; `fv`, which imports everything, is an empty package."""
    here = Path(__file__).parent
    for name, folders in (("fv", []), ("fv.analysis", [str(here)])):
        sys.modules[name] = package = ModuleType(name)
        package.__path__ = folders


def main(told: str, **options: Any) -> None:  # pragma: no cover (as above)
    """`told`: what fv/jobs/examiner.py writes on the command line. `options`: for the Examiner."""
    asked = json.loads(told)
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # whatever libraries print goes where their errors go, and not between the frames
    only_analysis()
    frames, confining = (import_module(f"fv.analysis.{name}") for name in ("frames", "confining"))
    readable = [*asked["packages"], os.path.dirname(__file__), *asked["settings"].get("readable", ())]
    confining.isolate(asked["parent"], readable)
    confining.limit(asked["data"], asked["space"])
    sys.path += asked["packages"]
    examining = import_module("fv.analysis.examining")
    serve(questions, answers, frames, examining.Examiner(asked["settings"], **options))


if __name__ == "__main__":  # pragma: no cover
    main(sys.argv[1])
