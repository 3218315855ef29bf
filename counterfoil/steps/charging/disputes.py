"""Disputes: taken in from the processor in any order, with what they do to the money, the books and the order."""

from __future__ import annotations

from django.db.models import Sum

from counterfoil.core import clock, jobs
from counterfoil.core.actor import BOOKKEEPER, CLERK, SYSTEM, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import blocked
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import Disputed
from counterfoil.records.books.ledger import post
from counterfoil.records.orders.load import note, take
from counterfoil.records.orders.models import Charge, Order, Part, Refund
from counterfoil.records.orders.refunds import decide_refund, refundable
from counterfoil.records.orders.slip import say_date
from counterfoil.steps.charging.balance import keep
from counterfoil.steps.charging.models import BalanceEntry, Dispute
from counterfoil.steps.charging.queries import UNDECIDED, find_dispute, reason_in_words
from counterfoil.steps.charging.refund import BY_BANK, retry_refund
from counterfoil.steps.charging.settle import give_surplus_back

# A dispute only moves forward. What comes late and says less than we know changes nothing.
RANKS = {
    (True, Dispute.OPEN): 0,
    (True, Dispute.ANSWERED): 1,
    (False, Dispute.OPEN): 2,  # also an inquiry that became a chargeback: it must be answered anew
    (False, Dispute.ANSWERED): 3,
}
OVER = 4
EVIDENCE, ACCEPTANCE = "evidence", "acceptance"  # what we can answer
GONE = ("shipped", "delivered", "returned")
_MOVING = ("inquiry", "state", "amount", "due_by", "held", "submitted_at", "closed_at", "answer", "answer_key",
           "answer_text", "answered_by", "document", "asked_at")  # fmt: skip


def look_at_dispute(dispute_id: str) -> Dispute | None:
    """Fetch a dispute and bring ours in line. None when its charge is none of ours. Raises the gateway's errors."""
    return take_in(gateway().get_dispute(dispute_id))


def own_dispute(*, dispute: int, actor: Actor) -> None:
    """Somebody says: mine. Raises Refused `someone_else` when it is over, Forbidden, Missing."""
    require(actor, CLERK, BOOKKEEPER)
    with writing():
        if not Dispute.objects.filter(pk=dispute, state__in=UNDECIDED).update(owner=actor.name):
            find_dispute(dispute)
            raise blocked("someone_else", "the bank has decided this already")


def charge_of_dispute(found: Disputed) -> Charge | None:
    """Our charge that is disputed."""
    charges = Charge.objects.select_related("part__order").filter(state="succeeded")
    by_intent = charges.filter(intent_id=found.intent_id).first() if found.intent_id else None
    return by_intent or (charges.filter(charge_id=found.charge_id).first() if found.charge_id else None)


def take_in(found: Disputed) -> Dispute | None:
    """Bring our record in line with what the processor says: once for each step, in whatever order it comes.

    None when its charge is none of ours (yet).
    """
    charge = charge_of_dispute(found)
    if charge is None:
        return None
    with writing():
        taken = take(charge.part.order.number)
        keep(found.movements)
        row, made = Dispute.objects.get_or_create(
            dispute_id=found.id,
            defaults={
                "order": taken,
                "charge": charge,
                "inquiry": found.inquiry,
                "state": Dispute.OPEN,
                "reason": found.reason[:60],
                "amount": found.amount,
                "currency": found.currency,
                "opened_at": found.opened_at,
                "due_by": found.due_by,
                "held": 0 if found.inquiry else found.amount,
            },
        )
        if made:
            _note_opened(taken, row)
        _move_on(taken, row, found)
        if row.state == Dispute.LOST:
            write_off(taken, row)
    return row


def _rank(inquiry: bool, state: str) -> int:
    return RANKS.get((inquiry, state), OVER)


def _move_on(taken: Order, row: Dispute, found: Disputed) -> None:
    """Forward to where the processor stands; inside `writing()`, the order taken."""
    before, after = _rank(row.inquiry, row.state), _rank(found.inquiry, found.status)
    if after <= before:
        return
    if row.inquiry and not found.inquiry and found.status != Dispute.CLOSED:
        _escalate(taken, row, found)
    gave_in = row.answer == ACCEPTANCE and found.status in {Dispute.LOST, Dispute.CLOSED}
    if found.status == Dispute.ANSWERED or gave_in:
        note_answered(taken, row)
    if found.status == Dispute.ANSWERED:
        row.state = Dispute.ANSWERED
    elif found.status in {Dispute.WON, Dispute.LOST, Dispute.CLOSED}:
        row.state, row.closed_at = found.status, clock.business_now()
    row.save(update_fields=_MOVING)
    if row.state == Dispute.WON:
        _win(taken, row)
    elif row.state == Dispute.LOST:
        note(
            taken, "dispute_lost", actor=SYSTEM,
            text=f"Dispute lost: {show(row.amount, row.currency)} stays with the customer", data={"dispute": row.pk},
        )  # fmt: skip
    elif row.state == Dispute.CLOSED:
        note(
            taken, "dispute_closed", actor=SYSTEM, text="The bank asks no further: nothing was taken back",
            data={"dispute": row.pk},
        )  # fmt: skip


def _escalate(taken: Order, row: Dispute, found: Disputed) -> None:
    """The bank only asked, and has now taken the money: it is to be answered anew."""
    row.inquiry, row.state, row.amount, row.due_by = False, Dispute.OPEN, found.amount, found.due_by
    row.held, row.submitted_at = found.amount, None
    row.answer = row.answer_key = row.answer_text = row.answered_by = row.document = ""
    row.asked_at = None
    _note_opened(taken, row)


