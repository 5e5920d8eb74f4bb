"""How well documents are read, and what it costs, against tesseract and plain rapidocr: `make bench-analysis`.

Synthetic documents in twelve classes of damage, photos of other things, and documents made to mislead. Nothing here is
asserted; docs/accuracy.md has a run of it, and says what it does not show.
"""

import argparse
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from random import Random

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported
sys.path.insert(0, str(Path(__file__).parent.parent))

from attacks import Attack, attacks
from degrading import CLASSES, photographed
from measuring import READERS, SHOWN, Outcome, measured, parts, throughput
from nondocuments import SHARES, photos
from specimens import drawn, formats, made_up

SLOW = 2.5  # CPU seconds of our reader; such photos are listed


@dataclass(frozen=True)
class Specimen:
    name: str
    damage: str
    jpeg: bytes
    lines: list[str]
    true: dict[str, str]


def specimens(seed: int, per_class: int) -> Iterator[Specimen]:
    random = Random(seed)
    for place, damage in enumerate(CLASSES):
        for number, format in enumerate(formats(place, per_class)):
            truth = made_up(random, format)
            flat = drawn(random, truth, has_texture=damage in ("texture", "combo"))
            jpeg = photographed(random, flat, damage)
            yield Specimen(f"{damage}_{number:02}_{format}", damage, jpeg, truth.lines, truth.fields)


def read_by_all(specimen: Specimen) -> list[Outcome]:
    outcomes = [measured(kind, specimen.jpeg, specimen.lines, specimen.true) for kind in READERS]
    if not outcomes[0].is_whole or outcomes[0].wrong:
        print(f"{specimen.name}: {outcomes[0]}, true {specimen.lines}", file=sys.stderr)
    return outcomes


def read_other(photo: tuple[str, bytes]) -> tuple[str, Outcome]:
    return photo[0], measured(READERS[0], photo[1], [], {})


def read_attack(attack: Attack) -> tuple[Attack, Outcome]:
    return attack, measured(READERS[0], attack.jpeg, attack.truth.lines, attack.truth.fields)


# ── Tables ───────────────────────────────────────────────────────────────────────────────────────────────────

COLUMNS = (
    "  ".join(f"{title:>6}" for title in ("photos", "read", "whole", *SHOWN)) + "    high  wrong  misfit  CPU s   most"
)


def row(title: str, outcomes: Sequence[Outcome]) -> str:
    """`misfit`: zones in which every check digit fits and a field is wrong."""
    counts = [len(outcomes), sum(bool(one.said) for one in outcomes), sum(one.is_whole for one in outcomes)]
    counts += [sum(shown in one.right for one in outcomes) for shown in SHOWN]
    high, wrong = sum(len(one.high) for one in outcomes), sum(len(one.wrong) for one in outcomes)
    seconds = [one.seconds for one in outcomes]
    widths = [6, 6, 6, *(max(6, len(shown)) for shown in SHOWN)]
    text = "  ".join(f"{count:>{width}}" for count, width in zip(counts, widths, strict=True))
    misfit = sum(one.fits_wrongly for one in outcomes)
    return (
        f"{title:12}{text}{high:>8}{wrong:>7}{misfit:>8}{sum(seconds) / len(seconds):>7.2f}{max(seconds):>7.2f}"
    )  # fmt: skip


def accuracy(found: Sequence[tuple[Specimen, list[Outcome]]]) -> None:
    print(f"\n{'FaceVault':12}{COLUMNS}")
    for damage, group in groupby(found, key=lambda one: one[0].damage):
        print(row(damage, [outcomes[0] for _, outcomes in group]))
    print(f"\n{'all classes':12}{COLUMNS}")
    for place, kind in enumerate(READERS):
        print(row(kind.name, [outcomes[place] for _, outcomes in found]))
    print("\nwhole" + " " * 7 + "".join(f"{kind.name:>11}" for kind in READERS))
    for damage, group in groupby(found, key=lambda one: one[0].damage):
        by_reader = zip(*(outcomes for _, outcomes in group), strict=True)
        print(f"{damage:12}" + "".join(f"{sum(one.is_whole for one in outcomes):>11}" for outcomes in by_reader))


