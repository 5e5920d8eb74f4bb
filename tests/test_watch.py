"""The watch over all tests notices a leak of every kind, on every way out, and nothing else."""

import base64
import json
import logging
import re
import struct
from contextlib import nullcontext
from dataclasses import asdict
from types import SimpleNamespace

import click
import httpx
import pytest

from fv.evidence import flows as evidence
from fv.notices import mail
from tests import watching
from tests.receivers import receiving
from tests.reports import VALUES, document
from tests.templates import template
from tests.watch import BELONGS, WATCH, Watch, command, vector_in

TOKEN = "aB3-_" * 8 + "xyz"  # 43 characters
FIRST = {
    "key secret": f"fv_live_{'Ab3' * 14}c", "webhook secret": f"whsec_{TOKEN}", "TOTP secret": f"secret={'A2B7' * 8}",
    "backup code": '"2AB4CD6E"', "session token": f"/?sid=vs_1&st={TOKEN}", "link token": f"/v/{TOKEN}",
    "receipt code": f"/v/receipt/{'ab2c' * 8}", "password link": f"/password/{TOKEN}",
    "re-enrolment code": "Code: 2AB4-CD6E-FG7H",
}  # fmt: skip
VECTOR = template(1)
RAW = struct.pack("<128f", *VECTOR)


def learned(kind, place):
    watch = Watch()
    watch.sees("here", place, f"first {FIRST[kind.name]} shown")
    return watch


TAUGHT = [kind for kind in BELONGS if kind.shown]


@pytest.mark.parametrize("kind", TAUGHT, ids=lambda kind: kind.name)
def test_a_secret_is_shown_once_and_then_only_where_it_belongs(kind):
    for place in kind.shown:
        watch = learned(kind, place)
        assert watch.told() == [] and watch.known["here"], "the first time"
        for other in ("dashboard.index", "log", "webhook", "mail", f"headers of {place}", "$ audit export", place):
            for value in list(watch.known["here"]):
                watch.sees("here", other, f"and {value} again")
                expected = [] if other in kind.also else [f"{kind.name} stands in: {other}"]
                assert watch.told() == expected
        for allowed in kind.also:
            watch.sees("here", allowed, FIRST[kind.name])
        watch.sees("elsewhere", "dashboard.index", "")
        assert watch.told() == []


@pytest.mark.parametrize("kind", [kind for kind in TAUGHT if kind.is_plain], ids=lambda kind: kind.name)
def test_what_looks_like_a_secret_is_one_though_nobody_learned_it(kind):
    watch = Watch()
    watch.sees("here", "dashboard.index", FIRST[kind.name])
    assert watch.told() == [f"{kind.name} stands in: dashboard.index"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"embedding": VECTOR}), json.dumps(VECTOR, indent=1), str(tuple(VECTOR[:16])),
        ",".join(map(str, VECTOR)), "\t".join(map(str, VECTOR)), ";".join(f"{x:e}" for x in VECTOR),
        base64.b64encode(RAW).decode(), base64.urlsafe_b64encode(RAW).decode(),
        f'"vec{base64.b64encode(RAW).decode()}"',
        RAW.hex(), RAW.hex().upper(),
    ],
)  # fmt: skip
def test_a_template_is_known_by_its_numbers_or_bytes(text):
    assert vector_in(f"<p>{text}</p>")


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2, 3]", json.dumps([0.5] * 15), json.dumps(list(range(40))), "A" * 2000, "0" * 2000,
        base64.b64encode(bytes(range(256)) * 4).decode(),
        '<path d="M1 1.5 2 2.5 3 3.5 4 4.5 5 5.5 6 6.5 7 7.5 8 8.5"/>',
        "2026-11-26,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
    ],
)  # fmt: skip
def test_other_numbers_are_none(text):
    assert not vector_in(text)


def test_a_complaint_does_not_repeat_the_secret():
    watch = Watch()
    watch.sees("here", "log", "".join(FIRST.values()))
    assert not [value for value in FIRST.values() if value.strip('"') in str(watch.told())]


def test_commands_are_named_by_their_own_words():
    assert command(["support", "re-enrol", "ada@example.org"]) == "$ support re-enrol"
    assert command(["demo", "--yes"]) == "$ demo" and command("audit export") == "$ audit"


