"""Settings: read once from the environment, `facevault.cfg` and the defaults below; refused loudly.

Every setting is spelled FV_NAME. FV_NAME_FILE names a file that holds the value. An unknown FV_ name, a value
that does not parse, or a setting given twice stops the start with the name and the reason.
"""

import os
import secrets
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
from flask import Flask

from fv import sealing
from fv.analysis import detectors
from fv.analysis.scoring import Policy
from fv.billing import plans
from fv.models import names as face_models
from fv.notices.smtp_url import mail_server
from fv.spelling import (
    between,
    blobs,
    database,
    duration,
    email,
    issuer,
    lines,
    networks,
    one_of,
    origin,
    rates,
    reached,
)  # fmt: skip
from fv.webhooks import sending

FILE = "facevault.cfg"
KEY_FILE = "secret.key"
THREADS = 32  # of one web process; what may wait for others is measured against it


class Misconfigured(click.ClickException):
    """The service cannot start so: the text names what is wrong and why, never a value. A command prints it."""


@dataclass(frozen=True)
class Setting:
    parse: Callable[[str], object]
    default: str | None
    about: str


SETTINGS: dict[str, Setting] = {
    "DATABASE": Setting(database, "", "`sqlite:///FILE`; unset: `facevault.db` in the instance folder"),
    "SECRET_KEY": Setting(str, None, "the key everything is sealed with; unset: the text of the file below"),
    "SECRET_KEY_FILE": Setting(Path, None, "unset: `secret.key` in the instance folder; made (0600) at first start"),
    "AUDIT_HEAD": Setting(Path, None, "notes where the audit trail ends; unset: `audit.head` in the instance folder"),
    "BLOBS": Setting(blobs, "", "where sealed photos are kept: a folder; unset: `blobs` in the instance folder"),
    "REGISTRATION": Setting(one_of("first", "open", "closed"), "first", "who may sign up: only the first, all, nobody"),
    "ADMIN_EMAIL": Setting(email, "", "makes the first account at start and prints its one-time link"),
    "SMTP_URL": Setting(mail_server, "", "`smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS`, or `smtps://`"),
    "ISSUER": Setting(issuer, "FaceVault", "the name shown in the authenticator app"),
    "BASE_URL": Setting(origin, "", "the address people open, when a proxy changes the host"),
    "TRUSTED_PROXIES": Setting(networks, "", "proxies whose `X-Forwarded-` headers are believed"),
    "CODE_FAILURES": Setting(rates, "5/15m 20/24h", "wrong second-factor codes an account may have, over all doors"),
    "PASSWORD_FAILURES": Setting(rates, "10/15m", "wrong passwords for one email"),
    "PASSWORD_FAILURES_ADDRESS": Setting(rates, "30/15m", "wrong passwords from one address"),
    "SIGN_UPS_ADDRESS": Setting(rates, "200/1h", "sign-ups from one address"),
    "PASSWORD_LENGTH": Setting(between(8, 128), "12", "characters a new password needs"),
    "SUPPORT_WINDOW": Setting(duration, "24h", "how long what support hands out or allows can be used"),
    "SESSIONS_ACCOUNT": Setting(rates, "6000/1m", "sessions an account may make: a loop gone wild ends there"),
    "SESSION_WINDOW": Setting(duration, "24h", "how long a person has to be photographed and to submit"),
    "RETENTION": Setting(duration, "30d", "how long photos, and what was read from them, are kept"),
    "FACE_MODEL": Setting(face_models.model_name, face_models.DEFAULT, "one of `fv models list`"),
    "ACCEPT_FROM": Setting(between(1, 101), "70", "the lowest score of a session that passes; 101: none"),
    "REJECT_BELOW": Setting(between(0, 100), "40", "a session with a lower score fails; 0: none"),
    "DETECTORS": Setting(detectors.modes, "", "`NAME=MODE NAME=MODE`: what follows when a detector fires"),
    "SEARCH_MEMORY": Setting(between(1, 1048576), "512", "memory of one process for fast face search, MB"),
    "PLANS": Setting(
        plans.from_file, "", "a TOML file of what accounts can choose from; unset: the one of the product"
    ),
    "INVOICE_FROM": Setting(lines, "", "who sends the invoices, on up to 10 lines; unset: FV_ISSUER"),
    "WEBHOOK_ALLOW": Setting(reached, "", "hosts or networks of your own that webhooks may reach, by plain HTTP too"),
    "LOGIN_PENDING": Setting(duration, "5m", "how long a proven password waits for its code"),
    "LOGIN_IDLE": Setting(duration, "12h", "a login ends when unused for so long"),
    "LOGIN_LIFETIME": Setting(duration, "7d", "a login ends after so long in any case"),
    "KEYS_PER_ACCOUNT": Setting(between(1, 1000), "20", "API keys an account may have"),
    "HASH_MEMORY_KIB": Setting(between(19456, 1048576), "65536", "memory of one argon2id run, KiB"),
    "HASH_PASSES": Setting(between(2, 10), "2", "passes of one argon2id run over that memory"),
    "BODY_LIMIT": Setting(between(1024, 1048576), "65536", "largest form or JSON body, bytes"),
}


