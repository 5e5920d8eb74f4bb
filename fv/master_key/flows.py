"""The story: a new key is added to the key file, face templates are turned by other secrets, everything is sealed anew
under the key, and a row of the trail ends it.

Killed at any moment it loses nothing: the new key is on the disk before anything is sealed under it, every key of the
file goes on opening, and until that last row is there the next rotation goes on with the same key.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask import current_app

from fv import config, db, sealing
from fv.audit import flows as audit
from fv.db import sealed
from fv.db.sealed import Kind, Sealed
from fv.evidence import flows as evidence
from fv.fingerprints import flows as fingerprints
from fv.fingerprints import listing, rekeying
from fv.fingerprints import store as templates
from fv.master_key import key_file
from fv.mfa import flows as mfa
from fv.retention import flows as retention
from fv.verifications import flows as verifications
from fv.webhooks import flows as webhooks

ENDED, UNDER = "master_key.rotated", "sealed_under"  # the row that ends a rotation, and its fact: the id of the key
BATCH = 300  # texts in one transaction; 200,000 of 0.1 to 2 kB took 5 s in all


@dataclass(frozen=True)
class Step:
    """One kind of thing that depends on the key. `renew` does what is left, and says after each part how many it did.

    `number`: of all there are. `left`: of those that the current key has nothing to do with yet.
    """

    what: str
    number: Callable[[], int]
    left: Callable[[], int]
    renew: Callable[[int], Iterator[int]]


@dataclass(frozen=True)
class Plan:
    """`numbers`: (what, how many) is to be sealed anew. `goes_on`: with a key that an earlier rotation has added."""

    goes_on: bool
    numbers: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Ended:
    """`left`: how many could not be opened with any key. `is_log_empty`: what was replaced is in no log any more."""

    left: int
    is_log_empty: bool


@dataclass(frozen=True)
class Refused:
    """Nothing was changed; the sentence says what to do."""

    sentence: str


def plan() -> Plan | Refused:
    """What a rotation would do now."""
    if is_unfinished():
        return Plan(True, [(step.what, step.left()) for step in STEPS])
    if current_app.config["SECRET_KEY_GIVEN"]:
        return Refused(f"FV_SECRET_KEY holds the key, and only you can change that. {_by_hand('it')}")
    return Plan(False, [(step.what, step.number()) for step in STEPS])


def is_unfinished() -> bool:
    """Whether a key was added, by a rotation or by hand, and not everything was sealed anew under it."""
    ring = _keyring()
    return ring.has_older and audit.last_said(ENDED, UNDER) != ring.current_id


def left() -> int:
    """How much is not sealed under the current key."""
    return sum(step.left() for step in SEALING)


def place() -> Path | None:
    """The key file; None: there is none, FV_SECRET_KEY holds the keys."""
    return None if current_app.config["SECRET_KEY_GIVEN"] else config.key_file(current_app)


def begin(what: Plan) -> Refused | None:
    """Add the new key, unless this goes on with one. Refused to who is not alone: others do not know that key."""
    if not db.is_alone():
        return Refused(
            "Something else has the database open: another server, a command, a shell. Stop it, and run this again."
        )
    return None if what.goes_on else add_key()


def add_key() -> Refused | None:
    """From now on another key seals."""
    path = config.key_file(current_app)
    try:
        text = key_file.add(path, sealing.new_key())
    except OSError as error:
        return Refused(f"{path} cannot be written ({error.strerror}). {_by_hand('that file')}")
    current_app.extensions["keyring"] = sealing.Keyring(text)
    return None


def renew(now: int) -> Iterator[int]:
    """Do anew what the current key has not done; after each part how many were looked at. Outside a transaction.

    What cannot be opened with any key stays as it is.
    """
    for step in STEPS:
        yield from step.renew(now)


def end(now: int) -> Ended:
    """The row in the trail that ends a rotation; what was replaced goes from the write-ahead log too."""
    remaining = left()
    with db.transaction():
        facts: dict[str, str | int] = {UNDER: _keyring().current_id, "left": remaining}
        audit.record(ENDED, None, now, "support", **facts)
    return Ended(remaining, db.empty_log())


def _step(kind: Kind) -> Step:
    return Step(
        kind.what,
        partial(sealed.number, kind.column),
        lambda: sealed.number_otherwise(kind.column, _keyring().current_id),
        partial(_renew, kind),
    )


def _renew(kind: Kind, _now: int) -> Iterator[int]:
    """Whatever is written meanwhile wins: a text is replaced only while it is the one that was opened."""
    ring, after = _keyring(), None
    while found := sealed.otherwise(kind.column, ring.current_id, after, BATCH):
        renewed = [(one, text) for one in found if (text := _renewed(ring, kind, one))]
        with db.transaction():
            for one, text in renewed:
                sealed.replace(kind.column, one, text)
        after = found[-1]
        yield len(found)


def _renewed(ring: sealing.Keyring, kind: Kind, one: Sealed) -> str | None:
    """None: no key opens it."""
    try:
        return ring.renewed(one.text, kind.bound_to(**one.row))
    except sealing.Unreadable:
        return None


def _turned_before() -> list[str]:
    """The accounts whose templates are turned by a secret that the current key has not sealed: it is as old as that
    one. Imports that are not finished (generations below 0) wait for their file; their secrets are sealed anew.
    """
    found: set[str] = set()
    after = None
    while some := sealed.otherwise(templates.SEEDS, _keyring().current_id, after, BATCH):
        found |= {str(one.row["account_id"]) for one in some if int(one.row["generation"]) > 0}
        after = some[-1]
    return sorted(found)


def _turn_anew(now: int) -> Iterator[int]:
    for account_id in _turned_before():
        with suppress(sealing.Unreadable):  # no key opens that secret: it is counted with the sealed ones
            # the first time may only finish a move that was broken off, to a secret as old as that
            while _is_turned_before(account_id):
                rekeying.rekey_account(account_id, now, lambda _done, _all: None)
        yield 1


def _is_turned_before(account_id: str) -> bool:
    of_account = [one for one in templates.rotations(account_id) if one.generation > 0]
    return any(not _keyring().is_current(one.sealed_seed) for one in of_account)


SEALED = (*mfa.SEALED, *evidence.SEALED, *verifications.SEALED, *fingerprints.SEALED, *webhooks.SEALED,
          *retention.SEALED)  # fmt: skip
SEALING = tuple(map(_step, SEALED))
TURNING = Step(
    "accounts whose face templates are turned by another secret", lambda: len(listing.accounts()),
    lambda: len(_turned_before()), _turn_anew,
)  # fmt: skip
#: In this order: a secret that was sealed anew looks as if it were new.
STEPS = (TURNING, *SEALING)


def _by_hand(where: str) -> str:
    return (
        f"With the service stopped, write a new key below the others in {where}, on a line of its own (`openssl rand "
        "-hex 32` prints one), and run this again: it seals everything anew under that line."
    )


def _keyring() -> sealing.Keyring:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring
