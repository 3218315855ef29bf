"""Axis: stock, of one part."""

from __future__ import annotations

from counterfoil.core.machine import Machine

STOCK = Machine(
    "stock",
    "unchecked",
    {
        # Every unit of every line is reserved from the shelf.
        "confirm": (("unchecked", "short", "awaiting"), "confirmed"),
        # Some units have no cover: they must be bought in, or the customer asked.
        "fall_short": (("unchecked", "awaiting", "confirmed"), "short"),
        # Every unit is reserved or on order for this line.
        "await_goods": (("unchecked", "short", "confirmed"), "awaiting"),
        # The lines changed, or units were lost: look again.
        "reopen": (("short", "awaiting", "confirmed"), "unchecked"),
    },
)
