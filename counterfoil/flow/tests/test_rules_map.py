"""Where an order stands: one answer for every set of facts, in the order of the process."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from counterfoil.flow.map import CHECKOUT_LASTS, QUEUES, derive, due_by_itself, jobs_due, parts_at
from counterfoil.records.orders.facts import HoldFacts, LineFacts, OrderFacts, PartFacts

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)
HORIZON = date(2026, 11, 25)
LATER = date(2026, 12, 10)

CONTRACT_QUEUES = [
    "review", "sales_order", "stock", "goods", "charge",
    "charged_waiting", "pick", "pack", "ship", "transit",
    "done", "payment_problem", "question", "call", "promise",
    "cannot_ship", "bank_differs", "unfinished", "cancelled",
]  # fmt: skip

LINE = LineFacts(1, "PINOT-21", "Pinot", 6, reserved=6)
SHORT = replace(LINE, reserved=2)
SOON = replace(SHORT, due=4, due_confirmed=4, due_date=HORIZON)
FAR = replace(SOON, due_date=LATER)
UNSURE = replace(SHORT, due=4)
PART = PartFacts(stock="confirmed", money="saved", books="sales_order", total=1000, lines=(LINE,), promise_date=LATER)
ORDER = OrderFacts(
    number="CF-1001", review="approved", card_state="saved", card_consent=True, parts=(PART,), placed_at=NOW, now=NOW,
    today=TODAY, day_ends_at=MIDNIGHT, horizon=HORIZON,
)  # fmt: skip
BARE = replace(LINE, reserved=0)
SENT = replace(LINE, reserved=0, shipped=6)
PICKED = replace(LINE, reserved=0, picked=6)


def standing(part: dict[str, Any] | None = None, **order: Any) -> tuple[str, str, str]:
    found = derive(replace(ORDER, parts=(replace(PART, **(part or {})),), **order))
    return found.status, found.queue, found.next_action


WALK: list[tuple[str, dict[str, Any], dict[str, Any], tuple[str, str, str]]] = [
    ("check-out", {}, {"finished": False, "review": "pending"}, ("unfinished", "unfinished", "")),
    ("arrived", {"books": "none"}, {"review": "pending"}, ("pending", "review", "review")),
    ("approved", {"books": "none"}, {}, ("processing", "sales_order", "make_sales_order")),
    ("entered", {"stock": "unchecked"}, {}, ("processing", "stock", "check_stock")),
    ("short", {"stock": "short", "lines": (SHORT,)}, {}, ("processing", "stock", "buy_in")),
    ("bought in", {"stock": "awaiting", "lines": (UNSURE,)}, {}, ("processing", "goods", "wait_for_goods")),
    ("due far away", {"stock": "awaiting", "lines": (FAR,)}, {}, ("processing", "goods", "wait_for_goods")),
    ("due soon", {"stock": "awaiting", "lines": (SOON,)}, {}, ("processing", "charge", "charge")),
    ("here", {}, {}, ("processing", "charge", "charge")),
    ("asking", {"money": "charging"}, {}, ("processing", "charge", "ask_bank")),
    ("not answered", {"money": "unknown"}, {}, ("processing", "charge", "ask_bank")),
    ("declined", {"money": "declined"}, {}, ("processing", "payment_problem", "send_pay_link")),
    (
        "not taken by the processor",
        {"money": "declined", "decline_class": "ours"},
        {},
        ("processing", "payment_problem", "charge"),
    ),
    (
        "declined, an attempt taken back",
        {"money": "saved", "decline_class": "later"},
        {},
        ("processing", "payment_problem", "send_pay_link"),
    ),
    (
        "declined, goods let go",
        {"money": "declined", "decline_class": "never", "let_go": True, "stock": "unchecked", "lines": (BARE,)},
        {},
        ("processing", "payment_problem", "send_pay_link"),
    ),
    ("charged", {"money": "charged"}, {}, ("processing", "pick", "pick")),
    (
        "charged, due soon",
        {"money": "charged", "lines": (SOON,)},
        {},
        ("processing", "charged_waiting", "wait_for_goods"),
    ),
    (
        "charged, and late now",
        {"money": "charged", "lines": (FAR,)},
        {},
        ("processing", "cannot_ship", "offer_alternative"),
    ),
    ("picking", {"money": "charged", "parcel": "picking"}, {}, ("processing", "pick", "pick")),
    ("picked", {"money": "charged", "parcel": "picked", "lines": (PICKED,)}, {}, ("processing", "pack", "pack")),
    (
        "packed",
        {"money": "charged", "parcel": "packed", "lines": (replace(PICKED, packed=6),)},
        {},
        ("processing", "ship", "ship"),
    ),
    (
        "sent",
        {"money": "charged", "parcel": "shipped", "books": "invoiced", "lines": (SENT,)},
        {},
        ("shipped", "transit", "deliver"),
    ),
    (
        "at the door",
        {"money": "charged", "parcel": "delivered", "books": "invoiced", "lines": (SENT,)},
        {},
        ("delivered", "done", ""),
    ),
    ("back", {"money": "charged", "parcel": "returned", "lines": (SENT,)}, {}, ("returned", "done", "")),
]


@pytest.mark.parametrize(("part", "order", "stands"), [w[1:] for w in WALK], ids=[w[0] for w in WALK])
def test_the_process_step_by_step(part: dict[str, Any], order: dict[str, Any], stands: tuple[str, str, str]) -> None:
    assert standing(part, **order) == stands


ASIDE: list[tuple[str, dict[str, Any], dict[str, Any], tuple[str, str, str]]] = [
    ("asked", {}, {"question_open": True}, ("waiting_for_customer", "question", "wait_for_answer")),
    (
        "asked before review",
        {"books": "none"},
        {"question_open": True, "review": "pending"},
        ("waiting_for_customer", "question", "wait_for_answer"),
    ),
    ("answered", {}, {"answer_unapplied": True}, ("processing", "question", "wait_for_answer")),
    (
        "card refused",
        {"money": "unpaid", "books": "none"},
        {"card_state": "refused", "review": "pending"},
        ("pending", "payment_problem", "send_pay_link"),
    ),
    ("cancelled", {"money": "voided"}, {"cancelled": True}, ("cancelled", "cancelled", "")),
    (
        "cancelled, refund failed",
        {"money": "charged"},
        {"cancelled": True, "refund_failed": True},
        ("cancelled", "payment_problem", "refund_again"),
    ),
    ("refund failed", {"money": "charged"}, {"refund_failed": True}, ("processing", "payment_problem", "refund_again")),
    ("history", {"parcel": "delivered"}, {"closed_history": True}, ("delivered", "done", "")),
    (
        "promise broken",
        {"stock": "awaiting", "lines": (FAR,), "promise_date": TODAY - timedelta(days=1)},
        {},
        ("processing", "promise", "renew_promise"),
    ),
    (
        "promise cannot be kept",
        {"stock": "awaiting", "lines": (FAR,), "promise_date": LATER - timedelta(days=1)},
        {},
        ("processing", "promise", "renew_promise"),
    ),
    (
        "at the counter",
        {"money": "unpaid"},
        {"payment_method": "terminal", "card_state": "none"},
        ("processing", "charge", "record_payment"),
    ),
    (
        "at the door",
        {"money": "unpaid"},
        {"payment_method": "on_delivery", "card_state": "none"},
        ("processing", "pick", "pick"),
    ),
    (
        "at the door, short",
        {"money": "unpaid", "stock": "short", "lines": (SHORT,)},
        {"payment_method": "on_delivery"},
        ("processing", "stock", "buy_in"),
    ),
    (
        "at the door, due soon",
        {"money": "unpaid", "stock": "awaiting", "lines": (SOON,)},
        {"payment_method": "on_delivery"},
        ("processing", "goods", "wait_for_goods"),
    ),
]


@pytest.mark.parametrize(("part", "order", "stands"), [a[1:] for a in ASIDE], ids=[a[0] for a in ASIDE])
def test_what_leaves_the_straight_way(
    part: dict[str, Any], order: dict[str, Any], stands: tuple[str, str, str]
) -> None:
    assert standing(part, **order) == stands


def test_the_blockers_are_those_of_the_next_action() -> None:
    held = replace(ORDER, holds=(HoldFacts(1, "Odd address", "Ann"),))
    assert [b.code for b in derive(held).blockers] == ["on_hold"]
    assert derive(ORDER).blockers == []
    short = replace(ORDER, parts=(replace(PART, stock="short", lines=(SHORT,)),))
    assert [(b.code, b.line) for b in derive(short).blockers] == [("line_short", "PINOT-21")]


def test_an_order_stands_where_its_hindmost_part_stands() -> None:
    gone = replace(PART, money="charged", parcel="shipped", books="invoiced", lines=(SENT,))
    waits = replace(PART, number=2, stock="short", lines=(SHORT,))
    for parts in ((gone, waits), (waits, gone)):
        found = derive(replace(ORDER, parts=parts))
        assert (found.status, found.queue) == ("processing", "stock")
    assert derive(replace(ORDER, parts=(gone, replace(gone, number=2)))).status == "shipped"
    delivered = replace(gone, number=2, parcel="delivered")
    assert derive(replace(ORDER, parts=(gone, delivered))).status == "shipped"


def test_a_part_that_may_go_now_is_not_hidden_by_one_that_waits_for_its_goods() -> None:
    late = replace(PART, number=2, stock="awaiting", lines=(FAR,))
    paid = replace(PART, money="charged")
    off = replace(paid, lines=(PICKED,))
    ways = [(PART, "charge"), (paid, "pick"), (replace(off, parcel="picked"), "pack")]
    ways += [(replace(off, parcel="packed"), "ship"), (replace(off, parcel="shipped"), "goods")]
    for first, queue in ways:
        facts = replace(ORDER, parts=(late, replace(first, number=1)))
        assert derive(facts).queue == queue
        assert parts_at(facts, queue) == ({2} if queue == "goods" else {1})


def test_a_part_of_which_nothing_is_wanted_holds_up_nobody() -> None:
    empty = replace(PART, number=2, books="none", money="voided", lines=(replace(LINE, quantity=0, reserved=0),))
    gone = replace(PART, money="charged", parcel="delivered", lines=(SENT,))
    assert derive(replace(ORDER, parts=(gone, empty))).status == "delivered"
    assert derive(replace(ORDER, parts=(empty,))).queue == "done"


def test_time_alone_moves_an_order_at_the_next_midnight_or_when_a_question_ends() -> None:
    assert derive(replace(ORDER, parts=(replace(PART, lines=(FAR,), stock="awaiting"),))).next_check_at == MIDNIGHT
    # What is due for a part that is paid may be overdue tomorrow, also while another part is picked, packed or sent.
    here = replace(PART, money="charged")
    due = replace(here, number=2, stock="awaiting", lines=(SOON,))
    for parcel, queue in (("waiting", "pick"), ("picked", "pack"), ("packed", "ship")):
        found = derive(replace(ORDER, parts=(replace(here, parcel=parcel), due)))
        assert (found.queue, found.next_check_at) == (queue, MIDNIGHT)
        assert derive(replace(ORDER, parts=(replace(here, parcel=parcel),))).next_check_at != MIDNIGHT
    assert derive(ORDER).next_check_at == MIDNIGHT
    ends = NOW + timedelta(hours=2)
    assert derive(replace(ORDER, question_open=True, question_expires_at=ends)).next_check_at == ends
    assert derive(replace(ORDER, finished=False)).next_check_at == NOW + CHECKOUT_LASTS
    assert derive(replace(ORDER, cancelled=True)).next_check_at is None
    pending = replace(ORDER, review="pending", parts=(replace(PART, books="none"),))
    # The promised day comes, and nobody has read the order.
    assert derive(pending).next_check_at == datetime(LATER.year, LATER.month, LATER.day, tzinfo=UTC)
    bare = replace(pending, parts=(replace(PART, books="none", promise_date=None),))
    assert derive(bare).next_check_at is None


DAY = timedelta(days=1)
DECLINED = replace(
    PART,
    money="declined",
    decline_class="later",
    retry_at=NOW + DAY,
    remind_at=NOW + 2 * DAY,
    grace_until=NOW + 7 * DAY,
)


def after(days: float, **part: Any) -> OrderFacts:
    """The declined order so many days later."""
    return replace(ORDER, parts=(replace(DECLINED, **part),), now=NOW + days * DAY, day_ends_at=NOW + (days + 1) * DAY)


def test_a_declined_order_is_looked_at_when_its_card_is_tried_its_customer_reminded_and_its_goods_let_go() -> None:
    assert derive(after(0.5)).next_check_at == NOW + DAY
    assert derive(after(1.5, retry_at=None)).next_check_at == NOW + 2 * DAY
    assert derive(after(2.5, retry_at=None, remind_at=None)).next_check_at == NOW + 7 * DAY
    assert derive(after(8, let_go=True, retry_at=None)).next_check_at is None


def test_what_is_due_after_a_decline_comes_by_itself_and_each_in_its_turn() -> None:
    assert (jobs_due(after(0.5)), due_by_itself(after(0.5))) == ([], None)
    assert (jobs_due(after(1)), due_by_itself(after(1))) == (["charging.retry"], None)
    assert (jobs_due(after(2)), due_by_itself(after(2))) == (["charging.retry"], None), "tried before it is reminded of"
    quiet = after(2, retry_at=None)
    assert (jobs_due(quiet), due_by_itself(quiet)) == ([], "remind")
    assert (jobs_due(after(7)), due_by_itself(after(7))) == (["charging.let_go"], None)
    gone = after(9, let_go=True, retry_at=None, stock="unchecked", lines=(BARE,))
    assert (jobs_due(gone), due_by_itself(gone)) == ([], None), "the stock is not checked for who does not pay"
    paid = replace(
        gone, parts=(replace(gone.parts[0], money="saved", decline_class="", let_go=False, grace_until=None),)
    )
    assert due_by_itself(paid) == "check_stock"


def test_the_deadline_is_the_next_date_that_matters() -> None:
    near = TODAY + timedelta(days=3)
    assert derive(ORDER).deadline == LATER
    assert derive(replace(ORDER, needed_by=near)).deadline == near
    legal = replace(PART, promise_date=None, legal_deadline=near)
    assert derive(replace(ORDER, parts=(legal,))).deadline == near
    gone = replace(PART, money="charged", parcel="shipped", lines=(SENT,))
    assert derive(replace(ORDER, parts=(gone,))).deadline is None
    assert derive(replace(ORDER, cancelled=True, needed_by=near)).deadline is None


def test_the_rail_has_the_queues_of_the_contract() -> None:
    assert set(QUEUES) == set(CONTRACT_QUEUES)
    ranks = [q.rank for q in QUEUES.values()]
    assert len(set(ranks)) == len(ranks)


@pytest.mark.parametrize("method", ["card", "cheque", "on_delivery"])
def test_who_is_to_check_the_stock_is_told_what_keeps_them_from_it_and_nothing_else(method: str) -> None:
    part = replace(PART, stock="unchecked")
    order = replace(ORDER, payment_method=method, parts=(part,))
    assert (derive(order).next_action, derive(order).blockers) == ("check_stock", [])
    held = derive(replace(order, holds=(HoldFacts(1, "odd address", "Ann"),)))
    assert (held.next_action, [b.code for b in held.blockers]) == ("check_stock", ["on_hold"])


def test_stock_is_not_to_be_checked_by_itself_before_every_part_is_in_the_books() -> None:
    entered = replace(PART, stock="unchecked")
    later = replace(PART, number=2, books="none", stock="unchecked")
    by_hand = replace(ORDER, sales_order_by_hand=True)
    assert due_by_itself(replace(by_hand, parts=(entered,))) == "check_stock"
    assert due_by_itself(replace(by_hand, parts=(entered, later))) is None


def test_a_hold_that_is_over_and_not_let_go_yet_is_looked_at_now_and_then_not_all_the_time() -> None:
    over = replace(PART, money="authorised", authorised=1000, authorisation_expires_at=NOW, authorisation_warned=True)
    assert derive(replace(ORDER, parts=(over,))).next_check_at == NOW + timedelta(minutes=1)
