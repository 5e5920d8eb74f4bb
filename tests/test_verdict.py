"""What follows from a report for a session: with the files, challenges and faces that the account has besides it."""

import json
import math
from dataclasses import replace

import pytest

from fv import clock, db
from fv.analysis.detectors import CIRCUMSTANCES
from fv.analysis.findings import read
from fv.analysis.report import Report
from fv.evidence import flows as evidence
from fv.fingerprints import flows as fingerprints
from fv.fingerprints import listing
from fv.sealing import Unreadable
from fv.verifications import due, flows, store, verdict
from tests.conftest import elsewhere
from tests.photos import KINDS, erase_due, photographed, picture
from tests.reports import detection, face, report
from tests.templates import near, template
from tests.test_sessions import bearer, create

PHOTO_DETECTORS = ("same_still", "same_portrait", "head_turn", "sharpness_and_size", "three_people")


@pytest.fixture
def keys(ada):
    """Headers by mode."""
    return {
        mode: bearer(ada.call("POST", "/api/v1/keys", {"name": mode, "mode": mode}).json["secret"])
        for mode in ("live", "test")
    }


@pytest.fixture
def begin(app, keys):
    """A session that was photographed, with another picture for each `look` and kind; it is not submitted yet."""

    def begins(look="one", user="ann", mode="live"):
        id = create(app, keys[mode], user).json["session_id"]
        with app.app_context():
            now = clock.now()
            flows.consent(session(id), now)
            for number, kind in enumerate(KINDS):
                size = (600 + number, 400 + sum(look.encode()))
                assert flows.keep_photo(session(id), kind, picture(size=size), session(id).nonce, now).kind == kind
        return id

    return begins


def session(id):
    account_id = db.one(dict, "SELECT account_id FROM verifications WHERE id = :id", id=id)["account_id"]
    return store.find(account_id, id, None, clock.now())


def seen(number=1, **otherwise):
    """A report in which the photos fit together; another face for each number."""
    faces = dict.fromkeys(KINDS, face(template=tuple(template(number))))
    said = tuple(detection(name) for name in PHOTO_DETECTORS)
    return report(**{"faces": faces, "detections": said} | otherwise)


def reached(app, id, said):
    with app.app_context():
        return verdict.reach(session(id), said, clock.now())


def keep(app, id, said):
    with app.app_context(), db.transaction():
        verdict.keep(session(id), said, clock.now())


def result(found, check):
    return next((one.result, one.reason) for one in found.findings if one.check == check)


def of(found, name):
    return next(one for one in found.detections if one.name == name)


# ── Reached ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_session_in_which_everything_fits_is_accepted(app, begin):
    found = reached(app, begin(), seen())
    assert (found.decision, found.face_match) == ("accept", True), found.findings
    assert {one.name for one in found.detections} == {*PHOTO_DETECTORS, *CIRCUMSTANCES}


def test_the_settings_are_those_of_the_service(make_app, app, begin):
    id = begin()
    assert reached(make_app(ACCEPT_FROM=101), id, seen()).decision == "review"
    assert reached(make_app(ACCEPT_FROM=80, REJECT_BELOW=10), id, seen()).policy["reject_below"] == 10


def test_a_detector_is_in_the_mode_of_the_settings_whatever_the_report_says(make_app, begin):
    app = make_app(DETECTORS={"head_turn": "block", "same_still": "review"})
    said = (detection("head_turn", "monitor", True, 1.0), detection("invented", "block", True, 1.0))
    found = reached(app, begin(), seen(detections=said))
    assert [(one.name, one.mode, one.fired) for one in found.detections] == [
        ("head_turn", "block", True), ("same_still", "review", None)
    ]  # fmt: skip
    assert found.decision == "reject"


