"""The buyer's pages: what is missing, drafts, dates, receipts, suppliers."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.desk.tests.build import ANN, at_the_desk, order, product
from counterfoil.records.catalogue.models import Product, Supplier
from counterfoil.records.catalogue.suppliers import create_supplier
from counterfoil.records.stock.models import Balance, Place
from counterfoil.steps.sourcing.actions import create_purchase_order
from counterfoil.steps.sourcing.models import GoodsReceipt, PurchaseLine, PurchaseOrder
from counterfoil.steps.sourcing.tests.build import in_days

pytestmark = pytest.mark.django_db
HOUSE = "/desk/purchase-orders"


@pytest.fixture
def supplier() -> Supplier:
    return create_supplier(actor=ANN, name="Northfold", email="n@example.com")


@pytest.fixture
def buyer(supplier: Supplier) -> Client:
    product("SYRAH-19", cost=900, supplier=supplier)
    product("PINOT-21", cost=800, supplier=supplier)
    return at_the_desk("buyer")


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_from_what_is_missing_to_a_draft_to_the_supplier(buyer: Client, supplier: Supplier) -> None:
    waiting = order(("SYRAH-19", 3))
    assert waiting.number in text_of(buyer, HOUSE)
    gathered = buyer.post(HOUSE, {"do": "gather", "supplier": supplier.pk})
    draft = PurchaseOrder.objects.get()
    assert (gathered.status_code, gathered["Location"]) == (303, f"{HOUSE}/{draft.number}")
    assert "3 were needed" in text_of(buyer, f"{HOUSE}/{draft.number}")
    form = {
        "quantity:SYRAH-19": "6",
        "cost:SYRAH-19": "8.50",
        "sku": "PINOT-21",
        "units": "2",
        "cost": "",
        "note": "Soon",
    }
    assert buyer.post(f"{HOUSE}/{draft.number}/draft", {**form, "do": "keep"}).status_code == 303
    lines = set(PurchaseLine.objects.values_list("product__sku", "quantity", "cost"))
    assert lines == {("SYRAH-19", 6, 850), ("PINOT-21", 2, 800)}
    sent = buyer.post(
        f"{HOUSE}/{draft.number}/draft",
        {"quantity:SYRAH-19": "6", "quantity:PINOT-21": "2", "drop:PINOT-21": "yes", "do": "send"},
    )
    assert sent["Location"] == f"{HOUSE}/PO-0001"
    assert buyer.get(f"{HOUSE}/{draft.number}")["Location"] == f"{HOUSE}/PO-0001", "a bookmark of the draft still works"
    assert waiting.number in text_of(buyer, f"{HOUSE}/PO-0001")
    again = buyer.post(f"{HOUSE}/{draft.number}/draft", {"quantity:SYRAH-19": "6", "do": "send"})
    assert (again.status_code, b"has been sent" in again.content) == (409, True)


def test_a_drafts_mistakes_stand_at_their_fields_and_what_was_typed_stays(buyer: Client, supplier: Supplier) -> None:
    order(("SYRAH-19", 3))
    buyer.post(HOUSE, {"do": "gather", "supplier": supplier.pk})
    draft = PurchaseOrder.objects.get()
    form = {"quantity:SYRAH-19": "6", "sku": "NONE-1", "units": "2", "rate": "", "note": "Soon", "do": "send"}
    answer = buyer.post(f"{HOUSE}/{draft.number}/draft", form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="e-sku"' in page
    assert 'value="6"' in page
    assert PurchaseOrder.objects.get().state == "draft"
    wrong = buyer.post(f"{HOUSE}/{draft.number}/draft", {"quantity:SYRAH-19": "many"})
    assert (wrong.status_code, b"give a whole number" in wrong.content) == (422, True)
    dropped = buyer.post(f"{HOUSE}/{draft.number}/draft", {"do": "discard"})
    assert (dropped.status_code, PurchaseOrder.objects.get().state) == (303, "discarded")


def bought(units: int = 6) -> PurchaseOrder:
    return create_purchase_order(
        actor=ANN,
        supplier="Northfold",
        lines=[{"sku": "SYRAH-19", "quantity": units}, {"sku": "PINOT-21", "quantity": 1}],
    )


def test_a_double_click_counts_the_goods_in_once(buyer: Client) -> None:
    po = bought()
    token = re.search(r'name="token" value="([^"]+)"', text_of(buyer, f"{HOUSE}/{po.number}"))
    assert token is not None
    form = {"token": token[1], "received:SYRAH-19": "4", "damaged:SYRAH-19": "1"}
    for _ in range(2):
        assert buyer.post(f"{HOUSE}/{po.number}/receipts", form).status_code == 303
    assert "nothing changed" in text_of(buyer, f"{HOUSE}/{po.number}")
    held = Balance.objects.get(product__sku="SYRAH-19")
    assert (held.on_hand, held.quarantined, GoodsReceipt.objects.count()) == (3, 1, 1)


def test_a_delivery_is_put_away_by_lot_bin_and_date(buyer: Client) -> None:
    po = bought()
    form = {
        "received:SYRAH-19": "4", "lot:SYRAH-19": "L-7", "bin:SYRAH-19": "C-3", "best_before:SYRAH-19": "2029-05-01",
    }  # fmt: skip
    wrong = buyer.post(f"{HOUSE}/{po.number}/receipts", {**form, "best_before:SYRAH-19": "soon"})
    assert wrong.status_code == 422
    assert "L-7" in wrong.content.decode()
    assert buyer.post(f"{HOUSE}/{po.number}/receipts", form).status_code == 303
    place = Place.objects.get(product__sku="SYRAH-19")
    assert (place.bin, place.lot, place.on_hand, place.best_before) == ("C-3", "L-7", 4, date(2029, 5, 1))


def test_the_orders_that_a_delivery_completes_are_named_with_their_number(buyer: Client) -> None:
    first, second = order(("SYRAH-19", 2)), order(("SYRAH-19", 2))
    po = bought(4)
    buyer.post(f"{HOUSE}/{po.number}/receipts", {"received:SYRAH-19": "4"})
    page = text_of(buyer, f"{HOUSE}/{po.number}")
    assert "These 2 orders have just become ready" in page
    assert first.number in page
    assert second.number in page
    assert "2 orders ready" in page


def test_the_orders_page_says_which_purchase_order_a_line_waits_for(buyer: Client) -> None:
    waiting = order(("SYRAH-19", 2))
    po = bought(2)
    page = text_of(at_the_desk(), f"/desk/orders/{waiting.number}")
    assert f'<a href="{HOUSE}/{po.number}">{po.number}</a>, Northfold, no date confirmed' in page
    buyer.post(f"{HOUSE}/{po.number}/confirmation", {"expected": f"{in_days(3)}"})
    page = text_of(at_the_desk(), f"/desk/orders/{waiting.number}")
    assert f"{po.number}</a>, Northfold, " in page
    assert "no date confirmed" not in page


def test_eighty_instead_of_eight_is_asked_about_at_the_field(buyer: Client) -> None:
    po = bought(8)
    answer = buyer.post(f"{HOUSE}/{po.number}/receipts", {"received:SYRAH-19": "80", "token": "one-and-the-same"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="e-received:SYRAH-19"' in page
    assert 'value="one-and-the-same"' in page, "the form stays the same form"
    assert Balance.objects.get(product__sku="SYRAH-19").on_hand == 0
    form = {"received:SYRAH-19": "10", "note:SYRAH-19": "two for free", "token": "one-and-the-same"}
    assert buyer.post(f"{HOUSE}/{po.number}/receipts", form).status_code == 303
    assert "2 more than ordered (two for free)" in text_of(buyer, f"{HOUSE}/{po.number}")


def test_a_line_may_have_a_date_of_its_own(buyer: Client) -> None:
    po = bought()
    form = {"expected": f"{in_days(3)}", "expected:PINOT-21": f"{in_days(9)}"}
    assert buyer.post(f"{HOUSE}/{po.number}/confirmation", form).status_code == 303
    dates = dict(PurchaseLine.objects.values_list("product__sku", "expected"))
    assert dates == {"SYRAH-19": in_days(3), "PINOT-21": in_days(9)}
    late = buyer.post(f"{HOUSE}/{po.number}/confirmation", {**form, "expected:PINOT-21": "2020-01-01"})
    assert (late.status_code, b'id="e-expected:PINOT-21"' in late.content) == (422, True)


def test_a_supplier_is_entered_changed_and_its_mistakes_named(buyer: Client) -> None:
    form = {
        "name": "Cave des Roches", "contact": "Ida", "email": "ida@example.com", "phone": "+33 1 70 18 99 00",
        "currency": "EUR", "minimum": "150.00", "lead_time_days": "9", "cut_off": "14:30", "order_days": ["0", "3"],
    }  # fmt: skip
    made = buyer.post("/desk/suppliers", form)
    kept = Supplier.objects.get(name="Cave des Roches")
    assert made["Location"] == f"/desk/suppliers/{kept.pk}"
    assert (kept.minimum, kept.currency, f"{kept.cut_off:%H:%M}", kept.order_days) == (15000, "EUR", "14:30", [0, 3])
    assert "14:30" in text_of(buyer, f"/desk/suppliers/{kept.pk}")
    assert "Cave des Roches" in text_of(buyer, "/desk/suppliers")
    for page in ("/desk/suppliers", f"/desk/suppliers/{kept.pk}"):
        assert "9 business days by their word" in text_of(buyer, page)
        Supplier.objects.filter(pk=kept.pk).update(learnt_days=12, learnt_from=7)
        assert "12 business days in 8 of 10 cases, from 7 deliveries" in text_of(buyer, page)
        Supplier.objects.filter(pk=kept.pk).update(learnt_days=None, learnt_from=0)
    wrong = buyer.post(f"/desk/suppliers/{kept.pk}", {**form, "email": "ida", "currency": "XXQ"})
    page = wrong.content.decode()
    assert wrong.status_code == 422
    assert 'id="e-currency"' in page
    buyer.post(f"/desk/suppliers/{kept.pk}", {**form, "cut_off": "", "order_days": []})
    kept.refresh_from_db()
    assert (kept.cut_off, kept.order_days) == (None, [])
    clerk = at_the_desk("clerk")
    assert clerk.post(f"/desk/suppliers/{kept.pk}", form).status_code == 403
    assert "Keep these terms" not in text_of(clerk, f"/desk/suppliers/{kept.pk}")


def test_a_product_is_told_when_it_is_bought_again(buyer: Client, supplier: Supplier) -> None:
    form = {"reorder_point": "4", "reorder_up_to": "12", "supplier": str(supplier.pk)}
    assert buyer.post("/desk/reordering/SYRAH-19", form).status_code == 303
    assert Product.objects.filter(sku="SYRAH-19", reorder_point=4, reorder_up_to=12).exists()
    assert "12 for the shelf" in text_of(buyer, HOUSE)
    buyer.post("/desk/reordering/SYRAH-19", {**form, "reorder_up_to": "2"})
    assert "less than the reorder point" in text_of(buyer, "/desk/stock/SYRAH-19")


@pytest.mark.parametrize("path", ["", "/po", "/draft", "suppliers", "supplier"])
def test_the_buyers_pages_take_few_statements(buyer: Client, supplier: Supplier, path: str) -> None:
    for _ in range(3):
        order(("SYRAH-19", 2), ("PINOT-21", 1))
    po = bought(4)
    order(("SYRAH-19", 9))
    buyer.post(HOUSE, {"do": "gather", "supplier": supplier.pk})
    draft = PurchaseOrder.objects.get(state="draft")
    where = {"": HOUSE, "/po": f"{HOUSE}/{po.number}", "/draft": f"{HOUSE}/{draft.number}",
             "suppliers": "/desk/suppliers", "supplier": f"/desk/suppliers/{supplier.pk}"}[path]  # fmt: skip
    buyer.get(where)
    with CaptureQueriesContext(connection) as seen:
        assert buyer.get(where).status_code == 200
    assert len(seen) <= 12, [q["sql"][:120] for q in seen.captured_queries]


def test_a_product_that_nobody_knows_by_heart_is_proposed_at_its_field(buyer: Client, supplier: Supplier) -> None:
    product("ORPHAN")
    form = {"supplier": str(supplier.pk), "sku": "SYRAH", "units": "2"}
    for said, words in (
        ({}, "there is no product SYRAH; perhaps SYRAH-19 ("), ({"sku": "NONE-1"}, "there is no product NONE-1<"),
        ({"units": ""}, "give a"), ({"sku": "", "units": ""}, "say how many of what"),
        ({"sku": "", "supplier": ""}, "which product?"), ({"sku": "ORPHAN", "supplier": ""}, "say from whom"),
    ):  # fmt: skip
        answer = buyer.post("/desk/purchase-orders", form | said)
        page = answer.content.decode()
        assert (answer.status_code, words in page) == (422, True), (said, page[-3000:])
        assert '<details open><summary class="btn">Order something else' in page
        assert 'class="wrong" id="e-' in page
    assert not PurchaseOrder.objects.exists()
    # From whom else: nothing said, it goes to the product's own supplier.
    create_supplier(actor=ANN, name="Another", email="a@example.com")
    assert buyer.post("/desk/purchase-orders", {"supplier": "", "sku": "SYRAH-19", "units": "2"}).status_code == 303
    assert PurchaseOrder.objects.get().supplier == supplier
