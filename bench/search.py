"""How fast faces are found, against what else there is, in one run on one machine: `make bench-search`.

Every way answers the same queries in turn, in another order each time, so that ratios hold on any machine. Each of our
answers is compared with brute force in float64. Nothing else is asserted; docs/performance.md has a run of it.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Before numpy is imported: one thread, and the newest kernel that the processor has. FAISS brings an OpenBLAS that does
# not know processors younger than itself, and would take one of 2007.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
os.environ["OPENBLAS_CORETYPE"] = "SkylakeX" if "avx512bw" in Path("/proc/cpuinfo").read_text() else "Haswell"
os.environ.pop("OPENBLAS_L2_SIZE", None)
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import peers
from crowd import Crowd, right
from gallery import Ours
from goals import ALL, BATCH_MS, FILE_MB, SCAN, SEARCH, SMALL_MS, judged, verdict
from machine import machine
from over_http import over_http
from race import FIRST, SECOND, Runner, race
from tenants import ACCOUNTS, EACH, tenants

from fv.fingerprints import codes

MOST, BATCH, CHECKED = 10, 1000, 100  # results; queries of a batch, and how many of them are checked
LARGE, AMONG = 5_000_000, 100_000  # rows of --large; templates that are searched over HTTP


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def table(titles: Sequence[str], lines: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> str:
    """Numbers to the right."""
    rule = ["---", *(["---:"] * (len(titles) - 1))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (titles, rule, *lines)) + "\n"


@dataclass
class Size:
    """What one number of rows gave. `missing`: peers that did not run, and why. `exact`: of ours, right and asked."""

    rows: int
    runners: dict[str, Runner] = field(default_factory=dict)
    by: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    recall: dict[str, float] = field(default_factory=dict)
    exact: tuple[int, int] = (0, 0)
    facts: list[str] = field(default_factory=list)
    goals: list[list[str]] = field(default_factory=list)


def measured(count: int, queries: int, seed: int, has_batch: bool, has_hnsw: bool) -> Size:
    size = Size(count)
    say(f"{count:,} rows")
    crowd = Crowd(count, seed)
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        folder = Path(name)
        ours = Ours(crowd.rows, folder)
        asked = [ours.face(query) for query in crowd.queries(queries)]
        vectors = np.frombuffer(b"".join(packed for _, packed in asked), "<f4").reshape(-1, 128)
        coded = [codes.query(one.astype(np.float64)) for one in vectors]
        say("what is right")
        places = right(ours.rows, ours.ids, vectors, MOST)
        own = [
            Runner(SCAN, lambda number: ours.scan(coded[number], MOST) or ()),
            Runner(SEARCH, lambda number: ours.search(asked[number][1], MOST)),
            Runner(ALL, lambda number: ours.search_all(asked[number][0], MOST)),
        ]
        others = list(_others(size, ours.rows, folder, vectors, has_hnsw))
        runners = [*own, *(runner for _, runner in others)]
        say(f"{queries} queries to {len(runners)}")
        race(runners, queries, seed)
        size.runners = {runner.name: runner for runner in runners}
        ids = [[ours.ids[place] for place in some] for some in places]
        size.exact = sum(one.exact(ids) for one in own[1:]), sum(len(one.answers) for one in own[1:])
        size.recall = {one.name: one.share(ids) for one in own[1:]}
        size.recall |= {runner.name: runner.share(places) for peer, runner in others if peer.is_search}
        size.goals = list(judged(count, size.runners))
        size.facts += [
            f"filled at {1 / ours.filling:,.0f} templates a second, in memory after {ours.loading:.1f} s; "
            f"{ours.held:.0f} bytes a template in the index; the process grew by {ours.resident:.0f} meanwhile",
        ]
        if has_batch:
            _batch(size, ours, crowd, [peer for peer, _ in others])
        for peer, _ in others:
            peer.close()
        ours.close()
    return size


def _others(
    size: Size, rows: np.ndarray, folder: Path, vectors: np.ndarray, has_hnsw: bool
) -> Iterator[tuple[peers.Peer, Runner]]:
    """Those that can be had here, with the rows in them."""
    for kind in peers.EVERY if size.rows < LARGE else peers.AT_FIVE_MILLION:
        begun = time.perf_counter()
        if kind is peers.Hnsw and not has_hnsw:
            size.missing[kind.name] = "left out, because building it takes minutes: `--hnsw`"
            continue
        try:
            peer = kind(rows, folder)
        except ImportError as error:
            size.missing[kind.name] = f"not installed ({error.name})"
        except Exception as error:  # a server that does not start here, for one
            size.missing[kind.name] = f"does not run here: {type(error).__name__} {error}"[:120]
        else:
            say(f"{kind.name}: filled in {time.perf_counter() - begun:.1f} s")
            size.by[kind.name] = kind.by
            yield peer, Runner(kind.name, lambda number, peer=peer: peer.nearest(vectors[number], MOST), peer.cpu)


def _batch(size: Size, ours: Ours, crowd: Crowd, others: Sequence[peers.Peer]) -> None:
    say(f"a batch of {BATCH:,}")
    packed = [ours.face(query)[1] for query in crowd.queries(BATCH)]
    vectors = np.frombuffer(b"".join(packed), "<f4").reshape(-1, 128)
    wall, cpu = time.perf_counter(), time.process_time()
    found = ours.many(packed, MOST)
    wall, cpu = ((now - then) / BATCH * 1000 for now, then in ((time.perf_counter(), wall), (time.process_time(), cpu)))
    places = right(ours.rows, ours.ids, vectors[:CHECKED], MOST)
    same = sum(found[one] == [ours.ids[place] for place in places[one]] for one in range(CHECKED))
    size.facts.append(f"{same} of {CHECKED} answers of the batch that were checked are exact")
    for peer in others:
        if isinstance(peer, peers.Faiss):
            begun = time.process_time()
            peer.many(vectors, MOST)
            took = (time.process_time() - begun) / BATCH * 1000
            size.facts.append(f"the same batch, not exact to the last place, by {peer.name}: {took:.1f} CPU ms a query")
    goal = "≤ 7 ms" if size.rows == 1_000_000 else "–"
    said = verdict(cpu <= BATCH_MS) if size.rows == 1_000_000 else "–"
    line = [f"each of a batch of {BATCH:,}", f"{size.rows:,}", goal, f"{cpu:.2f} ms", "–", f"{wall:.2f} ms", said]
    size.goals.append(line)


# ── What is printed ──────────────────────────────────────────────────────────────────────────────────────────


def shown(size: Size) -> str:
    search = size.runners[SEARCH]

    def line(name: str, runner: Runner) -> list[str]:
        times = [runner.median(*what) for what in ((SECOND, "cpu"), (SECOND, "wall"), (FIRST, "cpu"))]
        ratios = [runner.ratio(search, which, "cpu") for which in (SECOND, FIRST)]
        recall = f"{size.recall[name]:.4f}" if name in size.recall else "–"
        numbers = [f"{number:.2f}" for number in (*times, *ratios)]
        return [name, *numbers, recall, str(len(runner.first)), size.by.get(name, "ours")]

    titles = [f"{size.rows:,} rows", "CPU ms", "wall ms", "CPU ms, cold", "/ `search`", "the same, cold"]
    lines = [line(*one) for one in size.runners.items()]
    lines += [[name, *["–"] * 7, why] for name, why in size.missing.items()]
    right, asked = size.exact
    facts = [f"{right} of {asked} answers of ours have the ids and the order of brute force in float64", *size.facts]
    listed = "".join(f"- {fact}\n" for fact in facts)
    return f"{table((*titles, 'recall@10', 'turns', 'one thread by'), lines)}\n{listed}"


def growth(sizes: Sequence[Size]) -> str:
    lines = []
    for size in sizes:
        cpus = [size.runners[name].median(SECOND, "cpu") for name in (SCAN, SEARCH, ALL)]
        lines.append([f"{size.rows:,}", *(f"{cpu * 1e6 / size.rows:.1f}" for cpu in cpus)])
    return table(("CPU ns a row", SCAN, SEARCH, ALL), lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="10000,100000,1000000", help="numbers of templates, with commas between")
    parser.add_argument("--large", action="store_true", help="5,000,000 too, against fewer peers; takes 10 GB")
    parser.add_argument("--hnsw", action="store_true", help="hnswlib with 1,000,000 too: five minutes to build it")
    parser.add_argument("--queries", type=int, default=60, help="half of known people, half of strangers")
    parser.add_argument("--skip-http", action="store_true")
    parser.add_argument("--skip-accounts", action="store_true", help="not the 10,000 small ones")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    counts = sorted({*map(int, asked.rows.split(",")), *([LARGE] if asked.large else [])})

    begun, goals = time.perf_counter(), []
    options = f' OPTIONS="{" ".join(sys.argv[1:])}"' if sys.argv[1:] else ""
    print(f"`make bench-search{options}`, {time.strftime('%Y-%m-%d')}. {machine()}\n", flush=True)
    batch_at = max((count for count in counts if count <= 1_000_000), default=0)
    sizes = []
    for count in counts:
        sizes.append(measured(count, asked.queries, asked.seed, count == batch_at, asked.hnsw or count < 1_000_000))
        print(shown(sizes[-1]), flush=True)
        goals += sizes[-1].goals
    print(growth(sizes), flush=True)
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        if not asked.skip_accounts:
            say(f"{ACCOUNTS:,} accounts")
            text, lines = small(Path(folder), asked.seed)
            print(text, flush=True)
            goals += lines
        if not asked.skip_http:
            say("over HTTP")
            print(http(Path(folder), asked.queries, asked.seed), flush=True)
    print(table(("what", "rows", "goal", "CPU", "CPU, cold", "wall", ""), goals))
    took = (time.perf_counter() - begun) / 60
    print(f"All of it took {took:.1f} minutes; load at the end {os.getloadavg()[1]:.1f} of {os.cpu_count()}.")


def small(folder: Path, seed: int) -> tuple[str, list[list[str]]]:
    some = tenants(folder, seed)
    file, what = some.file / 1e6, f"{ACCOUNTS:,} accounts with {EACH} templates"
    parts = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in some.parts.items() if size > 1e5)
    text = (
        f"{what} take {file:.1f} MB, with indexes and the accounts themselves. Of it: {parts}. "
        f"The vectors alone have {ACCOUNTS * EACH * 512 / 1e6:.1f}.\n"
    )
    said = f"{some.cpu:.2f} ms", "–", f"{some.wall:.2f} ms", verdict(some.cpu <= SMALL_MS)
    return text, [
        [f"{what}: the file", "", f"≤ {FILE_MB} MB", f"{file:.1f} MB", "–", "–", verdict(file <= FILE_MB)],
        [f"{what}: `flows.search`", "", f"≤ {SMALL_MS} ms", *said],
    ]


def http(folder: Path, queries: int, seed: int) -> str:
    found = over_http(folder, AMONG, 10 * queries, MOST, seed)
    if found is None:
        return "Over HTTP nothing was measured: POST /api/v1/fingerprints/search answers 404.\n"
    lines = [
        ["one client", *(f"{ms:.2f}" for ms in found.alone), "–", "–"],
        ["eight clients", *(f"{ms:.2f}" for ms in found.eight), f"{found.rate:.0f}", f"{found.cpu:.2f}"],
        ["`flows.search`, in turn with the one", f"{found.engine:.2f}", "–", "–", "–"],
    ]
    return table((f"over HTTP, {AMONG:,} templates", "p50 ms", "p99 ms", "req/s", "server CPU ms"), lines) + (
        f"\n- HTTP, key, audit trail and metering take {found.over:.2f} ms more than the search itself (median of the"
        f" differences)\n- {found.same} of {found.asked} answers are those of the search itself\n"
    )


if __name__ == "__main__":
    main()
