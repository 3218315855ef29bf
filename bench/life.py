"""The whole life of an order over the API: placed, approved, charged, picked, packed, shipped, delivered."""

from __future__ import annotations

import json
import resource
import time
from typing import Any

from django.db import connection
from django.test import Client

from bench.listening import listening
from bench.orders import FIRST_SKU, PRODUCTS, body
from counterfoil.core import jobs, papers
from counterfoil.core.access.keys import make_key
from counterfoil.core.shop import shop

WARM = 5


class Papers:
    """CPU that went into rendering papers, in seconds, and how many they were."""

    def __init__(self) -> None:
        self.seconds, self.count = 0.0, 0
        self._render = papers.render
        papers.render = self

    def __call__(self, *args: Any, **kwargs: Any) -> bytes:
        began = time.process_time()
        try:
            return self._render(*args, **kwargs)
        finally:
            self.seconds += time.process_time() - began
            self.count += 1


def measure(lives: int) -> dict[str, Any]:
    """CPU of this process (web and worker in one) per life, in ms; the database's own where it is in process."""
    key = make_key("bench", "owner")
    client = Client(headers={"Authorization": f"Bearer {key}"})
    for n in range(WARM):
        _live(client, n)
    rendering = Papers()
    with listening() as statements:
        _live(client, WARM)
    papers_of_one, rendering.seconds = rendering.count, 0.0
    before, began = _cpu(), time.perf_counter()
    for n in range(lives):
        _live(client, WARM + 1 + n)
    used, took = _cpu() - before, time.perf_counter() - began
    return {
        "cpu_ms": used / lives * 1000,
        "cpu_ms_without_papers": (used - rendering.seconds) / lives * 1000,
        "elapsed_ms": took / lives * 1000,
        "statements": len(statements),
        "papers": papers_of_one,
        "database_in_process": connection.vendor == "sqlite",
    }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _live(client: Client, n: int) -> None:
    def act(path: str, content: Any) -> Any:
        answer = client.post(f"/api/v1{path}", json.dumps(content), content_type="application/json")
        assert 200 <= answer.status_code < 300, (path, answer.status_code, answer.content)
        return json.loads(answer.content)

    skus = tuple(str(FIRST_SKU + (n + further) % PRODUCTS) for further in (0, 7, 19))
    number = act("/orders", body(f"life-{n}", skus, card="pm_card_visa"))["number"]
    _settle()
    at = f"/orders/{number}"
    act(f"{at}/approval", {"ship_estimate": shop().business_days_from(shop().today(), 1).isoformat()})
    assert act(f"{at}/charge", {})["axes"]["money"] == "charged"
    act(f"{at}/picks", {})
    box = act(f"{at}/packages", {"weight_g": 3000})
    act(f"{at}/shipments", {"carrier": "UPS", "tracking_number": f"1ZBENCH{n}", "packages": [box["id"]]})
    _settle()
    assert act(f"{at}/deliveries", {})["queue"] == "done"
    _settle()


def _settle() -> None:
    jobs.drain(worker="bench")
