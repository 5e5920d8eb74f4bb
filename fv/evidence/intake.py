"""What a photo becomes: upright, small enough, pixels and nothing else. Pure: bytes in, a photo or a refusal out.

Runs in a child process (child.py): a decoder is where a crafted file would strike.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from io import BytesIO

from PIL import Image

LARGEST = 10 * 1024 * 1024  # bytes of a file
MEGAPIXEL = 1_000_000
MOST_PIXELS = {"JPEG": 50 * MEGAPIXEL, "PNG": 25 * MEGAPIXEL, "WEBP": 25 * MEGAPIXEL}  # a decoded PNG has 4 bytes each
LONGER_SIDE = 2400  # pixels that are kept: the small print of a document is still read at that
QUALITY = 90  # of the JPEG

_ORIENTATION = 0x0112  # Exif 2.32 §4.6.4
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Image.MAX_IMAGE_PIXELS = None  # MOST_PIXELS decides, before anything is decoded


@dataclass(frozen=True)
class Photo:
    """`sha256`: of the file as it came, hexadecimal. All else is about what became of it."""

    jpeg: bytes
    width: int
    height: int
    sha256: str


#: Progressive files have about ten. A scan of 75 bytes costs as much time as one of a megabyte.
MOST_SCANS = 64


class Refused(Enum):
    """Why a file was not taken: a stable word, and what to say to the person who sent it."""

    sentence: str

    NOT_A_PHOTO = "not_a_photo", "This is not a photo. Send a JPEG, PNG or WebP."
    TOO_LARGE = "too_large", "This file is larger than 10 MB. The camera of this page takes smaller ones."
    TOO_MANY_PIXELS = (
        "too_many_pixels",
        "This photo has too many pixels: a JPEG may have 50 million, others 25 million.",
    )
    DAMAGED = "damaged", "This photo is damaged or was cut off on the way."
    CARRIES_MORE = "carries_more", "Behind this photo hangs another file. Send one as the camera made it."

    def __new__(cls, word: str, sentence: str) -> "Refused":
        member = object.__new__(cls)
        member._value_, member.sentence = word, sentence
        return member


def read(raw: bytes) -> Photo | Refused:
    """Never raises, whatever the bytes are."""
    if len(raw) > LARGEST:
        return Refused.TOO_LARGE
    format = _format(raw)
    if format is None:
        return Refused.NOT_A_PHOTO
    end = _END[format](raw)
    if end is None or (format == "JPEG" and raw.count(b"\xff\xda", 0, end) > MOST_SCANS):
        return Refused.DAMAGED
    if _is_foreign(raw[end:]):
        return Refused.CARRIES_MORE
    try:
        with Image.open(BytesIO(raw), formats=[format]) as image:
            if image.width * image.height > MOST_PIXELS[format]:
                return Refused.TOO_MANY_PIXELS
            clean = _cleaned(image)
    except Exception:  # what decoders raise over a crafted file is no closed list
        return Refused.DAMAGED
    jpeg = BytesIO()
    clean.save(jpeg, "JPEG", quality=QUALITY)
    return Photo(jpeg.getvalue(), clean.width, clean.height, hashlib.sha256(raw).hexdigest())


def _format(raw: bytes) -> str | None:
    """By its first bytes; a name or a type that somebody sent along says nothing."""
    if raw.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if raw.startswith(b"RIFF") and raw[8:12] == b"WEBP":
        return "WEBP"
    return None


# ── What hangs behind the picture ────────────────────────────────────────────────────────────────────────────
#
# Phones put a second JPEG there (a depth map, a smaller copy), a short film, or notes of their own: that is a photo as
# the camera made it, and only its picture is kept. An archive, a document or a program there was put there by somebody
# who wants the file to be taken for two things. It would be stripped too, and is refused so that whoever sends it hears
# of it. So it is a list of what is refused, and not of what cameras may write: no such list is ever complete.

_FOREIGN = re.compile(
    rb"PK[\x03\x05\x07]|Rar!|7z\xbc\xaf|\x1f\x8b\x08|BZh|\xfd7zXZ|%PDF|\{\\rtf|\xd0\xcf\x11\xe0|MZ|#!|\x7fELF"
    rb"|[\xce\xcf]\xfa\xed\xfe|\xfe\xed\xfa[\xce\xcf]|\xca\xfe\xba\xbe"
    rb"|(?i:<(?:!doctype|html|head|body|script|svg|iframe|\?php))"
)
_PADDING = b"\0\xff \t\r\n"
_ZIP_LOOKS_BACK = 65_557  # bytes: a ZIP is found by the record at its end (APPNOTE.TXT §4.3.16), wherever it begins
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # ends the coded data of a JPEG (ITU-T T.81 §B.1.1)
_MOST_SEGMENTS = 10_000  # a camera writes a few dozen; 10 MB of empty ones would take seconds to walk


def _is_foreign(tail: bytes) -> bool:
    if _FOREIGN.match(tail.lstrip(_PADDING)):
        return True
    end = tail.rfind(b"PK\5\6", max(0, len(tail) - _ZIP_LOOKS_BACK))
    first = end - int.from_bytes(tail[end + 12 : end + 16], "little")  # the list of its files lies before that record
    return end >= 0 and first >= 0 and tail.startswith(b"PK\1\2", first)


def _end_of_jpeg(raw: bytes) -> int | None:
    """Where the first picture ends; the end of everything when that cannot be told, which the decoder then judges.

    None: it has more segments than any camera writes, and the decoder would walk them for seconds, too.
    """
    at = 2
    for _ in range(_MOST_SEGMENTS):
        marker = _MARKER.search(raw, at)
        if marker is None:
            return len(raw)
        if marker[0] == b"\xff\xd9":
            return marker.end()
        at = marker.end() + int.from_bytes(raw[marker.end() : marker.end() + 2])
    return None


def _end_of_png(raw: bytes) -> int:
    at = 8
    while at < len(raw):
        name, at = raw[at + 4 : at + 8], at + 12 + int.from_bytes(raw[at : at + 4])
        if name == b"IEND":
            return at
    return len(raw)


def _end_of_webp(raw: bytes) -> int:
    return 8 + int.from_bytes(raw[4:8], "little")


_END = {"JPEG": _end_of_jpeg, "PNG": _end_of_png, "WEBP": _end_of_webp}


# ── The picture ──────────────────────────────────────────────────────────────────────────────────────────────


def _cleaned(image: Image.Image) -> Image.Image:
    """The first frame in a new image, which has pixels only: no EXIF, ICC, XMP or comment to carry over."""
    turn = _turn(image)
    image.draft("RGB", (LONGER_SIDE, LONGER_SIDE))  # a large JPEG is decoded at 1/2, 1/4 or 1/8, never below that
    colours = _in_colours(image)
    colours.thumbnail((LONGER_SIDE, LONGER_SIDE), Image.Resampling.LANCZOS)
    if turn is not None:
        colours = colours.transpose(turn)
    clean = Image.new("RGB", colours.size)
    clean.paste(colours)
    return clean


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF that nobody can read: the pixels may still be good
        return None


def _in_colours(image: Image.Image) -> Image.Image:
    """RGB. What is transparent becomes white; 16 bits of grey become 8."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    flat = Image.new("RGB", image.size, "white")
    layer = image.convert("RGBA")
    flat.paste(layer, mask=layer.getchannel("A"))
    return flat
