"""What is here, what is coming, and for whom: when stock may be checked, what a part's stock is, who gets what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from counterfoil.core.errors import Blocker
from counterfoil.records.orders.facts import OrderFacts, PartFacts

# A part in one of these still takes units from the shelf; later its goods have been fetched.
TAKES_STOCK = frozenset({"waiting", "picking"})
_LAST_DAY = date.max
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Supply:
    """Units of one product to give out: `id` a purchase line (0: the shelf), `expected` its confirmed date."""

    id: int
    quantity: int
    expected: date | None = None


@dataclass(frozen=True)
class Want:
    """Units of one product that an order line has no cover for; `promise` and `placed_at` say whose turn it is."""

    id: int
    quantity: int
    promise: date | None = None
    placed_at: datetime | None = None


@dataclass(frozen=True)
class Given:
    """`quantity` (> 0) units of supply `supply` go to want `want`."""

    supply: int
    want: int
    quantity: int


def may_check_stock(facts: OrderFacts) -> list[Blocker]:
    """Stock is checked for an approved, living order that stands in the books and is not held."""
    found: list[Blocker] = []
    if facts.cancelled:
        return [Blocker("cancelled", "the order is cancelled")]
    if facts.review != "approved":
        found.append(Blocker("not_approved", "nobody has approved the order yet"))
    if any(part.live and part.books == "none" for part in facts.parts):
        found.append(Blocker("no_sales_order", "the order has not been entered as a sales order yet"))
    found += [Blocker("on_hold", f"on hold: {hold.reason}", by=hold.by) for hold in facts.holds]
    return found


def may_change(number: str, state: str, *, sent_by: str = "") -> list[Blocker]:
    """Lines, costs and dates of a draft may be changed, and only of a draft: what has been sent stands."""
    if state == "draft":
        return []
    if state == "discarded":
        return [Blocker("cancelled", f"{number} was discarded")]
    return [Blocker("someone_else", f"{number} has been sent{f' by {sent_by}' if sent_by else ''}", by=sent_by or None)]


def may_confirm(number: str, state: str) -> list[Blocker]:
    """A date can be confirmed while something is still to come; a later word replaces the earlier one."""
    return _still_open(number, state, "there is no date left to confirm")


def may_receive(number: str, state: str) -> list[Blocker]:
    """Goods can be received while something of the purchase order is outstanding."""
    return _still_open(number, state, "enter further units as a stock adjustment, or order them first")


def may_close(number: str, state: str) -> list[Blocker]:
    """What will never come can be struck off while it is outstanding."""
    return _still_open(number, state, "nothing is outstanding")


def _still_open(number: str, state: str, hint: str) -> list[Blocker]:
    if state == "received":
        return [Blocker("delivered", f"{number} has been received in full: {hint}")]
    if state == "closed":
        return [Blocker("cancelled", f"{number} is closed: {hint}")]
    if state == "discarded":
        return [Blocker("cancelled", f"{number} was discarded before it was sent")]
    if state == "draft":
        return [Blocker("not_approved", f"{number} is a draft: send it to the supplier first")]
    return []


def to_reorder(*, position: int, point: int, up_to: int) -> int:
    """How many units to buy for the shelf: at the reorder point or under it, up to `up_to` (at least the point).

    `position` is what will be left when every order that waits has been served from what is here, on order, or about
    to be ordered for it. A point of 0 means: bought only for orders.
    """
    if point <= 0 or position > point:
        return 0
    return max(0, max(up_to, point) - position)


def in_shop_currency(amount: int, *, rate_ppm: int | None, places: int, shop_places: int) -> int:
    """What an amount of a purchase order counts as in the books, rounded half up; both in minor units.

    `rate_ppm` is what one unit of the order's currency costs in the shop's, in millionths, as the buyer entered it
    (None: it is the shop's own); `places` and `shop_places` are the decimals of both.
    """
    if rate_ppm is None:
        return amount
    top, bottom = amount * rate_ppm * 10**shop_places, 1_000_000 * 10**places
    return int((2 * top + bottom) // (2 * bottom))


def takes_stock(part: PartFacts) -> bool:
    """Whether the part still waits for units from the shelf: not while its goods are let go for want of payment."""
    return part.live and part.parcel in TAKES_STOCK and not part.let_go


def derive_stock(part: PartFacts) -> str:
    """confirmed: every unit is reserved (or already fetched); awaiting: what is not is on order; else short."""
    if all(line.open_units <= 0 for line in part.lines):
        return "confirmed"
    if all(line.short <= 0 for line in part.lines):
        return "awaiting"
    return "short"


# The event of the stock axis that leads to each of the states above.
EVENTS = {"confirmed": "confirm", "awaiting": "await_goods", "short": "fall_short"}


def turn(want: Want) -> tuple[date, datetime, int]:
    """Whose turn it is: oldest promise first, then who ordered first. No promise yet comes last."""
    return (want.promise or _LAST_DAY, want.placed_at or _LAST_MOMENT, want.id)


def certainty(supply: Supply) -> tuple[bool, date, int]:
    """Which units to give out first: what a supplier has confirmed, earliest date first."""
    return (supply.expected is None, supply.expected or _LAST_DAY, supply.id)


def assign(units: Iterable[Supply], wants: Iterable[Want]) -> list[Given]:
    """Give out units of one product: the surest supply first, to the oldest promise first.

    Never gives more than there is of a supply nor more than is wanted, and stops only when one of both is used up.
    """
    out: list[Given] = []
    left = [[supply.id, supply.quantity] for supply in sorted(units, key=certainty) if supply.quantity > 0]
    at = 0
    for want in sorted(wants, key=turn):
        open_units = want.quantity
        while open_units > 0 and at < len(left):
            taken = min(open_units, left[at][1])
            out.append(Given(left[at][0], want.id, taken))
            open_units -= taken
            left[at][1] -= taken
            if not left[at][1]:
                at += 1
    return out


def cut(wants: Sequence[Want], units: int) -> list[Want]:
    """The wants, oldest first, that `units` units can reach at all."""
    out: list[Want] = []
    for want in sorted(wants, key=turn):
        if units <= 0:
            break
        out.append(want)
        units -= want.quantity
    return out


def unseen(*, believed: int, seen: int) -> int:
    """How many units the ledger believes in for a line that the picker did not find on the shelf."""
    return max(0, believed - seen)
