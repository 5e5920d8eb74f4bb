"""Promise 12: what belongs to another account is not there, whoever asks for it, by whatever way it can be named.

Each call is made with the id of what another account has, and with one that nobody has: the answers are the same, and
so is the whole database before and after. Then the owner makes it, and is served: so it was the right call.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from fv import create_app, db, gate
from fv.api.bodies import Body
from tests.conftest import TEMPLATES, Clock
from tests.templates import template
from tests.tenants import KINDS, OURS, SESSIONS, Tenant, another_like, cursor

ALL_SESSIONS = tuple(SESSIONS)
LOOKED_INTO = ("review session", "passed session", "failed session")
KEYS = ("key", "replaced key", "revoked key")
LINKS = ("link", "revoked link")
FINGERPRINTS = ("fingerprint", "blocked fingerprint")
WEBHOOKS = ("webhook", "webhook that is off")


@dataclass(frozen=True)
class Call:
    """`{id}` in `path` and `send` names one of `kinds`; the owner is answered `owner`, a stranger `stranger`.

    `{its webhook}`: of a delivery. `secret`: the owner shows one of these; an id opens nothing in its place.
    """

    method: str
    path: str
    kinds: tuple[str, ...]
    send: dict[str, Any] = field(default_factory=dict)
    owner: int = 200
    stranger: int = 404
    secret: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path} {' '.join(str(part) for part in self.send.values())}"[:90]


def body(**fields: object) -> dict[str, Any]:
    return {"json": fields}


def form(**fields: object) -> dict[str, Any]:
    return {"data": fields}


FACE = {"embedding": template(3), "model": OURS, "external_user_id": "somebody"}
WHY = {"decision": "failed", "reason": "why"}
YEARS = "2035-01-01T00:00:00Z"  # a hold may last ten
CURSORS = ("/api/v1/erasures", "/api/v1/sessions", "/api/v1/fingerprints", "/api/v1/links", "/api/v1/keys",
           "/api/v1/webhooks", "/retention", "/sessions", "/links", "/review", "/audit", "/api/v1/audit")  # fmt: skip

CALLS = (
    Call("GET", "/api/v1/sessions/{id}", ALL_SESSIONS),
    Call("POST", "/api/v1/sessions/{id}/cancel", ("pending session", "in_progress session")),
    Call("POST", "/api/v1/sessions/{id}/decision", ("review session", "passed session"), body(**WHY)),
    Call("GET", "/api/v1/sessions/{id}/document", LOOKED_INTO),
    Call("GET", "/api/v1/sessions/{id}/document", ("erased session",), owner=410),
    Call("GET", "/api/v1/sessions/{id}/photos", LOOKED_INTO),
    Call("GET", "/api/v1/sessions/{id}/photos", ("erased session",), owner=410),
    Call("GET", "/api/v1/sessions/{id}/photos/selfie", LOOKED_INTO),
    Call("GET", "/api/v1/sessions/{id}/photos/selfie", ("erased session",), owner=410),
    Call("GET", "/sessions/{id}", ALL_SESSIONS),
    Call("GET", "/sessions/{id}/progress", ("analyzing session",), owner=303),
    Call("POST", "/sessions/{id}/cancel", ("pending session", "in_progress session"), owner=303),
    Call("POST", "/sessions/{id}/decision", ("review session", "passed session"), form(**WHY), owner=303),
    Call("POST", "/sessions/{id}/decision", ("review session",), form(**WHY, then="review"), owner=303),
    Call("POST", "/sessions/{id}/document", LOOKED_INTO),
    Call("POST", "/sessions/{id}/photos/selfie", LOOKED_INTO),
    Call("GET", "/sessions/{id}/photos/selfie.jpg", LOOKED_INTO),
    Call("GET", "/sessions/{id}/photos/selfie.jpg", ("erased session",), owner=410),
    Call("POST", "/sessions/{id}/portrait", LOOKED_INTO),
    Call("GET", "/sessions/{id}/portrait.jpg", LOOKED_INTO),
    Call("DELETE", "/api/v1/sessions/{id}/data", ("review session", "pending session"), body(reason="why"), owner=202),
    Call("DELETE", "/api/v1/sessions/{id}/data", ("held session",), body(reason="why"), owner=409),
    Call("PUT", "/api/v1/sessions/{id}/hold", ("review session", "held session"), body(until=YEARS, reason="why")),
    Call("DELETE", "/api/v1/sessions/{id}/hold", ("held session",), owner=204),
    Call("GET", "/api/v1/erasures/{id}", ("erasure",)),
    Call("POST", "/sessions/{id}/data/erase", ("review session", "pending session"), form(reason="why"), owner=303),
    Call("POST", "/sessions/{id}/hold", ("review session",), form(until=YEARS[:10], reason="why"), owner=303),
    Call("POST", "/sessions/{id}/hold/end", ("held session",), owner=303),
    Call("DELETE", "/api/v1/keys/{id}", ("key", "replaced key"), owner=204),
    Call("POST", "/api/v1/keys/{id}/rotate", ("key",), body(grace_hours=1), owner=201),
    Call("POST", "/keys/{id}/revoke", ("key", "replaced key"), owner=303),
    Call("POST", "/keys/{id}/rotate", ("key",), form(grace_hours="1")),
    Call("GET", "/api/v1/usage?key_id={id}", KEYS),
    Call("GET", "/usage?key_id={id}", KEYS),
    Call("GET", "/usage.csv?key_id={id}", KEYS),
    Call("DELETE", "/api/v1/links/{id}", ("link",), owner=204),
    Call("POST", "/links/{id}/revoke", ("link",), owner=303),
    Call("DELETE", "/api/v1/fingerprints/{id}", FINGERPRINTS, owner=204),
    Call("POST", "/api/v1/fingerprints/{id}/block", FINGERPRINTS, body(reason="why")),
    Call("DELETE", "/api/v1/fingerprints/{id}/block", FINGERPRINTS, owner=204),
    Call("POST", "/api/v1/fingerprints", LOOKED_INTO, body(**FACE, session_id="{id}"), owner=201),
    Call("POST", "/api/v1/fingerprints/search", LOOKED_INTO, body(session_id="{id}")),
    Call("POST", "/api/v1/fingerprints/search", FINGERPRINTS, body(fingerprint_id="{id}")),
    Call("POST", "/search", LOOKED_INTO, form(face="{id}", reason="why")),
    Call("POST", "/search", LOOKED_INTO, form(session_id="{id}", reason="why")),
    Call("POST", "/search", FINGERPRINTS, form(fingerprint_id="{id}", reason="why")),
    Call("GET", "/search?session_id={id}", LOOKED_INTO, stranger=200),  # into a field of the form, and no more
    Call("GET", "/search?fingerprint_id={id}", FINGERPRINTS, stranger=200),
    Call("POST", "/search/block", FINGERPRINTS, form(fingerprint_id="{id}", reason="why"), owner=303),
    Call("POST", "/search/block", FINGERPRINTS, form(fingerprint_id="{id}"), owner=422),
    Call("POST", "/search/unblock", FINGERPRINTS, form(fingerprint_id="{id}"), owner=303),
    Call("GET", "/api/v1/webhooks/{id}", WEBHOOKS),
    Call("PATCH", "/api/v1/webhooks/{id}", WEBHOOKS, body(active=False)),
    Call("PATCH", "/api/v1/webhooks/{id}", WEBHOOKS, body(url="http://127.0.0.1/"), owner=422),
    Call("DELETE", "/api/v1/webhooks/{id}", WEBHOOKS, owner=204),
    Call("GET", "/api/v1/webhooks/{id}/deliveries", WEBHOOKS),
    Call("POST", "/api/v1/webhooks/{id}/test", ("webhook",), owner=201),
    Call("POST", "/api/v1/webhooks/{id}/test", ("webhook that is off",), owner=409),
    Call("GET", "/webhooks/{id}", WEBHOOKS),
    Call("POST", "/webhooks/{id}/active", WEBHOOKS, form(active="no"), owner=303),
    Call("POST", "/webhooks/{id}/delete", WEBHOOKS, owner=303),
    Call("POST", "/webhooks/{id}/test", ("webhook",), owner=303),
    Call("POST", "/webhooks/{id}/url", WEBHOOKS, form(url="https://new.example/"), owner=303),
    Call("POST", "/webhooks/{id}/url", WEBHOOKS, form(url="http://127.0.0.1/"), owner=422),
    Call("POST", "/api/v1/deliveries/{id}/resend", ("delivery",)),
    Call("POST", "/webhooks/{its webhook}/deliveries/{id}/resend", ("delivery",), owner=303),
    Call("GET", "/api/v1/billing/invoices/{id}", ("invoice",)),
    Call("GET", "/billing/invoices/{id}", ("invoice",)),
    Call("POST", "/account/logins/end", ("login",), form(login="{id}"), owner=303, stranger=303),
    *(Call("GET", f"{path}?after={{cursor}}", ("pending session",), stranger=200) for path in CURSORS[:-2]),
    Call("GET", "/api/v1/billing/invoices?after={cursor}", ("invoice",), stranger=200),
    Call("GET", "/billing?after={cursor}", ("invoice",), stranger=200),
    *(Call("GET", f"{path}?after={{cursor}}", ("event",), stranger=200) for path in CURSORS[-2:]),
    # whoever holds one of these secrets may: so an id in its place is nothing, also to the account that has it
    Call("GET", "/v/receipt/{id}", ("erasure", *ALL_SESSIONS), secret="receipt code"),
    Call("POST", "/v/receipt/{id}", ("erasure", *ALL_SESSIONS), form(sure="yes"), owner=303, secret="receipt code"),
    Call("GET", "/v/receipt/{id}/signed", ("erasure", *ALL_SESSIONS), secret="signed receipt"),
    Call("GET", "/v/{id}", LINKS, secret="link token"),
    Call("POST", "/v/{id}/start", LINKS, form(consent="yes"), owner=303, secret="link token"),
    Call("GET", "/password/{id}", ("login", "key"), secret="password link"),
    Call("POST", "/password/{id}", ("login", "key"), form(password="short"), owner=422, secret="password link"),
    Call("GET", "/?sid={id}&st=unknown", ALL_SESSIONS, secret="capture address", owner=303),
    *(Call("POST", f"/api/v1/capture/{path}", ALL_SESSIONS, {"headers": {"Authorization": "Bearer {id}"}}, owner, 401,
           "capture token") for path, owner in (("photos/selfie", 422), ("consent", 200), ("submit", 422))),
    Call("GET", "/api/v1/capture/status", ALL_SESSIONS, {"headers": {"Authorization": "Bearer {id}"}}, 200, 401,
         "capture token"),
)  # fmt: skip

#: What names an object by the cookie of a browser, and the test that is about it.
BY_COOKIE = {("POST", "capture.keep_photo"): "test_the_cookie_of_a_capture_opens_its_own_session_alone"}
#: Plans have names, which are the same for everybody.
OF_NOBODY = {("GET", "billing.confirm"), ("POST", "billing.choose")}


# ── Who asks ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Caller:
    """`opens`: whether this kind of caller may call such an endpoint for what is its own."""

    name: str
    ask: Callable[..., TestResponse]
    opens: Callable[[str, str], bool]


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def app(clock, tmp_path_factory):
    def resolver(_name: str) -> list[str]:
        raise OSError

    app = create_app(
        INSTANCE=tmp_path_factory.mktemp("tenancy") / "instance", CLOCK=clock, HASH_MEMORY_KIB=8, HASH_PASSES=1,
        REGISTRATION="open", RESOLVER=resolver, KEYS_PER_ACCOUNT=1000,
    )  # fmt: skip
    app.jinja_env.bytecode_cache = TEMPLATES
    yield app
    db.close(app)


@pytest.fixture(scope="module")
def ada(app, clock, eve) -> Tenant:
    """Later than the other: a place in a list behind what is hers has something of the other's after it."""
    return Tenant(app, clock, "ada")


