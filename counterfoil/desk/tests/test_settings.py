"""The owner's pages of settings: kept with who and when, refused at the field; open orders stand by the new rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from counterfoil.core.access.models import User
from counterfoil.core.db import writing
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import change, forget, shop
from counterfoil.desk.settings.form import shown
from counterfoil.desk.settings.sections import SECTIONS
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.desk.tests.build import product as wine
from counterfoil.flow.advance import sweep
from counterfoil.flow.settings import settings_mark
from counterfoil.flow.verify import judge_all
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db


def sent(section: str, **more: Any) -> dict[str, str]:
    """What the browser sends when only these fields were changed."""
    forget()
    return {"seen": str(settings_mark()), **shown(SECTIONS[section], shop()), **more}


def keep(desk: Client, section: str, **more: Any) -> Any:
    answer = desk.post(f"/desk/settings/{section}", sent(section, **more))
    forget()
    return answer


def test_every_section_is_shown_and_comes_back_unchanged(django_assert_max_num_queries: Any) -> None:
    desk = at_the_desk("owner")
    before = shop()
    for section in SECTIONS:
        with django_assert_max_num_queries(12):
            assert desk.get(f"/desk/settings/{section}").status_code == 200
        answer = keep(desk, section)
        assert answer.status_code == 303, (section, answer.content.decode())
    forget()
    assert shop() == before
    assert not JournalEvent.objects.filter(kind="setting_changed").exists()
    page = desk.get("/desk/settings").content.decode()
    assert "Monday to Friday" in page
    assert desk.get("/desk/settings/nothing").status_code == 404


def test_a_change_is_kept_with_who_made_it_from_what_to_what() -> None:
    desk = at_the_desk("owner")
    keep(desk, "money", charge_on="packed", grace_days="3", retry_after_hours="12, 48")
    keep(desk, "delivery", **{"deliveries.1.price": "42.50"})
    assert (shop().charge_on, shop().grace_days, shop().retry_after_hours) == ("packed", 3, [12, 48])
    told = {e.data["setting"]: (e.actor, e.data["from"], e.data["to"]) for e in JournalEvent.objects.all()}
    assert told["grace_days"] == ("Ann", 7, 3)
    page = desk.get("/desk/settings/log").content.decode()
    assert "Express $35.00" in page
    assert "Express $42.50" in page
    assert "Ground" not in page, "what stayed as it was is no news"


@pytest.mark.parametrize("role", ["clerk", "picker", "buyer", "bookkeeper"])
def test_nobody_but_the_owner_sees_or_changes_them(role: str) -> None:
    desk = at_the_desk(role)
    assert {desk.get(f"/desk/settings{page}").status_code for page in ("", "/log", "/money")} == {403}
    assert keep(desk, "money", charge_on="packed").status_code == 403
    assert shop().charge_on == "confirmed"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("charge_on", "whenever"),
        ("card_at_checkout", ""),
        ("charge_within_days", "-1"),
        ("charge_within_days", "99"),
        ("grace_days", "soon"),
        ("retry_after_hours", "24, later"),
        ("retry_after_hours", "48, 24"),
        ("reminder_days", "0"),
        ("reminder_hour", "24"),
        ("retry_limits.0.source", ""),
        ("retry_limits.1.attempts", "many"),
        ("retry_limits.2.from", "yesterday"),
        ("decline_classes.0.class", "perhaps"),
        ("decline_classes.3.codes", ""),
        ("currency", "XYZ"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_at_its_field_and_nothing_is_kept(field: str, value: str) -> None:
    answer = keep(at_the_desk("owner"), "money", **{"cannot_ship_days": "5", field: value})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count("aria-invalid") + page.count('class="wrong"') >= 1
    assert shop().cannot_ship_days == 3


def test_rows_come_and_go_without_a_script() -> None:
    desk = at_the_desk("owner")
    typed = {"zones.0.country": "United States", "zones.0.state": "California", "zones.0.rate standard": "7.25"}
    page = desk.post("/desk/settings/delivery", sent("delivery", **typed, do="add zones")).content.decode()
    assert 'name="zones.1.country"' in page
    assert shop().zones == [], "nothing is stored before it is kept"
    more = {"zones.7.country": "us", "zones.7.rate standard": "0", "zones.9.country": "DE", "zones.9.state": ""}
    more |= {"zones.9.rate standard": "19", "zones.9.rate food": "7", "zones.classes": "standard\nfood"}
    more |= {"not_served.0.country": "US", "not_served.0.state": "utah", "not_served.0.reason": "Not allowed"}
    keep(desk, "delivery", **{**more, **typed})
    assert shop().zones == [
        {"country": "US", "state": "CA", "rates": {"standard": 72_500}},
        {"country": "US", "rates": {"standard": 0}},
        {"country": "DE", "rates": {"standard": 190_000, "food": 70_000}},
    ]
    assert shop().not_served == [{"country": "US", "state": "UT", "reason": "Not allowed"}]
    page = desk.post("/desk/settings/delivery", sent("delivery", do="remove zones 1")).content.decode()
    assert page.count("United States") == 1 + 1 + 1, "the list of countries, California's row and the refusal"
    page = desk.post("/desk/settings/delivery", sent("delivery", do="class zones", new_class="Books")).content.decode()
    assert 'name="zones.0.rate books"' in page
    answer = keep(desk, "delivery", **{"zones.3.country": "Atlantis", "deliveries.0.price": "1.234"})
    assert answer.status_code == 422
    assert answer.content.decode().count('class="wrong"') == 2


def test_a_form_that_is_older_than_a_change_of_somebody_else_is_refused_with_what_changed() -> None:
    ann, bea = at_the_desk("owner"), Client()
    bea.force_login(User.objects.create_user("bea@example.com", None, name="Bea", role="owner"))
    old = sent("shop", phone="+1 707 555 0111")
    keep(bea, "shop", phone="+1 707 555 0199", tax_number="T-1")
    answer = ann.post("/desk/settings/shop", {**old, "email": "hello@example.com"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Bea" in page
    assert "+1 707 555 0199" in page
    forget()
    assert (shop().phone, shop().email) == ("+1 707 555 0199", "shop@example.com")
    again = {**old, "seen": str(settings_mark()), "tax_number": "T-1"}
    assert ann.post("/desk/settings/shop", again).status_code == 303
    forget()
    assert shop().phone == "+1 707 555 0111"


def test_the_currency_stays_once_there_are_products() -> None:
    desk = at_the_desk("owner")
    assert keep(desk, "money", currency="EUR").status_code == 303
    assert keep(desk, "money", currency="USD").status_code == 303
    wine("PINOT-21")
    answer = keep(desk, "money", currency="EUR")
    assert answer.status_code == 422
    assert "1 products are priced in USD" in answer.content.decode()
    assert shop().currency == "USD"


def test_what_makes_no_sense_is_refused_by_core_itself() -> None:
    """Whatever door it comes through."""
    wrong: dict[str, Any] = {
        "name": " ", "email": "nobody", "currency": "ISK", "timezone": "Mars/Base", "paper": "a3", "working_days": [],
        "holidays": ["2026-12-25", "2026-12-25"], "zones": [{"country": "US", "rates": {"standard": 2_000_000}}],
        "deliveries": [{"method": "A", "price": 1}, {"method": "A", "price": 2}], "proposal_days": 0,
        "not_served": [{"country": "US", "reason": ""}], "sales_order_by_hand": 1, "address": ["x"] * 7,
    }  # fmt: skip
    for name, value in wrong.items():
        with writing(), pytest.raises(ValueError, match=f"^{name}"):
            change(**{name: value})
    with writing(), pytest.raises(ValueError, match=r"zones\.1\.state"):
        change(zones=[{"country": "US", "rates": {}}, {"country": "US", "state": "CA", "rates": {}}])


def test_open_orders_stand_by_the_new_rule_after_the_sweep(card: str, mailbox: Any) -> None:
    api = Api()
    product(api, stock=10)
    number = api.done("/orders", order_body(("PINOT-21", 1)))["number"]
    settle()
    day = (shop().today() + timedelta(days=1)).isoformat()
    assert api.done(f"/orders/{number}/approval", {"ship_estimate": day})["queue"] == "charge"
    keep(at_the_desk("owner"), "money", charge_on="packed")
    sweep()
    assert api.order(number)["queue"] == "pick"
    settle()
    assert judge_all() == []
