"""What follows when goods that a customer has paid for do not come: noted, asked, taken back, refunded. Each once.

Every act takes the order and asks the facts again, so that whoever comes second, or again after a crash, finds it done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.db.models import F

from counterfoil.core import clock
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.flow.amend.cancel import cancel_taken
from counterfoil.flow.amend.change import make_change
from counterfoil.flow.cover import due_cover, ends_the_order, regained, to_refund, uncovered, uncovered_parts
from counterfoil.flow.rules import may_cancel, obstacle
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.records.orders.load import facts_of, find, note, take
from counterfoil.records.orders.models import Line, Notice, Order, Part, Proposal
from counterfoil.records.orders.promises import rule_for
from counterfoil.records.orders.slip import mail_slip, say_date
from counterfoil.records.stock.availability import days_of_lines
from counterfoil.records.stock.models import Balance
from counterfoil.steps.alternatives.actions import withdraw_question, withdraw_told
from counterfoil.steps.alternatives.notices import send_notice
from counterfoil.steps.alternatives.queries import read_order
from counterfoil.steps.alternatives.remedies import Told, cancel_parts
from counterfoil.steps.sourcing.actions import fill_waiting

WHY = "We could not ship what you have paid for"


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
    """Tell the customer, the same day: wait, take something else, or have the money back. It counts as a notice.

    Also while another question is open: this one takes its place, with what of it still stands.
    """
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        if due_cover(facts) != "ask_uncovered":
            return False
        lost = [p for p in uncovered_parts(facts) if not p.cover_asked]
        rows = {p.number: p for p in Part.objects.filter(order=taken)}
        lines = list(Line.objects.filter(order=taken, quantity__gt=0).order_by("position"))
        days = days_of_lines(lines)
        told = []
        for part in lost:
            row = rows[part.number]
            mine = [days[ln.pk].day for ln in lines if ln.part_id == row.pk and ln.open_units > 0]
            known = [day for day in mine if day is not None]
            offered = max(known) if known and len(known) == len(mine) else None
            # Asked late: they have today at the least.
            last = max(part.cover_refund_on or shop().today(), shop().today())
            told.append(Told(row, offered, _reason(taken, facts, part, last), consents=False, answer_by=last))
            row.cover_refund_on, row.cover_asked_at = last, clock.business_now()
        stood, words, others = _earlier(taken, facts, {p.number for p in lost})
        asked = send_notice(taken, told, rule_for(taken), stood=stood, without=True, words=words)
        Notice.objects.filter(pk__in=others).update(proposal=asked, outcome="", closed_at=None)
        for part in lost:
            row = rows[part.number]
            row.cover_question = asked.pk
            row.save(update_fields=["cover_refund_on", "cover_asked_at", "cover_question"])
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
                choice = cancel_parts(read_order(taken), [part.number])
                change = make_change(taken, asked, choice, actor=SYSTEM, silence=True)
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
            "unasked": True,
            "refund": show(refunded, order.currency) if refunded else "",
        },
    )


# --- the question ---------------------------------------------------------------------------------------------------


def _reason(order: Order, facts: OrderFacts, part: PartFacts, last: date) -> str:
    """In the customer's words: what is wrong, what we hold of theirs, and what happens without an answer."""
    missing = [line for line in part.lines if line.open_units > 0]
    names = ", ".join(f"{line.open_units} × {line.name}" for line in missing)
    names = names if len(names) <= 100 else f"{sum(line.open_units for line in missing)} bottles"
    whole = not may_cancel(facts) and all(p.number == part.number for p in facts.parts if p.live)
    paid = show(part.charged - part.refunded - part.refund_owed, order.currency)
    return (
        f"You have paid for {names}, which we cannot ship as we promised. If we hear nothing by {say_date(last)}, we "
        f"cancel {'the order' if whole else 'it'} and give you back the full {paid} by ourselves"
    )


def _earlier(order: Order, facts: OrderFacts, lost: set[int]) -> tuple[list[dict[str, Any]], str, list[int]]:
    """Close what the customer is being asked: what still stands of its choices and words, and the notices of others.

    Of what we said ourselves nothing is kept: it is said anew. Nor is a date of what does not come.
    """
    stood, words, others = list[dict[str, Any]](), list[str](), list[int]()
    for asked in Proposal.objects.filter(order=order, state=Proposal.OPEN):
        of_others = Notice.objects.filter(proposal=asked, closed_at=None).exclude(part__number__in=lost)
        others += of_others.values_list("pk", flat=True)
        if asked.made_by != SYSTEM.name or others:
            stood += [c for c in asked.choices if _stands(facts, lost, c)]
            words += [asked.message] if asked.made_by != SYSTEM.name else []
        because = "what you have paid for cannot be shipped as we promised, and we have asked you anew"
        withdraw_question(order, asked, actor=SYSTEM, because=because)
    return stood, " ".join(words), others


def _stands(facts: OrderFacts, lost: set[int], choice: Mapping[str, Any]) -> bool:
    """Whether a choice can be kept as it was told: a wine instead, or going without; a date of another part."""
    if obstacle(facts, choice) is not None:
        return False
    kept = {"substitute", "change"} if choice.get("line") is None else {"substitute", "cancel"}
    return choice["kind"] in kept or not lost & set(choice.get("parts") or [choice.get("part", min(lost))])


# What `cover.due_cover` names, by an order's number.
COVER: dict[str, Callable[[str], bool]] = {
    "note_cover_lost": lambda number: note_cover_lost(order=number),
    "note_cover_back": lambda number: note_cover_back(order=number),
    "ask_uncovered": lambda number: ask_uncovered(order=number),
    "refund_uncovered": lambda number: refund_uncovered(order=number),
}