@pytest.fixture(scope="module")
def eve(app, clock) -> Tenant:
    return Tenant(app, clock, "eve")


@pytest.fixture(scope="module")
def strangers(app, eve) -> list[Caller]:
    holder = app.test_client()
    own = eve.made("/api/v1/sessions", {"external_user_id": "customer"})
    assert holder.get(own["capture_url"]).status_code == 303
    return [
        Caller("cookie", asking(eve.client), always),
        Caller("htmx", asking(eve.client, {"HX-Request": "true"}), always),
        *(Caller(f"{mode} key", asking(app.test_client(), bearer(eve.keys[mode])), to_keys) for mode in eve.keys),
        Caller("link token", asking(app.test_client(), bearer(eve.has["link token", "live"])), never),
        Caller("capture token", asking(app.test_client(), bearer(own["session_token"])), never),
        Caller("capture cookie", asking(holder), never),
        Caller("nobody", asking(app.test_client()), never),
    ]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def asking(client, shown: dict[str, str] | None = None) -> Callable[..., TestResponse]:
    def ask(method: str, path: str, **send: Any) -> TestResponse:
        return client.open(path, method=method, **send | {"headers": (shown or {}) | send.get("headers", {})})

    return ask


def always(method: str, endpoint: str) -> bool:
    return True


