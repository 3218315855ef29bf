"""What the shop keeps of a customer for the next time: a note of ours, and how they like to be asked."""

from __future__ import annotations

from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, blocked
from counterfoil.core.text import clean
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.load import note, take
from counterfoil.records.orders.models import Order

MOST = 1_000
PREFERS = {"": "no certain way", Customer.TELEPHONE: "the telephone", Customer.MAIL: "mail"}
ASKED = ("question", "call", "cannot_ship")  # queues in which it matters how a customer is asked


def remember_customer(*, order: str, actor: Actor, note_text: str, prefers: str, was: str | None = None) -> Customer:
    """Keep note and preference of the order's customer; written on this order's timeline.

    `was`: the note that the page showed; Refused `someone_else` if it is another by now. Whoever is being asked is
    looked at again: they may want to be called. Raises Forbidden, Missing or Invalid.
    """
    require(actor, CLERK)
    if prefers not in Customer.WAYS:
        raise Invalid(("prefers", "one of " + ", ".join(PREFERS.values())))
    try:
        words = "\n".join(clean(note_text).splitlines())
    except ValueError as error:
        raise Invalid(("note", str(error))) from None
    if len(words) > MOST:
        raise Invalid(("note", f"at most {MOST:,} characters"))
    with writing():
        taken = take(order)
        known = Customer.objects.get(pk=taken.customer_id)
        if known.note == words and known.prefers == prefers:
            return known
        if was is not None and "\n".join(was.splitlines()) != known.note:
            raise blocked("someone_else", f"somebody has changed the note meanwhile: {known.note or 'it is empty now'}")
        said = []
        if known.prefers != prefers:
            said.append(f"Prefers {PREFERS[prefers]}")
        if known.note != words:
            said.append(f"Our note: {words}" if words else "Our note was taken off")
        changed = Customer.objects.filter(pk=known.pk, note=known.note, prefers=known.prefers)
        if changed.update(note=words, prefers=prefers) != 1:
            raise blocked("someone_else", "somebody has changed the note in this moment; look at it again")
        note(taken, "customer_remembered", actor=actor, text="; ".join(said), data={"prefers": prefers})
        if known.prefers != prefers:
            others = Order.objects.filter(customer=known.pk, queue__in=ASKED).exclude(pk=taken.pk).order_by("pk")
            for number in others.values_list("number", flat=True):
                note(take(number), "customer_remembered", actor=actor, text=said[0], data={"prefers": prefers})
        known.note, known.prefers = words, prefers
    return known
