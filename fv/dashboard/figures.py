"""What thirty days of sessions come to, in numbers. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

DAYS = 30  # today is the last of them
OUTCOMES = ("passed", "review", "failed")


@dataclass(frozen=True)
class Figures:
    """Of sessions that were created in some days, as they stand now. `median`: seconds to the first verdict."""

    counts: Counter[str]
    median: float | None

    @property
    def created(self) -> int:
        return self.counts.total()

    @property
    def decided(self) -> int:
        """Passed or failed: what is in review is not decided yet."""
        return self.counts["passed"] + self.counts["failed"]

    @property
    def pass_rate(self) -> float | None:
        """Percent, passed of decided."""
        return 100 * self.counts["passed"] / self.decided if self.decided else None

    @property
    def time(self) -> tuple[str, str] | None:
        """`("1:48", "min")`"""
        return None if self.median is None else clock(self.median)


def whole(by_day: Mapping[int, Counter[str]], first: int) -> Counter[str]:
    """All days from this one on."""
    return sum((counted for day, counted in by_day.items() if day >= first), Counter())


def clock(seconds: float) -> tuple[str, str]:
    """How long something took, and its unit: `45 s`, `1:48 min`, `3:20 h`, `2.5 days`."""
    if seconds < 60:
        return f"{seconds:g}", "s"
    if seconds < 3600:
        return f"{int(seconds) // 60}:{int(seconds) % 60:02}", "min"
    if seconds < 2 * 86400:
        return f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02}", "h"
    return f"{seconds / 86400:.1f}", "days"
