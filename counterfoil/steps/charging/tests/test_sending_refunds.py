"""A refund whose processor answers with an error that it keeps repeating: a new key, but only after a look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from counterfoil.core import clock, jobs
from counterfoil.core.models import JournalEvent
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.card import gateway
from counterfoil.gateways.card.protocol import CardError, OutcomeUnknown
from counterfoil.records.orders.models import Refund
from counterfoil.steps.charging.actions import send_refund
from counterfoil.steps.charging.tests.build import approved, at_the_bank, fault, later, time_passes
from tests.crowd import together
from tests.support import Api, settle

pytestmark = pytest.mark.django_db(transaction=True)
TOTAL = 6500
REFUNDS = "/v1/refunds"


@pytest.fixture
def owed(card: str, mailbox: Any) -> Refund:
    """A charged order with 10.00 on its way back, not sent yet."""
    api = Api()
    number = approved(api)
    api.done(f"/orders/{number}/charge", {})
    api.done(f"/orders/{number}/refunds", {"amount": 1000, "reason": "a bottle arrived broken"})
    return Refund.objects.select_related("part__order").get()


def fails(refund: Refund) -> OutcomeUnknown:
    with pytest.raises(OutcomeUnknown) as error:
        send_refund(refund_id=refund.pk)
    return error.value


def settled(refund: Refund, card: str) -> Refund:
    later()
    assert at_the_bank(card, refund.part.order.number) == [(TOTAL, 1000)]
    assert judge_all() == []
    refund = Refund.objects.select_related("part__order").get(pk=refund.pk)
    assert refund.state == "succeeded"
    return refund


def test_a_replayed_error_behind_which_nothing_happened_gets_a_new_key_and_is_paid_once(
    owed: Refund, card: str
) -> None:
    with fault(card, "error_500_kept", count=1, path=REFUNDS):
        assert not fails(owed).replayed
        assert Refund.objects.get(pk=owed.pk).key == owed.key
        send_refund(refund_id=owed.pk)
    paid = settled(owed, card)
    assert paid.key == f"{owed.key}~2"
    assert JournalEvent.objects.filter(kind="refund_tried_again").count() == 1


def test_a_replayed_error_behind_which_the_money_went_is_looked_up_and_not_sent_again(owed: Refund, card: str) -> None:
    with fault(card, "error_500_after", count=1, path=REFUNDS):
        fails(owed)
        send_refund(refund_id=owed.pk)
    paid = settled(owed, card)
    assert paid.key == owed.key
    assert not JournalEvent.objects.filter(kind="refund_tried_again").exists()


@pytest.mark.parametrize("kind", ["error_500", "lost_answer", "lost_call"])
def test_an_error_that_is_not_a_replayed_one_never_takes_a_new_key(owed: Refund, card: str, kind: str) -> None:
    with fault(card, kind, count=3, path=REFUNDS):
        for _ in range(3):
            assert not fails(owed).replayed
    assert settled(owed, card).key == owed.key


def test_while_it_cannot_be_looked_up_no_key_is_changed(owed: Refund, card: str) -> None:
    with fault(card, "error_500_kept", count=1, path=REFUNDS):
        fails(owed)
        with fault(card, "error_500", count=1, path=REFUNDS, method="GET"):
            assert not fails(owed).replayed
        assert Refund.objects.get(pk=owed.pk).key == owed.key
    assert settled(owed, card).key == f"{owed.key}~2"


def test_each_new_key_may_be_answered_with_an_error_too(owed: Refund, card: str) -> None:
    with fault(card, "error_500_kept", count=3, path=REFUNDS):
        for _ in range(3):
            fails(owed)
    assert settled(owed, card).key == f"{owed.key}~4"


def test_of_many_workers_at_a_replayed_error_one_sends_it_again(owed: Refund, card: str) -> None:
    with fault(card, "error_500_kept", count=1, path=REFUNDS):
        fails(owed)
    found = together(6, lambda _: send_refund(refund_id=owed.pk))
    assert all(isinstance(one, CardError | jobs.Later | None) for one in found), found
    paid = settled(owed, card)
    assert paid.key == f"{owed.key}~2"


def test_a_key_that_the_processor_may_have_forgotten_is_never_sent_again(owed: Refund, card: str) -> None:
    with fault(card, "lost_call", count=1, path=REFUNDS):
        fails(owed)
    Refund.objects.update(made_at=clock.real_now() - timedelta(hours=21))
    with fault(card, "lost_answer", count=1, path=REFUNDS, method="POST"):
        fails(owed)  # under a new key, which is young again
    assert Refund.objects.get(pk=owed.pk).key == f"{owed.key}~2"
    # The money went, and nobody told us; hours later it is looked up under the key that it was sent with.
    Refund.objects.update(made_at=clock.real_now() - timedelta(hours=21))
    send_refund(refund_id=owed.pk)
    assert settled(owed, card).key == f"{owed.key}~2"
    assert JournalEvent.objects.filter(kind="refund_tried_again").count() == 1


def test_what_the_processor_has_is_asked_by_its_id_and_never_sent_anew(owed: Refund, card: str) -> None:
    mark = {"refund": "a mark that somebody changed"}
    there = gateway().refund(intent_id=owed.charge.intent_id, amount=owed.amount, reference=mark, key="r-1")
    Refund.objects.update(refund_id=there.id, made_at=clock.real_now() - timedelta(hours=21))
    send_refund(refund_id=owed.pk)
    kept = Refund.objects.get(pk=owed.pk)
    assert (kept.state, kept.key, kept.refund_id) == ("succeeded", owed.key, there.id)
    assert not JournalEvent.objects.filter(kind="refund_tried_again").exists()


def test_a_worker_does_all_this_by_itself(owed: Refund, card: str) -> None:
    with fault(card, "error_500_kept", count=1, path=REFUNDS):
        for _ in range(2):
            time_passes()
            settle()
    settled(owed, card)
