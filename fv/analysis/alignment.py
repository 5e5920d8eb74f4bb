"""Where eyes and nose belong in a square of 112 x 112 pixels: the standard template of ArcFace, as far as we can.

It has five points (insightface, face_align.py): eyes, tip of the nose, corners of the mouth. Three are used here: the
centres of the eyes, each the middle of its corners, and the base of the nose instead of its tip. The base lies lower,
so its place is ours: 0.755 distances of the eyes below them, as on upright portraits (measured: 0.752 to 0.784). The
corners of the mouth are not among the landmarks we have.
"""

import math

import numpy as np

from fv.analysis.images import Numbers

SIDE = 112  # pixels
#: The person's right eye (at the left of the square), left eye, base of the nose.
PLACES = np.array([(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 78.2)])


def alignment(landmarks: Numbers, side: int = SIDE) -> Numbers:
    """(2, 3): turn, scale and shift that bring eyes and nose nearest to PLACES, by least squares.

    `landmarks` (5, 2): outer and inner corner of the person's left eye, of the right eye, and the base of the nose.
    `side`: pixels of the square, when it is another one. As complex numbers the map is z → a·z + b.
    """
    points = np.array([landmarks[2:4].mean(axis=0), landmarks[0:2].mean(axis=0), landmarks[4]]) @ (1, 1j)
    places = ((PLACES + 0.5) * (side / SIDE) - 0.5) @ (1, 1j)  # pixel 0 has its centre at 0, and its edge at -0.5
    middle, centre = points.mean(), places.mean()
    spread = float(np.sum(np.abs(points - middle) ** 2))
    a = np.sum(np.conj(points - middle) * (places - centre)) / (spread or math.inf)
    b = centre - a * middle
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
