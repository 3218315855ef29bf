"""The people around one order: how they ask the shop, alone and several at once, and what they remember of it."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.faults.plans import Plan
from tests.faults.street import Cut, Heard, Street, ask

Order = dict[str, Any]
ADDRESS = {
    "name": "Zoë Brontë",
    "street": "12 Vine Street",
    "city": "Napa",
    "postcode": "94558",
    "state": "CA",
    "country": "US",
}


class Person:
    """Whoever has to do with one order. What they were told is kept, and what should not have happened."""

    def __init__(self, plan: Plan, street: Street, run: str) -> None:
        self.plan, self.street, self.run = plan, street, run
        self.number = ""
        self.token = ""
        self.told: dict[str, Any] = {}  # what somebody was told has been done
        self.trouble: list[str] = []  # what must not happen, seen on the way
        self.last = ""
        self.began = 0.0
        self.pages_tried = 0
        self.tried_again: Counter[int] = Counter()
        # The machine decides what happens when; this only spreads the people over the doors.
        self._door = random.Random(f"{run}/{plan.number}")
        self._address = f"127.{1 + plan.number // 62500}.{plan.number // 250 % 250}.{1 + plan.number % 250}"

    # --- asking -----------------------------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, body: Any = None, *, api: bool = True, key: bool = True) -> Heard:
        self.street.asked += 1
        headers = {"Content-Type": "application/json"}
        if api and key:
            headers["Authorization"] = f"Bearer {self.street.key}"
        raw = b"" if body is None else json.dumps(body).encode()
        try:
            address = f"/api/v1{path}" if api else path
            found = ask(self._door.choice(self.street.shops), self._address, method, address, raw, headers)
        except Cut:
            self.street.cut += 1
            raise
        if found.status == 500:
            self.trouble.append(f"{method} {path} was answered 500: {found.body}")
        if found.status in {500, 503, 429}:
            raise Cut(f"{method} {path}: {found.status}")
        return found

    def _act(self, what: str, path: str, body: Any = None) -> Heard:
        """POST about this order; what was told is kept."""
        found = self._ask("POST", f"/orders/{self.number}{path}", body if body is not None else {})
        self.last = f"{what}: {found.status} {sorted(found.codes)}"
        if 200 <= found.status < 300 and found.status != 202:
            self.told[what] = found.body
        elif found.status in {400, 401, 403, 404, 413, 422}:
            self.trouble.append(f"{what} was answered {found.status}: {found.body}")
        return found

    def look(self) -> Order:
        found = self._ask("GET", f"/orders/{self.number}")
        if found.status != 200:
            self.trouble.append(f"the order cannot be seen: {found.status}")
            raise Cut(f"GET: {found.status}")
        return dict(found.body)

    @property
    def email(self) -> str:
        return f"zoe-{self.run}-{self.plan.number}@example.com"

    def _wait(self, what: str, seconds: float = 0.25) -> None:
        self.last = f"waiting: {what}"
        time.sleep(seconds)

    def _together(self, *acts: tuple[float, Callable[[], Heard]]) -> list[Heard]:
        """Several people at once, each after so many seconds; what they heard who heard anything."""
        heard: list[Heard] = []

        def do(wait: float, act: Callable[[], Heard]) -> None:
            time.sleep(wait)
            try:
                heard.append(act())
            except Cut as cut:
                self.last = str(cut)

        threads = [threading.Thread(target=do, args=pair, daemon=True) for pair in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return heard

    def _only_these(self, heard: list[Heard], known: set[str]) -> None:
        for found in heard:
            if found.status == 409 and not found.codes <= known:
                self.trouble.append(f"one of ten heard {sorted(found.codes)}")
