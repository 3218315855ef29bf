"""What happens to goods: bought in, promised by a supplier, on the shelf, off it, in a box, out of the house, back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from counterfoil.flow.tests.walking import laws
from counterfoil.flow.tests.walking.gates import is_open
from counterfoil.flow.tests.walking.world import (
    LATE,
    SOON,
    Next,
    World,
    books,
    money,
    parcel,
    stock,
    tomorrow,
    with_line,
    with_lines,
)
from counterfoil.records.orders.facts import LineFacts, PartFacts
from counterfoil.steps.sourcing.rules import EVENTS, derive_stock, takes_stock


def looked_at(part: PartFacts) -> PartFacts:
    """The stock axis as the lines now say."""
    state = derive_stock(part)
    return part if state == part.stock else stock(part, EVENTS[state])


def _again(part: PartFacts) -> PartFacts:
    """After something came or went; a part that nobody has checked stays unchecked."""
    return part if part.stock == "unchecked" else looked_at(part)


def shelf(world: World) -> Iterator[Next]:
    """The stock is checked; units come and get lost; what is missing is ordered, confirmed, put off, given up."""
    order = world.order
    if is_open("check_stock", order):
        laws.may_be_checked(order)
        checked = tuple(looked_at(p) if takes_stock(p) else p for p in order.parts)
        yield "the stock is checked", world.of(parts=checked)
    if order.cancelled or not order.finished:
        return
    for index, part in world.parts():
        if not takes_stock(part):
            continue
        for at, line in enumerate(part.lines):
            for words, changed in _of_line(line):
                yield f"{line.sku}: {words}", world.with_part(index, _again(with_line(part, at, changed)))


def calm_shelf(world: World) -> Iterator[Next]:
    """The same where nothing is bought in: what is not to be found turns up."""
    quiet = ("bought in", "confirmed", "will not come")
    yield from ((words, after) for words, after in shelf(world) if not any(word in words for word in quiet))


def _of_line(line: LineFacts) -> Iterator[tuple[str, LineFacts]]:
    wanted = line.open_units
    for units in {1, wanted} if wanted > 0 else set[int]():
        left = min(line.due, wanted - units)
        date = line.due_date if left else None
        came = replace(line, reserved=line.reserved + units, due=left, due_confirmed=min(line.due_confirmed, left))
        yield f"{units} come", replace(came, due_date=date)
    if line.short > 0:
        yield "bought in", replace(line, due=wanted, due_confirmed=0, due_date=None)
    if line.due:
        for day in (SOON, LATE):
            if (line.due_confirmed, line.due_date) != (line.due, day):
                yield f"confirmed for {day}", replace(line, due_confirmed=line.due, due_date=day)
        yield "will not come", replace(line, due=0, due_confirmed=0, due_date=None)
    if line.reserved:
        yield "one is not to be found", replace(line, reserved=line.reserved - 1)


def parcels(world: World) -> Iterator[Next]:
    """Picked, all or one, or not to be found; packed, all or one; shipped, all or one box; delivered."""
    order = world.order
    for index, part in world.parts():
        for words, changed in _handled(world, part):
            yield f"part {part.number} {words}", world.with_part(index, changed)
        if part.parcel in laws.GONE and is_open("deliver", order, part):
            yield f"part {part.number} arrives", world.with_part(index, parcel(part, "deliver"))


def _handled(world: World, part: PartFacts) -> Iterator[tuple[str, PartFacts]]:
    order = world.order
    if is_open("pick", order, part):
        yield "picked", _picked(part, sum(line.reserved for line in part.lines))
        if sum(line.reserved for line in part.lines) > 1:
            yield "picked by one", _picked(part, 1)
        if any(line.reserved for line in part.lines):
            yield "not all to be found at the pick", _missed(part)
    if is_open("pack", order, part):
        yield "packed", _packed(part, sum(line.picked - line.packed for line in part.lines))
        if sum(line.picked - line.packed for line in part.lines) > 1:
            yield "packed by one", _packed(part, 1)
    if is_open("ship", order, part):
        yield "shipped", _shipped(world, part, sum(line.packed for line in part.lines))
        if sum(line.packed for line in part.lines) > 1:
            yield "shipped by one box", _shipped(world, part, 1)


def breaking(world: World) -> Iterator[Next]:
    """One breaks on the packing table or in a box, which is opened; and there is another, or there is none."""
    for index, part in world.parts():
        if is_open("break", world.order, part):
            laws.must(part.parcel in {"picking", "picked"}, "nothing breaks on the table that is not there")
            for words, changed in _broken(part):
                yield f"one breaks on the table, {words}", world.with_part(index, changed)
        if is_open("open", world.order, part):
            laws.must(part.parcel not in laws.GONE and not world.order.cancelled, "no box is opened that has left")
            out = replace(part, lines=tuple(replace(ln, packed=0) for ln in part.lines))
            for words, changed in _broken(parcel(out, "open") if part.parcel == "packed" else out):
                yield f"one breaks in a box, {words}", world.with_part(index, changed)


def _broken(part: PartFacts) -> Iterator[tuple[str, PartFacts]]:
    at, line = next((at, ln) for at, ln in enumerate(part.lines) if ln.picked > ln.packed)
    for again in (1, 0):
        changed = with_line(part, at, replace(line, picked=line.picked - 1, reserved=line.reserved + again))
        left = any(ln.picked for ln in changed.lines)
        if part.parcel == "picked" or not left:
            changed = parcel(changed, "break" if left else "unpick")
        if not again and part.stock in {"awaiting", "confirmed"}:
            changed = stock(changed, "fall_short")
        yield "and there is another" if again else "the last", changed


def _picked(part: PartFacts, units: int) -> PartFacts:
    for at, line in enumerate(part.lines):
        n = min(units, line.reserved)
        units -= n
        part = with_line(part, at, replace(line, reserved=line.reserved - n, picked=line.picked + n))
    whole = all(line.picked + line.shipped >= line.quantity for line in part.lines)
    if not whole and part.parcel != "waiting":
        return part
    return parcel(part, "pick" if whole else "start_pick")


def _missed(part: PartFacts) -> PartFacts:
    at, line = next((at, ln) for at, ln in enumerate(part.lines) if ln.reserved)
    return stock(with_line(part, at, replace(line, reserved=line.reserved - 1)), "fall_short")


def _packed(part: PartFacts, units: int) -> PartFacts:
    for at, line in enumerate(part.lines):
        n = min(units, line.picked - line.packed)
        units -= n
        part = with_line(part, at, replace(line, packed=line.packed + n))
    whole = all(line.packed + line.shipped >= line.quantity for line in part.lines)
    return parcel(part, "pack") if whole else part


def _shipped(world: World, part: PartFacts, units: int) -> PartFacts:
    for at, line in enumerate(part.lines):
        n = min(units, line.packed)
        units -= n
        gone = replace(line, picked=line.picked - n, packed=line.packed - n, shipped=line.shipped + n)
        part = with_line(part, at, gone)
    if any(line.shipped < line.quantity for line in part.lines):
        return part
    if world.order.payment_method == "on_delivery" and part.money == "unpaid":
        part = money(part, "owe")
    return parcel(part, "ship")


def coming_back(world: World) -> Iterator[Next]:
    """Everything comes back, or one unit does."""
    for index, part in world.parts():
        out = sum(line.shipped - line.returned for line in part.lines)
        if not is_open("return", world.order, part):
            continue
        laws.must(out, "nothing comes back that is not out")
        yield f"part {part.number} comes back", world.with_part(index, _returned(part, out))
        if out > 1:
            yield f"one of part {part.number} comes back", world.with_part(index, _returned(part, 1))


def _returned(part: PartFacts, units: int) -> PartFacts:
    for at, line in enumerate(part.lines):
        n = min(units, line.shipped - line.returned)
        units -= n
        part = with_line(part, at, replace(line, returned=line.returned + n))
    whole = part.parcel in {"shipped", "delivered"} and all(ln.returned >= ln.shipped for ln in part.lines)
    return parcel(part, "return") if whole else part


def papers(world: World) -> Iterator[Next]:
    """What is shipped is invoiced; what was refunded whole after that is credited, and so is what nobody will pay."""
    for index, part in world.parts():
        if is_open("invoice", world.order, part):
            yield f"part {part.number} is invoiced", world.with_part(index, books(part, "invoice"))
        if part.books == "invoiced" and part.parcel == "returned" and part.money == "receivable":
            credited = books(money(part, "forgive"), "credit")
            yield f"part {part.number}, not accepted at the door, is credited", world.with_part(index, credited)


def put_back(part: PartFacts) -> PartFacts:
    """What was picked is on the shelf again, still reserved."""
    part = with_lines(part, lambda ln: replace(ln, reserved=ln.reserved + ln.picked, picked=0, packed=0))
    return parcel(part, "unpick") if part.parcel in {"picking", "picked", "packed"} else part


def day(world: World) -> Iterator[Next]:
    """Time passes."""
    yield "a day passes", tomorrow(world)
