"""What somebody at the desk waits for: a running shop, asked over one kept-alive connection, one thing after the other.

Everything is asked in turn, and an empty answer of the same server among it: what else the machine does meanwhile falls
on all of them alike, so that the ratios say something where the milliseconds do not.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from bench.house import House, answers
from bench.orders import FIRST_SKU, PRODUCTS, body
from counterfoil.shell.runner import free_port

ROUNDS = 40
TIMES = 3  # in a round, but for approving: an order is approved once
WARM = 3
SIZES = (100, 10_000)  # as many orders as the demo has, and a shop of some years
EMPTY = "empty answer"
_TOKEN = "b" * 32


class Browser:
    """Somebody who is logged in at the desk, and a key for placing orders."""

    def __init__(self, port: int, cookie: str, key: str) -> None:
        self._wire = HTTPConnection("127.0.0.1", port, timeout=60)
        self._desk = {"Cookie": f"{cookie}; counterfoil_csrf={_TOKEN}", "X-CSRFToken": _TOKEN}
        self._key = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def hang_up(self) -> None:
        """The next request opens a connection anew: a server closes one that lies idle for long."""
        self._wire.close()

    def get(self, path: str) -> None:
        """Ask for a page, and read it to its end."""
        self._ask("GET", path, None, self._desk, 200)

    def approve(self, number: str) -> None:
        """Press "Approve" on an order."""
        day = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
        form = {**self._desk, "Content-Type": "application/x-www-form-urlencoded"}
        self._ask("POST", f"/desk/orders/{number}/acts/approve", urlencode({"ship_estimate": day}), form, 303)

    def place(self, serial: int) -> str:
        """Place an order of three wines; its number."""
        skus = [str(FIRST_SKU + (serial * 3 + i) % PRODUCTS) for i in range(3)]
        told = self._ask("POST", "/api/v1/orders", json.dumps(body(str(serial), skus)), self._key, 201)
        return str(json.loads(told)["number"])

    def _ask(self, method: str, path: str, sent: str | None, headers: dict[str, str], wanted: int) -> bytes:
        self._wire.request(method, path, sent, headers)
        answer = self._wire.getresponse()
        told = answer.read()
        if answer.status != wanted:
            raise RuntimeError(f"{method} {path}: {answer.status}, {told[:300]!r}")
        return told


def measure(house: House, kind: str) -> dict[int, Any]:
    """By how many orders there are, and what is asked: p50 and p95 in ms, and both as ratios to the empty answer's."""
    url = house.postgres() if kind == "postgresql" else house.sqlite("desk")
    key = house.inside("prepare", url)["key"]
    port = free_port()
    env = {
        **house.env,
        "DATABASE_URL": url,
        "EMAIL_URL": house.mailbox(),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "COUNTERFOIL_BASE_URL": f"http://127.0.0.1:{port}",
    }
    web = house.start("counterfoil.shell.cli", "web", env={**env, "DJANGO_SETTINGS_MODULE": "bench.settings"})
    worker = house.start("counterfoil.shell.cli", "worker", env=env)
    answers(f"http://127.0.0.1:{port}/healthz")
    browser = Browser(port, house.inside("cookie", url)["cookie"], key)
    # All that will be approved is placed before the tables are filled up: bench data take their ids by themselves.
    placed = [browser.place(n) for n in range(len(SIZES) * (ROUNDS + WARM))]
    found: dict[int, Any] = {}
    for at, size in enumerate(SIZES):
        house.inside("history", url, str(size))
        browser.hang_up()
        mine = placed[at * (ROUNDS + WARM) : (at + 1) * (ROUNDS + WARM)]
        found[size] = _rounds(browser, mine)
    house.end(web, worker)
    return found


def _rounds(browser: Browser, numbers: list[str]) -> dict[str, dict[str, float]]:
    """Ask for everything in turn, once for each of the orders, the first few of which only warm up."""
    now = int(datetime.now(UTC).timestamp())
    shown = ",".join(numbers)
    pages: dict[str, str] = {
        EMPTY: "/bench/empty",
        "pulse": f"/desk/pulse?queue=review&drawn={now}&shown={shown}",
        "queue page": "/desk/queues/review",
        "order page": f"/desk/orders/{numbers[-1]}",
        "search": f"/desk/search?{urlencode({'q': 'Zoë Bro'})}",
    }
    took: dict[str, list[float]] = {name: [] for name in [*pages, "approve"]}
    for n, number in enumerate(numbers):
        turn: list[tuple[str, Callable[[], None]]] = [
            (name, partial(browser.get, path)) for name, path in pages.items() for _ in range(TIMES)
        ]
        turn.append(("approve", partial(browser.approve, number)))
        for name, ask in turn:
            began = time.perf_counter()
            ask()
            if n >= WARM:
                took[name].append((time.perf_counter() - began) * 1000)
    told = {name: _middle_and_tail(found) for name, found in took.items()}
    for found in told.values():
        found["p50_ratio"] = found["p50_ms"] / told[EMPTY]["p50_ms"]
        found["p95_ratio"] = found["p95_ms"] / told[EMPTY]["p95_ms"]
    return told


def _middle_and_tail(took: list[float]) -> dict[str, float]:
    ordered = sorted(took)
    return {"p50_ms": ordered[len(ordered) // 2], "p95_ms": ordered[int(len(ordered) * 0.95)]}
