"""Accounts that have one of everything, and how each thing is named from outside."""

import base64
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict

from fv import db
from fv.accounts import flows as accounts
from fv.analysis.findings import Findings, Portrait
from fv.api import times
from fv.billing import store as billing
from fv.evidence import flows as evidence
from fv.fingerprints import flows as fingerprints
from fv.fingerprints.flows import Template
from fv.fingerprints.store import Space
from fv.imports import store as imports
from fv.imports.store import Import
from fv.keys import scopes
from fv.retention import confirming
from fv.support import flows as support
from fv.terms import span
from tests.conftest import Visitor
from tests.photos import photographed
from tests.reports import document
from tests.templates import template

OURS = "dlib-resnet-1"  # the model that faces of sessions are compared by
SEEN = Findings(score=55, decision="review", face_match=None, portrait=Portrait((100, 100, 300, 300), 0))


class Tenant(Visitor):
    """An account with a person's browser, a key of each mode, and `has[kind, mode]`: the id of one of each kind."""

    def __init__(self, app, clock, name: str) -> None:
        super().__init__(app, clock, f"{name}@example.org")
        self.name = name
        self.signs_up(), self.enrols(), self.post("/setup/codes/dismiss")
        self.id = self.get("/api/v1/me").json["id"]
        self.keys = {mode: self.key(mode)["secret"] for mode in scopes.MODES}
        self.has = {(kind, mode): make(self, mode) for kind, make in KINDS.items() for mode in scopes.MODES}

    def key(self, mode: str) -> dict:
        return self.made("/api/v1/keys", {"name": f"of {self.name}", "scopes": sorted(scopes.NAMES), "mode": mode})

    def made(self, path: str, body: object, mode: str | None = None, **headers: str) -> dict:
        """What the API says of a new thing. `mode`: it is made with the key of this mode, not by the person."""
        shown = {"Authorization": f"Bearer {self.keys[mode]}"} if mode else {}
        answer = self.client.post(path, json=body, headers=shown | headers)
        assert answer.status_code in (200, 201), (path, answer.text)
        return answer.json

    def keeps_what_it_had(self) -> None:
        """Webhooks that were made since go: of an account there are only so many."""
        had = ", ".join(f"'{id}'" for id in [*self.has.values()])
        self.writes(f"""
            DELETE FROM webhooks WHERE account_id = :id AND id NOT IN ({had})
            AND id NOT IN (SELECT webhook_id FROM deliveries WHERE id IN ({had}))
        """, id=self.id)  # fmt: skip

    def writes(self, sql: str, **params: object) -> None:
        with self.app.app_context():
            db.run(sql, **params)


# ── One of each kind ─────────────────────────────────────────────────────────────────────────────────────────


def session(tenant: Tenant, mode: str, standing: str = "pending") -> str:
    """As it stands: a status, or `erased`."""
    id = tenant.made("/api/v1/sessions", {"external_user_id": f"customer of {tenant.name}"}, mode)["session_id"]
    if standing in ("in_progress", "analyzing"):
        photographed(tenant.app, id, None, kinds=("id_photo",))
    if standing == "analyzing":
        tenant.writes("UPDATE verifications SET status = 'analyzing', submitted_at = 1 WHERE id = :id", id=id)
    if standing in ("review", "passed", "failed", "erased"):
        photographed(tenant.app, id, "passed" if standing == "erased" else standing)
        _is_looked_into(tenant, mode, id)
    if standing == "expired":
        tenant.writes("UPDATE verifications SET expires_at = 1 WHERE id = :id", id=id)
    if standing == "canceled":
        tenant.made(f"/api/v1/sessions/{id}/cancel", {}, mode)
    if standing == "erased":
        erase(tenant, mode, id)
    return id


def erase(tenant: Tenant, mode: str, id: str) -> str:
    shown = {"Authorization": f"Bearer {tenant.keys[mode]}"}
    answer = tenant.client.delete(f"/api/v1/sessions/{id}/data", json={"reason": f"of {tenant.name}"}, headers=shown)
    assert answer.status_code == 202, answer.text
    return answer.json["id"]


def erasure(tenant: Tenant, mode: str) -> str:
    return erase(tenant, mode, session(tenant, mode))


def held_session(tenant: Tenant, mode: str) -> str:
    id, until = session(tenant, mode), times.written(int(tenant.clock.now) + 30 * 86400)
    assert tenant.call("PUT", f"/api/v1/sessions/{id}/hold", {"until": until, "reason": "court"}).status_code == 200
    return id


def receipt_code(tenant: Tenant, mode: str) -> str:
    """Of the page of a person who was verified."""
    made = tenant.made("/api/v1/sessions", {"external_user_id": "customer"}, mode)
    return span.code_of(made["session_token"])


def signed_receipt(tenant: Tenant, mode: str) -> str:
    """The code of a page whose session was erased, and looked for."""
    made = tenant.made("/api/v1/sessions", {"external_user_id": "customer"}, mode)
    erase(tenant, mode, made["session_id"])
    with tenant.app.app_context():
        assert confirming.confirm(int(tenant.clock.now))
    return span.code_of(made["session_token"])


def invoice(tenant: Tenant, mode: str) -> str:
    """Of the month that runs: a draft."""
    month = times.written(int(tenant.clock.now))[:7]
    with tenant.app.app_context(), db.transaction():
        billing.choose(tenant.id, month, "starter", 0)
    assert tenant.app.test_cli_runner().invoke(args=["invoices", "make", "--month", month]).exit_code == 0
    return tenant.get("/api/v1/billing/invoices").json["data"][0]["id"]