def to_keys(method: str, endpoint: str) -> bool:
    return (method, endpoint) in gate.OPEN_TO_KEYS or (method, endpoint) in gate.OPEN_TO_ALL


def never(method: str, endpoint: str) -> bool:
    return (method, endpoint) in gate.OPEN_TO_ALL


# ── A call, and what came of it ──────────────────────────────────────────────────────────────────────────────


def filled(part: Any, values: dict[str, str]) -> Any:
    if isinstance(part, dict):
        return {name: filled(one, values) for name, one in part.items()}
    if isinstance(part, str):
        for name, value in values.items():
            part = part.replace(f"{{{name}}}", value)
    return part


def values_of(app: Flask, call: Call, id: str) -> dict[str, str]:
    """What stands for the words in braces, when `id` is the object."""
    values = {"id": id, "cursor": cursor(id, 1)}
    if "{its webhook}" in call.path:
        with app.app_context():
            found = db.one(dict, "SELECT webhook_id FROM deliveries WHERE id = :id", id=id)
        values["its webhook"] = found["webhook_id"] if found else another_like(f"whk_{'0' * 32}")
    return values


def told(answer: TestResponse, values: dict[str, str]) -> tuple[object, ...]:
    """Status, headers and body, without what names this request or the object that was asked for."""
    request_id = answer.headers["X-Request-Id"]
    text = answer.get_data().decode("latin-1").replace(request_id, "")
    headers = "\n".join(f"{name}: {value}" for name, value in sorted(answer.headers) if name != "X-Request-Id")
    for value in (*values.values(), *map(quote, values.values()), *map(quote, map(quote, values.values()))):
        text, headers = text.replace(value, ""), headers.replace(value, "")
    return answer.status_code, headers, text


