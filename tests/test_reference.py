"""The API is described by the same declarations that check what is sent: as a document, and as a page."""

import hmac
import json
import re
import shlex
import subprocess
from datetime import datetime
from html import unescape

import pytest
from facevault import parse_event, verify_signature
from openapi_spec_validator import validate

from fv import gate, problems
from fv.api import bodies, calls, lists
from fv.api.calls import described
from fv.reference import document, reading
from fv.reference.problems import OF_EVERY_CALL
from fv.webhooks import flows, signing
from fv.webhooks.answers import Event
from tests import declared
from tests.conftest import PASSWORD, Visitor
from tests.test_serving import EMAIL, enrolled, next_code


@pytest.fixture
def told(visitor):
    """As a stranger gets it."""
    answer = visitor.get("/api/v1/openapi.json")
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    return answer.json


def operations(told):
    return {(method.upper(), path): one for path, of in told["paths"].items() for method, one in of.items()}


# ── The document ─────────────────────────────────────────────────────────────────────────────────────────────


def test_every_rule_of_the_api_is_declared(app):
    for route in document.routes(app):
        assert route.call, (
            f"{route.method} {route.rule.rule} ({route.rule.endpoint}) has no declaration: put @described(…), from "
            "fv/api/calls.py, between its route and its view"
        )


