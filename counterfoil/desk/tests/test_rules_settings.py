"""Fields of settings: what is stored is shown as people write it, and is read again as the same."""

from __future__ import annotations

import pytest

from counterfoil.core.shop import Shop
from counterfoil.desk.settings.form import done_to_rows, read, shown, tidied
from counterfoil.desk.settings.kinds import Field
from counterfoil.desk.settings.sections import DELIVERY, SECTIONS
from counterfoil.desk.settings.words import differences

RATE, PRICE = Field("rate", "Rate", "rate"), Field("price", "Price", "amount")


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        (0, "0"),
        (200_000, "20"),
        (72_500, "7.25"),
        (68_750, "6.875"),
        (1, "0.0001"),
        (1_000_000, "100"),
        (100_000, "10"),
    ],
)
def test_a_rate_is_written_in_per_cent(stored: int, typed: str) -> None:
    assert RATE.shown(stored, "USD") == typed
    assert RATE.read(f" {typed} % ", "USD") == stored


@pytest.mark.parametrize("typed", ["", "-1", "101", "many", "0.00001", "NaN", "1e400"])
def test_what_is_no_rate_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        RATE.read(typed, "USD")


def test_a_price_has_the_decimals_of_the_currency() -> None:
    assert [PRICE.shown(1500, code) for code in ("USD", "JPY", "KWD")] == ["15.00", "1500", "1.500"]
    assert [PRICE.read("$1,500", code) for code in ("USD", "JPY", "KWD")] == [150_000, 1500, 1_500_000]
    with pytest.raises(ValueError, match="an amount such as 1500"):
        PRICE.read("15.05", "JPY")


def test_every_setting_has_one_place() -> None:
    names = [name for section in SECTIONS.values() for name in section.names()]
    assert len(names) == len(set(names))


def test_whatever_is_shown_is_read_again_as_it_was() -> None:
    shop = Shop(
        zones=[
            {"country": "US", "state": "NY", "rates": {"standard": 40_000, "food": 0}},
            {"country": "GB", "rates": {"standard": 200_000}},
        ],
        not_served=[{"country": "US", "state": "UT", "reason": "No"}, {"country": "FR", "reason": "Not yet"}],
        holidays=["2026-12-25"],
        address=["1 Lane", "Town"],
        terms="One.\n\nTwo.",
    )
    for section in SECTIONS.values():
        values = read(section, tidied(section, shown(section, shop)), shop)
        assert values == {name: getattr(shop, name) for name in section.names()}


def test_an_empty_row_is_no_row_and_a_state_comes_before_its_country() -> None:
    form = shown(DELIVERY, Shop())
    form |= {"zones.0.country": "FR", "zones.0.rate standard": "20", "zones.5.country": " ", "zones.7.country": "US"}
    form |= {"zones.7.state": "Texas", "zones.7.rate standard": "6.25"}
    found = tidied(DELIVERY, form)
    assert (found["zones.0.state"], found["zones.1.country"]) == ("Texas", "FR")
    assert "zones.2.country" not in found
    assert read(DELIVERY, found, Shop())["zones"][0]["state"] == "TX"
    assert done_to_rows(DELIVERY, found, "remove zones 0")["zones.0.country"] == "FR"
    assert done_to_rows(DELIVERY, found, "remove nothing 0") == found


def test_the_log_tells_of_the_rows_that_differ() -> None:
    rows = [{"method": "Ground", "price": 1500}, {"method": "Express", "price": 3500}]
    dearer = [rows[0], {"method": "Express", "price": 4250}]
    assert differences("deliveries", rows, dearer, "USD") == [("was", "Express $35.00"), ("is", "Express $42.50")]
    assert differences("grace_days", 7, 3, "USD") == [("was", "7"), ("is", "3")]
    assert differences("deliveries", rows, rows[::-1], "USD") == [("is", "another order of the same rows")]
