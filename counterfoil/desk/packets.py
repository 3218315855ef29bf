"""Which papers of an order are to be printed now, which wait, and what for. Pure, but for the one read at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from counterfoil.core.db import rows
from counterfoil.core.shop import Shop, shop
from counterfoil.records.orders.models import Order

NOW, GOODS, PACKING, NEVER = "now", "goods", "packing", "never"
# The kinds of the print queue, in the order in which they lie in a packet.
KINDS = ("pick-list", "sales-order", "card-receipt", "packing-slip", "sales-order-copy")
LIVE = ("stock", "goods", "charge", "charged_waiting", "pick", "pack", "ship")
MOST = 1000  # papers that are looked at, of the orders that are due soonest


@dataclass(frozen=True)
class Sheet:
    """A paper of an order that nobody has printed, and where its part stands."""

    id: int
    number: str
    kind: str
    part: int
    order: str
    name: str
    gift: bool
    queue: str
    deadline: date | None
    leave_by: int
    parcel: str
    charged: bool
    parts: int  # of the order
    boxes: int  # of its part: those that are packed, and one more for what is not
    missing: int  # units of its part that are not here
    due: date | None  # when the last of them come


def waits_for(sheet: Sheet, settings: Shop) -> str:
    """NOW, or what this paper waits for: GOODS, PACKING; NEVER for what this shop does not print."""
    gone = sheet.parcel in {"shipped", "delivered", "returned"}
    packing = sheet.parcel in {"picked", "packed"} or gone
    if sheet.kind == "sales-order-copy":
        if settings.file_copy == "pdf":
            return NEVER
        return NOW if settings.print_at == "approval" or packing else PACKING
    if gone:
        return NEVER
    if sheet.kind == "packing-slip":
        # What comes in part says what is in this box, and that more is to come.
        in_part = sheet.parts > 1 or sheet.boxes > 1
        return NOW if settings.packing_slips == "all" or sheet.gift or in_part else NEVER
    if sheet.kind == "pick-list":
        return NOW if sheet.parcel in {"waiting", "picking"} and not sheet.missing else NEVER
    if sheet.gift and settings.gift_papers == "mail":
        return NEVER
    if sheet.charged and sheet.missing:
        return GOODS
    return PACKING if settings.print_at == "packing" and not packing else NOW


_SHEETS = """
SELECT d.id, d.number, d.kind, d.part, o.number, o.name, CASE WHEN o.gift_message <> '' THEN 1 ELSE 0 END, o.queue,
  o.deadline, o.leave_by, p.parcel, CASE WHEN p.money = 'charged' THEN 1 ELSE 0 END,
  (SELECT COUNT(*) FROM orders_part x WHERE x.order_id = o.id),
  (SELECT COUNT(*) FROM orders_package b WHERE b.part_id = p.id AND b.unpacked_at IS NULL)
    + CASE WHEN EXISTS (SELECT 1 FROM orders_line l WHERE l.part_id = p.id AND l.quantity > l.packed + l.shipped)
      THEN 1 ELSE 0 END,
  (SELECT COALESCE(SUM(l.quantity - l.reserved - l.picked - l.shipped), 0) FROM orders_line l WHERE l.part_id = p.id),
  (SELECT MAX(l.due_date) FROM orders_line l WHERE l.part_id = p.id AND l.due > 0)
FROM orders_order o
JOIN core_document d ON d.subject = o.number
JOIN orders_part p ON p.order_id = o.id AND p.number = d.part
WHERE {which} AND d.kind IN ({kinds})
  AND NOT EXISTS (SELECT 1 FROM core_printing r WHERE r.document_id = d.id)
  AND (d.kind <> 'packing-slip' OR EXISTS (SELECT 1 FROM orders_package b WHERE b.order_id = o.id
    AND b.number = d.version AND b.unpacked_at IS NULL AND b.shipment_id IS NULL))
  AND (d.kind IN ('packing-slip', 'card-receipt') OR NOT EXISTS (SELECT 1 FROM core_document n
    WHERE n.subject = d.subject AND n.kind = d.kind AND n.part = d.part AND n.version > d.version))
ORDER BY CASE WHEN o.deadline IS NULL THEN 1 ELSE 0 END, o.deadline, o.leave_by, o.id, d.id LIMIT {most}
"""


def unprinted() -> list[Sheet]:
    """The newest papers of open orders that nobody has printed, the soonest to leave first: one statement.

    A packing slip is of its box: of one that was taken apart or has left it is not asked for any more.
    Of what is on its way only the file copies are left: they still go into the drawer.
    """
    live = ", ".join(["%s"] * len(LIVE))
    which = f"(o.queue IN ({live}) OR (o.queue = 'transit' AND d.kind = 'sales-order-copy'))"
    return _read(which, [*LIVE])


def unprinted_of(order: Order) -> list[Sheet]:
    """The same of one order."""
    return _read("o.id = %s", [order.pk])


def packet_of(order: Order) -> list[Sheet]:
    """What is to be printed of an order now that it is charged; nothing while it waits for its goods."""
    sheets = unprinted_of(order)
    return [] if any(waits_for(s, shop()) == GOODS for s in sheets) else due_now(sheets)


def _read(which: str, params: list[Any]) -> list[Sheet]:
    kinds = [k for k in KINDS if k != "sales-order-copy" or shop().file_copy == "paper"]
    sql = _SHEETS.format(which=which, kinds=", ".join(["%s"] * len(kinds)), most=MOST)
    return [
        Sheet(r[0], r[1], r[2], r[3], r[4], r[5], bool(r[6]), r[7], _day(r[8]), r[9], r[10], bool(r[11]), int(r[12]),
              int(r[13]), int(r[14]), _day(r[15]))
        for r in rows(sql, [*params, *kinds])
    ]  # fmt: skip


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def due_now(sheets: Sequence[Sheet]) -> list[Sheet]:
    """What is to be printed now, packet by packet: the papers of one order lie together, as they are enclosed."""
    settings = shop()
    found = [s for s in sheets if waits_for(s, settings) == NOW]
    place = {s.order: n for n, s in reversed(list(enumerate(found)))}
    return sorted(found, key=lambda s: (place[s.order], s.part, KINDS.index(s.kind)))
