"""What follows when goods that a customer has paid for do not come: noted, asked, taken back, refunded. Each once.

Every act takes the order and asks the facts again, so that whoever comes second, or again after a crash, finds it done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any

from django.db.models import F

from counterfoil.core import clock
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Refused
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.flow.amend.cancel import cancel_taken
from counterfoil.flow.amend.change import make_change
from counterfoil.flow.cover import due_cover, ends_the_order, regained, to_refund, uncovered, uncovered_parts
from counterfoil.flow.rules import may_cancel
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.catalogue.similar import similar_products
from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.records.orders.load import facts_of, find, note, take
from counterfoil.records.orders.models import Line, Order, Part, Proposal
from counterfoil.records.orders.slip import mail_slip, say_date
from counterfoil.records.stock.models import Balance
from counterfoil.steps.alternatives.actions import propose_alternatives, withdraw_told
from counterfoil.steps.alternatives.choices import complete
from counterfoil.steps.alternatives.notices import cancel_part
from counterfoil.steps.alternatives.queries import named_skus, read_order, read_terms
from counterfoil.steps.sourcing.actions import fill_waiting

WHY = "We could not ship what you have paid for"
MOST_SUBSTITUTES = 2
LONGEST_GUESS = 7  # days, of a supplier who never said how long they take


def note_cover_lost(*, order: str) -> bool:
    """A charged part has lost its cover: since now, and the customer has the shop's days to answer.

    What is free on the shelf is given out first: where a bottle breaks, another may stand beside it.
    """
    _try_the_shelf(order)
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        lost = [p for p in uncovered_parts(facts) if not p.cover_lost]
        if due_cover(facts) != "note_cover_lost":
            return False
        days = shop().business_days_from(shop().today(), shop().cannot_ship_days)
        lasts = [_last_day(part, days) for part in lost]
        for part, last in zip(lost, lasts, strict=True):
            Part.objects.filter(order=taken, number=part.number).update(
                cover_lost_at=clock.business_now(), cover_refund_on=last,
                cover_asked_at=None, cover_question=None, waits_until=None,
            )  # fmt: skip
        said = "; ".join(b.message for part in lost for b in uncovered(facts, part))
        note(
            taken,
            "cover_lost",
            actor=SYSTEM,
            text=f"Charged, and cannot be shipped: {said}"[:500],
            data={"parts": [p.number for p in lost], "refund_after": min(lasts).isoformat()},
        )
    return True


def _last_day(part: PartFacts, days: date) -> date:
    """The shop's days for an answer, or the law's last day for shipping, whichever comes first; today at the least."""
    legal = part.legal_deadline
    return days if legal is None else max(min(days, legal), shop().today())


def _try_the_shelf(number: str) -> None:
    """Give what is free of the missing products to whoever waits for it; in transactions of its own."""
    lost = [line.id for part in uncovered_parts(facts_of(find(number))) for line in part.lines if line.open_units > 0]
    free = Balance.objects.filter(on_hand__gt=F("reserved"), product__line__in=lost)
    products = sorted(set(free.values_list("product_id", flat=True)))
    if products:
        fill_waiting(product_ids=products, actor=SYSTEM)


def note_cover_back(*, order: str) -> bool:
    """What was missing is here, due in time, or not wanted any more: our question is taken back, if it is open."""
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        if due_cover(facts) != "note_cover_back":
            return False
        back = [p for p in facts.parts if regained(facts, p)]
        numbers = [p.number for p in back]
        mine = Part.objects.filter(order=taken, number__in=numbers)
        asked = [pk for pk in mine.values_list("cover_question", flat=True) if pk is not None]
        mine.update(cover_lost_at=None, cover_asked_at=None, cover_question=None, cover_refund_on=None)
        waits = max((p.waits_until for p in back if p.waits_until), default=None)
        until = "" if waits == date.max else f" until {say_date(waits)}"
        text = f"The customer agreed to wait{until}" if waits else "What was paid for can be shipped after all"
        note(taken, "cover_back", actor=SYSTEM, text=text, data={"parts": numbers})
        if any(not p.cover_lost for p in uncovered_parts(facts)):
            return True
        for question in Proposal.objects.filter(pk__in=asked, state=Proposal.OPEN):
            withdraw_told(taken, question, actor=SYSTEM, because="what you ordered can be shipped after all")
    return True


def ask_uncovered(*, order: str) -> bool:
    """Ask the customer, the same day: wait, take something else, or have the money back."""
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        if due_cover(facts) != "ask_uncovered":
            return False
        lost = [p for p in uncovered_parts(facts) if not p.cover_asked]
        days = [p.cover_refund_on for p in lost if p.cover_refund_on]
        last = max(min(days, default=shop().today()), shop().today())  # asked late: they have today at the least
        choices = _choices(taken, facts, lost)
        asked = None
        if choices:
            asked = propose_alternatives(
                order=order,
                actor=SYSTEM,
                choices=choices,
                message=_message(taken, facts, lost, last),
                expires_at=shop().moment_of(last + timedelta(days=1), time()),
            )
        Part.objects.filter(order=taken, number__in=[p.number for p in lost]).update(
            cover_asked_at=clock.business_now(), cover_question=asked.pk if asked else None, cover_refund_on=last
        )
        if asked is None:
            note(taken, "cover_unasked", actor=SYSTEM, text="There is nothing to offer by mail: call the customer")
    return True


def refund_uncovered(*, order: str) -> bool:
    """The last day for an answer is over: the order is cancelled and all of its money goes back, unasked."""
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        if due_cover(facts) != "refund_uncovered":
            return False
        if ends_the_order(facts):
            cancel_taken(taken, facts, f"{WHY}, and had no answer to our question", actor=SYSTEM)
            return True
        for part in to_refund(facts):
            asked = Proposal.objects.filter(order=taken).order_by("-pk").first()
            if asked is not None:
                change = make_change(taken, asked, cancel_part(read_order(taken), part.number), actor=SYSTEM)
                _mail_part(taken, part, change.refunded)
    return True


def _mail_part(order: Order, part: PartFacts, refunded: int) -> None:
    """What has been cancelled of an order that goes on otherwise."""
    owe_mail(
        "amended",
        to=order.email,
        key=f"{order.number}:uncovered:{part.number}:v{order.version}",
        context={
            **mail_slip(order, list(Line.objects.filter(order=order).order_by("position"))),
            "subject": f"{order.number}: what we could not ship is cancelled and refunded",
            "choice": f"{WHY}. It is cancelled; the rest of your order stands",
            "date": "",
            "refund": show(refunded, order.currency) if refunded else "",
        },
    )


# --- the question ---------------------------------------------------------------------------------------------------


def _message(order: Order, facts: OrderFacts, lost: Sequence[PartFacts], last: date) -> str:
    """In the customer's words: what is wrong, what we hold of theirs, and what happens without an answer."""
    names = ", ".join(f"{line.open_units} × {line.name}" for part in lost for line in part.lines if line.open_units > 0)
    whole = not may_cancel(facts) and len(lost) == len([p for p in facts.parts if p.live])
    of = facts.parts if whole else lost
    paid = show(sum(p.charged - p.refunded - p.refund_owed for p in of), order.currency)
    end = f"we cancel {'the order' if whole else 'it'} and give you back the full {paid}, without your doing anything"
    return (
        f"You have paid for {names}, and we cannot ship it as we promised. We are sorry. Please tell us what you would "
        f"like. If we hear nothing by {say_date(last)}, {end}."
    )


