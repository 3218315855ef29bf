"""What is offered: each choice checked, and completed with its consequence in words, price and date.

Pure: the order and the products come in as values. What goes out is plain JSON, stored as the customer will read it
and as the amendment will carry it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from counterfoil.core.errors import Blocker, Invalid, Refused
from counterfoil.steps.alternatives.kinds import Choice, as_is, cancel, expedite, later_date, split, substitute
from counterfoil.steps.alternatives.rules import KINDS, MAX_CHOICES, singles
from counterfoil.steps.alternatives.state import OrderState, Terms
from counterfoil.steps.alternatives.wish import Wish

# What each kind of choice is made of, beside its kind; anything else is a misunderstanding and is said so.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "substitute": ("line", "sku", "quantity", "price", "date"),
    "expedite": ("line", "method", "price", "date"),
    "split": ("line", "quantity", "date"),
    "later_date": ("line", "date"),
    "cancel": ("line", "quantity"),
    "as_is": (),
}
_MAKERS: Mapping[str, Callable[[Wish, OrderState, Terms], Choice | None]] = {
    "substitute": substitute,
    "expedite": expedite,
    "split": split,
    "later_date": later_date,
    "cancel": cancel,
    "as_is": as_is,
}


def complete(choices: Sequence[Mapping[str, Any]], order: OrderState, terms: Terms) -> list[Choice]:
    """Check every choice and complete it. Raises Invalid with a path for each wrong field, else Refused."""
    if not choices:
        raise Invalid(("choices", "offer at least one choice"))
    if len(choices) > MAX_CHOICES:
        raise Invalid(("choices", f"offer at most {MAX_CHOICES} choices"))
    done: list[Choice] = []
    errors: list[tuple[str, str]] = []
    blockers: list[Blocker] = []
    for index, raw in enumerate(choices):
        wish = Wish(f"choices.{index}", raw)
        try:
            made = check_choice(wish, order, terms)
        except Refused as refused:
            blockers += refused.blockers
            made = None
        errors += wish.errors
        if made is not None:
            done.append(made)
    if errors:
        raise Invalid(*errors)
    if blockers:
        raise Refused(blockers)
    return done


def check_choice(wish: Wish, order: OrderState, terms: Terms) -> Choice | None:
    """One choice; None when its errors say why not."""
    kind = wish.raw.get("kind")
    if kind not in KINDS:
        wish.wrong("kind", f"must be one of {', '.join(KINDS)}")
        return None
    known = FIELDS[str(kind)]
    for name in sorted(n for n, value in wish.raw.items() if value is not None and n not in {"kind", *known}):
        wish.wrong(name, f"has no meaning here; {kind} knows {', '.join(known)}")
    made = _MAKERS[str(kind)](wish, order, terms)
    return None if wish.errors or made is None else made


def units_offered(choices: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """By product, the units to keep while these choices stand: the customer takes one of them, so the most of any."""
    found: dict[int, int] = {}
    for choice in choices:
        mine: dict[int, int] = {}
        for one in singles(choice):
            if one["kind"] == "substitute":
                mine[int(one["product"])] = mine.get(int(one["product"]), 0) + int(one["quantity"])
        for product, units in mine.items():
            found[product] = max(found.get(product, 0), units)
    return found


def about(choices: Sequence[Choice], order: OrderState, free: Mapping[int, int]) -> dict[str, list[int]]:
    """What a question is about: the lines that really lack goods now (`free` units by line), or holds of the weather.

    A choice without a line is about all of them. A question that is about neither stands until it is answered.
    """
    stops = [stop.id for stop in order.weather]
    if stops and any(choice.get("releases") for choice in choices):
        return {"holds": stops}
    lacking = {
        ln.id: part.number for part in order.here() for ln in part.lines if ln.missing > max(0, free.get(ln.id, 0))
    }
    named: set[int] = set()
    for choice in choices:
        if choice["kind"] == "split":
            named |= {int(row["line"]) for row in choice["lines"]}
        elif choice.get("line") is not None:
            named.add(int(choice["line"]))
        else:
            parts = set(choice.get("parts") or [choice["part"]] if choice["kind"] != "cancel" else lacking.values())
            named |= {pk for pk, number in lacking.items() if number in parts}
    lines = sorted(named & set(lacking))
    return {"lines": lines} if lines else {}
