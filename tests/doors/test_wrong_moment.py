"""Acts before their time or after it, repeats, and tokens that nobody gave out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from counterfoil.core import clock
from counterfoil.records.orders.models import Order
from tests.doors.build import Desk, picture, refused, soon, unchanged

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


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
        (Desk.packed, "breakages", {"lines": [{"sku": "PINOT-21", "quantity": 1}]}, "someone_else"),
        (Desk.shipped, "shipments", {"carrier": "UPS", "tracking_number": "1Z2"}, "already_shipped"),
        (Desk.shipped, "cancellation", {"reason": "x"}, "not_cancellable"),
        (Desk.shipped, "picks", {}, "already_shipped"),
        (Desk.placed, "authorisation", {}, "no_payment_method"),
        (Desk.paid, "authorisation", {}, "already_charged"),
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
