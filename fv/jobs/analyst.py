"""Has photos examined in a process of its own: one that lives long, and is replaced when it breaks, hangs or grows.

Promise: whatever a photo does there, the next session is examined in a fresh process, and nobody waits longer than two
time limits for somebody else's photo.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from fv.analysis.examining import Settings
from fv.analysis.report import Case, Failed, Report
from fv.jobs.examiner import DATA, PROGRAM, Process

PATIENCE = 60  # seconds for one try, with the start of a process for it; one takes about 5, and there are two
JOBS = 200  # cases of one process: what leaks in native code is given back
GROWN = 900 * 1024 * 1024  # bytes resident after a case; 0.4 to 0.7 GB are usual
REST = 60  # seconds before another start, after one that failed
NOTHING: Settings = {}


class Analyst:
    """One for a worker, used by one thread: the process ends with the thread that started it.

    `settings`: for its stages, and what they may read. `tally`: what happened since it was last taken, by counter and
    what it is about, for the metrics.
    """

    def __init__(
        self, is_stopping: Callable[[], bool] = lambda: False, settings: Settings = NOTHING, *,
        program: Path = PROGRAM, patience: float = PATIENCE, jobs: int = JOBS, grown: int = GROWN, rest: float = REST,
        data: int = DATA,
    ) -> None:  # fmt: skip
        self.is_stopping, self.settings, self.program, self.data = is_stopping, settings, program, data
        self.patience, self.jobs, self.grown, self.rest = patience, jobs, grown, rest
        self.tally: Counter[tuple[str, str]] = Counter()
        self._process: Process | None = None
        self._done = 0
        self._not_before = 0.0

    def examine(self, case: Case) -> Report:
        """Raises Failed after a second try, Interrupted."""
        begun = monotonic()
        try:
            report = self._insisted(case)
        except Failed:
            self._count("all", monotonic() - begun, has_failed=True)
            raise
        self._count("all", monotonic() - begun, has_failed=False)
        for stage, seconds in report.seconds.items():  # one that is not installed takes none
            self._count(stage, seconds, stage in report.failures)
        return report

    def close(self) -> None:
        """End the process; another examine() starts another one."""
        if self._process:
            self._process.kill()
            self._process = None

    def taken(self) -> Counter[tuple[str, str]]:
        """The tally, which is empty afterwards."""
        tally, self.tally = self.tally, Counter()
        return tally

    @property
    def pid(self) -> int | None:
        """Of the process that waits for the next case."""
        return self._process.pid if self._process else None

    def _insisted(self, case: Case) -> Report:
        """The second try is made by a process that has not seen this case, nor any other."""
        try:
            return self._tried(case)
        except Failed as failed:
            if failed.reason == "unavailable":
                raise
        return self._tried(case)

    def _tried(self, case: Case) -> Report:
        until = monotonic() + self.patience
        process, self._process = self._process, None  # whatever goes wrong leaves it dead
        try:
            process = process or self._started(until)
            report = process.ask(case, until)
        except Failed as failed:
            self.tally["process", failed.reason] += 1
            raise
        self._done += 1
        if self._done < self.jobs and process.resident() <= self.grown:
            self._process = process
        else:
            process.kill()
            self.tally["process", "recycled"] += 1
        return report

    def _started(self, until: float) -> Process:
        if monotonic() < self._not_before:
            raise Failed("unavailable")
        try:
            process = Process(self.is_stopping, until, self.settings, self.program, self.data)
        except Failed:
            self._not_before = monotonic() + self.rest
            raise
        self._done = 0
        return process

    def _count(self, stage: str, seconds: float, has_failed: bool) -> None:
        self.tally["jobs", stage] += 1
        self.tally["milliseconds", stage] += round(seconds * 1000)
        self.tally["failures", stage] += has_failed
