"""The stock check, buying in, receiving and filling, against a database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, journal, papers
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.models import Document, Job
from counterfoil.records.books.models import Posting
from counterfoil.records.catalogue.actions import create_product, create_supplier, product_json
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Hold, Line, Order, Part
from counterfoil.records.stock import ledger
from counterfoil.records.stock.actions import adjust_stock, release_line, want_line
from counterfoil.steps.sourcing.actions import (
    check_stock,
    close_count,
    close_purchase_order,
    confirm_purchase_order,
    create_purchase_order,
    fill_waiting,
    queue_count,
    receive_goods,
    unpeg_line,
)
from counterfoil.steps.sourcing.models import CountTask, GoodsReceipt, Peg, PurchaseOrder
from counterfoil.steps.sourcing.present import purchase_order_json, receipt_json
from counterfoil.steps.sourcing.queries import needs, po_of_line, waiting_for
from counterfoil.steps.sourcing.tests.build import (
    BEA,
    CAROL,
    PETE,
    a_supplier,
    a_wine,
    agree,
    an_order,
    balance,
    in_days,
    kinds,
    stock_of,
    the_line,
)

pytestmark = pytest.mark.django_db
SUPPLIER = "Tern Island Growers"


@pytest.fixture(autouse=True)
def _only_this_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the flow does of itself afterwards is told in its own tests; here every ledger agrees in the end."""
    monkeypatch.setattr(journal, "_advance_now", None)
    yield
    agree()


def bought(quantity: int, sku: str = "GULL-19") -> PurchaseOrder:
    return create_purchase_order(actor=BEA, supplier=SUPPLIER, lines=[{"sku": sku, "quantity": quantity}])


def received(po: PurchaseOrder, units: int, damaged: int = 0) -> GoodsReceipt:
    return receive_goods(
        actor=BEA, purchase_order=po.number, lines=[{"sku": "GULL-19", "received": units, "damaged": damaged}]
    )


def posted(account: str) -> int:
    return Posting.objects.filter(account=account).aggregate(n=Sum("amount"))["n"] or 0


# The stock check


def test_what_is_on_the_shelf_is_reserved_and_the_part_confirmed() -> None:
    a_wine(on_hand=10)
    an_order("CF-1", {"GULL-19": 4})
    check_stock(order="CF-1", actor=CAROL)
    assert (the_line("CF-1").reserved, stock_of("CF-1")) == (4, "confirmed")
    assert (balance().reserved, balance().waiting, balance().available_to_promise) == (4, 0, 6)


def test_checking_again_changes_nothing_and_says_nothing() -> None:
    a_wine(on_hand=1)
    an_order("CF-1", {"GULL-19": 4})
    check_stock(order="CF-1", actor=CAROL)
    before = (Order.objects.get(number="CF-1").version, kinds("CF-1"))
    check_stock(order="CF-1", actor=CAROL)
    check_stock(order="CF-1", actor=PETE, lines=[{"sku": "GULL-19", "seen": 1}])
    assert kinds("CF-1") == before[1] == ["stock_checked"]
    assert stock_of("CF-1") == "short"


def test_the_last_bottles_go_to_one_order_and_the_other_is_short() -> None:
    a_wine(on_hand=5)
    for number in ("CF-1", "CF-2"):
        an_order(number, {"GULL-19": 4})
        check_stock(order=number, actor=CAROL)
    assert (stock_of("CF-1"), stock_of("CF-2")) == ("confirmed", "short")
    assert (the_line("CF-2").reserved, the_line("CF-2").short, balance().reserved) == (1, 3, 5)


def test_a_refused_stock_check_reserves_nothing() -> None:
    a_wine(on_hand=5)
    order = an_order("CF-1", {"GULL-19": 1}, review="pending", books="none")
    Hold.objects.create(order=order, reason="call first", placed_by="Carol", at=order.placed_at)
    with pytest.raises(Refused) as refused:
        check_stock(order="CF-1", actor=CAROL)
    assert [b.code for b in refused.value.blockers] == ["not_approved", "no_sales_order", "on_hold"]
    assert balance().reserved == 0
    with pytest.raises(Forbidden):
        check_stock(order="CF-1", actor=BEA)
    with pytest.raises(Missing):
        check_stock(order="CF-404", actor=CAROL)


