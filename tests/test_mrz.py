"""Machine-readable zones: the specimens of ICAO Doc 9303, what each check digit sees, and what is never guessed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fv.analysis import layouts, mrz
from fv.analysis.layouts import ALPHABET, LAYOUTS
from tests.zones_made import zone, zones

TODAY = date(2026, 11, 26)

#: ICAO Doc 9303 parts 4, 5, 6 and 7, appendices; the long numbers as in note j of parts 5 and 6.
SPECIMENS = {
    "TD3": ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"],
    "TD1": ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"],
    "TD2": ["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"],
    "MRVA": ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"],
    "MRVB": ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"],
}  # fmt: skip
LONG_TD1 = ["I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<"]
LONG_TD2 = ["I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<", "D23145890<UTO3407127M95071227349<<<8"]


def results(found):
    return {name: check.result for name, check in found.checks.items()}


def changed(lines, line, place, letter):
    return [text[:place] + letter + text[place + 1 :] if number == line else text for number, text in enumerate(lines)]


# ── The specimens ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("format", SPECIMENS)
def test_the_specimens_of_icao_read_without_a_repair(format):
    found = mrz.read(SPECIMENS[format], TODAY)
    assert (found.format, found.repaired, found.fits) == (format, (), True)
    assert found.names == ("ERIKSSON", "ANNA MARIA") and found.text("sex") == "F" and found.text("issuer") == "UTO"
    assert {"fail"} not in results(found).values()


def test_a_passport_says_what_stands_in_it():
    found = mrz.read(SPECIMENS["TD3"], TODAY)
    assert (found.number, found.text("optional"), found.text("nationality")) == ("L898902C3", "ZE184226B", "UTO")
    assert (
        mrz.born(found.text("birth"), TODAY) == "1974-08-12" and mrz.ends(found.text("expiry"), TODAY) == "2012-04-15"
    )
    assert set(results(found).values()) == {"pass"}


def test_check_digits_that_a_format_does_not_have_are_absent():
    found = results(mrz.read(SPECIMENS["MRVA"], TODAY))
    assert {name for name, result in found.items() if result == "absent"} == {"optional", "composite"}
    assert results(mrz.read(SPECIMENS["TD1"], TODAY))["optional"] == "absent"


@pytest.mark.parametrize("lines", [LONG_TD1, LONG_TD2])
def test_a_long_document_number_goes_on_in_the_optional_data(lines):
    found = mrz.read(lines, TODAY)
    assert found.number == "D23145890734" and found.fits and found.names == ("STEVENSON", "PETER JOHN")
    wrong = mrz.read([line.replace("7349", "7359") for line in lines], TODAY, {})
    assert results(wrong)["document_number"] == "fail"


def test_an_empty_personal_number_may_have_a_filler_or_a_zero_for_its_check_digit():
    lines = zone("TD3")
    assert results(mrz.read(lines, TODAY))["optional"] == "absent"
    over = lines[1][:42] + "0"
    composite = mrz.check_digit(over[0:10] + over[13:20] + over[21:43])
    assert results(mrz.read([lines[0], over + composite], TODAY))["optional"] == "absent"


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("VAN<DER<BERG<<JAN<WILLEM", ("VAN DER BERG", "JAN WILLEM")),
        ("ARKFREITH", ("ARKFREITH", "")),
        ("LI<<X", ("LI", "X")),
        ("<<ANNA", ("ANNA", "")),  # fillers before a name are no name
    ],
)
def test_names_end_where_two_fillers_stand(name, expected):
    assert mrz.read(zone("TD3", name=name), TODAY).names == expected


def test_a_name_that_fills_its_part_may_be_cut():
    assert mrz.read(zone("TD1", name="BALASUBRAMANIAN<<VENKATARAMANA"), TODAY).is_cut
    assert not mrz.read(zone("TD1"), TODAY).is_cut


# ── Dates ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_birth_is_never_in_the_future():
    assert mrz.born("261126", TODAY) == "2026-11-26" and mrz.born("261127", TODAY) == "1926-11-27"


@given(st.dates(min_value=date(1926, 11, 27), max_value=TODAY))
def test_every_birth_of_the_last_hundred_years_is_read_as_itself(day):
    assert mrz.born(f"{day:%y%m%d}", TODAY) == day.isoformat()


@given(st.dates(min_value=date(1977, 1, 1), max_value=date(2076, 12, 31)))
def test_every_end_of_a_term_from_fifty_years_ago_to_in_fifty_years_is_read_as_itself(day):
    assert mrz.ends(f"{day:%y%m%d}", TODAY) == day.isoformat()


@pytest.mark.parametrize(
    ("digits", "expected"),
    [("74<<<<", "1974"), ("7408<<", "1974-08"), ("74<<12", None), ("7413<<", None), ("740230", None), ("<<<<<<", None),
     ("000229", "2000-02-29"), ("740a12", None), ("7408", "1974-08"), ("", None), ("7408<1", None)],
)  # fmt: skip
def test_unknown_days_and_months_stay_unknown(digits, expected):
    assert mrz.born(digits.ljust(6, "<"), TODAY) == expected


# ── What each check digit sees ───────────────────────────────────────────────────────────────────────────────


def covering(format, line, place):
    """The checks that a character takes part in, by the layout (their own digits included)."""
    parts = LAYOUTS[format].parts
    name = next(name for name, part in parts.items() if part.line == line and part.start <= place < part.end)
    covered = {"number": "document_number", "birth": "date_of_birth", "expiry": "expiry", "composite": "composite"}
    if "optional_check" in parts:
        covered["optional"] = "optional"
    own = {covered[field] for field in (name.removesuffix("_check"),) if field in covered}
    within = any(part.line == line and part.start <= place < part.end for part in LAYOUTS[format].composite)
    return own | ({"composite"} if within else set())


@given(zones(), st.data())
def test_a_changed_digit_fails_exactly_the_checks_that_cover_it(made, data):
    format, lines = made
    places = [(line, place) for line, text in enumerate(lines) for place, one in enumerate(text) if one.isdigit()
              and covering(format, line, place)]  # fmt: skip
    line, place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([one for one in "0123456789" if one != lines[line][place]]))
    before, after = mrz.read(lines, TODAY, {}), mrz.read(changed(lines, line, place, digit), TODAY, {})
    failed = {name for name, result in results(after).items() if result == "fail"}
    assert before.fits and not before.repaired
    assert failed == covering(format, line, place)


@given(zones())
def test_what_was_made_is_read(made):
    format, lines = made
    found = mrz.read(lines, TODAY)
    assert (found.format, found.lines, found.repaired, found.fits) == (format, tuple(lines), (), True)


def test_look_alikes_that_a_check_digit_cannot_tell_apart_are_named():
    found = mrz.read(zone("TD3", number="L6S120000"), TODAY)
    assert set(found.checks["document_number"].unseen) == {("L", "1"), ("6", "G"), ("S", "8"), ("1", "L")}
    for one, other in found.checks["document_number"].unseen:
        assert mrz.check_digit(one) == mrz.check_digit(other)
    assert found.checks["date_of_birth"].unseen == ()  # no letter can stand in a date


@given(st.text(ALPHABET, max_size=40), st.data())
def test_a_check_digit_sees_every_change_but_those_of_ten(text, data):
    place = data.draw(st.integers(0, max(0, len(text) - 1)))
    other = data.draw(st.sampled_from(ALPHABET))
    if text:
        value = ALPHABET.index  # fillers are 0, as is the digit
        differ = (value(text[place]) % 36 - value(other) % 36) % 10
        assert (mrz.check_digit(text[:place] + other + text[place + 1 :]) == mrz.check_digit(text)) == (differ == 0)


# ── Repairs ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_digit_where_only_letters_stand_becomes_its_look_alike_and_is_told():
    lines = zone("TD3", name="ROSSI<<OLGA")
    found = mrz.read([lines[0].replace("ROSSI", "R0551"), lines[1].replace("UTO", "UT0")], TODAY)
    assert found.lines == tuple(lines) and not found.is_substituted
    told = [(one.line, one.place, one.was, one.became, one.why) for one in found.repaired]
    assert told == [(1, 7, "0", "O", "place"), (1, 8, "5", "S", "place"), (1, 9, "5", "S", "place"),
                    (1, 10, "1", "I", "place"), (2, 13, "0", "O", "place")]  # fmt: skip


def test_a_letter_in_a_date_becomes_its_look_alike():
    lines = zone("TD3", birth="740812")
    found = mrz.read([lines[0], lines[1].replace("740812", "74OBI2")], TODAY)
    assert found.text("birth") == "740812" and [one.became for one in found.repaired] == ["0", "8", "1"]


def test_one_look_alike_is_put_right_where_only_so_every_check_fits():
    lines = zone("TD3", number="4467Z3921")
    found = mrz.read([lines[0], lines[1].replace("4467Z3921", "446723921")], TODAY, {(1, 4): "2Z"})
    assert found.number == "4467Z3921" and found.is_substituted and found.fits
    assert [(one.was, one.became, one.why) for one in found.repaired] == [("2", "Z", "checks")]


def test_where_two_changes_fit_nothing_is_changed():
    """2 and Z three places apart: the weights are the same, and either would do."""
    lines = zone("TD3", number="446Z33231")
    read = lines[1].replace("446Z33231", "446233231")
    found = mrz.read([lines[0], read], TODAY, {(1, 3): "2Z", (1, 6): "2Z"})
    assert found.lines[1] == read and not found.fits and not found.repaired
    assert {other.number for other in mrz.alternatives(found, TODAY, {(1, 3): "2Z", (1, 6): "2Z"})} == {
        "446Z33231", "446233Z31",
    }  # fmt: skip


def test_two_wrong_letters_are_not_put_right():
    lines = zone("TD3", number="4467Z39S1")
    read = lines[1].replace("4467Z39S1", "446723951")
    found = mrz.read([lines[0], read], TODAY, {(1, 4): "2Z", (1, 7): "5S"})
    assert not found.fits and found.lines[1] == read


def test_a_change_that_makes_no_date_is_none():
    lines = zone("TD2", birth="740830")
    read = changed(lines, 1, 15, "7")  # 74-78-30: no month, and no look-alike makes one but the right one
    found = mrz.read(read, TODAY, {(1, 15): "07"})
    assert found.text("birth") == "740830"
    assert not mrz.read(read, TODAY, {(1, 15): "7"}).fits


def test_a_name_is_never_changed_for_a_check_digit():
    lines = zone("TD1")
    read = changed(lines, 1, 0, "9")  # 94-08-12
    found = mrz.read(read, TODAY, {(2, place): ALPHABET for place in range(30)})
    assert found.lines[2] == lines[2] and not found.fits


# ── Anything else ────────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.text(max_size=50), max_size=4))
def test_no_text_raises(lines):
    found = mrz.read(lines, TODAY)
    assert found is None or found.format in LAYOUTS
    assert mrz.odd_letters(lines) >= 0


@given(st.sampled_from([(3, 30), (2, 36), (2, 44)]), st.data())
def test_no_lines_of_the_right_length_raise(shape, data):
    number, length = shape
    lines = [data.draw(st.text(ALPHABET, min_size=length, max_size=length)) for _ in range(number)]
    found = mrz.read(lines, TODAY)
    assert found.format == layouts.format_of(lines)
    mrz.born(found.text("birth").ljust(6, "<"), TODAY)
    assert found.names and found.number is not None


@pytest.mark.parametrize(
    "lines", [[], [""], ["P" * 44], ["P" * 44, "P" * 43], ["é" * 44, "P" * 44], ["p" * 44, "P" * 44], ["A" * 30] * 2]
)
def test_other_lines_are_no_zone(lines):
    assert mrz.read(lines, TODAY) is None


def test_letters_that_cannot_stand_where_they_do_are_counted():
    lines = zone("TD3")
    assert mrz.odd_letters(lines) == 0
    assert mrz.odd_letters([lines[0], changed(lines, 1, 15, "X")[1]]) == 1
    assert mrz.odd_letters(["THE QUICK"]) == 9
