"""The story: the worker counts what it did; the counts are told in the text format of Prometheus.

Version 0.0.4 of that format, https://prometheus.io/docs/instrumenting/exposition_formats/. Counters only grow; they are
sums over all days, so a restart of the service does not set them back.
"""

from collections.abc import Iterator, Mapping

from fv import db
from fv.metrics import store
from fv.verifications import listing

STAGES = ("all", "reading", "faces", "consistency")
REASONS = ("crashed", "too_slow", "malformed", "unavailable", "recycled")
DAY = 86400  # seconds


def add(tally: Mapping[tuple[str, str], int], now: int) -> None:
    """Counter and what it is about, to how much it has grown."""
    if any(tally.values()):
        with db.transaction():
            for (counter, about), amount in tally.items():
                store.add(now // DAY, counter, about, amount)


def grown(since: int = 0) -> dict[tuple[str, str], int]:
    """The same, over the day of this moment and all that followed; what never happened is 0."""
    known = {(counter, stage): 0 for counter in ("jobs", "milliseconds", "failures") for stage in STAGES}
    known |= {("process", reason): 0 for reason in REASONS}
    return known | {(one.counter, one.about): one.amount for one in store.sums(since // DAY)}


def lines(now: int) -> Iterator[str]:
    queue, sums = listing.queue(now), grown()
    yield from _metric("queue_sessions", "gauge", "Sessions that wait for their analysis", {"": queue.number})
    oldest = {"": queue.waited}
    yield from _metric("queue_oldest_seconds", "gauge", "How long the one that waits longest has waited", oldest)
    for counter, about in (
        ("jobs", "Sessions examined, by stage"),
        ("failures", "Those that a stage broke on; stage all: that have no report"),
    ):
        yield from _metric(f"{counter}_total", "counter", about, {_stage(one): sums[counter, one] for one in STAGES})
    seconds = {_stage(one): sums["milliseconds", one] / 1000 for one in STAGES}
    yield from _metric("seconds_total", "counter", "Seconds of the clock, by stage", seconds)
    ends = {f'{{reason="{one}"}}': sums["process", one] for one in REASONS}
    yield from _metric("process_ends_total", "counter", "Processes that examine, by how they came to an end", ends)


def _stage(name: str) -> str:
    return f'{{stage="{name}"}}'


def _metric(name: str, kind: str, about: str, values: Mapping[str, float]) -> Iterator[str]:
    full = f"facevault_analysis_{name}"
    yield f"# HELP {full} {about}."
    yield f"# TYPE {full} {kind}"
    for labels, value in values.items():
        yield f"{full}{labels} {value}"
