"""Placing an order: one short transaction that says everything, and asks nobody outside."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock
from counterfoil.core.db import execute, is_postgres, writing
from counterfoil.core.models import IdempotencyKey, Job, JournalEvent
from counterfoil.core.shop import change
from counterfoil.flow.map import derive
from counterfoil.flow.verify import books, money, states, units
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.load import facts_of
from counterfoil.records.orders.models import Line, Order
from counterfoil.records.orders.present import present
from counterfoil.records.stock.models import Balance, Movement
from counterfoil.steps.checkout.actions import place_web_order
from tests.support import ADDRESS, Answer, Api, order_body, product

pytestmark = pytest.mark.django_db

CLOSED_PORT = "http://127.0.0.1:9"  # discard: nobody listens
CONTROL = re.compile(r"^\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET )", re.IGNORECASE)


@pytest.fixture(autouse=True)
def _processor_away(settings: Any) -> None:
    settings.STRIPE_API_KEY = "sk_test_sandbox"
    settings.STRIPE_API_BASE = CLOSED_PORT


@pytest.fixture
def api(db: None) -> Api:
    return Api()


def shelf(sku: str = "PINOT-21") -> Balance:
    return Balance.objects.get(product__sku=sku)


def the_order() -> Order:
    return Order.objects.get()


def all_is_well() -> None:
    for check in (
        units.balances, units.lines, money.parts, books.balanced, books.accounts, states.replay, states.queues,
        states.jobs_alive,
    ):  # fmt: skip
        assert check() == [], check.__doc__


def place(api: Api, *lines: tuple[str, int], **more: Any) -> Answer:
    return api.post("/orders", order_body(*lines, **more))


# --- the hot path ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keyed", [True, False])
def test_an_order_costs_few_statements(api: Api, keyed: bool) -> None:
    for sku in ("PINOT-21", "SYRAH-19", "ROSE-24"):
        product(api, sku, stock=20)
    headers = {"Idempotency_Key": "first"} if keyed else {}
    lines = (("SYRAH-19", 1), ("PINOT-21", 2), ("ROSE-24", 3))
    api.done("/orders", order_body(*lines), **headers)
    body = order_body(*lines)
    if keyed:
        headers = {"Idempotency_Key": "second"}
    with CaptureQueriesContext(connection) as asked:
        placed = api.post("/orders", body, **headers)
    assert placed.status == 201
    counted = [q["sql"] for q in asked.captured_queries if not CONTROL.match(q["sql"])]
    most = 4 if is_postgres() else 12
    assert len(counted) <= most, "\n".join(sql[:150] for sql in counted)


def test_placing_asks_nothing_of_the_processor_and_does_not_wait_for_it(api: Api, settings: Any) -> None:
    product(api, stock=6)
    with socket.create_server(("127.0.0.1", 0)) as processor:
        # It picks up for nobody: whoever calls it waits, and has called.
        settings.STRIPE_API_BASE = f"http://127.0.0.1:{processor.getsockname()[1]}"
        processor.setblocking(False)
        placed = place(api, ("PINOT-21", 2))
        assert placed.status == 201
        with pytest.raises(BlockingIOError):
            processor.accept()
    assert placed.body["axes"]["money"] == "unpaid"
    assert Job.objects.filter(name="charging.save_card", state="queued").count() == 1


WAYS: dict[str, dict[str, Any]] = {
    "in stock": {},
    "short": {"lines": [{"sku": "PINOT-21", "quantity": 60}]},
    "without a card": {"payment": {"method": "card"}},
    "at the terminal": {"payment": {"method": "terminal"}},
    "by cheque": {"payment": {"method": "cheque"}},
    "on delivery": {"payment": {"method": "on_delivery"}},
    "needed by": {"needed_by": "2040-01-02"},
    "taken over": {"placed_at": "2026-01-02T03:04:05+02:00"},
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_stored_is_what_flow_derives(api: Api, way: str) -> None:
    product(api, stock=6)
    assert place(api, ("PINOT-21", 2), **WAYS[way]).status == 201
    order = the_order()
    want = derive(facts_of(order))
    assert (order.status, order.queue, order.next_action) == (want.status, want.queue, want.next_action)
    assert (order.blockers, order.next_check_at, order.deadline) == (want.blockers, want.next_check_at, want.deadline)
    all_is_well()


def web_order(**more: Any) -> Order:
    wanted: dict[str, Any] = {
        "lines": [{"sku": "PINOT-21", "quantity": 2}],
        "customer": {"name": "Zoë Brontë", "email": "zoe@example.com"},
        "shipping_address": ADDRESS,
        "billing_address": None,
        "shipping_method": "Ground",
        "payment_method": "card",
        "needed_by": None,
        "gift_message": "",
        "comment": "",
        "consent": True,
        "age_declared": True,
        "idempotency": "cart-1",
    }
    return place_web_order(**{**wanted, **more})


@pytest.mark.parametrize("needed", [None, 30])
def test_an_unfinished_check_out_is_stored_as_flow_derives_it_and_holds_its_stock(api: Api, needed: int | None) -> None:
    product(api, stock=6)
    day = clock.business_now().date() + timedelta(days=needed) if needed else None
    order = Order.objects.get(pk=web_order(needed_by=day).pk)
    assert not order.finished
    want = derive(facts_of(order))
    assert (order.status, order.queue, order.next_action) == (want.status, want.queue, want.next_action)
    assert (order.next_check_at, order.deadline) == (want.next_check_at, want.deadline)
    assert shelf().reserved == 2
    assert not Job.objects.filter(name="mail.send").exists()
    all_is_well()


def test_the_answer_of_the_placement_is_what_the_order_says_afterwards(api: Api) -> None:
    product(api, stock=1)
    placed = place(api, ("PINOT-21", 2), gift_message="Prost!", comment="Ring twice")
    assert placed.body == present(the_order())


def test_journal_mail_and_card_are_owed_by_the_same_transaction(api: Api) -> None:
    product(api, stock=6)
    number = place(api, ("PINOT-21", 2)).body["number"]
    event = JournalEvent.objects.get(subject=number)
    assert (event.kind, event.version, event.actor) == ("order_placed", 1, "owner's key")
    assert set(Job.objects.values_list("name", flat=True)) >= {"mail.send", "charging.save_card"}
    moved = Movement.objects.get(subject=number)
    assert (moved.reserved, moved.line) == (2, Line.objects.get().pk)


# --- repeats --------------------------------------------------------------------------------------------------------


def footprint() -> tuple[int, ...]:
    return tuple(
        model.objects.count() for model in (Order, Line, Customer, Movement, Job, JournalEvent, IdempotencyKey)
    )


def test_the_same_channel_and_reference_again_is_the_same_order(api: Api) -> None:
    product(api, stock=6)
    body = order_body(("PINOT-21", 2))
    first = api.post("/orders", body)
    before = footprint()
    again = api.post("/orders", {**body, "lines": [{"sku": "PINOT-21", "quantity": 5}]})
    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body
    assert footprint() == before
    assert shelf().reserved == 2


def test_another_channel_may_use_the_same_reference(api: Api) -> None:
    product(api, stock=6)
    body = order_body(("PINOT-21", 2))
    one, two = api.done("/orders", body), api.done("/orders", {**body, "channel": "telephone"})
    assert one["number"] != two["number"]


def test_the_same_key_and_body_is_answered_again_and_nothing_is_added(api: Api) -> None:
    product(api, stock=6)
    body = order_body(("PINOT-21", 2))
    first = api.post("/orders", body, Idempotency_Key="click-1")
    before = footprint()
    again = api.post("/orders", body, Idempotency_Key="click-1")
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"
    assert footprint() == before


@pytest.mark.parametrize("change_", [{"reference": "another"}, {"comment": "changed"}])
def test_another_body_under_the_same_key_is_refused(api: Api, change_: dict[str, Any]) -> None:
    product(api, stock=6)
    body = order_body(("PINOT-21", 2))
    api.done("/orders", body, Idempotency_Key="click-1")
    before = footprint()
    refused = api.post("/orders", {**body, **change_}, Idempotency_Key="click-1")
    assert (refused.status, refused.fields) == (422, {"Idempotency-Key"})
    assert footprint() == before


def test_a_key_of_yesterday_is_free_for_another_order(api: Api) -> None:
    product(api, stock=6)
    api.done("/orders", order_body(("PINOT-21", 2)), Idempotency_Key="click-1")
    execute("UPDATE core_idempotencykey SET created_at = %s", [clock.real_now() - timedelta(hours=25)])
    assert api.post("/orders", order_body(("PINOT-21", 2)), Idempotency_Key="click-1").status == 201
    assert Order.objects.count() == 2


def test_a_refused_order_keeps_no_key(api: Api) -> None:
    product(api, stock=6)
    body = order_body(("PINOT-21", 2))
    wrong = {**body, "lines": [{"sku": "NONE", "quantity": 2}]}
    assert api.post("/orders", wrong, Idempotency_Key="click-1").status == 422
    assert api.post("/orders", body, Idempotency_Key="click-1").status == 201


def test_a_customer_is_known_by_their_address_however_it_is_written(api: Api) -> None:
    product(api, stock=6)
    for email in ("zoe@example.com", "Zoe@Example.com"):
        api.done("/orders", order_body(("PINOT-21", 1), customer={"name": "Zoë Brontë", "email": email}))
    assert Customer.objects.count() == 1


# --- what cannot be had ---------------------------------------------------------------------------------------------


def test_a_wine_that_we_do_not_have_is_named_line_by_line(api: Api) -> None:
    product(api, stock=6)
    refused = place(api, ("PINOT-21", 1), ("NO-SUCH", 1), ("NOR-THIS", 1))
    assert (refused.status, refused.fields) == (422, {"lines.1.sku", "lines.2.sku"})
    assert not Order.objects.exists()
    assert shelf().reserved == 0


def test_what_is_sold_only_from_stock_is_refused_when_it_is_gone(api: Api) -> None:
    product(api, "RARE-61", stock=2, sell_when_out="stop")
    product(api, stock=6)
    refused = place(api, ("PINOT-21", 1), ("RARE-61", 3))
    assert refused.status == 409
    (blocker,) = refused.body["blockers"]
    assert (blocker["code"], blocker["line"]) == ("sold_out", "RARE-61")
    assert (Order.objects.count(), shelf().reserved, shelf("RARE-61").reserved) == (0, 0, 0)
    assert place(api, ("RARE-61", 2)).status == 201
    assert place(api, ("RARE-61", 1)).codes == {"sold_out"}
    all_is_well()


def test_two_lines_of_one_wine_share_its_stock(api: Api) -> None:
    product(api, stock=5)
    body = order_body(("PINOT-21", 3), ("PINOT-21", 4))
    order = api.done("/orders", body)
    assert [ln["reserved"] for ln in order["lines"]] == [3, 2]
    held = shelf()
    assert (held.on_hand, held.reserved, held.waiting) == (5, 5, 2)
    all_is_well()


def test_two_lines_of_one_wine_are_sold_out_together(api: Api) -> None:
    product(api, "RARE-61", stock=5, sell_when_out="stop")
    refused = place(api, ("RARE-61", 3), ("RARE-61", 3))
    assert (refused.status, refused.codes) == (409, {"sold_out"})
    assert len(refused.body["blockers"]) == 1


def test_what_can_be_bought_in_is_taken_on_order(api: Api) -> None:
    product(api, stock=2)
    order = place(api, ("PINOT-21", 5)).body
    assert (order["lines"][0]["reserved"], order["lines"][0]["short"]) == (2, 3)
    assert api.get("/products/PINOT-21").body["available_to_promise"] == -3
    all_is_well()


def test_where_we_may_not_ship_nothing_is_promised(api: Api) -> None:
    product(api, stock=6)
    with writing():
        change(not_served=[{"country": "US", "state": "UT", "reason": "Utah takes no wine by parcel"}])
    refused = place(api, ("PINOT-21", 1), shipping_address={**ADDRESS, "state": "UT"})
    assert (refused.status, refused.codes) == (409, {"state_not_served"})
    assert refused.body["blockers"][0]["message"] == "Utah takes no wine by parcel"
    # Nor under another name of it, nor without one.
    for state in ("Utah", "ut", " UT "):
        assert place(api, ("PINOT-21", 1), shipping_address={**ADDRESS, "state": state}).codes == {"state_not_served"}
    nameless = place(api, ("PINOT-21", 1), shipping_address={**ADDRESS, "state": ""})
    assert (nameless.status, nameless.fields) == (422, {"shipping_address.state"})
    assert Order.objects.count() == 0
    assert place(api, ("PINOT-21", 1)).status == 201


# --- amounts --------------------------------------------------------------------------------------------------------


def taxed(**rates: int) -> None:
    with writing():
        change(zones=[{"country": "US", "state": "CA", "rates": rates}])


def test_tax_is_the_destinations_by_class_and_rounded_by_line(api: Api) -> None:
    taxed(standard=72_500, reduced=10_000)
    product(api, "PINOT-21", price=999)
    product(api, "BOOK-1", price=50, tax_class="reduced")
    order = place(api, ("PINOT-21", 3), ("BOOK-1", 1)).body
    assert [ln["tax"] for ln in order["lines"]] == [217, 1]
    assert (order["subtotal"], order["shipping"], order["tax"], order["rounding"]) == (3047, 1500, 218, 0)
    assert order["total"] == order["parts"][0]["total"] == 4765
    elsewhere = place(api, ("PINOT-21", 3), shipping_address={**ADDRESS, "state": "OR"}).body
    assert elsewhere["tax"] == 0
    all_is_well()


def test_tax_and_total_that_the_channel_agreed_with_the_customer_stand(api: Api) -> None:
    taxed(standard=72_500)
    product(api, "PINOT-21", price=1000)
    product(api, "SYRAH-19", price=1000)
    order = place(api, ("PINOT-21", 1), ("SYRAH-19", 2), tax=100, total=4603).body
    assert [ln["tax"] for ln in order["lines"]] == [33, 67]
    assert (order["tax"], order["rounding"], order["total"]) == (100, 3, 4603)
    assert order["total"] == order["subtotal"] + order["shipping"] + order["tax"] + order["rounding"]
    all_is_well()


@pytest.mark.parametrize(("currency", "price", "total"), [("JPY", 1_847, 5_194), ("KWD", 12_345, 26_190)])
def test_a_currency_without_cents_or_with_mills_is_counted_in_its_own_units(
    api: Api, currency: str, price: int, total: int
) -> None:
    product(api, "SAKE-1", price=price, currency=currency)
    order = place(api, ("SAKE-1", 2), currency=currency).body
    assert (order["currency"], order["total"]) == (currency, total)
    all_is_well()


def test_a_price_in_another_currency_must_be_said(api: Api) -> None:
    product(api, stock=6)
    assert place(api, ("PINOT-21", 1), currency="EUR").fields == {"lines.0.unit_price"}
    said = place(api, currency="EUR", lines=[{"sku": "PINOT-21", "quantity": 2, "unit_price": 2200}])
    assert (said.status, said.body["total"]) == (201, 5900)


WRONG: dict[str, dict[str, Any]] = {
    "currency": {"currency": "XXX"},
    "lines": {"lines": []},
    "lines.0.quantity": {"lines": [{"sku": "PINOT-21", "quantity": 0}]},
    "lines.0.unit_price": {"lines": [{"sku": "PINOT-21", "quantity": 1, "unit_price": -1}]},
    "customer.email": {"customer": {"name": "Zoë", "email": "zoe"}},
    "customer.name": {"customer": {"name": " ", "email": "zoe@example.com"}},
    "shipping_address.country": {"shipping_address": {**ADDRESS, "country": "usa"}},
    "billing_address.street": {"billing_address": {**ADDRESS, "street": ""}},
    "shipping.price": {"shipping": {"method": "Ground", "price": -1}},
    "tax": {"tax": -1},
    "total": {"total": -1},
    "needed_by": {"needed_by": "2020-01-01"},
    "placed_at": {"placed_at": "2090-01-01T00:00:00Z"},
}


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_field_is_named_and_nothing_is_written(api: Api, field: str) -> None:
    product(api, stock=6)
    before = footprint()
    refused = place(api, ("PINOT-21", 1), **WRONG[field])
    assert (refused.status, refused.fields) == (422, {field})
    assert footprint() == before


def test_today_is_the_day_where_the_shop_stands(api: Api) -> None:
    product(api, stock=6)
    with clock.at(datetime(2031, 5, 2, 4, tzinfo=UTC)):  # the evening of 1 May in California
        assert place(api, ("PINOT-21", 1), needed_by="2031-05-01").status == 201
        assert place(api, ("PINOT-21", 1), needed_by="2031-04-30").fields == {"needed_by"}


def test_a_card_number_in_a_comment_is_not_kept(api: Api) -> None:
    product(api, stock=6)
    order = place(api, ("PINOT-21", 1), comment="my card is 4242 4242 4242 4242, thanks").body
    assert "4242 4242" not in order["comment"]
    assert "•••• 4242" in order["comment"]
    assert not JournalEvent.objects.filter(text__contains="4242 4242").exists()


def test_a_channel_places_its_own_orders_only(api: Api) -> None:
    product(api, stock=6)
    shop = Api("channel", "web")
    assert place(shop, ("PINOT-21", 1)).status == 201
    assert place(shop, ("PINOT-21", 1), channel="telephone").status == 403
    assert place(Api("picker"), ("PINOT-21", 1)).status == 403
