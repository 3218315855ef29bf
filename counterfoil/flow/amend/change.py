"""What each kind of choice does to lines, parts, promise and money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from counterfoil.core import clock, jobs
from counterfoil.core.actor import Actor
from counterfoil.core.machine import Move, shift
from counterfoil.core.money import step
from counterfoil.flow.amend.totals import lines_of, money_of, picture, retotal, retotal_order, write
from counterfoil.flow.amend.units import reserve_now, take_off
from counterfoil.flow.rules import NO_MONEY_YET, touched
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.load import note
from counterfoil.records.orders.models import MONEY, STOCK, Hold, Line, Order, Part, Promise, Proposal
from counterfoil.records.orders.offers import release_offered
from counterfoil.records.orders.parcels import put_back_parcel
from counterfoil.records.orders.promises import keep_promise
from counterfoil.records.orders.refunds import decide_refund, refundable
from counterfoil.records.stock.ledger import change_waiting, lock
from counterfoil.steps.alternatives.arithmetic import Sums, divide, hand_over, keep, priced
from counterfoil.steps.alternatives.queries import line_money, read_order, sums_of
from counterfoil.steps.alternatives.state import receiver_of
from counterfoil.steps.charging.actions import renew_grace


@dataclass
class Change:
    """One amendment while it is made. `touched` are the parts that it changes, by number."""

    order: Order
    choice: Mapping[str, Any]
    actor: Actor
    moves: list[Move] = field(default_factory=list)
    touched: dict[int, Part] = field(default_factory=dict)
    refunded: int = 0
    kept: dict[int, int] = field(default_factory=dict)  # by product, units that the question kept for this customer

    @property
    def day(self) -> date | None:
        given = self.choice.get("date")
        return date.fromisoformat(given) if given else None

    def part(self, number: int) -> Part:
        """A part that is about to change."""
        if number not in self.touched:
            self.touched[number] = Part.objects.get(order=self.order, number=number)
        return self.touched[number]

    def line(self, pk: int) -> Line:
        return Line.objects.get(order=self.order, pk=pk)


def make_change(order: Order, asked: Proposal, choice: Mapping[str, Any], *, actor: Actor) -> Change:
    """Amend an order that the caller has taken, with journal, papers and refund of what was paid too much."""
    change = Change(order, choice, actor)
    before = picture(order)
    paid = {p.number: (p.total, p.tax) for p in Part.objects.filter(order=order)}
    _lock_goods(change)
    change.kept = release_offered(asked, order=order, actor=actor)
    for part in Part.objects.filter(order=order).exclude(let_go_at=None):
        renew_grace(order, part)
    _KINDS[choice["kind"]](change)
    _let_go_on(change)
    _paid_by_now(change)
    retotal_order(order)
    note(
        order,
        "order_amended",
        actor=actor,
        text=f"Changed as the customer chose: {choice['text']}",
        moves=change.moves,
        data={
            "proposal": asked.pk,
            "kind": choice["kind"],
            "parts": sorted(change.touched),
            "before": before,
            "after": picture(order),
        },
    )
    # A card page that the customer has open still asks for the old amount.
    jobs.enqueue("charging.close_pages", key=order.number, payload={"order": order.number})
    for number, part in sorted(change.touched.items()):
        if number in paid:
            _give_back(change, part, *paid[number])
        if part.sales_order_number and any(ln.quantity for ln in lines_of(part)):
            jobs.enqueue(
                "acceptance.reissue",
                key=f"{order.number}:{number}",
                payload={"order": order.number, "part": number},
            )
    return change


def _lock_goods(change: Change) -> None:
    """Every balance that the change may touch, in one go and in product order."""
    products = set(Line.objects.filter(order=change.order).values_list("product_id", flat=True))
    if change.choice.get("product"):
        products.add(int(change.choice["product"]))
    lock(products)


def _paid_by_now(change: Change) -> None:
    """What was taken of a part that was paid only in part may be all that it costs now: then it is paid."""
    for number, part in sorted(change.touched.items()):
        if part.charged and part.charged >= part.total and MONEY.target("begin", part.money) is not None:
            change.moves += [shift(MONEY, "begin", part, part=number), shift(MONEY, "capture", part, part=number)]


def _give_back(change: Change, part: Part, old_total: int, old_tax: int) -> None:
    """Of a part that has become cheaper, exactly the difference to what was paid for it."""
    difference = min(min(old_total, part.charged) - part.total, refundable(part))
    if part.money not in {"charged", "voided"} or difference <= 0:
        return
    whole = difference == old_total - part.total
    decide_refund(
        order=change.order,
        part=part,
        amount=difference,
        tax=max(0, old_tax - part.tax) if whole else None,
        reason=f"Changed: {change.choice['text']}",
        actor=change.actor,
    )
    change.refunded += difference


def _open_up(change: Change, part: Part) -> None:
    """Before lines change: what is boxed comes back to the shelf, and the stock is looked at again."""
    change.moves += put_back_parcel(taken_order=change.order, part=part, actor=change.actor)
    if part.stock != STOCK.first:
        change.moves.append(shift(STOCK, "reopen", part, part=part.number))


def _promise(change: Change, part: Part, basis: str, *, delay: bool = False) -> None:
    """A new version of the part's promise: the day that the choice names; of a delay, also that nobody knows it yet."""
    if change.day is not None or delay:
        keep_promise(
            change.order, part, change.day, basis=basis, actor=change.actor, consent=Promise.EXPRESS, delay=delay
        )


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


