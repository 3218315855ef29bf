"""Correcting which wine a product is: its vintages and what is similar follow; orders keep what was said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from counterfoil.core.access.keys import make_key
from counterfoil.core.models import JournalEvent
from counterfoil.desk.tests.build import ANN, order
from counterfoil.records.catalogue.actions import create_product
from counterfoil.records.catalogue.models import Family, Product
from counterfoil.records.catalogue.similar import similar_products
from counterfoil.records.orders.models import Line
from counterfoil.records.stock.actions import adjust_stock

pytestmark = pytest.mark.django_db


@pytest.fixture
def wines() -> None:
    for sku, maker, year in (("G-19", "Gul", 2019), ("G-20", "Gul", 2020), ("T-21", "Tern", 2021)):
        create_product(
            actor=ANN, sku=sku, name=f"{maker} Gate {year}", price=2400, currency="USD", cost=900, bin="A-1",
            family={"producer": maker, "name": "Gate", "vintage": year, "region": "Aldmoor", "grape": "syrah"},
        )  # fmt: skip
        adjust_stock(actor=ANN, sku=sku, quantity=6, reason="came")


def patch(at: str, role: str = "buyer", **body: Any) -> Any:
    key = make_key("t", role)
    return Client().generic(
        "PATCH", f"/api/v1/products/{at}", json.dumps(body), "application/json", HTTP_AUTHORIZATION=f"Bearer {key}"
    )


def wine(sku: str) -> Any:
    return Product.objects.select_related("family").get(sku=sku)


def families() -> set[tuple[str, str, str, str, int]]:
    return {(f.producer, f.name, f.region, f.grape, f.products.count()) for f in Family.objects.all()}


def test_a_maker_is_corrected_for_one_vintage_or_for_all(wines: None) -> None:
    assert patch("G-19", family={"producer": "Gull"}).json()["family"]["producer"] == "Gull"
    one = {("Gull", "Gate", "Aldmoor", "syrah", 1), ("Gul", "Gate", "Aldmoor", "syrah", 1)}
    assert families() == one | {("Tern", "Gate", "Aldmoor", "syrah", 1)}
    # The other vintage follows to the family that there is now; the one that nobody is of any more is gone.
    assert patch("G-20", family={"producer": "Gull", "all_vintages": True}).status_code == 200
    assert families() == {("Gull", "Gate", "Aldmoor", "syrah", 2), ("Tern", "Gate", "Aldmoor", "syrah", 1)}
    assert patch("G-20", family={"name": "Gatehouse", "all_vintages": True}).status_code == 200
    assert {wine(sku).family.name for sku in ("G-19", "G-20")} == {"Gatehouse"}
    told = JournalEvent.objects.filter(kind="product_changed", subject="G-20").latest("pk")
    assert told.text == "wine Gate -> Gatehouse; so are 1 other vintages or sizes of it"
    assert told.data == {"wine": ["Gate", "Gatehouse"]}


def test_region_and_grape_are_those_of_every_vintage_and_of_the_wine_that_a_product_moves_to(wines: None) -> None:
    assert patch("T-21", family={"grape": "pinot noir"}).status_code == 200
    assert patch("G-19", family={"region": "Westmark"}).status_code == 200
    assert wine("G-20").family.region == "Westmark"
    assert patch("G-19", family={"producer": "Tern"}).json()["family"] == {
        "producer": "Tern", "name": "Gate", "vintage": 2019, "size": "", "region": "Aldmoor", "grape": "pinot noir",
    }  # fmt: skip
    assert next(s.product.sku for s in similar_products(wine("T-21"), quantity=1)) == "G-19"
    assert patch("G-20", family=None).json()["family"] is None
    assert families() == {("Tern", "Gate", "Aldmoor", "pinot noir", 2)}
    assert similar_products(wine("G-20"), quantity=1) == []


def test_the_vintage_of_a_wine_that_was_ordered_wants_a_reason_and_orders_keep_theirs(wines: None) -> None:
    assert patch("G-20", family={"vintage": 2022}).status_code == 200, "nobody has ordered it"
    placed = order(("G-19", 2))
    refused = patch("G-19", family={"vintage": 2018})
    assert (refused.status_code, refused.json()["errors"]) == (
        422,
        [{"field": "reason", "message": "2 have been ordered as 2019, 2 of them not shipped yet; another vintage is a "
          "product of its own. If the year was wrong, say why"}],
    )  # fmt: skip
    assert wine("G-19").vintage == 2019
    done = patch("G-19", family={"vintage": 2018}, reason="misread the label")
    assert (done.status_code, done.json()["family"]["vintage"]) == (200, 2018)
    assert Line.objects.get(order=placed).name == "Gul Gate 2019"
    told = JournalEvent.objects.filter(kind="product_changed", subject="G-19").latest("pk")
    assert told.text == "vintage 2019 -> 2018: misread the label"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"family": {"producer": ""}}, "family.producer"),
        ({"family": {"producer": "", "name": ""}}, "family.vintage"),
        ({"family": {"vintage": 19}}, "family.vintage"),
        ({"family": {"name": "x" * 201}}, "family.name"),
        ({"barcode": "T-21"}, "barcode"),
        ({"price": -1}, "price"),
        ({"bin": "x" * 21}, "bin"),
        ({"sku": "OTHER"}, "sku"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(wines: None, body: dict[str, Any], field: str) -> None:
    before = list(Product.objects.order_by("pk").values()), families()
    answer = patch("G-19", **body)
    assert answer.status_code == 422, answer.content
    assert any(error["field"].endswith(field) for error in answer.json()["errors"]), answer.json()
    assert before == (list(Product.objects.order_by("pk").values()), families())


def test_what_else_a_product_is_changes_and_only_the_buyer_changes_it(wines: None) -> None:
    assert patch("G-19", "clerk", cost=800).status_code == 403
    assert patch("NEVER", cost=800).status_code == 404
    done = patch("G-19", cost=800, lead_time_days=4, bin="C-1", barcode="4006381333931", listed=False, price=2500)
    found = done.json()
    assert {k: found[k] for k in ("cost", "lead_time_days", "bin", "barcode", "listed", "price", "name")} == {
        "cost": 800, "lead_time_days": 4, "bin": "C-1", "barcode": "4006381333931", "listed": False, "price": 2500,
        "name": "Gul Gate 2019",
    }  # fmt: skip
    assert patch("G-19", lead_time_days=None, cost=None).json()["lead_time_days"] is None
    assert wine("G-19").cost == 800
    assert [(p["bin"], p["on_hand"]) for p in found["places"]] == [("A-1", 6)], "nothing is carried"