def test_what_has_been_picked_is_not_checked_again() -> None:
    a_wine(on_hand=5)
    an_order("CF-1", {"GULL-19": 1})
    check_stock(order="CF-1", actor=CAROL)
    Part.objects.filter(order__number="CF-1").update(parcel="picked")
    check_stock(order="CF-1", actor=CAROL)
    assert kinds("CF-1") == ["stock_checked"]


def test_a_picker_cannot_count_what_is_not_on_the_order_nor_less_than_nothing() -> None:
    a_wine(on_hand=5)
    an_order("CF-1", {"GULL-19": 1})
    for lines in ([{"sku": "TERN-20", "seen": 1}], [{"sku": "GULL-19", "seen": -1}]):
        with pytest.raises(Invalid):
            check_stock(order="CF-1", actor=PETE, lines=lines)


def test_units_that_a_picker_does_not_see_are_set_aside_and_counted() -> None:
    a_wine(on_hand=10)
    an_order("CF-1", {"GULL-19": 3})
    check_stock(order="CF-1", actor=CAROL)
    for _ in range(2):
        check_stock(order="CF-1", actor=PETE, lines=[{"sku": "GULL-19", "seen": 1}])
        check_stock(order="CF-1", actor=SYSTEM)
    assert (the_line("CF-1").reserved, the_line("CF-1").short, stock_of("CF-1")) == (1, 2, "short")
    assert (balance().on_hand, balance().quarantined, balance().waiting) == (8, 2, 2)
    task = CountTask.objects.get()
    assert (task.expected, task.seen, task.order_number) == (3, 1, "CF-1")


def test_a_variance_found_at_the_first_check_leaves_only_what_was_seen() -> None:
    a_wine(on_hand=5)
    an_order("CF-1", {"GULL-19": 3})
    check_stock(order="CF-1", actor=PETE, lines=[{"sku": "GULL-19", "seen": 2}])
    assert (the_line("CF-1").reserved, balance().on_hand, balance().quarantined) == (2, 4, 1)


def test_a_count_puts_back_what_is_found_and_books_the_rest_as_lost() -> None:
    a_wine(on_hand=3, cost=900)
    an_order("CF-1", {"GULL-19": 3})
    check_stock(order="CF-1", actor=PETE, lines=[{"sku": "GULL-19", "seen": 0}])
    lost_before = posted("stock_losses")
    task = CountTask.objects.get()
    with pytest.raises(Invalid):
        close_count(task=task.pk, found=4, actor=PETE)
    close_count(task=task.pk, found=2, actor=PETE)
    assert (balance().on_hand, balance().quarantined) == (2, 0)
    assert posted("stock_losses") - lost_before == 900
    assert Job.objects.filter(name="sourcing.fill").exists()
    with pytest.raises(Refused):
        close_count(task=task.pk, found=2, actor=PETE)
    fill_waiting(product_ids=[balance().product_id], actor=SYSTEM)
    assert the_line("CF-1").reserved == 2


def test_units_missed_while_picking_are_counted_once_for_each_short_pick() -> None:
    wine = a_wine(on_hand=5)
    order = an_order("CF-1", {"GULL-19": 3})
    check_stock(order="CF-1", actor=CAROL)
    for time in (1, 2):
        with writing():
            ledger.lock([wine.pk])
            missed = ledger.Change(
                wine.pk, "pick_short", f"pick_short:{time}", on_hand=-1, reserved=-1, quarantined=1, subject="CF-1"
            )
            ledger.move([missed], actor=PETE)
            ledger.change_waiting({wine.pk: 1})
            Line.objects.filter(order=order).update(reserved=3 - time)
        for _ in range(2):
            queue_count(product_id=wine.pk, order="CF-1")
    assert [(t.missing, t.made_by) for t in CountTask.objects.order_by("pk")] == [(1, "Pete"), (1, "Pete")]
    fill_waiting(product_ids=[wine.pk], actor=SYSTEM)
    assert the_line("CF-1").reserved == 3


# Buying in


def test_a_purchase_order_covers_who_is_short_oldest_promise_first() -> None:
    a_wine(on_hand=1)
    an_order("CF-1", {"GULL-19": 3}, ships_in=9)
    an_order("CF-2", {"GULL-19": 4}, ships_in=2)
    for number in ("CF-1", "CF-2"):
        check_stock(order=number, actor=CAROL)
    po = bought(5)
    assert (the_line("CF-2").due, the_line("CF-1").due) == (4, 1)
    assert (stock_of("CF-2"), stock_of("CF-1")) == ("awaiting", "short")
    assert (balance().due_in, balance().available_to_promise) == (5, -1)
    assert [(w.order, w.quantity) for w in waiting_for(po)] == [("CF-2", 4), ("CF-1", 1)]
    assert purchase_order_json(po)["waiting"] == ["CF-2", "CF-1"]
    assert "goods_ordered" in kinds("CF-1")


