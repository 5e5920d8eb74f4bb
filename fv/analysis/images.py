"""Pictures as arrays: decoded, turned, made smaller, cut out. Only this module knows OpenCV.

An array is uint8, (height, width, 3) RGB or (height, width) gray. Points are (x, y), pixels from the left and the top.
"""

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.float64]
Quad = npt.NDArray[np.float32]  # four corners: along the reading direction, down, and back

cv2.setNumThreads(1)  # processes are the parallelism, and a photo costs what it costs


class Unreadable(Exception):
    """These bytes are no JPEG that can be decoded."""


def decode(jpeg: bytes) -> Array:
    """(h, w, 3) RGB, as the pixels lie in the file: photos that are kept are upright and have no metadata."""
    if not jpeg.startswith(b"\xff\xd8\xff"):
        raise Unreadable
    try:
        found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        raise Unreadable from None
    if found is None:
        raise Unreadable
    return np.asarray(found, np.uint8)


def gray(image: Array) -> Array:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def turned(image: Array, quarters: int) -> Array:
    """By so many quarter turns clockwise."""
    return np.ascontiguousarray(np.rot90(image, -quarters))


def resized(image: Array, longer: int) -> Array:
    """With a longer side of so many pixels; made smaller by the mean of areas, so that fine print does not flicker."""
    height, width = image.shape[:2]
    factor = longer / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)


def at_most(image: Array, longer: int) -> tuple[Array, float]:
    """As resized(), where the longer side has more pixels than that; and the new size as a part of the old one."""
    scale = min(1.0, longer / max(image.shape[:2]))
    return (resized(image, longer) if scale < 1 else image), scale


def stretched(image: Array, width: int, height: int) -> Array:
    smaller = width * height < image.shape[0] * image.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=way), np.uint8)


def between(image: Array, quad: Quad) -> Array:
    """What lies between four corners, made a rectangle: its length and height are the longer ones of the sides."""
    width = max(1, round(float(max(np.hypot(*(quad[1] - quad[0])), np.hypot(*(quad[2] - quad[3]))))))
    height = max(1, round(float(max(np.hypot(*(quad[3] - quad[0])), np.hypot(*(quad[2] - quad[1]))))))
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(quad, corners)
    flat = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8)


def cut_out(image: Array, matrix: Numbers, side: int) -> Array:
    """A square of so many pixels. `matrix` (2, 3): turn, scale and shift that take a point of the image into it.

    What has to shrink is shrunk first, by the mean of areas, so that no pixel is skipped.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    linear, shift = matrix[:, :2], matrix[:, 2]
    if 0 < scale < 1:
        left, top, right, bottom = _needed(image, linear, shift, side, 2 / scale)
        image, shift = image[top:bottom, left:right], shift + linear @ (left, top)
        height, width = image.shape[:2]
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        back = np.array([width / size[0], height / size[1]])  # the centre of pixel 0 lies at 0, and its edge at -0.5
        linear, shift = linear * back, shift + linear @ (back / 2 - 0.5)
    whole = np.column_stack([linear, shift])
    return np.asarray(cv2.warpAffine(image, whole, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _needed(image: Array, linear: Numbers, shift: Numbers, side: int, margin: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what the square shows of the image and a margin around; at least one pixel of it."""
    corners = np.array([(0, 0), (side, 0), (0, side), (side, side)])
    there = (corners - shift) @ np.linalg.inv(linear).T
    most = np.array(image.shape[1::-1]) - 1
    left, top = np.clip(np.floor(there.min(axis=0) - margin), 0, most).astype(int)
    right, bottom = np.clip(np.ceil(there.max(axis=0) + margin), 0, most).astype(int) + 1
    return int(left), int(top), int(right), int(bottom)


def detail(image: Array) -> float:
    """1000 × the variance of the Laplacian over the variance of the brightness: blur lowers it, darkness does not."""
    bright = image.astype(np.float32)
    return 1000 * float(cv2.Laplacian(bright, cv2.CV_32F).var()) / max(float(bright.var()), 1.0)