def _choices(order: Order, facts: OrderFacts, lost: Sequence[PartFacts]) -> list[dict[str, Any]]:
    """Wait, substitutes that are on the shelf, without what is missing, all back: whatever of it is possible."""
    ids = [line.id for part in lost for line in part.lines if line.open_units > 0]
    lines = {ln.pk: ln for ln in Line.objects.filter(pk__in=ids).select_related("product__supplier", "product__family")}
    parts = [p for p in facts.parts if p.live]
    wanted: list[dict[str, Any]] = []
    for part in lost:
        wait: dict[str, Any] = {"kind": "later_date", "date": _earliest(facts, part, lines)}
        if len(parts) > 1:
            wait["line"] = next(str(ln.id) for ln in part.lines if ln.open_units > 0)
        wanted.append(wait)
        for facing in part.lines:
            if facing.id in lines:
                wanted += _substitutes(lines[facing.id], facing.open_units)
    everything = {line.id for part in parts for line in part.lines if line.quantity}
    if everything - set(ids) or may_cancel(facts):
        wanted += [{"kind": "cancel", "line": str(pk), "quantity": lines[pk].open_units} for pk in ids if pk in lines]
    wanted.append({"kind": "cancel"})
    state, terms = read_order(order), read_terms(order, named_skus(wanted))
    found = []
    for choice in wanted:
        try:
            complete([choice], state, terms)
        except (Invalid, Refused):
            continue  # not possible for this order: one choice less
        found.append(choice)
    return found[:10]


def _substitutes(line: Line, units: int) -> list[dict[str, Any]]:
    """The products most like it of which as many are on the shelf: at no higher price, since the old one is paid."""
    found = similar_products(line.product, quantity=units, limit=MOST_SUBSTITUTES * 2)
    return [
        {
            "kind": "substitute",
            "line": str(line.pk),
            "sku": other.product.sku,
            "quantity": units,
            "price": min(other.product.price, line.unit_price),
        }
        for other in found
        if other.enough
    ][:MOST_SUBSTITUTES]


def _earliest(facts: OrderFacts, part: PartFacts, lines: Mapping[int, Line]) -> str:
    """When all of the part can be here: what suppliers have confirmed, else their own word of how long they take."""
    settings, days = shop(), []
    for line in part.lines:
        if line.open_units <= 0:
            continue
        known = line.due_date if line.due_confirmed >= line.open_units else None
        if known is None or known < facts.today:
            product = lines[line.id].product
            usual = product.supplier.lead_time_days if product.supplier else LONGEST_GUESS
            takes = product.lead_time_days if product.lead_time_days is not None else usual
            known = settings.business_days_from(facts.today, takes + settings.ship_within_days)
        days.append(known)
    return max(days).isoformat()


# What `cover.due_cover` names, by an order's number.
COVER: dict[str, Callable[[str], bool]] = {
    "note_cover_lost": lambda number: note_cover_lost(order=number),
    "note_cover_back": lambda number: note_cover_back(order=number),
    "ask_uncovered": lambda number: ask_uncovered(order=number),
    "refund_uncovered": lambda number: refund_uncovered(order=number),
}