def test_the_supplier_gets_a_paper_and_a_mail_that_fit() -> None:
    a_wine(cost=900)
    po = create_purchase_order(
        actor=BEA, supplier=SUPPLIER, lines=[{"sku": "GULL-19", "quantity": 12, "cost": 850}], expected=in_days(4)
    )
    paper = Document.objects.get(number=po.number)
    assert papers.render("purchase-order", paper.content, paper="letter").startswith(b"%PDF")
    assert (paper.kind, paper.content["amount"]) == ("purchase-order", "$102.00")
    mail = Job.objects.get(name="mail.send").payload
    assert (mail["to"], mail["documents"]) == ("cellar@example.com", [po.number])


def test_a_purchase_order_names_its_mistakes() -> None:
    a_wine()
    with pytest.raises(Invalid) as wrong:
        create_purchase_order(
            actor=BEA,
            supplier="Nobody & Sons",
            lines=[{"sku": "GULL-19", "quantity": 0}, {"sku": "TERN-20", "quantity": 1}],
            expected=in_days(-1),
        )
    assert {field for field, _ in wrong.value.errors} == {"supplier", "lines.0.quantity", "lines.1.sku", "expected"}
    assert "create it first" in str(wrong.value)
    with pytest.raises(Forbidden):
        create_purchase_order(actor=CAROL, supplier=SUPPLIER, lines=[{"sku": "GULL-19", "quantity": 1}])


def test_only_a_date_that_the_supplier_confirmed_counts_as_confirmed() -> None:
    a_wine()
    an_order("CF-1", {"GULL-19": 2})
    check_stock(order="CF-1", actor=CAROL)
    po = bought(2)
    line = the_line("CF-1")
    assert (line.due, line.due_confirmed, line.due_date) == (2, 0, None)
    confirm_purchase_order(actor=BEA, number=po.number, expected=in_days(2))
    confirm_purchase_order(actor=BEA, number=po.number, expected=in_days(2))
    line = the_line("CF-1")
    assert (line.due_confirmed, line.due_date) == (2, in_days(2))
    assert kinds("CF-1").count("goods_confirmed") == 1
    assert Job.objects.filter(name="flow.advance", payload__order="CF-1").exists()
    assert [(c.purchase_order, c.quantity, c.expected) for c in po_of_line(line)] == [(po.number, 2, in_days(2))]


def test_a_slipped_date_reaches_every_order_that_waits() -> None:
    a_wine()
    an_order("CF-1", {"GULL-19": 2})
    check_stock(order="CF-1", actor=CAROL)
    po = bought(2)
    confirm_purchase_order(actor=BEA, number=po.number, expected=in_days(2))
    confirm_purchase_order(
        actor=BEA, number=po.number, expected=in_days(2), lines=[{"sku": "GULL-19", "expected": in_days(20)}]
    )
    assert the_line("CF-1").due_date == in_days(20)
    with pytest.raises(Invalid):
        confirm_purchase_order(actor=BEA, number=po.number, expected=in_days(-1))
    with pytest.raises(Missing):
        confirm_purchase_order(actor=BEA, number="PO-9999", expected=in_days(1))


def test_a_later_order_is_meant_for_confirmed_units_first() -> None:
    a_wine()
    hoped, sure = bought(5), bought(5)
    confirm_purchase_order(actor=BEA, number=sure.number, expected=in_days(1))
    an_order("CF-1", {"GULL-19": 6})
    check_stock(order="CF-1", actor=CAROL)
    found = {c.purchase_order: c.quantity for c in po_of_line(the_line("CF-1"))}
    assert found == {sure.number: 5, hoped.number: 1}
    assert stock_of("CF-1") == "awaiting"


def test_what_will_never_come_makes_its_orders_short_again() -> None:
    a_wine()
    an_order("CF-1", {"GULL-19": 2})
    check_stock(order="CF-1", actor=CAROL)
    po = bought(2)
    close_purchase_order(actor=BEA, number=po.number, reason="sold out at the grower's")
    assert (the_line("CF-1").due, stock_of("CF-1"), balance().due_in) == (0, "short", 0)
    with pytest.raises(Refused):
        received(po, 2)
    assert Peg.objects.count() == 0


