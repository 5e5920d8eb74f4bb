"""Where the trail ends, noted outside the database: so that rows cut off at the end are missed.

One line of fixed length in a file of its own, written over in place, so that no crash leaves half a note.
"""

import fcntl
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LENGTH = 256  # bytes; less than the 512 a disk writes at once


@dataclass(frozen=True)
class Head:
    """The newest row that is known to have been written."""

    number: int
    hash: str
    seal: str


def read(path: Path) -> Head | None:
    """None when there is none that can be read, or it is not one."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # what is no file makes nobody wait
            fcntl.flock(file, fcntl.LOCK_SH)
            return _parse(file.read(LENGTH)) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except OSError:
        return None


def prove_writable(path: Path) -> None:
    """OSError when it cannot be written to. Changes nothing but that it exists."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def write(path: Path, head: Head, is_ours: Callable[[Head], bool]) -> None:
    """Note it, unless a newer one of ours is there: two processes may come in the wrong order."""
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = _parse(file.read(LENGTH))
        if before is None or before.number < head.number or not is_ours(before):
            line = f"{head.number} {head.hash} {head.seal}".ljust(LENGTH - 1) + "\n"
            os.pwrite(file.fileno(), line.encode(), 0)
            os.ftruncate(file.fileno(), LENGTH)


def _parse(content: bytes) -> Head | None:
    words = content.decode("ascii", "replace").split()
    is_one = len(words) == 3 and re.fullmatch(r"[0-9]{1,18}", words[0])
    return Head(int(words[0]), words[1], words[2]) if is_one else None
