"""The program of the child process: a photo on standard input, what became of it on standard output.

Run by its path and without site-packages: as a module it would import all of fv, which takes 400 ms instead of 45.
"""

import importlib
import os
import resource
import sys
from typing import Any


def answer(intake: Any, raw: bytes) -> bytes:
    """A line `photo WIDTH HEIGHT` and the JPEG behind it, or a line `refused WORD`."""
    found = intake.read(raw)
    if isinstance(found, intake.Photo):
        return b"photo %d %d\n" % (found.width, found.height) + bytes(found.jpeg)
    return b"refused %s\n" % found.value.encode()


def main(memory: int, seconds: int, packages: str) -> None:  # pragma: no cover (limits would hold for the tests too)
    """`packages`: the folder that Pillow is in."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # nothing in clear on a disk,
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # also not when it crashes
    sys.path += [packages, os.path.dirname(__file__)]
    sys.stdout.buffer.write(answer(importlib.import_module("intake"), sys.stdin.buffer.read()))


if __name__ == "__main__":  # pragma: no cover
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
