"""The product as it is run: `fv serve`, a real process tree on a real port with a real database file."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests import watching

DEADLINE = 20  # seconds a start or a stop may take before the test fails


class Server:
    """Starts, stops and kills `fv serve`; what it printed is in `log`."""

    def __init__(self, folder: Path, *options: str, **settings: str) -> None:
        self.folder, self.options, self.settings = folder, options, settings
        self.instance, self.log = folder / "instance", folder / "log"
        self.port = free_port()
        self.scheme = "https" if "--tls-self-signed" in options or "--tls-cert" in options else "http"
        self.url = f"{self.scheme}://localhost:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.clients: list[httpx.Client] = []

    def command(self, *words: str) -> list[str]:
        return [str(Path(sys.executable).with_name("fv")), *words]

    def environment(self) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("FV_")}
        cheap = {"FV_HASH_MEMORY_KIB": "19456", "FV_REGISTRATION": "open"}
        return plain | cheap | {"FV_INSTANCE": str(self.instance)} | self.settings

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another command beside it."""
        done = subprocess.run(
            self.command(*words), env=self.environment(), cwd=self.folder, capture_output=True, text=True, timeout=60
        )
        watching.printed(self.instance, words, done.stdout + done.stderr)
        return done

    def start(self) -> "Server":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command("serve", "--port", str(self.port), *self.options),
                env=self.environment(),
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"fv serve ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
            try:
                if httpx.get(f"{self.url}/healthz", verify=False).status_code == 200:
                    return self
            except httpx.TransportError:
                os.sched_yield()
        raise AssertionError("fv serve does not answer")

    def stop(self) -> int:
        """SIGTERM, as an operator or a supervisor does; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)

    def kill(self) -> None:
        """SIGKILL to the first process only, as a power cut or the out-of-memory killer."""
        self.process.kill()
        self.process.wait(DEADLINE)
        until = time.monotonic() + DEADLINE
        while not is_free(self.port):  # the others end with it
            assert time.monotonic() < until, "the workers outlived the process that started them"

    def client(self, **kwargs) -> httpx.Client:
        """Somebody with a cookie jar of their own; closed with the server."""
        hooks = {"response": [lambda answer: watching.answered(self.instance, answer)]}
        self.clients.append(httpx.Client(base_url=self.url, verify=False, timeout=30, event_hooks=hooks, **kwargs))
        return self.clients[-1]

    def ends(self) -> None:
        for client in self.clients:
            client.close()
        if self.process and self.process.poll() is None:
            self.kill()
        if self.log.exists():
            watching.printed(self.instance, ("serve",), self.log.read_text(errors="replace"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
