"""The buttons: what they do, what they say when they may not, and that no role gets around its gate."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from counterfoil.core import jobs
from counterfoil.core.shop import shop
from counterfoil.desk import keys
from counterfoil.desk.acts import ACTS, BULK
from counterfoil.desk.keys import ACT, KEYS
from counterfoil.desk.queries import Asked
from counterfoil.desk.slips import checks_of
from counterfoil.desk.tests.build import at_the_desk, order, product
from counterfoil.records.orders.models import Hold, Order
from counterfoil.steps.charging import rules as charging_rules

pytestmark = pytest.mark.django_db


def _tomorrow() -> str:
    return (shop().today() + timedelta(days=1)).isoformat()


def test_approving_at_the_desk_promises_the_date_and_returns_to_the_queue() -> None:
    product("A", on_hand=5)
    made = order(("A", 1))
    form = {"ship_estimate": _tomorrow(), "version": made.version, "next": "/desk/queues/review"}
    answer = at_the_desk("clerk").post(f"/desk/orders/{made.number}/acts/approve", form)
    assert (answer.status_code, answer["Location"]) == (303, "/desk/queues/review")
    assert Order.objects.get(pk=made.pk).review == "approved"


def test_a_second_approval_is_told_who_was_first() -> None:
    product("A", on_hand=5)
    made = order(("A", 1))
    at_the_desk().post(f"/desk/orders/{made.number}/acts/approve", {"ship_estimate": _tomorrow()})
    answer = at_the_desk().post(f"/desk/orders/{made.number}/acts/approve", {"ship_estimate": _tomorrow()})
    assert answer.status_code == 409
    assert "already approved by Ann" in answer.content.decode()


def test_a_wrong_field_comes_back_with_its_message_beside_it() -> None:
    product("A", on_hand=5)
    made = order(("A", 1))
    answer = at_the_desk().post(f"/desk/orders/{made.number}/acts/hold", {"reason": "  "})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'id="e-h-reason"' in page
    assert 'aria-describedby="e-h-reason"' in page
    assert not Hold.objects.exists()


@pytest.mark.parametrize("verb", ["approve", "hold", "charge", "refund", "cancel", "propose", "record-payment"])
def test_a_picker_may_not_do_a_clerks_work(verb: str) -> None:
    product("A", on_hand=5)
    made = order(("A", 1))
    form = {
        "ship_estimate": _tomorrow(),
        "reason": "because",
        "amount": "1.00",
        "reference": "x",
        "kind:0": "cancel",
    }
    answer = at_the_desk("picker").post(f"/desk/orders/{made.number}/acts/{verb}", form)
    assert answer.status_code == 403
    assert Order.objects.get(pk=made.pk).version == made.version


def test_an_act_answers_only_to_a_form() -> None:
    product("A", on_hand=5)
    made = order(("A", 1))
    for verb in ACTS:
        assert at_the_desk().get(f"/desk/orders/{made.number}/acts/{verb}").status_code == 405


def test_several_orders_at_once_want_a_second_page_and_give_a_result_each() -> None:
    product("A", on_hand=50)
    made = [order(("A", 1)) for _ in range(3)]
    desk = at_the_desk()
    desk.post(f"/desk/orders/{made[2].number}/acts/hold", {"reason": "ask them"})
    ticked = {"order": [o.number for o in made]}
    asked = desk.post("/desk/queues/review/acts", ticked)
    assert "Approve 3 orders" in asked.content.decode()
    assert not Order.objects.filter(review="approved").exists()
    done = desk.post("/desk/queues/review/acts", {**ticked, "sure": "yes", "ship_estimate": _tomorrow()})
    jobs.drain(only=("desk",))
    page = desk.get(done["Location"]).content.decode()
    assert "2 of 3 orders done" in page
    assert "on hold: ask them" in page
    assert Order.objects.filter(review="approved").count() == 2


def test_whatever_bars_a_charge_is_said_with_the_link_that_clears_it() -> None:
    over = {"cancelled", "delivered", "already_charged", "already_shipped", "someone_else", "charge_over"}
    codes = set(re.findall(r'Blocker\(\s*"(\w+)"', Path(str(charging_rules.__file__)).read_text())) - over
    assert {"no_consent", "no_sales_order", "line_short"} <= codes
    bars = Order(number="CF-1", blockers=[{"code": code, "message": code} for code in sorted(codes)])
    missing = [c.text for c in checks_of(bars, [], [], Asked([], None)) if c.met is False and not c.link]
    assert missing == []


def test_what_is_missing_is_bought_in_or_replaced_from_its_line_of_the_gate() -> None:
    product("A B", on_hand=0)
    made = order(("A B", 2))
    desk = at_the_desk()
    desk.post(f"/desk/orders/{made.number}/acts/approve", {"ship_estimate": _tomorrow()})
    jobs.drain()
    page = desk.get(f"/desk/orders/{made.number}").content.decode()
    assert page.count(f"/desk/purchase-orders?sku=A+B&amp;order={made.number}") == 2, "at the gate, and on the button"
    pressed = re.findall(r'data-key="(.)"', page)
    assert sorted(pressed) == sorted(set(pressed)), "no two of a page are alike"
    assert set("hoCeKDnp") <= set(pressed)
    assert f'<a href="/desk/orders/{made.number}#offer">Offer alternative</a>' in page
    assert desk.get(f"/desk/purchase-orders?sku=A+B&order={made.number}").status_code == 200


def test_every_act_has_a_key_which_stands_on_its_button_and_in_the_list_and_no_two_are_alike() -> None:
    assert set(ACT) == set(ACTS)
    assert all(re.fullmatch("[A-Za-z0-9]", key) for key in ACT.values()), "Ctrl, Alt and Insert are others'"
    shared = {key: sorted(v for v in ACT if ACT[v] == key) for key in ACT.values()}
    alike = {key: verbs for key, verbs in shared.items() if len(verbs) > 1}
    assert alike == {"c": ["charge", "record-payment"], "y": ["call", "deliver"]}, "an order's next step is one of them"
    folder = Path(str(keys.__file__)).parent / "templates" / "desk"
    templates = "".join(path.read_text() for path in folder.glob("*.html"))
    assert [verb for verb in ACTS if f'words.ACT["{verb}"]' not in templates] == ["take-offer"], "its number is its key"
    others = set(re.findall(r'data-key="(\w)"', templates)) | set("jkxXdf")
    assert others & set(ACT.values()) == set()
    said = {key for group in KEYS.values() for shown, _ in group for key in shown.split()}
    assert (set(ACT.values()) | others) - {"X"} <= said


def test_every_bulk_act_is_an_act() -> None:
    assert {verb for acts in BULK.values() for verb, _, _ in acts} <= set(ACTS)


def test_what_was_answered_goes_back_to_the_desk_only() -> None:
    product("A", on_hand=5)
    made = order(("A", 1))
    form = {"reason": "wait", "next": "//elsewhere.example/desk/"}
    answer = at_the_desk().post(f"/desk/orders/{made.number}/acts/hold", form)
    assert answer["Location"] == f"/desk/orders/{made.number}"


def test_a_doubt_about_an_address_is_mended_in_one_click_and_the_rest_on_the_orders_page() -> None:
    product("PINOT", on_hand=9)
    made, desk = order(("PINOT", 1), email="zoe@gmial.com", gift_message="Two\nlines"), at_the_desk("clerk")
    page = desk.get("/desk/queues/review").content.decode()
    assert "Change to zoe@gmail.com" in page
    assert "Change to" not in at_the_desk("picker").get("/desk/queues/review").content.decode()
    mend = {"email": "zoe@gmail.com", "version": str(made.version), "next": "/desk/queues/review"}
    assert desk.post(f"/desk/orders/{made.number}/acts/details", mend).status_code == 303
    assert "gmial" not in desk.get("/desk/queues/review").content.decode().partition('class="timeline"')[0]
    page = desk.get(f"/desk/orders/{made.number}").content.decode()
    assert f'href="/desk/orders/{made.number}/amend">change the address' in page
    wrong = desk.post(f"/desk/orders/{made.number}/acts/details", {"name": "June", "email": "june"})
    assert wrong.status_code == 422
    assert 'id="e-w-email">this is no e-mail address' in wrong.content.decode()
    # A browser sends its own line ends.
    desk.post(f"/desk/orders/{made.number}/acts/details", {"name": "June", "gift_message": "Two\r\nlines"})
    made.refresh_from_db()
    assert (made.name, made.email, made.gift_message) == ("June", "zoe@gmail.com", "Two\nlines")
