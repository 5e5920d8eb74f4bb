"""The face of a photo: found, good enough or refused with a word, and its template. Pure, once models are loaded."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from fv.analysis import images
from fv.analysis.alignment import alignment
from fv.analysis.dlib_model import Detector, Resnet
from fv.analysis.images import Array, Numbers
from fv.analysis.pose import yaw_and_pitch
from fv.analysis.report import Face, Model
from fv.analysis.weights import Slot

ONE_WAY = (0,)
#: Quarter turns clockwise: upright first, then as phones are held, upside down last.
FOUR_WAYS = (0, 1, 3, 2)

SMALLEST = 80  # pixels a face is wide in the photo as it is kept
CROP = 96  # pixels of the aligned gray face: no face that is large enough is made larger for it

#: Longer side, in pixels, of the image that is searched: quickly, then, when nothing was found, finely. Four ways at
#: the full 2400 pixels would take 0.7 s, so a portrait that covers less than 146 of 2400 pixels is not found.
SIDES_ONE_WAY = (800, 2400)
SIDES_FOUR_WAYS = (800, 1200)
SURE = 0.5  # score of a face that ends the search; upright portraits score 0.9 to 2.0, other things below 0.15

#: Two faces are alike when the other one is SURE, or has half the score of the best, and is 0.6 to 1/0.6 times as wide.
#: The pale copy of the portrait on many cards is narrower, and so are people further behind.
ALIKE_SCORE = 0.5
ALIKE_WIDTH = 0.6

#: images.detail of the crop. Five portraits of three people, faces 80 to 340 pixels wide: sharp 81 to 290. Blurred by a
#: Gaussian with a sigma of 2 % of the width of the face 12 to 34 (the template moves to a cosine of 0.97), of 3 % 6 to
#: 19 (0.93 to 0.96), of 4 % 4 to 12 (0.89 to 0.94). No printed portrait was among them.
SHARP = 10.0


class Embedder(Protocol):
    """Makes templates. `model` names what makes them."""

    @property
    def model(self) -> Model: ...

    def template(self, image: Array, landmarks: Numbers) -> Numbers:
        """128 numbers, not yet of length 1. `landmarks`: as Detector.landmarks."""


@dataclass(frozen=True)
class Found:
    """`crop`: the face upright, CROP x CROP gray, for comparing two photos pixel by pixel."""

    face: Face
    crop: Array = field(repr=False)


@dataclass(frozen=True)
class Candidate:
    """`box`: of the turned photo, in its pixels."""

    score: float
    turns: int
    box: Numbers

    @property
    def width(self) -> float:
        return float(self.box[2] - self.box[0])


class Faces:
    def __init__(self, detector: Detector, embedder: Embedder) -> None:
        self._detector, self._embedder = detector, embedder

    @property
    def model(self) -> Model:
        return self._embedder.model

    def find(self, image: Array, turns: tuple[int, ...] = ONE_WAY) -> Found | str:
        """The best face of an RGB photo, or a word of report.WORDS. `turns`: quarter turns clockwise to try, in order.

        A photo of 2400 x 1800 takes 0.08 s of processor time, a document that lies turned 0.13 to 0.15, one with a
        small portrait 0.19 to 0.33, no face at all 0.19 (one way) or 0.27 (four). Raises weights.Unfit when an added
        model fails.
        """
        seen = self._search(image, turns)
        if not seen:
            return "no_face"
        best = seen[0]
        if any(_are_alike(best, other) for other in seen[1:]):
            return "several_faces"
        if best.width < SMALLEST:
            return "too_small"
        upright = images.turned(image, best.turns)
        landmarks = self._detector.landmarks(upright, best.box)
        crop = images.gray(images.cut_out(upright, alignment(landmarks, CROP), CROP))
        sharpness = images.detail(crop)
        if sharpness < SHARP:
            return "blurred"
        yaw, pitch = yaw_and_pitch(landmarks)
        template = unit(self._embedder.template(upright, landmarks))
        box = _turned_back(best, *image.shape[:2])
        return Found(Face(box, best.turns, yaw, pitch, sharpness, tuple(map(float, template))), crop)

    def _search(self, image: Array, turns: tuple[int, ...]) -> list[Candidate]:
        """All faces of the way in which the best one was seen, best first. A small photo is doubled at most."""
        longer = max(image.shape[:2])
        quick, fine = SIDES_ONE_WAY if len(turns) == 1 else SIDES_FOUR_WAYS
        gray = images.gray(image)
        for side in (min(quick, longer), min(fine, 2 * longer)):
            smaller = images.resized(gray, side)
            best: list[Candidate] = []
            for turn in turns:
                seen = [
                    Candidate(score, turn, box * longer / side)
                    for score, box in self._detector.boxes(images.turned(smaller, turn))
                ]
                if seen and (not best or seen[0].score > best[0].score):
                    best = seen
                if best and best[0].score >= SURE:
                    break
            if best:
                return best
        return []


def load(slot: Slot | None = None) -> Faces:
    """With the default model, or the one of a slot. Takes about 0.3 s of processor time. Raises weights.Unfit."""
    if slot is None:
        return Faces(Detector(), Resnet())
    from fv.analysis.onnx_model import OnnxEmbedder  # 0.1 s to import, for those who use it

    return Faces(Detector(), OnnxEmbedder(slot))


def unit(template: Numbers) -> Numbers:
    return template / float(np.linalg.norm(template))


def similarity(one: Face, other: Face) -> float:
    """The cosine of two templates of one model."""
    return float(np.dot(one.template, other.template))


def _are_alike(best: Candidate, other: Candidate) -> bool:
    return (
        other.score >= min(SURE, ALIKE_SCORE * best.score)
        and ALIKE_WIDTH <= other.width / best.width <= 1 / ALIKE_WIDTH
    )


def _turned_back(found: Candidate, height: int, width: int) -> tuple[int, int, int, int]:
    """The box in the photo as it is kept, of (height, width)."""
    left, top, right, bottom = (float(edge) for edge in found.box)
    edges = {
        0: (left, top, right, bottom),
        1: (top, height - right, bottom, height - left),
        2: (width - right, height - bottom, width - left, height - top),
        3: (width - bottom, left, width - top, right),
    }[found.turns % 4]
    limits = (width, height, width, height)
    a, b, c, d = (round(min(max(edge, 0), limit)) for edge, limit in zip(edges, limits, strict=True))
    return a, b, c, d
