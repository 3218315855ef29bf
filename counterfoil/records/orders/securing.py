"""The shipment may have to charge first, and steps do not know each other: charging registers, fulfilment calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from counterfoil.core.actor import Actor
from counterfoil.core.db import in_writing

Secure = Callable[[str, Sequence[int], Actor], None]
_secure: Secure | None = None


def on_shipping(call: Secure) -> None:
    """Register what takes the money of an order's parts just before they leave."""
    global _secure
    _secure = call


def secure_money(order: str, parts: Sequence[int], actor: Actor) -> None:
    """Take the money of these parts now, as the shop's setting wants it; never inside a transaction.

    Raises what a charge raises: Refused with every blocker, Declined, and Refused `charge_in_flight` while the bank has
    not answered. When it returns, the money has been taken.
    """
    if in_writing():
        raise RuntimeError("money is taken before the transaction of the shipment")
    if _secure is None:
        raise RuntimeError("nobody takes money here")
    _secure(order, parts, actor)
