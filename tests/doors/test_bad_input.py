"""What nobody should send, at every door: a clear no that names the field, and nothing has changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from counterfoil.records.orders.models import Order
from tests.doors.build import Desk, picture, refused, soon, unchanged
from tests.doors.table import DOORS, changed, leaves, named
from tests.support import ADDRESS, Api, order_body

pytestmark = pytest.mark.django_db

NEVER_TEXT: list[Any] = ["nul\x00", "half \ud83c", "\udc00 half", "x" * 5001, 1.5, True, [], {}, ["a"]]
NEVER_A_NUMBER: list[Any] = [True, False, 1.5, 1e300, "1", "", 10**40, -(10**40), 2**63, -(2**63) - 1, [], {}]
NEVER_A_BOOL: list[Any] = [1, 0, "true", "", [], {}]
NEVER_A_DAY: list[Any] = [
    "2026-02-30", "0001-01-01", "9999-12-31", "0000-00-00", "99999-01-01", "2020-01-01", "2026-1-1", "tomorrow", "",
    "2026-12-01T00:00:00Z", "٢٠٢٦-١٢-٠١", 20261201, 0, 1e9, True, [], {},
]  # fmt: skip
NEVER_A_MOMENT: list[Any] = [
    "2026-02-30T10:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-12-01", "noon", "",
    "2026-12-01T25:00:00Z", "2026-12-01T10:00:00+99:00", 1700000000, 1e300, True, [], {},
]  # fmt: skip
DAYS = {"ship_estimate", "needed_by", "date", "expected"}
AMOUNTS = {"price", "cost", "unit_price", "tax", "total"}
MOMENTS = {"placed_at", "expires_at", "at"}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def never(name: str | int, value: Any) -> list[Any]:
    """What may not stand where `value` stands."""
    if name in DAYS:
        return NEVER_A_DAY
    if name in MOMENTS:
        return NEVER_A_MOMENT
    if isinstance(value, bool):
        return NEVER_A_BOOL
    return NEVER_TEXT if isinstance(value, str) else NEVER_A_NUMBER


@pytest.mark.parametrize("door", DOORS)
def test_every_wrong_value_is_told_by_its_field_and_changes_nothing(desk: Desk, door: str) -> None:
    path, body = DOORS[door].open(desk)
    before = picture()
    for at, value in leaves(body):
        for wrong in never(at[-1], value):
            if at == ("needed_by",) and wrong == "2020-01-01":
                continue  # fitting for an order that was placed in the past, as this one was
            answer = desk.api.post(path, changed(body, at, wrong))
            refused(answer, 422)
            assert named(at) in answer.fields, (at, wrong, answer.body)
    unchanged(before)


@pytest.mark.parametrize("door", DOORS)
def test_negative_and_huge_numbers_are_refused(desk: Desk, door: str) -> None:
    path, body = DOORS[door].open(desk)
    before = picture()
    for at, value in leaves(body):
        if isinstance(value, bool) or not isinstance(value, int):
            continue
        # Columns of units have 32 bits, of amounts 64; a negative adjustment takes stock off the shelf.
        large = [2**53] if at[-1] in AMOUNTS else [2**53, 2**31]
        for wrong in (*large, *([] if path == "/stock" else [-1, -(2**31) - 1])):
            answer = desk.api.post(path, changed(body, at, wrong))
            # A refund of more than was taken has its own code; everything else is a field.
            if answer.status == 409:
                refused(answer, 409)
                assert answer.codes == {"over_refundable"}
            else:
                refused(answer, 422)
                assert named(at) in answer.fields or "total" in answer.fields, (at, wrong, answer.body)
    unchanged(before)


@pytest.mark.parametrize("door", DOORS)
def test_a_field_that_we_do_not_know_is_told_not_swallowed(desk: Desk, door: str) -> None:
    path, body = DOORS[door].open(desk)
    before = picture()
    answer = desk.api.post(path, {**body, "quantitty": 3})
    refused(answer, 422)
    assert answer.fields == {"quantitty"}
    unchanged(before)


NO_JSON = {
    "broken": b'{"reason": "x"',
    "two values": b"{} {}",
    "ten thousand brackets": b"[" * 10_000,
    "ten thousand brackets in a field": b'{"reason": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "ten thousand objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "not a number": b'{"reason": NaN}',
    "infinity": b'{"reason": -Infinity}',
    "a name twice": b'{"reason": "a", "reason": "b"}',
    "bytes that are no UTF-8": b'{"reason": "\xff\xfe"}',
    "half a surrogate as bytes": b'{"reason": "\xed\xa0\xbd"}',
    "UTF-16": '{"reason": "x"}'.encode("utf-16"),
    "a NUL byte": b'{"reason": "\x00"}',
    "a NUL byte after the end": b"{}\x00",
    "five thousand digits": b'{"reason": ' + b"9" * 5000 + b"}",
    "a form": b"reason=x",
    "XML": b"<order/>",
}
NO_OBJECT = {"a list": b"[]", "a list of objects": b"[{}]", "a text": b'"x"', "a number": b"7", "true": b"true"}


@pytest.mark.parametrize("door", DOORS)
def test_what_is_no_json_or_no_object_is_said_so(desk: Desk, door: str) -> None:
    path, _ = DOORS[door].open(desk)
    before = picture()
    for raw in NO_JSON.values():
        # Deep brackets may be read by a patient parser; then they are no object.
        refused(desk.api.post(path, raw), 400, 422)
    for name in ("broken", "not a number", "a name twice", "bytes that are no UTF-8", "UTF-16", "a form"):
        refused(desk.api.post(path, NO_JSON[name]), 400)
    for raw in NO_OBJECT.values():
        refused(desk.api.post(path, raw), 422)
    if not DOORS[door].bare:
        refused(desk.api.post(path, b""), 422)
        refused(desk.api.post(path, b"null"), 422)
        refused(desk.api.post(path, {}), 422)
    unchanged(before)


@pytest.mark.parametrize("door", DOORS)
def test_five_megabytes_are_too_large(desk: Desk, door: str) -> None:
    path, body = DOORS[door].open(desk)
    before = picture()
    refused(desk.api.post(path, json.dumps({**body, "comment": "x" * 5_000_000}).encode()), 413)
    refused(desk.api.post(path, b" " * 1_048_577), 413)
    unchanged(before)


@pytest.mark.parametrize("length", ["ten", "-1", "1e3", "", "0x10", "99999999999999999999", "5000000"])
def test_a_content_length_that_lies_is_no_fault_of_ours(desk: Desk, length: str) -> None:
    before = picture()
    answer = Client().generic(
        "POST", "/api/v1/suppliers", b"{", content_type="application/json",
        headers={"Authorization": f"Bearer {desk.api.key}"}, CONTENT_LENGTH=length,
    )  # fmt: skip
    assert answer.status_code in {400, 413, 422}
    assert answer["Content-Type"] == "application/problem+json"
    unchanged(before)


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded",
     "application/json; charset=utf-16", "multipart/form-data", "application/json; charset=nonsense", "☃"],
)  # fmt: skip
def test_a_wrong_content_type_is_no_fault_of_ours(desk: Desk, content_type: str) -> None:
    for raw in (b"--x\r\nbroken", b"{", b"a=b&c"):
        answer = Client().generic(
            "POST", "/api/v1/suppliers", raw, content_type=content_type,
            headers={"Authorization": f"Bearer {desk.api.key}", "Idempotency-Key": "k"},
        )  # fmt: skip
        assert answer.status_code == 400, answer.content
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0", "", "☃", "application/problem+xml"])
def test_whatever_is_asked_for_the_answer_is_json(desk: Desk, accept: str) -> None:
    refused(desk.api.get("/orders/CF-1", Accept=accept), 404)
    assert desk.api.get("/orders", Accept=accept).status == 200


STRANGE_NAMES = ["%00", "CF-1001%00", "%ED%A0%80", "%FF%FE", "%F0%9F%8D%B7", "..%2F..", "%25", "a" * 3000, "-1", "%20",
                 "'%20OR%201=1--", "%E2%80%AECF-1001", "<script>", "9" * 400, "None", "CF-1001%0A"]  # fmt: skip


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_a_strange_name_in_the_address_is_not_found(desk: Desk, name: str) -> None:
    number = desk.placed()
    before = picture()
    for path in ("/orders/{}", "/orders/{}/timeline", "/orders/{}/documents", "/orders/{}/documents/web-order.pdf",
                 f"/orders/{number}/documents/{{}}.pdf", "/documents/{}.pdf", "/products/{}"):  # fmt: skip
        refused(desk.api.get(path.format(name)), 404)
    for act, body in {
        "approval": {"ship_estimate": soon()}, "holds": {"reason": "x"}, "sales-order": None, "stock-check": None,
        "charge": None, "refunds": {"reason": "x"}, "cancellation": {"reason": "x"},
        "proposals": {"choices": [{"kind": "cancel"}]}, "picks": None, "packages": None,
        "shipments": {"carrier": "UPS", "tracking_number": "1"}, "deliveries": None,
        "returns": {"lines": [{"sku": "PINOT-21", "quantity": 1}], "condition": "sellable", "reason": "x"},
    }.items():  # fmt: skip
        refused(desk.api.post(f"/orders/{name}/{act}", body), 404)
        refused(desk.api.post(f"/orders/{name}/{act}", body, Idempotency_Key="once"), 404)
    refused(desk.api.ask("DELETE", f"/orders/{name}/holds/1"), 404)
    refused(desk.api.ask("DELETE", f"/orders/{number}/holds/{name}"), 404, 422)
    refused(desk.api.post(f"/purchase-orders/{name}/confirmation", {"expected": soon()}), 404)
    refused(desk.api.post(f"/proposals/{name}/answer", {"choice": 0}), 404)
    unchanged(before)


@pytest.mark.parametrize("query", ["%00", "%FF", "%ED%A0%80", "🍷", "'", '"', "%25", "_", "\\", "a" * 200, "<b>", "٣"])
def test_a_strange_search_finds_nothing_and_breaks_nothing(desk: Desk, query: str) -> None:
    desk.placed()
    for name in ("q", "queue", "channel", "after"):
        answer = desk.api.get(f"/orders?{name}={query}")
        assert answer.status == (422 if name == "after" and len(query) > 40 else 200), answer.body
        if name != "after":
            assert answer.body == {"orders": [], "next": None}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "DELETE", "PROPFIND", "HEAD"])
def test_a_method_that_a_door_does_not_have_is_told_with_those_it_has(desk: Desk, method: str) -> None:
    number = desk.placed()
    for path, allowed in {
        "/orders": {"GET", "POST"}, "/products": {"POST"}, f"/orders/{number}": {"GET"}, "/stock": {"POST"},
        f"/orders/{number}/approval": {"POST"}, f"/orders/{number}/holds/1": {"DELETE"}, "/webhooks/stripe": {"POST"},
    }.items():  # fmt: skip
        if method in allowed:
            continue
        answer = desk.api.ask(method, path)
        assert answer.status == 405, (path, answer.status)
        assert {m.strip() for m in answer.headers["Allow"].split(",")} == allowed
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_address_that_does_not_exist_is_a_problem_too(desk: Desk) -> None:
    for path in ("/", "/nothing", "/orders/", "/orders/CF-1001/", "//orders", "/documents/x", "/" + "a" * 5000):
        refused(desk.api.get(path), 404)


# --- orders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lines.0.sku", "NOPE"), ("lines.0.sku", ""), ("lines.0.sku", "pinot-21"), ("lines.0.sku", " PINOT-21"),
        ("lines.0.quantity", 0), ("lines.0.quantity", -1), ("lines.0.quantity", 100_001), ("lines.0.quantity", 2**53),
        ("lines.0.quantity", 2.0), ("lines.0.unit_price", 25.5), ("lines.0.unit_price", -1),
        ("shipping.price", 15.0), ("shipping.price", -1), ("tax", -1), ("tax", 0.1), ("total", 1.5), ("total", -5),
        ("currency", "XXX"), ("currency", "usd"), ("currency", "US"), ("currency", ""), ("currency", "DOGE"),
        ("currency", "EUR🍷"), ("shipping_address.country", "USA"), ("shipping_address.country", ""),
        ("shipping_address.country", "🇺🇸"), ("shipping_address.street", ""), ("shipping_address.city", "  "),
        ("shipping_address.name", ""), ("billing_address.street", ""), ("customer.email", ""),
        ("customer.email", "nobody"), ("customer.email", "a b@example.com"), ("customer.name", ""),
        ("customer.name", "x" * 201), ("channel", ""), ("reference", ""), ("reference", "x" * 101),
        ("reference", "4242 4242 4242 4242"), ("shipping.method", ""), ("payment.method", "barter"),
        ("needed_by", "2020-01-01"), ("placed_at", "2999-01-01T00:00:00Z"), ("lines", []),
    ],
)  # fmt: skip
def test_an_order_with_something_wrong_is_not_taken(desk: Desk, field: str, value: Any) -> None:
    body = {**order_body(("PINOT-21", 2)), "billing_address": dict(ADDRESS)}
    before = picture()
    at = tuple(int(step) if step.isdigit() else step for step in field.split("."))
    answer = desk.api.post("/orders", changed(body, at, value))
    refused(answer, 422)
    # An unknown currency also lacks prices: the field itself must be among those named.
    assert ("lines.0.unit_price" if value == "EUR" else field) in answer.fields, answer.body
    unchanged(before)


@pytest.mark.parametrize("part", ["name", "street", "city", "country"])
def test_an_address_without_one_of_its_parts_is_not_taken(desk: Desk, part: str) -> None:
    before = picture()
    body = order_body(("PINOT-21", 2), shipping_address={k: v for k, v in ADDRESS.items() if k != part})
    answer = desk.api.post("/orders", body)
    refused(answer, 422)
    assert answer.fields == {f"shipping_address.{part}"}
    unchanged(before)


def test_another_currency_needs_its_prices(desk: Desk) -> None:
    before = picture()
    answer = desk.api.post("/orders", order_body(("PINOT-21", 2), currency="EUR"))
    refused(answer, 422)
    assert answer.fields == {"lines.0.unit_price"}
    unchanged(before)


def test_a_repeat_is_the_same_order_even_when_it_took_the_last_bottle(desk: Desk) -> None:
    desk.api.done("/products", {"sku": "LAST", "name": "Last one", "price": 1, "currency": "USD",
                                "sell_when_out": "stop"})  # fmt: skip
    desk.api.done("/stock", {"sku": "LAST", "quantity": 1, "reason": "found"})
    body = order_body(("LAST", 1))
    first = desk.api.post("/orders", body)
    before = picture()
    again = desk.api.post("/orders", body)
    assert (first.status, again.status, again.body["number"]) == (201, 200, first.body["number"])
    sold_out = desk.api.post("/orders", order_body(("LAST", 1)))
    refused(sold_out, 409)
    assert sold_out.codes == {"sold_out"}
    assert sold_out.body["blockers"][0]["line"] == "LAST"
    unchanged(before)


def test_long_telephone_and_order_numbers_are_kept_as_they_are_and_card_numbers_are_not(desk: Desk) -> None:
    # Both have a fitting check digit, as one number in ten has.
    body = order_body(("PINOT-21", 1), reference="5812345678901", comment="my card is 4242 4242 4242 4242")
    body["customer"]["phone"] = "+49 1511 234567 8"
    for reference in ("5812345678901", "5812345678919", "302-1234567-1234567"):
        taken = desk.api.done("/orders", {**body, "reference": reference})
        assert (taken["reference"], taken["customer"]["phone"]) == (reference, "+49 1511 234567 8")
        assert taken["comment"] == "my card is [card number ending in 4242 removed]"
    assert not [k for k, v in picture().items() if "4242424242424242" in str(v).replace(" ", "")]


# --- acts at the wrong time, and repeats ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "act", "body", "code"),
    [
        (Desk.placed, "charge", {}, "not_approved"),
        (Desk.placed, "picks", {}, "not_approved"),
        (Desk.placed, "packages", {}, "not_picked"),
        (Desk.placed, "shipments", {"carrier": "UPS", "tracking_number": "1Z1"}, "not_picked"),
        (Desk.placed, "deliveries", {}, "not_picked"),
        (Desk.placed, "refunds", {"reason": "x"}, "over_refundable"),
        (Desk.placed, "sales-order", None, "not_approved"),
        (Desk.approved, "packages", {}, "not_picked"),
        (Desk.picked, "shipments", {"carrier": "UPS", "tracking_number": "1Z1"}, "not_packed"),
        (Desk.packed, "deliveries", {}, "not_packed"),
        (Desk.approved, "approval", {"ship_estimate": "SOON"}, "someone_else"),
        (Desk.packed, "picks", {}, "someone_else"),
        (Desk.shipped, "shipments", {"carrier": "UPS", "tracking_number": "1Z2"}, "already_shipped"),
        (Desk.shipped, "cancellation", {"reason": "x"}, "not_cancellable"),
        (Desk.shipped, "picks", {}, "already_shipped"),
        (Desk.paid, "charge", {"reference": "again", "amount": 6500}, "already_charged"),
        (Desk.paid, "refunds", {"amount": 6501, "reason": "x"}, "over_refundable"),
    ],
)
def test_an_act_at_the_wrong_time_is_refused_with_its_reason(
    desk: Desk, state: Any, act: str, body: Any, code: str
) -> None:
    number = state(desk)
    if body and "ship_estimate" in body:
        body = {"ship_estimate": soon()}
    before = picture()
    answer = desk.api.post(f"/orders/{number}/{act}", body)
    refused(answer, 409)
    assert code in answer.codes, answer.body
    if code == "someone_else":
        assert answer.body["blockers"][0]["by"] == "Olga"
    unchanged(before)


@pytest.mark.parametrize("act", ["sales-order", "stock-check"])
def test_asking_again_for_what_is_done_changes_nothing(desk: Desk, act: str) -> None:
    number = desk.approved()
    before = picture()
    assert desk.api.post(f"/orders/{number}/{act}").status == 200
    unchanged(before)


def test_a_shipment_needs_its_tracking_number_and_every_number_is_used_once(desk: Desk) -> None:
    number = desk.packed()
    other = desk.shipped()
    before = picture()
    for body, fields in (
        ({"carrier": "UPS"}, {"tracking_number"}),
        ({"tracking_number": "1Z"}, {"carrier"}),
        ({"carrier": " ", "tracking_number": "\t"}, {"carrier", "tracking_number"}),
        ({"carrier": "UPS", "tracking_number": "1Z\u202e7"}, {"tracking_number"}),
        ({"carrier": "UPS", "tracking_number": "x" * 81}, {"tracking_number"}),
        ({"carrier": "ups", "tracking_number": f"1z{other}"}, {"tracking_number"}),
        ({"carrier": "UPS", "tracking_number": "1Z", "packages": [10**15]}, {"packages"}),
        ({"carrier": "UPS", "tracking_number": "1Z", "packages": []}, {"packages"}),
    ):
        answer = desk.api.post(f"/orders/{number}/shipments", body)
        refused(answer, 422)
        assert answer.fields == fields or fields == {"packages"}, answer.body
    unchanged(before)


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_forged_token_opens_nothing(desk: Desk, client: Client) -> None:
    number, token = desk.asked()
    own = Order.objects.get(number=number).token
    before = picture()
    for forged in (token[:-1] + ("A" if token[-1] != "A" else "B"), token[:-1], token + "A", token.swapcase(), own,
                   "a" * 43, number):  # fmt: skip
        refused(desk.api.post(f"/proposals/{forged}/answer", {"choice": 0}), 404)
        if forged != own:
            assert client.get(f"/orders/{forged}").status_code == 404
    unchanged(before)


def test_an_answer_that_came_too_late_is_refused_and_the_order_stays_as_it_was(desk: Desk) -> None:
    from datetime import timedelta

    from counterfoil.core import clock

    number, token = desk.asked()
    as_placed = desk.api.order(number)["lines"]
    with clock.at(clock.business_now() + timedelta(days=60)):
        answer = desk.api.post(f"/proposals/{token}/answer", {"choice": 0})
    refused(answer, 409)
    order = desk.api.order(number)
    assert (order["proposals"][0]["state"], order["lines"], order["cancelled_at"]) == ("expired", as_placed, None)


@pytest.mark.parametrize(
    "body", [{}, {"choice": 0, "decline": True}, {"choice": 1}, {"choice": -1}, {"decline": False}]
)
def test_an_answer_names_one_choice_or_declines(desk: Desk, body: Any) -> None:
    _, token = desk.asked()
    before = picture()
    refused(desk.api.post(f"/proposals/{token}/answer", body), 422)
    unchanged(before)


@pytest.mark.parametrize(
    "signature", ["", "t=1,v1=00", "t=x", "v1=", "t=9999999999,v1=" + "0" * 64, "☃", "t=1,t=2,v1=a,v1=b"]
)
def test_an_event_that_the_processor_did_not_sign_is_not_stored(desk: Desk, settings: Any, signature: str) -> None:
    before = picture()
    for secret in ("", "whsec_test"):
        settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_test_x", secret
        for raw in (b'{"id": "evt_1"}', b"", b"\xff", b"[]", b"null", b"[" * 10_000):
            refused(desk.api.post("/webhooks/stripe", raw, Stripe_Signature=signature.encode().decode("latin-1")), 400)
    unchanged(before)


def test_whoever_guesses_tokens_is_slowed_down(desk: Desk) -> None:
    before = picture()
    answers = [desk.api.post(f"/proposals/{'a' * 43}/answer", {"choice": 0}) for _ in range(70)]
    assert [a.status for a in answers[:60]] == [404] * 60
    for answer in answers[60:]:
        refused(answer, 429)
    unchanged(before)


# --- text that is only text -------------------------------------------------------------------------------------------

TEXTS = {
    "html": "<script>alert(1)</script><b onload='x'>&amp;\"",
    "right to left": "\u202eشارع الكرم ١٢ \u05d9\u05d9\u05df\u200f",
    "emoji": "🍷👩🏽‍🌾🏴󠁧󠁢󠁥󠁮󠁧󠁿 é\u0301\u0301",
    "controls": "a\x01b\x0bc\x7f\x85\u2028\ufffe\U0010ffff\n\r\td",
    "templates": '{{ 7*7 }} {% raise %} %s %(x)s ${x} #let x = 1; #include "/etc" \\\\ $ _ * ` @a <l>',
}
FREE = {"name", "street", "city", "postcode", "state", "phone", "gift_message", "comment", "method", "reason",
        "message", "description", "lot", "bin", "producer", "size", "reference", "brand", "carrier", "tax_class"}  # fmt: skip


@pytest.mark.parametrize("style", TEXTS)
@pytest.mark.parametrize("door", DOORS)
def test_strange_text_is_harmless_text_or_a_clear_no(desk: Desk, door: str, style: str) -> None:
    path, body = DOORS[door].open(desk)
    for at, value in leaves(body):
        if isinstance(value, str) and at[-1] in FREE and at[0] != "payment":
            short = at[-1] in {"bin", "brand", "tax_class", "size", "lot", "phone"}
            body = changed(body, at, TEXTS[style][:12] if short else TEXTS[style])
    answer = desk.api.post(path, body)
    if answer.status >= 300:
        refused(answer, 409, 422)
    from counterfoil.flow.verify import judge_all

    assert judge_all() == []


@pytest.mark.parametrize("style", TEXTS)
def test_strange_text_in_an_order_is_text_on_every_page_and_paper(desk: Desk, client: Client, style: str) -> None:
    from counterfoil.core.access.models import User

    text = TEXTS[style]
    address = {**dict.fromkeys(("name", "street", "city", "postcode", "state"), text), "country": "US"}
    body = order_body(("PINOT-21", 1), card=None, shipping_address=address, billing_address=address, comment=text)
    body["customer"]["name"] = body["shipping"]["method"] = body["gift_message"] = text
    taken = desk.api.post("/orders", body)
    assert taken.status == 201, taken.body
    number = taken.body["number"]
    assert taken.body["comment"] == text.strip() == desk.api.order(number)["shipping_address"]["city"]
    desk.api.done(f"/orders/{number}/holds", {"reason": text})
    assert desk.api.get(f"/orders/{number}/documents/web-order.pdf").body.startswith(b"%PDF")
    client.force_login(User.objects.create_user("o@example.com", "a long password", name="Olga", role="owner"))
    token = Order.objects.get(number=number).token
    for page in (f"/orders/{token}", f"/desk/orders/{number}", "/desk/", f"/desk/?q={number}"):
        found = client.get(page, follow=True)
        assert found.status_code == 200, page
        assert b"<script>alert" not in found.content
        assert b"<b onload" not in found.content


@pytest.mark.parametrize("key", ["", "cf_", "cf_" + "a" * 43, "x" * 8000, "\u00e9\u00ff", "null", "Bearer", "a b c"])
def test_a_wrong_key_is_told_apart_from_a_wrong_role(desk: Desk, key: str) -> None:
    stranger = Api("owner")
    stranger.key = key
    before = picture()
    for answer in (stranger.get("/orders"), stranger.post("/suppliers", {"name": "x"}), stranger.post("/orders", b"{")):
        refused(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    unchanged(before)
