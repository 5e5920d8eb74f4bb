"""The page of usage and its files: the same numbers everywhere, none of another account, and no cell that computes."""

import csv
import html
import io
import re
from datetime import UTC, datetime

import pytest

from fv import db, words
from fv.usage import chart, flows, periods, store
from tests.test_sessions import bearer, create

MONTH, DAY = re.compile(r"[0-9]{4}-[0-9]{2}"), 86400


def key(ada, name):
    return ada.call("POST", "/api/v1/keys", {"name": name, "scopes": ["sessions:create"]}).json


def today(clock):
    return int(clock.now) // DAY


def used(app, ada, clock, *rows):
    """As if this had happened: (days ago, counter, key id, amount)."""
    account_id = ada.get("/api/v1/me").json["id"]
    with app.app_context(), db.transaction():
        for ago, counter, key_id, amount in rows:
            store.add(account_id, today(clock) - ago, counter, key_id, amount)


def table(page, id):
    """The cells of a table, row by row, without the heading, as they are read."""
    body = re.search(rf'<table class="[^"]*" id="{id}">.*?<tbody>(.*?)</tbody>', page, re.S)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
    return [[html.unescape(re.sub("<[^>]*>", " ", cell)).strip() for cell in row] for row in cells]


def file(ada, query):
    answer = ada.get(f"/usage.csv{query}")
    assert answer.status_code == 200 and answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=facevault-usage-")
    return list(csv.reader(io.StringIO(answer.text)))


def numbers(cells):
    return [int(cell.replace(",", "")) for cell in cells]


@pytest.mark.parametrize("by", ["month", "day"])
def test_page_file_and_api_say_the_same(app, ada, clock, by):
    one = key(ada, "server")["id"]
    used(app, ada, clock, (0, "sessions_created", one, 1200), (0, "searches", "", 7), (0, "storage_bytes", "", 41_000),
         (1, "sessions_created", "", 30), (35, "sessions_billable", one, 11), (400, "photo_views", "", 5),
         (400, "storage_bytes", "", 1_000_000))  # fmt: skip
    page, rows = ada.get(f"/usage?by={by}").text, file(ada, f"?by={by}")
    assert rows[0] == [by, *flows.COUNTERS, flows.STORAGE]
    shown = table(page, "numbers")
    assert [row[0] for row in shown] == [periods.words(row[0]) for row in rows[1:]]
    assert [numbers(row[1:-1]) for row in shown] == [numbers(row[1:-1]) for row in rows[1:]]
    assert [row[-1] for row in shown] == [words.size(int(row[-1])) for row in rows[1:]]
    assert shown[0][-1] == "1 MB" and rows[1][-1] == "1041000"
    since, until = (name if by == "day" else f"{name}-01" for name in (rows[-1][0], rows[1][0]))
    until = max(until, f"{datetime.fromtimestamp(clock.now, UTC):%Y-%m-%d}")
    told = ada.get(f"/api/v1/usage?from={since}&to={until}&granularity={by}").json["series"]
    for place, counter in enumerate(rows[0][1:], 1):
        assert [(one["period"], one["amount"]) for one in told[counter]][::-1] == [
            (row[0], int(row[place])) for row in rows[1:]
        ]


def test_the_rows_by_key_add_up_to_the_counters(app, ada, clock):
    one, two = (key(ada, name)["id"] for name in ("first", "second"))
    used(app, ada, clock, (0, "sessions_created", one, 3), (0, "sessions_created", two, 5), (0, "photo_views", "", 2))
    page = ada.get("/usage?by=day").text
    rows = table(page, "by-key")
    assert [row[0].split()[0] for row in rows] == ["second", "first", "People"], "who caused most comes first"
    by_key = file(ada, "?by=day&per=key")
    assert by_key[0] == ["key_id", "name", "begins", *flows.COUNTERS]
    assert [row[0] for row in by_key[1:]] == [two, one, ""]
    assert [numbers(row[1:]) for row in rows] == [numbers(row[3:]) for row in by_key[1:]]
    totals = {row[0]: numbers(row[1:2])[0] for row in table(page, "counters")[:-1]}
    assert list(totals.values()) == [sum(column) for column in zip(*(numbers(row[1:]) for row in rows), strict=True)]


