"""Webhooks are hints: believed only when signed, and then only as far as the processor itself confirms them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from counterfoil.core import clock
from counterfoil.core.db import execute
from counterfoil.core.models import Job
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Charge, PayLink
from counterfoil.steps.charging import charge as charging
from counterfoil.steps.charging.actions import open_card_page
from counterfoil.steps.charging.models import InboxEvent
from counterfoil.steps.charging.tests.build import (
    CONFIRM,
    approved,
    at_the_bank,
    deliver,
    event,
    fault,
    later,
    signed,
    time_passes,
)
from tests.support import Api, settle

pytestmark = pytest.mark.django_db
TOTAL = 6500


@pytest.fixture
def api(card: str, mailbox: Any, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setattr(charging, "PATIENCE", 0.0)
    return Api()


def unanswered(api: Api, card: str) -> str:
    """An order whose charge was done, and nobody told us."""
    number = approved(api)
    with fault(card, "lost_answer", count=1, path=CONFIRM):
        assert api.post(f"/orders/{number}/charge", {}).status == 202
    execute("DELETE FROM core_job WHERE name = 'charging.send'")
    return number


@pytest.mark.parametrize("how", ["forged", "none", "garbage", "old", "other body", "no secret"])
def test_an_event_that_the_processor_did_not_sign_is_not_even_kept(
    api: Api, card: str, client: Any, how: str, settings: Any
) -> None:
    body = event("payment_intent.succeeded", "pi_1")
    if how == "no secret":
        settings.STRIPE_WEBHOOK_SECRET = ""
    signature = {
        "forged": signed(body, "whsec_guessed"),
        "none": "",
        "garbage": "t=1,v1=\u00e4",
        "old": signed(body, age=3600),
        "other body": signed(event("payment_intent.succeeded", "pi_2")),
        "no secret": signed(body, ""),
    }[how]
    assert deliver(client, body, signature) == 400
    assert not InboxEvent.objects.exists()
    assert not Job.objects.filter(name="charging.inbox").exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": "evt_1", "data": []}', b"\xff\xfe"])
def test_a_signed_body_that_is_no_event_breaks_nothing(api: Api, card: str, client: Any, body: bytes) -> None:
    assert deliver(client, body, signed(body)) in {200, 400}
    settle()
    assert not Job.objects.filter(state="dead").exists()


def test_an_event_brings_a_charge_in_line_that_nobody_had_answered(api: Api, card: str, client: Any) -> None:
    number = unanswered(api, card)
    body = event("payment_intent.succeeded", Charge.objects.get().intent_id)
    assert deliver(client, body, signed(body)) == 200
    settle()
    assert api.order(number)["charged"] == TOTAL
    assert InboxEvent.objects.get().outcome == "charge looked at"
    later()
    assert judge_all() == []


def test_the_same_event_twice_has_one_effect(api: Api, card: str, client: Any) -> None:
    number = unanswered(api, card)
    body = event("payment_intent.succeeded", Charge.objects.get().intent_id)
    for _ in range(2):
        assert deliver(client, body, signed(body)) == 200
    settle()
    assert deliver(client, body, signed(body)) == 200
    settle()
    assert InboxEvent.objects.count() == 1
    assert api.order(number)["charged"] == TOTAL
    assert at_the_bank(card, number) == [(TOTAL, 0)]
    later()
    assert judge_all() == []


def test_an_event_that_lies_changes_nothing(api: Api, card: str, client: Any) -> None:
    """It says that the money was taken; the processor itself says that it was not."""
    number = approved(api)
    with fault(card, "error_500", count=1, path=CONFIRM):
        assert api.post(f"/orders/{number}/charge", {}).status == 202
    api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    body = event("payment_intent.succeeded", Charge.objects.get().intent_id)
    assert deliver(client, body, signed(body)) == 200
    later()
    order = api.order(number)
    assert (order["charged"], order["axes"]["money"]) == (0, "voided")
    assert judge_all() == []


def test_an_event_that_comes_before_we_know_the_pages_id_finds_it_by_our_own_mark(
    api: Api, card: str, client: Any
) -> None:
    number = approved(api, card="pm_card_chargeCustomerFail")
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    settle()
    open_card_page(order=number)
    link = PayLink.objects.get()
    known = link.session_id
    # The processor's event is faster than our own note of the page's id.
    PayLink.objects.update(session_id="", state="intended")
    body = event("checkout.session.expired", known)
    assert deliver(client, body, signed(body)) == 200
    settle()
    assert InboxEvent.objects.get().outcome == "page taken in"
    assert PayLink.objects.get().session_id == known


@pytest.mark.parametrize(
    ("kind", "object_id"),
    [("payment_intent.succeeded", "pi_x"), ("checkout.session.completed", "cs_x"), ("refund.failed", "re_x")],
)
def test_what_is_somebody_elses_is_called_so_after_a_while(
    api: Api, card: str, client: Any, kind: str, object_id: str
) -> None:
    body = event(kind, object_id)
    assert deliver(client, body, signed(body)) == 200
    settle()
    assert InboxEvent.objects.get().handled_at is None
    execute("UPDATE charging_inboxevent SET received_at = %s", [clock.real_now() - timedelta(minutes=3)])
    time_passes()
    settle()
    assert InboxEvent.objects.get().outcome == "not ours"
    assert not Job.objects.exists()
    assert judge_all() == []


def test_an_event_about_nothing_of_interest_is_filed(api: Api, card: str, client: Any) -> None:
    body = event("customer.created", "cus_1")
    assert deliver(client, body, signed(body)) == 200
    settle()
    assert InboxEvent.objects.get().outcome == "nothing to do"