def test_the_buyer_sees_what_is_missing_by_supplier_and_who_waits() -> None:
    a_wine()
    a_wine("TERN-20")
    an_order("CF-1", {"GULL-19": 2, "TERN-20": 1}, ships_in=9)
    an_order("CF-2", {"GULL-19": 3}, ships_in=1)
    bought(1)
    assert [(n.supplier.name if n.supplier else None) for n in needs()] == [SUPPLIER]
    assert [(ln.sku, ln.quantity, ln.orders) for ln in needs()[0].lines] == [
        ("GULL-19", 4, ["CF-2", "CF-1"]),
        ("TERN-20", 1, ["CF-1"]),
    ]


# Receiving


def test_goods_go_to_the_orders_they_were_bought_for_and_complete_them() -> None:
    a_wine(cost=900)
    an_order("CF-1", {"GULL-19": 3}, ships_in=9)
    an_order("CF-2", {"GULL-19": 4}, ships_in=2)
    for number in ("CF-1", "CF-2"):
        check_stock(order=number, actor=CAROL)
    po = bought(7)
    first = received(po, 5)
    assert first.ready_orders == ["CF-2"]
    assert (stock_of("CF-2"), stock_of("CF-1")) == ("confirmed", "awaiting")
    assert (the_line("CF-1").reserved, the_line("CF-1").due, balance().due_in) == (1, 2, 2)
    assert received(po, 2).ready_orders == ["CF-1"]
    po.refresh_from_db()
    assert (po.state, balance().due_in, balance().reserved, balance().waiting) == ("received", 0, 7, 0)
    assert (posted("inventory"), posted("goods_received")) == (7 * 900, -7 * 900)
    assert kinds(po.number) == ["purchase_order_sent", "goods_received", "goods_received"]


def test_who_the_goods_were_bought_for_gets_them_before_an_older_promise_that_came_later() -> None:
    a_wine()
    an_order("CF-1", {"GULL-19": 2}, ships_in=9)
    check_stock(order="CF-1", actor=CAROL)
    po = bought(3)
    an_order("CF-2", {"GULL-19": 2}, ships_in=1)
    check_stock(order="CF-2", actor=CAROL)
    assert received(po, 3).ready_orders == ["CF-1"]
    assert (the_line("CF-1").reserved, the_line("CF-2").reserved) == (2, 1)


def test_damaged_units_are_quarantined_and_the_newest_promise_goes_short() -> None:
    a_wine()
    an_order("CF-1", {"GULL-19": 3}, ships_in=9)
    an_order("CF-2", {"GULL-19": 3}, ships_in=2)
    for number in ("CF-1", "CF-2"):
        check_stock(order=number, actor=CAROL)
    po = bought(6)
    receipt = received(po, 6, damaged=2)
    assert receipt.ready_orders == ["CF-2"]
    assert (balance().on_hand, balance().quarantined, balance().due_in) == (4, 2, 0)
    assert (the_line("CF-1").reserved, the_line("CF-1").short, stock_of("CF-1")) == (1, 2, "short")
    [line] = receipt_json(receipt)["lines"]
    assert (line["sku"], line["received"], line["damaged"], line["surplus"]) == ("GULL-19", 6, 2, 0)


def test_more_than_was_ordered_is_taken_in_as_free_stock() -> None:
    a_wine()
    an_order("CF-1", {"GULL-19": 2})
    check_stock(order="CF-1", actor=CAROL)
    received(bought(2), 5)
    assert (balance().on_hand, balance().free, balance().due_in) == (5, 3, 0)


def test_a_surplus_goes_to_whoever_waits_elsewhere_and_frees_what_was_on_order_for_them() -> None:
    a_wine()
    an_order("CF-1", {"GULL-19": 2}, ships_in=1)
    check_stock(order="CF-1", actor=CAROL)
    first = bought(2)
    an_order("CF-2", {"GULL-19": 3}, ships_in=3)
    check_stock(order="CF-2", actor=CAROL)
    bought(3)
    an_order("CF-3", {"GULL-19": 3}, ships_in=6)
    check_stock(order="CF-3", actor=CAROL)
    assert stock_of("CF-3") == "short"
    assert received(first, 5).ready_orders == ["CF-1", "CF-2"]
    assert (the_line("CF-3").due, stock_of("CF-3")) == (3, "awaiting")


