"""What search has to reach, as ratios within one run: they hold on any machine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from peers import Duck, Faiss, PgVector, Read, ReadCodes, Vec0
from race import FIRST, SECOND, Runner

SCAN, SEARCH, ALL = "**the scan alone**", "**`search`**", "**`flows.search`**"


@dataclass(frozen=True)
class Ratio:
    """`one` takes at least (or, not `at_least`: at most) `goal` times as long as `other`, with so many rows."""

    one: str
    other: str
    at_least: bool
    goals: Mapping[int, float]


RATIOS = (
    Ratio(Vec0.name, SEARCH, True, {100_000: 18, 1_000_000: 38}),
    Ratio(Faiss.name, SEARCH, True, {100_000: 1.8, 1_000_000: 2.6}),
    Ratio(PgVector.name, SEARCH, True, {100_000: 16, 1_000_000: 16}),
    Ratio(Duck.name, SEARCH, True, {100_000: 16, 1_000_000: 16}),
    Ratio(SEARCH, Read.name, False, {100_000: 0.65, 1_000_000: 0.4}),
    Ratio(Faiss.name, SCAN, True, {100_000: 2.5, 1_000_000: 2.5}),
    Ratio(SCAN, ReadCodes.name, False, {100_000: 2, 1_000_000: 2}),
)
BATCH_MS = 7  # each of a thousand queries against a million
FILE_MB, SMALL_MS = 25, 1  # of ten thousand accounts with three templates; of a search in one of them


def verdict(*is_reached: bool) -> str:
    """`is_reached`: right after another search, and after others."""
    if all(is_reached):
        return "reached"
    return "reached when busy" if is_reached[0] else "**missed**"


def judged(rows: int, runners: Mapping[str, Runner]) -> Iterator[list[str]]:
    """Lines of the table of goals. By CPU time: the clock on the wall counts what others do, too."""
    for ratio in RATIOS:
        goal = ratio.goals.get(rows)
        one, other = runners.get(ratio.one), runners.get(ratio.other)
        if goal is None:
            continue
        line = [f"{ratio.one} / {ratio.other}", f"{rows:,}", f"{'≥' if ratio.at_least else '≤'} {goal:g}"]
        if not (one and other):
            yield [*line, "–", "–", "–", "not measured"]
            continue
        cpus = [one.ratio(other, which, "cpu") for which in (SECOND, FIRST)]
        is_reached = [cpu >= goal if ratio.at_least else cpu <= goal for cpu in cpus]
        said = [f"{number:.2f}" for number in (*cpus, one.ratio(other, SECOND, "wall"))]
        yield [*line, *said, verdict(*is_reached)]
