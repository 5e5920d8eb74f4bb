"""The API is described by the same declarations that check what is sent: as a document, and as a page."""

import json
import re

import pytest
from openapi_spec_validator import validate

from fv import gate, problems
from fv.api import bodies, lists
from fv.api.calls import described
from fv.reference import document
from fv.reference.problems import OF_EVERY_CALL
from fv.webhooks import flows, signing
from fv.webhooks.answers import Event
from tests import declared
from tests.conftest import Visitor


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
        assert in_path == set(re.findall(r"{(\w+)}", address[1])), address


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


def test_an_address_of_its_own_is_no_id(ada):
    answer = ada.client.delete("/api/v1/fingerprints/search")
    assert answer.status_code == 405 and set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
