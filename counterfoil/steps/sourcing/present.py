"""The answers of this step's doors."""

from __future__ import annotations

from typing import Any

from counterfoil.records.orders.present import day, moment
from counterfoil.steps.sourcing.models import GoodsReceipt, PurchaseOrder
from counterfoil.steps.sourcing.queries import waiting_for


def purchase_order_json(po: PurchaseOrder) -> dict[str, Any]:
    """The purchase order as it stands now; `waiting` are order numbers, oldest promise first."""
    return {
        "number": po.number,
        "supplier": po.supplier.name,
        "state": po.state,
        "currency": po.currency,
        "expected": day(po.expected),
        "confirmed_at": moment(po.confirmed_at),
        "lines": [
            {
                "sku": line.product.sku,
                "quantity": line.quantity,
                "cost": line.cost,
                "received": line.received,
                "damaged": line.damaged,
                "expected": day(line.expected),
            }
            for line in po.lines.select_related("product").order_by("pk")
        ],
        "waiting": list(dict.fromkeys(waiter.order for waiter in waiting_for(po))),
    }


def receipt_json(receipt: GoodsReceipt) -> dict[str, Any]:
    """What was counted in; `ready_orders` are those that it completed, known in the answer to the act itself."""
    return {
        "id": receipt.pk,
        "purchase_order": receipt.po.number,
        "state": receipt.po.state,
        "at": moment(receipt.at),
        "lines": [
            {"sku": row.purchase_line.product.sku, "received": row.received, "damaged": row.damaged}
            for row in receipt.lines.select_related("purchase_line__product").order_by("pk")
        ],
        "ready_orders": list(getattr(receipt, "ready_orders", [])),
    }
