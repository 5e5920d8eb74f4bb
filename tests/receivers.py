"""Somebody's server: a real one on this machine, which keeps what it is sent and answers as a test says."""

import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fv.sealing import self_signed_certificate
from tests.watch import WATCH


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """`status`: what it answers; None: nothing, until `released`. `answer`: sent as it is, in place of an answer."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.status: int | None = 200
        self.headers: dict[str, str] = {}
        self.answer: bytes | None = None
        self.dribbles = False
        self.received: list[Received] = []
        self.arrived, self.released = threading.Event(), threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}/hook?a=1"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    @property
    def ids(self) -> list[str]:
        return [one.headers["X-FaceVault-Event-Id"] for one in self.received]

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                WATCH.sees(None, "webhook", f"{self.path}\n{self.headers}\n{body.decode()}")
                receiver.received.append(Received(self.path, dict(self.headers), body))
                receiver.arrived.set()
                self.close_connection = True
                if receiver.dribbles:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                    while not receiver.released.wait(0.01):
                        self.wfile.write(b"x")
                elif receiver.answer is not None:
                    self.wfile.write(receiver.answer)
                elif receiver.status is None:
                    receiver.released.wait()
                else:
                    self.send_response(receiver.status)
                    for name, value in receiver.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@contextmanager
def receiving(context: ssl.SSLContext | None = None):
    receiver = Receiver(context)
    receiver.server.handle_error = lambda *_: None  # who sent has gone
    receiver.thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        receiver.server.shutdown()
        receiver.server.server_close()
        receiver.thread.join()


def certified(folder, names, now) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For a server with a certificate for these names, and for a client that trusts it and nothing else."""
    certificate, key = self_signed_certificate(names, now)
    (folder / "certificate.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return server, ssl.create_default_context(cafile=folder / "certificate.pem")
