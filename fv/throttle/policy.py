"""When the next try is allowed. Pure: the times of the counted tries, the rates and the moment are arguments."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """At most `count` tries in any `seconds` seconds."""

    count: int
    seconds: int


def horizon(rates: Sequence[Rate]) -> int:
    """How far back tries matter, in seconds."""
    return max(rate.seconds for rate in rates)


def pause(times: Sequence[int], rates: Sequence[Rate], now: int) -> int:
    """Seconds until every rate admits one more try; 0: now. `times` are seconds since 1970, in any order.

    A try from the future (the clock was set back) counts until its window has passed.
    """
    newest = sorted(times, reverse=True)
    waits = [newest[rate.count - 1] + rate.seconds - now for rate in rates if len(newest) >= rate.count]
    return max([0, *waits])


def left(times: Sequence[int], rates: Sequence[Rate], now: int) -> int:
    """How many more tries may turn out wrong before there is a pause."""
    return max(0, min(rate.count - sum(at > now - rate.seconds for at in times) for rate in rates))


def network_of(address: str) -> str:
    """What counts as one address: itself, or the /64 an IPv6 address is in, since one household has all of it."""
    return _network(address, 32, 64)


def neighbourhood_of(address: str) -> str:
    """The wider network somebody gets new addresses of without going anywhere: a /24, or a /48 of IPv6."""
    return _network(address, 24, 48)


def _network(address: str, bits: int, bits_of_ipv6: int) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    found = getattr(found, "ipv4_mapped", None) or found  # how a socket that listens on :: names an IPv4 client
    network = ipaddress.ip_network(f"{found}/{bits if found.version == 4 else bits_of_ipv6}", strict=False)
    return str(network.network_address if network.num_addresses == 1 else network)
