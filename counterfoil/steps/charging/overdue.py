"""When a payment stays away: the card tried again by ourselves, the customer reminded, in the end the goods let go."""

from __future__ import annotations

from counterfoil.core import clock, jobs
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.errors import Declined, Refused, StillAsking
from counterfoil.core.machine import shift
from counterfoil.records.orders.declines import REMINDED
from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.records.orders.load import facts_of, find, note, take
from counterfoil.records.orders.models import STOCK, Line, Order, Part, PayLink
from counterfoil.records.orders.parcels import put_back_parcel
from counterfoil.records.stock.actions import release_line
from counterfoil.records.stock.ledger import lock
from counterfoil.steps.charging.cards import OPEN, close_links
from counterfoil.steps.charging.charge import PAGES, authorise_order, charge_order
from counterfoil.steps.charging.grace import grace_is_over, reminder_is_due, retry_is_due
from counterfoil.steps.charging.letters import owe_let_go, owe_reminder
from counterfoil.steps.charging.rules import hold_was_refused

LOOK_AGAIN = 30.0  # seconds


def retry_charge(*, order: str) -> None:
    """Try the saved card again where its time has come, through the same gate as everybody; a new charge each time.

    Raises jobs.Later when it could not be tried and is still due.
    """
    for number in [p.number for p in facts_of(find(order)).parts]:
        known = find(order)
        facts = facts_of(known)
        part = next(p for p in facts.parts if p.number == number)
        if not retry_is_due(facts, part):
            continue
        try:
            # Bound to what was read: a second of these finds the order changed, and never tries a second time.
            if hold_was_refused(facts, part):
                authorise_order(order=order, actor=SYSTEM, part=number, version=known.version)
            else:
                charge_order(order=order, actor=SYSTEM, part=number, version=known.version, follows=False)
        except (Declined, Refused, StillAsking):
            # Written down already, or somebody was faster, or the bank is being asked by the charge's own job.
            continue
    facts = facts_of(find(order))
    if any(retry_is_due(facts, p) for p in facts.parts):
        raise jobs.Later(LOOK_AGAIN, "the card could not be tried yet")


def remind(*, order: str) -> None:
    """Mail the customer who has not paid, once for each moment that was planned."""
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        for seen in facts.parts:
            if not reminder_is_due(facts, seen) or seen.remind_at is None:
                continue
            part = Part.objects.get(order=taken, number=seen.number)
            # Of several that are overdue one is enough.
            due = facts.now or seen.remind_at
            note(
                taken,
                REMINDED,
                actor=SYSTEM,
                part=part,
                text="The customer is reminded of the payment",
                data={"due": due.isoformat()},
            )
            owe_reminder(taken, part, seen.remind_at)


def let_go(*, order: str) -> None:
    """The grace is over: what was kept goes back on the shelf, after every page to pay was closed at the processor.

    A payment made there in this very moment is taken in first, and the order goes on. Raises the gateway's errors, and
    jobs.Later while the customer is just opening a page.
    """
    for _ in range(PAGES):
        if not _overdue(facts_of(find(order))):
            return
        close_links(find(order))
        with writing():
            taken = take(order)
            found = _overdue(facts_of(taken))
            if not PayLink.objects.filter(order=taken, mode="payment", state__in=OPEN).exists():
                for part in found:
                    _release(taken, Part.objects.get(order=taken, number=part.number))
                return
    raise jobs.Later(LOOK_AGAIN, "the customer is just opening a page to pay")


def _overdue(facts: OrderFacts) -> list[PartFacts]:
    return [p for p in facts.parts if grace_is_over(facts, p)]


def _release(taken: Order, part: Part) -> None:
    """Every unit of the part is anybody's again; the order stays, and a card brings it back to the stock check."""
    lock(Line.objects.filter(part=part).values_list("product_id", flat=True))
    moves = put_back_parcel(taken_order=taken, part=part, actor=SYSTEM)
    units = []
    for line in Line.objects.filter(part=part, quantity__gt=0).order_by("position"):
        if line.reserved:
            units.append(f"{line.reserved} × {line.sku}")
        release_line(line=line, order=taken, actor=SYSTEM)
    if part.stock != STOCK.first:
        moves.append(shift(STOCK, "reopen", part, part=part.number))
    part.let_go_at, part.retry_at = clock.business_now(), None
    part.save(update_fields=["let_go_at", "retry_at"])
    back = f": {', '.join(units)} back on the shelf" if units else ""
    note(taken, "goods_let_go", actor=SYSTEM, part=part, text=f"Not paid in time{back}", moves=moves)
    owe_let_go(taken, part)
