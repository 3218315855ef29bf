"""Several lines changed by one answer: what stands in for each that has something, without those that have nothing.

Pure. The parts are summed up once, here as in the amendment: what the customer reads is what it costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from counterfoil.steps.alternatives.arithmetic import keep, priced
from counterfoil.steps.alternatives.kinds import Choice, closing, ships_words
from counterfoil.steps.alternatives.state import OrderState, PartState, Terms, latest


def leaves_something(part: PartState, changes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the part has a line left after these changes of it."""
    off = sum(int(c["quantity"]) for c in changes)
    back = sum(int(c["quantity"]) for c in changes if c["kind"] == "substitute")
    return sum(ln.money.quantity for ln in part.lines) - off + back > 0


def together(order: OrderState, changes: Sequence[Choice], terms: Terms) -> Choice | None:
    """One choice out of substitutes and lines to do without, each line once; of one it is that one.

    None where a part would be left empty (to cancel it is another choice) or paid goods would become dearer.
    """
    if len(changes) == 1:
        return changes[0]
    difference = 0
    touched = [part for part in order.parts if any(c["part"] == part.number for c in changes)]
    for part in touched:
        mine = [c for c in changes if c["part"] == part.number]
        more = _more(part, mine)
        if not leaves_something(part, mine) or (part.charged and more > 0):
            return None
        difference += more
    if not touched:
        return None
    day = _ready(touched, changes, terms)
    made: Choice = {
        "kind": "change", "parts": [part.number for part in touched], "changes": list(changes),
        "text": f"{_words(order, changes)}{_when(changes, day)}",
    }  # fmt: skip
    return closing(made, order, difference, day)


def _when(changes: Sequence[Choice], day: date | None) -> str:
    words = ships_words(day)
    only_less = all(c["kind"] == "cancel" for c in changes)
    return words.replace(", ships ", ", the rest ships ") if only_less else words


def _more(part: PartState, changes: Sequence[Choice]) -> int:
    """What the part costs more with these changes, minor units; less than nothing where it becomes cheaper."""
    off = {int(c["line"]): int(c["quantity"]) for c in changes}
    lines = [keep(ln.money, ln.money.quantity - off[ln.id]) if ln.id in off else ln.money for ln in part.lines]
    lines += [priced(c["quantity"], c["price"], c["tax_ppm"]) for c in changes if c["kind"] == "substitute"]
    return part.with_lines(lines).total - part.sums.total


def _ready(parts: Sequence[PartState], changes: Sequence[Choice], terms: Terms) -> date | None:
    """When what is left of the parts, and all that stands in, can ship. None: nobody knows."""
    off = {int(c["line"]): int(c["quantity"]) for c in changes}
    wanted: dict[str, int] = {}
    for change in changes:
        if change["kind"] == "substitute":
            wanted[change["sku"]] = wanted.get(change["sku"], 0) + int(change["quantity"])
    days = [terms.offers[sku].ships(units) for sku, units in wanted.items() if sku in terms.offers]
    return latest(*(terms.ready(part, off) for part in parts), *days)


def _words(order: OrderState, changes: Sequence[Choice]) -> str:
    instead = [
        str(c["text"]).removesuffix(ships_words(date.fromisoformat(c["date"]) if c["date"] else None))
        for c in changes
        if c["kind"] == "substitute"
    ]
    names = {ln.id: ln.name for part in order.parts for ln in part.lines}
    gone = " and ".join(f"{c['quantity']} × {names[c['line']]}" for c in changes if c["kind"] == "cancel")
    said = [*instead, *([f"without {gone}"] if gone else [])]
    words = "; ".join(said)
    return words[:1].upper() + words[1:]
