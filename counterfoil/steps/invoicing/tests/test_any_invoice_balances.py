"""Invoices of any total meet what was paid."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.steps.invoicing.rules import settle


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_an_invoice_always_balances_and_never_takes_deposits_that_are_not_there(
    total: int, charged: int, refunds: int
) -> None:
    refunds = min(refunds, charged)
    met = settle(total=total, charged=charged, refunds=refunds)
    assert met.deposits + met.returns + met.receivable == total
    assert min(met.deposits, met.returns, met.receivable) >= 0
    assert met.deposits <= charged - refunds
    assert met.returns <= refunds
