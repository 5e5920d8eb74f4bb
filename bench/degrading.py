"""What a phone photo does to a flat document, in twelve classes.

Every number is drawn whether a class uses it or not, so that the same seed gives the same documents in all of them.
"""

from dataclasses import dataclass
from math import cos, radians, sin
from random import Random

import cv2
import numpy as np
from specimens import PPM

CLASSES = (
    "clean", "mild", "rot15", "quarter", "persp", "lowres", "jpeg", "blur", "noise", "glare", "texture", "combo",
)  # fmt: skip
CAPITAL = 2.45  # mm: height of the letters of a zone


@dataclass(frozen=True)
class Damage:
    """`capital`: pixels that a letter of the zone is high. `turn`: degrees. `margin`: part of the width."""

    seed: int
    capital: int
    margin: float
    turn: float

    @classmethod
    def drawn(cls, random: Random, name: str) -> "Damage":
        seed = random.randint(0, 2**31 - 1)
        capitals = {"clean": 30, "lowres": random.choice([12, 13, 14, 15, 16]), "combo": random.randint(15, 26)}
        capital = capitals.get(name, random.randint(18, 30))
        margin = random.uniform(0.04, 0.12)
        turns = {
            "rot15": random.choice([-1, 1]) * random.uniform(5, 15),
            "mild": random.uniform(-3, 3),
            "combo": random.uniform(-8, 8),
            "persp": random.uniform(-4, 4),
            "quarter": random.choice([90, 180, 270]) + random.uniform(-4, 4),
        }
        return cls(seed, capital, margin, turns.get(name, random.uniform(-1, 1) if name != "clean" else 0))


def photographed(random: Random, document, name: str) -> bytes:
    """A JPEG of a document (height × width × RGB) on a table."""
    damage = Damage.drawn(random, name)
    noise = np.random.RandomState(damage.seed)
    photo = _laid(random, noise, document, name, damage)
    photo = _lit(random, photo, name)
    if name == "blur":
        photo = cv2.GaussianBlur(photo, (0, 0), damage.capital * random.uniform(0.06, 0.11))
    if name == "combo":
        photo = cv2.GaussianBlur(photo, (0, 0), damage.capital * random.uniform(0.02, 0.05))
    if name in ("noise", "combo", "mild"):
        strengths = {"noise": random.uniform(14, 30), "combo": random.uniform(4, 10), "mild": 4}
        photo = photo + noise.normal(0, strengths[name], photo.shape)
    qualities = {"clean": 92, "jpeg": random.randint(30, 45), "combo": random.randint(40, 70), "mild": 80}
    quality = qualities.get(name, random.randint(60, 85))
    return as_jpeg(np.clip(photo, 0, 255).astype(np.uint8), quality)


def _laid(random: Random, noise, document, name: str, damage: Damage):
    """Turned, tilted and small, on a table."""
    height, width = document.shape[:2]
    scale = damage.capital / (CAPITAL * PPM)
    wide, high = width * scale, height * scale
    margin = damage.margin * wide
    corners = np.float32([[0, 0], [wide, 0], [wide, high], [0, high]])
    if name in ("persp", "combo"):
        most = 0.10 if name == "persp" else 0.05
        corners = corners + noise.uniform(-most, most, (4, 2)).astype(np.float32) * np.float32([wide, high])
    angle, centre = radians(damage.turn), np.array([wide / 2, high / 2])
    turn = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    corners = ((corners - centre) @ turn.T).astype(np.float32)
    corners -= corners.min(0)
    corners += margin
    size = tuple(int(side) for side in corners.max(0) + margin)
    flat = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    matrix = cv2.getPerspectiveTransform(flat, corners)
    if scale < 1:  # otherwise pixels would be skipped
        document = cv2.GaussianBlur(document, (0, 0), max(0.3, 0.35 / scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    there = cv2.warpPerspective(document, matrix, size, flags=way)
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size)[..., None] / 255.0
    return _table(random, noise, size, name) * (1 - mask) + there * mask


def _table(random: Random, noise, size: tuple[int, int], name: str):
    colour = [random.randint(30, 200) for _ in range(3)]
    grain = noise.normal(0, 40, (size[1], size[0], 1)).astype(np.float32)
    table = np.full((size[1], size[0], 3), colour, np.float32) + cv2.GaussianBlur(grain, (0, 0), 3)[..., None] * 2
    if name in ("texture", "combo"):
        table += 25 * np.sin(np.arange(size[0]) / 6.0)[None, :, None]
    return table


def _lit(random: Random, photo, name: str):
    """With the spot of a lamp, in half of the cases darker towards the right."""
    if name not in ("glare", "combo"):
        return photo
    high, wide = photo.shape[:2]
    x, y, width = random.uniform(0.2, 0.8) * wide, random.uniform(0.45, 0.9) * high, random.uniform(0.12, 0.3) * wide
    peak = random.uniform(90, 190) if name == "glare" else random.uniform(40, 110)
    down, along = np.mgrid[0:high, 0:wide]
    photo = photo + (np.exp(-((along - x) ** 2 + (down - y) ** 2) / (2 * width**2)) * peak)[..., None]
    return photo * (1 - 0.35 * (along / wide))[..., None] if random.random() < 0.5 else photo


def as_jpeg(photo, quality: int) -> bytes:
    """`photo`: height × width × RGB."""
    return cv2.imencode(".jpg", photo[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
