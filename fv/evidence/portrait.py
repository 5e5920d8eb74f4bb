"""The portrait of a document, cut out of the photo of it. Pure. For photos of ours only, as watermark.py."""

from io import BytesIO

from PIL import Image

SHAPE = (1.0, 1.25)  # half width and half height of what is cut, in sides of the face: head, neck and some around
SMALLEST = 600  # pixels a portrait is high, enlarged if need be: a smaller one vanishes behind its watermark
QUALITY = 92

_UPRIGHT = {1: Image.Transpose.ROTATE_270, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_90}  # anticlockwise


def cut(jpeg: bytes, box: tuple[int, int, int, int], turned: int) -> bytes:
    """A JPEG of 4 to 5, upright. `box`: of the face, in pixels of the photo (left, top, right, bottom).

    `turned`: quarter turns clockwise that make it upright. A box that lies outside, wholly or in part, is moved in.
    """
    with Image.open(BytesIO(jpeg), formats=["JPEG"]) as photo:
        image = photo.convert("RGB")
        if way := _UPRIGHT.get(turned % 4):
            image = image.transpose(way)
        face = _turned(box, photo.size, turned % 4)
    found = image.crop(_around(face, image.size))
    if found.height < SMALLEST:
        size = (max(1, found.width * SMALLEST // found.height), SMALLEST)
        found = found.resize(size, Image.Resampling.BICUBIC)
    out = BytesIO()
    found.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _turned(box: tuple[int, int, int, int], size: tuple[int, int], quarters: int) -> tuple[int, int, int, int]:
    """Where the box is once the photo was turned clockwise."""
    for _ in range(quarters):
        left, top, right, bottom = box
        box, size = (size[1] - bottom, left, size[1] - top, right), (size[1], size[0])
    return box


def _around(box: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom; at least one pixel of the photo."""
    left, top, right, bottom = box
    side = max(right - left, bottom - top, 1)
    found = []
    for middle, part, end in zip(((left + right) // 2, (top + bottom) // 2), SHAPE, size, strict=True):
        half = min(max(1, int(side * part)), end)  # what is longer than the photo is all of it
        middle = min(max(middle, 0), end)
        found.append((max(0, middle - half), max(1, min(end, middle + half))))
    (left, right), (top, bottom) = found
    return min(left, size[0] - 1), min(top, size[1] - 1), right, bottom
