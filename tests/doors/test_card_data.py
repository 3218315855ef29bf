"""No card number reaches us: in any text of the API it is masked or refused, and found nowhere afterwards."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import pytest
from django.test import Client

from conftest import Mailbox
from counterfoil.core.access.models import User
from counterfoil.records.catalogue.models import Supplier
from counterfoil.shell.api import api as the_api
from tests.doors.build import Desk, refused, soon
from tests.doors.cards import NUMBERS, cards_in, dressed, found_in_database, nowhere
from tests.doors.table import DOORS, Door, Json, Place, put
from tests.support import Answer, settle

pytestmark = pytest.mark.django_db
VISA = NUMBERS[0]


SCHEMA: Json = json.loads(json.dumps(the_api.get_openapi_schema()))
# A body that our own types do not read: the processor's events bear a signature, and have a test of their own below.


def texts(schema: Json, at: Place = ()) -> Iterator[Place]:
    """The place of every text in a schema, as deep as it goes; the first of each list stands for all."""
    if "$ref" in schema:
        yield from texts(SCHEMA["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], at)
        return
    for kind in ("anyOf", "allOf", "oneOf"):
        for one in schema.get(kind, ()):
            yield from texts(one, at)
    for name, one in schema.get("properties", {}).items():
        yield from texts(one, (*at, name))
    if "items" in schema:
        yield from texts(schema["items"], (*at, 0))
    if schema.get("type") == "string":
        yield at


def writing_doors() -> dict[tuple[str, str], list[Place]]:
    """Every call of the API that takes a body, by method and address, with the places of its texts."""
    found = {}
    for path, methods in SCHEMA["paths"].items():
        for method, call in methods.items():
            for body in call.get("requestBody", {}).get("content", {}).values():
                found[method.upper(), path] = list(dict.fromkeys(texts(body["schema"])))
    return found


def described(method: str, path: str) -> tuple[str, str]:
    """The call in the API's description that a real address belongs to."""
    ways = [at for way, at in WRITE if way == method]
    return method, next(p for p in ways if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), f"/api/v1{path}"))


def _supplier(desk: Desk) -> tuple[str, Json]:
    body = DOORS["suppliers"].open(desk)[1]
    made = Supplier.objects.filter(name=body["name"]).first()
    pk = made.pk if made is not None else desk.api.done("/suppliers", body)["id"]
    return f"/suppliers/{pk}", {**body, "name": "Aldous & Sons"}


def _draft(desk: Desk) -> tuple[str, Json]:
    lines = [{"sku": "PINOT-21", "quantity": 6, "cost": 900}]
    return f"/purchase-orders/{desk.draft()}", {"lines": lines, "expected": soon(), "note": "call first"}


def _reordering(desk: Desk) -> tuple[str, Json]:
    supplier = DOORS["suppliers"].open(desk)[1]
    if not Supplier.objects.filter(name=supplier["name"]).exists():
        desk.api.done("/suppliers", supplier)
    body = {"reorder_point": 6, "reorder_up_to": 24, "supplier": supplier["name"]}
    return "/products/PINOT-21/reordering", body


def _correction(desk: Desk) -> tuple[str, Json]:
    wine = {"producer": "Ida's", "name": "Pinot", "size": "75 cl", "region": "Aldmoor", "grape": "pinot noir"}
    body: Json = {"name": "Ida's Pinot", "bin": "A-1", "description": "Dark.", "barcode": "IDA-1", "reason": "a slip"}
    return "/products/PINOT-21", {**body, "tax_class": "wine", "family": wine}


# Every call with a body: all that make something, and those that write something anew.
ANEW = {"supplier": Door(_supplier), "draft": Door(_draft), "reordering": Door(_reordering)}
CALLS = {name: ("POST", door) for name, door in DOORS.items()} | {f"put {n}": ("PUT", d) for n, d in ANEW.items()}
CALLS["patch product"] = ("PATCH", Door(_correction))
WRITE = writing_doors()
EVIDENCE = ("POST", "/api/v1/disputes/{dispute}/evidence")


def test_every_door_with_a_text_in_its_body_is_tried(open_shop: Desk) -> None:
    tried = {described(method, door.open(open_shop)[0]) for method, door in CALLS.values()}
    # An answer to a dispute wants a dispute, which wants a bank: tried beside charging's disputes.
    assert {call for call, places in WRITE.items() if places} - {EVIDENCE} <= tried
    assert {method for method, _ in WRITE} == {method for method, _ in tried}
    assert sum(len(places) for places in WRITE.values()) > 40


@pytest.mark.parametrize("door", CALLS)
def test_a_card_number_in_any_text_of_the_api_is_masked_or_refused(
    open_shop: Desk, door: str, log: io.StringIO, mailbox: Mailbox
) -> None:
    numbers = dressed()
    method, call = CALLS[door]
    path, body = call.open(open_shop)
    if method != "POST":  # what is refused below is refused for its number, not because nothing would be taken
        assert open_shop.api.ask(method, path, body).status == 200
    for at in WRITE[described(method, path)]:
        path, body = call.open(open_shop)
        answer = open_shop.api.ask(method, path, put(body, at, next(numbers)))
        if answer.status >= 300:
            refused(answer, 404, 409, 422)
        assert cards_in(str(answer.body)) == [], at
    settle()
    nowhere(log, mailbox)


