"""Scenario 19. A substitute 6.00 cheaper after charging: exactly 6.00 and its tax go back; undoing moves no money."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import Mailbox
from counterfoil.core import shop
from counterfoil.core.db import writing
from counterfoil.records.orders.models import Refund
from counterfoil.steps.charging.tests.build import accepted
from tests.scenarios.money import all_is_well, bank, books, charged, paper, placed, prints, shipped
from tests.support import Api, product, settle

pytestmark = pytest.mark.django_db
OLD, NEW = 4000, 3400
# 7.25 % of 40.00 is 2.90, of 34.00 it is 2.465, rounded half up to 2.47: the tax of the difference is 0.43.
TOTAL, BACK = OLD + 290 + 1500, 600 + 43


@pytest.fixture
def api(card: str, mailbox: Mailbox) -> Api:
    with writing():
        shop.change(zones=[{"country": "US", "state": "CA", "rates": {"standard": 72_500}}])
    owner = Api()
    product(owner, "SYRAH-19", stock=5, price=OLD)
    product(owner, "SYRAH-20", stock=5, price=NEW)
    return owner


def substitute(old: str, new: str, **more: Any) -> dict[str, Any]:
    return {"kind": "substitute", "line": old, "sku": new, "quantity": 1, **more}


def money(api: Api, number: str) -> tuple[int, int, int]:
    order = api.order(number)
    return order["total"], order["charged"], order["refunded"] + order["refund_owed"]


def test_exactly_the_difference_and_its_tax_go_back_and_undoing_moves_nothing(api: Api, card: str) -> None:
    number = placed(api, "USD", [("SYRAH-19", 1, OLD)], shipping=1500)["number"]
    assert charged(api, number)["charged"] == TOTAL == bank(card, number)[0]

    accepted(api, number, substitute("SYRAH-19", "SYRAH-20"))
    settle()
    assert money(api, number) == (TOTAL - BACK, TOTAL, BACK)
    assert [(r.amount, r.tax, r.state) for r in Refund.objects.all()] == [(BACK, 43, "succeeded")]
    assert bank(card, number) == (TOTAL, BACK)
    assert books(number) == {"card_clearing": TOTAL - BACK, "customer_deposits": BACK - TOTAL}

    # Undone at the old price it would cost 6.43 more, and what is paid is paid: nobody is charged in secret.
    dearer = api.post(f"/orders/{number}/proposals", {"choices": [substitute("SYRAH-20", "SYRAH-19")]})
    assert (dearer.status, dearer.codes) == (409, {"already_charged"})
    assert "$6.43" in dearer.body["detail"]
    # Undone at the price that was paid it moves nothing, and neither does going there and back again.
    for there, back in (("SYRAH-20", "SYRAH-19"), ("SYRAH-19", "SYRAH-20"), ("SYRAH-20", "SYRAH-19")):
        accepted(api, number, substitute(there, back, price=NEW))
        settle()
        assert money(api, number) == (TOTAL - BACK, TOTAL, BACK)
        assert bank(card, number) == (TOTAL, BACK)
    assert Refund.objects.count() == 1

    order = shipped(api, number)
    assert [(ln["sku"], ln["quantity"]) for ln in order["lines"] if ln["quantity"]] == [("SYRAH-19", 1)]
    assert prints(paper(api, number, "invoice"), TOTAL - BACK, "USD")
    assert books(number) == {
        "card_clearing": TOTAL - BACK, "revenue": -NEW, "shipping_income": -1500, "tax_payable": -247,
    }  # fmt: skip
    all_is_well()


CONSENT = {"consent": {"how": "telephone", "who": "Zoë Brontë"}}


def test_undone_by_an_amendment_no_money_moves_and_the_difference_is_due_before_anything_ships(
    api: Api, card: str
) -> None:
    number = placed(api, "USD", [("SYRAH-19", 1, OLD)], shipping=1500)["number"]
    charged(api, number)
    accepted(api, number, substitute("SYRAH-19", "SYRAH-20"))
    settle()
    assert bank(card, number) == (TOTAL, BACK)
    for which in (1, 2, 3):  # undone, the undo undone, and undone again
        api.done(f"/orders/{number}/amendments/{which}/undo", CONSENT)
        settle()
        assert bank(card, number) == (TOTAL, BACK)
        due = BACK if which in {1, 3} else 0
        assert (api.order(number)["total"], api.order(number)["owed"]) == (TOTAL - BACK + due, due)
        assert api.order(number)["axes"]["money"] == ("saved" if due else "charged")
        if due:
            assert "not_charged" in api.post(f"/orders/{number}/picks").codes
    assert Refund.objects.count() == 1
    # The 2019 at its old price: what went back is taken again, once, and the books are as if nothing had been.
    api.done(f"/orders/{number}/charge")
    settle()
    assert api.order(number)["owed"] == 0
    order = shipped(api, number)
    assert [(ln["sku"], ln["quantity"]) for ln in order["lines"] if ln["quantity"]] == [("SYRAH-19", 1)]
    assert bank(card, number) == (TOTAL + BACK, BACK)
    assert prints(paper(api, number, "invoice"), TOTAL, "USD")
    assert books(number) == {
        "card_clearing": TOTAL, "revenue": -OLD, "shipping_income": -1500, "tax_payable": -290,
    }  # fmt: skip
    all_is_well()


def test_an_answer_given_twice_gives_the_difference_back_once(api: Api, card: str) -> None:
    number = placed(api, "USD", [("SYRAH-19", 1, OLD)], shipping=1500)["number"]
    charged(api, number)
    asked = api.done(f"/orders/{number}/proposals", {"choices": [substitute("SYRAH-19", "SYRAH-20")]})
    for _ in range(3):
        api.done(f"/proposals/{asked['token']}/answer", {"choice": 0})
        settle()
    assert bank(card, number) == (TOTAL, BACK)
    all_is_well()


def test_what_has_gone_back_already_is_not_given_back_again_by_a_cheaper_wine(api: Api, card: str) -> None:
    # 55.00 of the 57.90 went back for another reason: only what is left can follow.
    number = placed(api, "USD", [("SYRAH-19", 1, OLD)], shipping=1500)["number"]
    charged(api, number)
    api.done(f"/orders/{number}/refunds", {"amount": 5500, "reason": "late"})
    accepted(api, number, substitute("SYRAH-19", "SYRAH-20"))
    settle()
    assert bank(card, number) == (TOTAL, TOTAL)
    assert money(api, number) == (TOTAL - BACK, TOTAL, TOTAL)
    all_is_well()
