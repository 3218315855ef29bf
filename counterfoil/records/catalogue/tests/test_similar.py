"""What could stand in for a wine that is sold out."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.actor import BUYER, Actor
from counterfoil.core.db import writing
from counterfoil.records.catalogue.actions import create_product
from counterfoil.records.catalogue.models import Product
from counterfoil.records.catalogue.similar import Similar, Wine, likeness, similar_products, similar_to_each
from counterfoil.records.stock import ledger
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.ledger import Change

BEA = Actor("person", "Bea", BUYER)
wines = st.builds(
    Wine,
    family=st.none() | st.integers(1, 3),
    producer=st.sampled_from(["", "Quill", "Harrow"]),
    grape=st.sampled_from(["", "Syrah", "Riesling"]),
    region=st.sampled_from(["", "Quay", "Hill"]),
    vintage=st.none() | st.integers(2010, 2024),
    size=st.sampled_from(["", "750 ml", "1.5 l"]),
    price=st.integers(0, 100_000),
)


def wine(sku: str, *, free: int = 6, price: int = 2000, listed: bool = True, **family: Any) -> Product:
    about = {"producer": "Quill", "name": "Late Harvest", "region": "Quay", "grape": "Riesling", "size": "750 ml"}
    made = create_product(
        actor=BEA, sku=sku, name=sku, price=price, currency="USD", family={"vintage": 2019, **about, **family}
    )
    if free:
        adjust_stock(actor=BEA, sku=sku, quantity=free, reason="opening stock")
    if not listed:
        Product.objects.filter(pk=made.pk).update(listed=False)
    return Product.objects.get(pk=made.pk)


def skus(found: list[Similar]) -> list[str]:
    return [one.product.sku for one in found]


@pytest.mark.django_db
def test_the_same_wine_of_another_vintage_comes_first_and_the_nearest_year_before_the_others() -> None:
    gone = wine("LH-2019", free=0)
    wine("LH-2015", vintage=2015)
    wine("LH-2020", vintage=2020, price=2100)
    wine("OTHER-RIESLING", name="Dry", vintage=2019)
    wine("LH-MAGNUM", vintage=2019, size="1.5 l", price=4400)
    found = similar_products(gone, quantity=3)
    assert skus(found) == ["LH-2020", "LH-2015", "LH-MAGNUM", "OTHER-RIESLING"]
    assert found[0].reasons == ("the same wine, 2020 instead of 2019", "5 % dearer")
    assert found[2].reasons == ("the same wine in 1.5 l", "120 % dearer")
    assert (found[0].free, found[0].enough) == (6, True)


@pytest.mark.django_db
def test_among_other_wines_producer_grape_region_and_a_near_price_decide() -> None:
    gone = wine("LH-2019", free=0)
    wine("SAME-GRAPE", name="A", producer="Harrow", region="Hill")
    wine("SAME-PRODUCER", name="B", grape="Syrah", region="Hill")
    wine("SAME-BOTH", name="C", region="Hill")
    wine("SAME-BUT-DEAR", name="D", region="Hill", price=16_000)
    wine("NOTHING-ALIKE", name="E", producer="Harrow", grape="Syrah", region="Hill")
    found = similar_products(gone, quantity=1)
    assert skus(found) == ["SAME-BOTH", "SAME-PRODUCER", "SAME-GRAPE", "SAME-BUT-DEAR"]
    assert found[0].reasons == (
        "same producer, Quill",
        "same grape, Riesling",
        "same size, 750 ml",
        "at the same price",
    )


@pytest.mark.django_db
def test_what_is_not_in_stock_or_not_for_sale_or_promised_to_others_is_not_offered() -> None:
    gone = wine("LH-2019", free=0)
    wine("LH-2018", vintage=2018, free=0)
    wine("LH-2017", vintage=2017, listed=False)
    promised = wine("LH-2020", vintage=2020, free=2)
    with writing():
        ledger.lock([promised.pk])
        ledger.move([Change(promised.pk, "reserved", "test:all", reserved=2)], actor=BEA)
    assert similar_products(gone, quantity=1) == []


@pytest.mark.django_db
def test_a_vintage_of_which_there_is_enough_comes_before_a_nearer_one_of_which_there_is_not() -> None:
    gone = wine("LH-2019", free=0)
    wine("LH-2020", vintage=2020, free=2)
    wine("LH-2016", vintage=2016, free=12)
    found = similar_products(gone, quantity=6)
    assert [(one.product.sku, one.free, one.enough) for one in found] == [("LH-2016", 12, True), ("LH-2020", 2, False)]


@pytest.mark.django_db
def test_a_product_of_which_no_family_is_known_is_like_nothing() -> None:
    create_product(actor=BEA, sku="CORKSCREW", name="Corkscrew", price=900, currency="USD")
    assert similar_products(Product.objects.get(sku="CORKSCREW"), quantity=1) == []


@pytest.mark.django_db
@pytest.mark.parametrize("others", [1, 30])
def test_two_statements_however_many_are_alike(others: int) -> None:
    gone = wine("LH-2019", free=0)
    for year in range(others):
        wine(f"LH-{1980 + year}", vintage=1980 + year)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert len(similar_products(gone, quantity=1, limit=50)) == others
    assert len(asked) <= 2, [q["sql"] for q in asked.captured_queries]
    # And however many are wanted: of each the same as if it were asked for alone.
    wanted = dict.fromkeys(Product.objects.all(), 2)
    with CaptureQueriesContext(connection) as asked:
        each = similar_to_each(wanted)
    assert len(asked) == 2, [q["sql"] for q in asked.captured_queries]
    assert {pk: skus(found) for pk, found in each.items()} == {
        product.pk: skus(similar_products(product, quantity=2)) for product in wanted
    }


@given(wines, wines)
def test_a_wine_is_like_another_or_is_not_and_always_says_why(one: Wine, other: Wine) -> None:
    found = likeness(one, other)
    same = one.family is not None and one.family == other.family
    shared = any(
        mine and mine == theirs
        for mine, theirs in zip(
            (one.producer, one.grape, one.region), (other.producer, other.grape, other.region), strict=True
        )
    )
    assert (found is not None) == (same or shared)
    if found is not None:
        assert len(found.reasons) >= 2
        assert all(found.reasons)
        assert (found.order[0] < 2) == same


@given(wines)
def test_nothing_is_more_alike_than_the_wine_itself_in_another_year(one: Wine) -> None:
    if one.family is None or not one.vintage:
        return
    year = Wine(one.family, one.producer, one.grape, one.region, one.vintage + 1, one.size, one.price)
    found = likeness(one, year)
    assert found is not None
    assert found.order == (0, 1.0)
