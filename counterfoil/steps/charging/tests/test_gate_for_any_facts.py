"""The charge gate against any stock, on hand and on order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.steps.charging.rules import may_charge
from counterfoil.steps.charging.tests.test_rules import HORIZON, LINE, READY, TODAY, part

units = st.integers(0, 8)
dates = st.none() | st.dates(TODAY - timedelta(days=3), HORIZON + timedelta(days=3))


@given(units, units, units, units, dates, st.sampled_from(["unchecked", "short", "awaiting", "confirmed"]))
def test_the_gate_never_opens_on_a_unit_that_nobody_promised(
    quantity: int, reserved: int, due: int, confirmed: int, day: date | None, stock: str
) -> None:
    line = replace(LINE, quantity=quantity, reserved=reserved, due=due, due_confirmed=confirmed, due_date=day)
    if may_charge(READY, part(line, stock=stock)):
        return
    sure = reserved + (confirmed if day is not None and TODAY <= day <= HORIZON else 0)
    assert sure >= quantity > 0
    assert stock != "unchecked"
