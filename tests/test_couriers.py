"""The service itself sends: beside its other work, after a kill -9 too, and whoever hangs."""

import logging
import threading
import time

import httpx
import pytest

from fv.jobs import couriers
from tests.live import DEADLINE
from tests.receivers import receiving
from tests.test_serving import enrolled, next_code, pending


@pytest.fixture
def receivers():
    with receiving() as one, receiving() as other:
        yield one, other


def asks_for_a_test(client, webhook):
    assert client.post(f"/api/v1/webhooks/{webhook}/test").status_code == 201


def make(client, receiver):
    return client.post("/api/v1/webhooks", json={"url": receiver.url}).json()["id"]


def arrives(receiver):
    assert receiver.arrived.wait(DEADLINE), "nothing arrived"
    receiver.arrived.clear()


def is_noted(client, webhook):
    """What arrived is written down too: before that, asking for another test asks for the same one."""
    until = time.monotonic() + DEADLINE
    while client.get(f"/api/v1/webhooks/{webhook}/deliveries").json()["data"][0]["delivered_at"] is None:
        assert time.monotonic() < until


@pytest.mark.long
def test_the_service_sends_while_one_receiver_hangs_and_goes_on_after_kill_9(serve, receivers):
    server, (good, hanging) = serve(FV_WEBHOOK_ALLOW="127.0.0.1"), receivers
    ada = server.client()
    secret, _ = enrolled(ada)
    hanging.status = None
    slow, quick = make(ada, hanging), make(ada, good)
    asks_for_a_test(ada, slow)
    arrives(hanging)
    for _ in range(2):
        asks_for_a_test(ada, quick)
        arrives(good)
        is_noted(ada, quick)
    server.kill()
    server.start()
    arrives(hanging)
    assert len(set(hanging.ids)) == 1 and len(hanging.ids) == 2, "the same event once more: nobody had noted an answer"
    hanging.released.set()
    again = pending(server)
    again.post("/login/code", data={"code": next_code(secret)})
    asks_for_a_test(again, quick)
    arrives(good)
    assert server.stop() == 0
    assert hanging.received[0].body.decode() not in server.log.read_text()
    assert hanging.received[0].headers["X-FaceVault-Signature"] not in server.log.read_text()


@pytest.mark.long
def test_without_leave_it_reaches_nothing_on_its_own_machine(serve, receivers):
    server, (good, _) = serve(), receivers
    ada = server.client()
    enrolled(ada)
    for url in (good.url, good.url.replace("http:", "https:"), f"https://localhost:{good.port}/"):
        answer = ada.post("/api/v1/webhooks", json={"url": url})
        assert isinstance(answer, httpx.Response) and answer.json()["code"] == "url_not_allowed"
    assert good.received == []


def test_a_courier_that_meets_a_broken_database_goes_on(app, caplog, monkeypatch):
    stopping, tries = threading.Event(), []

    def breaks(_now, _ways, quick):
        tries.append(quick)
        if tries.count(True) > 1 and tries.count(False) > 1:
            stopping.set()
        raise RuntimeError("ANNA ERIKSSON")

    monkeypatch.setattr(couriers, "PAUSE", 0)
    monkeypatch.setattr(couriers.delivering, "deliver_next", breaks)
    with caplog.at_level(logging.ERROR):
        for thread in couriers.started(app, stopping):
            thread.join()
    assert "webhooks have to wait: RuntimeError" in caplog.text and "ERIKSSON" not in caplog.text
