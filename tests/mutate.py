"""Change one comparison, boundary or boolean of the code that guards the door: some test must fail.

    make mutate                                  all of it: more than an hour on two cores
    make mutate OPTIONS='--only fv/mfa/totp.py'  what begins like this, `--list` to see it only

A change that no test notices has survived: kill it with a test, or explain it in tests/mutants.txt. Own script and
not mutmut or cosmic-ray, because half of the conditions are SQL inside texts, which these do not change.
"""

import argparse
import ast
import contextlib
import itertools
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXPLANATIONS = ROOT / "tests" / "mutants.txt"

TARGETS = ("fv/gate.py", "fv/sealing.py", "fv/mfa/*.py", "fv/throttle/*.py", "fv/audit/*.py")

#: The tests that most likely notice, first. All others follow, and those that start servers come last.
CLOSEST = {
    "fv/gate.py": ("gate", "web", "login"),
    "fv/sealing.py": ("sealing", "config", "audit"),
    "fv/mfa/totp.py": ("totp", "enrolment", "login"),
    "fv/mfa/backup_codes.py": ("totp", "enrolment", "support"),
    "fv/mfa/*": ("enrolment", "passwords", "support", "login", "limits", "audit", "gate"),
    "fv/throttle/*": ("limits", "support", "notices", "login"),
    "fv/audit/*": ("audit", "notices", "doctor"),
}
LAST = ("state_machine", "no_trace", "serving")
#: These read the source or the documents, or build the wheel. They cannot tell what the code does.
SILENT = ("architecture", "docs", "packaging")

FLIPS = {
    "==": ["!="], "!=": ["=="], "<": ["<=", ">"], "<=": ["<", ">="], ">": [">=", "<"], ">=": [">", "<="],
    "in": ["not in"], "not in": ["in"], "is": ["is not"], "is not": ["is"], "and": ["or"], "or": ["and"],
    "any": ["all"], "all": ["any"], "min": ["max"], "max": ["min"], "True": ["False"], "False": ["True"],
}  # fmt: skip
OPERATOR = re.compile(r"#.*|not\s+in|is\s+not|[=!<>]=|[<>]|\b(?:in|is|and|or)\b")

SQL_FLIPS = {
    "=": ["!="], "!=": ["="], "<": ["<=", ">"], "<=": ["<", ">="], ">": [">=", "<"], ">=": [">", "<="],
    "AND": ["OR"], "OR": ["AND"], "IS NULL": ["IS NOT NULL"], "IS NOT NULL": ["IS NULL"],
    "IN": ["NOT IN"], "NOT IN": ["IN"],
}  # fmt: skip
IS_SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE)\b")
SQL_WORD = re.compile(r"->>?|[<>!]=|[<>=]|\b(?:IS NOT NULL|IS NULL|NOT IN|IN|AND|OR|SET|WHERE|ON)\b")


@dataclass(frozen=True)
class Mutant:
    """One change. Explanations name it by file, function, line of source and change, so that it may move."""

    path: str
    scope: str
    line: int
    source: str
    change: str
    start: int  # bytes in the file
    end: int
    put: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}  {self.change}  in  {self.source}"


@dataclass(frozen=True)
class Result:
    mutant: Mutant
    caught_by: str | None
    seconds: float


# ── Which changes there are ──────────────────────────────────────────────────────────────────────────────────


