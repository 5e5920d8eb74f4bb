"""Where people reach the service, for links that are made outside of a request."""

from pathlib import Path

from flask import current_app

UNKNOWN = "http://localhost:8000"  # what `fv serve` listens on when nothing is said


def base() -> str:
    """FV_BASE_URL, else where the service was last served."""
    noted = _file()
    return current_app.config["BASE_URL"] or (noted.read_text("utf-8").strip() if noted.exists() else UNKNOWN)


def note(address: str) -> None:
    """For the commands that run beside the service."""
    _file().write_text(f"{address}\n", "utf-8")


def _file() -> Path:
    return Path(current_app.instance_path) / "address"
