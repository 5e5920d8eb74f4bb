"""Files of models: read whole, and only when they are what they were."""

import hashlib
from pathlib import Path


class Unfit(Exception):
    """A model that is not used; the text says why, for whoever runs the service."""


def verified(path: Path, sha256: str) -> bytes:
    """The bytes of the file. Raises Unfit when it is gone or was changed."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Unfit(f"{path} cannot be read: {error.strerror}.") from None
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise Unfit(f"{path} is not the file it was: its SHA-256 is another one.")
    return raw
