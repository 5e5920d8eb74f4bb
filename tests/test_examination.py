"""The real examination, in its own process with its limits: real models, photos of people, a synthetic document."""

import io
from pathlib import Path

import pytest
from PIL import Image

from fv.analysis import detectors, images
from fv.analysis.report import Case
from fv.jobs.analyst import Analyst
from fv.models import flows as models
from fv.models import registry
from tests import onnx_bytes
from tests.photos import picture
from tests.test_faces import beside

pytestmark = pytest.mark.long

DATA = Path(__file__).parent / "data"
GIB = 1024**3


def photo(path: str) -> bytes:
    return (DATA / path).read_bytes()


def case(id_photo: bytes, selfie: str = "person_a_2", liveness_frame: str = "person_a_1") -> Case:
    faces = {"selfie": photo(f"faces/{selfie}.jpg"), "liveness_frame": photo(f"faces/{liveness_frame}.jpg")}
    return Case({"id_photo": id_photo} | faces, "left")


def examined(asked: Case, **settings):
    analyst = Analyst(settings={"detectors": detectors.modes("")} | settings)
    try:
        report = analyst.examine(asked)
        peak = next(line for line in Path(f"/proc/{analyst.pid}/status").read_text().splitlines() if "VmHWM" in line)
        return report, int(peak.split()[1]) * 1024
    finally:
        analyst.close()


def jpeg(image) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=92)
    return out.getvalue()


def fired(report):
    return {one.name for one in report.detections if one.fired}


def test_a_document_is_read_and_faces_are_compared_within_one_gibibyte():
    report, peak = examined(case(photo("specimens/persp_00_TD3.jpg")))
    assert (report.failures, report.document_state) == ({}, "read")
    assert report.document.fields["full_name"].confidence == "high"
    assert report.model.band(report.similarities["selfie liveness_frame"]) == "match"
    assert set(report.seconds) == {"reading", "faces", "consistency"} and peak < GIB


def test_three_photos_of_one_person_fit_together_and_the_turn_is_seen():
    report, _ = examined(case(photo("documents/specimen_td3.jpg")))
    assert report.document_state == "read" and report.refusals == {}
    assert set(map(report.model.band, report.similarities.values())) == {"match"} and fired(report) == set()


def test_the_portrait_of_the_document_as_selfie_is_told():
    report, _ = examined(case(photo("documents/specimen_td3.jpg"), "../documents/specimen_td3"))
    assert report.model.band(report.similarities["id_photo selfie"]) == "match"
    assert "same_portrait" in fired(report)


def test_another_person_and_a_photo_sent_twice_are_told():
    report, _ = examined(case(photo("faces/person_b.jpg"), "person_a_1", "person_a_1"))
    assert report.model.band(report.similarities["id_photo selfie"]) == "no"
    assert fired(report) == {"same_still", "head_turn", "three_people"}


def test_a_picture_without_a_face_or_a_document_is_refused_by_name():
    report, _ = examined(case(picture()))
    assert report.document_state == "not_found" and report.refusals == {"id_photo": "no_face"}


@pytest.mark.parametrize(("who", "selfie"), [("person_a_1", "person_a_2"), ("person_b", "person_b")])
def test_the_face_of_who_holds_a_document_beside_it_is_not_that_of_the_document(who, selfie):
    own = images.resized(images.decode(photo(f"faces/{who}.jpg")), 1400)
    document = images.resized(images.decode(photo("documents/specimen_td3.jpg")), 1000)
    report, _ = examined(case(jpeg(images.at_most(beside(own, document), 2400)[0]), selfie))
    assert (report.document_state, report.refusals) == ("read", {"id_photo": "elsewhere"})
    assert "id_photo selfie" not in report.similarities and "id_photo" not in report.faces


def test_a_portrait_cut_out_of_the_document_is_told_as_the_selfie():
    whole = photo("documents/specimen_td3.jpg")
    cut = io.BytesIO()
    Image.open(io.BytesIO(whole)).crop((140, 190, 380, 450)).resize((960, 1040)).save(cut, "JPEG", quality=70)
    frame = photo("faces/person_a_2.jpg")
    report, _ = examined(Case({"id_photo": whole, "selfie": cut.getvalue(), "liveness_frame": frame}, "left"))
    assert report.refusals == {} and "same_portrait" in fired(report)


def test_a_model_that_was_added_is_read_by_the_confined_process(make_app, tmp_path):
    file = tmp_path / "tiny.onnx"
    file.write_bytes(onnx_bytes.model())
    app = make_app(FACE_MODEL="tiny")
    with app.app_context():
        models.keep(*models.look_at(file, "tiny", models.Use("rgb", 0.0, 1.0, 0.29, 0.363)))
        settings = models.for_analysis()
        kept = registry.folder() / "tiny.onnx"
        report, _ = examined(case(photo("faces/person_a_1.jpg")), **settings)
        assert (report.failures, report.model.id) == ({}, "tiny") and len(report.faces) == 3
        kept.write_bytes(onnx_bytes.model(factor=2.0))  # another one under its name is not used
        report, _ = examined(case(photo("faces/person_a_1.jpg")), **settings)
        assert report.failures == {"faces": "Unfit"} and report.model is None
        assert set(report.refusals.values()) == {"unavailable"}


def test_a_model_that_is_not_there_is_not_replaced_by_another(make_app):
    with make_app(FACE_MODEL="gone").app_context():
        report, _ = examined(case(photo("faces/person_a_1.jpg")), **models.for_analysis())
    assert list(report.failures) == ["faces"] and report.model is None


def test_one_photo_and_one_stage_are_enough_to_find_a_face():
    report, peak = examined(Case({"selfie": photo("faces/person_a_1.jpg")}, ""), stages=["faces"])
    assert (report.failures, set(report.seconds), set(report.faces)) == ({}, {"faces"}, {"selfie"})
    assert len(report.faces["selfie"].template) == 128 and peak < GIB / 4
