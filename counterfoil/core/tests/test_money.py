"""Money: nothing is lost by dividing, writing or rounding it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from counterfoil.core.money import DECIMALS, MAX_AMOUNT, decimals, parse_amount, plain, show, split, tax_on

amounts = st.integers(-(10**12), 10**12)
currencies = st.sampled_from(sorted(DECIMALS))


@given(amounts, st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
@example(100, [1, 1, 1])
@example(-100, [1, 1, 1])
@example(7, [0, 0])
def test_the_shares_of_an_amount_add_up_to_it(amount: int, weights: list[int]) -> None:
    assert sum(split(amount, weights)) == amount


@given(amounts, st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(any))
def test_no_share_is_a_whole_unit_away_from_its_due(amount: int, weights: list[int]) -> None:
    for share, weight in zip(split(amount, weights), weights, strict=True):
        assert abs(share - Fraction(amount * weight, sum(weights))) < 1


def test_nothing_is_shared_among_nobody() -> None:
    assert split(100, []) == []


def test_the_first_of_equals_gets_the_odd_cent() -> None:
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(-100, [1, 1, 1]) == [-34, -33, -33]


@given(st.integers(-MAX_AMOUNT, MAX_AMOUNT), currencies)
def test_an_amount_that_is_written_down_is_read_again(amount: int, currency: str) -> None:
    if abs(amount) // 10 ** decimals(currency) <= MAX_AMOUNT:
        assert parse_amount(plain(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("amount", "currency", "text", "shown"),
    [
        (1847, "USD", "18.47", "$18.47"),
        (1847, "JPY", "1847", "¥1,847"),
        (1847, "KWD", "1.847", "KWD 1.847"),
        (-5, "EUR", "-0.05", "-€0.05"),
        (123456789, "CHF", "1234567.89", "CHF 1,234,567.89"),
        (0, "USD", "0.00", "$0.00"),
    ],
)
def test_every_currency_has_its_own_decimals(amount: int, currency: str, text: str, shown: str) -> None:
    assert plain(amount, currency) == text
    assert parse_amount(text, currency) == amount
    assert show(amount, currency) == shown


@pytest.mark.parametrize(
    "text", ["", "abc", "NaN", "Infinity", "-inf", "18.475", "1e30", "1e999999999", "9" * 40, "0x10", "1,5"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_amount(text, "USD")


def test_a_yen_has_no_parts() -> None:
    with pytest.raises(ValueError, match="more decimals"):
        parse_amount("18.4", "JPY")


@pytest.mark.parametrize("code", ["usd", "XXX", "", "US", "DOLLAR"])
def test_a_currency_that_we_do_not_know_is_named(code: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        decimals(code)


@given(st.integers(0, 10**12), st.integers(0, 1_000_000))
def test_tax_is_rounded_half_up_to_the_minor_unit(amount: int, rate: int) -> None:
    exact = Fraction(amount * rate, 1_000_000)
    tax = tax_on(amount, rate)
    assert Fraction(-1, 2) < exact - tax + Fraction(0) <= Fraction(1, 2) or exact - tax == Fraction(-1, 2)
    if (exact % 1) == Fraction(1, 2):
        assert tax == exact + Fraction(1, 2)


@given(amounts, st.integers(0, 1_000_000))
def test_a_credit_carries_exactly_the_tax_of_its_sale(amount: int, rate: int) -> None:
    assert tax_on(-amount, rate) == -tax_on(amount, rate)


def test_half_a_cent_of_tax_is_a_cent() -> None:
    assert tax_on(10, 50_000) == 1
    assert tax_on(30, 50_000) == 2
    assert tax_on(-10, 50_000) == -1
