"""Who may do heavy work now: one thread of a process, so many processes of this instance folder, few waiting for them.

Memory is bounded by the count: a crowd at the door is told to come back and does not eat the machine.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flask import current_app


class Busy(Exception):
    """Too many ask for the same heavy work at this moment."""


class Turns:
    """`at_once` over all processes, one in each. `room`: threads of a process that work or wait, for `patience` s."""

    def __init__(self, name: str, *, at_once: int, room: int, patience: float) -> None:
        self.name, self.at_once, self.patience = name, at_once, patience
        self.turn = threading.BoundedSemaphore(1)
        self.queue = threading.BoundedSemaphore(room)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait for a turn and hold it; Busy when there is no room to wait in, or it took too long."""
        if not self.queue.acquire(blocking=False):
            raise Busy
        try:
            if not self.turn.acquire(timeout=self.patience):
                raise Busy
            try:
                with self._one_over_all():
                    yield
            finally:
                self.turn.release()
        finally:
            self.queue.release()

    @contextmanager
    def _one_over_all(self) -> Iterator[None]:
        """Hold one of the locked files, which the system lets go of when a process dies."""
        folder = Path(current_app.instance_path)
        with ExitStack() as stack:
            names = [folder / f"{self.name}-{number}.lock" for number in range(self.at_once)]
            files = [stack.enter_context(open(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600), "wb")) for name in names]
            for file in files:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    continue
            else:
                fcntl.flock(files[os.getpid() % self.at_once], fcntl.LOCK_EX)
            yield
