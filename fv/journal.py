"""The log: one JSON line a request, on standard output, and one for whatever broke.

A line names the route a request took, as it stands in the code (`/v/<token>`), never the address that was asked for:
addresses hold tokens and query strings. No header, no body, no cookie and no text of an unexpected exception is
written.
"""

import json
import logging
import secrets
import sys
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime

from flask import Flask, g, has_request_context, request
from werkzeug.wrappers import Response

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})  # others are text that somebody chose

_requests = logging.getLogger("fv.requests")


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if request_id := getattr(record, "request_id", None):
            line["request_id"] = request_id
        if trace := getattr(record, "trace", None):
            frames = traceback.extract_tb(trace)
            line["trace"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line)


class _Output(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        output = sys.stdout if has_request_context() else sys.stderr  # a command prints its answer there
        with suppress(OSError, ValueError):  # who reads the log may be gone: the product goes on without it
            output.write(self.format(record) + "\n")
            output.flush()


def init_app(app: Flask) -> None:
    """Registered before everything else: what comes later may refuse the request, and is timed too."""
    configure()
    app.before_request(_begin)
    app.after_request(_write)


def configure() -> None:
    """Send our lines to standard output. Once a process."""
    log = logging.getLogger("fv")
    if not log.handlers:
        handler = _Output()
        handler.setFormatter(_Lines())
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False


def _begin() -> None:
    g.request_id = secrets.token_hex(8)
    g.began = time.perf_counter()


def _write(response: Response) -> Response:
    facts = {
        "request_id": g.request_id,
        "method": request.method if request.method in METHODS else "?",
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.began) * 1000, 2),
        "caller": g.caller.standing.name.lower() if "caller" in g else None,
        "account": g.caller.account_id if "caller" in g else None,
    }
    _requests.info("request", extra={"facts": facts})
    return response
