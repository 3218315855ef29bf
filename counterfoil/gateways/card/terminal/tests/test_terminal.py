"""What only the terminal does: it stands in its caller's transaction, knows whose a slip is, and waits for a person."""

from __future__ import annotations

import pytest

from counterfoil.core.db import writing
from counterfoil.gateways.card.protocol import Intent, Wrong
from counterfoil.gateways.card.terminal.gateway import TerminalGateway, UsedElsewhere
from counterfoil.gateways.card.terminal.models import Slip, SlipNumber, SlipReturn

pytestmark = pytest.mark.django_db
TILL = TerminalGateway()


def slip(order: str, number: str, *, kind: str = "cheque", amount: int = 6_500, key: str = "") -> Intent:
    mark = {"order": order, "slip": number, "by": "Clara", "brand": "visa", "last4": "4242"}
    return TILL.create_intent(
        amount=amount, currency="usd", method=kind, reference=mark, key=key or f"{order}-{kind}-{number}-{amount}"
    )


def entered(order: str, number: str, *, kind: str = "cheque", amount: int = 6_500) -> Intent:
    made = slip(order, number, kind=kind, amount=amount)
    return TILL.confirm_intent(made.id, key=f"confirm-{made.id}")


def test_a_slip_says_what_a_clerk_wrote_on_it() -> None:
    found = entered("CF-1", "2041", kind="card")
    assert (found.currency, found.method_id, found.brand, found.last4) == ("USD", "card", "visa", "4242")
    kept = Slip.objects.get()
    assert (kept.by, kept.number, kept.order_number) == ("Clara", "2041", "CF-1")


def test_a_slip_stands_or_falls_with_the_transaction_that_it_was_written_in() -> None:
    def enters_and_fails() -> None:
        with writing():
            entered("CF-1", "2041")
            raise RuntimeError("the order was changed")

    with pytest.raises(RuntimeError, match="the order was changed"):
        enters_and_fails()
    assert not Slip.objects.exists()
    assert not SlipNumber.objects.exists()
    assert entered("CF-2", "2041").status == "done"


def test_a_slip_of_another_order_is_named_and_leaves_this_one_unconfirmed() -> None:
    entered("CF-1", "2041")
    made = slip("CF-2", " 20 41 ")
    with pytest.raises(UsedElsewhere, match="the cheque  20 41  is already entered on CF-1") as used:
        TILL.confirm_intent(made.id, key="c-2")
    assert used.value.order == "CF-1"
    assert TILL.get_intent(made.id).status == "waiting"


def test_one_transfer_may_pay_two_parts_of_its_order() -> None:
    entered("CF-1", "T-9", kind="transfer", amount=100)
    assert entered("CF-1", "T-9", kind="transfer", amount=200).captured == 200


def test_a_slip_that_was_never_confirmed_is_nobodys() -> None:
    made = slip("CF-1", "2041")
    TILL.cancel_intent(made.id, key="cancel")
    assert entered("CF-2", "2041").status == "done"


def test_what_goes_back_waits_for_the_first_person_who_says_that_they_paid_it() -> None:
    taken = entered("CF-1", "2041")
    back = TILL.refund(intent_id=taken.id, amount=1_000, reference={"refund": "r-1"}, key="r-1")
    assert (back.status, TILL.get_refund(back.id).status) == ("pending", "pending")
    for name in ("Clara", "Bo"):
        assert TILL.paid_back(back.id, by=name).status == "succeeded"
    noted = SlipReturn.objects.get()
    assert noted.paid_by == "Clara"
    assert noted.paid_at is not None
    with pytest.raises(Wrong):
        TILL.paid_back("slipback_999999", by="Clara")
