"""Whatever the document of the API allows, and what it does not, is sent to a real server: it keeps to the document."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from fv.keys import scopes
from tests.live import Server
from tests.photos import picture
from tests.test_serving import enrolled

#: Of all checks of schemathesis this alone is left out everywhere: what follows is refused, and no schema can say so. A
#: cursor of somebody else, a time that is over, a day before 1970, an embedding of zeros, two of three ways to name a
#: face, an Idempotency-Key that was used for another body. tests/fuzzing.py has a narrower check in its place.
LEFT_OUT = "positive_data_acceptance"
#: A fingerprint of a session goes with it: what was just made may be gone because of a call that names something else.
TAKEN_ALONG = """
[[operations]]
include-path-regex = "^/api/v1/fingerprints/"
[operations.checks.ensure_resource_availability]
enabled = false
"""
FINE = "No issues found"
ENOUGH = 12  # examples of each call and phase


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    # so many sessions and keys are made that the limits would be all that is tested; webhooks lead to nobody
    server = Server(
        tmp_path_factory.mktemp("fuzzed"), FV_SESSIONS_ACCOUNT="10000/1m", FV_KEYS_PER_ACCOUNT="1000",
    )  # fmt: skip
    yield server.start()
    server.ends()


@pytest.fixture
def ada(server):
    client = server.client()
    enrolled(client, f"ada.{secrets.token_hex(3)}@example.org")
    return client


def things(client):
    """Some of each kind, for calls that name one: path of the document up to the id → ids."""

    def made(path, body, number=6):
        return [client.post(f"/api/v1{path}", json=body).json() for _ in range(number)]

    def ids(answers, name="id"):
        return [one[name] for one in answers]

    sessions = made("/sessions", {"external_user_id": "test_review"})
    photographed(client, sessions[0]["session_token"])
    gone = [
        client.request("DELETE", f"/api/v1/sessions/{one['session_id']}/data", json={"reason": "letter 12"}).json()
        for one in made("/sessions", {"external_user_id": "test_pass"}, 3)
    ]
    faces = [
        client.post(
            "/api/v1/fingerprints",
            json={"embedding": [float(n), *[1.0] * 127], "model": "dlib-resnet-1", "external_user_id": f"face-{n}"},
        ).json()
        for n in range(6)
    ]
    webhooks = made("/webhooks", {"url": "https://shop.example/facevault"})
    deliveries = [client.post(f"/api/v1/webhooks/{one['id']}/test").json() for one in webhooks[3:]]
    return {
        "/api/v1/sessions/": ids(sessions, "session_id"),
        "/api/v1/links/": ids(made("/links", {})),
        "/api/v1/keys/": ids(made("/keys", {"name": "spare"}, 12)),
        "/api/v1/fingerprints/": ids(faces),
        "/api/v1/webhooks/": ids(webhooks),
        "/api/v1/deliveries/": ids(deliveries),
        "/api/v1/erasures/": ids(gone),
    }


def photographed(client, token):
    """All three photos, and submitted."""
    bearer = {"Authorization": f"Bearer {token}"}
    state = client.post("/api/v1/capture/consent", headers=bearer).json()
    for kind in state["steps"]:
        nonce = client.post(f"/api/v1/capture/photos/{kind}", headers=bearer).json().get("challenge_nonce", "")
        answer = client.post(
            f"/api/v1/capture/photos/{kind}", headers=bearer, data={"nonce": nonce}, files={"photo": picture()}
        )
        assert answer.status_code == 201, answer.text
    return bearer


def asked(server, auth, ids, folder, *options):
    """What is said after the server was asked as this caller."""
    config, report = folder / "schemathesis.toml", folder / "report"
    config.write_text(f"[auth.openapi.{auth[0]}]\n{auth[1]} = {json.dumps(auth[2])}\n{TAKEN_ALONG}")
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.fuzzing",
        "FUZZED_IDS": json.dumps(ids),
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    command = [
        str(Path(sys.executable).with_name("st")), "--config-file", str(config), "run",
        f"{server.url}/api/v1/openapi.json",
        "--exclude-checks", LEFT_OUT, "--max-examples", str(ENOUGH), "--generation-deterministic", "--seed", "1",
        "--continue-on-failure", "--warnings", "off", "--no-color", *options,
    ]  # fmt: skip
    with report.open("wb") as output:
        done = subprocess.run(
            command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT, timeout=300
        )
    said = report.read_text()
    assert done.returncode == 0, said[-20_000:]
    log = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert [line for line in log if line["level"] == "error"] == []
    return said


@pytest.mark.long
def test_the_api_keeps_to_its_document_for_a_key_of_all_scopes(server, ada, tmp_path):
    body = {"name": "everything", "scopes": sorted(scopes.NAMES)}
    key = ada.post("/api/v1/keys", json=body).json()["secret"]
    assert FINE in asked(server, ("key", "bearer", key), things(ada), tmp_path)


@pytest.mark.long
def test_the_api_keeps_to_its_document_for_a_person(server, ada, tmp_path):
    assert FINE in asked(server, ("cookie", "api_key", ada.cookies["facevault"]), things(ada), tmp_path)


@pytest.mark.long
def test_the_api_keeps_to_its_document_for_an_end_user(server, ada, tmp_path):
    made = ada.post("/api/v1/sessions", json={"external_user_id": "test_review"}).json()
    auth = ("captureToken", "bearer", made["session_token"])
    assert FINE in asked(server, auth, {}, tmp_path, "--include-path-regex", "/capture/")


@pytest.mark.long
def test_the_api_keeps_to_its_document_for_somebody_without_a_second_factor(server, tmp_path):
    """Right up to the pause after five wrong codes: each of them is answered as the document says."""
    eve = server.client()
    eve.post("/register", data={"email": "eve@example.org", "password": "correct horse battery"})
    assert FINE in asked(server, ("cookie", "api_key", eve.cookies["facevault"]), {}, tmp_path)
