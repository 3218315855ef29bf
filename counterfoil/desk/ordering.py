"""Between the forms of the desk and purchase orders: lines of a form, names of fields, what a draft shows."""

from __future__ import annotations

from typing import Any

from counterfoil.core.shop import shop
from counterfoil.desk.reading import Form, indexed, maybe_amount, whole_of
from counterfoil.records.catalogue.suppliers import goes_on
from counterfoil.steps.sourcing.draft import warnings_of
from counterfoil.steps.sourcing.fields import say_rate
from counterfoil.steps.sourcing.models import PurchaseLine, PurchaseOrder


def draft_context(po: PurchaseOrder, lines: list[PurchaseLine]) -> dict[str, Any]:
    """What a draft's page shows beside its lines."""
    editable = po.state == "draft"
    return {
        "editable": editable,
        "warnings": warnings_of(po, lines) if editable else [],
        "goes_on": goes_on(po.supplier, shop()),
        "total": sum(line.quantity * line.price for line in lines),
        "foreign": po.currency != shop().currency,
        "rate": say_rate(po.rate_ppm) if po.rate_ppm is not None else "",
    }


def lines_of_form(form: Form, currency: str) -> tuple[list[dict[str, Any]], list[str]]:
    """`quantity:SKU` and `cost:SKU` as lines, and their SKUs; no units, or a tick at `drop:SKU`, is no line."""
    lines: list[dict[str, Any]] = []
    dropped = indexed(form, "drop")
    for sku, count in indexed(form, "quantity").items():
        quantity = whole_of({f"quantity:{sku}": count}, f"quantity:{sku}")
        if not quantity or sku in dropped:
            continue
        line: dict[str, Any] = {"sku": sku, "quantity": quantity}
        cost = maybe_amount(form, f"cost:{sku}", currency)
        if cost is not None:
            line["cost"] = cost
        lines.append(line)
    return lines, [str(line["sku"]) for line in lines]


def at_form(field: str, skus: list[str]) -> str:
    """The form's own name of an action's field: `lines.2.cost` is `cost:SKU`."""
    parts = field.split(".")
    if len(parts) == 3 and parts[0] == "lines" and parts[1].isdigit() and int(parts[1]) < len(skus):
        return f"{parts[2]}:{skus[int(parts[1])]}"
    return field


def own_field(field: str) -> str:
    """The new line's own fields: `quantity:` is `units`, `sku:` is `sku`."""
    return {"quantity:": "units", "sku:": "sku", "cost:": "cost"}.get(field, field)
