"""Who looks, and when, burned into a copy of a photo. Pure.

For photos of ours only: they were read and written anew before they were kept. So no process of its own is needed, but
turns are (flows.py): 0.65 s of processor time and 50 MB for 2400 x 2400 pixels.
"""

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

QUALITY = 85  # of the JPEG: a copy to look at
ANGLE = 30  # degrees: no edge of a document runs along it
LINES = 9  # of text over the longer side: no part of a face or of a document stays without
COARSE = 2  # the text is drawn at half the size, in less than half the time
STRENGTH = 120  # of 255: the text is read on everything, and everything through the text


def burn(jpeg: bytes, text: str) -> bytes:
    """The photo with the text across it, again and again, light with a dark edge."""
    with Image.open(BytesIO(jpeg), formats=["JPEG"]) as photo:
        image = photo.convert("RGB")
    coarse = (-(-image.width // COARSE), -(-image.height // COARSE))
    side = max(coarse)
    font = ImageFont.load_default(max(10, side // 40))
    ink, edge = _layer(side, text, font, 0), _layer(side, text, font, max(1, side // 600))
    for colour, layer in (("black", edge), ("white", ink)):
        mask = _middle(layer, coarse).resize(image.size, Image.Resampling.BILINEAR)
        image.paste(colour, mask=mask)
    out = BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _layer(side: int, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, edge: int) -> Image.Image:
    """A square mask, large enough to cover the photo when it is turned."""
    size = side * 3 // 2
    mask = Image.new("L", (size, size))
    draw = ImageDraw.Draw(mask)
    line = f"{text}   ·   "
    line *= 1 + int(size * 1.5 / max(1, draw.textlength(line, font)))
    for number in range(LINES * 3 // 2 + 1):
        place = (-(number % 3) * size // 7, number * side // LINES)
        draw.text(place, line, fill=STRENGTH, font=font, stroke_width=edge)
    return mask.rotate(ANGLE, Image.Resampling.BICUBIC)


def _middle(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    left, top = ((mask.width - size[0]) // 2, (mask.height - size[1]) // 2)
    return mask.crop((left, top, left + size[0], top + size[1]))
