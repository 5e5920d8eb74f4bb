"""How passwords and backup codes are kept: argon2id (RFC 9106). Only this module knows `passlib`.

One run costs 64 MiB, so a crowd at the door could eat the machine. At most two runs are under way at once, however
many processes there are, and only so many requests may wait for their turn.
"""

import fcntl
import os
import secrets
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flask import current_app
from passlib.hash import argon2

from fv.config import THREADS

RUNS = 2  # at once, over all processes of this instance folder
TURN = 10  # seconds a request waits for the turn of its process
QUEUE = THREADS - 4  # requests of a process that may hash or wait; the other threads stay free for everything else
SALT = 16  # bytes, RFC 9106 §3.1
LONGEST = 1024  # characters of anything that is hashed

_turn = threading.BoundedSemaphore(1)
_queue = threading.BoundedSemaphore(QUEUE)


class Busy(Exception):
    """Too many secrets are being checked at this moment."""


def hash(secret: str) -> str:
    """The encoded hash, with its salt and cost inside."""
    with _waiting():
        return str(_method(*_cost()).hash(secret))


def matches(secret: str, stored: str) -> bool:
    """Whether `stored` is a hash of this secret; a secret over LONGEST never is, and costs the same."""
    with _waiting():
        return bool(argon2.verify(secret[:LONGEST], stored)) and len(secret) <= LONGEST


def is_outdated(stored: str) -> bool:
    """Whether this hash was made at another cost than today's."""
    return bool(_method(*_cost()).needs_update(stored))


def decoy() -> str:
    """A hash nobody's secret matches, so that an unknown account takes as long to refuse. Costs no run to make."""
    memory, passes = _cost()
    salt, digest = (b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (SALT, 32))
    return f"$argon2id$v=19$m={memory},t={passes},p=1${salt}${digest}"


def new_recipe() -> str:
    """`KiB.passes.salt`: what a set of hashes shares, so that one run tells whether a secret is any of the set."""
    memory, passes = _cost()
    return f"{memory}.{passes}.{secrets.token_hex(SALT)}"


def hash_by(recipe: str, *texts: str) -> list[str]:
    """Same recipe, same secret: same text. All in one turn."""
    memory, passes, salt = recipe.split(".")
    method = _method(int(memory), int(passes), bytes.fromhex(salt))
    with _waiting():
        return [str(method.hash(text)) for text in texts]


@contextmanager
def _waiting() -> Iterator[None]:
    if not _queue.acquire(blocking=False):
        raise Busy
    try:
        if not _turn.acquire(timeout=TURN):
            raise Busy
        try:
            with _one_of_the_runs():
                yield
        finally:
            _turn.release()
    finally:
        _queue.release()


@contextmanager
def _one_of_the_runs() -> Iterator[None]:
    """Hold one of RUNS locked files, which the system lets go of when a process dies."""
    folder = Path(current_app.instance_path)
    with ExitStack() as stack:
        names = [folder / f"hashing-{number}.lock" for number in range(RUNS)]
        files = [stack.enter_context(open(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600), "wb")) for name in names]
        for file in files:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                continue
        else:
            fcntl.flock(files[os.getpid() % RUNS], fcntl.LOCK_EX)
        yield


def _cost() -> tuple[int, int]:
    return current_app.config["HASH_MEMORY_KIB"], current_app.config["HASH_PASSES"]


def _method(memory: int, passes: int, salt: bytes | None = None) -> type[argon2]:
    chosen = {"salt": salt} if salt else {}
    method: type[argon2] = argon2.using(type="ID", memory_cost=memory, time_cost=passes, parallelism=1, **chosen)
    return method
