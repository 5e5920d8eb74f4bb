"""What a report is, and what crosses a pipe in its place."""

import io
import json
from dataclasses import replace
from datetime import date

import pytest

from fv.analysis import examining, frames, inside, report
from fv.analysis.report import Case, Detection, Document, Face, Field, Malformed, Model, Report, Zone

FACE = Face((1, 2, 3, 4), 0, -3.5, 2.0, 140.0, tuple(1 / (n + 1) for n in range(128)))
WHOLE = Report(
    "read",
    Document(
        {"surname": Field("ERIKSSON", "both", True, "high"), "sex": Field("F", "mrz", None, "review", "E")},
        Zone("TD3", ("P<UTO", "L898"), {"composite": "pass"}, ("L or 1",), ("0 read as O",)),
    ),
    Model("m-1", "ab" * 32, "p-1", 0.8, 0.92),
    {"selfie": FACE, "id_photo": replace(FACE, turned=1)},
    {"liveness_frame": "no_face"},
    {"id_photo selfie": 0.93},
    (Detection("same_still", "1", 0.1, "review", False, "They differ."), Detection("x", "1", None, "block", None, "?")),
    {"reading": 1.25},
    {"consistency": "ImportError"},
)


@pytest.mark.parametrize("one", [WHOLE, Report()], ids=["whole", "empty"])
def test_what_was_written_is_read_as_it_was(one):
    assert report.read(one.as_text()) == one


