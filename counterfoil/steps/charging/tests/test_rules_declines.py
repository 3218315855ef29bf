"""What follows a decline: never with this card, later within the networks' limits, or when the customer has acted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from counterfoil.core.errors import Blocker
from counterfoil.core.retries import DECLINE_CLASSES, RETRY_LIMITS, RetryLimit, check_settings, class_of, limits_of
from counterfoil.core.shop import Shop
from counterfoil.records.orders.facts import HoldFacts, OrderFacts, PartFacts
from counterfoil.steps.charging.declines import free_at, next_attempt, reminder_dates, unpaid_after_decline
from counterfoil.steps.charging.grace import checks, grace_is_over, reminder_is_due, retry_is_due
from counterfoil.steps.charging.rules import may_charge
from counterfoil.steps.charging.tests.test_rules import PART, READY

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
TODAY = date(2026, 11, 23)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VISA = (RetryLimit("visa", 15, 30),)
MASTERCARD = (RetryLimit("mastercard", 10, 1), RetryLimit("mastercard", 35, 30))
GRACE = NOW + 7 * DAY

DECLINED = replace(PART, money="declined", decline_class="later", retry_at=NOW + DAY, grace_until=GRACE)
ORDER = replace(READY, now=NOW, day_ends_at=NOW + 6 * HOUR, parts=(DECLINED,))


def at(moment: datetime, order: OrderFacts = ORDER, **part: Any) -> tuple[OrderFacts, PartFacts]:
    """The order at a moment, its part changed so."""
    changed = replace(order.parts[0], **part)
    return replace(order, now=moment, parts=(changed,)), changed


# --- the class of a code --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "class_"),
    [
        ("lost_card", "never"),
        ("stolen_card", "never"),
        ("pickup_card", "never"),
        ("fraudulent", "never"),
        ("invalid_account", "never"),
        ("do_not_try_again", "never"),
        ("revocation_of_all_authorizations", "never"),
        ("insufficient_funds", "later"),
        ("processing_error", "later"),
        ("issuer_not_available", "later"),
        ("card_velocity_exceeded", "later"),
        ("do_not_honor", "later"),
        ("generic_decline", "later"),
        ("authentication_required", "customer"),
        ("expired_card", "customer"),
        ("incorrect_cvc", "customer"),
        ("processor_refused", "ours"),
        ("a_code_that_nobody_has_heard_of", "customer"),
        ("", "customer"),
    ],
)
def test_every_decline_has_a_class_and_an_unknown_one_is_the_customers(code: str, class_: str) -> None:
    assert class_of(code, DECLINE_CLASSES, on=TODAY) == class_


def test_no_code_stands_in_two_classes() -> None:
    codes = [code for row in DECLINE_CLASSES for code in row["codes"]]
    assert len(codes) == len(set(codes))


def test_a_network_that_changes_its_mind_is_a_row_with_its_day() -> None:
    rows = [*DECLINE_CLASSES, {"from": "2026-12-01", "class": "later", "codes": ["lost_card"], "source": "a bulletin"}]
    assert class_of("lost_card", rows, on=date(2026, 11, 30)) == "never"
    assert class_of("lost_card", rows, on=date(2026, 12, 1)) == "later"
    assert class_of("lost_card", rows, on=date(2019, 1, 1)) == "customer"  # before any row: nothing is tried by itself


# --- the networks' limits -------------------------------------------------------------------------------------------


def test_each_network_has_its_own_limits_and_others_the_shops() -> None:
    assert limits_of("visa", RETRY_LIMITS, on=TODAY) == VISA
    assert limits_of("mastercard", RETRY_LIMITS, on=TODAY) == MASTERCARD
    assert limits_of("amex", RETRY_LIMITS, on=TODAY) == (RetryLimit("amex", 10, 30),)
    assert limits_of("", RETRY_LIMITS, on=TODAY) == (RetryLimit("", 10, 30),)


def test_a_new_limit_holds_from_its_day_on() -> None:
    rows = [
        *RETRY_LIMITS,
        {"from": "2026-12-01", "network": "visa", "attempts": 20, "days": 30, "source": "a bulletin"},
    ]
    assert limits_of("visa", rows, on=date(2026, 11, 30)) == VISA
    assert limits_of("visa", rows, on=date(2026, 12, 1)) == (RetryLimit("visa", 20, 30),)


def test_below_the_limit_a_card_is_free_now() -> None:
    assert free_at([], VISA, NOW) == NOW
    assert free_at([NOW - n * HOUR for n in range(1, 15)], VISA, NOW) == NOW
    assert free_at([NOW - 31 * DAY] * 40, VISA, NOW) == NOW
    assert free_at([NOW] * 99, (), NOW) == NOW


def test_the_sixteenth_try_of_a_visa_card_waits_until_the_first_is_thirty_days_old() -> None:
    tries = [NOW - n * DAY for n in range(15)]
    assert free_at(tries, VISA, NOW) == min(tries) + 30 * DAY


def test_mastercard_allows_ten_a_day_and_thirty_five_a_month() -> None:
    today = [NOW - n * HOUR for n in range(10)]
    assert free_at(today, MASTERCARD, NOW) == min(today) + DAY
    month = [NOW - n * DAY * 0.8 for n in range(35)]
    assert free_at(month, MASTERCARD, NOW) == min(month) + 30 * DAY


# --- when we try again by ourselves ---------------------------------------------------------------------------------


def plan(class_: str = "later", **more: Any) -> datetime | None:
    given: dict[str, Any] = {
        "begun": NOW, "tries": 1, "declines": [NOW], "limits": VISA, "schedule": [24, 72, 120], "now": NOW,
        "until": GRACE, **more,
    }  # fmt: skip
    return next_attempt(class_, **given)


def test_the_first_retry_comes_a_day_after_the_decline_then_after_three_and_five() -> None:
    assert plan() == NOW + DAY
    assert plan(tries=2, now=NOW + DAY) == NOW + 3 * DAY
    assert plan(tries=3, now=NOW + 3 * DAY) == NOW + 5 * DAY
    assert plan(tries=4, now=NOW + 5 * DAY) is None


@pytest.mark.parametrize("class_", ["never", "customer", "ours", ""])
def test_only_what_may_work_later_is_tried_by_ourselves(class_: str) -> None:
    assert plan(class_) is None


def test_a_persons_try_takes_the_place_of_one_of_ours() -> None:
    assert plan(tries=2, now=NOW + HOUR) == NOW + 3 * DAY


def test_a_time_that_has_passed_is_not_made_up_for() -> None:
    assert plan(tries=2, now=NOW + 4 * DAY) == NOW + 5 * DAY


def test_nothing_is_tried_after_the_goods_were_let_go() -> None:
    assert plan(until=NOW + 20 * HOUR) is None
    assert plan(tries=3, now=NOW + 3 * DAY, until=NOW + 4 * DAY) is None


def test_a_retry_waits_for_the_network_and_falls_away_when_that_takes_too_long() -> None:
    early = [NOW - 29 * DAY] + [NOW - n * HOUR for n in range(14)]
    assert plan(declines=early) == NOW + DAY
    soon = [NOW - 27 * DAY] + [NOW - n * HOUR for n in range(14)]
    assert plan(declines=soon) == NOW + 3 * DAY
    assert plan(declines=[NOW - n * HOUR for n in range(15)]) is None


def test_a_schedule_of_nothing_means_that_we_never_try_by_ourselves() -> None:
    assert plan(schedule=[]) is None


# --- reminders ------------------------------------------------------------------------------------------------------


def test_the_customer_is_reminded_on_the_second_day_and_on_the_day_before_the_last() -> None:
    last = TODAY + 7 * DAY
    assert reminder_dates(TODAY, last, [2, -1]) == [TODAY + 2 * DAY, TODAY + 6 * DAY]


def test_a_reminder_comes_once_a_day_and_never_after_the_grace() -> None:
    last = TODAY + 3 * DAY
    assert reminder_dates(TODAY, last, [2, -1, 9, -9]) == [TODAY + 2 * DAY]
    assert reminder_dates(TODAY, TODAY, [2, -1]) == []


# --- the gate -------------------------------------------------------------------------------------------------------


def test_a_card_that_must_never_be_tried_again_shuts_every_part_of_its_order() -> None:
    dead = replace(DECLINED, decline_class="never")
    other = replace(PART, number=2)
    facts = replace(ORDER, parts=(dead, other))
    for part in facts.parts:
        (blocker,) = may_charge(facts, part)
        assert (blocker.code, blocker.message) == (
            "no_payment_method", "this card must not be tried again; ask for another",
        )  # fmt: skip


@pytest.mark.parametrize("class_", ["later", "customer", "ours"])
def test_a_clerk_may_try_a_declined_card_again_within_the_limits(class_: str) -> None:
    facts, part = at(NOW, decline_class=class_)
    assert may_charge(facts, part) == []


def test_beyond_the_networks_limit_nobody_charges_this_card() -> None:
    tries = tuple(NOW - n * DAY for n in range(15))
    facts = replace(ORDER, card_declines=tries, retry_limits=VISA)
    (blocker,) = may_charge(facts, DECLINED)
    assert blocker == Blocker(
        "no_payment_method",
        "declined as often as its network allows until 2026-12-09 18:00 UTC; ask for another card",
    )
    assert may_charge(replace(facts, now=min(tries) + 30 * DAY), DECLINED) == []
    assert may_charge(replace(facts, payment_method="cheque"), DECLINED, offline=True) == []


# --- what time brings -----------------------------------------------------------------------------------------------


def test_a_retry_is_due_from_its_moment_until_the_grace_is_over() -> None:
    assert not retry_is_due(*at(NOW + DAY - timedelta(seconds=1)))
    assert retry_is_due(*at(NOW + DAY))
    assert retry_is_due(*at(GRACE - HOUR))
    assert not retry_is_due(*at(GRACE))


@pytest.mark.parametrize("class_", ["never", "customer", "ours"])
def test_no_other_class_is_ever_tried_by_ourselves_even_with_a_moment_on_it(class_: str) -> None:
    assert not retry_is_due(*at(NOW + DAY, decline_class=class_))


def test_a_retry_waits_while_the_gate_is_shut() -> None:
    short = replace(PART.lines[0], reserved=0)
    assert not retry_is_due(*at(NOW + DAY, lines=(short,)))
    spent = replace(ORDER, card_declines=(NOW,) * 15, retry_limits=VISA)
    assert not retry_is_due(*at(NOW + DAY, spent))


def test_after_the_grace_the_goods_are_let_go_once() -> None:
    assert not grace_is_over(*at(GRACE - HOUR))
    assert grace_is_over(*at(GRACE))
    assert grace_is_over(*at(GRACE, decline_class="never", retry_at=None))
    assert not grace_is_over(*at(GRACE, let_go=True))
    assert not grace_is_over(*at(GRACE, money="charging"))
    assert not grace_is_over(*at(GRACE, money="charged"))
    assert not grace_is_over(*at(GRACE, charged=500)), "a person decides about what is paid in part"


def test_an_attempt_that_was_taken_back_leaves_the_decline_standing() -> None:
    saved = replace(DECLINED, money="saved")
    assert unpaid_after_decline(saved)
    assert grace_is_over(*at(GRACE, money="saved"))
    assert not unpaid_after_decline(replace(saved, decline_class=""))


def test_a_reminder_is_due_from_its_moment_and_gives_way_to_a_retry() -> None:
    quiet: dict[str, Any] = {"retry_at": None, "remind_at": NOW + 2 * DAY}
    assert not reminder_is_due(*at(NOW + DAY, **quiet))
    assert reminder_is_due(*at(NOW + 2 * DAY, **quiet))
    assert not reminder_is_due(*at(GRACE, **quiet))
    assert not reminder_is_due(*at(NOW + 2 * DAY, remind_at=NOW + 2 * DAY)), "the card is tried first"


STILL: list[dict[str, Any]] = [
    {"holds": (HoldFacts(1, "Odd address", "Ann"),)},
    {"question_open": True},
    {"answer_unapplied": True},
    {"cancelled": True},
    {"closed_history": True},
    {"finished": False},
]


@pytest.mark.parametrize("still", STILL, ids=[next(iter(s)) for s in STILL])
def test_nothing_happens_by_itself_to_an_order_that_waits_for_a_person(still: dict[str, Any]) -> None:
    facts, part = at(GRACE, replace(ORDER, **still), remind_at=NOW)
    for due in (retry_is_due, reminder_is_due, grace_is_over):
        assert not due(facts, part)
        early, same = at(NOW + DAY, replace(ORDER, **still), remind_at=NOW)
        assert not due(early, same)
    assert checks(facts, part) == []


def test_a_declined_part_is_looked_at_again_at_each_of_its_moments() -> None:
    facts, part = at(NOW, remind_at=NOW + 2 * DAY)
    assert set(checks(facts, part)) == {NOW + DAY, NOW + 2 * DAY, GRACE, facts.day_ends_at}
    assert checks(*at(NOW, let_go=True)) == []
    assert checks(*at(NOW, money="charged")) == []


def test_what_is_due_and_not_done_yet_is_looked_at_again_in_a_minute() -> None:
    facts, part = at(GRACE + HOUR)
    assert min(checks(facts, part)) == GRACE + HOUR + timedelta(minutes=1)


# --- settings -------------------------------------------------------------------------------------------------------

ROW = {"from": "2026-11-24", "class": "never", "codes": ["x"], "source": "a bulletin"}
LIMIT = {"from": "2026-11-24", "network": "*", "attempts": 3, "days": 30, "source": "ours"}

BAD: list[tuple[str, Any, str]] = [
    ("grace_days", -1, "grace_days:"),
    ("grace_days", 91, "grace_days:"),
    ("grace_days", True, "grace_days:"),
    ("grace_days", "7", "grace_days:"),
    ("reminder_hour", 24, "reminder_hour:"),
    ("retry_after_hours", 24, "retry_after_hours:"),
    ("retry_after_hours", [0], "retry_after_hours.0:"),
    ("retry_after_hours", [72, 24], "retry_after_hours:"),
    ("retry_after_hours", [24, 24], "retry_after_hours:"),
    ("retry_after_hours", [24, 1.5], "retry_after_hours.1:"),
    ("reminder_days", [2, 0], "reminder_days.1:"),
    ("reminder_days", {"2": 2}, "reminder_days:"),
    ("decline_classes", None, "decline_classes:"),
    ("decline_classes", [{**ROW, "class": "perhaps"}], "decline_classes.0.class:"),
    ("decline_classes", [{**ROW, "codes": []}], "decline_classes.0.codes:"),
    ("decline_classes", [{**ROW, "codes": "lost_card"}], "decline_classes.0.codes:"),
    ("decline_classes", [{**ROW, "from": "24.11.2026"}], "decline_classes.0.from:"),
    ("decline_classes", [ROW, {**ROW, "source": " "}], "decline_classes.1.source:"),
    ("decline_classes", [{**ROW, "more": 1}], "decline_classes.0:"),
    ("retry_limits", ["visa"], "retry_limits.0:"),
    ("retry_limits", [{**LIMIT, "network": "Visa"}], "retry_limits.0.network:"),
    ("retry_limits", [{**LIMIT, "attempts": 0}], "retry_limits.0.attempts:"),
    ("retry_limits", [{**LIMIT, "days": 0}], "retry_limits.0.days:"),
    ("retry_limits", [{**LIMIT, "network": "visa"}], "retry_limits:"),
    ("retry_limits", [{**LIMIT, "from": 20261124}], "retry_limits.0.from:"),
]


@pytest.mark.parametrize(("name", "value", "field"), BAD)
def test_a_setting_that_makes_no_sense_is_refused_by_its_name(name: str, value: Any, field: str) -> None:
    with pytest.raises(ValueError, match="^" + field.replace(".", r"\.")):
        check_settings({name: value})


def test_the_delivered_settings_and_a_shops_own_make_sense() -> None:
    check_settings({"decline_classes": list(DECLINE_CLASSES), "retry_limits": list(RETRY_LIMITS)})
    check_settings({"grace_days": 0, "retry_after_hours": [], "reminder_days": [], "reminder_hour": 0, "name": 7})
    check_settings({"retry_limits": [LIMIT], "decline_classes": [ROW], "retry_after_hours": [1, 1440]})


def test_the_page_about_declines_names_every_setting_with_its_default_and_every_limit() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "declines.md").read_text(encoding="utf-8")
    settings = Shop()
    for name in ("retry_after_hours", "grace_days", "reminder_days", "reminder_hour"):
        assert f"| `{name}` | `{getattr(settings, name)}` |" in page
    for name in ("decline_classes", "retry_limits"):
        fields = ", ".join(f"`{field}`" for field in getattr(settings, name)[0])
        assert f"| `{name}` | rows of {fields} |" in page
    told = "Visa 15 attempts in 30 days, Mastercard 10 in one day and 35 in 30 days, any other card 10 in 30 days"
    assert told in page
    assert [(row["network"], row["attempts"], row["days"]) for row in RETRY_LIMITS] == [
        ("visa", 15, 30), ("mastercard", 10, 1), ("mastercard", 35, 30), ("*", 10, 30),
    ]  # fmt: skip
