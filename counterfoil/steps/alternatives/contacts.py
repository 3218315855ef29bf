"""What was said with a customer outside the shop's own mails, written down with who, when and with whom."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, Actor, customer, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid
from counterfoil.core.shop import shop
from counterfoil.core.text import clean
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.orders.load import note, take
from counterfoil.records.orders.models import Contact, Line
from counterfoil.records.orders.slip import mail_slip

MOST = 2_000
_SAID = {
    ("call", "in"): "{who} called",
    ("call", "out"): "Called {who}",
    ("mail", "in"): "Mail from {who}",
    ("mail", "out"): "Wrote to {who}",
    ("visit", "in"): "{who} came to the shop",
    ("visit", "out"): "Visited {who}",
}


def record_contact(
    *, order: str, actor: Actor, kind: str, text: str, direction: str = "", spoken_to: str = ""
) -> Contact:
    """Write down a call, letter, visit or note on an order, whatever its state; it moves nothing.

    `direction`: "in", the customer began it, or "out"; a note has none. Raises Forbidden, Missing or Invalid.
    """
    require(actor, CLERK)
    wrong = []
    if kind not in Contact.KINDS:
        wrong.append(("kind", f"one of {', '.join(Contact.KINDS)}"))
    if direction not in Contact.DIRECTIONS or (kind == Contact.NOTE) != (direction == ""):
        wrong.append(("direction", "in or out goes with a call, a mail and a visit, and with nothing else"))
    kept = {}
    for name, given, most in (("text", text, MOST), ("spoken_to", spoken_to, 200)):
        try:
            kept[name] = clean(given)
        except ValueError as error:
            wrong.append((name, str(error)))
            continue
        if len(kept[name]) > most:
            wrong.append((name, f"at most {most} characters"))
    if kept.get("text") == "":
        wrong.append(("text", "write down what was said"))
    if wrong:
        raise Invalid(*wrong)
    with writing():
        taken = take(order)
        made = Contact.objects.create(
            order=taken,
            kind=kind,
            direction=direction,
            spoken_to=kept["spoken_to"],
            text=kept["text"],
            actor=actor.name,
            at=clock.business_now(),
        )
        who = made.spoken_to or taken.name
        begins = _SAID.get((kind, direction), "Note").format(who=who)
        note(
            taken, f"contact_{kind}", actor=actor, text=f"{begins}: {made.text}",
            data={"contact": made.pk, "direction": direction}, advance=False,
        )  # fmt: skip
    return made


def receive_message(*, order: str, text: str) -> Contact:
    """What the customer wrote on their order's page: on the timeline, in the contact log, and by mail to the shop.

    The same words twice within the hour are one message. Raises Missing, or Invalid with the field `message`.
    """
    try:
        said = clean(text)
    except ValueError as error:
        raise Invalid(("message", str(error))) from None
    if not said or len(said) > MOST:
        raise Invalid(("message", "write what it is about" if not said else f"at most {MOST:,} characters"))
    with writing():
        taken = take(order)
        now = clock.business_now()
        last = Contact.objects.filter(order=taken, kind=Contact.MESSAGE).order_by("-id").first()
        if last is not None and last.text == said and now - last.at < timedelta(hours=1):
            return last
        made = Contact.objects.create(
            order=taken, kind=Contact.MESSAGE, direction="in", spoken_to=taken.name, text=said, actor=taken.name, at=now
        )
        note(
            taken, "contact_message", actor=customer(taken.name),
            text=f"{taken.name} wrote from the order's page: {said}",
            data={"contact": made.pk, "direction": "in"}, advance=False,
        )  # fmt: skip
        lines = list(Line.objects.filter(order=taken).order_by("position"))
        owe_mail(
            "message",
            to=shop().email,
            key=f"{taken.number}:message:{made.pk}",
            context={
                **mail_slip(taken, lines),
                "subject": f"{taken.number}: a message from {taken.name}",
                "message": said,
                "email": taken.email,
                "phone": taken.phone,
                "url": f"{settings.BASE_URL}/desk/orders/{taken.number}",
            },
        )
    return made
