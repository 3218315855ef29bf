"""An order that a clerk takes by telephone: by the same door as every other, with a link that asks for the card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.errors import Invalid, Refused
from counterfoil.core.shop import shop
from counterfoil.steps.checkout.actions import place_order
from counterfoil.steps.checkout.wanted import Placed, Wanted

CHANNEL = "phone"


def place_telephone_order(
    *,
    actor: Actor,
    attempt: str,
    lines: Sequence[tuple[str, int]],
    customer: Mapping[str, str],
    shipping_address: Mapping[str, str],
    billing_address: Mapping[str, str] | None,
    shipping_method: str,
    payment_method: str,
    needed_by: date | None,
    gift_message: str,
    comment: str,
    age_declared: bool,
) -> Placed:
    """Place what was said on the telephone. By card, the customer is mailed a link at which they give it.

    `attempt` names the form: sent twice it is one order (`created` False). Raises Forbidden, and Invalid with the
    form's fields, `quantity:SKU` and the state that is not served among them.
    """
    require(actor, CLERK)
    price = next((int(d["price"]) for d in shop().deliveries if d["method"] == shipping_method), None)
    if price is None:
        raise Invalid(("shipping_method", "choose one of the delivery methods"))
    wanted = Wanted(
        channel=CHANNEL,
        reference=attempt,
        currency=shop().currency,
        name=customer.get("name", ""),
        email=customer.get("email", ""),
        phone=customer.get("phone", ""),
        shipping_address=shipping_address,
        billing_address=billing_address,
        lines=[(sku, quantity, None) for sku, quantity in lines],
        shipping_method=shipping_method,
        shipping_price=price,
        payment_method=payment_method,
        needed_by=needed_by,
        gift_message=gift_message,
        comment=comment,
        consent=False,  # they give it with the card
        age_declared=age_declared,
        by_telephone=True,
        asks_card=payment_method == "card",
    )
    try:
        return place_order(wanted=wanted, actor=actor)
    except Invalid as error:
        raise Invalid(*[(_form_field(f, lines), m) for f, m in error.errors]) from None
    except Refused as error:
        raise Invalid(*[_at_field(b.code, b.message, b.line) for b in error.blockers]) from None


def _at_field(code: str, message: str, sku: str | None) -> tuple[str, str]:
    return (f"quantity:{sku}", message) if sku else ("shipping_address.state", message)


def _form_field(name: str, lines: Sequence[tuple[str, int]]) -> str:
    """The form's name of a field of the action: `lines.0.quantity` is `quantity:SKU`."""
    parts = name.split(".")
    if parts[0] == "lines":
        at = int(parts[1]) if len(parts) == 3 else -1
        return f"quantity:{lines[at][0]}" if 0 <= at < len(lines) else "wine"
    known = {"customer.name": "name", "customer.email": "email", "customer.phone": "phone", "age": "age_declared"}
    return known.get(name, "payment_method" if parts[0] == "payment" else name)
