"""The customer at a glance, in words: which order it is, what they took instead, whether the total is like them."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.desk.glance import history_words, ordinal, swapped_words, took_words, unusual_words

SWAP = {"kind": "substitute", "text": "2 × Copper Gate Syrah 2020 instead of 2019, $4.00 less each"}


def test_the_history_counts_this_order_and_sums_the_earlier_ones_by_currency() -> None:
    assert history_words([]) == "First order"
    assert history_words([("USD", 20_000), ("USD", 41_200), ("USD", 0)]) == "4th order, $612.00 so far"
    assert history_words([("EUR", 1000), ("USD", 500)]) == "3rd order, €10.00 and $5.00 so far"
    assert history_words([("USD", 100)] * 200).startswith("More than 200 orders")


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (21, "21st"), (112, "112th")]
)
def test_numbers_are_said_as_people_say_them(number: int, said: str) -> None:
    assert ordinal(number) == said


@pytest.mark.parametrize(
    ("total", "earlier", "said"),
    [
        (50_000, [("USD", 6_000), ("USD", 6_400)], "usually about $62.00"),
        (3_000, [("USD", 6_000), ("USD", 6_400), ("USD", 90_000)], "usually about $64.00"),
        (7_000, [("USD", 6_000), ("USD", 6_400)], ""),
        (50_000, [("USD", 6_000)], ""),
        (50_000, [("EUR", 6_000), ("EUR", 6_000)], ""),
        (50_000, [("USD", 0), ("USD", 0)], ""),
    ],
)
def test_a_total_is_unusual_when_it_is_twice_or_half_of_the_usual_one(
    total: int, earlier: list[tuple[str, int]], said: str
) -> None:
    assert unusual_words(total, "USD", earlier) == said


@pytest.mark.parametrize(
    ("choices", "choice", "said"),
    [
        ([SWAP], 0, "took 2 × Copper Gate Syrah 2020 instead of 2019 (CF-1023)"),
        ([{"kind": "cancel", "text": "Cancel"}, SWAP], 0, ""),
        ([SWAP], 1, ""),
    ],
)
def test_what_was_taken_instead_is_said_of_substitutes_alone(
    choices: list[dict[str, Any]], choice: int, said: str
) -> None:
    assert took_words(choices, choice, "CF-1023") == said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"line": 7, "sku": "sy-20"}, "took 3 × Copper Gate Syrah 2020 instead of 2019 (CF-1023)"),
        ({"line": "SY-19", "sku": "PN", "quantity": 1}, "took 1 × Pinot instead of Copper Gate Syrah 2019 (CF-1023)"),
        ({"line": "gone", "sku": "PN"}, ""),
    ],
)
def test_what_was_agreed_instead_counts_too(change: dict[str, Any], said: str) -> None:
    before = {"lines": [{"id": 7, "sku": "SY-19", "name": "Copper Gate Syrah 2019", "quantity": 3}]}
    new = [{"id": 8, "sku": "SY-20", "name": "Copper Gate Syrah 2020"}, {"id": 9, "sku": "PN", "name": "Pinot"}]
    changes = [{"kind": "delivery", "method": "Express"}, {"kind": "substitute", **change}]
    assert swapped_words(changes, before, {"lines": new}, "CF-1023") == said
