"""Charging: intent and key stored before the call, the outcome asked for when it is not known, never twice."""

from __future__ import annotations

import time
from datetime import timedelta

from counterfoil.core import clock, jobs
from counterfoil.core.actor import CLERK, SYSTEM, Actor, require
from counterfoil.core.db import rows, writing
from counterfoil.core.errors import Blocker, Declined, Invalid, Refused, StillAsking, blocked
from counterfoil.core.machine import shift
from counterfoil.core.text import clean
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import CardError, Intent, NotDone, OutcomeUnknown, Refusal, Wrong
from counterfoil.records.orders.facts import OrderFacts
from counterfoil.records.orders.load import check, facts_of, find, note, take
from counterfoil.records.orders.models import MONEY, Charge, Order, Part, PayLink
from counterfoil.steps.charging.cards import OPEN, close_links, due_of, look_at_pages, save_card
from counterfoil.steps.charging.rules import may_charge
from counterfoil.steps.charging.settle import (
    give_surplus_back,
    paid_for,
    settle_decline,
    settle_success,
    write_capture,
)

PAGES = 3  # tries to find no card page open
PATIENCE = 10.0  # seconds until the asker is told that the bank has not answered
KEY_LIFE = timedelta(hours=20)  # the processor forgets keys after 24; an older one is never repeated


def charge_order(
    *,
    order: str,
    actor: Actor,
    part: int | None = None,
    offline: dict[str, object] | None = None,
    version: int | None = None,
) -> Order:
    """Charge every part whose gate is open, or the one named. Saves the card first if that job has not run yet.

    `offline` is `{reference, amount, brand?, last4?}`: money that a person holds already is written down instead.
    Raises Refused with every blocker, Declined, StillAsking (unknown after ten seconds), Invalid, Forbidden, Missing.
    """
    require(actor, CLERK)
    if version is not None:
        # What the page showed is compared once, before our own writes move the order on.
        with writing():
            take(order, version=version)
    known = find(order)
    if offline is not None:
        return _record_payment(known.number, actor, part, offline)
    if known.card_state == "to_save":
        try:
            save_card(order=order)
        except (NotDone, OutcomeUnknown) as error:
            raise StillAsking(f"the card is not saved yet: {error}") from error
    if known.payment_method == "card" and find(order).card_state != "saved":
        # Perhaps the customer has just given a card at the hosted page, and its webhook is not here yet.
        try:
            look_at_pages(known)
        except CardError as error:
            raise StillAsking(f"the card page cannot be asked: {error}") from error
    if not _await_all(_begin(order, part, actor), actor):
        raise StillAsking("the bank has not answered yet; we keep asking. Nothing is charged twice")
    return find(order)


def _open_parts(facts: OrderFacts, wanted: int | None) -> list[int]:
    gates = {p.number: may_charge(facts, p) for p in facts.parts if wanted in {None, p.number}}
    if not gates:
        raise Invalid(("part", f"{facts.number} has no part {wanted}"))
    open_ = [number for number, blockers in gates.items() if not blockers]
    if not open_:
        raise Refused(_most_telling(list(gates.values())))
    return open_


def _most_telling(gates: list[list[Blocker]]) -> list[Blocker]:
    """Of several shut gates the one that somebody can still open: not one that is shut because it is done."""
    undone = [g for g in gates if all(b.code not in {"already_charged", "cancelled"} for b in g)]
    return (undone or gates)[0]


def _begin(order: str, wanted: int | None, actor: Actor) -> list[Charge]:
    """Intend a charge of every part that is open: from here on no other can start, and the keys outlive any crash.

    A card page at which the customer could pay the same money is closed at the processor first.
    """
    for _ in range(PAGES):
        try:
            close_links(find(order))
        except CardError as error:
            raise StillAsking(f"a card page is still open and cannot be closed: {error}") from error
        with writing():
            taken = take(order)
            facts = facts_of(taken)
            numbers = _open_parts(facts, wanted)
            if not PayLink.objects.filter(order=taken, mode="payment", state__in=OPEN).exists():
                return [_intend(taken, number, actor) for number in numbers]
    raise StillAsking("the customer is just opening a page to pay; look again in a moment")


def _intend(taken: Order, number: int, actor: Actor) -> Charge:
    part = Part.objects.get(order=taken, number=number)
    attempt = Charge.objects.filter(part=part).count() + 1
    key = f"pi-{taken.token[:20]}-{number}-{attempt}"
    charge = Charge.objects.create(
        part=part,
        attempt=attempt,
        amount=due_of(part),
        currency=taken.currency,
        create_key=key,
        confirm_key=f"{key}-confirm",
        actor=actor.name,
        made_at=clock.real_now(),
    )
    part.charged_by = actor.name
    part.save(update_fields=["charged_by"])
    note(
        taken,
        "charge_begun",
        actor=actor,
        part=part,
        text="Asking the bank",
        moves=[shift(MONEY, "begin", part, part=number)],
        data={"charge": charge.pk, "amount": charge.amount},
    )
    # Should this process die now, the job finds the charge and goes on where it stood.
    jobs.enqueue("charging.send", key=str(charge.pk), payload={"charge": charge.pk}, delay=30)
    return charge


