"""The owner's page of settings: kept with who and when, refused at the field; open orders stand by the new rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import forget, shop
from counterfoil.desk.shop_settings import _shown
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.flow.advance import sweep
from counterfoil.flow.verify import judge_all
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db


def sent(**more: Any) -> dict[str, str]:
    """What the browser sends when only these fields were changed."""
    return {**_shown(shop()), **more}


def test_the_settings_are_shown_and_come_back_unchanged() -> None:
    desk = at_the_desk("owner")
    page = desk.get("/desk/settings").content.decode()
    assert 'value="confirmed" checked' in page
    assert "issuer will never approve" in page
    before = shop()
    assert desk.post("/desk/settings", sent())["Location"] == "/desk/settings"
    forget()
    assert shop() == before
    assert not JournalEvent.objects.filter(kind="setting_changed").exists()


def test_a_change_is_kept_with_who_made_it() -> None:
    at_the_desk("owner").post(
        "/desk/settings", sent(charge_on="packed", grace_days="3", retry_after_hours="12, 48", lots_by="fifo")
    )
    forget()
    assert (shop().charge_on, shop().grace_days, shop().retry_after_hours) == ("packed", 3, [12, 48])
    assert shop().lots_by == "fifo"
    told = {e.text.partition(":")[0]: e.actor for e in JournalEvent.objects.filter(kind="setting_changed")}
    assert told == {"charge_on": "Ann", "grace_days": "Ann", "lots_by": "Ann", "retry_after_hours": "Ann"}


@pytest.mark.parametrize("role", ["clerk", "picker", "buyer", "bookkeeper"])
def test_nobody_but_the_owner_changes_them(role: str) -> None:
    desk = at_the_desk(role)
    assert desk.get("/desk/settings").status_code == 403
    assert desk.post("/desk/settings", sent(charge_on="packed")).status_code == 403
    forget()
    assert shop().charge_on == "confirmed"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("charge_on", "whenever"),
        ("lots_by", "nearest"),
        ("card_at_checkout", ""),
        ("charge_within_days", "-1"),
        ("charge_within_days", "99"),
        ("grace_days", "soon"),
        ("retry_after_hours", "24, later"),
        ("retry_after_hours", "48, 24"),
        ("reminder_days", "0"),
        ("reminder_hour", "24"),
        ("retry_limits", "2021-04-01; visa; 15; 30"),
        ("retry_limits", "2021-04-01; visa; many; 30; Visa"),
        ("retry_limits", "yesterday; visa; 15; 30; Visa"),
        ("decline_classes", "2021-04-01; perhaps; lost_card; Visa"),
        ("decline_classes", "2021-04-01; never; ; Visa"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_at_its_field_and_nothing_is_kept(field: str, value: str) -> None:
    answer = at_the_desk("owner").post("/desk/settings", sent(**{"grace_days": "5", field: value}))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="e-{field}"' in page
    forget()
    assert shop().grace_days == 7


def test_open_orders_stand_by_the_new_rule_after_the_sweep(card: str, mailbox: Any) -> None:
    api = Api()
    product(api, stock=10)
    number = api.done("/orders", order_body(("PINOT-21", 1)))["number"]
    settle()
    day = (shop().today() + timedelta(days=1)).isoformat()
    assert api.done(f"/orders/{number}/approval", {"ship_estimate": day})["queue"] == "charge"
    at_the_desk("owner").post("/desk/settings", sent(charge_on="packed"))
    forget()
    sweep()
    assert api.order(number)["queue"] == "pick"
    settle()
    assert judge_all() == []
