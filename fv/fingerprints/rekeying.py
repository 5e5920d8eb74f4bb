"""The story: an account gets another rotation, and its templates move to it, a few at a time, while all are found.

At every moment a template is in one gallery, and a search looks into all of them. What is done is done: whoever begins
again after a crash, or beside another, takes what is left. At the end the old rotations are destroyed.

Imported templates come the same way: their gallery has a rotation of its own (flows.apart).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from fv import db
from fv.audit import flows as audit
from fv.fingerprints import flows, store, turning
from fv.fingerprints.store import Gallery, Row

BATCH = 500  # templates a transaction: 20 ms of the write lock

#: Is told how many of how many templates have moved.
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Rekeyed:
    """`went_on`: a move that was begun before was finished, and no other rotation made. `is_log_empty`: the old one is
    out of the write-ahead log too."""

    went_on: bool
    templates: int
    is_log_empty: bool


@dataclass(frozen=True)
class _Batch:
    """`left`: templates that were still to be moved, these among them. `vectors`: turned by the newest rotation."""

    gallery: Gallery
    newest: int
    left: int
    rows: list[Row] = field(repr=False)
    vectors: list[bytes] = field(repr=False)


def rekey_account(account_id: str, now: int, progress: Progress) -> Rekeyed | None:
    """None: the account has no rotation, so there is nothing to turn. Outside of any transaction."""
    with db.transaction():
        has_any, went_on = bool(store.rotations(account_id)), len(flows.generations(account_id)) > 1
        if has_any and not went_on:
            flows.new_rotation(account_id, now)
    if not has_any:
        return None
    settle(account_id, now, progress)
    templates = sum(gallery.size for gallery in store.galleries(account_id))
    return Rekeyed(went_on, templates, db.empty_log())


def settle(account_id: str, now: int, progress: Progress) -> None:
    """Move every template to the newest rotation, and destroy the rotations that nothing is turned by any more."""
    with db.transaction():
        flows.newest(account_id, now)
    all = 0
    while True:
        while batch := _next(account_id):
            all = max(all, batch.left)
            progress(all - batch.left, all)
            _move(batch)
        if _is_over(account_id, now):
            break
    progress(all, all)


def _next(account_id: str) -> _Batch | None:
    """Some of those that another rotation than the newest has turned, turned by it: the slow work, without a lock."""
    with db.reading():
        newest = max(flows.generations(account_id), default=0)
        older = [one for one in store.galleries(account_id) if one.size and one.generation != newest]
        if not older:
            return None
        gallery, left = older[0], sum(one.size for one in older)
        rows = store.first(gallery.id, BATCH)
        here = flows.rotation_of(account_id, gallery.generation)
        there = flows.rotation_of(account_id, newest)
    straight = turning.turned_back(here, turning.numbers([row.vector for row in rows]))
    return _Batch(gallery, newest, left, rows, turning.packed(turning.turned(there, straight)))


def _move(batch: _Batch) -> None:
    """Those that are still there: others may have been removed, or moved by somebody else."""
    gallery = batch.gallery
    with db.transaction():
        if max(flows.generations(gallery.account_id), default=0) != batch.newest:
            raise db.Undo
        there = {row.id for row in store.rows(gallery.id, [row.number for row in batch.rows])}
        pairs = zip(batch.rows, batch.vectors, strict=True)
        turned = [(row.id, vector) for row, vector in pairs if row.id in there]
        if not turned:
            raise db.Undo
        target = flows.gallery_of(gallery.account_id, gallery.mode, gallery.space, batch.newest)
        store.move(gallery.id, target.id, turned)


def _is_over(account_id: str, now: int) -> bool:
    """Whether all are turned by the newest rotation. Then the others are destroyed: no later copy has them."""
    with db.transaction():
        newest = max(flows.generations(account_id), default=0)
        galleries = store.galleries(account_id)
        if any(one.size and one.generation != newest for one in galleries):
            raise db.Undo
        if store.retire(account_id, newest):
            templates = sum(one.size for one in galleries)
            audit.record("fingerprints.rekeyed", account_id, now, "support", generation=newest, templates=templates)
        return True
    return False
