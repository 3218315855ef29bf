"""What one click does about a slip and a charge that do not agree. Both are ours, and no bank is asked."""

from __future__ import annotations

from counterfoil.core import clock
from counterfoil.core.actor import Actor
from counterfoil.core.db import writing
from counterfoil.core.errors import blocked
from counterfoil.core.machine import shift
from counterfoil.core.money import show
from counterfoil.gateways.card.protocol import Intent
from counterfoil.gateways.card.terminal.models import Slip
from counterfoil.records.orders.load import note, take
from counterfoil.records.orders.models import MONEY, Charge, Order, Part, Refund
from counterfoil.steps.charging.correcting import book_as_the_bank
from counterfoil.steps.charging.differences import close_inside
from counterfoil.steps.charging.keys import next_key
from counterfoil.steps.charging.models import Difference
from counterfoil.steps.charging.offline import TILL, owe_back, paid_back, usual_kind
from counterfoil.steps.charging.refund import BY_HAND, CARD, book_refund
from counterfoil.steps.charging.settle import write_capture
from counterfoil.steps.charging.slips import judge_charge

CHANGED = "this has changed since; compare again"


def settle_slip(row: Difference, actor: Actor) -> bool:
    """Bring charge and slip in line, each kind in its way; in one transaction with the row's closing.

    False when somebody has just closed the row. Raises Refused with the reason where it cannot be done.
    """
    with writing():
        taken = take(row.order_number)
        match row.kind:
            case "slip_alone":
                _book(taken, row, actor)
            case "slip_missing":
                _enter(taken, row, actor)
            case "slip_differs":
                book_as_the_bank(taken, row, _done(row.object_id).captured, actor=actor)
            case _:
                _note_return(taken, row, actor)
        done = close_inside(taken, row, actor, "take_over")
        if not done:
            raise blocked("someone_else", "somebody has just settled this")
    return done


def _done(slip_id: str) -> Intent:
    slip = TILL.get_intent(slip_id)
    if slip.status != "done":
        raise blocked("someone_else", CHANGED)
    return slip


def _book(taken: Order, row: Difference, actor: Actor) -> None:
    """Money in the hand that we had not booked: joined with the charge it was entered with, else booked as paid."""
    slip = _done(row.object_id)
    if Charge.objects.filter(intent_id=slip.id, state="succeeded").exists():
        raise blocked("someone_else", CHANGED)
    if slip.currency != taken.currency:
        raise blocked("someone_else", f"the slip is in {slip.currency}, {taken.number} in {taken.currency}")
    key = slip.reference.get("charge", "")
    made = Charge.objects.filter(create_key=key, part__order=taken, state="succeeded").first() if key else None
    if made is not None:
        if judge_charge(made) is None or made.amount != slip.amount:
            ours = show(made.amount, taken.currency)
            raise blocked("someone_else", f"it was entered with a charge of {ours} that has another slip")
        _join(taken, made, slip.id, actor)
        return
    parts = list(Part.objects.filter(order=taken).order_by("number"))
    part = next((p for p in parts if MONEY.target("record", p.money) is not None), parts[0])
    found = f"found-{slip.id}"
    charge = Charge.objects.create(
        part=part, attempt=Charge.objects.filter(part=part).count() + 1, amount=slip.amount, currency=slip.currency,
        state="succeeded", method="terminal" if taken.payment_method in {"", "card"} else taken.payment_method,
        create_key=found, confirm_key=found, intent_id=slip.id, reference=slip.reference.get("slip", ""),
        brand=slip.brand, last4=slip.last4, actor=actor.name, made_at=clock.real_now(),
        settled_at=clock.business_now(),
    )  # fmt: skip
    whole = MONEY.target("record", part.money) is not None and part.paid + slip.amount >= part.total
    moves = [shift(MONEY, "record", part, part=part.number)] if whole else []
    write_capture(taken, part, charge, amount=slip.amount, by=actor.name, moves=moves)


def _enter(taken: Order, row: Difference, actor: Actor) -> None:
    """What was recorded is entered as the slip that it was, and what went back of it is noted there."""
    charge = Charge.objects.filter(create_key=row.object_id, part__order=taken, state="succeeded").first()
    if charge is None or charge.method in CARD or judge_charge(charge) is None:
        raise blocked("someone_else", CHANGED)
    key = charge.create_key
    slip = Slip.objects.filter(create_key=key).exclude(state=Slip.CANCELLED).first()
    if slip is not None and (slip.amount, slip.currency) != (charge.amount, charge.currency):
        raise blocked("someone_else", f"the slip says {show(slip.amount, slip.currency)}; compare again")
    if slip is None:
        key = next_key(key) if Slip.objects.filter(create_key=key).exists() else key
        stands = {"order": taken.number, "charge": charge.create_key, "slip": charge.reference or charge.create_key,
                  "by": charge.actor, "brand": charge.brand, "last4": charge.last4}  # fmt: skip
        kind = usual_kind(charge.method, charge.last4)
        entered = TILL.create_intent(
            amount=charge.amount, currency=charge.currency, method=kind, reference=stands, key=key
        ).id
    else:
        entered = TILL.get_intent(f"slip_{slip.pk}").id
    if slip is None or slip.state == Slip.WAITING:
        TILL.confirm_intent(entered, key=key, shared=True)  # whose number it is was judged when it was recorded
    _join(taken, charge, entered, actor)
    for refund in Refund.objects.select_related("charge").filter(charge=charge).order_by("pk"):
        if refund.state == "succeeded":
            paid_back(refund, actor)
        else:
            owe_back(refund)


def _join(taken: Order, charge: Charge, slip_id: str, actor: Actor) -> None:
    Charge.objects.filter(pk=charge.pk).update(intent_id=slip_id)
    charge.intent_id = slip_id
    note(
        taken, "slip_joined", actor=actor, part=Part.objects.get(pk=charge.part_id),
        text=f"The {show(charge.amount, charge.currency)} recorded and the slip of it belong together",
        data={"charge": charge.pk, "slip": slip_id},
    )  # fmt: skip


def _note_return(taken: Order, row: Difference, actor: Actor) -> None:
    """What was handed back stands so on both sides."""
    if not row.object_id.startswith("slipback_"):
        refund = Refund.objects.select_related("charge").filter(key=row.object_id, part__order=taken).first()
        if refund is None or refund.state != "succeeded":
            raise blocked("someone_else", CHANGED)
        paid_back(refund, actor)
        return
    returned = TILL.get_refund(row.object_id)
    mine = Refund.objects.select_related("charge").filter(charge__intent_id=returned.intent_id, part__order=taken)
    refund = mine.filter(key=returned.reference.get("refund", "")).first()
    if refund is None or refund.amount != returned.amount:
        raise blocked("someone_else", "no refund of ours is of this amount; decide it on the order, then leave this")
    if refund.state == "succeeded":
        TILL.paid_back(row.object_id, by=actor.name)
    elif returned.status == "succeeded":
        book_refund(taken, refund, reference=BY_HAND)
