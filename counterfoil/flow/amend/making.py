"""What every amendment has in common: goods locked, boxes opened, money brought along, papers and record made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from counterfoil.core import clock, jobs
from counterfoil.core.actor import Actor
from counterfoil.core.machine import Move, shift
from counterfoil.core.shop import shop
from counterfoil.flow.amend.pictures import whole_picture
from counterfoil.flow.amend.totals import lines_of, picture, retotal_order
from counterfoil.records.orders.load import note
from counterfoil.records.orders.models import MONEY, STOCK, Amendment, Line, Order, Part, Promise, Proposal
from counterfoil.records.orders.parcels import put_back_parcel
from counterfoil.records.orders.promises import keep_promise
from counterfoil.records.orders.refunds import decide_refund, refundable
from counterfoil.records.stock.ledger import lock
from counterfoil.steps.alternatives.late import day_on, offered_day, words_on
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
        """The day that the choice names; where that is over by the time of the answer, the next working day."""
        return day_on(self.choice, shop().today())

    @property
    def words(self) -> str:
        """What the customer chose, with the day that counts."""
        return words_on(self.choice, shop().today())

    @property
    def late(self) -> date | None:
        """The day that was offered, where it was over when the answer came."""
        offered = offered_day(self.choice)
        return offered if offered != self.day else None

    def part(self, number: int) -> Part:
        """A part that is about to change."""
        if number not in self.touched:
            self.touched[number] = Part.objects.get(order=self.order, number=number)
        return self.touched[number]

    def line(self, pk: int) -> Line:
        return Line.objects.get(order=self.order, pk=pk)

    @property
    def due(self) -> int:
        """What parts that had been paid cost more now than was paid for them: still to be taken, minor units."""
        return sum(max(0, p.total - p.paid) for p in self.touched.values() if p.charged)


@dataclass(frozen=True)
class Before:
    """The order as it was: its amounts for the journal, the whole of it for the record, what each part cost."""

    amounts: dict[str, Any]
    whole: dict[str, Any]
    cost: dict[int, tuple[int, int]]  # total and tax


def begin(change: Change, products: Sequence[int] = ()) -> Before:
    """Lock what may move, on an order that the caller has taken; `products` are those that it does not have yet."""
    order = change.order
    lock({*Line.objects.filter(order=order).values_list("product_id", flat=True), *products})
    before = Before(
        picture(order),
        whole_picture(order),
        {p.number: (p.total, p.tax) for p in Part.objects.filter(order=order)},
    )
    for part in Part.objects.filter(order=order).exclude(let_go_at=None):
        renew_grace(order, part)
    return before


def finish(
    change: Change,
    before: Before,
    *,
    kind: str,
    text: str,
    event: str = "order_amended",
    data: Mapping[str, Any] | None = None,
    changes: Sequence[Mapping[str, Any]] = (),
    consent: Mapping[str, Any] | None = None,
    proposal: Proposal | None = None,
    undoes: Amendment | None = None,
) -> Amendment:
    """Money follows, the order is summed up again, journal, papers and record are made."""
    order = change.order
    _follow(change)
    retotal_order(order)
    number = Amendment.objects.filter(order=order).count() + 1
    note(
        order,
        event,
        actor=change.actor,
        text=text[:1000],
        moves=change.moves,
        data={
            **(data or {}),
            "amendment": number,
            "parts": sorted(change.touched),
            "before": before.amounts,
            "after": picture(order),
        },
    )
    # A card page that the customer has open still asks for the old amount.
    jobs.enqueue("charging.close_pages", key=order.number, payload={"order": order.number})
    for at, part in sorted(change.touched.items()):
        if at in before.cost:
            _give_back(change, part, *before.cost[at], why=change.words if change.choice.get("text") else text)
        if part.sales_order_number and any(ln.quantity for ln in lines_of(part)):
            jobs.enqueue("acceptance.reissue", key=f"{order.number}:{at}", payload={"order": order.number, "part": at})
    return Amendment.objects.create(
        order=order,
        number=number,
        kind=kind,
        text=text[:1000],
        changes=[dict(c) for c in changes],
        consent=dict(consent or {}),
        before=before.whole,
        after=whole_picture(order),
        money={"refunded": change.refunded, "due": change.due},
        proposal=proposal,
        undoes=undoes,
        actor=change.actor.name,
        at=clock.business_now(),
    )


def _follow(change: Change) -> None:
    """The money axis follows the balance of what was paid and what the part costs now.

    Paid in part, it may be paid by now; paid in full, it may cost more: then the difference is to be taken like any
    other money, and nothing of the part ships before it is.
    """
    by_card = change.order.payment_method == "card" and change.order.card_state == "saved"
    for number, part in sorted(change.touched.items()):
        if part.charged and part.paid >= part.total and MONEY.target("begin", part.money) is not None:
            change.moves += [shift(MONEY, "begin", part, part=number), shift(MONEY, "capture", part, part=number)]
        elif part.money == "charged" and part.paid < part.total:
            change.moves.append(shift(MONEY, "grow" if by_card else "grow_in_hand", part, part=number))


def _give_back(change: Change, part: Part, old_total: int, old_tax: int, *, why: str) -> None:
    """Of a part that has become cheaper, exactly what was paid for it beyond its total; what went back counts once."""
    difference = min(min(old_total, part.paid) - part.total, refundable(part))
    if part.money not in {"charged", "voided"} or difference <= 0:
        return
    whole = difference == old_total - part.total
    decide_refund(
        order=change.order,
        part=part,
        amount=difference,
        tax=max(0, old_tax - part.tax) if whole else None,
        reason=f"Changed: {why}"[:500],
        actor=change.actor,
        settles=True,
    )
    change.refunded += difference


def open_up(change: Change, part: Part) -> None:
    """Before lines change: what is boxed comes back to the shelf, and the stock is looked at again."""
    change.moves += put_back_parcel(taken_order=change.order, part=part, actor=change.actor)
    if part.stock != STOCK.first:
        change.moves.append(shift(STOCK, "reopen", part, part=part.number))


def promise(change: Change, part: Part, basis: str, *, delay: bool = False) -> None:
    """A new version of the part's promise: the day that the choice names; of a delay, also that nobody knows it yet."""
    if change.day is not None or delay:
        keep_promise(
            change.order, part, change.day, basis=basis, actor=change.actor, consent=Promise.EXPRESS, delay=delay
        )


def next_position(order: Order) -> int:
    return max(Line.objects.filter(order=order).values_list("position", flat=True), default=0) + 1
