"""What the gate, the login and the database cost, in one run on one machine: `make bench`.

A bare Flask route and the gated page and call are measured on the same server (granian, the settings of `fv serve`),
alternating, so that ratios hold on any machine. Nothing here is asserted; docs/performance.md has a run of it.
"""

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import pyotp

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.live import Server

PASSWORD = "correct horse battery"
ROUNDS, REQUESTS, CLIENTS = 5, 400, 8


def ticks(pids):
    """CPU seconds these processes have used."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def tree(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in tree(int(child)))]


def memory(pids):
    """MiB that belong to these processes, shared pages counted once (PSS)."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def enrol(client):
    client.post("/register", data={"email": "ada@example.org", "password": PASSWORD})
    secret = client.post("/api/v1/totp/setup").json()["secret"]
    page = client.post("/setup", data={"code": pyotp.TOTP(secret).now()}).text
    client.post("/setup/codes/dismiss")
    return secret, page


def hammer(port, path, cookie, number):
    """`number` GETs over one connection by a raw socket, so that the client does not measure itself."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: facevault={cookie}\r\n\r\n".encode()
    took = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(number):
            began = time.perf_counter()
            connection.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            while len(body) < length:
                body += connection.recv(65536)
            took.append(time.perf_counter() - began)
    return took


def measure(port, path, cookie, pids):
    """One round of CLIENTS connections: (requests a second, p50 ms, p99 ms, CPU ms a request)."""
    took, lock = [], threading.Lock()

    def works():
        mine = hammer(port, path, cookie, REQUESTS // CLIENTS)
        with lock:
            took.extend(mine)

    cpu, began = ticks(pids), time.perf_counter()
    threads = [threading.Thread(target=works) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    used = (ticks(pids) - cpu) / len(took) * 1000
    took.sort()
    return len(took) / seconds, took[len(took) // 2] * 1000, took[int(len(took) * 0.99)] * 1000, used


def main():
    folder = Path(tempfile.mkdtemp())
    server = Server(
        folder, FV_HASH_MEMORY_KIB="65536", FV_PASSWORD_FAILURES="1000/15m", FV_PASSWORD_FAILURES_ADDRESS="1000/15m"
    )

    began = time.perf_counter()
    server.start()
    first = time.perf_counter() - began
    server.stop()
    began = time.perf_counter()
    server.start()
    again = time.perf_counter() - began
    pids = tree(server.process.pid)
    print(f"seconds to the first /healthz      {first:.2f} (new database), {again:.2f} (existing)")
    client = server.client()
    client.get("/login")
    print(f"memory of the idle tree            {memory(pids):.0f} MiB (PSS of {len(pids)} processes)")

    enrol(client)
    cookie = client.cookies["facevault"]
    bare_port = server.port + 1
    bare = subprocess.Popen([sys.executable, str(Path(__file__).with_name("bare.py")), str(bare_port)])
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{bare_port}/bare")
            break
        except httpx.TransportError:
            time.sleep(0.05)
    bare_pids = tree(bare.pid)
    cases = {
        "bare Flask route": (bare_port, "/bare", bare_pids),
        "gated JSON call (/api/v1/me)": (server.port, "/api/v1/me", pids),
        "gated page (/dashboard)": (server.port, "/dashboard", pids),
        "open page (/help/authenticator)": (server.port, "/help/authenticator", pids),
    }
    rounds = {name: [] for name in cases}
    for _ in range(ROUNDS + 1):
        for name, (port, path, processes) in cases.items():
            rounds[name].append(measure(port, path, cookie, processes))
    print(f"\n{'':34} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms/request':>15} {'over bare':>10}")
    middle = {
        name: [statistics.median(column) for column in zip(*runs[1:], strict=True)] for name, runs in rounds.items()
    }
    for name, (rate, p50, p99, cpu) in middle.items():
        over = cpu - middle["bare Flask route"][3]
        print(f"{name:34} {rate:8.0f} {p50:8.2f} {p99:8.2f} {cpu:15.2f} {over:10.2f}")
    for pid in bare_pids:
        os.kill(pid, signal.SIGKILL)
    bare.wait()

    passwords(server)
    codes(server)
    server.ends()
    print("\n" + json.dumps({"cores": os.cpu_count(), "python": sys.version.split()[0]}))


def passwords(server):
    """Time of a right, a wrong and an unknown one; what fifty at once cost in memory."""
    took = {"right password": [], "wrong password": [], "unknown email": []}
    for turn in range(12):
        for name in took:
            email = "ada@example.org" if name != "unknown email" else f"nobody{turn % 2}@example.org"
            password = PASSWORD if name == "right password" else "wrong horse battery"
            with server.client() as fresh:
                fresh.get("/healthz")
                began = time.perf_counter()
                fresh.post("/login", data={"email": email, "password": password})
                took[name].append((time.perf_counter() - began) * 1000)
    print()
    for name, times in took.items():
        print(f"{name:34} {statistics.median(times):8.1f} ms")

    pids = tree(server.process.pid)
    idle, most, done = memory(pids), [0.0], threading.Event()

    def watch():
        while not done.is_set():
            most[0] = max(most[0], memory(pids))

    def logs_in(statuses):
        with server.client() as one:
            statuses.append(one.post("/login", data={"email": "ada@example.org", "password": PASSWORD}).status_code)

    statuses = []
    watcher = threading.Thread(target=watch)
    watcher.start()
    threads = [threading.Thread(target=logs_in, args=(statuses,)) for _ in range(50)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    done.set()
    watcher.join()
    answered = {status: statuses.count(status) for status in sorted(set(statuses))}
    print(f"50 logins at once                  {seconds:8.1f} s, {answered}, {most[0] - idle:.0f} MiB more at the peak")


def codes(server):
    """Time of one wrong guess, after which the account is locked: of six digits, and of a backup code."""
    for name, typed in (("wrong six digits", "000000"), ("wrong backup code", "22222222")):
        times = []
        for turn in range(4):
            with server.client() as one:
                one.post(
                    "/register", data={"email": f"{name[6:9]}{turn}@example.org".replace(" ", ""), "password": PASSWORD}
                )
                secret = one.post("/api/v1/totp/setup").json()["secret"]
                one.post("/setup", data={"code": pyotp.TOTP(secret).now()})
                one.post("/logout")
                one.post(
                    "/login", data={"email": f"{name[6:9]}{turn}@example.org".replace(" ", ""), "password": PASSWORD}
                )
                for _ in range(4):
                    began = time.perf_counter()
                    assert one.post("/login/code", data={"code": typed}).status_code == 422
                    times.append((time.perf_counter() - began) * 1000)
        print(f"{name:34} {statistics.median(times):8.1f} ms")


if __name__ == "__main__":
    main()
