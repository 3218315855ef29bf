"""Writing down what the processor did: the only place where money taken enters our books."""

from __future__ import annotations

from counterfoil.core import clock, documents, jobs
from counterfoil.core.actor import SYSTEM, Actor
from counterfoil.core.db import writing
from counterfoil.core.machine import Move, shift
from counterfoil.core.money import show
from counterfoil.gateways.card.protocol import Intent, Saved
from counterfoil.records.books.ledger import post
from counterfoil.records.orders.load import note, take
from counterfoil.records.orders.models import MONEY, Charge, Order, Part, PayLink
from counterfoil.records.orders.refunds import decide_refund, disputed_of, refundable
from counterfoil.records.orders.slip import order_paper, say_moment
from counterfoil.steps.charging.dunning import begin_dunning, end_dunning
from counterfoil.steps.charging.keeping import keep_card

CARD_METHODS = ("card", "link")
UNSETTLED = ("intended", "created", "confirming", "capturing")  # of a hold that only stands: held, which is settled


def settle_success(charge_id: int, intent: Intent, *, by: str) -> None:
    """A charge of ours is proven: money, books, receipt and journal in one transaction. Once, whoever comes first."""
    charge = Charge.objects.select_related("part__order").get(pk=charge_id)
    with writing():
        taken = take(charge.part.order.number)
        settled = Charge.objects.filter(pk=charge_id, state__in=(*UNSETTLED, "held")).update(
            state="succeeded",
            amount=intent.captured,
            charge_id=intent.charge_id,
            brand=intent.brand or taken.card_brand,
            last4=intent.last4 or taken.card_last4,
            settled_at=clock.business_now(),
        )
        if not settled:
            return
        charge.refresh_from_db()
        part = Part.objects.get(pk=charge.part_id)
        more = list(Charge.objects.filter(part=part, to_capture__isnull=False, state__in=(*UNSETTLED, "held")))
        for other in more:
            # The other half of this money: should this process die now, its own job takes it.
            jobs.enqueue("charging.send", key=str(other.pk), payload={"charge": other.pk}, delay=30)
        flying = part.money in {"charging", "unknown"} and not more
        moves = [shift(MONEY, "capture", part, part=part.number)] if flying else []
        if charge.kind == Charge.HOLD and not charge.supplement:
            part.authorisation_amount = part.authorisation_expires_at = None
            part.save(update_fields=["authorisation_amount", "authorisation_expires_at"])
        write_capture(taken, part, charge, amount=charge.amount, by=by, moves=moves)
        jobs.settle("charging.send", str(charge_id))


def settle_held(charge_id: int, intent: Intent) -> None:
    """The bank holds the amount for us, until the day that it names. Nothing is taken, nothing enters the books."""
    charge = Charge.objects.select_related("part__order").get(pk=charge_id)
    with writing():
        taken = take(charge.part.order.number)
        settled = Charge.objects.filter(pk=charge_id, state__in=("created", "confirming")).update(
            state="held",
            held=intent.held,
            expires_at=intent.expires_at,
            charge_id=intent.charge_id,
            brand=intent.brand or taken.card_brand,
            last4=intent.last4 or taken.card_last4,
        )
        jobs.settle("charging.send", str(charge_id))
        if not settled or charge.supplement:
            return
        part = Part.objects.get(pk=charge.part_id)
        part.authorisation_amount, part.authorisation_expires_at = intent.held, intent.expires_at
        part.authorisation_warned_at = None
        part.save(update_fields=["authorisation_amount", "authorisation_expires_at", "authorisation_warned_at"])
        end_dunning(taken, part)
        ask = MONEY.target("authorise", part.money) is not None
        until = f" until {say_moment(intent.expires_at)}" if intent.expires_at else ""
        note(
            taken,
            "card_authorised",
            actor=SYSTEM,
            part=part,
            text=f"The bank holds {show(intent.held, taken.currency)} for us{until}; nothing charged",
            moves=[shift(MONEY, "authorise", part, part=part.number)] if ask else [],
            data={"charge": charge_id, "amount": intent.held},
        )


