"""The networks' limits against any history of declines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.core.retries import RetryLimit
from counterfoil.steps.charging.declines import free_at

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

tries = st.lists(st.integers(0, 40 * 24).map(lambda hours: NOW - hours * HOUR), max_size=60)
rules = st.lists(st.builds(RetryLimit, st.just("visa"), st.integers(1, 20), st.integers(1, 35)), max_size=3)


@given(tries, rules)
def test_whenever_a_card_is_free_one_more_try_keeps_every_limit(tries: list[datetime], rules: list[RetryLimit]) -> None:
    moment = free_at(tries, rules, NOW)
    assert moment >= NOW
    for rule in rules:
        span = rule.days * DAY
        assert sum(moment - span < t <= moment for t in tries) + 1 <= rule.attempts
    if moment > NOW:
        # Not a minute later than needed.
        before = moment - timedelta(seconds=1)
        assert any(sum(before - r.days * DAY < t <= before for t in tries) + 1 > r.attempts for r in rules)
