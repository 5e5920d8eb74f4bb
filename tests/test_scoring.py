"""From a report to a decision: what each check says, what it counts, and what nothing can make up for."""

import json
from dataclasses import replace
from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fv.analysis import findings
from fv.analysis.report import Field, Report
from fv.analysis.scoring import BROKEN, POINTS, RULES, Policy, judge
from tests.reports import CHECKS, MODEL, NAMES, VALUES, detection, document, quiet, report

TODAY = date(2026, 3, 1)
POLICY = Policy()
SELFIE = "id_photo selfie"


def judged(said=None, detections=None, policy=POLICY, today=TODAY):
    return judge(said or report(), quiet() if detections is None else detections, policy, today)


def result(found, check):
    (one,) = [one for one in found.findings if one.check == check]
    return one.result, one.reason


def points(found):
    return {part.check: part.points for part in found.parts}


def like(similarity, **others):
    return report(similarities={SELFIE: similarity} | others)


# ── When everything fits ─────────────────────────────────────────────────────────────────────────────────────


def test_a_session_in_which_everything_fits_is_accepted_with_most_of_the_points():
    found = judged()
    assert (found.decision, found.face_match) == ("accept", True) and 90 <= found.score <= 100
    assert [one.check for one in found.findings] == list(findings.CHECKS)
    assert {one.result for one in found.findings} == {"ok"}
    assert {part.check: part.of for part in found.parts} == {
        "document": 30,
        "mrz": 20,
        "face_match": 30,
        "liveness": 20,
    }
    assert sum(POINTS.values()) == 100 and found.score == sum(points(found).values())


def test_the_best_face_and_no_suspicion_give_all_points_and_a_bare_match_four_fifths():
    assert judged(like(1.0)).score == 100
    assert points(judged(like(0.92)))["face_match"] == 24
    assert points(judged(like(1.2)))["face_match"] == 30, "rounding can make a cosine larger than one"


def test_what_detectors_found_a_little_odd_costs_points_though_none_fired():
    odd = [detection("head_turn", score=1.0), detection("duplicate_face")]
    assert points(judged(detections=odd))["liveness"] == 16


def test_the_decision_says_by_what_it_was_made():
    assert judged(policy=Policy(80, 30)).policy == {"rules": RULES, "accept_from": 80, "reject_below": 30}
    assert judged().detections == tuple(quiet()) and judged().model == MODEL.id


def test_likenesses_are_told_with_their_bands():
    found = judged(like(0.95, **{"selfie liveness_frame": 0.123456}))
    assert [(one.photos, one.similarity, one.band) for one in found.likenesses] == [
        (("id_photo", "selfie"), 0.95, "match"), (("selfie", "liveness_frame"), 0.1235, "no")
    ]  # fmt: skip


# ── The document ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_field_that_is_not_sure_is_for_a_person_and_named_without_its_value():
    unsure = Field("L898902C3", "mrz", None, "review")
    found = judged(report(document=document(document_number=unsure)))
    said, reason = result(found, "document")
    assert (said, found.decision) == ("review", "review") and points(found)["document"] == 15
    assert "document number" in reason and "L898902C3" not in reason


def test_a_printed_text_that_says_something_else_is_told_as_that():
    differs = Field("ERIKSSON", "both", False, "review", "ERICSON")
    _, reason = result(judged(report(document=document(surname=differs))), "document")
    assert reason == "Printed text and machine-readable zone differ in surname."


@pytest.mark.parametrize(
    ("expires", "said"), [("2026-03-01", "ok"), ("2026-02-28", "review"), ("2026-13-01", "review"), ("", "review")]
)
def test_a_document_is_good_until_the_end_of_its_last_day(expires, said):
    field = Field(expires, "both", True, "high")
    found = judged(report(document=document(expires_on=field)))
    assert result(found, "document")[0] == said


def test_a_document_without_a_date_of_expiry_is_for_a_person():
    assert "could not be read" in result(judged(report(document=document(expires_on=None))), "document")[1]


def test_a_document_of_which_nothing_was_read_is_for_a_person():
    empty = document(**dict.fromkeys(NAMES))
    assert "Nothing was read." in result(judged(report(document=empty)), "document")[1]


def test_without_a_machine_readable_zone_a_person_looks_and_the_face_still_counts():
    found = judged(report(document_state="not_found", document=None))
    assert result(found, "document")[0] == result(found, "mrz")[0] == "review"
    assert found.decision == "review" and found.face_match is True


