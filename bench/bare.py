"""A bare Flask route on the server and with the settings of `fv serve`: what bench/web.py compares with."""

import sys

from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces


def make() -> Flask:
    app = Flask("bare")
    app.add_url_rule("/bare", "bare", lambda: {"status": "ok"})
    return app


if __name__ == "__main__":
    Granian(
        "bare:make", port=int(sys.argv[1]), interface=Interfaces.WSGI, http=HTTPModes.http1, workers=2,
        blocking_threads=32, log_enabled=False,
    ).serve(target_loader=lambda *_: make())  # fmt: skip
