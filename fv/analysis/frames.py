"""How a case goes to the process that examines it, and how its report comes back. Pure.

A frame is its length in four bytes, the highest first, and its content. A case has a name that its answer repeats: an
answer that came late, or that nobody asked for, is never taken for that of another session.
"""

import json
import struct

from fv.analysis import plausible, report
from fv.analysis.report import Case, Malformed, Report

LENGTH = struct.Struct(">I")
LONGEST_CASE = 64_000_000  # bytes: three photos of 2400 x 2400 pixels of pure noise take 21 MB
LONGEST_ANSWER = 262_144  # bytes: three faces and everything a passport says take 15 KB
READY = b"ready"  # what the process says before it is asked anything


def framed(content: bytes) -> bytes:
    return LENGTH.pack(len(content)) + content


def asked(name: str, case: Case) -> bytes:
    """The content of the frame of a case."""
    sizes = {kind: len(photo) for kind, photo in case.photos.items()}
    head = json.dumps({"name": name, "challenge": case.challenge, "sizes": sizes}).encode()
    return LENGTH.pack(len(head)) + head + b"".join(case.photos.values())


def case_of(content: bytes) -> tuple[str, Case]:
    """The name and the case that asked() wrote."""
    end = LENGTH.size + LENGTH.unpack_from(content)[0]
    head = json.loads(content[LENGTH.size : end])
    photos = {}
    for kind, size in head["sizes"].items():
        photos[kind] = content[end : end + size]
        end += size
    return head["name"], Case(photos, head["challenge"])


def answered(name: str, found: Report) -> bytes:
    """The content of the frame of an answer."""
    return f"{name}\n{found.as_text()}".encode()


def report_of(name: str, content: bytes) -> Report:
    """The report on the case of this name. Raises Malformed."""
    answer, _, text = content.decode(errors="replace").partition("\n")
    if answer != name:
        raise Malformed("name")
    found = report.read(text)
    if not plausible.is_plausible(found):
        raise Malformed("values")
    return found
