"""Photos, and what was read from documents, as the database knows them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from fv import db
from fv.db.sealed import Column

PHOTO_KEYS = Column("photos", "sealed_key", ("id", "account_id", "verification_id", "kind"))
DOCUMENTS = Column("documents", "sealed_text", ("account_id", "verification_id"))
KINDS = frozenset({"id_photo", "selfie", "liveness_frame"})


@dataclass(frozen=True)
class Kept:
    """How many photos there are, and of how many verifications."""

    verifications: int
    photos: int


@dataclass(frozen=True)
class Photo:
    """A photo that can be opened. `bytes`: of its JPEG; `sha256`: of the file as it came."""

    id: str
    account_id: str
    verification_id: str
    kind: str
    blob_key: str
    sealed_key: str
    sha256: str
    width: int
    height: int
    bytes: int
    taken_at: int


@dataclass(frozen=True)
class Kind:
    """One kind of photo that is kept of a verification."""

    verification_id: str
    kind: str


@dataclass(frozen=True)
class Copy:
    """A kept photo, and another one of the account that was the same file: of this verification or another one."""

    kind: str
    verification_id: str
    other_kind: str


@dataclass(frozen=True)
class _Sealed:
    sealed_text: str


@dataclass(frozen=True)
class _Digest:
    sha256: str


@dataclass(frozen=True)
class _Id:
    id: str


@dataclass(frozen=True)
class Leftover:
    """The blob of a photo that was erased."""

    id: str
    blob_key: str


_COLUMNS = "id, account_id, verification_id, kind, blob_key, sealed_key, sha256, width, height, bytes, taken_at"
_OF_ONE = "account_id = :account_id AND verification_id = :verification_id"
_LEFT = "erased_at IS NOT NULL AND blob_key IS NOT NULL"


def add(photo: Photo) -> None:
    db.run(
        f"""
        INSERT INTO photos ({_COLUMNS})
        VALUES (:id, :account_id, :verification_id, :kind, :blob_key, :sealed_key, :sha256, :width, :height, :bytes,
                :taken_at)
        """,
        **asdict(photo),
    )


def live(account_id: str, verification_id: str, kind: str) -> Photo | None:
    return db.one(
        Photo, f"SELECT {_COLUMNS} FROM photos WHERE {_OF_ONE} AND kind = :of_kind AND erased_at IS NULL",
        account_id=account_id, verification_id=verification_id, of_kind=kind,
    )  # fmt: skip


def all_live(account_id: str, verification_id: str) -> list[Photo]:
    return db.many(
        Photo, f"SELECT {_COLUMNS} FROM photos WHERE {_OF_ONE} AND erased_at IS NULL ORDER BY kind",
        account_id=account_id, verification_id=verification_id,
    )  # fmt: skip


def kept_of(verification_ids: Sequence[str]) -> Kept:
    """Of up to some hundred of them. One look into an index each, whose rows are not read."""
    named = {f"id{number}": id for number, id in enumerate(verification_ids)}
    found = db.one(
        Kept,
        f"""
        SELECT count(*) AS verifications, coalesce(sum(number), 0) AS photos FROM (
            SELECT count(*) AS number FROM photos
            WHERE erased_at IS NULL AND verification_id IN ({", ".join(f":{name}" for name in named) or "NULL"})
            GROUP BY verification_id
        ) AS counted
        """,
        **named,
    )
    return found or Kept(0, 0)


def kinds_of(account_id: str, verification_ids: Sequence[str]) -> list[Kind]:
    named = {f"id{number}": id for number, id in enumerate(verification_ids)}
    return db.many(
        Kind,
        f"""
        SELECT verification_id, kind FROM photos
        WHERE account_id = :account_id AND verification_id IN ({", ".join(f":{name}" for name in named) or "NULL"})
          AND erased_at IS NULL
        """,
        account_id=account_id, **named,
    )  # fmt: skip


def copies(account_id: str, verification_id: str, most: int) -> list[Copy]:
    """Those of this verification first; then of others, erased ones too, because their SHA-256 is kept."""
    return db.many(
        Copy,
        """
        SELECT mine.kind, other.verification_id, other.kind AS other_kind
        FROM photos AS mine
        JOIN photos AS other ON other.account_id = mine.account_id AND other.sha256 = mine.sha256
        WHERE mine.account_id = :account_id AND mine.verification_id = :verification_id AND mine.erased_at IS NULL
          AND (other.verification_id != mine.verification_id OR other.kind > mine.kind)
        ORDER BY other.verification_id != mine.verification_id, mine.kind, other.verification_id, other.kind
        LIMIT :most
        """,
        account_id=account_id, verification_id=verification_id, most=most,
    )  # fmt: skip


def remove(id: str) -> None:
    db.run("DELETE FROM photos WHERE id = :id", id=id)


def forget(account_id: str, verification_id: str, now: int) -> int:
    """Of the live photos only what they were a copy of is known afterwards, and where their blobs are; how many."""
    return db.run(
        f"""
        UPDATE photos SET sealed_key = NULL, width = NULL, height = NULL, bytes = NULL, taken_at = NULL,
                          erased_at = :now
        WHERE {_OF_ONE} AND erased_at IS NULL
        """,
        account_id=account_id, verification_id=verification_id, now=now,
    )  # fmt: skip


def digests(account_id: str, verification_id: str) -> list[str]:
    """SHA-256 of its photos, of erased ones too."""
    found = db.many(
        _Digest, f"SELECT sha256 FROM photos WHERE {_OF_ONE} AND sha256 <> id",
        account_id=account_id, verification_id=verification_id,
    )  # fmt: skip
    return [one.sha256 for one in found]


def forget_digests(account_id: str, verification_id: str) -> None:
    """What they were a copy of is no longer known either: their own id, which is like no other, stands there."""
    db.run(f"UPDATE photos SET sha256 = id WHERE {_OF_ONE}", account_id=account_id, verification_id=verification_id)


def has_digest_with(piece: bytes) -> bool:
    """Whether a kept SHA-256 has these bytes in it."""
    found = "SELECT id FROM photos WHERE instr(sha256, :piece) > 0 LIMIT 1"
    return db.one(dict, found, piece=piece.decode("latin-1")) is not None


def ids_erased(account_id: str, verification_id: str) -> set[str]:
    found = db.many(
        _Id, f"SELECT id FROM photos WHERE {_OF_ONE} AND erased_at IS NOT NULL",
        account_id=account_id, verification_id=verification_id,
    )  # fmt: skip
    return {one.id for one in found}


def leftovers(account_id: str, verification_id: str) -> list[Leftover]:
    return db.many(
        Leftover, f"SELECT id, blob_key FROM photos WHERE {_OF_ONE} AND {_LEFT}",
        account_id=account_id, verification_id=verification_id,
    )  # fmt: skip


def all_leftovers() -> list[Leftover]:
    return db.many(Leftover, f"SELECT id, blob_key FROM photos WHERE {_LEFT}")


def blob_is_gone(id: str) -> None:
    db.run("UPDATE photos SET blob_key = NULL WHERE id = :id", id=id)


def has_erased(account_id: str, verification_id: str, kind: str) -> bool:
    return db.one(
        dict, f"SELECT id FROM photos WHERE {_OF_ONE} AND kind = :of_kind AND erased_at IS NOT NULL LIMIT 1",
        account_id=account_id, verification_id=verification_id, of_kind=kind,
    ) is not None  # fmt: skip


def blob_keys() -> set[str]:
    """Of every photo that is kept."""
    rows = db.many(Leftover, "SELECT id, blob_key FROM photos WHERE erased_at IS NULL")
    return {row.blob_key for row in rows}


def knows_blob(blob_key: str) -> bool:
    return db.one(dict, "SELECT id FROM photos WHERE blob_key = :blob_key", blob_key=blob_key) is not None


# ── What was read ────────────────────────────────────────────────────────────────────────────────────────────


def put_document(account_id: str, verification_id: str, sealed_text: str, now: int) -> None:
    """In place of what was read before."""
    db.run(
        """
        INSERT INTO documents (account_id, verification_id, sealed_text, read_at)
        VALUES (:account_id, :verification_id, :sealed_text, :now)
        ON CONFLICT (account_id, verification_id) DO UPDATE SET sealed_text = :sealed_text, read_at = :now
        """,
        account_id=account_id, verification_id=verification_id, sealed_text=sealed_text, now=now,
    )  # fmt: skip


def document(account_id: str, verification_id: str) -> str | None:
    """Sealed."""
    found = db.one(
        _Sealed, f"SELECT sealed_text FROM documents WHERE {_OF_ONE}",
        account_id=account_id, verification_id=verification_id,
    )  # fmt: skip
    return found.sealed_text if found else None


def forget_document(account_id: str, verification_id: str) -> int:
    return db.run(f"DELETE FROM documents WHERE {_OF_ONE}", account_id=account_id, verification_id=verification_id)
