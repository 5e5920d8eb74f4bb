"""Which detectors there are, what may follow from each, and those that other packages bring. Pure.

A detector looks for a contradiction between the photos, or between them and what is known, and says what it saw. What
follows is its mode: monitor (it is only told), review (a person decides when it fires, and when it could not look) or
block (the session fails when it fires). docs/detectors.md has the list, and how to write one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from math import isfinite

from fv.analysis.report import Detection

MODES = ("monitor", "review", "block")
GROUP = "facevault.detectors"  # of entry points: where an installed package says which detectors it brings
VERSION = "1"  # of the detectors below; a changed rule or number is another version
LONGEST_REASON = 300  # characters
NAMES = {"id_photo": "ID photo", "selfie": "selfie", "liveness_frame": "head turn"}  # of photos, in a reason

#: What is looked at where the photos are (consistency.py), and what needs the database (circumstances.py). Those that
#: can be set off by a person who means no harm (twins, a bad camera, the same file picked twice) do not block: a
#: session that failed cannot be passed any more. Whoever is on the block list was put there by a person.
PHOTOS = {
    "same_still": "review",
    "same_portrait": "review",
    "head_turn": "review",
    "sharpness_and_size": "monitor",  # what no face could be found in is refused before; the rest is a hint
    "three_people": "review",
}
CIRCUMSTANCES = {
    "same_file": "review",
    "challenge_current": "review",
    "duplicate_face": "review",
    "blocked_face": "block",
}
DEFAULTS: Mapping[str, str] = PHOTOS | CIRCUMSTANCES


@dataclass(frozen=True)
class Seen:
    """What a detector of ours saw. `score`: 0 to 1, high is suspicious; with `fired` None when it could not look."""

    score: float | None
    fired: bool | None
    reason: str


def unseen(reason: str) -> Seen:
    return Seen(None, None, reason)


def could_not_look(name: str, mode: str, why: str, version: str = VERSION) -> Detection:
    return Detection(name, version, None, mode, None, f"Could not look: {why}.")


def told(name: str, mode: str, seen: Seen) -> Detection:
    score = None if seen.score is None else round(min(1.0, max(0.0, seen.score)), 4)
    return Detection(name, VERSION, score, mode, seen.fired, seen.reason)


# ── What the setting says ────────────────────────────────────────────────────────────────────────────────────


def modes(text: str) -> dict[str, str]:
    """`same_file=block my_detector=monitor`: the mode of every detector that is to look.

    Ours look always. One of another package looks when it is named here. Raises ValueError.
    """
    given: dict[str, str] = {}
    for part in text.split():
        name, _, mode = part.partition("=")
        if mode not in MODES or name in given:
            raise ValueError(f"NAME=MODE, each name once, with a mode of {', '.join(MODES)}")
        given[name] = mode
    known = [*DEFAULTS, *sorted(installed())]
    if not given.keys() <= set(known):
        raise ValueError(f"names of detectors that are installed: {', '.join(known)}")
    return dict(DEFAULTS) | given


def installed() -> dict[str, EntryPoint]:
    """What installed packages bring, by name. One that takes a name of ours, or no plain one, is not there."""
    found = {one.name: one for one in entry_points(group=GROUP)}
    return {name: one for name, one in found.items() if re.fullmatch(r"[a-z0-9_]{1,64}", name) and name not in DEFAULTS}


# ── What came from elsewhere ─────────────────────────────────────────────────────────────────────────────────


def believed(said: object, name: str, mode: str) -> Detection:
    """What the detector of another package returned, under its own name and mode, or why it is no answer."""
    if not isinstance(said, Detection):
        return could_not_look(name, mode, "the detector gave no Detection")
    saw = said.score is not None
    fits = isinstance(said.reason, str) and isinstance(said.version, str) and saw == (said.fired is not None)
    if not fits or (saw and not (_is_score(said.score) and isinstance(said.fired, bool))):
        return could_not_look(name, mode, "the detector gave a Detection that contradicts itself")
    version = _printable(said.version)[:32]
    return replace(said, name=name, mode=mode, version=version, reason=_printable(said.reason)[:LONGEST_REASON])


def settled(detections: Iterable[Detection], modes: Mapping[str, str]) -> tuple[Detection, ...]:
    """One answer of each detector that was to look, in the mode it is set to, whatever the list says and lacks.

    The list comes out of a process that had crafted photos before it.
    """
    given: dict[str, Detection] = {}
    for one in detections:
        given.setdefault(one.name, one)
    return tuple(
        believed(given[name], name, mode)
        if name in given
        else could_not_look(name, mode, "the photos were not examined")
        for name, mode in modes.items()
    )


def _is_score(score: object) -> bool:
    is_number = isinstance(score, int | float) and not isinstance(score, bool)
    return is_number and isfinite(score) and 0 <= score <= 1  # type: ignore[arg-type,operator]


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
