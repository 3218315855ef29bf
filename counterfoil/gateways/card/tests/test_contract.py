"""What charging may rely on, of every till: Stripe (the sandbox, through Stripe's own SDK) and the terminal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from counterfoil.core import clock
from counterfoil.gateways.card.protocol import CardGateway, Returned, Till, Wrong
from counterfoil.gateways.card.stripe.gateway import StripeGateway
from counterfoil.gateways.card.terminal.gateway import TerminalGateway
from counterfoil.gateways.card.tests.build import AMOUNTS, Shop, saved
from tests.crowd import together

pytestmark = pytest.mark.django_db(transaction=True)

if TYPE_CHECKING:
    _TILLS: list[type[Till]] = [StripeGateway, TerminalGateway]
    _BANKS: list[type[CardGateway]] = [StripeGateway]


@pytest.fixture(params=["stripe", "terminal"])
def shop(request: pytest.FixtureRequest) -> Shop:
    if request.param == "terminal":
        return Shop(TerminalGateway(), customer="", method="cheque")
    processor = request.getfixturevalue("processor")
    customer, method = saved(processor)
    return Shop(processor, customer=customer, method=method)


@pytest.mark.parametrize(("currency", "amount"), AMOUNTS)
def test_a_charge_takes_nothing_when_made_and_its_whole_amount_when_confirmed(
    shop: Shop, currency: str, amount: int
) -> None:
    made = shop.made(amount, currency)
    assert (made.status, made.captured, made.amount, made.currency) == ("waiting", 0, amount, currency)
    taken = shop.till.confirm_intent(made.id, key=shop.key())
    assert (taken.id, taken.status, taken.captured, taken.currency) == (made.id, "done", amount, currency)
    assert taken.charge_id
    again = shop.till.get_intent(made.id)
    assert (again.status, again.captured, again.charge_id) == ("done", amount, taken.charge_id)


def test_the_same_call_under_its_key_gives_the_same_and_nothing_more(shop: Shop) -> None:
    key, confirm, refund = shop.key(), shop.key(), shop.key()
    made = shop.made(key=key)
    assert shop.made(key=key).id == made.id
    taken = shop.till.confirm_intent(made.id, key=confirm)
    for _ in range(2):
        again = shop.till.confirm_intent(made.id, key=confirm)
        assert (again.status, again.captured, again.charge_id) == ("done", 6_500, taken.charge_id)
    ids = {shop.back(taken, 1_000, key=refund).id for _ in range(3)}
    assert len(ids) == 1
    since = clock.business_now() - timedelta(minutes=5)
    assert [i.id for i in shop.till.list_intents(since) if i.reference.get("order") == f"CF-{shop.run}"] == [made.id]
    assert {r.id for r in shop.till.list_refunds(since) if r.intent_id == made.id} == ids


def test_another_call_under_a_used_key_is_refused(shop: Shop) -> None:
    key, refund = shop.key(), shop.key()
    shop.made(6_500, key=key)
    with pytest.raises(Wrong):
        shop.made(6_501, key=key)
    taken = shop.taken()
    shop.back(taken, 1_000, key=refund)
    with pytest.raises(Wrong):
        shop.back(taken, 1_001, key=refund)
    assert shop.back(taken, 5_500).amount == 5_500


def test_a_charge_is_confirmed_once(shop: Shop) -> None:
    taken = shop.taken()
    with pytest.raises(Wrong):
        shop.till.confirm_intent(taken.id, key=shop.key())
    assert shop.till.get_intent(taken.id).captured == 6_500


def test_what_is_cancelled_before_it_is_confirmed_is_never_taken(shop: Shop) -> None:
    made, key = shop.made(), shop.key()
    for _ in range(2):
        assert shop.till.cancel_intent(made.id, key=key).status == "cancelled"
    with pytest.raises(Wrong):
        shop.till.confirm_intent(made.id, key=shop.key())
    with pytest.raises(Wrong):
        shop.back(made, 1)
    found = shop.till.get_intent(made.id)
    assert (found.status, found.captured) == ("cancelled", 0)


def test_what_is_taken_cannot_be_cancelled(shop: Shop) -> None:
    taken = shop.taken()
    with pytest.raises(Wrong):
        shop.till.cancel_intent(taken.id, key=shop.key())
    assert shop.till.get_intent(taken.id).captured == 6_500


@pytest.mark.parametrize(("currency", "amount"), AMOUNTS)
def test_never_more_goes_back_than_was_taken(shop: Shop, currency: str, amount: int) -> None:
    taken = shop.taken(amount, currency)
    first = shop.back(taken, amount - 1_000)
    assert (first.amount, first.currency, first.intent_id) == (amount - 1_000, currency, taken.id)
    assert first.status in {"pending", "succeeded"}
    with pytest.raises(Wrong):
        shop.back(taken, 1_001)
    shop.back(taken, 1_000)
    with pytest.raises(Wrong):
        shop.back(taken, 1)


def test_of_many_refunds_at_once_only_what_was_taken_goes_back(shop: Shop) -> None:
    taken = shop.taken(6_500)
    found = together(6, lambda n: shop.back(taken, 2_000, key=f"crowd-{shop.run}-{n}"))
    given = [one for one in found if isinstance(one, Returned)]
    assert [type(one) for one in found if not isinstance(one, Returned)] == [Wrong] * 3
    assert sum(one.amount for one in given) == 6_000


def test_nothing_goes_back_of_what_was_not_taken_yet_or_of_nothing(shop: Shop) -> None:
    with pytest.raises(Wrong):
        shop.back(shop.made(), 100)
    for amount in (0, -100):
        with pytest.raises(Wrong):
            shop.back(shop.taken(), amount)


def test_charges_and_refunds_are_found_by_what_we_wrote_on_them(shop: Shop) -> None:
    key = shop.key()
    taken = shop.till.confirm_intent(shop.made(key=key).id, key=shop.key())
    assert taken.reference["charge"] == key
    assert shop.till.find_refund(intent_id=taken.id, reference={"refund": "none"}) is None
    for name in ("a", "b", "c"):
        shop.back(taken, 500, key=f"{shop.run}-{name}")
    found = shop.till.find_refund(intent_id=taken.id, reference={"refund": f"{shop.run}-b"})
    assert found is not None
    assert found.reference == {"refund": f"{shop.run}-b"}
    assert shop.till.get_refund(found.id) == found
    assert shop.till.find_refund(intent_id=shop.taken().id, reference={"refund": f"{shop.run}-b"}) is None


def test_lists_hold_everything_since_a_moment_newest_first(shop: Shop) -> None:
    since = clock.business_now() - timedelta(seconds=5)
    made = [shop.made().id, shop.taken().id, shop.taken().id]
    back = [shop.back(shop.till.get_intent(made[1]), 100).id, shop.back(shop.till.get_intent(made[2]), 100).id]
    assert [i.id for i in shop.till.list_intents(since) if i.id in made] == made[::-1]
    assert [r.id for r in shop.till.list_refunds(since) if r.id in back] == back[::-1]
    later = clock.business_now() + timedelta(hours=1)
    assert list(shop.till.list_intents(later)) == []
    assert list(shop.till.list_refunds(later)) == []


def test_what_nobody_knows_is_said_to_be_wrong_and_not_found_empty(shop: Shop) -> None:
    for name in ("slip_999999", "pi_nobody", "", "slip_x"):
        with pytest.raises(Wrong):
            shop.till.get_intent(name or "none")
        with pytest.raises(Wrong):
            shop.till.get_refund(name or "none")


@pytest.mark.parametrize("wrong", [{"amount": 0}, {"amount": -1}, {"currency": "X"}])
def test_a_charge_that_makes_no_sense_is_refused(shop: Shop, wrong: dict[str, Any]) -> None:
    with pytest.raises(Wrong):
        shop.made(**wrong)


def test_a_slip_holds_nothing_for_later() -> None:
    with pytest.raises(Wrong, match="holds nothing"):
        Shop(TerminalGateway(), customer="", method="card").made(hold=True)
