"""What is counted: by the day and the key, with what it counts, and not in test mode."""

from contextlib import closing
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from fv import db
from fv.db import sqlite
from fv.evidence import flows as evidence
from fv.usage import flows
from tests.photos import forget_photos, photographed, picture
from tests.test_links import agree
from tests.test_serving import at_once, enrolled
from tests.test_sessions import bearer, create, get

SCOPES = ["sessions:create", "photos:read", "usage:read", "links:write"]


def key(ada, **body):
    return bearer(ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": SCOPES} | body).json["secret"])


def usage(ada, query=""):
    answer = ada.get(f"/api/v1/usage{query}")
    assert answer.status_code == 200, answer.text
    return {name: {one["period"]: one["amount"] for one in line} for name, line in answer.json["series"].items()}


def totals(ada, query=""):
    """What was counted in the last thirty days. How much is kept is no such number."""
    days = usage(ada, query)
    return {counter: sum(days[counter].values()) for counter in flows.COUNTERS}


def kept(ada):
    """Bytes of photos at the end of today."""
    return [*usage(ada)["storage_bytes"].values()][-1]


def stored(app):
    """The same, as the photos themselves say it."""
    with app.app_context():
        return db.one(dict, "SELECT coalesce(sum(bytes), 0) AS bytes FROM photos WHERE erased_at IS NULL")["bytes"]


def test_sessions_and_viewed_photos_are_counted_when_they_happen(app, ada):
    live = key(ada)
    id = create(app, live).json["session_id"]
    assert totals(ada) == {"sessions_created": 1, "sessions_billable": 0, "searches": 0, "photo_views": 0,
                           "webhook_deliveries": 0}  # fmt: skip
    photographed(app, id)
    for path in (f"/api/v1/sessions/{id}/photos/selfie", f"/api/v1/sessions/{id}/photos/passport"):
        get(app, live, path)
    ada.get(f"/sessions/{id}/photos/id_photo.jpg")
    assert totals(ada) == {"sessions_created": 1, "sessions_billable": 1, "searches": 0, "photo_views": 2,
                           "webhook_deliveries": 0}  # fmt: skip


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
    [("granularity=hour", "/granularity"), ("from=yesterday", "/from"), ("to=9999-12-31", "/to"),
     ("from=2026-11-02&to=2026-11-01", "/from"),
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


# ── Who caused it ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_key_causes_is_counted_for_it_and_all_of_it_adds_up(app, ada):
    made = [ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": SCOPES}).json for _ in range(2)]
    (one, two), ids = [bearer(key["secret"]) for key in made], [key["id"] for key in made]
    first = create(app, one).json["session_id"]
    photographed(app, first)
    for _ in range(2):
        assert get(app, two, f"/api/v1/sessions/{first}/photos/selfie").status_code == 200
    ada.get(f"/sessions/{first}/photos/selfie.jpg")
    ada.post("/sessions", external_user_id="by hand", mode="live")
    link = app.test_client().post("/api/v1/links", json={}, headers=two).json
    for one_of in (link, ada.call("POST", "/api/v1/links", {}).json):
        assert agree(app.test_client(), one_of).status_code == 303
    assert totals(ada) == {"sessions_created": 4, "sessions_billable": 1, "searches": 0, "photo_views": 3,
                           "webhook_deliveries": 0}  # fmt: skip
    assert totals(ada, f"?key_id={ids[0]}") == {
        "sessions_created": 1, "sessions_billable": 1, "searches": 0, "photo_views": 0,
        "webhook_deliveries": 0,
    }  # fmt: skip
    assert totals(ada, f"?key_id={ids[1]}") == {
        "sessions_created": 1, "sessions_billable": 0, "searches": 0, "photo_views": 2,
        "webhook_deliveries": 0,
    }  # fmt: skip
    assert "storage_bytes" not in usage(ada, f"?key_id={ids[0]}"), "nothing is stored by a key"
    with app.app_context():
        rows = db.many(dict, "SELECT counter, amount FROM usage_days WHERE key_id = ''")
    assert {row["counter"]: row["amount"] for row in rows if row["counter"] != flows.STORAGE} == {
        "sessions_created": 2, "photo_views": 1,
    }  # fmt: skip


def test_a_search_is_counted_for_its_key(app, ada):
    made = ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": ["fingerprints:search"]}).json
    for headers in (bearer(made["secret"]), None):
        client = app.test_client() if headers else ada.client
        asked = {"embedding": [1.0] * 128}
        assert client.post("/api/v1/fingerprints/search", json=asked, headers=headers).status_code == 200
    assert (totals(ada)["searches"], totals(ada, f"?key_id={made['id']}")["searches"]) == (2, 1)


def test_a_key_that_the_account_never_had_is_not_there(app, ada):
    theirs = ada.call("POST", "/api/v1/keys", {"name": "x"}).json["id"]
    eve = ada.another("eve@example.org")
    eve.signs_up()
    eve.enrols()
    for id in (theirs, "key_" + "0" * 32, "x", ""):
        answer = eve.get(f"/api/v1/usage?key_id={id}")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    ada.call("DELETE", f"/api/v1/keys/{theirs}")
    assert ada.get(f"/api/v1/usage?key_id={theirs}").status_code == 200, "what it caused outlives it"


@pytest.mark.long
def test_fifty_parallel_creates_count_fifty(serve):
    """Over real connections, to several processes; by two keys and with a cookie."""
    server = serve("--workers", "2")
    ada = server.client()
    enrolled(ada)
    made = [ada.post("/api/v1/keys", json={"name": "x"}).json() for _ in range(2)]
    headers = [*(bearer(key["secret"]) for key in made), {}]
    clients = [server.client(cookies=ada.cookies) for _ in range(50)]

    def creates(n):
        return clients[n].post(f"/api/v1/sessions?external_user_id=c{n}", headers=headers[n % 3]).status_code

    assert at_once(50, creates) == [201] * 50

    def counted(query=""):
        series = ada.get(f"/api/v1/usage{query}").json()["series"]
        return sum(one["amount"] for one in series["sessions_created"])

    assert counted() == 50
    assert [counted(f"?key_id={key['id']}") for key in made] == [17, 17]


# ── What is kept ─────────────────────────────────────────────────────────────────────────────────────────────


def test_storage_is_what_the_kept_photos_take_through_retakes_and_erasure(app, ada, clock):
    assert kept(ada) == 0
    live, test = create(app, key(ada)).json["session_id"], create(app, key(ada, mode="test")).json["session_id"]
    photographed(app, live, status=None)
    photographed(app, test, status=None, kinds=("id_photo", "selfie"))
    before = kept(ada)
    assert before == stored(app) > 0, "those of test mode too"
    account_id = ada.get("/api/v1/me").json["id"]
    with app.app_context():
        evidence.keep(account_id, live, "selfie", picture("white", (1200, 900)), int(clock.now))
    retaken = kept(ada)
    assert retaken == stored(app) != before
    clock.passes(hours=24)
    ada.signs_in()
    assert kept(ada) == retaken, "a day without a change keeps what there was"
    with app.app_context():
        for _ in range(2):
            forget_photos(account_id, live, int(clock.now))
    days = [*usage(ada)["storage_bytes"].values()]
    assert days[-2:] == [retaken, stored(app)] and set(days[:-2]) == {0} and days[-1] < retaken
    clock.passes(hours=24 * 40)
    ada.signs_in()
    assert set(usage(ada)["storage_bytes"].values()) == {stored(app)}, "what began before the first day counts too"
    months = usage(ada, f"?from={day(clock.now - 80 * 86400)}&to={day(clock.now)}&granularity=month")
    assert [*months["storage_bytes"].values()][-1] == stored(app)


def test_what_is_refused_or_undone_takes_no_storage(app, ada):
    id = create(app, key(ada)).json["session_id"]
    account_id = ada.get("/api/v1/me").json["id"]
    with app.app_context():
        evidence.keep(account_id, id, "selfie", b"no picture", 0)
        assert evidence.keep(account_id, id, "selfie", picture(), 0, only_if=lambda: False) is None
    assert kept(ada) == stored(app) == 0


def day(seconds):
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


# ── Upgrades ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_an_older_version_counted_is_there_and_goes_on(tmp_path, make_app, clock):
    instance, steps = tmp_path / "instance", tmp_path / "steps"
    instance.mkdir(mode=0o700)
    steps.mkdir()
    for step in files("fv.schema").iterdir():
        if step.name.endswith(".sql") and int(step.name[:3]) <= 15:
            (steps / step.name).write_text(step.read_text())
    sqlite.prepare(instance / "facevault.db", steps)
    today = int(clock.now) // 86400
    with closing(sqlite.connect(instance / "facevault.db")) as connection:
        connection.execute("INSERT INTO accounts (id, email, password_hash, created_at) VALUES ('acc_a', 'a', 'x', 0)")
        for n, counter in enumerate(("sessions_created", "photo_views"), 1):
            for ago in (0, 40):
                connection.execute("INSERT INTO usage_days VALUES ('acc_a', ?, ?, ?)", (today - ago, counter, n + ago))
        for id, bytes, ago in (("pho_1", 700, 0), ("pho_2", 300, 0), ("pho_3", 50, 3), ("pho_4", None, None)):
            connection.execute(
                "INSERT INTO photos (id, account_id, verification_id, kind, sealed_key, sha256, bytes, taken_at, "
                "erased_at) VALUES (?, 'acc_a', ?, 'selfie', '', '', ?, ?, ?)",
                (id, f"vs_{id}", bytes, None if ago is None else clock.now - ago * 86400, 1 if bytes is None else None),
            )
    app = make_app(SECRET_KEY="k" * 64)
    with app.app_context():
        with db.transaction():
            flows.count("acc_a", "live", "photo_views", int(clock.now), "key_1")
        series = flows.series("acc_a", today - 40, today, by_month=False)
        assert [[*series[name].values()][n] for name in ("sessions_created", "photo_views") for n in (0, -1)] == [
            41, 1, 42, 3,
        ]  # fmt: skip
        assert [*series["storage_bytes"].values()][-5:] == [0, 50, 50, 50, 1050]
        assert flows.by_key("acc_a", today, today)["key_1"]["photo_views"] == 1
        assert db.many(dict, "PRAGMA foreign_key_check") == [] and db.facts().damage is None
