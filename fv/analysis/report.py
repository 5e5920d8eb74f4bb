"""What is asked of the analysers, and what they saw in the photos of one session. Pure.

A report crosses a pipe as JSON, from the process that looks at photos to the one that decides: whatever a crafted photo
does to the first, the second takes nothing from it but numbers and text. It holds what a document says, and the
template of a face: it is kept sealed or not at all, and never logged.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = ("id_photo", "selfie", "liveness_frame")
TURNS = ("left", "right", "up")


class Malformed(Exception):
    """No report: the process that should have written it is not to be believed."""


@dataclass(frozen=True)
class Case:
    """The photos of one session. `photos`: kind to upright JPEG; `challenge`: the way the head was to be turned."""

    photos: dict[str, bytes] = field(repr=False)
    challenge: str


# ── The document ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Field:
    """One thing that a document says.

    `source`: mrz, visual (the printed text) or both. `agrees`: whether both say the same; None: only one was read.
    `printed`: the printed text where it differs. `confidence`: high (checked, nothing substituted, and the printed text
    agrees) or review.
    """

    value: str
    source: str
    agrees: bool | None
    confidence: str
    printed: str | None = None


@dataclass(frozen=True)
class Zone:
    """The machine-readable zone. `format`: TD1, TD2, TD3, MRVA, MRVB. `checks`: pass, fail or absent, by name.

    `unseen`: what the checks that passed cannot tell from what was read. `repaired`: what was put right, in words.
    """

    format: str
    lines: tuple[str, ...]
    checks: dict[str, str]
    unseen: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """What was read. `fields`: by the names of the API (full_name, date_of_birth, …)."""

    fields: dict[str, Field]
    mrz: Zone


# ── Faces ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Model:
    """What made the templates. Templates of different models, or preprocessings, are never compared.

    `possible`, `match`: cosines from which two templates are called possibly, and surely enough, one person.
    """

    id: str
    sha256: str
    preprocessing: str
    possible: float
    match: float

    def band(self, similarity: float) -> str:
        """What people are shown: match, possible or no."""
        return "match" if similarity >= self.match else "possible" if similarity >= self.possible else "no"


@dataclass(frozen=True)
class Face:
    """The face of one photo. `box`: left, top, right, bottom in pixels of the photo as it is kept.

    `turned`: quarter turns clockwise that make it upright. `yaw`, `pitch`: degrees, estimated; positive yaw is towards
    the person's left, positive pitch is up. `sharpness`: see faces.py. `template`: 128 numbers of length 1.
    """

    box: tuple[int, int, int, int]
    turned: int
    yaw: float
    pitch: float
    sharpness: float
    template: tuple[float, ...] = field(repr=False)


# ── All of it ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Detection:
    """What one detector says. `score`: 0 to 1, high is suspicious; None: it could not look.

    `mode`: monitor (only told), review (a person decides when it fires) or block (it decides alone when it fires).
    `fired`: None when it could not look.
    """

    name: str
    version: str
    score: float | None
    mode: str
    fired: bool | None
    reason: str


@dataclass(frozen=True)
class Report:
    """`document_state`: read, not_found (no machine-readable zone) or unavailable (no reader, or it failed).

    `refusals`: by kind of photo, the code that says why there is no face (faces.WORDS), or unavailable.
    `similarities`: cosines by two kinds of photo, as in "id_photo selfie". `seconds`: of the clock, by stage.
    """

    document_state: str = "unavailable"
    document: Document | None = None
    model: Model | None = None
    faces: dict[str, Face] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    similarities: dict[str, float] = field(default_factory=dict)
    detections: tuple[Detection, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    def as_text(self) -> str:
        return json.dumps(asdict(self), allow_nan=False)


def read(text: str) -> Report:
    """What as_text() wrote. Raises Malformed."""
    try:
        told: dict[str, Any] = json.loads(text)
        document, model = told.pop("document"), told.pop("model")
        return Report(
            **told
            | {
                "document": _document(document) if document else None,
                "model": Model(**model) if model else None,
                "faces": {kind: _face(face) for kind, face in told["faces"].items()},
                "detections": tuple(Detection(**one) for one in told["detections"]),
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Malformed(type(error).__name__) from None


def _document(told: dict[str, Any]) -> Document:
    zone = told["mrz"]
    lists = {name: tuple(zone[name]) for name in ("lines", "unseen", "repaired")}
    return Document({name: Field(**one) for name, one in told["fields"].items()}, Zone(**zone | lists))


def _face(told: dict[str, Any]) -> Face:
    face = Face(**told | {"box": tuple(told["box"]), "template": tuple(map(float, told["template"]))})
    if len(face.template) != 128 or len(face.box) != 4:
        raise ValueError
    return face