class Finder(ast.NodeVisitor):
    """Collects every change of one file."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path, self.content = path, content
        self.lines = content.decode().splitlines()
        self.starts = [0]
        for line in content.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.scope: list[str] = []
        self.found: list[Mutant] = []
        self.seen: Counter[tuple[str, ...]] = Counter()

    def at(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column

    def start(self, node: ast.expr) -> int:
        return self.at(node.lineno, node.col_offset)

    def end(self, node: ast.expr) -> int:
        return self.at(node.end_lineno or 0, node.end_col_offset or 0)

    def add(self, start: int, end: int, put: str, change: str = "") -> None:
        line = self.content.count(b"\n", 0, start) + 1
        source = self.lines[line - 1].strip()
        change = change or f"{self.content[start:end].decode()} → {put}"
        key = (".".join(self.scope), source, change)
        self.seen[key] += 1
        if self.seen[key] > 1:
            change += f" #{self.seen[key]}"
        self.found.append(Mutant(self.path, key[0], line, source, change, start, end, put))

    def flip(self, start: int, end: int) -> None:
        """The operator that stands somewhere between two operands."""
        between = self.content[start:end].decode()
        found = next(match for match in OPERATOR.finditer(between) if not match[0].startswith("#"))
        at = start + len(between[: found.start()].encode())
        for put in FLIPS[" ".join(found[0].split())]:
            self.add(at, at + len(found[0]), put)

    def negate(self, test: ast.expr) -> None:
        """A condition that is a bare value or call. Comparisons and `not` are flipped where they stand."""
        if isinstance(test, ast.BoolOp):
            for value in test.values:
                self.negate(value)
        elif isinstance(test, ast.UnaryOp) and isinstance(test.operand, ast.BoolOp):
            self.negate(test.operand)
        elif not isinstance(test, ast.Compare | ast.UnaryOp | ast.Constant):
            start, end = self.start(test), self.end(test)
            text = self.content[start:end].decode()
            self.add(start, end, f"(not ({text}))", f"not {' '.join(text.split())}")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.scope.append(node.name)
        if isinstance(node.returns, ast.Name) and node.returns.id == "bool":
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value:
                    self.negate(inner.value)
        self.generic_visit(node)
        self.scope.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.scope.append(node.name)
        self.generic_visit(node)
        self.scope.pop()

    def visit_Expr(self, node: ast.Expr) -> None:
        if not (isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)):  # a docstring is none
            self.generic_visit(node)

    def visit_If(self, node: ast.If | ast.While | ast.IfExp) -> None:
        self.negate(node.test)
        self.generic_visit(node)

    visit_While = visit_IfExp = visit_If

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self.negate(test)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for left, right in itertools.pairwise(operands):
            self.flip(self.end(left), self.start(right))
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for left, right in itertools.pairwise(node.values):
            self.flip(self.end(left), self.start(right))
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            start = self.start(node)
            self.add(start, start + len("not"), "", "drop not")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in ("any", "all", "min", "max"):
            self.add(self.start(node.func), self.end(node.func), FLIPS[node.func.id][0])
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        start, end = self.start(node), self.end(node)
        if isinstance(node.value, bool):
            self.add(start, end, FLIPS[str(node.value)][0])
        elif isinstance(node.value, int):
            self.add(start, end, str(node.value + 1))
            self.add(start, end, str(node.value - 1))
        elif isinstance(node.value, str):
            self.visit_JoinedStr(node)

    def visit_JoinedStr(self, node: ast.JoinedStr | ast.Constant) -> None:
        """Conditions of SQL. A `=` after SET assigns; the parts of an f-text have no place of their own."""
        start = self.start(node)
        text, assigning = self.content[start : self.end(node)].decode(), False
        for word in SQL_WORD.finditer(text if IS_SQL.search(text) else ""):
            assigning = word[0] == "SET" or (assigning and word[0] not in ("WHERE", "ON"))
            if not assigning:
                at = start + len(text[: word.start()].encode())
                for put in SQL_FLIPS.get(word[0], ()):
                    self.add(at, at + len(word[0]), put)


def mutants_of(path: Path) -> list[Mutant]:
    content = path.read_bytes()
    finder = Finder(path.relative_to(ROOT).as_posix(), content)
    finder.visit(ast.parse(content))
    return sorted(finder.found, key=lambda one: (one.start, one.put))


# ── Those that are explained ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Explanation:
    """Three lines of tests/mutants.txt: `file in function: source`, the changes, the reason."""

    path: str
    scope: str
    source: str
    changes: tuple[str, ...]

    def covers(self, mutant: Mutant) -> bool:
        there = fnmatch(mutant.path, self.path) and fnmatch(mutant.scope, self.scope)
        return there and mutant.source == self.source and mutant.change in self.changes


def explanations() -> Iterator[Explanation]:
    for block in EXPLANATIONS.read_text().split("\n\n"):
        lines = [line.strip() for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            head = re.fullmatch(r"(\S+?)(?: in (\S+))?: (.+)", lines[0])
            if not head or len(lines) < 3:
                raise ValueError(f"tests/mutants.txt: a file and its line, the changes, and the reason: {block}")
            yield Explanation(head[1], head[2] or "", head[3], tuple(lines[1].split(" | ")))


# ── Does a test notice? ──────────────────────────────────────────────────────────────────────────────────────


class Copy:
    """The project in a folder of its own, for one change at a time. The working tree is never touched."""

    def __init__(self, folder: Path) -> None:
        self.tree, self.temporary = folder / "tree", folder / "tmp"
        self.process: subprocess.Popen[str] | None = None
        for name in subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0"):
            if name and (ROOT / name).is_file():
                (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.tree / name)
        # Also the servers that tests start import `fv` from here. No byte code: a change within one second that
        # keeps the size of the file would not be seen.
        self.environment = os.environ | {"PYTHONPATH": str(self.tree), "PYTHONDONTWRITEBYTECODE": "1"}
        where = [sys.executable, "-c", "import fv; print(fv.__file__)"]
        found = subprocess.check_output(where, cwd=folder, env=self.environment, text=True)
        if not found.startswith(str(self.tree)):
            raise RuntimeError(f"the tests would import {found}")

    def caught_by(self, tests: list[str], limit: float) -> str | None:
        """The first test that fails, None when all pass. The same every time: Hypothesis draws no new examples."""
        command = [
            sys.executable, "-m", "pytest", "-x", "-q", "--no-cov", "-p", "no:cacheprovider",
            "--hypothesis-profile=ci", f"--basetemp={self.temporary}", *tests,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, cwd=self.tree, env=self.environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            printed, _ = self.process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return "the time limit"
        finally:
            self.end()
        if self.process.returncode == 0:
            return None
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", printed, re.M)
        return failed[1] if failed else f"pytest, which ended with {self.process.returncode}"

    def end(self) -> None:
        """End the tests, and the servers they started."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def try_out(self, mutant: Mutant, limit: float) -> Result:
        begun, file = time.monotonic(), self.tree / mutant.path
        content = file.read_bytes()
        file.write_bytes(content[: mutant.start] + mutant.put.encode() + content[mutant.end :])
        try:
            return Result(mutant, self.caught_by(tests_for(mutant.path), limit), time.monotonic() - begun)
        finally:
            file.write_bytes(content)


