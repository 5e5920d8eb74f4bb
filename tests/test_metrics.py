"""`fv metrics`: how the analysis is doing, for a program that watches."""

import re

from fv import db
from fv.metrics import flows, store
from tests.test_audit import run
from tests.test_sessions import bearer, create


def values(app):
    """Name with labels → value, from a text that a Prometheus can read."""
    text = run(app, "metrics").output
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    found = dict(line.rsplit(" ", 1) for line in lines)
    name, labels, number = r"facevault_analysis_[a-z_]+", r"(\{[a-z]+=\"[a-z_]+\"\})?", r"[0-9]+(\.[0-9]+)?"
    assert len(found) == len(lines) and all(re.fullmatch(f"{name}{labels} {number}", line) for line in lines)
    described = re.findall(r"^# TYPE (\S+) (counter|gauge)$", text, re.M)
    assert {name for name, _ in described} == {line.partition("{")[0].partition(" ")[0] for line in lines}
    assert all(name.endswith("_total") == (kind == "counter") for name, kind in described)
    return {name.removeprefix("facevault_analysis_"): float(value) for name, value in found.items()}


def test_nothing_happened_yet_is_told_as_zeros(app):
    assert set(values(app).values()) == {0} and len(values(app)) == 2 + 3 * 4 + 5


def test_counts_grow_over_the_days_and_the_queue_is_as_it_is(app, ada, clock):
    tally = {("jobs", "all"): 2, ("milliseconds", "reading"): 1500, ("process", "crashed"): 1, ("failures", "all"): 0}
    secret = ada.call("POST", "/api/v1/keys", {"name": "x", "mode": "live"}).json["secret"]
    id = create(app, bearer(secret), "customer-1").json["session_id"]
    with app.app_context():
        flows.add(tally, int(clock.now))
        clock.passes(hours=48)
        flows.add(tally, int(clock.now))
        db.run("UPDATE verifications SET status = 'analyzing', submitted_at = :at WHERE id = :id",
               at=int(clock.now) - 90, id=id)  # fmt: skip
        assert flows.grown(int(clock.now))["jobs", "all"] == 2 and flows.grown()["jobs", "all"] == 4
    found = values(app)
    assert found['jobs_total{stage="all"}'] == 4 and found['seconds_total{stage="reading"}'] == 3
    assert found['process_ends_total{reason="crashed"}'] == 2 and found['failures_total{stage="all"}'] == 0
    assert (found["queue_sessions"], found["queue_oldest_seconds"]) == (1, 90)


def test_nothing_to_count_takes_no_lock(app):
    with app.app_context(), db.transaction():
        flows.add({("failures", "all"): 0}, 1)  # a transaction inside of this one would raise
        assert store.sums(0) == []
