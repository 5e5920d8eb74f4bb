"""The story: a copy of the database, the keys, the photos and the models goes into one file, and back.

The note of where the audit trail ends is read first and the photos last, so that whatever changes meanwhile, the parts
fit: a trail that goes on behind its note is whole, and a file that no row knows opens to nobody.
"""

import io
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from flask import Flask, current_app

from fv import config, db, sealing
from fv.audit import flows as audit
from fv.backup import placing
from fv.backup.envelope import Reader, Unreadable, Writer
from fv.evidence import blobs
from fv.models import registry

SHORTEST = 12  # characters of a passphrase
DATABASE, KEYS, HEAD, CONFIG = "facevault.db", "secret.key", "audit.head", config.FILE
_MEMBER = re.compile(rf"(?:{re.escape(DATABASE)}|{KEYS}|{re.escape(HEAD)}|(?:photos|models)/[A-Za-z0-9._-]{{1,120}})")


@dataclass(frozen=True)
class Counted:
    photos: int
    models: int
    bytes: int


def create(target: BinaryIO, passphrase: str) -> Iterator[int]:
    """Everything into this file; yields how many bytes were taken up since it last did. The service may run."""
    writer = Writer(target, passphrase)
    with tarfile.open(fileobj=writer, mode="w|", format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
        head = audit.path()
        if head.exists():
            yield _add(archive, HEAD, head.read_bytes())
        yield _add(archive, KEYS, _keys().encode())
        with db.copied() as copy:
            archive.add(copy, DATABASE, recursive=False)
            yield copy.stat().st_size
        for folder, name in ((_photos(), "photos"), (registry.folder(), "models")):
            for file in sorted(folder.iterdir()) if folder.is_dir() else ():
                with suppress(FileNotFoundError):  # erased since the folder was read
                    if _MEMBER.fullmatch(f"{name}/{file.name}") and file.is_file():
                        yield _add(archive, f"{name}/{file.name}", file.read_bytes())
    writer.close()
    target.flush()


def unpack(source: BinaryIO, passphrase: str) -> Counted:
    """Into a folder beside the database, as a whole or not at all. Raises Unreadable; then nothing is there."""
    staged = _staged()
    shutil.rmtree(staged, ignore_errors=True)
    numbers = {"photos": 0, "models": 0, "bytes": 0}
    try:
        for name in ("photos", "models"):
            (staged / name).mkdir(mode=0o700, parents=True)
        config.make_private(staged)
        reader = Reader(source, passphrase)
        with tarfile.open(fileobj=reader, mode="r|") as archive:  # type: ignore[call-overload]
            for member in archive:
                content = archive.extractfile(member) if member.isreg() and _MEMBER.fullmatch(member.name) else None
                if content is None:
                    raise Unreadable("it holds something that no backup has")
                _write(staged / member.name, content)
                numbers["bytes"] += member.size
                if (kind := member.name.partition("/")[0]) in numbers:
                    numbers[kind] += 1
        reader.read()  # to the end, which says that nothing was cut off
        if not (staged / DATABASE).exists() or not (staged / KEYS).exists():
            raise Unreadable("it has no database or no key")
        if strange := db.why_unusable(staged / DATABASE):
            raise Unreadable(strange)
    except BaseException as error:
        shutil.rmtree(staged, ignore_errors=True)
        if isinstance(error, (tarfile.TarError, EOFError)):
            raise Unreadable("it was altered or cut off") from None
        if isinstance(error, OSError):
            raise Unreadable(f"{staged} cannot be written ({error.strerror})") from None
        raise
    return Counted(**numbers)


def put_in_place() -> None:
    """What was unpacked, in place of what there is; nothing else may have the database open. Raises OSError.

    The database comes last: killed before that, an installation without its database is left, the service does not
    start (is_broken_off), and restoring again begins anew.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    staged, database = _staged(), db.path_of(app)
    db.close(app)
    files, gone = [], db.parts()
    if not app.config["SECRET_KEY_GIVEN"] and not _has_these_keys():
        files.append((staged / KEYS, config.key_file(app)))
    if (staged / HEAD).exists():
        files.append((staged / HEAD, audit.path()))
    else:
        gone.append(audit.path())
    folders = [(staged / "photos", _photos()), (staged / "models", registry.folder())]
    placing.put(files, folders, (staged / DATABASE, database), gone)
    shutil.rmtree(staged)


def is_broken_off() -> Path | None:
    """The folder that a restore left that was killed: it holds keys, and perhaps all that there is."""
    return _staged() if _staged().exists() else None


def has_other_keys() -> bool:
    """Whether FV_SECRET_KEY is set, which a backup cannot change, and is not what was unpacked."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return bool(app.config["SECRET_KEY_GIVEN"]) and not _has_these_keys()


def drop_unpacked() -> None:
    shutil.rmtree(_staged(), ignore_errors=True)


def _has_these_keys() -> bool:
    return (_staged() / KEYS).read_text("utf-8").split() == _keys().split()


def _keys() -> str:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring.text()


def _photos() -> Path:
    folder: Path = current_app.config["BLOBS"]
    return folder / blobs.MINE


def _staged() -> Path:
    return Path(current_app.instance_path) / "restoring"


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> int:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))
    return len(content)


def _write(path: Path, content: IO[bytes]) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(content, file)
        file.flush()
        os.fsync(file.fileno())