def settle_lapse(charge_id: int, *, why: str) -> None:
    """The bank holds an amount no more. In the middle of a charge the saved card is charged in its place."""
    charge = Charge.objects.select_related("part__order").get(pk=charge_id)
    with writing():
        taken = take(charge.part.order.number)
        taking = charge.to_capture is not None
        gone = Charge.objects.filter(pk=charge_id, state__in=("held", "capturing"))
        if not gone.update(state="lapsed", to_capture=None, settled_at=clock.business_now()):
            return
        part = Part.objects.get(pk=charge.part_id)
        if not charge.supplement:
            part.authorisation_amount = part.authorisation_expires_at = None
            part.save(update_fields=["authorisation_amount", "authorisation_expires_at"])
        for other in Charge.objects.filter(part=part, to_capture__isnull=False, state="held"):
            Charge.objects.filter(pk=other.pk).update(to_capture=None, capture_key="", capture_asked_at=None)
            jobs.enqueue("charging.release", key=taken.number, payload={"order": taken.number})
        moves = [shift(MONEY, "lapse", part, part=part.number)] if part.money == "authorised" else []
        note(
            taken,
            "authorisation_lapsed",
            actor=SYSTEM,
            part=part,
            text=f"{show(charge.held or charge.amount, taken.currency)} is held no more: {why}",
            moves=moves,
            data={"charge": charge_id},
        )
        if taking and part.money in {"charging", "unknown"}:
            intend_from_card(taken, part, by=charge.actor)


def intend_from_card(taken: Order, part: Part, *, by: str) -> Charge:
    """A charge of the saved card for what the part still costs, its keys stored; inside `writing()`."""
    attempt = Charge.objects.filter(part=part).count() + 1
    key = f"pi-{taken.token[:20]}-{part.number}-{attempt}"
    charge = Charge.objects.create(
        part=part,
        attempt=attempt,
        amount=max(0, part.total - part.paid),
        currency=taken.currency,
        create_key=key,
        confirm_key=f"{key}-confirm",
        actor=by,
        made_at=clock.real_now(),
    )
    # Should this process die now, the job finds the charge and goes on where it stood.
    jobs.enqueue("charging.send", key=str(charge.pk), payload={"charge": charge.pk}, delay=30)
    return charge


def write_capture(taken: Order, part: Part, charge: Charge, *, amount: int, by: str, moves: list[Move]) -> None:
    """The consequences of money taken; inside `writing()`, the order taken, the charge marked as succeeded."""
    part.charged += amount
    part.charged_at = clock.business_now()
    part.charged_by = by
    part.save(update_fields=["charged", "charged_at", "charged_by"])
    if part.money == "charged":
        end_dunning(taken, part)
    if amount:
        post_capture(taken, part, charge, amount)
    receipt = issue_receipt(taken, part, charge, amount)
    card = f", {charge.brand} ending in {charge.last4}" if charge.last4 else ""
    note(
        taken,
        "card_charged" if charge.method in CARD_METHODS else "payment_recorded",
        actor=Actor("person", by, "clerk") if by != SYSTEM.name else SYSTEM,
        part=part,
        text=f"{'Charged' if charge.method in CARD_METHODS else 'Recorded'} {show(amount, taken.currency)}{card}",
        moves=moves,
        data={"charge": charge.pk, "amount": amount, "receipt": receipt},
    )
    give_surplus_back(taken, part)


def give_surplus_back(taken: Order, part: Part) -> None:
    """What we hold beyond what the part costs goes back, unasked; inside `writing()`, the order taken.

    It was paid twice, by a page and by us, or amended to cost less, or cancelled while the bank was being asked. What
    we gave up of the price lessens nothing of that.
    """
    if taken.cancelled_at is not None:
        surplus, tax, reason = refundable(part), None, "cancelled before the charge"
    else:
        # What the customer's bank has taken back is here no more, whatever it decides; there is no tax on the rest.
        left = part.paid - sum(disputed_of(part).values()) - part.total
        surplus, tax, reason = min(left, refundable(part)), 0, "paid more than is due"
    if surplus > 0:
        decide_refund(order=taken, part=part, amount=surplus, tax=tax, reason=reason, actor=SYSTEM, settles=True)


def paid_against(part: Part, amount: int) -> dict[str, int]:
    """Of which accounts an amount is that has just been counted as charged: what the books owe for it, as credits.

    Before shipment all of it is the customer's deposit. What was shipped unpaid stood as receivable until now; what is
    paid beyond that is the customer's too, and no part of the sale.
    """
    shipped = part.books == "invoiced" or part.money == "receivable"
    due = max(0, part.total - (part.paid - amount)) if shipped else 0
    settled = min(amount, due)
    return {"receivable": -settled, "customer_deposits": settled - amount}


def post_capture(taken: Order, part: Part, charge: Charge, amount: int) -> None:
    """Into the books (domain: capture before shipment)."""
    asset = "card_clearing" if charge.method in CARD_METHODS else "other_clearing"
    post(
        cause=f"charge:{charge.pk}",
        kind="capture",
        subject=taken.number,
        text=f"Charge of {taken.number}",
        currency=taken.currency,
        amounts={asset: amount, **paid_against(part, amount)},
    )


