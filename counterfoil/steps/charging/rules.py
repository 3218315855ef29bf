"""The gate that the whole system exists for: no card is charged until the shop knows that it can deliver."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from counterfoil.core.errors import Blocker
from counterfoil.records.orders.facts import LineFacts, OrderFacts, PartFacts, in_words
from counterfoil.steps.charging.declines import free_at

IN_FLIGHT = frozenset({"charging", "unknown"})


def covered(line: LineFacts, facts: OrderFacts) -> bool:
    """Every unit is reserved (or already off the shelf for it), or due in time on a date the supplier confirmed."""
    if line.open_units <= 0:
        return True
    return (
        line.due >= line.open_units
        and line.due_confirmed >= line.open_units
        and line.due_date is not None
        and facts.today <= line.due_date <= facts.horizon
    )


def _in_flight(part: PartFacts) -> Blocker:
    whose = f" by {part.charged_by}" if part.charged_by else ""
    return Blocker(
        "charge_in_flight", f"a charge{whose} is on its way; we are asking the bank", by=part.charged_by or None
    )


def may_deliver_soon(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """The stock half of the gate, line by line."""
    if part.stock == "unchecked":
        return [Blocker("stock_unchecked", "the stock has not been checked")]
    found = []
    for line in part.lines:
        if covered(line, facts):
            continue
        if line.short > 0:
            found.append(
                Blocker("line_short", f"{line.short} of {line.quantity} {line.name} must be bought in", line=line.sku)
            )
        else:
            found.append(Blocker("due_too_late", _late(line, facts), line=line.sku))
    return found


def _late(line: LineFacts, facts: OrderFacts) -> str:
    if line.due_confirmed < line.open_units or line.due_date is None:
        return f"{line.due} {line.name} on order, and the supplier has not confirmed a date"
    if line.due_date < facts.today:
        return f"{line.due} {line.name} were due on {in_words(line.due_date)} and are overdue"
    until = in_words(facts.horizon)
    return f"{line.due} {line.name} due on {in_words(line.due_date)}; what is charged today must be here by {until}"


def may_charge(facts: OrderFacts, part: PartFacts, *, offline: bool = False) -> list[Blocker]:
    """Every reason why this part may not be charged now; empty means go. Every door asks this.

    `offline`: a person records money that they hold in their hands, so no card is wanted.
    """
    found: list[Blocker] = []
    if facts.cancelled or not part.live:
        return [Blocker("cancelled", "the order is cancelled")]
    if part.money == "voided":
        return [Blocker("cancelled", "nothing is owed for this part any more")]
    if part.money == "charged":
        by = part.charged_by or None
        return [Blocker("already_charged", f"already charged{f' by {by}' if by else ''}", by=by)]
    if part.money in IN_FLIGHT:
        return [_in_flight(part)]
    if facts.review != "approved":
        found.append(Blocker("not_approved", "nobody has approved the order"))
    found += [Blocker("on_hold", f"on hold: {h.reason}", by=h.by) for h in facts.holds]
    if facts.question_open or facts.answer_unapplied:
        found.append(Blocker("question_open", "the customer has not answered our question yet"))
    if part.money == "receivable":
        # Shipped to be paid at the door: what is left to do is to write the money down.
        return found if offline else [*found, Blocker("no_payment_method", "paid on delivery: record the payment")]
    if part.books == "none":
        found.append(Blocker("no_sales_order", "there is no sales order yet"))
    found += may_deliver_soon(facts, part)
    if not offline:
        found += _card(facts)
    return found


def may_pay(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """Every reason why the customer may not pay at a hosted page now: it takes money like a charge, from any card."""
    unpaid = part if part.money in {"charged", "voided", *IN_FLIGHT} else replace(part, money="saved")
    return may_charge(facts, unpaid, offline=True)


def page_must_close(facts: OrderFacts, part: PartFacts) -> bool:
    """A page at which the customer can pay stands open, and the gate has shut since (or the money is here)."""
    return part.page_open and bool(may_pay(facts, part))


def may_hold(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
    """Every reason why the bank may not be asked to hold this part's amount. Nothing is charged: no stock is asked."""
    if facts.cancelled or not part.live:
        return [Blocker("cancelled", "the order is cancelled")]
    if part.money in IN_FLIGHT:
        return [_in_flight(part)]
    if part.money not in {"unpaid", "saved", "declined"}:
        return [Blocker("already_charged", "the money is held or taken already")]
    if part.authorised:
        # Less than it costs by now, and the difference was refused: a second hold would not lessen that.
        return [Blocker("already_charged", "the bank holds money for this part already")]
    if not facts.finished:
        return [Blocker("no_payment_method", "the check-out is not completed")]
    return _card(facts)


