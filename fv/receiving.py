"""How the body of a request comes in: declared, bounded, and never awaited by all threads at once.

The server starts a thread as soon as it has the headers, so a stranger who sends half a body and falls silent keeps
that thread for as long as the connection lasts. Only so many threads of a process wait for strangers, and so many for
one account; the others are for everybody else who is signed in. (A read cannot be given up: one in a thread of its own,
abandoned after ten seconds, stops granian 2.8.7 altogether. A proxy with a body timeout in front is the whole answer;
docs/operate.md says so.)

A photo is larger than everything else, so its view takes it in, once that knows whose it is, and only so many are in
memory at once. Nothing that is sent is ever put on the disk.
"""

import io
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from flask import Flask, request
from werkzeug.wrappers import Response

from fv import gate
from fv.config import THREADS
from fv.gate import Standing
from fv.problems import Problem

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STRANGERS = THREADS - 8  # threads of a process that may wait for a body of somebody who has proved nothing
OWN = 8  # threads of a process that may wait for bodies of one account
PHOTO = 10 * 1024 * 1024  # bytes
AROUND = 64 * 1024  # bytes of a form around its photo
PHOTOS = 8  # that a process has in memory at once
PHOTOS_OF_ONE = 2  # of them of one session

#: Their views take the body in, with photo() below.
TAKES_PHOTO = frozenset({"capture.keep_photo", "capture.api_keep_photo", "search.ask"})

_strangers = threading.BoundedSemaphore(STRANGERS)
_photos = threading.BoundedSemaphore(PHOTOS)
_own: Counter[str] = Counter()
_counting = threading.Lock()


class UpToPhoto(io.BytesIO):
    """The beginning of a file: what comes behind the largest photo, and one byte that says so, is let go."""

    def write(self, piece: "ReadableBuffer") -> int:
        super().write(memoryview(piece)[: PHOTO + 1 - self.tell()])
        return memoryview(piece).nbytes


class InMemory:
    """A request that keeps files in memory, where werkzeug would write those over 500 KB to the disk."""

    def _get_file_stream(self, *_: object, **__: object) -> IO[bytes]:
        return UpToPhoto()


def init_app(app: Flask) -> None:
    """Registered behind the gate: what it refuses is never read."""
    app.request_class = type("Request", (InMemory, app.request_class), {})
    app.before_request(_receive)


@contextmanager
def photo(whose: str, longest: int = PHOTO + AROUND) -> Iterator[bytes]:
    """The file `photo` of the form that is sent, empty when there is none; meanwhile it counts as in memory.

    `longest`: bytes of a form that is taken in, so that its other fields are known. Of a larger photo PHOTO + 1 bytes.
    """
    with _place(_photos), _place_of(whose, PHOTOS_OF_ONE):
        if request.mimetype == "multipart/form-data":
            request.max_content_length = longest
            request.max_form_memory_size = 4 * AROUND  # werkzeug reads 64 KiB at a time, and counts what it has read
        file = request.files.get("photo")
        yield file.read() if file else b""


def _receive() -> Response | None:
    """Take the whole body in; the views find it in memory. Over MAX_CONTENT_LENGTH: 413, unread.

    A body may take as long as its sender likes, and meanwhile the login may have ended: so the gate is asked again.
    """
    if request.content_length is None and "Transfer-Encoding" in request.headers:
        raise Problem("length_required")  # its end cannot be told from an interruption
    if not request.content_length or request.endpoint in TAKES_PHOTO:
        return None
    who = gate.caller()
    known = who.account_id if who.standing is Standing.CLEAR else None
    with _place_of(known, OWN) if known else _place(_strangers):
        request.get_data()
    return gate.ask_again()


@contextmanager
def _place(places: threading.BoundedSemaphore) -> Iterator[None]:
    if not places.acquire(blocking=False):
        raise Problem("busy", retry_after=2)
    try:
        yield
    finally:
        places.release()


@contextmanager
def _place_of(whose: str, most: int) -> Iterator[None]:
    with _counting:
        if _own[whose] >= most:
            raise Problem("busy", retry_after=2)
        _own[whose] += 1
    try:
        yield
    finally:
        with _counting:
            _own[whose] -= 1
            if not _own[whose]:
                del _own[whose]
