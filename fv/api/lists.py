"""Lists, a page at a time, newest first: `?limit=1..100&after=<cursor>`. Cursors stay true while rows are added."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Protocol, TypeVar

from flask import g, request

from fv.api import times
from fv.api.bodies import Answer, Limit, Page
from fv.api.parameters import Parameter, only
from fv.problems import FieldError, Problem

DEFAULT, MOST = 25, 100  # rows
DAY = 86400  # seconds


class Row(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def created_at(self) -> int: ...


R = TypeVar("R", bound=Row)
A = TypeVar("A", bound=Answer)

PAGE = (
    Parameter("limit", Annotated[int, Limit(ge=1, le=MOST)], "How many at most.", DEFAULT),
    Parameter("after", str, "The `next_cursor` of the page before."),
)
BEGINNING = (2**62, "")  # after this comes the newest row


@dataclass(frozen=True)
class Asked:
    """Ask the store for `limit + 1` rows older than (`created_at`, `id`); the one too many says that there are more."""

    limit: int
    created_at: int
    id: str

    def answer(self, rows: Sequence[R], show: Callable[[R], object]) -> dict[str, object]:
        """For a page of ours."""
        shown, cursor = self._cut(rows)
        return {"data": [show(row) for row in shown], "has_more": cursor is not None, "next_cursor": cursor}

    def page(self, rows: Sequence[R], show: Callable[[R], A]) -> Page[A]:
        """For a program."""
        shown, cursor = self._cut(rows)
        return Page(data=[show(row) for row in shown], has_more=cursor is not None, next_cursor=cursor)

    def _cut(self, rows: Sequence[R]) -> tuple[Sequence[R], str | None]:
        shown, more = rows[: self.limit], len(rows) > self.limit
        return shown, _cursor(shown[-1]) if more else None


def requested(*filters: str) -> Asked:
    """The page of a list that a person asks for; 422 when there are other parameters than these `filters`."""
    only("limit", "after", *filters)
    return _asked()


def asked() -> Asked:
    """The page that a program asks for, whose call is declared with PAGE and its filters."""
    if PAGE[0] not in g.call.query:
        raise LookupError("this call is declared without PAGE")
    return _asked()


def _asked() -> Asked:
    typed = request.args.get("limit", str(DEFAULT))
    if not re.fullmatch(r"[0-9]{1,3}", typed) or not 1 <= int(typed) <= MOST:
        raise Problem("invalid_request", errors=[FieldError("/limit", "invalid")])
    after = request.args.get("after")
    return Asked(int(typed), *(_position(after) if after else BEGINNING))


def moment(name: str, otherwise: int) -> int:
    """The time in this parameter (RFC 3339), in seconds since 1970; 422 when it is none."""
    typed = request.args.get(name)
    seconds = times.read(typed) if typed is not None else otherwise
    if seconds is None:
        raise Problem("invalid_request", errors=[FieldError(f"/{name}", "invalid")])
    return seconds


def day(name: str, otherwise: int) -> int:
    """The first second of the day (2026-11-23, in UTC) in this parameter; 422 when it is none."""
    typed = request.args.get(name)
    try:
        return int(datetime.strptime(typed, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) if typed else otherwise
    except ValueError:
        raise Problem("invalid_request", errors=[FieldError(f"/{name}", "invalid")]) from None


def _cursor(row: Row) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at} {row.id}".encode()).decode()


def _position(cursor: str) -> tuple[int, str]:
    try:
        at, _, id = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode().partition(" ")
        if re.fullmatch(r"[0-9]{1,12}", at) and re.fullmatch(r"[a-z]+_[0-9a-f]+", id):
            return int(at), id
    except (binascii.Error, UnicodeError):
        pass
    raise Problem("invalid_request", errors=[FieldError("/after", "invalid")])
