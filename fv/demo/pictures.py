"""Draws what a person would have photographed. Pure: a look in, a JPEG out. Nobody is portrayed, nothing is copied.

Every picture says SPECIMEN. It is drawn at twice its size and made smaller, so that edges are soft.
"""

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from math import cos, radians, sin

from PIL import Image, ImageColor, ImageDraw, ImageFont

WORD = "SPECIMEN"
DESK, PAPER, INK = "#8a7763", "#eef1ea", "#26302e"
#: Where the features of a face go when the head is turned, in half heights of a head. Left is the person's own.
TURNS = {"": (0.0, 0.0), "left": (0.3, 0.0), "right": (-0.3, 0.0), "up": (0.0, -0.2)}


@dataclass(frozen=True)
class Look:
    """Colours as #rrggbb. `cut`: short, long, fringe, bald."""

    skin: str
    hair: str
    cut: str
    eyes: str
    shirt: str
    wall: str
    has_glasses: bool


@dataclass(frozen=True)
class Document:
    """`printed`: pairs of label and value; `lines`: the machine-readable zone."""

    title: str
    colour: str
    printed: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]


def selfie(look: Look, turn: str = "") -> bytes:
    """`turn`: which way the head is turned, left, right, up; straight ahead without one. 720 x 960."""
    image = Image.new("RGB", (1440, 1920), look.wall)
    _head(image, look, (720, 860), 520, TURNS[turn])
    _write(image, WORD, (720, 1810), 110, _mixed(look.shirt, "#ffffff", 0.6), "mm")
    return _photo(image.reduce(2))


