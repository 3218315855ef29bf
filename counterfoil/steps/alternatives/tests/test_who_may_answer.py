"""The right to answer for a customer: their own link, or a clerk at the telephone. Nobody else sees it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from counterfoil.core.access.models import User
from counterfoil.core.actor import BOOKKEEPER, BUYER, CHANNEL, CLERK, OWNER, PICKER, Actor
from counterfoil.core.errors import Forbidden
from counterfoil.core.shop import shop
from counterfoil.records.orders.models import Order, Proposal
from counterfoil.steps.alternatives.actions import answer_proposal
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db
BLIND = [PICKER, BUYER, BOOKKEEPER, CHANNEL]


@pytest.fixture
def api(db: None) -> Api:
    made = Api()
    product(made, stock=50)
    return made


def asked(api: Api, **more: Any) -> Proposal:
    """An approved order whose customer is asked whether to cancel."""
    number = str(api.done("/orders", order_body(card=None, **more))["number"])
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})
    api.done(f"/orders/{number}/proposals", {"choices": [{"kind": "cancel"}]})
    return Proposal.objects.get(order__number=number)


@pytest.mark.parametrize("role", BLIND)
def test_on_the_telephone_only_a_clerk_answers(api: Api, role: str) -> None:
    question = asked(api)
    with pytest.raises(Forbidden):
        answer_proposal(token=question.token, choice=0, via="telephone", actor=Actor("person", "Pim", role))
    assert Proposal.objects.get().state == "open"


@pytest.mark.parametrize("role", [CLERK, OWNER])
def test_a_clerk_answers_for_the_customer(api: Api, role: str) -> None:
    question = asked(api)
    answer_proposal(token=question.token, choice=0, via="telephone", actor=Actor("person", "Ann", role))
    settle()
    assert (Proposal.objects.get().answered_via, Order.objects.get().status) == ("telephone, Ann", "cancelled")


@pytest.mark.parametrize("role", BLIND)
def test_no_answer_of_the_api_shows_the_token_to_those_who_may_not_use_it(api: Api, role: str) -> None:
    question = asked(api, channel="shop")
    number = question.order.number
    somebody = Api(role, "shop" if role == CHANNEL else "")
    for path in (f"/orders/{number}", "/orders", f"/orders/{number}/timeline"):
        found = somebody.get(path)
        assert found.status == 200
        assert question.token not in json.dumps(found.body)
    (shown,) = somebody.order(number)["proposals"]
    assert (shown["state"], shown["choices"][0]["kind"]) == ("open", "cancel")


def test_an_act_answers_without_the_token_too(api: Api) -> None:
    question = asked(api)
    number = question.order.number
    assert api.post(f"/proposals/{question.token}/answer", {"decline": True}).status == 200
    picker = Api(PICKER)
    done = [picker.done(f"/orders/{number}/{act}") for act in ("picks", "packages")]
    assert all(body["proposals"] and question.token not in json.dumps(body) for body in done if "proposals" in body)
    assert any("proposals" in body for body in done)


def test_a_clerk_sees_the_token(api: Api) -> None:
    question = asked(api)
    assert Api(CLERK).order(question.order.number)["proposals"][0]["token"] == question.token


def test_the_customers_own_link_answers_without_any_role(api: Api) -> None:
    question = asked(api)
    assert api.post(f"/proposals/{question.token}/answer", {"choice": 0}).status == 200
    settle()
    assert Order.objects.get().status == "cancelled"


# --- at the desk ----------------------------------------------------------------------------------------------------


def desk(role: str) -> Client:
    browser = Client()
    browser.force_login(User.objects.create_user(f"{role}@example.com", "a-long-password", name="Pim", role=role))
    return browser


@pytest.mark.parametrize("role", [PICKER, BUYER, BOOKKEEPER])
def test_at_the_desk_a_colleague_who_may_not_answer_neither_sees_the_token_nor_uses_it(api: Api, role: str) -> None:
    question = asked(api)
    number = question.order.number
    browser = desk(role)
    page = browser.get(f"/desk/orders/{number}")
    assert page.status_code == 200
    assert question.token not in page.content.decode()
    assert question.order.token not in page.content.decode()
    answer = browser.post(f"/desk/orders/{number}/acts/answer", {"token": question.token, "choice": "0"})
    assert answer.status_code == 403
    assert Proposal.objects.get().state == "open"


def test_at_the_desk_a_clerk_answers_and_opens_the_customers_page(api: Api) -> None:
    question = asked(api)
    number = question.order.number
    browser = desk(CLERK)
    page = browser.get(f"/desk/orders/{number}").content.decode()
    assert question.token in page
    assert f"/orders/{question.order.token}" in page
    answer = browser.post(f"/desk/orders/{number}/acts/answer", {"token": question.token, "choice": "0"})
    assert answer.status_code == 303
    settle()
    assert Order.objects.get().status == "cancelled"


def test_at_the_desk_the_question_of_another_order_is_not_answered(api: Api) -> None:
    one, other = asked(api), asked(api)
    browser = desk(CLERK)
    for verb in ("answer", "withdraw"):
        form = {"token": other.token, "choice": "0"}
        answer = browser.post(f"/desk/orders/{one.order.number}/acts/{verb}", form)
        assert answer.status_code == 404
    assert set(Proposal.objects.values_list("state", flat=True)) == {"open"}
