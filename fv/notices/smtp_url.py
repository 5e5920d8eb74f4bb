"""What FV_SMTP_URL says. Pure."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

PORTS = {"smtp": 587, "smtps": 465}  # RFC 6409 §3.1, RFC 8314 §3.3


_ADDRESS = re.compile(r"[!-~]+@[A-Za-z0-9.-]+", re.ASCII)


@dataclass(frozen=True)
class MailServer:
    """`is_tls`: from the first byte. Else STARTTLS, which is insisted on as soon as there is a password."""

    host: str
    port: int
    is_tls: bool
    user: str | None
    password: str | None = field(repr=False)
    sender: str | None


def mail_server(text: str) -> MailServer | None:
    """`smtp://user:password@mail.example.org:587?from=facevault@example.org`, or smtps://"""
    if not text:
        return None
    try:
        server = _parse(text)
    except ValueError:  # of urllib too, whose texts quote what they refuse
        server = None
    if server is None:
        raise ValueError("smtp://[USER:PASSWORD@]HOST[:PORT][?from=ADDRESS], or smtps:// the same")
    return server


def _parse(text: str) -> MailServer | None:
    parts = urlsplit(text)
    query = parse_qs(parts.query, strict_parsing=bool(parts.query))
    sender = query.get("from", [None])[-1]
    wrong = parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/") or set(query) - {"from"}
    half = bool(parts.username) != bool(parts.password) or parts.port == 0
    if wrong or half or (sender is not None and not _ADDRESS.fullmatch(sender)):
        return None
    user, password = (unquote(one) if one else None for one in (parts.username, parts.password))
    return MailServer(
        parts.hostname or "", parts.port or PORTS[parts.scheme], parts.scheme == "smtps", user, password, sender
    )
