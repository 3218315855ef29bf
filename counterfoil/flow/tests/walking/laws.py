"""What must hold of every step and in every state, said a second time and without asking any gate."""

from __future__ import annotations

from counterfoil.desk.words import ACTS_IN_WORDS
from counterfoil.flow.map import QUEUES, Derived, derive, due_by_itself, jobs_due
from counterfoil.flow.tests.walking.gates import GATES, shut
from counterfoil.flow.tests.walking.world import SOON, TODAY, World
from counterfoil.records.orders.facts import LineFacts, OrderFacts, PartFacts

CONTRACT_QUEUES = frozenset({
    "review", "sales_order", "stock", "goods", "charge", "charged_waiting", "pick", "pack", "ship", "transit", "done",
    "payment_problem", "question", "call", "promise", "cannot_ship", "bank_differs", "unfinished", "cancelled",
})  # fmt: skip
STATUSES = frozenset({
    "unfinished", "pending", "processing", "waiting_for_customer", "shipped", "delivered", "returned", "cancelled",
})  # fmt: skip
WAITING = frozenset({"wait_for_goods", "wait_for_answer", "call", ""})  # what a person can only wait for
GONE = frozenset({"shipped", "delivered", "returned"})
TAKES_OR_MOVES = ("charge", "record", "hold", "pick", "pack", "ship", "approve", "enter", "check_stock", "propose")
GATE_OF = {
    "review": "approve", "make_sales_order": "enter", "check_stock": "check_stock", "charge": "charge",
    "record_payment": "record", "pick": "pick", "pack": "pack", "ship": "ship", "deliver": "deliver",
}  # fmt: skip


class Broken(AssertionError):
    """A law was broken."""


def must(holds: object, law: str) -> None:
    """Raises Broken, naming the law, unless it holds."""
    if not holds:
        raise Broken(law)


# --- of each step ---------------------------------------------------------------------------------------------------


def here_or_coming(line: LineFacts) -> bool:
    """Every unit is here for it, or fetched already, or confirmed for a day that the charge need not wait for."""
    missing = line.quantity - line.reserved - line.picked - line.shipped
    soon = line.due_date is not None and TODAY <= line.due_date <= SOON
    return missing <= 0 or (soon and line.due_confirmed >= missing)


def _nothing_in_the_way(order: OrderFacts, what: str) -> None:
    must(not order.cancelled, f"{what} no cancelled order")
    must(not order.holds, f"{what} no order that is stopped")
    must(not order.question_open and not order.answer_unapplied, f"{what} no order while the customer is asked")


def may_be_charged(order: OrderFacts, part: PartFacts, *, page: bool = False) -> None:
    """Money is taken only at such a moment. At a page the customer gives the card, and with it their consent."""
    _goods_are_sure(order, part)
    if not page:
        must(order.payment_method == "card", "no card is charged for an order paid otherwise")
        must(order.card_state == "saved" and order.card_consent, "no card is charged without consent")


def may_be_recorded(order: OrderFacts, part: PartFacts) -> None:
    """Money in somebody's hand: for goods that are sure, or that left to be paid at the door."""
    must(order.payment_method != "card", "no card's money is written down by hand")
    must(part.parcel != "returned" or part.money == "receivable", "nothing is paid for what has come back")
    if part.money == "receivable":
        _nothing_in_the_way(order, "no money is recorded for")
        return
    _goods_are_sure(order, part)


def _goods_are_sure(order: OrderFacts, part: PartFacts) -> None:
    _nothing_in_the_way(order, "no money is taken for")
    must(order.finished and order.review == "approved", "no money is taken before a person has read the order")
    must(part.books == "sales_order", "no money is taken for what is not in the books, or is billed already")
    must(part.stock != "unchecked", "no money is taken before the stock was checked")
    must(part.parcel not in GONE, "no money is taken for what has left unpaid")
    must(part.live and all(here_or_coming(ln) for ln in part.lines), "no money is taken before every line is sure")


def may_be_held(order: OrderFacts, part: PartFacts) -> None:
    must(not order.cancelled and order.finished and part.live, "the bank holds nothing for an order that is none")
    must(order.card_state == "saved" and order.card_consent, "the bank holds nothing without consent")
    must(not part.authorised, "the bank is asked to hold an amount once")
    must(part.money not in {"charged", "voided", "receivable"}, "the bank holds nothing for what is settled")


def may_be_approved(order: OrderFacts) -> None:
    _nothing_in_the_way(order, "approved is")
    must(order.finished, "a check-out that is not completed is no order")


