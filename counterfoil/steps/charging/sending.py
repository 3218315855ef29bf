"""Bringing a charge on by what is known of it: create, confirm or capture, or ask. Never twice, from any process."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from counterfoil.core import clock, jobs
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.errors import Blocker
from counterfoil.core.machine import shift
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import CardError, Intent, NotDone, OutcomeUnknown, Refusal, Wrong
from counterfoil.records.orders.load import facts_of, note, take
from counterfoil.records.orders.models import MONEY, Charge, Order, Part
from counterfoil.steps.charging.keys import KEY_LIFE, next_key
from counterfoil.steps.charging.rules import may_charge, may_hold
from counterfoil.steps.charging.settle import (
    UNSETTLED,
    give_surplus_back,
    paid_for,
    settle_decline,
    settle_held,
    settle_lapse,
    settle_success,
)

DONE = ("succeeded", "declined", "withdrawn", "lapsed")


def send_charge(charge_id: int, *, by: str = "") -> bool:
    """Bring a charge, or a hold, on as far as it goes now. True when its outcome is known.

    Raises NotDone or OutcomeUnknown when the processor gave no answer; if money may have moved, the charge is marked as
    unknown. Safe to call at any time, from any process.
    """
    charge = _read(charge_id)
    if charge.state in DONE:
        return True
    by = by or charge.actor
    if charge.state == "held":
        return _bring_to_capture(charge, by)
    if charge.state == "capturing":
        return _ask_capture(charge, by)
    if charge.state == "intended":
        settled = _create(charge, by)
        if settled is not None:
            return settled
        charge = _read(charge_id)
    if charge.state == "created" and not _claim(charge, "created", "confirming"):
        return send_charge(charge_id, by=by)
    if charge.state == "created":
        return _confirm(_read(charge_id), by)
    if charge.state == "confirming":
        return _ask(charge, by)
    return send_charge(charge_id, by=by)


def _read(charge_id: int) -> Charge:
    return Charge.objects.select_related("part__order__customer").get(pk=charge_id)


# --- authorising and charging ---------------------------------------------------------------------------------------


def _create(charge: Charge, by: str) -> bool | None:
    """Have the processor make the intent, which takes nothing yet. None when it stands there now."""
    order = charge.part.order
    if order.cancelled_at is not None or clock.real_now() - charge.made_at > KEY_LIFE:
        return withdraw_charge(charge.pk)
    if charge.amount == 0:
        # Nothing to take (a gift, a price of zero): no bank is asked, the gate was.
        settle_success(charge.pk, Intent("", "done", 0, 0, charge.currency), by=by)
        return True
    try:
        intent = gateway().create_intent(
            amount=charge.amount,
            currency=charge.currency,
            customer=order.customer.processor_id,
            method=order.card_method,
            reference={"order": order.number, "charge": charge.create_key},
            key=charge.create_key,
            hold=charge.kind == Charge.HOLD,
        )
    except OutcomeUnknown as error:
        if error.replayed:
            # What may have been made under the old key is never confirmed, so that it takes nothing: a lost sheet.
            _new_key(charge, "create_key")
        raise
    except Wrong as error:
        # An amount below the processor's least, a currency it does not settle: no money, and a person must see it.
        settle_decline(charge.pk, "processor_refused", str(error))
        return True
    with writing():
        take(order.number)
        Charge.objects.filter(pk=charge.pk, state="intended").update(state="created", intent_id=intent.id)
    return None


def _new_key(charge: Charge, name: str) -> str:
    """Another key for a call of which it is proven that it did nothing: stored before it is used, once."""
    old = str(getattr(charge, name))
    with writing():
        take(charge.part.order.number)
        Charge.objects.filter(pk=charge.pk, **{name: old}).update(**{name: next_key(old)})
    charge.refresh_from_db(fields=[name])
    return str(getattr(charge, name))


def _renew(charge: Charge, error: CardError, name: str, *, untouched: str) -> None:
    """A failure that is told again for its key wants another key; only when the processor says that nothing is done."""
    told_again = isinstance(error, OutcomeUnknown) and error.replayed
    if told_again and gateway().get_intent(charge.intent_id).status == untouched:
        _new_key(charge, name)


def _claim(charge: Charge, source: str, target: str) -> bool:
    """Just before money moves: the gate is asked again, and one process is the one that sends.

    False when somebody else sends, or when the gate has shut meanwhile and the charge was taken back.
    """
    with writing():
        taken = take(charge.part.order.number)
        if _shut(taken, charge):
            withdraw_inside(taken, charge)
            return False
        return Charge.objects.filter(pk=charge.pk, state=source).update(state=target) == 1


def _shut(taken: Order, charge: Charge) -> list[Blocker]:
    """Why money may not move now: the whole gate, as it stands without this very charge."""
    facts = facts_of(taken)
    part = next(p for p in facts.parts if p.number == charge.part.number)
    if charge.kind == Charge.HOLD and charge.to_capture is None:
        return may_hold(facts, part)
    if charge.supplement and part.charged and not facts.cancelled:
        return []  # the other half of this money has been taken already
    return may_charge(facts, replace(part, money="saved"))


def _confirm(charge: Charge, by: str) -> bool:
    try:
        intent = gateway().confirm_intent(charge.intent_id, key=charge.confirm_key)
    except Refusal as refusal:
        settle_decline(charge.pk, refusal.code, refusal.message)
        return True
    except (OutcomeUnknown, NotDone) as error:
        _lose_sight(charge)
        _renew(charge, error, "confirm_key", untouched="waiting")
        raise
    except Wrong as error:
        # It does not take this confirmation: perhaps because it took an earlier one. Its own word decides.
        intent = gateway().get_intent(charge.intent_id)
        if intent.status == "waiting":
            settle_decline(charge.pk, "processor_refused", str(error))
            return True
    return _take_over(charge, intent, by)


def _ask(charge: Charge, by: str) -> bool:
    """The confirmation was sent once: what came of it is asked by the intent's id, never guessed."""
    intent = gateway().get_intent(charge.intent_id)
    if intent.status == "waiting":
        # Nothing has happened there. The same key makes a repeat harmless, as long as the processor remembers it.
        if clock.real_now() - charge.made_at > KEY_LIFE:
            return withdraw_charge(charge.pk)
        if charge.part.order.cancelled_at is not None:
            return _call_off(charge, by)
        return _confirm(charge, by)
    return _take_over(charge, intent, by)


