"""`fv serve`: the whole service as one process tree. Only this module knows granian."""

import ctypes
import fcntl
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import BinaryIO

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels

from fv import address, clock, db, sealing
from fv.analysis import extras
from fv.backup import flows as backup
from fv.config import THREADS
from fv.fingerprints import memory
from fv.jobs import worker
from fv.support import commands as support

WORKERS = 2
DRAIN = 15  # seconds that open requests are given after SIGTERM
INSIST = 0.5  # seconds between two reminders of it, and before a process that ended is started again
HANDOVER = 2  # seconds that a service which was just killed is given to be gone
HEADERS = 64 * 1024  # bytes of request line and headers
HEADER_TIME = 10_000  # ms to send them
CERTIFICATE, KEY = "tls-cert.pem", "tls-key.pem"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--tls-cert", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificate (PEM).")
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its key (PEM, PKCS #8).")
@click.option(
    "--tls-self-signed",
    is_flag=True,
    help="HTTPS with a certificate of our own, kept in the instance folder.",
)
@click.option("--workers", default=WORKERS, show_default=True, type=click.IntRange(1, 64), help="Web processes.")
@with_appcontext
def serve(
    host: str, port: int, tls_cert: Path | None, tls_key: Path | None, tls_self_signed: bool, workers: int
) -> None:
    """Serve the product until SIGTERM or Ctrl+C; open requests are finished first."""
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together.")
    if tls_self_signed and tls_cert:
        raise click.UsageError("--tls-self-signed and --tls-cert exclude each other.")
    numeric = _free_address(host, port)
    if numeric is None:
        raise click.ClickException(
            f"Port {port} on {host} is in use, or {host} is not an address of this machine. "
            "Choose another --port or --host."
        )
    here = f"{'https' if tls_cert or tls_self_signed else 'http'}://{_in_address(host)}:{port}"
    folder = Path(current_app.instance_path)
    click.get_current_context().with_resource(
        alone(f"Another fv serve uses {folder}: {here}. Stop it, or set another FV_INSTANCE.")
    )
    if left := backup.is_broken_off():
        raise click.ClickException(
            f"A restore was broken off, and {left} holds what it unpacked. Run fv backup restore again, or delete it."
        )
    if tls_self_signed:
        tls_cert, tls_key = _own_certificate(folder, clock.now())
    if tls_cert and tls_key:
        _check_pair(tls_cert, tls_key)
    if tls_self_signed:
        click.echo(f"Browsers warn of our own certificate; clients can trust it: {tls_cert}", err=True)
    address.note(here)
    support.print_first_account()
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    seen = worker.beginning()
    db.close(app)  # SQLite must not be carried over a fork
    if said := unexamined():
        click.echo(said, err=True)
    click.echo(f"FaceVault: {here} (Ctrl+C stops it)", err=True)
    server = Granian(
        "fv.serving:make_app",
        factory=True,
        address=numeric,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIME, max_buffer_size=HEADERS),
        ssl_cert=tls_cert,
        ssl_key=tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
        log_level=LogLevels.error,
    )
    with _worker(seen):
        server.serve()


def unexamined() -> str:
    """What nobody looks at for want of packages, for who starts the service; empty when all of them are there."""
    lacking = " and ".join(extras.EXTRAS[extra][0] for extra in extras.missing())
    said = f"{lacking.capitalize()}: a person decides each session. `fv doctor` says what to install."
    return said if lacking else ""


def make_app() -> Flask:
    """The application of one web process, which does not outlive the process that started it."""
    from fv import create_app  # which knows this module: it offers `serve`

    _die_with_parent()
    _insist_on_stopping()
    app = create_app()
    memory.keep_tidy(app, threading.Event())
    return app


def work(seen: int) -> None:
    """The background process; `seen`: what worker.beginning() said before the web processes were started."""
    from fv import create_app  # as above

    _die_with_parent()
    worker.run(create_app(), seen)


@contextmanager
def _worker(seen: int) -> Iterator[None]:
    """Run the background process meanwhile, and another one whenever it ends by itself.

    The first one is started before the web processes are: those are forks, and a fork in the middle of a start would
    inherit its locks. For the same reason its end is waited for by its number, not by a pipe that a fork could hold.
    """
    stopping = threading.Event()
    running = [_started_worker(seen)]

    def keeps_one_running() -> None:
        while True:
            running[0].join()
            if stopping.wait(INSIST):
                return
            with suppress(OSError):  # no memory or no process to spare at the moment
                running[0] = _started_worker(seen)

    keeper = threading.Thread(target=keeps_one_running, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        until = time.monotonic() + DRAIN
        while keeper.is_alive():  # what it was doing is in the database, and is done by the next one
            running[0].terminate() if time.monotonic() < until else running[0].kill()
            keeper.join(INSIST)


def _started_worker(seen: int) -> SpawnProcess:
    process = multiprocessing.get_context("spawn").Process(target=work, args=(seen,))
    process.start()
    return process


def _die_with_parent() -> None:
    """A `kill -9` of the first process takes the others along, so that nobody serves on unsupervised. Linux only."""
    parent = multiprocessing.parent_process()
    if parent is None or not sys.platform.startswith("linux"):
        return
    set_parent_death_signal = 1  # PR_SET_PDEATHSIG, prctl(2)
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != parent.pid:  # it died before the line above
        os._exit(1)


def _insist_on_stopping() -> None:
    """Repeat SIGTERM until this process has ended.

    With granian 2.8.7 about one worker in twenty did not notice the first one while it was answering requests, and was
    killed when the time to drain was over (15 s); it always noticed the second.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)  # gets the number of every signal, whatever happens to it

    def repeats() -> None:
        while os.read(reader, 1)[0] != signal.SIGTERM:
            pass
        while True:
            time.sleep(INSIST)
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=repeats, daemon=True).start()


@contextmanager
def alone(said: str) -> Iterator[None]:
    """Only one service, or one command that no service may run beside, uses an instance folder at a time.

    `said`: what who comes second is told; it stands in the locked file. The lock ends with this process and its forks.
    """
    path = Path(current_app.instance_path) / "serving.lock"
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as lock:
        until = time.monotonic() + HANDOVER
        while not _locks(lock):
            if time.monotonic() > until:
                raise click.ClickException(lock.read().decode())
            time.sleep(HANDOVER / 20)
        os.ftruncate(lock.fileno(), 0)
        os.pwrite(lock.fileno(), said.encode(), 0)
        yield


def _locks(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free_address(host: str, port: int) -> str | None:
    """The numeric address of this host when nobody listens there.

    The server shares its port between its processes, so a second server would share it too, and silently.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not hindered by closed connections
            probe.bind(address)
    except OSError:
        return None
    return str(address[0])


def _check_pair(certificate: Path, key: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{certificate} and {key} are no certificate and its key: {error}.") from None


def _own_certificate(folder: Path, now: int) -> tuple[Path, Path]:
    """The files of our own certificate, made anew when it runs out or this machine has another name."""
    certificate, key = folder / CERTIFICATE, folder / KEY
    names = list(dict.fromkeys(["localhost", "127.0.0.1", "::1", socket.gethostname().lower()]))
    if not (certificate.exists() and key.exists() and sealing.valid_for(certificate.read_bytes(), names, now)):
        made, private = sealing.self_signed_certificate(names, now)
        certificate.unlink(missing_ok=True)  # first: without it the pair is made anew, whatever happens in between
        key.unlink(missing_ok=True)
        for path, content in ((key, private), (certificate, made)):
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
    return certificate, key


def _in_address(host: str) -> str:
    """The host as people open it: of every address this machine has, its name."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 (compared with, not listened on)
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
