"""The overview in a real browser: of an empty account, and of one where much goes on."""

import time

import pytest
from playwright.sync_api import expect

from fv import db
from fv.demo import flows as demo
from fv.webhooks import store
from fv.webhooks.store import FAILING, Delivery, Webhook
from tests.e2e.test_search import looks
from tests.e2e.test_sessions import workshop  # noqa: F401 (a fixture)


@pytest.mark.long
def test_how_the_overview_looks(person, workshop):  # noqa: F811
    ada = person()
    page = ada.page
    ada.enrols()
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    looks(ada, "overview-empty")

    account_id, now = page.request.get("/api/v1/me").json()["id"], int(time.time())
    with workshop.app_context():
        assert sum(demo.fill(account_id, 1500, 6, now)) == 1500
        db.run("UPDATE verifications SET erase_after = :soon WHERE account_id = :id", soon=now + 86400, id=account_id)
        for number, because in enumerate((None, FAILING)):
            hook = Webhook(f"whk_{number}{account_id[4:]}", account_id, f"https://hooks{number}.example.com/facevault",
                           ("verification.completed",), "live", "", now)  # fmt: skip
            store.add(hook, 20)
            db.run("UPDATE webhooks SET disabled_at = :at, disabled_because = :why, leased_until = 9999999999 "
                   "WHERE id = :id", at=now if because else None, why=because, id=hook.id)  # fmt: skip
            told = Delivery(f"dlv_{hook.id}", hook.id, "verification.completed", "vs_1", "passed", "{}", now)
            store.tell(told)
            db.run("UPDATE deliveries SET tries = 2, next_try_at = 9999999999 WHERE id = :id", id=told.id)
    page.reload()
    expect(page.get_by_text("hooks0.example.com does not take what it is told.")).to_be_visible()
    looks(ada, "overview")
    page.get_by_text("The numbers").click()
    ada.finds_nothing_with_axe("overview with its numbers")

    page.evaluate("htmx.trigger('#now', 'htmx:abort')")
    with page.expect_response(lambda answer: answer.url.endswith("/dashboard")):
        page.evaluate(
            "htmx.ajax('GET', '/dashboard', {source: '#now', target: '#now', select: '#now', swap: 'outerHTML'})"
        )
    expect(page.locator("#now dl")).to_be_visible()
    expect(page.locator("#numbers")).to_be_visible()  # what was opened stays open: it is not renewed
    page.get_by_role("link", name="Review the next one").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Review")
