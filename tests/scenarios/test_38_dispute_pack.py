"""Scenario 38: a "not received" dispute: promise, consent, charge, tracking, signature and e-mails as one pack."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from django.test import Client

from counterfoil.core import clock
from counterfoil.core.access.models import User
from counterfoil.core.models import Document
from counterfoil.core.papers.tests.reading import reader, text
from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Charge
from counterfoil.steps.charging.actions import reconcile
from counterfoil.steps.charging.models import Dispute
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db
TRACKING = "1Z999AA10123456784"


def delivered(api: Api) -> str:
    """An order all the way to the customer's door, with its mails; its number."""
    product(api, stock=10)
    number = str(api.done("/orders", order_body(("PINOT-21", 2)))["number"])
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": (shop().today() + timedelta(days=1)).isoformat()})
    settle()
    api.done(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/picks", {})
    api.done(f"/orders/{number}/packages", {})
    api.done(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": TRACKING})
    settle()
    api.done(f"/orders/{number}/deliveries", {})
    api.done(f"/orders/{number}/refunds", {"amount": 500, "reason": "one label was torn"})
    settle()
    return number


def not_received(bank: str, number: str) -> Dispute:
    """The customer tells their bank that nothing ever came, and we hear of it in the night."""
    intent = Charge.objects.get(part__order__number=number).intent_id
    told = {"payment_intent": intent, "reason": "product_not_received"}
    assert requests.post(f"{bank}/_disputes", json=told, timeout=10).status_code == 200
    reconcile()
    return Dispute.objects.get(order__number=number)


def desk() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("clerk@example.com", "a-long-password", name="Ann", role="clerk"))
    return client


def flat(pdf: bytes) -> str:
    return " ".join(text(pdf).split())


def test_scenario_38_a_not_received_dispute_exports_promise_consent_charge_tracking_delivery_and_mails_as_one_pack(
    own_bank: str,
) -> None:
    api = Api()
    number = delivered(api)
    row = not_received(own_bank, number)
    charge = Charge.objects.get()
    ann = desk()
    page = ann.get(f"/desk/orders/{number}").content.decode()
    assert f"/desk/disputes/{row.pk}/evidence.pdf" in page
    answer = ann.get(f"/desk/disputes/{row.pk}/evidence.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    pack = flat(answer.content)
    for words in (
        number,
        "they say that the goods never arrived",
        "Zoë Brontë",
        "12 Vine Street",
        "Wine PINOT-21",
        "promised (review)",
        "The customer agreed at the check-out that their card is kept and charged once the goods can be sent",
        "$65.00 charged to Visa ending in 4242 (disputed)",
        charge.charge_id,
        charge.intent_id,
        f"Shipped with UPS, tracking number {TRACKING}",
        "https://www.ups.com/track",
        "Delivered to Zoë Brontë, 12 Vine Street",
        "signature",
        "Refund of $5.00, paid: one label was torn",
        "Sales order, customer's copy SO-0001",
        "Card receipt RC-0001",
        "Invoice INV-0001",
        "Everything that happened",
    ):
        assert words.upper() in pack.upper(), words
    mails = api.get(f"/orders/{number}/timeline").body["events"]
    subjects = [e["data"]["subject"] for e in mails if e["kind"] == "mail_sent"]
    assert len(subjects) >= 3
    for subject in subjects:
        assert f"“{subject}”" in pack
    assert api.get(f"/disputes/{row.pk}/evidence.pdf").body[:5] == b"%PDF-"


def test_scenario_38_what_was_sent_to_the_bank_is_kept_as_it_was_sent(own_bank: str) -> None:
    api = Api()
    number = delivered(api)
    row = not_received(own_bank, number)
    sent = api.done(f"/disputes/{row.pk}/evidence", {})
    assert (sent["state"], sent["document"], sent["answered_by"]) == ("answered", "EV-0001", "owner's key")
    kept = Document.objects.get(kind="evidence")
    first = api.get(f"/disputes/{row.pk}/evidence.pdf").body
    with clock.at(clock.business_now() + timedelta(days=30)):
        api.done(f"/orders/{number}/returns", {
            "lines": [{"sku": "PINOT-21", "quantity": 1}], "condition": "sellable", "reason": "came back"})  # fmt: skip
        assert api.get(f"/disputes/{row.pk}/evidence.pdf").body == first
    assert kept.number in flat(first)
    assert len(reader(first).pages) >= 2
    there = requests.get(f"{own_bank}/_ledger", timeout=10).json()["objects"]["dispute"][0]
    assert there["status"] == "under_review"
    assert there["evidence"]["shipping_tracking_number"] == TRACKING
    assert there["evidence"]["shipping_carrier"] == "UPS"
    assert there["evidence"]["customer_email_address"].endswith("@example.com")
    assert "Mails to the customer" in there["evidence"]["uncategorized_text"]
    assert judge_all() == []
