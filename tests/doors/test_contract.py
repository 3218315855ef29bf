"""The names and shapes that outsiders rely on."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core import clock
from counterfoil.core.idempotency import LIFE
from counterfoil.shell.api import api as the_api
from tests.doors.build import Desk, picture, refused, soon, unchanged
from tests.doors.table import DOORS
from tests.support import Api, order_body

pytestmark = pytest.mark.django_db


def words(text: str) -> set[str]:
    return set(text.split())


ORDER = words(
    "number reference channel status queue next_action blockers review holds parts axes currency subtotal shipping tax "
    "rounding total charged refunded owed needed_by lines proposals packages shipments refunds documents placed_at"
)
PART = words("number stock money parcel books promise authorisation total charged refunded lines")
LINE = words("sku name quantity unit_price tax reserved short due due_date picked shipped cancelled")
STATUS = words("unfinished pending processing waiting_for_customer shipped delivered returned cancelled")
AXES = {
    "stock": words("unchecked short awaiting confirmed"),
    "money": words("unpaid saved authorised charging unknown charged declined receivable voided"),
    "parcel": words("waiting picking picked packed shipped delivered returned"),
    "books": words("none sales_order invoiced credited"),
}
QUEUE = words(
    "review sales_order stock goods charge charged_waiting pick pack ship transit done payment_problem question call "
    "promise cannot_ship bank_differs unfinished cancelled"
)
BLOCKERS = words(
    "not_approved on_hold no_sales_order stock_unchecked line_short due_too_late question_open no_payment_method "
    "no_consent charge_in_flight already_charged not_charged authorisation_expired not_picked not_packed "
    "already_shipped cancelled delivered sold_out state_not_served over_refundable not_cancellable someone_else"
)
DOCUMENTS = words("web-order sales-order sales-order-copy card-receipt pick-list packing-slip invoice credit-note")
# The calls and their good statuses.
CALLS = {
    "GET /products/{sku}/availability": {200},
    "POST /products": {201}, "GET /products/{sku}": {200}, "POST /stock": {201}, "POST /orders": {200, 201},
    "GET /orders": {200}, "GET /orders/{number}": {200}, "GET /orders/{number}/timeline": {200},
    "POST /orders/{number}/approval": {200}, "POST /orders/{number}/holds": {201},
    "POST /orders/{number}/customer": {200},
    "DELETE /orders/{number}/holds/{hold}": {204}, "POST /orders/{number}/sales-order": {200},
    "POST /orders/{number}/stock-check": {200}, "POST /orders/{number}/charge": {200, 202},
    "POST /orders/{number}/authorisation": {200, 202},
    "POST /orders/{number}/refunds": {201}, "POST /orders/{number}/cancellation": {200},
    "POST /orders/{number}/proposals": {201}, "POST /orders/{number}/calls": {201},
    "GET /orders/{number}/amendments": {200}, "POST /orders/{number}/amendments": {200, 201},
    "POST /orders/{number}/amendments/{amendment}/undo": {200, 201}, "POST /orders/{number}/merges": {200, 201},
    "POST /orders/{number}/contacts": {201},
    "POST /orders/{number}/answers": {200}, "DELETE /orders/{number}/proposals/{token}": {204},
    "POST /proposals/{token}/answer": {200},
    "POST /orders/{number}/picks": {200}, "POST /orders/{number}/packages": {201},
    "POST /orders/{number}/breakages": {201},
    "POST /orders/{number}/shipments": {201}, "POST /orders/{number}/deliveries": {200},
    "POST /orders/{number}/returns": {201}, "GET /orders/{number}/documents": {200},
    "GET /orders/{number}/documents/{kind}.pdf": {200}, "GET /documents/{number}.pdf": {200}, "POST /suppliers": {201},
    "POST /purchase-orders": {201}, "POST /purchase-orders/{number}/confirmation": {200},
    "GET /suppliers": {200}, "GET /suppliers/{id}": {200}, "PUT /suppliers/{id}": {200},
    "POST /suppliers/{id}/draft": {200}, "GET /needs": {200}, "PATCH /products/{sku}": {200},
    "PUT /products/{sku}/reordering": {200},
    "GET /purchase-orders": {200}, "GET /purchase-orders/{number}": {200}, "PUT /purchase-orders/{number}": {200},
    "DELETE /purchase-orders/{number}": {204}, "POST /purchase-orders/{number}/dispatch": {200},
    "POST /purchase-orders/{number}/closure": {200},
    "POST /goods-receipts": {201}, "POST /webhooks/stripe": {200},
    "POST /stock/transfers": {201}, "POST /stock/releases": {201}, "POST /stock/write-offs": {201},
    "POST /stock/damages": {201}, "POST /orders/{number}/reservations": {200},
    "GET /counts": {200}, "POST /counts": {201}, "GET /counts/{number}": {200}, "DELETE /counts/{number}": {204},
    "GET /counts/{number}/sheet.pdf": {200}, "POST /counts/{number}/lines": {200},
    "POST /counts/{number}/application": {200},
    "GET /disputes": {200}, "GET /disputes/{dispute}": {200}, "GET /disputes/{dispute}/evidence.pdf": {200},
    "POST /disputes/{dispute}/evidence": {200, 202}, "POST /disputes/{dispute}/acceptance": {200, 202},
}  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    return Desk()


def well_shaped(order: dict[str, Any]) -> None:
    """Every member that the contract names, and only words from its closed lists."""
    assert set(order) >= ORDER, ORDER - set(order)
    assert order["status"] in STATUS
    assert order["queue"] in QUEUE
    assert order["review"] in {"pending", "approved"}
    assert {b["code"] for b in order["blockers"]} <= BLOCKERS
    assert order["total"] == order["subtotal"] + order["shipping"] + order["tax"] + order["rounding"]
    for part in order["parts"]:
        assert set(part) >= PART, PART - set(part)
        assert set(part["promise"]) >= {"date", "legal_deadline", "version"}
        assert all(part[axis] in known for axis, known in AXES.items())
        assert part["authorisation"] is None or set(part["authorisation"]) == {"amount", "expires_at"}
        assert all(set(line) >= LINE for line in part["lines"])
    assert all(set(line) >= LINE for line in order["lines"])
    assert order["axes"] == {axis: order["parts"][0][axis] for axis in AXES}
    assert all(set(d) >= {"number", "kind", "version", "sha256"} for d in order["documents"])
    assert order["placed_at"].endswith("Z")


@pytest.mark.parametrize("state", ["placed", "approved", "picked", "packed", "shipped", "paid"])
def test_an_order_has_its_members_at_every_stop(desk: Desk, state: str) -> None:
    number = getattr(desk, state)()
    order = desk.api.order(number)
    well_shaped(order)
    assert desk.api.get("/orders").body["orders"][-1] == order
    events = desk.api.get(f"/orders/{number}/timeline").body["events"]
    assert all(set(e) >= {"at", "actor", "kind", "text", "data"} for e in events)
    assert events[0]["kind"] == "order_placed"


def test_an_answer_to_a_placement_is_the_order_itself(desk: Desk) -> None:
    placed = desk.api.done(
        "/orders", order_body(("PINOT-21", 2), ("SYRAH-19", 1), tax=77, total=9000, needed_by=soon(9))
    )
    well_shaped(placed)
    found = desk.api.order(placed["number"])
    assert {k for k in placed if placed[k] != found[k]} <= {"documents"}
    assert (placed["tax"], placed["total"], placed["status"]) == (77, 9000, "pending")
    assert placed["rounding"] == 9000 - (2 * 2500 + 2500) - 1500 - 77


def test_every_call_and_its_good_answers_are_described() -> None:
    described = {
        f"{method.upper()} {path.removeprefix('/api/v1')}": {int(s) for s in door["responses"] if int(s) < 300}
        for path, doors in the_api.get_openapi_schema()["paths"].items()
        for method, door in doors.items()
    }
    assert described == CALLS


def test_every_problem_is_described_as_problem_json(desk: Desk) -> None:
    described = Api("owner").get("/openapi.json").body
    for path, doors in described["paths"].items():
        for method, door in doors.items():
            bad = {int(s): a for s, a in door["responses"].items() if int(s) >= 400}
            assert {400, 401, 403, 404, 409, 413, 422, 429, 503} <= set(bad), (method, path)
            assert all(set(a["content"]) == {"application/problem+json"} for a in bad.values())
            named = {p["name"] for p in door.get("parameters", [])}
            assert ("Idempotency-Key" in named) is (method == "post")
    assert 402 in map(int, described["paths"]["/api/v1/orders/{number}/charge"]["post"]["responses"])
    paper = described["paths"]["/api/v1/documents/{number}.pdf"]["get"]["responses"]["200"]
    assert set(paper["content"]) == {"application/pdf"}


def test_no_door_hides_another_on_the_same_address(desk: Desk) -> None:
    for path, doors in the_api.get_openapi_schema()["paths"].items():
        answer = desk.api.ask("OPTIONS", path.removeprefix("/api/v1").replace("{hold}", "1").replace("{dispute}", "1"))
        assert {m.strip().lower() for m in answer.headers["Allow"].split(",")} == set(doors), path


# --- small answers ----------------------------------------------------------------------------------------------------


def test_products_stock_and_suppliers(desk: Desk) -> None:
    found = desk.api.get("/products/PINOT-21").body
    counts = {k: found[k] for k in ("on_hand", "reserved", "picked", "quarantined", "due_in", "available_to_promise")}
    assert counts == {
        "on_hand": 50, "reserved": 0, "picked": 0, "quarantined": 0, "due_in": 0, "available_to_promise": 50,
    }  # fmt: skip
    assert (found["tax_class"], found["sell_when_out"]) == ("standard", "backorder")
    moved = desk.api.post("/stock", {"sku": "PINOT-21", "quantity": -3, "reason": "broken"})
    assert (moved.status, moved.body["quantity"]) == (201, -3)
    assert desk.api.get("/products/PINOT-21").body["on_hand"] == 47
    made = desk.api.post("/suppliers", {"name": "Aldous"})
    assert made.status == 201
    by_id = desk.api.post(
        "/purchase-orders", {"supplier": made.body["id"], "lines": [{"sku": "SYRAH-19", "quantity": 1}]}
    )
    assert by_id.status == 201


def test_the_way_of_the_goods_answers_with_ids(desk: Desk) -> None:
    number = desk.approved()
    hold = desk.api.post(f"/orders/{number}/holds", {"reason": "odd"})
    assert hold.status == 201
    assert desk.api.ask("DELETE", f"/orders/{number}/holds/{hold.body['id']}").status == 204
    assert desk.api.ask("DELETE", f"/orders/{number}/holds/{hold.body['id']}").status == 204
    assert desk.api.post(f"/orders/{number}/picks").status == 200
    box = desk.api.post(f"/orders/{number}/packages", {"weight_g": 100})
    shipped = desk.api.post(
        f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": "1Z9", "packages": [box.body["id"]]}
    )
    assert (box.status, shipped.status) == (201, 201)
    assert shipped.body["tracking_url"].startswith("https://")
    assert desk.api.post(f"/orders/{number}/deliveries", {"shipment": shipped.body["id"]}).body["status"] == "delivered"
    back = {"lines": [{"sku": "PINOT-21", "quantity": 2}], "condition": "damaged", "reason": "corked"}
    assert desk.api.post(f"/orders/{number}/returns", back).status == 201
    well_shaped(desk.api.order(number))


def test_a_refund_and_a_proposal_say_what_was_made(desk: Desk) -> None:
    refund = desk.api.post(f"/orders/{desk.paid()}/refunds", {"amount": 100, "reason": "late"})
    assert refund.status == 201
    assert isinstance(refund.body["id"], int)
    assert refund.body["state"] in {"pending", "succeeded"}
    number = desk.placed("SYRAH-19", 2)
    asked = desk.api.post(f"/orders/{number}/proposals", {"choices": [{"kind": "cancel"}]})
    assert asked.status == 201
    assert asked.body["url"].startswith("http")
    answered = desk.api.post(f"/proposals/{asked.body['token']}/answer", {"decline": True})
    assert (answered.status, answered.body["state"]) == (200, "declined")


def test_documents_by_kind_and_by_number(desk: Desk) -> None:
    number = desk.shipped()
    for kind in DOCUMENTS:
        if kind in {"card-receipt", "credit-note"}:
            refused(desk.api.get(f"/orders/{number}/documents/{kind}.pdf"), 404)
            continue
        paper = desk.api.get(f"/orders/{number}/documents/{kind}.pdf")
        assert (paper.status, paper.headers["Content-Type"]) == (200, "application/pdf"), kind
    listed = desk.api.get(f"/orders/{number}/documents").body["documents"]
    for paper in listed:
        assert desk.api.get(f"/documents/{paper['number']}.pdf").body.startswith(b"%PDF")
    refused(desk.api.get(f"/orders/{number}/documents/purchase-order.pdf"), 404)
    refused(desk.api.get("/documents/INV-9999.pdf"), 404)


# --- the list of orders -----------------------------------------------------------------------------------------------


def test_a_list_is_read_page_by_page(desk: Desk) -> None:
    numbers = [desk.placed() for _ in range(5)]
    seen: list[str] = []
    after = ""
    for size in (2, 2, 1):
        page = desk.api.get(f"/orders?limit=2{after}").body
        assert len(page["orders"]) == size
        seen += [o["number"] for o in page["orders"]]
        assert (page["next"] is None) == (size == 1)
        after = f"&after={page['next']}"
    assert seen == numbers
    assert len(desk.api.get("/orders?limit=200").body["orders"]) == 5


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", "", "9" * 5000, "%00", "1e2"])
def test_a_page_has_between_one_and_two_hundred_orders(desk: Desk, limit: str) -> None:
    answer = desk.api.get(f"/orders?limit={limit}")
    refused(answer, 422)
    assert answer.fields == {"limit"}


def test_orders_are_found_by_whatever_a_caller_has_at_hand(desk: Desk) -> None:
    number = desk.shipped()
    other = desk.placed("SYRAH-19", 1)
    order = desk.api.order(number)
    for wanted in (number, number.lower(), order["reference"], order["customer"]["email"], "PINOT-21", "pinot-21",
                   f"1Z{number}", f"1z{number}"):  # fmt: skip
        assert [o["number"] for o in desk.api.get(f"/orders?q={wanted}").body["orders"]] == [number], wanted
    by_name = [o["number"] for o in desk.api.get("/orders?q=Bront%C3%AB").body["orders"]]
    assert by_name == [number, other]
    assert [o["number"] for o in desk.api.get("/orders?queue=review").body["orders"]] == [other]
    assert desk.api.get("/orders?channel=nowhere").body == {"orders": [], "next": None}
    assert desk.api.get("/orders?queue=review&channel=web").body["orders"][0]["number"] == other


# --- Idempotency-Key --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", DOORS)
def test_under_one_key_an_act_is_done_once_and_answered_alike(desk: Desk, door: str) -> None:
    path, body = DOORS[door].open(desk)
    first = desk.api.post(path, body, Idempotency_Key="one")
    assert first.status in {200, 201}, first.body
    before = picture()
    again = desk.api.post(path, body, Idempotency_Key="one")
    assert (again.status, again.body) == (first.status, first.body)
    other = desk.api.post(path, {**body, "comment": "another"}, Idempotency_Key="one")
    refused(other, 422)
    unchanged(before)


def test_only_a_good_answer_is_kept_under_a_key(desk: Desk) -> None:
    number = desk.placed()
    refused(desk.api.post(f"/orders/{number}/picks", {}, Idempotency_Key="k"), 409)
    desk.api.done(f"/orders/{number}/approval", {"ship_estimate": soon()}, Idempotency_Key="k")
    assert desk.api.post(f"/orders/{number}/picks", {}, Idempotency_Key="k").status == 200
    refused(desk.api.post("/orders", order_body(("NOPE", 1)), Idempotency_Key="k"), 422)
    assert desk.api.post("/orders", order_body(("PINOT-21", 1)), Idempotency_Key="k").status == 201


def test_a_key_belongs_to_its_owner_and_to_one_address(desk: Desk) -> None:
    first, second = desk.placed(), desk.placed()
    held = {"reason": "odd"}
    ids = {
        asked.done(f"/orders/{number}/holds", held, Idempotency_Key="k")["id"]
        for asked in (desk.api, Api("clerk"))
        for number in (first, second)
    }
    assert len(ids) == 4


def test_a_key_is_forgotten_after_a_day(desk: Desk) -> None:
    from counterfoil.core.db import execute

    number = desk.placed()
    one = desk.api.done(f"/orders/{number}/holds", {"reason": "odd"}, Idempotency_Key="k")
    execute("UPDATE core_idempotencykey SET created_at = %s", [clock.real_now() - LIFE * 2])
    assert desk.api.done(f"/orders/{number}/holds", {"reason": "odd"}, Idempotency_Key="k")["id"] != one["id"]


@pytest.mark.parametrize("key", ["x" * 256, "a\tb", "tab\x01"])
def test_a_key_that_cannot_be_kept_is_refused(desk: Desk, key: str) -> None:
    before = picture()
    for path, body in (("/orders", order_body(("PINOT-21", 1))), ("/suppliers", {"name": "Aldous"})):
        answer = desk.api.post(path, body, Idempotency_Key=key)
        refused(answer, 422)
        assert answer.fields == {"Idempotency-Key"}
    unchanged(before)


def test_a_stranger_cannot_read_an_answer_by_guessing_a_key(desk: Desk) -> None:
    desk.api.done("/suppliers", {"name": "Aldous"}, Idempotency_Key="k")
    stranger = Api("picker")
    refused(stranger.post("/suppliers", {"name": "Aldous"}, Idempotency_Key="k"), 403)
    stranger.key = "cf_wrong"
    refused(stranger.post("/suppliers", {"name": "Aldous"}, Idempotency_Key="k"), 401)


# --- the bank's answers -----------------------------------------------------------------------------------------------


def test_a_decline_is_402_with_its_code_and_a_card_that_was_refused_at_saving_409(desk: Desk, card: str) -> None:
    from tests.support import settle

    for source, status in (("pm_card_chargeCustomerFail", 402), ("pm_card_visa_chargeDeclined", 409)):
        placed = desk.api.post("/orders", order_body(("PINOT-21", 1), card=source))
        assert placed.status == 201
        settle()
        number = placed.body["number"]
        desk.api.done(f"/orders/{number}/approval", {"ship_estimate": soon()})
        answer = desk.api.post(f"/orders/{number}/charge")
        refused(answer, status)
        if status == 402:
            assert answer.body["decline_code"]
        else:
            assert "no_payment_method" in answer.codes
        assert desk.api.order(number)["queue"] == "payment_problem"
        well_shaped(desk.api.order(number))


def test_a_processor_that_does_not_know_us_breaks_nothing(desk: Desk, card: str, settings: Any) -> None:
    settings.STRIPE_API_KEY = "sk_test_of_somebody_else"
    number = desk.api.done("/orders", order_body(("PINOT-21", 1)))["number"]
    desk.api.done(f"/orders/{number}/approval", {"ship_estimate": soon()})
    answer = desk.api.post(f"/orders/{number}/charge")
    assert answer.status in {202, 409}, answer.body
    assert desk.api.order(number)["charged"] == 0


def test_a_bank_that_cannot_be_reached_is_202_and_nothing_is_charged(desk: Desk, settings: Any) -> None:
    settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = "sk_test_nobody", "http://127.0.0.1:9"
    number = desk.api.done("/orders", order_body(("PINOT-21", 1)))["number"]
    desk.api.done(f"/orders/{number}/approval", {"ship_estimate": soon()})
    answer = desk.api.post(f"/orders/{number}/charge")
    assert answer.status == 202, answer.body
    well_shaped(answer.body)
    assert answer.body["charged"] == 0