def test_a_report_does_not_answer_for_what_only_the_database_knows(app, begin):
    keep(app, begin("one", "ann"), seen(1))
    quiet = tuple(detection(name, reason="Forged.") for name in (*CIRCUMSTANCES, *PHOTO_DETECTORS))
    found = reached(app, begin("one", "ben"), seen(1, detections=quiet))
    assert [of(found, name).fired for name in CIRCUMSTANCES] == [True, False, True, False]
    assert found.decision == "review"


def test_detectors_that_did_not_answer_leave_a_session_to_a_person(app, begin):
    found = reached(app, begin(), seen(detections=()))
    assert found.decision == "review" and result(found, "liveness")[0] == "unavailable"


def test_a_document_expires_on_the_day_of_the_service(app, begin, clock):
    id = begin()
    clock.now = 1_902_527_999.0  # 2030-04-15 23:59:59 UTC
    assert result(reached(app, id, seen()), "document")[0] == "ok"
    clock.now += 1
    assert result(reached(app, id, seen()), "document") == ("review", "The document has expired.")


@pytest.mark.parametrize("numbers", [[0.0] * 128, [math.nan] * 128])
def test_a_report_with_a_template_that_is_none_is_believed_in_nothing(app, begin, numbers):
    id = begin()
    said = seen(faces={"selfie": face(template=tuple(numbers))})
    found = reached(app, id, said)
    assert (found.score, found.decision) == (None, "review")
    assert result(found, "face_match") == ("unavailable", "The analysis of these photos failed.")
    keep(app, id, said)
    with app.app_context():
        assert db.many(dict, "SELECT id FROM fingerprints") == [] == db.many(dict, "SELECT read_at FROM documents")


def test_in_test_mode_the_names_that_ask_for_an_end_get_it(app, begin):
    assert reached(app, begin(user="test_fail", mode="test"), seen()).decision == "reject"
    assert reached(app, begin(user="test_fail"), seen()).decision == "accept"


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_file_in_two_places_of_a_session_is_told_once(app, ada, keys):
    id = create(app, keys["live"]).json["session_id"]
    photographed(app, id, None, kinds=("id_photo", "selfie"))
    with app.app_context():
        flows.keep_photo(session(id), "liveness_frame", picture("sienna"), session(id).nonce, clock.now())
    found = of(reached(app, id, seen()), "same_file")
    assert found.fired and found.reason == "The same file was sent again: head turn as selfie of this session."


def test_a_file_of_another_session_of_the_account_is_told_with_whose_it_was(app, begin):
    first, second, third = begin(), begin(user="ben"), begin("two", "eve")
    found = of(reached(app, second, seen()), "same_file")
    assert found.score == 1 and f"selfie as selfie of {first} (another external id)" in found.reason
    assert of(reached(app, third, seen()), "same_file").fired is False
    again = of(reached(app, begin(), seen()), "same_file")
    assert again.fired and "the same external id" in again.reason


def test_a_file_of_an_erased_session_is_still_known(app, begin, clock):
    begin()
    clock.passes(hours=31 * 24)
    with app.app_context():
        assert erase_due(int(clock.now))
        other = db.one(dict, "SELECT id, token_hash FROM verifications")["id"]
        assert evidence.of_verification(session(other).account_id, other) == []
        account_id = session(other).account_id
        evidence.keep(account_id, "vs_new", "selfie", picture(size=(601, 400 + sum(b"one"))), int(clock.now))
        assert [one.verification_id for one in evidence.copies(account_id, "vs_new")] == [other]


def test_files_of_live_and_test_sessions_are_not_compared(app, begin):
    begin(mode="test")
    assert of(reached(app, begin(), seen()), "same_file").fired is False


# ── Challenges ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_retake_that_was_begun_and_given_up_is_told_and_does_not_fire(app, begin, clock):
    id = begin()
    assert of(reached(app, id, seen()), "challenge_current").score == 0
    with app.app_context():
        flows.new_challenge(session(id), int(clock.now))
    found = of(reached(app, id, seen()), "challenge_current")
    assert found.fired is False and found.score == 0.2


