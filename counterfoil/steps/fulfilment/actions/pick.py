"""The pick list is issued, and units are taken off the shelf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from counterfoil.core import documents, jobs
from counterfoil.core.actor import PICKER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Missing, blocked
from counterfoil.core.machine import Move, shift
from counterfoil.core.models import Document
from counterfoil.records.orders.load import check, facts_of, find, note, take
from counterfoil.records.orders.models import PARCEL, STOCK, Line, Order, Part
from counterfoil.records.stock.ledger import Change, change_waiting, lock, move
from counterfoil.steps.fulfilment import papers
from counterfoil.steps.fulfilment.asked import Asked, lay_out, read
from counterfoil.steps.fulfilment.rules import choose, may_pick


def issue_pick_list(*, order: str, part: int, actor: Actor) -> Document:
    """Issue the part's pick list for its present sales order, once; an issued one is returned unchanged.

    Raises Forbidden, Missing (no such order or part) or Refused when the part may not be picked.
    """
    require(actor, PICKER)
    seen = find(order)
    listed = _listed(seen, _part(seen, part))
    if listed is not None:
        return listed
    with writing():
        taken = take(order)
        row = _part(taken, part)
        listed = _listed(taken, row)
        if listed is not None:  # another process came first
            return listed
        check(choose(facts_of(taken), may_pick, ("waiting", "picking"), wanted=part)[1])
        return _issue(taken, row, actor)


def pick_order(
    *,
    order: str,
    actor: Actor,
    lines: Sequence[Mapping[str, Any]] | None = None,
    part: int | None = None,
) -> Order:
    """Take units off the shelf: those named, else everything that is reserved for the parts that may be picked.

    `lines` is `[{sku, quantity, short?}]`: `quantity` units are in the picker's hands; `short` more (or True: all the
    others) were not to be found. Missing units are set aside as quarantined, a count is queued, and the line is open
    again. Raises Forbidden, Missing, Invalid or Refused (`someone_else` with who picked before).
    """
    require(actor, PICKER)
    asked = None if lines is None else read(lines, shorts=True)
    with writing():
        taken = take(order)
        if part is not None:
            _part(taken, part)
        skus = [one.sku for one in asked or ()]
        opened, found = choose(facts_of(taken), may_pick, ("waiting", "picking"), wanted=part, skus=skus)
        check(found)
        parts = list(Part.objects.filter(order=taken, number__in=[p.number for p in opened]).order_by("number"))
        rows = [ln for p in parts for ln in papers.lines_of(p)]
        laid = _lay_out(asked, rows, parts[0].picked_by)
        lock(ln.product_id for ln, _, _ in laid)
        for row in parts:
            share = [entry for entry in laid if entry[0].part_id == row.pk]
            if share:
                if _listed(taken, row) is None:
                    _issue(taken, row, actor)
                _Pick(taken, row, actor).do(share, [ln for ln in rows if ln.part_id == row.pk])
    return taken


def _part(order: Order, number: int) -> Part:
    found = Part.objects.filter(order=order, number=number).first()
    if found is None:
        raise Missing(f"{order.number} has no part {number}")
    return found


def _listed(order: Order, part: Part) -> Document | None:
    return Document.objects.filter(
        subject=order.number,
        kind="pick-list",
        part=part.number,
        version=papers.sales_order_version(order, part),
    ).first()


def _issue(order: Order, part: Part, actor: Actor) -> Document:
    lines = papers.lines_of(part)
    document = documents.issue(
        "pick-list",
        subject=order.number,
        part=part.number,
        version=papers.sales_order_version(order, part),
        content=papers.pick_list(order, part, lines),
    )
    # No queue depends on the paper: what may be picked is decided by the facts.
    note(
        order,
        "pick_list_issued",
        actor=actor,
        text=f"Pick list {document.number}",
        part=part,
        data={"document": document.number},
        advance=False,
    )
    return document


def _lay_out(asked: Sequence[Asked] | None, rows: Sequence[Line], last: str) -> list[tuple[Line, int, int]]:
    if asked is None:
        return [(ln, ln.reserved, 0) for ln in rows if ln.reserved]
    out: list[tuple[Line, int, int]] = []
    for one in asked:
        mine = [ln for ln in rows if ln.sku == one.sku and ln.quantity]
        if mine and not any(ln.reserved for ln in mine) and any(ln.picked for ln in mine):
            who = f" by {last}" if last else ""
            raise blocked("someone_else", f"{one.sku} has been picked already{who}", line=one.sku, by=last or None)
        out += lay_out(one, rows, lambda ln: ln.reserved, "reserved and still on the shelf")
    return out


@dataclass
class _Pick:
    """One part's share of a pick, being written."""

    order: Order
    part: Part
    actor: Actor
    moves: list[Move] = field(default_factory=list)

    def do(self, share: Sequence[tuple[Line, int, int]], lines: Sequence[Line]) -> None:
        move([change for entry in share for change in self._changes(*entry)], actor=self.actor)
        for line, taken, short in share:
            line.reserved -= taken + short
            line.picked += taken
        Line.objects.bulk_update([ln for ln, _, _ in share], ["reserved", "picked"])
        picked = [(ln, n) for ln, n, _ in share if n]
        if picked:
            self._picked(picked, lines)
        missing = [(ln, n) for ln, _, n in share if n]
        if missing:
            self._fell_short(missing)

    def _changes(self, line: Line, taken: int, short: int) -> list[Change]:
        key = f"line:{line.pk}:v{self.order.version}"
        bin_ = line.product.bin
        told: dict[str, Any] = {"subject": self.order.number, "line": line.pk, "bin": bin_}
        return [
            Change(line.product_id, "picked", f"pick:{key}", on_hand=-taken, reserved=-taken, picked=taken, **told),
            Change(
                line.product_id,
                "pick_short",
                f"pick_short:{key}",
                on_hand=-short,
                reserved=-short,
                quarantined=short,
                reason=f"not to be found when {self.order.number} was picked",
                **told,
            ),
        ]

    def _picked(self, picked: Sequence[tuple[Line, int]], lines: Sequence[Line]) -> None:
        whole = all(ln.picked + ln.shipped >= ln.quantity for ln in lines)
        self.part.picked_by = self.actor.name
        self.part.save(update_fields=["picked_by"])
        moves = []
        if whole or self.part.parcel == "waiting":
            moves.append(shift(PARCEL, "pick" if whole else "start_pick", self.part, part=self.part.number))
        units = ", ".join(f"{n} × {ln.sku}" for ln, n in picked)
        note(
            self.order,
            "order_picked" if whole else "units_picked",
            actor=self.actor,
            text=f"Picked {units}" if whole else f"Picked {units}; more to pick",
            part=self.part,
            moves=moves,
            data={"lines": [{"line": ln.pk, "sku": ln.sku, "quantity": n} for ln, n in picked]},
        )

    def _fell_short(self, missing: Sequence[tuple[Line, int]]) -> None:
        by_product: dict[int, int] = {}
        for ln, n in missing:
            by_product[ln.product_id] = by_product.get(ln.product_id, 0) + n
        change_waiting(by_product)
        units = ", ".join(f"{n} × {ln.sku}" for ln, n in missing)
        note(
            self.order,
            "pick_fell_short",
            actor=self.actor,
            text=f"Not to be found: {units}. Set aside, to be counted; the line is open again",
            part=self.part,
            moves=[shift(STOCK, "fall_short", self.part, part=self.part.number)],
            data={"lines": [{"line": ln.pk, "sku": ln.sku, "missing": n} for ln, n in missing]},
        )
        for product, units_missing in sorted(by_product.items()):
            jobs.enqueue(
                "sourcing.count",
                # Each short pick is counted for itself: two of them must not melt into one.
                key=f"{product}:{self.order.number}:{self.part.number}:v{self.order.version}",
                payload={"product": product, "order": self.order.number, "missing": units_missing},
            )
            jobs.enqueue("sourcing.fill", key=str(product), payload={"product": product})
