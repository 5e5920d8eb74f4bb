"""Where a webhook may lead: which addresses are what they look like, and which are nobody's inner network. Pure.

Parsers repair what they are given (`http:/\\x`, `2130706433`, a tab), each in its own way. So an address is compared
with one form that all of them read alike (RFC 3986 §3), and what differs is refused. Whether a name leads inside is
known only once it was looked up: the addresses are an argument, and the connection goes to those that were judged.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST = 2000  # characters
PORTS = {"https": 443, "http": 80}
UNPRIVILEGED = 1024  # ports below belong to services of other kinds, such as mail

_NAME = r"(?![-_])[A-Za-z0-9_-]{1,63}(?<![-_])"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#: The last part of a name begins with a letter: `2130706433`, `127.1` and `0x7f.1` are read as addresses of IPv4.
_HOST = rf"(?:\[[0-9A-Fa-f:.]{{2,45}}\]|{_BYTE}(?:\.{_BYTE}){{3}}|(?:{_NAME}\.){{0,126}}(?=[A-Za-z]){_NAME})"
_CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%(?!0|1|5[Cc]|7[Ff])[0-9A-Fa-f]{2})"
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_HOST})(?::(?P<port>[1-9][0-9]{{0,4}}))?"
    rf"(?P<path>(?:/(?!/){_CHARACTER}*)?(?:\?(?:{_CHARACTER}|\?)*)?)"
)

#: https://www.iana.org/assignments/iana-ipv4-special-registry, multicast, and where clouds keep their metadata.
_INSIDE_4 = tuple(map(ipaddress.IPv4Network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)))  # fmt: skip
#: Of IPv6 only what is given out (2000::/3) can be outside, and of that not what carries other addresses: Teredo in
#: 2001::/23, 6to4 in 2002::/16; nor what is for documentation. Mapped and compatible addresses are not in it anyway.
_OUTSIDE_6 = ipaddress.IPv6Network("2000::/3")
_INSIDE_6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: what has no IPv4 reaches IPv4 by it


@dataclass(frozen=True)
class Target:
    """`host`: a name in lower case, or an address without brackets. `path`: with its query, never empty."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def address(self) -> Address | None:
        """What the host is when it is no name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """For the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True)
class Allowed:
    """What whoever runs the service lists in FV_WEBHOOK_ALLOW: reached though it is inside, and by plain HTTP too."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()


NOTHING = Allowed()


def parse(url: str) -> Target | None:
    """None: this is no whole address in its plain form. Nothing is repaired."""
    found = _URL.fullmatch(url) if len(url) <= LONGEST else None
    if found is None:
        return None
    host, port = found["host"].lower(), int(found["port"] or PORTS[found["scheme"]])
    if host.startswith("["):
        host = host[1:-1]
        try:
            host = str(ipaddress.IPv6Address(host))
        except ValueError:
            return None
    if port > 65535 or len(host) > 253:
        return None
    path = found["path"]
    return Target(found["scheme"], host, port, path if path.startswith("/") else f"/{path}")


def may_be_called(target: Target, addresses: Sequence[Address], allowed: Allowed) -> bool:
    """Whether nothing of it leads inside, or all of that is listed. `addresses`: none, its name is not known yet."""
    if target.host in allowed.hosts:
        return True
    listed = [any(address in network for network in allowed.networks) for address in addresses]
    if addresses and all(listed):
        return True
    if target.scheme != "https" or (target.port < UNPRIVILEGED and target.port != PORTS["https"]):
        return False
    return all(is_known or is_public(address) for is_known, address in zip(listed, addresses, strict=True))


def is_public(address: Address) -> bool:
    """Whether it is somebody's out in the internet. What wraps another address is judged as that, or refused."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _INSIDE_4)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _OUTSIDE_6 and not any(address in network for network in _INSIDE_6)


def is_host(text: str) -> bool:
    """Whether a name can be spelled so."""
    return re.fullmatch(rf"(?:{_NAME}\.){{0,126}}(?=[A-Za-z]){_NAME}", text) is not None and len(text) <= 253
