"""Whatever is sent, the answer is a clear 4xx and never a 500."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fv import db
from fv.evidence import child
from tests.conftest import Visitor
from tests.test_capture import Person
from tests.test_intake import bomb, file, picture, with_zip

FORMS = (
    "/register",
    "/login",
    "/login/code",
    "/setup",
    "/setup/codes",
    "/setup/codes/dismiss",
    "/keys",
    "/account/logins/end",
    "/webhooks",
)
BODIES = ("/api/v1/keys", "/api/v1/webhooks", "/api/v1/totp/setup", "/api/v1/totp/confirm")
RAW = (
    b"", b"\x00", b"\xff\xfe", b"{", b"null", b"[]", b"7", b'"x"', b"{}", b'{"code": null}', b'{"code": 123456}',
    b'{"code": ["1"]}', b'{"code": {"a": 1}}', b'{"name": "\\ud800"}', b'{"name": "\\u0000"}', b'{"code": "\xff"}',
    b'{"code": "1", "code": "2"}', b'{"name": 1e999}', b"[" * 100_000, b'{"a":' * 50_000, b"9" * 60_000,
)  # fmt: skip


@pytest.fixture
def everybody(app, clock, ada):
    unenrolled, pending = Visitor(app, clock, "new@example.org"), ada.another()
    unenrolled.signs_up()
    pending.proves_password()
    return [Visitor(app, clock), unenrolled, pending, ada]


def is_clear(answer):
    return answer.status_code < 500


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    "mimetype", ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_any_body_is_answered_clearly(everybody, path, mimetype):
    for visitor in everybody:
        for raw in RAW:
            answer = visitor.client.post(path, data=raw, content_type=mimetype)
            assert is_clear(answer), (path, mimetype, raw[:40], answer.status_code)
            if answer.status_code >= 400:
                assert answer.json["code"], raw[:40]


@pytest.mark.parametrize("path", FORMS)
def test_any_form_is_answered_clearly(everybody, path):
    values = ("", "\x00", "x" * 5000, "１２３４５６", "' OR 1=1 --", "<script>", "\udcff", "%ff", "\r\nX: y", "{{7*7}}")
    for visitor in everybody:
        for value in values:
            sent = "&".join(
                f"{name}={value}" for name in ("email", "password", "code", "name", "scope", "login", "mode", "url")
            )
            body = sent.encode("utf-8", "surrogateescape")
            answer = visitor.client.post(path, data=body, content_type="application/x-www-form-urlencoded")
            assert is_clear(answer), (path, value[:20], answer.status_code)


@pytest.mark.parametrize("path", [*FORMS, *BODIES])
def test_a_body_over_the_limit_is_413(everybody, path):
    """Or refused before it is read, by a standing that may not send one."""
    big = b'{"code": "' + b"1" * 70_000 + b'"}'
    for visitor in everybody:
        for mimetype in ("application/json", "application/x-www-form-urlencoded"):
            if path in FORMS and mimetype == "application/json":
                continue  # a form view does not read it
            answer = visitor.client.post(path, data=big, content_type=mimetype)
            assert answer.status_code in (401, 403, 409, 413) or answer.status_code == 303, (path, answer.status_code)


def test_a_form_over_the_limit_says_so(visitor):
    answer = visitor.post("/login", email="x" * 70_000, password="y")
    assert answer.status_code == 413 and "Too much at once" in answer.text
    visitor.signs_up()
    answer = visitor.client.post("/api/v1/totp/confirm", data=b" " * 70_000, content_type="application/json")
    assert answer.json["code"] == "body_too_large"


def test_multipart_floods_are_refused(visitor):
    parts = {f"field{n}": "x" for n in range(2000)}
    assert visitor.client.post("/login", data=parts, content_type="multipart/form-data").status_code == 413


def test_json_says_what_is_wrong_with_it(visitor):
    visitor.signs_up()

    def sent(raw, mimetype="application/json"):
        answer = visitor.client.post("/api/v1/totp/confirm", data=raw, content_type=mimetype)
        return answer.status_code, answer.json["code"], answer.json.get("errors", [{}])[0].get("code")

    assert sent(b"{") == (400, "malformed", None)
    assert sent(b"\xff") == (400, "malformed", None)
    assert sent(b"{}", "text/plain") == (415, "unsupported_media_type", None)
    assert sent(b"{}") == (422, "invalid_request", "missing")
    assert sent(b'{"code": 123456}') == (422, "invalid_request", "wrong_type")
    assert sent(b'{"code": "000000", "x/y~z": 1}') == (422, "invalid_request", "unknown")
    assert sent(b'{"code": "x"}') == (422, "invalid_code", "invalid_code")


ADDRESSES = (
    "/%00", "/%ff", "/%c3%28", "/a%0d%0ab", "/" + "a" * 8000, "/..%2f..%2fetc/passwd", "/static/%2e%2e/wsgi.py",
    "/static/%00", "/keys/%ff/revoke", "/api/v1/keys/%00", "/api/v1/keys/..", "/login?next=%ff%fe",
    "/login?next=/%00", "/?a=%zz&&&=", "/api/v1/keys?limit=%ff",
)  # fmt: skip


@pytest.mark.parametrize("path", ADDRESSES)
def test_any_address_is_answered_clearly(everybody, path):
    for visitor in everybody:
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            answer = visitor.client.open(path, method=method)
            assert is_clear(answer), (path, method, answer.status_code)
            answer.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "facevault=" + "x" * 3900}, {"Cookie": "facevault"}, {"Cookie": "=;=;="}, {"Cookie": "facevault=é"},
        {"Authorization": "Bearer"}, {"Authorization": ""}, {"Authorization": "\x00"}, {"X-FaceVault-Api-Key": "é"},
        {"HX-Request": "yes"}, {"Origin": "\x00"}, {"Sec-Fetch-Site": ""}, {"Host": "[::1"}, {"Host": "a b"},
        {"Host": ""}, {"Content-Length": "-1"}, {"Content-Length": "x"},
        {"Content-Type": "multipart/form-data; boundary="},
        {"X-HTTP-Method-Override": "GET"}, {"User-Agent": "\x00" * 500}, {"If-None-Match": '"'}, {"Range": "bytes=x"},
    ],
)  # fmt: skip
def test_any_header_is_answered_clearly(everybody, headers):
    for visitor in everybody:
        for method, path in (
            ("GET", "/dashboard"),
            ("POST", "/login"),
            ("GET", "/api/v1/me"),
            ("GET", "/static/copy.js"),
        ):
            answer = visitor.client.open(path, method=method, headers=headers)
            assert is_clear(answer), (headers, path, answer.status_code)
            answer.close()


PHOTOS = {
    "HTML": (b"<!doctype html><script>alert(1)</script>", "not_a_photo"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "not_a_photo"),
    "GIF": (file(format="GIF"), "not_a_photo"),
    "a truncated JPEG": (file(picture((640, 480)))[:-400], "damaged"),
    "a PNG of 30,000 x 30,000": (bomb(), "too_many_pixels"),
    "a JPEG with a ZIP behind it": (with_zip(file()), "carries_more"),
    "zero bytes": (b"", "missing"),
}


def test_what_is_no_clean_photo_is_refused_at_both_doors_and_leaves_nothing(app, ada, monkeypatch):
    monkeypatch.setattr(child, "MEMORY", 256 * 1024 * 1024)  # bytes of address space: 900 megapixels do not fit
    eve, good = Person(ada), file()

    def refused(answer, status, code, why=None):
        assert (answer.status_code, answer.json["code"]) == (status, code)
        assert [error["code"] for error in answer.json.get("errors", [])] == ([why] if why else [])
        with app.app_context():
            assert db.many(dict, "SELECT id FROM photos") == []
        assert [path for path in app.config["BLOBS"].rglob("*") if path.is_file()] == []

    eve.opens()
    refused(eve.sends("selfie", good), 422, "consent_required")
    assert eve.takes("selfie", good).status_code == 422
    eve.agrees()
    for raw, why in PHOTOS.values():
        page = eve.takes("selfie", raw)
        assert page.status_code == 422 and 'role="alert"' in page.text
        refused(eve.sends("selfie", raw), 422, "invalid_photo", why)
    assert eve.takes("liveness_frame", good, nonce="wrong").status_code == 422
    refused(eve.sends("liveness_frame", good, nonce="wrong"), 422, "invalid_nonce")
    eve.nonce = eve.sends("liveness_frame", good, nonce="wrong").json["challenge_nonce"]
    for kind in ("id_photo", "selfie", "liveness_frame"):
        assert eve.sends(kind, good, nonce=eve.nonce).status_code == 201
    assert eve.calls("POST", "submit").status_code == 200
    twice = eve.calls("POST", "submit")
    assert (twice.status_code, twice.json["code"]) == (409, "invalid_transition")
    assert eve.submits().location == "/v/s" and eve.heading() == "Received. Thank you.", "a person is shown the end"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(["name", "scopes", "mode", "expires_at", "code", "re_enrolment_code", "url", "events", "x"])


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(fields, anything, max_size=5))
def test_json_of_any_shape_is_answered_clearly(everybody, body):
    for visitor in everybody[1:]:
        for path in BODIES:
            answer = visitor.client.post(path, data=json.dumps(body), content_type="application/json")
            assert is_clear(answer) and answer.json, (path, body)
