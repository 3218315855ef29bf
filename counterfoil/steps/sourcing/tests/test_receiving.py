"""Goods come in part, over, damaged, twice; a later date is named: everybody who waits is told of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from counterfoil.core import clock, journal
from counterfoil.core.errors import Invalid, Refused
from counterfoil.core.shop import shop
from counterfoil.records.orders.models import Part
from counterfoil.steps.sourcing.actions import (
    check_stock,
    close_purchase_order,
    confirm_purchase_order,
    create_purchase_order,
    receive_goods,
)
from counterfoil.steps.sourcing.models import GoodsReceipt, PurchaseOrder
from counterfoil.steps.sourcing.present import purchase_order_json, receipt_json
from counterfoil.steps.sourcing.queries import coming_for, lead_times, slipped_by
from counterfoil.steps.sourcing.tests.build import (
    BEA,
    CAROL,
    a_wine,
    agree,
    an_order,
    balance,
    in_days,
    kinds,
    the_line,
)

pytestmark = pytest.mark.django_db
SUPPLIER = "Tern Island Growers"
TOKEN = "a-form-of-this-page"


@pytest.fixture(autouse=True)
def _only_this_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(journal, "_advance_now", None)
    yield
    agree()


def bought(quantity: int, sku: str = "GULL-19") -> PurchaseOrder:
    return create_purchase_order(actor=BEA, supplier=SUPPLIER, lines=[{"sku": sku, "quantity": quantity}])


def received(
    po: PurchaseOrder, units: int, token: str | None = None, *, note: str = "", desk: bool = False
) -> GoodsReceipt:
    return receive_goods(
        actor=BEA,
        purchase_order=po.number,
        lines=[{"sku": "GULL-19", "received": units, "note": note}],
        token=token,
        explain_surplus=desk,
    )


def test_the_same_form_twice_is_one_delivery_and_says_so() -> None:
    a_wine()
    po = bought(12)
    first = received(po, 5, TOKEN)
    second = received(po, 5, TOKEN)
    assert (second.pk, first.repeated, second.repeated) == (first.pk, False, True)
    assert (balance().on_hand, balance().due_in, kinds(po.number).count("goods_received")) == (5, 7, 1)
    assert receipt_json(second)["repeated"] is True
    received(po, 7, "another-form")
    assert received(po, 5, TOKEN).pk == first.pk, "also when the purchase order is complete by now"
    with pytest.raises(Refused, match="was used for"):
        received(bought(1), 1, TOKEN)
    with pytest.raises(Invalid):
        received(bought(1), 1, "short")


def test_more_than_ordered_needs_a_word_at_the_desk_and_is_kept_as_extra() -> None:
    a_wine()
    po = bought(8)
    with pytest.raises(Invalid, match="8 of GULL-19 are outstanding") as wrong:
        received(po, 80, desk=True)
    assert [field for field, _ in wrong.value.errors] == ["lines.0.received"]
    assert balance().on_hand == 0
    extra = received(po, 10, note="two as a present", desk=True)
    assert receipt_json(extra)["lines"] == [
        {"sku": "GULL-19", "received": 10, "damaged": 0, "surplus": 2, "note": "two as a present"}
    ]
    assert (balance().on_hand, balance().due_in) == (10, 0)


def test_nothing_is_received_against_what_is_closed() -> None:
    a_wine()
    po = bought(2)
    close_purchase_order(actor=BEA, number=po.number, reason="the grower burnt down")
    with pytest.raises(Refused, match="is closed"):
        received(po, 1)
    assert balance().on_hand == 0


def test_a_receipt_remembers_when_it_was_ordered_and_for_when_it_was_confirmed() -> None:
    a_wine()
    with clock.at(clock.business_now()):
        po = bought(5)
        confirm_purchase_order(actor=BEA, number=po.number, expected=in_days(4))
        received(po, 2)
        confirm_purchase_order(actor=BEA, number=po.number, expected=in_days(9))
        received(po, 3)
        found = lead_times(po.supplier_id)
    assert [(t.units, t.confirmed) for t in found] == [(3, in_days(9)), (2, in_days(4))]
    assert {t.ordered_at for t in found} == {po.sent_at}
    assert all(t.received_at >= t.ordered_at for t in found)


# A date slips


def slipped(po: PurchaseOrder) -> list[tuple[str, object, object, bool]]:
    return [(s.order, s.promised, s.earliest, s.charged) for s in slipped_by(po)]


def test_a_slipped_date_names_every_order_whose_promise_it_breaks() -> None:
    a_wine()
    for number, days in (("CF-1", 3), ("CF-2", 12), ("CF-3", 4)):
        an_order(number, {"GULL-19": 2}, ships_in=days)
        check_stock(order=number, actor=CAROL)
    po = bought(6)
    confirm_purchase_order(actor=BEA, number=po.number, expected=in_days(2))
    assert slipped(po) == []
    confirm_purchase_order(actor=BEA, number=po.number, expected=in_days(9))
    assert slipped(po) == [("CF-1", in_days(3), in_days(9), False), ("CF-3", in_days(4), in_days(9), False)]
    told = purchase_order_json(po)["slipped"]
    assert told[0] == {
        "order": "CF-1", "part": 1, "promised": f"{in_days(3)}", "earliest": f"{in_days(9)}", "charged": False,
    }  # fmt: skip
    confirm_purchase_order(actor=BEA, number=po.number, expected=in_days(1))
    assert slipped(po) == [], "a later word replaces the earlier one"


def test_an_order_that_waits_for_two_deliveries_is_as_late_as_the_later() -> None:
    a_wine()
    a_wine("TERN-20")
    an_order("CF-1", {"GULL-19": 2, "TERN-20": 1}, ships_in=3)
    check_stock(order="CF-1", actor=CAROL)
    one, other = bought(2), bought(1, "TERN-20")
    confirm_purchase_order(actor=BEA, number=one.number, expected=in_days(5))
    assert slipped(one) == [("CF-1", in_days(3), None, False)], "the other has no date yet"
    confirm_purchase_order(actor=BEA, number=other.number, expected=in_days(8))
    assert slipped(one) == slipped(other) == [("CF-1", in_days(3), in_days(8), False)]


def test_what_was_charged_is_named_as_soon_as_it_is_not_due_within_the_shops_days() -> None:
    a_wine()
    an_order("CF-1", {"GULL-19": 2}, ships_in=30)
    check_stock(order="CF-1", actor=CAROL)
    po = bought(2)
    confirm_purchase_order(actor=BEA, number=po.number, expected=in_days(1))
    Part.objects.update(money="charged")
    assert slipped(po) == []
    later = shop().business_days_from(shop().charge_horizon(), 1)
    confirm_purchase_order(actor=BEA, number=po.number, expected=later)
    assert slipped(po) == [("CF-1", in_days(30), later, True)]


def test_a_line_says_which_purchase_orders_it_waits_for() -> None:
    a_wine()
    an_order("CF-1", {"GULL-19": 3})
    check_stock(order="CF-1", actor=CAROL)
    one, two = bought(1), bought(2)
    confirm_purchase_order(actor=BEA, number=two.number, expected=in_days(2))
    found = coming_for([the_line("CF-1").pk])[the_line("CF-1").pk]
    assert [(c.purchase_order, c.supplier, c.quantity, c.expected) for c in found] == [
        (two.number, SUPPLIER, 2, in_days(2)),
        (one.number, SUPPLIER, 1, None),
    ]
