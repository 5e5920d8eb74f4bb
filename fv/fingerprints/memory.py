"""Which galleries are held in memory: as true as the database, in bounded room, the least recently used leaves first.

Promise: an index that is lent is the gallery at exactly the version that the caller's transaction sees. Whoever finds
it older brings what came and takes what went from the database, as of that transaction.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from time import monotonic

from flask import Flask, current_app

from fv import db
from fv.fingerprints import codes, store
from fv.fingerprints.index import A_ROW, BLOCK, SEGMENT, Index
from fv.fingerprints.rotation import Rotation
from fv.fingerprints.store import Gallery

MIB = 1024 * 1024
TIDIED = 60  # seconds between two looks for what was deleted since, and what nobody uses
IDLE = 3600  # seconds after which what nobody uses leaves


_log = logging.getLogger("fv.jobs")


class Ahead(Exception):
    """Another search, begun later, has taken the index past what this transaction sees. A new transaction sees it."""


class Door:
    """Many may look at the same time; who changes something is alone."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._looking = 0
        self._is_changing = False

    @contextmanager
    def looking(self) -> Iterator[None]:
        with self._condition:
            self._condition.wait_for(lambda: not self._is_changing)
            self._looking += 1
        try:
            yield
        finally:
            with self._condition:
                self._looking -= 1
                self._condition.notify_all()

    @contextmanager
    def changing(self) -> Iterator[None]:
        with self._condition:
            self._condition.wait_for(lambda: not self._is_changing and not self._looking)
            self._is_changing = True
        try:
            yield
        finally:
            with self._condition:
                self._is_changing = False
                self._condition.notify_all()


class Held:
    """`rotation`: what the templates of the gallery are turned by, once somebody has needed it."""

    def __init__(self) -> None:
        self.index, self.door, self.used_at = Index(), Door(), monotonic()
        self.rotation: Rotation | None = None


class Memory:
    """Of one process. `room`: bytes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._held: OrderedDict[int, Held] = OrderedDict()
        self._lock, self._loading = threading.Lock(), threading.Lock()

    def takes(self, gallery: Gallery) -> bool:
        """Whether there is room for it when everything else leaves."""
        return gallery.size * A_ROW <= self.room

    @contextmanager
    def lent(self, gallery: Gallery) -> Iterator[Index]:
        """The index of a gallery, as it is in the caller's transaction, for as long as it is looked at. Raises Ahead.

        Inside of db.reading() or a transaction, which has not changed the gallery itself: what is undone later must not
        be in an index.
        """
        held = self._taken(gallery.id)
        if held.index.version < gallery.version:
            with self._loading if not held.index.version else nullcontext():  # two at once would need twice the room
                self._make_room(gallery)
                with held.door.changing():
                    _catch_up(held.index, gallery)
        with held.door.looking():
            if held.index.version != gallery.version:
                raise Ahead
            yield held.index

    def rotation(self, gallery: Gallery, make: Callable[[], Rotation]) -> Rotation:
        """What its templates are turned by: opening and making it takes 0.15 ms, so it stays beside an index."""
        held = self._held.get(gallery.id)
        if held is None:
            return make()
        if held.rotation is None:
            held.rotation = make()
        return held.rotation

    def tidy(self) -> None:
        """What was deleted in the database leaves the memory too, and what nobody used for long. No search waits."""
        for id, held in list(self._held.items()):
            with db.reading():
                gallery = store.gallery(id)
                if gallery is None or monotonic() - held.used_at > IDLE:
                    self._drop(id)
                elif held.index.version < gallery.version:
                    with held.door.changing():
                        _catch_up(held.index, gallery)

    @property
    def bytes(self) -> int:
        return sum(held.index.bytes for held in list(self._held.values()))

    @property
    def ids(self) -> list[int]:
        """Of the galleries that are held, the least recently used first."""
        return list(self._held)

    def _taken(self, id: int) -> Held:
        with self._lock:
            held = self._held.setdefault(id, Held())
            self._held.move_to_end(id)
            held.used_at = monotonic()
            return held

    def _drop(self, id: int) -> None:
        """Whoever still looks at it does so to the end; then it is gone."""
        with self._lock:
            self._held.pop(id, None)

    def _make_room(self, gallery: Gallery) -> None:
        """For what it takes now, before it is loaded."""
        while others := [id for id in self.ids if id != gallery.id]:
            taken = sum(held.index.bytes for id, held in list(self._held.items()) if id != gallery.id)
            if taken + gallery.size * A_ROW <= self.room:
                return
            self._drop(others[0])


def init_app(app: Flask) -> None:
    app.extensions["galleries"] = Memory(int(app.config["SEARCH_MEMORY"]) * MIB)


def of_app() -> Memory:
    memory: Memory = current_app.extensions["galleries"]
    return memory


def keep_tidy(app: Flask, ending: threading.Event) -> threading.Thread:
    """Tidy the memory of this process every minute, until it ends."""

    def work() -> None:
        while not ending.wait(TIDIED):
            try:
                with app.app_context():
                    of_app().tidy()
            except Exception as error:  # the next time may be better
                _log.error("galleries in memory have to wait: %s", type(error).__name__)

    thread = threading.Thread(target=work, name="galleries", daemon=True)
    thread.start()
    return thread


def _catch_up(index: Index, gallery: Gallery) -> None:
    """Bring an index to the version of a gallery, as of the transaction the gallery was read in."""
    if index.version >= gallery.version:
        return  # somebody else did
    since = index.version if index.version >= gallery.forgotten else 0  # what left before is no longer listed
    if not since:
        index.clear()
    try:
        index.remove(store.removed_since(gallery.id, since) if since else ())
        for rows in store.since(gallery.id, since, BLOCK if since else SEGMENT):
            numbers, vectors = zip(*rows, strict=True)
            index.add(numbers, codes.array(b"".join(vectors)))
    except BaseException:
        index.clear()  # half of the changes are worse than none
        raise
    index.version = gallery.version
