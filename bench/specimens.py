"""Synthetic travel documents with a valid zone and random data, drawn flat, with the truth: what each one says.

The same seed gives the same documents. They rank methods and find bugs; they are no measure of accuracy in the field.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from printing import PLAIN, Style

PPM = 14  # pixels a millimetre while it is drawn; what is made of it has 4 to 13
SIZES = {"TD3": (125, 88), "MRVA": (120, 80), "TD2": (105, 74), "MRVB": (105, 74), "TD1": (85.6, 54)}  # mm
LENGTHS = {"TD3": 44, "MRVA": 44, "TD2": 36, "MRVB": 36, "TD1": 30}  # letters of a line
#: Passports and identity cards are more frequent than visas.
POOL = ["TD3"] * 5 + ["TD1"] * 4 + ["TD2"] * 2 + ["MRVA", "MRVB"]
SURNAMES = (
    "ERIKSSON", "SMITH", "GARCIA", "NGUYEN", "OYELARAN", "VAN<DER<BERG", "KOWALSKI", "MUELLER", "OCONNOR",
    "SILVA<SANTOS", "ZHANG", "IVANOVA", "TANAKA", "BOUCHARD", "LI", "XU", "QUISPE", "JOKINEN", "DZHUGASHVILI",
    "OKONKWO", "FITZGERALD", "BALASUBRAMANIAN", "KOROLYOVA", "PAPADOPOULOS", "ROSSI",
)  # fmt: skip
GIVEN = (
    "ANNA<MARIA", "JOHN", "LUIS<MIGUEL", "THI<HOA", "ADEBAYO", "JAN<WILLEM", "ZOFIA", "JUERGEN", "SINEAD",
    "BEATRIZ", "WEI", "OLGA<PETROVNA", "KENJI", "CHLOE", "XIAO", "MARISOL", "AINO<KAARINA", "IOSEB", "CHUKWUEMEKA",
    "JOSEPHINE<MAXIMILIANA", "VENKATARAMAN", "EVGENIYA", "KYRIAKOS", "MATTEO", "B",
)  # fmt: skip
STATES = (
    "UTO", "USA", "GBR", "D<<", "FRA", "ESP", "NLD", "POL", "NGA", "BRA", "CHN", "JPN", "VNM", "UKR", "CAN", "IND",
    "GRC", "ITA", "FIN", "IRL",
)  # fmt: skip
NUMBERS = "0123456789" * 3 + "ABCDEFGHJKLMNPRSTUVWXYZ"  # three times as many digits as there would be
TITLES = {"TD3": "PASSPORT / PASSEPORT", "TD1": "IDENTITY CARD", "TD2": "IDENTITY CARD", "MRVA": "VISA", "MRVB": "VISA"}
FONTS = {
    "OCRB.otf": ("/usr/share/fonts/opentype/ocr-b", "fonts-ocr-b"),
    "LiberationSans-Regular.ttf": ("/usr/share/fonts/truetype/liberation", "fonts-liberation"),
    "LiberationSans-Bold.ttf": ("/usr/share/fonts/truetype/liberation", "fonts-liberation"),
}


@dataclass(frozen=True)
class Truth:
    """What a document says. Names with < for blanks; dates as YYMMDD; `sex`: M, F or <."""

    format: str
    type: str
    issuer: str
    surname: str
    given: str
    number: str
    nationality: str
    birth: str
    sex: str
    expiry: str
    optional: str = ""
    optional2: str = ""

    @property
    def lines(self) -> list[str]:
        """Of the zone: ICAO Doc 9303 parts 4 to 7."""
        length = LENGTHS[self.format]
        head = self.type.ljust(2, "<") + self.issuer.ljust(3, "<")
        number = checked(self.number.ljust(9, "<"))
        birth, expiry = checked(self.birth), checked(self.expiry)
        if self.format == "TD1":
            first = head + number + self.optional.ljust(15, "<")
            second = birth + self.sex + expiry + self.nationality.ljust(3, "<") + self.optional2.ljust(11, "<")
            return [first, second + digit(first[5:] + birth + expiry + second[18:]), self.name(length)]
        second = number + self.nationality.ljust(3, "<") + birth + self.sex + expiry
        optional = self.optional
        if self.format == "TD3":
            optional = optional.ljust(14, "<")
            optional += digit(optional) if self.optional else "<"
        elif self.format == "TD2":
            optional = optional.ljust(7, "<")
        if self.format in ("TD2", "TD3"):
            optional += digit(number + birth + expiry + optional)
        return [head + self.name(length - 5), (second + optional).ljust(length, "<")]

    def name(self, length: int) -> str:
        return f"{self.surname}<<{self.given}"[:length].ljust(length, "<")

    @property
    def fields(self) -> dict[str, str]:
        """By the names of the API. A name that was cut is what the zone has of it."""
        name = self.name(30 if self.format == "TD1" else LENGTHS[self.format] - 5)
        surname, _, given = (part.replace("<", " ").strip() for part in name.partition("<<"))
        born = f"{'19' if int(self.birth[:2]) > 25 else '20'}{self.birth[:2]}-{self.birth[2:4]}-{self.birth[4:]}"
        return {
            "type": self.type, "issuing_country": self.issuer.strip("<"), "full_name": f"{given} {surname}".strip(),
            "given_names": given, "surname": surname, "date_of_birth": born,
            "nationality": self.nationality.strip("<"), "sex": self.sex.replace("<", "X"),
            "document_number": self.number,
            "expires_on": f"20{self.expiry[:2]}-{self.expiry[2:4]}-{self.expiry[4:]}",
        }  # fmt: skip


def digit(text: str) -> str:
    """Written a second time, so that a mistake in fv.analysis.mrz is not in the truth too (ICAO Doc 9303-3 §4.9)."""
    values = [0 if one == "<" else int(one, 36) for one in text]
    return str(sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10)


def checked(text: str) -> str:
    return text + digit(text)


# ── Data ─────────────────────────────────────────────────────────────────────────────────────────────────────


def made_up(random: Random, format: str) -> Truth:
    issuer = random.choice(STATES)
    nationality = issuer if random.random() < 0.8 else random.choice(STATES)
    number = _letters(random, 9 if random.random() < 0.85 else 8)
    optional = optional2 = ""
    if random.random() < 0.4:
        optional = _letters(random, {"TD3": 10, "TD2": 5, "TD1": 11, "MRVA": 12, "MRVB": 6}[format])
    if format == "TD1" and random.random() < 0.2:
        optional2 = _letters(random, 6)
    card, official = random.choice(["I", "ID", "C", "AR"]), random.choice(["I", "ID"])
    type = {"TD3": "P", "TD1": card, "TD2": official, "MRVA": "V", "MRVB": "V"}[format]
    surname, given = random.choice(SURNAMES), random.choice(GIVEN)
    birth, sex, expiry = _day(random, 1940, 2007), random.choice("MMMFFFM<"), _day(random, 2026, 2036)
    return Truth(
        format, type, issuer, surname, given, number, nationality, birth, sex, expiry, optional, optional2
    )  # fmt: skip


def _letters(random: Random, number: int) -> str:
    return "".join(random.choice(NUMBERS) for _ in range(number))


def _day(random: Random, first: int, last: int) -> str:
    return f"{random.randint(first, last) % 100:02}{random.randint(1, 12):02}{random.randint(1, 28):02}"


# ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────


def drawn(random: Random, truth: Truth, has_texture: bool = False, style: Style = PLAIN, printed: Truth | None = None):
    """Height × width × RGB, PPM pixels a millimetre. `printed`: what is printed above the zone, if not the same."""
    width, height = (int(side * PPM) for side in SIZES[truth.format])
    image = Image.fromarray(_paper(random, width, height, has_texture))
    draw = ImageDraw.Draw(image)
    small, bold = font("LiberationSans-Regular.ttf", 1.5 * PPM), font("LiberationSans-Bold.ttf", 2.2 * PPM)
    zone = 19 * PPM  # height
    left, top = 4 * PPM, 9 * PPM
    wide, high = int(0.27 * width), height - zone - top - 2 * PPM
    draw.rectangle([left, top, left + wide, top + high], fill=(180, 180, 190))  # the portrait: a head and shoulders
    draw.ellipse([left + wide * 0.28, top + high * 0.15, left + wide * 0.72, top + high * 0.6], fill=(120, 100, 90))
    draw.rectangle([left + wide * 0.15, top + high * 0.68, left + wide * 0.85, top + high], fill=(60, 60, 90))
    draw.text((left, 3 * PPM), TITLES[truth.format] + "   UTOPIA", font=bold, fill=(40, 40, 90))
    said = style.said((printed or truth).fields)[: 5 if truth.format == "TD1" else 6]
    x, y, step = left + wide + 3 * PPM, top, max(4.6 * PPM, high / 6.2)
    for label, value in said:
        draw.text((x, y), label, font=small, fill=(90, 90, 120))
        # on the line of the label, or below it
        at = (x + 21 * PPM, y - 0.5 * PPM) if style.is_beside else (x, y + 1.9 * PPM)
        draw.text(at, value, font=bold, fill=(20, 20, 20))
        y += step
    lines = truth.lines
    ocr_b, pitch = font("OCRB.otf", 2.45 * PPM), 2.54 * PPM
    y = height - zone + (3 if len(lines) == 2 else 1.5) * PPM
    x = max((width - pitch * len(lines[0])) / 2, 2 * PPM)
    ink = random.randint(10, 50)
    for row, line in enumerate(lines):
        for column, letter in enumerate(line):
            at = (x + column * pitch, y + row * (6.35 if len(lines) == 2 else 5.4) * PPM)
            draw.text(at, letter, font=ocr_b, fill=(ink, ink, ink))
    return np.array(image)


def _paper(random: Random, width: int, height: int, has_texture: bool):
    """Guilloche: weak, or strong and with rings."""
    base = np.array([random.randint(205, 245) for _ in range(3)], np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = np.sin(x / (0.9 * PPM) + 3 * np.sin(y / (3 * PPM))) + np.sin(y / (0.7 * PPM) + 2 * np.sin(x / (2.2 * PPM)))
    strength = 26 if has_texture else random.uniform(2, 7)
    paper = base[None, None] + waves[..., None] * strength * np.array([1, 0.6, 0.8])
    for _ in range(40 if has_texture else 0):
        centre = random.randint(0, width), random.randint(0, height)
        radius, colour = random.randint(5, 12 * PPM), [random.randint(110, 220) for _ in range(3)]
        cv2.circle(paper, centre, radius, colour, 1, cv2.LINE_AA)
    return np.clip(paper, 0, 255).astype(np.uint8)


def font(file: str, capital: float):
    """`capital`: pixels that an H is high."""
    path = _path(file)
    _, top, _, bottom = ImageFont.truetype(path, 200).getbbox("H")
    return ImageFont.truetype(path, max(6, round(200 * capital / (bottom - top))))


def _path(file: str) -> str:
    folder, package = FONTS[file]
    if (Path(folder) / file).exists():
        return str(Path(folder) / file)
    for line in subprocess.run(["fc-list", ":", "file"], capture_output=True, text=True, check=False).stdout.split(":"):
        if Path(line.strip()).name == file:
            return line.strip()
    raise SystemExit(f"The font {file} was not found: sudo apt install {package}")


def formats(place: int, number: int) -> Iterator[str]:
    """Of the documents of one class, which is the `place`-th."""
    return (POOL[(one * 5 + place) % len(POOL)] if one else "TD3" for one in range(number))
