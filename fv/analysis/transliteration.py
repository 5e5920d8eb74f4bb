"""Whether a printed name and one in the machine-readable zone are the same: ICAO Doc 9303-3 §6. Pure.

A zone has A to Z only. States write Ü as UE, U or UXX there, and Щ as SHCH or SHT: each is accepted for it. Apostrophes
and dots are left out, hyphens are fillers (§4.6), and the end of a long name may be missing.
"""

import re
import unicodedata

#: 9303-3 §6, tables A (Latin) and B (Cyrillic), with what states write instead of what is recommended there.
_LATIN = {
    "À": "A", "Á": "A", "Â": "A", "Ã": "A", "Ä": "AE A AXX", "Å": "AA A", "Æ": "AE", "Ç": "C", "Ð": "D DH TH",
    "Ñ": "N NXX", "Ö": "OE O OXX", "Ø": "OE O", "Ü": "UE U UXX", "Þ": "TH", "Œ": "OE", "ß": "SS", "ẞ": "SS",
    "Ĳ": "IJ", "Đ": "D DJ", "Ħ": "H", "Ł": "L", "Ŋ": "N", "Ŧ": "T", "Ə": "E", "ĸ": "Q", "Ŀ": "L", "ı": "I",
}  # fmt: skip
_CYRILLIC = {
    "А": "A", "Б": "B", "В": "V", "Г": "G H", "Ґ": "G", "Ѓ": "G GJ", "Д": "D", "Ђ": "D DJ", "Е": "E YE", "Ё": "E IO YO",
    "Є": "IE YE", "Ж": "ZH Z", "З": "Z", "Ѕ": "DZ", "И": "I Y", "І": "I", "Ї": "I YI", "Й": "I Y", "Ј": "J", "К": "K",
    "Ќ": "K KJ", "Л": "L", "Љ": "LJ", "М": "M", "Н": "N", "Њ": "NJ", "О": "O", "П": "P", "Р": "R", "С": "S", "Т": "T",
    "Ћ": "C", "У": "U", "Ў": "U", "Ф": "F", "Х": "KH H", "Ц": "TS C", "Ч": "CH C", "Џ": "DZ", "Ш": "SH S",
    "Щ": "SHCH SHT", "Ъ": "IE", "Ы": "Y", "Э": "E", "Ю": "IU YU", "Я": "IA YA",
}  # fmt: skip
_SPELLED = {letter: ways.split() for letter, ways in (_LATIN | _CYRILLIC).items()} | {"Ь": [""]}
_LEFT_OUT = "'’ʼ`´.,"


def same(printed: str, read: str, is_cut: bool = False) -> bool:
    """`printed`: as on the document; `read`: from the zone, with blanks. `is_cut`: its end may be missing."""
    if not read:
        return False
    shape = _shape(printed)
    if not shape:
        return False
    if re.fullmatch(shape, read):
        return True
    parts = [_shape(printed[:end]) for end in range(1, len(printed))] if is_cut else []
    return any(re.fullmatch(part, read) for part in parts if part)


def _shape(printed: str) -> str:
    """A pattern of every way to write it in a zone."""
    text = unicodedata.normalize("NFC", printed).replace("ß", "ẞ").upper()
    words = "".join(" " if one in "-‐–—<" or one.isspace() else one for one in text if one not in _LEFT_OUT).split()
    return " ".join("".join(map(_ways, word)) for word in words)


def _ways(letter: str) -> str:
    bare = unicodedata.normalize("NFD", letter)[:1]
    ways = _SPELLED.get(letter) or _SPELLED.get(bare) or [bare]
    return ways[0] if len(ways) == 1 and ways[0].isalnum() else f"(?:{'|'.join(map(re.escape, ways))})"
