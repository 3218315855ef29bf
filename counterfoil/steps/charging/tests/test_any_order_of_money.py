"""Whatever people, banks and clocks do in whatever order: our ledger is the bank's, and nothing is lost or doubled.

`COUNTERFOIL_TEST_MONEY_EXAMPLES=500` (and `COUNTERFOIL_TEST_MONEY_STEPS=40`) make it a long run.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from counterfoil.steps.charging.tests.money_machine import Money
from tests.support import Api, product

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("COUNTERFOIL_TEST_MONEY_EXAMPLES", "7"))
STEPS = int(os.environ.get("COUNTERFOIL_TEST_MONEY_STEPS", "18"))


def test_whatever_happens_the_money_is_where_the_records_say(moving_card: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfoil.steps.charging.charge.PATIENCE", 0.0)
    api = Api("owner", "Olga")
    product(api, "PINOT-21", stock=10_000)
    product(api, "RARE-61", stock=1)
    monkeypatch.setattr(Money, "bank", moving_card, raising=False)
    monkeypatch.setattr(Money, "api", api, raising=False)
    monkeypatch.setattr(Money, "told", Counter(), raising=False)
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
            phases=[p for p in Phase if EXAMPLES > 50 or p is not Phase.explain],
        ),
    )
    print(*(f"{count:5} {what}" for what, count in sorted(Money.told.items())), sep="\n")
