"""Step 4: is everything here? Reserve what is, cover the rest with what is on order, and say what is short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from counterfoil.core import clock
from counterfoil.core.actor import CLERK, PICKER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid
from counterfoil.records.orders.load import check, facts_of, find, note, take
from counterfoil.records.orders.models import Line, Order, Part
from counterfoil.records.stock.ledger import Change, once
from counterfoil.steps.sourcing.allotment import Allotment, Touched
from counterfoil.steps.sourcing.fields import whole
from counterfoil.steps.sourcing.models import CountTask
from counterfoil.steps.sourcing.rules import may_check_stock, takes_stock, unseen

_WORDS = {
    "confirmed": "everything is reserved",
    "awaiting": "the rest is on order",
    "short": "units are missing and not on order",
}


class _Unchanged(Exception):
    """Nothing was found out: the version that was taken is given back with the transaction."""


def check_stock(*, order: str, actor: Actor, lines: Sequence[Mapping[str, Any]] | None = None) -> Order:
    """Reserve what is free for the order's open units, cover the rest with purchase orders, and judge each part.

    `lines` (`[{sku, seen}]`) is what a picker counted on the shelf: where fewer units were seen than the ledger
    believes in, the line keeps what was seen, the missing units are set aside and a count is queued. Running it again
    changes nothing. Raises Forbidden, Missing, Invalid or Refused with every blocker.
    """
    require(actor, CLERK, PICKER)
    seen = _seen(lines or [])
    try:
        with writing():
            taken = take(order)
            facts = facts_of(taken)
            known = set(Line.objects.filter(order=taken).values_list("sku", flat=True))
            strange = [sku for sku in seen if sku not in known]
            if strange:
                raise Invalid(*[("lines", f"{sku} is not on {order}") for sku in strange])
            check(may_check_stock(facts))
            if not any(takes_stock(part) for part in facts.parts):
                raise _Unchanged
            _check(taken, seen, actor)
    except _Unchanged:
        return find(order)
    return taken


def _seen(lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    out: dict[str, int] = {}
    errors: list[tuple[str, str]] = []
    for at, row in enumerate(lines):
        sku = str(row.get("sku", ""))
        if sku in out:
            errors.append((f"lines.{at}.sku", f"{sku} is counted twice"))
        out[sku] = whole(row.get("seen"), f"lines.{at}.seen", errors, least=0)
    if errors:
        raise Invalid(*errors)
    return out


def _check(taken: Order, seen: Mapping[str, int], actor: Actor) -> None:
    wanted = Line.objects.filter(order=taken, quantity__gt=0).values_list("product_id", flat=True)
    laid = Allotment(orders={taken.pk: taken}, products=list(wanted))
    counts: list[CountTask] = []
    for product_id in laid.balances:
        mine = laid.mine(product_id)
        if mine:
            counts += _reserve(laid, mine, seen.get(mine[0].sku), actor)
    laid.cover()
    touched = laid.save(actor=actor, checked=[part.pk for part in laid.live_parts()])
    CountTask.objects.bulk_create(counts)
    if not touched and not counts:
        raise _Unchanged
    note(
        taken,
        "stock_checked",
        actor=actor,
        text=_text(laid.live_parts(), touched, counts),
        moves=[move for t in touched for move in t.moves],
        data={
            "lines": [
                {"sku": ln.sku, "reserved": ln.reserved, "due": ln.due, "short": max(0, ln.short)}
                for ln in laid.lines.values()
                if laid.eligible(ln)
            ],
            "counts": [{"sku": t.product.sku, "seen": t.seen, "expected": t.expected} for t in counts],
        },
    )


def _text(parts: Sequence[Part], touched: Sequence[Touched], counts: Sequence[CountTask]) -> str:
    worst = next(state for state in ("short", "awaiting", "confirmed") if any(p.stock == state for p in parts))
    said = [f"Stock checked: {_WORDS[worst]}", *[t.words for t in touched if t.words]]
    said += [f"{t.missing} × {t.product.sku} not found on the shelf, to be counted" for t in counts]
    return "; ".join(said)


def _reserve(laid: Allotment, lines: Sequence[Line], seen: int | None, actor: Actor) -> list[CountTask]:
    """Reserve for the lines of one product what is free, and no more than a picker has seen."""
    number = laid.orders[lines[0].order_id].number
    balance = laid.balances[lines[0].product_id]
    # What a picker did not find for this order is not promised to it again until the shelf has been counted.
    doubt = CountTask.objects.filter(product=balance.product_id, order_number=number, closed_at=None, at_pick=False)
    doubted = doubt.order_by("-pk").values_list("seen", flat=True).first()
    cap = None if doubted is None else max(doubted, seen or 0)
    counts: list[CountTask] = []
    for line in lines:
        units = min(max(0, line.open_units), max(0, balance.free))
        if cap is not None:
            units = min(units, max(0, cap - line.reserved))
        believed = line.reserved + units
        missing = 0 if seen is None else unseen(believed=believed, seen=seen)
        target = believed - missing
        if target > line.reserved:
            laid.reserve(line, target - line.reserved)
        else:
            laid.give_back(line, line.reserved - target)
        if missing:
            _set_aside(laid, line, missing)
            counts.append(_count(line, number, seen or 0, believed, actor))
        seen = None if seen is None else max(0, seen - target)
        cap = None if cap is None else max(0, cap - target)
    return counts


def _set_aside(laid: Allotment, line: Line, missing: int) -> None:
    order = laid.orders[line.order_id]
    for at, share in enumerate(laid.take(line.product_id, missing)):
        laid.change(
            Change(
                line.product_id,
                "count_variance",
                once(f"count:line:{line.pk}:v{order.version}", at),
                on_hand=-share.units,
                quarantined=share.units,
                subject=order.number,
                line=line.pk,
                reason="not found on the shelf",
                bin=share.place.bin,
                lot=share.place.lot,
            )
        )


def _count(line: Line, number: str, seen: int, expected: int, actor: Actor) -> CountTask:
    return CountTask(
        product=line.product,
        order_number=number,
        seen=seen,
        expected=expected,
        made_at=clock.business_now(),
        made_by=actor.name,
    )
