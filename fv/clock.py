"""What time it is, in one place, so that a test can say."""

from flask import current_app


def now() -> int:
    """Seconds since 1970 UTC."""
    return int(current_app.config["CLOCK"]())
