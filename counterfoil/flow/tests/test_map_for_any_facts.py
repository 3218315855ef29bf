"""Whatever the facts are, the map has an answer, and none of its answers charges a card too soon."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.errors import Blocker
from counterfoil.flow.map import QUEUES, derive, jobs_due
from counterfoil.records.orders.facts import DisputeFacts, LineFacts, OrderFacts, PartFacts

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)
HORIZON = date(2026, 11, 25)
STATUSES = {
    "unfinished", "pending", "processing", "waiting_for_customer",
    "shipped", "delivered", "returned", "cancelled",
}  # fmt: skip

few = st.integers(0, 4)
moments = st.none() | st.sampled_from([NOW - timedelta(hours=1), NOW, NOW + timedelta(hours=1)])
lines = st.builds(
    LineFacts, id=st.just(1), sku=st.just("A"), name=st.just("A"), quantity=few, reserved=few, due=few,
    due_confirmed=few, due_date=st.none() | st.dates(TODAY - timedelta(9), TODAY + timedelta(9)), picked=few,
    packed=few, shipped=few,
)  # fmt: skip
parts = st.builds(
    PartFacts,
    stock=st.sampled_from(["unchecked", "short", "awaiting", "confirmed"]),
    money=st.sampled_from(
        ["unpaid", "saved", "authorised", "charging", "unknown", "charged", "declined", "receivable", "voided"]
    ),
    parcel=st.sampled_from(["waiting", "picking", "picked", "packed", "shipped", "delivered", "returned"]),
    books=st.sampled_from(["none", "sales_order", "invoiced", "credited"]),
    promise_date=st.none() | st.dates(TODAY - timedelta(9), TODAY + timedelta(9)),
    decline_class=st.sampled_from(["", "never", "later", "customer", "ours"]),
    retry_at=moments,
    remind_at=moments,
    grace_until=moments,
    let_go=st.booleans(),
    lines=st.lists(lines, min_size=1, max_size=2).map(tuple),
)
disputes = st.builds(
    DisputeFacts, part=st.just(1), state=st.sampled_from(["open", "answered", "lost"]), inquiry=st.booleans(),
    answered=st.booleans(), due_on=st.none() | st.just(HORIZON),
)  # fmt: skip
orders = st.builds(
    OrderFacts,
    review=st.sampled_from(["pending", "approved"]),
    finished=st.booleans(),
    cancelled=st.booleans(),
    closed_history=st.booleans(),
    payment_method=st.sampled_from(["card", "terminal", "cheque", "on_delivery"]),
    card_state=st.sampled_from(["none", "to_save", "saved", "refused"]),
    card_consent=st.booleans(),
    placed_at=st.just(NOW),
    question_open=st.booleans(),
    answer_unapplied=st.booleans(),
    refund_failed=st.booleans(),
    disputes=st.lists(disputes, max_size=2).map(tuple),
    parts=st.lists(parts, min_size=1, max_size=3).map(tuple),
    now=st.just(NOW),
    today=st.just(TODAY),
    day_ends_at=st.just(MIDNIGHT),
    horizon=st.just(HORIZON),
)


@given(orders)
def test_every_order_stands_somewhere_that_the_contract_names(facts: OrderFacts) -> None:
    found = derive(facts)
    assert found.status in STATUSES
    assert found.queue in QUEUES
    assert all(isinstance(b, Blocker) for b in found.blockers)
    assert derive(facts) == found


@given(orders)
def test_what_the_rail_offers_to_charge_has_everything_here_or_surely_coming(facts: OrderFacts) -> None:
    found = derive(facts)
    if (found.queue, found.next_action) != ("charge", "charge"):
        return
    assert facts.review == "approved"
    assert not facts.question_open
    assert any(
        all(
            ln.open_units <= ln.due_confirmed
            and (ln.open_units <= 0 or (ln.due_date and TODAY <= ln.due_date <= HORIZON))
            for ln in p.lines
        )
        for p in facts.parts
        if p.live
    )


@given(orders)
def test_what_is_due_by_itself_never_tries_a_card_too_often_nor_lets_paid_goods_go(facts: OrderFacts) -> None:
    asked = jobs_due(facts)
    if facts.cancelled or facts.question_open or facts.holds:
        assert asked == []
    if "charging.retry" in asked:
        assert facts.review == "approved"
        assert not any(p.decline_class == "never" for p in facts.parts)
        assert any(p.decline_class == "later" and p.money in {"declined", "saved"} for p in facts.parts)
    if "charging.let_go" in asked:
        assert any(not p.charged and p.money in {"declined", "saved"} and not p.let_go for p in facts.parts)


@given(orders)
def test_an_order_is_never_to_be_looked_at_in_the_past(facts: OrderFacts) -> None:
    """Else the sweep would look at it again and again while a job does what is due."""
    again = derive(facts).next_check_at
    assert again is None or again > NOW