def test_an_order_that_slips_in_while_goods_are_counted_in_is_looked_at_right_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wine = a_wine()
    po = bought(2)
    an_order("CF-1", {"GULL-19": 2})
    check_stock(order="CF-1", actor=CAROL)
    with monkeypatch.context() as before_it_was_there:
        before_it_was_there.setattr("counterfoil.steps.sourcing.receipt.pegged_orders", lambda _: [])
        before_it_was_there.setattr("counterfoil.steps.sourcing.turns.waiting_lines", lambda _: [])
        assert received(po, 2).ready_orders == []
    owed = Job.objects.get(name="sourcing.unpeg").payload
    unpeg_line(line=owed["line"], actor=SYSTEM)
    fill_waiting(product_ids=[wine.pk], actor=SYSTEM)
    assert (the_line("CF-1").reserved, the_line("CF-1").due, stock_of("CF-1")) == (2, 0, "confirmed")


def test_nothing_is_received_twice_against_a_full_purchase_order() -> None:
    a_wine()
    po = bought(2)
    received(po, 2)
    with pytest.raises(Refused, match="received in full"):
        received(po, 1)
    assert balance().on_hand == 2


def test_a_receipt_names_its_mistakes_and_counts_nothing_in() -> None:
    a_wine()
    a_wine("TERN-20")
    po = bought(2)
    for lines in (
        [],
        [{"sku": "GULL-19", "received": 0}],
        [{"sku": "GULL-19", "received": 1, "damaged": 2}],
        [{"sku": "GULL-19", "received": 1}, {"sku": "GULL-19", "received": 1}],
        [{"sku": "GULL-19", "received": 1}, {"sku": "TERN-20", "received": 1}],
    ):
        with pytest.raises(Invalid):
            receive_goods(actor=BEA, purchase_order=po.number, lines=lines)
    with pytest.raises(Forbidden):
        receive_goods(actor=PETE, purchase_order=po.number, lines=[{"sku": "GULL-19", "received": 1}])
    assert GoodsReceipt.objects.count() == 0


# Filling and letting go


def test_an_adjustment_reaches_unapproved_orders_too_and_never_unfinished_or_cancelled_ones() -> None:
    wine = a_wine()
    an_order("CF-1", {"GULL-19": 1}, ships_in=None, review="pending", books="none")
    an_order("CF-2", {"GULL-19": 1}, ships_in=None, finished=False)
    adjust_stock(actor=BEA, sku="GULL-19", quantity=5, reason="found in the cellar")
    assert fill_waiting(product_ids=[wine.pk], actor=SYSTEM) == ["CF-1"]
    assert (the_line("CF-1").reserved, the_line("CF-2").reserved) == (1, 0)
    assert stock_of("CF-1") == "unchecked"


def test_filling_again_does_nothing() -> None:
    wine = a_wine(on_hand=1)
    an_order("CF-1", {"GULL-19": 3})
    fill_waiting(product_ids=[wine.pk], actor=SYSTEM)
    version = Order.objects.get(number="CF-1").version
    assert fill_waiting(product_ids=[wine.pk], actor=SYSTEM) == []
    assert Order.objects.get(number="CF-1").version == version


def test_filling_many_orders_takes_as_many_statements_as_filling_one() -> None:
    counts = []
    for wave, orders in enumerate((1, 12)):
        sku = f"GULL-{wave}"
        wine = a_wine(sku, on_hand=100)
        for at in range(orders):
            an_order(f"CF-{wave}{at:02}", {sku: 2})
        with clock.at(clock.business_now()), CaptureQueriesContext(connection) as seen:
            assert len(fill_waiting(product_ids=[wine.pk], actor=SYSTEM)) == orders
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_line_that_lets_go_gives_its_units_and_what_was_on_order_to_the_next() -> None:
    wine = a_wine(on_hand=2)
    an_order("CF-1", {"GULL-19": 4}, ships_in=1)
    an_order("CF-2", {"GULL-19": 4}, ships_in=2)
    for number in ("CF-1", "CF-2"):
        check_stock(order=number, actor=CAROL)
    bought(2)
    assert (stock_of("CF-1"), stock_of("CF-2")) == ("awaiting", "short")
    with writing():
        order = take("CF-1")
        line = the_line("CF-1")
        release_line(line=line, actor=CAROL, order=order)
        line.cancelled, line.quantity = line.quantity, 0
        line.save(update_fields=["quantity", "cancelled"])
    assert (balance().reserved, balance().waiting) == (0, 4)
    unpeg_line(line=the_line("CF-1").pk, actor=SYSTEM)
    unpeg_line(line=the_line("CF-1").pk, actor=SYSTEM)
    fill_waiting(product_ids=[wine.pk], actor=SYSTEM)
    assert (the_line("CF-2").reserved, the_line("CF-2").due, stock_of("CF-2")) == (2, 2, "awaiting")
    assert the_line("CF-1").due == 0


