"""What is offered stays there while the customer thinks; a question that has lost its reason is taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from conftest import Mailbox
from counterfoil.core import clock
from counterfoil.core.shop import shop
from counterfoil.flow.advance import sweep
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Offered, Order, Part, Proposal
from counterfoil.records.stock.models import Balance
from counterfoil.steps.alternatives.kinds import say_day
from tests.support import Answer, Api, order_body, product, settle

pytestmark = pytest.mark.django_db
OLD, NEW = "SYRAH-19", "SYRAH-20"


@pytest.fixture
def api() -> Api:
    owner = Api("owner", "Olga")
    product(owner, OLD, price=2000)
    product(owner, NEW, stock=5, price=2100, sell_when_out="stop")
    return owner


def placed(api: Api, quantity: int = 3, sku: str = OLD, **more: Any) -> str:
    """An approved order to be paid at the door; the 2019 is not there."""
    number = str(api.done("/orders", order_body((sku, quantity), card=None, **more))["number"])
    settle()
    day = shop().business_days_from(shop().today(), 1).isoformat()
    api.done(f"/orders/{number}/approval", {"ship_estimate": day})
    return number


def ask(api: Api, number: str, *choices: dict[str, Any]) -> str:
    """The token of a question with the 2020 among its choices."""
    offered = choices or (substitute(3), {"kind": "cancel"})
    return str(api.done(f"/orders/{number}/proposals", {"choices": list(offered)})["token"])


def substitute(quantity: int, sku: str = NEW) -> dict[str, Any]:
    return {"kind": "substitute", "line": OLD, "sku": sku, "quantity": quantity}


def answer(api: Api, token: str, **body: Any) -> Answer:
    found = api.post(f"/proposals/{token}/answer", body)
    settle()
    return found


def held(sku: str = NEW) -> tuple[int, int]:
    """On the shelf, and of those promised or kept."""
    balance = Balance.objects.get(product__sku=sku)
    return balance.on_hand, balance.reserved


def well() -> None:
    settle()
    assert judge_all() == []


def test_what_is_offered_is_kept_and_cannot_be_sold_to_another(api: Api) -> None:
    token = ask(api, placed(api))
    assert held() == (5, 3)
    assert api.get(f"/products/{NEW}").body["available_to_promise"] == 2
    other = api.post("/orders", order_body((NEW, 3), card=None))
    assert (other.status, other.codes) == (409, {"sold_out"})
    well()
    assert answer(api, token, choice=0).status == 200
    line = next(ln for ln in api.order(Order.objects.get().number)["lines"] if ln["sku"] == NEW)
    assert (line["quantity"], line["reserved"], held()) == (3, 3, (5, 3))
    assert not Offered.objects.filter(released_at=None).exists()
    well()


@pytest.mark.parametrize("how", ["decline", "another", "withdrawn", "cancelled", "expired"])
def test_however_the_question_ends_otherwise_the_wine_is_free_again(api: Api, how: str) -> None:
    number = placed(api)
    token = ask(api, number, substitute(3), {"kind": "later_date", "date": "2027-06-01"})
    assert held() == (5, 3)
    if how == "decline":
        answer(api, token, decline=True)
    elif how == "another":
        answer(api, token, choice=1)
    elif how == "withdrawn":
        assert api.ask("DELETE", f"/orders/{number}/proposals/{token}").status == 204
    elif how == "cancelled":
        api.done(f"/orders/{number}/cancellation", {"reason": "changed their mind"})
    else:
        with clock.at(clock.business_now() + timedelta(days=8)):
            sweep()
            settle()
            assert Proposal.objects.get(token=token).state == "expired"
    assert held() == (5, 0)
    well()


def test_a_yes_that_comes_after_the_day_that_was_offered_promises_no_day_that_is_over(
    api: Api, mailbox: Mailbox
) -> None:
    number = placed(api)
    offered = shop().today() + timedelta(days=3)
    token = ask(api, number, {"kind": "later_date", "date": offered.isoformat()})
    with clock.at(clock.business_now() + timedelta(days=5)):
        day, over = say_day(shop().working_day(shop().today())), say_day(offered)
        page = Client().get(f"/orders/{Order.objects.get().token}").content.decode()
        assert (f"ships on {day}" in page, over in page) == (True, False)  # what a yes would promise now
        assert answer(api, token, choice=0).status == 200
        assert Part.objects.get(order__number=number).promise_date == shop().working_day(shop().today())
        settle()
        mail = mailbox.mails(subject="is changed as you chose")[0]
        assert f"Everything ships on {day}" in mail["text"]
        assert f"{over} was over already" in mail["text"]
        assert (mail["text"].count(over), mail["html"].count(over)) == (1, 1)
        told = [e["text"] for e in api.get(f"/orders/{number}/timeline").body["events"]]
        assert any(f"Changed as the customer chose: Everything ships on {day}" in text for text in told)
        well()


def test_two_choices_of_one_wine_keep_it_once(api: Api) -> None:
    token = ask(api, placed(api), substitute(1), substitute(3))
    assert held() == (5, 3)
    answer(api, token, choice=0)
    assert held() == (5, 1)
    well()


def test_of_what_is_not_there_nothing_is_kept_and_the_customer_reads_so(api: Api) -> None:
    product(api, "SYRAH-21", stock=2, price=2000)
    number = placed(api)
    ask(api, number, substitute(3, "SYRAH-21"))
    assert held("SYRAH-21") == (2, 2)
    page = Client().get(f"/orders/{Order.objects.get().token}").content.decode()
    assert "2 of them kept for you, the rest not in stock" in page
    well()


def test_goods_that_come_after_all_take_the_question_back_and_its_link_says_so(api: Api) -> None:
    number = placed(api)
    token = ask(api, number)
    api.done("/stock", {"sku": OLD, "quantity": 2, "reason": "found in the cellar"})
    settle()
    assert Proposal.objects.get().state == "open"  # two of three: the question still stands
    api.done("/stock", {"sku": OLD, "quantity": 1, "reason": "found in the cellar"})
    settle()
    asked = Proposal.objects.get()
    assert (asked.state, asked.closed_because) == ("withdrawn", "what was missing is here after all")
    assert held() == (5, 0)
    late = answer(api, token, choice=0)
    assert (late.status, late.codes) == (409, {"someone_else"})
    assert "withdrawn on" in late.body["detail"]
    assert "what was missing is here after all" in late.body["detail"]
    page = Client().get(f"/orders/{Order.objects.get().token}").content.decode()
    assert "what was missing is here after all" in page
    assert api.order(number)["queue"] == "pick"
    well()


def test_the_customer_is_told_that_a_question_needs_no_answer(mailbox: Mailbox, api: Api) -> None:
    number = placed(api)
    ask(api, number)
    api.done("/stock", {"sku": OLD, "quantity": 3, "reason": "found in the cellar"})
    settle()
    (mail,) = mailbox.mails(to=Order.objects.get(number=number).email, subject="needs no answer")
    assert "what was missing is here after all" in " ".join(mail["text"].split())


def test_an_offered_bottle_that_breaks_takes_the_question_back(api: Api) -> None:
    number = placed(api)
    token = ask(api, number)
    api.done("/stock", {"sku": NEW, "quantity": -2, "reason": "broken"})  # two were free
    settle()
    assert (Proposal.objects.get().state, held()) == ("open", (3, 3))
    api.done("/stock", {"sku": NEW, "quantity": -1, "reason": "broken"})
    settle()
    assert (Proposal.objects.get().state, held()) == ("withdrawn", (2, 0))
    assert "no longer there" in answer(api, token, choice=0).body["detail"]
    assert [e["kind"] for e in api.get(f"/orders/{number}/timeline").body["events"]].count("offer_lost") == 1
    well()


def test_what_an_order_has_reserved_is_never_broken_away(api: Api) -> None:
    placed(api, 5, NEW)
    assert api.post("/stock", {"sku": NEW, "quantity": -1, "reason": "broken"}).codes == {"sold_out"}
    well()


def test_a_substitute_that_was_not_in_stock_and_sold_out_meanwhile_is_told_at_the_answer(api: Api) -> None:
    # Three of the 2021 are on their way, sold only as long as it can be had; two customers are asked about them.
    api.done("/suppliers", {"name": "Northfold"})
    product(api, "SYRAH-21", price=2000, sell_when_out="stop", supplier="Northfold")
    bought = {"supplier": "Northfold", "lines": [{"sku": "SYRAH-21", "quantity": 3}]}
    number = placed(api)
    api.done("/purchase-orders", bought)
    token = ask(api, number, substitute(3, "SYRAH-21"), {"kind": "cancel"})
    assert not Offered.objects.exists()
    faster = ask(api, placed(api, 2), substitute(2, "SYRAH-21"))
    assert answer(api, faster, choice=0).status == 200
    gone = answer(api, token, choice=0)
    assert (gone.status, gone.codes) == (409, {"sold_out"})
    assert "only 1 of Wine SYRAH-21 can be had now" in gone.body["detail"]
    assert Proposal.objects.get(token=token).state == "open"
    well()
    assert answer(api, token, choice=1).status == 200
    assert api.order(number)["status"] == "cancelled"
    well()


def test_a_hold_of_the_weather_is_waived_by_the_customer(api: Api) -> None:
    number = placed(api, 2, NEW)
    held_ = api.done(f"/orders/{number}/holds", {"reason": "95 F on the route", "kind": "weather"})
    assert held_["kind"] == "weather"
    token = ask(api, number, {"kind": "later_date", "date": "2027-06-01"}, {"kind": "expedite"}, {"kind": "as_is"})
    answer(api, token, choice=2)
    order = api.order(number)
    assert (order["holds"], order["queue"]) == ([], "pick")
    well()


def test_a_hold_that_is_lifted_takes_its_question_back(api: Api) -> None:
    number = placed(api, 2, NEW)
    stop = api.done(f"/orders/{number}/holds", {"reason": "95 F on the route", "kind": "weather"})["id"]
    ask(api, number, {"kind": "as_is"})
    assert api.ask("DELETE", f"/orders/{number}/holds/{stop}").status == 204
    settle()
    assert Proposal.objects.get().closed_because == "the reason why your order had to wait is gone"
    assert api.order(number)["queue"] == "pick"
    well()


def test_without_a_hold_there_is_nothing_to_waive(api: Api) -> None:
    number = placed(api)
    wrong = api.post(f"/orders/{number}/proposals", {"choices": [{"kind": "as_is"}]})
    assert (wrong.status, wrong.fields) == (422, {"choices.0.kind"})


def test_an_answer_on_the_telephone_says_who_spoke_to_whom(api: Api) -> None:
    number = placed(api)
    ask(api, number)
    api.done(f"/orders/{number}/answers", {"choice": 0, "spoken_to": "June Harper"})
    settle()
    (asked,) = api.order(number)["proposals"]
    assert (asked["state"], asked["spoken_to"]) == ("accepted", "June Harper")
    assert asked["answered_via"] == "telephone with June Harper, Olga"
    again = api.post(f"/orders/{number}/answers", {"choice": 1})
    assert (again.status, again.codes) == (409, {"someone_else"})
    well()
