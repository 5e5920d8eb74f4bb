"""The story: write down what happened together with what it changed, and find out later whether that was touched.

A row is added inside the transaction of the change, so there is never one without the other. Its hash is sealed with a
key that is not in the database, and after the commit the end of the trail is noted outside of it (head.py).
"""

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from flask import current_app

from fv import db, ids, sealing
from fv.audit import chain, head, store
from fv.audit.chain import Event, Row
from fv.audit.events import ACTORS, KINDS
from fv.audit.head import Head
from fv.config import Misconfigured

HEAD_FILE = "audit.head"
LAST = 2**63 - 1  # what a row is numbered that has no number of its own
_ROW, _HEAD = "audit row", "audit head"  # what a signature is for

_log = logging.getLogger("fv.audit")


@dataclass(frozen=True)
class Fault:
    """What is wrong with the trail; `number` is the last row it is about."""

    number: int
    what: str

    def __str__(self) -> str:
        return self.what


def record(event: str, account_id: str | None, now: int, actor: str = "holder", **facts: str | int) -> None:
    """Add one row, inside the transaction of what it tells about. No personal data beyond ids belongs in `facts`."""
    if event not in KINDS or actor not in ACTORS or not db.in_transaction():
        raise LookupError(f"{event} by {actor} is not known, or not recorded inside a transaction")
    last, noted = store.last(), _head()
    if noted is None:  # also of an empty trail: somebody may have emptied it and removed the note
        number, before = (last.number, last.hash) if last else (0, chain.FIRST)
        last = _append(number, before, "trail.head_missing", None, now, "service", {})
    if noted and (last is None or noted.number > last.number):
        number, before = noted.number, noted.hash  # rows were cut off: their numbers stay missing, for verify() to name
    else:
        number, before = (last.number, last.hash) if last else (0, chain.FIRST)
    row = _append(number, before, event, account_id, now, actor, facts)
    db.after_commit("audit", lambda: _note(row))


def verify(after: int) -> Iterator[Fault]:
    """Everything that is wrong with the rows numbered above `after`, in their order."""
    return (fault for fault in _all_faults() if fault.number > after)


def last_said(event: str, name: str) -> object:
    """This fact of the newest row of this kind; None: there is no such row, or it has no such fact."""
    last = store.last_of(event)
    return json.loads(last.facts).get(name) if last else None


def last_number() -> int:
    """Of the newest row; 0: there is none that has one."""
    last = store.last()
    return last.number if last and _is_well_formed(last) else 0


def may_be_ours() -> bool:
    """False when neither the newest row nor the note of it was signed by this keyring: then it is another one."""
    last, noted = store.last(), head.read(path())
    if last is None or noted is None:
        return True
    return _is_ours(noted) or _keyring().has_signed(_ROW, chain.sealed_text(last.hash, last), last.seal)


def prepare(is_new: bool) -> None:
    """At the start: refuse a place for the note that cannot be used. A new installation notes that it is empty."""
    try:
        head.prove_writable(path())
        if is_new and store.last() is None and _head() is None:
            head.write(path(), _sealed_head(0, chain.FIRST), _is_ours)
    except OSError as error:
        raise Misconfigured(f"FV_AUDIT_HEAD: {path()} cannot be read and written ({error.strerror}).") from None


def path() -> Path:
    return Path(current_app.config["AUDIT_HEAD"] or Path(current_app.instance_path) / HEAD_FILE)


def _append(
    number: int, before: str, event: str, account_id: str | None, now: int, actor: str, facts: dict[str, str | int]
) -> Row:
    made = Event(number + 1, ids.new("evt"), now, account_id, actor, event, chain.facts_as_text(facts))
    hash = chain.link(before, made)
    row = Row(**asdict(made), hash=hash, seal=_keyring().sign(_ROW, chain.sealed_text(hash, made)))
    store.add(row)
    return row


def _all_faults() -> Iterator[Fault]:
    noted = _head()  # first: rows that are added meanwhile are not missing
    expected, before = 1, chain.FIRST
    rows = store.all_rows()
    while True:
        try:
            row = next(rows, None)
        except db.Unavailable:
            yield Fault(LAST, f"Nothing can be read from row {expected} on: the database is damaged.")
            return
        if row is None:
            break
        if not _is_well_formed(row) or row.number < expected:
            yield Fault(LAST, f"Behind row {expected - 1} stands one that this program did not write.")
            continue
        yield from _faults(row, expected, before)
        if noted and row.number == noted.number and row.hash != noted.hash:
            yield Fault(row.number, f"Row {row.number} is not the one that was written last.")
        expected, before = row.number + 1, row.hash
    if noted and noted.number >= expected:
        yield Fault(noted.number, f"{_rows(expected, noted.number)} missing at the end.")
    if noted is None:
        yield Fault(expected, f"The note of where the trail ends, {path()}, is missing or was altered.")


def _faults(row: Row, expected: int, before: str) -> Iterator[Fault]:
    if row.number > expected:  # what this row holds on to is missing too, so only its seal can be judged
        yield Fault(row.number - 1, f"{_rows(expected, row.number - 1)} missing.")
    elif chain.link(before, row) != row.hash:
        yield Fault(row.number, f"Row {row.number} was edited, moved, or put in place of another.")
        return
    if not _keyring().has_signed(_ROW, chain.sealed_text(row.hash, row), row.seal):
        yield Fault(row.number, f"Row {row.number} was not written by this installation, or was edited.")
    elif row.event == "trail.head_missing":
        said = f"Before row {row.number} the note of the end was missing: rows may have been cut off there."
        yield Fault(row.number, said)


def _is_well_formed(row: Row) -> bool:
    """Whether every column is of its kind: SQLite keeps in a column whatever is put into it."""
    texts = (row.id, row.actor, row.event, row.facts, row.hash, row.seal)
    named = isinstance(row.account_id, str | None)
    return type(row.number) is int and type(row.at) is int and named and all(isinstance(text, str) for text in texts)


def _rows(first: int, last: int) -> str:
    return f"Row {first} is" if first == last else f"Rows {first} to {last} are"


def _head() -> Head | None:
    """The note, when it is ours."""
    found = head.read(path())
    return found if found and _is_ours(found) else None


def _note(row: Row) -> None:
    """The row is committed whatever happens here: a note that is behind hides nothing but the newest rows."""
    try:
        head.write(path(), _sealed_head(row.number, row.hash), _is_ours)
    except OSError as error:
        with suppress(Exception):
            _log.error("the end of the audit trail could not be noted: %s", error.strerror)


def _sealed_head(number: int, hash: str) -> Head:
    return Head(number, hash, _keyring().sign(_HEAD, f"{number} {hash}"))


def _is_ours(found: Head) -> bool:
    return _keyring().has_signed(_HEAD, f"{found.number} {found.hash}", found.seal)


def _keyring() -> sealing.Keyring:
    keyring: sealing.Keyring = current_app.extensions["keyring"]
    return keyring
