"""What a person does about a difference: one click each, and everything by the ordinary ways."""

from __future__ import annotations

from counterfoil.core import clock
from counterfoil.core.actor import BOOKKEEPER, CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing, StillAsking, blocked
from counterfoil.core.text import clean
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import NotDone, OutcomeUnknown, Returned, Wrong
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Charge, Part, Refund
from counterfoil.records.orders.refunds import decide_refund
from counterfoil.steps.charging import settlement, slips
from counterfoil.steps.charging.balance import book, settle_payout
from counterfoil.steps.charging.capture import book_capture
from counterfoil.steps.charging.correcting import book_as_the_bank, taken_there
from counterfoil.steps.charging.differences import close_difference, close_inside, open_difference, remedies_of
from counterfoil.steps.charging.models import BalanceEntry, Difference
from counterfoil.steps.charging.reconcile import judge_refund_again
from counterfoil.steps.charging.refund import apply_refund, book_refund
from counterfoil.steps.charging.slip_remedies import settle_slip


def own_difference(*, difference: int, actor: Actor) -> None:
    """Somebody says: mine. Raises Refused `someone_else` when it is settled, Forbidden, Missing."""
    require(actor, CLERK, BOOKKEEPER)
    row = _open(difference)
    with writing():
        Difference.objects.filter(pk=row.pk, closed_at=None).update(owner=actor.name)


def resolve_difference(*, difference: int, actor: Actor, remedy: str, reason: str = "") -> Difference:
    """Settle a difference: `take_over` (book here what happened there), `refund_it` (give the money back there),
    `let_go` (have the bank hold it no longer), `ask` (close it if the bank says otherwise by now) or `note` (leave both
    as they are, with a reason).

    Raises Refused when somebody was first or the facts have changed, StillAsking when the processor does not answer,
    Invalid, Forbidden, Missing.
    """
    require(actor, CLERK, BOOKKEEPER)
    row = _open(difference)
    reason = _reason(reason)
    if remedy not in remedies_of(row):
        raise Invalid(("remedy", "this cannot be done about such a difference"))
    if remedy == "note" and not reason:
        raise Invalid(("reason", "say why it may stay as it is"))
    try:
        match remedy, row.kind:
            case "take_over", "captured_unknown":
                _book_charge(row, actor)
            case "take_over", "refund_unknown":
                _book_refund(row, actor)
            case "take_over", ("amount_differs" | "missing_there"):
                _correct(row, actor)
            case "take_over", "entry_unknown":
                _book_line(row, actor)
            case "take_over", _ if row.kind in slips.KINDS:
                settle_slip(row, actor)
            case "ask", _:
                _ask(row, actor)
            case "take_over", _:
                _owe_again(row, actor)
            case "let_go", _:
                _let_go(row, actor)
            case "refund_it", _:
                _give_back(row, actor)
            case _:
                _close(close_difference(row, actor=actor, remedy=remedy, reason=reason))
    except (NotDone, OutcomeUnknown) as error:
        raise StillAsking(f"the bank has not answered: {error}") from error
    except Wrong as error:
        raise blocked("over_refundable", f"the bank does not accept it: {error}") from error
    return Difference.objects.get(pk=row.pk)


def _open(difference: int) -> Difference:
    row = Difference.objects.filter(pk=difference).first()
    if row is None:
        raise Missing("there is no such difference")
    if row.closed_at is not None:
        raise blocked("someone_else", f"{row.closed_by} has settled this already", by=row.closed_by)
    return row


def _close(done: bool) -> None:
    """Inside `writing()`, this also takes back what was done together with it."""
    if not done:
        raise blocked("someone_else", "somebody has just settled this")


def _reason(reason: str) -> str:
    try:
        cleaned = clean(reason)
    except ValueError as error:
        raise Invalid(("reason", str(error))) from None
    if len(cleaned) > 500:
        raise Invalid(("reason", "at most 500 characters"))
    return cleaned


def _book_charge(row: Difference, actor: Actor) -> None:
    intent = gateway().get_intent(row.object_id)
    if intent.status != "done":
        raise blocked("not_charged", "the bank has not taken this money (any more); compare again")
    with writing():
        taken = take(row.order_number)
        if Difference.objects.filter(pk=row.pk, remedy="refund_it").exists():
            raise blocked("someone_else", "somebody is just giving this money back")
        book_capture(taken, intent, actor=actor)
        _close(close_inside(taken, row, actor, "take_over"))


