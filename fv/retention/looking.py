"""Read the files of the database in a process of their own.

POSIX locks belong to a process: a file of SQLite that is opened and closed here would take away the locks of all
connections of this process, and another process could write into what they read
(https://www.sqlite.org/howtocorrupt.html §2.2). So the program of scan.py does it, and nothing else opens them.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterable, Set
from pathlib import Path

from fv import db

PROGRAM = Path(__file__).with_name("scan.py")
LEFT_OUT = ("-shm", ".lock")  # locks and positions: nothing of a row is ever in them


def found(files: Iterable[Path], wanted: Set[bytes]) -> dict[Path, set[bytes]]:
    """As scan.found(). Raises db.Unavailable when a file cannot be read."""
    asked = {
        "files": [str(file) for file in files if not file.name.endswith(LEFT_OUT)],
        "wanted": [base64.b64encode(piece).decode() for piece in wanted],
    }
    ended = subprocess.run(  # noqa: S603 (our own program; what it looks for is its input, not its command)
        [sys.executable, "-I", "-B", str(PROGRAM)], input=json.dumps(asked).encode(), capture_output=True, check=False
    )
    if ended.returncode != 0:
        raise db.Unavailable("a file of the database could not be read")
    answer = json.loads(ended.stdout)
    return {Path(file): {base64.b64decode(piece) for piece in held} for file, held in answer.items()}