def _call_off(charge: Charge, by: str) -> bool:
    """Nobody wants the charge any more and it has not happened: the processor is told so, and has the last word."""
    intent = cancel_there(charge)
    if intent.status != "cancelled":
        return _take_over(charge, intent, by)
    with writing():
        withdraw_inside(take(charge.part.order.number), charge, never_happens=True)
    return True


def cancel_there(charge: Charge) -> Intent:
    """Have the processor cancel an intent; what it then says of it."""
    try:
        return gateway().cancel_intent(charge.intent_id, key=f"{charge.create_key}-cancel")
    except Wrong:
        # Too late: it was confirmed, captured or cancelled in this very moment.
        return gateway().get_intent(charge.intent_id)


def _take_over(charge: Charge, intent: Intent, by: str) -> bool:
    if intent.status == "done":
        settle_success(charge.pk, intent, by=by)
        return True
    if intent.status == "held" and charge.kind == Charge.HOLD:
        settle_held(charge.pk, intent)
        charge = _read(charge.pk)
        return _bring_to_capture(charge, by) if charge.state == "held" else True
    if intent.status in {"refused", "cancelled", "action"}:
        code = intent.decline_code or ("authentication_required" if intent.status == "action" else "card_declined")
        settle_decline(charge.pk, code, intent.message or "the bank did not accept the charge")
        return True
    _lose_sight(charge)
    return False


