"""Which packages the analysis would need and this Python has not got: looked for, not imported."""

from collections.abc import Sequence
from importlib.util import find_spec

#: Extra → what it does, and the modules it brings.
EXTRAS: dict[str, tuple[str, Sequence[str]]] = {
    "ocr": ("documents are not read", ("rapidocr", "onnxruntime", "cv2")),
    "face": ("faces are not compared", ("dlib", "face_recognition_models", "cv2")),
}


def missing() -> dict[str, list[str]]:
    """Extra → the modules of it that are not there; an extra that is whole is not in it."""
    found = {extra: [name for name in names if not _is_there(name)] for extra, (_, names) in EXTRAS.items()}
    return {extra: names for extra, names in found.items() if names}


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
