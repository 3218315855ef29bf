"""Who must be told that a promise will not be kept, and when: pure, by facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from counterfoil.flow.map import derive, due_by_itself
from counterfoil.flow.promising import due_notice, looks_again, terms_of
from counterfoil.records.orders.facts import HoldFacts, LineFacts, NoticeFacts, OrderFacts, PartFacts

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


HERE = LineFacts(1, "PINOT-21", "Pinot", 2, reserved=2)
SHORT = replace(HERE, reserved=0)


def due(days: int) -> LineFacts:
    return replace(SHORT, due=2, due_confirmed=2, due_date=on(days))


def facts(line: LineFacts = SHORT, *, part: dict[str, Any] | None = None, **order: Any) -> OrderFacts:
    given: dict[str, Any] = {
        "stock": "awaiting", "money": "saved", "books": "sales_order", "total": 1000, "lines": (line,),
        "promise_version": 1, "promise_date": on(20), "promised_on": on(-3), "legal_deadline": on(27), **(part or {}),
    }  # fmt: skip
    made = PartFacts(**given)
    standing: dict[str, Any] = {"review": "approved", **order}
    return OrderFacts(
        number="CF-1001", card_state="saved", card_consent=True, placed_at=NOW, now=NOW, today=TODAY,
        day_ends_at=NOW + timedelta(hours=6), horizon=on(2), parts=(made,), **standing,
    )  # fmt: skip


TOLD = NoticeFacts(1, 1, offered=on(30), answer_by=on(20), consents=True)
CASES: list[tuple[str, OrderFacts, str | None]] = [
    ("far away", facts(), None),
    ("confirmed in time", facts(due(18)), None),
    ("confirmed too late", facts(due(21)), "send_notice"),
    ("near, nothing known", facts(part={"promise_date": on(5)}), "send_notice"),
    ("near, confirmed in time", facts(due(4), part={"promise_date": on(5)}), None),
    ("near, and overdue at the supplier", facts(due(-1), part={"promise_date": on(5)}), "send_notice"),
    ("due in a day or two, as good as here", facts(due(2), part={"promise_date": on(0)}), None),
    ("given today for today", facts(part={"promise_date": on(0), "promised_on": on(0)}), None),
    ("given yesterday for today", facts(part={"promise_date": on(0), "promised_on": on(-1)}), "send_notice"),
    ("here, late, ours to send", facts(HERE, part={"promise_date": on(-4)}), None),
    ("no date, the law far", facts(part={"promise_date": None, "legal_deadline": on(6)}), None),
    ("no date, the law near", facts(part={"promise_date": None, "legal_deadline": on(5)}), "send_notice"),
    (
        "here, read by nobody, the law near",
        facts(HERE, part={"promise_date": None, "legal_deadline": on(5)}, review="pending"),
        "send_notice",
    ),
    (
        "here, on hold, the law near",
        facts(HERE, part={"legal_deadline": on(5)}, holds=(HoldFacts(1, "odd", "Ann"),)),
        "send_notice",
    ),
    (
        "here, on hold, promised for soon",
        facts(HERE, part={"promise_date": on(2)}, holds=(HoldFacts(1, "odd", "Ann"),)),
        None,
    ),
    (
        "here, on hold, promised for today",
        facts(HERE, part={"promise_date": on(0)}, holds=(HoldFacts(1, "odd", "Ann"),)),
        "send_notice",
    ),
    ("the law's date over", facts(part={"promise_date": None, "legal_deadline": on(-3)}), "send_notice"),
    ("over before it came here", facts(part={"legal_deadline": on(-3), "clock_over": True}), None),
    ("they wait without a date", facts(part={"promise_date": None, "legal_deadline": None}), None),
    ("declined, and theirs to pay", facts(due(21), part={"money": "declined", "decline_class": "later"}), None),
    ("the bank is asked", facts(due(21), part={"money": "charging"}), None),
    ("gone", facts(due(21), part={"parcel": "shipped"}), None),
    ("cancelled", facts(due(21), cancelled=True), None),
    ("not finished", facts(due(21), finished=False), None),
    ("told already", facts(due(21), notices=(TOLD,)), None),
    ("in time after all", facts(due(19), notices=(TOLD,)), "withdraw_notice"),
    ("here after all", facts(HERE, notices=(TOLD,)), "withdraw_notice"),
    ("later than they were told", facts(due(31), notices=(TOLD,)), "withdraw_notice"),
    ("a date where they were told of none", facts(due(31), notices=(replace(TOLD, offered=None),)), "withdraw_notice"),
    ("promised anew", facts(due(21), part={"promise_version": 2}, notices=(TOLD,)), "withdraw_notice"),
    ("the last day", facts(due(21), notices=(replace(TOLD, answer_by=on(0)),)), None),
    ("the last day is over", facts(due(21), notices=(replace(TOLD, answer_by=on(-1)),)), "end_notice"),
    (
        "a no waits for the law's date",
        facts(due(21), notices=(replace(TOLD, answer_by=on(-1), open=False, declined=True),)),
        None,
    ),
    (
        "a no, and the law's date is over",
        facts(
            due(21), part={"legal_deadline": on(-1)},
            notices=(replace(TOLD, answer_by=on(-1), open=False, declined=True),),
        ),
        "end_notice",
    ),
    ("answered, to be worked in", facts(due(21), notices=(replace(TOLD, answer_by=on(-1), answered=True),)), None),
    ("a question of ours is open", facts(due(21), question_open=True), None),
    ("and the law near", facts(part={"legal_deadline": on(5)}, question_open=True), "adopt_question"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "act"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_due_about_a_promise(found: OrderFacts, act: str | None) -> None:
    if not found.cancelled and found.finished:
        assert due_notice(found) == act
    assert (due_by_itself(found) if act else None) in {act, None}


def test_a_promise_that_is_put_off_is_looked_at_on_the_days_that_matter() -> None:
    found = facts()
    assert derive(found).next_check_at == min(looks_again(found))
    days = {moment.date() for moment in looks_again(found)}
    assert days == {on(15), on(21), on(22), on(28)}, "five days before each date, and the day after it"
    told = facts(notices=(TOLD,))
    assert {m.date() for m in looks_again(told)} == {on(21)}


def test_the_next_deadline_is_the_last_day_for_an_answer_when_that_is_nearer() -> None:
    assert derive(facts(due(21))).deadline == on(20)
    asked = facts(due(21), notices=(replace(TOLD, answer_by=on(4)),))
    assert (derive(asked).deadline, derive(asked).queue, derive(asked).next_action) == (
        on(4), "promise", "wait_for_answer",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("promised", "legal", "consents", "until"),
    [
        (8, 30, True, 8),  # when the old promise is over
        (0, 30, True, 5),  # some days to answer
        (-2, 30, True, 5),
        (0, 3, True, 3),  # the law's date is the last
        (None, 5, True, 5),
        (8, 30, False, 30),
        (None, 30, False, 30),
        (None, -4, False, 5),  # late: some days from now
    ],
)
def test_until_when_an_answer_counts(promised: int | None, legal: int, consents: bool, until: int) -> None:
    found = facts(part={"promise_date": None if promised is None else on(promised), "legal_deadline": on(legal)})
    assert terms_of(found, found.parts[0], consents=consents).answer_by == on(until)
