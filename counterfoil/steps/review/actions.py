"""A person has read the order: it is approved with an estimated ship date, or held."""

from __future__ import annotations

from datetime import date

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing
from counterfoil.core.machine import Move, shift
from counterfoil.core.shop import shop
from counterfoil.core.text import clean
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.orders.load import check, facts_of, note, take
from counterfoil.records.orders.models import REVIEW, Hold, Line, Order, Part
from counterfoil.records.orders.promises import keep_promise
from counterfoil.records.orders.slip import mail_slip, say_date
from counterfoil.steps.review.rules import may_approve, may_hold


def approve_order(*, order: str, ship_estimate: date, actor: Actor, version: int | None = None) -> Order:
    """Approve an order and promise its ship date; the customer is told by mail. Pending -> Processing.

    Raises Forbidden, Missing, Invalid (`ship_estimate` in the past) or Refused with every blocker.
    """
    require(actor, CLERK)
    settings = shop()
    if ship_estimate < settings.today():
        raise Invalid(("ship_estimate", f"{ship_estimate} is in the past; today is {settings.today()}"))
    if (ship_estimate - settings.today()).days > 3660:
        raise Invalid(("ship_estimate", f"{ship_estimate} is more than ten years away"))
    with writing():
        taken = take(order, version=version)
        check(may_approve(facts_of(taken)))
        moves: list[Move] = [shift(REVIEW, "approve", taken, part=0)]
        taken.approved_by = actor.name
        taken.approved_at = clock.business_now()
        taken.save(update_fields=["approved_by", "approved_at"])
        for part in Part.objects.filter(order=taken).order_by("number"):
            keep_promise(taken, part, ship_estimate, basis="review", actor=actor)
        lines = list(Line.objects.filter(order=taken).order_by("position"))
        note(
            taken,
            "order_approved",
            actor=actor,
            text=f"Approved, ships {say_date(ship_estimate)}",
            moves=moves,
            data={"ship_estimate": ship_estimate.isoformat()},
        )
        owe_mail(
            "promised",
            to=taken.email,
            key=f"{taken.number}:promised:1",
            context={
                **mail_slip(taken, lines),
                "subject": f"{taken.number}: ships {say_date(ship_estimate)}",
                "date": say_date(ship_estimate),
                "card": taken.payment_method == "card",
            },
        )
    return taken


def hold_order(*, order: str, reason: str, actor: Actor, kind: str = "") -> Hold:
    """Stop everything on an order until the hold is released. Raises Refused when it has left the house.

    Of the kind "weather" the customer may be asked to wait, to have it sent faster, or to take it as it is.
    """
    require(actor, CLERK)
    if kind not in Hold.KINDS:
        raise Invalid(("kind", f"one of {', '.join(k for k in Hold.KINDS if k)}, or nothing"))
    try:
        reason = clean(reason)
    except ValueError as error:
        raise Invalid(("reason", str(error))) from None
    if not reason:
        raise Invalid(("reason", "say why the order is held"))
    if len(reason) > 1000:
        raise Invalid(("reason", "at most 1000 characters"))
    with writing():
        taken = take(order)
        check(may_hold(facts_of(taken)))
        hold = Hold.objects.create(order=taken, reason=reason, kind=kind, placed_by=actor.name, at=clock.business_now())
        text = f"Held for the weather: {hold.reason}" if kind == Hold.WEATHER else f"Held: {hold.reason}"
        note(taken, "hold_placed", actor=actor, text=text, data={"hold": hold.pk, "kind": kind})
    return hold


def release_hold(*, order: str, hold: int, actor: Actor) -> None:
    """Let an order go on. Releasing twice changes nothing. Raises Missing when the order has no such hold."""
    require(actor, CLERK)
    with writing():
        taken = take(order)
        found = Hold.objects.filter(order=taken, pk=hold).first()
        if found is None:
            raise Missing(f"{order} has no hold {hold}")
        if found.released_at is not None:
            return
        found.released_at = clock.business_now()
        found.released_by = actor.name
        found.save(update_fields=["released_at", "released_by"])
        note(taken, "hold_released", actor=actor, text=f"Hold released: {found.reason}", data={"hold": found.pk})
