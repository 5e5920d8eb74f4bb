"""One process that examines photos, seen from outside: started, asked, measured, killed.

It is started by exec and never by a fork of this process, which has threads and the keyring; it gets an environment of
counts and nothing else. Whatever it does, each call here ends by its deadline: pipes are never waited for without one.
"""

import json
import os
import secrets
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import BinaryIO, cast

from fv.analysis import frames, inside
from fv.analysis.examining import Settings
from fv.analysis.report import Case, Failed, Interrupted, Malformed, Report

# Measured with rapidocr, onnxruntime and dlib on a page of 2400 x 2400 pixels full of text: 1.2 GB resident and 1.75 GB
# of addresses at most, 0.5 GB resident afterwards. With 1.0 GB of data the reader runs out of memory.
DATA = 1_536 * 1024 * 1024  # bytes that can become memory: a bomb ends there
SPACE = 2_048 * 1024 * 1024  # bytes of addresses: libraries are mapped, and shared memory is no data
SLICE = 0.25  # seconds between two looks at whether to stop
PIECE = 1 << 18  # bytes written or read at once
PROGRAM = Path(inside.__file__)
# two sessions are never examined at once, and the web processes need the other cores
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1")
ENVIRONMENT = THREADS | {"MALLOC_ARENA_MAX": "2"}  # glibc maps 64 MB of addresses for each arena


class Process:
    """`is_stopping`: asked four times a second while it is waited for. It does not survive an exception."""

    def __init__(
        self, is_stopping: Callable[[], bool], until: float, settings: Settings, program: Path = PROGRAM,
        data: int = DATA,
    ) -> None:  # fmt: skip
        """Raises Failed("unavailable") when it does not get as far as saying that it is ready, Interrupted."""
        told = {
            "parent": os.getpid(), "data": data, "space": SPACE, "packages": _packages(), "settings": dict(settings)
        }  # fmt: skip
        self._is_stopping, self._heard = is_stopping, bytearray()
        try:
            # its own process group: Ctrl+C is not for it
            self._process = subprocess.Popen(  # noqa: S603 (our own program; the photos are its input)
                [sys.executable, "-I", "-S", "-B", str(program), json.dumps(told)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=ENVIRONMENT, cwd="/", start_new_session=True,
            )  # fmt: skip
        except OSError:
            raise Failed("unavailable") from None
        self.pid = self._process.pid
        self._stdin, self._stdout = (cast(BinaryIO, pipe) for pipe in (self._process.stdin, self._process.stdout))
        for pipe in (self._stdin, self._stdout):
            os.set_blocking(pipe.fileno(), False)
        try:
            if self._exchange(b"", until) != frames.READY:
                raise Failed("malformed")
        except Failed:
            self.kill()
            raise Failed("unavailable") from None
        except BaseException:
            self.kill()
            raise

    def ask(self, case: Case, until: float) -> Report:
        """Raises Failed("crashed" | "too_slow" | "malformed"), Interrupted; it is dead then."""
        name = secrets.token_hex(8)
        try:
            return frames.report_of(name, self._exchange(frames.framed(frames.asked(name, case)), until))
        except Malformed:
            self.kill()
            raise Failed("malformed") from None
        except BaseException:
            self.kill()
            raise

    def resident(self) -> int:
        """Bytes of memory it holds; 0 where the system does not say."""
        with suppress(OSError, ValueError, IndexError):
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def kill(self) -> None:
        """It is gone afterwards, and what it held of a person with it."""
        if self._process.returncode is None:  # nobody has waited for it: its number is still its own
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._stdin, self._stdout):
            with suppress(OSError):
                pipe.close()

    def _exchange(self, out: bytes, until: float) -> bytes:
        """Send this and wait for one frame: its content."""
        rest, pipes = memoryview(out), select.poll()
        pipes.register(self._stdout, select.POLLIN)
        if rest:
            pipes.register(self._stdin, select.POLLOUT)
        while (frame := self._frame()) is None:
            if self._is_stopping():
                raise Interrupted
            if (left := until - monotonic()) <= 0:
                raise Failed("too_slow")
            for pipe, _ in pipes.poll(1000 * min(left, SLICE)):
                if pipe == self._stdout.fileno():
                    self._hear()
                elif not (rest := self._send(rest)):
                    pipes.unregister(self._stdin)
        if rest or self._heard:  # it answered before it was asked, or says more than it was asked
            raise Failed("malformed")
        return frame

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            heard = os.read(self._stdout.fileno(), PIECE)
            if not heard:
                raise Failed("crashed")
            self._heard += heard

    def _send(self, rest: memoryview) -> memoryview:
        """What is still to be sent."""
        try:
            return rest[os.write(self._stdin.fileno(), rest[:PIECE]) :]
        except BlockingIOError:
            return rest
        except BrokenPipeError:  # it died: there will be nothing to hear either
            return rest[:0]

    def _frame(self) -> bytes | None:
        """The content of the first frame that was heard as a whole."""
        if len(self._heard) < frames.LENGTH.size:
            return None
        (length,) = frames.LENGTH.unpack_from(self._heard)
        if length > frames.LONGEST_ANSWER:
            raise Failed("malformed")
        end = frames.LENGTH.size + length
        if len(self._heard) < end:
            return None
        content = bytes(self._heard[frames.LENGTH.size : end])
        del self._heard[:end]
        return content


def _packages() -> list[str]:
    """The folders that this process imports from; but a checkout of ours, where the instance folder may be, is none."""
    entries = [Path(entry) for entry in sys.path if Path(entry).is_absolute()]
    return [str(entry) for entry in entries if entry.exists() and not (entry / "wsgi.py").exists()]