def test_one_key_can_be_looked_at_alone(app, ada, clock):
    one = key(ada, "first")
    used(app, ada, clock, (0, "sessions_billable", one["id"], 3), (0, "sessions_billable", "", 4))
    page = ada.get(f"/usage?by=day&key_id={one['id']}").text
    assert "Caused by the key <strong>first</strong>" in page and "Storage" not in page
    assert table(page, "numbers")[0][2] == file(ada, f"?by=day&key_id={one['id']}")[1][2] == "3"
    assert f"key_id={one['id']}" in re.search(r'href="(/usage\.csv[^"]*)"', page)[1]
    assert f'name="key_id" value="{one["id"]}"' in page, "another month is of this key too"


def test_a_key_that_was_rotated_or_revoked_keeps_its_row(app, ada, clock):
    old = key(ada, "server")
    create(app, bearer(old["secret"]))
    new = ada.call("POST", f"/api/v1/keys/{old['id']}/rotate", {"grace_hours": 0}).json
    create(app, bearer(new["secret"]))
    ada.call("DELETE", f"/api/v1/keys/{new['id']}")
    rows = file(ada, "?per=key")[1:]
    assert {row[0] for row in rows} == {old["id"], new["id"]} and {row[1] for row in rows} == {"server"}
    assert {row[2] for row in rows} == {old["prefix"], new["prefix"]} and all(row[3] == "1" for row in rows)


def test_no_cell_of_a_file_is_a_formula(app, ada, clock):
    names = ['=HYPERLINK("http://evil.example")', "+1", "-1", "@SUM(A1)", 'plain, "quoted"', "＝1+1"]
    used(app, ada, clock, *((0, "searches", key(ada, name)["id"], 1) for name in names))
    written = {row[1] for row in file(ada, "?per=key")[1:]}
    assert written == {name if name.startswith("plain") else f"'{name}" for name in names}
    page = ada.get("/usage").text
    assert "plain, &#34;quoted&#34;" in page and "<strong>" not in page


def test_the_chart_is_drawn_by_attributes_and_needs_no_script(app, ada, clock):
    used(app, ada, clock, (0, "sessions_billable", "", 900))
    page = ada.get("/usage").text
    svg = re.search(r"<svg viewBox.*?</svg>", page, re.S)[0]
    bars = re.findall(r'<rect class="d1" x="(\d+)" y="([\d.]+)" width="6" height="([\d.]+)"/>', svg)
    assert len(bars) == 12 and bars[-1] == ("112", "0.0", "100.0") and {bar[2] for bar in bars[:-1]} == {"0.0"}
    assert 'role="img" aria-label="Sessions billable a month' in svg and "style=" not in page
    assert re.findall(r"<span>([\d,]+)</span>", page.split("scale-y")[1].split("</div>")[0]) == [
        "900",
        "600",
        "300",
        "0",
    ]
    days = ada.get("/usage?by=day&counter=storage_bytes").text
    marks = re.findall(r"<span>(\d*)</span>", days.split("scale-x")[1].split("</div>")[0])
    assert marks[:6] == ["1", "", "", "", "5", ""] and 28 <= len(marks) <= 31, "the days to come have their place"
    assert len(re.findall('<rect class="d1"', days)) == datetime.fromtimestamp(clock.now, UTC).day


def test_a_new_account_sees_an_empty_page(ada):
    page = ada.get("/usage")
    assert page.status_code == 200 and "Nothing yet" in page.text and "per=key" not in page.text
    assert 'href="/usage" aria-current="page"' in page.text
    assert len(file(ada, "?per=key")) == 1 and len(file(ada, "?by=month")) == 13


