"""How the printed part of a synthetic document looks: labels, dates, where values stand, and how names are spelled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

FIELDS = ("surname", "given_names", "nationality", "date_of_birth", "document_number", "expires_on")
MONTHS = {
    "en": ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
    "fr": ("JAN", "FÉV", "MARS", "AVR", "MAI", "JUIN", "JUIL", "AOÛT", "SEPT", "OCT", "NOV", "DÉC"),
}
#: What stands in a zone, and how it is printed.
SPELLED = {"MUELLER": "MÜLLER", "JUERGEN": "JÜRGEN", "OCONNOR": "O'CONNOR", "CHLOE": "CHLOÉ", "SINEAD": "SINÉAD"}


@dataclass(frozen=True)
class Style:
    """`labels`: of FIELDS. `date`: d, m, M, F and y stand for day, month, JUN, JUIN and year.

    `is_beside`: values stand to the right of their labels. `is_spelled`: names are printed with accents.
    """

    labels: tuple[str, ...]
    date: str
    is_beside: bool = False
    is_spelled: bool = True

    def said(self, fields: Mapping[str, str]) -> list[tuple[str, str]]:
        """Label and value of each field, in the order in which they are printed."""
        return [(label, self._value(name, fields[name])) for label, name in zip(self.labels, FIELDS, strict=True)]

    def _value(self, name: str, value: str) -> str:
        if name in ("date_of_birth", "expires_on"):
            day = date.fromisoformat(value)
            parts = {
                "d": f"{day:%d}", "m": f"{day:%m}", "y": f"{day:%Y}",
                "M": MONTHS["en"][day.month - 1], "F": MONTHS["fr"][day.month - 1],
            }  # fmt: skip
            return "".join(parts.get(one, one) for one in self.date)
        if self.is_spelled and name in ("surname", "given_names"):
            return " ".join(SPELLED.get(word, word) for word in value.split())
        return value


PLAIN = Style(
    ("Surname/Nom", "Given names/Prenoms", "Nationality", "Date of birth", "Document No.", "Date of expiry"),
    "d.m.y", is_spelled=False,
)  # fmt: skip
OTHERS = (
    Style(("Name", "Vornamen", "Staatsangehörigkeit", "Geburtsdatum", "Ausweisnummer", "Gültig bis"), "d.m.y"),
    Style(("Nom", "Prénoms", "Nationalité", "Date de naissance", "Passeport n°", "Date d'expiration"), "d M/F y"),
    Style(("Surname", "Given names", "Nationality", "Date of birth", "Passport No.", "Date of expiry"), "d M y", True),
    Style(("Apellidos", "Nombre", "Nacionalidad", "Fecha de nacimiento", "Pasaporte n°", "Caducidad"), "d m y"),
    Style(("Cognome", "Nome", "Cittadinanza", "Data di nascita", "Numero", "Scadenza"), "d/m/y", True),
    Style(("Nazwisko", "Imiona", "Obywatelstwo", "Data urodzenia", "Nr dokumentu", "Termin ważności"), "d.m.y"),
    Style(("Naam", "Voornamen", "Nationaliteit", "Geboortedatum", "Documentnummer", "Geldig tot"), "d M y", True),
    Style(("1. Surname", "2. Name", "Nationality", "3. Birth", "4. No.", "5. Expires"), "y-m-d"),
)
