"""The program of the process that examines photos: cases on standard input, reports on standard output.

Run by its path and without site-packages, as the one that reads photos is (evidence/inside.py). It lives long, because
models take seconds to load; what it holds of a person is gone with the next case, or with it. Of `fv` it can import
only fv.analysis: no database, no keyring, no settings are in it.
"""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000  # unshare(2)
PR_SET_PDEATHSIG = 1  # prctl(2)


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


def limit(data: int, space: int) -> None:  # pragma: no cover (limits would hold for the tests too)
    """`data`: bytes that can become memory; `space`: bytes of addresses, mapped files and shared memory included."""
    resource.setrlimit(resource.RLIMIT_DATA, (data, data))
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # nothing in clear on a disk,
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # also not when it crashes


def isolate(parent: int) -> None:  # pragma: no cover (as above)
    """No network where the system lets go of it, first to be killed when memory is short, and no life of its own."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if libc.unshare(CLONE_NEWNET) != 0:  # for root; others need a user namespace, which some systems refuse
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


def only_analysis() -> None:  # pragma: no cover (as above)
    """Modules of this folder can be imported; `fv`, which imports everything, is an empty package."""
    here = Path(__file__).parent
    for name, folders in (("fv", []), ("fv.analysis", [str(here)])):
        sys.modules[name] = package = ModuleType(name)
        package.__path__ = folders


def main(parent: str, data: str, space: str, *packages: str, **options: Any) -> None:  # pragma: no cover (as above)
    """`packages`: where the parent finds what it imports. `options`: for the Examiner."""
    isolate(int(parent))
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # whatever libraries print goes where their errors go, and not between the frames
    limit(int(data), int(space))
    sys.path += packages
    only_analysis()
    examiner = import_module("fv.analysis.examining").Examiner(**options)
    serve(questions, answers, import_module("fv.analysis.frames"), examiner)


if __name__ == "__main__":  # pragma: no cover
    main(*sys.argv[1:])
