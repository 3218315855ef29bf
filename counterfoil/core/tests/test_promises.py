"""The law of promised dates as data: which rule holds, by when to ship, when silence is a yes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from counterfoil.core.db import writing
from counterfoil.core.promises import PROMISE_RULES, PromiseRule, check_promise_settings, rule_of
from counterfoil.core.shop import change, shop

US: dict[str, Any] = dict(PROMISE_RULES[0])
PLACED = date(2026, 11, 1)
RULE = PromiseRule("16 CFR 435", date(2014, 12, 8), 30, 30)


def test_the_deadline_is_the_stated_date_or_the_legal_days_whichever_is_later() -> None:
    assert RULE.deadline(PLACED) == date(2026, 12, 1)
    assert RULE.deadline(PLACED, date(2026, 11, 5)) == date(2026, 12, 1)
    assert RULE.deadline(PLACED, date(2026, 12, 20)) == date(2026, 12, 20)


@pytest.mark.parametrize(
    ("days", "delays", "in_time", "yes"),
    [
        (1, 0, True, True),
        (30, 0, True, True),
        (31, 0, True, False),  # longer than the rule allows
        (1, 1, True, False),  # the second one
        (1, 0, False, False),  # asked when the date was over
        (None, 0, True, False),  # nobody knows until when
    ],
)
def test_silence_is_a_yes_to_a_first_definite_delay_of_up_to_thirty_days(
    days: int | None, delays: int, in_time: bool, yes: bool
) -> None:
    offered = None if days is None else PLACED + timedelta(days=days)
    assert RULE.silence_consents(promised=PLACED, offered=offered, delays=delays, in_time=in_time) is yes


def test_where_the_shop_says_so_silence_is_never_a_yes() -> None:
    strict = PromiseRule("ours", PLACED, 30, 0)
    assert not strict.silence_consents(promised=PLACED, offered=PLACED + timedelta(1), delays=0, in_time=True)


def test_the_newest_rule_in_force_for_the_destination_holds() -> None:
    german = {**US, "from": "2022-05-28", "country": "DE", "code": "BGB 323", "days": 14, "silent_days": 0}
    later = {**US, "from": "2027-01-01", "days": 20}
    rules = [later, german, US]
    assert rule_of(rules, country="US", on=date(2026, 12, 31)).days == 30
    assert rule_of(rules, country="US", on=date(2027, 1, 1)).days == 20
    assert rule_of(rules, country="DE", on=date(2026, 12, 31)).code == "BGB 323"
    assert rule_of(rules, country="FR", on=date(2026, 12, 31)).code == "16 CFR 435"
    assert rule_of(rules, country="US", on=date(2001, 1, 1)).days == 30, "before all of them the oldest"


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ([], "promise_rules: at least one"),
        ([{**US, "days": 0}], "promise_rules.0.days"),
        ([{**US, "days": "30"}], "promise_rules.0.days"),
        ([{**US, "silent_days": -1}], "promise_rules.0.silent_days"),
        ([{**US, "from": "soon"}], "promise_rules.0.from"),
        ([{**US, "country": "us"}], "promise_rules.0.country"),
        ([{**US, "code": " "}], "promise_rules.0.code"),
        ([{**US, "source": ""}], "promise_rules.0.source"),
        ([{**US, "more": 1}], "promise_rules.0: wants exactly"),
        ([{**US, "country": "US"}], "say with the country *"),
        ([US, US], "two rules for"),
        ("30 days", "at least one"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(rules: Any, named: str) -> None:
    with pytest.raises(ValueError, match=r"promise_rules") as refused:
        check_promise_settings({"promise_rules": rules})
    assert named in str(refused.value)


@pytest.mark.django_db
def test_settings_are_checked_when_they_are_stored() -> None:
    with writing(), pytest.raises(ValueError, match="notice_days"):
        change(notice_days=0)
    with writing():
        change(promise_rules=[US, {**US, "country": "DE", "days": 14}])
    assert shop().promise_rule(country="DE", on=PLACED).days == 14


@pytest.mark.django_db
def test_working_days_between_two_days_know_weekends_and_holidays() -> None:
    with writing():
        change(holidays=["2026-11-26"])
    monday = date(2026, 11, 23)
    assert shop().business_days_between(monday, monday) == 0
    assert shop().business_days_between(monday, monday + timedelta(days=7)) == 4, "a weekend and a holiday"
    assert shop().working_day(date(2026, 11, 26)) == date(2026, 11, 27)
    assert shop().working_day(date(2026, 11, 28)) == date(2026, 11, 30)
