"""Every two templates of an account that are alike: faces that came under different names, for example. Exact.

All templates are read as of one moment and compared in blocks: a product of matrices in float32, whose error has a
bound, says which pairs can be meant, and each of those is compared as in a search. Needs 1 KB a template of memory,
and 100 bytes for each pair that is kept.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fv import db
from fv.audit import flows as audit
from fv.fingerprints import flows, listing, store, turning, vector
from fv.fingerprints.rekeying import Progress
from fv.fingerprints.store import Gallery, Space

MOST = 1_000_000  # pairs that are kept, the best
BLOCK = 2_048  # templates by as many: 16 MB of cosines
READ = 2_000  # templates at a time
CHUNK = 10_000  # pairs at a time
#: How far a cosine from the product can be off: 128 products in float32 err by at most 7.7e-6 in any order (Higham,
#: Accuracy and Stability, §3.1), and the stored lengths are within 1e-6 of 1, each.
SLACK = 2e-5

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
_Faces = tuple[int, int, float]


class Pair(NamedTuple):
    """`id` is the smaller one of both."""

    similarity: float
    id: str
    external_user_id: str
    other_id: str
    other_external_user_id: str


@dataclass(frozen=True)
class Alike:
    """The best first, equal ones by id. `is_cut`: there were more, and these are the best MOST."""

    compared: int
    is_cut: bool
    number: int
    pairs: Iterator[Pair] = field(repr=False)


@dataclass(frozen=True)
class _Everybody:
    """In the order of their ids. `faces`: the different vectors; `face_of`: which of them each has."""

    ids: list[str] = field(repr=False)
    users: list[str] = field(repr=False)
    faces: Floats = field(repr=False)
    face_of: Places = field(repr=False)


class _Kept:
    """The best pairs so far, as places in the order of ids. `floor`: what is less alike is not among them any more."""

    def __init__(self, floor: float) -> None:
        self.floor, self.is_cut = floor, False
        self._similarities, self._ones, self._others = array("d"), array("q"), array("q")

    def add(self, similarity: float, ones: Places, others: Places) -> None:
        self._similarities.extend([similarity] * len(ones))
        self._ones.frombytes(np.minimum(ones, others).tobytes())
        self._others.frombytes(np.maximum(ones, others).tobytes())
        if len(self._ones) > 2 * MOST:
            self._keep(self.best())

    def best(self) -> tuple[NDArray[np.float64], Places, Places]:
        similarities = np.array(self._similarities, np.float64)
        ones, others = np.array(self._ones, np.int64), np.array(self._others, np.int64)
        order = np.lexsort((others, ones, -similarities))
        if len(order) > MOST:
            order, self.is_cut = order[:MOST], True
            self.floor = float(similarities[order[-1]])
        return similarities[order], ones[order], others[order]

    def _keep(self, best: tuple[NDArray[np.float64], Places, Places]) -> None:
        similarities, ones, others = (part.tobytes() for part in best)
        self._similarities, self._ones, self._others = array("d", similarities), array("q", ones), array("q", others)


def compare(
    account_id: str, mode: str, space: Space, at_least: float, same_person: bool, now: int, progress: Progress
) -> Alike:
    """Every pair from `at_least` on whose external_user_ids differ, or (`same_person`) of whomever. It is recorded.

    While templates move to another rotation, the others are turned by the newest first, as they will be. `progress` is
    told how many of how many pairs of blocks are done.
    """
    everybody = _read(account_id, mode, space)
    kept = _Kept(at_least)
    members = _members(everybody)
    users = _numbered(everybody.users)
    for face, other, similarity in _alike(everybody, members, kept, progress):
        if similarity < kept.floor:
            continue
        for one, two in _combinations(members(face), members(other), face == other):
            wanted = slice(None) if same_person else users[one] != users[two]
            kept.add(similarity, one[wanted], two[wanted])
    with db.transaction():
        audit.record("fingerprints.compared", account_id, now, "support", templates=len(everybody.ids))
    best = kept.best()
    return Alike(len(everybody.ids), kept.is_cut, len(best[0]), _told(everybody, *best))


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────


def _read(account_id: str, mode: str, space: Space) -> _Everybody:
    ids: list[str] = []
    users: list[str] = []
    vectors: list[bytes] = []
    with db.reading():
        galleries = [one for one in store.galleries(account_id, mode) if one.size and one.space == space]
        newest = max((one.generation for one in galleries), default=0)
        for gallery in galleries:
            for rows in listing.everyone(gallery.id, READ):
                ids += [row[0] for row in rows]
                users += [row[1] for row in rows]
                vectors.append(_turned(account_id, gallery, newest, [row[2] for row in rows]))
    order = sorted(range(len(ids)), key=ids.__getitem__)
    stored = np.frombuffer(b"".join(vectors), f"V{vector.BYTES}")
    faces, face_of = np.unique(stored, return_inverse=True)
    return _Everybody(
        [ids[place] for place in order], [users[place] for place in order],
        faces.view("<f4").reshape(-1, vector.LENGTH), face_of.reshape(-1)[order],
    )  # fmt: skip


def _turned(account_id: str, gallery: Gallery, newest: int, stored: list[bytes]) -> bytes:
    if gallery.generation == newest:
        return b"".join(stored)
    here, there = (flows.rotation_of(account_id, one) for one in (gallery.generation, newest))
    straight = turning.turned_back(here, turning.numbers(stored))
    return b"".join(turning.packed(turning.turned(there, straight)))


# ── Comparing ────────────────────────────────────────────────────────────────────────────────────────────────


def _alike(everybody: _Everybody, members: "_Members", kept: _Kept, progress: Progress) -> Iterator[_Faces]:
    """Two faces, or one that several have, and their cosine, from the floor on."""
    faces = everybody.faces
    for face in np.flatnonzero(np.diff(members.ends) > 1).tolist():
        yield face, face, vector.cosine(faces[face].tolist(), faces[face].tolist())
    starts = range(0, len(faces), BLOCK)
    done, all = 0, len(starts) * (len(starts) + 1) // 2
    for start in starts:
        for other_start in starts[start // BLOCK :]:
            for one, other in _candidates(faces, start, other_start, kept):
                yield one, other, vector.cosine(faces[one].tolist(), faces[other].tolist())
            done += 1
            progress(done, all)


def _candidates(faces: Floats, start: int, other_start: int, kept: _Kept) -> Iterator[tuple[int, int]]:
    """Of two blocks the faces that may be alike enough, the likeliest first: the floor may rise meanwhile."""
    rough = faces[start : start + BLOCK] @ faces[other_start : other_start + BLOCK].T
    enough = rough >= kept.floor - SLACK
    ones, others = np.nonzero(np.triu(enough, 1) if start == other_start else enough)
    order = np.argsort(-rough[ones, others])
    for at in range(0, len(order), CHUNK):
        some = order[at : at + CHUNK]
        some = some[rough[ones[some], others[some]] >= kept.floor - SLACK]
        yield from zip((ones[some] + start).tolist(), (others[some] + other_start).tolist(), strict=True)


def _members(everybody: _Everybody) -> "_Members":
    order = np.argsort(everybody.face_of, kind="stable")
    ends = np.searchsorted(everybody.face_of[order], np.arange(len(everybody.faces) + 1))
    return _Members(order, ends)


class _Members(NamedTuple):
    order: Places
    ends: Places

    def __call__(self, face: int) -> Places:
        """The places of those that have this face."""
        return self.order[self.ends[face] : self.ends[face + 1]]


def _combinations(ones: Places, others: Places, is_same: bool) -> Iterator[tuple[Places, Places]]:
    """Each of these with each of those, or each two of them; one at a time against all, so that no array is large."""
    for number, one in enumerate(ones):
        against = others[number + 1 :] if is_same else others
        yield np.full(len(against), one), against


def _numbered(users: Sequence[str]) -> Places:
    known: dict[str, int] = {}
    return np.array([known.setdefault(user, len(known)) for user in users], np.int64)


def _told(everybody: _Everybody, similarities: NDArray[np.float64], ones: Places, others: Places) -> Iterator[Pair]:
    ids, users = everybody.ids, everybody.users
    for similarity, one, other in zip(similarities, ones, others, strict=True):
        yield Pair(float(similarity), ids[one], users[one], ids[other], users[other])
