"""Where people reach the service, for links that are made outside of a request."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app

UNKNOWN = "http://localhost:8000"  # what `fv serve` listens on when nothing is said


def base() -> str:
    """FV_BASE_URL, else where the service was last served."""
    noted = _file()
    return current_app.config["BASE_URL"] or (noted.read_text("utf-8").strip() if noted.exists() else UNKNOWN)


def is_of_this_machine() -> bool:
    """Whether nobody else can open it."""
    return urlsplit(base()).hostname in ("localhost", "127.0.0.1", "::1")


def note(address: str) -> None:
    """For the commands that run beside the service: whole at every moment, and for the owner only."""
    draft = _file().with_name("address.new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{address}\n")
    draft.replace(_file())


def _file() -> Path:
    return Path(current_app.instance_path) / "address"