def may_be_entered(order: OrderFacts) -> None:
    _nothing_in_the_way(order, "entered in the books is")
    must(order.review == "approved", "nothing is entered in the books before a person has read it")


def may_be_checked(order: OrderFacts) -> None:
    must(not order.cancelled and not order.holds, "no stock is promised to an order that is over or stopped")
    must(order.review == "approved", "no stock is checked before a person has read the order")
    must(all(p.books != "none" for p in order.parts if p.live), "no stock is checked before all is in the books")


def may_be_cancelled(order: OrderFacts) -> None:
    must(not any(ln.shipped for p in order.parts for ln in p.lines), "what has left is not cancelled")


def of_step(before: World, after: World) -> None:
    """What every step keeps to, whatever it was."""
    was, now = before.order, after.order
    must(not was.cancelled or now.cancelled, "cancelled stays cancelled")
    if len(now.holds) > len(was.holds):
        gone = all(part.parcel in GONE for part in was.parts)
        must(not was.cancelled and not gone, "nobody stops what is over or has left")
    for old, new in zip(was.parts, now.parts, strict=False):
        _of_units(was, old, new)
        if old.money == "voided":
            must(new.money == "voided", "voided stays voided")
        if old.books == "sales_order" and new.books == "invoiced":
            must(old.parcel in GONE, "invoiced is what has left")
        if old.parcel in GONE:
            must(new.parcel in GONE, "what has left has left")
        if old.parcel == "returned":
            must(new.parcel == "returned", "what has come back stays")


def _of_units(order: OrderFacts, old: PartFacts, new: PartFacts) -> None:
    def count(part: PartFacts, *names: str) -> int:
        return sum(getattr(line, name) for line in part.lines for name in names)

    if count(new, "picked", "shipped") > count(old, "picked", "shipped"):
        _nothing_in_the_way(order, "picked is")
        must(order.review == "approved" and old.books == "sales_order", "nothing is picked that is not in the books")
        must(old.stock == "confirmed", "nothing is picked that nobody has checked")
        must(all(ln.reserved + ln.picked + ln.shipped >= ln.quantity for ln in old.lines), "picked is what is here")
        must(_secured(order, old), "nothing is picked of which nobody knows that it will be paid")
    if count(new, "packed", "shipped") > count(old, "packed", "shipped"):
        _nothing_in_the_way(order, "packed is")
        must(old.parcel == "picked", "packed is what was picked whole")
        must(_secured(order, old), "nothing is packed of which nobody knows that it will be paid")
    if count(new, "shipped") > count(old, "shipped"):
        _nothing_in_the_way(order, "shipped is")
        must(old.parcel == "packed", "shipped is what was packed whole")
        must(_paid(order, old), "nothing is shipped before the charge")


def _paid(order: OrderFacts, part: PartFacts) -> bool:
    """In full, and not all of it given back; or to be paid at the door."""
    at_the_door = order.payment_method == "on_delivery" and part.money in {"unpaid", "receivable"}
    kept = part.charged - part.refunded - part.refund_owed > 0 or part.total == 0
    return at_the_door or (part.money == "charged" and part.paid >= part.total and kept)


def _secured(order: OrderFacts, part: PartFacts) -> bool:
    if _paid(order, part):
        return True
    if order.charge_on == "confirmed" or order.payment_method != "card" or part.money not in {"saved", "authorised"}:
        return False
    assert order.now is not None
    held = part.money == "authorised" and part.authorised > 0
    alive = part.authorisation_expires_at is None or part.authorisation_expires_at > order.now
    by_card = order.card_at_checkout == "save" and order.card_state == "saved" and order.card_consent
    return (held and alive) if part.money == "authorised" else by_card


def may_be_amended(order: OrderFacts) -> None:
    """Nothing is changed behind the back of the bank or of a customer who is being asked."""
    must(not order.cancelled and order.finished, "only a living order is amended")
    must(not order.question_open and not order.answer_unapplied, "nobody amends what the customer is asked about")
    must(
        not any(p.money in {"charging", "unknown"} for p in order.parts if p.live), "no amendment while a charge is out"
    )


def may_be_merged(order: OrderFacts) -> None:
    may_be_amended(order)
    for part in order.parts:
        must(part.live and not part.charged, "no part that is paid or over is merged")
        must(part.money in {"unpaid", "saved", "authorised"}, f"a part that is {part.money} is not merged")
        must(not part.page_open, "nobody merges what the customer may be paying at a page")
        must(not any(line.shipped for line in part.lines), "what has left stays a part")


