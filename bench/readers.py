"""Our reader, and what it is compared with: the same photos, the same parser, the same comparison with printed text.

Each gives a Document, or None. CPU seconds of a reader are those of this process and of the programs it runs.
"""

import csv
import io
import os
import re
import resource
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

import cv2
import numpy as np
from rapidocr import RapidOCR

from fv.analysis import images, layouts, lookalikes, mrz, reading, strips
from fv.analysis.printed import Line
from fv.analysis.report import Document

TODAY = date(2026, 12, 1)  # the same for every run: what a date means depends on it
LENGTHS = {30: 3, 36: 2, 44: 2}  # letters of a line, and lines
LONGER = 8  # fillers that may be added or left out for a line to have its length


def cpu() -> float:
    """Seconds of processor time so far, of ended children too."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


class Ours:
    name = "FaceVault"

    def __init__(self) -> None:
        self._reader = reading.Reader()

    def read(self, image: images.Array) -> Document | None:
        return self._reader.read(image, TODAY)


# ── From lines of text to a document ─────────────────────────────────────────────────────────────────────────


def document(texts: Sequence[str], printed: Sequence[Line]) -> Document | None:
    """`texts`: from above. The zone with most check digits that fit, and at least one; of these the least changed."""
    _, _, zone = max(_zones(texts), key=lambda one: one[:2], default=(0, 0, None))
    return reading.document(zone, printed, TODAY) if zone and _passed(zone) else None


def _passed(zone: mrz.Zone) -> int:
    return sum(check.result == "pass" for check in zone.checks.values())


def _zones(texts: Sequence[str]) -> Iterator[tuple[int, int, mrz.Zone]]:
    """Of all neighbouring lines that can be made to have the length of a zone.

    How many check digits fit, and minus how many letters were too many or too few.
    """
    cleaned = ["".join(lookalikes.as_letter(one) or "" for one in text) for text in texts]
    for length, number in LENGTHS.items():
        lines = [(line, abs(len(text) - length)) for text in cleaned if (line := _of_length(text, length))]
        for start in range(len(lines) - number + 1):
            chosen = lines[start : start + number]
            zone = mrz.read([line for line, _ in chosen], TODAY)
            if zone:
                yield _passed(zone), -sum(changed for _, changed in chosen), zone


def _of_length(text: str, length: int) -> str | None:
    """Recognisers miscount fillers: the longest run of them takes or gives what the line has too few or too many of."""
    missing = length - len(text)
    if not missing:
        return text
    runs = [run.span() for run in re.finditer("<+", text)]
    if not runs or abs(missing) > LONGER:
        return None
    start, end = max(runs, key=lambda run: run[1] - run[0])
    fillers = end - start + missing
    return text[:start] + "<" * fillers + text[end:] if fillers > 0 else None


# ── Tesseract ────────────────────────────────────────────────────────────────────────────────────────────────


class Tesseract:
    """Debian's, with the model it has for English.

    The photo as it is, as one block and then as sparse text, with the letters of a zone alone; where that gives no
    zone, the way up that its own detection of orientation says (which takes a zone for text upside down, so it is not
    asked first). Then once more with all letters for the printed text. It takes fillers for K, C, E and S: after a
    filler and up to the end of a line these are made fillers.
    """

    name = "tesseract"

    def __init__(self) -> None:
        if not shutil.which("tesseract"):
            raise SystemExit("tesseract was not found: sudo apt install tesseract-ocr")

    def read(self, image: images.Array) -> Document | None:
        for upright, way in self._tries(image):
            lines = self._lines(upright, way, f"tessedit_char_whitelist={layouts.ALPHABET}")
            texts = [_FILLERS.sub(lambda run: "<" * len(run[0]), line.text.replace(" ", "")) for line in lines]
            if document(texts, []):
                return document(texts, list(self._lines(upright, "11")))
        return None

    def _tries(self, image: images.Array) -> Iterator[tuple[images.Array, str]]:
        """Photo, and its mode of page segmentation."""
        yield image, "6"
        yield image, "11"
        found = re.search(r"Rotate: (90|180|270)", self._run(image, "--psm", "0"))
        if found:
            yield images.turned(image, int(found[1]) // 90), "6"

    def _lines(self, image: images.Array, way: str, *settings: str) -> Iterator[Line]:
        options = [option for setting in settings for option in ("-c", setting)]
        rows: dict[tuple[str, ...], list[dict[str, str]]] = {}
        table = io.StringIO(self._run(image, "--psm", way, *options, "tsv"))
        for word in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            if word["level"] == "5":
                rows.setdefault((word["block_num"], word["par_num"], word["line_num"]), []).append(word)
        for words in rows.values():
            left, top, width, height = (np.array([int(word[at]) for word in words]) for at in _BOX)
            right, bottom = (left + width).max(), (top + height).max()
            middle = (left.min() + right) / 2, (top.min() + bottom) / 2
            text = " ".join(word["text"] for word in words)
            yield Line(text, *map(float, middle), float(right - left.min()), float(bottom - top.min()))

    def _run(self, image: images.Array, *options: str) -> str:
        png = cv2.imencode(".png", image[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
        command = ["tesseract", "stdin", "stdout", "--dpi", "300", *options]
        return subprocess.run(
            command, input=png, capture_output=True, check=False, env=os.environ | {"OMP_THREAD_LIMIT": "1"}
        ).stdout.decode()


_FILLERS = re.compile(r"<[<KCES]{3,}(?=[0-9]?$)")
_BOX = ("left", "top", "width", "height")

# ── rapidocr ─────────────────────────────────────────────────────────────────────────────────────────────────


class Plain:
    """rapidocr as it comes: one pass over the page with its own parts and models, which are ours too.

    Pieces of one row are joined from left to right, upside down where that gives a zone.
    """

    name = "rapidocr"

    def __init__(self) -> None:
        threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
        self._engine = RapidOCR(params={"Global.log_level": "critical", **threads})

    def read(self, image: images.Array) -> Document | None:
        found = self._engine(image[:, :, ::-1], use_det=True, use_cls=True, use_rec=True)
        if found.boxes is None or not len(found.boxes):
            return None
        quads = [np.asarray(box, np.float32) for box in found.boxes]
        way = strips.direction(strips.along(quad) for quad in quads)
        for direction in (way, -way):
            lines = []
            for quad, text in zip(quads, found.txts, strict=True):
                lying = strips.along(quad, direction)
                at = strips.place(lying, direction)
                lines.append(Line(text, *at, strips.length(lying), strips.height(lying)))
            read = document(["".join(line.text for line in row) for row in _rows(lines)], lines)
            if read:
                return read
        return None


def _rows(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """From above; in each, from the left."""
    ordered = sorted(lines, key=lambda line: line.y)
    row = ordered[:1]
    for above, line in pairwise(ordered):
        if line.y - above.y > 0.5 * line.height:
            yield sorted(row, key=lambda one: one.x)
            row = []
        row.append(line)
    yield sorted(row, key=lambda one: one.x)
