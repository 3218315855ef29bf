"""What a change costs: the same arithmetic for the offer that the customer reads and for the amendment that follows.

All amounts are minor units of the order's currency; rates are in millionths.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from counterfoil.core.money import PPM, split, tax_on, to_step


@dataclass(frozen=True)
class LineMoney:
    """Units at a price, with the tax on them."""

    quantity: int
    unit_price: int
    tax_ppm: int = 0
    tax: int = 0

    @property
    def net(self) -> int:
        return self.quantity * self.unit_price

    @property
    def by_rate(self) -> bool:
        """Whether the tax is net x rate; a tax that the channel worked out need not be."""
        return self.tax == tax_on(self.net, self.tax_ppm)


@dataclass(frozen=True)
class Sums:
    """total = subtotal + shipping + tax + rounding; `step` is what cards are charged in (`core/money.py`)."""

    subtotal: int
    shipping: int
    tax: int
    rounding: int = 0
    step: int = 1

    @property
    def total(self) -> int:
        return self.subtotal + self.shipping + self.tax + self.rounding

    def plus(self, other: Sums) -> Sums:
        return Sums(
            self.subtotal + other.subtotal,
            self.shipping + other.shipping,
            self.tax + other.tax,
            self.rounding + other.rounding,
            max(self.step, other.step),
        )

    def chargeable(self) -> Sums:
        """The same with a total that a card can be charged."""
        return replace(self, rounding=self.rounding + to_step(self.total, self.step) - self.total)


def priced(quantity: int, unit_price: int, tax_ppm: int) -> LineMoney:
    """New units at a price, taxed by rate."""
    return LineMoney(quantity, unit_price, tax_ppm, tax_on(quantity * unit_price, tax_ppm))


def keep(line: LineMoney, quantity: int) -> LineMoney:
    """The line with fewer units: taxed anew by its rate, or with its share of a tax that the channel gave."""
    if line.by_rate:
        return priced(quantity, line.unit_price, line.tax_ppm)
    share = split(line.tax, [quantity, line.quantity - quantity])[0] if line.quantity else 0
    return replace(line, quantity=quantity, tax=share)


def divide(line: LineMoney, moved: int) -> tuple[LineMoney, LineMoney]:
    """What stays and what moves to another part; their taxes add up to the old one, to the cent."""
    stays = keep(line, line.quantity - moved)
    return stays, replace(line, quantity=moved, tax=line.tax - stays.tax)


def rate_for_substitute(old: LineMoney, *, old_class: int, new_class: int) -> int:
    """The rate for what replaces a line: the shop's own, unless the channel taxed the order by other rules."""
    paid = old.tax_ppm if old.by_rate else (old.tax * PPM + old.net // 2) // old.net if old.net else old.tax_ppm
    return new_class if paid == old_class else paid


def resum(before: Sums, old: Iterable[LineMoney], new: Iterable[LineMoney], *, shipping: int | None = None) -> Sums:
    """A part's sums with other lines and, if given, another price of shipping.

    Tax that is on no line is tax on shipping and changes with it. The agreed rounding stays, but never makes a total
    negative, or one that no card can be charged.
    """
    lines = list(new)
    on_shipping = before.tax - sum(line.tax for line in old)
    price = before.shipping if shipping is None else shipping
    if price != before.shipping and before.shipping:
        on_shipping = _share(on_shipping, price, before.shipping)
    subtotal = sum(line.net for line in lines)
    tax = sum(line.tax for line in lines) + on_shipping
    rounding = max(before.rounding, -(subtotal + price + tax))
    return Sums(subtotal, price, tax, rounding, before.step).chargeable()


def _share(amount: int, price: int, old_price: int) -> int:
    return (amount * price * 2 + old_price) // (2 * old_price)


def hand_over(emptied: Sums, receiver: Sums | None, *, charged: bool) -> tuple[Sums, Sums | None]:
    """A part has lost its last line: its shipping and rounding go to a part that is still to be paid.

    With no such part they stay where they were paid, and are waived where they were not.
    """
    rest = replace(emptied, subtotal=0)
    if receiver is not None:
        return Sums(0, 0, 0), receiver.plus(rest)
    return (rest if charged else Sums(0, 0, 0)), None
