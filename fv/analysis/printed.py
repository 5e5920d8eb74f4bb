"""The printed text of a document beside its machine-readable zone: whether both say the same. Pure.

A value is looked for below or after its label, in the words of many states; and, since layouts differ, as a line of
its own anywhere. What is found nowhere is neither a match nor a contradiction.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from fv.analysis.transliteration import same

#: Parts of what stands above a value. ICAO Doc 9303-4 §3.2 names them in English, French and Spanish; others added.
LABELS = {
    "surname": "surname|nom|apellido|familienname|nachname|cognome|achternaam|nazwisko|sobrenome|name|фамилия|прізвище",
    "given_names": "given name|prenom|forename|first name|nombre|vorname|nome|voornam|imie|imiona|имя",
    "nationality": "nationality|nationalite|nacionalidad|staatsangehorigkeit|cittadinanza|nationaliteit|obywatelstwo|"
    "nacionalidade|гражданство",
    "date_of_birth": "birth|dob|naissance|nacimiento|geburt|nascita|geboorte|urodzenia|nascimento|рождения",
    "sex": "sex|sexe|sexo|geschlecht|sesso|geslacht|plec|пол",
    "document_number": "document n|passport n|card n|doc. n|number|no du pass|passeport n|pass-nr|passnr|numero|"
    "dokumentennummer|ausweisnummer|nr dokumentu|номер",
    "expires_on": "expir|valid until|gultig bis|scadenza|caducidad|vencimiento|geldig tot|waznosci|validade|срок",
    "issuing_country": "country code|code of issuing|code du pays|code of state|issuing state",
}
#: What stands beside these is something else that looks like one of the fields: a day of issue, another number.
OTHERS = (
    "issue|issuing authority|delivr|expedicion|ausgestellt|ausstell|rilascio|afgifte|wydania|emissao|выдачи|"
    "authority|autorite|behorde|place|lieu|geburtsort|luogo|lugar|personal n|personnel n|height|taille|address|adresse"
)
#: A label of these two holds the word of another: "given names" and "prénoms" hold "name" and "nom".
OTHER = "other"
_FIRST = (
    "given_names",
    "issuing_country",
    "document_number",
    "nationality",
    "date_of_birth",
    "expires_on",
    "sex",
    "surname",
)
NAMES = ("surname", "given_names")
#: So short that they stand on a card more than once, and for different things.
BESIDE_ONLY = ("sex", "nationality", "issuing_country")
MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "jan janv januar ene gen sty янв jänner", "feb fev fevr lut фев", "mar mars marz mrz maart mrt мар",
            "apr avr avril abr kwi апр", "may mai maj mei mag май", "jun juin juni giu cze июн",
            "jul juil juillet juli lug lip июл", "aug aout ago sie авг", "sep sept set wrz сен",
            "oct okt ott paz out окт", "nov lis ноя", "dec dez dic gru des дек",
        ),
        1,
    )
    for word in words.split()
}  # fmt: skip


#: Three parts of a day and what stands between the first two; it may begin anywhere.
_DAY = re.compile(r"(?=(?<!\d)(\d{1,4}|[^\W\d_]+)(\W+)(\d{1,2}|[^\W\d_]+)\W+(\d{1,4}))")


@dataclass(frozen=True)
class Line:
    """`x`, `y`: the middle, along and below the reading direction; `length`, `height`: pixels."""

    text: str
    x: float
    y: float
    length: float
    height: float


@dataclass(frozen=True)
class Comparison:
    """`agrees`: None: no such text was found. `printed`: the text beside the label, where it says something else."""

    agrees: bool | None
    printed: str | None = None


def compare(field: str, value: str, lines: Sequence[Line], is_cut: bool = False) -> Comparison:
    """`field`: of LABELS; `value`: from the zone (dates in ISO 8601). `is_cut`: the name's end may be missing.

    What stands beside the label counts before what stands elsewhere, and what belongs to another label does not count.
    """
    fits = _fits(field, value, is_cut)
    beside = [line.text for line in _beside(field, lines) if _could_be(field, line.text)]
    if beside:
        return Comparison(True) if any(map(fits, beside)) else Comparison(False, beside[0])
    if field in BESIDE_ONLY:
        return Comparison(None)
    taken = {id(line) for other in (*LABELS, OTHER) if other != field for line in _beside(other, lines)}
    free = [line for line in lines if id(line) not in taken]
    anywhere = [line.text for line in free] if field in NAMES else list(_words(free))
    return Comparison(True) if any(map(fits, anywhere)) else Comparison(None)


def _fits(field: str, value: str, is_cut: bool) -> Callable[[str], bool]:
    if field in NAMES:
        return lambda text: same(text, value, is_cut)
    if field in ("date_of_birth", "expires_on"):
        return lambda text: value in dates(text)
    if field == "document_number":
        return lambda text: bool(value) and _alike(_plain(text)) == _alike(value)
    if field == "sex":
        return lambda text: value in re.split(r"[^A-Z]+", _plain(text, keep="/ "))
    return lambda text: bool(value) and _plain(text) == value


def _could_be(field: str, text: str) -> bool:
    """Whether a text can be such a value at all, and no label or remark that stands where a value was looked for."""
    if field in ("date_of_birth", "expires_on"):
        return bool(dates(text))
    if field == "document_number":
        return any(one.isdigit() for one in text) and 5 <= len(_plain(text)) <= 20
    if field == "sex":
        return bool(re.fullmatch(r"[A-ZÀ-Ž] ?(/ ?[A-ZÀ-Ž])?", text.strip()))
    if field in BESIDE_ONLY:
        return bool(re.fullmatch(r"[A-Z]{1,3}", text.strip()))
    letters = [one for one in text if one.isalpha()]
    return bool(letters) and letters[0].isupper() and not any(one.isdigit() for one in text)


def dates(text: str) -> set[str]:
    """Every day that a text may name, as ISO 8601: 06/12/1987 may be two, 06.12.1987 is one."""
    bare = re.sub(r"([^\W\d_]{3,})\s*/\s*[^\W\d_]{3,}", r"\1", _bare(text))  # 12 JUN/JUIN 1987
    found: set[str] = set()
    for first, gap, second, third in _DAY.findall(bare):
        orders = [(third, second, first)] if len(first) == 4 and first.isdecimal() else [(first, second, third)]
        if first.isalpha() or "/" in gap:
            orders.append((second, first, third))
        for day, month, year in orders:
            number = int(month) if month.isdecimal() else MONTHS.get(month) or MONTHS.get(month[:3])
            if number and day.isdecimal() and len(day) <= 2 and len(year) == 4:
                try:
                    found.add(date(int(year), number, int(day)).isoformat())
                except ValueError:
                    continue
    return found


def _beside(field: str, lines: Sequence[Line]) -> Iterator[Line]:
    """What follows a label of this field on its line, else what stands below it, else to the right of it."""
    for label in lines:
        if _label(label.text) != field:
            continue
        _, colon, rest = label.text.partition(":")
        if colon and rest.strip():
            yield replace(label, text=rest.strip())
        start = label.x - label.length / 2
        others = [line for line in lines if line is not label and _label(line.text) is None]
        below = [line for line in others if 0.3 * label.height < line.y - label.y < 3 * label.height
                 and abs(line.x - line.length / 2 - start) < 3 * label.height]  # fmt: skip
        right = [line for line in others if abs(line.y - label.y) < 0.5 * label.height and line.x > label.x]
        yield from sorted(below, key=lambda line: line.y)[:1]
        yield from sorted(right, key=lambda line: line.x)[:1]


def _label(text: str) -> str | None:
    """The field that a text is the label of."""
    bare = _bare(text)
    letters = [one for one in text if one.isalpha()]
    if not letters or (all(one.isupper() for one in letters) and len(letters) > 12 and ":" not in text):
        return None
    for field in _FIRST:
        if re.search(rf"\b(?:{LABELS[field]})", bare):
            return field
    return OTHER if re.search(rf"\b(?:{OTHERS})", bare) else None


def _words(lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        yield line.text
        yield from line.text.split()


def _bare(text: str) -> str:
    """Small letters without accents."""
    return "".join(one for one in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(one))


def _plain(text: str, keep: str = "") -> str:
    """Capital letters and digits, and nothing between them."""
    return "".join(one for one in text.upper() if (one.isascii() and one.isalnum()) or one in keep)


def _alike(number: str) -> str:
    """0 and O, 1 and I are printed too much alike; check digits tell them apart (their values differ by 4 and 7)."""
    return number.replace("O", "0").replace("I", "1")
