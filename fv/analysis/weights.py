"""Files of models: read whole, and only when they are what they were. What is said of a model from elsewhere."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


class Unfit(Exception):
    """A model that is not used; the text says why, for whoever runs the service."""


@dataclass(frozen=True)
class Slot:
    """A model of the ArcFace form: 112 x 112 pixels in, 128 numbers out. The file is `path`; `sha256` is of its bytes.

    `layout`: nchw or nhwc; `channels`: rgb or bgr; a pixel p (0 to 255) is given to it as (p - mean) / scale.
    `possible`, `match`: as in report.Model. `false_match_rate`: of pairs of different people, the share that it calls a
    match, as its maker states; None: its maker does not.
    """

    id: str
    path: Path
    sha256: str
    layout: str
    channels: str
    mean: float
    scale: float
    possible: float
    match: float
    false_match_rate: float | None = None

    @property
    def preprocessing(self) -> str:
        """Names all that makes templates of one file differ."""
        return f"arcface-3p-1 {self.layout} {self.channels} {self.mean:g} {self.scale:g}"


def verified(path: Path, sha256: str) -> bytes:
    """The bytes of the file. Raises Unfit when it is gone or was changed."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Unfit(f"{path} cannot be read: {error.strerror}.") from None
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise Unfit(f"{path} is not the file it was: its SHA-256 is another one.")
    return raw
