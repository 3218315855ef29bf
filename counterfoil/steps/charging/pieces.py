"""A refund by line: which units go back, and what was paid for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from counterfoil.core.errors import Invalid
from counterfoil.records.orders.models import Line, Order, Part
from counterfoil.records.orders.shares import by_line, by_unit


def units_wanted(taken: Order, lines: list[Line], wanted: Sequence[Mapping[str, object]]) -> dict[int, int]:
    """How many units of which line go back, by line id; one SKU may stand on several. Raises Invalid.

    Units that an amendment took off were given back with it: only what is still on the line can be refunded.
    """
    if not wanted:
        raise Invalid(("lines", "name at least one line"))
    asked: dict[int, int] = {}
    wrong = []
    for i, want in enumerate(wanted):
        quantity = want.get("quantity")
        free = {ln.pk: ln.quantity - ln.refunded - asked.get(ln.pk, 0) for ln in lines if ln.sku == want.get("sku")}
        left = sum(max(0, units) for units in free.values())
        if not free:
            wrong.append((f"lines.{i}.sku", f"{taken.number} has no line {want.get('sku')}"))
        elif not isinstance(quantity, int) or not 1 <= quantity <= left:
            wrong.append((f"lines.{i}.quantity", f"between 1 and {left}" if left else "all of it has gone back"))
        else:
            for pk, units in free.items():
                taking = min(quantity, max(0, units))
                asked[pk] = asked.get(pk, 0) + taking
                quantity -= taking
    if wrong:
        raise Invalid(*wrong)
    return asked


@dataclass(frozen=True)
class Share:
    """What goes back for some units of a line: the amount with the tax in it, and how the refund names it."""

    amount: int
    tax: int
    named: dict[str, object]


def shares(part: Part, lines: list[Line], units: list[int], least: int) -> list[Share]:
    """What was paid for so many units of each line of a part; the lines remember that they have gone back."""
    gross = [ln.net + ln.tax for ln in lines]
    paid = by_line(part.total, gross, part.total - part.rounding - sum(gross), least)
    found = []
    for line, whole, count in zip(lines, paid, units, strict=True):
        if not count:
            continue
        gone = slice(line.refunded, line.refunded + count)
        amount = sum(by_unit(whole, line.quantity, least)[gone])
        tax = sum(by_unit(line.tax, line.quantity, 1)[gone])
        named: dict[str, object] = {"sku": line.sku, "quantity": count}
        rounding = amount - tax - count * line.unit_price
        found.append(Share(amount, tax, named | ({"rounding": rounding} if rounding else {})))
        line.refunded += count
        line.save(update_fields=["refunded"])
    return found
