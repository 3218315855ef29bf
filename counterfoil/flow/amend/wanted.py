"""What a clerk's changes make of an order: lines, prices and sums as they shall be. Pure, in the customer's arithmetic.

The same function serves the preview and the amendment; the amendment writes what it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from counterfoil.core.errors import Blocker, Invalid, Refused
from counterfoil.core.money import MAX_AMOUNT, show
from counterfoil.gateways.storefront.countries import state_code
from counterfoil.steps.alternatives.arithmetic import (
    LineMoney,
    Sums,
    hand_over,
    keep,
    priced,
    rate_for_substitute,
    resum,
)
from counterfoil.steps.alternatives.rules import GONE, substitute_price
from counterfoil.steps.alternatives.state import LineState, Offer, OrderState, PartState
from counterfoil.steps.alternatives.wish import MAX_UNITS, Wish
from counterfoil.steps.checkout.rules import check_address

MOST_CHANGES = 50
ADDRESS = ("name", "street", "city", "postcode", "state", "country")
# What each kind of change is made of, beside its kind.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "quantity": ("line", "quantity"),
    "drop": ("line",),
    "add": ("sku", "quantity", "price", "part"),
    "substitute": ("line", "sku", "quantity", "price"),
    "price": ("line", "price"),
    "delivery": ("method", "price", "part"),
    "address": ("address",),
}


@dataclass(frozen=True)
class Row:
    """A line as it shall be; `id` None: it is to be made."""

    part: int
    product: int
    sku: str
    name: str
    money: LineMoney
    id: int | None = None
    cancelled: int = 0
    replaces: int | None = None
    class_ppm: int = 0


@dataclass(frozen=True)
class Wanted:
    """The order as it shall be: every line, the sums of every part, delivery, address; and all of it in words."""

    rows: tuple[Row, ...]
    sums: Mapping[int, Sums]
    method: str
    address: Mapping[str, str]
    said: tuple[str, ...]


@dataclass(frozen=True)
class Shelf:
    """What changes are judged against. `rates`: the shop's rate of each product (by id) at the new address."""

    offers: Mapping[str, Offer] = field(default_factory=dict)
    deliveries: Sequence[tuple[str, int]] = ()
    price_rule: str = "own"
    rates: Mapping[int, int] = field(default_factory=dict)
    address: Mapping[str, str] = field(default_factory=dict)


class Draft:
    """The order while changes are read into it, one after the other."""

    def __init__(self, order: OrderState, rows: Sequence[Row], shelf: Shelf) -> None:
        self.order, self.shelf = order, shelf
        self.rows = list(rows)
        self.method, self.address = order.method, dict(shelf.address)
        self.shipping: dict[int, int] = {}
        self.said: list[str] = []
        self.blockers: list[Blocker] = []

    def part(self, number: int) -> PartState:
        return next(p for p in self.order.parts if p.number == number)

    def money(self, amount: int) -> str:
        return show(amount, self.order.currency)

    def put(self, row: Row) -> None:
        self.rows = [row if r.id is not None and r.id == row.id else r for r in self.rows]

    def sums(self) -> dict[int, Sums]:
        """Every part summed up again; what an emptied part had of shipping goes to one that is still to be paid."""
        found: dict[int, Sums] = {}
        for part in self.order.parts:
            mine = [r.money for r in self.rows if r.part == part.number]
            old = [ln.money for ln in part.lines]
            same = mine == old and part.number not in self.shipping
            found[part.number] = (
                part.sums if same else resum(part.sums, old, mine, shipping=self.shipping.get(part.number))
            )
        for part in self.order.here():
            left = any(r.money.quantity for r in self.rows if r.part == part.number)
            if not left:
                taker = self._taker(part)
                emptied, handed = hand_over(
                    found[part.number], found[taker.number] if taker else None, charged=part.charged
                )
                found[part.number] = emptied
                if taker is not None and handed is not None:
                    found[taker.number] = handed
        return found

    def _taker(self, emptied: PartState) -> PartState | None:
        live = {r.part for r in self.rows if r.money.quantity}
        return next(
            (p for p in self.order.here() if p.number in live and p.number != emptied.number and not p.charged), None
        )


