"""Who is asking when a proxy stands in between: X-Forwarded-* from trusted addresses, ignored from all others."""

import ipaddress
from collections.abc import Iterable, Sequence
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """WSGI middleware. The client is the last address in X-Forwarded-For that is not itself a trusted proxy."""

    def __init__(self, app: WSGIApplication, networks: Sequence[Network]) -> None:
        self._app, self._networks = app, networks

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            self._believe(environ)
        return self._app(environ, start_response)

    def _believe(self, environ: WSGIEnvironment) -> None:
        hops = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        for hop in reversed(hops):
            if not _is_address(hop):
                break
            environ["REMOTE_ADDR"] = hop
            if not self._trusts(hop):
                break
        if (scheme := environ.get("HTTP_X_FORWARDED_PROTO", "")) in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        if host := environ.get("HTTP_X_FORWARDED_HOST", ""):
            environ["HTTP_HOST"] = host

    def _trusts(self, address: str) -> bool:
        if not _is_address(address):
            return False
        found = ipaddress.ip_address(address)
        plain = getattr(found, "ipv4_mapped", None) or found  # how a socket that listens on :: names an IPv4 client
        return any(plain in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
