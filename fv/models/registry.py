"""The models of the instance folder: `models/NAME.onnx`, and beside each a `NAME.json` that says how it is used.

The files hold nothing secret. What makes a model the one it was is its SHA-256, which stands in the JSON and is checked
whenever the model is loaded. A model is never replaced: templates that were made with it belong to it alone.
"""

import hashlib
import json
import math
import os
import re
import secrets
from dataclasses import asdict
from pathlib import Path

from flask import current_app

from fv.analysis.weights import Slot, Unfit
from fv.models.names import DEFAULT, model_name

LARGEST = 1024 * 1024 * 1024  # bytes


def folder() -> Path:
    return Path(current_app.instance_path) / "models"


def names() -> list[str]:
    """Of all that were added."""
    return sorted(path.stem for path in folder().glob("*.json"))


def chosen() -> Slot | None:
    """The model of FV_FACE_MODEL; None is the default one. Raises Unfit."""
    name = str(current_app.config["FACE_MODEL"])
    return None if name == DEFAULT else slot(name)


def slot(name: str) -> Slot:
    """What is noted about a model that was added. Raises Unfit when it was not, or the note is damaged."""
    note = folder() / f"{name}.json"
    if not note.exists():
        raise Unfit(f"There is no model {name} here. `fv models list` shows them.")
    try:
        told = json.loads(note.read_text("utf-8"))
        found = Slot(**told | {"id": name, "path": folder() / f"{name}.onnx"})
        checked(found)
    except (OSError, ValueError, TypeError):
        raise Unfit(f"{note} is damaged. Put it back from a backup, or add the model under another name.") from None
    return found


def checked(found: Slot) -> None:
    """Raises ValueError, with the reason, for what cannot be a model's own."""
    numbers = (found.mean, found.scale, found.possible, found.match)
    if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers) or found.scale == 0:
        raise ValueError("mean, scale and thresholds have to be numbers, and the scale not 0")
    if not -1 < found.possible <= found.match < 1:
        raise ValueError("the thresholds have to be between -1 and 1, and `possible` not above `match`")
    if found.layout not in ("nchw", "nhwc") or found.channels not in ("rgb", "bgr"):
        raise ValueError("the layout has to be nchw or nhwc, the channels rgb or bgr")
    rate = found.false_match_rate
    if rate is not None and not (isinstance(rate, int | float) and 0 < rate < 1):
        raise ValueError("a false-match rate has to be between 0 and 1")
    if not re.fullmatch(r"[0-9a-f]{64}", found.sha256):
        raise ValueError("the SHA-256 has to be 64 hexadecimal digits")


def read(file: Path) -> tuple[bytes, str]:
    """The bytes of a file that is to be added, and their SHA-256. Raises Unfit."""
    try:
        if file.stat().st_size > LARGEST:
            raise Unfit("This file is larger than 1 GB: face models of this form have 5 to 300 MB.")
        raw = file.read_bytes()
    except OSError as error:
        raise Unfit(f"{file} cannot be read: {error.strerror}.") from None
    return raw, hashlib.sha256(raw).hexdigest()


def free_name(given: str | None, file: Path) -> str:
    """The name a model gets: the one given, else from the name of the file. Raises Unfit."""
    name = given or re.sub(r"[^a-z0-9._-]+", "-", file.stem.lower()).strip("-._")[:64]
    try:
        model_name(name)
    except ValueError as error:
        raise Unfit(f"A name of a model is {error}. Give one with --name.") from None
    if name == DEFAULT or name in names():
        raise Unfit(f"There is a model {name} already. Models are not replaced: give this one another name.")
    return name


def keep(found: Slot, raw: bytes) -> None:
    """Write the model, then its note, each whole or not at all."""
    folder().mkdir(mode=0o700, exist_ok=True)
    note = {name: value for name, value in asdict(found).items() if name not in ("id", "path")}
    _write(found.path, raw)
    _write(found.path.with_suffix(".json"), (json.dumps(note, indent=2) + "\n").encode())


def _write(path: Path, raw: bytes) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
