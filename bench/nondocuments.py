"""Photos of what is no travel document: whatever is read from one of them is a mistake.

Text and numbers are random; the faces are the photos of three people in tests/data/faces.
"""

import string
from collections.abc import Iterator
from pathlib import Path
from random import Random

import cv2
import numpy as np
from degrading import as_jpeg
from PIL import Image, ImageDraw
from specimens import font

FACES = Path(__file__).parent.parent / "tests" / "data" / "faces"
SIZES = ((1200, 900), (1000, 1400), (1700, 2400), (2400, 1800), (800, 600))
WORDS = (
    "the", "quick", "brown", "fox", "invoice", "total", "amount", "due", "account", "number", "reference",
    "passport", "name", "surname", "date", "of", "birth", "payment", "street", "Berlin", "nationality", "identity",
    "card", "valid", "until", "signature", "holder", "authority", "issued",
)  # fmt: skip
ZONE_LETTERS = string.ascii_uppercase + string.digits
#: How many of a hundred.
SHARES = {"pages": 20, "receipts": 15, "faces": 15, "pictures": 15, "OCR-B text": 15, "lines with fillers": 20}


def photos(random: Random, number: int) -> Iterator[tuple[str, bytes]]:
    """Kind, and JPEG."""
    draw = {
        "pages": _page, "receipts": _receipt, "faces": _face, "pictures": _picture, "OCR-B text": _letters,
        "lines with fillers": _fillers,
    }  # fmt: skip
    for kind, share in SHARES.items():
        for _ in range(max(1, round(share * number / 100))):
            yield kind, as_jpeg(draw[kind](random), random.randint(60, 90))


def _sheet(random: Random, size: tuple[int, int], lines: Iterator[str], face, space: float = 1.6):
    """Lines of text from top to bottom, turned a little."""
    image = Image.new("RGB", size, tuple(random.randint(200, 255) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    y = 20.0
    while y < size[1] - 50 and (line := next(lines, None)) is not None:
        draw.text((20, y), line, font=face, fill=(15, 15, 15))
        y += face.size * space
    return np.array(image.rotate(random.uniform(-3, 3), Image.Resampling.BICUBIC, fillcolor=(120, 120, 120)))


def _page(random: Random):
    size = random.choice(SIZES)
    face = font("LiberationSans-Regular.ttf", random.choice([14, 18, 24, 30]))
    words = (" ".join(random.choice(WORDS) for _ in range(14)) for _ in range(200))
    return _sheet(random, size, words, face)


def _receipt(random: Random):
    face = font("LiberationSans-Bold.ttf", random.choice([14, 18, 22]))

    def lines() -> Iterator[str]:
        yield f"{random.choice(WORDS).upper()} {random.choice(WORDS).upper()}"
        for _ in range(random.randint(8, 30)):
            yield f"{random.choice(WORDS).title():<14}{random.randint(1, 9)} x {random.uniform(1, 99):8.2f}"
        yield f"TOTAL {random.uniform(20, 900):.2f}   {random.randint(10**11, 10**12)}"
        yield f"{random.randint(1, 28):02}.{random.randint(1, 12):02}.2026  {random.randint(10, 23)}:17"

    return _sheet(random, random.choice([(600, 1400), (800, 1800), (1000, 2400)]), lines(), face)


def _face(random: Random):
    photo = cv2.imread(str(random.choice(sorted(FACES.glob("*.jpg")))))[:, :, ::-1]
    wanted = random.choice([900, 1400, 2000])
    scale = wanted / max(photo.shape[:2])
    photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(photo[:, :: random.choice([1, -1])])


def _picture(random: Random):
    """Rectangles, circles and lines; some of them many and parallel, as lines of text are."""
    wide, high = random.choice(SIZES)
    picture = np.full((high, wide, 3), [random.randint(100, 255) for _ in range(3)], np.uint8)
    for _ in range(random.randint(5, 60)):
        colour = [random.randint(0, 255) for _ in range(3)]
        one, other = ((random.randint(0, wide), random.randint(0, high)) for _ in range(2))
        random.choice((cv2.rectangle, cv2.line))(picture, one, other, colour, random.randint(1, 12))
        cv2.circle(picture, one, random.randint(5, 200), colour, random.randint(1, 9), cv2.LINE_AA)
    for row in range(random.choice([0, 4, 20])):
        y = high // 2 + 40 * row
        for x in range(40, wide - 40, 22):
            cv2.line(picture, (x, y), (x + random.randint(4, 16), y + random.randint(6, 20)), (20, 20, 20), 3)
    return picture


def _letters(random: Random):
    face = font("OCRB.otf", random.choice([18, 22, 26]))
    lines = ("".join(random.choices(ZONE_LETTERS, k=random.choice([30, 36, 44]))) for _ in range(200))
    return _sheet(random, random.choice([(1700, 1200), (2400, 1800)]), lines, face)


def _fillers(random: Random):
    """As close to a zone as chance gets: the right number of letters, the first letters, the pitch; no check digits."""
    length, number = random.choice([(30, 3), (36, 2), (44, 2)])
    lines = ["".join(random.choices(ZONE_LETTERS + "<" * random.choice([6, 20, 60]), k=length)) for _ in range(number)]
    if random.random() < 0.5:
        lines[0] = random.choice("PIVAC") + "<" + lines[0][2:]
    if random.random() < 0.5:
        many = [line for _ in range(8) for line in lines]
    else:
        many = [random.choice(WORDS).upper() for _ in range(random.randint(2, 8))] + lines
    return _sheet(random, (1300, 900), iter(many), font("OCRB.otf", 22), space=2.2)