@pytest.mark.parametrize("state", ["unavailable", "read"])
def test_a_document_that_nobody_read_is_unavailable(state):
    found = judged(report(document_state=state, document=None))
    assert result(found, "document")[0] == result(found, "mrz")[0] == "unavailable"
    assert (points(found)["document"], found.decision) == (None, "review")


# ── The machine-readable zone ────────────────────────────────────────────────────────────────────────────────


def test_a_check_digit_that_does_not_fit_is_never_ok():
    found = judged(report(document=document(checks=CHECKS | {"document_number": "fail", "composite": "fail"})))
    said, reason = result(found, "mrz")
    assert said == "review" and "document number, composite" in reason and found.decision == "review"


def test_check_digits_that_fit_are_counted():
    assert result(judged(), "mrz") == ("ok", "All 4 check digits fit.")
    one = judged(report(document=document(checks={"composite": "pass"})))
    assert result(one, "mrz")[1] == "The one check digit that there is fits."


def test_a_zone_without_any_check_digit_is_for_a_person():
    assert result(judged(report(document=document(checks={"optional": "absent"}))), "mrz")[0] == "review"


def test_repairs_cost_points_and_are_counted_without_saying_what_was_read():
    found = judged(report(document=document(repaired=("O became 0 in L898902C3",))))
    said, reason = result(found, "mrz")
    assert (said, points(found)["mrz"]) == ("ok", 16) and "1 repair " in reason and "L89" not in reason


# ── The face ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("similarity", "said", "match", "decision"),
    [(0.92, "ok", True, "accept"), (0.9199, "review", None, "review"), (0.8, "review", None, "review"),
     (0.7999, "failed", False, "reject"), (-1.0, "failed", False, "reject")],
)  # fmt: skip
def test_the_bands_of_the_model_decide_about_the_face(similarity, said, match, decision):
    found = judged(like(similarity))
    assert (result(found, "face_match")[0], found.face_match, found.decision) == (said, match, decision)


def test_the_reason_says_the_number_and_the_one_it_is_measured_by():
    assert "0.89; a match starts at 0.92" in result(judged(like(0.89)), "face_match")[1]


@pytest.mark.parametrize("code", ["no_face", "several_faces", "too_small", "blurred", "another"])
def test_a_photo_without_a_usable_face_is_for_a_person_who_is_told_why(code):
    found = judged(report(similarities={}, refusals={"selfie": code}))
    said, reason = result(found, "face_match")
    assert said == "review" and "the selfie" in reason.replace("The", "the") and found.face_match is None


def test_both_photos_without_a_face_are_told():
    found = judged(
        report(similarities={}, refusals={"selfie": "blurred", "id_photo": "no_face", "liveness_frame": "x"})
    )
    assert "ID photo and the face on the selfie is too blurred" in result(found, "face_match")[1]


@pytest.mark.parametrize("refusals", [{}, {"selfie": "unavailable"}, {"liveness_frame": "no_face"}])
def test_faces_that_could_not_be_compared_are_unavailable(refusals):
    found = judged(report(similarities={}, refusals=refusals))
    assert result(found, "face_match")[0] == "unavailable" and found.decision == "review"


def test_without_a_face_model_there_is_no_face_check_and_no_likeness():
    found = judged(report(model=None))
    assert result(found, "face_match")[0] == "unavailable" and found.likenesses == () and found.model is None


# ── The detectors ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_review_detector_that_fires_leaves_the_session_to_a_person():
    found = judged(detections=[*quiet(), detection("other", "review", True, 0.9, "Odd.")])
    assert result(found, "liveness") == ("review", "Odd.") and found.decision == "review" and found.score <= 69


def test_a_block_detector_decides_alone():
    found = judged(detections=[*quiet(), detection("other", "block", True, 1.0, "Odd.")])
    assert result(found, "liveness")[0] == "failed" and found.decision == "reject" and found.score < 40


def test_a_detector_that_is_only_monitored_changes_nothing():
    for fired in (True, None):
        assert judged(detections=[*quiet(), detection("other", "monitor", fired, 1.0)]).score == judged().score


def test_a_detector_that_could_not_look_makes_its_check_unavailable():
    found = judged(detections=[*quiet(), detection("other", "review", None, reason="Could not look.")])
    assert result(found, "liveness") == ("unavailable", "Could not look.") and found.decision == "review"


