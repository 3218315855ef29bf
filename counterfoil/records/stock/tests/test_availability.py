"""When things can ship, from real shelves and purchase orders: in the shop, at review, on the telephone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.core.shop import change, shop
from counterfoil.records.catalogue.models import Product, Supplier
from counterfoil.records.orders.models import Line
from counterfoil.records.stock.availability import Held, days_of_lines, shelves_of
from counterfoil.steps.checkout import shelf
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(card: str, mailbox: Any) -> Api:
    owner = Api()
    owner.done("/suppliers", {"name": "Northfold", "lead_time_days": 4})
    return owner


def day(after: int) -> str:
    return (shop().today() + timedelta(days=after)).isoformat()


def bought(api: Api, units: int, *, comes_in: int | None = None) -> str:
    po = str(
        api.done("/purchase-orders", {"supplier": "Northfold", "lines": [{"sku": "PINOT-21", "quantity": units}]})[
            "number"
        ]
    )
    if comes_in is not None:
        api.done(f"/purchase-orders/{po}/confirmation", {"expected": day(comes_in)})
    return po


def asked(api: Api, quantity: int) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/products/PINOT-21/availability?quantity={quantity}").body
    return found


def test_on_the_telephone_one_hears_the_earliest_day_and_why(api: Api) -> None:
    product(api, supplier="Northfold", stock=3)
    assert (asked(api, 3)["basis"], asked(api, 3)["ships"]) == ("stock", shop().business_days_from(
        shop().today(), 1).isoformat())  # fmt: skip
    told = asked(api, 4)
    assert (told["basis"], told["certain"]) == ("lead_time", False)
    assert told["ships"] == shop().business_days_from(shop().today(), 4).isoformat()
    assert told["lead_time"] == {"days": 4, "source": "supplier", "observations": 0}
    bought(api, 6, comes_in=20)
    told = asked(api, 4)
    assert (told["basis"], told["certain"]) == ("arrival", True)
    assert told["ships"] == shop().working_day(shop().today() + timedelta(days=20)).isoformat()
    assert [p["units"] for p in told["phases"]] == [3, 9]
    assert told["arrivals"][0]["units"] == 6


def test_what_the_customer_before_waits_for_is_not_promised_again(api: Api) -> None:
    product(api, supplier="Northfold")
    api.done("/orders", order_body(("PINOT-21", 6)))
    settle()
    bought(api, 8, comes_in=10)
    settle()
    assert asked(api, 2)["basis"] == "arrival"
    assert asked(api, 3)["basis"] == "lead_time"


@pytest.mark.parametrize("quantity", ["0", "-1", "x", "1.5", "99999999999999999999"])
def test_a_quantity_that_is_none_is_refused_at_its_field(api: Api, quantity: str) -> None:
    product(api)
    found = api.get(f"/products/PINOT-21/availability?quantity={quantity}")
    assert (found.status, found.fields) == (422, {"quantity"})
    assert api.get("/products/NOTHING/availability").status == 404


def test_the_shop_says_on_which_day_it_ships(api: Api) -> None:
    product(api, supplier="Northfold")
    bought(api, 6, comes_in=3)
    said = shelf.near_day(shop().working_day(shop().today() + timedelta(days=3)), shop().today())
    visitor = Client()
    for page in ("/", "/products/PINOT-21"):
        assert f"Ships {said}" in visitor.get(page).content.decode(), page
    visitor.post("/cart/add", {"sku": "PINOT-21", "quantity": "7"})
    offer = shelf.cart_lines({"PINOT-21": 7})[0].offer
    assert offer.ships == shop().business_days_from(shop().today(), 4), "six come then; the seventh is bought in"
    assert f"Ships {shelf.near_day(offer.ships, shop().today())}" in visitor.get("/cart").content.decode()
    assert shelf.near_day(offer.ships, shop().today()) in visitor.get("/checkout").content.decode()


def test_a_shelf_full_of_products_costs_two_statements_however_many(api: Api) -> None:
    for n in range(30):
        product(api, f"WINE-{n}", supplier="Northfold", stock=n % 3)
    ids = list(Product.objects.values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as few:
        shelf.offers_of(ids[:2])
    with CaptureQueriesContext(connection) as many:
        assert len(shelf.offers_of(ids)) == 30
    assert len(few) == len(many) == 2
    known = {p: Held(0, 0) for p in Product.objects.select_related("supplier")}
    with CaptureQueriesContext(connection) as taken:
        assert len(shelves_of(known, shop())) == 30
    assert len(taken) == 1


def test_of_an_order_each_line_says_when_and_why(api: Api) -> None:
    product(api, supplier="Northfold")
    product(api, "HERE-20", stock=5)
    product(api, "GONE-19", stock=0, sell_when_out="stop")
    bought(api, 2, comes_in=9)
    api.done("/orders", order_body(("PINOT-21", 3), ("HERE-20", 1)))
    settle()
    lines = {ln.sku: ln for ln in Line.objects.all()}
    with CaptureQueriesContext(connection) as taken:
        days = days_of_lines(list(lines.values()))
    assert len(taken) <= 3
    here, waits = days[lines["HERE-20"].pk], days[lines["PINOT-21"].pk]
    assert (here.waits, here.certain) == (False, True)
    assert "2 on PO-" in waits.why
    assert "confirmed for" in waits.why
    assert "1 to be bought in, 4 business days, says Northfold" in waits.why
    assert waits.day == shop().working_day(shop().today() + timedelta(days=9))


# --- what suppliers really take -------------------------------------------------------------------------------------


def delivered(api: Api, after: int) -> None:
    """An order that came so many business days after it was sent."""
    now = clock.business_now()
    day_sent = shop().today()
    with clock.at(now):
        po = bought(api, 1)
    came = shop().business_days_from(day_sent, after)
    with clock.at(now + timedelta(days=(came - day_sent).days)):
        api.done("/goods-receipts", {"purchase_order": po, "lines": [{"sku": "PINOT-21", "received": 1}]})


def test_a_lead_time_is_learnt_from_five_deliveries_on(api: Api) -> None:
    product(api, supplier="Northfold")
    for days in (2, 9, 3, 2):
        delivered(api, days)
    told = next(s for s in api.get("/suppliers").body["suppliers"] if s["name"] == "Northfold")["lead_time"]
    assert told == {"days": 4, "source": "supplier", "word": 4, "p80": 9, "observations": 4}
    delivered(api, 6)
    told = next(s for s in api.get("/suppliers").body["suppliers"] if s["name"] == "Northfold")["lead_time"]
    assert told == {"days": 6, "source": "learnt", "word": 4, "p80": 6, "observations": 5}
    found = asked(api, 6)
    assert found["lead_time"] == {"days": 6, "source": "learnt", "observations": 5}
    assert found["ships"] == shop().business_days_from(shop().today(), 6).isoformat()


def test_lead_times_count_the_shop_s_working_days(api: Api) -> None:
    product(api, supplier="Northfold")
    with writing():
        change(working_days=[0, 1, 2, 3, 4, 5, 6], holidays=[day(2), day(3)])
    delivered(api, 5)
    assert Supplier.objects.get(name="Northfold").learnt_days == 5
