"""Axis: books, of one part."""

from __future__ import annotations

from counterfoil.core.machine import Machine

BOOKS = Machine(
    "books",
    "none",
    {
        # Entered as a sales order, in two copies.
        "enter": (("none",), "sales_order"),
        # Shipped: the sales order has become an invoice and is filed.
        "invoice": (("sales_order",), "invoiced"),
        # Credited in full.
        "credit": (("invoiced",), "credited"),
    },
)
