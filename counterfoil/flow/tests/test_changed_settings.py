"""The owner decides otherwise, and every open order stands where the new rule puts it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from counterfoil.core import clock, jobs, shop
from counterfoil.core.db import execute, rows, writing
from counterfoil.core.models import Job
from counterfoil.flow.advance import sweep
from counterfoil.flow.verify import states
from counterfoil.steps.charging.tests.build import approved
from tests.support import Api, settle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    shop.forget()


def decide(**values: Any) -> None:
    with writing():
        shop.change(**values)


def some_seconds_pass() -> None:
    """Nobody believes the old settings any more, and a worker does what is due."""
    past = clock.real_now() - timedelta(seconds=1)
    execute("UPDATE core_job SET run_at = %s", [past])
    for id_, payload in Job.objects.filter(name="flow.look_again").values_list("id", "payload"):
        Job.objects.filter(pk=id_).update(payload={**payload, "after": past.isoformat()})
    settle()
    sweep()


def test_a_shop_that_will_charge_when_it_has_packed_sends_what_is_ready_to_charge_to_be_picked(card: str) -> None:
    api = Api()
    number = approved(api)
    assert api.order(number)["queue"] == "charge"
    decide(charge_on="packed")
    some_seconds_pass()
    assert api.order(number)["queue"] == "pick"
    decide(charge_on="confirmed")
    some_seconds_pass()
    assert api.order(number)["queue"] == "charge"
    assert states.queues() == []


def test_nobody_is_looked_at_while_the_old_settings_are_still_believed(card: str) -> None:
    api = Api()
    number = approved(api)
    decide(charge_on="packed")
    assert jobs.drain(worker="early", only=("flow",)) == 1
    ((waits,),) = rows("SELECT last_error FROM core_job WHERE name = 'flow.look_again'")
    assert waits == "the old settings are still believed"
    assert api.order(number)["queue"] == "charge"


def test_what_moves_no_order_makes_nobody_look(card: str) -> None:
    decide(phone="+1 707 555 0100", terms="Wine is sold to adults.")
    assert not Job.objects.filter(name="flow.look_again").exists()
