"""The pick list is issued, and units are taken off the shelf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from counterfoil.core import documents, jobs
from counterfoil.core.actor import PICKER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing, blocked
from counterfoil.core.machine import shift
from counterfoil.core.models import Document
from counterfoil.records.orders.load import check, facts_of, find, note, take
from counterfoil.records.orders.models import PARCEL, STOCK, Line, Order, Part
from counterfoil.records.stock.ledger import Change, change_waiting, lock, move, once
from counterfoil.records.stock.places import Shelves, Wanted, keep_plans, shelves
from counterfoil.records.stock.rules import Share
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
        lines = papers.lines_of(row)
        lock(ln.product_id for ln in lines if ln.reserved)
        held = shelves(ln.product_id for ln in lines if ln.reserved)
        made = _issue(taken, row, lines, held, actor)
        keep_plans(held, [ln.pk for ln in lines])
        return made


def pick_order(
    *,
    order: str,
    actor: Actor,
    lines: Sequence[Mapping[str, Any]] | None = None,
    part: int | None = None,
) -> Order:
    """Take units off the shelf: those named, else everything that is reserved for the parts that may be picked.

    `lines` is `[{sku, quantity, short?, bin?, lot?}]`: `quantity` units are in the picker's hands; `short` more (or
    True: all the others) were not to be found, or are broken. They come from the bins and lots that the pick list
    names, unless `bin` or `lot` says otherwise. What was not to be found is set aside as quarantined and a count is
    queued. While others of the product are free, the line keeps its reservation and another lot is tried; else it is
    open again. Raises Forbidden, Missing, Invalid or Refused (`someone_else` with who picked before).
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
        balances = lock(ln.product_id for ln in rows if ln.reserved)
        held = shelves(balances)
        spare = {pk: balance.free for pk, balance in balances.items()}
        for row in parts:
            share = [entry for entry in laid if entry[0].part_id == row.pk]
            if share:
                of_part = [ln for ln in rows if ln.part_id == row.pk]
                if _listed(taken, row) is None:
                    _issue(taken, row, of_part, held, actor)
                _Pick(taken, row, actor, held, {one.sku: one for one in asked or ()}, spare).do(share, of_part)
        keep_plans(held, [ln.pk for ln in rows])
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


