"""A real process that is killed in the middle of what it does."""

import signal
import subprocess
import sys

from flask import Flask

PROGRAM = """
import os, signal, sys
from fv import create_app, db
app, n, execute = create_app(INSTANCE=sys.argv[1], HASH_MEMORY_KIB=8, HASH_PASSES=1), int(sys.argv[2]), db._execute

def counts(*words):
    global n
    n -= 1
    os.kill(os.getpid(), signal.SIGKILL) if n == 0 else None
    return execute(*words)

db._execute = counts
with app.app_context():
    exec(sys.argv[3])
"""


def killed_before(number: int, app: Flask, doing: str) -> bool:
    """Whether a process that does this in the folder of the app was killed before its statement of this number."""
    words = [sys.executable, "-c", PROGRAM, app.instance_path, str(number), doing]
    ended = subprocess.run(words, check=False).returncode
    assert ended in (0, -signal.SIGKILL)
    return ended != 0
