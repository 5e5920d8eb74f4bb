"""What was unpacked goes to its places, which may be on other disks, be mounted, or be links.

First everything is copied beside its place, so that a full disk or a key file that cannot be written ends it with
nothing changed; then each takes its place by a rename.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

DRAFT = ".restoring"  # the end of the name of what is beside its place; of a folder inside it


Pair = tuple[Path, Path]  # what there is, and where to


def put(files: Sequence[Pair], folders: Sequence[Pair], database: Pair, gone: Sequence[Path]) -> None:
    """`gone` goes, and the database takes its place when all else has.

    Raises OSError: nothing was changed then, unless a rename failed that had been prepared.
    """
    with ExitStack() as drafts:
        for source, place in (*files, database):
            drafts.callback(_beside(place).unlink, missing_ok=True)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _copy(source, _beside(place))
        for source, place in folders:
            drafts.callback(shutil.rmtree, place / DRAFT, ignore_errors=True)
            shutil.rmtree(place / DRAFT, ignore_errors=True)
            (place / DRAFT).mkdir(mode=0o700, parents=True)
            for file in source.iterdir():
                _copy(file, place / DRAFT / file.name)
        for file in gone:
            file.unlink(missing_ok=True)
        for _, place in files:
            os.replace(_beside(place), place)
        _put_folders(folders)
        os.replace(_beside(database[1]), database[1])


def _put_folders(folders: Sequence[Pair]) -> None:
    """What is in the folder goes, and the folder stays: it may be a mount or a link."""
    for _, place in folders:
        for old in place.iterdir():
            if old.name != DRAFT:
                shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        for new in (place / DRAFT).iterdir():
            os.replace(new, place / new.name)


def _beside(place: Path) -> Path:
    return place.with_name(f"{place.name}{DRAFT}")


def _copy(source: Path, target: Path) -> None:
    """By a second name where that is possible, which costs nothing; else whole and on the disk."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
        return
    except OSError:  # another disk, or one without second names
        pass
    with source.open("rb") as content, open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(content, file)
        file.flush()
        os.fsync(file.fileno())