# --- of each state --------------------------------------------------------------------------------------------------


def of_state(world: World) -> Derived:
    """What every state keeps to; gives where the order stands."""
    order = world.order
    found = derive(order)
    must(found == derive(order), "the same facts give the same answer")
    must(found.queue in CONTRACT_QUEUES and found.queue in QUEUES, f"{found.queue} is a queue of the contract")
    must(found.status in STATUSES, f"{found.status} is a status of the contract")
    must(found.next_action in WAITING or found.next_action in ACTS_IN_WORDS, f"the desk knows {found.next_action}")
    if order.cancelled:
        must(found.status == "cancelled", "a cancelled order says so")
        _absorbs(order, TAKES_OR_MOVES)
    for part in order.parts:
        _of_part(world, part)
    _told(order, found)
    _done_by_itself(order)
    assert order.now is not None
    again = found.next_check_at
    must(again is None or again > order.now or due_by_itself(order), "nothing is to be looked at again in the past")
    return found


def _absorbs(order: OrderFacts, names: tuple[str, ...], part: PartFacts | None = None) -> None:
    for one in [part] if part else order.parts:
        for name in names:
            must(shut(name, order, one), f"what is over stays over: the gate of {name} is open")


def _of_part(world: World, part: PartFacts) -> None:
    order = world.order
    for ln in part.lines:
        units = (ln.reserved, ln.due, ln.picked, ln.packed, ln.shipped, ln.returned)
        must(min(units) >= 0 and ln.packed <= ln.picked and ln.returned <= ln.shipped, f"{ln.sku}: {units} are units")
        must(order.cancelled or ln.open_units >= 0, f"{ln.sku} holds no more than is wanted")
        must(not order.cancelled or not (ln.reserved or ln.picked), "a cancelled order holds no goods")
    if part.parcel in {"delivered", "returned"}:
        _absorbs(order, ("hold", "pick", "pack", "ship", "charge"), part)
        if part.money != "receivable":
            _absorbs(order, ("record",), part)
    if part.money == "voided":
        _absorbs(order, ("charge", "record", "hold", "pick", "pack", "ship"), part)
    must(part.refunded + part.refund_owed <= part.charged, "no more goes back than was taken")
    kept = part.charged - part.refunded - part.refund_owed
    must(kept <= part.total or part.money in {"charging", "unknown"}, "no more is kept than it costs")
    must(not order.cancelled or part.money in {"charging", "unknown"} or not kept, "a cancelled order keeps nothing")
    must((part.money in {"charging", "unknown"}) == (world.flights[part.number - 1] in {"intended", "sent"}),
         "a charge is in flight where the money says so, and nowhere else")  # fmt: skip
    must(part.money != "authorised" or part.authorised, "authorised is what the bank holds")
    must(part.money not in {"unpaid", "saved"} or not part.authorised, "where the bank holds it, the money says so")
    must(part.page_open == (world.pages[part.number - 1] > 0), "a page that is open is a fact")
    idle = order.cancelled or not part.live or part.money in {"charged", "voided", "receivable"}
    if part.authorised and idle and part.money not in {"charging", "unknown"}:
        must("charging.release" in jobs_due(order), "what nobody will take is let go")
    if part.parcel in GONE:
        must(order.payment_method == "on_delivery" or part.paid >= part.total, "what left was charged in full")


def _told(order: OrderFacts, found: Derived) -> None:
    """The gate of the next action is open, or the order says why not."""
    name = GATE_OF.get(found.next_action)
    if name is None or found.blockers:
        return
    gates = [GATES[name](order, part) for part in order.parts if part.live]
    if found.next_action == "ship" and not all(gates):
        return
    ready = any(not blockers for blockers in gates)
    if found.next_action == "ship" and order.charge_on == "shipped":
        ready = ready or any(not shut("charge", order, part) for part in order.parts)
    reasons = sorted({b.code for blockers in gates for b in blockers})
    must(ready, f"{found.next_action} is offered, its gate is shut ({reasons}), and nobody is told why")


def _done_by_itself(order: OrderFacts) -> None:
    """What the process does without a person, it may do."""
    gate = {"make_sales_order": "enter", "check_stock": "check_stock"}.get(due_by_itself(order) or "")
    if gate is not None:
        must(not shut(gate, order), f"{due_by_itself(order)} is due by itself, and its gate is shut")
