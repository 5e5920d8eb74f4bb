"""Promise 10, watched over the whole suite: every answer, log line, command, webhook, mail and file is looked through.

What a secret is, is learned where it is shown for the first time; what a document says, when it is stored. From then on
it may stand only where the table says. A template may stand nowhere, and needs no learning.
"""

import base64
import binascii
import math
import re
import struct
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect

#: The pages of the end user hand the own link on, to go on with on a phone.
CAPTURE = {"capture.page", "capture.start", "capture.keep_photo", "capture.challenge", "capture.submit",
           "capture.status"}  # fmt: skip
SETUP = {"mfa.setup", "mfa.confirm", "mfa.api_setup"}


@dataclass(frozen=True)
class Kind:
    """`form`: how one is shown. `shown`: where, once. `also`: where it may stand again. `$` is before a command.

    `is_plain`: wherever something of this form stands it is one, learned or not.
    """

    name: str
    form: str
    shown: set[str]
    also: set[str]
    is_plain: bool = True


#: Where each secret belongs. Endpoints are those of the URL map; a redirect, a log or a webhook is no place for any.
BELONGS = (
    Kind("key secret", r"(fv_(?:live|test)_[A-Za-z0-9]{43})",
         {"keys.create", "keys.api_create", "keys.rotate_form", "keys.api_rotate"}, set()),
    Kind("webhook secret", r"(whsec_[\w-]{43})", {"webhooks.create", "webhooks_api.api_create"}, set()),
    Kind("TOTP secret", r"secret=([A-Z2-7]{32})", SETUP | {"$ demo"}, SETUP),
    Kind("backup code", r"[>\"]([2-9A-Z]{8})[<\"]", {"mfa.confirm", "mfa.api_confirm", "mfa.renew_codes"}, set(),
         is_plain=False),
    Kind("session token", r"\bst=([\w-]{43})", {"verifications.create", "sessions.create"},
         {"verifications.create"} | CAPTURE),
    Kind("link token", r"/v/([\w-]{43})", {"links.create", "links.api_create"}, {"entry.consent", "entry.start"}),
    Kind("receipt code", r"/v/receipt/([a-z2-7]{32})", CAPTURE,
         CAPTURE | {"receipts.page", "receipts.erase", "headers of receipts.erase"}),  # back to its own address
    Kind("password link", r"/password/([\w-]{43})", {"$ accounts create", "$ accounts set-password", "$ serve"},
         {"passwords.form", "passwords.set_by_link"}),
    Kind("re-enrolment code", r"\b((?:[2-9A-Z]{4}-){2,}[2-9A-Z]{4})\b", {"$ support re-enrol"}, set(), is_plain=False),
    Kind("document data", r"(?!)", set(), {"verifications.api_document", "sessions.show_document"}, is_plain=False),
    Kind("password", r"(?!)", set(), set(), is_plain=False),
)  # fmt: skip
OF = {kind.name: kind for kind in BELONGS}
#: What of a document tells who somebody is. Shorter values, such as a country, stand in other texts too.
PERSONAL = ("full_name", "given_names", "surname", "date_of_birth", "document_number")
SHORTEST = 5  # characters

#: Sixteen numbers beside each other, some of them broken: as JSON, Python, CSV and tables write them.
NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
LISTED = re.compile(rf"[\[(]\s*(?:{NUMBER},\s*){{15,}}{NUMBER}", re.I)
ROW = re.compile(r"(?:-?\d*\.\d+(?:e[-+]?\d+)?[,;|\t]\s*){15,}", re.I)
#: The bytes of a template: 128 float32 as base64 or hexadecimal digits.
ENCODED = re.compile(r"[A-Za-z0-9+/_-]{683,}")
BYTES = 512


class Watch:
    """`known`: by instance folder, what was learned of it. `leaks`: what stood where it does not belong."""

    def __init__(self) -> None:
        self.known: defaultdict[str, dict[str, Kind]] = defaultdict(dict)
        self.recent: set[str] = set()
        self.leaks: list[str] = []

    def learns(self, instance: str, kind: str, value: str) -> None:
        if len(value) >= SHORTEST:
            self.known[instance][value] = OF[kind]
            self.recent.add(instance)

    def sees(self, instance: str | None, place: str, text: str) -> None:
        """`place`: an endpoint, `$ command`, or another word. `instance` None: any that the test at hand has used."""
        if vector_in(text):
            self._complain("a template", place)
        instances = self.recent if instance is None else {instance}
        new = {}
        for kind in BELONGS:
            for value in set(re.findall(kind.form, text)) if kind.is_plain or place in kind.shown else ():
                if place in kind.shown and not any(value in self.known[one] for one in instances):
                    new[value] = kind.name
                elif place not in kind.also:
                    self._complain(kind.name, place)
        for one in instances:
            for value, kind in self.known[one].items():
                if place not in kind.also and value in text:
                    self._complain(kind.name, place)
        for value, name in new.items() if instance else ():
            self.learns(instance, name, value)
            if name == "TOTP secret":
                self.learns(instance, name, " ".join(value[at : at + 4] for at in range(0, 32, 4)))

    def _complain(self, what: str, place: str) -> None:
        """Without the secret itself: what tests print is kept too."""
        self.leaks.append(f"{what} stands in: {place}")

    def told(self) -> list[str]:
        """What was noticed since this was asked last, each once."""
        found, self.leaks = sorted(set(self.leaks)), []
        return found


WATCH = Watch()


def vector_in(text: str) -> bool:
    """Whether a template stands in there, as numbers or as bytes."""
    if any("." in found[0] for found in LISTED.finditer(text)) or ROW.search(text):
        return True
    return any(_is_template(raw) for found in ENCODED.finditer(text) for raw in _decoded(found[0]))


def _decoded(run: str) -> Iterator[bytes]:
    """What the first 512 bytes may be, if up to three characters before them are of something else."""
    altchars = b"-_" if set("-_") & set(run) else None
    for skipped in range(4):
        digits = run[skipped:]
        piece = digits[: BYTES * 4 // 3 + 2]
        with suppress(binascii.Error):
            yield base64.b64decode(piece + "=" * (-len(piece) % 4), altchars)
        if re.fullmatch(r"[0-9a-fA-F]+", digits[: 2 * BYTES]) and len(digits) >= 2 * BYTES:
            yield bytes.fromhex(digits[: 2 * BYTES])


def _is_template(raw: bytes) -> bool:
    """Numbers of a size that a vector of length near one has; random bytes have not one in 10^100 times."""
    if len(raw) < BYTES:
        return False
    numbers = struct.unpack("<128f", raw[:BYTES])
    return all(math.isfinite(number) for number in numbers) and 0.01 < math.hypot(*numbers) < 100


def endpoint(rules: MapAdapter, method: str, path: str) -> str:
    """What answers there, by the URL map."""
    try:
        return str(rules.match(path, method="GET" if method == "HEAD" else method)[0])
    except (HTTPException, RequestRedirect):
        return "no route"


def command(words: object) -> str:
    """`$ support re-enrol`: the words before the first that is not ours to name."""
    first = [str(word) for word in words] if isinstance(words, list | tuple) else str(words).split()
    return f"$ {' '.join(first[: 2 if first[:1] in (['support'], ['accounts']) else 1])}"
