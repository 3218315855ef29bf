"""Who is rung up, and when: the order's place on the desk from the facts alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from counterfoil.flow.map import derive
from counterfoil.records.orders.facts import LineFacts, OrderFacts, PartFacts

TODAY, NOW = date(2026, 11, 23), datetime(2026, 11, 23, 18, tzinfo=UTC)
DAY = timedelta(days=1)
LINE = LineFacts(1, "PINOT-21", "Pinot", 2, reserved=2)
PART = PartFacts(
    stock="confirmed", money="saved", books="sales_order", total=100, lines=(LINE,), promise_date=TODAY + 4 * DAY
)
ORDER = OrderFacts(
    number="CF-1", review="approved", card_state="saved", card_consent=True, now=NOW, today=TODAY,
    day_ends_at=NOW + DAY / 2, horizon=TODAY + 2 * DAY, parts=(PART,),
)  # fmt: skip
ASKED = replace(ORDER, question_open=True, question_expires_at=NOW + 7 * DAY)
LATE = replace(ORDER, needed_by=TODAY + 3 * DAY)


def place(order: OrderFacts, **facts: Any) -> tuple[str, str]:
    found = derive(replace(order, **facts))
    return found.queue, found.next_action


@pytest.mark.parametrize(
    ("order", "facts", "stands"),
    [
        (ASKED, {}, ("question", "wait_for_answer")),
        (ASKED, {"prefers_phone": True}, ("call", "call")),
        (ASKED, {"prefers_phone": True, "call_back_at": NOW + DAY}, ("question", "wait_for_answer")),
        (ASKED, {"prefers_phone": True, "call_back_at": NOW}, ("call", "call")),
        (ASKED, {"call_back_at": NOW - DAY}, ("call", "call")),
        (ASKED, {"prefers_phone": True, "calls_missed": 3}, ("question", "wait_for_answer")),
        (ASKED, {"prefers_phone": True, "answer_unapplied": True}, ("question", "wait_for_answer")),
        (LATE, {}, ("call", "call")),
        (LATE, {"call_back_at": NOW + DAY}, ("promise", "call_later")),
        (LATE, {"call_back_at": NOW}, ("call", "call")),
        (LATE, {"told": TODAY + 4 * DAY, "told_accepted": True}, ("charge", "charge")),
        (LATE, {"told": TODAY + 4 * DAY}, ("promise", "renew_promise")),
        (LATE, {"told": TODAY + 3 * DAY, "told_accepted": True}, ("call", "call")),
        (LATE, {"parts": (replace(PART, agreed=True),)}, ("charge", "charge")),
        (LATE, {"parts": (replace(PART, promise_date=TODAY + DAY, arrives=TODAY + 4 * DAY),)}, ("call", "call")),
        (LATE, {"parts": (replace(PART, promise_date=TODAY + DAY, arrives=TODAY + 3 * DAY),)}, ("charge", "charge")),
    ],
)
def test_where_an_order_stands_whose_customer_is_to_be_called(
    order: OrderFacts, facts: dict[str, Any], stands: tuple[str, str]
) -> None:
    assert place(order, **facts) == stands


def test_a_call_for_later_comes_back_by_itself() -> None:
    for order in (ASKED, LATE):
        looked_at = derive(replace(order, prefers_phone=True, call_back_at=NOW + DAY / 4)).next_check_at
        assert looked_at == NOW + DAY / 4
