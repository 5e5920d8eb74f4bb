"""What `fv doctor` says of terms and erasures."""

from collections.abc import Iterator

from fv import words
from fv.finding import Finding, note, ok, wrong
from fv.retention import store
from fv.retention.confirming import BECAUSE
from fv.terms import store as terms
from fv.terms.span import DAY

LONG = 3600  # seconds: an erasure takes some of them, or waits for a reader


def examine(now: int) -> Iterator[Finding]:
    late = terms.number_due(now - DAY)
    if late:
        yield wrong("retention", f"{words.count(late, 'session')} should have been erased: run `fv serve`")
    waiting = store.oldest_unfinished()
    if waiting is not None and waiting < now - LONG:
        for because in sorted({one.because or "" for one in store.unfinished(1000)}):
            said = BECAUSE.get(because, "Nobody looked afterwards: run `fv serve`.")
            yield note("retention", f"erasures wait for {words.duration(now - waiting)}. {said}")
    elif not late:
        yield ok("retention", "nothing is kept past its term")