def _is_looked_into(tenant: Tenant, mode: str, id: str) -> None:
    """What an examination leaves with a session, in either mode."""
    tenant.writes("UPDATE verifications SET findings = :said WHERE id = :id", said=SEEN.as_text(), id=id)
    with tenant.app.app_context(), db.transaction():
        evidence.keep_document(tenant.id, id, json.dumps(asdict(document())), int(tenant.clock.now))
        face = Template(f"customer of {tenant.name}", template(len(tenant.name)), id)
        fingerprints.add(tenant.id, mode, Space(OURS), [face], int(tenant.clock.now))


def fingerprint(tenant: Tenant, mode: str) -> str:
    body = {"embedding": template(3), "model": OURS, "external_user_id": f"face of {tenant.name}"}
    return tenant.made("/api/v1/fingerprints", body, mode)["id"]


def blocked(tenant: Tenant, mode: str) -> str:
    id = fingerprint(tenant, mode)
    tenant.made(f"/api/v1/fingerprints/{id}/block", {"reason": f"reason of {tenant.name}"})
    return id


def key(tenant: Tenant, mode: str) -> str:
    return tenant.key(mode)["id"]


def replaced_key(tenant: Tenant, mode: str) -> str:
    id = key(tenant, mode)
    tenant.made(f"/api/v1/keys/{id}/rotate", {})
    return id


def revoked_key(tenant: Tenant, mode: str) -> str:
    id = key(tenant, mode)
    assert tenant.call("DELETE", f"/api/v1/keys/{id}").status_code == 204
    return id


def link(tenant: Tenant, mode: str) -> str:
    return tenant.made("/api/v1/links", {}, mode)["id"]


def link_token(tenant: Tenant, mode: str) -> str:
    return tenant.made("/api/v1/links", {"kind": "reusable"}, mode)["token"]


def revoked_link(tenant: Tenant, mode: str) -> str:
    id = link(tenant, mode)
    assert tenant.call("DELETE", f"/api/v1/links/{id}").status_code == 204
    return id


def webhook(tenant: Tenant, mode: str) -> str:
    return tenant.made("/api/v1/webhooks", {"url": f"https://{tenant.name}.example/hook", "mode": mode})["id"]


def webhook_off(tenant: Tenant, mode: str) -> str:
    id = webhook(tenant, mode)
    assert tenant.call("PATCH", f"/api/v1/webhooks/{id}", {"active": False}).status_code == 200
    return id


def delivery(tenant: Tenant, mode: str) -> str:
    return tenant.made(f"/api/v1/webhooks/{webhook(tenant, mode)}/test", {})["id"]


def search(tenant: Tenant, mode: str) -> str:
    body = {"embedding": template(3), "model": OURS, "reason": f"search of {tenant.name}"}
    return tenant.made("/api/v1/fingerprints/search", body, mode)["search_id"]


def an_import(tenant: Tenant, mode: str) -> str:
    id, now = f"imp_{secrets.token_hex(16)}", int(tenant.clock.now)
    with tenant.app.app_context(), db.transaction():
        closed = fingerprints.apart(tenant.id, mode, Space(f"import-of-{tenant.name}"), now)
        imports.add(Import(id, tenant.id, closed.id, secrets.token_hex(32), 5, 0, now, None))
    return id


def login(tenant: Tenant, mode: str) -> str:
    """The handle of a login in another browser."""
    other = tenant.another()
    other.signs_in()
    with tenant.app.app_context():
        found = db.many(dict, "SELECT id FROM logins WHERE account_id = :id ORDER BY created_at DESC", id=tenant.id)
    return accounts.handle(found[0]["id"])


def event(tenant: Tenant, mode: str) -> str:
    return tenant.get("/api/v1/audit").json["data"][0]["id"]


def password_link(tenant: Tenant, mode: str) -> str:
    """Its token."""
    with tenant.app.app_context():
        return support.link_to_password(support.find(tenant.email), "T", int(tenant.clock.now))


def idempotency_key(tenant: Tenant, mode: str) -> str:
    """One that a session was made with."""
    name = f"order {secrets.token_hex(16)}"
    tenant.made("/api/v1/sessions", {"external_user_id": "customer"}, mode, **{"Idempotency-Key": name})
    return name


def capture_token(tenant: Tenant, mode: str) -> str:
    return tenant.made("/api/v1/sessions", {"external_user_id": "customer"}, mode)["session_token"]


SESSIONS = {f"{standing} session": standing for standing in (
    "pending", "in_progress", "analyzing", "review", "passed", "failed", "expired", "canceled", "erased")}  # fmt: skip
KINDS: dict[str, Callable[[Tenant, str], str]] = {
    "webhook": webhook, "webhook that is off": webhook_off, "delivery": delivery,  # first: they are told of sessions
    **{kind: lambda tenant, mode, standing=standing: session(tenant, mode, standing)
       for kind, standing in SESSIONS.items()},
    "key": key, "replaced key": replaced_key, "revoked key": revoked_key,
    "link": link, "revoked link": revoked_link, "link token": link_token, "capture token": capture_token,
    "fingerprint": fingerprint, "blocked fingerprint": blocked, "search": search, "import": an_import,
    "invoice": invoice, "erasure": erasure, "held session": held_session,
    "receipt code": receipt_code, "signed receipt": signed_receipt,
    "login": login, "event": event, "password link": password_link, "idempotency key": idempotency_key,
}  # fmt: skip


# ── How it is named ──────────────────────────────────────────────────────────────────────────────────────────


def another_like(name: str) -> str:
    """Of the same form, and nobody's."""
    drawn = re.sub(r"[0-9a-f]{16,}", lambda found: secrets.token_hex(32)[: len(found[0])], name)
    return drawn if drawn != name else secrets.token_urlsafe(32)


def cursor(id: str, created_at: int) -> str:
    """As the lists of the API write it."""
    return base64.urlsafe_b64encode(f"{created_at} {id}".encode()).decode()
