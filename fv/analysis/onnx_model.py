"""A face model that somebody adds, of the ArcFace form. Only this module knows onnxruntime."""

import numpy as np
import onnxruntime

from fv.analysis import images
from fv.analysis.alignment import SIDE, alignment
from fv.analysis.images import Array, Numbers
from fv.analysis.onnx_file import keeps_data_elsewhere
from fv.analysis.report import Model
from fv.analysis.weights import Slot, Unfit, verified

LENGTH = 128  # numbers of a template
LAYOUTS = {"nchw": (1, 3, SIDE, SIDE), "nhwc": (1, SIDE, SIDE, 3)}

_SEES = 1e-4  # of the length of a template: what two pictures that have nothing in common must differ by


class OnnxEmbedder:
    """Templates by the model of a slot. Raises Unfit."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._network = _Network(verified(slot.path, slot.sha256))
        if self._network.layout != slot.layout:
            raise Unfit(f"The model takes its picture as {self._network.layout}, and is noted as {slot.layout}.")
        self.model = Model(slot.id, slot.sha256, slot.preprocessing, slot.possible, slot.match)

    def template(self, image: Array, landmarks: Numbers) -> Numbers:
        """128 numbers, not yet of length 1. Raises Unfit when the model fails at this picture."""
        square = images.cut_out(image, alignment(landmarks), SIDE)
        ordered = square[:, :, ::-1] if self._slot.channels == "bgr" else square
        return self._network.answer((ordered.astype(np.float32) - self._slot.mean) / self._slot.scale)


def inspected(raw: bytes) -> str:
    """The layout of a model that fits: nchw or nhwc. Raises Unfit with the reason."""
    network = _Network(raw)
    random = np.random.default_rng(112)
    first, second = (network.answer(random.uniform(0, 255, (SIDE, SIDE, 3)).astype(np.float32)) for _ in range(2))
    if float(np.linalg.norm(first - second)) < _SEES * float(np.linalg.norm(first)):
        raise Unfit("The model answers the same whatever it is shown.")
    return network.layout


class _Network:
    def __init__(self, raw: bytes) -> None:
        if keeps_data_elsewhere(raw):
            raise Unfit("The model keeps its numbers in another file. It has to be one file.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what it says of a file that is none goes into the reason
        try:
            self._session = onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
        except Exception:  # its errors have no common class
            raise Unfit("This is not an ONNX model that onnxruntime can load.") from None
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise Unfit(f"The model has {len(inputs)} inputs and {len(outputs)} outputs: it may have one of each.")
        (taken,), (given,) = inputs, outputs
        layouts = [name for name, shape in LAYOUTS.items() if _fits(taken.shape, shape)]
        if len(layouts) != 1 or taken.type != "tensor(float)":
            raise Unfit(
                f"The model takes {_written(taken)}. It has to take 1 x 3 x 112 x 112 or 1 x 112 x 112 x 3 of float."
            )
        if not _fits(given.shape, (1, LENGTH)) or given.type != "tensor(float)":
            raise Unfit(f"The model gives {_written(given)}. It has to give 1 x {LENGTH} of float.")
        self.layout, self._input = layouts[0], taken.name

    def answer(self, square: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> Numbers:
        """For (112, 112, 3) as the model wants its pixels. Raises Unfit when it fails or answers nothing of use."""
        given = square.transpose(2, 0, 1) if self.layout == "nchw" else square
        try:
            (found,) = self._session.run(None, {self._input: np.ascontiguousarray(given[np.newaxis])})
        except Exception:  # its errors have no common class
            raise Unfit("The model fails when it is run.") from None
        template: Numbers = np.asarray(found, float)
        if template.shape != (1, LENGTH):
            raise Unfit(f"The model gives {' x '.join(map(str, template.shape))}. It has to give 1 x {LENGTH}.")
        if not np.isfinite(template).all() or not np.any(template):
            raise Unfit("The model answers with zeros, or with what is no number.")
        return template.reshape(LENGTH)


def _fits(shape: list[int | str | None], wanted: tuple[int, ...]) -> bool:
    """The number of pictures at a time, which is first, may be left open."""
    return len(shape) == len(wanted) and shape[0] in (1, None, *_names(shape)) and tuple(shape[1:]) == wanted[1:]


def _names(shape: list[int | str | None]) -> list[str]:
    return [one for one in shape[:1] if isinstance(one, str)]


def _written(value: onnxruntime.NodeArg) -> str:
    shape = " x ".join(map(str, value.shape)) or "a single number"
    return f"{shape} of {value.type.removeprefix('tensor(').removesuffix(')')}"
