"""Times as the API writes and reads them: RFC 3339, UTC. Pure."""

from datetime import UTC, datetime


def written(seconds: int | None) -> str | None:
    """`2026-11-23T14:32:00Z`"""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(text: str) -> int | None:
    """Seconds since 1970; None when it is no RFC 3339 time with an offset."""
    try:
        moment = datetime.fromisoformat(text)
        return int(moment.timestamp()) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