def _issue(order: Order, part: Part, lines: Sequence[Line], held: Shelves, actor: Actor) -> Document:
    """Choose the lots, by the shop's rule, and name them on the list."""
    fetched = {ln.pk: held.plan(Wanted(ln.pk, ln.product_id, ln.reserved)) for ln in lines if ln.reserved}
    document = documents.issue(
        "pick-list",
        subject=order.number,
        part=part.number,
        version=papers.sales_order_version(order, part),
        content=papers.pick_list(order, part, lines, fetched),
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


NOT_FOUND = "not to be found"
WHY = {"broken": "broken", "wrong": "another product lay there"}


@dataclass
class _Fetched:
    """Units of one line: where those in hand were, and where those that are missing should have been."""

    line: Line
    taken: list[Share]
    short: list[Share]
    kept: int  # of the missing ones, those for which another lot is tried

    @property
    def in_hand(self) -> int:
        return sum(share.units for share in self.taken)

    @property
    def missing(self) -> int:
        return sum(share.units for share in self.short)

    @property
    def lost(self) -> int:
        return self.missing - self.kept


@dataclass
class _Pick:
    """One part's share of a pick, being written."""

    order: Order
    part: Part
    actor: Actor
    held: Shelves
    asked: dict[str, Asked]
    spare: dict[int, int]  # by product, units that are nobody's

    def do(self, share: Sequence[tuple[Line, int, int]], lines: Sequence[Line]) -> None:
        done = [self._fetch(*entry) for entry in share]
        move([change for one in done for change in self._changes(one)], actor=self.actor)
        for one in done:
            one.line.reserved -= one.in_hand + one.lost
            one.line.picked += one.in_hand
        Line.objects.bulk_update([one.line for one in done], ["reserved", "picked"])
        picked = [(one.line, one.in_hand) for one in done if one.taken]
        if picked:
            self._picked(picked, lines)
        if any(one.kept for one in done):
            self._tried_elsewhere([one for one in done if one.kept])
        if any(one.lost for one in done):
            self._fell_short([(one.line, one.lost) for one in done if one.lost])
        self._have_counted([one for one in done if one.short])

    def _fetch(self, line: Line, units: int, missing: int) -> _Fetched:
        taken = self._from(line, units, short=False)
        short = self._from(line, missing, short=True)
        kept = min(missing, self.spare[line.product_id])
        self.spare[line.product_id] -= kept
        return _Fetched(line, taken, short, kept)

    def _from(self, line: Line, units: int, *, short: bool) -> list[Share]:
        """The places of so many units: where the picker says, else where the list says."""
        asked = self.asked.get(line.sku)
        out: list[Share] = []
        for said in asked.places if asked else ():
            some = min(units, said.short if short else said.quantity)
            if asked and asked.rest_short and short and said is asked.places[-1]:
                some = units
            if some and (said.bin, said.lot) != (None, None):
                shares = self.held.take(Wanted(line.pk, line.product_id, some, said.bin, said.lot))
                if sum(s.units for s in shares) < some:
                    what = " and ".join(
                        w for w in (said.bin and f"bin {said.bin}", said.lot and f"lot {said.lot}") if w
                    )
                    raise Invalid(
                        (f"{said.field}.quantity", f"there are not {some} of {line.sku} in {what or 'no bin'}")
                    )
                out += shares
                units -= some
        out += self.held.take(Wanted(line.pk, line.product_id, units)) if units else []
        return out

    def _changes(self, one: _Fetched) -> list[Change]:
        line = one.line
        key = f"line:{line.pk}:v{self.order.version}"
        told: dict[str, Any] = {"subject": self.order.number, "line": line.pk}
        changes = [
            Change(
                line.product_id, "picked", once(f"pick:{key}", at), on_hand=-s.units, reserved=-s.units,
                picked=s.units, bin=s.place.bin, lot=s.place.lot, **told,
            )
            for at, s in enumerate(one.taken)
        ]  # fmt: skip
        lost = one.lost
        for at, s in enumerate(one.short):
            of_line = min(lost, s.units)
            lost -= of_line
            changes.append(
                Change(
                    line.product_id, "pick_short", once(f"pick_short:{key}", at), on_hand=-s.units, reserved=-of_line,
                    quarantined=s.units, bin=s.place.bin, lot=s.place.lot,
                    reason=f"{self._why(line)} when {self.order.number} was picked", **told,
                )
            )  # fmt: skip
        return changes

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

    def _why(self, line: Line) -> str:
        asked = self.asked.get(line.sku)
        return WHY.get(asked.why if asked else "", NOT_FOUND)

    def _tried_elsewhere(self, missing: Sequence[_Fetched]) -> None:
        """Others of the product are nobody's: the line keeps its reservation, and its list names another lot."""
        said, told = [], []
        for one in missing:
            avoid = {share.place.pk for share in one.short}
            elsewhere = self.held.plan(Wanted(one.line.pk, one.line.product_id, one.line.reserved), avoid=avoid)
            where = "; ".join(f"{s.units} from {s.place.where}" for s in elsewhere)
            said.append(f"{one.kept} × {one.line.sku}: take {where}")
            told.append({
                "line": one.line.pk, "sku": one.line.sku, "missing": one.kept,
                "elsewhere": [{"bin": s.place.bin, "lot": s.place.lot, "quantity": s.units} for s in elsewhere],
            })  # fmt: skip
        note(
            self.order,
            "pick_tried_elsewhere",
            actor=self.actor,
            text=f"{self._why(missing[0].line).capitalize()} where the list says, set aside and to be counted. "
            f"{'. '.join(said)}",
            part=self.part,
            data={"lines": told},
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
            text=f"{self._why(missing[0][0]).capitalize()}: {units}. Set aside, to be counted; the line is open again",
            part=self.part,
            moves=[shift(STOCK, "fall_short", self.part, part=self.part.number)],
            data={"lines": [{"line": ln.pk, "sku": ln.sku, "missing": n} for ln, n in missing]},
        )
        for product in sorted(by_product):
            jobs.enqueue("sourcing.fill", key=str(product), payload={"product": product})

    def _have_counted(self, missing: Sequence[_Fetched]) -> None:
        by_product: dict[int, int] = {}
        for one in missing:
            by_product[one.line.product_id] = by_product.get(one.line.product_id, 0) + one.missing
        for product, units in sorted(by_product.items()):
            jobs.enqueue(
                "sourcing.count",
                # Each short pick is counted for itself: two of them must not melt into one.
                key=f"{product}:{self.order.number}:{self.part.number}:v{self.order.version}",
                payload={"product": product, "order": self.order.number, "missing": units},
            )
