"""A clerk amends an order, as its customer agreed: previewed, applied in one transaction. `undoing.py` undoes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.db import in_writing, writing
from counterfoil.core.errors import Invalid, blocked
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.core.text import clean
from counterfoil.flow.amend.consent import in_words, read_consent
from counterfoil.flow.amend.making import Change, begin, finish
from counterfoil.flow.amend.pictures import whole_picture
from counterfoil.flow.amend.putting import put
from counterfoil.flow.amend.wanted import ADDRESS, Row, Shelf, Wanted, work_out
from counterfoil.flow.rules import may_amend
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.gateways.storefront.countries import state_code
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.load import check, facts_of, take
from counterfoil.records.orders.models import Amendment, Line, Order, Part
from counterfoil.records.orders.slip import mail_slip
from counterfoil.steps.alternatives.arithmetic import Sums
from counterfoil.steps.alternatives.queries import line_money, named_skus, rate, read_order, read_terms


@dataclass(frozen=True)
class Preview:
    """What an amendment would do, drawn from `version` of the order: apply it with that one, or hear who came first.

    `before` and `after` are whole pictures with stock and money of each part; `refunded` and `due` minor units.
    """

    version: int
    text: str
    before: dict[str, Any]
    after: dict[str, Any]
    refunded: int
    due: int


class _Drawn(Exception):
    """A preview is the amendment itself, taken back with its transaction: nothing of it stays."""

    def __init__(self, preview: Preview) -> None:
        self.preview = preview


def amend_order(
    *,
    order: str,
    actor: Actor,
    changes: Sequence[Mapping[str, Any]],
    consent: Mapping[str, Any] | None = None,
    version: int | None = None,
) -> Amendment:
    """Change an order as its customer agreed; `changes` as in docs/alternatives.md, prices in minor units.

    With `version` (what a preview was drawn from) it is Refused `someone_else` when somebody has worked on the order
    since. What was paid too much goes back by itself; what is missing is to be charged, and nothing ships until then.
    Raises Forbidden, Missing, Invalid with paths such as `changes.0.sku` or `consent.who`, or Refused.
    """
    require(actor, CLERK)
    agreed = read_consent(consent, now=clock.business_now())
    with writing():
        return _amend(order, actor, changes, agreed, version)


def preview_amendment(*, order: str, actor: Actor, changes: Sequence[Mapping[str, Any]]) -> Preview:
    """What `amend_order` would do, from the same arithmetic: it is done and taken back. Raises the same."""
    require(actor, CLERK)
    return drawn(order, lambda: _amend(order, actor, changes, {"how": "preview"}, None))


def drawn(order: str, act: Callable[[], Amendment]) -> Preview:
    """What an act on the order would do."""
    if in_writing():
        raise RuntimeError("a preview is a transaction of its own, taken back")
    try:
        with writing():
            known = take(order)
            before = _with_state(known)
            made = act()
            after = _with_state(Order.objects.get(pk=known.pk))
            raise _Drawn(
                Preview(
                    known.version - 1, made.text, before, after, int(made.money["refunded"]), int(made.money["due"])
                )
            )
    except _Drawn as drawn:
        return drawn.preview


def _with_state(order: Order) -> dict[str, Any]:
    """The whole picture with where the goods and the money of it are."""
    found = whole_picture(order)
    lines = {line.pk: line for line in Line.objects.filter(order=order)}
    for row in found["lines"]:
        line = lines[row["id"]]
        row |= {"reserved": line.reserved + line.picked, "due": line.due, "short": max(0, line.short)}
    for row, part in zip(found["parts"], Part.objects.filter(order=order).order_by("number"), strict=True):
        row |= {
            "money": part.money,
            "parcel": part.parcel,
            "paid": part.paid,
            "refund_owed": part.refund_owed,
            "due": max(0, part.total - part.paid),
            "live": any(r["quantity"] for r in found["lines"] if r["part"] == part.number),
        }
    return found


def _amend(
    number: str, actor: Actor, changes: Sequence[Mapping[str, Any]], consent: Mapping[str, Any], version: int | None
) -> Amendment:
    taken = take(number, version=version)
    check(may_amend(facts_of(taken)))
    asked = [_cleaned(change) for change in changes]
    state = read_order(taken)
    rows = _rows(taken)
    shelf = _shelf(taken, asked)
    wanted = work_out(asked, state, rows, shelf)
    _served(wanted)
    _needs_consent(consent, rows, wanted, {p.number: p.sums for p in state.parts})
    change = Change(taken, {}, actor)
    before = begin(change, [row.product for row in wanted.rows if row.id is None])
    put(change, wanted)
    text = "; ".join(wanted.said)
    made = finish(
        change,
        before,
        kind=Amendment.CLERK,
        text=f"Amended, {in_words(consent)}: {text}" if consent.get("how") != "preview" else text,
        data={"kind": "clerk", "consent": dict(consent)},
        changes=asked,
        consent=consent,
    )
    mail_changed(taken, made, text)
    return made


def _cleaned(change: Mapping[str, Any]) -> dict[str, Any]:
    """A change as it is kept: an address without card numbers in it."""
    kept = dict(change)
    given = kept.get("address")
    if isinstance(given, Mapping):
        try:
            kept["address"] = {name: clean(str(given.get(name) or "")) for name in ADDRESS}
        except ValueError as error:
            raise Invalid(("changes.address", str(error))) from None
    return kept


def _rows(order: Order) -> list[Row]:
    settings = shop()
    return [
        Row(
            part=line.part.number,
            product=line.product_id,
            sku=line.sku,
            name=line.name,
            money=line_money(line),
            id=line.pk,
            cancelled=line.cancelled,
            replaces=line.replaces_id,
            class_ppm=rate(line.product, order, settings),
        )
        for line in Line.objects.filter(order=order).select_related("part", "product").order_by("position")
    ]


def _shelf(order: Order, changes: Sequence[Mapping[str, Any]]) -> Shelf:
    terms = read_terms(order, named_skus(changes), dates=False)
    new = next((c["address"] for c in changes if isinstance(c.get("address"), Mapping)), None)
    rates: dict[int, int] = {}
    if new is not None:
        settings = shop()
        for product in Product.objects.filter(line__order=order).distinct():
            country = str(new.get("country") or "")
            to = {"country": country, "state": state_code(country, str(new.get("state") or ""))}
            rates[product.pk] = settings.tax_rate_ppm(product.tax_class, **to)
    return Shelf(terms.offers, terms.deliveries, terms.price_rule, rates, order.shipping_address)


def _served(wanted: Wanted) -> None:
    to = wanted.address
    country = str(to.get("country", ""))
    state = state_code(country, str(to.get("state", "")))
    reason = shop().refuses(country=country, state=state)
    if not reason and not state and shop().tells_states_apart(country):
        reason = "name the state: we do not ship to every state of that country"
    if reason:
        raise blocked("state_not_served", reason)


def _needs_consent(consent: Mapping[str, Any], rows: Sequence[Row], wanted: Wanted, sums: Mapping[int, Sums]) -> None:
    """Without the customer's word only what costs them less and leaves goods and address as they are."""
    if consent.get("how") != "not_needed":
        return
    old = {row.id: row for row in rows}
    same_goods = all(
        row.id is not None
        and row.money.quantity == old[row.id].money.quantity
        and row.money.unit_price <= old[row.id].money.unit_price
        for row in wanted.rows
    )
    dearer = any(found.total > sums[number].total for number, found in wanted.sums.items())
    moved = any(text.startswith("goes to ") for text in wanted.said)
    if not same_goods or dearer or moved:
        raise Invalid(("consent.how", "the customer must agree to this: say how they did"))


# --- telling --------------------------------------------------------------------------------------------------------


def mail_changed(order: Order, made: Amendment, what: str) -> None:
    """The customer reads what was agreed, and what becomes of their money."""
    refunded, due = int(made.money["refunded"]), int(made.money["due"])
    owe_mail(
        "changed",
        to=order.email,
        key=f"{order.number}:amendment:{made.number}",
        context={
            **mail_slip(order, list(Line.objects.filter(order=order).order_by("position"))),
            "subject": f"{order.number} is changed",
            "what": what,
            "agreed": in_words(made.consent) if made.consent.get("who") else "",
            "refund": show(refunded, order.currency) if refunded else "",
            "due": show(due, order.currency) if due else "",
            "card": order.payment_method == "card",
        },
    )
