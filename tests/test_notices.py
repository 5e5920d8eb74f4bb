"""What the holder of an account is told: a banner on the pages, and a mail through a real mail server."""

import os
import queue
import re
import signal
import ssl
import time
from contextlib import suppress
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from fv import db, sealing
from fv.jobs import worker
from fv.notices import flows, mail, smtp_url
from tests.conftest import PASSWORD, Visitor
from tests.live import DEADLINE, free_port
from tests.test_audit import names, run, trail
from tests.test_serving import at_once, enrolled
from tests.test_support import re_enrol

NEW = "another long password"


class Mailbox:
    """What a real SMTP server on this machine has received."""

    def __init__(self, port: int | None = None, **options) -> None:
        self.received: queue.Queue = queue.Queue()
        self.refusing = 0
        self.controller = Controller(self, hostname="127.0.0.1", port=port or free_port(), **options)
        self.controller.start()
        self.url = f"smtp://127.0.0.1:{self.controller.port}?from=facevault@example.org"

    async def handle_DATA(self, _server, _session, envelope) -> str:
        if self.refusing:
            self.refusing -= 1
            return "451 later"
        self.received.put((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
        return "250 OK"

    def all(self):
        """What is there now, in the order it came."""
        return [self.received.get_nowait() for _ in range(self.received.qsize())]

    def next(self):
        return self.received.get(timeout=DEADLINE)


@pytest.fixture
def mailbox():
    mailbox = Mailbox()
    yield mailbox
    mailbox.controller.stop()


@pytest.fixture
def app(make_app, mailbox):
    return make_app(SMTP_URL=smtp_url.mail_server(mailbox.url), BASE_URL="http://localhost")


def works(app, clock):
    """What the worker does, until nothing is due."""
    with app.app_context():
        flows.take_up(0, int(clock.now))
        while flows.send_next(int(clock.now)):
            pass


def subjects(app, mailbox, clock):
    works(app, clock)
    return [message["Subject"].removeprefix("FaceVault: ") for _, message in mailbox.all()]


# ── Mails ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_mail_for_each_event_that_is_told_and_no_other(app, ada, clock, mailbox):
    def told():
        return subjects(app, mailbox, clock)

    assert told() == ["Second factor confirmed"]
    ada.signs_out()
    ada.signs_in()
    assert told() == [], "a login from a known device is not told"
    phone = ada.another()
    agent = {"User-Agent": "Mozilla/5.0 (iPhone) Safari/600"}
    phone.client.post("/login", data={"email": ada.email, "password": ada.password}, headers=agent)
    phone.post("/login/code", code=ada.code())
    assert told() == ["Signed in from a new device"]
    ada.another().signs_in(ada.code())
    assert told() == ["A code that was already used was tried again"]
    ada.another().signs_in(ada.codes[0])
    assert told() == ["Backup code used"]
    ada.post("/account/password", current=PASSWORD, password=NEW)
    ada.password = NEW
    assert told() == ["Password changed"]
    run(app, "support", "new-codes", ada.email, "--ticket", "T")
    ada.post("/setup/codes", code=ada.code())
    clock.passes(seconds=30)
    ada.post("/setup/codes/dismiss")
    assert told() == ["New backup codes allowed by support", "Backup codes replaced"]
    thief = ada.another()
    thief.proves_password()
    for _ in range(5):
        thief.post("/login/code", code=ada.wrong_code())
    assert told() == ["Too many wrong codes: sign-in paused"]
    re_enrol(app)
    assert told() == ["Second factor reset by support"]
    assert told() == []


def test_a_mail_says_what_when_how_and_what_to_do_and_holds_no_secret(app, ada, clock, mailbox):
    ada.another().signs_in(ada.codes[0])
    code = re_enrol(app)
    works(app, clock)
    mails = mailbox.all()
    assert [to for to, _ in mails] == [[ada.email]] * 3
    used = mails[1][1]
    assert used["From"] == "FaceVault <facevault@example.org>" and used["Auto-Submitted"] == "auto-generated"
    text = used.get_content()
    assert "Backup code used." in text and "9 backup codes left" in text and "UTC" in text
    assert "If that was not you" in text and "http://localhost/account" in text and ada.email in text
    assert used["Date"].datetime.timestamp() > 0
    everything = "".join(message.as_string() for _, message in mails)
    for secret in (code, ada.secret, ada.password, *ada.codes, "log_", "password/"):
        assert secret not in everything
    assert len({message["Message-ID"] for _, message in mails}) == 3


def test_a_mail_that_the_server_refuses_is_tried_again_and_is_sent_once(app, ada, clock, mailbox):
    mailbox.refusing = 2
    assert subjects(app, mailbox, clock) == []
    assert subjects(app, mailbox, clock) == [], "not before a minute has passed"
    clock.passes(seconds=60)
    assert subjects(app, mailbox, clock) == []
    clock.passes(minutes=5)
    assert subjects(app, mailbox, clock) == ["Second factor confirmed"]
    clock.passes(hours=1)
    assert subjects(app, mailbox, clock) == []


def test_a_mail_nobody_takes_is_given_up_after_the_last_try(app, ada, clock, mailbox):
    mailbox.refusing = 100
    for _ in range(12):
        assert subjects(app, mailbox, clock) == []
        clock.passes(hours=6)
    assert mailbox.refusing == 100 - 1 - len(flows.AGAIN)
    with app.app_context():
        assert flows.given_up(int(clock.now) - 7 * 86400) == 1


def test_a_server_that_is_not_there_is_no_error_for_anybody(app, ada, clock, mailbox, capfd):
    app.config["SMTP_URL"] = smtp_url.mail_server(f"smtp://127.0.0.1:{free_port()}")
    assert subjects(app, mailbox, clock) == [] and "the mail server does not answer" in capfd.readouterr().err
    app.config["SMTP_URL"] = smtp_url.mail_server(mailbox.url)
    clock.passes(minutes=2)
    assert subjects(app, mailbox, clock) == ["Second factor confirmed"]


def test_eight_workers_at_once_send_each_mail_once(app, ada, clock, mailbox):
    for code in ada.codes[:5]:
        ada.another().signs_in(code)
    at_once(8, lambda _: works(app, clock))
    assert [message["Subject"] for _, message in mailbox.all()].count("FaceVault: Backup code used") == 5


@pytest.mark.parametrize(
    "email",
    [
        "=?utf-8?q?eve=40example.net?=@example.org",
        "=?utf-8?q?=0a?=@example.org",
        "a..b@x.org",
        "=?utf-8?q?=2c?=!|@a.org",
    ],
)
def test_an_odd_address_is_no_account_and_gets_no_mail(app, visitor, mailbox, email):
    assert Visitor(app, visitor.clock, email).signs_up().status_code == 422
    with app.app_context(), suppress(mail.NotSent):
        mail.send(app.config["SMTP_URL"], email, "Password changed", "Text\n", "evt_1")
    assert [to for to, _ in mailbox.all() if to != [email]] == []


def test_an_error_that_nobody_thought_of_does_not_stop_the_worker(app, ada, clock, mailbox, monkeypatch, capfd):
    stop, calls = iter([False, False, True]), []

    class Stopping:
        def is_set(self):
            return next(stop)

        def set(self):
            pass

        def wait(self, _seconds):
            pass

    def fails(_now):
        calls.append(1)
        raise RuntimeError("secret")

    monkeypatch.setattr(worker.threading, "Event", Stopping)
    monkeypatch.setattr(worker.couriers, "started", lambda *_: [])
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    monkeypatch.setattr(worker.notices, "send_next", fails)
    worker.run(app, 0)
    said = capfd.readouterr().err
    assert len(calls) == 2 and "RuntimeError" in said and "secret" not in said


def test_no_mailbox_gets_more_than_ten_mails_an_hour_and_the_others_wait(app, ada, clock, mailbox):
    other = Visitor(app, clock, "eve@example.org")
    for _ in range(12):
        ada.post("/account/password", current=ada.password, password=ada.password[::-1])
        ada.password = ada.password[::-1]
    other.signs_up()
    other.enrols()
    works(app, clock)
    received = [to for to, _ in mailbox.all()]
    assert received.count([ada.email]) == 10 and received.count([other.email]) == 1
    clock.passes(hours=1)
    works(app, clock)
    assert len(mailbox.all()) == 3


def test_what_happened_long_before_mails_were_set_up_is_not_mailed(app, ada, clock, mailbox):
    clock.passes(hours=24, seconds=-30)  # a day after the confirmation
    assert subjects(app, mailbox, clock) == []


def test_mails_begin_with_what_happens_after_they_were_set_up(app, ada):
    with app.app_context():
        assert flows.beginning() == len(trail(app))
        flows.take_up(0, int(ada.clock.now))
        assert flows.beginning() == 3, "else with what follows on the last one mailed of"


def test_the_last_thing_that_happened_before_mails_were_set_up_is_not_mailed(app, visitor, clock):
    visitor.signs_up()
    visitor.enrols()
    assert names(app)[-1] == "second_factor.confirmed"
    with app.app_context():
        flows.take_up(flows.beginning(), int(clock.now))
        assert not flows.send_next(int(clock.now))


def test_an_account_that_is_gone_gets_no_mail(app, ada, clock, mailbox):
    with app.app_context():
        db.run("DELETE FROM accounts")
    assert subjects(app, mailbox, clock) == [] and "second_factor.confirmed" in names(app)


@pytest.mark.long
def test_the_worker_sends_beside_the_web_processes_and_another_takes_over_when_it_is_killed(serve, mailbox):
    server = serve(FV_SMTP_URL=mailbox.url)
    ada = server.client()
    enrolled(ada)
    assert mailbox.next()[1]["Subject"] == "FaceVault: Second factor confirmed"
    worker = worker_of(server)
    os.kill(worker, signal.SIGKILL)
    ada.post("/account/password", data={"current": PASSWORD, "password": NEW})
    assert mailbox.next()[1]["Subject"] == "FaceVault: Password changed"
    assert worker_of(server) != worker
    assert server.stop() == 0 and mailbox.all() == []
    assert "smtp://" not in server.log.read_text()


def worker_of(server):
    """The background process: the one of the tree that was not forked from the first process."""
    children = [int(child) for task in Path(f"/proc/{server.process.pid}/task").iterdir()
                for child in (task / "children").read_text().split()]  # fmt: skip
    (worker,) = [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return worker


# ── Talking to mail servers ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def secured(tmp_path, monkeypatch):
    """Options of a server with a certificate that our client trusts."""
    certificate, key = sealing.self_signed_certificate(["localhost", "127.0.0.1"], time.time())
    pair = tmp_path / "mail.pem"
    pair.write_bytes(certificate + key)
    monkeypatch.setenv("SSL_CERT_FILE", str(pair))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    return context


def sends(url, id="evt_1"):
    mail.send(smtp_url.mail_server(url), "ada@example.org", "Password changed", "Text\n", id)


def test_a_name_and_a_password_are_given_only_over_tls(secured):
    seen = []

    def knows(_server, _session, _envelope, _mechanism, data):
        seen.append((data.login, data.password))
        return AuthResult(success=True)

    mailbox = Mailbox(tls_context=secured, authenticator=knows, auth_required=True)
    url = mailbox.url.replace("smtp://", "smtp://fv:p%40ss%2Fword@").replace("127.0.0.1", "localhost")
    try:
        sends(url)
        assert seen == [(b"fv", b"p@ss/word")] and len(mailbox.all()) == 1
    finally:
        mailbox.controller.stop()


def test_a_server_without_tls_does_not_get_the_password(mailbox):
    with pytest.raises(mail.NotSent) as refused:
        sends(mailbox.url.replace("smtp://", "smtp://fv:secret@"))
    assert "secret" not in str(refused.value) and mailbox.all() == []


def test_a_certificate_nobody_vouches_for_is_refused(secured, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    mailbox = Mailbox(tls_context=secured)
    try:
        with pytest.raises(mail.NotSent):
            sends(mailbox.url)
        assert mailbox.all() == []
    finally:
        mailbox.controller.stop()


def test_tls_from_the_first_byte(secured):
    mailbox = Mailbox(ssl_context=secured)
    try:
        sends(mailbox.url.replace("smtp://", "smtps://").replace("127.0.0.1", "localhost"))
        assert mailbox.all()[0][1]["Message-ID"] == "<evt_1@example.org>"
    finally:
        mailbox.controller.stop()


def test_the_address_of_the_server_is_read_with_its_defaults():
    server = smtp_url.mail_server("smtps://u%40x:p%3A@mail.example.org")
    assert (server.host, server.port, server.is_tls, server.user, server.password) == (
        "mail.example.org", 465, True, "u@x", "p:",
    )  # fmt: skip
    assert smtp_url.mail_server("smtp://localhost:25").port == 25 and smtp_url.mail_server("smtp://h").port == 587
    assert smtp_url.mail_server("") is None and "p:" not in repr(server)


@pytest.mark.parametrize(
    "text",
    ["mail.example.org", "http://h", "smtp://", "smtp://h/path", "smtp://h?from=nobody", "smtp://h?to=a@b",
     "smtp://user@h", "smtp://user:@h",
     "smtp://:pass@h", "smtp://h?from=a@b%0aBcc:c@d", "smtp://h:port", "smtp://h:0", "smtp://h:99999", "smtp://h?from"],
)  # fmt: skip
def test_what_is_no_mail_server_is_refused(text):
    with pytest.raises(ValueError, match=r"smtp|[Pp]ort"):
        smtp_url.mail_server(text)


# ── The banner ───────────────────────────────────────────────────────────────────────────────────────────────


def banner(page):
    return re.findall(
        r"<li><strong>([^<]+)</strong>", page.partition('<aside class="told"')[2].partition("</aside>")[0]
    )


def test_at_the_next_sign_in_a_banner_tells_what_happened_until_it_is_dismissed(app, ada):
    assert banner(ada.get("/dashboard").text) == [], "what this login did itself is no news to it"
    other = ada.another()
    other.signs_in(ada.codes[0])
    assert banner(ada.get("/keys").text) == ["Backup code used"], "also to logins that are open"
    assert banner(other.get("/dashboard").text) == ["Second factor confirmed"]
    page = ada.get("/keys?x=1").text
    through = page.split('name="through" value="')[1].split('"')[0]
    ada.another().signs_in(ada.codes[1])
    answer = ada.post("/account/notices/dismiss", through=through, next="/keys")
    assert answer.location == "/keys"
    assert banner(ada.get("/keys").text) == ["Backup code used"], "what came meanwhile was not read"


def test_many_events_of_one_kind_hide_no_other(app, ada):
    new = ada.another()
    new.client.environ_base |= {"REMOTE_ADDR": "198.51.100.1"}
    new.signs_in()
    for code in ada.codes[:7]:
        ada.another().signs_in(code)
    page = ada.get("/dashboard").text
    assert banner(page) == ["Backup code used", "Signed in from a new device"]
    assert "7 times, last" in page and "3 backup codes left" in page
    ada.post("/account/notices/dismiss", through=page.split('name="through" value="')[1].split('"')[0])
    assert banner(ada.get("/dashboard").text) == []


def test_what_a_login_did_itself_is_no_news_to_it(ada):
    ada.signs_in()
    ada.post("/account/password", current=PASSWORD, password=NEW)
    page = ada.get("/account").text
    assert banner(page) == ["Second factor confirmed"], "of the login before; the change is its own"
    assert "Password changed." in page
    ada.clock.passes(seconds=61)
    assert "Password changed." not in ada.get("/account").text


def test_a_login_cannot_hide_from_others_what_it_did_itself(app, ada):
    thief = ada.another()
    thief.signs_in(ada.codes[0])
    thief.post("/account/notices/dismiss", through="9" * 15)
    thief.post("/account/notices/dismiss", through=str(len(trail(app))))
    assert banner(ada.get("/dashboard").text) == ["Backup code used"]


def test_the_banner_is_the_accounts_own(app, clock, ada):
    eve = Visitor(app, clock, "eve@example.org")
    eve.signs_up()
    eve.enrols()
    eve.post("/setup/codes/dismiss")
    ada.another().signs_in(ada.codes[0])
    assert banner(eve.get("/dashboard").text) == []
    eve.post("/account/notices/dismiss", through="999999")
    assert banner(ada.get("/dashboard").text) == ["Backup code used"]


def test_what_has_not_happened_yet_cannot_have_been_read(ada):
    ada.post("/account/notices/dismiss", through="9" * 15)
    ada.another().signs_in(ada.codes[0])
    assert banner(ada.get("/dashboard").text) == ["Backup code used"]


def test_an_answer_to_a_form_carries_no_banner_so_that_nothing_shown_once_is_lost(ada):
    ada.another().signs_in(ada.codes[0])
    answer = ada.post("/keys", name="server", scope="sessions:create", expires="90")
    assert "fv_live_" in answer.text and banner(answer.text) == [] and banner(ada.get("/keys").text)


@pytest.mark.parametrize("through", ["", "-1", "9" * 40, "x"])
def test_a_number_that_cannot_be_reads_nothing(ada, through):
    ada.another().signs_in(ada.codes[0])
    assert ada.post("/account/notices/dismiss", through=through, next="//evil.example").location == "/dashboard"
    assert banner(ada.get("/dashboard").text) == ["Backup code used"]


def test_a_reset_by_support_is_told_after_the_new_enrolment(app, ada):
    code = re_enrol(app)
    ada.proves_password()
    ada.post("/setup", re_enrolment_code=code)
    ada.enrols()
    ada.post("/setup/codes/dismiss")
    assert banner(ada.get("/dashboard").text)[0] == "Second factor reset by support"


# ── New devices ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("agent", "address", "is_new"),
    [("Firefox/120 Linux", "203.0.113.77", False), ("Firefox/121 Linux", "203.0.113.5", False),
     ("Chrome/120 Linux", "203.0.113.5", True), ("Firefox/120 Linux", "203.0.114.5", True)],
)  # fmt: skip
def test_a_device_is_a_kind_of_browser_in_a_neighbourhood(app, ada, agent, address, is_new):
    def signs_in(agent, address):
        other = ada.another()
        other.client.environ_base |= {"REMOTE_ADDR": address, "HTTP_USER_AGENT": agent}
        other.signs_in()
        return names(app)[-1] == "login.new_device"

    assert signs_in("Firefox/120 Linux", "203.0.113.5")
    assert signs_in(agent, address) == is_new
    ada.clock.passes(hours=181 * 24)
    assert signs_in("Firefox/120 Linux", "203.0.113.5"), "not seen for so long, it is new again"
    with app.app_context():
        rows = db.many(dict, "SELECT * FROM known_devices")
    assert len(rows) == 1 and "203.0" not in str(rows) and "Firefox" not in str(rows)
