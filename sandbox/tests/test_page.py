"""The hosted page: what a customer sees and does, and what the shop then finds."""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import stripe
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from sandbox.tests.running import DAY, Receiver, Sandbox, wait_for

SHOP = "https://shop.example.com"
WINE = {"price_data": {"currency": "usd", "unit_amount": 1_950, "product_data": {"name": "Quill <Riesling> 2022"}}}


def _session(processor: Sandbox, mode: str = "payment", **more: Any) -> Any:
    params: Any = {
        "mode": mode,
        "success_url": f"{SHOP}/done?session={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{SHOP}/basket?a=1&b=2",
        "metadata": {"order": "CF-1047"},
    }
    if mode == "payment":
        params["line_items"] = [{**WINE, "quantity": 2}]
    else:
        params["currency"] = "usd"
    return processor.stripe.v1.checkout.sessions.create(params | more)


def _post(session: Any, **form: str) -> requests.Response:
    return requests.post(session.url, data=form, allow_redirects=False, timeout=10)


def _found(processor: Sandbox, session: Any, *expand: str) -> Any:
    return processor.stripe.v1.checkout.sessions.retrieve(session.id, {"expand": list(expand)})


def test_the_page_says_that_it_is_a_test_and_has_no_field_for_a_card_number(processor: Sandbox) -> None:
    session = _session(processor, custom_text={"submit": {"message": "We charge when it can be delivered."}})
    page = requests.get(session.url, timeout=10)
    assert page.status_code == 200
    for text in (
        "Test card page: no real card",
        "Counterfoil demo shop",
        "$39.00",
        "Pay $39.00",
        "2 × Quill &lt;Riesling&gt; 2022",
        "We charge when it can be delivered.",
        f"{SHOP}/basket?a=1&amp;b=2",
    ):
        assert text in page.text
    assert set(re.findall(r'<input type="(\w+)"', page.text)) == {"radio"}
    assert "<script" not in page.text
    assert 'action="' not in page.text  # the form goes back to where the page came from, behind a proxy too
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert f"form-action 'self' {SHOP};" in policy


