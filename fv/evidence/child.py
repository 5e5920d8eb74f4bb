"""Read a photo in a process of its own, with limits: whatever a crafted file does there ends there.

A fresh process for each photo, started by exec and never by a fork of this one, which has threads. It gets no
environment, so no key, and nothing of a photo outlives it.
"""

import hashlib
import logging
import re
import subprocess
import sys
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, cast

from fv.evidence.intake import LARGEST, LONGER_SIDE, Photo, Refused
from fv.turns import Busy, Turns

MEMORY = 1_536 * 1024 * 1024  # bytes of address space; a WebP of 25 megapixels takes 0.5 GB
PROCESSOR = 5  # seconds of processor time; a JPEG of 50 megapixels takes about 1
PATIENCE = 20  # seconds of the clock
LONGEST = 20_000_000  # bytes of an answer: 2400 x 2400 pixels of pure noise take 7 MB
AT_ONCE = 2  # over all processes of this instance folder
ROOM = 8  # requests of a process that read a photo or wait; each holds 10 MB, and the others answer meanwhile
PROGRAM = Path(__file__).with_name("inside.py")

_log = logging.getLogger("fv.evidence")
_turns = Turns("photos", at_once=AT_ONCE, room=ROOM, patience=10)
_HEAD = re.compile(rb"(?:photo ([0-9]{1,4}) ([0-9]{1,4})|refused ([a-z_]{1,20}))\n")


def read(raw: bytes) -> Photo | Refused:
    """As intake.read; a crash, a limit or a timeout is DAMAGED. Raises turns.Busy only."""
    if len(raw) > LARGEST:
        return Refused.TOO_LARGE
    with _turns.one():
        answer = _answer(raw)
    head = _HEAD.match(answer)
    if head is None:
        return Refused.DAMAGED
    jpeg, words = answer[head.end() :], {refused.value: refused for refused in Refused}
    if head[3]:
        return words.get(head[3].decode(), Refused.DAMAGED)
    width, height = int(head[1]), int(head[2])
    if not (1 <= width <= LONGER_SIDE and 1 <= height <= LONGER_SIDE and jpeg.startswith(b"\xff\xd8\xff")):
        return Refused.DAMAGED
    return Photo(jpeg, width, height, hashlib.sha256(raw).hexdigest())  # the child's word is not taken for the hash


def _answer(raw: bytes) -> bytes:
    """What the child said, if it ended by itself and well; else nothing."""
    options = [str(MEMORY), str(PROCESSOR), _packages()]
    try:
        process = subprocess.Popen(  # noqa: S603 (our own program; the photo is its input, not its command)
            [sys.executable, "-I", "-S", "-B", str(PROGRAM), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
        )
    except OSError:  # no memory or no process to spare at the moment: the photo may be good
        raise Busy from None
    end = threading.Timer(PATIENCE, process.kill)
    end.start()
    try:
        with process:
            answer = _told(process, raw)
            if len(answer) > LONGEST:
                process.kill()
    finally:
        end.cancel()
    if process.returncode != 0 or len(answer) > LONGEST:
        _log.warning("a photo was not read: the process for it ended with %d", process.returncode)
        return b""
    return answer


def _told(process: subprocess.Popen[bytes], raw: bytes) -> bytes:
    stdin, stdout = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
    with suppress(BrokenPipeError), stdin:  # it may end before it has read everything
        stdin.write(raw)
    return stdout.read(LONGEST + 1)


def _packages() -> str:
    """The folder that Pillow is in, wherever this process found it."""
    found = find_spec("PIL")
    return str(Path(found.origin).parent.parent) if found and found.origin else ""
