"""An order by telephone: who calls, what they want, one order however often it is sent, and the card by a link."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, shop
from counterfoil.core.db import writing
from counterfoil.core.models import Job
from counterfoil.desk.tests.build import at_the_desk, order, product
from counterfoil.flow.verify import judge_all
from counterfoil.records.customers.models import Customer
from counterfoil.records.customers.queries import find_customers
from counterfoil.records.orders.models import Order
from counterfoil.records.orders.slip import order_paper

pytestmark = pytest.mark.django_db
NEW = "/desk/orders/new"
FORM = {
    "attempt": "tel-0123456789ab", "name": "Zoë Brontë", "email": "zoe@example.com", "phone": "(503) 555-0101",
    "shipping_address.street": "12 Vine Street", "shipping_address.city": "Napa", "shipping_address.state": "CA",
    "shipping_address.postcode": "94558", "shipping_address.country": "US", "shipping_method": "Ground",
    "payment_method": "card", "quantity:PINOT": "6", "age_declared": "yes", "do": "place",
}  # fmt: skip


BILL = {
    "other_billing": "yes", "billing_address.name": "Brontë & Sisters", "billing_address.street": "1 Temple Square",
    "billing_address.city": "Salt Lake City", "billing_address.state": "Utah", "billing_address.postcode": "84101",
    "billing_address.country": "US",
}  # fmt: skip


def sent(desk: Client, **changes: str) -> Any:
    return desk.post(NEW, {**FORM, **changes})


def placed(desk: Client, **changes: str) -> Order:
    answer = sent(desk, **changes)
    assert answer.status_code == 303, answer.content.decode()[:3000]
    return Order.objects.get(number=answer["Location"].split("/")[3])


def test_an_order_by_telephone_is_an_order_like_every_other_and_asks_for_the_card_by_mail() -> None:
    product("PINOT", on_hand=20, age_restricted=True)
    desk = at_the_desk("clerk")
    made = placed(desk, needed_by="", gift_message="Cheers", comment="Rings back at six")
    assert (made.channel, made.status, made.queue) == ("phone", "pending", "review")
    assert (made.payment_method, made.card_state, made.card_consent) == ("card", "none", False)
    assert made.total == 6 * 2400 + 1500
    mail = Job.objects.get(name="mail.send", key__contains=made.number).payload
    assert mail["context"]["url"].endswith(f"/orders/{made.token}/pay")
    assert "give your card" in mail["context"]["subject"]
    known = Customer.objects.get()
    assert (known.phone_key, known.last_key) == ("15035550101", "bronte")
    # Sent twice it is one order, and whoever sent it is told so.
    again = desk.post(NEW, {**FORM, "quantity:PINOT": "1"}, follow=True)
    assert "nothing was ordered twice" in again.content.decode()
    assert "6 × Copper Gate PINOT" in again.content.decode()
    assert Order.objects.count() == 1
    assert judge_all() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"email": "none"}, "email"),
        ({"phone": "4242 4242 4242 4242"}, "phone"),
        ({"shipping_address.street": ""}, "shipping_address.street"),
        ({"shipping_address.state": "Utah", "shipping_address.postcode": "84101"}, "shipping_address.state"),
        ({"shipping_address.state": "utah", "shipping_address.postcode": "84101"}, "shipping_address.state"),
        ({"other_billing": "yes", "billing_address.country": "US"}, "billing_address.street"),
        ({"quantity:PINOT": "0"}, "quantity:PINOT"),
        ({"quantity:PINOT": "5", "quantity:LAST": "3"}, "quantity:LAST"),
        ({"shipping_method": "Balloon"}, "shipping_method"),
        ({"payment_method": "shells"}, "payment_method"),
        ({"needed_by": "soon"}, "needed_by"),
        ({"needed_by": "2001-01-01"}, "needed_by"),
        ({"age_declared": ""}, "age_declared"),
        ({"attempt": "twice"}, "attempt"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_ordered(changes: dict[str, str], field: str) -> None:
    with writing():
        shop.change(not_served=[{"country": "US", "state": "UT", "reason": "Utah does not let us."}])
    product("PINOT", on_hand=20, age_restricted=True)
    product("LAST", on_hand=2, sell_when_out="stop")
    answer = sent(at_the_desk(), **changes)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f'id="e-{field.replace(".", "-")}"' in page
    assert "4242 4242" not in page
    assert not Order.objects.exists()


def test_the_page_says_that_a_state_is_not_served_as_soon_as_it_is_named() -> None:
    with writing():
        shop.change(not_served=[{"country": "US", "state": "UT", "reason": "Utah does not let us."}])
    desk = at_the_desk("clerk")
    begun = {"attempt": FORM["attempt"], "shipping_address.country": "US"}
    for named in ("UT", "utah", " Utah "):
        assert (
            desk.post(NEW, {**begun, "shipping_address.state": named}).content.decode().count("Utah does not let us.")
            == 2
        ), named
    assert "Utah does not let us." not in desk.post(NEW, {**begun, "shipping_address.state": "CA"}).content.decode()
    # The bill may go there: only the goods may not.
    product("PINOT", on_hand=20, age_restricted=True)
    days = [desk.post(NEW, {**begun, "quantity:PINOT": "6", "shipping_address.state": s}) for s in ("CA", "UT")]
    assert ["We can ship it" in page.content.decode() for page in days] == [True, False], "no day is read aloud for it"
    assert placed(desk, **BILL).billing_address["state"] == "UT"
    refused = sent(desk, attempt="tel-ba9876543210", **{n.replace("billing", "shipping"): v for n, v in BILL.items()})
    page = refused.content.decode()
    assert 'id="e-shipping_address-state">Utah does not let us.' in page
    assert page.count("Utah does not let us.") == 2
    assert Order.objects.count() == 1


def test_a_bill_that_goes_elsewhere_is_printed_and_taxed_where_the_goods_go() -> None:
    with writing():
        shop.change(
            zones=[{"country": "US", "state": s, "rates": {"standard": r}} for s, r in (("CA", 80_000), ("UT", 1))]
        )
    product("PINOT", on_hand=20, age_restricted=True)
    made = placed(at_the_desk("clerk"), **BILL)
    assert made.tax == 6 * 2400 * 8 // 100
    paper = order_paper(made, at=made.placed_at)
    assert paper["bill_to"]["name"] == "Brontë & Sisters"
    assert paper["bill_to"]["lines"][1] == "Salt Lake City UT 84101"
    assert paper["ship_to"]["lines"][1] == "Napa CA 94558"
    assert (
        "the bill to Brontë &amp; Sisters" in at_the_desk().get(f"/desk/orders/{made.number}/placed").content.decode()
    )


def test_a_caller_is_found_by_number_name_or_mail_and_brings_their_addresses() -> None:
    product("PINOT", on_hand=20)
    elsewhere = {"name": "Ann Brontë", "street": "9 Tyler St", "city": "Boston", "postcode": "02111", "state": "MA",
                 "country": "US"}  # fmt: skip
    for address in ({}, {"shipping_address": elsewhere}):
        order(("PINOT", 1), name="Zoë Brontë", email="zoe@example.com", phone="+1 503 555 0101", **address)
    order(("PINOT", 1), name="Bo Li", email="bo@example.com", phone="+1 617 555 0111")
    zoe = Customer.objects.get(email_key="zoe@example.com")
    for typed in ("503 555", "(503) 555-0101", "zoe b", "Bront", "ZOE@exa"):
        assert find_customers(typed, country="US") == [zoe], typed
    for typed in ("z", "%", "nobody", "\x00", "4"):
        assert find_customers(typed, country="US") == [], typed
    desk = at_the_desk("clerk")
    drawn = desk.post(NEW, {**FORM, "do": "look", "who": "bronte"}).content.decode()
    assert "zoe@example.com · Boston, MA · 2 orders" in drawn
    taken = desk.post(NEW, {"take": str(zoe.pk), "attempt": FORM["attempt"]}).content.decode()
    assert 'value="9 Tyler St"' in taken
    other = desk.post(NEW, {"customer": str(zoe.pk), "use": "1"}).content.decode()
    assert 'value="1 Mill Lane"' in other


def test_wines_are_found_by_a_few_letters_and_the_day_is_read_aloud() -> None:
    product("ALD-PN-21", on_hand=20, name="Alder Ridge Pinot Noir 2021")
    product("FAR-PN-20", on_hand=0, name="Far Ridge Pinot Noir 2020", lead_time_days=4)
    desk = at_the_desk("clerk")
    found = desk.post(NEW, {"wine": "6 rid pin", "attempt": FORM["attempt"]}).content.decode()
    assert "6 × Alder Ridge Pinot Noir 2021" in found
    assert "20 free" in found
    added = desk.post(NEW, {"wine": "6 rid pin", "add": "ALD-PN-21", "attempt": FORM["attempt"]}).content.decode()
    assert 'name="quantity:ALD-PN-21"' in added
    assert "“We can ship it tomorrow" in added or "“We can ship it on" in added
    form = {**FORM, "quantity:PINOT": "", "quantity:FAR-PN-20": "2", "do": "look"}
    needed = shop.shop().today().isoformat()
    assert "No delivery of ours is there by then" in desk.post(NEW, {**form, "needed_by": needed}).content.decode()


def test_the_page_takes_at_most_twelve_statements_however_many_are_found() -> None:
    counts = []
    desk = at_the_desk("clerk")
    for size in (1, 12):
        for n in range(size):
            product(f"W-{size}-{n}", on_hand=n % 2, name=f"Ridge {size} {n}")
            order((f"W-{size}-{n}", 1), name="Zoë Brontë", email=f"zoe{size}{n}@example.com")
        lines = {f"quantity:W-{size}-{n}": "3" for n in range(size)}
        for form in ({"who": "zoe", "wine": "ridge", **lines}, {"customer": str(Customer.objects.first().pk), **lines}):  # type: ignore[union-attr]
            clock.forget()
            shop.forget()
            with CaptureQueriesContext(connection) as asked:
                assert desk.post(NEW, form).status_code == 200
            counts.append(len(asked))
    assert max(counts) <= 12, counts


def test_the_clerk_sees_how_far_the_card_is() -> None:
    product("PINOT", on_hand=20)
    desk = at_the_desk("clerk")
    made = placed(desk)
    page = f"/desk/orders/{made.number}/placed"
    clock.forget()
    shop.forget()
    with CaptureQueriesContext(connection) as asked:
        waiting = desk.get(page).content.decode()
    assert len(asked) <= 12
    assert "every 3s" in waiting
    Order.objects.filter(pk=made.pk).update(card_state="saved", card_brand="visa", card_last4="4242")
    saved = desk.get(page).content.decode()
    assert "Visa ···· 4242" in saved
    assert "every 3s" not in saved
    assert (
        "Cheque"
        in desk.get(
            f"/desk/orders/{placed(desk, attempt='tel-ba9876543210', payment_method='cheque').number}/placed"
        ).content.decode()
    )


@pytest.mark.parametrize("role", ["picker", "buyer", "bookkeeper"])
def test_only_clerks_take_orders(role: str) -> None:
    product("PINOT", on_hand=20)
    desk = at_the_desk(role)
    assert [desk.get(NEW).status_code, sent(desk).status_code, desk.get("/desk/orders/CF-1/placed").status_code] == [
        403
    ] * 3
    assert not Order.objects.exists()
