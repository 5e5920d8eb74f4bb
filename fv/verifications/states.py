"""What a session can become, and when. Pure."""

from collections.abc import Mapping

OPEN = ("pending", "in_progress")  # the end user can still go on, until the session expires

#: Every other pair is refused.
NEXT: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"in_progress", "expired", "canceled"}),
    "in_progress": frozenset({"analyzing", "expired", "canceled"}),
    "analyzing": frozenset({"passed", "review", "failed"}),
    "review": frozenset({"passed", "failed"}),
    "passed": frozenset({"failed"}),
    "failed": frozenset(),
    "expired": frozenset(),
    "canceled": frozenset(),
}

COMPLETED = ("passed", "review", "failed")


def may_become(status: str, new: str) -> bool:
    return new in NEXT[status]


def before(new: str) -> list[str]:
    """The statuses from which it can become this one."""
    return [status for status, following in NEXT.items() if new in following]