def id_photo(look: Look, document: Document, slant: float) -> bytes:
    """The document on a desk, turned by `slant` degrees. 1200 x 900."""
    image, page = Image.new("RGB", (1200, 900), DESK), _page(look, document).reduce(2)
    turned, mask = (one.rotate(slant, Image.Resampling.BICUBIC, expand=True) for one in (page, _edge(page.size)))
    image.paste(turned, ((1200 - turned.width) // 2, (900 - turned.height) // 2), mask)
    return _photo(image)


def portrait(slant: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the face on such a photo, in pixels."""
    across, down, half = (60 + 260) / 2 - 500, (210 + 300) / 2 - 332, 75  # from the middle of the page; brow to chin
    turn = radians(slant)
    x, y = 600 + across * cos(turn) + down * sin(turn), 450 - across * sin(turn) + down * cos(turn)
    return round(x - half), round(y - half), round(x + half), round(y + half)


def _page(look: Look, document: Document) -> Image.Image:
    page = Image.new("RGB", (2000, 1330), PAPER)
    draw = ImageDraw.Draw(page)
    for at in range(0, 2000, 28):  # a pattern, as security paper has
        draw.arc((at - 900, -300, at + 900, 1500), 300, 60, _mixed(PAPER, document.colour, 0.12), 3)
    draw.rectangle((0, 0, 2000, 150), document.colour)
    _write(page, f"UTOPIA · {document.title}", (60, 78), 76, "#ffffff", "lm")
    portrait = Image.new("RGB", (520, 680), _mixed(look.wall, "#ffffff", 0.5))
    _head(portrait, look, (260, 300), 190, TURNS[""])
    page.paste(portrait, (60, 210))
    for row, (label, value) in enumerate(document.printed):
        x, y = 650 + 680 * (row % 2), 220 + 220 * (row // 2)
        _write(page, label, (x, y), 40, _mixed(INK, PAPER, 0.35))
        _write(page, value, (x, y + 50), 62, INK)
    _stamp(page)
    pitch = 1880 / len(document.lines[0])
    for row, line in enumerate(document.lines):
        for at, mark in enumerate(line):  # one cell a character: the font that comes with Pillow is proportional
            place = (60 + pitch * (at + 0.5), 1310 - 100 * (len(document.lines) - row - 0.5))
            _write(page, mark, place, int(pitch * 1.25) if pitch < 50 else 60, "#111111", "mm")
    return page


def _stamp(page: Image.Image) -> None:
    """The word across the whole of it, faint enough to read through."""
    mask = Image.new("L", (page.width // 4, page.height // 4))
    ImageDraw.Draw(mask).text((mask.width // 2, mask.height * 4 // 9), WORD, fill=85, font=_font(85), anchor="mm")
    turned = mask.rotate(18, Image.Resampling.BILINEAR).resize(page.size, Image.Resampling.BILINEAR)
    page.paste(Image.new("RGB", page.size, "#a3262a"), mask=turned)


def _head(image: Image.Image, look: Look, middle: tuple[int, int], half: int, turn: tuple[float, float]) -> None:
    """Head and shoulders. `half`: half the height of the face, the unit of all places below."""
    draw, (right, down) = ImageDraw.Draw(image), turn
    dark, light = _mixed(look.skin, "#000000", 0.25), _mixed(look.skin, "#ffffff", 0.15)

    def box(x: float, y: float, wide: float, high: float) -> tuple[float, ...]:
        return tuple(middle[at % 2] + half * one for at, one in enumerate((x - wide, y - high, x + wide, y + high)))

    def oval(x: float, y: float, wide: float, high: float, colour: str) -> None:
        draw.ellipse(box(x, y, wide, high), colour)

    if look.cut == "long":
        draw.rounded_rectangle(box(0, 0.35, 0.95, 1.15), half * 0.7, look.hair)
    draw.rounded_rectangle(box(0, 2.6, 1.7, 1.2), half * 0.6, look.shirt)
    draw.rounded_rectangle(box(0, 1.1, 0.3, 0.5), half * 0.2, dark)
    if look.cut != "bald":
        oval(0, -0.28, 0.86, 0.92, look.hair)
    for side in (-1, 1):
        if side * right <= 0:  # a turned head hides one ear
            oval(side * 0.74, 0.05, 0.12, 0.22, dark)
    oval(0, 0, 0.74, 1.0, look.skin)
    oval(right * 0.5, -0.3 + down, 0.5, 0.45, light)
    if look.cut in ("fringe", "long"):
        draw.chord(box(0, -0.3, 0.76, 0.76), 188, 352, look.hair)
    elif look.cut == "short":
        draw.chord(box(0, -0.26, 0.78, 0.8), 208, 332, look.hair)
    for side in (-1, 1):
        x, y, narrow = side * 0.3 + right, -0.08 + down, 1 - 0.5 * max(0, side * right)
        oval(x, y, 0.14 * narrow, 0.08, "#f7f4ef")
        oval(x + right * 0.15, y, 0.07 * narrow, 0.075, look.eyes)
        draw.rounded_rectangle(box(x, y - 0.19, 0.17 * narrow, 0.025), half * 0.02, _mixed(look.hair, dark, 0.4))
        if look.has_glasses:
            draw.rounded_rectangle(box(x, y, 0.24 * narrow, 0.17), half * 0.08, None, INK, max(2, half // 40))
    if look.has_glasses:
        draw.rectangle(box(right, -0.1 + down, 0.07, 0.015), INK)
    oval(right * 1.3, 0.22 + down * 1.2, 0.1, 0.16, dark)
    oval(right * 1.3, 0.19 + down * 1.2, 0.08, 0.15, look.skin)
    draw.chord(box(right, 0.5 + down, 0.24, 0.12), 0, 180, "#9c4a4a")


def _photo(image: Image.Image) -> bytes:
    """Darker towards the corners, as a photo indoors is."""
    shade = Image.radial_gradient("L").resize(image.size).point(lambda value: value // 4)
    image.paste(Image.new("RGB", image.size, "black"), mask=shade)
    out = BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def _edge(size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), 30, 255)
    return mask


def _write(
    image: Image.Image, text: str, place: tuple[float, float], size: int, colour: str, anchor: str = "la"
) -> None:
    ImageDraw.Draw(image).text(place, text, colour, _font(size), anchor)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _mixed(one: str, other: str, share: float) -> str:
    """`share` of the other colour in it."""
    pairs = zip(ImageColor.getrgb(one), ImageColor.getrgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
