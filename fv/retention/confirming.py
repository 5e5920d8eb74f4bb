"""After a deletion: blobs go, the log is emptied, every file of the database is read, and a receipt is signed.

Whatever is in the way makes the erasure `blocked`, with the reason; it is tried again until nothing is.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flask import current_app

from fv import db, sealing
from fv.api import times
from fv.evidence import flows as evidence
from fv.evidence import store as photos
from fv.fingerprints import forgetting as fingerprints
from fv.retention import looking, receipts, store
from fv.retention.flows import seed_of, traces_of
from fv.retention.store import Erasure, SigningKey

SOON, LATER = 5, 300  # seconds to the next try: while a reader or a file is in the way; else
AT_ONCE = 200  # erasures that one reading of the files looks for
DRAFT_KEPT = 6 * 3600  # seconds: the copy of a backup that is being made, or was broken off
COPY_KEPT = 7 * 86400  # seconds: then the copy made before an upgrade goes, if it is in the way

#: Why an erasure is blocked.
BECAUSE = {
    "log": "Somebody still reads the database as it was before: a backup, a shell. It goes on by itself.",
    "file": "A file of a photo cannot be deleted: is its disk full, or read-only? It is tried again.",
    "copy": "A copy of the database made before an upgrade, or for a backup, still holds it. It is deleted within a "
    "week, or sooner by whoever runs this service.",
    "altered": "What was to be looked for was altered, so nobody can say that it is gone.",
    "found": "It was still found in a file of the database. It is tried again.",
}
#: What stays, in the words of a receipt.
KEPT = ["the decision and its time", "totals of usage and billing", "the audit trail", "this receipt"]


@dataclass(frozen=True)
class Traces:
    """`pieces`: of what must be nowhere. `names`: of ids that must be in no copy: under an older key or rotation the
    same photo, document or template is sealed or turned otherwise there, and no piece of it is found.
    """

    pieces: set[bytes] = field(repr=False)
    names: set[bytes]

    @property
    def all(self) -> set[bytes]:
        return self.pieces | self.names


@dataclass(frozen=True)
class Look:
    """What one reading of the files saw."""

    found: dict[Path, set[bytes]]
    bytes: int
    files: int
    blobs: frozenset[str]


def confirm(now: int) -> int:
    """Look for what every unfinished erasure has deleted; how many of them are erased now.

    Outside of any transaction. Takes as long as reading the database twice, once for all of them.
    """
    waiting = store.unfinished(AT_ONCE)
    cleared = [one for one in waiting if _clear(one)]
    if not cleared:
        return 0
    if not db.empty_log():
        for one in cleared:
            store.block(one.id, "log")
        return 0
    wanted = {one.id: traces for one in cleared if (traces := _traces(one)) is not None}
    try:
        look = _look(list(wanted.values()))
    except db.Unavailable:
        for one in cleared:
            store.block(one.id, "file")
        return 0
    return sum(_judge(one, wanted[one.id], look, now) for one in cleared if one.id in wanted)


def is_waiting(seconds: int) -> bool:
    """Whether to confirm() now, so many seconds after it was last done."""
    reasons = {one.because for one in store.unfinished(AT_ONCE)}
    if not reasons:
        return False
    return None in reasons or seconds >= (SOON if reasons & {"log", "file"} else LATER)


def drop_old_copies(now: int) -> None:
    """Those made before an upgrade that are a week old, where an erasure waits for it."""
    if any(one.because == "copy" for one in store.unfinished(AT_ONCE)):
        for file in db.files():
            kept = DRAFT_KEPT if file.name.endswith(db.COPYING) else COPY_KEPT
            if _is_copy(file) and file.stat().st_mtime < now - kept:
                file.unlink(missing_ok=True)


def as_json(erasure: Erasure) -> dict[str, object]:
    """The receipt, once it is signed; until then the same without a signature."""
    if erasure.receipt:
        signed: dict[str, object] = json.loads(erasure.receipt)
        return signed
    return _said(erasure) | {"looked": None, "key": None, "signature": None}


def verified(receipt: dict[str, object]) -> bool:
    """Whether this service has signed exactly this."""
    return any(
        receipts.is_signed(receipt, key.public_key) for key in store.signing_keys() if key.id == receipt.get("key")
    )


def public_keys() -> list[SigningKey]:
    return store.signing_keys()


def prepare(now: int) -> None:
    """Make the key that signs, once: a backup has it then, and knows the receipts of those who are erased after it."""
    if not store.signing_keys():
        with db.transaction():
            _seed(now)


def _clear(erasure: Erasure) -> bool:
    """Whether its blobs are gone."""
    if erasure.session_id is None:
        return True
    try:
        evidence.clear(erasure.account_id, erasure.session_id)
    except db.Unavailable:
        store.block(erasure.id, "file")
        return False
    return True


def _traces(erasure: Erasure) -> Traces | None:
    """None: rows were swapped, or the key is another one."""
    try:
        text = _keyring().open(erasure.sealed_traces or "", bound_to=traces_of(erasure.id))
    except sealing.Unreadable:
        store.block(erasure.id, "altered")
        return None
    noted = json.loads(text)
    return Traces(*({base64.b64decode(piece) for piece in noted[what]} for what in ("pieces", "names")))


def _look(wanted: Sequence[Traces]) -> Look:
    files, pieces = db.files(), set().union(*(one.pieces for one in wanted))
    found = looking.found(files, set().union(*(one.all for one in wanted)))
    copies = {file: held for file, held in found.items() if _is_copy(file)}
    here = {file: held & pieces for file, held in found.items() if file not in copies}
    stored_twice = {piece for held in here.values() for piece in held if _stays(piece)}
    kept = copies | {file: held - stored_twice for file, held in here.items() if held - stored_twice}
    size = sum(file.stat().st_size for file in files if file.exists())  # closing one would drop locks: looking.py
    return Look(kept, size, len(files), frozenset(evidence.blob_names()))


def _stays(piece: bytes) -> bool:
    """Whether it belongs to a row that is kept: the same file or face may be of two sessions.

    Reads every template, 40 ms a piece for 100,000: so not for what a copy has, which may be all of 200 erasures.
    """
    return fingerprints.is_stored(piece) or photos.has_digest_with(piece)


def _judge(erasure: Erasure, wanted: Traces, look: Look, now: int) -> bool:
    holding = [file for file, held in look.found.items() if held & (wanted.all if _is_copy(file) else wanted.pieces)]
    if holding:
        store.block(erasure.id, "copy" if all(map(_is_copy, holding)) else "found")
        return False
    if erasure.session_id and evidence.left_over(erasure.account_id, erasure.session_id, look.blobs):
        store.block(erasure.id, "file")
        return False
    looked = {
        "at": times.written(now), "pieces": len(wanted.pieces), "database_files": look.files,
        "database_bytes": look.bytes, "photo_files": len(look.blobs),
    }  # fmt: skip
    said = _said(erasure) | {"status": "erased", "because": None, "erased_at": times.written(now), "looked": looked}
    with db.transaction():
        seed = _seed(now)
        if not store.finish(erasure.id, json.dumps(receipts.signed(said, seed)), now):
            raise db.Undo
        return True
    return False


def _said(erasure: Erasure) -> dict[str, object]:
    return {
        "receipt": receipts.KIND,
        "id": erasure.id,
        "session_id": erasure.session_id,
        "status": erasure.status,
        "because": erasure.because,
        "cause": erasure.cause,
        "reason": erasure.reason,
        "classes": erasure.classes.split(),
        "gone": json.loads(erasure.gone),
        "kept": KEPT,
        "requested_at": times.written(erasure.created_at),
        "erased_at": times.written(erasure.erased_at),
    }


def _seed(now: int) -> bytes:
    """Of the key that signs, made where there is none. Inside a transaction."""
    known: Sequence[SigningKey] = store.signing_keys()
    if known:
        return _keyring().open(known[0].sealed_seed, bound_to=seed_of(known[0].id))
    seed = sealing.new_data_key()
    public = receipts.public_key(seed)
    id = receipts.key_id(public)
    store.add_key(SigningKey(id, public, _keyring().seal(seed, bound_to=seed_of(id)), now))
    return seed


def _is_copy(file: Path) -> bool:
    """Whether it was made before an upgrade, or for a backup (db/sqlite.py)."""
    return ".step-" in file.name or file.name.endswith(db.COPYING)


def _keyring() -> sealing.Keyring:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring
