"""What pages cost an account that has 50,000 sessions, and ten years of 20 keys: `python bench/sessions.py`.

Server time of whole requests, in this process, gate and template included. Nothing here is asserted.
"""

import logging
import re
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp

sys.path.insert(0, str(Path(__file__).parent.parent))
from fv import create_app, db
from fv.demo import flows
from fv.usage import flows as usage
from fv.usage import store as usage_store

SESSIONS, ROUNDS = 50_000, 40  # rows; requests of each kind
DAYS, KEYS = 3650, 20  # on each of which each of these caused something


def seed(app, number=SESSIONS):
    """As `fv demo` does, without photos."""
    with app.app_context():
        made = flows.make_account("ada@example.org", int(time.time()))
        assert sum(flows.fill(made.account_id, number, 0, int(time.time()))) == number
        return made


def use(app, made):
    """Every counter of every key on every day, and storage that changes."""
    today = int(time.time()) // usage.DAY
    with app.app_context(), db.transaction():
        for ago in range(DAYS):
            usage_store.add(made.account_id, today - ago, usage.STORAGE, amount=1_000_000)
            for counter in usage.COUNTERS:
                for number in range(KEYS):
                    usage_store.add(made.account_id, today - ago, counter, f"key_{number:032}", 7)
    return made


def photograph(app, made):
    """What is known of three photos of every session that was submitted, without the pictures."""
    with app.app_context(), db.transaction():
        for kind in ("id_photo", "selfie", "liveness_frame"):
            db.run(
                "INSERT INTO photos (id, account_id, verification_id, kind, sha256, bytes, taken_at) "
                "SELECT 'pho_' || :kind || id, account_id, id, :kind, id, 200000, created_at FROM verifications "
                "WHERE submitted_at IS NOT NULL", kind=kind,
            )  # fmt: skip
    return made


def sign_in(client, made):
    client.post("/login", data={"email": made.email, "password": made.password})
    answer = client.post("/login/code", data={"code": pyotp.TOTP(made.secret).now()})
    assert answer.location == "/dashboard", answer.status


def main():
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(INSTANCE=Path(folder) / "instance", REGISTRATION="open", HASH_MEMORY_KIB=8, HASH_PASSES=1)
        client = app.test_client()
        start = time.perf_counter()
        sign_in(client, photograph(app, use(app, seed(app))))
        print(f"{SESSIONS:,} sessions, {DAYS} days of {KEYS} keys made in {time.perf_counter() - start:.1f} s")
        id = client.get("/api/v1/sessions?status=review&limit=1").json["data"][0]["session_id"]
        person = client.get("/api/v1/sessions?status=passed&limit=1").json["data"][0]["external_user_id"]
        day = (datetime.now(UTC) - timedelta(days=7)).date()
        year = (datetime.now(UTC) - timedelta(days=365)).date()
        older = re.search(r'href="(/sessions\?after=[^"]*)"', client.get("/sessions").text)[1]
        middle = client.get(f"/api/v1/sessions?limit=1&created_before={day}T00:00:00Z").json["next_cursor"]
        paths = (
            "/dashboard", "/sessions", older, f"/sessions?after={middle}", "/sessions?status=review",
            "/sessions?status=open", "/sessions?status=expired", f"/sessions?external_user_id={person}",
            "/sessions?external_user_id=nobody", "/sessions?mode=test&external_user_id=test_pass",
            f"/sessions?from={day}&to={day}", "/sessions?mode=test",
            f"/sessions/{id}", "/review", "/api/v1/sessions?limit=100", "/api/v1/sessions?status=expired",
            "/usage", "/usage?by=day", "/usage?counter=storage_bytes", "/usage.csv?by=day", "/usage.csv?per=key",
            f"/api/v1/usage?from={year}&to={datetime.now(UTC).date()}", "/api/v1/usage",
        )  # fmt: skip
        print(f"ms of {ROUNDS} requests\n{'median':>8}{'worst':>8}{'CPU':>8}")
        for path in paths:
            took, worked = [], time.process_time()
            for _ in range(ROUNDS):
                start = time.perf_counter()
                status = client.get(path).status_code
                took.append((time.perf_counter() - start) * 1000)
                assert status == 200, (path, status)
            worked = (time.process_time() - worked) * 1000 / ROUNDS
            print(f"{statistics.median(took):8.1f}{max(took):8.1f}{worked:8.1f}  {path[:70]}")
        db.close(app)


if __name__ == "__main__":
    main()
