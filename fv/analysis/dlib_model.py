"""The default face model at work: it is in two packages and needs no network. Only this module knows dlib.

Finds faces (histograms of oriented gradients), their five landmarks, and their templates (ResNet with 29 layers, 128
numbers). Everything runs in the calling thread.
"""

from importlib.util import find_spec
from pathlib import Path

import dlib
import numpy as np

from fv.analysis.default_model import EYES_AND_NOSE, MODEL, RESNET, SHA256
from fv.analysis.images import Array, Numbers
from fv.analysis.weights import Unfit, verified

PACKAGE = "face_recognition_models"  # found and never imported: it asks for pkg_resources, which is gone
LEAST = 73  # pixels: the smallest face that is seen
CHIP = 150  # pixels: the face as the network was trained on it
PADDING = 0.25  # of the face around it, likewise


def folder() -> Path:
    """Where the files are. Raises Unfit when the package is not installed."""
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise Unfit(f"The package {PACKAGE} is not installed: pip install 'facevault-server[face]'.")
    return Path(found.origin).parent / "models"


class Detector:
    """Faces and their landmarks. Raises Unfit when the file of the landmarks is missing or was changed."""

    def __init__(self) -> None:
        path = folder() / EYES_AND_NOSE
        verified(path, SHA256[EYES_AND_NOSE])
        self._faces = dlib.get_frontal_face_detector()
        self._landmarks = dlib.shape_predictor(str(path))

    def boxes(self, image: Array) -> list[tuple[float, Numbers]]:
        """The score of each face, best first, and its box: left, top, right, bottom. Gray, or RGB."""
        if min(image.shape[:2]) < LEAST:
            return []
        found, scores, _ = self._faces.run(image, 0, 0.0)
        return [
            (float(score), np.array([box.left(), box.top(), box.right() + 1, box.bottom() + 1], float))
            for score, box in sorted(zip(scores, found, strict=True), key=lambda one: -one[0])
        ]

    def landmarks(self, image: Array, box: Numbers) -> Numbers:
        """(5, 2): outer and inner corner of the person's left eye, of the right eye, and the base of the nose."""
        left, top, right, bottom = (round(float(edge)) for edge in box)
        shape = self._landmarks(image, dlib.rectangle(left, top, right - 1, bottom - 1))
        return np.array([(point.x, point.y) for point in shape.parts()], float)


class Resnet:
    """Templates by the default model. Raises Unfit when its file is missing or was changed."""

    model = MODEL

    def __init__(self) -> None:
        path = folder() / RESNET
        verified(path, SHA256[RESNET])
        self._network = dlib.face_recognition_model_v1(str(path))

    def template(self, image: Array, landmarks: Numbers) -> Numbers:
        """128 numbers, not yet of length 1."""
        points = [dlib.point(round(float(x)), round(float(y))) for x, y in landmarks]
        shape = dlib.full_object_detection(dlib.rectangle(0, 0, 1, 1), points)
        return np.array(self._network.compute_face_descriptor(dlib.get_face_chip(image, shape, CHIP, PADDING)), float)
