"""The answers of this step's doors."""

from __future__ import annotations

from typing import Any

from counterfoil.core.shop import shop
from counterfoil.records.catalogue.suppliers import goes_on
from counterfoil.records.orders.present import day, moment
from counterfoil.steps.sourcing.draft import warnings_of
from counterfoil.steps.sourcing.fields import say_rate
from counterfoil.steps.sourcing.models import CountSheet, GoodsReceipt, PurchaseLine, PurchaseOrder
from counterfoil.steps.sourcing.queries import Need, slipped_by, waiting_for
from counterfoil.steps.sourcing.sheets import variances


def purchase_order_json(po: PurchaseOrder) -> dict[str, Any]:
    """The purchase order as it stands now. `waiting` are order numbers, oldest promise first; `slipped` those whose
    promise it does not keep. A draft also has `warnings`.
    """
    lines = list(po.lines.select_related("product").defer("product__art").order_by("pk"))
    shown: dict[str, Any] = {
        "number": po.number,
        "supplier": po.supplier.name,
        "state": po.state,
        "currency": po.currency,
        "rate": say_rate(po.rate_ppm) if po.rate_ppm is not None else None,
        "total": sum(ln.quantity * ln.price for ln in lines),
        "note": po.note,
        "expected": day(po.expected),
        "sent_at": moment(po.sent_at),
        "confirmed_at": moment(po.confirmed_at),
        "lines": [_line(line) for line in lines],
        "waiting": list(dict.fromkeys(waiter.order for waiter in waiting_for(po))),
        "slipped": [
            {
                "order": s.order,
                "part": s.part,
                "promised": day(s.promised),
                "earliest": day(s.earliest),
                "charged": s.charged,
            }
            for s in slipped_by(po)
        ],
    }
    if po.state == "draft":
        shown["goes_on"] = day(goes_on(po.supplier, shop()))
        shown["warnings"] = warnings_of(po, lines)
    return shown


def _line(line: PurchaseLine) -> dict[str, Any]:
    return {
        "sku": line.product.sku,
        "quantity": line.quantity,
        "cost": line.cost,
        "received": line.received,
        "damaged": line.damaged,
        "expected": day(line.expected),
    }


def purchase_order_brief(po: PurchaseOrder) -> dict[str, Any]:
    """As a row of a list."""
    return {
        "number": po.number,
        "supplier": po.supplier.name,
        "state": po.state,
        "currency": po.currency,
        "expected": day(po.expected),
        "sent_at": moment(po.sent_at),
    }


def need_json(need: Need) -> dict[str, Any]:
    """What is to be bought from one supplier (null: nobody is known to supply it)."""
    return {
        "supplier": need.supplier.name if need.supplier else None,
        "lines": [
            {
                "sku": line.sku,
                "short": line.short,
                "reorder": line.reorder,
                "drafted": line.drafted,
                "quantity": line.quantity,
                "orders": line.orders,
            }
            for line in need.lines
        ],
    }


def receipt_json(receipt: GoodsReceipt) -> dict[str, Any]:
    """What was counted in; `ready_orders` are those that it completed."""
    return {
        "id": receipt.pk,
        "purchase_order": receipt.po.number,
        "state": receipt.po.state,
        "at": moment(receipt.at),
        "lines": [
            {
                "sku": row.purchase_line.product.sku,
                "received": row.received,
                "damaged": row.damaged,
                "surplus": row.surplus,
                "note": row.note,
            }
            for row in receipt.lines.select_related("purchase_line__product").order_by("pk")
        ],
        "ready_orders": list(receipt.ready_orders),
        "repeated": receipt.repeated,
    }


def count_sheet_json(sheet: CountSheet) -> dict[str, Any]:
    """A count sheet as it stands: by place what was expected when it was counted, what was counted, the difference."""
    return {
        "number": sheet.number,
        "state": sheet.state,
        "scope": sheet.scope,
        "blind": sheet.blind,
        "made_at": moment(sheet.made_at),
        "counted_at": moment(sheet.counted_at),
        "reason": sheet.reason,
        "lines": [
            {
                "sku": one.row.product.sku,
                "bin": one.row.bin,
                "lot": one.row.lot,
                "expected": one.expected,
                "counted": one.row.counted,
                "difference": one.row.booked if sheet.state == "applied" else one.difference,
            }
            for one in variances(sheet)
        ],
    }