def _await_all(charges: list[Charge], actor: Actor) -> bool:
    """Send charges one after the other. False when one is not answered; after a decline the unsent are taken back."""
    answered = True
    for place, charge in enumerate(charges):
        try:
            answered &= _await(charge.pk, actor)
        except Declined:
            for unsent in charges[place + 1 :]:
                withdraw_charge(unsent.pk)
            raise
    return answered


def _await(charge_id: int, actor: Actor) -> bool:
    """Send a charge and wait for its outcome. False when the bank has not answered in time; raises Declined."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            settled = send_charge(charge_id, by=actor.name)
        except CardError:
            settled = False
        if settled:
            break
        if time.monotonic() >= until:
            return False
        time.sleep(0.5)
    charge = Charge.objects.get(pk=charge_id)
    if charge.state == "declined":
        raise Declined(charge.decline_code or "card_declined", charge.decline_message or "the bank declined the card")
    if charge.state == "withdrawn":
        facts = facts_of(find(charge.part.order.number))
        part = next(p for p in facts.parts if p.number == charge.part.number)
        check(may_charge(facts, part))
        raise blocked("someone_else", "the charge was taken back before it was sent; nothing was charged")
    return True


def send_charge(charge_id: int, *, by: str = "") -> bool:
    """Bring a charge on by what is known of it: create, confirm, or ask. True when its outcome is known.

    Raises NotDone or OutcomeUnknown when the processor gave no answer; if money may have moved, the charge is marked as
    unknown. Safe to call at any time, from any process.
    """
    charge = Charge.objects.select_related("part__order").get(pk=charge_id)
    if charge.state in {"succeeded", "declined", "withdrawn"}:
        return True
    by = by or charge.actor
    order = charge.part.order
    if charge.state == "intended":
        if order.cancelled_at is not None:
            return withdraw_charge(charge_id)
        if clock.real_now() - charge.made_at > KEY_LIFE:
            return withdraw_charge(charge_id)
        if charge.amount == 0:
            # Nothing to take (a gift, a price of zero): no bank is asked, the gate was.
            settle_success(charge_id, Intent("", "done", 0, 0, charge.currency), by=by)
            return True
        try:
            intent = gateway().create_intent(
                amount=charge.amount,
                currency=charge.currency,
                customer=order.customer.processor_id,
                method=order.card_method,
                reference={"order": order.number, "charge": charge.create_key},
                key=charge.create_key,
            )
        except Wrong as error:
            # An amount below the processor's least, a currency it does not settle: no money, and a person must see it.
            settle_decline(charge_id, "processor_refused", str(error))
            return True
        with writing():
            take(order.number)
            Charge.objects.filter(pk=charge_id, state="intended").update(state="created", intent_id=intent.id)
        charge.refresh_from_db()
    if charge.state == "created" and not _claim_confirm(charge, order.number):
        return send_charge(charge_id, by=by)
    if charge.state == "created":
        return _confirm(charge, by)
    return _ask(charge, by)


def _claim_confirm(charge: Charge, number: str) -> bool:
    """Just before money moves: may it still, and is this process the one that sends?"""
    with writing():
        taken = take(number)
        facts = facts_of(taken)
        if facts.cancelled or facts.holds or facts.question_open or facts.answer_unapplied:
            _withdraw_inside(taken, charge)
            return False
        return Charge.objects.filter(pk=charge.pk, state="created").update(state="confirming") == 1


def _confirm(charge: Charge, by: str) -> bool:
    try:
        intent = gateway().confirm_intent(charge.intent_id, key=charge.confirm_key)
    except Refusal as refusal:
        settle_decline(charge.pk, refusal.code, refusal.message)
        return True
    except (OutcomeUnknown, NotDone):
        _lose_sight(charge)
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
    try:
        intent = gateway().cancel_intent(charge.intent_id, key=f"{charge.create_key}-cancel")
    except Wrong:
        # Too late: the confirmation arrived in this very moment.
        intent = gateway().get_intent(charge.intent_id)
    if intent.status != "cancelled":
        return _take_over(charge, intent, by)
    with writing():
        _withdraw_inside(take(charge.part.order.number), charge, never_happens=True)
    return True


def _take_over(charge: Charge, intent: Intent, by: str) -> bool:
    if intent.status == "done":
        settle_success(charge.pk, intent, by=by)
        return True
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


def withdraw_charge(charge_id: int) -> bool:
    """Take back a charge that was never confirmed. True when it is settled (by this call or another)."""
    charge = Charge.objects.select_related("part__order").get(pk=charge_id)
    with writing():
        taken = take(charge.part.order.number)
        done = _withdraw_inside(taken, charge)
    if done and charge.intent_id:
        gateway().cancel_intent(charge.intent_id, key=f"{charge.create_key}-cancel")
    return True


def _withdraw_inside(taken: Order, charge: Charge, *, never_happens: bool = False) -> bool:
    states = ["intended", "created"]
    if never_happens or clock.real_now() - charge.made_at > KEY_LIFE:
        states.append("confirming")  # asked before: the processor knows of no charge
    if not Charge.objects.filter(pk=charge.pk, state__in=states).update(state="withdrawn"):
        return False
    part = Part.objects.get(pk=charge.part_id)
    moves = []
    if part.money in {"charging", "unknown"}:
        moves.append(shift(MONEY, "capture" if paid_for(part) else "withdraw", part, part=part.number))
        if taken.cancelled_at is not None and part.money == "saved":
            moves.append(shift(MONEY, "void", part, part=part.number))
    jobs.settle("charging.send", str(charge.pk))
    note(
        taken, "charge_withdrawn", actor=SYSTEM, part=part, text="The charge was taken back before it was sent",
        moves=moves, data={"charge": charge.pk},
    )  # fmt: skip
    give_surplus_back(taken, part)
    return True


def withdraw_order(*, order: str) -> None:
    """An order was cancelled: close its card pages, take back charges not sent, ask after those that were."""
    known = find(order)
    if known.cancelled_at is None:
        return
    close_links(known)
    asking = False
    for (charge_id,) in rows(
        "SELECT c.id FROM orders_charge c JOIN orders_part p ON p.id = c.part_id WHERE p.order_id = %s "
        "AND c.state IN ('intended', 'created', 'confirming') ORDER BY c.id",
        [known.pk],
    ):
        asking |= not send_charge(int(charge_id))
    if asking:
        raise jobs.Later(5, "the bank has not answered yet")


# --- money that a person holds --------------------------------------------------------------------------------------


def _record_payment(order: str, actor: Actor, wanted: int | None, given: dict[str, object]) -> Order:
    reference, amount, brand, last4 = _checked_payment(given)
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        gates = {p.number: may_charge(facts, p, offline=True) for p in facts.parts if wanted in {None, p.number}}
        if not gates:
            raise Invalid(("part", f"{order} has no part {wanted}"))
        if not taken.payment_method or taken.payment_method == "card":
            raise blocked("no_payment_method", "this order is paid by card; charge the card or send a pay link")
        number = next((n for n, blockers in gates.items() if not blockers), None)
        if number is None:
            raise Refused(_most_telling(list(gates.values())))
        part = Part.objects.get(order=taken, number=number)
        if amount != due_of(part):
            raise Invalid(("amount", f"{due_of(part)} is due, not {amount}"))
        attempt = Charge.objects.filter(part=part).count() + 1
        key = f"offline-{taken.token[:20]}-{number}-{attempt}"
        charge = Charge.objects.create(
            part=part, attempt=attempt, amount=amount, currency=taken.currency, state="succeeded",
            method=taken.payment_method, create_key=key, confirm_key=key, reference=reference, brand=brand, last4=last4,
            actor=actor.name, made_at=clock.real_now(), settled_at=clock.business_now(),
        )  # fmt: skip
        moves = [shift(MONEY, "record", part, part=number)]
        write_capture(taken, part, charge, amount=amount, by=actor.name, moves=moves)
    return find(order)


def _checked_payment(given: dict[str, object]) -> tuple[str, int, str, str]:
    wrong = []
    amount = given.get("amount")
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
        wrong.append(("amount", "the amount in minor units"))
    texts = {}
    for name, limit in (("reference", 120), ("brand", 20)):
        try:
            texts[name] = clean(str(given.get(name) or ""))
        except ValueError as error:
            wrong.append((name, str(error)))
            continue
        if len(texts[name]) > limit:
            wrong.append((name, f"at most {limit} characters"))
    if not texts.get("reference"):
        wrong.append(("reference", "the number on the terminal's slip, the cheque or the transfer"))
    last4 = str(given.get("last4") or "")
    if last4 and not (len(last4) == 4 and last4.isascii() and last4.isdigit()):
        wrong.append(("last4", "the last four digits of the card"))
    if wrong:
        raise Invalid(*wrong)
    return texts["reference"], int(str(amount)), texts["brand"], last4
