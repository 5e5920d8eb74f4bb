"""FaceVault: an account reaches nothing until its second factor is confirmed.

Reading order: gate.py (the rule), mfa/flows.py (the story), then any one feature.
"""

from pathlib import Path

from flask import Flask

from fv import (
    config,
    cookie,
    db,
    doctor,
    gate,
    health,
    journal,
    problems,
    proxies,
    qr,
    receiving,
    sealing,
    serving,
    web,
    words,
)
from fv.accounts import store as account_store
from fv.accounts import views as accounts
from fv.api import times
from fv.audit import commands as audit_commands
from fv.audit import flows as audit_flows
from fv.audit import views as audit
from fv.backup import commands as backup
from fv.billing import commands as billing_commands
from fv.billing import flows as billing_flows
from fv.billing import pages as billing
from fv.billing import views as billing_api
from fv.capture import pages as entry
from fv.capture import views as capture
from fv.dashboard import views as dashboard
from fv.demo import commands as demo
from fv.evidence import blobs
from fv.fingerprints import memory
from fv.imports import commands as imports
from fv.keys import views as keys
from fv.links import return_urls
from fv.links import views as links
from fv.login import views as login
from fv.master_key import commands as master_key
from fv.metrics import commands as metrics
from fv.mfa import flows as mfa_flows
from fv.mfa import views as mfa
from fv.models import commands as models
from fv.notices import flows as notices_flows
from fv.notices import views as notices
from fv.passwords import views as passwords
from fv.profile import views as profile
from fv.receipts import views as receipts
from fv.reference import views as reference
from fv.retention import commands as retention_commands
from fv.retention import pages as retention
from fv.retention import views as erasures
from fv.search import pages as search
from fv.search import views as fingerprints
from fv.support import commands as support
from fv.usage import views as usage
from fv.verifications import listing
from fv.verifications import pages as sessions
from fv.verifications import views as verifications
from fv.web import Section
from fv.webhooks import pages as webhooks
from fv.webhooks import views as webhooks_api

FEATURES = (
    accounts, passwords, login, mfa, profile, notices, dashboard, sessions, verifications, search, fingerprints,
    links, entry, capture, receipts, keys, usage, billing, billing_api, webhooks, webhooks_api, retention, erasures,
    audit, reference, health,
)  # fmt: skip

COMMANDS = (
    serving.serve,
    support.accounts,
    support.support,
    audit_commands.audit,
    master_key.master_key,
    doctor.doctor,
    metrics.metrics,
    models.models,
    imports.group,
    billing_commands.invoices,
    retention_commands.retention,
    retention_commands.erase,
    backup.backup,
    demo.demo,
)

#: The navigation of the pages behind the gate, in groups.
SECTIONS = (
    (
        Section("Overview", "dashboard.index", "overview"),
        Section("Sessions", "sessions.index", "sessions"),
        Section("Review", "sessions.review", "review", listing.waiting),
        Section("Face search", "search.index", "search"),
        Section("Links", "links.index", "links"),
    ),
    (
        Section("API keys", "keys.index", "keys"),
        Section("Webhooks", "webhooks.index", "webhooks"),
        Section("Usage", "usage.index", "usage"),
        Section("Billing", "billing.index", "billing"),
    ),
    (
        Section("Retention", "retention.index", "retention"),
        Section("Audit trail", "audit.index", "audit"),
        Section("Account", "profile.account", "account"),
    ),
)

#: A checkout keeps templates/ and static/ beside fv/; an installed package has them inside.
_ROOT = Path(__file__).parent.parent
_FILES = _ROOT if (_ROOT / "wsgi.py").exists() else Path(__file__).parent


def create_app(**overrides: object) -> Flask:
    """Build the application. Overrides (tests) win over environment, instance file and defaults."""
    instance = config.instance_folder(_ROOT, overrides.pop("INSTANCE", None))
    app = Flask(
        __name__,
        instance_path=str(instance),
        template_folder=_FILES / "templates",
        static_folder=_FILES / "static",
    )
    config.load(app, overrides)
    app.extensions["is_new"] = not db.path_of(app).exists()
    app.extensions["keyring"] = _keyring(app)
    db.init_app(app)
    blobs.init_app(app)
    memory.init_app(app)
    _check_instance(app)
    journal.init_app(app)
    cookie.init_app(app)
    web.init_app(app, SECTIONS)
    problems.init_app(app)
    gate.init_app(app)
    receiving.init_app(app)
    for feature in FEATURES:
        app.register_blueprint(feature.blueprint)
    app.jinja_env.filters.update(
        difference=words.difference,
        duration=words.duration,
        size=words.size,
        moment=words.moment,
        money=words.money,
        day=words.day,
        brief=words.brief,
        ago=words.ago,
        device=words.device,
        rfc3339=times.written,
        qr=qr.svg,
        host=return_urls.host,
    )
    app.jinja_env.globals["unread_notices"] = notices_flows.unread
    for command in COMMANDS:
        app.cli.add_command(command)
    app.wsgi_app = proxies.TrustedProxies(app.wsgi_app, app.config["TRUSTED_PROXIES"])  # type: ignore[method-assign]
    return app


def _keyring(app: Flask) -> sealing.Keyring:
    text = config.secret_key(app, may_be_made=app.extensions["is_new"])
    try:
        return sealing.Keyring(text)
    except ValueError as error:
        raise config.Misconfigured(f"FV_SECRET_KEY, or the file it is in: {error}.") from None


def _check_instance(app: Flask) -> None:
    """Key and database belong together: a wrong key must not seal new secrets beside those that it cannot open."""
    with app.app_context():
        if not (mfa_flows.can_open_secrets() and audit_flows.may_be_ours()):
            raise config.Misconfigured(
                f"The secret key does not belong to {db.path_of(app)}: it opens nothing in it. "
                "Put back the key that was used before."
            )
        if missing := billing_flows.missing_plans():
            raise config.Misconfigured(
                f"FV_PLANS: accounts have or had the plan {', '.join(sorted(missing))}, which is not in the file. "
                "Put it back; with `retired = true` nobody can choose it any more."
            )
        audit_flows.prepare(is_new=not account_store.any_exists())
