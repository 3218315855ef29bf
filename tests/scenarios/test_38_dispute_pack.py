"""Scenario 38: a "not received" dispute: promise, consent, charge, tracking, signature and e-mails as one pack."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from django.test import Client

from conftest import Mailbox
from counterfoil.core import clock
from counterfoil.core.access.models import User
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.models import Document
from counterfoil.core.papers.tests.reading import reader, text
from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Charge, Order, Part, Promise
from counterfoil.records.orders.promises import keep_promise
from counterfoil.steps.charging.actions import reconcile
from counterfoil.steps.charging.evidence import evidence_pdf
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
    signed = api.post(f"/orders/{number}/deliveries", {"signed_by": "x" * 121})
    assert (signed.status, signed.fields) == (422, {"signed_by"})
    done = api.done(f"/orders/{number}/deliveries", {"signed_by": "June Harper, 4111 1111 1111 1111"})
    assert [s["signed_by"] for s in done["shipments"]] == ["June Harper, •••• 1111"]
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


def test_scenario_38_a_not_received_dispute_exports_promise_consent_charge_tracking_signature_and_mails_as_one_pack(
    own_bank: str, mailbox: Mailbox
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
        "promised (review); stated by the shop; at the latest",
        "The customer agreed at the check-out that their card is kept and charged once the goods can be sent",
        "$65.00 charged to Visa ending in 4242 (disputed)",
        charge.charge_id,
        charge.intent_id,
        f"Shipped with UPS, tracking number {TRACKING}",
        "https://www.ups.com/track",
        "Delivered to Zoë Brontë, 12 Vine Street",
        "Signed for by June Harper, •••• 1111",
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
    # Each mail with its text as it arrived; only the address of the customer's own page is cut short.
    token = Order.objects.get(number=number).token
    assert token not in pack
    arrived = mailbox.mails(to=Order.objects.get(number=number).email)
    assert len(arrived) == len(subjects)
    for mail in arrived:
        for line in mail["text"].replace(token, "…").split("\n"):
            assert " ".join(line.split()) in pack, line
    assert api.get(f"/disputes/{row.pk}/evidence.pdf").body[:5] == b"%PDF-"


def test_scenario_38_the_pack_says_of_each_promise_how_the_customer_came_to_have_it(own_bank: str) -> None:
    api = Api()
    product(api, stock=10)
    number = str(api.done("/orders", order_body(("PINOT-21", 2)))["number"])
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": (shop().today() + timedelta(days=1)).isoformat()})
    api.done(f"/orders/{number}/charge", {})
    with writing():
        taken = take(number)
        for day, consent in ((timedelta(days=9), Promise.IMPLIED), (None, Promise.EXPRESS)):
            date = shop().today() + day if day else None
            keep_promise(taken, Part.objects.get(order=taken), date, basis="delay", actor=SYSTEM, consent=consent)
    pack = flat(evidence_pdf(not_received(own_bank, number))[1])
    assert "promised (review); stated by the shop; at the latest" in pack
    assert "promised (delay); the customer did not object to the notice: implied consent; at the latest" in pack
    assert "Delivery promised without a date (delay); the customer agreed to it; no latest day, since" in pack


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
