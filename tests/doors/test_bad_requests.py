"""Requests that are broken before anybody reads a field: no JSON, too large, wrong method, strange addresses."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.doors.build import Desk, picture, refused, soon, unchanged
from tests.doors.table import DOORS

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


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
        "charge": None, "authorisation": None, "refunds": {"reason": "x"}, "cancellation": {"reason": "x"},
        "calls": {"outcome": "accepted"}, "proposals": {"choices": [{"kind": "cancel"}]},
        "picks": None, "packages": None, "breakages": {"lines": [{"sku": "PINOT-21", "quantity": 1}]},
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