REFUSED = {
    "products": ["sku", "supplier", "bin"],
    "suppliers": ["email"],
    "stock": ["lot", "bin"],
    "orders": ["channel", "reference", "customer.email", "customer.phone", "payment.payment_method"],
    "charge": ["reference"],
    "shipments": ["tracking_number"],
}
MASKED = {
    "products": ["name", "description"],
    "suppliers": ["name"],
    "stock": ["reason"],
    "orders": ["customer.name", "shipping_address.street", "gift_message", "comment"],
    "holds": ["reason"],
    "refunds": ["reason"],
    "cancellation": ["reason"],
    "proposals": ["message"],
    "shipments": ["carrier"],
    "returns": ["reason"],
}


@pytest.mark.parametrize(("door", "field"), [(door, field) for door, names in REFUSED.items() for field in names])
def test_what_things_are_found_by_is_refused_with_a_clear_word(open_shop: Desk, door: str, field: str) -> None:
    path, body = DOORS[door].open(open_shop)
    at: Place = tuple(field.split("."))
    text = f"{VISA}@example.com" if field.endswith("email") else VISA
    answer = open_shop.api.post(path, put(body, at, text))
    refused(answer, 422)
    assert answer.fields == {field}, answer.body
    assert "card number" in answer.body["detail"]


@pytest.mark.parametrize(("door", "field"), [(door, field) for door, names in MASKED.items() for field in names])
def test_prose_is_taken_with_the_number_masked(open_shop: Desk, door: str, field: str) -> None:
    path, body = DOORS[door].open(open_shop)
    answer = open_shop.api.post(path, put(body, tuple(field.split(".")), f"see {VISA}"))
    assert answer.status in {200, 201}, answer.body
    assert found_in_database() == []


def test_a_parcel_number_that_its_carrier_vouches_for_is_kept_and_one_that_looks_like_a_card_is_not(
    open_shop: Desk,
) -> None:
    def ship(carrier: str, number: str) -> Answer:
        body = {"carrier": carrier, "tracking_number": number}
        return open_shop.api.post(f"/orders/{open_shop.packed()}/shipments", body)

    # Sixteen digits with the beginning and the check digit of a Visa card, and Canada Post's own check digit.
    theirs = "4000000000000077"
    assert ship("Canada Post", theirs).body["tracking_number"] == theirs
    for carrier, number in (("Canada Post", VISA), ("UPS", theirs), ("My brother", theirs)):
        answer = ship(carrier, number)
        refused(answer, 422)
        assert answer.fields == {"tracking_number"}
    assert ship("DHL", "1234567890").status == 201
    assert ship("USPS", "9400 1000 0000 0002 0000 00").status == 201


def test_a_card_number_as_key_path_or_query_leaves_no_trace(
    open_shop: Desk, client: Client, log: io.StringIO, mailbox: Mailbox
) -> None:
    path, body = DOORS["holds"].open(open_shop)
    refused(open_shop.api.post(path, body, Idempotency_Key=VISA), 422)
    refused(open_shop.api.post("/orders", DOORS["orders"].open(open_shop)[1], Idempotency_Key=f"order {VISA}"), 422)
    for address in (f"/orders/{VISA}/holds", f"/orders/{VISA}/charge"):
        refused(open_shop.api.post(address, body if "holds" in address else {}, Idempotency_Key="k1"), 404)
    for address in (f"/orders?q={VISA}", f"/orders?after={VISA}", f"/orders/{VISA}", f"/products/{VISA}", f"/{VISA}"):
        assert cards_in(str(open_shop.api.get(address).body)) == []
    client.force_login(User.objects.create_user("o@example.com", "a long password", name="Olga", role="owner"))
    for address in (
        f"/orders/{VISA}", f"/desk/orders/{VISA}", f"/desk/search?q={VISA}", f"/desk/stock?q={VISA}", f"/?q={VISA}",
        f"/desk/queues/{VISA}", f"/products/{VISA}", f"/static/{VISA}.css", f"/{VISA}", f"/desk/login?next=/{VISA}",
    ):  # fmt: skip
        assert cards_in(client.get(address).content.decode(errors="replace")) == [], address
    assert "Not Found: /desk/orders/•••• 1111" in log.getvalue()
    nowhere(log, mailbox)


def test_a_number_with_no_network_s_beginning_or_length_is_somebody_s_order_number(open_shop: Desk) -> None:
    for reference in ("5812345678901", "302-1234567-1234567", "9400100000000002000000"):
        body = {**DOORS["orders"].open(open_shop)[1], "reference": reference}
        assert open_shop.api.done("/orders", body)["reference"] == reference
