"""Templates and the rotations of accounts as the database knows them."""

from dataclasses import asdict, dataclass, field

from fv import db
from fv.db.sealed import Column

SEEDS = Column("rotations", "sealed_seed", ("account_id", "generation"))


@dataclass(frozen=True)
class Space:
    """What makes templates comparable: the model by name and SHA-256, and how a face was prepared for it."""

    model: str
    model_sha256: str
    preprocessing: str


@dataclass(frozen=True)
class Rotation:
    account_id: str
    generation: int
    sealed_seed: str = field(repr=False)
    made_at: int


@dataclass(frozen=True)
class Fingerprint:
    """`vector`: turned by the rotation of this generation."""

    id: str
    account_id: str
    session_id: str | None
    external_user_id: str
    mode: str
    model: str
    model_sha256: str
    preprocessing: str
    generation: int
    vector: bytes = field(repr=False)
    created_at: int


@dataclass(frozen=True)
class Neighbour:
    """The most similar template. `similarity`: cosine."""

    session_id: str | None
    external_user_id: str
    similarity: float


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


# ── Templates ────────────────────────────────────────────────────────────────────────────────────────────────


def add(new: Fingerprint) -> None:
    db.run(
        """
        INSERT INTO fingerprints (id, account_id, session_id, external_user_id, mode, model, model_sha256,
                                  preprocessing, generation, vector, created_at)
        VALUES (:id, :account_id, :session_id, :external_user_id, :mode, :model, :model_sha256, :preprocessing,
                :generation, :vector, :created_at)
        """,
        **asdict(new),
    )


def nearest(
    account_id: str, mode: str, space: Space, generation: int, vector: bytes, external_user_id: str
) -> Neighbour | None:
    """The most similar one that is of somebody else, the first by id among equals. Exact: every row is compared.

    `vector`: turned by the rotation of this generation.
    """
    return db.one(
        Neighbour,
        """
        SELECT session_id, external_user_id, 1 - vec_distance_cosine(vector, :vector) AS similarity
        FROM fingerprints
        WHERE account_id = :account_id AND mode = :mode AND model = :model AND model_sha256 = :model_sha256
          AND preprocessing = :preprocessing AND generation = :generation AND external_user_id != :external_user_id
        ORDER BY similarity DESC, id LIMIT 1
        """,
        account_id=account_id, mode=mode, generation=generation, vector=vector, external_user_id=external_user_id,
        **asdict(space),
    )  # fmt: skip


def forget(account_id: str, session_id: str) -> int:
    """How many there were."""
    return db.run(
        "DELETE FROM fingerprints WHERE account_id = :account_id AND session_id = :session_id",
        account_id=account_id, session_id=session_id,
    )  # fmt: skip
