"""Boxes are handed to the carrier, and the customer is told where to follow them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, PICKER, Actor, require
from counterfoil.core.cards import says_card
from counterfoil.core.db import writing
from counterfoil.core.errors import Blocker, Invalid, Refused
from counterfoil.core.machine import Move, shift
from counterfoil.core.models import Document
from counterfoil.core.shop import shop
from counterfoil.core.text import clean, storable
from counterfoil.gateways.carrier.tracking import find_carrier, tracking_url, vouches
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.records.orders.load import check, facts_of, find, note, take
from counterfoil.records.orders.models import MONEY, PARCEL, Line, Order, Package, Part, Shipment
from counterfoil.records.orders.securing import secure_money
from counterfoil.records.orders.slip import mail_slip, say_moment
from counterfoil.records.stock.ledger import Change, lock, move, once
from counterfoil.records.stock.places import Held, held_by, spread
from counterfoil.steps.fulfilment.rules import GONE, choose, may_ship, money_blockers


def ship_order(
    *, order: str, actor: Actor, carrier: str, tracking_number: str, packages: Sequence[int] | None = None
) -> Shipment:
    """Hand boxes (their ids; default: all that are in the house and may leave) to a carrier under one tracking number.

    Every part that has a box among them must pass the gate. Boxes of several parts under one number are one shipment,
    which names the first of the parts. The customer is mailed. Where the shop charges as it ships, the money is taken
    first: a card that is declined ships nothing. Raises Forbidden, Missing, Invalid (`carrier`, `tracking_number`,
    `packages`), Declined or Refused (`already_shipped` with who shipped).
    """
    require(actor, CLERK, PICKER)
    carrier, tracking_number = _named(carrier, tracking_number)
    _charge_first(order, carrier, tracking_number, packages, actor)
    with writing():
        taken = take(order)
        boxes = _boxes(taken, facts_of(taken), packages)
        _refuse_used(carrier, tracking_number)
        parts = {p.pk: p for p in Part.objects.filter(pk__in={b.part_id for b in boxes}).order_by("number")}
        try:
            shipment = Shipment.objects.create(
                order=taken,
                part=next(iter(parts.values())),
                carrier=carrier,
                tracking_number=tracking_number,
                tracking_url=tracking_url(carrier, tracking_number),
                shipped_at=clock.business_now(),
                actor=actor.name,
            )
        except IntegrityError as error:  # another order took the number at this very moment
            raise Invalid(("tracking_number", f"{tracking_number} has been used with {carrier} before")) from error
        Package.objects.filter(pk__in=[b.pk for b in boxes]).update(shipment=shipment)
        lines = list(Line.objects.filter(order=taken).order_by("position"))
        _units_leave(taken, boxes, {ln.pk: ln for ln in lines}, actor)
        for part in parts.values():
            _part_leaves(taken, part, [b for b in boxes if b.part_id == part.pk], lines, shipment, actor)
        _tell(taken, lines, boxes, shipment, _papers_by_mail(taken, list(parts.values())))
    return shipment


def _charge_first(order: str, carrier: str, tracking_number: str, packages: Sequence[int] | None, actor: Actor) -> None:
    """Before anything is written: would all of this ship if it were paid? Then the money of what is not is taken."""
    known = find(order)
    facts = facts_of(known)
    if facts.charge_on != "shipped" or facts.offline:
        return
    boxes = _boxes(known, facts, packages, charges_first=True)
    _refuse_used(carrier, tracking_number)
    leaving = {b.part.number for b in boxes}
    unpaid = [p.number for p in facts.parts if p.number in leaving and money_blockers(facts, p)]
    if unpaid:
        secure_money(order, unpaid, actor)


def _named(carrier: str, number: str) -> tuple[str, str]:
    """Carrier and number as they are kept: a carrier that we know under its own name."""
    carrier, number = " ".join(carrier.split()), number.strip()
    wrong: list[tuple[str, str]] = []
    for field, value, most in (("carrier", carrier, 40), ("tracking_number", number, 80)):
        if not value:
            wrong.append((field, "is needed: the customer is told how to follow the parcel"))
        elif len(value) > most:
            wrong.append((field, f"is longer than {most} characters"))
        elif not storable(value) or not value.isprintable():
            wrong.append((field, "contains characters that no label carries"))
    if says_card(number) and not vouches(carrier, number):
        wrong.append(
            ("tracking_number", f"this looks like a card number, and is not how {carrier} numbers its parcels")
        )
    if wrong:
        raise Invalid(*wrong)
    known = find_carrier(carrier)
    return (known.name if known is not None else clean(carrier)), number


def _refuse_used(carrier: str, number: str) -> None:
    """One label is one parcel. Raises Invalid with where the number was used."""
    before = (
        Shipment.objects.filter(carrier__iexact=carrier, tracking_number__iexact=number).select_related("order").first()
    )
    if before is not None:
        raise Invalid(("tracking_number", used_words(before)))


def used_words(before: Shipment) -> str:
    """Where a tracking number was used; reads the shipment's order."""
    return (
        f"{before.tracking_number} has been used with {before.carrier} before: it is on {before.order.number}, "
        f"shipped {say_moment(before.shipped_at)} by {before.actor}"
    )


