"""The shape of the code: who may import whom, who owns which package, where SQL may stand."""

import ast
import hashlib
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FV = ROOT / "fv"

#: Modules that import nothing of ours, know no request and no database, and take the time as an argument. Those of
#: fv/analysis, all of them, may import each other.
PURE = {
    "accounts.email", "api.times", "audit.chain", "audit.events", "backup.envelope", "billing.forecast",
    "billing.plans", "dashboard.figures", "demo.pictures", "evidence.intake", "evidence.portrait",
    "evidence.watermark", "finding", "fingerprints.rotation", "fingerprints.vector", "ids",
    "imports.reading", "keys.scopes", "links.return_urls", "mfa.backup_codes", "mfa.totp", "models.names",
    "notices.smtp_url", "qr", "retention.receipts", "retention.scan", "sealing", "search.odds", "terms.span",
    "throttle.policy", "usage.chart",
    "usage.periods", "webhooks.signing", "webhooks.targets", "words",
}  # fmt: skip

#: Features that may look into other features, and into which. Every other feature stands alone.
LOOKS_INTO = {
    "accounts": {"throttle"},
    "backup": {"accounts", "evidence", "models"},
    "keys": {"accounts", "throttle"},
    "mfa": {"accounts", "throttle"},
    "passwords": {"accounts", "mfa", "throttle"},
    "login": {"accounts", "mfa", "throttle"},
    "notices": {"accounts"},
    "profile": {"accounts", "billing", "mfa", "passwords", "throttle"},
    "billing": {"accounts", "usage", "verifications"},
    "dashboard": {"accounts", "billing", "evidence", "keys", "links", "mfa", "terms", "usage", "verifications",
                  "webhooks"},
    "evidence": {"usage"},
    "usage": {"keys"},
    "imports": {"fingerprints", "terms", "verifications"},
    "models": {"analysis", "evidence"},
    "fingerprints": {"accounts", "models"},
    "verifications": {"accounts", "analysis", "billing", "evidence", "fingerprints", "keys", "terms", "throttle",
                      "usage", "webhooks"},
    "webhooks": {"accounts", "keys", "usage"},
    "capture": {"billing", "evidence", "links", "terms", "throttle", "verifications"},
    "links": {"accounts", "billing", "keys", "terms", "throttle", "verifications"},
    "reference": {"keys", "webhooks"},
    "demo": {"accounts", "analysis", "billing", "evidence", "fingerprints", "mfa", "passwords", "support", "terms",
             "usage", "verifications"},
    "search": {"accounts", "analysis", "evidence", "fingerprints", "jobs", "keys", "models", "terms", "usage",
               "verifications"},
    "receipts": {"retention", "terms", "verifications"},
    "retention": {"accounts", "evidence", "fingerprints", "keys", "search", "terms", "verifications", "webhooks"},
    "master_key": {"evidence", "fingerprints", "mfa", "retention", "verifications", "webhooks"},
    "support": {"accounts", "keys", "mfa", "passwords", "throttle"},
    "jobs": {"analysis", "evidence", "fingerprints", "metrics", "models", "notices", "retention", "verifications",
             "webhooks"},
    "metrics": {"verifications"},
    # and these, which are no features
    "config": {"analysis", "billing", "models", "notices", "webhooks"},
    "cookie": {"accounts"},
    "doctor": {"accounts", "analysis", "evidence", "fingerprints", "master_key", "metrics", "mfa", "models", "notices",
               "retention", "verifications", "webhooks"},
    "gate": {"accounts", "keys", "mfa"},
    "serving": {"analysis", "backup", "fingerprints", "jobs", "support"},
    "spelling": {"accounts", "throttle", "webhooks"},
    "web": {"accounts"},
}  # fmt: skip
#: What every feature stands on.
FOUNDATION = {"api", "audit", "db", "schema"}
#: A module with another name is no role: it may be imported by all, or is a part of the story (2).
LAYERS = {
    "store": 1,
    "listing": 1,
    "tries": 2,
    "quota": 2,
    "invoicing": 2,
    "comparing": 2,
    "memory": 2,
    "due": 2,
    "forgetting": 2,
    "confirming": 2,
    "planning": 2,
    "announcing": 2,
    "delivering": 2,
    "pairs": 2,
    "rekeying": 2,
    "verdict": 2,
    "flows": 2,
    "views": 3,
    "pages": 3,
    "commands": 3,
    "analyst": 3,
    "couriers": 3,
    "worker": 3,
}

OWNERS = {
    "PIL": {"demo.pictures", "evidence.intake", "evidence.portrait", "evidence.watermark"},
    "cryptography": {"backup.envelope", "retention.receipts", "sealing"},
    "cv2": {"analysis.images"}, "dlib": {"analysis.dlib_model"}, "onnxruntime": {"analysis.onnx_model"},
    "faiss": {"fingerprints.index"}, "flask_login": {"cookie"}, "granian": {"serving"}, "htmx_flask": {"web"},
    "http": {"webhooks.sending"}, "msgspec": {"api.bodies"}, "obstore": {"evidence.blobs"}, "passlib": {"hashing"},
    "pyotp": {"mfa.totp"},
    "rapidocr": {"analysis.ocr"}, "segno": {"qr"}, "smtplib": {"notices.mail"}, "sqlite3": {"db.sqlite"},
    "sqlite_vec": {"db.sqlite"},
}  # fmt: skip

FILES = {
    ".".join(path.relative_to(FV).with_suffix("").parts).removesuffix(".__init__"): path for path in FV.rglob("*.py")
}


