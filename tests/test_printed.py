"""Printed text against the machine-readable zone: letters of other alphabets, dates, labels, and layouts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fv.analysis import lookalikes, printed
from fv.analysis.layouts import ALPHABET
from fv.analysis.printed import Comparison, Line
from fv.analysis.transliteration import same


def column(*texts):
    """One below the other, as labels and values on a card."""
    return [Line(text, 50 + 5 * len(text), 40 * number, 10 * len(text), 20) for number, text in enumerate(texts)]


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("on_document", "in_zone"),
    [
        ("MÜLLER", "MUELLER"),
        ("Müller", "MULLER"),
        ("MÜLLER", "MUXXLLER"),
        ("STRAß", "STRASS"),
        ("STRAẞ", "STRASS"),
        ("ÅSE", "AASE"),
        ("Åse", "ASE"),
        ("ØSTBYE", "OESTBYE"),
        ("Þór", "THOR"),
        ("NUÑEZ", "NUNEZ"),
        ("NUÑEZ", "NUNXXEZ"),
        ("D'ARTAGNAN", "DARTAGNAN"),
        ("O’CONNOR", "OCONNOR"),
        ("ANNE-MARIE", "ANNE MARIE"),
        ("van der Berg", "VAN DER BERG"),
        ("ŁUKASZ", "LUKASZ"),
        ("ÇELİK", "CELIK"),
        ("Nguyễn", "NGUYEN"),
        ("Щукин", "SHCHUKIN"),
        ("ЩУКИН", "SHTUKIN"),
        ("ЮРИЙ", "IURII"),
        ("ЮРИЙ", "YURIY"),
        ("СОЛОВЬЁВ", "SOLOVEV"),
        ("JR. SMITH", "JR SMITH"),
        ("ﬁne", "FINE"),
    ],
)
def test_a_name_is_the_same_in_the_letters_of_the_zone(on_document, in_zone):
    assert same(on_document, in_zone)


@pytest.mark.parametrize(
    ("on_document", "in_zone"),
    [
        ("MULLER", "MUELLER"),
        ("ELISABET", "ELISABETH"),
        ("ROSSI", ""),
        ("", "ROSSI"),
        ("ANNA MARIA", "ANNA"),
        ("--", "ROSSI"),
        ("ANNAMARIA", "ANNA MARIA"),
        ("A.*", "ABC"),
        ("(", "A"),
    ],
)
def test_another_name_is_another(on_document, in_zone):
    assert not same(on_document, in_zone)


def test_the_end_of_a_name_that_fills_the_zone_may_be_missing():
    assert same("VENKATARAMANA SUBRAMANIAM", "VENKATARAMANA SUB", is_cut=True)
    assert not same("VENKATARAMANA SUBRAMANIAM", "VENKATARAMANA SUB")
    assert not same("VENKATARAMANA SUBRAMANIAM", "VENKATARAMANI", is_cut=True)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_name_raises(one, other):
    assert same(one, other, is_cut=True) in (True, False)


# ── Letters that look alike ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sign", "letter"),
    [
        ("Ρ", "P"),
        ("Ｒ", "R"),
        ("∪", "U"),
        ("く", "<"),
        ("«", "<"),
        ("А", "A"),
        ("０", "0"),
        ("|", "I"),
        ("l", "I"),
        ("a", "A"),
        ("Ü", "U"),
        ("<", "<"),
        ("Ø", "O"),
        ("7", "7"),
    ],
)
def test_a_letter_of_another_script_is_what_it_looks_like(sign, letter):
    assert lookalikes.as_letter(sign) == letter


@pytest.mark.parametrize("sign", ["好", "%", "あ", "，", "½"])
def test_what_looks_like_no_letter_is_none(sign):
    assert lookalikes.as_letter(sign) is None


@given(st.characters())
def test_every_sign_is_a_letter_of_the_zone_or_none(sign):
    assert lookalikes.as_letter(sign) in {None, *ALPHABET}


# ── Dates ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "12.06.1987",
        "12 06 1987",
        "1987-06-12",
        "12 JUN 1987",
        "12 JUN/JUIN 1987",
        "12 juin 1987",
        "12. Juni 1987",
        "12 июн 1987",
        "June 12, 1987",
        "12/06/1987",
        "12 JUNIO 1987",
        "Date of birth: 12.06.1987",
    ],
)
def test_a_day_is_read_as_it_is_written(text):
    assert "1987-06-12" in printed.dates(text)


def test_a_day_that_may_be_two_is_both_and_one_with_dots_is_one():
    assert printed.dates("06/12/1987") == {"1987-12-06", "1987-06-12"}
    assert printed.dates("06.12.1987") == printed.dates("1987-12-06") == {"1987-12-06"}


@pytest.mark.parametrize(
    "text", ["", "12.06.87", "31.02.1987", "12 HELLO 1987", "00.00.0000", "99999 99999 99999 99999"]
)
def test_other_text_is_no_day(text):
    assert printed.dates(text) == set()


@given(st.text(max_size=40))
def test_no_text_raises(text):
    printed.dates(text)
    for field in printed.LABELS:
        printed.compare(field, "X", column("Surname", text, text))


# ── Labels and layouts ───────────────────────────────────────────────────────────────────────────────────────


def test_a_value_below_its_label_agrees_or_differs():
    lines = column("Surname / Nom", "VALE", "Given names / Prénoms", "NORA ELISABET")
    assert printed.compare("surname", "VALE", lines) == Comparison(True)
    assert printed.compare("given_names", "NORA ELISABETH", lines) == Comparison(False, "NORA ELISABET")


def test_a_value_beside_or_behind_its_label_agrees():
    beside = [Line("Document No.", 60, 10, 120, 20), Line("X4RT90K12", 300, 12, 90, 20)]
    assert printed.compare("document_number", "X4RT90K12", beside).agrees
    assert printed.compare("surname", "VALE", column("Surname: Vale")).agrees
    assert printed.compare("surname", "VALE", column("Surname: VALLE")) == Comparison(False, "VALLE")


def test_a_value_without_a_label_agrees_where_it_stands_alone():
    assert printed.compare("surname", "VALE", column("REPUBLIC", "VALE")) == Comparison(True)
    assert printed.compare("surname", "VALE", column("REPUBLIC OF VALE")) == Comparison(None)
    assert printed.compare("date_of_birth", "1987-06-12", column("12.06.1987 OSLO")).agrees


def test_what_is_not_printed_neither_agrees_nor_differs():
    assert printed.compare("sex", "F", column("VALE", "F. M.")) == Comparison(None)
    assert printed.compare("nationality", "D", column("D", "OSLO")) == Comparison(None)  # one letter says nothing alone
    assert printed.compare("surname", "VALE", []) == Comparison(None)


def test_a_short_value_agrees_beside_its_label_only():
    lines = column("Nationality", "D", "Sex", "F")
    assert printed.compare("nationality", "D", lines).agrees and printed.compare("sex", "F", lines).agrees
    assert printed.compare("sex", "M", lines) == Comparison(False, "F")


def test_the_dates_of_two_labels_are_kept_apart():
    lines = column("Date of birth", "12.06.1987", "Date of expiry", "18.04.2031")
    assert printed.compare("date_of_birth", "1987-06-12", lines).agrees
    assert printed.compare("date_of_birth", "1987-06-13", lines) == Comparison(False, "12.06.1987")


def test_what_stands_beside_the_label_counts_before_what_stands_elsewhere():
    """Surname and given names exchanged in the zone: each is printed, but not in its place."""
    lines = column("Surname", "VALE", "Given names", "NORA")
    assert printed.compare("surname", "NORA", lines) == Comparison(False, "VALE")
    assert printed.compare("given_names", "VALE", lines) == Comparison(False, "NORA")


@pytest.mark.parametrize(
    ("field", "value", "lines"),
    [
        ("date_of_birth", "2021-04-18", column("Date of issue", "18.04.2021")),
        ("expires_on", "1987-06-12", column("Date of birth", "12.06.1987")),
        ("document_number", "Z12345678", column("Personal No.", "Z12345678")),
        ("given_names", "F", column("Sex", "F")),
        ("surname", "OSLO", column("Place of birth / Lieu", "OSLO")),
    ],
)
def test_what_belongs_to_another_label_is_not_taken_for_the_value(field, value, lines):
    assert printed.compare(field, value, lines) == Comparison(None)


def test_a_number_that_differs_only_where_print_is_ambiguous_agrees():
    assert printed.compare("document_number", "O123I5678", column("Passport No.", "0123 15678")).agrees
    assert printed.compare("document_number", "G12345678", column("Passport No.", "612345678")).agrees is False


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("Given names / Prénoms", "given_names"),
        ("Nom / Surname", "surname"),
        ("Name", "surname"),
        ("Geburtsdatum", "date_of_birth"),
        ("Date of expiry", "expires_on"),
        ("Passport No.", "document_number"),
        ("Country code", "issuing_country"),
        ("Staatsangehörigkeit", "nationality"),
        ("Sexe", "sex"),
        ("Имя", "given_names"),
        ("Apellidos", "surname"),
    ],
)
def test_labels_are_known_in_many_languages(label, field):
    values = {
        "given_names": "ANNA",
        "surname": "VALE",
        "date_of_birth": "12.06.1987",
        "expires_on": "12.06.2031",
        "sex": "F",
        "document_number": "X1234567",
        "issuing_country": "UTO",
        "nationality": "UTO",
    }
    wrong = {"date_of_birth": "1999-01-01", "expires_on": "1999-01-01"}.get(field, "M" if field == "sex" else "QQQ")
    assert printed.compare(field, wrong, column(label, values[field])) == Comparison(False, values[field])
