"""What another shop's program says over the API, so that a walk has goods on the shelf and orders to begin with."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.browser.conftest import Shop, eventually

ADDRESS = {"name": "June Harper", "street": "1 Mill Lane", "city": "Napa", "postcode": "94558", "state": "CA",
           "country": "US"}  # fmt: skip

KEYS: dict[str, str] = {}  # by the shop's address


def day(ahead: int) -> str:
    """The date in so many days; where the shop stands it may still be the day before."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + ahead * 86400))


@dataclass
class Caller:
    """A channel; an answer that is no success fails the test."""

    shop: Shop
    channel: str
    placed: int = 0
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        # One key for every walk through a shop: to make it takes longer than what is asked with it.
        if self.shop.base not in KEYS:
            KEYS[self.shop.base] = self.shop.command("api-key", "walks", "--role", "owner").stdout.split()[-1]
        self._session.headers["Authorization"] = f"Bearer {KEYS[self.shop.base]}"

    def send(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST, and the answer."""
        return self._answer(self._session.post(f"{self.shop.base}/api/v1/{path}", json=body, timeout=60))

    def read(self, path: str) -> dict[str, Any]:
        """GET."""
        return self._answer(self._session.get(f"{self.shop.base}/api/v1/{path}", timeout=60))

    def _answer(self, answer: requests.Response) -> dict[str, Any]:
        assert answer.ok, f"{answer.request.method} {answer.url}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def shelves(self, sku: str, name: str, units: int = 0, bin_: str = "", **more: Any) -> None:
        """A product of the shop's, with units of it in a bin."""
        self.send("products", {"sku": sku, "name": name, "price": 2000, "currency": "USD", **more})
        if units:
            body = {"sku": sku, "quantity": units, "reason": "a pallet came", "bin": bin_}
            self.send("stock", body)

    def places(self, lines: dict[str, int], *, card: str = "pm_card_visa", currency: str = "USD", **more: Any) -> str:
        """A new order of the channel: its number. Where the currency is not the shop's, a unit is 18.00."""
        self.placed += 1
        asked = [{"sku": sku, "quantity": units, **({} if currency == "USD" else {"unit_price": 1800})}
                 for sku, units in lines.items()]  # fmt: skip
        email = f"{self.channel}-{self.placed}@example.com"
        body = {
            "channel": self.channel, "reference": f"{self.channel}-{self.placed}", "currency": currency,
            "customer": {"name": f"June Harper {self.placed}", "email": email}, "shipping_address": ADDRESS,
            "lines": asked, "shipping": {"method": "Ground", "price": 1500},
            "payment": {"method": "card", "payment_method": card}, **more,
        }  # fmt: skip
        return str(self.send("orders", body)["number"])

    def charged(self, order: str) -> str:
        """The order, approved for today and charged: to be picked."""
        self.send(f"orders/{order}/approval", {"ship_estimate": day(0)})
        self.send(f"orders/{order}/charge", {})
        # Where its card was still being saved, it is charged by itself a moment later.
        eventually(lambda: all(p["money"] == "charged" for p in self.read(f"orders/{order}")["parts"]))
        return order