# ── Every way out is watched ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def key(ada):
    """A secret that was shown to its holder."""
    return ada.call("POST", "/api/v1/keys", {"name": "server"}).json["secret"]


def test_a_leaking_answer_header_or_redirect_is_noticed(app, ada, key):
    app.view_functions["dashboard.index"] = lambda: key
    app.view_functions["keys.index"] = lambda: ("", 303, {"Location": f"/login?next={key}"})
    app.view_functions["usage.export"] = lambda: (key, {"Content-Type": "text/csv"})
    for path in ("/dashboard", "/keys", "/usage.csv"):
        ada.get(path)
    assert WATCH.told() == [
        "key secret stands in: dashboard.index", "key secret stands in: headers of keys.index",
        "key secret stands in: usage.export",
    ]  # fmt: skip


def test_a_code_that_is_shown_again_is_noticed(app, visitor):
    visitor.signs_up()
    visitor.enrols()
    app.view_functions["mfa.codes_form"] = lambda: f"<li><code>{visitor.codes[3]}</code></li>"
    visitor.get("/setup/codes")
    app.view_functions["mfa.codes_form"] = lambda: f"your key {visitor.secret}, your password {visitor.password}"
    visitor.get("/setup/codes")
    assert WATCH.told() == [
        f"{what} stands in: mfa.codes_form" for what in ("TOTP secret", "backup code", "password")
    ]  # fmt: skip


def test_a_leaking_log_line_is_noticed(app, ada, key):
    logging.getLogger("fv.failures").error("it was %s", key)
    assert WATCH.told() == ["key secret stands in: log"]


def test_a_leaking_command_is_noticed_and_a_file_that_it_writes(app, ada, key, tmp_path):
    @app.cli.command("leaks")
    @click.option("--output", type=click.File("w"))
    def leaks(output):
        click.echo(key, file=output)

    app.test_cli_runner().invoke(args=["leaks"])
    app.test_cli_runner().invoke(args=["leaks", "--output", str(tmp_path / "file")])
    assert WATCH.told() == ["key secret stands in: $ leaks", "key secret stands in: file of $ leaks"]


def test_a_leaking_webhook_is_noticed(ada, key):
    with receiving() as one:
        httpx.post(one.url, content=key)
    assert WATCH.told() == ["key secret stands in: webhook"]


def test_a_leaking_mail_is_noticed(ada, key, monkeypatch):
    sent = []
    monkeypatch.setattr(
        mail, "_session", lambda _: nullcontext(SimpleNamespace(send_message=lambda *_, **__: sent.append(1)))
    )
    mail.send(SimpleNamespace(sender="us@example.org"), ada.email, "News", key, "evt_1")
    assert sent and WATCH.told() == ["key secret stands in: mail"]


@pytest.mark.parametrize("said", ["full_name", "document_number", "date_of_birth"])
def test_what_a_document_says_is_noticed_on_any_other_page(app, ada, said):
    with app.app_context():
        account_id = ada.get("/api/v1/me").json["id"]
        evidence.keep_document(account_id, "vs_1", json.dumps(asdict(document())), 1)
    app.view_functions["sessions.show_document"] = lambda id: VALUES[said]
    app.view_functions["sessions.one"] = lambda id: VALUES[said]
    ada.post("/sessions/vs_1/document")
    assert WATCH.told() == []
    ada.get("/sessions/vs_1")
    assert WATCH.told() == ["document data stands in: sessions.one"]


@pytest.mark.long
def test_a_real_server_is_watched_in_its_answers_its_log_and_its_commands(serve):
    server = serve()
    client = server.client()
    client.post("/register", data={"email": "ada@example.org", "password": "correct horse battery"})
    page = client.get("/setup").text
    secret = re.search(r"secret=([A-Z2-7]{32})", page)[1]
    assert WATCH.told() == []
    with server.log.open("a") as log:
        log.write(f"{secret}\n")
    watching.printed(server.instance, ("support", "show"), secret)
    server.ends()
    server.log.write_text("")
    assert WATCH.told() == ["TOTP secret stands in: $ serve", "TOTP secret stands in: $ support show"]
