"""What the bank has otherwise comes before everything else on an order, and stops none of its work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.flow.map import derive, due_by_itself
from counterfoil.records.orders.facts import LineFacts, OrderFacts, PartFacts

ORDER = OrderFacts(
    number="CF-1001", review="approved", card_state="saved", parts=(PartFacts(lines=(LineFacts(1, "A", "A", 1),)),)
)


@pytest.mark.parametrize(
    "more",
    [{}, {"cancelled": True}, {"closed_history": True}, {"refund_failed": True}, {"question_open": True}],
    ids=lambda more: "".join(more) or "plain",
)
def test_an_order_about_which_the_bank_differs_stands_there(more: dict[str, bool]) -> None:
    facts = replace(ORDER, bank_differs=True, **more)  # type: ignore[arg-type]
    found = derive(facts)
    assert (found.queue, found.next_action, found.blockers) == ("bank_differs", "look_at_bank", [])
    agreed = replace(facts, bank_differs=False)
    assert derive(agreed).queue != "bank_differs"
    assert derive(agreed).status == found.status
    assert due_by_itself(agreed) == due_by_itself(facts)


def test_an_unfinished_check_out_is_no_order_to_look_at() -> None:
    assert derive(replace(ORDER, bank_differs=True, finished=False)).queue == "unfinished"
