"""What each kind of choice does to lines, parts, promise and money."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import Actor
from counterfoil.core.machine import shift
from counterfoil.core.money import step
from counterfoil.flow.amend.making import Change, begin, finish, next_position, open_up, promise
from counterfoil.flow.amend.totals import lines_of, money_of, retotal, write
from counterfoil.flow.amend.units import reserve_now, take_off
from counterfoil.flow.rules import NO_MONEY_YET, touched
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.load import note
from counterfoil.records.orders.models import MONEY, Amendment, Hold, Line, Order, Part, Promise, Proposal
from counterfoil.records.orders.offers import release_offered
from counterfoil.records.orders.promises import keep_promise
from counterfoil.records.stock.ledger import change_waiting
from counterfoil.steps.alternatives.arithmetic import Sums, divide, hand_over, keep, priced
from counterfoil.steps.alternatives.choices import units_offered
from counterfoil.steps.alternatives.queries import line_money, read_order, sums_of
from counterfoil.steps.alternatives.rules import singles
from counterfoil.steps.alternatives.state import receiver_of


def make_change(
    order: Order, asked: Proposal, choice: Mapping[str, Any], *, actor: Actor, silence: bool = False
) -> Change:
    """Amend an order that the caller has taken as its customer chose, with journal, papers, record and refund.

    `silence`: they chose nothing, and it is what they were told that no answer means. Nobody has agreed to it.
    """
    change = Change(order, choice, actor)
    before = begin(change, list(units_offered([choice])))
    change.kept = release_offered(asked, order=order, actor=actor)
    _KINDS[choice["kind"]](change)
    _let_go_on(change)
    finish(
        change,
        before,
        kind=Amendment.ANSWER,
        text=f"{'No yes came in time' if silence else 'Changed as the customer chose'}: {change.words}",
        data={"proposal": asked.pk, "kind": choice["kind"]},
        changes=[choice],
        consent={} if silence else _consent(order, asked),
        proposal=asked,
    )
    return change


def _consent(order: Order, asked: Proposal) -> dict[str, Any]:
    return {
        "how": "link" if asked.answered_via == "link" else "telephone",
        "who": asked.spoken_to or order.name,
        "at": asked.answered_at.isoformat() if asked.answered_at else None,
        "note": asked.answered_via,
    }


def _let_go_on(change: Change) -> None:
    """The holds that this answer lifts: the customer has taken the weather upon themselves, or pays for speed."""
    wanted = [int(pk) for pk in change.choice.get("releases") or ()]
    for hold in Hold.objects.filter(order=change.order, pk__in=wanted, released_at=None).order_by("pk"):
        hold.released_at, hold.released_by = clock.business_now(), change.actor.name
        hold.save(update_fields=["released_at", "released_by"])
        note(
            change.order,
            "hold_released",
            actor=change.actor,
            text=f"Hold released, as the customer chose: {hold.reason}",
            data={"hold": hold.pk},
        )


def _cancel_units(change: Change, line: Line, units: int) -> None:
    """The customer no longer wants these units; the line keeps their number."""
    left = keep(line_money(line), line.quantity - units)
    take_off(line, units, order=change.order, actor=change.actor)
    line.cancelled += units
    line.tax = left.tax
    line.save(update_fields=["cancelled", "tax"])


def _substitute(change: Change) -> None:
    part = change.part(change.choice["part"])
    before = money_of(part)
    open_up(change, part)
    _stand_in(change, part, change.choice)
    retotal(part, before, change.order.currency)
    promise(change, part, "substitute accepted")


def _several(change: Change) -> None:
    """Several lines at once; each part is summed up once, as it was when it was offered."""
    for number in change.choice["parts"]:
        part = change.part(number)
        before = money_of(part)
        open_up(change, part)
        for one in singles(change.choice):
            if one["part"] == number and one["kind"] == "substitute":
                _stand_in(change, part, one)
            elif one["part"] == number:
                _cancel_units(change, change.line(one["line"]), int(one["quantity"]))
        retotal(part, before, change.order.currency)
        promise(change, part, "change accepted")


def _stand_in(change: Change, part: Part, choice: Mapping[str, Any]) -> None:
    """Another product instead of these units, with what the question has kept of it."""
    old = change.line(choice["line"])
    quantity = int(choice["quantity"])
    _cancel_units(change, old, quantity)
    product = Product.objects.get(pk=choice["product"])
    money = priced(quantity, int(choice["price"]), int(choice["tax_ppm"]))
    came = Line.objects.create(
        order=change.order,
        part=part,
        position=next_position(change.order),
        product=product,
        sku=product.sku,
        name=product.name,
        quantity=quantity,
        unit_price=money.unit_price,
        tax_ppm=money.tax_ppm,
        tax=money.tax,
        replaces=old,
    )
    change_waiting({product.pk: quantity})
    mine = min(quantity, change.kept.get(product.pk, 0))
    reserve_now(came, mine, order=change.order, actor=change.actor)
    change.kept[product.pk] = change.kept.get(product.pk, 0) - mine


def _expedite(change: Change) -> None:
    part = change.part(change.choice["part"])
    change.order.shipping_method = change.choice["method"]
    change.order.save(update_fields=["shipping_method"])
    retotal(part, money_of(part), change.order.currency, shipping=int(change.choice["price"]))
    promise(change, part, "faster delivery accepted")


def _later_date(change: Change) -> None:
    for number in change.choice["parts"]:
        part = change.part(number)
        promise(change, part, "later date accepted", delay=True)
        if part.money == "charged":
            # They have paid, and agree to wait for the goods until then.
            part.waits_until = change.day or date.max
            part.save(update_fields=["waits_until"])


def _cancel_line(change: Change) -> None:
    choice = change.choice
    part = change.part(choice["part"])
    before = money_of(part)
    open_up(change, part)
    _cancel_units(change, change.line(choice["line"]), int(choice["quantity"]))
    retotal(part, before, change.order.currency)
    if not any(line.quantity for line in lines_of(part)):
        _empty(change, part)
    else:
        promise(change, part, "line cancelled")


def _cancel_parts(change: Change) -> None:
    """Everything of these parts that has not left, whatever becomes of the others."""
    for number in change.choice["parts"]:
        part = change.part(number)
        before = money_of(part)
        open_up(change, part)
        for line in lines_of(part):
            if line.quantity > line.shipped:
                _cancel_units(change, line, line.quantity - line.shipped)
        retotal(part, before, change.order.currency)
        if not any(line.quantity for line in lines_of(part)):
            _empty(change, part)


def _empty(change: Change, part: Part) -> None:
    """The part has lost its last line: its shipping goes to a part still to be paid, and it is charged nothing."""
    state = read_order(change.order)
    taker = receiver_of(state, next(p for p in state.parts if p.number == part.number))
    receiver = change.part(taker.number) if taker else None
    emptied, handed = hand_over(
        sums_of(part, change.order.currency),
        sums_of(receiver, change.order.currency) if receiver else None,
        charged=part.money in {"charged", "receivable"},
    )
    write(part, emptied)
    if receiver is not None and handed is not None:
        write(receiver, handed)
    if part.money in NO_MONEY_YET:
        change.moves.append(shift(MONEY, "void", part, part=part.number))


def _split(change: Change) -> None:
    order, parent = change.order, change.part(change.choice["part"])
    before = money_of(parent)
    open_up(change, parent)
    last = max(Part.objects.filter(order=order).values_list("number", flat=True))
    later = Part.objects.create(
        order=order,
        number=last + 1,
        subtotal=0,
        shipping=0,
        tax=0,
        total=0,
        legal_deadline=parent.legal_deadline,
    )
    change.touched[later.number] = later
    for pk, units in touched(change.choice):
        _move_units(change, change.line(pk), units, later)
    moved = money_of(later)
    sums = Sums(sum(m.net for m in moved), 0, sum(m.tax for m in moved), step=step(order.currency)).chargeable()
    write(later, sums)
    # What the later part was rounded by, the first one is rounded less: together they cost what they did.
    parent.rounding -= sums.rounding
    retotal(parent, before, order.currency)
    if parent.money != MONEY.first and order.card_state == "saved":
        change.moves.append(shift(MONEY, "save", later, part=later.number))
    if change.day is not None:
        promise(change, later, "split accepted")
    elif parent.promise_date is not None:
        _promise_as(change, later, parent.promise_date)


def _promise_as(change: Change, part: Part, day: date) -> None:
    """The new part keeps the promise that its units had, also one that is over."""
    keep_promise(change.order, part, day, basis="split accepted", actor=change.actor, consent=Promise.EXPRESS)


def _move_units(change: Change, line: Line, units: int, later: Part) -> None:
    """Units of a line go to the later part: the whole line with what is reserved for it, or a piece without."""
    if units == line.quantity:
        line.part = later
        line.save(update_fields=["part"])
        return
    stays, moved = divide(line_money(line), units)
    take_off(line, units, order=change.order, actor=change.actor)
    line.tax = stays.tax
    line.save(update_fields=["tax"])
    Line.objects.create(
        order=change.order,
        part=later,
        position=next_position(change.order),
        product=line.product,
        sku=line.sku,
        name=line.name,
        quantity=units,
        unit_price=line.unit_price,
        tax_ppm=line.tax_ppm,
        tax=moved.tax,
    )
    change_waiting({line.product_id: units})


def _as_is(change: Change) -> None:
    """Only the hold goes."""


_KINDS = {
    "substitute": _substitute,
    "expedite": _expedite,
    "split": _split,
    "later_date": _later_date,
    "cancel": _cancel_line,
    "as_is": _as_is,
    "cancel_parts": _cancel_parts,
    "change": _several,
}