def test_a_head_turn_that_answered_nothing_is_left_to_a_person(app, begin):
    id = begin()
    with app.app_context():
        db.run("UPDATE verifications SET answered = NULL WHERE id = :id", id=id)
    found = reached(app, id, seen())
    assert of(found, "challenge_current").fired and found.decision == "review"


# ── Faces ────────────────────────────────────────────────────────────────────────────────────────────────────


def like(number, cosine):
    return seen(faces=dict.fromkeys(KINDS, face(template=tuple(near(template(number), cosine)))))


def test_the_same_face_under_another_name_is_left_to_a_person_and_under_the_same_name_it_is_fine(app, begin):
    first, again, other = begin("one", "ann"), begin("two", "ann"), begin("three", "ben")
    keep(app, first, seen(1))
    assert reached(app, again, like(1, 0.97)).decision == "accept"
    found = reached(app, other, like(1, 0.97))
    assert found.decision == "review" and result(found, "duplicate")[0] == "review"
    assert first in result(found, "duplicate")[1] and "ann" not in found.as_text()
    assert result(reached(app, other, like(1, 0.90)), "duplicate")[0] == "ok"


def test_of_two_sessions_of_one_face_that_are_examined_at_once_the_later_one_is_told(app, begin):
    first, second = begin("one", "ann"), begin("two", "ben")
    with app.app_context():
        db.run("UPDATE verifications SET status = 'analyzing', submitted_at = 1")

    def meanwhile():
        with app.app_context():
            assert due.analyse_next(int(clock.now()), lambda _case: seen(1))

    def examine(_case):
        elsewhere(meanwhile)
        return seen(1)

    with app.app_context():
        assert due.analyse_next(int(clock.now()), examine)
        ends = {session(id).id: session(id).status for id in (first, second)}
    assert sorted(ends.values()) == ["passed", "review"]


def test_a_face_of_test_mode_is_nobody_in_live_mode(app, begin):
    keep(app, begin("one", mode="test"), seen(1))
    assert result(reached(app, begin("two", "ben"), seen(1)), "duplicate")[0] == "ok"


def blocked(app, session_id, reason="Sold an account"):
    with app.app_context():
        account_id = session(session_id).account_id
        (kept,) = listing.of_session(account_id, session_id)
        assert listing.block(account_id, kept.id, reason, int(clock.now()))
    return kept.id


def test_a_face_of_the_block_list_fails_whatever_name_it_goes_by_and_passes_again_when_it_was_taken_off(app, begin):
    first, again, other = begin("one", "ann"), begin("two", "ann"), begin("three", "ben")
    keep(app, first, seen(1))
    id = blocked(app, first)
    for one in (again, other):
        found = reached(app, one, like(1, 0.97))
        assert found.decision == "reject" and of(found, "blocked_face").fired and found.score < 40
        assert result(found, "duplicate")[0] == "failed" and "Sold" not in found.as_text()
    assert reached(app, again, like(1, 0.90)).decision == "accept"
    assert reached(app, begin("four", "eve", mode="test"), like(1, 0.97)).decision == "accept"
    with app.app_context():
        assert listing.unblock(id) and not listing.unblock(id)
    assert reached(app, again, like(1, 0.97)).decision == "accept"


def test_a_block_list_of_another_face_model_leaves_everybody_to_a_person(app, begin):
    first = begin("one", "ann")
    keep(app, first, seen(1))
    blocked(app, first)
    with app.app_context():
        db.run("UPDATE galleries SET model_sha256 = :other", other="cd" * 32)
    found = reached(app, begin("two", "ben"), seen(2))
    assert of(found, "blocked_face").fired is None and found.decision == "review"


