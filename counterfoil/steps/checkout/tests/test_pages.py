"""The shop: availability in words, the cart, and a check-out that says when the card is charged."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from counterfoil.core import shop
from counterfoil.core.actor import Actor
from counterfoil.core.db import writing
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Order
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.models import Balance
from counterfoil.records.stock.promise import Lead, Shelf
from counterfoil.steps.checkout import pages
from counterfoil.steps.checkout.shelf import availability, near_day, offer_of

ANN = Actor("person", "Ann", "owner")


def _product(sku: str, on_hand: int, **more: Any) -> Product:
    with writing():
        made = Product.objects.create(sku=sku, name=f"Copper Gate {sku}", price=2400, currency="USD", **more)
        Balance.objects.create(product=made)
    if on_hand:
        adjust_stock(actor=ANN, sku=sku, quantity=on_hand, reason="counted")
    return made


@pytest.fixture
def till() -> Client:
    """A visitor with two bottles in the cart, in a shop that taxes California."""
    pages.PLACING.clear()
    with writing():
        shop.change(zones=[{"country": "US", "state": "CA", "rates": {"standard": 72_500}}])
    _product("SYRAH", 10, age_restricted=True)
    visitor = Client()
    visitor.post("/cart/add", {"sku": "SYRAH", "quantity": "2"})
    return visitor


FORM = {
    "name": "Zoë Brontë",
    "email": "zoe@example.com",
    "shipping_address.street": "12 Vine Street",
    "shipping_address.city": "Napa",
    "shipping_address.state": "California",
    "shipping_address.postcode": "94558",
    "shipping_address.country": "US",
    "shipping_method": "Ground",
    "payment_method": "card",
    "consent": "yes",
    "age_declared": "yes",
    "attempt": "attempt-0001",
}


@pytest.mark.django_db
def test_where_we_may_not_ship_the_check_out_says_why_and_takes_no_order(till: Client) -> None:
    with writing():
        shop.change(not_served=[{"country": "US", "state": "UT", "reason": "Utah takes no wine by parcel."}])
    there = {"shipping_address.state": "Utah", "shipping_address.city": "Provo", "shipping_address.postcode": "84601"}
    answer = till.post("/checkout", {**FORM, **there})
    assert answer.status_code == 409
    assert "Utah takes no wine by parcel." in answer.content.decode()
    assert not Order.objects.exists()
    assert till.post("/checkout", FORM).status_code == 303, "and the cart is still there"


@pytest.mark.parametrize(
    ("free", "when_out", "words", "most"),
    [
        (30, "stop", "In stock", 999),
        (6, "stop", "6 left", 6),
        (6, "backorder", "6 left", 999),
        (0, "stop", "Sold out", 0),
    ],
)
@pytest.mark.django_db
def test_availability_is_said_in_words(free: int, when_out: str, words: str, most: int) -> None:
    wine = Product(sku="A", sell_when_out=when_out, lead_time_days=5)
    shelf = Shelf(free, 0, Lead(5, "product"), stops=when_out == "stop")
    offer = availability(wine, shelf, shop.shop())
    assert (offer.availability, offer.most) == (words, most)


@pytest.mark.django_db
def test_what_is_bought_in_says_when_it_ships() -> None:
    wine = Product(sku="A", sell_when_out="backorder", lead_time_days=5)
    offer = availability(wine, Shelf(0, 0, Lead(5, "product")), shop.shop())
    day = shop.shop().business_days_from(shop.shop().today(), 5)
    assert offer.ships == day
    assert offer.availability == f"Ships {near_day(day, shop.shop().today())}"


@pytest.mark.django_db
def test_what_others_wait_for_is_not_offered_again() -> None:
    """Six lie on the shelf, and lines that have not been checked yet want them all."""
    wine = Product(sku="A", sell_when_out="backorder", lead_time_days=5)
    offer = availability(wine, Shelf(6, 6, Lead(5, "product")), shop.shop())
    assert (offer.kind, offer.ships) == ("info", shop.shop().business_days_from(shop.shop().today(), 5))


@pytest.mark.parametrize(
    ("days", "said"), [(0, "today"), (1, "tomorrow"), (3, "Thursday"), (6, "Sunday"), (7, "30 Nov")]
)
def test_a_near_day_is_said_by_its_name(days: int, said: str) -> None:
    monday = date(2026, 11, 23)
    assert near_day(monday + timedelta(days=days), monday) == said


@pytest.mark.django_db
def test_a_card_order_waits_for_its_card_and_keeps_its_consent(till: Client) -> None:
    assert "Our terms" not in till.get("/checkout").content.decode()
    with writing():
        shop.change(terms="Wine is sold to <adults>.\nNo returns of opened bottles.")
    shown = till.get("/checkout").content.decode()
    assert "Our terms" in shown
    assert "Wine is sold to &lt;adults&gt;.\nNo returns of opened bottles." in shown
    answer = till.post("/checkout", FORM)
    order = Order.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/orders/{order.token}/card")
    assert (order.status, order.card_consent, order.shipping_address["state"]) == ("unfinished", True, "CA")
    assert order.total == 4800 + 1500 + 348


@pytest.mark.django_db
def test_a_double_click_places_one_order(till: Client) -> None:
    first = till.post("/checkout", FORM)
    till.post("/cart/add", {"sku": "SYRAH", "quantity": "2"})
    second = till.post("/checkout", FORM)
    assert Order.objects.count() == 1
    assert first["Location"] == second["Location"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "zoe"}, "email"),
        ({"name": " "}, "name"),
        ({"consent": ""}, "consent"),
        ({"age_declared": ""}, "age_declared"),
        ({"shipping_address.postcode": "1"}, "shipping_address-postcode"),
        ({"shipping_address.country": "XX"}, "shipping_address-country"),
        ({"shipping_method": "pigeon"}, "shipping_method"),
        ({"needed_by": "soon"}, "needed_by"),
        ({"gift_message": "a\x00b"}, "gift_message"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_nothing_is_ordered(
    till: Client, change: dict[str, str], field: str
) -> None:
    answer = till.post("/checkout", {**FORM, **change})
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.content.decode()
    assert not Order.objects.exists()


@pytest.mark.django_db
def test_a_day_of_need_is_held_against_the_day_on_which_all_of_it_is_there(till: Client) -> None:
    offer, settings = offer_of("SYRAH"), shop.shop()
    assert offer is not None
    assert offer.ships is not None
    ground, express = (settings.arrives(offer.ships, method) for method in ("Ground", "Express"))

    def told(needed: date, method: str = "Ground") -> str:
        asked = {**FORM, "work_out": "yes", "needed_by": needed.isoformat(), "shipping_method": method}
        return till.post("/checkout", asked).content.decode()

    assert ground > express > offer.ships
    late = told(ground - timedelta(days=1))
    assert "Order all the same" in late
    assert "Express has it there" in late
    assert "Express has it there" not in told(offer.ships)
    assert "Order all the same" in told(offer.ships, "Express")
    assert "Order all the same" not in told(ground)
    assert "Order all the same" not in told(express, "Express")


@pytest.mark.django_db
def test_nobody_orders_at_a_total_that_they_have_not_seen(till: Client) -> None:
    shown = re.search(r'name="agreed" value="(\d+)"', till.get("/checkout").content.decode())
    assert shown is not None
    answer = till.post("/checkout", {**FORM, "agreed": shown[1]})
    assert answer.status_code == 422, "tax for the address came on top"
    fresh = re.search(r'name="agreed" value="(\d+)"', answer.content.decode())
    assert fresh is not None
    assert till.post("/checkout", {**FORM, "agreed": fresh[1]}).status_code == 303
    assert Order.objects.get().total == int(fresh[1])


@pytest.mark.django_db
def test_what_is_sold_out_meanwhile_is_refused_with_its_name(till: Client) -> None:
    _product("LAST", 1, sell_when_out="stop")
    till.post("/cart/add", {"sku": "LAST"})
    adjust_stock(actor=ANN, sku="LAST", quantity=-1, reason="broken")
    answer = till.post("/checkout", FORM)
    assert answer.status_code == 409
    assert "Copper Gate LAST is sold out" in answer.content.decode()


@pytest.mark.django_db
def test_a_cart_never_holds_more_than_can_be_had(till: Client) -> None:
    _product("LAST", 2, sell_when_out="stop")
    for _ in range(3):
        till.post("/cart/add", {"sku": "LAST", "quantity": "2"})
    assert till.session["cart"]["LAST"] == 2
    till.post("/cart/update", {"quantity:LAST": "0", "quantity:NOT-MINE": "5"})
    assert till.session["cart"] == {"SYRAH": 2}


@pytest.mark.django_db
def test_a_products_picture_can_do_nothing_but_be_looked_at() -> None:
    _product("ART", 1, art='<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>')
    answer = Client().get("/products/ART/label.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "script-src" not in answer["Content-Security-Policy"]
    again = Client().get("/products/ART/label.svg", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


@pytest.mark.django_db
def test_a_cart_that_another_window_has_changed_is_not_ordered_unseen(till: Client) -> None:
    _product("GAMAY", 10)
    page = till.get("/checkout").content.decode()
    agreed = dict(re.findall(r'name="(agreed\w*)" value="([^"]+)"', page))
    assert agreed["agreed_lines"] == "2*SYRAH"
    till.post("/cart/update", {"quantity:SYRAH": "1"})
    till.post("/cart/add", {"sku": "GAMAY", "quantity": "1"})
    lines = {"agreed_lines": agreed["agreed_lines"]}
    answer = till.post("/checkout", {**FORM, **lines})
    assert answer.status_code == 422
    assert "Your cart was changed meanwhile" in answer.content.decode()
    assert Order.objects.count() == 0
    # A page of before sent with another cart is no copy of the first order.
    first = till.post("/checkout", FORM)
    till.post("/cart/add", {"sku": "GAMAY", "quantity": "3"})
    second = till.post("/checkout", FORM)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first["Location"] != second["Location"]
    assert Order.objects.count() == 2
