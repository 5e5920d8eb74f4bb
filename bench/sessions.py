"""What the pages of sessions cost an account that has 50,000: `python bench/sessions.py`.

Server time of whole requests, in this process, gate and template included. Nothing here is asserted.
"""

import json
import logging
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import pyotp

sys.path.insert(0, str(Path(__file__).parent.parent))
from fv import create_app, db

SESSIONS, ROUNDS = 50_000, 40  # rows; requests of each kind
#: Of a hundred sessions; the open ones of the past have expired.
SHARES = (("passed", 84), ("failed", 5), ("review", 2), ("pending", 5), ("in_progress", 2), ("canceled", 2))
FINDINGS = json.dumps([{"check": name, "result": "unavailable", "reason": "No analyser is installed for this."}
                       for name in ("document", "mrz", "face_match", "liveness", "duplicate")])  # fmt: skip


def enrol(client):
    client.post("/register", data={"email": "ada@example.org", "password": "correct horse battery"})
    secret = re.search(r"secret=([A-Z2-7]{32})&amp;", client.get("/setup").text)[1]
    client.post("/setup", data={"code": pyotp.TOTP(secret).now()})
    client.post("/setup/codes/dismiss")


def seed(app, number=SESSIONS):
    """Equally spread over the last year, one in ten of them in test mode; the id of one in review."""
    statuses = [status for status, share in SHARES for _ in range(share)]
    now = int(time.time())
    with app.app_context(), db.transaction():
        account_id = db.one(dict, "SELECT id FROM accounts")["id"]
        for n in range(number):
            status, at = statuses[n * 37 % 100], now - (number - n) * 365 * 86400 // number
            done = status in ("passed", "failed", "review")
            db.run(
                """
                INSERT INTO verifications (id, account_id, external_user_id, mode, status, require_poa, token_hash,
                    challenge, nonce, nonce_made_at, created_at, expires_at, completed_at, trust_score, findings)
                VALUES (:id, :account_id, :user, :mode, :status, 0, :id, 'left', '', :at, :at, :until, :done, :score,
                    :findings)
                """,
                id=f"vs_{n:032x}", account_id=account_id, user=f"customer-{n // 2}", status=status, at=at,
                mode="test" if n % 10 == 0 else "live", until=at + 3600, done=at + 200 if done else None,
                score=n % 101 if done else None, findings=FINDINGS if done else None,
            )  # fmt: skip
            db.run(
                """
                INSERT INTO verification_events (verification_id, number, at, event)
                VALUES (:id, 1, :at, 'pending'), (:id, 2, :at, :status)
                """,
                id=f"vs_{n:032x}", at=at, status=status,
            )  # fmt: skip
        return db.one(dict, "SELECT id FROM verifications WHERE status = 'review' ORDER BY created_at DESC")["id"]


def main():
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(INSTANCE=Path(folder) / "instance", REGISTRATION="open", HASH_MEMORY_KIB=8, HASH_PASSES=1)
        client = app.test_client()
        enrol(client)
        id = seed(app)
        older = re.search(r'href="(/sessions\?after=[^"]*)"', client.get("/sessions").text)[1]
        middle = client.get("/api/v1/sessions?limit=1&created_before=2026-06-01T00:00:00Z").json["next_cursor"]
        paths = (
            "/dashboard", "/sessions", older, f"/sessions?after={middle}", "/sessions?status=review",
            "/sessions?status=open", "/sessions?status=expired", "/sessions?external_user_id=customer-77",
            "/sessions?external_user_id=nobody", "/sessions?from=2026-03-01&to=2026-03-02", "/sessions?mode=test",
            f"/sessions/{id}", "/review", "/api/v1/sessions?limit=100", "/api/v1/sessions?status=expired",
        )  # fmt: skip
        print(f"{SESSIONS:,} sessions; ms of {ROUNDS} requests\n{'median':>8}{'worst':>8}{'CPU':>8}")
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
