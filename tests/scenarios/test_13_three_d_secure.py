"""13. The bank asks for 3-D Secure: the customer authenticates or pays with another card, and the order resumes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import Client

from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Order, PayLink
from counterfoil.steps.charging.tests.build import (
    approved,
    at_the_bank,
    deliver,
    event,
    intents,
    later,
    signed,
    the_bank_thinks,
)
from tests.scenarios.moving import own_sandbox, time_passes
from tests.support import Api, order_body, product, settle

pytestmark = [pytest.mark.django_db, pytest.mark.story]
TOTAL = 6500
WANTS_3DS = "pm_card_authenticationRequired"


@pytest.fixture
def bank(settings: Any, tmp_path: Path) -> Iterator[str]:
    with own_sandbox(settings, tmp_path) as address:
        yield address


@pytest.fixture
def api(bank: str, mailbox: Any) -> Api:
    return Api()


def asked_for_confirmation(api: Api, bank: str) -> str:
    """The saved card is charged when everything is here, and its bank wants to hear from the customer first."""
    number = approved(api)
    the_bank_thinks(bank, number, WANTS_3DS)
    refused = api.post(f"/orders/{number}/charge", {})
    assert (refused.status, refused.body["decline_code"]) == (402, "authentication_required")
    settle()
    return number


def page_of(client: Client, number: str) -> str:
    """The address to which the link in the mail leads."""
    answer = client.post(f"/orders/{Order.objects.get(number=number).token}/pay")
    assert answer.status_code == 303
    return str(answer["Location"])


def gives(address: str, **form: str) -> requests.Response:
    return requests.post(address, data=form, allow_redirects=False, timeout=10)


def confirms_with_the_bank(address: str) -> str:
    """The card, then the bank's own question; where the browser is sent after that."""
    question = gives(address, card=WANTS_3DS)
    assert (question.status_code, 'name="authentication"' in question.text) == (200, True)
    done = gives(address, authentication="complete")
    assert done.status_code == 303
    return done.headers["Location"]


def webhook_alone(client: Client, _return_address: str) -> None:
    told = event("checkout.session.completed", PayLink.objects.get().session_id)
    assert deliver(client, told, signed(told)) == 200
    settle()


def return_alone(client: Client, return_address: str) -> None:
    path = "/" + return_address.split("/", 3)[3]
    assert client.get(path).status_code == 303


def nobody_tells(_client: Client, _return_address: str) -> None:
    later()


@pytest.mark.parametrize("tell", [webhook_alone, return_alone, nobody_tells])
def test_scenario_13_the_customer_confirms_with_the_bank_and_the_order_resumes_unaided(
    api: Api, bank: str, client: Client, mailbox: Any, tell: Callable[[Client, str], None]
) -> None:
    number = asked_for_confirmation(api, bank)
    order = api.order(number)
    assert (order["queue"], order["parts"][0]["decline"]["class"]) == ("payment_problem", "customer")
    assert "confirm that it is you" in mailbox.mails(to=order["customer"]["email"])[0]["text"]
    back = confirms_with_the_bank(page_of(client, number))
    assert api.order(number)["charged"] == 0, "nobody has told us yet"
    tell(client, back)
    order = api.order(number)
    assert (order["queue"], order["axes"]["money"], order["charged"]) == ("pick", "charged", TOTAL)
    assert order["parts"][0]["decline"] is None
    assert at_the_bank(bank, number) == [(TOTAL, 0)]
    later()
    assert judge_all() == []


def test_scenario_13_all_who_tell_of_it_at_once_change_one_thing_once(api: Api, bank: str, client: Client) -> None:
    number = asked_for_confirmation(api, bank)
    back = confirms_with_the_bank(page_of(client, number))
    for tell in (webhook_alone, return_alone, nobody_tells, webhook_alone):
        tell(client, back)
    assert api.order(number)["charged"] == TOTAL
    assert at_the_bank(bank, number) == [(TOTAL, 0)]
    assert judge_all() == []


def test_scenario_13_the_customer_pays_with_another_card_instead(api: Api, bank: str, client: Client) -> None:
    number = asked_for_confirmation(api, bank)
    address = page_of(client, number)
    gives(address, card=WANTS_3DS)
    assert gives(address, authentication="fail").status_code == 200
    assert gives(address, card="pm_card_mastercard").status_code == 303
    later()
    order = api.order(number)
    assert (order["queue"], order["charged"], order["payment"]["card"]) == (
        "pick", TOTAL, {"brand": "mastercard", "last4": "4444"},
    )  # fmt: skip
    assert at_the_bank(bank, number) == [(TOTAL, 0)]
    assert judge_all() == []


def test_scenario_13_the_bank_is_not_asked_again_without_the_customer(api: Api, bank: str) -> None:
    number = asked_for_confirmation(api, bank)
    for _ in range(6):
        time_passes(days=1)
    assert len(intents(bank, number)) == 1
    assert api.order(number)["lines"][0]["reserved"] == 2
    assert judge_all() == []


def test_scenario_13_a_card_that_wants_it_already_when_it_is_saved_is_saved_at_the_page(
    api: Api, bank: str, client: Client
) -> None:
    product(api, stock=9)
    number = str(api.done("/orders", order_body(card=WANTS_3DS))["number"])
    settle()
    assert api.order(number)["queue"] == "payment_problem"
    confirms_with_the_bank(page_of(client, number))
    later()
    order = api.order(number)
    assert (order["queue"], order["axes"]["money"], order["charged"]) == ("review", "saved", 0)
    assert at_the_bank(bank, number) == []
    assert judge_all() == []
