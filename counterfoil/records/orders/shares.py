"""What was paid for a piece of a part: for a line, for some of its units, and the tax in an amount. Minor units.

Every function shares by largest remainder, so that giving back piece by piece ends at exactly what was paid.
"""

from __future__ import annotations

from collections.abc import Sequence

from counterfoil.core.money import split


def by_line(total: int, gross: Sequence[int], other: int, step: int) -> list[int]:
    """What of a part's total was paid for each line, whose price and tax is `gross`; the rest was for shipping.

    They differ by the agreed rounding or discount, which all of them share. `other` is what shipping costs with its
    tax. The shares are multiples of `step`, as cards are refunded, where the total is one.
    """
    return _in_steps(total, [*gross, other], step)[:-1]


def by_unit(paid: int, quantity: int, step: int) -> list[int]:
    """What was paid for each unit of a line, one after the other."""
    return _in_steps(paid, [1] * quantity, step)


def _in_steps(amount: int, weights: Sequence[int], step: int) -> list[int]:
    size = step if amount % step == 0 else 1
    return [share * size for share in split(amount // size, weights)]


def tax_of(amount: int, *, left: int, tax_left: int) -> int:
    """The tax in an amount that goes back, of what is `left` with its tax: pro rata, and all of it with the last.

    More than the amount, where a discount has made the total smaller than the tax on it.
    """
    return split(tax_left, [amount, left - amount])[0] if tax_left > 0 and left > 0 else 0


def fit_tax(tax: int, amount: int, *, left: int, tax_left: int) -> int:
    """The nearest to `tax` with which the rest can still be given back: no more tax than is left, nor less net."""
    if tax_left > left:
        return tax_of(amount, left=left, tax_left=tax_left)
    return max(0, amount - (left - tax_left), min(tax, amount, tax_left))
