"""`fv doctor`: what is misconfigured, missing or weak, one line each.

`wrong` has to be mended, and makes the command fail. `note` is worth knowing, and may be wanted.
"""

import ctypes
import shutil
import stat
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from fv import address, clock, config, db, sealing, serving, words
from fv.accounts import store as accounts
from fv.analysis import extras
from fv.audit import flows as audit
from fv.audit import store as audit_store
from fv.evidence import flows as evidence
from fv.finding import Finding, note, ok, wrong
from fv.fingerprints import listing as templates
from fv.master_key import flows as master_key
from fv.metrics import flows as metrics
from fv.mfa import store as mfa
from fv.models import flows as models
from fv.notices import flows as notices
from fv.retention import findings as retention
from fv.verifications import listing
from fv.webhooks import listing as webhooks

GIB = 1024**3
LEAST_FREE = GIB  # bytes of disk
LARGEST_WAL = GIB // 4  # bytes: far more than a checkpoint leaves behind
SOON = 30 * 86400  # seconds before the end of a certificate
DAY = 86400
LONG = 600  # seconds that a session may wait for its analysis, which takes about 5 each


@click.command()
@click.option("--audit-after", default=0, metavar="ROW", help="As `fv audit verify --after`.")
@with_appcontext
def doctor(audit_after: int) -> None:
    """Say what is misconfigured, missing or weak, one line each; fail when something is wrong."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    bad = 0
    for finding in examine(app, clock.now(), audit_after):
        bad += finding.level == "wrong"
        click.echo(f"{finding.level:<6} {finding.subject:<13} {finding.said}")
    if bad:
        raise click.ClickException("1 thing is wrong." if bad == 1 else f"{bad} things are wrong.")


def examine(app: Flask, now: int, audit_after: int) -> Iterator[Finding]:
    facts = db.facts()
    yield from _database(app, facts)
    if facts.damage:
        return  # everything else reads from it
    yield from _clock(now)
    yield from _files(app)
    yield from _key(app)
    yield from _disk(app)
    yield from _trail(audit_after)
    yield from _doors(app)
    yield from _https(app, now)
    yield from _proxies(app)
    yield from _photos()
    yield from retention.examine(now)
    yield from _faces(app)
    yield from _analysis(now)
    yield from _search(app)
    yield from _mail(app, now)
    yield from _webhooks(app)
    yield from _accounts()


def _clock(now: int) -> Iterator[Finding]:
    last = audit_store.last()
    if last and last.at > now + 60:
        away = words.duration(last.at - now)
        yield wrong("clock", f"set back: the last event was {away} in the future. Codes are refused until then.")
    elif not _is_kept_right():
        yield note("clock", "the system does not say that it is kept right (NTP); 30 seconds off, and no code fits")
    else:
        yield ok("clock", "kept right by the system")


def _is_kept_right() -> bool:
    """Whether the kernel calls its clock synchronised, adjtimex(2). Linux only."""
    not_synchronised = 5  # TIME_ERROR
    question = ctypes.create_string_buffer(512)  # struct timex with modes = 0: changes nothing
    return sys.platform.startswith("linux") and ctypes.CDLL(None).adjtimex(question) not in (-1, not_synchronised)


def _files(app: Flask) -> Iterator[Finding]:
    folder, path = Path(app.instance_path), db.path_of(app)
    own = [folder, path, *path.parent.glob(f"{path.name}*"), *folder.glob("*.key"), *folder.glob("*.pem"),
           folder / config.FILE, audit.path()]  # fmt: skip
    loose = sorted({str(one) for one in own if one.exists() and _is_open(one)})
    for name in loose:
        yield wrong("files", f"{name} is open to others. Run: chmod go= {name}")
    if not loose:
        yield ok("files", f"{folder} is closed to others")


def _is_open(path: Path) -> bool:
    if path.suffix == ".pem" and path.name == serving.CERTIFICATE:
        return False  # it is public
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _key(app: Flask) -> Iterator[Finding]:
    file = app.config["SECRET_KEY_FILE"]
    if app.config["SECRET_KEY_GIVEN"]:
        yield ok("key", "from the environment or facevault.cfg")
    elif file and _is_open(file):
        yield note("key", f"{file} is open to others than its owner")
    elif file:
        yield ok("key", f"from {file}")
    else:
        yield note("key", "beside the database: whoever copies the folder has both. Keep their backups apart.")
    left = master_key.left()
    if master_key.is_unfinished():
        said = f"the newest key is not in use everywhere, {words.count(left, 'thing')} left. Stop the service and run:"
        yield note("key", f"{said} fv master-key rotate")
    elif left:
        said = f"{words.count(left, 'thing')} sealed under older keys, or with no key of this installation"
        yield note("key", f"{said}: `fv master-key rotate` seals anew what it can open")


def _database(app: Flask, facts: db.Facts) -> Iterator[Finding]:
    path = db.path_of(app)
    if app.extensions["is_new"]:
        yield wrong("database", f"there was none in {path.parent}; it was made just now. Is FV_INSTANCE right?")
    yield ok("engine", facts.engine)
    yield ok("vectors", facts.vectors)
    if facts.damage:
        yield wrong("database", f"{path} is damaged: {facts.damage}. Restore a backup.")
    if facts.journal != "wal":
        yield wrong("database", f"journal mode {facts.journal} instead of WAL: readers would wait for writers")
    wal = path.with_name(f"{path.name}-wal")
    size = wal.stat().st_size if wal.exists() else 0
    if size > LARGEST_WAL:
        yield wrong("database", f"the WAL has grown to {size // 2**20} MiB: something reads without an end")
    elif facts.journal == "wal" and not facts.damage:
        yield ok("database", f"{path}, WAL of {size // 2**20} MiB, no damage")
    yield ok("schema", f"step {facts.step} of {facts.newest_step}")
    for copy in db.copies(app):
        yield note("schema", f"{copy} holds all that the database held before the upgrade. Delete it when content.")


def _disk(app: Flask) -> Iterator[Finding]:
    free = shutil.disk_usage(db.path_of(app).parent).free
    said = f"{free / GIB:.1f} GiB free"
    yield ok("disk", said) if free >= LEAST_FREE else wrong("disk", f"{said}: make room before writing stops")


def _trail(after: int) -> Iterator[Finding]:
    faults = list(islice(audit.verify(after), 1))
    if faults:
        yield wrong("audit trail", f"not whole. {faults[0]} Run: fv audit verify")
    else:
        yield ok("audit trail", f"whole, up to row {audit.last_number()}")


def _doors(app: Flask) -> Iterator[Finding]:
    mode = app.config["REGISTRATION"]
    if mode == "open":
        yield note("registration", "open: whoever reaches this service can make an account")
    elif mode == "first" and not accounts.any_exists():
        yield note("registration", "the first visitor gets the account: sign up before you open it to a network")
    else:
        yield ok("registration", "closed" if mode == "closed" else "closed, an account exists")
    defaults = {name: int(config.SETTINGS[name].default or 0) for name in ("HASH_MEMORY_KIB", "HASH_PASSES")}
    weaker = [f"FV_{name}" for name, default in defaults.items() if app.config[name] < default]
    if weaker:
        yield note("hashing", f"{' and '.join(weaker)} below the default: guessing from a stolen database is cheaper")


def _https(app: Flask, now: int) -> Iterator[Finding]:
    base, certificate = app.config["BASE_URL"], Path(app.instance_path) / serving.CERTIFICATE
    if certificate.exists():
        ends = sealing.ends_at(certificate.read_bytes())
        if ends is None:
            yield wrong("tls", f"{certificate} is no certificate. Delete it: --tls-self-signed makes another one")
        elif ends - now < SOON:
            yield note("tls", f"{certificate} ends {words.moment(ends)}. A start after that makes another one.")
        else:
            yield ok("tls", f"own certificate until {words.day(ends)}")
    if not base:
        yield note("address", f"FV_BASE_URL is not set: links in mails and in the terminal begin with {address.base()}")
    elif base.startswith("http://"):
        yield note("address", f"{base} is not HTTPS: passwords and cookies can be read on the way")
    else:
        yield ok("address", base)


def _proxies(app: Flask) -> Iterator[Finding]:
    trusted = app.config["TRUSTED_PROXIES"]
    wide = [str(network) for network in trusted if network.prefixlen < (8 if network.version == 4 else 16)]
    if wide:
        yield wrong("proxies", f"{', '.join(wide)} is trusted: anybody can say they come from any address")
    elif trusted:
        yield ok("proxies", f"trusted: {', '.join(map(str, trusted))}")
    else:
        yield ok("proxies", "none is trusted")


def _photos() -> Iterator[Finding]:
    try:
        kept, missing = evidence.kept_and_missing()
    except db.Unavailable as error:
        yield wrong("photos", str(error))
        return
    if missing:
        yield wrong(
            "photos",
            f"the files of {words.count(missing, 'photo')} are gone. Put back the folder of FV_BLOBS from your backup.",
        )
    else:
        yield ok("photos", f"{kept:,} kept, each with its file")


def _faces(app: Flask) -> Iterator[Finding]:
    name = app.config["FACE_MODEL"]
    found = models.state(name)
    if found.is_usable:
        yield ok("faces", f"{name}, {found.said}")
    elif found.is_missing:
        yield note("faces", f"no face is looked at, and a person decides each session. {found.said}")
    else:
        yield wrong("faces", found.said)


def _analysis(now: int) -> Iterator[Finding]:
    missing = extras.missing()
    for extra, names in missing.items():
        command = f"{sys.executable} -m pip install 'facevault-server[{extra}]'"
        said = f"{' and '.join(names)} not installed: {extras.EXTRAS[extra][0]}, a person decides. Run: {command}"
        yield note("analysis", said)
    queue, week = listing.queue(now), metrics.grown(now - 6 * DAY)
    if queue.waited > LONG:
        waits = f"{words.count(queue.number, 'session')}, the first for {words.duration(queue.waited)}"
        yield wrong("analysis", f"{waits}: `fv serve` does not run, or its log says why it does not get on")
    elif not missing:
        jobs, failed = week["jobs", "all"], week["failures", "all"]
        yield ok("analysis", f"{queue.number:,} waiting; {jobs:,} in 7 days, of which {failed:,} without a report")


def _search(app: Flask) -> Iterator[Finding]:
    found, room = templates.totals(), app.config["SEARCH_MEMORY"]
    needs = f"{words.count(found.templates, 'face')}; the largest gallery needs {found.megabytes:,} of {room:,} MB"
    fits = found.megabytes <= room
    yield ok("search", needs) if fits else note("search", f"{needs}: slower without. Raise FV_SEARCH_MEMORY.")


def _mail(app: Flask, now: int) -> Iterator[Finding]:
    server = app.config["SMTP_URL"]
    if server is None:
        yield note("mail", "FV_SMTP_URL is not set: holders learn of security events at their next sign-in only")
        return
    refused = notices.why_mail_is_refused()
    if refused:
        yield wrong("mail", f"{server.host}:{server.port} {refused}")
    else:
        yield ok("mail", f"{server.host}:{server.port} answers")
    if lost := notices.given_up(now - 7 * DAY):
        yield wrong("mail", f"{words.count(lost, 'mail')} of the last 7 days given up: no server took them")


def _webhooks(app: Flask) -> Iterator[Finding]:
    allowed = app.config["WEBHOOK_ALLOW"]
    if ended := webhooks.ended():
        yield note("webhooks", f"{words.count(ended, 'webhook')} switched off after failures: their holders see which")
    if listed := [*sorted(allowed.hosts), *map(str, allowed.networks)]:
        yield note("webhooks", f"every account can have messages sent to {', '.join(listed)}, by plain HTTP too")
    if not (ended or listed):
        yield ok("webhooks", "none switched off after failures; they lead to the internet, by HTTPS")


def _accounts() -> Iterator[Finding]:
    every = accounts.every()
    closed = [account for account in every if not mfa.authenticator(account.id).is_enrolled]
    said = f"{len(every)}, of which {len(closed)} without a second factor yet" if closed else f"{len(every)}"
    yield ok("accounts", said)