def _lose_sight(charge: Charge) -> None:
    """Money may have moved and we do not know: say so, and keep asking by a job."""
    with writing():
        taken = take(charge.part.order.number)
        part = Part.objects.get(pk=charge.part_id)
        if part.money == "charging":
            # Only now: once it is unknown, the job that asks is there already and backs off by itself.
            jobs.enqueue("charging.send", key=str(charge.pk), payload={"charge": charge.pk}, delay=2)
            note(
                taken,
                "charge_unknown",
                actor=SYSTEM,
                part=part,
                text="The bank has not answered; we are asking what came of it",
                moves=[shift(MONEY, "lose_sight", part, part=part.number)],
                data={"charge": charge.pk},
            )


# --- capturing ------------------------------------------------------------------------------------------------------


def _bring_to_capture(charge: Charge, by: str) -> bool:
    """A hold stands: take of it what is to be taken, if anything; what it does not cover is held first.

    Of the two holds of a part that has become dearer, the first is captured only when the other stands.
    """
    if charge.to_capture is None:
        return True
    other = _companion(charge)
    if other is not None and (charge.supplement or other.state in {"intended", "created", "confirming"}):
        # The first one is captured first; but not before the other stands.
        if not send_charge(other.pk, by=by):
            return False
        charge = _read(charge.pk)
        if charge.to_capture is None or charge.state != "held":
            return send_charge(charge.pk, by=by)
    if not _claim(charge, "held", "capturing"):
        return send_charge(charge.pk, by=by)
    return _capture(_read(charge.pk), by)


def _companion(charge: Charge) -> Charge | None:
    """The other hold of the same charge: not yet settled."""
    both = Charge.objects.filter(part_id=charge.part_id, kind=Charge.HOLD, to_capture__isnull=False)
    return both.exclude(pk=charge.pk).filter(supplement=not charge.supplement).exclude(state__in=DONE).first()


def _capture(charge: Charge, by: str) -> bool:
    try:
        intent = gateway().capture_intent(charge.intent_id, amount=charge.to_capture or 0, key=charge.capture_key)
    except (OutcomeUnknown, NotDone) as error:
        _lose_sight(charge)
        _renew(charge, error, "capture_key", untouched="held")
        raise
    except (Refusal, Wrong):
        # Captured already, or not held any more: its own word decides.
        intent = gateway().get_intent(charge.intent_id)
        if intent.status == "held":
            settle_lapse(charge.pk, why="the bank does not give what it holds")
            return _again_from_card(charge, by)
    return _take_over_capture(charge, intent, by)


def _ask_capture(charge: Charge, by: str) -> bool:
    intent = gateway().get_intent(charge.intent_id)
    if intent.status != "held":
        return _take_over_capture(charge, intent, by)
    if charge.part.order.cancelled_at is not None:
        intent = cancel_there(charge)
        if intent.status == "cancelled":
            with writing():
                withdraw_inside(take(charge.part.order.number), charge, never_happens=True)
            return True
        return _take_over_capture(charge, intent, by)
    if _age(charge.capture_asked_at) > KEY_LIFE:
        _new_key(charge, "capture_key")  # the bank still holds it all: nothing was taken
    return _capture(charge, by)


def _age(asked: datetime | None) -> timedelta:
    return clock.real_now() - asked if asked is not None else timedelta(0)


def _take_over_capture(charge: Charge, intent: Intent, by: str) -> bool:
    if intent.status == "done":
        settle_success(charge.pk, intent, by=by)
        other = _companion(charge)
        return True if other is None else send_charge(other.pk, by=by)
    if intent.status in {"cancelled", "refused"}:
        settle_lapse(charge.pk, why="the bank had let the amount go")
        return _again_from_card(charge, by)
    _lose_sight(charge)
    return False