def load(app: Flask, overrides: Mapping[str, object]) -> None:
    """Fill `app.config`. Overrides (tests) are values already parsed and win over everything else."""
    given = _given(Path(app.instance_path))
    for name, setting in SETTINGS.items():
        app.config[name] = _parse(name, setting, given.get(name, setting.default))
    app.config["CLOCK"] = time.time
    app.config["RESOLVER"] = sending.from_system
    app.config.update(overrides)
    if app.config["SECRET_KEY"] and app.config["SECRET_KEY_FILE"]:
        raise Misconfigured("FV_SECRET_KEY and FV_SECRET_KEY_FILE are both set: keep one.")
    try:
        app.config["POLICY"] = Policy(app.config["ACCEPT_FROM"], app.config["REJECT_BELOW"])
    except ValueError as error:
        raise Misconfigured(f"FV_REJECT_BELOW has to be less than FV_ACCEPT_FROM: {error}.") from None
    app.config["SECRET_KEY_GIVEN"] = bool(app.config["SECRET_KEY"])  # which Flask's own of this name replaces later
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = app.config["BODY_LIMIT"]


def instance_folder(root: Path, override: object = None) -> Path:
    """FV_INSTANCE, else `instance/` beside wsgi.py, else in the working folder. Made 0700."""
    home = root if (root / "wsgi.py").exists() else Path.cwd()
    named, file = os.environ.get("FV_INSTANCE"), os.environ.get("FV_INSTANCE_FILE")
    if named and file:
        raise Misconfigured("FV_INSTANCE and FV_INSTANCE_FILE are both set: keep one.")
    if file:
        named = _contents("FV_INSTANCE_FILE", file)
    folder = Path(str(override or named or home / "instance")).absolute()
    make_private(folder)
    return folder


def make_private(folder: Path, setting: str = "FV_INSTANCE") -> None:
    """Make the folder and keep everybody but its owner out."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise Misconfigured(f"{setting}: cannot use the folder {folder}: {error.strerror}") from None


def secret_key(app: Flask, *, may_be_made: bool) -> str:
    """FV_SECRET_KEY, else the text of FV_SECRET_KEY_FILE, else of secret.key; a file is made (0600) when it may be."""
    if app.config["SECRET_KEY"]:
        return str(app.config["SECRET_KEY"])
    path = key_file(app)
    if not path.exists():
        if not may_be_made:
            raise Misconfigured(
                f"{path} is missing, but there is a database it belongs to. Put the file back from your backup: "
                "without it nothing that is sealed can be opened."
            )
        _make_key(path)
    try:
        # a secret mounted from elsewhere has its own rules
        if path == Path(app.instance_path) / KEY_FILE and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Misconfigured(f"{path} can be read by others. Run: chmod 600 {path}")
        return str(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"FV_SECRET_KEY_FILE: cannot read the file it names ({type(error).__name__}).") from None


def key_file(app: Flask) -> Path:
    """Where the keys are, unless FV_SECRET_KEY holds them."""
    return Path(app.config["SECRET_KEY_FILE"] or Path(app.instance_path) / KEY_FILE)


def _make_key(path: Path) -> None:
    """Write a whole new key or nothing; when two processes start at once, one of them wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(sealing.new_key() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _given(instance: Path) -> dict[str, str]:
    """Every FV_ name that is set, by its bare name; the environment wins over the file."""
    file = _named(_lines(instance / FILE), source=FILE)
    environment = _named({k: v for k, v in os.environ.items() if k.startswith("FV_")}, source="the environment")
    return file | environment


def _named(pairs: Mapping[str, str], source: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for spelled, value in pairs.items():
        bare = spelled.removeprefix("FV_")
        if bare in ("INSTANCE", "INSTANCE_FILE") and source == "the environment":
            continue  # read before everything else, by instance_folder()
        name = bare if bare in SETTINGS else bare.removesuffix("_FILE")
        if name not in SETTINGS or not spelled.startswith("FV_"):
            only = " It can be set in the environment only." if bare == "INSTANCE" else " docs/operate.md has them all."
            raise Misconfigured(f"{spelled} in {source} is not a setting.{only}")
        if name in found:
            raise Misconfigured(f"FV_{name} and FV_{name}_FILE are both set in {source}: keep one.")
        found[name] = value if name == bare else _contents(spelled, value)
    return found


def _contents(spelled: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{spelled}: cannot read the file it names ({type(error).__name__}).") from None


def _lines(path: Path) -> dict[str, str]:
    """`FV_NAME = value` lines; `#` begins a comment line."""
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines() if path.exists() else (), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or name in found:
            raise Misconfigured(f"{FILE}, line {number}: expected FV_NAME = value, each name once.")
        found[name] = value
    return found


def _parse(name: str, setting: Setting, text: str | None) -> object:
    if text is None:
        return None
    try:
        return setting.parse(text)
    except ValueError as error:
        raise Misconfigured(f"FV_{name}: expected {error}.") from None