def failures(found: Sequence[tuple[Specimen, list[Outcome]]]) -> None:
    print("\nOurs that are not whole, wrong or slow:")
    for specimen, (ours, *_) in found:
        if not ours.is_whole or ours.wrong or ours.seconds > SLOW:
            print(f"{specimen.name}  {ours.seconds:.2f} s  {len(specimen.jpeg) // 1000} kB  wrong high: {ours.wrong}")
            for said, true in zip(ours.said, specimen.lines, strict=False):
                if said != true:
                    print(f"    read {said}\n    true {true}")


def others(read: Sequence[tuple[str, Outcome]]) -> None:
    print(f"\n{'no documents':22}{'photos':>8}{'false':>8}{'CPU s':>8}{'most':>8}")
    for kind in [*SHARES, "all"]:
        outcomes = [one for of, one in read if kind in (of, "all")]
        seconds = [one.seconds for one in outcomes]
        false = [one.said for one in outcomes if one.said]
        mean = sum(seconds) / len(seconds)
        print(f"{kind:22}{len(outcomes):>8}{len(false):>8}{mean:>8.2f}{max(seconds):>8.2f}")
        for lines in false if kind != "all" else ():
            print(f"    taken for a zone: {' '.join(lines)}")


def misled(read: Sequence[tuple[Attack, Outcome]]) -> None:
    print(f"\n{'made to mislead':34}{'photos':>8}{'read':>8}{'whole':>8}{'high':>8}{'wrong':>8}")
    for name, group in groupby(read, key=lambda one: one[0].name):
        tried = list(group)
        bad = [one.wrong | dict.fromkeys(set(attack.denied) & set(one.high)) for attack, one in tried]
        counts = (
            len(tried), sum(bool(one.said) for _, one in tried), sum(one.is_whole for _, one in tried),
            sum(len(one.high) for _, one in tried), sum(map(len, bad)),
        )  # fmt: skip
        print(f"{name:34}" + "".join(f"{count:>8}" for count in counts))
        for (attack, one), wrong in zip(tried, bad, strict=True):
            if wrong or not one.is_whole:
                said = f"high: {', '.join(wrong)}" if wrong else f"read: {' '.join(one.said) or 'nothing'}"
                print(f"    {' '.join(attack.truth.lines)}\n        {said}")


def costs(jpegs: Sequence[bytes]) -> None:
    print(f"\nCPU s a document, of {len(jpegs)}")
    for name, seconds in parts(jpegs).items():
        print(f"{name:34}{seconds:>8.2f}")
    run = throughput(jpegs)
    print(f"\nThe process of the service, one after the other: {run.cases} cases of three photos, {run.failed} failed")
    print(f"{'CPU s a case':34}{run.cpu / run.cases:>8.2f}")
    print(f"{'cases a minute of processor time':34}{60 * run.cases / run.cpu:>8.1f}")
    print(f"{'cases a minute of the clock':34}{60 * run.cases / run.wall:>8.1f}")
    print(f"{'s to the first report':34}{run.start:>8.1f}")
    print(f"{'MB resident at most':34}{run.resident / 1e6:>8.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-class", type=int, default=2, help="documents of each of the twelve classes")
    parser.add_argument("--others", type=int, default=20, help="photos of other things")
    parser.add_argument("--misleading", type=int, default=4, help="documents of each way to mislead")
    parser.add_argument("--workers", type=int, default=1, help="processes; more of them disturb each other a little")
    asked = parser.parse_args()
    print(f"seed {asked.seed}, {asked.per_class} a class; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
          f"{asked.workers} processes, Python {platform.python_version()}")  # fmt: skip
    made = list(specimens(asked.seed, asked.per_class))
    with ProcessPoolExecutor(asked.workers, get_context("spawn"), read_by_all, made[:1]) as pool:  # loads the models
        found = list(zip(made, told(pool.map(read_by_all, made), len(made)), strict=True))
        accuracy(found)
        failures(found)
        sys.stdout.flush()
        random = Random(asked.seed)
        not_documents = list(photos(random, asked.others))
        others(list(told(pool.map(read_other, not_documents), len(not_documents))))
        misleading = list(attacks(random, asked.misleading))
        misled(list(told(pool.map(read_attack, misleading), len(misleading))))
    costs([one.jpeg for one in made[:: max(1, asked.per_class // 2)]])


def told(results: Iterator, number: int) -> Iterator:
    """How far it is, on standard error."""
    for done, result in enumerate(results, 1):
        print(f"\r{done} of {number} ", end="" if done < number else "\n", file=sys.stderr, flush=True)
        yield result


if __name__ == "__main__":
    main()
