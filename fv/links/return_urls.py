"""Where an end user may be led after the photos: which addresses can be nothing else than what they look like. Pure.

Browsers repair what they are given: `https:/\\evil.example`, a tab in the scheme, a number for a host. So an address is
not parsed here but compared with the one form that every parser reads alike (RFC 3986 §3, without user, IPv6 and
encoded control characters). Whatever differs is refused; nothing is repaired.
"""

import re

LONGEST = 2000  # characters

_NAME = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#: The last part of a name begins with a letter: browsers read `2130706433`, `127.1` and `0x7f.1` as IPv4 addresses.
_HOST = rf"(?:{_BYTE}(?:\.{_BYTE}){{3}}|(?:{_NAME}\.){{0,126}}(?=[A-Za-z]){_NAME})"
_PORT = r"(?::[1-9][0-9]{0,4})?"
#: An encoded control character or backslash means no harm here, but the next one to decode it may think otherwise.
_CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%(?!0|1|5[Cc]|7[Ff])[0-9A-Fa-f]{2})"
_REST = rf"(?:/(?!/){_CHARACTER}*)?(?:\?(?:{_CHARACTER}|\?)*)?(?:#(?:{_CHARACTER}|\?)*)?"

_ADDRESS = re.compile(rf"https://(?P<host>{_HOST})(?P<port>{_PORT}){_REST}")
_OF_A_DEVELOPER = re.compile(rf"http://(?P<host>localhost|127\.0\.0\.1)(?P<port>{_PORT}){_REST}")


def is_safe(text: str, mode: str) -> bool:
    """Whether it can stand in an href and in a Location header. In test mode also the developer's own machine."""
    found = _found(text)
    if found is None or len(text) > LONGEST or len(found["host"]) > 253 or int(found["port"][1:] or 0) > 65535:
        return False
    return mode == "test" or text.startswith("https://")


def host(text: str) -> str:
    """Of a safe one: `shop.example`, with its port if it names one."""
    found = _found(text)
    return found["host"] + found["port"] if found else ""


def _found(text: str) -> re.Match[str] | None:
    return _ADDRESS.fullmatch(text) or _OF_A_DEVELOPER.fullmatch(text)
