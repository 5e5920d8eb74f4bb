"""Whether pieces of what was deleted are still in a file. Also a program: looking.py says why. Pure, but for reading.

As a program it takes JSON on standard input, `files` and `wanted` (base64), and answers with what each file holds.
"""

import base64
import json
import sys
from collections.abc import Iterable, Set
from pathlib import Path

import numpy as np

PIECE = 24  # bytes of each: chance writes 192 given bits nowhere
CHUNK = 1 << 23  # bytes read at a time


def pieces(text: bytes) -> list[bytes]:
    """Three of 24 bytes, from where no two sealed texts are alike: one is found though a page of the file ends in it.

    Of fewer than 48 bytes the last 24, if there are so many; what is shorter cannot be looked for.
    """
    last = len(text) - PIECE
    if last < PIECE:
        return [text[-PIECE:]] if last >= 0 else []
    return [text[at : at + PIECE] for at in sorted({max(PIECE, last // 2), max(PIECE, last * 3 // 4), last})]


def found(files: Iterable[Path], wanted: Set[bytes]) -> dict[Path, set[bytes]]:
    """Which of the pieces each file holds; a file that is gone, or holds none, is not in it.

    At every place the first two bytes are looked up in a table of all that a piece begins with, then the next two:
    1 GB takes about as long as reading it twice, however many pieces there are. Raises OSError.
    """
    held = {}
    for file in files:
        if here := _in_file(file, wanted):
            held[file] = here
    return held


def _in_file(file: Path, wanted: Set[bytes]) -> set[bytes]:
    begin, go_on = _table(wanted, 0), _table(wanted, 2)
    here: set[bytes] = set()
    try:
        with file.open("rb") as opened:
            before = b""
            while wanted and (some := opened.read(CHUNK)):
                text = before + some
                here.update(
                    piece for at in _candidates(text, begin, go_on) if (piece := text[at : at + PIECE]) in wanted
                )
                before = text[1 - PIECE :]
    except FileNotFoundError:
        pass
    return here


def _table(wanted: Set[bytes], at: int) -> np.ndarray:
    """Of every pair of bytes, whether a piece has it at this place."""
    table = np.zeros(65536, dtype=bool)
    table[[int.from_bytes(piece[at : at + 2], "little") for piece in wanted]] = True
    return table


def _candidates(text: bytes, begin: np.ndarray, go_on: np.ndarray) -> Iterable[int]:
    """Places where a piece may begin."""
    for odd in (0, 1):
        pairs = np.frombuffer(text, dtype="<u2", offset=odd, count=(len(text) - odd) // 2) if len(text) > odd else None
        if pairs is None or len(pairs) < PIECE // 2:
            continue
        places = np.flatnonzero(begin[pairs[:-1]])
        yield from (2 * places[go_on[pairs[places + 1]]] + odd).tolist()


def main(asked: str) -> str:
    """See the beginning."""
    told = json.loads(asked)
    held = found(map(Path, told["files"]), {base64.b64decode(piece) for piece in told["wanted"]})
    return json.dumps({str(file): [base64.b64encode(piece).decode() for piece in some] for file, some in held.items()})


if __name__ == "__main__":  # pragma: no cover (runs in a process of its own)
    sys.stdout.write(main(sys.stdin.read()))
