"""Units laid out against the order lines that want them.

An allotment holds some orders (taken), the balances of some products (locked, after the orders, in id order), and
every peg and open purchase line of those products. Acts rearrange it in memory and `save` writes the difference in a
number of statements that does not grow with the number of orders, until SQLite's limit on parameters divides a bulk
update. Pegs of a product are written nowhere else, so the lock of its balance guards them too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from counterfoil.core.actor import Actor
from counterfoil.core.db import update_many
from counterfoil.core.machine import Move, Raced
from counterfoil.records.orders.load import part_facts
from counterfoil.records.orders.models import STOCK, Line, Order, Part
from counterfoil.records.stock import ledger
from counterfoil.records.stock.ledger import Change
from counterfoil.records.stock.models import COLUMNS, Balance
from counterfoil.records.stock.places import Shelves, Wanted, shelves
from counterfoil.records.stock.rules import Share
from counterfoil.steps.sourcing.models import Peg
from counterfoil.steps.sourcing.queries import open_purchase_lines
from counterfoil.steps.sourcing.rules import EVENTS, Supply, Want, assign, certainty, derive_stock, takes_stock, turn


@dataclass(frozen=True)
class Before:
    """A line as it was read."""

    open_units: int
    reserved: int
    due: int
    due_confirmed: int
    due_date: date | None


@dataclass(frozen=True)
class Touched:
    """What an allotment has changed on one order. `ready`: its last missing unit has just been reserved."""

    order: Order
    lines: tuple[Line, ...]
    words: str
    moves: tuple[Move, ...]
    ready: bool


class Allotment:
    """See the module. `orders` are taken already; build it, rearrange, `save`, all inside one `writing()`."""

    def __init__(self, *, orders: Mapping[int, Order], products: Iterable[int]) -> None:
        self.orders = dict(orders)
        self.products = sorted(set(products))
        self.balances: dict[int, Balance] = ledger.lock(self.products)
        ids = list(self.orders)
        self.parts = {p.pk: p for p in Part.objects.filter(order_id__in=ids).order_by("order_id", "number")}
        self.lines = {ln.pk: ln for ln in Line.objects.filter(order_id__in=ids).order_by("order_id", "position", "pk")}
        self._of_part: dict[int, list[Line]] = {}
        self._of_order: dict[int, list[Line]] = {}
        for line in self.lines.values():
            self._of_part.setdefault(line.part_id, []).append(line)
            self._of_order.setdefault(line.order_id, []).append(line)
        self._takes = {
            pk: takes_stock(part_facts(part, self._of_part.get(pk, []))) and self._lives(part.order_id)
            for pk, part in self.parts.items()
        }
        self.supplies = {pl.pk: pl for pl in open_purchase_lines(self.products)}
        self._pegs = {
            (peg.purchase_line_id, peg.line_id): peg
            for peg in Peg.objects.filter(purchase_line__product_id__in=self.products).order_by("pk")
        }
        # Units meant, by order line and purchase line, and the other way round.
        self._of_line: dict[int, dict[int, int]] = {}
        self._of_supply: dict[int, dict[int, int]] = {}
        for (purchase_line_id, line_id), peg in self._pegs.items():
            self._mean(purchase_line_id, line_id, peg.quantity)
        self._before = {
            pk: Before(ln.open_units, ln.reserved, ln.due, ln.due_confirmed, ln.due_date)
            for pk, ln in self.lines.items()
        }
        self._changes: list[Change] = []
        self.worth: dict[str, int] = {}  # by cause, once it is saved: what came to the house or left it cost
        self._causes: dict[str, int] = {}
        self._waiting: dict[int, int] = {}
        self._shelves: Shelves | None = None  # read when somebody takes from them

    def _lives(self, order_id: int) -> bool:
        order = self.orders[order_id]
        return order.finished and order.cancelled_at is None

    # What is there

    def eligible(self, line: Line) -> bool:
        """Whether units may be given to this line: its order lives and its part has not been fetched yet."""
        return line.product_id in self.balances and self._takes[line.part_id]

    def live_parts(self) -> list[Part]:
        """The parts that still take units from the shelf."""
        return [part for pk, part in self.parts.items() if self._takes[pk]]

    def mine(self, product_id: int) -> list[Line]:
        """The eligible lines of a product, by order and position."""
        return [ln for ln in self.lines.values() if ln.product_id == product_id and self.eligible(ln)]

    def pegged_to(self, line_id: int) -> int:
        """Units still to come that are meant for a line."""
        return sum(self._of_line.get(line_id, {}).values())

    def spare(self, purchase_line_id: int) -> int:
        """Units of a purchase line that are meant for nobody yet; negative when too many are meant."""
        supply = self.supplies.get(purchase_line_id)
        return (supply.outstanding if supply else 0) - sum(self._of_supply.get(purchase_line_id, {}).values())

    def strangers(self, purchase_line_ids: Iterable[int]) -> list[int]:
        """Lines of orders not at hand that units of these purchase lines are meant for."""
        meant = {of for pl in purchase_line_ids for of, q in self._of_supply.get(pl, {}).items() if q > 0}
        return sorted(meant - set(self.lines))

    def want(self, line: Line, units: int) -> Want:
        """A line's turn, with as many units as are asked for."""
        return Want(line.pk, units, self.parts[line.part_id].promise_date, self.orders[line.order_id].placed_at)

    # Rearranging

    def change(self, made: Change) -> None:
        """Note a movement; the balance at hand follows at once."""
        self._changes.append(made)
        balance = self.balances[made.product_id]
        for column in COLUMNS:
            setattr(balance, column, getattr(balance, column) + getattr(made, column))

    def take(self, product_id: int, units: int) -> list[Share]:
        """Which places units come from that nobody has named one for; asked again, it takes further ones."""
        if self._shelves is None:
            self._shelves = shelves(self.products)
        shares = self._shelves.take(Wanted(0, product_id, units))
        if sum(share.units for share in shares) != units:
            raise RuntimeError(f"product {product_id} has not {units} units on its shelves")
        return shares

    def reserve(self, line: Line, units: int) -> None:
        """Promise free units to a line."""
        self._shift_reserved(line, units, kind="reserved", cause="reserve")

    def give_back(self, line: Line, units: int) -> None:
        """Take reserved units away from a line: it waits for them again."""
        self._shift_reserved(line, -units, kind="unreserved", cause="unreserve")

    def _shift_reserved(self, line: Line, units: int, *, kind: str, cause: str) -> None:
        if not units:
            return
        order = self.orders[line.order_id]
        line.reserved += units
        self._waiting[line.product_id] = self._waiting.get(line.product_id, 0) - units
        name = f"{cause}:line:{line.pk}:v{order.version}"
        time = self._causes[name] = self._causes.get(name, 0) + 1
        self.change(
            Change(
                line.product_id, kind, name if time == 1 else f"{name}:{time}",
                reserved=units, subject=order.number, line=line.pk,
            )
        )  # fmt: skip

    def peg(self, line: Line, purchase_line_id: int, units: int) -> None:
        """Mean units still to come for a line (or fewer, when `units` is negative)."""
        self._mean(purchase_line_id, line.pk, units)
        line.due = self.pegged_to(line.pk)

    def _mean(self, purchase_line_id: int, line_id: int, units: int) -> None:
        meant = self._of_line.setdefault(line_id, {}).get(purchase_line_id, 0) + units
        self._of_line[line_id][purchase_line_id] = meant
        self._of_supply.setdefault(purchase_line_id, {})[line_id] = meant

    def _meant_by(self, purchase_line_id: int) -> list[tuple[Line, int]]:
        """The lines at hand that units of a purchase line are meant for."""
        held = self._of_supply.get(purchase_line_id, {})
        return [(self.lines[of], q) for of, q in held.items() if q > 0 and of in self.lines]

    def serve(self, purchase_line_id: int, units: int) -> None:
        """Units of a purchase line have come: reserve them for the lines that they were meant for."""
        wants = [
            self.want(line, min(q, line.open_units))
            for line, q in self._meant_by(purchase_line_id)
            if self.eligible(line) and line.open_units > 0
        ]
        for given in assign([Supply(purchase_line_id, units)], wants):
            line = self.lines[given.want]
            self.reserve(line, given.quantity)
            self.peg(line, purchase_line_id, -given.quantity)

    def settle(self) -> None:
        """Free units to the oldest promise first; then what is still to come, in the same order."""
        for product_id in self.balances:
            free = self.balances[product_id].free
            wants = [self.want(ln, ln.open_units) for ln in self.mine(product_id) if ln.open_units > 0]
            for given in assign([Supply(0, free)], wants):
                self.reserve(self.lines[given.want], given.quantity)
        self.cover()

    def cover(self) -> None:
        """Drop pegs that have lost their reason, then mean every spare unit to come for a line that is short."""
        self.trim()
        for product_id in self.balances:
            supplies = [
                Supply(pl.pk, self.spare(pl.pk), pl.expected)
                for pl in self.supplies.values()
                if pl.product_id == product_id
            ]
            wants = [self.want(ln, ln.short) for ln in self.mine(product_id) if ln.short > 0]
            for given in assign(supplies, wants):
                self.peg(self.lines[given.want], given.supply, given.quantity)

    def trim(self) -> None:
        """No line keeps more pegs than it wants; no purchase line more than it will bring: the newest promise loses."""
        for line in self.lines.values():
            if line.product_id in self.balances:
                wanted = max(0, line.open_units) if self.eligible(line) else 0
                self._unpeg(line, self.pegged_to(line.pk) - wanted)
        for purchase_line_id in sorted(self._of_supply):
            self._trim_supply(purchase_line_id)

    def _unpeg(self, line: Line, units: int) -> None:
        """Take the least certain units from a line."""
        held = [Supply(pl, q, self._date(pl)) for pl, q in self._of_line.get(line.pk, {}).items() if q]
        for supply in sorted(held, key=certainty, reverse=True):
            if units <= 0:
                return
            taken = min(units, supply.quantity)
            self.peg(line, supply.id, -taken)
            units -= taken

    def _trim_supply(self, purchase_line_id: int) -> None:
        over = -self.spare(purchase_line_id)
        held = [self.want(line, q) for line, q in self._meant_by(purchase_line_id)]
        for want in sorted(held, key=turn, reverse=True):
            if over <= 0:
                return
            taken = min(over, want.quantity)
            self.peg(self.lines[want.id], purchase_line_id, -taken)
            over -= taken

    def _date(self, purchase_line_id: int) -> date | None:
        supply = self.supplies.get(purchase_line_id)
        return supply.expected if supply else None

    # Writing

    def save(self, *, actor: Actor, checked: Collection[int] = ()) -> list[Touched]:
        """Write the difference. Parts that were checked before, and those in `checked`, get their stock state anew.

        Returns what changed on which order; the caller writes those orders' journal rows (`note_touched`).
        """
        self.worth = ledger.move(self._changes, actor=actor)
        ledger.change_waiting(self._waiting)
        self._save_pegs()
        for line in self.lines.values():
            if line.product_id in self.balances:
                self._count_due(line)
        changed = [ln for ln in self.lines.values() if self._now(ln) != self._before[ln.pk]]
        update_many(
            "orders_line",
            {"id": "bigint", "reserved": "int", "due": "int", "due_confirmed": "int", "due_date": "date"},
            [(ln.pk, ln.reserved, ln.due, ln.due_confirmed, ln.due_date) for ln in changed],
        )
        moves = self._derive(frozenset(checked))
        of_order: dict[int, list[Line]] = {}
        for line in changed:
            of_order.setdefault(line.order_id, []).append(line)
        return [
            self._touched(order, of_order.get(pk, []), moves.get(pk, []))
            for pk, order in self.orders.items()
            if pk in moves or pk in of_order
        ]

    def _now(self, line: Line) -> Before:
        return Before(line.open_units, line.reserved, line.due, line.due_confirmed, line.due_date)

    def _count_due(self, line: Line) -> None:
        held = [(self._date(pl), q) for pl, q in self._of_line.get(line.pk, {}).items() if q]
        line.due = sum(q for _, q in held)
        line.due_confirmed = sum(q for day, q in held if day is not None)
        line.due_date = max((day for day, _ in held if day is not None), default=None)

    def _save_pegs(self) -> None:
        new: list[Peg] = []
        changed: list[Peg] = []
        gone: list[int] = []
        now = {(pl, of): q for pl, held in self._of_supply.items() for of, q in held.items()}
        for (purchase_line_id, line_id), quantity in now.items():
            peg = self._pegs.get((purchase_line_id, line_id))
            if peg is None:
                if quantity > 0:
                    new.append(Peg(purchase_line_id=purchase_line_id, line_id=line_id, quantity=quantity))
            elif quantity <= 0:
                gone.append(peg.pk)
            elif quantity != peg.quantity:
                peg.quantity = quantity
                changed.append(peg)
        if gone:
            Peg.objects.filter(pk__in=gone).delete()
        update_many("sourcing_peg", {"id": "bigint", "quantity": "int"}, [(p.pk, p.quantity) for p in changed])
        Peg.objects.bulk_create(new)

    def _derive(self, checked: frozenset[int]) -> dict[int, list[Move]]:
        """Move the stock axis where the facts say so: one compare-and-set for each way from state to state."""
        ways: dict[tuple[str, str], list[Part]] = {}
        for part in self.live_parts():
            target = derive_stock(part_facts(part, self._of_part[part.pk]))
            if (part.stock != STOCK.first or part.pk in checked) and target != part.stock:
                ways.setdefault((part.stock, target), []).append(part)
        moves: dict[int, list[Move]] = {}
        for (source, target), parts in sorted(ways.items()):
            if STOCK.target(EVENTS[target], source) != target:
                raise ValueError(f"stock: no way from {source} to {target}")
            done = Part.objects.filter(pk__in=[p.pk for p in parts], stock=source).update(stock=target)
            if done != len(parts):
                raise Raced(f"stock is no longer {source} on all of {len(parts)} parts")
            for part in parts:
                part.stock = target
                moves.setdefault(part.order_id, []).append(Move(part.number, STOCK.axis, source, target))
        return moves

    def _touched(self, order: Order, changed: list[Line], moves: list[Move]) -> Touched:
        said: list[str] = []
        for line in changed:
            was = self._before[line.pk]
            given = line.reserved - was.reserved
            if given:
                said.append(f"{abs(given)} × {line.sku} {'reserved' if given > 0 else 'no longer reserved'}")
            coming = line.due - was.due
            if coming > 0:
                said.append(f"{coming} × {line.sku} on order")
            elif -coming > max(0, given) and self.eligible(line):
                said.append(f"{-coming - max(0, given)} × {line.sku} no longer on order")
        mine = self._of_order.get(order.pk, [])
        complete = all(ln.open_units <= 0 for ln in mine)
        ready = complete and self._lives(order.pk) and any(self._before[ln.pk].open_units > 0 for ln in mine)
        return Touched(order, tuple(changed), ", ".join(said), tuple(moves), ready)