def _again_from_card(charge: Charge, by: str) -> bool:
    """What was held is gone in the middle of a charge: the saved card is charged instead, in the same act."""
    fresh = Charge.objects.filter(part_id=charge.part_id, state__in=UNSETTLED, attempt__gt=charge.attempt)
    following = fresh.filter(kind=Charge.CHARGE).order_by("-attempt").first()
    return True if following is None else send_charge(following.pk, by=by)


# --- taking back ----------------------------------------------------------------------------------------------------


def withdraw_charge(charge_id: int) -> bool:
    """Take back a charge that was never confirmed. True when it is settled (by this call or another)."""
    charge = _read(charge_id)
    with writing():
        taken = take(charge.part.order.number)
        done = withdraw_inside(taken, charge)
    if done and charge.intent_id and charge.state != "held":
        cancel_there(charge)
    return True


def withdraw_inside(taken: Order, charge: Charge, *, never_happens: bool = False) -> bool:
    """Take a charge back that has not moved money, inside `writing()`, the order taken. False when it is too late.

    `never_happens`: the processor has said that it will not. A hold that the bank keeps for us stays, untaken.
    """
    current = Charge.objects.get(pk=charge.pk)
    part = Part.objects.get(pk=charge.part_id)
    old = clock.real_now() - charge.made_at > KEY_LIFE
    if current.state == "held" or (current.state == "capturing" and never_happens):
        if not _untake(current, gone=never_happens):
            return False
    else:
        states = ["intended", "created", *(["confirming"] if never_happens or old else [])]
        if not Charge.objects.filter(pk=charge.pk, state__in=states).update(state="withdrawn"):
            return False
    _untake_others(part, current)
    moves = []
    if part.money in {"charging", "unknown"}:
        back = "step_back" if part.authorisation_amount else "withdraw"
        kept = paid_for(part) or (taken.cancelled_at is not None and part.charged > 0)
        moves.append(shift(MONEY, "capture" if kept else back, part, part=part.number))
        if taken.cancelled_at is not None and part.money in {"saved", "authorised"}:
            moves.append(shift(MONEY, "void", part, part=part.number))
    jobs.settle("charging.send", str(charge.pk))
    note(
        taken, "charge_withdrawn", actor=SYSTEM, part=part, text="The charge was taken back before it was sent",
        moves=moves, data={"charge": charge.pk},
    )  # fmt: skip
    give_surplus_back(taken, part)
    return True


def _untake(hold: Charge, *, gone: bool) -> bool:
    """Nothing is taken of a hold any more: it stays held, or (`gone`) the processor has let it go."""
    state = "withdrawn" if gone else "held"
    kept = Charge.objects.filter(pk=hold.pk, state=hold.state, to_capture__isnull=False)
    if not kept.update(state=state, to_capture=None, capture_key="", capture_asked_at=None):
        return False
    if gone:
        Part.objects.filter(pk=hold.part_id).update(authorisation_amount=None, authorisation_expires_at=None)
    return True


def _untake_others(part: Part, charge: Charge) -> None:
    """The other holds of the same charge: the first is kept as it was, one for a difference is let go by a job."""
    others = Charge.objects.filter(part=part, kind=Charge.HOLD, to_capture__isnull=False).exclude(pk=charge.pk)
    for other in others.exclude(state__in=DONE):
        if other.state in {"intended", "created"}:
            Charge.objects.filter(pk=other.pk).update(state="withdrawn", to_capture=None)
            jobs.settle("charging.send", str(other.pk))
        elif other.state == "held":
            Charge.objects.filter(pk=other.pk).update(to_capture=None, capture_key="", capture_asked_at=None)
        owe_release(part.order.number)
    part.refresh_from_db()


def owe_release(order: str) -> None:
    """Whatever the bank holds without need is let go soon; inside `writing()`."""
    jobs.enqueue("charging.release", key=order, payload={"order": order})
