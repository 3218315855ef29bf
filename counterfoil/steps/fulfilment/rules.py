"""When goods may leave the shelf, go into a box, leave the house, arrive and come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from counterfoil.core.errors import Blocker
from counterfoil.records.orders.facts import LineFacts, OrderFacts, PartFacts, in_words

Gate = Callable[[OrderFacts, PartFacts], list[Blocker]]
GONE = frozenset({"shipped", "delivered", "returned"})
_TAKEN_BACK = {
    "open": "the customer's bank has taken the money back (a dispute): nothing ships until it is ours again",
    "lost": "the customer's bank has given the money back to them (a dispute that was lost): cancel the order",
}


def may_pick(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """Approved, entered in the books, nothing in the way, every unit reserved from the shelf, and the money taken."""
    past = _picked_already(part)
    if past is not None:
        return [*_standing(facts, part), past]
    found = _standing(facts, part)
    if facts.review != "approved":
        found.append(Blocker("not_approved", "nobody has approved the order yet"))
    if part.books == "none":
        found.append(Blocker("no_sales_order", "the order has not been entered in the books"))
    return found + _stock(part) + secured(facts, part)


def may_pack(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """Every unit is off the shelf and not everything is in a box yet."""
    past = _gone(part)
    if past is None and part.parcel == "packed":
        past = _someone("already packed", part.packed_by)
    if past is not None:
        return [*_standing(facts, part), past]
    return _standing(facts, part) + _unpicked(part) + secured(facts, part)


def may_break(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """Units are off the shelf and in no box. Neither a hold nor the money stops it: what broke has broken."""
    if facts.cancelled:
        return [Blocker("cancelled", "the order is cancelled: what was picked is on the shelf again")]
    if any(line.picked > line.packed for line in part.lines):
        return []
    past = _gone(part)
    if past is None and part.parcel == "packed":
        past = _someone("already packed", part.packed_by)
    return [past] if past is not None else [Blocker("not_picked", "nothing of it is picked and in no box yet")]


def may_open(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """Units are in a box that is in the house. Like on the table, neither a hold nor the money stops it."""
    if facts.cancelled:
        return [Blocker("cancelled", "the order is cancelled: what was packed is on the shelf again")]
    past = _gone(part)
    if past is not None:
        return [past]
    if any(line.shipped for line in part.lines):
        return [Blocker("already_shipped", "another box of it has left: ship this one without what broke, and refund "
                        "that or enter it as come back damaged")]  # fmt: skip
    return [] if any(line.packed for line in part.lines) else [Blocker("not_packed", "nothing of it is in a box")]


def may_ship(facts: OrderFacts, part: PartFacts, *, shipped_by: str = "", charges_first: bool = False) -> list[Blocker]:
    """Everything is in boxes, nothing is in the way, and the money is alive at this moment.

    `charges_first`: asked before the shipment has charged, where the shop's setting lets it do so.
    """
    past = _gone(part)
    if past is not None:
        return [Blocker(past.code, past.message, by=shipped_by or None), *_standing(facts, part)]
    found = _standing(facts, part)
    if part.parcel != "packed":
        unpicked = _unpicked(part)
        found += unpicked or [Blocker("not_packed", "not everything is packed yet")]
    by_shipment = charges_first and facts.charge_on == "shipped"
    return found + (secured(facts, part) if by_shipment else money_blockers(facts, part))


def may_deliver(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """Something of it is on its way. Neither a hold nor a question stops a parcel that has left."""
    if part.parcel == "delivered":
        return [Blocker("delivered", "already delivered")]
    if part.parcel == "returned":
        return [Blocker("already_shipped", "it was shipped and came back")]
    if not any(line.shipped for line in part.lines):
        return [Blocker("cancelled", "the order is cancelled")] if facts.cancelled else [_not_shipped(part)]
    return []


def may_return(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """Units are with the customer or on their way there."""
    if any(line.shipped > line.returned for line in part.lines):
        return []
    if part.parcel == "returned":
        return [Blocker("someone_else", "everything that was shipped has come back already")]
    return [Blocker("cancelled", "the order is cancelled")] if facts.cancelled else [_not_shipped(part)]


def secured(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """Whether goods may be handled for this part: charged, or in a shop that charges later certain to be chargeable.

    That is a card saved with consent or, where the bank holds the money beforehand, a hold that is alive.
    """
    later = facts.charge_on in {"packed", "shipped"} and facts.payment_method == "card"
    if not later or part.money in {"charged", "charging", "unknown", "declined", "voided", "unpaid"}:
        return money_blockers(facts, part)
    if part.money == "authorised":
        ends = part.authorisation_expires_at
        if ends is None or facts.now is None or ends > facts.now:
            return []
        return [Blocker("authorisation_expired", "the bank no longer holds the money: authorise it again, or "
                        "send a link to pay")]  # fmt: skip
    if facts.card_at_checkout == "authorise":
        return [Blocker("authorisation_expired", "the bank holds no money for this: authorise it, or send a link to "
                        "pay")]  # fmt: skip
    if facts.card_state == "saved" and facts.card_consent:
        return []
    return [Blocker("no_payment_method", "no card is saved that may be charged later")]


def money_blockers(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """Nothing ships on dead money: this part was charged in full, the money is still here, and nothing is in flight.

    A refund of a part of it is the shop's own gift and stops nothing; money that went back whole is dead. Paid on
    delivery is the one exception, until money was taken after all: then it must be alive like any other.
    """
    if part.money in {"charging", "unknown"}:
        return [Blocker("charge_in_flight", "a charge is under way and the bank has not answered yet")]
    if facts.payment_method == "on_delivery" and part.money in {"unpaid", "receivable"}:
        return []
    dispute = facts.charged_back(part)
    if dispute is not None:
        return [Blocker("not_charged", _TAKEN_BACK["lost" if dispute.state == "lost" else "open"])]
    left = part.charged - part.refunded - part.refund_owed
    if part.money == "charged" and part.paid >= part.total and (left > 0 or part.total == 0):
        return []
    if part.charged and left <= 0:
        why = "all of the money has been refunded or is owed back"
    elif part.charged:
        why = "less was charged than this part costs now"
    else:
        why = "the money has not been taken"
    return [Blocker("not_charged", why)]


def choose(
    facts: OrderFacts, gate: Gate, before: Sequence[str], *, wanted: int | None = None, skus: Sequence[str] = ()
) -> tuple[list[PartFacts], list[Blocker]]:
    """The parts whose gate is open; else why none is.

    With `wanted` only that part is asked, with `skus` only parts that have one of them. When all are shut, the reasons
    told are those of the parts that still wait for the act (their parcel is one of `before`), so that a part shipped
    last week does not hide what stops today's.
    """
    asked = [p for p in facts.parts if wanted is None or p.number == wanted]
    asked = [p for p in asked if any(ln.sku in skus and ln.quantity for ln in p.lines)] or asked
    answers = [(p, gate(facts, p)) for p in asked]
    opened = [p for p, found in answers if not found]
    if opened:
        return opened, []
    live = [(p, found) for p, found in answers if p.live] or answers
    told = [found for p, found in live if p.parcel in before] or [found for _, found in live]
    once: dict[Blocker, None] = {b: None for found in told for b in found}
    return [], list(once)


def _standing(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """What stands in the way of anything that touches goods in the house."""
    if facts.cancelled:
        return [Blocker("cancelled", "the order is cancelled")]
    found: list[Blocker] = []
    if not facts.finished:
        found.append(Blocker("not_approved", "the customer has not finished the check-out"))
    if not part.live:
        found.append(Blocker("cancelled", "nothing of this part is wanted any more"))
    found += [Blocker("on_hold", f"on hold: {h.reason}", by=h.by) for h in facts.holds]
    if facts.question_open:
        found.append(Blocker("question_open", "the customer has not answered our question yet"))
    elif facts.answer_unapplied:
        found.append(Blocker("question_open", "the customer has said yes, and the order is just being changed"))
    return found


def _gone(part: PartFacts) -> Blocker | None:
    if part.parcel == "delivered":
        return Blocker("delivered", "already delivered")
    if part.parcel in GONE:
        return Blocker("already_shipped", "already shipped" if part.parcel == "shipped" else "shipped and come back")
    return None


def _picked_already(part: PartFacts) -> Blocker | None:
    if part.parcel in {"picked", "packed"}:
        return _someone("already picked", part.picked_by)
    return _gone(part)


def _someone(done: str, who: str) -> Blocker:
    return Blocker("someone_else", f"{done} by {who}" if who else done, by=who or None)


def _not_shipped(part: PartFacts) -> Blocker:
    if part.parcel in {"waiting", "picking"}:
        return Blocker("not_picked", "not picked yet, let alone shipped")
    return Blocker("not_packed", "not packed yet" if part.parcel == "picked" else "packed, and not shipped yet")


def _stock(part: PartFacts) -> list[Blocker]:
    short = [_missing(line) for line in part.lines if line.open_units > 0]
    if not short and part.stock != "confirmed":
        short.append(Blocker("stock_unchecked", "the shelf has not been checked for this order as it now stands"))
    return short


def _missing(line: LineFacts) -> Blocker:
    if line.due >= line.open_units:
        when = f"due {in_words(line.due_date)}" if line.due_date else "on order"
        return Blocker("line_short", f"{line.open_units} of {line.sku} {when}, not here yet", line=line.sku)
    return Blocker("line_short", f"{line.open_units} of {line.sku} not on the shelf", line=line.sku)


def _unpicked(part: PartFacts) -> list[Blocker]:
    if part.parcel not in {"waiting", "picking"}:
        return []
    left = [line for line in part.lines if line.quantity > line.picked + line.shipped]
    return [
        Blocker("not_picked", f"{ln.quantity - ln.picked - ln.shipped} of {ln.sku} not picked yet", line=ln.sku)
        for ln in left
    ] or [Blocker("not_picked", "not picked yet")]