def changed(*path, to):
    """The text of a report in which this place says something else."""
    told = json.loads(WHOLE.as_text())
    place = told
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to
    return json.dumps(told)


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[]", "null", "[" * 100_000, '{"a":' * 100_000, "9" * 5000, '{"document_state": "read"}',
        changed("more", to=1), changed("document", to=[]), changed("document", to=""),
        changed("document_state", to=None), changed("document_state", to=["read"]),
        changed("document", "mrz", "lines", to="P<UTO"), changed("document", "fields", "sex", to={}),
        changed("document", "fields", "sex", "value", to=7), changed("document", "fields", "sex", "agrees", to=1),
        changed("faces", "selfie", "box", to=[1, 2, 3]), changed("faces", "selfie", "box", to=[1, 2, 3, 4.5]),
        changed("faces", "selfie", "template", to=[0.5] * 127), changed("faces", "selfie", "turned", to=True),
        changed("faces", "selfie", "yaw", to=float("nan")), changed("seconds", "reading", to=float("inf")),
        changed("similarities", "id_photo selfie", to="0.9"), changed("similarities", "x", to=10**400),
        WHOLE.as_text().replace("1.25", "1e999"), changed("detections", to={}), changed("detections", 0, "mode", to=0),
        changed("failures", "reading", to="a text of somebody"), changed("failures", "another", to="ValueError"),
        changed("failures", "faces", to="E" * 60), changed("document", "fields", "sex", "value", to="\ud800"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_malformed(text):
    with pytest.raises(Malformed):
        report.read(text)


def test_templates_and_photos_are_in_no_repr():
    assert "0.5" not in repr(replace(FACE, template=(0.5,) * 128)) and "jpeg" not in repr(
        Case({"selfie": b"jpeg"}, "up")
    )


def test_similarity_has_three_bands():
    assert [WHOLE.model.band(value) for value in (0.92, 0.91, 0.8, 0.79)] == ["match", "possible", "possible", "no"]


def test_a_case_and_its_answer_cross_the_pipe_and_an_answer_to_another_does_not():
    case = Case({"selfie": b"one", "id_photo": b"\0two", "liveness_frame": b""}, "left")
    assert frames.case_of(frames.asked("name", case)) == ("name", case)
    assert frames.report_of("name", frames.answered("name", WHOLE)) == WHOLE
    with pytest.raises(Malformed):
        frames.report_of("other", frames.answered("name", WHOLE))


def test_the_program_answers_one_case_after_the_other_until_there_are_no_more():
    cases = [Case({"selfie": b"x"}, "left"), Case({}, "up")]
    asked = b"".join(frames.framed(frames.asked(f"n{number}", case)) for number, case in enumerate(cases))
    answers = io.BytesIO()
    inside.serve(io.BytesIO(asked), answers, frames, examining.Examiner({}, {}))
    expected = [frames.READY, frames.answered("n0", Report()), frames.answered("n1", Report())]
    assert answers.getvalue() == b"".join(map(frames.framed, expected))


# ── The stages ───────────────────────────────────────────────────────────────────────────────────────────────


def reads(seen):
    assert seen.today == date(2026, 11, 26) and seen.case.challenge == "left"
    return replace(seen.report, document_state="not_found")


def breaks(seen):
    seen.crops["selfie"] = 1
    raise ValueError("ERIKSSON")


def looks(seen):
    assert seen.report.document_state == "not_found", "it sees what the stages before it found"
    return replace(seen.report, detections=WHOLE.detections)


def not_installed(settings):
    assert settings == {"a": 1}
    raise ImportError("no module named ERIKSSON")


def examine(**stages):
    return examining.Examiner({"a": 1}, stages, lambda: date(2026, 11, 26)).examine(Case({"selfie": b"x"}, "left"))


def test_a_stage_that_breaks_leaves_the_others_and_its_type():
    found = examine(reading=lambda _: reads, faces=lambda _: breaks, consistency=lambda _: looks)
    assert (found.document_state, found.refusals) == ("not_found", {"selfie": "unavailable"})
    assert found.detections == WHOLE.detections and found.seconds.keys() == {"reading", "faces", "consistency"}
    assert found.failures == {"faces": "ValueError"} and "ERIKSSON" not in found.as_text()


def test_a_stage_that_is_not_installed_is_told_with_every_report():
    found = examine(reading=not_installed, faces=lambda _: lambda seen: seen.report)
    assert (found.document_state, found.failures, found.refusals) == ("unavailable", {"reading": "ImportError"}, {})
    assert found.seconds.keys() == {"faces"}


# ── What cannot be ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        changed("seconds", "reading", to=1e308), changed("seconds", "reading", to=-1), changed("seconds", "ANNA", to=1),
        changed("faces", "selfie", "box", to=[0, 0, 10**4000, 10]), changed("faces", "selfie", "box", to=[5, 0, 5, 9]),
        changed("faces", "selfie", "box", to=[-1, 0, 5, 9]), changed("faces", "selfie", "turned", to=4),
        changed("faces", "ANNA", to=json.loads(WHOLE.as_text())["faces"]["selfie"]),
        changed("refusals", "ANNA", to="no_face"), changed("refusals", "selfie", to="ANNA ERIKSSON"),
        changed("similarities", "id_photo selfie", to=1.1), changed("similarities", "selfie id_photo", to=0.5),
        changed("model", "id", to="Model"), changed("model", "id", to="m" * 65), changed("model", "sha256", to="ab"),
        changed("model", "preprocessing", to="\0"), changed("model", "match", to=0.7), changed("model", "match", to=9),
        changed("document_state", to="forged"), changed("document", "mrz", "format", to="ANNA"),
        changed("document", "mrz", "checks", to={"ANNA": "fail"}),
        changed("document", "mrz", "checks", "expiry", to="x"),
        changed("document", "fields", "ANNA", to=json.loads(WHOLE.as_text())["document"]["fields"]["sex"]),
        changed("document", "fields", "sex", "confidence", to="higher"),
        changed("document", "fields", "sex", "source", to="oracle"),
    ],
)  # fmt: skip
def test_names_that_nobody_gave_and_measures_that_cannot_be_are_not_taken_from_the_process(text):
    report.read(text)
    with pytest.raises(Malformed):
        frames.report_of("name", f"name\n{text}".encode())


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"fields": {}, "mrz": null}', "[" * 100_000])
def test_what_is_no_document_is_not_taken_for_one(text):
    with pytest.raises(report.Malformed):
        report.read_document(text)
