"""Where there is text in a photo, and what it says: PP-OCR through rapidocr and onnxruntime, without a network.

The models come with the package and are named by their files: without a name rapidocr looks for them, and fetches what
it misses. Its version is pinned, since the parts used here are not documented as its interface.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidocr import RapidOCR

from fv.analysis import images, lookalikes
from fv.analysis.ctc import Floats
from fv.analysis.images import Array, Quad
from fv.analysis.layouts import ALPHABET

DETECTOR, RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
HEIGHT = 48  # pixels: what the recogniser was trained on
NARROWEST, WIDEST = 320, 2400  # pixels of a strip: the recogniser's least, and twice the longest line of a zone


class Ocr:
    """Loads 32 MB of models in 0.4 s. Not to be shared by threads."""

    def __init__(self) -> None:
        found = find_spec("rapidocr")
        folder = Path(str(found and found.origin)).parent / "models"
        threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
        self._engine = RapidOCR(
            params={
                "Global.log_level": "critical",  # it says what it reads
                "Det.model_path": str(folder / DETECTOR),
                "Rec.model_path": str(folder / RECOGNISER),
                **threads,
            }
        )
        self._run(np.full((HEIGHT, NARROWEST, 3), 255, np.uint8), find=False)  # loads the recogniser
        self._recogniser: Any = vars(self._engine)["text_rec"]
        signs = self._recogniser.postprocess_op.character
        self._signs = np.array(signs)
        letters = [lookalikes.as_letter(sign) if number else None for number, sign in enumerate(signs)]
        self._columns = [[n for n, one in enumerate(letters) if one == letter] for letter in ALPHABET]
        self._blank = [0, len(signs) - 1]  # nothing, and a space

    def find(self, image: Array) -> list[Quad]:
        """Corners of each piece of text, in pixels. `image`: height × width × RGB."""
        boxes = self._run(image, find=True).boxes
        return [] if boxes is None else [np.asarray(box, np.float32) for box in boxes]

    def text(self, strip: Array) -> tuple[str, float]:
        """What one line says, and how sure that is, 0 to 1."""
        likely = self._likely(strip)
        best = likely.argmax(axis=1)
        is_new = np.insert(best[1:] != best[:-1], 0, True) & (best != 0)
        if not is_new.any():
            return "", 0.0
        return "".join(self._signs[best[is_new]]), float(likely.max(axis=1)[is_new].mean())

    def letters(self, strip: Array) -> Floats:
        """How likely each letter of mrz.ALPHABET is, and no letter (the last column): slices of 8 pixels × 38."""
        likely = self._likely(strip)
        sums = [likely[:, columns].sum(axis=1) for columns in (*self._columns, self._blank)]
        return np.stack(sums, axis=1)

    def _run(self, image: Array, find: bool) -> Any:
        return self._engine(image[:, :, ::-1], use_det=find, use_cls=False, use_rec=not find)

    def _likely(self, strip: Array) -> NDArray[np.float32]:
        """Slices × signs."""
        width = min(max(1, round(strip.shape[1] * HEIGHT / strip.shape[0])), WIDEST)
        whole = images.stretched(strip, width, HEIGHT)[:, :, ::-1]
        batch = self._recogniser.resize_norm_img(whole, max(width, NARROWEST) / HEIGHT)[np.newaxis]
        likely: NDArray[np.float32] = self._recogniser.session(batch)[0]
        return likely[: max(1, round(likely.shape[0] * width / max(width, NARROWEST)))]