def test_a_month_of_long_ago_can_be_looked_at(app, ada, clock):
    used(app, ada, clock, (1200, "sessions_created", "", 9))
    name = f"{datetime.fromtimestamp(clock.now - 1200 * DAY, UTC):%Y-%m}"
    page = ada.get(f"/usage?month={name}&by=day").text
    assert f'<option value="{name}" selected>' in page
    assert sum(int(row[1]) for row in table(page, "numbers")) == 9 and len(table(page, "numbers")) >= 28
    assert len(file(ada, "?month=1970-03")) == 4, "there is nothing before 1970"


@pytest.mark.parametrize(
    "query",
    ["by=year", "month=2026-13", "month=2199-01", "month=1969-12", "month=9999-12", "month=x", "month=٢٠٢٦-01", "x=1"],
)
def test_what_cannot_be_shown_is_422(ada, query):
    for path in ("/usage", "/usage.csv"):
        assert ada.get(f"{path}?{query}").status_code == 422
    assert ada.get("/usage?counter=smiles").status_code == ada.get("/usage.csv?per=year").status_code == 422


def test_another_accounts_usage_and_keys_are_not_there(app, ada, clock):
    theirs = key(ada, "secret name")
    used(app, ada, clock, (0, "searches", theirs["id"], 77))
    eve = ada.another("eve@example.org")
    eve.signs_up()
    eve.enrols()
    eve.post("/setup/codes/dismiss")
    assert "secret name" not in eve.get("/usage").text and len(file(eve, "?per=key")) == 1
    for path in ("/usage", "/usage.csv"):
        for id in (theirs["id"], "key_" + "0" * 32):
            assert eve.get(f"{path}?key_id={id}").status_code == 404


def test_the_page_is_for_people(app, ada):
    made = ada.call("POST", "/api/v1/keys", {"name": "x", "scopes": ["usage:read"]}).json
    for path in ("/usage", "/usage.csv"):
        assert app.test_client().get(path, headers=bearer(made["secret"])).status_code == 403


# ── The calendar and the chart, alone ────────────────────────────────────────────────────────────────────────


def test_months_are_those_of_the_calendar():
    assert periods.month("2024-02") == periods.Period("2024-02", 19754, 19782), "a leap year"
    assert periods.month("2024-12").last + 1 == periods.month("2025-01").first
    assert [one.name for one in periods.before(periods.month("2024-02").first, 4)] == [
        "2023-11", "2023-12", "2024-01", "2024-02",
    ]  # fmt: skip
    assert [one.name for one in periods.before(31, 12)] == ["1970-01", "1970-02"]
    parts = periods.months(19753, 19784)
    assert [(one.name, one.last - one.first + 1) for one in parts] == [("2024-01", 1), ("2024-02", 29), ("2024-03", 2)]
    assert (periods.words("2026-11"), periods.words("2026-11-03")) == ("November 2026", "3 November 2026")
    assert (periods.mark("2026-11"), periods.mark("2026-11-03")) == ("Nov", "3")


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 3), (1, 3), (4, 6), (9, 9), (13, 15), (24, 24), (25, 30), (1154, 1200), (4_100_000, 6_000_000)],
)
def test_the_lines_of_a_chart_are_round_and_the_highest_bar_fits(most, top):
    made = chart.of([0, most], 5)
    assert [line.amount for line in made.lines] == [top, top * 2 // 3, top // 3, 0] and made.width == 50
    assert made.bars[0].height == 0 and made.bars[1].height == pytest.approx(100 * most / top, abs=0.1)
    assert all(bar.y + bar.height == pytest.approx(100) for bar in made.bars)


@pytest.mark.parametrize(
    ("bytes", "said"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1 kB"), (37_433, "37.4 kB"), (4_100_000_000, "4.1 GB"),
     (3_000_000_000_000_000, "3,000 TB")],
)  # fmt: skip
def test_sizes_are_said_in_thousands(bytes, said):
    assert words.size(bytes) == said