def tests_for(path: str) -> list[str]:
    """Every test file that runs the code, in the order in which one expects a failure."""
    first = next((names for pattern, names in CLOSEST.items() if fnmatch(path, pattern)), ())
    every = sorted(file.stem.removeprefix("test_") for file in (ROOT / "tests").glob("test_*.py"))
    others = [name for name in every if name not in (*first, *LAST, *SILENT)]
    return [f"tests/test_{name}.py" for name in (*first, *others, *LAST) if name in every]


def try_all(mutants: list[Mutant], jobs: int) -> Iterator[Result]:
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder, ThreadPoolExecutor(jobs) as pool:
        copies = [Copy(Path(folder, str(number))) for number in range(jobs)]
        begun = time.monotonic()
        if failed := copies[0].caught_by(tests_for(""), limit=1800):
            sys.exit(f"Without any change a test fails: {failed}")
        limit = 60 + 5 * (time.monotonic() - begun)  # an endless loop, or a machine with a lot to do
        idle: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        for copy in copies:
            idle.put(copy)

        def one(mutant: Mutant) -> Result:
            copy = idle.get()
            try:
                return copy.try_out(mutant, limit)
            finally:
                idle.put(copy)

        tasks = [pool.submit(one, mutant) for mutant in mutants]
        try:
            for task in as_completed(tasks):
                yield task.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for copy in copies:  # when somebody interrupts
                copy.end()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="changes whose `file:line  change` begins so")
    parser.add_argument("--jobs", type=int, default=2, help="how many to try at once (%(default)s)")
    parser.add_argument("--list", action="store_true", help="print the changes and try none")
    parser.add_argument("--explained", action="store_true", help="try those that are explained, and no others")
    options = parser.parse_args()

    files = sorted(path for pattern in TARGETS for path in ROOT.glob(pattern))
    every = [mutant for path in files for mutant in mutants_of(path)]
    explained = list(explanations())
    stale = [one for one in explained if not any(one.covers(mutant) for mutant in every)]
    if stale:
        print("tests/mutants.txt explains what is not there any more:", *stale, sep="\n")
        return 1
    chosen = [mutant for mutant in every if str(mutant).startswith(options.only)]
    excused = [mutant for mutant in chosen if any(one.covers(mutant) for one in explained)]
    tried = excused if options.explained else [mutant for mutant in chosen if mutant not in excused]
    if options.list:
        print(*tried, sep="\n")
        return 0

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun, results = time.monotonic(), []
    for result in try_all(tried, options.jobs):
        results.append(result)
        said = f"by {result.caught_by}" if result.caught_by else "SURVIVED"
        print(f"{len(results)}/{len(tried)}  {result.mutant}  {said}  {result.seconds:.0f} s", flush=True)
    survived = [result.mutant for result in results if not result.caught_by]
    killed = len(results) - len(survived)
    late = sum(result.caught_by == "the time limit" for result in results)

    minutes = (time.monotonic() - begun) / 60
    print(f"\n{len(chosen)} mutants, {len(results)} tried in {minutes:.0f} minutes: {killed} killed", end=" ")
    print(f"({late} of them by the time limit), {len(survived)} survived; {len(excused)} are explained.")
    print(f"Score: {100 * killed / max(1, len(results)):.1f} % of those that were tried.")
    print(*(f"SURVIVED  {mutant}" for mutant in survived), sep="\n")
    return int(bool(survived) and not options.explained)


if __name__ == "__main__":
    sys.exit(main())
