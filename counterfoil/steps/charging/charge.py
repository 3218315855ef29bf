"""Charging: intent and key stored before the call, the outcome asked for when it is not known, never twice."""

from __future__ import annotations

import time
from collections.abc import Sequence

from counterfoil.core import clock, jobs
from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Declined, NotBegun, Refused, StillAsking, blocked
from counterfoil.core.machine import shift
from counterfoil.gateways.card.protocol import CardError, NotDone, OutcomeUnknown
from counterfoil.records.orders.load import check, facts_of, find, note, take
from counterfoil.records.orders.models import MONEY, Charge, Order, Part, PayLink
from counterfoil.records.orders.securing import on_shipping
from counterfoil.steps.charging.asked import check_amount, open_parts, owe_charge
from counterfoil.steps.charging.cards import OPEN, close_links, due_of, look_at_pages, save_card
from counterfoil.steps.charging.holding import (
    begin_holds,
    look_at_holds,
    make_hold,
    release_holds,
    to_capture,
    unsettled_of,
)
from counterfoil.steps.charging.offline import record_payment
from counterfoil.steps.charging.rules import may_charge
from counterfoil.steps.charging.sending import send_charge, withdraw_charge
from counterfoil.steps.charging.settle import intend_from_card

PAGES = 3  # tries to find no card page open
PATIENCE = 10.0  # seconds until the asker is told that the bank has not answered
FOLLOWS = "Nothing needs to be done: it is charged by itself once that is known, if it may still be charged then"


def charge_order(
    *,
    order: str,
    actor: Actor,
    part: int | None = None,
    offline: dict[str, object] | None = None,
    version: int | None = None,
    due: int | None = None,
    follows: bool = True,
) -> Order:
    """Charge every part whose gate is open, or the one named. Saves the card first if that job has not run yet.

    `offline` is `{reference, amount, kind?, brand?, last4?}`: money that a person holds is written down instead.
    With `due` the part named is charged that amount or not at all. Where it cannot begin because the processor does not
    say how a card or a page stands, it is owed and follows by itself (`follow_charge`), unless `follows` is False.
    Raises Refused with every blocker, Declined, StillAsking (unknown after ten seconds), Invalid, Forbidden, Missing.
    """
    require(actor, CLERK)
    if version is not None:
        # What the page showed is compared once, before our own writes move the order on.
        with writing():
            take(order, version=version)
    known = find(order)
    if offline is not None:
        return record_payment(known.number, actor, part, offline)
    try:
        _have_card(known)
        begun = _begin(order, part, actor, due)
    except NotBegun as waits:
        if follows:
            owe_charge(order, part, actor)
            raise StillAsking(f"{waits}. {FOLLOWS}") from waits
        raise
    if not _await_all(begun, actor):
        raise StillAsking("the bank has not answered yet; we keep asking. Nothing is charged twice")
    return find(order)


def _have_card(known: Order) -> None:
    """Do what a job of ours has not done yet, or a webhook has not told: the card that the order came with is saved."""
    if known.card_state == "to_save":
        try:
            save_card(order=known.number)
        except (NotDone, OutcomeUnknown) as error:
            raise NotBegun(f"the card is not saved yet: {error}") from error
    if known.payment_method == "card" and find(known.number).card_state != "saved":
        # Perhaps the customer has just given a card at the hosted page, and its webhook is not here yet.
        try:
            look_at_pages(known)
        except CardError as error:
            raise NotBegun(f"the card page cannot be asked: {error}") from error


def _begin(order: str, wanted: int | None, actor: Actor, asked: int | None) -> list[Charge]:
    """Intend a charge of every part that is open: from here on no other can start, and the keys outlive any crash.

    A card page at which the customer could pay the same money is closed at the processor first, and a hold that is
    just being asked for is waited for.
    """
    for _ in range(PAGES):
        try:
            close_links(find(order))
        except CardError as error:
            raise NotBegun(f"a card page is still open and cannot be closed: {error}") from error
        _finish_holds(order)
        with writing():
            taken = take(order)
            facts = facts_of(taken)
            numbers = open_parts(facts, wanted)
            if asked is not None:
                check_amount(taken, numbers, asked)
            busy = PayLink.objects.filter(order=taken, mode="payment", state__in=OPEN).exists()
            if not busy and not any(unsettled_of(order, number) for number in numbers):
                return [charge for number in numbers for charge in _intend(taken, number, actor)]
    raise NotBegun("the customer is just opening a page to pay; look again in a moment")


def _finish_holds(order: str) -> None:
    """A hold that a job of ours has not asked for yet, or has not heard of: do it now, under the same key."""
    facts = facts_of(find(order))
    for part in facts.parts:
        if part.money in {"charging", "unknown"}:
            continue  # a charge is under way, and the gate says so
        for hold in unsettled_of(order, part.number, only_holds=True):
            try:
                known = send_charge(hold)
            except CardError as error:
                raise NotBegun(f"the bank is being asked to hold the amount: {error}") from error
            if not known:
                raise NotBegun("the bank has not answered yet whether it holds the amount")


