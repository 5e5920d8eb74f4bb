"""The same search asked by a program: `fv serve`, an API key, one connection and eight."""

import hashlib
import http.client
import json
import random
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crowd import Crowd
from gallery import MODE, Ours
from web import ticks, tree

from fv import create_app, db, ids
from fv.demo import flows as demo
from fv.fingerprints.flows import Face
from fv.keys import store as keys
from fv.keys.store import Key
from tests.live import Server

PATH = "/api/v1/fingerprints/search"
WARM = 32  # connections, so that each process of the server has the gallery in memory


@dataclass(frozen=True)
class Overhead:
    """Milliseconds. `alone`, `eight`: p50 and p99; `engine`: p50 of flows.search on the same queries, in turn with
    them; `over`: median of the differences. `cpu`: of all processes of the server, a request. `same`: equal answers.
    """

    alone: tuple[float, float]
    eight: tuple[float, float]
    rate: float
    engine: float
    over: float
    cpu: float
    same: int
    asked: int


def over_http(folder: Path, count: int, queries: int, most: int, seed: int) -> Overhead | None:
    """None: this version has no such call."""
    crowd = Crowd(count, seed)
    account_id, secret = _keyed(folder)
    ours = Ours(crowd.rows, folder, account_id)
    faces = [ours.face(query)[0] for query in crowd.queries(queries)]
    server = Server(folder).start()
    try:
        bodies = [json.dumps({"embedding": face.numbers, "top_k": most}) for face in faces]
        for _ in range(WARM):
            client = Client(server.port, secret)
            if client.post(bodies[0])[0] == 404:
                return None
            client.close()
        alone, engine, same = _in_turn(ours, faces, Client(server.port, secret), bodies, most)
        pids = tree(server.process.pid)
        begun, used = time.perf_counter(), ticks(pids)
        eight = _at_once(server.port, secret, bodies, 8)
        rate, cpu = len(eight) / (time.perf_counter() - begun), (ticks(pids) - used) / len(eight) * 1000
        over = statistics.median(http - own for http, own in zip(alone, engine, strict=True))
        return Overhead(
            _ends(alone), _ends(eight), rate, statistics.median(engine), over, cpu, same, len(alone),
        )  # fmt: skip
    finally:
        server.ends()
        ours.close()


class Client:
    """One connection of a program that has a key."""

    def __init__(self, port: int, secret: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def post(self, body: str) -> tuple[int, bytes]:
        self._connection.request("POST", PATH, body, self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def found(self, body: str) -> tuple[float, list[str]]:
        """Milliseconds, ids."""
        begun = time.perf_counter()
        status, answer = self.post(body)
        took = (time.perf_counter() - begun) * 1000
        assert status == 200, answer[:300]
        return took, [one["id"] for one in json.loads(answer)["data"]]

    def close(self) -> None:
        self._connection.close()


def _keyed(folder: Path) -> tuple[str, str]:
    """An account with a confirmed authenticator, and the secret of a key that may search."""
    app, now, secret = create_app(INSTANCE=folder / "instance"), int(time.time()), f"fv_{MODE}_{'b' * 43}"
    with app.app_context():
        made = demo.make_account("ada@example.org", now)
        scopes = frozenset({"fingerprints:search"})
        digest = hashlib.sha256(secret.encode()).hexdigest()
        key = Key(ids.new("key"), made.account_id, "bench", secret[:12], digest, scopes, MODE, now, None, None, None)
        assert keys.add(key, 1, now)
    db.close(app)
    return made.account_id, secret


def _in_turn(
    ours: Ours, faces: Sequence[Face], client: Client, bodies: Sequence[str], most: int
) -> tuple[list[float], list[float], int]:
    """Milliseconds of the one and of the other, and how often they found the same."""
    asked, engine, same = [], [], 0
    for number, (face, body) in enumerate(zip(faces, bodies, strict=True)):
        for is_http in random.Random(number).sample([True, False], 2):
            if is_http:
                took, answer = client.found(body)
                asked.append(took)
            else:
                begun = time.perf_counter()
                found = ours.search_all(face, most)
                engine.append((time.perf_counter() - begun) * 1000)
        same += found == answer
    client.close()
    return asked, engine, same


def _at_once(port: int, secret: str, bodies: Sequence[str], clients: int) -> list[float]:
    took: list[float] = []

    def works(place: int) -> None:
        client = Client(port, secret)
        mine = [client.found(body)[0] for body in bodies[place::clients]]
        client.close()
        took.extend(mine)

    threads = [threading.Thread(target=works, args=(place,)) for place in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def _ends(took: Sequence[float]) -> tuple[float, float]:
    """p50 and p99."""
    return statistics.median(took), sorted(took)[int(len(took) * 0.99)]
