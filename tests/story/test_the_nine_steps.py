"""From the click on "check out" to the parcel at the door: the process, told through the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from conftest import Mailbox
from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Order
from tests.support import Api, order_body, product, settle

pytestmark = [pytest.mark.django_db, pytest.mark.story]


@pytest.fixture
def api(card: str, mailbox: Mailbox) -> Api:
    """The owner's key in a shop with two wines and a supplier."""
    owner = Api("owner")
    owner.done("/suppliers", {"name": "Northfold", "email": "orders@northfold.example.com", "lead_time_days": 5})
    product(owner, "PINOT-21", stock=12, supplier="Northfold", cost=1200)
    product(owner, "SYRAH-19", stock=1, supplier="Northfold", cost=1500, price=4000)
    product(owner, "SYRAH-20", stock=6, supplier="Northfold", cost=1400, price=3600)
    return owner


def soon(days: int = 1) -> str:
    return shop().business_days_from(shop().today(), days).isoformat()


def all_is_well() -> None:
    settle()
    assert judge_all() == []


def captured_at_the_bank(sandbox: str, number: str) -> int:
    """What the processor's own ledger holds for an order, less what went back."""
    token = Order.objects.get(number=number).token[:20]
    summary = requests.get(f"{sandbox}/_ledger", params={"summary": "1"}, timeout=10).json()
    intents = summary["payment_intents"] if isinstance(summary, dict) else summary
    return sum(i["amount_captured"] - i["amount_refunded"] for i in intents if token in str(i["metadata"]))


def test_an_ordinary_order_walks_from_the_click_to_the_file(api: Api, card: str, mailbox: Mailbox) -> None:
    # 0-1: the order arrives as pending; the card will be saved, nothing is charged; the bottles are reserved.
    order = api.done("/orders", order_body(("PINOT-21", 2)))
    number, email = order["number"], order["customer"]["email"]
    assert (order["status"], order["queue"], order["next_action"]) == ("pending", "review", "review")
    assert order["total"] == 2 * 2500 + 1500
    assert order["lines"][0]["reserved"] == 2
    # Nobody can charge it now, whatever door they try.
    early = api.post(f"/orders/{number}/charge", {})
    assert early.status == 409
    assert "not_approved" in early.codes
    settle()
    assert api.order(number)["parts"][0]["money"] == "saved"
    assert captured_at_the_bank(card, number) == 0

    # 2: a person reviews it and promises a ship date. 3 and 4 follow by themselves.
    order = api.done(f"/orders/{number}/approval", {"ship_estimate": soon()})
    assert order["status"] == "processing"
    assert order["parts"][0]["promise"]["date"] == soon()
    assert order["axes"]["books"] == "sales_order"
    assert order["axes"]["stock"] == "confirmed"
    assert (order["queue"], order["blockers"]) == ("charge", [])
    kinds = {d["kind"] for d in order["documents"]}
    assert {"web-order", "sales-order", "sales-order-copy"} <= kinds

    # 5: everything is there, so the card is charged, once.
    order = api.done(f"/orders/{number}/charge", {})
    assert (order["axes"]["money"], order["charged"], order["owed"]) == ("charged", 6500, 0)
    again = api.post(f"/orders/{number}/charge", {})
    assert again.status == 409
    assert again.codes == {"already_charged"}
    assert captured_at_the_bank(card, number) == 6500

    # 6: picked, packed with its papers, and shipped.
    assert order["queue"] == "pick"
    assert api.done(f"/orders/{number}/picks", {})["queue"] == "pack"
    box = api.done(f"/orders/{number}/packages", {"weight_g": 3000})
    assert api.order(number)["queue"] == "ship"
    shipment = api.done(
        f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": f"1Z{number}", "packages": [box["id"]]}
    )
    assert shipment["tracking_url"].startswith("https://")
    assert f"1Z{number}" in shipment["tracking_url"]

    # 7 and 8: the customer is told, the sales order has become an invoice.
    settle()
    order = api.order(number)
    assert (order["status"], order["axes"]["books"]) == ("shipped", "invoiced")
    for kind in (
        "web-order",
        "sales-order",
        "sales-order-copy",
        "card-receipt",
        "pick-list",
        "packing-slip",
        "invoice",
    ):
        paper = api.get(f"/orders/{number}/documents/{kind}.pdf")
        assert paper.status == 200, kind
        assert paper.body.startswith(b"%PDF"), kind
    order = api.done(f"/orders/{number}/deliveries", {})
    assert (order["status"], order["queue"]) == ("delivered", "done")

    mails = mailbox.mails(to=email)
    assert len(mails) == 3
    assert any(shipment["tracking_url"] in m["text"] for m in mails)
    assert all(m["html"] and m["duplicate_of"] is None for m in mails)
    kinds_told = [e["kind"] for e in api.get(f"/orders/{number}/timeline").body["events"]]
    assert kinds_told.index("order_placed") < kinds_told.index("order_approved") < kinds_told.index("card_charged")
    all_is_well()


