"""Everything the trail can say, in the words its reader knows. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """`unusual`: worth a second look. `told`: its holder is told by a banner and a mail, in `advice`."""

    words: str
    unusual: bool = False
    told: bool = False
    advice: str = ""


_NOT_YOU = "If that was not you, change your password, sign out all other logins and call support."

_GUESSED = "Nobody got in. If it was not you, change your password to a long one that you use nowhere else."
_NOT_ASKED = "If you did not ask for this, call support at once."
_CALL = "If that was not you, call support at once."

KINDS: Mapping[str, Kind] = {
    "account.created": Kind("Account created"),
    "password.proved": Kind("Password accepted"),
    "password.wrong": Kind("Wrong password", unusual=True),
    "password.locked": Kind("Too many wrong passwords: sign-in paused", unusual=True, told=True, advice=_GUESSED),
    "password.chosen": Kind("Password chosen"),
    "password.changed": Kind("Password changed", unusual=True, told=True,
                             advice=f"All other logins were ended. The second factor stayed as it is. {_CALL}"),
    "password.set_by_link": Kind("Password set by a link from support", unusual=True, told=True,
                                 advice=f"Every login was ended. The second factor stayed as it is. {_CALL}"),
    "login.opened": Kind("Signed in"),
    "login.new_device": Kind("Signed in from a new device", told=True, advice=_NOT_YOU),
    "login.ended": Kind("Signed out"),
    "login.others_ended": Kind("Other logins signed out"),
    "code.wrong": Kind("Wrong code", unusual=True),
    "code.replayed": Kind("A code that was already used was tried again", unusual=True, told=True,
                          advice="It was refused. If you did not type it twice, somebody may have watched you type it. "
                          f"{_NOT_YOU}"),
    "code.locked": Kind("Too many wrong codes: sign-in paused", unusual=True, told=True,
                        advice="No code is accepted until the pause is over. Whoever typed them has your password or "
                        "was signed in as you. If it was not you, change your password."),
    "backup_code.used": Kind("Backup code used", unusual=True, told=True, advice=_NOT_YOU),
    "backup_code.checked": Kind("Backup code checked"),
    "backup_codes.replaced": Kind("Backup codes replaced", told=True,
                                  advice=f"The old ones no longer work. {_NOT_YOU}"),
    "backup_codes.saved": Kind("Backup codes marked as saved"),
    "second_factor.confirmed": Kind("Second factor confirmed", told=True, advice=_NOT_YOU),
    "re_enrolment.code_accepted": Kind("Re-enrolment code accepted", unusual=True),
    "key.made": Kind("API key made"),
    "key.rotated": Kind("API key replaced by a new one"),
    "key.revoked": Kind("API key revoked"),
    "link.made": Kind("Verification link made"),
    "link.revoked": Kind("Verification link revoked"),
    "webhook.made": Kind("Webhook made"),
    "webhook.changed": Kind("Webhook changed"),
    "webhook.removed": Kind("Webhook removed"),
    "webhook.disabled": Kind("Webhook switched off after failures"),
    "plan.raised": Kind("Larger plan chosen"),
    "plan.lowered": Kind("Smaller plan chosen"),
    "plan.kept": Kind("Change of plan taken back"),
    "invoice.opened": Kind("Invoice made"),
    "invoice.paid": Kind("Invoice marked as paid"),
    "session.passed": Kind("Session passed by a person"),
    "session.failed": Kind("Session failed by a person"),
    "session.canceled": Kind("Session canceled"),
    "session.erased": Kind("What showed the person of a session erased"),
    "session.held": Kind("Legal hold: a session is kept for longer"),
    "session.released": Kind("Legal hold ended"),
    "templates.erased": Kind("Fingerprints of a person erased by the operator"),
    "retention.changed": Kind("How long things are kept changed"),
    "session.photo_viewed": Kind("Photo viewed"),
    "session.document_viewed": Kind("What a document says viewed"),
    "fingerprints.searched": Kind("Faces searched"),
    "fingerprint.added": Kind("Fingerprint added"),
    "fingerprint.removed": Kind("Fingerprint removed"),
    "fingerprint.blocked": Kind("Face blocked"),
    "fingerprint.unblocked": Kind("Face no longer blocked"),
    "fingerprints.rekeyed": Kind("Templates of faces turned by a new secret"),
    "fingerprints.imported": Kind("Fingerprints imported"),
    "fingerprints.compared": Kind("All faces compared with each other"),
    "support.account_created": Kind("Account created by support"),
    "support.password_link": Kind("Link to set a password made by support", unusual=True),
    "support.re_enrolled": Kind("Second factor reset by support", unusual=True, told=True,
                                advice="The old authenticator and backup codes no longer work, every login was ended, "
                                f"and API keys sleep until a new authenticator is confirmed. {_NOT_ASKED}"),
    "support.new_codes": Kind("New backup codes allowed by support", unusual=True, told=True,
                              advice="You can make ten new ones on the account page, with a code of your "
                              f"authenticator. {_NOT_ASKED}"),
    "support.unlocked": Kind("Pause lifted by support", unusual=True),
    "master_key.rotated": Kind("Everything sealed anew under another key", unusual=True),
    "trail.head_missing": Kind("The note of where the trail ends was missing", unusual=True),
}  # fmt: skip

TOLD = tuple(name for name, kind in KINDS.items() if kind.told)

ACTORS: Mapping[str, str] = {
    "holder": "you",
    "support": "support",
    "stranger": "not signed in yet",
    "service": "the service",
}


@dataclass(frozen=True)
class Told:
    """A row in words. `login`: what the login that did it is called by, if one did."""

    words: str
    details: str
    by: str
    unusual: bool
    advice: str
    login: str | None


def tell(event: str, actor: str, facts: str) -> Told:
    """`facts` is a JSON object as text, as the row has it."""
    kind, known = KINDS.get(event, Kind(event, unusual=True)), json.loads(facts)
    details = ", ".join(say(known[name]) for name, say in _DETAILS.items() if name in known)
    by_key = actor == "holder" and "key" in known and "login" not in known  # a key that was made or revoked has both
    by = "an API key" if by_key else ACTORS[actor]
    return Told(kind.words, details, by, kind.unusual, kind.advice, known.get("login"))


_DETAILS: Mapping[str, Callable[[Any], str]] = {
    "device": str,
    "left": lambda left: f"{left} backup code{'' if left == 1 else 's'} left",
    "key": lambda prefix: f"{prefix}…",
    "successor": lambda prefix: f"by {prefix}…",
    "session": str,
    "link": str,
    "webhook": str,
    "fingerprint": str,
    "plan": str,
    "month": lambda month: f"from {month} on",
    "invoice": str,
    "search": str,
    "templates": lambda number: f"{number:,} fingerprint{'' if number == 1 else 's'}",
    "kind": lambda kind: {"id_photo": "ID photo", "liveness_frame": "head turn"}.get(kind, str(kind)),
    "ticket": lambda ticket: f"ticket {ticket}",
    "verified": lambda how: f"verified by: {how}",
}
