"""From photos to documents, with the real models: any way up, blurred, bent, small; and nothing where nothing is."""

import json
import subprocess
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from fv.analysis import ctc, images, layouts, mrz, reading, strips, zones
from fv.analysis.printed import Line
from fv.analysis.reading import Reader
from tests.analysts import without_network
from tests.photos import picture
from tests.zones_made import zone

TODAY = date(2026, 11, 26)
FOLDER = Path(__file__).parent / "data" / "specimens"
TRUTH = {one["file"].removesuffix(".jpg"): one["lines"] for one in json.loads((FOLDER / "truth.json").read_text())}
QUICK = ("combo_04_TD1", "quarter_04_TD2")
#: What is right on each: the others' names are not printed as in the zone, or nobody can read the print.
PERSON = ("full_name", "surname", "given_names", "date_of_birth", "nationality", "document_number")


@pytest.fixture(scope="module")
def reader():
    return Reader()


def photo(name):
    return images.decode((FOLDER / f"{name}.jpg").read_bytes())


def printed(lines):
    """What a card says of itself."""
    return [Line(text, 200, 40 * number, 200, 20) for number, text in enumerate(lines)]


def said(found):
    """The lines of the zone, and the value of each field."""
    return found and (list(found.mrz.lines), {name: field.value for name, field in found.fields.items()})


def true(name):
    return said(reading.document(mrz.read(TRUTH[name], TODAY), [], TODAY))


@pytest.mark.parametrize("name", QUICK)
def test_a_photo_is_read_whole(reader, name):
    found = reader.read(photo(name), TODAY)
    assert said(found) == true(name)
    assert {found.fields[field].confidence for field in PERSON} == {"high"}
    assert {found.fields[field].source for field in PERSON} == {"both"}
    assert (found.fields["sex"].confidence, found.fields["sex"].source) == ("review", "mrz")  # it is not printed


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(TRUTH.keys() - set(QUICK)))
def test_photos_that_are_blurred_bent_turned_and_textured_are_read_whole(reader, name):
    assert said(reader.read(photo(name), TODAY)) == true(name)


@pytest.mark.long
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photo_is_read_any_way_round(reader, turns):
    assert said(reader.read(images.turned(photo(QUICK[0]), turns), TODAY)) == true(QUICK[0])


@pytest.mark.long
def test_a_card_that_is_small_in_a_large_picture_is_read(reader):
    table = np.full((1800, 2400, 3), 180, np.uint8)
    card = images.resized(photo("rot15_01_TD1"), 1000)
    table[500 : 500 + card.shape[0], 700 : 700 + card.shape[1]] = card
    assert said(reader.read(table, TODAY)) == true("rot15_01_TD1")


@pytest.mark.parametrize("kind", ["drawn", "noise", "white", "black", "one pixel", "one row", "a ribbon"])
def test_other_pictures_are_no_documents(reader, kind):
    image = {
        "drawn": lambda: images.decode(picture()),
        "noise": lambda: np.random.default_rng(1).integers(0, 256, (600, 800, 3), np.uint8),
        "white": lambda: np.full((600, 800, 3), 255, np.uint8),
        "black": lambda: np.zeros((600, 800, 3), np.uint8),
        "one pixel": lambda: np.zeros((1, 1, 3), np.uint8),
        "one row": lambda: np.zeros((1, 2400, 3), np.uint8),
        "a ribbon": lambda: np.zeros((2400, 250, 3), np.uint8),
    }[kind]()
    assert reader.read(image, TODAY) is None


def test_a_document_whose_zone_is_covered_is_not_guessed(reader):
    image = photo("combo_04_TD1").copy()
    image[280:] = 128
    assert reader.read(image, TODAY) is None


