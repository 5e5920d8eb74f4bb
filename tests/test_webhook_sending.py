"""One message to one receiver: a real one on this machine, over HTTP and over TLS, that behaves well or badly."""

import ipaddress
import ssl
import threading
from time import monotonic

import pytest

from fv.webhooks import sending, signing, targets
from fv.webhooks.sending import NotSent
from tests.receivers import certified, receiving
from tests.test_webhooks import resolver as resolver_of_tests

MESSAGE = signing.signed("verification.completed", {"status": "passed"}, "secret", "dlv_1", 1_800_000_000, "2027")
LOOPBACK = [ipaddress.ip_address("127.0.0.1")]
SHORT = 0.3  # seconds: enough for a receiver that answers, and the test of one that does not


@pytest.fixture
def receiver():
    with receiving() as one:
        yield one


def post(url, to=LOOPBACK, trust=None, limit=30.0):
    target = targets.parse(url)
    return sending.post(target, to, MESSAGE, trust or ssl.create_default_context(), monotonic() + limit)


def reason(url, **kwargs):
    with pytest.raises(NotSent) as refused:
        post(url, **kwargs)
    return refused.value.reason


def test_body_headers_path_and_host_arrive_as_they_are(receiver):
    assert post(receiver.url) == 200
    (one,) = receiver.received
    assert one.path == "/hook?a=1" and one.body == MESSAGE.body
    assert one.headers["Host"] == f"127.0.0.1:{receiver.port}" and one.headers["Connection"] == "close"
    assert MESSAGE.headers.items() <= one.headers.items() and "Transfer-Encoding" not in one.headers


def test_the_host_may_be_an_address_of_ipv6(receiver):
    assert post(f"http://[2606:4700::64ab]:{receiver.port}/") == 200
    assert receiver.received[0].headers["Host"] == f"[2606:4700::64ab]:{receiver.port}"


@pytest.mark.parametrize("status", [204, 404, 410, 500, 503])
def test_the_status_is_the_answer(receiver, status):
    receiver.status = status
    assert post(receiver.url) == status


def test_a_redirect_is_not_followed(receiver):
    with receiving() as elsewhere:
        receiver.status, receiver.headers = 307, {"Location": elsewhere.url}
        assert post(receiver.url) == 307
    assert elsewhere.received == [] and len(receiver.received) == 1


def test_the_connection_goes_to_the_address_that_was_judged_and_the_name_is_not_looked_up(receiver, monkeypatch):
    def looked_up(*_words, **_named):
        raise AssertionError("a second look-up may find something else")

    monkeypatch.setattr(sending.socket, "getaddrinfo", looked_up)
    assert post(f"http://hooks.invalid:{receiver.port}/") == 200
    assert receiver.received[0].headers["Host"] == f"hooks.invalid:{receiver.port}"


def test_no_proxy_of_the_environment_is_used(receiver, monkeypatch):
    for name in ("http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(receiver.url) == 200


def test_of_several_addresses_the_next_is_tried_when_one_does_not_answer(receiver):
    others = [ipaddress.ip_address(one) for one in ("::1", "127.0.0.1")]
    assert post(receiver.url, to=others) == 200


def test_one_that_never_answers_is_cut_at_the_limit(receiver):
    receiver.status = None
    assert reason(receiver.url, limit=SHORT) == "too_slow"


def test_one_that_answers_a_byte_at_a_time_is_cut_at_the_limit_too(receiver):
    receiver.dribbles = True
    assert reason(receiver.url, limit=SHORT) == "too_slow"


def test_of_an_endless_answer_a_few_kilobytes_are_read(receiver):
    receiver.answer = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000
    assert post(receiver.url) == 200, "the status came first"
    receiver.answer = b"x" * 200_000
    assert reason(receiver.url) == "broken"
    receiver.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 200_000
    assert post(receiver.url) == 200, "a body is not waited for"


@pytest.mark.parametrize(
    "answer", [b"", b"\x00" * 100, b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 \xff\r\n\r\n", b"HTTP/1.1 2\r\n\r\n"]
)
def test_what_does_not_answer_in_http_is_broken(receiver, answer):
    receiver.answer = answer
    assert reason(receiver.url) == "broken"


def test_where_nobody_listens_there_is_no_connection(receiver):
    receiver.server.server_close()
    assert reason(receiver.url) == "unreachable"
    assert reason("http://[::1]:9/", to=[ipaddress.ip_address("::1")]) == "unreachable"
    assert reason(receiver.url, limit=0.0) == "too_slow"


def test_over_tls_the_certificate_is_verified_for_the_name(tmp_path, clock):
    server, trust = certified(tmp_path, ["hooks.test", "127.0.0.1"], clock.now)
    with receiving(server) as receiver:
        assert post(f"https://hooks.test:{receiver.port}/x", trust=trust) == 200, "connected by address, named in TLS"
        assert post(receiver.url, trust=trust) == 200, "an address that the certificate names"
        assert reason(f"https://other.test:{receiver.port}/", trust=trust) == "tls"
        assert reason(f"https://hooks.test:{receiver.port}/") == "tls", "nobody vouches for it"
    assert [one.headers["Host"].partition(":")[0] for one in receiver.received] == ["hooks.test", "127.0.0.1"]
    with receiving() as plain:
        assert reason(f"https://127.0.0.1:{plain.port}/", trust=trust) in ("tls", "broken")


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────


def found(url, resolver, limit=30.0):
    return [str(one) for one in sending.addresses(targets.parse(url), resolver, limit)]


def test_a_name_is_looked_up_once_and_an_address_not_at_all():
    asked = []

    def resolver(name):
        asked.append(name)
        return ["1.1.1.1", "::1", "1.1.1.1"]

    assert found("https://a.example/", resolver) == ["1.1.1.1", "::1"] and asked == ["a.example"]
    assert found("https://[2606:4700::1]/", resolver) == ["2606:4700::1"] and asked == ["a.example"]
    assert "127.0.0.1" in found("https://localhost/", sending.from_system)


def test_a_name_that_is_not_found_or_not_in_time_is_not_sent_to():
    released = threading.Event()
    for resolver, why in (
        (lambda _: [], "unresolved"), (resolver_of_tests, "unresolved"), (lambda _: ["x"], "unresolved"),
        (lambda _: released.wait() and [], "too_slow"),
    ):  # fmt: skip
        with pytest.raises(NotSent) as refused:
            found("https://a.example/", resolver, SHORT)
        assert refused.value.reason == why
    released.set()


def test_a_message_shows_neither_body_nor_signature():
    assert repr(MESSAGE) == "Message()"
