"""Accounts in the middle of a month, with small plans and sessions that were billed."""

import re
from datetime import UTC, datetime

from fv import db
from fv.billing import plans
from fv.usage import store as usage
from tests.test_sessions import bearer

DAY = 86400
FILE = """
currency = "EUR"
[[plan]]
id = "free"
name = "Free"
monthly_fee = 0
included = 5
hard_limit = true
[[plan]]
id = "starter"
name = "Starter"
monthly_fee = 4900
included = 10
overage = 40
[[plan]]
id = "old"
name = "Old"
monthly_fee = 5000
included = 10
overage = 30
retired = true
[[plan]]
id = "pro"
name = "Pro"
monthly_fee = 29900
included = 100
overage = 25
"""
PLANS = plans.read(FILE)


def at(text: str) -> int:
    """Seconds since 1970, of `2026-11-10 12:00` in UTC."""
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp())


def until(ada, text: str) -> None:
    """It is then, and she has signed in again."""
    assert at(text) > ada.clock.now
    ada.clock.now = float(at(text) + 5)
    assert ada.signs_in().status_code == 303


def id_of(visitor) -> str:
    return visitor.get("/api/v1/me").json["id"]


def billed(visitor, number: int, day: str | None = None) -> None:
    """As if so many sessions were decided then (`2026-11-10`), or now."""
    account_id = id_of(visitor)
    when = at(f"{day} 00:00") if day else int(visitor.clock.now)
    with visitor.app.app_context(), db.transaction():
        usage.add(account_id, when // DAY, "sessions_billable", amount=number)


def key(visitor, **body):
    """Headers of a key that makes sessions."""
    return bearer(visitor.call("POST", "/api/v1/keys", {"name": "server"} | body).json["secret"])


def chooses(visitor, plan: str):
    """On the page, after what follows was shown."""
    page = visitor.get(f"/billing/plans/{plan}").text
    terms = re.search(r'name="terms" value="([^"]*)"', page)[1]
    answer = visitor.post(f"/billing/plans/{plan}", terms=terms)
    assert (answer.status_code, answer.location) == (303, "/billing"), answer.text
    return answer


def billing(visitor) -> dict:
    answer = visitor.get("/api/v1/billing")
    assert answer.status_code == 200, answer.text
    return answer.json
