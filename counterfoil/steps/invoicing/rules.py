"""When a sales order becomes an invoice, and how its total meets what the customer has paid."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.core.errors import Blocker
from counterfoil.records.orders.facts import OrderFacts, PartFacts


def may_invoice(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """Shipped and entered as a sales order. What came straight back is invoiced too: it was supplied, then credited."""
    if part.books in {"invoiced", "credited"}:
        return [Blocker("someone_else", "already invoiced")]
    found: list[Blocker] = []
    if part.parcel not in {"shipped", "delivered", "returned"}:
        if facts.cancelled:
            found.append(Blocker("cancelled", "the order is cancelled"))
        elif part.parcel in {"waiting", "picking"}:
            found.append(Blocker("not_picked", "an invoice is made when it has been shipped; it is not picked yet"))
        else:
            found.append(Blocker("not_packed", "an invoice is made when it has been shipped"))
    if part.books == "none":
        found.append(Blocker("no_sales_order", "the order has not been entered in the books"))
    return found


@dataclass(frozen=True)
class Settlement:
    """Where an invoice's total is debited, in minor units; the three add up to the total."""

    deposits: int
    returns: int
    receivable: int


def settle(*, total: int, charged: int, refunds: int) -> Settlement:
    """How an invoice is met. `charged`: what was paid towards it, less what was paid too much and goes back; `refunds`:
    the others decided before the invoice, whether or not they have succeeded yet.

    Refunds decided before the invoice were already taken out of the customer's deposits, so only the rest is there
    to be used up. What is missing of the total then was either never charged (receivable) or given back for goods that
    the invoice bills in full (returns); so deposits end at zero and the entry balances. Deposits beyond the total stay:
    they are the customer's.
    """
    deposits = max(0, min(total, charged - refunds))
    receivable = min(max(0, total - charged), total - deposits)
    return Settlement(deposits, total - deposits - receivable, receivable)


def credited_in_full(part: PartFacts) -> bool:
    """Whether everything that was ever charged for an invoiced part has been given back, or is owed back."""
    return part.books == "invoiced" and 0 < part.charged <= part.refunded + part.refund_owed
