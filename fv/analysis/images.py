"""Pictures as arrays: the one place that knows OpenCV."""

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.uint8]  # height × width × RGB, or height × width
Quad = NDArray[np.float32]  # four corners (x, y) in pixels: along the reading direction, down, and back


def resized(image: Array, width: int, height: int) -> Array:
    smaller = width * height < image.shape[0] * image.shape[1]
    return np.asarray(
        cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), np.uint8
    )


def at_most(image: Array, longer_side: int) -> tuple[Array, float]:
    """The picture, made smaller if its longer side has more pixels, and its size as a part of what it was."""
    height, width = image.shape[:2]
    scale = min(1.0, longer_side / max(height, width))
    return (resized(image, round(width * scale), round(height * scale)) if scale < 1 else image), scale


def cut(image: Array, quad: Quad) -> Array:
    """What lies between four corners, made a rectangle: length and height are the longer ones of its sides."""
    width = max(1, round(float(max(np.hypot(*(quad[1] - quad[0])), np.hypot(*(quad[2] - quad[3]))))))
    height = max(1, round(float(max(np.hypot(*(quad[3] - quad[0])), np.hypot(*(quad[2] - quad[1]))))))
    to = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(quad, to)
    flat = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8)