def test_every_rule_and_method_is_in_the_document_and_nothing_else(app, told):
    real = {
        (method, re.sub(r"<(?:[^:>]+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert real == set(operations(told)) and len(real) >= 38


def test_the_document_is_openapi(told):
    assert told["openapi"] == "3.1.0"
    validate(told)


def test_every_call_says_what_a_program_needs(app, told):
    of_all = operations(told)
    names = [one["operationId"] for one in of_all.values()]
    assert len(names) == len(set(names)) and all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names)
    for address, one in of_all.items():
        assert one["summary"] and isinstance(one["security"], list), address
        for status, answer in one["responses"].items():
            answer = told["components"]["responses"][answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
            assert answer["description"] and "X-Request-Id" in answer["headers"], address
            assert (status == "204") != all("schema" in content for content in answer.get("content", {"": ()}).values())
        in_path = {parameter["name"] for parameter in one["parameters"] if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", address[1])), f"{address}: declare path=(…,)"


def test_the_document_says_who_may_call_as_the_gate_does(app, told):
    of_all = operations(told)
    for route in document.routes(app):
        security, listed = of_all[route.method, route.path]["security"], (route.method, route.rule.endpoint)
        scopes = {scope for one in security for scope in one.get("key", ())}
        assert scopes == ({gate.OPEN_TO_KEYS[listed]} if listed in gate.OPEN_TO_KEYS else set()), listed
        open_to_all = listed in gate.OPEN_TO_ALL
        assert ({"cookie": []} in security) != open_to_all, listed


def test_who_has_no_token_is_refused_where_the_document_asks_for_one(visitor, told):
    by_token = {address for address, one in operations(told).items() if one["security"] == [{"captureToken": []}]}
    assert len(by_token) == 4
    for method, path in by_token:
        answer = visitor.client.open(path.replace("{kind}", "selfie"), method=method, query_string="strange=1")
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer"), path


def test_the_problems_of_a_call_are_those_that_have_a_sentence(told):
    named = {code for name in told["components"]["responses"] for code in name.split(".")}
    assert named <= set(problems.KINDS) and named >= OF_EVERY_CALL
    for answer in told["components"]["responses"].values():
        for code in answer["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]["enum"]:
            assert problems.KINDS[code].detail in answer["description"]


def test_an_event_is_sent_as_the_document_says(app, told):
    declared.of(app)
    schema = told["webhooks"]["event"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    message = signing.signed(flows.TEST, flows.OF_A_TEST, "whsec_x", "dlv_1", 1_764_000_000, "2025-11-24T16:00:00Z")
    assert declared.wrong(schema, json.loads(message.body)) == []
    assert list(json.loads(message.body)) == list(Event.__struct_fields__)


# ── A declaration counts ─────────────────────────────────────────────────────────────────────────────────────


class Wish(bodies.Body, frozen=True):
    number: int = 0


class Other(bodies.Body, frozen=True):
    pass


@pytest.fixture
def call(make_app, clock):
    """`call(view, query, sent, …)`: what a person gets from a view that is declared so."""

    def calls(view, query="", sent=None, **declaration):
        app = make_app()
        declared_view = described("wish", "Wish", answers={200: dict[str, int]}, **declaration)(view)
        app.add_url_rule("/api/v1/wishes", "wish", declared_view, methods=["POST"])
        eve = Visitor(app, clock, "eve@example.org")
        eve.signs_up()
        eve.enrols()
        return eve.client.post(f"/api/v1/wishes{query}", json=sent)

    return calls


def test_a_view_cannot_read_another_body_than_the_one_that_is_declared(call):
    said = []

    def view():
        for kind in (Other, Wish):
            try:
                said.append(bodies.read(kind))
            except LookupError as error:
                said.append(str(error))
        return bodies.Response(b"{}")

    assert call(view, sent={"number": 3}, body=Wish).status_code == 200
    assert "is declared with" in said[0] and said[1] == Wish(3)


def test_a_view_cannot_read_a_page_that_is_not_declared(call):
    def view():
        with pytest.raises(LookupError, match="PAGE"):
            lists.asked()
        return bodies.Response(b"{}")

    assert call(view).status_code == 200


def test_a_declaration_with_an_unknown_problem_is_refused_at_once():
    with pytest.raises(LookupError, match="no_such_problem"):
        described("wish", "Wish", answers={200: Event}, problems=("no_such_problem",))


def test_every_call_refuses_a_parameter_that_it_does_not_have(ada, told):
    for method, path in operations(told):
        if "capture" not in path:
            known = path.replace("{id}", f"fp_{'0' * 32}").replace("{kind}", "selfie")
            answer = ada.client.open(known, method=method, query_string="strange=1")
            assert answer.json["errors"] == [{"pointer": "/strange", "code": "unknown"}], (method, path)


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("/sessions?status=lost", "/status", "not_allowed"),
        ("/sessions?limit=0", "/limit", "invalid"),
        ("/sessions?limit=many", "/limit", "invalid"),
        ("/sessions?limit=1e1", "/limit", "invalid"),
        ("/sessions?status=review%0a", "/status", "not_allowed"),
        ("/usage?to=", "/to", "invalid"),
        ("/usage?from=2026-1-1", "/from", "invalid"),
        ("/usage?granularity=year", "/granularity", "not_allowed"),
        ("/audit?event=nothing", "/event", "not_allowed"),
    ],
)
def test_a_parameter_that_cannot_be_is_422_with_its_name(ada, query, pointer, code):
    answer = ada.get(f"/api/v1{query}")
    assert answer.status_code == 422 and answer.json["errors"] == [{"pointer": pointer, "code": code}]


def test_a_word_with_a_line_break_behind_it_is_none_of_the_words(ada):
    for word in ("live\n", "\nlive", "live\nx"):
        answer = ada.call("POST", "/api/v1/keys", {"name": "x", "mode": word})
        assert answer.json["errors"] == [{"pointer": "/mode", "code": "not_allowed"}], repr(word)


@pytest.mark.parametrize(
    ("number", "code"),
    [("24.0", None), ("2.4e1", None), ("24.5", "wrong_type"), ("1e300", "invalid"), ("73.0", "invalid")],
)
def test_a_whole_number_may_be_written_in_any_way(ada, number, code):
    key = ada.call("POST", "/api/v1/keys", {"name": "x"}).json["id"]
    body = f'{{"grace_hours": {number}}}'
    answer = ada.client.post(f"/api/v1/keys/{key}/rotate", data=body, content_type="application/json")
    assert answer.json.get("errors") == (code and [{"pointer": "/grace_hours", "code": code}])


def test_an_address_of_its_own_is_no_id(ada):
    answer = ada.client.delete("/api/v1/fingerprints/search")
    assert answer.status_code == 405 and set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


# ── The page ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def page(visitor):
    answer = visitor.get("/docs")
    assert answer.status_code == 200
    return answer.text


def test_the_page_shows_every_call_with_its_fields_and_problems(page, told):
    for (method, path), one in operations(told).items():
        section = page.partition(f'<section class="call" id="{one["operationId"]}"')[2].partition("</section>")[0]
        assert f'<span class="method">{method}</span> <code>{path}</code>' in section
        for parameter in one["parameters"]:
            assert f"<dt><code>{parameter['name']}</code>" in section, (path, parameter["name"])
        for body in one.get("requestBody", {}).get("content", {}).values():
            name = body["schema"].get("$ref", "").rpartition("/")[2]
            for field in told["components"]["schemas"].get(name, body["schema"])["properties"]:
                assert f"<dt><code>{field}</code>" in section, (path, field)
        named = {
            code for one in one["responses"].values() if "$ref" in one for code in one["$ref"].split("/")[-1].split(".")
        }
        assert all(f'<a href="#{code}">' in section for code in named - OF_EVERY_CALL), path
    assert "whole number, 0 to 72; <code>24</code> without it" in page


def test_every_link_inside_the_page_leads_somewhere(page):
    targets, places = set(re.findall(r'href="#([^"]+)"', page)), re.findall(r' id="([^"]+)"', page)
    assert len(places) == len(set(places)) and len(targets) > 60
    assert targets - set(places) == set()


def test_the_examples_are_lines_that_call_what_they_stand_with(app, page, told):
    shown = reading.groups(told, "http://localhost")
    for one in (one for group in shown.values() for one in group):
        words = shlex.split(one.example.replace("\\\n", " "))
        url = words[1].replace("…", "0" * 32)
        method = words[words.index("-X") + 1] if "-X" in words else "POST" if {"-d", "-F"} & set(words) else "GET"
        rule, _ = app.url_map.bind("localhost").match(url.removeprefix("http://localhost"), method, return_rule=True)
        assert (one.method, one.path) == (method, document.Route(method, rule, None).path)
        if "-d" in words and not (body := words[words.index("-d") + 1]).startswith("@"):
            kind = calls.of(app.view_functions[rule.endpoint]).body
            assert bodies.msgspec.json.decode(body, type=kind), one.example


def blocks(page):
    """What there is to copy, by its name."""
    return {
        name: unescape(text) for name, text in re.findall(r'aria-label="([^"]+)"><code>(.*?)</code></pre>', page, re.S)
    }


def test_the_signature_is_verified_as_the_page_says(page):
    scope, now = {}, 1_764_000_000
    exec(blocks(page)["Verify by hand"], scope)
    written = datetime.fromtimestamp(now).astimezone().isoformat()
    message = signing.signed("verification.completed", flows.OF_A_TEST, "whsec_x", "dlv_1", now, written)
    verified = scope["verified"]
    assert verified(message.body, message.headers, "whsec_x", now + 5)["session_id"] == flows.OF_A_TEST["session_id"]
    assert verified(message.body + b" ", message.headers, "whsec_x", now) is None
    assert verified(message.body, message.headers, "whsec_y", now) is None
    assert verified(message.body, {}, "whsec_x", now) is None
    assert verified(message.body, message.headers, "whsec_x", now + 301) is None
    known = {"verify_signature": verify_signature, "parse_event": parse_event, "secret": "whsec_x"}
    known |= {"body": message.body, "headers": message.headers}
    exec(blocks(page)["Verify with the client"], known)
    assert known["event"].session_id == flows.OF_A_TEST["session_id"]
    assert hmac.compare_digest(
        message.headers["X-FaceVault-Signature"], hmac.new(b"whsec_x", message.body, "sha256").hexdigest()
    )


@pytest.mark.long
def test_the_first_steps_work_as_they_are_written(serve, tmp_path):
    """Copied off the page of a real server, with email, password, code and key replaced, and run by a shell."""
    server = serve()
    secret, _ = enrolled(server.client())
    steps = blocks(server.client().get("/docs").text)

    def runs(step, **replaced):
        text = steps[step].replace("you@example.org", EMAIL).replace("YOUR PASSWORD", PASSWORD)
        for what, instead in replaced.items():
            text = text.replace(*instead) if isinstance(instead, tuple) else text.replace(what, instead)
        done = subprocess.run(["sh", "-e"], input=text, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    said = runs("Sign in and make a key", code=("123456", next_code(secret)))
    key = json.loads(said[said.index('{"id"') :])
    assert key["scopes"] == ["sessions:create", "sessions:read"]
    made = json.loads(runs("Begin a session", key=("fv_live_…", key["secret"])))
    again = json.loads(runs("Begin a session", key=("fv_live_…", key["secret"])))
    assert made == again and server.client(follow_redirects=True).get(made["capture_url"]).status_code == 200
    webhook = json.loads(runs("Make a webhook"))
    assert webhook["secret"].startswith("whsec_")
    read = json.loads(runs("Read the result", key=("fv_live_…", key["secret"]), id=("vs_…", made["session_id"])))
    assert (read["session_id"], read["status"], read["external_user_id"]) == (
        made["session_id"],
        "pending",
        "customer-17",
    )
