"""What a receiver gets: the bytes of the body and the headers that prove who sent it. Pure.

X-FaceVault-Signature is the hexadecimal HMAC-SHA256 of the raw body under the secret of the webhook. The moment is in
the body too (`signed_at`), where the signature covers it: whoever sends an old body again shows it.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

AGENT = "FaceVault"


@dataclass(frozen=True)
class Message:
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def signed(event: str, facts: Mapping[str, object], secret: str, id: str, at: int, written_at: str) -> Message:
    """`facts`: the other fields of the body; `at`: seconds since 1970, and `written_at` the same in RFC 3339.

    The body is ASCII: whatever re-encodes texts on the way leaves it as it was signed.
    """
    body = json.dumps({"event": event, "signed_at": written_at, **facts}, allow_nan=False).encode("ascii")
    return Message(
        body,
        {
            "Content-Type": "application/json",
            "User-Agent": AGENT,
            "X-FaceVault-Event-Id": id,
            "X-FaceVault-Timestamp": str(at),
            "X-FaceVault-Signature": hmac.new(secret.encode(), body, "sha256").hexdigest(),
        },
    )