def test_what_fired_comes_before_what_could_not_look_and_both_are_told():
    said = [detection("a", "review", None, reason="Blind."), detection("b", "review", True, reason="Odd.")]
    assert result(judged(detections=said), "liveness") == ("review", "Odd. Blind.")


def test_a_duplicate_face_is_a_check_of_its_own_without_points():
    said = [*quiet()[:-1], detection("duplicate_face", "review", True, 0.97, "Somebody else.")]
    found = judged(detections=said)
    assert result(found, "duplicate") == ("review", "Somebody else.") and result(found, "liveness")[0] == "ok"
    assert "duplicate" not in points(found) and found.decision == "review"


def test_without_any_detector_nothing_is_taken_for_fine():
    found = judged(detections=[])
    assert result(found, "liveness")[0] == result(found, "duplicate")[0] == "unavailable"


# ── What follows ─────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_missing_neither_passes_nor_fails_anybody():
    """Only the detectors looked: 20 points of 100 would be a rejection."""
    found = judged(report(document_state="unavailable", similarities={}, refusals={"selfie": "unavailable"}))
    assert (found.score, found.decision) == (40, "review")


def test_what_failed_counts_more_than_what_is_missing():
    assert judged(replace(like(0.1), document_state="unavailable")).decision == "reject"


def test_four_halves_are_left_to_a_person():
    said = replace(like(0.85), document_state="not_found")
    found = judged(said, [detection("head_turn", fired=True), detection("duplicate_face")])
    assert (found.score, found.decision) == (50, "review")


def test_the_settings_move_the_bands():
    assert judged(like(0.93), policy=Policy(accept_from=99)).decision == "review"
    assert judged(policy=Policy(accept_from=101)).decision == "review"
    unread = report(document_state="not_found", document=None)
    assert judged(unread, policy=Policy(accept_from=90, reject_below=80)).decision == "reject"


def test_below_zero_nobody_is_rejected_by_points_but_a_block_still_rejects():
    policy = Policy(reject_below=0)
    assert (judged(like(0.1), policy=policy).score, judged(like(0.1), policy=policy).decision) == (0, "review")
    assert judged(detections=[detection(mode="block", fired=True)], policy=policy).decision == "reject"


def test_the_bands_meet_without_a_gap():
    decisions = [Policy().decision(score) for score in (0, 39, 40, 69, 70, 100)]
    assert decisions == ["reject", "reject", "review", "review", "accept", "accept"]


def test_what_fails_or_needs_a_person_lies_just_outside_of_the_next_band_at_best():
    assert judged(detections=[*quiet(), detection("other", "block", True)]).score == 39
    assert judged(detections=[*quiet(), detection("other", "review", True)]).score == 69
    assert points(judged(like(0.1)))["face_match"] == 0
    assert points(judged(detections=[*quiet(), detection("other", "block", True)]))["liveness"] == 0


def test_the_oddest_of_the_detectors_counts():
    said = [detection("a", score=0.0), detection("b", score=1.0), detection("duplicate_face")]
    assert points(judged(detections=said))["liveness"] == points(judged(detections=said[::-1]))["liveness"] == 16


@pytest.mark.parametrize(("accept", "reject"), [(40, 40), (30, 40), (102, 40), (70, -1)])
def test_a_policy_that_leaves_nothing_to_a_person_is_refused(accept, reject):
    with pytest.raises(ValueError, match="between the two"):
        Policy(accept, reject)


def test_without_any_analyser_every_check_is_unavailable_and_a_person_decides():
    found = judged(Report(), [])
    assert [one.result for one in found.findings] == ["unavailable"] * 5
    assert (found.score, found.decision, found.face_match) == (None, "review", None)
    assert {one.reason for one in found.findings} == {"No analyser is installed for this."}
    assert {part.points for part in found.parts} == {None}


def test_when_the_analysis_broke_down_that_is_said_of_every_check():
    found = judge(Report(), [], POLICY, TODAY, blind=BROKEN)
    assert {one.reason for one in found.findings} == {"The analysis of these photos failed."}


def test_a_detector_that_needs_no_analyser_is_told_and_may_block_without_one():
    said = [detection("same_file", "review", True, 1.0, "Sent before.")]
    found = judged(Report(), said)
    assert result(found, "liveness") == ("unavailable", "No analyser is installed for this. Sent before.")
    assert found.decision == "review"
    assert result(found, "duplicate") == result(found, "mrz") == ("unavailable", "No analyser is installed for this.")
    assert judged(Report(), [detection(reason="Not told.")]).findings == judged(Report(), []).findings
    assert judged(Report(), [detection("same_file", "block", True, 1.0)]).decision == "reject"


