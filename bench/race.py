"""The same queries to everyone in turn, in another order each time; what each took, and how often it was right.

Whoever has its turn answers two queries, both of which are measured. Before the first the others have had the caches;
the second comes right after it, as one search after another does in a service that is busy.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

SLOW, SELDOM = 0.05, 4  # CPU seconds a query from which on only one of so many queries is asked
FIRST, SECOND = "first", "second"


@dataclass(frozen=True)
class Took:
    """Seconds."""

    wall: float
    cpu: float


@dataclass
class Runner:
    """`ask`: a query by its number, for an answer. `cpu`: seconds that other processes spent for it so far."""

    name: str
    ask: Callable[[int], Sequence[object]]
    cpu: Callable[[], float] = lambda: 0.0
    every: int = 1
    first: dict[int, Took] = field(default_factory=dict)
    second: dict[int, Took] = field(default_factory=dict)
    answers: list[tuple[int, Sequence[object]]] = field(default_factory=list)

    def run(self, number: int) -> Took:
        others, cpu, wall = self.cpu(), time.process_time(), time.perf_counter()
        answer = self.ask(number)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu + self.cpu() - others
        self.answers.append((number, answer))
        return Took(wall, cpu)

    def median(self, which: str, kind: str) -> float:
        """Milliseconds; `which`: FIRST or SECOND; `kind`: wall or cpu."""
        return statistics.median(getattr(one, kind) for one in getattr(self, which).values()) * 1000

    def ratio(self, other: "Runner", which: str, kind: str) -> float:
        """How many times as long as the other, the median over the queries that both were asked."""
        own, others = getattr(self, which), getattr(other, which)
        return statistics.median(getattr(own[one], kind) / getattr(others[one], kind) for one in own.keys() & others)

    def share(self, right: Sequence[Sequence[object]]) -> float:
        """Of the right answers, how many it gave (recall)."""
        found = sum(len(set(answer) & set(right[number])) for number, answer in self.answers)
        return found / sum(len(right[number]) for number, _ in self.answers)

    def exact(self, right: Sequence[Sequence[object]]) -> int:
        """Answers that are right in every place."""
        return sum(list(answer) == list(right[number]) for number, answer in self.answers)


def race(runners: Sequence[Runner], queries: int, seed: int) -> None:
    """Whoever is slow is asked fewer of them: two neighbours, of whom one is known, of each eight."""
    for runner in runners:
        runner.run(0)  # pages come into memory, plans are made
        runner.every = SELDOM if runner.run(1).cpu > SLOW else 1
        runner.answers.clear()
    random, order = Random(seed), list(runners)
    gc.collect()
    gc.disable()
    for number in range(queries):
        random.shuffle(order)
        for runner in order:
            if number // 2 % runner.every == 0:
                runner.first[number] = runner.run(number)
                runner.second[number] = runner.run((number + 1) % queries)
    gc.enable()
