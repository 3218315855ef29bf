"""What is missing is gathered on one draft a supplier, edited, and sent; only then is it on order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, journal
from counterfoil.core.db import writing
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.models import Document, Job
from counterfoil.core.shop import change, shop
from counterfoil.records.books.models import Posting
from counterfoil.records.catalogue.actions import set_reordering
from counterfoil.records.catalogue.models import Product, Supplier
from counterfoil.records.catalogue.suppliers import change_supplier, create_supplier, goes_on, next_day
from counterfoil.records.orders.models import Order
from counterfoil.records.stock.models import Place
from counterfoil.steps.sourcing.actions import (
    change_draft,
    check_stock,
    confirm_purchase_order,
    create_purchase_order,
    discard_draft,
    draft_purchase_order,
    gather_needs,
    receive_goods,
    send_purchase_order,
)
from counterfoil.steps.sourcing.draft import warnings_of
from counterfoil.steps.sourcing.models import PurchaseLine, PurchaseOrder
from counterfoil.steps.sourcing.present import purchase_order_json
from counterfoil.steps.sourcing.queries import needs
from counterfoil.steps.sourcing.tests.build import (
    BEA,
    CAROL,
    a_supplier,
    a_wine,
    agree,
    an_order,
    balance,
    in_days,
    stock_of,
    the_line,
)

pytestmark = pytest.mark.django_db
SUPPLIER = "Tern Island Growers"


@pytest.fixture(autouse=True)
def _only_this_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(journal, "_advance_now", None)
    yield
    agree()


def units(po: PurchaseOrder) -> dict[str, int]:
    return dict(PurchaseLine.objects.filter(po=po).values_list("product__sku", "quantity"))


def gathered(name: str = SUPPLIER) -> PurchaseOrder:
    return gather_needs(actor=BEA, supplier=name)


def abroad(**more: Any) -> Supplier:
    """A supplier who is paid in euros."""
    made = create_supplier(actor=BEA, name="Cave des Roches", currency="EUR", email="roches@example.com", **more)
    wine = a_wine("ROCHE-20")
    Product.objects.filter(pk=wine.pk).update(supplier=made)
    return made


def warned(po: PurchaseOrder) -> str:
    po = PurchaseOrder.objects.select_related("supplier").get(pk=po.pk)
    return " / ".join(warnings_of(po, list(po.lines.select_related("product"))))


# What is needed


def test_short_lines_and_reorder_points_go_on_one_draft_of_their_supplier() -> None:
    a_wine()
    a_wine("TERN-20", on_hand=3)
    a_wine("REEF-21", on_hand=9)
    set_reordering(actor=BEA, sku="TERN-20", reorder_point=4, reorder_up_to=12)
    set_reordering(actor=BEA, sku="REEF-21", reorder_point=4, reorder_up_to=12)
    an_order("CF-1", {"GULL-19": 2})
    an_order("CF-2", {"GULL-19": 3})
    po = gathered()
    assert units(po) == {"GULL-19": 5, "TERN-20": 9}
    assert (po.state, po.number) == ("draft", f"D-{po.pk}")
    assert gathered().pk == po.pk
    assert units(po) == {"GULL-19": 5, "TERN-20": 9}
    assert all(line.quantity == 0 for need in needs() for line in need.lines), "all of it stands on a draft"


@pytest.mark.parametrize(("on_hand", "buys"), [(5, 0), (4, 8), (3, 9), (0, 12)])
def test_at_the_reorder_point_and_under_it_the_shelf_is_filled_up_to_its_level(on_hand: int, buys: int) -> None:
    a_wine(on_hand=on_hand)
    set_reordering(actor=BEA, sku="GULL-19", reorder_point=4, reorder_up_to=12)
    assert [line.reorder for need in needs() for line in need.lines] == ([buys] if buys else [])


def test_what_orders_want_and_what_the_shelf_wants_are_added_up_once() -> None:
    a_wine(on_hand=2)
    set_reordering(actor=BEA, sku="GULL-19", reorder_point=4, reorder_up_to=6)
    an_order("CF-1", {"GULL-19": 5})
    check_stock(order="CF-1", actor=CAROL)
    [line] = needs()[0].lines
    assert (line.short, line.reorder, line.quantity) == (3, 6, 9)
    create_purchase_order(actor=BEA, supplier=SUPPLIER, lines=[{"sku": "GULL-19", "quantity": 9}])
    assert needs() == []


def test_a_draft_is_raised_to_what_is_missing_and_never_lowered() -> None:
    a_wine()
    an_order("CF-1", {"GULL-19": 2})
    po = gathered()
    change_draft(actor=BEA, number=po.number, lines=[{"sku": "GULL-19", "quantity": 12}])
    an_order("CF-2", {"GULL-19": 4})
    assert units(gathered()) == {"GULL-19": 12}
    an_order("CF-3", {"GULL-19": 9})
    assert units(gathered()) == {"GULL-19": 15}


def test_where_nothing_is_missing_nothing_is_drafted() -> None:
    a_wine(on_hand=3)
    with pytest.raises(Refused, match="nothing is missing"):
        gathered()
    with pytest.raises(Invalid):
        gathered("Nobody & Sons")
    with pytest.raises(Forbidden):
        gather_needs(actor=CAROL, supplier=SUPPLIER)


def test_the_needs_take_as_many_statements_for_twenty_orders_as_for_one() -> None:
    counts = []
    for wave, orders in enumerate((1, 20)):
        a_wine(f"GULL-{wave}")
        for at in range(orders):
            an_order(f"CF-{wave}{at:02}", {f"GULL-{wave}": 2})
        with CaptureQueriesContext(connection) as seen:
            needs()
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 4


# The draft


def test_a_draft_counts_as_nothing_on_order() -> None:
    a_wine()
    an_order("CF-1", {"GULL-19": 2})
    check_stock(order="CF-1", actor=CAROL)
    po = gathered()
    assert (balance().due_in, the_line("CF-1").due, stock_of("CF-1")) == (0, 0, "short")
    assert not Document.objects.filter(kind="purchase-order").exists()
    for act in (
        lambda: confirm_purchase_order(actor=BEA, number=po.number, expected=in_days(2)),
        lambda: receive_goods(actor=BEA, purchase_order=po.number, lines=[{"sku": "GULL-19", "received": 1}]),
    ):
        with pytest.raises(Refused, match="is a draft"):
            act()


def test_lines_are_added_changed_and_dropped_and_a_draft_is_sent_with_its_note() -> None:
    a_wine(cost=900)
    a_wine("TERN-20", cost=700)
    an_order("CF-1", {"GULL-19": 2})
    check_stock(order="CF-1", actor=CAROL)
    draft = gathered()
    change_draft(
        actor=BEA,
        number=draft.number,
        lines=[{"sku": "TERN-20", "quantity": 6}, {"sku": "GULL-19", "quantity": 3, "cost": 850}],
        expected=in_days(4),
        note="Card 4111 1111 1111 1111 is not yours. Ring at the back.",
    )
    sent = send_purchase_order(actor=BEA, number=draft.number)
    assert (sent.state, sent.number, sent.sent_by) == ("sent", "PO-0001", "Bea")
    assert {ln.product.sku: (ln.quantity, ln.cost) for ln in sent.lines.all()} == {
        "TERN-20": (6, 700), "GULL-19": (3, 850),
    }  # fmt: skip
    assert (balance().due_in, the_line("CF-1").due, stock_of("CF-1")) == (3, 2, "awaiting")
    paper = Document.objects.get(number="PO-0001")
    assert paper.content["message"].endswith("Ring at the back.")
    assert "4111" not in paper.content["message"]
    [mail] = [job.payload for job in Job.objects.filter(name="mail.send")]
    assert (mail["to"], mail["documents"]) == ("cellar@example.com", ["PO-0001"])


def test_a_draft_is_sent_once_and_its_old_name_still_finds_it() -> None:
    a_wine()
    draft = draft_purchase_order(actor=BEA, supplier=SUPPLIER, lines=[{"sku": "GULL-19", "quantity": 3}])
    sent = send_purchase_order(actor=BEA, number=draft.number)
    refused: list[Callable[[], object]] = [
        lambda: send_purchase_order(actor=BEA, number=draft.number),
        lambda: change_draft(actor=BEA, number=draft.number, lines=[{"sku": "GULL-19", "quantity": 1}]),
        lambda: discard_draft(actor=BEA, number=sent.number),
    ]
    for act in refused:
        with pytest.raises(Refused, match="sent by Bea"):
            act()
    assert balance().due_in == 3


def test_a_supplier_has_one_draft_at_a_time() -> None:
    a_wine()
    first = draft_purchase_order(actor=BEA, supplier=SUPPLIER, lines=[{"sku": "GULL-19", "quantity": 3}])
    with pytest.raises(Refused, match=first.number):
        draft_purchase_order(actor=BEA, supplier=SUPPLIER, lines=[{"sku": "GULL-19", "quantity": 1}])
    discard_draft(actor=BEA, number=first.number)
    assert discard_draft(actor=BEA, number=first.number).state == "discarded"
    second = draft_purchase_order(actor=BEA, supplier=SUPPLIER, lines=[{"sku": "GULL-19", "quantity": 1}])
    assert second.pk != first.pk
    with pytest.raises(Refused, match="discarded"):
        send_purchase_order(actor=BEA, number=first.number)


def test_a_draft_names_its_mistakes_and_keeps_what_it_was() -> None:
    a_wine()
    po = draft_purchase_order(actor=BEA, supplier=SUPPLIER, lines=[{"sku": "GULL-19", "quantity": 3}])
    with pytest.raises(Invalid) as wrong:
        change_draft(
            actor=BEA,
            number=po.number,
            lines=[{"sku": "GULL-19", "quantity": -1, "cost": -5}, {"sku": "NONE-1", "quantity": 1}],
            expected=in_days(-1),
            rate="1.1",
            note="x" * 3000,
        )
    assert {field for field, _ in wrong.value.errors} == {
        "lines.0.quantity", "lines.0.cost", "lines.1.sku", "expected", "rate", "note",
    }  # fmt: skip
    with pytest.raises(Invalid, match="at least one line"):
        change_draft(actor=BEA, number=po.number, lines=[])
    with pytest.raises(Missing):
        change_draft(actor=BEA, number="D-99999", lines=[])
    assert units(po) == {"GULL-19": 3}


def test_a_line_that_nobody_needs_any_more_says_so() -> None:
    a_wine()
    a_wine("TERN-20")
    an_order("CF-1", {"GULL-19": 2})
    an_order("CF-2", {"GULL-19": 3})
    po = gathered()
    change_draft(
        actor=BEA, number=po.number, lines=[{"sku": "GULL-19", "quantity": 5}, {"sku": "TERN-20", "quantity": 1}]
    )
    assert "needed" not in warned(po)
    Order.objects.filter(number="CF-2").update(cancelled_at=clock.business_now())
    assert "GULL-19: 5 were needed when it was put here; only 2 still are" in warned(po)
    Order.objects.filter(number="CF-1").update(cancelled_at=clock.business_now())
    assert "nobody needs them any more" in warned(po)
    assert "TERN-20" not in warned(po), "what was put there by hand needs no reason"
    Order.objects.update(cancelled_at=None)


# Minimum, cut-off, currency


def test_an_order_under_the_suppliers_minimum_is_warned_of_and_can_be_sent() -> None:
    a_wine(cost=900)
    change_supplier(actor=BEA, supplier=a_supplier().pk, minimum=5000)
    po = draft_purchase_order(actor=BEA, supplier=SUPPLIER, lines=[{"sku": "GULL-19", "quantity": 4}])
    assert "$14.00 under the minimum of $50.00" in warned(po)
    change_draft(actor=BEA, number=po.number, lines=[{"sku": "GULL-19", "quantity": 6}])
    assert "minimum" not in warned(po)
    assert send_purchase_order(actor=BEA, number=po.number).state == "sent"


def test_past_the_cut_off_an_order_goes_on_the_suppliers_next_day() -> None:
    tuesday = datetime(2026, 12, 1, 21, 59, tzinfo=UTC)  # 13:59 where the shop stands
    supplier = create_supplier(actor=BEA, name="Gate & Sons", cut_off="14:00", order_days=[1, 3])
    with clock.at(tuesday):
        assert goes_on(supplier, shop()).isoformat() == "2026-12-01"
    with clock.at(tuesday.replace(hour=22, minute=0)):
        assert goes_on(supplier, shop()).isoformat() == "2026-12-03"
        a_wine()
        po = draft_purchase_order(actor=BEA, supplier=supplier.pk, lines=[{"sku": "GULL-19", "quantity": 4}])
        assert "Past today's cut-off, 14:00: it goes on Thu 3 Dec".lower() in warned(po).lower()


def test_without_days_of_its_own_a_supplier_takes_orders_on_the_shops_working_days() -> None:
    assert f"{next_day(date(2026, 12, 5), [0, 1, 2, 3, 4], ['2026-12-07'])}" == "2026-12-08"


def test_an_order_in_another_currency_is_sent_at_costs_and_a_rate_that_a_person_named() -> None:
    abroad()
    po = draft_purchase_order(actor=BEA, supplier="Cave des Roches", lines=[{"sku": "ROCHE-20", "quantity": 3}])
    assert (po.currency, [ln.cost for ln in po.lines.all()]) == ("EUR", [None])
    with pytest.raises(Invalid) as wrong:
        send_purchase_order(actor=BEA, number=po.number)
    assert {field for field, _ in wrong.value.errors} == {"lines.0.cost", "rate"}
    assert not Document.objects.filter(kind="purchase-order").exists(), "no number was used up"
    change_draft(actor=BEA, number=po.number, lines=[{"sku": "ROCHE-20", "quantity": 3, "cost": 1001}], rate="1.085")
    sent = send_purchase_order(actor=BEA, number=po.number)
    assert purchase_order_json(sent)["rate"] == "1.085"
    receive_goods(actor=BEA, purchase_order=sent.number, lines=[{"sku": "ROCHE-20", "received": 3}])
    # 3 x 10.01 EUR x 1.085 = 32.58255 USD
    [(amount, currency)] = Posting.objects.filter(account="inventory").values_list("amount", "currency")
    assert (amount, currency) == (3258, "USD")
    assert Place.objects.get(product__sku="ROCHE-20").value == 3258, "what lies there is worth what was paid"
    again = draft_purchase_order(actor=BEA, supplier="Cave des Roches", lines=[{"sku": "ROCHE-20", "quantity": 1}])
    assert [ln.cost for ln in again.lines.all()] == [1001], "what was paid last is known"


@pytest.mark.parametrize("rate", ["0", "-1", "x", "1.0000001", "NaN", "Infinity", "9999999"])
def test_a_rate_is_a_positive_number_of_six_decimals(rate: str) -> None:
    abroad()
    with pytest.raises(Invalid) as wrong:
        create_purchase_order(
            actor=BEA, supplier="Cave des Roches", lines=[{"sku": "ROCHE-20", "quantity": 3, "cost": 5}], rate=rate
        )
    assert "rate" in {field for field, _ in wrong.value.errors}


def test_a_currency_without_decimals_enters_the_books_in_the_shops() -> None:
    made = create_supplier(actor=BEA, name="Sakura", currency="JPY")
    Product.objects.filter(pk=a_wine("SAKE-1").pk).update(supplier=made)
    po = create_purchase_order(
        actor=BEA, supplier="Sakura", lines=[{"sku": "SAKE-1", "quantity": 2, "cost": 1500}], rate="0.0067"
    )
    receive_goods(actor=BEA, purchase_order=po.number, lines=[{"sku": "SAKE-1", "received": 2}])
    assert Posting.objects.get(account="inventory").amount == 2010  # 3000 yen at 0.0067
    assert Place.objects.get(product__sku="SAKE-1").value == 2010


# Suppliers


def test_a_supplier_names_every_mistake_at_its_field() -> None:
    with pytest.raises(Invalid) as wrong:
        create_supplier(
            actor=BEA, name=" ", email="nowhere", lead_time_days=-1, phone="4111 1111 1111 1111", currency="XXQ",
            minimum=-1, cut_off="25:00", order_days=[7],
        )  # fmt: skip
    assert {field for field, _ in wrong.value.errors} == {
        "name", "email", "lead_time_days", "phone", "currency", "minimum", "cut_off", "order_days.0",
    }  # fmt: skip
    assert not Supplier.objects.exists()


def test_a_changed_supplier_keeps_what_was_not_named() -> None:
    made = create_supplier(actor=BEA, name="Gate & Sons", contact="Ida", cut_off="14:00", minimum=500)
    changed = change_supplier(actor=BEA, supplier=made.pk, contact="Max", cut_off=None)
    assert (changed.contact, changed.cut_off, changed.minimum) == ("Max", None, 500)
    a_supplier()
    with pytest.raises(Invalid, match="already"):
        change_supplier(actor=BEA, supplier=made.pk, name=SUPPLIER)
    assert change_supplier(actor=BEA, supplier=made.pk, name="Gate & Sons").name == "Gate & Sons"
    with pytest.raises(Missing):
        change_supplier(actor=BEA, supplier=9_999_999, contact="x")
    with pytest.raises(Forbidden):
        change_supplier(actor=CAROL, supplier=made.pk, contact="x")
    assert change_supplier(actor=BEA, supplier=made.pk, cut_off=time(9, 30)).cut_off == time(9, 30)


def test_the_shops_currency_moves_no_order_that_exists() -> None:
    a_wine()
    po = create_purchase_order(actor=BEA, supplier=SUPPLIER, lines=[{"sku": "GULL-19", "quantity": 1}])
    with writing():
        change(currency="EUR")
    receive_goods(actor=BEA, purchase_order=po.number, lines=[{"sku": "GULL-19", "received": 1}])
    assert Posting.objects.get(account="inventory").currency == "USD"
    assert Place.objects.get(product__sku="GULL-19").value == 0, "dollars are not worth as many euros"
