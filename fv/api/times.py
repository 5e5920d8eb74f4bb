"""Times as the API writes and reads them: RFC 3339, UTC. Pure."""

import re
from datetime import UTC, datetime
from typing import overload

_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")
_LAST = 253_402_300_799  # 9999-12-31T23:59:59Z, the last second that can be written again


@overload
def written(seconds: int) -> str: ...
@overload
def written(seconds: None) -> None: ...
@overload
def written(seconds: int | None) -> str | None: ...
def written(seconds: int | None) -> str | None:
    """`2026-11-23T14:32:00Z`"""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(text: str) -> int | None:
    """Seconds since 1970; None when it is no RFC 3339 time with an offset."""
    try:
        seconds = int(datetime.fromisoformat(text).timestamp()) if _RFC3339.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None
    return seconds if seconds is not None and 0 <= seconds <= _LAST else None
