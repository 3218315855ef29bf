"""Saving a card, and the hosted pages at which a customer saves or pays. Only brand and last four are ours."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from counterfoil.core import clock, jobs
from counterfoil.core.actor import SYSTEM
from counterfoil.core.actor import customer as customer_actor
from counterfoil.core.db import writing
from counterfoil.core.errors import Missing, blocked
from counterfoil.core.shop import shop
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import Refusal, Session, Wrong
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.load import facts_of, find, note, take
from counterfoil.records.orders.models import Line, Order, Part, PayLink
from counterfoil.records.orders.slip import mail_slip
from counterfoil.steps.charging.keeping import keep_card
from counterfoil.steps.charging.keys import KEY_LIFE
from counterfoil.steps.charging.letters import owe_pay_mail
from counterfoil.steps.charging.rules import hold_is_missing, hold_is_over, may_pay
from counterfoil.steps.charging.settle import settle_link_payment

OPEN = PayLink.OPEN
LOOK_SECONDS = 120.0  # how often an open page is asked after
CHECKOUT_LASTS = timedelta(minutes=35)  # an unfinished check-out holds its stock that long


def processor_customer(order: Order) -> str:
    """The processor's customer of this order's customer; made once, under a key that never changes."""
    who = Customer.objects.get(pk=order.customer_id)
    if who.processor_id:
        return who.processor_id
    made = gateway().create_customer(
        name=order.name, email=order.email, reference=str(who.pk), key=f"customer-{order.token[:20]}"
    )
    with writing():
        Customer.objects.filter(pk=who.pk, processor_id="").update(processor_id=made)
    return Customer.objects.get(pk=who.pk).processor_id


def save_card(*, order: str) -> None:
    """Have the processor keep the card that came with the order. Does nothing when that is settled already.

    Raises the gateway's errors when the processor cannot be asked; the job tries again then.
    """
    known = find(order)
    if known.card_state != "to_save" or known.cancelled_at is not None:
        return
    try:
        saved = gateway().save_card(
            customer=processor_customer(known),
            source=known.card_source,
            reference=known.number,
            key=f"setup-{known.token[:20]}",
        )
    except Refusal as refusal:
        _card_refused(order, refusal.code)
        return
    except Wrong:
        # Not a card that the processor knows: for the customer it is the same as a refusal.
        _card_refused(order, "card_unknown")
        return
    with writing():
        taken = take(order)
        if taken.card_state == "to_save":
            keep_card(taken, saved)
            jobs.settle("charging.save_card", order)


def _card_refused(order: str, code: str) -> None:
    with writing():
        taken = take(order)
        if taken.card_state != "to_save":
            return
        taken.card_state = "refused"
        taken.save(update_fields=["card_state"])
        jobs.settle("charging.save_card", order)
        note(
            taken,
            "card_refused",
            actor=SYSTEM,
            text=f"The bank refused to save the card ({code})",
            data={"decline_code": code},
        )
        owe_pay_mail(taken, key="refused")


# --- hosted pages ---------------------------------------------------------------------------------------------------


def open_card_page(*, order: str) -> str:
    """The address of a hosted page at which the customer gives a card: saved only, or charged if a charge was declined.

    The same page is given again while it is open. Raises Refused when nothing is to be paid.
    """
    known = find(order)
    if known.payment_method != "card" or known.cancelled_at is not None:
        raise blocked("cancelled" if known.cancelled_at else "no_payment_method", "there is no card to give here")
    link = _link(order)
    if link.state == "open" and link.url:
        return link.url
    session = gateway().open_session(
        mode=link.mode,
        customer=processor_customer(known),
        amount=link.amount,
        currency=known.currency,
        title=f"Order {known.number}",
        success_url=f"{settings.BASE_URL}/orders/{known.token}/card/done?session={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{settings.BASE_URL}/orders/{known.token}",
        reference={"order": known.number, "link": link.key},
        key=link.key,
    )
    with writing():
        taken = take(order)
        opened = PayLink.objects.filter(pk=link.pk, state="intended").update(
            state="open", session_id=session.id, url=session.url, expires_at=session.expires_at
        )
        if opened:
            note(taken, "card_page_opened", actor=customer_actor(taken.name), text="Card page opened")
            # Should the customer close the window and the webhook be lost, somebody asks all the same.
            jobs.enqueue("charging.look_link", key=str(link.pk), payload={"link": link.pk}, delay=LOOK_SECONDS)
        else:
            PayLink.objects.filter(pk=link.pk).exclude(state="open").update(session_id=session.id, url=session.url)
        link.refresh_from_db()
    if link.state == "open" and link.session_id == session.id:
        # By this call, or by one made in the same moment, which got the same page under the same key.
        return session.url
    # Closed while the processor was making the page: nobody has its address, and nobody may get it.
    gateway().expire_session(session.id, key=f"{link.key}-expire")
    raise blocked("someone_else", "this order has just changed; look at it again")


# As `declines.unpaid_after_decline` has it, in the database's words.
_DECLINED = Q(money="declined") | (Q(money="saved") & ~Q(decline_class=""))


def _link(order: str) -> PayLink:
    """The page to be opened, judged with the order in hand: one for payment while a charge stands declined.

    Once its goods were let go it only saves a card: nobody is charged for what may not be here any more.
    """
    with writing():
        taken = take(order)
        unpaid = Part.objects.filter(_DECLINED, order=taken).order_by("number")
        part = unpaid.filter(let_go_at=None).first() or _no_longer_held(taken)
        wanted = part is not None or taken.card_state != "saved" or unpaid.exists()
        if taken.cancelled_at is not None or not wanted:
            raise blocked("already_charged", "nothing is to be paid at the moment")
        if not taken.finished and taken.placed_at + CHECKOUT_LASTS <= clock.business_now():
            raise blocked("cancelled", "this check-out has taken too long; please start again")
        mode = "payment" if part and _may_be_paid(taken, part) else "setup"
        part = part if mode == "payment" else None
        for old in PayLink.objects.filter(order=taken, state__in=OPEN).order_by("id"):
            if old.expires_at is None:  # not opened yet; its key must still be known there
                usable = clock.real_now() - old.made_at < KEY_LIFE
            else:
                usable = old.expires_at > clock.business_now() + timedelta(minutes=5)
            same = old.mode == mode and (part is None or (old.part_id == part.pk and old.amount == due_of(part)))
            if usable and same:
                return old
            jobs.enqueue("charging.close_link", key=str(old.pk), payload={"link": old.pk})
        count = PayLink.objects.filter(order=taken).count()
        return PayLink.objects.create(
            order=taken,
            part=part,
            mode=mode,
            key=f"link-{taken.token[:20]}-{count + 1}",
            amount=due_of(part) if part else 0,
            made_at=clock.real_now(),
        )


def _no_longer_held(taken: Order) -> Part | None:
    """A part whose money the bank held until its time was over: the customer may pay it with any card instead."""
    facts = facts_of(taken)
    over = [p.number for p in facts.parts if hold_is_over(facts, p) or hold_is_missing(facts, p)]
    return Part.objects.filter(order=taken, number__in=over).order_by("number").first()


def _may_be_paid(taken: Order, part: Part) -> bool:
    """Whether the customer's money may be taken at once. A page takes it like a charge: not before the gate is open.

    Where it is shut (a hold was refused, say, and the goods are not here), the page only saves another card.
    """
    facts = facts_of(taken)
    return not may_pay(facts, next(p for p in facts.parts if p.number == part.number))


def due_of(part: Part) -> int:
    """What is still to be taken for a part, minor units."""
    return max(0, part.total - part.paid)


def finish_session(*, session_id: str) -> None:
    """Look at a hosted page at the processor and write down what came of it. May be called any number of times.

    Raises Missing when the session is none of ours.
    """
    link = PayLink.objects.filter(session_id=session_id).select_related("order").first()
    if link is None:
        raise Missing("this card page is none of ours")
    if link.state == "complete":
        return
    apply_session(link, gateway().get_session(session_id))


def apply_session(link: PayLink, session: Session) -> None:
    """Write down what the processor says of a hosted page."""
    if session.status == "expired":
        with writing():
            take(link.order.number)
            PayLink.objects.filter(pk=link.pk, state__in=OPEN).update(state="expired")
        return
    if session.status != "complete":
        return
    if link.mode == "payment":
        intent = gateway().get_intent(session.intent_id)
        if intent.status == "done":
            settle_link_payment(link, intent)
        return
    if session.saved is None:
        return
    with writing():
        taken = take(link.order.number)
        if not PayLink.objects.filter(pk=link.pk).exclude(state="complete").update(state="complete"):
            return
        if taken.cancelled_at is not None:
            return
        if not taken.card_consent:
            taken.card_consent = True
            taken.save(update_fields=["card_consent"])
        if not taken.finished:
            _finish_checkout(taken)
        if taken.card_state != "saved" or Part.objects.filter(_DECLINED, order=taken).exists():
            keep_card(taken, session.saved)  # also in place of one that the bank has said no to


def _finish_checkout(taken: Order) -> None:
    """The card page was completed: the check-out has become an order."""
    taken.finished = True
    taken.save(update_fields=["finished"])
    note(
        taken,
        "order_placed",
        actor=customer_actor(taken.name),
        text=f"Order placed through {taken.channel}; nothing charged",
        data={"channel": taken.channel, "reference": taken.reference},
    )
    lines = list(Line.objects.filter(order=taken).order_by("position"))
    owe_mail(
        "confirmation",
        to=taken.email,
        key=f"{taken.number}:placed",
        context={**mail_slip(taken, lines), "subject": f"We have your order {taken.number}", "card": True},
    )


def close_link(*, link_id: int) -> None:
    """Close a hosted page at the processor; if it was completed meanwhile, take over what came of it."""
    link = PayLink.objects.filter(pk=link_id).select_related("order").first()
    if link is None or link.state not in OPEN:
        return
    if not link.session_id:
        # The call that would have opened it was lost: nobody has its address, and it charges nobody.
        with writing():
            take(link.order.number)
            PayLink.objects.filter(pk=link.pk, state="intended", session_id="").update(state="expired")
        return
    apply_session(link, gateway().expire_session(link.session_id, key=f"{link.key}-expire"))


def close_links(order: Order) -> None:
    """Close every open hosted page of an order at which money could be paid, before we charge by ourselves."""
    for link in PayLink.objects.filter(order=order, state__in=OPEN, mode="payment").order_by("id"):
        close_link(link_id=link.pk)


def look_at_pages(order: Order) -> None:
    """Ask the processor what came of every hosted page of an order that is open."""
    for link in PayLink.objects.filter(order=order, state="open").order_by("id"):
        finish_session(session_id=link.session_id)


def look_at_link(*, link_id: int) -> None:
    """Ask after one open page, again and again until it is done or its time is over.

    Raises jobs.Later while it stands open.
    """
    link = PayLink.objects.filter(pk=link_id, state="open").first()
    if link is None:
        return
    finish_session(session_id=link.session_id)
    if PayLink.objects.filter(pk=link_id, state="open").exists():
        raise jobs.Later(LOOK_SECONDS, "the customer has not finished at the card page")


def adopt_session(*, session_id: str) -> bool:
    """A page unknown by its id: ours by the key that it carries? Then take it in. False for a stranger's."""
    try:
        session = gateway().get_session(session_id)
    except Wrong:
        return False
    link = PayLink.objects.filter(key=session.reference.get("link", "")).select_related("order").first()
    if link is None:
        return False
    PayLink.objects.filter(pk=link.pk, session_id="").update(session_id=session.id, url=session.url)
    link.refresh_from_db()
    if link.session_id != session.id and session.status != "complete":
        return True  # a page that was made and lost on the way; the one that the customer has is another
    apply_session(link, session)
    return True


def expire_checkout(*, order: str) -> None:
    """An unfinished check-out has had its time: ask the processor, then finish the order or let the stock go."""
    known = find(order)
    if known.finished or known.cancelled_at is not None:
        return
    for link in PayLink.objects.filter(order=known, state__in=OPEN).order_by("id"):
        close_link(link_id=link.pk)
    known = find(order)
    if known.finished:
        return
    with writing():
        take(order)
        jobs.enqueue(
            "flow.cancel",
            key=order,
            payload={
                "order": order,
                "only_unfinished": True,
                "reason": f"the check-out at {shop().name} was not completed",
            },
        )
