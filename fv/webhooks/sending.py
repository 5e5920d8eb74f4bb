"""One POST to one address, with an end: it goes to the address that was judged, and to no other.

A name is looked up once. No proxy, no redirect, no cookie; of the answer the status counts, and its body is not read.
The limit is for all of it together: looking up, connecting, TLS, and an answer that comes a byte at a time.
"""

import http.client
import io
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

from fv.webhooks.signing import Message
from fv.webhooks.targets import Address, Target

LIMIT = 10.0  # seconds for one try
MOST = 8192  # bytes of an answer that are read: its status and headers

#: Finds the addresses of a name, as text. Raises OSError.
Resolver = Callable[[str], Sequence[str]]


class NotSent(Exception):
    """There was no answer. `reason`: unresolved, unreachable, tls, too_slow or broken."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def from_system(name: str) -> list[str]:
    """As every program of this machine finds it, IPv4 and IPv6."""
    return [str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]


def addresses(target: Target, resolver: Resolver, limit: float) -> list[Address]:
    """Every address of it. Raises NotSent.

    Looking up has no time limit of its own, so it is done by a thread that is left to itself when it takes too long.
    """
    if literal := target.address:
        return [literal]
    found: list[Address] = []
    failed = threading.Event()

    def looks() -> None:
        try:
            found.extend(dict.fromkeys(map(ipaddress.ip_address, resolver(target.host))))
        except (OSError, ValueError):
            failed.set()

    thread = threading.Thread(target=looks, daemon=True)
    thread.start()
    thread.join(limit)
    if thread.is_alive():
        raise NotSent("too_slow")
    if failed.is_set() or not found:
        raise NotSent("unresolved")
    return found


def post(target: Target, to: Sequence[Address], message: Message, trust: ssl.SSLContext, until: float) -> int:
    """The status of the answer. `to`: its addresses, tried one after the other; `until`: as monotonic() says.

    Raises NotSent.
    """
    wire = _connected(target, to, until)
    connection = http.client.HTTPConnection(target.host, target.port)  # a port: it looks for none in an IPv6 address
    try:
        if target.scheme == "https":
            wire.socket = trust.wrap_socket(wire.settled(), server_hostname=target.host)
        connection.sock = wire
        connection.request("POST", target.path, message.body, _headers(target, message))
        return connection.getresponse().status
    except ssl.SSLError:
        raise NotSent("tls") from None
    except TimeoutError:
        raise NotSent("too_slow") from None
    except (OSError, http.client.HTTPException, ValueError):
        raise NotSent("broken") from None
    finally:
        wire.close()


def _headers(target: Target, message: Message) -> dict[str, str]:
    return {"Host": target.authority, "Connection": "close", **message.headers}


def _connected(target: Target, to: Sequence[Address], until: float) -> "_Wire":
    """Each address has its share of the time that is left: one that swallows everything leaves some for the next."""
    reason = "unreachable"
    for number, address in enumerate(to):
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        try:
            tried = socket.socket(family, socket.SOCK_STREAM)
        except OSError:  # this machine has no IPv6
            continue
        try:
            tried.settimeout(_left(until) / (len(to) - number))
            tried.connect((str(address), target.port))
            return _Wire(tried, until)
        except OSError as error:
            reason = "too_slow" if isinstance(error, TimeoutError) else "unreachable"
            tried.close()
    raise NotSent(reason)


def _left(until: float) -> float:
    if (left := until - monotonic()) <= 0:
        raise TimeoutError
    return left


class _Wire:
    """What http.client takes for a socket: each send and each receive has the time that is left of the whole."""

    def __init__(self, connected: socket.socket, until: float) -> None:
        self.socket, self.until = connected, until

    def settled(self) -> socket.socket:
        self.socket.settimeout(_left(self.until))
        return self.socket

    def sendall(self, data: bytes) -> None:
        self.settled().sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Answer(self))

    def close(self) -> None:
        with suppress(OSError):
            self.socket.close()


class _Answer(io.RawIOBase):
    """The first bytes of an answer; what is behind them is not there."""

    def __init__(self, wire: _Wire) -> None:
        self.wire, self.room = wire, MOST

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        number = self.wire.settled().recv_into(buffer, min(len(buffer), self.room)) if self.room else 0
        self.room -= number
        return number
