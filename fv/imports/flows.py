"""The story: a file is checked whole, its templates are written where nobody finds them, and then opened in one moment.

They go to a gallery of their own (fingerprints.flows.apart), a few at a time, so that nobody waits for the write lock.
What is there is noted with them: after a crash the same file goes on where it was. Opening is one row, however many
there are. From then on they are found, and move to the others as after a new rotation (fingerprints/rekeying.py).
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from fv import db, ids
from fv.audit import flows as audit
from fv.fingerprints import flows as fingerprints
from fv.fingerprints import rekeying, turning
from fv.fingerprints import store as templates
from fv.fingerprints.rekeying import Progress
from fv.fingerprints.store import New, Space
from fv.imports import reading, store
from fv.imports.reading import Bad, Refused, Row, Source
from fv.imports.store import Import
from fv.terms import flows as terms
from fv.verifications import store as verifications
from fv.verifications.flows import is_user_id

BATCH = 500  # templates a transaction: 20 ms of the write lock
SHOWN = 20  # bad rows that are told one by one


class Discarded(Exception):
    """Somebody took the import back while it was under way."""


@dataclass(frozen=True)
class Target:
    account_id: str
    mode: str
    space: Space


@dataclass(frozen=True)
class Checked:
    """What a file holds. `examples`: the first bad rows. `digest`: of the file and where it goes."""

    good: int
    bad: int
    examples: tuple[Bad, ...]
    digest: str


def check(source: Source, target: Target, now: int, progress: Progress) -> Checked:
    """Looks at every row and changes nothing. Raises Refused."""
    digest = _digest(source, target)
    good, bad, examples = 0, 0, []
    for found in reading.rows(source, is_user_id, progress, _sessions_of(target, now)):
        if isinstance(found, Row):
            good += 1
            continue
        bad += 1
        if bad <= SHOWN:
            examples.append(found)
    return Checked(good, bad, tuple(examples), digest)


def known(target: Target, checked: Checked) -> Import | None:
    """Of the same file to the same place: the import that was broken off, else the last one."""
    return store.of_digest(target.account_id, checked.digest)


def begin(target: Target, checked: Checked, again: bool, now: int) -> Import:
    """One that was broken off, else, unless it is wanted again, one that is open already, else a new one.

    One that somebody has begun to take back is taken back first.
    """
    before = known(target, checked)
    if before and before.done < 0:
        discard(target.account_id, before, now)
    with db.transaction():
        found = known(target, checked)
        if found and (found.opened_at is None or not again):
            return found
        gallery = fingerprints.apart(target.account_id, target.mode, target.space, now)
        new = Import(ids.new("imp"), target.account_id, gallery.id, checked.digest, checked.good, 0, now, None)
        store.add(new)
    return new


def take(source: Source, target: Target, begun: Import, now: int, progress: Progress) -> None:
    """Write what is not there yet of a file that was checked, and open it. Raises Refused and Discarded."""
    place = 0
    for rows in _batches(source):
        if place + len(rows) > begun.done:
            _write(begun, place, rows, now, _sessions_of(target, now))
        place += len(rows)
        progress(place, begun.total)
    if place != begun.total or _digest(source, target) != begun.digest:
        discard(target.account_id, begun, now)
        raise Refused(f"{source.file} was changed while it was read. Nothing of it was imported.")
    with db.transaction():
        if store.open_it(begun.id, now):
            audit.record("fingerprints.imported", target.account_id, now, "support", templates=begun.total)
        found = store.by_id(begun.id)
    if found is None or found.opened_at is None:
        raise Discarded


def discard(account_id: str, begun: Import, now: int) -> bool:
    """Take back what is there of an import. False when it was opened first: then all of it stays."""
    if not store.give_up(begun.id):
        return False
    while not _is_gone(begun):
        pass
    rekeying.settle(account_id, now, lambda _done, _all: None)  # with the empty gallery its rotation goes
    db.empty_log()
    return True


def _is_gone(begun: Import) -> bool:
    with db.transaction():
        found = store.by_id(begun.id)
        if found is None or found.opened_at is not None or found.gallery_id is None:
            return True
        rows = templates.first(found.gallery_id, BATCH)
        if not rows:
            store.remove(begun.id)
            return True
        templates.remove(found.gallery_id, [row.id for row in rows])
    return False


def _write(begun: Import, place: int, rows: list[Row], now: int, is_session: Callable[[str], bool]) -> None:
    """These, the first of which is at this place, unless they are there; and none of a session erased since."""
    with db.reading():
        found = store.by_id(begun.id)
        if found is None or found.done < 0:
            raise Discarded
        gallery = templates.gallery(found.gallery_id) if found.gallery_id is not None else None
        if gallery is None:
            return  # it was opened by somebody else who imports the same
        turning_there = fingerprints.rotation_of(begun.account_id, gallery.generation)
    straight = turning.units(np.array([row.numbers for row in rows]))
    vectors = turning.packed(turning.turned(turning_there, straight))
    new = [
        New(ids.new("fp"), row.session_id, row.external_user_id, vector, now)
        for row, vector in zip(rows, vectors, strict=True)
    ]
    with db.transaction():
        found = store.by_id(begun.id)
        if found is None or found.done < 0:
            raise Discarded
        left = new[found.done - place :]  # the same file may be imported by two at once
        if not left:
            raise db.Undo
        templates.add(gallery.id, [one for one in left if one.session_id is None or is_session(one.session_id)])
        store.advance(begun.id, place + len(rows))


def _sessions_of(target: Target, now: int) -> Callable[[str], bool]:
    """Whether a template may belong to this session: one of the account and mode that is not erased."""

    def is_kept(id: str) -> bool:
        found = verifications.find(target.account_id, id, target.mode, now)
        return found is not None and terms.keeps(target.account_id, id, "fingerprints")

    return is_kept


def _batches(source: Source) -> Iterator[list[Row]]:
    good = (one for one in reading.rows(source, is_user_id, lambda _done, _all: None) if isinstance(one, Row))
    while rows := list(islice(good, BATCH)):
        yield rows


def _digest(source: Source, target: Target) -> str:
    space = target.space
    parts = [source.digest(), target.account_id, target.mode, space.model, space.model_sha256, space.preprocessing]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