def test_what_is_short_is_bought_in_and_charged_on_a_date_that_the_supplier_confirmed(api: Api, card: str) -> None:
    number = api.done("/orders", order_body(("SYRAH-19", 3)))["number"]
    settle()
    order = api.done(f"/orders/{number}/approval", {"ship_estimate": soon(3)})
    assert (order["queue"], order["lines"][0]["short"]) == ("stock", 2)
    refused = api.post(f"/orders/{number}/charge", {})
    assert refused.status == 409
    assert refused.codes == {"line_short"}
    assert refused.body["blockers"][0]["line"] == "SYRAH-19"

    bought = api.done("/purchase-orders", {"supplier": "Northfold", "lines": [{"sku": "SYRAH-19", "quantity": 6}]})
    order = api.order(number)
    assert (order["queue"], order["lines"][0]["due"], order["lines"][0]["short"]) == ("goods", 2, 0)
    assert api.post(f"/orders/{number}/charge", {}).codes == {"due_too_late"}

    # A date too far away does not open the gate; one within two business days does.
    confirmed = f"/purchase-orders/{bought['number']}/confirmation"
    api.done(confirmed, {"expected": (shop().today() + timedelta(days=20)).isoformat()})
    assert api.post(f"/orders/{number}/charge", {}).codes == {"due_too_late"}
    api.done(confirmed, {"expected": soon(1)})
    assert api.order(number)["queue"] == "charge"
    order = api.done(f"/orders/{number}/charge", {})
    assert (order["axes"]["money"], order["queue"]) == ("charged", "charged_waiting")
    assert api.post(f"/orders/{number}/picks", {}).status == 409

    receipt = api.done(
        "/goods-receipts",
        {"purchase_order": bought["number"], "lines": [{"sku": "SYRAH-19", "received": 6, "damaged": 1}]},
    )
    assert number in str(receipt)
    settle()
    order = api.order(number)
    assert (order["queue"], order["lines"][0]["reserved"], order["axes"]["stock"]) == ("pick", 3, "confirmed")
    shelf = api.get("/products/SYRAH-19").body
    assert (shelf["on_hand"], shelf["reserved"], shelf["quarantined"], shelf["due_in"]) == (6, 3, 1, 0)
    all_is_well()


def pay_at_the_hosted_page(url: str, choose: str) -> str:
    """What a customer does in the browser: open the page, choose a card, press the button. Gives where it leads."""
    import re

    page = requests.get(url, timeout=10)
    fields = dict(re.findall(r'name="([^"]+)"[^>]*value="([^"]*)"', page.text))
    radios = re.findall(r'type="radio"[^>]*name="([^"]+)"[^>]*value="([^"]+)"', page.text)
    name, value = next((n, v) for n, v in radios if choose in v)
    done = requests.post(url, data={**fields, name: value}, timeout=10, allow_redirects=False)
    assert done.status_code == 303, done.text
    return done.headers["Location"]


