"""How passwords and backup codes are kept: argon2id (RFC 9106). Only this module knows `passlib`.

One run costs 64 MiB, so a crowd at the door could eat the machine. At most two runs are under way at once, however
many processes there are, and only so many requests may wait for their turn.
"""

import secrets
from base64 import b64encode

from flask import current_app
from passlib.hash import argon2

from fv.config import THREADS
from fv.turns import Turns

RUNS = 2  # at once, over all processes of this instance folder
TURN = 10  # seconds a request waits for the turn of its process
QUEUE = THREADS - 4  # requests of a process that may hash or wait; the other threads stay free for everything else
SALT = 16  # bytes, RFC 9106 §3.1
LONGEST = 1024  # characters of anything that is hashed

_turns = Turns("hashing", at_once=RUNS, room=QUEUE, patience=TURN)


def hash(secret: str) -> str:
    """The encoded hash, with its salt and cost inside."""
    with _turns.one():
        return str(_method(*_cost()).hash(secret))


def matches(secret: str, stored: str) -> bool:
    """Whether `stored` is a hash of this secret; a secret over LONGEST never is, and costs the same."""
    with _turns.one():
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
    with _turns.one():
        return [str(method.hash(text)) for text in texts]


def _cost() -> tuple[int, int]:
    return current_app.config["HASH_MEMORY_KIB"], current_app.config["HASH_PASSES"]


def _method(memory: int, passes: int, salt: bytes | None = None) -> type[argon2]:
    chosen = {"salt": salt} if salt else {}
    method: type[argon2] = argon2.using(type="ID", memory_cost=memory, time_cost=passes, parallelism=1, **chosen)
    return method
