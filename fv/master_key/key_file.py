"""The key file gets another line: whole or not at all, and it is on the disk before anything is sealed under it."""

import os
import stat
from contextlib import suppress
from pathlib import Path


def add(path: Path, line: str) -> str:
    """What the file holds now: all that it held before, and this line as its last one. OSError: it cannot be written.

    Owner, group and mode stay. A link goes on leading to the file that it led to.
    """
    target = path.resolve()
    before, text = target.stat(), target.read_text("utf-8")
    text = f"{text.rstrip()}\n{line}\n"
    draft = target.with_name(f"{target.name}.new")
    draft.unlink(missing_ok=True)  # of one who was killed here: its key has sealed nothing
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    _sync(target.parent)
    return text


def _sync(folder: Path) -> None:
    """A file that was renamed keeps its new name when the power fails."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
