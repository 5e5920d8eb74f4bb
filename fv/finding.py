"""What `fv doctor` says, one line: `wrong` has to be mended, `note` is worth knowing. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    level: str
    subject: str
    said: str


def ok(subject: str, said: str) -> Finding:
    return Finding("ok", subject, said)


def note(subject: str, said: str) -> Finding:
    return Finding("note", subject, said)


def wrong(subject: str, said: str) -> Finding:
    return Finding("wrong", subject, said)
