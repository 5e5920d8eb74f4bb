"""The published Python client, unmodified, against a real server over HTTPS."""

import asyncio

import pytest
from facevault import AsyncFaceVaultClient, FaceVaultClient
from facevault.exceptions import AuthError, FaceVaultError, NotFoundError, RateLimitError

from tests.test_serving import enrolled


@pytest.fixture
def server(serve, monkeypatch):
    """Its certificate is trusted as anybody would do it, through the environment."""
    server = serve("--tls-self-signed", FV_SESSIONS_ACCOUNT="2/1h")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.instance / "tls-cert.pem"))
    return server


@pytest.fixture
def secret(server):
    ada = server.client()
    enrolled(ada)
    return ada.post("/api/v1/keys", json={"name": "server"}).json()["secret"]


def test_the_client_creates_a_session_and_reads_it_again(server, secret):
    with FaceVaultClient(secret, base_url=server.url, webapp_base=server.url) as client:
        session = client.create_session("Zoë 17", require_poa=True)
        assert session.steps == ["id_photo", "selfie", "liveness_frame"] and session.challenge_nonce
        found = client.get_session(session.session_id)
        assert (found.status, found.require_poa, found.error) == ("pending", True, "")
        assert found.steps == {"id_photo": False, "selfie": False, "liveness_frame": False}
    assert session.webapp_url == f"{server.url}/?sid={session.session_id}&st={session.session_token}"
    page = server.client(follow_redirects=True).get(session.webapp_url)
    assert page.status_code == 200 and "Agree and start" in page.text


def test_the_asynchronous_client_does_the_same(server, secret):
    async def walks():
        async with AsyncFaceVaultClient(secret, base_url=server.url, webapp_base=server.url) as client:
            session = await client.create_session("customer-1")
            return await client.get_session(session.session_id)

    assert asyncio.run(walks()).status == "pending"


def test_its_exceptions_say_what_our_errors_say(server, secret):
    with FaceVaultClient("fv_live_" + "x" * 43, base_url=server.url) as stranger, pytest.raises(AuthError) as refused:
        stranger.create_session("customer-1")
    assert str(refused.value) == "This needs a login or a valid API key."
    with FaceVaultClient(secret, base_url=server.url) as client:
        with pytest.raises(NotFoundError):
            client.get_session("vs_" + "0" * 32)
        with pytest.raises(FaceVaultError) as refused:
            client.create_session("")
        assert refused.value.status_code == 422
        client.create_session("customer-1")
        client.create_session("customer-2")
        with pytest.raises(RateLimitError) as refused:
            client.create_session("customer-3")
        assert str(refused.value) == "This account makes sessions faster than it may. Try again later."
