"""Scenario 32: a day of sales, refunds, fees and a dispute: when the payout lands, clearing agrees to the cent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db.models import Sum
from django.test import Client

from counterfoil.core import clock
from counterfoil.core.access.models import User
from counterfoil.core.db import writing
from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.records.books.models import Posting
from counterfoil.records.orders.models import Charge
from counterfoil.shell.cli import main
from counterfoil.shell.moving import tell_sandbox
from counterfoil.shell.worker import owe_nightly
from counterfoil.steps.charging.models import BalanceEntry, Payout
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db
TOTAL, CHARGE_FEE, DISPUTE_FEE = 6500, 219, 1500  # of two bottles and their shipping, in cents


def sold(api: Api, card: str = "pm_card_visa") -> str:
    """An order that was approved and charged; its number."""
    number = str(api.done("/orders", order_body(("PINOT-21", 2), card=card))["number"])
    settle()
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})
    api.done(f"/orders/{number}/charge", {})
    settle()
    return number


def a_day_passes() -> None:
    """Midnight at the processor and in the shop, with what the worker owes itself then."""
    with writing():
        offset = clock.advance_business_time(timedelta(days=1))
    tell_sandbox(offset)
    owe_nightly(shop().today())
    settle()


def books() -> dict[str, int]:
    held = Posting.objects.values_list("account").annotate(Sum("amount"))
    return {str(account): int(total) for account, total in held if total}


def theirs(bank: str) -> dict[str, int]:
    found = requests.get(f"{bank}/_ledger", params={"summary": "1"}, timeout=10).json()["totals"]["usd"]
    return {name: int(amount) for name, amount in found.items()}


def a_day_of_sales(api: Api, bank: str) -> list[str]:
    """Five sales, a refund of a part, a refund of everything, and a customer who goes to their bank."""
    owe_nightly(shop().today())  # the shop's first day
    product(api, stock=50)
    numbers = [sold(api) for _ in range(4)]
    disputed = sold(api, "pm_card_createDisputeProductNotReceived")
    api.done(f"/orders/{numbers[0]}/refunds", {"amount": 1234, "reason": "a bottle arrived broken"})
    api.done(f"/orders/{numbers[1]}/cancellation", {"reason": "changed their mind"})
    settle()
    return [*numbers, disputed]


def test_scenario_32_a_day_of_sales_refunds_fees_and_a_dispute_when_the_payout_lands_clearing_agrees_to_the_cent(
    own_bank: str,
) -> None:
    api = Api()
    *_, disputed = a_day_of_sales(api, own_bank)
    for _ in range(3):
        a_day_passes()
    payout = Payout.objects.get()
    kept = 5 * TOTAL - 1234 - TOTAL - TOTAL - 5 * CHARGE_FEE - DISPUTE_FEE
    assert (payout.amount, payout.booked, payout.status) == (kept, kept, "paid")
    ours, there = books(), theirs(own_bank)
    assert there["paid_out"] == kept == ours["bank"]
    assert there["balance"] == 0 == ours.get("card_clearing", 0)
    assert ours["card_fees"] == there["fees"] == 5 * CHARGE_FEE + DISPUTE_FEE
    assert ours["disputes"] == there["disputed"] == TOTAL
    lines = BalanceEntry.objects.filter(payout=payout)
    assert sum(line.net for line in lines) == kept
    order = api.order(disputed)
    assert (order["queue"], order["next_action"]) == ("bank_differs", "answer_dispute")
    assert judge_all() == []
    page = at_the_desk().get("/desk/payouts").content.decode()
    assert "Clearing agrees to the cent" in page


def at_the_desk() -> Client:
    client = Client()
    client.force_login(
        User.objects.create_user("books@example.com", "a-long-password", name="Nuria", role="bookkeeper")
    )
    return client


def test_scenario_32_when_clearing_does_not_agree_the_transaction_is_named(
    own_bank: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api = Api()
    *_, last = a_day_of_sales(api, own_bank)
    for _ in range(3):
        a_day_passes()
    # Somebody has tampered with what we know of one charge: its line says four cents less than was charged.
    line = BalanceEntry.objects.get(charge=Charge.objects.get(part__order__number=last), kind="charge")
    BalanceEntry.objects.filter(pk=line.pk).update(amount=TOTAL - 4, net=line.net - 4)
    page = at_the_desk().get("/desk/payouts").content.decode()
    assert "Clearing differs" in page
    assert f"{last}</a>: $65.00 charged here, $64.96 there" in page
    assert main(["verify", "--no-wait"]) == 1
    assert f"{last}: $65.00 charged here, $64.96 there" in capsys.readouterr().out


def test_scenario_32_the_next_day_goes_out_with_what_came_back(own_bank: str, client: Any) -> None:
    """The first payout fails at the shop's bank: nothing is counted twice, and the next one brings it."""
    api = Api()
    a_day_of_sales(api, own_bank)
    requests.post(f"{own_bank}/_faults", json={"kind": "payout_fails", "path": "/v1/payouts", "count": 1}, timeout=10)
    for _ in range(3):
        a_day_passes()
    a_day_passes()
    requests.delete(f"{own_bank}/_faults", timeout=10)
    a_day_passes()
    assert sorted(p.status for p in Payout.objects.all()) == ["failed", "paid"]
    assert books()["bank"] == theirs(own_bank)["paid_out"] == Payout.objects.get(status="paid").amount
    assert theirs(own_bank)["balance"] == 0 == books().get("card_clearing", 0)
    assert judge_all() == []
