"""What another shop wrote to its customers about the ship date, and what of it counts as a promise."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from counterfoil.core.shop import Shop
from counterfoil.gateways.storefront.protocol import FeedEvent
from counterfoil.steps.checkout.told_dates import told_date

ON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday


def told(comment: str, *, at: datetime = ON, status: str = "Processing", notified: bool = True) -> date | None:
    found = told_date([FeedEvent(at, status, notified, comment)], Shop().business_days_from)
    return found.day if found else None


@pytest.mark.parametrize(
    ("comment", "day"),
    [
        ("Thank you! Estimated ship date: Friday, 27 Nov.", date(2026, 11, 27)),
        ("Shipping date: 2 January", date(2027, 1, 2)),
        ("Wir versenden am 27.11. – Grüße", date(2026, 11, 27)),
        ("Estimated to ship in 2 business days.", date(2026, 11, 25)),
        ("Estimated to ship in 5 business days.", date(2026, 11, 30)),
    ],
)
def test_a_date_that_was_told_is_a_promise(comment: str, day: date) -> None:
    assert told(comment) == day


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "Soon!",
        "Estimated ship date: Monday, 27 Nov.",
        "Estimated ship date: 31 Feb",
        "Estimated ship date: 22 Nov",
        "Wir versenden am 1.8.",
        "Wir versenden am 45.77.",
        "internal: card declined, phoned customer",
    ],
)
def test_nothing_is_guessed(comment: str) -> None:
    assert told(comment) is None


def test_what_the_customer_was_not_told_is_no_promise_and_neither_is_their_own_wish() -> None:
    comment = "Estimated ship date: Friday, 27 Nov."
    assert told(comment, notified=False) is None
    assert told(comment, status="Pending") is None


def test_the_last_word_counts() -> None:
    rows = [
        FeedEvent(ON, "Processing", True, "Estimated to ship in 2 business days."),
        FeedEvent(ON, "Processing", True, "Wir versenden am 27.11."),
        FeedEvent(ON, "Processing", True, "We have phoned you."),
    ]
    found = told_date(rows, Shop().business_days_from)
    assert found is not None
    assert found.day == date(2026, 11, 27)