@cache
def imported(path):
    """Every dotted name a module imports."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def ours(path):
    """Which of our modules a module imports: `from fv.mfa import store` and `from fv.mfa.store import X` alike."""
    for name in imported(path):
        bare = name.removeprefix("fv.")
        if name.startswith("fv.") or name == "fv":
            yield bare if bare in FILES else bare.rpartition(".")[0]


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules_import_nothing_of_ours(name):
    assert set(ours(FILES[name])) == set()
    assert not {one.split(".")[0] for one in imported(FILES[name])} & {"flask", "time"}


@pytest.mark.parametrize("name", sorted(name for name in FILES if name.startswith("analysis.")))
def test_what_looks_at_photos_stands_alone(name):
    assert all(other.startswith("analysis") for other in ours(FILES[name]))
    assert not {one.split(".")[0] for one in imported(FILES[name])} & {"flask", "sqlite3"}


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"__init__", "fv", ""}))
def test_imports_go_one_way(name):
    feature, _, role = name.partition(".")
    for other in ours(FILES[name]):
        theirs, _, their_role = other.partition(".")
        if not their_role or theirs in FOUNDATION:
            continue
        assert theirs == feature or theirs in LOOKS_INTO.get(feature, ()), f"{name} looks into {other}"
        if not role:
            continue
        assert LAYERS.get(their_role, 0) <= LAYERS.get(role, 4), f"{name} imports upwards: {other}"


def test_only_the_views_and_the_gate_know_the_request():
    allowed = {
        "capture.opened",
        "cookie",
        "gate",
        "journal",
        "receiving",
        "web",
        "api.bodies",
        "api.lists",
        "api.parameters",
    }
    knowing = {name for name, path in FILES.items() if {"flask.request", "flask.session"} & set(imported(path))}
    assert {name for name in knowing if not name.endswith((".views", ".pages"))} == allowed


@pytest.mark.parametrize("package", sorted(OWNERS))
def test_each_outside_package_has_one_owner(package):
    users = {name for name, path in FILES.items() if package in {one.split(".")[0] for one in imported(path)}}
    expected = OWNERS[package]
    assert users == expected


def test_every_required_package_is_named_here():
    required = (ROOT / "setup.cfg").read_text().partition("install_requires =")[2].partition("[options.extras")[0]
    named = {
        re.match(r"[a-z0-9_-]+", line.strip())[0] for line in required.splitlines() if re.match(r"    [a-z]", line)
    }
    imports = {"libpass": "passlib", "pillow": "PIL", "faiss-cpu": "faiss"}
    unowned = {"flask", "numpy", "argon2_cffi", "pysqlite3"}  # used everywhere; by passlib; by name, in db.sqlite
    assert {imports.get(one, one.replace("-", "_")) for one in named} - unowned <= set(OWNERS)
    reasons = [line for line in required.splitlines() if line.strip().startswith("#")]
    assert len(reasons) >= len(named), "a reason stands beside every package"


def test_the_store_of_the_audit_trail_only_adds_and_reads():
    """Append-only is a promise that no statement here may break."""
    texts = re.findall(r"\b(UPDATE|DELETE|REPLACE|DROP|ALTER)\b", FILES["audit.store"].read_text())
    others = [
        name
        for name, path in FILES.items()
        if name != "audit.store" and re.search(r"\b(INTO|FROM) audit\b", path.read_text())
    ]
    assert texts == [] and others == []


def test_sql_stands_in_stores_only():
    verbs = re.compile(r"\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b")
    for name, path in FILES.items():
        if name.endswith((".store", ".listing")) or name.startswith("db"):
            continue
        texts = [
            n.value
            for n in ast.walk(ast.parse(path.read_text()))
            if isinstance(n, ast.Constant) and isinstance(n.value, str)
        ]
        docs = {ast.get_docstring(n, clean=False) for n in ast.walk(ast.parse(path.read_text()))
                if isinstance(n, ast.Module | ast.FunctionDef | ast.ClassDef)}  # fmt: skip
        assert not [text for text in texts if text not in docs and verbs.search(text)], name


def test_every_module_says_first_what_it_is_for():
    silent = [name for name, path in FILES.items() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_modules_stay_short_and_have_an_owner():
    lengths = sorted(len(path.read_text().splitlines()) for path in FILES.values())
    assert lengths[len(lengths) // 2] < 150 and lengths[-1] <= 300
    assert not [name for name in FILES if re.search(r"util|helper|common|manager", name)]


def test_every_package_folder_is_in_the_wheel():
    listed = set(re.findall(r"^    (fv[\w.]*)$", (ROOT / "setup.cfg").read_text(), re.M))
    folders = {"fv" + ("." + name if name != "." else "") for name in
               (str(path.parent.relative_to(FV)).replace("/", ".") for path in FV.rglob("__init__.py"))}  # fmt: skip
    assert listed == folders | {"fv.static", "fv.templates"}


def test_vendored_files_are_what_they_were_and_keep_their_licence():
    vendor = ROOT / "static" / "vendor"
    sums = dict(reversed(line.split()) for line in (vendor / "SHA256SUMS").read_text().splitlines())
    scripts = {path.name for path in vendor.glob("*.js")}
    assert set(sums) == scripts
    for name, digest in sums.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest
        assert (vendor / f"{name.split('-')[0]}-LICENSE.txt").exists()
        assert f"vendor/{name}" in (ROOT / "templates" / "layouts" / "bare.html").read_text()


def test_nothing_is_fetched_from_elsewhere():
    for path in [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static").glob("*.[cj]s*")]:
        text = re.sub(r"<a [^>]*>", "", path.read_text())  # a link is followed by a person, not fetched
        found = re.findall(r"(?:src|href|url\(|action|import)\s*[=(]?\s*[\"']?(https?:)?//", text)
        assert not found, path.name
