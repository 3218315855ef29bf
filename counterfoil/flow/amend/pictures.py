"""The whole order as an amendment found and left it: plain JSON, amounts in minor units."""

from __future__ import annotations

from typing import Any

from counterfoil.flow.amend.totals import AMOUNTS
from counterfoil.records.orders.models import Line, Order, Part

SUMS = AMOUNTS


def whole_picture(order: Order) -> dict[str, Any]:
    """Amounts, delivery and address; of each part amounts and promise; of each line units, price and tax."""
    fresh = Order.objects.get(pk=order.pk)
    parts = list(Part.objects.filter(order=order).order_by("number"))
    numbers = {part.pk: part.number for part in parts}
    return {
        "order": {
            **{name: int(getattr(fresh, name)) for name in AMOUNTS},
            "method": fresh.shipping_method,
            "address": fresh.shipping_address,
        },
        "parts": [
            {
                "number": part.number,
                **{name: int(getattr(part, name)) for name in AMOUNTS},
                "promise": part.promise_date.isoformat() if part.promise_date else None,
                "legal_deadline": part.legal_deadline.isoformat() if part.legal_deadline else None,
            }
            for part in parts
        ],
        "lines": [
            {
                "id": line.pk,
                "part": numbers[line.part_id],
                "product": line.product_id,
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "cancelled": line.cancelled,
                "unit_price": line.unit_price,
                "tax_ppm": line.tax_ppm,
                "tax": line.tax,
            }
            for line in Line.objects.filter(order=order).order_by("position", "pk")
        ],
    }


def same_goods_and_money(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two pictures differ in nothing that an undo would put back: promises may have moved on."""

    def bare(found: dict[str, Any]) -> Any:
        parts = [{k: v for k, v in part.items() if k not in {"promise", "legal_deadline"}} for part in found["parts"]]
        return found["order"], parts, sorted(found["lines"], key=lambda line: int(line["id"]))

    return bool(bare(one) == bare(other))