def hold_is_missing(facts: OrderFacts, part: PartFacts) -> bool:
    """The shop has the bank hold the money beforehand, the goods are being handled, and the bank holds nothing."""
    handled = facts.charge_on != "confirmed" and part.stock == "confirmed"
    waits = part.money == "saved" and part.total > part.paid
    return facts.card_at_checkout == "authorise" and facts.finished and handled and waits


def wants_hold(facts: OrderFacts, part: PartFacts) -> bool:
    """Whether this shop has the bank hold the money before it is taken, and this part's is not held."""
    return (
        facts.card_at_checkout == "authorise"
        and part.money == "saved"
        and not part.decline_class  # after a decline the card has its own times
        and part.total > part.paid
        and part.parcel in {"waiting", "picking", "picked", "packed"}
        and not may_hold(facts, part)
    )


def hold_was_refused(facts: OrderFacts, part: PartFacts) -> bool:
    """What the bank said no to was to hold the amount: nobody has asked to charge it yet."""
    return facts.card_at_checkout == "authorise" and part.money in {"declined", "saved"} and not part.charged_by


def hold_is_idle(facts: OrderFacts, part: PartFacts) -> bool:
    """The bank still holds money for this part and nobody will take it."""
    idle = facts.cancelled or not part.live or part.let_go or part.money in {"charged", "voided", "receivable"}
    return part.authorised > 0 and idle and part.money not in IN_FLIGHT


def hold_is_over(facts: OrderFacts, part: PartFacts) -> bool:
    """The time that the processor named for what it holds has passed."""
    ends = part.authorisation_expires_at
    return bool(part.authorised and ends and facts.now and ends <= facts.now and part.money not in IN_FLIGHT)


def hold_ends_soon(facts: OrderFacts, part: PartFacts) -> bool:
    """It passes within the days that the shop wants to be warned, and nobody has been yet."""
    ends = part.authorisation_expires_at
    if not (part.authorised and ends and facts.now) or part.authorisation_warned or part.money != "authorised":
        return False
    return ends - timedelta(days=facts.warning_days) <= facts.now < ends


def _card(facts: OrderFacts) -> list[Blocker]:
    if facts.offline:
        return [Blocker("no_payment_method", "not paid by card: record the payment with its reference")]
    if facts.card_state == "refused":
        return [Blocker("no_payment_method", "the bank refused to save the card; ask for another")]
    if facts.card_state != "saved":
        return [Blocker("no_payment_method", "no card is saved")]
    if not facts.card_consent:
        return [Blocker("no_consent", "the customer has not agreed to a later charge")]
    return _declined(facts)


def _declined(facts: OrderFacts) -> list[Blocker]:
    """What the last decline of the saved card forbids, whoever asks: another card lifts it."""
    if any(p.decline_class == "never" for p in facts.parts):
        return [Blocker("no_payment_method", "this card must not be tried again; ask for another")]
    if facts.now is None:
        return []
    free = free_at(facts.card_declines, facts.retry_limits, facts.now)
    if free > facts.now:
        words = f"declined as often as its network allows until {free:%Y-%m-%d %H:%M} UTC; ask for another card"
        return [Blocker("no_payment_method", words)]
    return []


def most_telling(gates: list[list[Blocker]]) -> list[Blocker]:
    """Of several shut gates the one that somebody can still open: not one that is shut because it is done."""
    undone = [g for g in gates if all(b.code not in {"already_charged", "cancelled"} for b in g)]
    return (undone or gates)[0]


def wants_charge(facts: OrderFacts, part: PartFacts) -> bool:
    """Whether money is still to be taken before this part may be picked."""
    return facts.payment_method != "on_delivery" and part.money != "charged"
