"""The kinds of choice, each with its consequence in words, price and date."""

from __future__ import annotations

from datetime import date
from typing import Any

from counterfoil.core.errors import Blocker, Refused
from counterfoil.core.money import MAX_AMOUNT, show
from counterfoil.steps.alternatives.arithmetic import LineMoney, hand_over, keep, priced, rate_for_substitute
from counterfoil.steps.alternatives.rules import GONE, substitute_price
from counterfoil.steps.alternatives.state import LineState, Offer, OrderState, PartState, Terms, latest, receiver_of
from counterfoil.steps.alternatives.wish import Wish, line_of, units_of

Choice = dict[str, Any]


def say_day(value: date) -> str:
    """Tue 24 Nov 2026."""
    return f"{value:%a} {value.day} {value:%b %Y}"


def _with(part: PartState, line: LineState, quantity: int) -> list[LineMoney]:
    """The part's lines when this one has `quantity` units left."""
    return [keep(ln.money, quantity) if ln.id == line.id else ln.money for ln in part.lines]


def closing(made: Choice, order: OrderState, difference: int, day: date | None) -> Choice:
    made["difference"] = difference
    made["total"] = order.total + difference
    made["date"] = day.isoformat() if day else None
    return made


def _not_dearer(wish: Wish, part: PartState, difference: int, currency: str) -> None:
    """What is paid is paid: there is no second charge for a part."""
    if part.charged and difference > 0:
        raise Refused(
            [
                Blocker(
                    "already_charged",
                    f"{wish.at}: part {part.number} is paid already and this would cost {show(difference, currency)} "
                    "more; offer it at no higher price, or cancel and refund",
                )
            ]
        )


