"""Payment problems at the desk: why the bank said no, what is tried next and when, what becomes of the goods."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, shop
from counterfoil.core.db import writing
from counterfoil.core.models import Printing
from counterfoil.core.retries import DECLINE_CLASSES
from counterfoil.desk.declined import declined_of
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.records.orders.declines import Tried
from counterfoil.records.orders.models import Order
from counterfoil.steps.charging import reach
from counterfoil.steps.charging.tests.build import after, approved, in_two_parts, intents, later, the_bank_thinks
from tests.support import Api, settle

pytestmark = pytest.mark.django_db
LOST, FUNDS, GOOD = "pm_card_chargeDeclinedLostCard", "pm_card_chargeDeclinedInsufficientFunds", "pm_card_visa"


@pytest.fixture
def api(card: str) -> Api:
    return Api()


def refused_by(api: Api, card: str, behaves_as: str) -> str:
    number = approved(api)
    the_bank_thinks(card, number, behaves_as)
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    settle()
    return number


def seen(page: Any) -> str:
    """What a person reads on a page."""
    assert page.status_code == 200, page.status_code
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def queue(desk: Client, number: str = "") -> str:
    return seen(desk.get("/desk/queues/payment_problem", {"order": number} if number else {}))


# --- the words ------------------------------------------------------------------------------------------------------


def said(code: str, class_: str, *, tries: int = 1, **more: Any) -> tuple[str, str, str]:
    """The sentence, the pill and the rest, at noon of Mon 23 Nov 2026 where the shop stands."""
    noon = datetime(2026, 11, 23, 20, tzinfo=UTC)
    part: Any = SimpleNamespace(
        **{"decline_class": class_, "retry_at": None, "grace_until": None, "let_go_at": None, **more}
    )
    with clock.at(noon):
        found = declined_of(part, Tried(tries, code, ""))
    assert found is not None
    return found.sentence, found.short, found.more


THURSDAY = datetime(2026, 11, 26, 16, tzinfo=UTC)  # 08:00 in California
LAST = datetime(2026, 12, 1, 7, 59, tzinfo=UTC)


def test_each_kind_of_decline_is_said_in_words_with_what_follows() -> None:
    assert said("lost_card", "never", grace_until=LAST) == (
        "The card is lost or stolen: ask for another",
        "ask for another card",
        "1 try so far · goods kept until Mon 30 Nov",
    )
    assert said("insufficient_funds", "later", tries=2, retry_at=THURSDAY) == (
        "No funds today: we try again Thu 08:00", "again Thu 08:00", "2 tries so far",
    )  # fmt: skip
    assert said("insufficient_funds", "later", tries=4)[:2] == (
        "No funds today; we try no more by ourselves", "tried in vain",
    )  # fmt: skip
    assert said("authentication_required", "customer")[:2] == (
        "The customer must confirm with the bank", "the customer must act",
    )  # fmt: skip
    assert said("processor_refused", "ours")[:2] == (
        "The card processor does not take this charge: to be mended here", "ours to mend",
    )  # fmt: skip
    assert said("lost_card", "never", grace_until=LAST, let_go_at=LAST) == (
        "The card is lost or stolen; a card brings the order back",
        "goods let go",
        "1 try so far · goods let go Mon 30 Nov",
    )


def test_a_code_that_has_no_words_is_said_by_its_class_and_no_code_reaches_a_screen() -> None:
    for row in DECLINE_CLASSES:
        for code in [*row["codes"], "something_new"]:
            sentence, short, more = said(code, row["class"])
            assert "_" not in sentence + short + more
            assert sentence[0].isupper()
            assert len(short) <= 22


# --- the pages ------------------------------------------------------------------------------------------------------


def test_the_queue_says_of_every_row_why_how_often_what_next_and_until_when(api: Api, card: str) -> None:
    lost, funds = refused_by(api, card, LOST), refused_by(api, card, FUNDS)
    last = shop.shop().today() + timedelta(days=7)
    page = queue(at_the_desk("clerk"))
    until = f"goods kept until {last:%a} {last.day} {last:%b}"
    assert f"The card is lost or stolen: ask for another · 1 try so far · {until}" in page
    assert re.search(rf"No funds today: we try again tomorrow \d\d:\d\d · 1 try so far · {until}", page)
    assert lost in page
    assert funds in page


def test_the_slip_and_the_order_page_say_the_same_and_do_not_praise_the_card(api: Api, card: str) -> None:
    number = refused_by(api, card, LOST)
    desk = at_the_desk("clerk")
    for page in (queue(desk, number), seen(desk.get(f"/desk/orders/{number}"))):
        assert "The card is lost or stolen: ask for another" in page
        assert "1 try so far" in page
        assert "4242 saved, consent" not in page
    assert seen(desk.get(f"/desk/orders/{number}")).count("The card is lost or stolen: ask for another") == 2


def test_a_card_that_may_work_can_be_tried_from_the_slip(api: Api, card: str) -> None:
    number = refused_by(api, card, FUNDS)
    desk = at_the_desk("clerk")
    assert "Try the card now" in queue(desk, number)
    the_bank_thinks(card, number, GOOD)
    form = {"version": Order.objects.get().version, "next": "/desk/queues/payment_problem"}
    assert desk.post(f"/desk/orders/{number}/acts/charge", form).status_code == 303
    assert api.order(number)["queue"] == "pick"
    page = desk.get(f"/desk/queues/pick?order={number}").content.decode()
    assert "Try the card now" not in page
    # As its button said: all papers of the packet in one PDF, once.
    assert f'action="/desk/orders/{number}/packet"' in page
    packet = desk.post(f"/desk/orders/{number}/packet")
    assert packet["Content-Type"] == "application/pdf"
    printed = Printing.objects.filter(document__subject=number).values_list("document__kind", flat=True)
    assert {"sales-order", "card-receipt"} <= set(printed)
    assert desk.post(f"/desk/orders/{number}/packet").status_code == 303
    assert f"{number}/packet" not in desk.get(f"/desk/queues/pick?order={number}").content.decode()


def test_a_card_that_must_not_be_tried_again_has_no_button_and_pressing_it_all_the_same_says_why(
    api: Api, card: str
) -> None:
    number = refused_by(api, card, LOST)
    desk = at_the_desk("clerk")
    assert "Try the card now" not in queue(desk, number)
    pressed = desk.post(f"/desk/orders/{number}/acts/charge", {})
    assert pressed.status_code == 409
    assert "this card must not be tried again; ask for another" in pressed.content.decode()
    assert len(intents(card, number)) == 1


def test_a_picker_reads_why_and_is_offered_nothing(api: Api, card: str) -> None:
    number = refused_by(api, card, FUNDS)
    page = queue(at_the_desk("picker"), number)
    assert "No funds today" in page
    assert "Try the card now" not in page


def test_let_go_goods_are_said_to_be_so_and_the_link_is_one_to_give_a_card(api: Api, card: str) -> None:
    number = refused_by(api, card, FUNDS)
    with after(days=8):
        page = queue(at_the_desk("clerk"), number)
        assert "goods let go" in page
        assert "Mail a link to give a card" in page
        assert "Try the card now" not in page
        assert "2 missing" not in page


def test_of_an_order_in_two_parts_the_part_is_named(api: Api, card: str) -> None:
    number = in_two_parts(api)
    the_bank_thinks(card, number, FUNDS)
    later()
    assert api.post(f"/orders/{number}/charge", {"part": 2}).status == 402
    page = seen(at_the_desk("clerk").get(f"/desk/orders/{number}"))
    assert "Part 2: no funds today: we try again" in page
    assert "Part 1: no funds" not in page


def test_the_customers_page_says_until_when_and_how(api: Api, card: str) -> None:
    number = refused_by(api, card, LOST)
    token = Order.objects.get().token
    last = shop.shop().today() + timedelta(days=7)
    page = seen(Client().get(f"/orders/{token}"))
    assert f"We keep your goods until {last:%a} {last.day} {last:%b}" in page
    assert "Pay with any card" in page
    with after(days=8):
        page = seen(Client().get(f"/orders/{token}"))
        assert "Your goods are back on the shelf" in page
        assert "Enter the card" in page
    assert api.order(number)["charged"] == 0


def test_what_the_processor_does_not_take_is_no_banks_no_for_the_customer_and_ours_to_charge_again(
    api: Api, card: str
) -> None:
    number = approved(api, shipping={"method": "Ground", "price": 0}, total=20)
    assert api.post(f"/orders/{number}/charge", {}).status == 402
    page = queue(at_the_desk("clerk"), number)
    assert "The card processor does not take this charge: to be mended here" in page
    assert "Charge $0.20 and print packet" in page
    assert "Mail a link" not in page
    with writing():
        shop.change(print_at="packing")
    assert "Charge $0.20; papers print when it is packed" in queue(at_the_desk("clerk"), number)
    told = seen(Client().get(f"/orders/{Order.objects.get().token}"))
    assert "We cannot take the payment yet" in told
    assert "Your bank said no" not in told


def test_the_queue_of_payment_problems_costs_no_more_for_many_orders(api: Api, card: str) -> None:
    first = refused_by(api, card, FUNDS)
    desk = at_the_desk("clerk")

    def statements() -> int:
        shop.forget()
        clock.forget()
        reach.forget()
        with CaptureQueriesContext(connection) as asked:
            queue(desk, first)
        return len(asked)

    statements()  # what is read once and kept is at hand from here on
    one = statements()
    for _ in range(3):
        refused_by(api, card, LOST)
    assert statements() == one <= 15
