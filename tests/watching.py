"""Puts the watch (watch.py) in the way of everything that leaves the product while tests run."""

import json
import logging
from functools import wraps
from pathlib import Path
from typing import Any

import httpx
from flask import Flask, current_app, has_app_context
from flask.testing import FlaskClient, FlaskCliRunner

from fv import FEATURES, journal
from fv.evidence import flows as evidence
from fv.notices import mail
from tests.watch import PERSONAL, WATCH, command, endpoint

TEXTS = ("text/", "application/json", "application/problem+json", "image/svg")  # a photo is bytes without a meaning


def install() -> None:
    """Once a process, before any app is made."""
    _after(FlaskClient, "open", _answered)
    _after(FlaskCliRunner, "invoke", _invoked)
    _after(journal._Output, "emit", _logged)
    _after(mail, "send", _mailed)
    _after(evidence, "keep_document", _read)


def _after(owner: Any, name: str, look: Any) -> None:
    """Call `look` with what this function was given and has answered."""
    original = getattr(owner, name)

    @wraps(original)
    def watched(*args: Any, **kwargs: Any) -> Any:
        answer = original(*args, **kwargs)
        look(answer, *args, **kwargs)
        return answer

    setattr(owner, name, watched)


def _answered(answer: Any, client: FlaskClient, *_: object, **__: object) -> None:
    app, request = client.application, answer.request
    place = endpoint(app.url_map.bind("localhost"), request.method, request.path)
    if place != "static":
        _saw(app.instance_path, place, answer.headers, answer.mimetype, answer.get_data)


def _saw(instance: str, place: str, headers: Any, mimetype: str, body: Any) -> None:
    WATCH.recent.add(instance)
    WATCH.sees(instance, f"headers of {place}", "\n".join(f"{name}: {value}" for name, value in headers.items()))
    if mimetype.startswith(TEXTS):
        text = body()
        WATCH.sees(instance, place, text if isinstance(text, str) else text.decode("utf-8", "replace"))


def _invoked(answer: Any, runner: FlaskCliRunner, cli: object = None, args: Any = None, **_: object) -> None:
    place = command(args or ())
    WATCH.sees(runner.app.instance_path, place, answer.output)
    words = [str(word) for word in args or ()]
    if "--output" in words and (written := Path(words[words.index("--output") + 1])).is_file():
        WATCH.sees(runner.app.instance_path, f"file of {place}", written.read_text())


def _logged(_: None, output: logging.Handler, record: logging.LogRecord) -> None:
    WATCH.sees(current_app.instance_path if has_app_context() else None, "log", output.format(record))


def _mailed(_: None, server: object, to: str, subject: str, text: str, *__: object) -> None:
    WATCH.sees(None, "mail", f"{subject}\n{text}")


def _read(_: None, account_id: str, verification_id: str, text: str, now: int) -> None:
    document = json.loads(text)
    said = [document["fields"][name] for name in PERSONAL if name in document["fields"]]
    values = [str(field["value"]) for field in said] + [str(field.get("printed") or "") for field in said]
    for value in [*values, *(document["mrz"] or {}).get("lines", ())]:
        WATCH.learns(current_app.instance_path, "document data", value)


# ── A real server ────────────────────────────────────────────────────────────────────────────────────────────


def _rules() -> Any:
    app = Flask("rules")
    for feature in FEATURES:
        app.register_blueprint(feature.blueprint)
    return app.url_map.bind("localhost")


_RULES = _rules()


def answered(instance: Path, answer: httpx.Response) -> None:
    """For a client of httpx, as a hook."""
    place = endpoint(_RULES, answer.request.method, answer.request.url.path)
    if not place.startswith("static"):
        answer.read()
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        _saw(str(instance), place, answer.headers, kind, lambda: answer.text)


def printed(instance: Path, words: tuple[str, ...], text: str) -> None:
    """By another command beside a server; the log of the server itself is `serve`."""
    WATCH.sees(str(instance), command(words), text)
