"""The story: templates are turned by the secret of their account and kept, compared, blocked, and erased.

A template in clear is an argument here and nothing else: it is not stored, returned, logged or put into a message.
"""

import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from flask import current_app

from fv import db, ids, sealing
from fv.db.sealed import Kind
from fv.fingerprints import comparing, listing, memory, rotation, store, vector
from fv.fingerprints.comparing import Scored
from fv.fingerprints.listing import Fingerprint
from fv.fingerprints.rotation import Rotation
from fv.fingerprints.store import Gallery, New, Space
from fv.models import flows as models

MODEL = "[a-z0-9._-]{1,64}"  # what one can be called
TRIES = 3  # at an index that others take further meanwhile, before the database compares
_GALLERY = 1 << 62  # ids are drawn below it: two of 10,000 galleries are the same once in 10^11 services


@dataclass(frozen=True)
class Template:
    """A face to be kept. `numbers`: as the model gave them."""

    external_user_id: str
    numbers: Sequence[float] = field(repr=False)
    session_id: str | None = None


@dataclass(frozen=True)
class Hit:
    """`similarity`: cosine, -1 to 1."""

    fingerprint: Fingerprint
    similarity: float


@dataclass(frozen=True)
class Found:
    """`searched`: templates that were compared, all there are."""

    searched: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Face:
    """What is looked for. `numbers`: straight, of length 1. `stored`: the same as bytes, by the gallery they are in."""

    space: Space
    numbers: Sequence[float] = field(repr=False)
    stored: tuple[int, bytes] | None = field(default=None, repr=False)


# ── Keeping ──────────────────────────────────────────────────────────────────────────────────────────────────


def is_name(model: str) -> bool:
    """Whether a model can be called this."""
    return re.fullmatch(MODEL, model) is not None


def space_of(model: str) -> Space:
    """Of a model of ours with all that makes it; of one from elsewhere its name."""
    known = models.known(model)
    return Space(known.id, known.sha256, known.preprocessing) if known else Space(model)


def keep(
    account_id: str, session_id: str, external_user_id: str, mode: str, space: Space, template: Sequence[float],
    now: int,
) -> str:  # fmt: skip
    """The id under which it is kept, in place of what this model made of the session. Inside a transaction.

    Raises vector.Unusable, and ValueError when the model has no name that fits.
    """
    vector.unit(template)  # before anything is replaced by it
    for one in listing.of_session(account_id, session_id):
        if one.model == space.model:
            store.remove(one.gallery_id, [one.id])
    (id,) = add(account_id, mode, space, [Template(external_user_id, template, session_id)], now)
    return id


def add(account_id: str, mode: str, space: Space, templates: Sequence[Template], now: int) -> list[str]:
    """The ids, in this order. Inside a transaction. Raises vector.Unusable and ValueError, as keep()."""
    if not is_name(space.model):
        raise ValueError("the name of a model has 1 to 64 of a-z, 0-9, dot, underscore and dash")
    straight = [vector.unit(one.numbers) for one in templates]
    generation, turning = newest(account_id, now)
    gallery = gallery_of(account_id, mode, space, generation)
    new = [
        New(ids.new("fp"), one.session_id, one.external_user_id, vector.pack(turning.turn(numbers)), now)
        for one, numbers in zip(templates, straight, strict=True)
    ]
    store.add(gallery.id, new)
    return [one.id for one in new]


def gallery_of(account_id: str, mode: str, space: Space, generation: int) -> Gallery:
    """The one that templates of this space go to, made when there is none. Inside a transaction."""
    for found in store.galleries(account_id, mode):
        if (found.space, found.generation) == (space, generation):
            return found
    return _new_gallery(account_id, mode, space, generation)


def apart(account_id: str, mode: str, space: Space, now: int) -> Gallery:
    """A new gallery beside the others, with a rotation of its own: generations below zero are of these, and never the
    newest. What is in it goes to the newest once that is asked for (rekeying.py). Inside a transaction.
    """
    return _new_gallery(account_id, mode, space, _add_rotation(account_id, -1 - secrets.randbelow(_GALLERY), now))


def _new_gallery(account_id: str, mode: str, space: Space, generation: int) -> Gallery:
    new = Gallery(
        secrets.randbelow(_GALLERY), account_id, mode, space.model, space.model_sha256, space.preprocessing, generation,
        version=0, size=0, forgotten=0,
    )  # fmt: skip
    store.add_gallery(new)
    return new


def remove(account_id: str, id: str, mode: str | None) -> bool:
    """False when the account has none of this id and mode (None: either). Inside a transaction."""
    found = listing.find(account_id, id, mode)
    return found is not None and store.remove(found.gallery_id, [id]) == 1


# ── Comparing ────────────────────────────────────────────────────────────────────────────────────────────────


def face_of(account_id: str, id: str) -> Face | None:
    """What is stored under this id; None when the account has no such template."""
    with db.reading():  # it may be on its way to another rotation
        found, packed = listing.find(account_id, id, None), store.vector(id)
        gallery = store.gallery(found.gallery_id) if found else None
        if gallery is None or packed is None:
            return None
        turning = rotation_of(account_id, gallery.generation)
    return Face(gallery.space, turning.turn_back(vector.numbers(packed)), (gallery.id, packed))


