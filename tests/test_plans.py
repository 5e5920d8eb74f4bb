"""The file of plans, and what a month of one costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fv.billing import forecast, plans
from fv.billing.plans import Line, Plan

FREE = '[[plan]]\nid = "free"\nname = "Free"\nmonthly_fee = 0\nincluded = 5\nhard_limit = true\n'
SMALL = '[[plan]]\nid = "small"\nname = "Small"\nmonthly_fee = 900\nincluded = 10\noverage = 50\n'
LARGE = '[[plan]]\nid = "large"\nname = "Large"\nmonthly_fee = 5000\nincluded = 100\noverage = 25\n'
EUR = 'currency = "EUR"\n'


def test_the_plans_of_the_product():
    shipped = plans.from_file("")
    assert shipped.currency == "EUR" and shipped.first.id == "free"
    assert [(plan.id, plan.included, plan.overage) for plan in shipped.all] == [
        ("free", 50, None), ("starter", 500, 40), ("pro", 5000, 25),
    ]  # fmt: skip
    assert [plan.is_hard_limit for plan in shipped.all] == [True, False, False]


def test_another_file_is_read(tmp_path):
    file = tmp_path / "plans.toml"
    file.write_text(EUR + FREE + SMALL + "retired = true\n" + LARGE)
    found = plans.from_file(str(file))
    assert [plan.id for plan in found.all] == ["free", "small", "large"]
    assert [plan.id for plan in found.offered] == ["free", "large"]
    assert found.is_larger(found.of("large"), found.of("small")) and found.find("huge") is None
    with pytest.raises(LookupError):
        found.of("huge")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "currency"), (EUR, r"no \[\[plan\]\]"), (EUR + "plan = 3", r"no \[\[plan\]\]"), (EUR + "plan = []", "no"),
        (EUR + "plan = [3]", "plan 1 is not a table"), ("currency = EUR", "it is not TOML"),
        ('currency = "eur"\n' + FREE, "three capitals"), ('currency = "JPY"\n' + FREE, "100 cents"),
        ("currency = 1\n" + FREE, "three capitals"), (EUR + 'colour = "red"\n' + FREE, "names other than currency"),
        (EUR + FREE + "colour = 1\n", "plan 1 has names other than"),
        (EUR + FREE + SMALL.replace('name = "Small"\n', ""), "plan 2 needs id, included, monthly_fee, name"),
        (EUR + FREE.replace('"free"', '"Free"'), "the id of plan 1"),
        (EUR + FREE.replace('"free"', "7"), "the id of plan 1"),
        (EUR + FREE.replace('"Free"', '""'), "the name of plan 1"),
        (EUR + FREE.replace('"Free"', '"a\\nb"'), "the name of plan 1"),
        (EUR + FREE.replace("= 5\n", "= -1\n"), "included of plan 1 is not a whole number"),
        (EUR + FREE.replace("= 5\n", "= 5.5\n"), "included of plan 1"),
        (EUR + FREE.replace("= 0\n", "= true\n"), "monthly_fee of plan 1"),
        (EUR + SMALL.replace("= 50\n", '= "50"\n'), "overage of plan 1"),
        (EUR + FREE.replace("true", "1"), "neither true nor false"),
        (EUR + FREE + "overage = 5\n", "either overage or hard_limit"),
        (EUR + FREE.replace("hard_limit = true\n", ""), "either overage or hard_limit"),
        (EUR + FREE + FREE, "two plans have one id"), (EUR + FREE + LARGE + SMALL, "the order of their fees"),
        (EUR + FREE + "retired = true\n" + SMALL, "the first plan is retired"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match=reason):
        plans.read(text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a file of plans that can be read \(FileNotFoundError\)"):
        plans.from_file(str(tmp_path / "nowhere"))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="a file of plans, and it is not UTF-8"):
        plans.from_file(str(tmp_path / "bytes"))


def test_a_month_costs_its_fee_and_what_is_above():
    small = plans.read(EUR + SMALL).first
    assert small.lines(10) == (Line("Small plan", 1, 900),)
    assert small.lines(13) == (Line("Small plan", 1, 900), Line("Sessions above the 10 included", 3, 50))
    assert (small.cost(0), small.cost(10), small.cost(11), small.cost(13)) == (900, 900, 950, 1050)
    free = plans.read(EUR + FREE).first
    assert (free.lines(4), free.lines(7), free.cost(7)) == ((), (), 0)


@given(some.integers(0, 10**6), some.integers(0, 10**4), some.integers(0, 10**4), some.integers(0, 10**5))
def test_one_session_more_never_costs_less_and_at_most_its_price(fee, included, overage, sessions):
    plan = Plan("p", "P", fee, included, overage)
    more = plan.cost(sessions + 1) - plan.cost(sessions)
    assert more == (overage if sessions >= included else 0)
    assert plan.cost(sessions) == sum(line.amount for line in plan.lines(sessions))


DAY = 86400


@pytest.mark.parametrize(
    ("used", "now", "expected"),
    [
        (0, 0, 0), (0, 29 * DAY, 0), (1, 3600, 30), (1, DAY, 30), (10, 10 * DAY, 30), (10, 15 * DAY, 20),
        (7, 30 * DAY - 1, 7), (7, 30 * DAY, 7), (1, 20 * DAY, 2), (1, 21 * DAY, 1),
    ],
)  # fmt: skip
def test_a_forecast_goes_on_with_the_pace_of_the_days_gone(used, now, expected):
    assert forecast.expected(used, 0, 30 * DAY, now) == expected


@given(some.integers(0, 10**6), some.integers(0, 31 * DAY))
def test_a_forecast_is_never_less_than_what_was_used(used, now):
    assert used <= forecast.expected(used, 0, 31 * DAY, now) <= 31 * used
