"""Whether the three photos fit together: the detectors that look at photos and faces. Pure.

This is consistency and no more. It finds a photo that was sent twice, a head that was not turned, three photos of
different people. It cannot tell a living person from a good picture of one. The numbers below are chosen by reasoning
from what is measured; none of them was calibrated on a collection of people.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fv.analysis import detectors
from fv.analysis.detectors import NAMES, Seen, unseen
from fv.analysis.report import KINDS, Detection, Face, Report

Array = NDArray[np.uint8]

#: Correlation of two aligned faces from which they are one picture. A portrait and a photo of it in print had 0.95 and
#: 0.99; any two of five photos of three people at most 0.47.
SAME_STILL = 0.9
#: Degrees of the challenge by which the face has to differ from the selfie. A head that looks into a camera sways
#: by about 5, one that is asked to turn goes beyond 25; heads are raised less than they are turned.
LEAST_TURN = {"left": 15.0, "right": 15.0, "up": 10.0}
SMALL = 112  # pixels of the shorter side of a face: less than that is enlarged before a template is made
UNLIKE = 8  # times as sharp: selfie and head turn come from one camera within minutes


@dataclass(frozen=True)
class Look:
    """What a detector may look at; the same for ours and for those of other packages.

    `photos`: kind (id_photo, selfie, liveness_frame) to uint8 (height, width, 3), RGB, upright. `crops`: kind to uint8
    (n, n), gray: the face, aligned by its eyes, so that two of them can be compared point by point; a photo in which no
    usable face was found has none. `challenge`: the way the head was to be turned (left, right, up), as the person
    sees it. `report`: what is known so far: what the document says, faces, templates and their similarities.
    """

    photos: Mapping[str, Array]
    crops: Mapping[str, Array]
    challenge: str
    report: Report

    @property
    def faces(self) -> Mapping[str, Face]:
        return self.report.faces


def look(at: Look, modes: Mapping[str, str]) -> list[Detection]:
    """What each detector of `modes` says that looks at photos. One that raises could not look; the others go on."""
    said = [_asked(name, modes[name], at) for name in OURS if name in modes]
    others = modes.keys() - detectors.DEFAULTS.keys()
    return said + [_asked_elsewhere(name, modes[name], at) for name in modes if name in others]


def _asked(name: str, mode: str, at: Look) -> Detection:
    try:
        return detectors.told(name, mode, OURS[name](at))
    except Exception as error:  # an odd array is no reason to lose what the others saw
        return detectors.could_not_look(name, mode, f"it failed with {type(error).__name__}")


def _asked_elsewhere(name: str, mode: str, at: Look) -> Detection:
    try:
        detector = detectors.installed()[name].load()
        return detectors.believed(detector(at), name, mode)
    except Exception as error:  # its type only: the text may hold what stands in the document
        return detectors.could_not_look(name, mode, f"it failed with {type(error).__name__}", version="")


# ── Ours ─────────────────────────────────────────────────────────────────────────────────────────────────────


def same_still(at: Look) -> Seen:
    """The selfie was sent again as the head turn, perhaps mirrored."""
    return _same_picture(at, ("selfie", "liveness_frame"))


def same_portrait(at: Look) -> Seen:
    """Selfie or head turn is the portrait of the document itself: a file of it, or a photo of the print."""
    return _same_picture(at, ("id_photo", "selfie"), ("id_photo", "liveness_frame"))


def _same_picture(at: Look, *pairs: tuple[str, str]) -> Seen:
    if missing := _without(at.crops, *dict.fromkeys(kind for pair in pairs for kind in pair)):
        return unseen(missing)
    found: list[tuple[float, str, str]] = []
    for one, other in pairs:
        straight = correlation(at.crops[one], at.crops[other])
        mirrored = correlation(at.crops[one], at.crops[other][:, ::-1])
        if straight is None or mirrored is None:
            return unseen("Could not look: there is nothing to compare in a face of one colour.")
        how = " when one is mirrored" if mirrored > straight else ""
        found.append((max(straight, mirrored), f"{NAMES[one]} and {NAMES[other]}", how))
    most, which, how = max(found)
    said = f"{which[0].upper()}{which[1:]}"
    if most >= SAME_STILL:
        return Seen(most, True, f"{said} show the same picture of the face{how} ({most:.2f} of 1).")
    return Seen(most, False, f"{said} are two pictures ({most:.2f} alike; one picture from {SAME_STILL}).")


def head_turn(at: Look) -> Seen:
    """The head was not turned as asked, measured against the selfie."""
    if missing := _without(at.faces, "selfie", "liveness_frame"):
        return unseen(missing)
    if at.challenge not in LEAST_TURN:
        return unseen("Could not look: it is not known which way the head was to be turned.")
    selfie, turned, least = at.faces["selfie"], at.faces["liveness_frame"], LEAST_TURN[at.challenge]
    if at.challenge == "up":
        moved = turned.pitch - selfie.pitch
    else:
        moved = (turned.yaw - selfie.yaw) * (1 if at.challenge == "left" else -1)
    asked = f"{at.challenge} was asked for, at least {least:.0f} degrees"
    if moved >= least:
        return Seen(0.0, False, f"The head turned about {moved:.0f} degrees: {asked}.")
    if moved <= -least:
        why = "" if at.challenge == "up" else " A camera that mirrors its pictures may be why."
        return Seen(1.0, True, f"The head turned about {-moved:.0f} degrees the other way: {asked}.{why}")
    way = " the other way" if round(moved) < 0 else ""
    return Seen(1 - moved / least, True, f"The head moved about {abs(moved):.0f} degrees{way}: {asked}.")


def sharpness_and_size(at: Look) -> Seen:
    """A face is small, or selfie and head turn are not equally sharp, as those of one camera are."""
    if missing := _without(at.faces, *KINDS):
        return unseen(missing)
    sides = {kind: min(box[2] - box[0], box[3] - box[1]) for kind in KINDS for box in [at.faces[kind].box]}
    small = [kind for kind in KINDS if sides[kind] < SMALL]
    less, more = sorted((at.faces["selfie"].sharpness, at.faces["liveness_frame"].sharpness))
    if small:
        found = ", ".join(f"{NAMES[kind]} {sides[kind]}" for kind in small)
        return Seen(1 - min(sides.values()) / SMALL, True, f"A face is small: {found} pixels; good from {SMALL}.")
    if less * UNLIKE < more:
        return Seen(1 - less / more, True, f"One of selfie and head turn is more than {UNLIKE} times as sharp.")
    return Seen(0.0, False, f"Every face has {SMALL} pixels or more, and selfie and head turn are alike in sharpness.")


def three_people(at: Look) -> Seen:
    """Two of the three photos show people who are surely not one."""
    model, alike = at.report.model, at.report.similarities
    if model is None:
        return unseen("Could not look: the faces were not compared.")
    found = {(a, b): alike[f"{a} {b}"] for a, b in combinations(KINDS, 2) if f"{a} {b}" in alike}
    unlike = [pair for pair, similarity in found.items() if similarity < model.possible]
    if unlike:
        said = "; ".join(f"{NAMES[a]} and {NAMES[b]} {found[a, b]:.2f}" for a, b in unlike)
        return Seen(1.0, True, f"These are two people: {said}. One person is possible from {model.possible}.")
    if len(found) < 3:
        return unseen(_without(at.faces, *KINDS) or "Could not look: the faces were not compared.")
    least = min(found.values())
    short = (model.match - least) / (model.match - model.possible) if least < model.match else 0.0
    return Seen(
        short, False, f"The three photos may show one person: {least:.2f} or more; possible from {model.possible}."
    )


OURS: Mapping[str, Callable[[Look], Seen]] = {
    "same_still": same_still,
    "same_portrait": same_portrait,
    "head_turn": head_turn,
    "sharpness_and_size": sharpness_and_size,
    "three_people": three_people,
}


def correlation(one: Array, other: Array) -> float | None:
    """Pearson's r of two gray pictures of one size, -1 to 1; None when one of them is of a single shade."""
    a, b = (picture.astype(np.float64) - picture.mean() for picture in (one, other))
    length = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / length if length else None


def _without(there: Mapping[str, object], *kinds: str) -> str:
    """Why it could not look, when one of these is missing; else nothing."""
    missing = [NAMES[kind] for kind in kinds if kind not in there]
    return f"Could not look: no usable face on {' and '.join(missing)}." if missing else ""