def issue_receipt(taken: Order, part: Part, charge: Charge, amount: int) -> str | None:
    """The card receipt that goes with the customer's copy; none for cash and cheques without a card."""
    if not (charge.brand and charge.last4 and amount):
        return None
    now = clock.business_now()
    receipt = documents.issue(
        "card-receipt",
        subject=taken.number,
        part=part.number,
        version=charge.attempt,
        content={
            **order_paper(taken, at=now),
            "currency": taken.currency,
            "amount": show(amount, taken.currency),
            "card": {"brand": charge.brand.title(), "last4": charge.last4},
            "charged_at_text": say_moment(now),
            "reference": charge.charge_id or charge.reference or charge.intent_id,
            "for_text": f"Sales order {part.sales_order_number}" if part.sales_order_number else None,
        },
    )
    return receipt.number


def paid_for(part: Part) -> bool:
    """Whether the part was paid by another way while a charge of ours was on its way."""
    return part.charged > 0 and part.paid >= part.total


def settle_decline(charge_id: int, code: str, message: str) -> bool:
    """The bank said no: written down once. True when this call did it."""
    charge = Charge.objects.select_related("part__order").get(pk=charge_id)
    with writing():
        taken = take(charge.part.order.number)
        settled = Charge.objects.filter(pk=charge_id, state__in=UNSETTLED).update(
            state="declined", decline_code=code, decline_message=message[:300], settled_at=clock.business_now()
        )
        if not settled:
            return False
        part = Part.objects.get(pk=charge.part_id)
        moves = []
        if charge.supplement:
            # Nothing of the first hold is taken either: the customer is asked.
            Charge.objects.filter(part=part, to_capture__isnull=False, state="held").update(
                to_capture=None, capture_key="", capture_asked_at=None
            )
        if charge.kind == Charge.HOLD and part.money in {"unpaid", "saved"}:
            moves.append(shift(MONEY, "refuse", part, part=part.number))
        if part.money in {"charging", "unknown"}:
            moves.append(shift(MONEY, "capture" if paid_for(part) else "decline", part, part=part.number))
            if taken.cancelled_at is not None and part.money == "declined":
                moves.append(shift(MONEY, "void", part, part=part.number))
        jobs.settle("charging.send", str(charge_id))
        note(
            taken,
            "charge_declined",
            actor=SYSTEM,
            part=part,
            text=f"The bank declined {show(charge.amount, taken.currency)} ({code})",
            moves=moves,
            data={"charge": charge_id, "decline_code": code},
        )
        give_surplus_back(taken, part)
        if taken.cancelled_at is None and part.money == "declined":
            begin_dunning(taken, part, charge)
    return True


def settle_link_payment(link: PayLink, intent: Intent) -> None:
    """The customer paid at the hosted page: the part is charged.

    Whatever is more than the part costs (it was paid already, or it was amended meanwhile) goes back by itself.
    """
    with writing():
        taken = take(link.order.number)
        # Also one that we thought expired: the processor says that it was paid.
        if not PayLink.objects.filter(pk=link.pk).exclude(state="complete").update(state="complete"):
            return
        if link.part_id is None:
            raise RuntimeError("a page for payment belongs to a part")
        part = Part.objects.get(pk=link.part_id)
        attempt = Charge.objects.filter(part=part).count() + 1
        charge = Charge.objects.create(
            part=part,
            attempt=attempt,
            amount=intent.captured,
            currency=taken.currency,
            state="succeeded",
            method="link",
            create_key=link.key,
            confirm_key=link.key,
            intent_id=intent.id,
            charge_id=intent.charge_id,
            brand=intent.brand,
            last4=intent.last4,
            actor=taken.name,
            made_at=clock.real_now(),
            settled_at=clock.business_now(),
        )
        moves = []
        if MONEY.target("begin", part.money) is not None and part.paid + intent.captured >= part.total:
            # Less than it costs by now (it was amended meanwhile) leaves the part declined, with the rest still due.
            moves = [
                shift(MONEY, "begin", part, part=part.number),
                shift(MONEY, "capture", part, part=part.number),
            ]
        write_capture(taken, part, charge, amount=intent.captured, by=taken.name, moves=moves)
        if intent.method_id and intent.last4 and taken.cancelled_at is None:
            # It worked, where the one before was declined: what is still to be charged is charged to this one.
            taken.card_consent = True
            taken.save(update_fields=["card_consent"])
            keep_card(taken, Saved(intent.method_id, intent.brand, intent.last4), paid=part)