def substitute(wish: Wish, order: OrderState, terms: Terms) -> Choice | None:
    day = wish.day(terms.today)
    price = wish.whole("price", least=0, most=MAX_AMOUNT // 100)
    sku = wish.text("sku")
    offer = terms.offers.get(sku) if sku else None
    if wish.raw.get("sku") is None:
        wish.wrong("sku", "say which product stands in")
    elif sku and offer is None:
        wish.wrong("sku", f"there is no product {sku}")
    found = line_of(wish, order, needed=True)
    if offer is None or found is None:
        return None
    part, line = found
    if offer.sku == line.sku:
        wish.wrong("sku", f"{offer.sku} is what was ordered; name another product")
    quantity = units_of(wish, line, line.free)
    if price is None and wish.raw.get("price") is None:
        price = substitute_price(terms.price_rule, own=offer.price, ordered=line.money.unit_price)
        if price is None:
            wish.wrong("price", f"{offer.sku} is not sold in {order.currency}: give a price in {order.currency}")
    if wish.errors or quantity is None or price is None:
        return None
    if price * quantity > MAX_AMOUNT // 100:
        wish.wrong("price", "this amount is too large")
        return None
    if offer.can_have is not None and quantity > offer.can_have:
        raise Refused([Blocker("sold_out", f"only {max(0, offer.can_have)} of {offer.sku} can be had", line=offer.sku)])
    ppm = rate_for_substitute(line.money, old_class=line.class_ppm, new_class=offer.class_ppm)
    lines = [*_with(part, line, line.money.quantity - quantity), priced(quantity, price, ppm)]
    difference = part.with_lines(lines).total - part.sums.total
    _not_dearer(wish, part, difference, order.currency)
    day = day or latest(terms.ready(part, {line.id: quantity}), offer.ships(quantity))
    made: Choice = {
        "kind": "substitute", "part": part.number, "line": line.id, "old_sku": line.sku, "sku": offer.sku,
        "product": offer.id, "quantity": quantity, "price": price, "tax_ppm": ppm,
        "text": f"{quantity} × {offer.name} instead of {_old_words(line, offer)}, "
        f"{_each(price - line.money.unit_price, order.currency)}{ships_words(day)}",
    }  # fmt: skip
    return closing(made, order, difference, day)


def _old_words(line: LineState, offer: Offer) -> str:
    """Of another vintage of the same wine the year is enough."""
    same_wine = line.family is not None and line.family == offer.family
    if same_wine and line.vintage and offer.vintage and line.vintage != offer.vintage:
        return str(line.vintage)
    return line.name


def _each(difference: int, currency: str) -> str:
    if difference == 0:
        return "at the same price"
    return f"{show(abs(difference), currency)} {'more' if difference > 0 else 'less'} each"


def ships_words(day: date | None) -> str:
    return f", ships {say_day(day)}" if day else ""


def expedite(wish: Wish, order: OrderState, terms: Terms) -> Choice | None:
    day = wish.day(terms.today)
    price = wish.whole("price", least=0, most=MAX_AMOUNT // 100)
    method = wish.text("method")
    found = line_of(wish, order, needed=False)
    if wish.errors:
        return None
    if method is None:
        method = _method_for(price, order.method, terms)
        if method is None:
            wish.wrong("method", "say which delivery: the shop has no faster one in its list")
            return None
    if price is None:
        listed = dict(terms.deliveries)
        if method not in listed:
            wish.wrong("price", f"say what {method} costs")
            return None
        price = listed[method]
    part = found[0] if found else _paying_shipping(order)
    sums = part.with_lines([ln.money for ln in part.lines], shipping=price)
    difference = sums.total - part.sums.total
    _not_dearer(wish, part, difference, order.currency)
    day = day or terms.ready(part)
    instead = f" instead of {order.method}" if order.method and order.method != method else ""
    made: Choice = {
        "kind": "expedite", "part": part.number, "method": method, "price": price, "releases": _stops(order),
        "text": f"{method} delivery{instead}, {_compared(difference, order.currency)}{ships_words(day)}",
    }  # fmt: skip
    return closing(made, order, difference, day)


def _method_for(price: int | None, present: str, terms: Terms) -> str | None:
    """The shop's delivery of that price; with no price its dearest, which is its fastest."""
    others = [(m, p) for m, p in terms.deliveries if m != present]
    if price is not None:
        named = next((m for m, p in others if p == price), None)
        if named is not None:
            return named
    return max(others, key=lambda d: d[1])[0] if others else None


def _paying_shipping(order: OrderState) -> PartState:
    """The part whose delivery is changed: of those still here, the one that carries the price of shipping."""
    return max(order.here(), key=lambda p: (p.sums.shipping, -p.number))


def _compared(difference: int, currency: str) -> str:
    if difference == 0:
        return "at no extra cost"
    return f"{show(abs(difference), currency)} {'more' if difference > 0 else 'less'}"


def later_date(wish: Wish, order: OrderState, terms: Terms) -> Choice | None:
    day = wish.day(terms.today)
    found = line_of(wish, order, needed=False)
    if wish.raw.get("date") is None:
        wish.wrong("date", "say which date")
    if wish.errors or day is None:
        return None
    parts = [found[0]] if found else order.here()
    old = {p.promise for p in parts if p.promise}
    instead = f" instead of {say_day(min(old))}" if old and min(old) != day else ""
    what = "Everything ships"
    if len(parts) < len(order.parts):
        what = "The rest ships" if len(parts) == len(order.here()) else f"Part {parts[0].number} ships"
    made: Choice = {
        "kind": "later_date", "parts": [p.number for p in parts],
        "text": f"{what} on {say_day(day)}{instead}, at the same price",
    }  # fmt: skip
    return closing(made, order, 0, day)


def as_is(wish: Wish, order: OrderState, terms: Terms) -> Choice | None:
    """The customer waives the shop's care: what is held for the weather ships all the same."""
    if not order.weather:
        wish.wrong("kind", "the order is not held for the weather: there is nothing to waive")
        return None
    made: Choice = {
        "kind": "as_is", "parts": [p.number for p in order.here()], "releases": _stops(order),
        "text": f"Ship it now all the same, at your own risk ({'; '.join(s.reason for s in order.weather)})",
    }  # fmt: skip
    return closing(made, order, 0, None)


def _stops(order: OrderState) -> list[int]:
    """The holds that this answer lifts."""
    return [stop.id for stop in order.weather]


def cancel(wish: Wish, order: OrderState, terms: Terms) -> Choice | None:
    if wish.raw.get("line") is None:
        return _cancel_all(wish, order)
    found = line_of(wish, order, needed=True)
    if found is None:
        return None
    part, line = found
    quantity = units_of(wish, line, line.free)
    if quantity is None or wish.errors:
        return None
    left = _with(part, line, line.money.quantity - quantity)
    after = part.with_lines(left)
    difference = after.total - part.sums.total
    if not any(ln.quantity for ln in left):
        if not any(ln.money.quantity for p in order.parts if p is not part for ln in p.lines):
            return _cancel_all(wish, order)
        receiver = receiver_of(order, part)
        emptied, handed = hand_over(after, receiver.sums if receiver else None, charged=part.charged)
        difference = emptied.total - part.sums.total
        if handed is not None and receiver is not None:
            difference += handed.total - receiver.sums.total
    _not_dearer(wish, part, difference, order.currency)
    day = terms.ready(part, {line.id: quantity}) if any(ln.quantity for ln in left) else None
    rest = f", the rest ships {say_day(day)}" if day else ""
    made: Choice = {
        "kind": "cancel", "part": part.number, "line": line.id, "old_sku": line.sku, "quantity": quantity,
        "text": f"Without {quantity} × {line.name}, {_compared(difference, order.currency)}{rest}",
    }  # fmt: skip
    return closing(made, order, difference, day)


def _cancel_all(wish: Wish, order: OrderState) -> Choice | None:
    if wish.raw.get("line") is None and wish.raw.get("quantity") is not None:
        wish.wrong("line", "a quantity needs its line")
        return None
    if any(p.parcel in GONE or any(ln.shipped for ln in p.lines) for p in order.parts):
        wish.wrong("kind", "a part has been shipped: cancel the other lines instead")
        return None
    paid = sum(p.sums.total for p in order.parts if p.charged)
    words = f"what you paid is refunded in full{back_words(order)}" if paid else "nothing is charged"
    made: Choice = {"kind": "cancel", "line": None, "text": f"Cancel the order; {words}"}
    return closing(made, order, -order.total, None)


def back_words(order: OrderState) -> str:
    """When the money is back: what was paid by card goes back by itself."""
    return " on the day that you choose this; your bank may take a few days to show it" if order.by_card else ""


def split(wish: Wish, order: OrderState, terms: Terms) -> Choice | None:
    day = wish.day(terms.today)
    moves = _split_line(wish, order) if wish.raw.get("line") is not None else _split_missing(wish, order)
    if moves is None or wish.errors:
        return None
    part, later = moves
    if part.charged:
        raise Refused(
            [
                Blocker(
                    "already_charged",
                    f"{wish.at}: part {part.number} is paid already and cannot be divided; offer a later date instead",
                )
            ]
        )
    if sum(units for _, units in later) >= sum(ln.money.quantity for ln in part.lines):
        wish.wrong("quantity", "nothing would be left to ship first; offer a later date instead")
        return None
    names = ", ".join(f"{units} × {ln.name}" for ln, units in later)
    if any(ln.missing for ln, _ in later):
        day = day or latest(*(terms.days.get(ln.id) for ln, _ in later))
    # What is here keeps the promise that it has.
    said = day or (part.promise if terms.soon and not any(ln.missing for ln, _ in later) else None)
    ready = terms.ready(part, {ln.id: units for ln, units in later})
    first = max(ready, part.promise or ready) if ready else None
    when = f"on {say_day(said)}" if said else "as soon as we have it"
    made: Choice = {
        "kind": "split", "part": part.number,
        "lines": [{"line": ln.id, "sku": ln.sku, "quantity": units} for ln, units in later],
        "text": f"Part now, part later: {names} {'ships' if len(later) == 1 else 'ship'} {when}, "
        f"the rest {f'on {say_day(first)}' if first else 'without waiting'}; no extra shipping",
    }  # fmt: skip
    return closing(made, order, 0, day)


def _split_line(wish: Wish, order: OrderState) -> tuple[PartState, list[tuple[LineState, int]]] | None:
    found = line_of(wish, order, needed=True)
    if found is None:
        return None
    part, line = found
    quantity = units_of(wish, line, line.missing or line.free)
    return None if quantity is None else (part, [(line, quantity)])


def _split_missing(wish: Wish, order: OrderState) -> tuple[PartState, list[tuple[LineState, int]]] | None:
    """Everything that is not here yet, of the first part that lacks something."""
    if wish.raw.get("quantity") is not None:
        wish.wrong("line", "a quantity needs its line")
        return None
    for part in order.here():
        later = [(ln, ln.missing) for ln in part.lines if ln.missing]
        if later:
            return part, later
    wish.wrong("line", "everything is here: say which line is to ship later")
    return None
