"""What time it is, in one place, so that a test can say."""

import time

from flask import current_app


def now() -> int:
    """Seconds since 1970 UTC."""
    return int(current_app.config["CLOCK"]())


def system() -> float:
    return time.time()