STATES = [("read", document()), ("not_found", None), ("unavailable", None)]
SAID = st.lists(
    st.builds(detection, st.sampled_from(["head_turn", "same_file", "duplicate_face", "other"]),
              st.sampled_from(["monitor", "review", "block"]), st.sampled_from([True, False, None]), st.floats(0, 1)),
    max_size=6,
)  # fmt: skip


@given(st.sampled_from(STATES), st.none() | st.floats(-1, 1), SAID, st.integers(0, 100), st.integers(1, 101))
def test_nothing_that_is_missing_odd_or_failed_is_ever_accepted(state, similarity, said, reject, accept):
    policy = Policy(max(accept, reject + 1), reject)
    alike = {} if similarity is None else {SELFIE: similarity}
    found = judged(report(document_state=state[0], document=state[1], similarities=alike), said, policy)
    results = {one.result for one in found.findings}
    blocks = any(one.fired and one.mode == "block" for one in said)
    assert found.score is not None and 0 <= found.score <= 100
    if found.decision == "accept":
        assert results == {"ok"} and found.score >= policy.accept_from
    if blocks:
        assert found.decision == "reject"
    elif "failed" in results:
        assert found.decision == ("reject" if reject else "review")
    elif "unavailable" in results:
        assert found.decision == "review"
    if not blocks:
        assert found.decision == policy.decision(found.score)


# ── What is stored ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("said", [report(), Report(), like(0.5), report(document_state="not_found", document=None)])
def test_what_was_stored_is_read_again(said):
    found = judged(said)
    told = findings.read(found.as_text())
    for name in findings.Told.__dataclass_fields__:
        assert getattr(told, name) == getattr(found, name)
    assert not {"score", "decision", "face_match"} & json.loads(found.as_text()).keys()


def test_rows_of_the_first_version_still_read():
    old = '[{"check": "document", "result": "ok", "reason": "whole."}]'
    assert findings.read(old) == findings.Told((findings.Finding("document", "ok", "whole."),))
    assert findings.read(None) == findings.read("") == findings.read("[]") == findings.Told()


def test_what_is_kept_after_erasure_says_nothing_of_the_person():
    """Whatever went wrong with each field, alone and together, and whatever was repaired."""
    texts = []
    for agrees, confidence, check in product((True, False, None), ("high", "review"), ("pass", "fail")):
        fields = {name: Field(VALUES[name], "both", agrees, confidence, f"not {VALUES[name]}") for name in NAMES}
        fields["expires_on"] = replace(fields["expires_on"], value="2020-04-15")
        checks = dict.fromkeys(CHECKS, check)
        read = document(checks=checks, repaired=("L898902C3: O became 0",), **fields)
        texts.append(judged(report(document=read)).as_text())
    for value in [*VALUES.values(), "2020", "UTO", "ERIKSSON"]:
        assert not [text for text in texts if value in text], value


def test_fields_that_documents_do_not_print_alone_keep_nobody_from_passing():
    """Sex, type and issuer are seldom printed as in the zone; the nationality often in words."""
    unprinted = {
        name: Field("UTO", "mrz", None, "review") for name in ("type", "sex", "issuing_country", "nationality")
    }
    assert judged(report(document=document(**unprinted))).decision == "accept"
    differs = Field("UTO", "both", False, "review", "USA")
    assert judged(report(document=document(nationality=differs))).decision == "review"


@pytest.mark.parametrize("name", ["full_name", "date_of_birth", "document_number"])
def test_what_identifies_a_person_has_to_be_sure(name):
    unsure = Field("X", "mrz", None, "review")
    assert judged(report(document=document(**{name: unsure}))).decision == "review"


def test_a_birth_to_come_and_a_name_of_nothing_are_left_to_a_person_however_sure_they_are():
    later = judged(report(document=document(date_of_birth=Field("2026-03-02", "both", True, "high"))))
    assert (later.decision, result(later, "document")) == ("review", ("review", "The date of birth is to come."))
    assert (
        judged(report(document=document(date_of_birth=Field("2026-03-01", "both", True, "high")))).decision == "accept"
    )
    for name in ("full_name", "date_of_birth", "document_number"):
        nothing = judged(report(document=document(**{name: Field(" ", "both", True, "high")})))
        assert (nothing.decision, result(nothing, "document")[0]) == ("review", "review")
