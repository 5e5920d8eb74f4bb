"""The same queries to everyone in turn, in another order each time; what each took, and how often it was right."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

SLOW, SELDOM = 0.1, 4  # seconds a query from which on only one of so many queries is asked


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
    took: dict[int, Took] = field(default_factory=dict)
    answers: dict[int, Sequence[object]] = field(default_factory=dict)

    def run(self, number: int) -> Took:
        others, cpu, wall = self.cpu(), time.process_time(), time.perf_counter()
        answer = self.ask(number)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu + self.cpu() - others
        self.answers[number] = answer
        return Took(wall, cpu)

    def median(self, kind: str) -> float:
        """Milliseconds; `kind`: wall or cpu."""
        return statistics.median(getattr(one, kind) for one in self.took.values()) * 1000

    def ratio(self, other: "Runner", kind: str) -> float:
        """How many times as long as the other, the median over the queries that both were asked."""
        both = self.took.keys() & other.took.keys()
        return statistics.median(getattr(self.took[one], kind) / getattr(other.took[one], kind) for one in both)

    def share(self, right: Sequence[Sequence[object]]) -> float:
        """Of the right answers, how many it gave (recall)."""
        found = sum(len(set(answer) & set(right[number])) for number, answer in self.answers.items())
        return found / sum(len(right[number]) for number in self.answers)

    def exact(self, right: Sequence[Sequence[object]]) -> int:
        """Answers that are right in every place."""
        return sum(list(answer) == list(right[number]) for number, answer in self.answers.items())


def race(runners: Sequence[Runner], queries: int, seed: int) -> None:
    """Whoever is slow is asked fewer of them: two neighbours, of whom one is known, of each eight."""
    for runner in runners:
        runner.run(0)  # pages come into memory, plans are made
        runner.every = SELDOM if runner.run(1).wall > SLOW else 1
        runner.answers.clear()
    random, order = Random(seed), list(runners)
    gc.collect()
    gc.disable()
    for number in range(queries):
        random.shuffle(order)
        for runner in order:
            if number // 2 % runner.every == 0:
                runner.took[number] = runner.run(number)
    gc.enable()