def test_a_declined_card_is_paid_by_link(api: Api, card: str, client: Any, mailbox: Mailbox) -> None:
    number = api.done("/orders", order_body(("PINOT-21", 1), card="pm_card_chargeCustomerFail"))["number"]
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": soon()})
    declined = api.post(f"/orders/{number}/charge", {})
    assert declined.status == 402
    assert declined.body["decline_code"]
    order = api.order(number)
    assert (order["queue"], order["axes"]["money"], order["charged"]) == ("payment_problem", "declined", 0)
    settle()
    mails = mailbox.mails(to=api.order(number)["customer"]["email"])
    assert any("please check your payment" in m["subject"] for m in mails)

    token = Order.objects.get(number=number).token
    led = client.post(f"/orders/{token}/pay")
    assert led.status_code == 303
    back = pay_at_the_hosted_page(led["Location"], "visa")
    client.get(back.split("8000", 1)[-1] if "8000" in back else back)
    order = api.order(number)
    assert (order["axes"]["money"], order["charged"], order["queue"]) == ("charged", 4000, "pick")
    assert captured_at_the_bank(card, number) == 4000
    all_is_well()


def test_a_wine_that_is_sold_out_is_replaced_only_when_the_customer_says_yes(api: Api, card: str) -> None:
    number = api.done("/orders", order_body(("SYRAH-19", 3)))["number"]
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": soon()})
    asked = api.done(
        f"/orders/{number}/proposals",
        {
            "message": "The 2019 is sold out at the grower.",
            "choices": [
                {"kind": "substitute", "line": "SYRAH-19", "sku": "SYRAH-20", "quantity": 3},
                {"kind": "cancel"},
            ],
        },
    )
    order = api.order(number)
    assert (order["status"], order["queue"]) == ("waiting_for_customer", "question")
    assert [ln["sku"] for ln in order["lines"]] == ["SYRAH-19"]
    assert "question_open" in api.post(f"/orders/{number}/charge", {}).codes

    api.done(f"/proposals/{asked['token']}/answer", {"choice": 0})
    settle()
    order = api.order(number)
    wanted = [(ln["sku"], ln["quantity"]) for ln in order["lines"] if ln["quantity"]]
    assert wanted == [("SYRAH-20", 3)]
    assert (order["total"], order["queue"]) == (3 * 3600 + 1500, "charge")
    assert max(d["version"] for d in order["documents"] if d["kind"] == "sales-order") == 2
    order = api.done(f"/orders/{number}/charge", {})
    assert order["charged"] == 3 * 3600 + 1500 == captured_at_the_bank(card, number)
    all_is_well()


def test_a_cancellation_before_the_charge_moves_no_money_and_gives_the_stock_back(api: Api, card: str) -> None:
    number = api.done("/orders", order_body(("PINOT-21", 5)))["number"]
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": soon()})
    order = api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    assert (order["status"], order["queue"], order["axes"]["money"]) == ("cancelled", "cancelled", "voided")
    settle()
    assert api.get("/products/PINOT-21").body["reserved"] == 0
    assert "cancelled" in api.post(f"/orders/{number}/charge", {}).codes
    assert captured_at_the_bank(card, number) == 0
    before = api.order(number)
    assert api.done(f"/orders/{number}/cancellation", {"reason": "again"}) == before
    all_is_well()


def test_a_cancellation_after_the_charge_gives_everything_back(api: Api, card: str, mailbox: Mailbox) -> None:
    number = api.done("/orders", order_body(("PINOT-21", 2)))["number"]
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": soon()})
    api.done(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/picks", {})
    api.done(f"/orders/{number}/cancellation", {"reason": "moved away"})
    settle()
    order = api.order(number)
    assert (order["charged"], order["refunded"], order["refund_owed"]) == (6500, 6500, 0)
    assert [r["state"] for r in order["refunds"]] == ["succeeded"]
    assert captured_at_the_bank(card, number) == 0
    shelf = api.get("/products/PINOT-21").body
    assert (shelf["on_hand"], shelf["reserved"], shelf["picked"]) == (12, 0, 0)
    assert any("on its way back" in m["subject"] for m in mailbox.mails(to=order["customer"]["email"]))
    all_is_well()