@pytest.mark.long
def test_it_reads_without_a_network_and_prints_nothing():
    program = f"""
from datetime import date
from pathlib import Path
from fv.analysis import images
from fv.analysis.reading import Reader
photo = Path({str(FOLDER / QUICK[0])!r} + ".jpg").read_bytes()
found = Reader().read(images.decode(photo), date(2026, 11, 26))
assert list(found.mrz.lines) == {TRUTH[QUICK[0]]!r}
"""
    done = subprocess.run(without_network(program), capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# ── What is sure ─────────────────────────────────────────────────────────────────────────────────────────────

CARD = ("Surname", "ERIKSSON", "Given names", "ANNA MARIA", "Date of birth", "12.08.1974", "Document No.", "L898902C3",
        "Nationality", "UTO", "Sex", "F", "Date of expiry", "15.04.2032")  # fmt: skip


def confidences(lines, text=CARD, doubts=None):
    found = reading.document(mrz.read(lines, TODAY, doubts), printed(text), TODAY)
    return {name: field.confidence for name, field in found.fields.items()}, found


def test_a_field_is_sure_when_zone_and_print_agree_and_every_check_digit_fits():
    sure, found = confidences(zone("TD3"))
    assert {name for name, one in sure.items() if one == "review"} == {"type", "issuing_country"}
    assert found.fields["full_name"].value == "ANNA MARIA ERIKSSON" and found.fields["full_name"].agrees
    assert found.fields["expires_on"].value == "2032-04-15"


def test_nothing_is_sure_when_one_check_digit_does_not_fit():
    lines = zone("TD3")
    sure, found = confidences([lines[0], lines[1][:9] + "9" + lines[1][10:]], doubts={})
    assert set(sure.values()) == {"review"} and found.mrz.checks["document_number"] == "fail"


def test_nothing_is_sure_when_a_letter_was_replaced_so_that_the_digits_fit():
    lines = zone("TD3", number="L8989Z2C3")
    sure, found = confidences([lines[0], lines[1].replace("Z2C3", "22C3")], doubts={(1, 5): "2Z"})
    assert set(sure.values()) == {"review"}
    assert found.mrz.repaired == ("line 2, place 6: 2 became Z, only so do the check digits fit",)


def test_a_printed_name_that_differs_is_told():
    text = [one.replace("ANNA MARIA", "ANNA MARIE") for one in CARD]
    sure, found = confidences(zone("TD3"), text)
    assert (sure["given_names"], sure["full_name"], sure["surname"]) == ("review", "review", "high")
    assert (found.fields["given_names"].printed, found.fields["given_names"].agrees) == ("ANNA MARIE", False)


def test_a_name_of_which_one_part_differs_and_the_other_is_not_printed_differs():
    _, found = confidences(zone("TD3"), ("Surname", "ERICSON"))
    assert (found.fields["surname"].agrees, found.fields["given_names"].agrees) == (False, None)
    assert found.fields["full_name"].agrees is False


def test_only_the_last_name_can_be_cut():
    """The name fills its part of the zone: given names may go on in print, a surname may not."""
    lines = zone("TD1", name="ROSS<<VENKATARAMANASUBRAMANIAN")
    _, found = confidences(lines, ("Surname", "ROSSI", "Given names", "VENKATARAMANASUBRAMANIANIAM"))
    assert found.fields["surname"].agrees is False and found.fields["given_names"].agrees
    alone = zone("TD1", name="VENKATARAMANASUBRAMANIANIAMABC")
    assert confidences(alone, ("Surname", "VENKATARAMANASUBRAMANIANIAMABCDEF"))[1].fields["surname"].agrees


def test_without_print_nothing_is_sure():
    sure, found = confidences(zone("TD1"), ())
    assert set(sure.values()) == {"review"} and {one.source for one in found.fields.values()} == {"mrz"}


def test_a_date_that_is_none_is_empty_and_not_sure():
    sure, found = confidences(zone("TD3", birth="741312"))
    assert found.fields["date_of_birth"].value == "" and sure["date_of_birth"] == "review"


def test_the_printed_number_decides_between_look_alikes_that_check_digits_cannot_tell_apart():
    lines = zone("TD3", number="ST6G566XP")
    misread = mrz.read([lines[0], lines[1].replace("ST6G", "ST66")], TODAY, {(1, 3): "6G"})
    assert misread.fits  # 6 and G have one value modulo 10
    found = zones.Found(misread, (), {(1, 3): "6G"}, 1.0)
    text = printed(["Document No.", "ST6G566XP"])
    corrected = reading.with_printed_number(found, text, TODAY)
    assert corrected.number == "ST6G566XP" and corrected.repaired[-1].why == "printed" and corrected.is_substituted
    assert reading.document(corrected, text, TODAY).fields["document_number"].confidence == "review"
    other = printed(["Document No.", "ST6B566XP"])
    assert reading.with_printed_number(found, other, TODAY) is misread
    assert reading.with_printed_number(found, [], TODAY) is misread


# ── Where it stands ──────────────────────────────────────────────────────────────────────────────────────────


def box(x, y, length, height, degrees=0.0):
    """Corners of a piece of text whose first one is (x, y)."""
    angle = np.radians(degrees)
    right, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    start = np.array([x, y])
    corners = (start, start + right * length, start + right * length + down * height, start + down * height)
    return np.array(corners, np.float32)


@pytest.mark.parametrize("degrees", [0, 12, 90, 180, 275])
@pytest.mark.parametrize("shift", range(4))
def test_corners_begin_where_reading_begins(degrees, shift):
    quad = box(100, 100, 300, 20, degrees)
    towards = strips.direction([quad])
    assert np.allclose(strips.along(np.roll(quad, shift, axis=0), towards), quad)
    assert np.allclose(strips.turned(strips.turned(quad)), quad)


def test_a_square_piece_lies_as_its_page_does():
    page = strips.direction([box(0, 0, 300, 20, 90)])
    assert np.allclose(strips.along(np.roll(box(50, 50, 18, 20, 90), 1, axis=0), page), box(50, 50, 18, 20, 90))


def test_pieces_of_one_row_are_joined_and_others_are_not():
    pieces = [box(400, 12, 200, 20), box(0, 10, 380, 20), box(0, 50, 100, 20), box(900, 10, 50, 20)]
    rows = strips.joined(pieces, strips.direction(pieces))
    assert sorted((round(strips.length(row)), round(float(row[0][1]))) for row in rows) == [
        (50, 10),
        (100, 50),
        (600, 10),
    ]


def test_a_rectangle_around_lies_in_reading_direction():
    quad = strips.around([box(100, 100, 200, 20, 30)], strips.direction([box(0, 0, 200, 20, 30)]), margin=2)
    assert strips.length(quad) == pytest.approx(280, abs=0.1) and strips.height(quad) == pytest.approx(100, abs=0.1)
    tall = strips.around([box(0, 0, 60, 50)], strips.direction([box(0, 0, 60, 50)]), margin=8)
    assert strips.length(tall) == pytest.approx(120)  # and not 860
    assert strips.overlaps(box(150, 145, 20, 20, 30), quad) and not strips.overlaps(box(900, 900, 20, 20), quad)


def test_lines_of_other_text_are_told_from_those_of_a_zone():
    """A page of text of the right length, in the alphabet of the zone, is tried no further."""
    spelled = [
        ctc.Spelling(tuple(layouts.ALPHABET.index(one) for one in text), (), (), 0.0) for text in ("7" * 44, "A" * 44)
    ]
    rows = [zones.Row(box(0, 40 * number, 900, 30), {44: one}) for number, one in enumerate(spelled)]
    assert zones.groups(rows, strips.direction([box(0, 0, 900, 30)])) == []
