"""What a change costs, to the cent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.steps.alternatives.arithmetic import (
    LineMoney,
    Sums,
    divide,
    hand_over,
    keep,
    priced,
    rate_for_substitute,
    resum,
)

lines = st.builds(
    LineMoney,
    quantity=st.integers(1, 500),
    unit_price=st.integers(0, 1_000_000),
    tax_ppm=st.sampled_from([0, 50_000, 72_500, 200_000]),
    tax=st.integers(0, 1_000_000),
)
rated = st.builds(
    priced,
    quantity=st.integers(1, 500),
    unit_price=st.integers(0, 1_000_000),
    tax_ppm=st.sampled_from([0, 50_000, 72_500, 200_000]),
)


def test_fewer_units_are_taxed_by_the_same_rate() -> None:
    assert keep(priced(3, 999, 72_500), 1) == priced(1, 999, 72_500)


def test_a_tax_that_the_channel_gave_is_shared_by_units() -> None:
    assert keep(LineMoney(3, 1000, 0, 100), 1).tax == 33
    assert keep(LineMoney(3, 1000, 0, 100), 0).tax == 0


@given(st.one_of(lines, rated), st.data())
def test_dividing_a_line_neither_makes_nor_loses_a_cent(line: LineMoney, data: st.DataObject) -> None:
    moved = data.draw(st.integers(0, line.quantity))
    stays, goes = divide(line, moved)
    assert stays.quantity + goes.quantity == line.quantity
    assert stays.net + goes.net == line.net
    assert stays.tax + goes.tax == line.tax


@given(st.lists(lines, min_size=1, max_size=5), st.integers(0, 5000), st.integers(0, 500), st.integers(-900, 900))
def test_summing_up_unchanged_lines_changes_nothing(
    found: list[LineMoney], shipping: int, on_shipping: int, rounding: int
) -> None:
    net, tax = sum(ln.net for ln in found), sum(ln.tax for ln in found) + on_shipping
    before = Sums(net, shipping, tax, max(rounding, -(net + shipping + tax)))
    assert resum(before, found, found) == before
    assert resum(before, found, found, shipping=shipping) == before


@given(st.lists(rated, min_size=1, max_size=5), st.integers(-100_000, 0), st.integers(0, 4))
def test_no_amendment_makes_a_total_negative(found: list[LineMoney], rounding: int, dropped: int) -> None:
    net, tax = sum(ln.net for ln in found), sum(ln.tax for ln in found)
    before = Sums(net, 0, tax, max(rounding, -(net + tax)))
    assert resum(before, found, found[dropped:]).total >= 0


def test_shipping_tax_is_rounded_half_up() -> None:
    assert resum(Sums(0, 1000, 75), [], [], shipping=1500).tax == 113


def test_the_shops_rate_holds_unless_the_channel_taxed_by_another() -> None:
    ours = priced(2, 1000, 100_000)
    assert rate_for_substitute(ours, old_class=100_000, new_class=200_000) == 200_000
    theirs = LineMoney(2, 1000, 0, 160)
    assert rate_for_substitute(theirs, old_class=100_000, new_class=200_000) == 80_000
    untaxed = LineMoney(2, 1000, 0, 0)
    assert rate_for_substitute(untaxed, old_class=100_000, new_class=200_000) == 0
    free = LineMoney(2, 0, 100_000, 0)
    assert rate_for_substitute(free, old_class=100_000, new_class=200_000) == 200_000


def test_an_emptied_part_hands_its_shipping_to_one_that_is_still_to_be_paid() -> None:
    emptied, taken = hand_over(Sums(0, 1500, 0, -3), Sums(2500, 0, 250), charged=False)
    assert emptied.total == 0
    assert taken == Sums(2500, 1500, 250, -3)


def test_shipping_that_was_paid_stays_paid_and_what_was_not_is_waived() -> None:
    assert hand_over(Sums(0, 1500, 0), None, charged=True) == (Sums(0, 1500, 0), None)
    assert hand_over(Sums(0, 1500, 0), None, charged=False) == (Sums(0, 0, 0), None)