def _intend(taken: Order, number: int, actor: Actor) -> list[Charge]:
    """The charge of a part: what the bank holds for it is captured, what that does not cover is held first."""
    part = Part.objects.get(order=taken, number=number)
    due = due_of(part)
    hold = Charge.objects.filter(part=part, kind=Charge.HOLD, state="held", supplement=False).order_by("pk").last()
    alive = hold is not None and (hold.expires_at is None or hold.expires_at > clock.business_now())
    if hold is None or not alive or not due:
        charge = intend_from_card(taken, part, by=actor.name)
        made = [charge]
    else:
        charge, made = hold, [hold]
        covered = min(due, hold.held or 0)
        Charge.objects.filter(pk=hold.pk).update(**to_capture(hold.create_key, covered))
        jobs.enqueue("charging.send", key=str(hold.pk), payload={"charge": hold.pk}, delay=30)
        if due > covered:
            made = [make_hold(taken, part, amount=due - covered, by=actor, supplement=True), hold]
    part.charged_by = actor.name
    part.save(update_fields=["charged_by"])
    note(
        taken,
        "charge_begun",
        actor=actor,
        part=part,
        text="Asking the bank",
        moves=[shift(MONEY, "begin", part, part=number)],
        data={"charge": charge.pk, "amount": due},
    )
    return made


def authorise_order(*, order: str, actor: Actor, part: int | None = None, version: int | None = None) -> Order:
    """Have the bank hold what every part (or the one named) costs, for a charge later.

    Raises Refused, Declined, StillAsking, Invalid, Forbidden, Missing.
    """
    require(actor, CLERK)
    if version is not None:
        with writing():
            take(order, version=version)
    try:
        _have_card(find(order))
        look_at_holds(order=order)  # one whose time is over stands in the way of another only until it is looked at
    except NotBegun as waits:
        raise _nothing_held(str(waits)) from waits
    except (CardError, jobs.Later) as error:
        raise _nothing_held(f"the bank still has the old amount: {error}") from error
    if not _await_all(begin_holds(order=order, actor=actor, part=part), actor):
        raise StillAsking("the bank has not answered yet; we keep asking. Nothing is held twice")
    return find(order)


def _nothing_held(why: str) -> Refused:
    """A hold that is wanted by the shop's rule follows by itself; one that a person wants is asked for again."""
    return blocked("charge_in_flight", f"{why}. Nothing is held; ask for it again in a moment")


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
    """Send a charge or a hold and wait for its outcome. False when the bank has not answered; raises Declined."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            settled = send_charge(charge_id, by=actor.name)
        except CardError as error:
            settled = False
            if isinstance(error, NotDone) and error.seconds:
                return False  # nobody asks it until then: the job goes on
        if settled:
            break
        if time.monotonic() >= until:
            return False
        time.sleep(0.5)
    _tell(Charge.objects.get(pk=charge_id))
    return True


def _tell(charge: Charge) -> None:
    """What came of a settled charge, for who asked for it. Raises Declined, or Refused when it was taken back."""
    if charge.state == "lapsed":
        # What was held was gone, and the saved card was charged in its place.
        instead = Charge.objects.filter(part_id=charge.part_id, attempt__gt=charge.attempt, kind=Charge.CHARGE)
        charge = instead.order_by("attempt").first() or charge
    if charge.state == "declined":
        raise Declined(charge.decline_code or "card_declined", charge.decline_message or "the bank declined the card")
    money = Part.objects.values_list("money", flat=True).get(pk=charge.part_id)
    if charge.supplement or charge.state == "succeeded" or (charge.state == "held" and money == "authorised"):
        return  # of two holds the first one tells
    facts = facts_of(find(charge.part.order.number))
    part = next(p for p in facts.parts if p.number == charge.part.number)
    check(may_charge(facts, part))
    raise blocked("someone_else", "the charge was taken back before it was sent; nothing was charged")


def charge_before_shipping(order: str, parts: Sequence[int], actor: Actor) -> None:
    """Take the money of parts that are about to leave; the shop has decided that whoever ships them charges them.

    Raises Refused, Declined; Refused `charge_in_flight` while the bank has not answered: nothing leaves then.
    """
    shipper = Actor(actor.kind, actor.name, CLERK, actor.id)
    for part in parts:
        try:
            charge_order(order=order, actor=shipper, part=part, follows=False)
        except StillAsking as error:
            raise blocked("charge_in_flight", f"{error}; ship it again in a moment") from error


on_shipping(charge_before_shipping)


def withdraw_order(*, order: str) -> None:
    """An order was cancelled: close its card pages, take back charges not sent, ask after those that were."""
    known = find(order)
    if known.cancelled_at is None:
        return
    close_links(known)
    asking = False
    for charge_id in unsettled_of(order):
        asking |= not send_charge(charge_id)
    release_holds(order=order)
    if asking:
        raise jobs.Later(5, "the bank has not answered yet")
