"""Another shop's products, with what it has on the shelf."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from counterfoil.flow.verify.units import balances
from counterfoil.gateways.storefront.tests.feed import CARD, PRODUCTS
from counterfoil.records.catalogue.importing import import_products
from counterfoil.records.catalogue.models import Product
from counterfoil.records.catalogue.similar import similar_products
from counterfoil.records.stock.models import Balance, Movement

pytestmark = pytest.mark.django_db
HEAD = "sku,name,price,quantity,weight_lb\n"


def test_the_nine_products_come_in_with_their_stock_and_a_second_time_nothing_does() -> None:
    said: list[str] = []
    assert import_products(PRODUCTS, said.append) == 0
    assert said[-1].startswith("9 products: 9 new, 0 unchanged, 0 rejected")
    oranges = Product.objects.get(sku="ORA-1")
    assert (oranges.price, oranges.currency, oranges.weight_g) == (999, "USD", 136)
    assert Balance.objects.get(product=oranges).on_hand == 652
    assert Movement.objects.get(cause="import:ORA-1").on_hand == 652
    assert not Movement.objects.filter(cause="import:GPF-1").exists()
    assert balances() == []

    assert import_products(PRODUCTS, said.append) == 0
    assert said[-1].startswith("9 products: 0 new, 9 unchanged")
    assert (Product.objects.count(), Movement.objects.count()) == (9, 8)


def test_a_bad_row_is_told_and_kept_and_stops_no_other(tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    rows = [
        "A-1,Apples,1.00,-3,0.1",
        "A-2,Apples,NaN,3,0.1",
        "A-3,Apples,1.999,3,0.1",
        'A-4,"Apples,1.00,3,0.1',
        "A-5,Apples,1.00",
        ",Apples,1.00,3,0.1",
        f"{CARD},Apples,1.00,3,0.1",
        f"A-8,,1.00,3,{CARD}",
        "A-9,Apples,1.0000,3,0.1",
    ]
    feed.write_text(HEAD + "\n".join(rows), encoding="utf-8-sig")
    said: list[str] = []
    assert import_products(feed, said.append) == 1
    assert list(Product.objects.values_list("sku", flat=True)) == ["A-9"]
    with (tmp_path / "feed.rejects.csv").open() as file:
        rejected = list(csv.reader(file))
    assert [int(row[0]) for row in rejected] == list(range(2, 10))
    assert CARD not in (tmp_path / "feed.rejects.csv").read_text() + said[-1]
    assert "line 2: quantity" in said[-1]


def test_a_card_number_in_a_products_name_is_masked(tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    feed.write_text(f"{HEAD}A-1,Apples {CARD},1.00,1,0\n")
    assert import_products(feed, lambda _: None) == 0
    assert CARD not in Product.objects.get().name


def test_a_file_without_prices_is_refused_as_a_whole(tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    feed.write_text("sku,name\nA-1,Apples\n")
    with pytest.raises(ValueError, match="price, quantity"):
        import_products(feed)


def test_a_wine_shops_file_says_which_vintages_are_of_one_wine(tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    feed.write_text(
        "sku,name,price,quantity,producer,wine,vintage,size,region,grape\n"
        "Q-19,Quill Syrah 2019,20.00,0,Quill,Syrah,2019,750 ml,Foothills,Syrah\n"
        "Q-20,Quill Syrah 2020,21.00,6,Quill,Syrah,2020,750 ml,,\n"
        "Q-21,Quill Syrah 2021,22.00,6,Quill,,2021,,,\n"
        "Q-22,Quill Syrah 2022,22.00,6,Quill,Syrah,soon,,,\n"
    )
    said: list[str] = []
    assert import_products(feed, said.append) == 1
    older, newer = Product.objects.select_related("family").order_by("sku")
    assert (older.vintage, newer.vintage, older.size) == (2019, 2020, "750 ml")
    assert older.family == newer.family
    assert older.family is not None
    assert (older.family.region, older.family.grape) == ("Foothills", "Syrah")
    assert "a family needs both" in said[-1]
    assert "vintage" in said[-1]
    assert [s.product.sku for s in similar_products(older, quantity=1)] == ["Q-20"]
    assert older.age_restricted  # a wine, of which the file says nothing else


def test_a_file_says_what_is_taxed_otherwise_and_whose_buyer_declares_their_age(tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    feed.write_text(
        "sku,name,price,quantity,producer,wine,tax_class,age_restricted,description\n"
        "J-1,Grape juice,4.00,6,Quill,Juice,food,no,Pressed in the village\n"
        "G-1,Old gin,30.00,6,,,,Yes,\n"
        "C-1,Corkscrew,9.00,6,,,,,\n"
        "C-2,Cork,1.00,6,,,,perhaps,\n"
    )
    said: list[str] = []
    assert import_products(feed, said.append) == 1
    found = {p.sku: (p.tax_class, p.age_restricted, p.description) for p in Product.objects.all()}
    assert found == {
        "J-1": ("food", False, "Pressed in the village"),
        "G-1": ("standard", True, ""),
        "C-1": ("standard", False, ""),
    }
    assert "age_restricted: perhaps is neither yes nor no" in said[-1].replace("'", "")
