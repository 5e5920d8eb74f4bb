"""What a program is told of usage."""

from typing import Annotated

from fv.api.bodies import Answer, Limit, words
from fv.usage import flows

SPLITS = ("month", "day")


class Amount(Answer, frozen=True):
    period: Annotated[str, Limit(description="A day of UTC, or a month.", examples=["2026-11-23"])]
    amount: Annotated[int, Limit(ge=0)]


class Usage(Answer, frozen=True):
    """By counter; every period is there. `storage_bytes` is what is kept when the period ends, and of no key."""

    granularity: Annotated[str, words(*SPLITS)]
    series: dict[Annotated[str, words(*flows.COUNTERS, flows.STORAGE)], list[Amount]]


def told(granularity: str, amounts: dict[str, dict[str, int]]) -> Usage:
    return Usage(
        granularity=granularity,
        series={counter: [Amount(*pair) for pair in line.items()] for counter, line in amounts.items()},
    )