def test_picked_units_go_back_to_the_shelf_when_their_line_lets_go() -> None:
    wine = a_wine(on_hand=3)
    an_order("CF-1", {"GULL-19": 3})
    check_stock(order="CF-1", actor=CAROL)
    with writing():
        order, line = take("CF-1"), the_line("CF-1")
        ledger.lock([wine.pk])
        fetched = ledger.Change(
            wine.pk, "picked", "pick:test", on_hand=-2, reserved=-2, picked=2, subject="CF-1", line=line.pk
        )
        ledger.move([fetched], actor=PETE)
        line.reserved, line.picked = 1, 2
        line.save(update_fields=["reserved", "picked"])
        release_line(line=line, actor=CAROL, order=order)
        line.quantity = 1
        line.save(update_fields=["quantity"])
        want_line(line=line)
    assert (balance().on_hand, balance().reserved, balance().picked, balance().waiting) == (3, 0, 0, 1)


# The records' doors


def test_a_product_starts_with_an_empty_balance_and_shares_its_family_with_other_vintages() -> None:
    a_supplier()
    _, made = [
        create_product(
            actor=BEA, sku=f"HEN-{year}", name=f"Grey Hen {year}", price=2400, currency="USD", supplier=SUPPLIER,
            family={"producer": "Grey Hen", "name": "Red", "vintage": year, "size": "750 ml"}, region="West Hills",
        )
        for year in (2018, 2019)
    ]  # fmt: skip
    answer = product_json(made)
    named = {"producer": "Grey Hen", "name": "Red", "vintage": 2019, "size": "750 ml"}
    assert {name: answer["family"][name] for name in named} == named
    assert [answer[k] for k in ("on_hand", "reserved", "picked", "quarantined", "due_in", "available_to_promise")] == [
        0, 0, 0, 0, 0, 0,
    ]  # fmt: skip
    assert made.family is not None
    assert made.family.products.count() == 2


def test_the_catalogue_names_every_mistake_at_once() -> None:
    a_wine()
    with pytest.raises(Invalid) as wrong:
        create_product(
            actor=BEA, sku="", name="x", price=-1, currency="ZZZ", supplier="Nobody & Sons", sell_when_out="maybe"
        )
    assert {f for f, _ in wrong.value.errors} == {"sku", "price", "currency", "supplier", "sell_when_out"}
    with pytest.raises(Invalid, match="taken"):
        create_product(actor=BEA, sku="GULL-19", name="again", price=1, currency="USD")
    with pytest.raises(Invalid, match="already"):
        create_supplier(actor=BEA, name=SUPPLIER)
    with pytest.raises(Forbidden):
        create_supplier(actor=CAROL, name="Other")


def test_what_is_reserved_cannot_be_adjusted_away_and_the_books_follow_the_shelf() -> None:
    a_wine(on_hand=5, cost=900)
    an_order("CF-1", {"GULL-19": 3})
    check_stock(order="CF-1", actor=CAROL)
    with pytest.raises(Refused, match="at most 2"):
        adjust_stock(actor=BEA, sku="GULL-19", quantity=-3, reason="breakage")
    with pytest.raises(Invalid, match="no lot L7"):
        adjust_stock(actor=BEA, sku="GULL-19", quantity=-2, reason="breakage", lot="L7")
    made = adjust_stock(actor=BEA, sku="GULL-19", quantity=-2, reason="breakage")
    assert (made.on_hand, balance().on_hand) == (-2, 3)
    assert (posted("inventory"), posted("stock_losses")) == (3 * 900, -3 * 900)
    with pytest.raises(Invalid):
        adjust_stock(actor=BEA, sku="GULL-19", quantity=0, reason="")
    with pytest.raises(Missing):
        adjust_stock(actor=BEA, sku="TERN-20", quantity=1, reason="found")
