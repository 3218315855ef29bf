"""The sandbox processor as a part of this process: the SDK's calls, its webhooks and its pages without a socket."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import stripe
from django.test import Client
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from counterfoil.gateways.card.breaker import Away, Breaker
from counterfoil.gateways.card.stripe.connection import is_replayed, not_tried
from sandbox import webhooks
from sandbox.inprocess import InProcess
from sandbox.pages import HostedPages
from sandbox.processor import Processor
from sandbox.store import connect
from simulation.world import World

KEY, SECRET = "sk_test_sandbox", "whsec_simulation"
BASE = "http://bank.invalid"
FAULTS = ("lost_call", "lost_answer", "error_500", "error_500_after", "error_500_kept", "rate_limit")
PATHS = ("/v1/payment_intents", "/v1/payment_intents/*/confirm", "/v1/payment_intents/*/capture", "/v1/refunds", None)


class Wire(InProcess):
    """The SDK's line to the bank, behind the shop's own breaker. Before and after a call the process may die."""

    def __init__(self, world: World, processor: Processor, breaker: Breaker) -> None:
        super().__init__(processor)
        self._world, self._breaker = world, breaker

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **more: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        """One call; it takes a tenth of a second, or the whole time limit when no answer comes."""
        try:
            probe = self._breaker.permit()
        except Away as away:
            raise not_tried(away) from None
        self._world.reach("before the bank")
        try:
            body, status, answered = super().request(method, url, headers, post_data, **more)
        except stripe.APIConnectionError:
            self._world.pass_time(8)
            self._breaker.failed(probe=probe)
            raise
        self._world.pass_time(0.1)
        if (status == 429 or status >= 500) and not is_replayed(answered):
            self._breaker.failed(probe=probe)
        else:
            self._breaker.answered()
        self._world.reach("after the bank")
        return body, status, answered


class Bank:
    """The processor, and what its customers and its weather do. It outlives every death of the shop."""

    def __init__(self, world: World, folder: Path, seed: int) -> None:
        self.processor = Processor(
            connect(folder / "bank.sqlite3"), clock=world.clock, sleep=world.pass_time, seed=f"bank {seed}",
            webhooks=True, public_url=f"{BASE}/sandbox",
        )  # fmt: skip
        self._world = world
        self._pages = HostedPages(self.processor, "Simulated Wines")
        self._weather = random.Random(f"weather {seed}")  # noqa: S311
        self.told = 0

    def wire(self, breaker: Breaker) -> Wire:
        return Wire(self._world, self.processor, breaker)

    def misbehave(self) -> str:
        """The next call of some sort goes wrong, or the webhooks stay away for some hours."""
        kind = self._weather.choice((*FAULTS, "webhooks_off"))
        if kind == "webhooks_off":
            order: dict[str, Any] = {"kind": kind, "seconds": 3600 * self._weather.randint(1, 12)}
            order["then"] = self._weather.choice(("never", "delivered"))
        else:
            order = {"kind": kind, "count": 1, "method": self._weather.choice(("POST", "POST", "GET"))}
            path = self._weather.choice(PATHS)
            if path is not None and order["method"] == "POST":
                order["path"] = path
        self.processor.faults.add(order)
        return kind

    def tell(self, client: Client, *, most: int = 50, lose: float = 0.0) -> int:
        """Carry webhooks that are due to the shop's door, signed; some get lost on the way and are tried again."""
        self.processor.tick()
        for done in range(most):
            delivery = webhooks.claim(self.processor.store)
            if delivery is None:
                return done
            taken = False
            try:
                if self._weather.random() >= lose:
                    signed = webhooks.signature(delivery.payload, SECRET, int(self._world.now))
                    answer = client.post(
                        "/webhooks/stripe", delivery.payload, content_type="application/json",
                        headers={"Stripe-Signature": signed},
                    )  # fmt: skip
                    taken = answer.status_code == 200
            finally:
                webhooks.finish(self.processor.store, delivery, taken=taken, result="200" if taken else "lost")
            self.told += 1
        return most

    def give_card(self, page: str, card: str) -> None:
        """A customer at a hosted page: gives this card, and says to their bank that it is they."""
        session = page.rsplit("/", 1)[-1]
        for form in ({"card": card, "terms": "accepted"}, {"authentication": "complete"}):
            builder = EnvironBuilder(method="POST", path=f"/pay/{session}", data=form, base_url=BASE)
            self._pages.pay(Request(builder.get_environ()), session)