def work_out(changes: Sequence[Mapping[str, Any]], order: OrderState, rows: Sequence[Row], shelf: Shelf) -> Wanted:
    """What the changes make of the order.

    Raises Invalid with a path such as `changes.0.quantity` for each error, or Refused `sold_out`.
    """
    if not changes:
        raise Invalid(("changes", "say what is to be changed"))
    if len(changes) > MOST_CHANGES:
        raise Invalid(("changes", f"at most {MOST_CHANGES} changes at once"))
    draft = Draft(order, rows, shelf)
    errors: list[tuple[str, str]] = []
    for at, raw in enumerate(changes):
        wish = Wish(f"changes.{at}", raw)
        kind = str(raw.get("kind"))
        if kind not in FIELDS:
            wish.wrong("kind", f"must be one of {', '.join(FIELDS)}")
        else:
            for name in sorted(n for n, v in raw.items() if v is not None and n not in {"kind", *FIELDS[kind]}):
                wish.wrong(name, f"has no meaning here; {kind} knows {', '.join(FIELDS[kind])}")
            if not wish.errors:
                _KINDS[kind](wish, draft)
        errors += wish.errors
    if errors:
        raise Invalid(*errors)
    if draft.blockers:
        raise Refused(draft.blockers)
    if not any(r.money.quantity for r in draft.rows):
        raise Invalid(("changes", "nothing would be left: cancel the order instead"))
    if not draft.said:
        raise Invalid(("changes", "nothing would be different"))
    return Wanted(tuple(draft.rows), draft.sums(), draft.method, draft.address, tuple(draft.said))


def _line(wish: Wish, draft: Draft) -> tuple[Row, LineState] | None:
    """The line that is meant, by SKU or id, as it stands after the changes before this one."""
    wanted = wish.raw.get("line")
    if wanted is None:
        wish.wrong("line", "say which line, by SKU or id")
        return None
    known = {ln.id: (part, ln) for part in draft.order.parts for ln in part.lines}
    found = [r for r in draft.rows if r.id is not None and str(r.id) == str(wanted)]
    found = found or [r for r in draft.rows if r.id is not None and r.sku == wanted and r.money.quantity]
    if not found:
        wish.wrong("line", f"the order has no line {wanted}")
        return None
    here = [r for r in found if _here(*known[r.id or 0])]
    if not here:
        wish.wrong("line", f"{found[0].sku} has been shipped already")
        return None
    return here[0], known[here[0].id or 0][1]


def _here(part: PartState, line: LineState) -> bool:
    return part.parcel not in GONE and not any(ln.shipped for ln in part.lines) and not line.shipped


