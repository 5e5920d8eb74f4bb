"""Reports, as the analysers give them when everything fits; a test says what is otherwise. Nobody's data is in them."""

from fv.analysis.report import Detection, Document, Face, Field, Model, Report, Zone

MODEL = Model("model-1", "ab" * 32, "1", possible=0.8, match=0.92)
NAMES = ("full_name", "date_of_birth", "document_number", "expires_on")
VALUES = {"full_name": "ANNA ERIKSSON", "date_of_birth": "1974-08-12", "document_number": "L898902C3",
          "expires_on": "2030-04-15"}  # fmt: skip
CHECKS = {
    "document_number": "pass",
    "date_of_birth": "pass",
    "expiry": "pass",
    "optional": "absent",
    "composite": "pass",
}


def face(yaw=0.0, pitch=0.0, sharpness=100.0, side=200, template=None):
    return Face((10, 10, 10 + side, 10 + side), 0, yaw, pitch, sharpness, template or (1.0,) + (0.0,) * 127)


def document(checks=None, repaired=(), **fields):
    """`fields`: what is otherwise than read, printed, equal and sure."""
    read = {name: Field(VALUES[name], "both", True, "high") for name in NAMES} | fields
    zone = Zone("TD3", ("P<UTOERIKSSON<<ANNA", "L898902C36UTO"), CHECKS if checks is None else checks, (), repaired)
    return Document({name: field for name, field in read.items() if field is not None}, zone)


def report(**otherwise):
    usual = {
        "document_state": "read", "document": document(), "model": MODEL,
        "faces": {"id_photo": face(), "selfie": face(), "liveness_frame": face(yaw=25.0)},
        "similarities": {"id_photo selfie": 0.95, "id_photo liveness_frame": 0.94, "selfie liveness_frame": 0.97},
    }  # fmt: skip
    return Report(**usual | otherwise)


def detection(name="head_turn", mode="review", fired: bool | None = False, score=0.0, reason="Seen."):
    return Detection(name, "1", None if fired is None else score, mode, fired, reason)


def quiet():
    """What the detectors say when nothing is odd."""
    return [detection(name) for name in ("same_still", "head_turn", "three_people", "same_file", "duplicate_face")]
