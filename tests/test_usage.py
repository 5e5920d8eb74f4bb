"""What is counted: by the day, with what it counts, and not in test mode."""

from datetime import UTC, datetime

import pytest

from fv import db
from fv.usage import flows
from tests.photos import photographed
from tests.test_sessions import bearer, create, get


def key(ada, **body):
    scopes = ["sessions:create", "photos:read", "usage:read"]
    return bearer(ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": scopes} | body).json["secret"])


def usage(ada, query=""):
    answer = ada.get(f"/api/v1/usage{query}")
    assert answer.status_code == 200, answer.text
    return {name: {one["period"]: one["amount"] for one in line} for name, line in answer.json["series"].items()}


def totals(ada):
    return {counter: sum(periods.values()) for counter, periods in usage(ada).items()}


def test_sessions_and_viewed_photos_are_counted_when_they_happen(app, ada):
    live = key(ada)
    id = create(app, live).json["session_id"]
    assert totals(ada) == {"sessions_created": 1, "sessions_billable": 0, "searches": 0, "photo_views": 0}
    photographed(app, id)
    for path in (f"/api/v1/sessions/{id}/photos/selfie", f"/api/v1/sessions/{id}/photos/passport"):
        get(app, live, path)
    ada.get(f"/sessions/{id}/photos/id_photo.jpg")
    assert totals(ada) == {"sessions_created": 1, "sessions_billable": 1, "searches": 0, "photo_views": 2}


def test_an_equal_post_is_counted_once(app, ada):
    live = key(ada)
    for _ in range(3):
        create(app, live, **{"Idempotency-Key": "one"})
    assert totals(ada)["sessions_created"] == 1


def test_what_happens_in_test_mode_is_not_counted(app, ada):
    test = key(ada, mode="test")
    id = create(app, test, "test_pass").json["session_id"]
    photographed(app, id, status="passed")
    assert get(app, test, f"/api/v1/sessions/{id}/photos/selfie").status_code == 200
    ada.get(f"/sessions/{id}/photos/selfie.jpg")
    assert set(totals(ada).values()) == {0}


def test_days_and_months_add_up(app, ada, clock):
    live, first = key(ada), clock.now
    for days in (0, 1, 40):
        clock.passes(hours=24 * days)
        create(app, live)
    ada.signs_in()
    days = usage(ada)["sessions_created"]
    assert len(days) == 30 and sum(days.values()) == 1, "the last thirty days, when no others are asked for"
    since, until = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}" for at in (first, clock.now))
    days = usage(ada, f"?from={since}&to={until}")["sessions_created"]
    assert len(days) == 42 and [day for day, amount in days.items() if amount] == [*days][:2] + [*days][-1:]
    months = usage(ada, f"?from={since}&to={until}&granularity=month")["sessions_created"]
    assert list(months) == sorted({day[:7] for day in days}) and sum(months.values()) == 3


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("granularity=hour", "/granularity"), ("from=yesterday", "/from"), ("from=2026-11-02&to=2026-11-01", "/from"),
     ("from=2020-01-01&to=2026-01-01", "/from"), ("colour=red", "/colour"),
     ("to=0001-01-01", "/from"), ("from=1969-12-31&to=1970-01-01", "/from")],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_422(ada, query, pointer):
    answer = ada.get(f"/api/v1/usage?{query}")
    assert answer.status_code == 422 and answer.json["errors"][0]["pointer"] == pointer


def test_usage_needs_its_scope_and_is_of_the_own_account(app, ada):
    create(app, key(ada))
    assert get(app, key(ada), "/api/v1/usage").status_code == 200
    assert get(app, key(ada, scopes=["sessions:read"]), "/api/v1/usage").json["code"] == "insufficient_scope"
    other = ada.another("eve@example.org")
    other.signs_up()
    other.enrols()
    assert set(totals(other).values()) == {0}


def test_only_counters_are_counted_and_only_with_what_they_count(here):
    with pytest.raises(LookupError):
        flows.count("acc_1", "live", "photo_views", 0)
    with pytest.raises(LookupError), db.transaction():
        flows.count("acc_1", "live", "smiles", 0)
