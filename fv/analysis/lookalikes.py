"""Letters of other scripts, and other signs, as the letters of a machine-readable zone that they look like. Pure.

A recogniser that knows many scripts writes Ρ (Greek) for P and く for <. Such a letter is taken for what it looks like:
dropped, it would move all that follow by one place, into a wrong reading that looks right.
"""

import unicodedata

from fv.analysis.layouts import ALPHABET

_SIGNS = {
    **dict.fromkeys("<くㄑ〈《‹«≤≪∠⟨❮＜˂ᐸ巜厶", "<"),
    **dict.fromkeys("|｜ǀlıΙІӀ丨", "I"),
    **dict.fromkeys("∪⋃Սυ", "U"),
    **dict.fromkeys("ØøΟοОоօ〇○", "O"),
    **dict(zip("ΑΒΕΖΗΚΜΝΡΤΥΧΛ", "ABEZHKMNPTYXA", strict=True)),
    **dict(zip("АВЕКМНРСТУХЅЈЗЬЧ", "ABEKMHPCTYXSJ3B4", strict=True)),
    "ß": "B", "€": "E", "$": "S", "£": "E", "¥": "Y", "乙": "Z", "工": "I", "口": "O",
}  # fmt: skip


def as_letter(sign: str) -> str | None:
    """One of 0 to 9, A to Z and <; None: it looks like none of them."""
    if sign in _SIGNS:
        return _SIGNS[sign]
    plain = unicodedata.normalize("NFKC", sign).upper()
    if plain in _SIGNS:
        return _SIGNS[plain]
    bare = unicodedata.normalize("NFD", plain)[:1]  # Ü is written UE or U in the zone, but looks like U
    return bare if len(plain) == 1 and bare in ALPHABET else None
