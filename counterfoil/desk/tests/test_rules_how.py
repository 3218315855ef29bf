"""What `/how-it-works` tells is what the process does: nothing in its tables is left out, in any shop's settings."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import counterfoil
from counterfoil.core import documents
from counterfoil.core.shop import Shop
from counterfoil.desk import how, words
from counterfoil.flow.map import QUEUES
from counterfoil.records.orders.models import BOOKS, MONEY, PARCEL, STOCK

HOUSE = Path(counterfoil.__file__).parent
FRAMES = {"base", "lines"}
SHOPS = [
    Shop(card_at_checkout=card, charge_on=when, sales_order_by_hand=by_hand)
    for card in ("save", "authorise")
    for when in ("confirmed", "packed", "shipped")
    for by_hand in (False, True)
]


def all_told(shop: Shop) -> list[how.Told]:
    return [*how.steps(shop), *how.between(shop)]


def test_every_queue_of_the_process_is_told_once_and_at_its_own_step() -> None:
    known = sorted(((q.name, q.step) for q in QUEUES.values()), key=str)
    for shop in SHOPS:
        told = [(queue, one.number) for one in all_told(shop) for queue in one.queues]
        assert sorted(told, key=str) == known


def test_every_state_of_every_axis_is_told() -> None:
    for shop, machine in product(SHOPS, (STOCK, MONEY, PARCEL, BOOKS)):
        told = {state for one in all_told(shop) for state in one.states.get(machine.axis, ())}
        assert told == machine.states, machine.axis
    for shop in SHOPS:
        assert {status for one in all_told(shop) for status in one.statuses} == set(words.STATUS)


def test_every_mail_and_every_paper_is_told() -> None:
    told = all_told(Shop())
    mails = {path.stem for room in ("steps", "flow") for path in (HOUSE / room).rglob("templates/mail/*.txt")}
    assert {mail for one in told for mail in one.mails} == mails - FRAMES == set(how.MAILS)
    papers = {*documents.PUBLIC_KINDS, *documents.SERIES}
    assert {paper for one in told for paper in one.papers} == papers == set(how.PAPERS)


def test_money_never_goes_back_on_the_way_and_is_taken_at_one_step() -> None:
    order = [code for code, _, _ in how.PLACES]
    for shop in SHOPS:
        way = [order.index(one.money) for one in how.steps(shop)]
        assert way == sorted(way)
        taken = next(one for one in how.steps(shop) if one.money == "processor")
        assert taken.code == "charge"
        first = "held" if shop.card_at_checkout == "authorise" else "yours"
        assert how.steps(shop)[0].money == first
        assert how.steps(shop)[-1].money == "bank"


def test_the_card_is_charged_where_the_shop_has_set_it() -> None:
    def codes(when: str) -> list[str]:
        return [one.code for one in how.steps(Shop(charge_on=when))]

    assert codes("confirmed").index("charge") < codes("confirmed").index("pack")
    assert codes("packed").index("pack") < codes("packed").index("charge") < codes("packed").index("ship")
    assert "2 business days" in how.charge_rule(Shop())
    assert "one business day" in how.charge_rule(replace(Shop(), charge_within_days=1))
    assert "shelf" in how.charge_rule(replace(Shop(), charge_within_days=0))
    assert "packed" in how.charge_rule(Shop(charge_on="packed"))


def test_who_acts_is_who_may() -> None:
    by_code = {one.code: one for one in how.steps(Shop())}
    assert by_code["review"].who == ("a clerk",)
    assert by_code["stock"].who == ("the buyer",)
    assert by_code["pack"].who == ("a picker",)
    assert by_code["books"].who == (how.BY_ITSELF,)
    by_hand = {one.code: one for one in how.steps(Shop(sales_order_by_hand=True))}
    assert by_hand["books"].who == ("a clerk",)
