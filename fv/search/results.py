"""An answer as people see it: bands, bars, what to expect of strangers; and what the galleries of an account hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fv.fingerprints.listing import Fingerprint
from fv.fingerprints.store import Gallery
from fv.models import flows as models
from fv.models.flows import Known
from fv.search import odds
from fv.search.flows import Answer, Question


@dataclass(frozen=True)
class Result:
    """`band`: match, possible, no; None: nobody knows what this model's numbers mean. `width`: of the bar, percent.

    `is_asked`: it is the face that was looked for.
    """

    face: Fingerprint
    similarity: float
    band: str | None
    width: float
    is_asked: bool


@dataclass(frozen=True)
class Strangers:
    """False matches to expect of one search in this gallery, in one of a million faces, and the chance of any here."""

    expected: str
    chance: str
    of_a_million: str


@dataclass(frozen=True)
class Shown:
    """`name`: of whom was looked for. `stored`: templates there are of this model and mode. `low`: as in odds.

    `is_cut`: there are as many as were asked for, so there may be more.
    """

    answer: Answer
    name: str
    results: Sequence[Result]
    is_cut: bool
    stored: int
    known: Known | None
    low: float
    tick: float | None
    strangers: Strangers | None

    @property
    def took(self) -> str:
        """`0.7 ms`, `31 ms`"""
        milliseconds = 1000 * self.answer.seconds
        return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:,.0f} ms"


def shown(answer: Answer, question: Question, most: int, galleries: Sequence[Gallery]) -> Shown:
    search, known = answer.search, models.known(answer.search.model)
    low = odds.low_end(known.match) if known else 0.0
    results = [
        Result(
            hit.fingerprint, hit.similarity, known.band(hit.similarity) if known else None,
            odds.place(hit.similarity, low), _is_asked(hit.fingerprint, question),
        )
        for hit in answer.found.hits
    ]  # fmt: skip
    stored = sum(one.size for one in galleries if (one.mode, one.model) == (search.mode, search.model))
    asked = next((one.face.external_user_id for one in results if one.is_asked), None)
    name = "this photo" if question.by_photo else asked or "this face"
    strangers = known and known.false_match_rate and _strangers(known.false_match_rate, answer.found.searched)
    tick = odds.place(known.match, low) if known else None
    return Shown(answer, name, results, len(results) == most, stored, known, low, tick, strangers or None)


def usual(model: str | None) -> tuple[float, float]:
    """From which similarity on is asked unless somebody says otherwise, and where the slider begins."""
    known = models.known(model or models.chosen())
    return (int(100 * known.possible + 1e-6) / 100, odds.low_end(known.match)) if known else (0.0, 0.0)


def stored(galleries: Sequence[Gallery]) -> Mapping[tuple[str, str], int]:
    """(mode, model) → how many templates, the most first; none that has none."""
    amounts: dict[tuple[str, str], int] = {}
    for one in galleries:
        amounts[one.mode, one.model] = amounts.get((one.mode, one.model), 0) + one.size
    return {space: size for space, size in sorted(amounts.items(), key=lambda pair: -pair[1]) if size}


def _is_asked(one: Fingerprint, question: Question) -> bool:
    of_session = question.session_id is not None and one.session_id == question.session_id
    return of_session or one.id == question.fingerprint_id


def _strangers(rate: float, size: int) -> Strangers:
    return Strangers(
        odds.few(odds.expected(rate, size)), odds.percent(odds.chance(rate, size)), odds.few(odds.expected(rate, 10**6))
    )
