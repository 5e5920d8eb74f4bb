"""What was concluded from a report: what is stored with a session, shown to who decides, and kept after erasure. Pure.

So nothing in it says who the person is: no name, no number and no date of a document, no template. It names checks,
fields, numbers that were measured, and ids.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fv.analysis.report import Detection

CHECKS = ("document", "mrz", "face_match", "liveness", "duplicate")


@dataclass(frozen=True)
class Finding:
    """`result`: ok, review, failed, unavailable."""

    check: str
    result: str
    reason: str


@dataclass(frozen=True)
class Part:
    """What a check adds to the score. `points` None: unavailable. `of`: the most that it can add."""

    check: str
    points: int | None
    of: int


@dataclass(frozen=True)
class Likeness:
    """Two photos and how alike their faces are. `similarity`: cosine; `band`: match, possible or no."""

    photos: tuple[str, str]
    similarity: float
    band: str


@dataclass(frozen=True)
class Portrait:
    """Where the face is on the ID photo: `box` and `turned` as those of a Face (report.py). Pixels, and nobody's."""

    box: tuple[int, int, int, int]
    turned: int


@dataclass(frozen=True)
class Told:
    """What stands with a session. `policy`: the rules and settings it was judged by; empty where nothing was.

    `possible_from`, `match_from`: cosines from which the model says so; `seconds`: that the examination took.
    """

    findings: tuple[Finding, ...] = ()
    parts: tuple[Part, ...] = ()
    likenesses: tuple[Likeness, ...] = ()
    model: str | None = None
    detections: tuple[Detection, ...] = ()
    policy: Mapping[str, object] = field(default_factory=dict)
    portrait: Portrait | None = None
    possible_from: float | None = None
    match_from: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Findings(Told):
    """`score`: 0 to 100, high is safe; None: nothing could be measured. `decision`: accept, review or reject.

    `face_match`: whether the selfie shows the person of the document; None: nobody can say.
    """

    score: int | None
    decision: str
    face_match: bool | None

    def as_text(self) -> str:
        """All but what has a column of its own."""
        told = asdict(self)
        return json.dumps({name: told[name] for name in Told.__dataclass_fields__}, allow_nan=False)


def read(text: str | None) -> Told:
    """What as_text() wrote; empty before the analysis. Rows of earlier versions are a list of findings."""
    told: Any = json.loads(text) if text else []
    if isinstance(told, list):
        return Told(tuple(Finding(**one) for one in told))
    portrait = told.get("portrait")
    return Told(
        tuple(Finding(**one) for one in told["findings"]),
        tuple(Part(**one) for one in told["parts"]),
        tuple(Likeness(**one | {"photos": tuple(one["photos"])}) for one in told["likenesses"]),
        told["model"],
        tuple(Detection(**one) for one in told["detections"]),
        told["policy"],
        Portrait(tuple(portrait["box"]), portrait["turned"]) if portrait else None,
        *(told.get(name) for name in ("possible_from", "match_from", "seconds")),
    )