def test_the_block_list_is_compared_with_templates_of_every_rotation(app, begin):
    first = begin("one", "ann")
    keep(app, first, seen(1))
    blocked(app, first)
    with app.app_context():
        account_id = session(first).account_id
        with db.transaction():
            fingerprints.new_rotation(account_id, int(clock.now()))
    second = begin("two", "ben")
    keep(app, second, seen(2))
    blocked(app, second)
    ends = [reached(app, begin(f"again {number}", "eve"), like(number, 0.97)).decision for number in (1, 2, 3)]
    assert ends == ["reject", "reject", "accept"]


def test_with_its_session_a_blocked_face_is_erased(app, begin, clock):
    first = begin("one", "ann")
    keep(app, first, seen(1))
    blocked(app, first)
    clock.passes(hours=31 * 24)
    with app.app_context():
        assert erase_due(int(clock.now)) and db.many(dict, "SELECT * FROM blocked_fingerprints") == []


def test_without_a_face_nobody_can_say_whether_it_is_a_duplicate(app, begin):
    found = reached(app, begin(), seen(faces={}, similarities={}, refusals={"selfie": "blurred"}))
    assert result(found, "duplicate")[0] == "unavailable" and found.decision == "review"


# ── What is kept, and what goes ──────────────────────────────────────────────────────────────────────────────


def test_what_was_read_is_kept_sealed_and_opens_for_its_session_only(app, begin):
    id, other = begin("one"), begin("two", "ben")
    keep(app, id, seen())
    with app.app_context():
        account_id = session(id).account_id
        told = json.loads(evidence.open_document(account_id, id))
        assert told["fields"]["full_name"]["value"] == "ANNA ERIKSSON" and told["mrz"]["format"] == "TD3"
        assert evidence.open_document(account_id, other) is None and evidence.open_document("acc_eve", id) is None
        assert "ERIKSSON" not in str(db.many(dict, "SELECT * FROM documents"))
        db.run("UPDATE documents SET verification_id = :other", other=other)
        with pytest.raises(Unreadable):
            evidence.open_document(account_id, other)


def test_analysing_again_replaces_what_was_kept(app, begin):
    id = begin()
    keep(app, id, seen(1)), keep(app, id, seen(2))
    with app.app_context():
        assert (
            len(db.many(dict, "SELECT id FROM fingerprints"))
            == 1
            == len(db.many(dict, "SELECT read_at FROM documents"))
        )


@pytest.mark.parametrize("said", [Report(), seen(faces={}, document=None), replace(seen(), model=None, document=None)])
def test_of_what_was_not_seen_nothing_is_kept(app, begin, said):
    keep(app, begin(), said)
    with app.app_context():
        assert db.many(dict, "SELECT id FROM fingerprints") == [] == db.many(dict, "SELECT read_at FROM documents")


def test_with_a_session_its_document_and_its_template_are_erased_and_the_findings_stay(app, begin, clock):
    id = begin()
    found = reached(app, id, seen())
    keep(app, id, seen())
    with app.app_context():
        db.run("UPDATE verifications SET findings = :text WHERE id = :id", text=found.as_text(), id=id)
        clock.passes(hours=31 * 24)
        assert erase_due(int(clock.now))
        assert db.many(dict, "SELECT id FROM fingerprints") == [] == db.many(dict, "SELECT read_at FROM documents")
        assert read(session(id).findings).findings == found.findings


def test_of_a_session_that_was_erased_meanwhile_nothing_is_kept(app, begin, clock):
    id = begin()
    clock.passes(hours=31 * 24)
    with app.app_context():
        assert erase_due(int(clock.now))
    keep(app, id, seen())
    with app.app_context():
        assert db.many(dict, "SELECT id FROM fingerprints") == [] == db.many(dict, "SELECT read_at FROM documents")


def test_with_an_account_what_was_read_goes(app, begin):
    id = begin()
    keep(app, id, seen())
    with app.app_context():
        db.run("DELETE FROM accounts")
        assert db.many(dict, "SELECT read_at FROM documents") == [] == db.many(dict, "SELECT made_at FROM rotations")