def test_a_customer_pays_once_however_often_the_form_is_sent(processor: Sandbox, receiver: Receiver) -> None:
    customer = processor.stripe.v1.customers.create({"email": "ines.okafor@example.com"})
    data = {"metadata": {"part": "1"}, "setup_future_usage": "off_session"}
    session = _session(processor, customer=customer.id, payment_intent_data=data)
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    answers = [_post(session, card="pm_card_visa") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {303}
    assert {answer.headers["Location"] for answer in answers} == {f"{SHOP}/done?session={session.id}"}
    found = _found(processor, session, "payment_intent.latest_charge", "line_items")
    assert (found.status, found.payment_status, found.amount_total, found.url) == ("complete", "paid", 3_900, None)
    assert found.payment_intent.metadata["part"] == "1"
    assert found.payment_intent.latest_charge.amount_captured == 3_900
    assert found.line_items.data[0].quantity == 2
    mine = [line for line in processor.summary() if line["customer"] == customer.id]
    assert [line["amount_captured"] for line in mine] == [3_900]
    cards = processor.stripe.v1.payment_methods.list({"customer": customer.id})
    assert [card.id for card in cards.data] == [found.payment_intent.payment_method]
    told = wait_for(lambda: [e for e in receiver.events("checkout.session.completed") if session.id in str(e)])
    assert told[0]["data"]["object"]["metadata"] == {"order": "CF-1047"}


def test_eight_clicks_at_once_pay_once(processor: Sandbox) -> None:
    customer = processor.stripe.v1.customers.create({})
    session = _session(processor, customer=customer.id)
    statuses: list[int] = []
    clicks = [
        threading.Thread(target=lambda: statuses.append(_post(session, card="pm_card_visa").status_code))
        for _ in range(8)
    ]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join(timeout=20)
    assert statuses == [303] * 8
    assert len([line for line in processor.summary() if line["customer"] == customer.id]) == 1


def test_a_card_is_saved_and_nothing_is_charged(processor: Sandbox) -> None:
    customer = processor.stripe.v1.customers.create({})
    session = _session(processor, "setup", customer=customer.id, setup_intent_data={"metadata": {"order": "CF-2"}})
    assert "Save a card, nothing is charged now" in requests.get(session.url, timeout=10).text
    assert _post(session, card="pm_card_mastercard").status_code == 303
    found = _found(processor, session, "setup_intent.payment_method")
    assert (found.status, found.payment_status) == ("complete", "no_payment_required")
    assert found.setup_intent.metadata["order"] == "CF-2"
    assert found.setup_intent.payment_method.customer == customer.id
    assert [line for line in processor.summary() if line["customer"] == customer.id] == []
    saved = {"customer": customer.id, "payment_method": found.setup_intent.payment_method.id}
    assert processor.charge(saved).status == "succeeded"


def test_a_declined_card_brings_the_page_again_and_another_card_pays(processor: Sandbox) -> None:
    session = _session(processor)
    page = _post(session, card="pm_card_chargeCustomerFail")
    assert page.status_code == 200
    assert "Your card was declined. Nothing was charged" in page.text.replace("&#39;", "'")
    assert 'role="alert"' in page.text
    assert _found(processor, session).status == "open"
    assert "Choose one of the test cards" in _post(session, card="4242424242424242").text
    assert _post(session, card="pm_card_visa").status_code == 303
    assert _found(processor, session, "payment_intent").payment_intent.amount_received == 3_900


def test_three_d_secure_asks_on_a_second_page(processor: Sandbox) -> None:
    customer = processor.stripe.v1.customers.create({})
    session = _session(processor, "setup", customer=customer.id)
    page = _post(session, card="pm_card_authenticationRequiredOnSetup")
    assert "Complete authentication" in page.text
    assert "Complete authentication" in requests.get(session.url, timeout=10).text  # a reload stays there
    assert "could not be authenticated" in _post(session, authentication="fail").text
    assert _found(processor, session).status == "open"
    _post(session, card="pm_card_authenticationRequiredOnSetup")
    assert _post(session, authentication="complete").status_code == 303
    found = _found(processor, session, "setup_intent")
    saved = {"customer": customer.id, "payment_method": found.setup_intent.payment_method}
    assert processor.charge(saved).status == "succeeded"  # set up once: later charges need nobody


def test_an_intent_of_the_api_is_authenticated_on_its_own_page(processor: Sandbox) -> None:
    card = {"payment_method": "pm_card_authenticationRequired"}
    for answer, status in (("complete", "succeeded"), ("fail", "requires_payment_method")):
        intent = processor.charge(card, off_session=False, return_url=f"{SHOP}/back?x=1")
        url = intent.next_action.redirect_to_url.url
        assert "Complete authentication" in requests.get(url, timeout=10).text
        back = requests.post(url, data={"authentication": answer}, allow_redirects=False, timeout=10)
        query = parse_qs(urlsplit(back.headers["Location"]).query)
        assert (query["payment_intent"], query["x"]) == ([intent.id], ["1"])
        assert query["redirect_status"] == ["succeeded" if answer == "complete" else "failed"]
        assert processor.stripe.v1.payment_intents.retrieve(intent.id).status == status
    unasked = processor.charge({"payment_method": "pm_card_visa"}, off_session=False)
    assert requests.get(f"{processor.url}/authenticate/{unasked.id}", timeout=10).status_code == 404


def test_an_expired_session_takes_no_money_and_its_intent_is_cancelled(processor: Sandbox, receiver: Receiver) -> None:
    session = _session(processor)
    _post(session, card="pm_card_chargeCustomerFail")
    expired = processor.stripe.v1.checkout.sessions.expire(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    page = _post(session, card="pm_card_visa")
    assert (page.status_code, "has expired" in page.text) == (410, True)
    assert _found(processor, session, "payment_intent").payment_intent.status == "canceled"
    wait_for(lambda: [e for e in receiver.events("checkout.session.expired") if session.id in str(e)])
    with pytest.raises(stripe.InvalidRequestError):
        processor.stripe.v1.checkout.sessions.expire(session.id)


def test_a_completed_session_cannot_be_expired(processor: Sandbox) -> None:
    session = _session(processor)
    _post(session, card="pm_card_visa")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        processor.stripe.v1.checkout.sessions.expire(session.id)
    assert "complete" in str(refused.value)


def test_a_session_ends_by_the_business_clock(processor: Sandbox) -> None:
    short = _session(processor)
    short = _session(processor, expires_at=short.created + 35 * 60)
    long = _session(processor)
    assert long.expires_at == long.created + DAY
    processor.later(35 * 60)
    assert (_found(processor, short).status, _found(processor, long).status) == ("expired", "open")
    processor.later(DAY)
    assert _found(processor, long).status == "expired"


def test_terms_that_the_shop_requires_must_be_accepted(processor: Sandbox) -> None:
    session = _session(processor, consent_collection={"terms_of_service": "required"})
    assert 'type="checkbox" name="terms"' in requests.get(session.url, timeout=10).text
    assert "accept the shop" in _post(session, card="pm_card_visa").text
    assert _post(session, card="pm_card_visa", terms="accepted").status_code == 303
    assert _found(processor, session).consent.terms_of_service == "accepted"


@pytest.mark.parametrize(
    "wrong",
    [
        {"success_url": "javascript:alert(1)"},
        {"success_url": "http://["},
        {"cancel_url": "//shop.example.com"},
        {"success_url": "https://shop.example.com; script-src *"},
        {"expires_at": 1},
        {"line_items": []},
        {"line_items": [{**WINE, "quantity": 0}]},
        {"line_items": [{"price_data": {**WINE["price_data"], "unit_amount": -5}, "quantity": 1}]},
        {
            "line_items": [
                WINE | {"quantity": 1},
                {"price_data": WINE["price_data"] | {"currency": "eur"}, "quantity": 1},
            ]
        },
        {"setup_intent_data": {"metadata": {"a": "b"}}},
        {"mode": "subscription"},
    ],
)
def test_a_session_that_makes_no_sense_is_refused(processor: Sandbox, wrong: dict[str, Any]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        _session(processor, **wrong)


def test_there_is_no_page_for_a_stranger(processor: Sandbox) -> None:
    assert requests.get(f"{processor.url}/pay/cs_test_nobody", timeout=10).status_code == 404


def test_the_forms_work_behind_a_proxy_that_adds_a_prefix(processor: Sandbox) -> None:
    """A proxy maps `/sandbox/` + rest to the sandbox's root; the browser posts back to the address it is on."""

    def proxy(environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        assert request.path.startswith("/sandbox/")
        onward = requests.request(
            request.method,
            processor.url + request.path.removeprefix("/sandbox"),
            data=request.get_data(),
            headers={"Content-Type": request.content_type or ""},
            allow_redirects=False,
            timeout=10,
        )
        headers = {"Location": onward.headers["Location"]} if "Location" in onward.headers else {}
        return Response(onward.content, onward.status_code, headers)(environ, start_response)

    session = _session(processor)
    browser = Client(proxy)
    path = f"/sandbox/pay/{session.id}"
    page = browser.get(path).text
    assert not re.findall(r'(?:action|href|src)="/', page)
    answer = browser.post(path, data={"card": "pm_card_visa"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{SHOP}/done?session={session.id}"