def _next_position(order: Order) -> int:
    return max(Line.objects.filter(order=order).values_list("position", flat=True), default=0) + 1


def _cancel_units(change: Change, line: Line, units: int) -> None:
    """The customer no longer wants these units; the line keeps their number."""
    left = keep(line_money(line), line.quantity - units)
    take_off(line, units, order=change.order, actor=change.actor)
    line.cancelled += units
    line.tax = left.tax
    line.save(update_fields=["cancelled", "tax"])


def _substitute(change: Change) -> None:
    choice = change.choice
    part = change.part(choice["part"])
    before = money_of(part)
    _open_up(change, part)
    old = change.line(choice["line"])
    quantity = int(choice["quantity"])
    _cancel_units(change, old, quantity)
    product = Product.objects.get(pk=choice["product"])
    money = priced(quantity, int(choice["price"]), int(choice["tax_ppm"]))
    came = Line.objects.create(
        order=change.order,
        part=part,
        position=_next_position(change.order),
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
    reserve_now(came, min(quantity, change.kept.get(product.pk, 0)), order=change.order, actor=change.actor)
    retotal(part, before, change.order.currency)
    _promise(change, part, "substitute accepted")


def _expedite(change: Change) -> None:
    part = change.part(change.choice["part"])
    change.order.shipping_method = change.choice["method"]
    change.order.save(update_fields=["shipping_method"])
    retotal(part, money_of(part), change.order.currency, shipping=int(change.choice["price"]))
    _promise(change, part, "faster delivery accepted")


def _later_date(change: Change) -> None:
    for number in change.choice["parts"]:
        _promise(change, change.part(number), "later date accepted", delay=True)


def _cancel_line(change: Change) -> None:
    choice = change.choice
    part = change.part(choice["part"])
    before = money_of(part)
    _open_up(change, part)
    _cancel_units(change, change.line(choice["line"]), int(choice["quantity"]))
    retotal(part, before, change.order.currency)
    if not any(line.quantity for line in lines_of(part)):
        _empty(change, part)


def _cancel_part(change: Change) -> None:
    """Everything of the part that has not left, whatever becomes of the others."""
    part = change.part(change.choice["part"])
    before = money_of(part)
    _open_up(change, part)
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
    _open_up(change, parent)
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
        _promise(change, later, "split accepted")
    elif parent.promise_date is not None:
        _promise_as(change, later, parent.promise_date)


def _promise_as(change: Change, part: Part, day: date) -> None:
    """The new part keeps the promise that its units had."""
    _promise(Change(change.order, {**change.choice, "date": day.isoformat()}, change.actor), part, "split accepted")


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
        position=_next_position(change.order),
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
    "cancel_part": _cancel_part,
}
