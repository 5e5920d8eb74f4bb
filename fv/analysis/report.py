"""What is asked of the analysers, and what they saw in the photos of one session. Pure.

A report crosses a pipe as JSON, from the process that looks at photos to the one that decides: whatever a crafted photo
does to the first, the second takes nothing from it but numbers and text. It holds what a document says, and the
template of a face: it is kept sealed or not at all, and never logged.
"""

import json
from dataclasses import asdict, dataclass, field, is_dataclass
from math import isfinite
from types import UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

KINDS = ("id_photo", "selfie", "liveness_frame")
TURNS = ("left", "right", "up")
STAGES = ("reading", "faces", "consistency")
#: Why there is no face, and what to say to the person who took the photo.
WORDS = {
    "no_face": "No face was found. Hold the camera straight, in good light, with the whole face in the picture.",
    "several_faces": "There are several faces. Only one may be in the picture.",
    "too_small": "The face is too small. Go closer.",
    "blurred": "The face is blurred. Hold the camera still, wipe its lens, and find more light.",
}


class Malformed(Exception):
    """No report: the process that should have written it is not to be believed."""


class Failed(Exception):
    """There is no report. `reason`: crashed, too_slow, malformed, or unavailable (the process cannot be started)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Interrupted(Exception):
    """There is no report yet: whoever should have waited for it has to stop."""


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

    `refusals`: by kind of photo, the code that says why there is no face (WORDS, or elsewhere: it is not
    on the document), or unavailable.
    `similarities`: cosines by two kinds of photo, as in "id_photo selfie". `seconds`: of the clock, by stage.
    `failures`: by stage that found nothing because it is not installed or broke, the type of its exception; what such a
    stage should have said is missing from the rest.
    """

    document_state: str = "unavailable"
    document: Document | None = None
    model: Model | None = None
    faces: dict[str, Face] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    similarities: dict[str, float] = field(default_factory=dict)
    detections: tuple[Detection, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def as_text(self) -> str:
        return json.dumps(asdict(self), allow_nan=False)


def read(text: str) -> Report:
    """What as_text() wrote; every value is of its type, and every number finite. Raises Malformed."""
    try:
        report = cast(Report, _made(Report, json.loads(text)))
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Malformed(type(error).__name__) from None
    if not all(name in STAGES and why.isidentifier() and len(why) < 60 for name, why in report.failures.items()):
        raise Malformed("failures")
    if not all(len(face.template) == 128 for face in report.faces.values()):
        raise Malformed("template")
    return report


def read_document(text: str) -> Document:
    """What asdict() and JSON made of a Document. Raises Malformed."""
    try:
        return cast(Document, _made(Document, json.loads(text)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Malformed(type(error).__name__) from None


def _made(kind: Any, told: Any) -> Any:
    """What JSON told, as this type and no other. Raises whatever comes of another one."""
    inner = get_args(kind)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        if told.keys() != hints.keys():
            raise TypeError
        return cast(Any, kind)(**{name: _made(hint, told[name]) for name, hint in hints.items()})
    if get_origin(kind) is UnionType:  # with None
        return None if told is None else _made(inner[0], told)
    if get_origin(kind) is dict:
        return {_made(inner[0], name): _made(inner[1], value) for name, value in told.items()}
    if get_origin(kind) is tuple and type(told) is list:
        kinds = inner[:1] * len(told) if inner[-1] is Ellipsis else inner
        return tuple(_made(one, value) for one, value in zip(kinds, told, strict=True))
    if kind is float:
        if type(told) not in (int, float) or not isfinite(told):
            raise TypeError
        return float(told)
    if type(told) is not kind:
        raise TypeError
    if kind is str:
        told.encode()  # half of a character, which no database takes, raises
    return told
