"""What is known of the default face model without loading it: its files, its name, what its cosines mean. Pure."""

from fv.analysis.report import Model

EYES_AND_NOSE = "shape_predictor_5_face_landmarks.dat"
RESNET = "dlib_face_recognition_resnet_model_v1.dat"
SHA256 = {
    EYES_AND_NOSE: "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    RESNET: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
}

#: Its author calls a distance under 0.6 one person (dlib, dnn_face_recognition_ex.cpp: 99.38 % right on the photos of
#: LFW). Its vectors have lengths of 1.36 to 1.46 on our photos, where 0.6 is a cosine from 0.90 to 0.92: below is
#: another person, above is a match, between a person looks. Measured on the originals of tests/data/faces and one more
#: portrait: one person 0.949 to 0.971, different ones at most 0.838. Those are three people: too few to say how often
#: it errs.
MODEL = Model("dlib-resnet-1", SHA256[RESNET], "dlib-chip-150-25-1", possible=0.90, match=0.92)
