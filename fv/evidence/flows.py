"""The story: a photo comes in, is read, sealed and kept; it is opened, shown with a mark, replaced, erased. What was
read from a document is kept and erased with its photos.

The blob is written before the row that names it, and deleted after the row is gone: what a crash leaves behind is a
blob that nobody can open, and sweep() takes it away.
"""

from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field

from flask import current_app

from fv import db, ids, sealing
from fv.db.sealed import Kind
from fv.evidence import blobs, child, intake, portrait, store, watermark
from fv.evidence.intake import Refused
from fv.evidence.store import Copy, Photo
from fv.turns import Turns
from fv.usage import flows as usage

MOST_COPIES = 20  # that are told of
ORPHANED = 3600  # seconds a blob may wait for its row: a transaction takes milliseconds


@dataclass(frozen=True)
class Forgotten:
    """How many there were, and what of them stood in the database: to be looked for afterwards."""

    number: int
    traces: list[bytes] = field(repr=False)


_marking = Turns("marking", at_once=2, room=8, patience=10)  # 0.65 s and 50 MB each (watermark.py)


def keep(
    account_id: str, verification_id: str, kind: str, raw: bytes, now: int, only_if: Callable[[], bool] = lambda: True
) -> Photo | Refused | None:
    """Read, seal and keep; an older photo of this kind is replaced. Raises turns.Busy, blobs.Unavailable.

    `only_if` decides inside the transaction that adds the row, and may write there; None: it said no, nothing is kept.
    """
    if kind not in store.KINDS or db.in_transaction():
        raise LookupError(f"{kind} is no kind of photo, or there is a transaction under way")
    read = child.read(raw)
    if isinstance(read, Refused):
        return read
    photo = _sealed(account_id, verification_id, kind, read, now)
    with db.transaction():
        if not only_if():
            raise db.Undo
        _put_in_place(photo)
        return photo
    _drop(photo)
    return None


def find(account_id: str, verification_id: str, kind: str) -> Photo | None:
    """The photo that is kept of this kind."""
    return store.live(account_id, verification_id, kind)


def of_verification(account_id: str, verification_id: str) -> list[Photo]:
    """Every photo that is kept of it, ordered by kind."""
    return store.all_live(account_id, verification_id)


def of_verifications(account_id: str, verification_ids: Sequence[str]) -> dict[str, set[str]]:
    """The kinds that are kept of each; one that has none is not in it."""
    found: dict[str, set[str]] = {}
    for one in store.kinds_of(account_id, verification_ids):
        found.setdefault(one.verification_id, set()).add(one.kind)
    return found


def was_erased(account_id: str, verification_id: str, kind: str) -> bool:
    """Whether there was such a photo, and none is kept."""
    is_kept = store.live(account_id, verification_id, kind) is not None
    return not is_kept and store.has_erased(account_id, verification_id, kind)


def open(photo: Photo) -> bytes:
    """The JPEG. Raises sealing.Unreadable when file or row were swapped or altered, blobs.Unavailable."""
    data_key = _keyring().open(photo.sealed_key, _of(photo))
    return sealing.open_bytes(data_key, blobs.get(photo.blob_key), _of(photo))


def watermarked(photo: Photo, text: str) -> bytes:
    """The JPEG with this text burned in across it: who looks, and when. Raises turns.Busy as well."""
    with _marking.one():
        return watermark.burn(open(photo), text)


def portrait_of(photo: Photo, box: tuple[int, int, int, int], turned: int, text: str) -> bytes:
    """As watermarked(), of a face and what is around it. `box`, `turned`: see portrait.cut()."""
    with _marking.one():
        return watermark.burn(portrait.cut(open(photo), box, turned), text)


def forget_photos(account_id: str, verification_id: str, now: int, digests: bool = False) -> Forgotten:
    """Their keys: nothing of these photos can be opened from then on. Inside a transaction; clear() takes the blobs.

    `digests`: their SHA-256 as well, by which the same file is known again.
    """
    live = store.all_live(account_id, verification_id)
    traces = [photo.sealed_key.encode() for photo in live]
    if digests:
        traces += [digest.encode() for digest in store.digests(account_id, verification_id)]
        store.forget_digests(account_id, verification_id)
    number = store.forget(account_id, verification_id, now)
    usage.stored(account_id, -sum(photo.bytes for photo in live), now)
    return Forgotten(number, traces)


