"""When stock may be checked, what it then is, and who gets what."""

from __future__ import annotations

from datetime import UTC, date, datetime

from counterfoil.records.orders.facts import HoldFacts, LineFacts, OrderFacts, PartFacts
from counterfoil.steps.sourcing.rules import (
    Given,
    Supply,
    Want,
    assign,
    cut,
    derive_stock,
    may_check_stock,
    may_close,
    may_confirm,
    may_receive,
    takes_stock,
    unseen,
)

MONDAY, TUESDAY, FRIDAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 27)


def line(quantity: int = 6, *, reserved: int = 0, due: int = 0, picked: int = 0, shipped: int = 0) -> LineFacts:
    return LineFacts(1, "GULL-19", "Gull Rock", quantity, reserved=reserved, due=due, picked=picked, shipped=shipped)


def part(*lines: LineFacts, books: str = "sales_order", parcel: str = "waiting") -> PartFacts:
    return PartFacts(lines=lines or (line(),), books=books, parcel=parcel)


def codes(facts: OrderFacts) -> list[str]:
    return [b.code for b in may_check_stock(facts)]


def test_an_approved_order_with_its_sales_order_may_be_checked() -> None:
    assert codes(OrderFacts(review="approved", parts=(part(),))) == []


def test_stock_is_not_checked_before_a_person_has_approved_and_the_order_is_in_the_books() -> None:
    assert codes(OrderFacts(parts=(part(books="none"),))) == ["not_approved", "no_sales_order"]


def test_one_part_outside_the_books_is_enough_to_wait() -> None:
    assert codes(OrderFacts(review="approved", parts=(part(), part(books="none")))) == ["no_sales_order"]


def test_a_part_that_nobody_wants_any_more_needs_no_sales_order() -> None:
    assert codes(OrderFacts(review="approved", parts=(part(), part(line(0), books="none")))) == []


def test_a_hold_stops_the_stock_check_and_says_who_placed_it() -> None:
    held = OrderFacts(review="approved", parts=(part(),), holds=(HoldFacts(1, "call first", "Carol"),))
    assert [(b.code, b.by) for b in may_check_stock(held)] == [("on_hold", "Carol")]


def test_a_cancelled_order_is_not_checked() -> None:
    assert codes(OrderFacts(review="approved", cancelled=True, parts=(part(),))) == ["cancelled"]


def test_stock_is_confirmed_only_when_every_unit_of_every_line_is_reserved() -> None:
    assert derive_stock(part(line(reserved=6), line(reserved=6))) == "confirmed"
    assert derive_stock(part(line(reserved=6), line(reserved=5))) == "short"


def test_what_has_been_fetched_or_shipped_is_not_missed() -> None:
    assert derive_stock(part(line(reserved=2, picked=3, shipped=1))) == "confirmed"


def test_goods_are_awaited_when_everything_missing_is_on_order() -> None:
    assert derive_stock(part(line(reserved=4, due=2), line(reserved=6))) == "awaiting"


def test_one_unit_without_cover_makes_a_part_short() -> None:
    assert derive_stock(part(line(reserved=4, due=1), line(due=6))) == "short"


def test_a_fetched_part_takes_nothing_more_from_the_shelf() -> None:
    assert takes_stock(part(parcel="picking"))
    assert not takes_stock(part(parcel="picked"))
    assert not takes_stock(part(line(0)))


def test_nothing_is_received_confirmed_or_closed_once_nothing_is_outstanding() -> None:
    for gate in (may_receive, may_confirm, may_close):
        assert [gate("PO-0001", state) for state in ("sent", "confirmed")] == [[], []]
        assert [b.code for b in gate("PO-0001", "received")] == ["delivered"]
        assert [b.code for b in gate("PO-0001", "closed")] == ["cancelled"]


def test_the_oldest_promise_is_served_first_and_no_promise_last() -> None:
    wants = [Want(1, 2), Want(2, 2, promise=FRIDAY), Want(3, 2, promise=MONDAY)]
    assert assign([Supply(0, 5)], wants) == [Given(0, 3, 2), Given(0, 2, 2), Given(0, 1, 1)]


def test_among_equal_promises_who_ordered_first_is_served_first() -> None:
    early, late = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
    wants = [Want(1, 1, MONDAY, late), Want(2, 1, MONDAY, early)]
    assert assign([Supply(0, 1)], wants) == [Given(0, 2, 1)]


def test_confirmed_units_are_given_out_before_hoped_for_ones_and_the_earliest_first() -> None:
    units = [Supply(1, 1), Supply(2, 1, FRIDAY), Supply(3, 1, TUESDAY)]
    assert [g.supply for g in assign(units, [Want(9, 3)])] == [3, 2, 1]


def test_a_want_may_be_served_from_two_purchase_orders() -> None:
    assert assign([Supply(1, 2, MONDAY), Supply(2, 5, FRIDAY)], [Want(9, 4)]) == [Given(1, 9, 2), Given(2, 9, 2)]


def test_only_orders_that_the_units_can_reach_are_woken() -> None:
    wants = [Want(1, 3, FRIDAY), Want(2, 2, MONDAY), Want(3, 1)]
    assert [w.id for w in cut(wants, 3)] == [2, 1]
    assert cut(wants, 0) == []


def test_a_picker_who_sees_enough_or_more_makes_no_variance() -> None:
    assert [unseen(believed=3, seen=n) for n in (0, 2, 3, 9)] == [3, 1, 0, 0]
