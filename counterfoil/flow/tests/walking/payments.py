"""What happens to money: cards saved, amounts held, charges begun, sent and answered (or not), pages, refunds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from counterfoil.flow.map import due_by_itself, jobs_due
from counterfoil.flow.rules import NO_MONEY_YET
from counterfoil.flow.tests.walking import laws
from counterfoil.flow.tests.walking.gates import is_open
from counterfoil.flow.tests.walking.world import DAY, NOW, Next, World, books, money
from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.records.orders.models import MONEY
from counterfoil.steps.charging.rules import hold_ends_soon, hold_is_idle, hold_is_over

LASTS: timedelta = 2 * DAY  # what the bank holds
NOTHING_HELD: dict[str, Any] = {"authorised": 0, "authorisation_expires_at": None, "authorisation_warned": False}


def cards(world: World) -> Iterator[Next]:
    """The processor saves the card, or refuses; the customer gives another one at a page that only saves."""
    order = world.order
    if order.cancelled or order.payment_method != "card":
        return
    if order.card_state == "to_save":
        yield "the card is saved", _keep_card(world)
        yield "the card is refused", world.of(card_state="refused")
    declined = [p for p in order.parts if p.money == "declined"]
    if (declined and not may_be_paid(order, declined[0])) or (not declined and order.card_state != "saved"):
        yield "the customer saves a card at a page", _keep_card(world.of(card_consent=True, finished=True))


def _keep_card(world: World) -> World:
    kept = {"unpaid", "declined"}
    parts = tuple(
        money(p, "authorise" if p.authorised else "save") if p.money in kept else p for p in world.order.parts
    )
    return world.of(card_state="saved", parts=parts)


def may_be_paid(order: OrderFacts, part: PartFacts) -> bool:
    """Whether a page may take the money at once."""
    return is_open("pay", order, part)


# --- charges --------------------------------------------------------------------------------------------------------


def charges(world: World) -> Iterator[Next]:
    """Begun by anybody, judged once more just before it is sent, answered by the bank: yes, no, in part, or not yet."""
    order = world.order
    for index, part in world.parts():
        flight = world.flights[index]
        if flight != "hold" and order.payment_method == "card" and is_open("charge", order, part):
            laws.must(order.card_state == "saved", "a charge is begun of a card that is saved")
            yield (
                f"a charge of part {part.number} is begun",
                world.with_part(index, money(part, "begin"), flight="intended", page=0),
            )
        if flight == "intended":
            yield _claimed(world, index, part)
        if flight == "sent":
            for words, changed, still in answers(order, part):
                yield f"part {part.number}: {words}", world.with_part(index, changed, flight="sent" if still else "")
        if order.payment_method != "card" and is_open("record", order, part):
            laws.may_be_recorded(order, part)
            paid = money(part, "record", charged=part.total + part.given_back)
            yield f"the payment of part {part.number} is recorded", world.with_part(index, paid)


def _claimed(world: World, index: int, part: PartFacts) -> Next:
    """Just before money moves."""
    if is_open("charge", world.order, replace(part, money="saved")):
        laws.may_be_charged(world.order, part)
        return f"the charge of part {part.number} is sent", world.with_part(index, part, flight="sent")
    return f"the charge of part {part.number} is taken back", world.with_part(
        index, _withdrawn(world.order, part), flight=""
    )


def _withdrawn(order: OrderFacts, part: PartFacts) -> PartFacts:
    if order.cancelled and part.charged:
        return give_back(order, money(part, "capture"))
    part = money(part, "step_back" if part.authorised else "withdraw")
    return money(part, "void") if order.cancelled else part


def answers(order: OrderFacts, part: PartFacts) -> Iterator[tuple[str, PartFacts, bool]]:
    """What the bank may say of a charge that was sent; True: it is still being asked."""
    yield (
        "the bank says yes",
        give_back(order, money(part, "capture", charged=part.total + part.given_back, **NOTHING_HELD)),
        False,
    )
    yield "the bank says no", _declined(order, replace(part, **NOTHING_HELD)), False
    if 0 < part.authorised < part.total - part.paid:
        yield "the bank does not give the difference", _declined(order, part), False
        half = replace(part, charged=part.charged + part.authorised, **NOTHING_HELD)
        yield "what was held is taken, the rest is refused", _declined(order, half), False
    if part.money == "charging":
        yield "the bank does not answer", money(part, "lose_sight"), True
    yield "the bank has never heard of it", _withdrawn(order, part), False


def _declined(order: OrderFacts, part: PartFacts) -> PartFacts:
    part = money(part, "decline")
    return give_back(order, money(part, "void") if order.cancelled else part)


def give_back(order: OrderFacts, part: PartFacts) -> PartFacts:
    """What was taken beyond what the part costs, or for a cancelled order, goes back by itself."""
    surplus = part.charged - part.refunded - part.refund_owed - (0 if order.cancelled else part.total)
    if surplus <= 0:
        return part
    settles = 0 if order.cancelled else surplus
    return replace(part, refund_owed=part.refund_owed + surplus, given_back=part.given_back + settles)


def follow(order: OrderFacts, part: PartFacts, old_total: int) -> PartFacts:
    """After an amendment: paid by now, or due again, or too much is held; money moves only by the balance."""
    if part.charged and part.paid >= part.total and part.money in NO_MONEY_YET:
        part = money(money(part, "begin"), "capture")
    elif part.money == "charged" and part.paid < part.total:
        by_card = order.payment_method == "card" and order.card_state == "saved"
        part = money(part, "grow" if by_card else "grow_in_hand")
    kept = part.charged - part.refunded - part.refund_owed
    back = min(min(old_total, part.paid) - part.total, kept)
    if part.money not in {"charged", "voided"} or back <= 0:
        return part
    return replace(part, refund_owed=part.refund_owed + back, given_back=part.given_back + back)


# --- holds of the bank ----------------------------------------------------------------------------------------------


def holds(world: World) -> Iterator[Next]:
    """Asked for, granted or not, warned of, over, renewed, let go."""
    order = world.order
    for index, part in world.parts():
        flight = world.flights[index]
        if not flight and order.payment_method == "card" and part.total > part.paid and is_open("hold", order, part):
            laws.may_be_held(order, part)
            yield f"the bank is asked to hold part {part.number}", world.with_part(index, part, flight="hold")
        if flight == "hold":
            yield f"the bank holds part {part.number}", world.with_part(index, held(part), flight="")
            refuses = money(part, "refuse") if part.money in {"unpaid", "saved"} else part
            yield f"the bank does not hold part {part.number}", world.with_part(index, refuses, flight="")
            if not is_open("hold", order, part):
                yield "the bank is not asked after all", world.with_part(index, part, flight="")
        if part.authorised and not flight and (hold_is_idle(order, part) or hold_is_over(order, part)):
            yield f"part {part.number} is held no more", world.with_part(index, let_go(part))
        if part.money == "authorised" and not flight:
            yield f"the bank lets part {part.number} go before its time", world.with_part(index, let_go(part))
        if due_by_itself(order) == "warn_of_end" and hold_ends_soon(order, part):
            yield (
                f"the desk is warned of part {part.number}",
                world.with_part(index, replace(part, authorisation_warned=True)),
            )


def held(part: PartFacts) -> PartFacts:
    ask = MONEY.target("authorise", part.money) is not None
    part = money(part, "authorise") if ask else part
    amount = part.total - part.paid
    return replace(part, authorised=amount, authorisation_expires_at=NOW + LASTS, authorisation_warned=False)


def let_go(part: PartFacts) -> PartFacts:
    return replace(money(part, "lapse") if part.money == "authorised" else part, **NOTHING_HELD)


# --- pages ----------------------------------------------------------------------------------------------------------


def pages(world: World) -> Iterator[Next]:
    """The customer opens the page of a declined part, pays there with any card, or it is closed."""
    order = world.order
    declined = next(((n, p) for n, p in world.parts() if p.money == "declined"), None)
    if declined is not None and not order.cancelled and may_be_paid(order, declined[1]):
        index, part = declined
        if not world.pages[index] and part.total > part.paid:
            laws.may_be_charged(order, part, page=True)
            yield (
                f"the customer opens the page of part {part.number}",
                world.with_part(index, part, page=part.total - part.paid),
            )
    for index, part in world.parts():
        if world.pages[index]:
            if "charging.close_pages" not in jobs_due(order):
                laws.may_be_charged(order, part, page=True)  # else it is just being closed
            yield f"part {part.number} is paid at a page", _paid(world, index, part)
            yield f"the page of part {part.number} is closed", world.with_part(index, part, page=0)


def _paid(world: World, index: int, part: PartFacts) -> World:
    part = replace(part, charged=part.charged + world.pages[index])
    if MONEY.target("begin", part.money) is not None and part.paid >= part.total:
        part = money(money(part, "begin"), "capture")
    paid = world.with_part(index, give_back(world.order, part), page=0)
    return paid.of(card_state="saved", card_consent=True)


# --- refunds --------------------------------------------------------------------------------------------------------


def refunds(world: World) -> Iterator[Next]:
    """Decided, in part or whole; failed, and tried again."""
    order = world.order
    for index, part in world.parts():
        left = part.charged - part.refunded - part.refund_owed
        for amount in sorted({1, left}) if left > 0 else ():
            yield (
                f"{amount} of part {part.number} goes back",
                world.with_part(index, replace(part, refund_owed=part.refund_owed + amount)),
            )
        if part.refund_owed and not order.refund_failed:
            yield "the refund fails", world.of(refund_failed=True)
    if order.refund_failed:
        yield "the refund is tried again", world.of(refund_failed=False)


def paying_back(world: World) -> Iterator[Next]:
    """What is owed arrives; what was given back whole after the invoice is credited."""
    for index, part in world.parts():
        if part.refund_owed and not world.order.refund_failed:
            back = replace(part, refunded=part.refunded + part.refund_owed, refund_owed=0)
            yield f"the refund of part {part.number} is paid", world.with_part(index, credited(back))


def credited(part: PartFacts) -> PartFacts:
    """The credit note of what was given back whole after the invoice."""
    whole = part.books == "invoiced" and 0 < part.charged <= part.refunded + part.refund_owed
    return books(part, "credit") if whole else part
