"""14. A never-retry decline: no further attempt on that card; soft declines stop under the network limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.errors import Refused
from counterfoil.core.shop import change
from counterfoil.desk.acts import ACTS
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Charge
from counterfoil.steps.charging.actions import charge_order, open_card_page, retry_charge
from counterfoil.steps.charging.tests.build import approved, at_the_bank, intents, later, pays, the_bank_thinks
from tests.scenarios.moving import own_sandbox, time_passes
from tests.support import Api, settle

pytestmark = [pytest.mark.django_db, pytest.mark.story]
TOTAL = 6500


@pytest.fixture
def bank(settings: Any, tmp_path: Path) -> Iterator[str]:
    with own_sandbox(settings, tmp_path) as address:
        yield address


@pytest.fixture
def api(bank: str, mailbox: Any) -> Api:
    return Api()


def declined_as(api: Api, bank: str, card: str) -> str:
    number = approved(api)
    the_bank_thinks(bank, number, card)
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    settle()
    return number


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeDeclinedLostCard", "lost_card"),
        ("pm_card_chargeDeclinedStolenCard", "stolen_card"),
        ("pm_card_chargeDeclinedFraudulent", "fraudulent"),
    ],
)
def test_scenario_14_a_card_that_must_never_be_tried_again_is_never_tried_again_by_any_door(
    api: Api, bank: str, card: str, code: str
) -> None:
    number = declined_as(api, bank, card)
    assert api.order(number)["parts"][0]["decline"] == api.order(number)["parts"][0]["decline"] | {
        "code": code, "class": "never", "attempts": 1, "retry_at": None,
    }  # fmt: skip
    # The bank would even say yes now; we do not ask.
    the_bank_thinks(bank, number, "pm_card_visa")
    refused = api.post(f"/orders/{number}/charge", {})
    assert (refused.status, refused.body["blockers"]) == (
        409, [{"code": "no_payment_method", "message": "this card must not be tried again; ask for another"}],
    )  # fmt: skip
    for door in (
        lambda: charge_order(order=number, actor=SYSTEM),
        lambda: ACTS["charge"](number, {}, SYSTEM),
    ):
        with pytest.raises(Refused):
            door()
    retry_charge(order=number)
    for _ in range(10):
        time_passes(days=1)
    assert len(intents(bank, number)) == Charge.objects.count() == 1
    assert judge_all() == []


def test_scenario_14_another_card_lifts_it(api: Api, bank: str) -> None:
    number = declined_as(api, bank, "pm_card_chargeDeclinedLostCard")
    time_passes(days=9)
    pays(open_card_page(order=number), "pm_card_mastercard")
    later()
    assert api.order(number)["queue"] == "charge"
    assert api.done(f"/orders/{number}/charge", {})["charged"] == TOTAL
    assert at_the_bank(bank, number) == [(TOTAL, 0)]
    assert judge_all() == []


def test_scenario_14_soft_declines_stop_under_the_networks_limit_whoever_asks(api: Api, bank: str) -> None:
    with writing():
        change(retry_after_hours=list(range(6, 6 * 41, 6)), grace_days=30)
    number = declined_as(api, bank, "pm_card_chargeDeclinedInsufficientFunds")
    for _ in range(8):
        time_passes(hours=6.1)
    tried = len(intents(bank, number))
    assert tried == 9
    for _ in range(9):
        api.post(f"/orders/{number}/charge", {})
    # Visa: at most fifteen in thirty days, the clerk's tries among them.
    assert len(intents(bank, number)) == 15
    refused = api.post(f"/orders/{number}/charge", {})
    assert (refused.status, refused.codes) == (409, {"no_payment_method"})
    assert "as often as its network allows" in refused.body["blockers"][0]["message"]
    for _ in range(20):
        time_passes(days=1)
    assert len(intents(bank, number)) == 15
    later()
    assert judge_all() == []


def test_scenario_14_the_limit_is_the_one_of_the_cards_own_network(api: Api, bank: str) -> None:
    number = approved(api, card="pm_card_mastercard")
    the_bank_thinks(bank, number, "pm_card_chargeDeclinedInsufficientFunds")
    answers = [api.post(f"/orders/{number}/charge", {}).status for _ in range(11)]
    assert answers == [402] * 10 + [409], "Mastercard: ten a day"
    time_passes(hours=24.1)
    assert len(intents(bank, number)) == 10, "ten tries have used up the schedule; we try no more by ourselves"
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    later()
    assert judge_all() == []


def test_scenario_14_a_retry_of_ours_waits_for_the_network(api: Api, bank: str) -> None:
    limits = [{"from": "2021-04-01", "network": "*", "attempts": 2, "days": 2, "source": "a scenario"}]
    with writing():
        change(retry_limits=limits)
    number = declined_as(api, bank, "pm_card_chargeDeclinedInsufficientFunds")
    time_passes(hours=24.1)
    assert len(intents(bank, number)) == 2
    time_passes(hours=24.1)
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    time_passes(hours=24.1)
    assert len(intents(bank, number)) == 3
    assert judge_all() == []