def _book_refund(row: Difference, actor: Actor) -> None:
    returned = gateway().get_refund(row.object_id)
    if returned.status != "succeeded":
        raise blocked("someone_else", f"at the bank this refund is {returned.status}; compare again")
    with writing():
        taken = take(row.order_number)
        charge = Charge.objects.filter(intent_id=returned.intent_id, state="succeeded", part__order=taken).first()
        if charge is None:
            raise blocked("not_charged", f"{taken.number} has no such charge")
        made = decide_refund(
            order=taken, part=Part.objects.get(pk=charge.part_id), amount=returned.amount,
            reason="refunded at the card processor", actor=actor,
        )  # fmt: skip
        if [r.charge_id for r in made] != [charge.pk]:
            raise blocked("over_refundable", "this part was paid by several charges; record the refund by hand")
        book_refund(taken, made[0], reference=returned.id)
        _close(close_inside(taken, row, actor, "take_over"))


def _correct(row: Difference, actor: Actor) -> None:
    """What we have booked becomes what the bank has taken."""
    amount = taken_there(row.object_id, row.currency)
    with writing():
        taken = take(row.order_number)
        book_as_the_bank(taken, row, amount, actor=actor)
        _close(close_inside(taken, row, actor, "take_over"))


def _book_line(row: Difference, actor: Actor) -> None:
    """A line of no charge of ours: a cost of the card processor."""
    with writing():
        entry = BalanceEntry.objects.filter(entry_id=row.object_id, booked=False).first()
        if entry is None:
            raise blocked("someone_else", "this is booked already; compare again")
        book(entry)
        _close(close_inside(None, row, actor, "take_over"))
    if entry.payout_id is not None:
        settle_payout(entry.payout_id)


def _owe_again(row: Difference, actor: Actor) -> None:
    """The customer never got it: the refund has failed and is tried again like any other."""
    refund = Refund.objects.select_related("charge", "part__order").filter(refund_id=row.object_id).first()
    if refund is None:
        raise blocked("someone_else", "this refund is not booked here any more; compare again")
    with writing():
        taken = take(row.order_number)
        failure = "the card processor has not paid it"
        apply_refund(refund, Returned(row.object_id, "failed", refund.amount, failure))
        _close(close_inside(taken, row, actor, "take_over"))


def _ask(row: Difference, actor: Actor) -> None:
    """The bank's word of now: it may have come right, or be another difference by now."""
    if row.kind == "refund_differs":
        refund = Refund.objects.select_related("charge", "part__order").filter(refund_id=row.object_id).first()
        found = judge_refund_again(row.object_id, refund)
    else:
        found = settlement.still(row)
    if found is not None:
        open_difference(found)
    if found is not None and found.kind == row.kind:
        raise blocked("someone_else", f"asked just now: the bank still has {found.theirs}, we have {found.ours}")
    _close(close_difference(row, actor=actor, reason="asked again"))


def _let_go(row: Difference, actor: Actor) -> None:
    """The bank holds the customer's money for nothing: it is told so. Cancelling twice is cancelling once."""
    intent = gateway().get_intent(row.object_id)
    if intent.status == "held":
        intent = gateway().cancel_intent(row.object_id, key=f"difference-{row.pk}-let-go")
    if intent.status != "cancelled":
        raise blocked("someone_else", "the bank does not hold it any more; compare again")
    _close(close_difference(row, actor=actor, remedy="let_go"))


def _give_back(row: Difference, actor: Actor) -> None:
    """Back to the card, under a key that this row has for good. What was chosen stands before the call is made."""
    with writing():
        if row.order_number:
            take(row.order_number)
        chosen = Difference.objects.filter(pk=row.pk, closed_at=None, remedy__in=["", "refund_it"])
        _close(bool(chosen.update(remedy="refund_it", owner=row.owner or actor.name, seen_at=clock.business_now())))
    mark = {"difference": str(row.pk), "intent": row.object_id}
    try:
        found = gateway().find_refund(intent_id=row.object_id, reference=mark) or gateway().refund(
            intent_id=row.object_id, amount=row.amount, reference=mark, key=f"difference-{row.pk}-{row.object_id}"
        )
    except Wrong:
        with writing():
            Difference.objects.filter(pk=row.pk, closed_at=None).update(remedy="")
        raise
    if found.status == "failed":
        raise blocked("over_refundable", f"the bank could not pay it back ({found.failure}); settle it by hand")
    _close(close_difference(row, actor=actor, remedy="refund_it"))
