"""Whose order it is and how they are reached: what was misspelt, or is another by now, is put right.

What was issued stays as it was issued. Where the goods go to is what the customer agreed to: that is an amendment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.db import IntegrityError

from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, blocked
from counterfoil.core.text import clean, clean_email, clean_phone, is_email
from counterfoil.gateways.mail.outbox import owe_mail, readdress
from counterfoil.records.customers.keys import keys_of, phone_key
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.links import renew_link
from counterfoil.records.orders.load import check, facts_of, note, take
from counterfoil.records.orders.models import Line, Order
from counterfoil.records.orders.slip import mail_slip
from counterfoil.steps.review.rules import may_change_gift_note

# Field: what it is called, how long it may be, how it is read.
FIELDS: dict[str, tuple[str, int, Callable[[str], str]]] = {
    "name": ("name", 200, clean),
    "email": ("e-mail", 254, clean_email),
    "phone": ("telephone", 40, clean_phone),
    "gift_message": ("gift note", 2000, clean),
}
_REACH = ("name", "email", "phone")


def change_details(*, order: str, actor: Actor, changes: Mapping[str, str], version: int | None = None) -> Order:
    """Keep another name, e-mail, telephone or gift note of an order; what stays out of `changes` stays as it is.

    Mails that wait, or were given up, go to the new address. Who has read mails at the old one has the order's link: it
    opens nothing any more, and the new address is mailed another. The account that has the order keeps opening it; a
    guest's order can then be claimed by who proves the new address. Of the customer's record, what was changed here is
    changed there. Raises Forbidden, Missing, Invalid by field, or Refused (`already_shipped`: the gift note lies in a
    closed box).
    """
    require(actor, CLERK)
    wanted = _read(changes)
    if not wanted:
        raise Invalid(("name", "say what to change: name, email, phone or gift_message"))
    try:
        with writing():
            taken = take(order, version=version)
            before = {name: str(getattr(taken, name)) for name in wanted}
            # A browser ends its lines otherwise than we do: that is no change.
            changed = {n: text for n, text in wanted.items() if text.splitlines() != before[n].splitlines()}
            if not changed:
                return taken
            if "gift_message" in changed:
                check(may_change_gift_note(facts_of(taken)))
            for name, text in changed.items():
                setattr(taken, name, text)
            if any(name in changed for name in _REACH):
                _reachable(taken, changed)
                taken.customer_id = _customer(taken, changed)
            elsewhere = taken.finished and taken.email.lower() != before.get("email", taken.email).lower()
            old = renew_link(taken) if elsewhere and before["email"] else ""
            taken.save(update_fields=[*changed, "customer", "token"])
            moved = 0
            if "email" in changed:
                swap = (old, taken.token) if old else None
                moved = readdress(taken.number, before["email"], taken.email, token=swap)
            note(
                taken,
                "details_changed",
                actor=actor,
                text="; ".join(_said(name, before[name], text) for name, text in changed.items())
                + _mails(moved)
                + ("; the order has a new link, the old one opens nothing any more" if old else ""),
                data={"before": {name: before[name] for name in changed}, "after": changed, "mails": moved,
                      "new_link": bool(old)},
            )  # fmt: skip
            if old and not moved:
                _mail_link(taken)
    except IntegrityError:  # of the customers: an order with that address was placed in this moment
        raise blocked("someone_else", "an order with this address has come in this moment; do it once more") from None
    return taken


def _read(changes: Mapping[str, str]) -> dict[str, str]:
    """The changes as they are kept. Raises Invalid by field."""
    found, wrong = {}, []
    for field, given in changes.items():
        if field not in FIELDS:
            wrong.append((field, f"one of {', '.join(FIELDS)}"))
            continue
        _, most, kind = FIELDS[field]
        try:
            text = kind(given)
        except ValueError as error:
            wrong.append((field, str(error)))
            continue
        if not text and field == "name":
            wrong.append((field, "whose order is it?"))
        elif len(text) > most:
            wrong.append((field, f"at most {most:,} characters"))
        elif field == "email" and text and not is_email(text):
            wrong.append((field, "this is no e-mail address"))
        elif field != "gift_message" and not text.isprintable():
            wrong.append((field, "one line, please"))
        else:
            found[field] = text
    if wrong:
        raise Invalid(*wrong)
    return found


def _reachable(order: Order, changed: Mapping[str, str]) -> None:
    """Whoever gave an e-mail address is told there; who has none, at a number. Raises Invalid by field."""
    if order.email:
        return
    if "email" in changed:
        raise Invalid(("email", "what we have to tell them goes there: give another one"))
    if not phone_key(order.phone, str(order.shipping_address.get("country") or "")):
        raise Invalid(("phone", "without an e-mail address we need a number at which to tell them"))


def _mail_link(order: Order) -> None:
    """No mail waits that would bring the new link: the right address gets one that does."""
    context = mail_slip(order, list(Line.objects.filter(order=order).order_by("position")))
    context["subject"] = f"{order.number}: the page of your order"
    owe_mail("new_link", to=order.email, key=f"{order.number}:link:{order.version}", context=context)


def _customer(order: Order, changed: Mapping[str, str]) -> int:
    """The customer of this order now: their row put right, or another one's.

    What an order says besides was said by whoever placed it: that overwrites nothing that we know of its customer. A
    card is kept by the processor for the customer that it was given for: an order with a card stays with that one.
    """
    mine = Customer.objects.get(pk=order.customer_id)
    country = str(order.shipping_address.get("country") or "")
    name = order.name if "name" in changed else mine.name
    phone = (order.phone if "phone" in changed else "") or mine.phone or order.phone
    reach = {"name": name, "email": order.email, "phone": phone, **keys_of(name, phone, country)}
    if phone == mine.phone:
        reach["phone_key"] = mine.phone_key  # as it was read with the country that it was given for
    key = order.email.lower() or f"tel:{reach['phone_key']}"
    if key == mine.email_key:
        Customer.objects.filter(pk=mine.pk).update(**reach)
        return mine.pk
    other = Customer.objects.filter(email_key=key).first()
    alone = not Order.objects.filter(customer=mine).exclude(pk=order.pk).exists()
    if other is None and alone:
        Customer.objects.filter(pk=mine.pk).update(email_key=key, **reach)
        return mine.pk
    if order.card_state != "none" or order.pay_links.exists():
        return mine.pk
    if other is not None:
        return other.pk
    fresh = {"name": order.name, "email": order.email, "phone": order.phone}
    return Customer.objects.create(email_key=key, **fresh, **keys_of(order.name, order.phone, country)).pk


def _said(field: str, before: str, after: str) -> str:
    name = FIELDS[field][0]
    if field == "gift_message":
        return "Gift note changed" if before and after else f"Gift note {'added' if after else 'taken off'}"
    if not after:
        return f"{name[0].upper()}{name[1:]} {before} taken off"
    return f"{name[0].upper()}{name[1:]} {after}{f' instead of {before}' if before else ''}"


def _mails(moved: int) -> str:
    return f"; {moved} {'mail that waits goes' if moved == 1 else 'mails that wait go'} there" if moved else ""