def made(app: Flask, caller: Caller, call: Call, id: str, **other: Any) -> tuple[object, ...]:
    values = values_of(app, call, id)
    ways = {"method": call.method, **call.send} | other
    return told(caller.ask(path=filled(call.path, values), **filled(ways, values)), values)


def everything(app: Flask, caller_id: str) -> dict[str, list[str]]:
    """All rows of all tables, but for when the caller was there last."""
    with app.app_context():
        tables = [row["name"] for row in db.many(dict, "SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {table: db.many(dict, f"SELECT * FROM {table}") for table in tables}
    for row in [*rows["logins"], *rows["api_keys"]]:
        if row["account_id"] == caller_id:
            row.update(dict.fromkeys(row.keys() & {"seen_at", "used_at", "used_from"}))
    return {table: sorted(str(row) for row in found) for table, found in rows.items()}


def is_unchanged(before: dict[str, list[str]], after: dict[str, list[str]]) -> bool:
    changed = {table for table in before if before[table] != after[table]}
    assert not changed, f"it changed {sorted(changed)}"
    return True


def endpoint_of(app: Flask, call: Call) -> str:
    path = re.sub(r"{[\w ]+}", f"fp_{'0' * 32}", call.path).partition("?")[0]
    return app.url_map.bind("localhost").match(path, method=call.method)[0]


def expected(caller: Caller, call: Call, endpoint: str) -> int:
    if caller.opens(call.method, endpoint):
        return 204 if call.stranger == 303 and caller.name == "htmx" else call.stranger
    if caller.name.endswith("key"):
        return 403
    return 303 if call.method == "GET" and not call.path.startswith("/api/") else 401


#: Other ways to send the same call: with these, too, nothing tells what is there from what is not.
WRONGLY = ({"method": "HEAD"}, {"method": "OPTIONS"}, {"json": {"wrong": 1}, "data": None})


# ── The sweep ────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_rule_that_names_something_is_called(app):
    """A route that is added joins here, or this fails."""
    called = {(call.method, endpoint_of(app, call)) for call in CALLS} | set(BY_COOKIE) | OF_NOBODY
    assert set(BY_COOKIE.values()) <= globals().keys()
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"} if rule.arguments and rule.endpoint != "static" else ():
            assert (method, rule.endpoint) in called, (
                f"{method} {rule.rule} names something, and nobody tries it as another account: add a line to CALLS in "
                f"{__name__}, and to KINDS in tests/tenants.py how one is made if that is a new kind of object"
            )


def test_every_field_that_names_something_is_sent():
    """In bodies, forms and addresses: what ends in _id and is not the account's own word for a person."""
    from tests.test_architecture import FILES

    sent = {name for call in CALLS for part in ("json", "data") for name in call.send.get(part, {})}
    sent |= {name for call in CALLS for name in re.findall(r"[?&](\w+)=", call.path)}
    fields = {name for kind in Body.__subclasses__() for name in kind.__struct_fields__}
    for path in FILES.values():
        fields |= set(re.findall(r"request\.(?:args|form)(?:\.get\(|\[)\"(\w+)\"", path.read_text()))
    named = {name for name in fields if name.endswith("_id")} - {"external_user_id"}
    assert {"session_id", "fingerprint_id", "key_id"} <= named <= sent


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_what_another_account_has_is_not_there(app, ada, eve, strangers, call):
    endpoint, before = endpoint_of(app, call), everything(app, eve.id)
    theirs = [ada.has[kind, mode] for kind in call.kinds for mode in ("live", "test")]
    for caller in strangers:
        for id in theirs if caller.opens(call.method, endpoint) else theirs[:1]:
            answer, nobodys = made(app, caller, call, id), made(app, caller, call, another_like(id))
            assert answer == nobodys, f"{caller.name}: {call}"
            assert answer[0] == expected(caller, call, endpoint), f"{caller.name}: {call}"
        for other in WRONGLY if caller.name in ("cookie", "live key") else ():
            answer = made(app, caller, call, theirs[0], **other)
            assert answer == made(app, caller, call, another_like(theirs[0]), **other), f"{caller.name}: {call} {other}"
    assert is_unchanged(before, everything(app, eve.id))


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_and_its_owner_is_served_by_the_same_call(app, ada, call):
    """By cookie, and by a key of the right mode where a key may."""
    if call.secret == "capture address":
        new = ada.made("/api/v1/sessions", {"external_user_id": "customer"})
        assert app.test_client().get(new["capture_url"]).status_code == call.owner
        return
    for kind in (call.secret,) if call.secret else call.kinds:
        person = Caller("cookie", asking(ada.client), always)
        assert made(app, person, call, one_for(ada, call, kind, "live"))[0] == call.owner, kind
        for mode, secret in ada.keys.items():
            program = Caller(f"{mode} key", asking(app.test_client(), bearer(secret)), to_keys)
            if (call.method, endpoint_of(app, call)) in gate.OPEN_TO_KEYS:
                assert made(app, program, call, one_for(ada, call, kind, mode))[0] == call.owner, (kind, mode)
    ada.keeps_what_it_had()


def one_for(tenant: Tenant, call: Call, kind: str, mode: str) -> str:
    """A new one for a call that may use it up; what is looked at can be looked at again."""
    is_kept = call.method == "GET" or (call.kinds == LOOKED_INTO and "decision" not in call.path)
    return tenant.has[kind, mode] if is_kept and not call.secret else KINDS[kind](tenant, mode)


def test_a_key_of_one_mode_reaches_nothing_of_the_other(app, ada):
    before = everything(app, ada.id)
    for call in CALLS:
        if (call.method, endpoint_of(app, call)) not in gate.OPEN_TO_KEYS:
            continue
        for own, other in (("live", "test"), ("test", "live")):
            program = Caller(f"{own} key", asking(app.test_client(), bearer(ada.keys[own])), to_keys)
            for kind in call.kinds:
                answer = made(app, program, call, ada.has[kind, other])
                assert answer == made(app, program, call, another_like(ada.has[kind, other])), f"{own} key: {call}"
                assert answer[0] == call.stranger, f"{own} key: {call}"
    assert is_unchanged(before, everything(app, ada.id))


# ── What no id is needed for ─────────────────────────────────────────────────────────────────────────────────


def marks_of(app: Flask, tenant: Tenant, mode: str | None = None) -> set[str]:
    """Whatever an answer could show of what an account has, or has in one mode."""
    with app.app_context():
        rows = [
            row
            for table in (
                "api_keys",
                "verifications",
                "links",
                "searches",
                "webhooks",
                "galleries",
                "imports",
                "erasures",
                "invoices",
            )
            for row in db.many(dict, f"SELECT * FROM {table} WHERE account_id = :id", id=tenant.id)
            if mode in (None, row.get("mode"))
        ]
        rows += db.many(dict, "SELECT * FROM audit WHERE account_id = :id", id=tenant.id) if mode is None else []
        names = ", ".join(f"'{row['id']}'" for row in rows if str(row["id"]).isdigit())
        rows += db.many(dict, f"SELECT id FROM fingerprints WHERE gallery_id IN ({names})")
        hooks = ", ".join(f"'{row['id']}'" for row in rows if str(row["id"]).startswith("whk_"))
        rows += db.many(dict, f"SELECT id FROM deliveries WHERE webhook_id IN ({hooks})")
    return {str(row["id"]) for row in rows if not str(row["id"]).isdigit()}


def pages_of(app: Flask) -> set[str]:
    """Every address that shows something and names nothing."""
    return {
        rule.rule for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and not rule.arguments and rule.rule not in ("/", "/healthz", "/setup")
    }  # fmt: skip


def test_no_list_page_or_file_shows_what_another_account_has(app, ada, eve):
    marks = marks_of(app, ada) | {ada.email, f"of {ada.name}", f"{ada.name}.example"}
    own, shown = marks_of(app, eve), set()
    filters = ("", f"?external_user_id=customer+of+{ada.name}", f"?model=import-of-{ada.name}")
    for path in sorted(pages_of(app)):
        for query in filters:
            for headers in ({}, {"HX-Request": "true"}, *map(bearer, eve.keys.values())):
                text = eve.get(path + query, headers=headers).text.replace(f"+of+{ada.name}", "")
                text = text.replace(f"of {ada.name}" if query else "\0", "")  # what was typed, in its field
                assert not {mark for mark in marks if mark in text}, (path, query)
                shown |= {mark for mark in own if mark in text}
    assert len(shown) > 60, "the own things are listed, so those of others could have been"


@pytest.mark.parametrize(("own", "other"), [("live", "test"), ("test", "live")])
def test_a_key_lists_what_is_of_its_mode(app, ada, own, other):
    mine, others, shown = marks_of(app, ada, own), marks_of(app, ada, other), set()
    for path in sorted(pages_of(app)):
        text = app.test_client().get(path, headers=bearer(ada.keys[own])).text
        assert not {mark for mark in others if mark in text}, path
        shown |= {mark for mark in mine if mark in text}
    assert len(shown) > 15


def test_the_cookie_of_a_capture_opens_its_own_session_alone(app, ada, eve):
    theirs, browsers = eve.made("/api/v1/sessions", {"external_user_id": "customer"}), []
    for tenant_session in (theirs, ada.made("/api/v1/sessions", {"external_user_id": "customer"})):
        browsers.append(app.test_client())
        assert browsers[-1].get(tenant_session["capture_url"]).status_code == 303
    before, page = everything(app, eve.id), browsers[0].get("/v/s").text
    ways = [("POST", "photos/selfie"), ("POST", "start"), ("POST", "submit"), ("POST", "challenge"), ("GET", "status")]
    for client in (browsers[0], app.test_client(), eve.client):
        caller = Caller("capture cookie", asking(client), never)
        for method, path in ways:
            call = Call(method, f"/v/s/{path}?of={{id}}", ())
            for kind in ALL_SESSIONS:
                answer = made(app, caller, call, ada.has[kind, "live"])
                assert answer == made(app, caller, call, another_like(ada.has[kind, "live"]))
                assert answer[0] == (409 if client is browsers[0] else 404)
    assert is_unchanged(before, everything(app, eve.id)) and browsers[0].get("/v/s").text == page
    started = [client.post("/v/s/start", data={"consent": "yes"}).status_code for client in browsers]
    assert started == [303, 303], "each has its own"


def test_the_token_of_one_session_does_not_open_another(app, ada, eve):
    mine = eve.made("/api/v1/sessions", {"external_user_id": "customer"})["session_token"]
    before = everything(app, eve.id)
    for kind in ALL_SESSIONS:
        for id in (ada.has[kind, "live"], another_like(ada.has[kind, "live"])):
            assert app.test_client().get(f"/?sid={id}&st={mine}").status_code == 404
    assert is_unchanged(before, everything(app, eve.id))


def test_a_delivery_is_sent_again_at_the_address_of_its_own_webhook_alone(app, ada, eve):
    """Otherwise a webhook of somebody else would stand in the address of an answer that is no 404."""
    person, before = Caller("cookie", asking(eve.client), always), everything(app, eve.id)
    call = Call("POST", f"/webhooks/{{id}}/deliveries/{eve.has['delivery', 'live']}/resend", WEBHOOKS)
    for webhook in (ada.has["webhook", "live"], eve.has["webhook", "live"], another_like(f"whk_{'0' * 32}")):
        assert made(app, person, call, webhook)[0] == 404
    assert is_unchanged(before, everything(app, eve.id))


def test_an_idempotency_key_is_of_one_account_and_mode(app, ada, eve):
    """Whoever else sends it makes a session of their own, as with one that nobody has sent."""
    name = ada.has["idempotency key", "live"]
    with app.app_context():
        (kept,) = db.many(dict, "SELECT * FROM idempotency WHERE request_key = :name", name=name)
    for tenant, mode in ((eve, "live"), (eve, "test"), (ada, "test")):
        for user in ("customer", "another one"):
            sent = {"Idempotency-Key": name if user == "customer" else another_like(name)}
            new = tenant.made("/api/v1/sessions", {"external_user_id": user}, mode, **sent)
            found = tenant.get(f"/api/v1/sessions/{new['session_id']}", headers=bearer(tenant.keys[mode]))
            assert (found.json["external_user_id"], found.json["mode"]) == (user, mode)
    with app.app_context():
        assert kept in db.many(dict, "SELECT * FROM idempotency WHERE account_id = :id", id=ada.id)
    assert ada.made("/api/v1/sessions", {"external_user_id": "customer"}, "live", **{"Idempotency-Key": name})
