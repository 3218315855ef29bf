"""What an order must be to be taken, and how its amounts add up."""

from __future__ import annotations

from counterfoil.steps.checkout.rules import Amounts, add_up, check_address, check_amounts, price_lines

RATE = 72_500  # 7.25 %
HOME = {"name": "Zoë Brontë", "street": "12 Vine Street", "city": "Napa", "country": "US"}


def test_each_line_is_taxed_by_itself_and_rounded_half_up() -> None:
    lines = price_lines([("A", 3, 999, RATE), ("B", 1, 10, 50_000)], None)
    assert [ln.tax for ln in lines] == [217, 1]  # 217.2825 and 0.5
    assert add_up(lines, 1500, None) == Amounts(3007, 1500, 218, 0, 4725)


def test_tax_that_the_channel_worked_out_is_shared_by_net_amount() -> None:
    lines = price_lines([("A", 1, 1000, RATE), ("B", 2, 1000, RATE), ("C", 1, 0, RATE)], 100)
    assert [ln.tax for ln in lines] == [33, 67, 0]
    assert {ln.tax_ppm for ln in lines} == {0}


def test_the_difference_to_the_agreed_total_is_a_rounding_line() -> None:
    lines = price_lines([("A", 1, 999, 0)], None)
    assert add_up(lines, 0, 1000).rounding == 1
    assert add_up(lines, 0, 995).rounding == -4


def test_an_address_says_what_it_lacks() -> None:
    assert check_address(HOME, "shipping_address") == []
    assert [f for f, _ in check_address({"country": "USA"}, "a")] == ["a.name", "a.street", "a.city", "a.country"]
    for wrong in ("us", "U", "", "ÄÖ", "U1"):
        assert [f for f, _ in check_address({**HOME, "country": wrong}, "a")] == ["a.country"], wrong


def test_a_total_is_neither_negative_nor_beyond_reason() -> None:
    assert check_amounts(Amounts(10, 0, 0, -11, -1))
    assert check_amounts(Amounts(10**17, 0, 0, 0, 10**17))
    assert check_amounts(Amounts(10, 0, 0, -10, 0)) == []
