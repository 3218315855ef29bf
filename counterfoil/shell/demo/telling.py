"""Doing again what the tales tell: every act goes through the same door that a person or a customer would use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from counterfoil.core.actor import Actor, customer
from counterfoil.core.db import writing
from counterfoil.core.errors import Declined
from counterfoil.core.models import JournalEvent
from counterfoil.flow.amend import cancel_order
from counterfoil.gateways.carrier.check_digits import dhl_express, ups
from counterfoil.records.catalogue.models import Product
from counterfoil.records.customers.actions import remember_customer
from counterfoil.records.orders.models import Hold, Line, Order, Part, Proposal
from counterfoil.shell.demo.days import Days
from counterfoil.shell.demo.opening import EXPRESS, GROUND, PICK_UP
from counterfoil.shell.demo.people import CUSTOMERS, SUPPLIERS
from counterfoil.shell.demo.tales import BEA, CUSTOMER, MARA, PURCHASES, TALES, Bought, Do, Tale
from counterfoil.steps.alternatives.actions import answer_proposal, propose_alternatives
from counterfoil.steps.alternatives.calls import record_call
from counterfoil.steps.charging.actions import charge_order, refund_order
from counterfoil.steps.checkout.actions import Wanted, place_order
from counterfoil.steps.fulfilment.actions import deliver_order, pack_order, pick_order, return_order, ship_order
from counterfoil.steps.review.actions import approve_order, hold_order, release_hold
from counterfoil.steps.sourcing.actions import (
    check_stock,
    confirm_purchase_order,
    create_purchase_order,
    receive_goods,
)
from counterfoil.steps.sourcing.models import PurchaseOrder

# What a person's act leaves in the journal: found there, it need not be done again.
_TRACES = {
    "approve": ("order_approved",),
    "approve_held": ("hold_placed",),
    "hold": ("hold_placed",),
    "release": ("hold_released",),
    "charge": ("charge_begun",),
    "pay": ("payment_recorded",),
    "count": ("stock_checked",),
    "pick": ("order_picked", "units_picked"),
    "pack": ("package_packed",),
    "ship": ("order_shipped", "packages_shipped"),
    "deliver": ("order_delivered",),
    "ask": ("proposal_made",),
    "answer": ("proposal_accepted", "proposal_declined"),
    "called": ("customer_called",),
    "remember": ("customer_remembered",),
    "return": ("order_returned", "units_returned"),
    "refund": ("refund_decided",),
    "cancel": ("order_cancelled",),
    "confirm": ("purchase_order_confirmed",),
    "receive": ("goods_received",),
}
_METHODS = {"ground": (GROUND, 1500), "express": (EXPRESS, 3500), "pick_up": (PICK_UP, 0)}
_PEOPLE = {person.email: person for person in CUSTOMERS}


@dataclass(frozen=True)
class Act:
    """Something that was done at a moment; `done` says whether an earlier load did it already."""

    at: datetime
    call: Callable[[], object]
    done: Callable[[], bool]


@dataclass
class Teller:
    """Turns the tales into acts in the order of time. `days` are fixed by the moment at which the first load began."""

    staff: Mapping[str, Actor]
    days: Days
    numbers: dict[str, str] = field(default_factory=dict)  # reference -> order number
    purchases: list[str] = field(default_factory=list)  # in the order in which they were sent
    traces: Counter[tuple[str, str]] = field(default_factory=Counter)
    weights: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.numbers = dict(Order.objects.filter(reference__startswith="demo-").values_list("reference", "number"))
        self.purchases = list(PurchaseOrder.objects.order_by("id").values_list("number", flat=True))
        done = JournalEvent.objects.filter(actor_kind__in=["person", "customer"]).values_list("subject", "kind")
        self.traces = Counter((subject, kind) for subject, kind in done)
        self.weights = dict(Product.objects.values_list("sku", "weight_g"))

    def acts(self) -> list[Act]:
        """Every act, in the order of time."""
        found = [act for n, tale in enumerate(TALES, start=1) for act in self._order(f"demo-{n:03}", n, tale)]
        sent = sorted(PURCHASES, key=lambda b: self.days.at(b.sent))
        found += [act for n, bought in enumerate(sent) for act in self._purchase(n, bought)]
        return sorted(found, key=lambda act: act.at)

    # --- orders ---------------------------------------------------------------------------------------------------

    def _order(self, reference: str, n: int, tale: Tale) -> list[Act]:
        out = [
            Act(
                self.days.at(tale.placed),
                lambda: self._place(reference, tale),
                lambda: reference in self.numbers,
            )
        ]
        for one in tale.acts:
            out.append(self._act(reference, n, tale, one))
        for before, after in pairwise(out):
            if before.at >= after.at:
                raise ValueError(f"{reference}: the tale runs backwards at {after.at}")
        return out

    def _act(self, reference: str, n: int, tale: Tale, one: Do) -> Act:
        def call() -> object:
            order = self.numbers[reference]
            actor = customer(_PEOPLE[tale.who].name) if one.by == CUSTOMER else self.staff[one.by]
            return self._do(order, n, tale, one, actor)

        return Act(self.days.at(one.at), call, lambda: self._traced(self.numbers.get(reference, ""), one.verb))

    def _traced(self, subject: str, verb: str) -> bool:
        """Whether the journal knows of one more such act than was accounted for."""
        for kind in _TRACES[verb]:
            if self.traces[subject, kind]:
                self.traces[subject, kind] -= 1
                return True
        return False

    def _place(self, reference: str, tale: Tale) -> None:
        who = _PEOPLE[tale.who]
        address = {f: getattr(who, f) for f in ("name", "street", "city", "postcode", "state", "country")}
        method, price = _METHODS[tale.method]
        on_card = tale.card.startswith("pm_") or not tale.card
        wanted = Wanted(
            channel=tale.channel,
            reference=reference,
            currency=tale.currency,
            name=who.name,
            email=who.email,
            phone=who.phone,
            shipping_address=address,
            lines=_lines(tale.lines),
            shipping_method=method,
            shipping_price=price,
            payment_method="card" if on_card else tale.card,
            payment_source=tale.card if on_card else "",
            needed_by=None if tale.needed is None else self.days.ahead(tale.needed),
            gift_message=tale.gift,
            comment=tale.comment,
            flags=[{"code": code, "text": text} for code, text in tale.flags],
            finished=tale.finished,
            consent=tale.finished,
        )
        by = {
            "web": customer(who.name),
            "phone": self.staff[MARA],
        }.get(tale.channel, Actor("key", tale.channel, "channel"))
        self.numbers[reference] = place_order(wanted=wanted, actor=by).number

    def _do(self, order: str, n: int, tale: Tale, one: Do, actor: Actor) -> object:
        give = one.give
        match one.verb:
            case "approve":
                return approve_order(order=order, ship_estimate=self._day(give["ship"]), actor=actor)
            case "approve_held":
                # In one stroke, so that it is held before it is entered as a sales order.
                with writing():
                    approve_order(order=order, ship_estimate=self._day(give["ship"]), actor=actor)
                    return hold_order(order=order, reason=give["reason"], actor=actor)
            case "hold":
                return hold_order(order=order, reason=give["reason"], actor=actor)
            case "release":
                held = Hold.objects.get(order__number=order, released_at=None)
                release_hold(order=order, hold=held.pk, actor=actor)
                return None
            case "charge" | "pay":
                return self._charge(order, tale, give, actor)
            case "count":
                seen = [{"sku": sku, "seen": units} for sku, units in give["seen"].items()]
                return check_stock(order=order, actor=actor, lines=seen)
            case "ask":
                choices = [self._choice(c) for c in give["choices"]]
                return propose_alternatives(order=order, actor=actor, choices=choices, message=give["message"])
            case "answer":
                asked = Proposal.objects.filter(order__number=order, state=Proposal.OPEN).latest("id")
                return answer_proposal(token=asked.token, choice=give["choice"], actor=actor)
            case "called":
                return record_call(order=order, actor=actor, outcome=give["outcome"], note_text=give.get("note", ""))
            case "remember":
                return remember_customer(order=order, actor=actor, note_text=give["note"], prefers=give["prefers"])
            case "cancel":
                return cancel_order(order=order, reason=give["reason"], actor=actor)
            case "refund":
                return refund_order(order=order, actor=actor, reason=give["reason"], lines=_units(give["lines"]))
            case _:
                return self._parcel(order, n, one, actor)

    def _parcel(self, order: str, n: int, one: Do, actor: Actor) -> object:
        match one.verb:
            case "pick":
                return pick_order(order=order, actor=actor)
            case "pack":
                held = Line.objects.filter(order__number=order).values_list("sku", "picked", "packed")
                grams = sum(self.weights[sku] * (picked - packed) for sku, picked, packed in held)
                return pack_order(order=order, actor=actor, weight_g=grams + 180)
            case "ship":
                abroad = _country(order) not in {"US", "CA"}
                carrier, number = ("DHL", dhl_number(n)) if abroad else ("UPS", ups_number(n))
                return ship_order(order=order, actor=actor, carrier=carrier, tracking_number=number)
            case "deliver":
                return deliver_order(order=order, actor=actor)
            case "return":
                give = one.give
                return return_order(
                    order=order, actor=actor, lines=_units(give["lines"]), condition=give["condition"],
                    reason=give["reason"],
                )  # fmt: skip
        raise ValueError(f"nobody knows how to {one.verb}")

    def _charge(self, order: str, tale: Tale, give: Mapping[str, Any], actor: Actor) -> object:
        if not tale.card.startswith("pm_"):
            due = sum(p.total - p.paid for p in Part.objects.filter(order__number=order))
            offline = {"reference": give.get("reference", "Paid at the door, by card"), "amount": due, **give}
            return charge_order(order=order, actor=actor, offline=offline)
        try:
            return charge_order(order=order, actor=actor)
        except Declined:
            return None  # the tale wants it so: the order then stands in "payment problem"

    def _day(self, spec: int) -> Any:
        return self.days.day(-spec) if spec < 0 else self.days.ahead(spec)

    def _choice(self, choice: Mapping[str, Any]) -> dict[str, Any]:
        return {**choice, "date": self._day(choice["date"]).isoformat()} if "date" in choice else dict(choice)

    # --- purchase orders ------------------------------------------------------------------------------------------

    def _purchase(self, n: int, bought: Bought) -> list[Act]:
        buyer = self.staff[BEA]
        name = next(s.name for s in SUPPLIERS if s.key == bought.supplier)

        def send() -> None:
            lines = [{"sku": sku, "quantity": units} for sku, units, _ in _lines(bought.lines)]
            self.purchases.append(create_purchase_order(actor=buyer, supplier=name, lines=lines).number)

        def number() -> str:
            return self.purchases[n] if n < len(self.purchases) else ""

        def confirm(day: int) -> Callable[[], object]:
            return lambda: confirm_purchase_order(actor=buyer, number=number(), expected=self._day(day))

        def receive(lines: str) -> Callable[[], object]:
            return lambda: receive_goods(actor=buyer, purchase_order=number(), lines=_received(lines))

        out = [Act(self.days.at(bought.sent), send, lambda: n < len(self.purchases))]
        for when, day in bought.confirmed:
            out.append(Act(self.days.at(when), confirm(day), lambda: self._traced(number(), "confirm")))
        for when, lines in bought.received:
            out.append(Act(self.days.at(when), receive(lines), lambda: self._traced(number(), "receive")))
        return out


def _lines(text: str) -> list[tuple[str, int, int | None]]:
    """'QUI-RI-2023*6@3600' -> (SKU, units, unit price or None for the product's)."""
    out: list[tuple[str, int, int | None]] = []
    for entry in text.split():
        sku, _, rest = entry.partition("*")
        units, _, price = rest.partition("@")
        out.append((sku, int(units), int(price) if price else None))
    return out


def _units(text: str) -> list[dict[str, object]]:
    return [{"sku": sku, "quantity": units} for sku, units, _ in _lines(text)]


def _received(text: str) -> list[dict[str, object]]:
    """'COP-GR-2022*6/1' -> six came, one of them broken."""
    out: list[dict[str, object]] = []
    for entry in text.split():
        sku, _, rest = entry.partition("*")
        came, _, broken = rest.partition("/")
        out.append({"sku": sku, "received": int(came), "damaged": int(broken or 0)})
    return out


def _country(order: str) -> str:
    return str(Order.objects.get(number=order).shipping_address["country"])


def ups_number(n: int) -> str:
    """A parcel number of the right form, check digit included, that no parcel has."""
    body = f"1Z0A0A0003{n * 7919 % 9_999_991:07}"
    return next(f"{body}{digit}" for digit in range(10) if ups(f"{body}{digit}"))


def dhl_number(n: int) -> str:
    """The same for parcels that go abroad."""
    body = f"{100000000 + n * 7919:09}"
    return next(f"{body}{digit}" for digit in range(10) if dhl_express(f"{body}{digit}"))
