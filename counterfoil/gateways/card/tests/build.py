"""A till and what a shop gives it, for the contract that every till keeps."""

from __future__ import annotations

import itertools
import secrets
from typing import Any

from counterfoil.gateways.card.protocol import CardGateway, Intent, Returned, Till

SECRET = "whsec_contract"
AMOUNTS = [("JPY", 5_000), ("USD", 6_500), ("EUR", 4_999), ("KWD", 12_340)]  # 0, 2, 2 and 3 decimals


class Shop:
    """A till, and what this shop gives it to take money with."""

    def __init__(self, till: Till, *, customer: str, method: str) -> None:
        self.till, self.customer, self.method = till, customer, method
        self.run = secrets.token_hex(6)  # the sandbox outlives a test: keys and numbers are new each time
        self._keys = itertools.count(1)

    def key(self) -> str:
        return f"contract-{self.run}-{next(self._keys)}"

    def mark(self, charge: str) -> dict[str, str]:
        return {"order": f"CF-{self.run}", "charge": charge, "slip": f"{self.run} {charge}", "by": "Clara"}

    def made(self, amount: int = 6_500, currency: str = "USD", *, key: str = "", **more: Any) -> Intent:
        key = key or self.key()
        return self.till.create_intent(
            amount=amount, currency=currency, customer=self.customer, method=self.method, reference=self.mark(key),
            key=key, **more,
        )  # fmt: skip

    def taken(self, amount: int = 6_500, currency: str = "USD") -> Intent:
        return self.till.confirm_intent(self.made(amount, currency).id, key=self.key())

    def back(self, intent: Intent, amount: int, *, key: str = "") -> Returned:
        key = key or self.key()
        return self.till.refund(intent_id=intent.id, amount=amount, reference={"refund": key}, key=key)


def saved(processor: CardGateway, card: str = "pm_card_visa") -> tuple[str, str]:
    """A customer with this card saved."""
    run = secrets.token_hex(6)
    customer = processor.create_customer(name="Zoë Brontë", email="zoe@example.com", reference=run, key=f"c-{run}")
    kept = processor.save_card(customer=customer, source=card, reference="CF-1", key=f"s-{run}")
    return customer, kept.method_id
