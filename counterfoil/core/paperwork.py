"""Which paper a shop wants printed, and when: the choices of its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CHOICES = {
    # Both copies of the sales order as soon as the order is approved; or everything when it is packed.
    "print_at": ("approval", "packing"),
    # The file copy goes on paper into the drawer, or is kept as PDF only.
    "file_copy": ("paper", "pdf"),
    # A packing slip for every box, or only where it is needed: an order in parts or in several boxes, or a gift.
    "packing_slips": ("all", "parts_and_gifts"),
    # A gift's papers with prices go to the buyer by mail when it leaves, or into the parcel.
    "gift_papers": ("mail", "parcel"),
}


def check_paper_settings(values: Mapping[str, Any]) -> None:
    """Refuse a choice that there is not. Raises ValueError naming the setting."""
    for name, known in CHOICES.items():
        if name in values and values[name] not in known:
            raise ValueError(f"{name}: choose one of {', '.join(known)}")
