"""How the values of settings are spelled: text in, a value out, or ValueError with what was expected. Pure."""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from fv.accounts import email as emails
from fv.throttle.policy import Rate
from fv.webhooks import targets

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str) -> int:
    """`90s`, `15m`, `12h`, `7d`: seconds, from one second to 366 days."""
    found = re.fullmatch(r"([0-9]{1,8})([smhd])", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 1 <= seconds <= 366 * 86400:
        raise ValueError("a number with s, m, h or d behind it, from 1s to 366d")
    return seconds


def rates(text: str) -> tuple[Rate, ...]:
    """`5/15m 20/24h`: no more than 5 in 15 minutes and 20 in 24 hours."""
    found = tuple(_rate(part) for part in text.split())
    if not found:
        raise ValueError("one or more of COUNT/TIME, such as 5/15m")
    return found


def _rate(text: str) -> Rate:
    count, slash, window = text.partition("/")
    if not slash or not re.fullmatch(r"[0-9]{1,5}", count) or not 1 <= int(count) <= 10_000:
        raise ValueError("COUNT/TIME with a count from 1 to 10000, such as 5/15m")
    return Rate(int(count), duration(window))


def between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError("one of " + ", ".join(words))
        return text

    return parse


def networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Addresses or networks, separated by spaces or commas."""
    try:
        return tuple(ipaddress.ip_network(part) for part in re.split(r"[\s,]+", text) if part)
    except ValueError:
        raise ValueError("addresses or networks such as 10.0.0.5 or 172.16.0.0/12") from None


def reached(text: str) -> targets.Allowed:
    """Names of hosts, addresses or networks, separated by spaces or commas."""
    hosts, found = set(), []
    for part in re.split(r"[\s,]+", text.strip()):
        if targets.is_host(part):
            hosts.add(part.lower())
        elif part:
            try:
                found.append(ipaddress.ip_network(part))
            except ValueError:
                raise ValueError("hosts, addresses or networks such as hooks.internal or 10.0.0.0/8") from None
    return targets.Allowed(frozenset(hosts), tuple(found))


def issuer(text: str) -> str:
    if not 1 <= len(text) <= 64 or ":" in text or not text.isprintable():
        raise ValueError("1 to 64 printable characters without a colon")
    return text


def lines(text: str) -> str:
    """A name and an address as they are printed; without empty lines and spaces at the ends."""
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if len(found) > 10 or any(len(line) > 100 or not line.isprintable() for line in found):
        raise ValueError("up to 10 lines of up to 100 printable characters")
    return "\n".join(found)


def origin(text: str) -> str | None:
    """`https://verify.example.org`: scheme, host and perhaps a port, nothing behind."""
    if not text:
        return None
    parts = urlsplit(text)
    plain = parts.scheme in ("http", "https") and parts.hostname and not (parts.username or parts.password)
    if not plain or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("an address such as https://verify.example.org, with nothing behind the host")
    return f"{parts.scheme}://{parts.netloc}".lower()


def database(text: str) -> Path | None:
    """`sqlite:///relative.db` or `sqlite:////absolute.db`; None is facevault.db in the instance folder."""
    if not text:
        return None
    if text.startswith(("postgresql:", "postgres:")):
        raise ValueError("sqlite:///FILE: this version keeps its rows in SQLite only")
    if not text.startswith("sqlite:///") or len(text) == len("sqlite:///"):
        raise ValueError("sqlite:///FILE")
    return Path(text.removeprefix("sqlite:///")).absolute()


def blobs(text: str) -> Path | None:
    """A folder, or `file:///folder`; None is the folder blobs in the instance folder."""
    scheme, colon, _ = text.partition(":")
    if colon and scheme == "file":
        parts = urlsplit(text)
        if parts.netloc or not parts.path.startswith("/") or parts.query or parts.fragment:
            raise ValueError("file:///FOLDER, with nothing else in it")
        text = unquote(parts.path)
    elif colon and "/" not in scheme:
        raise ValueError("a folder, or file:///FOLDER: this version keeps its blobs on this machine only")
    return Path(text).absolute() if text else None


def email(text: str) -> str | None:
    found = emails.normalised(text) if text else None
    if text and not found:
        raise ValueError("an email address such as ada@example.org")
    return found
