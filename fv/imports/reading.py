"""What a file of templates holds: each row is one, or has the reason why it is none. Pure, apart from reading the file.

Two forms. A `.npy` array of float32 or float64, n x 128, with a second file of one external_user_id a line. Or a JSON
object a line: {"embedding": [128 numbers], "external_user_id": "…", "session_id": "…"}, the last one optional.
No reason repeats what a row holds.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LENGTH = 128  # numbers of a template
LONGEST = 65_536  # bytes of a line; 128 numbers with all their digits take 3,000
_BLOCK = 500  # rows between two words of how far it is
_NPY = b"\x93NUMPY"
_SESSION = re.compile(r"vs_[0-9a-f]{32}")
_FIELDS = {"embedding", "external_user_id", "session_id"}

#: Is told how much of how much was read.
Told = Callable[[int, int], object]


class Refused(Exception):
    """The file as a whole cannot be imported; says why in a sentence."""


class Row(NamedTuple):
    external_user_id: str
    session_id: str | None
    numbers: NDArray[np.float64]


class Bad(NamedTuple):
    """`number`: of the line or row, from 1."""

    number: int
    reason: str


@dataclass(frozen=True)
class Source:
    """`ids`: of a `.npy` file, where the external ids are."""

    file: Path
    ids: Path | None = None

    def digest(self) -> str:
        """SHA-256 of the files, as 64 hexadecimal digits. Raises Refused."""
        sums = []
        for path in [self.file, *([self.ids] if self.ids else [])]:
            with _opened(path) as file:
                sums.append(hashlib.file_digest(file, "sha256").hexdigest())
        return hashlib.sha256(" ".join(sums).encode()).hexdigest()


def rows(
    source: Source, is_user_id: Callable[[str], bool], tell: Told, is_session: Callable[[str], bool] = lambda _id: True
) -> Iterator[Row | Bad]:
    """In the order of the file, read bit by bit. Raises Refused."""
    with _opened(source.file) as file:
        is_array = file.read(len(_NPY)) == _NPY
    if is_array:
        return _of_array(source, is_user_id, tell)
    if source.file.suffix == ".npy" or source.ids:
        raise Refused(f"{source.file} is no .npy file: it does not begin as one.")
    return _of_lines(source.file, is_user_id, is_session, tell)


# ── JSON lines ───────────────────────────────────────────────────────────────────────────────────────────────


def _of_lines(
    path: Path, is_user_id: Callable[[str], bool], is_session: Callable[[str], bool], tell: Told
) -> Iterator[Row | Bad]:
    size, read = path.stat().st_size, 0
    for number, line in enumerate(_lines(path), 1):
        read += len(line)
        if number % _BLOCK == 0:
            tell(read, size)
        if line.strip():
            found = _of_line(line, is_user_id, is_session)
            yield Bad(number, found) if isinstance(found, str) else found


def _of_line(line: bytes, is_user_id: Callable[[str], bool], is_session: Callable[[str], bool]) -> Row | str:
    if len(line) > LONGEST:
        return f"it is longer than {LONGEST:,} bytes"
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):  # also what is not UTF-8
        return "it is no JSON"
    if not isinstance(given, dict):
        return "it is no JSON object"
    if given.keys() - _FIELDS:
        return "it has a field other than embedding, external_user_id and session_id"
    numbers = _numbers(given.get("embedding"))
    if isinstance(numbers, str):
        return numbers
    session_id = given.get("session_id")
    if session_id is not None and not (isinstance(session_id, str) and _SESSION.fullmatch(session_id)):
        return "session_id is not the id of a session"
    if session_id is not None and not is_session(session_id):
        return "the account has no session of this id and mode that is not erased"
    user = given.get("external_user_id")
    return Row(user, session_id, numbers) if isinstance(user, str) and is_user_id(user) else _no_id(user)


def _numbers(given: object) -> NDArray[np.float64] | str:
    if not isinstance(given, list):
        return "embedding is missing, or no list"
    if len(given) != LENGTH:
        return f"embedding has {len(given)} numbers, not {LENGTH}"
    if not all(type(one) in (int, float) for one in given):
        return "embedding holds something that is no number"
    try:
        numbers = np.array(given, np.float64)
    except OverflowError:
        return _NOT_FINITE
    return numbers if np.isfinite(numbers).all() and numbers.any() else _unfit(numbers)


# ── An array ─────────────────────────────────────────────────────────────────────────────────────────────────


def _of_array(source: Source, is_user_id: Callable[[str], bool], tell: Told) -> Iterator[Row | Bad]:
    array = _array(source.file)
    if source.ids is None:
        raise Refused("A .npy file has no external ids: name the file that has one a line with --ids.")
    lines = sum(1 for _ in _lines(source.ids))
    if lines != len(array):
        raise Refused(f"{source.ids} has {lines:,} lines for {len(array):,} rows. There has to be one for each.")
    ids = _lines(source.ids)
    for start in range(0, len(array), _BLOCK):
        block = np.array(array[start : start + _BLOCK], np.float64)
        for number, numbers in enumerate(block, start + 1):
            user = _text(next(ids))
            if not (np.isfinite(numbers).all() and numbers.any()):
                yield Bad(number, _unfit(numbers))
            elif user is None or not is_user_id(user):
                yield Bad(number, _no_id(user or None))
            else:
                yield Row(user, None, numbers)
        tell(start + len(block), len(array))


def _array(path: Path) -> NDArray[np.float32] | NDArray[np.float64]:
    """Mapped, not read. Raises Refused."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError, TypeError):
        raise Refused(f"{path} cannot be read as .npy: it is empty, cut off, damaged, or of Python objects.") from None
    if array.ndim != 2 or array.shape[1] != LENGTH:
        raise Refused(f"{path} has the shape {' x '.join(map(str, array.shape))}, not n x {LENGTH}.")
    if array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8):
        raise Refused(f"{path} holds {array.dtype.name}, not float32 or float64.")
    return array  # type: ignore[no-any-return]


# ── Both ─────────────────────────────────────────────────────────────────────────────────────────────────────

_NOT_FINITE = "it has a number that is not finite"


def _unfit(numbers: NDArray[np.float64]) -> str:
    return "all its numbers are zero" if np.isfinite(numbers).all() else _NOT_FINITE


def _no_id(user: object) -> str:
    return "external_user_id is missing" if user is None else "external_user_id is no text of 1 to 255 characters"


def _opened(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None


def _lines(path: Path) -> Iterator[bytes]:
    """Each with its end. Of one that is too long its beginning only, which is longer than LONGEST."""
    with _opened(path) as file:
        while line := file.readline(LONGEST + 1):
            rest = line
            while len(rest) > LONGEST and not rest.endswith(b"\n"):
                rest = file.readline(LONGEST + 1)
            yield line


def _text(line: bytes) -> str | None:
    """Without its end; None when it is not UTF-8."""
    try:
        return line.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        return None
