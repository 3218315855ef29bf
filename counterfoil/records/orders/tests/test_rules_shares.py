"""Giving back piece by piece ends at exactly what was paid, tax included, whatever the discount."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from counterfoil.records.orders.shares import by_line, by_unit, fit_tax, tax_of

steps = st.sampled_from([1, 10])
costs = st.lists(st.integers(0, 10**7), min_size=1, max_size=8)


def test_with_no_rounding_every_line_is_what_it_costs() -> None:
    assert by_line(4725, [1072, 2153], 1500, 1) == [1072, 2153]


def test_a_discount_on_the_whole_is_shared_by_lines_and_shipping() -> None:
    assert by_line(5000, [6000, 3000], 1000, 1) == [3000, 1500]


@given(costs, st.integers(0, 10**6), st.integers(0, 10**8), steps)
@example([0], 0, 100, 1)
def test_lines_and_shipping_together_are_the_total(gross: list[int], other: int, total: int, step: int) -> None:
    total -= total % step
    shares = by_line(total, gross, other, step)
    assert all(share >= 0 and share % step == 0 for share in shares)
    assert total - sum(shares) >= 0
    if sum(gross) and not other:
        assert sum(shares) == total


@given(st.integers(0, 10**8), st.integers(1, 500), steps)
def test_unit_by_unit_a_line_goes_back_whole(paid: int, quantity: int, step: int) -> None:
    shares = by_unit(paid, quantity, step)
    assert sum(shares) == paid
    assert max(shares) - min(shares) <= step


pieces = st.lists(st.tuples(st.integers(1, 10**6), st.none() | st.integers(0, 10**6)), max_size=12)


@given(st.integers(0, 10**6), st.integers(0, 10**6), pieces)
@example(99, 10, [(50, None), (50, 10)])
@example(99, 250, [(30, None), (30, 10)])
def test_however_it_goes_back_net_and_tax_end_at_zero(
    total: int, tax: int, given_back: list[tuple[int, int | None]]
) -> None:
    """By amount (no tax named) and by line (its own tax) in any order; the last piece takes what is left."""
    total += 1
    left, tax_left = total, tax
    for amount, named in [*given_back, (10**9, None)]:
        amount = min(amount, left)
        of_it = (
            tax_of(amount, left=left, tax_left=tax_left)
            if named is None
            else fit_tax(named, amount, left=left, tax_left=tax_left)
        )
        left, tax_left = left - amount, tax_left - of_it
        assert of_it >= 0
        assert tax_left >= 0
        if tax <= total:
            assert of_it <= amount
            assert tax_left <= left
    assert (left, tax_left) == (0, 0)


def test_the_tax_in_a_piece_is_its_share_to_the_nearest_unit() -> None:
    assert tax_of(1000, left=10800, tax_left=800) == 74
    assert tax_of(10800, left=10800, tax_left=800) == 800
