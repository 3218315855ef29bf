"""Who is on the telephone: customers found as one types, with what they had sent where. Two statements for a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from counterfoil.records.customers.models import Customer
from counterfoil.records.customers.queries import find_customers
from counterfoil.records.orders.models import Order

MOST_ADDRESSES = 4
LOOKED_AT = 30  # orders of a customer, the newest


@dataclass(frozen=True)
class Caller:
    """A customer as the clerk picks them out. `addresses` are those of earlier orders, the newest first, each once."""

    customer: Customer
    orders: int = 0
    addresses: list[dict[str, Any]] = field(default_factory=list)

    @property
    def town(self) -> str:
        """Where the newest order went: what tells two of one name apart."""
        if not self.addresses:
            return ""
        known = self.addresses[0]
        return ", ".join(str(known.get(f)) for f in ("city", "state") if known.get(f))


def callers(text: str, *, country: str) -> list[Caller]:
    """Customers whose number, name or e-mail address begins like this, with their orders: two statements."""
    return _with_orders(find_customers(text, country=country))


def caller_of(customer: Customer) -> Caller:
    """One customer in the same way."""
    return _with_orders([customer])[0]


def _with_orders(found: Sequence[Customer]) -> list[Caller]:
    if not found:
        return []
    sent: dict[int, list[dict[str, Any]]] = {c.pk: [] for c in found}
    orders = (
        Order.objects.filter(customer__in=sent, finished=True)
        .order_by("-id")
        .values_list("customer_id", "shipping_address")[: LOOKED_AT * len(found)]
    )
    for customer, address in orders:
        sent[customer].append(address)
    return [Caller(c, len(sent[c.pk]), _each_once(sent[c.pk])) for c in found]


def _each_once(addresses: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: dict[tuple[str, ...], dict[str, Any]] = {}
    for address in addresses:
        key = tuple(str(address.get(f) or "").casefold() for f in ("name", "street", "city", "postcode", "country"))
        seen.setdefault(key, address)
    return list(seen.values())[:MOST_ADDRESSES]
