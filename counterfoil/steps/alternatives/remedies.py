"""What a customer is offered whose goods do not come: wait, change or cancel, each with its consequence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from counterfoil.core.errors import Invalid, Refused
from counterfoil.records.catalogue.models import Product
from counterfoil.records.catalogue.similar import similar_to_each
from counterfoil.records.orders.models import Line, Order, Part
from counterfoil.records.orders.slip import say_date
from counterfoil.steps.alternatives.choices import complete
from counterfoil.steps.alternatives.kinds import back_words
from counterfoil.steps.alternatives.queries import read_order, read_terms
from counterfoil.steps.alternatives.rules import GONE, MAX_CHOICES
from counterfoil.steps.alternatives.several import leaves_something, together
from counterfoil.steps.alternatives.state import OrderState, Terms

Choice = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What the customer of one part is told. `offered` None: nobody knows when; `consents`: no answer is a yes."""

    part: Part
    offered: date | None
    reason: str
    consents: bool
    answer_by: date


def choices_for(
    order: Order, told: Sequence[Told], *, stood: Sequence[Choice] = (), without: bool = False
) -> list[Choice]:
    """Wait for the new date; take what stands in for what is missing, and do without the rest; or cancel.

    `stood` are choices of an earlier question that still stand. `without`: to do without all that is missing is a
    choice of its own, where something else is left.
    """
    state = read_order(order)
    change = _changes(order, state, [t.part for t in told], without=without)
    made = [_wait(state, told), *change, *stood]
    once = list({(c["kind"], c["text"]): c for c in made}.values())
    last = _cancel(order, state, told)
    return [*[c for c in once if c["text"] != last["text"]][: MAX_CHOICES - 1], last]


def _wait(state: OrderState, told: Sequence[Told]) -> Choice:
    parts = [t.part.number for t in told]
    days = [t.offered for t in told]
    day = None if None in days else max(d for d in days if d is not None)
    what = "everything" if len(parts) == len(state.parts) else "the rest" if len(parts) > 1 else f"part {parts[0]}"
    text = f"Wait: {what} ships on {say_date(day)}" if day else "Wait: you get the date as soon as we know it"
    return {
        "kind": "later_date", "parts": parts, "text": f"{text}, at the same price", "difference": 0,
        "total": state.total, "date": day.isoformat() if day else None,
    }  # fmt: skip


# --- change ---------------------------------------------------------------------------------------------------------


def _changes(order: Order, state: OrderState, parts: Sequence[Part], *, without: bool) -> list[Choice]:
    """One answer for everything that is missing: a similar wine for each line that has one, the others left out."""
    found = Line.objects.filter(part__in=parts, quantity__gt=0).select_related("product").order_by("position")
    missing = [ln for ln in found if ln.open_units > 0]
    if not missing:
        return []
    instead, terms = _stand_ins(order, state, missing)
    gone = _left_out(state, missing, terms)
    wanted = [instead.get(ln.pk) or gone.get(ln.pk) for ln in missing]
    kept = [_of_parts_that_stay(state, wanted)]
    if without or not instead:
        kept.append(_of_parts_that_stay(state, [gone.get(ln.pk) for ln in missing]))
    made = [together(state, changes, terms) for changes in kept if changes]
    return [choice for choice in made if choice is not None]


def _of_parts_that_stay(state: OrderState, wanted: Sequence[Choice | None]) -> list[Choice]:
    """Without those of a part of which nothing would be left: that is to cancel it, and said so."""
    made = [c for c in wanted if c is not None]
    stays = {p.number: leaves_something(p, [c for c in made if c["part"] == p.number]) for p in state.parts}
    return [c for c in made if stays[c["part"]]]


def _stand_ins(order: Order, state: OrderState, missing: Sequence[Line]) -> tuple[dict[int, Choice], Terms]:
    """By line, the most alike product that is here in that number; never dearer, and no bottle offered twice."""
    units = {line.pk: line.quantity - line.picked - line.shipped for line in missing}
    wanted: dict[Product, int] = {}
    for line in missing:
        wanted[line.product] = max(units[line.pk], wanted.get(line.product, 0))
    similar = similar_to_each(wanted)
    skus = {other.product.sku for found in similar.values() for other in found}
    terms = read_terms(order, skus)
    left = {other.product.pk: other.free for found in similar.values() for other in found}
    chosen: dict[int, Choice] = {}
    for line in missing:
        for other in similar[line.product_id]:
            if left[other.product.pk] < units[line.pk] or other.product.currency != order.currency:
                continue
            wish = {
                "kind": "substitute", "line": line.pk, "sku": other.product.sku, "quantity": units[line.pk],
                "price": min(other.product.price, line.unit_price),
            }  # fmt: skip
            made = _possible(state, terms, wish)
            if made is not None:
                chosen[line.pk] = made
                left[other.product.pk] -= units[line.pk]
                break
    return chosen, terms


def _left_out(state: OrderState, missing: Collection[Line], terms: Terms) -> dict[int, Choice]:
    """By line, to do without the units that are missing; not where nothing of the order would be left."""
    found: dict[int, Choice] = {}
    for line in missing:
        wish = {"kind": "cancel", "line": str(line.pk), "quantity": line.open_units}
        made = _possible(state, terms, wish)
        if made is not None and made["line"] is not None:
            found[line.pk] = made
    return found


def _possible(state: OrderState, terms: Terms, wish: Mapping[str, Any]) -> Choice | None:
    try:
        return complete([wish], state, terms)[0]
    except (Invalid, Refused):
        return None


# --- cancel ---------------------------------------------------------------------------------------------------------


def _cancel(order: Order, state: OrderState, told: Sequence[Told]) -> Choice:
    """Of the whole order while all of it is late, else of the parts that are."""
    late = [t.part.number for t in told]
    gone = any(p.parcel in GONE or any(ln.shipped for ln in p.lines) for p in state.parts)
    if not gone and all(p.number in late for p in state.here()):
        return complete([{"kind": "cancel"}], state, read_terms(order, []))[0]
    return cancel_parts(state, late)


def cancel_parts(state: OrderState, numbers: Sequence[int]) -> Choice:
    """The choice that some parts are cancelled, whatever becomes of the others."""
    parts = [p for p in state.parts if p.number in numbers]
    paid = any(p.charged for p in parts)
    words = f"what you paid for it is refunded{back_words(state)}" if paid else "it is not charged"
    less = sum(p.sums.total for p in parts)
    return {
        "kind": "cancel_parts", "parts": list(numbers), "text": f"Cancel what is late; {words}",
        "difference": -less, "total": state.total - less, "date": None,
    }  # fmt: skip