def clear(account_id: str, verification_id: str) -> None:
    """Delete the blobs of its erased photos. Outside of any transaction. Raises blobs.Unavailable: call again."""
    _clear(store.leftovers(account_id, verification_id))


def left_over(account_id: str, verification_id: str, names: Set[str]) -> bool:
    """Whether one of these files (blob_names()) is of an erased photo of it."""
    ids = store.ids_erased(account_id, verification_id)
    return any(name.partition("#")[0] in ids for name in names)


def blob_names() -> set[str]:
    """Every file there is, half-written ones too. Raises blobs.Unavailable."""
    return blobs.names()


def copies(account_id: str, verification_id: str) -> list[Copy]:
    """Which photos of it are the same file as another photo of this account, those of this verification first."""
    return store.copies(account_id, verification_id, MOST_COPIES)


def keep_document(account_id: str, verification_id: str, text: str, now: int) -> None:
    """Seal and keep what was read, in place of what was read before."""
    sealed = _keyring().seal(text.encode(), bound_to=_document_of(account_id, verification_id))
    store.put_document(account_id, verification_id, sealed, now)


def open_document(account_id: str, verification_id: str) -> str | None:
    """What was read; None: nothing was, or it is erased. Raises sealing.Unreadable when rows were swapped."""
    sealed = store.document(account_id, verification_id)
    if sealed is None:
        return None
    return _keyring().open(sealed, bound_to=_document_of(account_id, verification_id)).decode()


def forget_document(account_id: str, verification_id: str) -> Forgotten:
    """Inside a transaction."""
    sealed = store.document(account_id, verification_id)
    number = store.forget_document(account_id, verification_id)
    return Forgotten(number, [sealed.encode()] if sealed else [])


def has_document(account_id: str, verification_id: str) -> bool:
    """Whether anything that was read is kept; nothing is opened."""
    return store.document(account_id, verification_id) is not None


def kept_and_missing() -> tuple[int, int]:
    """How many photos are kept, and of how many of them the blob is gone. Raises blobs.Unavailable."""
    named, there = store.blob_keys(), set(blobs.older_than(2**40))
    return len(named), len(named - there)


def sweep(now: int) -> int:
    """Delete blobs that no row knows, and those that an erasure could not delete; how many."""
    number = _clear(store.all_leftovers())
    for key in blobs.older_than(now - ORPHANED):
        if not store.knows_blob(key):
            blobs.delete(key)
            number += 1
    return number


def _sealed(account_id: str, verification_id: str, kind: str, read: intake.Photo, now: int) -> Photo:
    """The blob is there afterwards, and no row knows it."""
    id, data_key = ids.new("pho"), sealing.new_data_key()
    sealed_key = _keyring().seal(data_key, _bound_to(account_id, verification_id, kind, id))
    photo = Photo(
        id, account_id, verification_id, kind, blobs.MINE + id, sealed_key,
        read.sha256, read.width, read.height, len(read.jpeg), now,
    )  # fmt: skip
    blobs.put(photo.blob_key, sealing.seal_bytes(data_key, read.jpeg, _of(photo)))
    return photo


def _put_in_place(photo: Photo) -> None:
    older = store.live(photo.account_id, photo.verification_id, photo.kind)
    if older:
        store.remove(older.id)
        db.after_commit(f"blob of {older.id}", lambda: _drop(older))
    store.add(photo)
    usage.stored(photo.account_id, photo.bytes - (older.bytes if older else 0), photo.taken_at)


def _drop(photo: Photo) -> None:
    """Delete the blob of a photo that has no row. If that fails, sweep() does it."""
    with suppress(blobs.Unavailable):
        blobs.delete(photo.blob_key)


def _clear(leftovers: list[store.Leftover]) -> int:
    for one in leftovers:
        blobs.delete(one.blob_key)
        store.blob_is_gone(one.id)
    return len(leftovers)


def _of(photo: Photo) -> str:
    return _bound_to(photo.account_id, photo.verification_id, photo.kind, photo.id)


def _document_of(account_id: str, verification_id: str) -> str:
    return f"document {account_id} {verification_id}"


def _bound_to(account_id: str, verification_id: str, kind: str, id: str) -> str:
    """What key and picture are sealed for: put beside another row, neither opens."""
    return f"photo {account_id} {verification_id} {kind} {id}"


SEALED = (
    Kind("keys of photos", store.PHOTO_KEYS, _bound_to),
    Kind("what was read from documents", store.DOCUMENTS, _document_of),
)


def _keyring() -> sealing.Keyring:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring
