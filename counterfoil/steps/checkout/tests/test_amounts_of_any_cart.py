"""Amounts of any cart add up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.steps.checkout.rules import add_up, price_lines


@given(
    st.lists(st.tuples(st.just("A"), st.integers(1, 500), st.integers(0, 10**6), st.just(0)), min_size=1, max_size=20),
    st.integers(0, 10**7),
)
def test_no_cent_of_a_given_tax_is_lost(lines: list[tuple[str, int, int, int]], tax: int) -> None:
    priced = price_lines(lines, tax)
    assert sum(ln.tax for ln in priced) == tax
    assert all(ln.tax >= 0 for ln in priced)


@given(
    st.lists(
        st.tuples(st.just("A"), st.integers(1, 99), st.integers(0, 10**6), st.integers(0, 10**6)),
        min_size=1,
        max_size=9,
    ),
    st.integers(0, 10**5),
    st.none() | st.integers(0, 10**9),
)
def test_the_amounts_always_add_up_to_what_the_customer_agreed_to(
    lines: list[tuple[str, int, int, int]], shipping: int, total: int | None
) -> None:
    found = add_up(price_lines(lines, None), shipping, total)
    assert found.total == found.subtotal + found.shipping + found.tax + found.rounding
    assert found.total == total if total is not None else found.rounding == 0