def _note_opened(taken: Order, row: Dispute) -> None:
    amount = show(row.amount, row.currency)
    what = f"The customer's bank asks about {amount}" if row.inquiry else f"The customer's bank took {amount} back"
    until = f"; answer by {say_date(shop().day_of(row.due_by))}" if row.due_by else ""
    note(
        taken, "dispute_opened", actor=SYSTEM, text=f"{what}: {reason_in_words(row.reason)}{until}",
        data={"dispute": row.pk, "object": row.dispute_id, "amount": row.amount, "inquiry": row.inquiry},
    )  # fmt: skip


def note_answered(taken: Order, row: Dispute) -> None:
    """The bank has our answer: once for each; inside `writing()`, the order taken."""
    if row.submitted_at is not None:
        return
    row.submitted_at = clock.business_now()
    row.save(update_fields=["submitted_at"])
    text = {EVIDENCE: f"Evidence sent to the bank ({row.document})", ACCEPTANCE: "The loss was accepted"}
    note(
        taken,
        "dispute_answered",
        actor=Actor("person", row.answered_by, CLERK) if row.answered_by else SYSTEM,
        text=text.get(row.answer, "The bank has an answer that was not given from here"),
        data={"dispute": row.pk, "answer": row.answer, "document": row.document},
    )


def _win(taken: Order, row: Dispute) -> None:
    """The bank gave the money back. What was owed to the customer meanwhile can be paid now."""
    row.held = 0
    row.save(update_fields=["held"])
    note(
        taken, "dispute_won", actor=SYSTEM, text=f"Dispute won: {show(row.amount, row.currency)} is ours again",
        data={"dispute": row.pk},
    )  # fmt: skip
    for refund in Refund.objects.filter(charge=row.charge, state="failed"):
        retry_refund(order=taken.number, refund_id=refund.pk, actor=SYSTEM)
    give_surplus_back(taken, Part.objects.get(pk=row.charge.part_id))


# --- lost -----------------------------------------------------------------------------------------------------------


def taken_back(row: Dispute) -> int:
    """What of the disputed money stands in the books as taken by the bank, minor units."""
    lines = BalanceEntry.objects.filter(source_id=row.dispute_id, kind__in=["dispute", "dispute_reversed"], booked=True)
    return -int(lines.aggregate(Sum("amount"))["amount__sum"] or 0)


def write_off(taken: Order, row: Dispute) -> None:
    """A lost dispute leaves the disputed money: as a refund for goods that we still have, as a loss for what has left.

    Inside `writing()`, the order taken; may be called again when more of the processor's lines have come.
    """
    gone = taken_back(row) - row.written_off
    if gone <= 0:
        return
    part = Part.objects.get(pk=row.charge.part_id)
    returned = _settle_owed(row, taken, part, gone)
    row.held = max(0, row.held - returned)
    if part.parcel not in GONE and part.books not in {"invoiced", "credited"}:
        returned += _settle_rest(row, taken, part, gone - returned)
    row.written_off += gone
    row.save(update_fields=["held", "written_off"])
    post(
        cause=f"dispute-lost:{row.dispute_id}:{row.written_off}",
        kind="dispute_lost",
        subject=taken.number,
        text=f"Dispute of {taken.number} lost",
        currency=row.currency,
        amounts={"dispute_losses": gone - returned, "refunds_payable": returned, "disputes": -gone},
    )


def _settle_owed(row: Dispute, taken: Order, part: Part, gone: int) -> int:
    """Refunds that were owed when the bank took the money: the customer has got them in this way. Their sum."""
    paid = sum(Refund.objects.filter(charge=row.charge, state="succeeded").values_list("amount", flat=True))
    owed = list(Refund.objects.filter(charge=row.charge).exclude(state="succeeded").order_by("id"))
    # Only if the bank took them too: what it took is all that had not been paid back there.
    room = gone - (row.charge.amount - paid - sum(r.amount for r in owed))
    settled = 0
    for refund in owed:
        if settled + refund.amount <= room:
            settled += _by_bank(taken, part, refund)
    return settled


def _settle_rest(row: Dispute, taken: Order, part: Part, amount: int) -> int:
    """Nothing has left the house: the customer has their money back, and we have the goods. What was so returned."""
    row.held -= min(amount, row.held)  # a refund accounts for it from here on
    row.save(update_fields=["held"])
    amount = min(amount, refundable(part))
    if amount <= 0:
        return 0
    made = decide_refund(
        order=taken, part=part, amount=amount, reason="The dispute was lost: the bank gave the money back",
        actor=SYSTEM, charge=row.charge,
    )  # fmt: skip
    return sum(_by_bank(taken, part, refund) for refund in made)


def _by_bank(taken: Order, part: Part, refund: Refund) -> int:
    """This refund was paid by the customer's bank. Its books are the caller's: the disputed money pays it."""
    Refund.objects.filter(pk=refund.pk).update(state="succeeded", refund_id=BY_BANK, failure="")
    jobs.settle("charging.refund", str(refund.pk))
    part.refresh_from_db(fields=["refund_owed", "refunded"])
    part.refund_owed -= refund.amount
    part.refunded += refund.amount
    part.save(update_fields=["refund_owed", "refunded"])
    note(
        taken, "refund_succeeded", actor=SYSTEM, part=part, data={"refund": refund.pk, "amount": refund.amount},
        text=f"{show(refund.amount, refund.currency)} went back through the customer's bank",
    )  # fmt: skip
    return refund.amount