def _boxes(
    order: Order, facts: OrderFacts, wanted: Sequence[int] | None, *, charges_first: bool = False
) -> list[Package]:
    """The boxes that are to leave; raises Refused when one may not, and Invalid for one that is not there."""
    shipped_by = {
        s.part.number: s.actor for s in Shipment.objects.filter(order=order).select_related("part").order_by("id")
    }

    def gate(facts: OrderFacts, part: PartFacts) -> list[Blocker]:
        by = shipped_by.get(part.number) or next(iter(shipped_by.values()), "")
        return may_ship(facts, part, shipped_by=by, charges_first=charges_first)

    boxes = list(
        Package.objects.filter(order=order, unpacked_at=None).select_related("part", "shipment").order_by("number")
    )
    if wanted is None:
        opened, found = choose(facts, gate, ("waiting", "picking", "picked", "packed"))
        check(found)
        numbers = {p.number for p in opened}
        ready = [b for b in boxes if b.shipment is None and b.part.number in numbers]
        check([] if ready else [Blocker("not_packed", "there is no box to ship")])
        return ready
    chosen = [b for b in boxes if b.pk in set(wanted)]
    unknown = sorted(set(wanted) - {b.pk for b in chosen})
    if unknown or not wanted:
        raise Invalid(("packages", f"{order.number} has no package {unknown[0]}" if unknown else "name at least one"))
    gone = [Blocker("already_shipped", f"box {b.number} has been shipped by {b.shipment.actor}", by=b.shipment.actor)
            for b in chosen if b.shipment is not None]  # fmt: skip
    if gone:
        raise Refused(gone)
    named = {b.part.number for b in chosen}
    check(list(dict.fromkeys(b for p in facts.parts if p.number in named for b in gate(facts, p))))
    return chosen


def _units_leave(order: Order, boxes: Sequence[Package], lines: dict[int, Line], actor: Actor) -> None:
    """Picked -> shipped, once for each box and line."""
    inside = [(box, lines[int(entry["line"])], int(entry["quantity"])) for box in boxes for entry in box.lines]
    lock(line.product_id for _, line, _ in inside)
    held = held_by(order.number, [line.pk for _, line, _ in inside])
    changes: list[Change] = []
    for box, line, units in inside:
        left = held.get(line.pk, [])
        for at, (place, share) in enumerate(spread(units, left, "picked")):
            changes.append(
                Change(
                    line.product_id,
                    "shipped",
                    once(f"ship:package:{box.pk}:line:{line.pk}", at),
                    picked=-share,
                    shipped=share,
                    subject=order.number,
                    line=line.pk,
                    bin=place.bin,
                    lot=place.lot,
                )
            )
            # Another box may hold more of the same line.
            gone = Held(place.bin, place.lot, place.picked - share, place.shipped + share)
            left = held[line.pk] = [gone if one is place else one for one in left]
    move(changes, actor=actor)
    for _, line, units in inside:
        line.picked -= units
        line.packed -= units
        line.shipped += units
    Line.objects.bulk_update({line.pk: line for _, line, _ in inside}.values(), ["picked", "packed", "shipped"])


def _part_leaves(
    order: Order, part: Part, boxes: Sequence[Package], lines: Sequence[Line], shipment: Shipment, actor: Actor
) -> None:
    whole = all(ln.shipped >= ln.quantity for ln in lines if ln.part_id == part.pk)
    moves: list[Move] = []
    if whole and part.parcel not in GONE:
        moves.append(shift(PARCEL, "ship", part, part=part.number))
        if order.payment_method == "on_delivery" and part.money == "unpaid":
            moves.append(shift(MONEY, "owe", part, part=part.number))
        part.shipped_at = shipment.shipped_at
        part.save(update_fields=["shipped_at"])
    named = ", ".join(str(b.number) for b in boxes)
    note(
        order,
        "order_shipped" if whole else "packages_shipped",
        actor=actor,
        text=f"Shipped by {shipment.carrier}, {shipment.tracking_number}: box {named}"
        + ("" if whole else "; the rest follows"),
        part=part,
        moves=moves,
        data={
            "shipment": shipment.pk,
            "carrier": shipment.carrier,
            "tracking_number": shipment.tracking_number,
            "packages": [b.pk for b in boxes],
        },
    )


def _papers_by_mail(order: Order, parts: Sequence[Part]) -> list[str]:
    """Of a gift, the papers with prices that the shop does not enclose: those of the parts that have left whole."""
    if not order.gift_message or shop().gift_papers != "mail":
        return []
    gone = [p.number for p in parts if p.parcel in GONE]
    found = Document.objects.filter(subject=order.number, part__in=gone, kind__in=["sales-order", "card-receipt"])
    # The newest version of the sales order, and every receipt.
    newest = {(d.part, d.kind, d.version if d.kind == "card-receipt" else 0): d.number for d in found.order_by("id")}
    return list(newest.values())


def _tell(
    order: Order, lines: Sequence[Line], boxes: Sequence[Package], shipment: Shipment, papers: Sequence[str]
) -> None:
    everything = all(ln.shipped >= ln.quantity for ln in lines)
    # "Everything" is said only of a parcel that holds the whole order; the last of three holds the rest.
    whole = (
        everything
        and not Package.objects.filter(order=order).exclude(shipment=shipment).exclude(shipment=None).exists()
    )
    names = {ln.pk: ln.name for ln in lines}
    units: dict[int, int] = {}
    for box in boxes:
        for entry in box.lines:
            units[int(entry["line"])] = units.get(int(entry["line"]), 0) + int(entry["quantity"])
    owe_mail(
        "shipped",
        to=order.email,
        key=f"{order.number}:shipped:{shipment.pk}",
        context={
            **mail_slip(order, lines),
            "subject": f"{order.number}: {'your order' if whole else 'a parcel'} is on its way",
            "carrier": shipment.carrier,
            "tracking_number": shipment.tracking_number,
            "tracking_url": shipment.tracking_url,
            "whole": whole,
            "last": everything,
            "contents": [{"quantity": n, "name": names[pk]} for pk, n in units.items()],
            "papers": len(papers),
        },
        documents=papers,
    )
