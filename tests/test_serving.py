"""The product as it is run: `fv serve`, one process tree, real sockets, real database files, kill -9."""

import base64
import json
import os
import select
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import click
import httpx
import pyotp
import pytest

from tests.conftest import PASSWORD, backup_codes_in
from tests.live import DEADLINE, Server, free_port, is_free

EMAIL = "ada@example.org"


def enrolled(client, email=EMAIL):
    """Sign up and set up over HTTP; (secret, codes)."""
    client.post("/register", data={"email": email, "password": PASSWORD})
    secret = client.post("/api/v1/totp/setup").json()["secret"]
    answer = client.post("/setup", data={"code": pyotp.TOTP(secret).now()})
    client.post("/setup/codes/dismiss")
    return secret, backup_codes_in(answer)


def pending(server, email=EMAIL):
    """A client that has proved the password and waits at the code step."""
    client = server.client()
    assert client.post("/login", data={"email": email, "password": PASSWORD}).headers["location"] == "/login/code"
    return client


def next_code(secret):
    """Accepted although the current step may be spent: one step ahead."""
    return pyotp.TOTP(secret).at(time.time() + 30)


def at_once(number, work):
    """Run work(n) in so many threads, released together by a barrier; what they returned."""
    barrier, results = threading.Barrier(number), [None] * number

    def runs(n):
        barrier.wait()
        results[n] = work(n)

    threads = [threading.Thread(target=runs, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def receives(connection, awaited):
    """Read until this has arrived; what was read."""
    received = b""
    while awaited not in received:
        piece = connection.recv(9999)
        assert piece, f"closed after {received!r}"
        received += piece
    return received


def test_twenty_parallel_posts_of_one_totp_code_make_one_login(serve):
    server = serve(FV_CODE_FAILURES="100/15m")
    secret, _ = enrolled(server.client())
    clients, code = [pending(server) for _ in range(20)], next_code(secret)
    statuses = at_once(20, lambda n: clients[n].post("/login/code", data={"code": code}).status_code)
    assert sorted(statuses) == [303] + [422] * 19
    assert sum(client.get("/api/v1/me").status_code == 200 for client in clients) == 1


@pytest.mark.long
def test_a_code_is_not_taken_again_nor_an_older_one_after_a_newer(serve):
    """On the real clock: the current code confirms, the next one signs in, and then neither opens anything."""
    server = serve()
    client = server.client()
    client.post("/register", data={"email": EMAIL, "password": PASSWORD})
    secret = client.post("/api/v1/totp/setup").json()["secret"]
    confirmed = pyotp.TOTP(secret).now()
    assert client.post("/api/v1/totp/confirm", json={"code": confirmed}).status_code == 200
    assert pending(server).post("/login/code", data={"code": confirmed}).status_code == 422
    newer = next_code(secret)
    assert pending(server).post("/login/code", data={"code": newer}).headers["location"] == "/dashboard"
    again = pending(server)
    assert [again.post("/login/code", data={"code": code}).status_code for code in (newer, confirmed)] == [422, 422]


@pytest.mark.long
def test_the_cookie_of_a_pending_login_opens_nothing_in_any_header(serve):
    server = serve()
    enrolled(server.client())
    cookie = pending(server).cookies["facevault"]
    basic = base64.b64encode(f"{EMAIL}:{cookie}".encode()).decode()
    for headers in (
        {"Cookie": f"facevault={cookie}"},
        {"Cookie": f"session={cookie}; __Host-facevault={cookie}; remember_token={cookie}"},
        {"Authorization": f"Bearer {cookie}"},
        {"Authorization": f"Basic {basic}"},
        {"X-FaceVault-Api-Key": cookie},
        {"Cookie": f"facevault={cookie}", "HX-Request": "true"},
    ):
        stranger = server.client(headers=headers)
        assert [stranger.get(path).status_code for path in ("/api/v1/me", "/api/v1/keys")] == [401, 401], headers
        assert stranger.get("/dashboard").status_code in (303, 401)
        assert stranger.post("/setup", data={"code": "000000"}).status_code == 401


@pytest.mark.long
def test_twenty_parallel_posts_of_one_code_from_one_pending_login_make_one_login(serve):
    server = serve(FV_CODE_FAILURES="100/15m")
    secret, _ = enrolled(server.client())
    cookies, code = pending(server).cookies, next_code(secret)
    answers = at_once(20, lambda n: server.client(cookies=cookies).post("/login/code", data={"code": code}))
    won = [answer for answer in answers if answer.headers.get("location") == "/dashboard"]
    assert len(won) == 1 and not [answer for answer in answers if answer.status_code >= 500]


@pytest.mark.long
def test_twenty_parallel_posts_of_one_backup_code_make_one_login(serve):
    server = serve(FV_CODE_FAILURES="100/15m")
    _, codes = enrolled(server.client())
    clients = [pending(server) for _ in range(20)]
    statuses = at_once(20, lambda n: clients[n].post("/login/code", data={"code": codes[0]}).status_code)
    assert sorted(statuses) == [303] + [422] * 19


@pytest.mark.long
def test_of_fifty_parallel_wrong_codes_no_more_than_the_limit_are_evaluated(serve):
    server = serve()
    secret, _ = enrolled(server.client())
    cookies = pending(server).cookies
    statuses = at_once(
        50, lambda n: server.client(cookies=cookies).post("/login/code", data={"code": "000000"}).status_code
    )
    assert statuses.count(422) <= 5 and statuses.count(422) + statuses.count(429) == 50
    late = pending(server).post("/login/code", data={"code": next_code(secret)})
    assert late.status_code == 429 and 0 < int(late.headers["retry-after"]) <= 900


@pytest.mark.long
def test_a_lock_survives_kill_9(serve):
    server = serve()
    secret, _ = enrolled(server.client())
    client = pending(server)
    assert [client.post("/login/code", data={"code": "000000"}).status_code for _ in range(5)] == [422] * 5
    server.kill()
    server.start()
    assert pending(server).post("/login/code", data={"code": next_code(secret)}).status_code == 429


@pytest.mark.long
def test_a_spent_code_stays_spent_after_kill_9(serve):
    server = serve()
    secret, codes = enrolled(server.client())
    code = next_code(secret)
    assert pending(server).post("/login/code", data={"code": code}).status_code == 303
    assert pending(server).post("/login/code", data={"code": codes[0]}).status_code == 303
    server.kill()
    server.start()
    again = pending(server)
    assert again.post("/login/code", data={"code": code}).status_code == 422
    assert again.post("/login/code", data={"code": codes[0]}).status_code == 422
    assert again.post("/login/code", data={"code": codes[1]}).status_code == 303


@pytest.mark.long
def test_parallel_confirmations_hand_over_one_set_of_codes(serve):
    server = serve(FV_CODE_FAILURES="100/15m")
    client = server.client()
    client.post("/register", data={"email": EMAIL, "password": PASSWORD})
    secret = client.post("/api/v1/totp/setup").json()["secret"]
    code = pyotp.TOTP(secret).now()
    cookies = client.cookies
    answers = at_once(8, lambda n: server.client(cookies=cookies).post("/api/v1/totp/confirm", json={"code": code}))
    handed = [answer.json()["backup_codes"] for answer in answers if answer.status_code == 200]
    assert len(handed) == 1 and not [answer for answer in answers if answer.status_code >= 500]
    assert pending(server).post("/login/code", data={"code": handed[0][0]}).status_code == 303


@pytest.mark.long
def test_of_parallel_first_sign_ups_one_wins(serve):
    server = serve(FV_REGISTRATION="first")

    def signs_up(n):
        return server.client().post("/register", data={"email": f"a{n}@example.org", "password": PASSWORD}).status_code

    assert sorted(at_once(10, signs_up)) == [303] + [403] * 9


@pytest.mark.long
def test_fifty_parallel_logins_are_all_answered(serve):
    server = serve(FV_PASSWORD_FAILURES="1000/15m", FV_PASSWORD_FAILURES_ADDRESS="1000/15m")
    enrolled(server.client())

    def logs_in(n):
        return server.client().post("/login", data={"email": EMAIL, "password": PASSWORD}).status_code

    statuses = at_once(50, logs_in)
    assert set(statuses) <= {303, 503} and statuses.count(303) >= 29


@pytest.mark.long
def test_a_term_signal_lets_open_requests_finish(serve):
    """Eight logins are on their way, one answer has arrived, the other seven wait for their turn to hash."""
    server = serve(FV_PASSWORD_FAILURES="1000/15m")
    enrolled(server.client())
    form = f"email={EMAIL}&password={PASSWORD.replace(' ', '+')}".encode()
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(8)]
    for one in sockets:
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        receives(one, b'{"status":"ok"}')
    for one in sockets:
        one.sendall(head + b"Content-Length: %d\r\n\r\n" % len(form) + form)
    ready, _, _ = select.select(sockets, [], [], DEADLINE)
    assert ready
    assert server.stop() == 0
    for one in sockets:
        receives(one, b"HTTP/1.1 303")
        one.close()
    assert is_free(server.port)


@pytest.mark.long
def test_killing_the_first_process_leaves_no_other(serve):
    server = serve()
    server.kill()  # fails when the others outlive it
    server.start()
    assert server.client().get("/healthz").json() == {"status": "ok"}


@pytest.mark.long
def test_a_worker_that_dies_is_replaced(serve):
    server = serve("--workers", "1")
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    until = time.monotonic() + DEADLINE
    status = None
    while status is None and time.monotonic() < until:
        try:
            status = server.client().get("/healthz").status_code
        except httpx.TransportError:
            os.sched_yield()
    assert status == 200


@pytest.mark.long
def test_a_second_server_on_the_same_port_is_refused(serve):
    server = serve()
    second = server.run("serve", "--port", str(server.port))
    assert second.returncode == 1
    assert second.stderr.strip() == (
        f"Error: Port {server.port} on 127.0.0.1 is in use, or 127.0.0.1 is not an address of this machine. "
        "Choose another --port or --host."
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tls-cert", "setup.cfg"], "go together"),
        (["--tls-self-signed", "--tls-cert", "setup.cfg", "--tls-key", "setup.cfg"], "exclude each other"),
        (["--tls-cert", "setup.cfg", "--tls-key", "setup.cfg"], "are no certificate and its key"),
        (["--workers", "0"], "0 is not in the range"),
        (["--port", "99999"], "99999 is not in the range"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, options, said):
    (tmp_path / "setup.cfg").write_text("")
    refused = Server(tmp_path).run("serve", "--port", str(free_port()), *options)
    assert refused.returncode in (1, 2) and said in refused.stderr and "Traceback" not in refused.stderr


@pytest.mark.long
def test_a_second_service_in_one_instance_folder_is_refused(serve):
    first = serve()
    second = Server(first.folder)
    result = subprocess.run(
        second.command("serve", "--port", str(second.port)), env=second.environment(), cwd=second.folder,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 1 and f"Another fv serve uses {first.instance}" in result.stderr
    assert str(first.port) in result.stderr and first.client().get("/healthz").status_code == 200


@pytest.mark.long
def test_help_is_given_without_making_anything(tmp_path):
    server = Server(tmp_path, FV_REGISTRATION="maybe")
    for words in (["--help"], ["serve", "--help"]):
        answer = server.run(*words)
        assert answer.returncode == 0 and "serve" in answer.stdout and answer.stderr == ""
    assert not server.instance.exists()


@pytest.mark.long
def test_a_name_can_be_listened_on(serve):
    server = serve("--host", "localhost")
    assert server.client().get("/healthz").status_code == 200


@pytest.mark.long
def test_four_processes_share_two_runs_of_the_hash(serve):
    server = serve("--workers", "4", FV_PASSWORD_FAILURES="1000/15m", FV_PASSWORD_FAILURES_ADDRESS="1000/15m")

    def tries(n):
        form = {"email": f"a{n}@example.org", "password": PASSWORD}
        return server.client().post("/login", data=form).status_code

    assert at_once(12, tries) == [422] * 12
    assert len(list(server.instance.glob("hashing-*.lock"))) == 2


@pytest.mark.long
def test_a_wrong_setting_stops_the_start_with_one_sentence(tmp_path):
    refused = Server(tmp_path, FV_REGISTRATION="maybe").run("serve")
    assert refused.returncode == 1
    assert refused.stderr == "Error: FV_REGISTRATION: expected one of first, open, closed.\n"


@pytest.mark.long
def test_self_signed_https_is_trusted_through_its_own_certificate(serve):
    server = serve("--tls-self-signed")
    certificate, key = server.instance / "tls-cert.pem", server.instance / "tls-key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    trusting = ssl.create_default_context(cafile=str(certificate))
    for host in ("localhost", "127.0.0.1"):
        with httpx.Client(base_url=f"https://{host}:{server.port}", verify=trusting) as client:
            answer = client.post("/register", data={"email": f"{host}@example.org", "password": PASSWORD})
        assert answer.headers["set-cookie"].startswith("__Host-facevault=") and "Secure" in answer.headers["set-cookie"]
    before = certificate.read_bytes()
    server.kill()
    server.start()
    assert certificate.read_bytes() == before, "kept over restarts"


def test_the_own_certificate_is_made_anew_when_it_runs_out_or_is_damaged(tmp_path):
    from fv import serving

    now = int(time.time())
    first = [path.read_bytes() for path in serving._own_certificate(tmp_path, now)]
    assert [path.read_bytes() for path in serving._own_certificate(tmp_path, now + 86400)] == first
    later = [path.read_bytes() for path in serving._own_certificate(tmp_path, now + 400 * 86400)]
    assert later != first
    (tmp_path / "tls-cert.pem").write_text("damaged")
    certificate, key = serving._own_certificate(tmp_path, now)
    serving._check_pair(certificate, key)
    certificate.write_bytes(first[0])
    with pytest.raises(click.ClickException, match="are no certificate and its key"):
        serving._check_pair(certificate, key)


def test_an_address_is_free_when_nobody_listens_there():
    from fv import serving

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serving._free_address("127.0.0.1", port) is None
        assert serving._free_address("no.such.host.invalid", port) is None
    assert serving._free_address("localhost", port) in ("127.0.0.1", "::1")
    assert (serving._in_address("::1"), serving._in_address("localhost")) == ("[::1]", "localhost")


@pytest.mark.long
def test_https_with_a_certificate_of_ones_own(serve, tmp_path):
    from fv import sealing

    certificate, key = sealing.self_signed_certificate(["localhost"], time.time())
    (tmp_path / "cert.pem").write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(key)
    server = serve("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    assert httpx.get(f"{server.url}/healthz", verify=trusting).status_code == 200


@pytest.mark.long
def test_forty_slow_clients_do_not_stop_it(serve):
    server = serve()
    slow = []
    for _ in range(40):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(
            b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        )
        connection.sendall(b"Content-Length: 50\r\n\r\nemail=")
        slow.append(connection)
    assert server.client().get("/login").status_code == 200
    for connection in slow:
        connection.close()


@pytest.mark.long
def test_more_half_bodies_than_threads_leave_the_others_to_those_who_are_in(serve):
    server = serve()
    ada = server.client()
    enrolled(ada)
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(80)]
    for connection in slow:
        connection.sendall(
            b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        )
        connection.sendall(b"Content-Length: 50\r\n\r\nemail=")
    for _ in range(10):
        assert server.client().get("/login").status_code == 200
        assert ada.post("/api/v1/keys", json={"name": "x"}).status_code == 201
    refused = [connection for connection in slow if select.select([connection], [], [], 0)[0]]
    assert len(refused) >= 80 - 2 * 24
    for connection in slow:
        connection.close()


def test_the_gate_answers_before_a_big_body_has_arrived(serve):
    server = serve()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"POST /api/v1/keys HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        connection.sendall(b"Content-Length: 10000000\r\n\r\n{")
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")


@pytest.mark.long
def test_a_body_over_the_limit_is_413_and_one_of_unknown_length_411(serve):
    server = serve()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    chunks = (b"x" * 10_000 for _ in range(1000))
    for body, status in ((b"email=" + b"x" * 10_000_000, 413), (chunks, 411), (iter([b"email=a"]), 411)):
        try:
            assert server.client().post("/login", content=body, headers=form).status_code == status
        except httpx.WriteError:
            continue  # the answer came while we were still sending, and the connection was closed
    assert server.client().get("/healthz").status_code == 200


@pytest.mark.long
def test_parallel_codes_on_one_pending_login_spend_one(serve):
    server = serve(FV_CODE_FAILURES="100/15m")
    _, codes = enrolled(server.client())
    cookies = pending(server).cookies
    at_once(5, lambda n: server.client(cookies=cookies).post("/login/code", data={"code": codes[n]}).status_code)
    again = pending(server)
    statuses = [again.post("/login/code", data={"code": code}).headers.get("location") for code in codes[:5]]
    assert statuses.count("/dashboard") >= 1, "the four that raised no login are still good"
    assert again.get("/api/v1/me").json()["backup_codes_remaining"] == 8


@pytest.mark.long
def test_headers_over_the_limit_are_refused(serve):
    server = serve()
    answer = server.client().get("/login", headers={"Cookie": "x=" + "y" * 200_000})
    assert answer.status_code == 431


@pytest.mark.long
def test_the_log_is_json_and_holds_no_secret(serve):
    server = serve()
    secret, codes = enrolled(server.client())
    client = pending(server)
    client.get("/login/code?next=/keys&private=query")
    client.post("/login/code", data={"code": codes[0]})
    server.stop()
    log = server.log.read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [line["route"] for line in lines if line["status"] == 200 and line["method"] == "POST"] == [
        "/api/v1/totp/setup",
        "/setup",
    ]
    for private in (secret, *codes, PASSWORD, "private", EMAIL, *client.cookies.values()):
        assert private not in log


@pytest.mark.long
def test_flask_and_fv_are_the_same_program(serve, tmp_path):
    server = serve()
    root = Path(__file__).parent.parent
    flask = subprocess.run(
        [str(Path(sys.executable).with_name("flask")), "serve", "--port", str(server.port)],
        env=server.environment(), cwd=root, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert flask.returncode == 1 and "is in use" in flask.stderr


@pytest.mark.long
def test_another_wsgi_server_can_serve_it_too(tmp_path):
    """waitress, through wsgi.py, as the documentation says."""
    server, root = Server(tmp_path), Path(__file__).parent.parent
    port = free_port()
    waitress = subprocess.Popen(
        [sys.executable, "-m", "waitress", f"--listen=127.0.0.1:{port}", "wsgi:app"],
        env=server.environment(), cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + DEADLINE
        while is_free(port) and time.monotonic() < until:
            assert waitress.poll() is None
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            enrolled(client)
            assert client.get("/dashboard").status_code == 200
    finally:
        waitress.kill()
        waitress.wait()
