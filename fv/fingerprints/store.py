"""Templates, the rotations they are turned by, and the galleries they are in, as the database knows them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import NamedTuple

from fv import db
from fv.db.sealed import Column

SEEDS = Column("rotations", "sealed_seed", ("account_id", "generation"))

KEPT = 20_000  # removals that a gallery lists, at least: a copy that missed more of them is made anew


@dataclass(frozen=True)
class Space:
    """What makes templates comparable: the model by name and SHA-256, and how a face was prepared for it.

    A template that came through the API has the name alone.
    """

    model: str
    model_sha256: str = ""
    preprocessing: str = ""


@dataclass(frozen=True)
class Rotation:
    account_id: str
    generation: int
    sealed_seed: str = field(repr=False)
    made_at: int


@dataclass(frozen=True)
class Gallery:
    """Templates of one account, mode, space and rotation: those that are compared with each other."""

    id: int
    account_id: str
    mode: str
    model: str
    model_sha256: str
    preprocessing: str
    generation: int
    version: int
    size: int
    forgotten: int

    @property
    def space(self) -> Space:
        return Space(self.model, self.model_sha256, self.preprocessing)


@dataclass(frozen=True)
class New:
    """`vector`: turned by the rotation of the gallery it goes to."""

    id: str
    session_id: str | None
    external_user_id: str
    vector: bytes = field(repr=False)
    created_at: int


class Row(NamedTuple):
    """What is compared. A NamedTuple: it is made a hundred times a search."""

    number: int
    id: str
    vector: bytes


# ── Rotations ────────────────────────────────────────────────────────────────────────────────────────────────


def rotations(account_id: str) -> list[Rotation]:
    """The newest first."""
    return db.many(
        Rotation, "SELECT * FROM rotations WHERE account_id = :account_id ORDER BY generation DESC",
        account_id=account_id,
    )  # fmt: skip


def add_rotation(new: Rotation) -> None:
    db.run(
        """
        INSERT INTO rotations (account_id, generation, sealed_seed, made_at)
        VALUES (:account_id, :generation, :sealed_seed, :made_at)
        """,
        **asdict(new),
    )


# ── Galleries ────────────────────────────────────────────────────────────────────────────────────────────────


def galleries(account_id: str, mode: str | None = None) -> list[Gallery]:
    """The open ones of an account and mode (None: either), the largest first, and those with nothing in them."""
    return db.many(
        Gallery,
        """
        SELECT * FROM open_galleries WHERE account_id = :account_id AND (:mode IS NULL OR mode = :mode)
        ORDER BY size DESC, id
        """,
        account_id=account_id, mode=mode,
    )  # fmt: skip


def gallery(id: int) -> Gallery | None:
    return db.one(Gallery, "SELECT * FROM galleries WHERE id = :id", id=id)


def add_gallery(new: Gallery) -> None:
    db.run(
        """
        INSERT INTO galleries (id, account_id, mode, model, model_sha256, preprocessing, generation, version, size,
                               forgotten)
        VALUES (:id, :account_id, :mode, :model, :model_sha256, :preprocessing, :generation, :version, :size,
                :forgotten)
        """,
        **asdict(new),
    )


def retire(account_id: str, newest: int) -> int:
    """Drop the open galleries of other rotations than the newest that have nothing in them, and then every rotation
    that nothing is turned by any more. How many rotations, of those that were the newest once."""
    db.run(
        """
        DELETE FROM galleries WHERE account_id = :account_id AND generation <> :newest
          AND id IN (SELECT id FROM open_galleries)
          AND NOT EXISTS (SELECT 1 FROM fingerprints WHERE gallery_id = galleries.id)
        """,
        account_id=account_id, newest=newest,
    )  # fmt: skip
    unused = """
        DELETE FROM rotations WHERE account_id = :account_id AND generation <> :newest AND (generation > 0) = :was
          AND NOT EXISTS (SELECT 1 FROM galleries WHERE galleries.account_id = rotations.account_id
                          AND galleries.generation = rotations.generation)
    """
    db.run(unused, account_id=account_id, newest=newest, was=False)
    return db.run(unused, account_id=account_id, newest=newest, was=True)


def _changed(gallery_id: int, came: int, went: int) -> int:
    """The version before these changes. Inside a transaction: nobody else changes the gallery meanwhile."""
    db.run(
        "UPDATE galleries SET version = version + :changes, size = size + :more WHERE id = :id",
        id=gallery_id, changes=came + went, more=came - went,
    )  # fmt: skip
    found = gallery(gallery_id)
    if found is None:
        raise LookupError("no such gallery")
    return found.version - came - went


# ── Templates ────────────────────────────────────────────────────────────────────────────────────────────────


def add(gallery_id: int, templates: Sequence[New]) -> None:
    before = _changed(gallery_id, len(templates), 0)
    for number, new in enumerate(templates, before + 1):
        db.run(
            """
            INSERT INTO fingerprints (id, gallery_id, number, session_id, external_user_id, vector, created_at)
            VALUES (:id, :gallery_id, :number, :session_id, :external_user_id, :vector, :created_at)
            """,
            id=new.id, gallery_id=gallery_id, number=number, session_id=new.session_id,
            external_user_id=new.external_user_id, vector=new.vector, created_at=new.created_at,
        )  # fmt: skip


def remove(gallery_id: int, ids: Sequence[str]) -> int:
    """How many there were. What is deleted is overwritten (db/sqlite.py)."""
    numbers = [number for id in ids if (number := _number(gallery_id, id)) is not None]
    before = _changed(gallery_id, 0, len(numbers)) if numbers else 0
    for version, number in enumerate(numbers, before + 1):
        db.run(
            "INSERT INTO removals (gallery_id, version, number) VALUES (:gallery_id, :version, :number)",
            gallery_id=gallery_id, version=version, number=number,
        )  # fmt: skip
        db.run(
            "DELETE FROM fingerprints WHERE gallery_id = :gallery_id AND number = :number",
            gallery_id=gallery_id, number=number,
        )  # fmt: skip
    _shorten(gallery_id, before + len(numbers))
    return len(numbers)


def move(here: int, there: int, turned: Sequence[tuple[str, bytes]]) -> None:
    """From one gallery of the account to another, with vectors that are turned by the rotation of that one."""
    left, came = _changed(here, 0, len(turned)), _changed(there, len(turned), 0)
    for place, (id, vector) in enumerate(turned, 1):
        db.run(
            """
            INSERT INTO removals (gallery_id, version, number)
            SELECT gallery_id, :version, number FROM fingerprints WHERE id = :id AND gallery_id = :here
            """,
            id=id, here=here, version=left + place,
        )  # fmt: skip
        db.run(
            "UPDATE fingerprints SET gallery_id = :there, number = :number, vector = :vector WHERE id = :id",
            id=id, there=there, number=came + place, vector=vector,
        )  # fmt: skip
    _shorten(here, left + len(turned))


def _number(gallery_id: int, id: str) -> int | None:
    sql = "SELECT number, id, vector FROM fingerprints WHERE id = :id AND gallery_id = :gallery_id"
    found = db.one(Row, sql, id=id, gallery_id=gallery_id)
    return found.number if found else None


def _shorten(gallery_id: int, version: int) -> None:
    """The list of removals stays between KEPT and twice as many versions long."""
    done = db.run(
        """
        UPDATE galleries SET forgotten = :version - :kept WHERE id = :id AND forgotten < :version - 2 * :kept
        """,
        id=gallery_id, version=version, kept=KEPT,
    )  # fmt: skip
    if done:
        db.run(
            "DELETE FROM removals WHERE gallery_id = :id AND version <= :version - :kept",
            id=gallery_id, version=version, kept=KEPT,
        )  # fmt: skip


# ── For comparing ────────────────────────────────────────────────────────────────────────────────────────────


def vector(id: str) -> bytes | None:
    """As it is stored, turned."""
    found = db.one(Row, "SELECT number, id, vector FROM fingerprints WHERE id = :id", id=id)
    return found.vector if found else None


def rows(gallery_id: int, numbers: Sequence[int]) -> list[Row]:
    """Those of 1 to 1,024 numbers that are there, in any order."""
    places = next(size for size in _SIZES if size >= len(numbers))
    given = [*numbers, *[numbers[-1]] * (places - len(numbers))]
    found = db.chunks(_rows(places), places, gallery_id=gallery_id, **{f"n{at}": one for at, one in enumerate(given)})
    return [Row(*one) for some in found for one in some]


_SIZES = (16, 32, 64, 128, 256, 512, 1024)  # rows that are asked for at once: few texts, each of which is parsed once


@cache
def _rows(places: int) -> str:
    listed = ", ".join(f":n{at}" for at in range(places))
    return f"SELECT number, id, vector FROM fingerprints WHERE gallery_id = :gallery_id AND number IN ({listed})"


def first(gallery_id: int, most: int) -> list[Row]:
    """Those that have been there longest."""
    return db.many(
        Row, "SELECT number, id, vector FROM fingerprints WHERE gallery_id = :gallery_id ORDER BY number LIMIT :most",
        gallery_id=gallery_id, most=most,
    )  # fmt: skip


def since(gallery_id: int, version: int, rows: int) -> Iterator[list[tuple[int, bytes]]]:
    """(number, vector) of those that came after this version and are still there; 0: all. So many rows at a time."""
    return db.chunks(
        "SELECT number, vector FROM fingerprints WHERE gallery_id = :gallery_id AND number > :version ORDER BY number",
        rows, gallery_id=gallery_id, version=version,
    )  # fmt: skip


def removed_since(gallery_id: int, version: int) -> list[int]:
    """The numbers of those that left after this version."""
    sql = "SELECT number FROM removals WHERE gallery_id = :gallery_id AND version > :version"
    return [number for some in db.chunks(sql, KEPT, gallery_id=gallery_id, version=version) for (number,) in some]


def nearly_nearest(
    gallery_id: int, vector: bytes, most: int, least: float, slack: float, but: str | None = None
) -> list[Row]:
    """Every row whose cosine reaches `least`, and that of the `most`-th best, less `slack`: as float32 computes it.
    `but`: leaves out those that go by this external_user_id."""
    return db.many(
        Row,
        """
        WITH rough AS MATERIALIZED (
            SELECT number, 1 - vec_distance_cosine(vector, :vector) AS cosine
            FROM fingerprints WHERE gallery_id = :gallery_id AND (:but IS NULL OR external_user_id != :but)
        ), best AS (SELECT cosine FROM rough ORDER BY cosine DESC LIMIT :most)
        SELECT number, id, vector FROM fingerprints WHERE gallery_id = :gallery_id AND number IN (
            SELECT number FROM rough
            WHERE cosine >= :least - :slack AND cosine >= (SELECT min(cosine) FROM best) - :slack
        )
        """,
        gallery_id=gallery_id, vector=vector, most=most, least=least, slack=slack, but=but,
    )  # fmt: skip