def search(account_id: str, mode: str, face: Face, most: int, least: float) -> Found:
    """The `most` most similar templates from `least` on of all that there are in this mode and space. Exact.

    Similar ones first, equal ones by id. While templates move to another rotation they are in two galleries; both are
    searched, as of one moment. Inside a transaction: one that has not changed them. Raises vector.Unusable.
    """
    for _ in range(TRIES):
        with suppress(memory.Ahead):
            return _searched(account_id, mode, face, most, least, by_index=True)
    return _searched(account_id, mode, face, most, least, by_index=False)


def warm(account_id: str, mode: str, space: Space) -> None:
    """Bring what search() would use up to date, outside of the transaction that searches later and holds up others."""
    with db.reading():
        for gallery in store.galleries(account_id, mode):
            if gallery.space == space:
                comparing.warm(gallery)


def _searched(account_id: str, mode: str, face: Face, most: int, least: float, *, by_index: bool) -> Found:
    with db.reading():
        galleries = [one for one in store.galleries(account_id, mode) if one.space == face.space]
        scored = [
            (one, gallery.id)
            for gallery in galleries
            for one in comparing.nearest(gallery, _turned(account_id, face, gallery), most, least, by_index=by_index)
        ]
        hits = _told(galleries, scored, most)
    return Found(sum(gallery.size for gallery in galleries), tuple(hits))


def _told(galleries: Sequence[Gallery], scored: Sequence[tuple[Scored, int]], most: int) -> list[Hit]:
    """The best of several galleries, described; each with the id of its gallery."""
    best = sorted(scored, key=lambda pair: (-pair[0].similarity, pair[0].id))[:most]
    described: dict[str, Fingerprint] = {}
    for gallery in galleries:
        described |= listing.described(gallery.id, [one.number for one, of in best if of == gallery.id])
    return [Hit(described[one.id], one.similarity) for one, _ in best]


def nearest_of_others(
    account_id: str, mode: str, space: Space, template: Sequence[float], external_user_id: str
) -> Hit | None:
    """The most similar face of this account that goes by another external_user_id; None when there is nobody else.

    Exact. Faces of live and test sessions, and those of another space, are never compared. Raises vector.Unusable.
    """
    face = Face(space, vector.unit(template))
    for most in (10, 100):  # somebody may be there many times
        found = search(account_id, mode, face, most, -1.0)
        for hit in found.hits:
            if hit.fingerprint.external_user_id != external_user_id:
                return hit
        if len(found.hits) < most:
            return None
    with db.reading():
        galleries = [one for one in store.galleries(account_id, mode) if one.space == space]
        return _told(
            galleries,
            [
                (one, gallery.id)
                for gallery in galleries
                for one in comparing.nearest_but(gallery, _turned(account_id, face, gallery), external_user_id)
            ],
            1,
        )[0]


def nearest_blocked(account_id: str, mode: str, space: Space, template: Sequence[float]) -> tuple[Hit | None, int]:
    """The most similar face of the block list, whoever it goes by, and how many there are that are of another space.

    Raises vector.Unusable.
    """
    face = Face(space, vector.unit(template))
    with db.reading():  # as of one moment: they may be on their way to another rotation
        listed = listing.blocked(account_id, mode)
        found = [one for one in listed if one.space == space]
        straight = {one.generation: rotation_of(account_id, one.generation) for one in found}
        turned = {number: vector.numbers(vector.pack(one.turn(face.numbers))) for number, one in straight.items()}
        scored = [(vector.cosine(turned[one.generation], vector.numbers(one.vector)), one.id) for one in found]
        others = len(listed) - len(found)
        if not scored:
            return None, others
        similarity, id = min(scored, key=lambda pair: (-pair[0], pair[1]))
        fingerprint = listing.find(account_id, id, mode)
    return (Hit(fingerprint, similarity) if fingerprint else None), others


def _turned(account_id: str, face: Face, gallery: Gallery) -> bytes:
    if face.stored and face.stored[0] == gallery.id:
        return face.stored[1]  # as it is: what is stored is like itself by exactly 1
    turning = memory.of_app().rotation(gallery, lambda: rotation_of(account_id, gallery.generation))
    return vector.pack(turning.turn(face.numbers))


# ── Rotations ────────────────────────────────────────────────────────────────────────────────────────────────


def rotation_of(account_id: str, generation: int) -> Rotation:
    (found,) = (one for one in store.rotations(account_id) if one.generation == generation)
    return rotation.of(_keyring().open(found.sealed_seed, bound_to=_bound_to(account_id, generation)))


def new_rotation(account_id: str, now: int) -> int:
    """The number of the next generation, which new templates belong to from now on. Inside a transaction."""
    return _add_rotation(account_id, max([0, *generations(account_id)]) + 1, now)


def newest(account_id: str, now: int) -> tuple[int, Rotation]:
    """The rotation of the account, made with its first template. Inside a transaction."""
    generation = max(generations(account_id), default=0) or new_rotation(account_id, now)
    return generation, rotation_of(account_id, generation)


def generations(account_id: str) -> list[int]:
    """Of the rotations that new templates are turned by, or were once."""
    return [one.generation for one in store.rotations(account_id) if one.generation > 0]


def _add_rotation(account_id: str, generation: int, now: int) -> int:
    sealed = _keyring().seal(secrets.token_bytes(rotation.SEED), bound_to=_bound_to(account_id, generation))
    store.add_rotation(store.Rotation(account_id, generation, sealed, now))
    return generation


def _bound_to(account_id: str, generation: int) -> str:
    """What a seed is sealed for: put beside another account or generation, it does not open."""
    return f"rotation {account_id} {generation}"


SEALED = (Kind("seeds of rotations", store.SEEDS, _bound_to),)


def _keyring() -> sealing.Keyring:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring
