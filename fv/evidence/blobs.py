"""Sealed bytes under a name, in the folder of FV_BLOBS. Only this module knows `obstore`.

A blob is there as a whole or not at all: it is written beside its place, synced, and renamed.
"""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import obstore
from flask import Flask, current_app
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from fv import config, db

FOLDER = "blobs"  # of the instance folder, when there is no FV_BLOBS
MINE = "photos/"  # what every key begins with: nothing else in the folder is touched


class Unavailable(db.Unavailable):
    """The blob is gone, or the place where blobs are kept cannot be used: answered as a database that is away."""


def init_app(app: Flask) -> None:
    """Make the folder, closed to others. Nothing is opened here: the web processes are forks of this one."""
    app.config["BLOBS"] = app.config["BLOBS"] or Path(app.instance_path) / FOLDER
    config.make_private(app.config["BLOBS"], "FV_BLOBS")
    config.make_private(app.config["BLOBS"] / MINE, "FV_BLOBS")


def put(key: str, sealed: bytes) -> None:
    try:
        obstore.put(_store(_folder()), key, sealed, use_multipart=False)
        _settle(_folder() / key)
    except (BaseError, OSError) as error:
        raise Unavailable(f"a blob could not be written ({type(error).__name__})") from None


def get(key: str) -> bytes:
    try:
        return bytes(obstore.get(_store(_folder()), key).bytes())
    except (BaseError, OSError) as error:
        raise Unavailable(f"a blob could not be read ({type(error).__name__})") from None


def delete(key: str) -> None:
    """It is not there afterwards; that it was not there before is no error."""
    try:
        obstore.delete(_store(_folder()), key)
    except FileNotFoundError:
        pass
    except (BaseError, OSError) as error:
        raise Unavailable(f"a blob could not be deleted ({type(error).__name__})") from None


def older_than(moment: int) -> Iterator[str]:
    """The keys of the blobs written before this moment, in seconds since 1970."""
    try:
        for some in obstore.list(_store(_folder()), MINE):
            yield from (one["path"] for one in some if one["last_modified"].timestamp() < moment)
    except (BaseError, OSError) as error:
        raise Unavailable(f"the blobs could not be listed ({type(error).__name__})") from None


def names() -> set[str]:
    """Of every file beside the blobs, without the folder: one that is being written has a `#` behind its name."""
    try:
        with os.scandir(_folder() / MINE) as entries:
            return {entry.name for entry in entries}
    except OSError as error:
        raise Unavailable(f"the blobs could not be listed ({type(error).__name__})") from None


def _folder() -> Path:
    folder: Path = current_app.config["BLOBS"]
    return folder


@cache
def _store(folder: Path) -> LocalStore:
    return LocalStore(folder)


def _settle(path: Path) -> None:
    """Readable by its owner only, and there after a power cut: the row that names it will be."""
    for place, mode in ((path, 0o600), (path.parent, 0o700)):
        opened = os.open(place, os.O_RDONLY)
        try:
            os.fchmod(opened, mode)
            os.fsync(opened)
        finally:
            os.close(opened)