def more(line: LineMoney, quantity: int) -> LineMoney:
    """The line with another number of units: taxed by its rate, or in proportion where the channel gave the tax."""
    if quantity <= line.quantity:
        return keep(line, quantity)
    if line.by_rate or not line.quantity:
        return priced(quantity, line.unit_price, line.tax_ppm)
    return replace(line, quantity=quantity, tax=(line.tax * quantity * 2 + line.quantity) // (2 * line.quantity))


def at_price(line: LineMoney, price: int) -> LineMoney:
    """The line at another price of one: its tax by rate, or in proportion where the channel gave it."""
    if line.by_rate or not line.net:
        return priced(line.quantity, price, line.tax_ppm)
    return replace(line, unit_price=price, tax=(line.tax * line.quantity * price * 2 + line.net) // (2 * line.net))


def _quantity(wish: Wish, draft: Draft) -> None:
    units = wish.whole("quantity", least=0, most=MAX_UNITS)
    if units is None and not wish.errors:
        wish.wrong("quantity", "say how many it shall be")
    found = _line(wish, draft)
    if found is None or units is None or wish.errors:
        return
    row, _ = found
    was = row.money.quantity
    if units == was:
        return
    _fits(wish, "quantity", units, row.money.unit_price)
    cancelled = row.cancelled + max(0, was - units)
    draft.put(replace(row, money=more(row.money, units), cancelled=cancelled))
    draft.said.append(f"{units} × {row.name} instead of {was}" if units else f"without {was} × {row.name}")


def _drop(wish: Wish, draft: Draft) -> None:
    found = _line(wish, draft)
    if found is None:
        return
    row, _ = found
    was = row.money.quantity
    draft.put(replace(row, money=keep(row.money, 0), cancelled=row.cancelled + was))
    draft.said.append(f"without {was} × {row.name}")


def _add(wish: Wish, draft: Draft) -> None:
    offer = _offer(wish, draft)
    units = wish.whole("quantity", least=1, most=MAX_UNITS)
    if units is None and wish.raw.get("quantity") is None:
        wish.wrong("quantity", "say how many")
    part = _part(wish, draft)
    if offer is None or units is None or part is None:
        return
    price = _price(wish, offer.price)
    if price is None or not _can_have(offer, units, draft):
        return
    _fits(wish, "price", units, price)
    money = priced(units, price, offer.class_ppm)
    draft.rows.append(Row(part.number, offer.id, offer.sku, offer.name, money, class_ppm=offer.class_ppm))
    draft.said.append(f"{units} × {offer.name} more at {draft.money(price)}")


def _substitute(wish: Wish, draft: Draft) -> None:
    offer = _offer(wish, draft)
    found = _line(wish, draft)
    if offer is None or found is None:
        return
    row, line = found
    if offer.sku == row.sku:
        wish.wrong("sku", f"{offer.sku} is what was ordered; name another product")
        return
    units = wish.whole("quantity", least=1, most=MAX_UNITS)
    units = row.money.quantity if units is None else units
    if units > row.money.quantity:
        wish.wrong("quantity", f"the line has {row.money.quantity}")
    price = _price(wish, substitute_price(draft.shelf.price_rule, own=offer.price, ordered=row.money.unit_price))
    if wish.errors or price is None or not _can_have(offer, units, draft):
        return
    _fits(wish, "price", units, price)
    ppm = rate_for_substitute(row.money, old_class=line.class_ppm, new_class=offer.class_ppm)
    left = keep(row.money, row.money.quantity - units)
    draft.put(replace(row, money=left, cancelled=row.cancelled + units))
    money = priced(units, price, ppm)
    draft.rows.append(Row(row.part, offer.id, offer.sku, offer.name, money, replaces=row.id, class_ppm=offer.class_ppm))
    draft.said.append(f"{units} × {offer.name} at {draft.money(price)} instead of {row.name}")


def _reprice(wish: Wish, draft: Draft) -> None:
    price = _price(wish, None)
    found = _line(wish, draft)
    if found is None or price is None:
        return
    row, _ = found
    was = row.money.unit_price
    if price == was:
        return
    _fits(wish, "price", row.money.quantity, price)
    draft.put(replace(row, money=at_price(row.money, price)))
    draft.said.append(f"{row.name} at {draft.money(price)} each instead of {draft.money(was)}")


def _delivery(wish: Wish, draft: Draft) -> None:
    method = wish.text("method") or draft.method
    listed = dict(draft.shelf.deliveries).get(method)
    here = [p for p in draft.order.here() if not any(ln.shipped for ln in p.lines)]
    part = _part(wish, draft) if wish.raw.get("part") is not None else None
    part = part or (max(here, key=lambda p: (p.sums.shipping, -p.number)) if here else None)
    if part is None:
        wish.wrong("part", "everything has been shipped")
        return
    price = _price(wish, part.sums.shipping if method == draft.method else listed)
    if wish.errors or price is None:
        return
    if method == draft.method and price == part.sums.shipping:
        return
    instead = f" instead of {draft.method}" if method != draft.method else ""
    draft.method = method
    draft.shipping[part.number] = price
    draft.said.append(f"{method} delivery{instead} for {draft.money(price)}")


def _address(wish: Wish, draft: Draft) -> None:
    given = wish.raw.get("address")
    if not isinstance(given, Mapping):
        wish.wrong("address", "give name, street, city, postcode, state and country")
        return
    address = {name: str(given.get(name) or "").strip() for name in ADDRESS}
    # Taxes and the places that we do not serve go by the code: "Utah" is no other state.
    address["state"] = state_code(address["country"], address["state"])
    if any(len(value) > 200 for value in address.values()):
        wish.wrong("address", "at most 200 characters in each line")
    wish.errors += check_address(address, f"{wish.at}.address")
    if wish.errors or address == {name: str(draft.address.get(name) or "") for name in ADDRESS}:
        return
    rates = draft.shelf.rates
    for row in list(draft.rows):
        part = draft.part(row.part)
        ppm = rates.get(row.product, row.class_ppm)
        # Another rate only where the shop's own was asked: a channel that taxed by other rules has done so for good.
        if part.parcel not in GONE and row.id is not None and row.money.tax_ppm == row.class_ppm != ppm:
            money = priced(row.money.quantity, row.money.unit_price, ppm) if row.money.by_rate else row.money
            draft.put(replace(row, money=money, class_ppm=ppm))
    draft.address = address
    draft.said.append(f"goes to {', '.join(v for v in (address['street'], address['city'], address['state']) if v)}")


_KINDS: Mapping[str, Callable[[Wish, Draft], None]] = {
    "quantity": _quantity,
    "drop": _drop,
    "add": _add,
    "substitute": _substitute,
    "price": _reprice,
    "delivery": _delivery,
    "address": _address,
}


def _offer(wish: Wish, draft: Draft) -> Offer | None:
    sku = wish.text("sku")
    if wish.raw.get("sku") is None:
        wish.wrong("sku", "say which product")
    found = draft.shelf.offers.get(sku) if sku else None
    if sku and found is None:
        wish.wrong("sku", f"there is no product {sku}")
    return found


def _part(wish: Wish, draft: Draft) -> PartState | None:
    """The part that is meant, else the first that is in the house and not paid, else the first in the house."""
    number = wish.whole("part", least=1, most=1000)
    here = [p for p in draft.order.here() if not any(ln.shipped for ln in p.lines)]
    if number is not None:
        here = [p for p in here if p.number == number]
    if not here:
        wish.wrong("part", f"there is no part {number} in the house" if number else "everything has been shipped")
        return None
    return min(here, key=lambda p: (p.charged, p.number))


def _price(wish: Wish, otherwise: int | None) -> int | None:
    price = wish.whole("price", least=0, most=MAX_AMOUNT // 100)
    if price is None and wish.raw.get("price") is None:
        if otherwise is None:
            wish.wrong("price", "give a price")
        return otherwise
    return price


def _fits(wish: Wish, field_: str, units: int, price: int) -> None:
    if units * price > MAX_AMOUNT // 100:
        wish.wrong(field_, "this amount is too large")


def _can_have(offer: Offer, units: int, draft: Draft) -> bool:
    """A product that is sold only while it is there is promised no further than that."""
    taken = sum(r.money.quantity for r in draft.rows if r.id is None and r.sku == offer.sku)
    if offer.can_have is not None and units + taken > offer.can_have:
        left = max(0, offer.can_have - taken)
        draft.blockers.append(Blocker("sold_out", f"only {left} of {offer.sku} can be had", line=offer.sku))
        return False
    return True


__all__ = ["FIELDS", "Row", "Shelf", "Wanted", "at_price", "more", "work_out"]
