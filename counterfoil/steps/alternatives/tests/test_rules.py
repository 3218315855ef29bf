"""Whom we may ask, what we may offer, and what an answer must say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from counterfoil.core.errors import Invalid, Refused
from counterfoil.records.orders.facts import LineFacts, OrderFacts, PartFacts
from counterfoil.steps.alternatives.arithmetic import LineMoney, Sums
from counterfoil.steps.alternatives.choices import complete, units_offered
from counterfoil.steps.alternatives.rules import check_answer, has_expired, may_propose, same_answer, substitute_price
from counterfoil.steps.alternatives.state import LineState, Offer, OrderState, PartState, Terms

TODAY = date(2026, 11, 23)
LINES = (LineFacts(1, "SYRAH-2019", "Copper Gate Syrah 2019", 6),)
LIVE = OrderFacts(review="approved", card_state="saved", parts=(PartFacts(lines=LINES),))

# Six bottles at $24.00, taxed at 10 %, and shipping at $15.00: $173.40.
SYRAH = LineState(
    id=11,
    sku="SYRAH-2019",
    name="Copper Gate Syrah 2019",
    money=LineMoney(6, 2400, 100_000, 1440),
    class_ppm=100_000,
    family=7,
    vintage=2019,
)
ROSE = LineState(12, "ROSE", "Heron Field Rosé", LineMoney(2, 1250, 100_000, 250), reserved=2, class_ppm=100_000)
PART = PartState(1, Sums(14400, 1500, 1440), (SYRAH,), promise=date(2026, 11, 25))
ORDER = OrderState("USD", "Ground", (PART,))
BOTH = OrderState("USD", "Ground", (PartState(1, Sums(16900, 1500, 1690), (SYRAH, ROSE), promise=date(2026, 11, 25)),))
NEWER = Offer(21, "SYRAH-2020", "Copper Gate Syrah 2020", 2000, 100_000, family=7, vintage=2020)
DEARER = Offer(22, "MERLOT", "Old Mill Merlot 2018", 3000, 100_000)
FOREIGN = Offer(23, "RIESLING", "Slate Bend Riesling", None, 100_000)
LAST_TWO = Offer(24, "LAST", "Quarry House Malbec", 2400, 100_000, can_have=2)
TERMS = Terms(
    TODAY,
    {offer.sku: offer for offer in (NEWER, DEARER, FOREIGN, LAST_TWO)},
    (("Ground", 1500), ("Express", 3500), ("Second day", 2500)),
)


def offer(order: OrderState = ORDER, **choice: Any) -> dict[str, Any]:
    return complete([choice], order, TERMS)[0]


def wrong(order: OrderState = ORDER, **choice: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        complete([choice], order, TERMS)
    return dict(caught.value.errors)


def refused(order: OrderState, **choice: Any) -> list[str]:
    with pytest.raises(Refused) as caught:
        complete([choice], order, TERMS)
    return [b.code for b in caught.value.blockers]


def with_part(order: OrderState, **changes: Any) -> OrderState:
    return replace(order, parts=(replace(order.parts[0], **changes),))


def codes(**changes: Any) -> list[str]:
    return [b.code for b in may_propose(replace(LIVE, **changes))]


# Whom we may ask


def test_the_customer_of_a_living_order_may_be_asked() -> None:
    assert may_propose(LIVE) == []


def test_a_pending_order_may_be_asked_about_too() -> None:
    assert codes(review="pending") == []


def test_nobody_is_asked_about_a_cancelled_order() -> None:
    assert codes(cancelled=True, question_open=True) == ["cancelled"]


def test_nobody_is_asked_before_the_check_out_is_complete() -> None:
    assert codes(finished=False) == ["not_approved"]


def test_nobody_is_asked_about_an_order_delivered_elsewhere() -> None:
    assert codes(closed_history=True) == ["delivered"]


@pytest.mark.parametrize("parcel", ["shipped", "delivered", "returned"])
def test_what_has_left_is_no_longer_a_question(parcel: str) -> None:
    assert codes(parts=(PartFacts(parcel=parcel, lines=LINES),)) == ["already_shipped"]


def test_the_second_part_can_be_asked_about_when_the_first_has_left() -> None:
    assert codes(parts=(PartFacts(parcel="shipped", lines=LINES), PartFacts(number=2, lines=LINES))) == []


def test_one_question_at_a_time() -> None:
    assert codes(question_open=True) == ["question_open"]
    assert codes(answer_unapplied=True) == ["question_open"]


@pytest.mark.parametrize("money", ["charging", "unknown"])
def test_no_question_while_the_bank_is_deciding(money: str) -> None:
    assert codes(parts=(PartFacts(money=money, lines=LINES),)) == ["charge_in_flight"]


# A substitute


def test_another_vintage_is_offered_with_its_price_in_words() -> None:
    made = offer(kind="substitute", line="SYRAH-2019", sku="SYRAH-2020", quantity=6)
    assert made["text"] == "6 × Copper Gate Syrah 2020 instead of 2019, $4.00 less each"
    assert (made["difference"], made["total"]) == (-2640, 17340 - 2640)


def test_the_consequence_of_a_substitute_has_its_tax_in_it() -> None:
    made = offer(kind="substitute", line=11, sku="SYRAH-2020", quantity=6, price=2300)
    assert made["difference"] == -600 - 60


def test_another_wine_is_named_in_full() -> None:
    made = offer(kind="substitute", sku="MERLOT", date="2026-12-04")
    assert made["text"] == (
        "6 × Old Mill Merlot 2018 instead of Copper Gate Syrah 2019, $6.00 more each, ships Fri 4 Dec 2026"
    )
    assert made["date"] == "2026-12-04"
    assert made["difference"] == 3600 + 360


def test_part_of_a_line_can_be_replaced() -> None:
    made = offer(kind="substitute", line="SYRAH-2019", sku="SYRAH-2020", quantity=2, price=2400)
    assert made["text"] == "2 × Copper Gate Syrah 2020 instead of 2019, at the same price"
    assert made["difference"] == 0


def test_a_substitute_is_taxed_by_its_own_class() -> None:
    terms = replace(TERMS, offers={"X": replace(DEARER, sku="X", price=2400, class_ppm=200_000)})
    made = complete([{"kind": "substitute", "sku": "X"}], ORDER, terms)[0]
    assert (made["tax_ppm"], made["difference"]) == (200_000, 1440)


def test_a_substitute_follows_the_tax_that_the_channel_gave() -> None:
    given = replace(SYRAH, money=LineMoney(6, 2400, 0, 1152))
    order = with_part(ORDER, sums=Sums(14400, 1500, 1152), lines=(given,))
    made = offer(order, kind="substitute", sku="MERLOT", quantity=6)
    assert made["tax_ppm"] == 80_000
    assert made["difference"] == 3600 + 288


def test_an_order_that_the_channel_did_not_tax_stays_untaxed() -> None:
    given = replace(SYRAH, money=LineMoney(6, 2400, 0, 0))
    order = with_part(ORDER, sums=Sums(14400, 1500, 0), lines=(given,))
    assert offer(order, kind="substitute", sku="MERLOT")["difference"] == 3600


def test_a_date_that_nobody_typed_is_the_earliest_on_which_all_of_it_can_ship() -> None:
    friday, tuesday = date(2026, 11, 27), date(2026, 12, 8)
    lacking = replace(SYRAH, reserved=2)  # four of six are missing
    state = with_part(BOTH, lines=(lacking, ROSE), promise=None)
    offers = {**TERMS.offers, "SYRAH-2020": replace(NEWER, ships=lambda units: friday if units < 5 else tuesday)}
    known = replace(TERMS, soon=friday, days={11: tuesday, 12: friday}, offers=offers)

    def says(**choice: object) -> tuple[str, str]:
        made = complete([choice], state, known)[0]
        return made["date"], made["text"]

    substitute = {"kind": "substitute", "line": 11, "sku": "SYRAH-2020"}
    assert says(**substitute, quantity=4)[0] == friday.isoformat()
    assert says(**substitute, quantity=4)[1].endswith(", ships Fri 27 Nov 2026")
    assert says(**substitute, quantity=5)[0] == tuesday.isoformat(), "not here in that number"
    assert says(**substitute, quantity=3)[0] == tuesday.isoformat(), "one of the old is still to come"
    assert says(kind="expedite", method="Express", line=11)[1].endswith(", ships Tue 8 Dec 2026")
    assert says(kind="cancel", line=11, quantity=4)[1].endswith(", the rest ships Fri 27 Nov 2026")
    day, words = says(kind="split")
    assert day == tuesday.isoformat()
    assert words.endswith("ships on Tue 8 Dec 2026, the rest on Fri 27 Nov 2026; no extra shipping")
    unknown = replace(known, days={11: None, 12: friday})
    assert complete([{"kind": "expedite", "method": "Express", "line": 11}], state, unknown)[0]["date"] is None


def test_who_cancels_reads_when_their_money_is_back() -> None:
    paid = replace(with_part(ORDER, money="charged"), by_card=True)
    assert "refunded in full on the day that you choose this" in offer(paid, kind="cancel")["text"]


def test_an_unknown_product_is_no_substitute() -> None:
    assert list(wrong(kind="substitute", line=11, sku="NONE", quantity=1)) == ["choices.0.sku"]
    assert list(wrong(kind="substitute", line=11)) == ["choices.0.sku"]


def test_a_wine_does_not_stand_in_for_itself() -> None:
    terms = replace(TERMS, offers={"SYRAH-2019": replace(NEWER, sku="SYRAH-2019")})
    with pytest.raises(Invalid, match="another product"):
        complete([{"kind": "substitute", "sku": "SYRAH-2019"}], ORDER, terms)


def test_more_than_the_open_units_cannot_be_replaced() -> None:
    assert list(wrong(kind="substitute", line=11, sku="SYRAH-2020", quantity=7)) == ["choices.0.quantity"]
    picked = with_part(ORDER, lines=(replace(SYRAH, picked=4),), parcel="picking")
    assert list(wrong(picked, kind="substitute", line=11, sku="SYRAH-2020", quantity=3)) == ["choices.0.quantity"]
    assert offer(picked, kind="substitute", line=11, sku="SYRAH-2020")["quantity"] == 2


@pytest.mark.parametrize("quantity", [0, -1, True, 1.5, "2"])
def test_a_quantity_is_a_whole_number_above_nothing(quantity: object) -> None:
    assert list(wrong(kind="substitute", line=11, sku="SYRAH-2020", quantity=quantity)) == ["choices.0.quantity"]


def test_a_price_is_never_negative() -> None:
    assert list(wrong(kind="substitute", line=11, sku="SYRAH-2020", price=-1)) == ["choices.0.price"]


def test_a_product_of_another_currency_needs_a_price() -> None:
    assert list(wrong(kind="substitute", line=11, sku="RIESLING")) == ["choices.0.price"]
    assert offer(kind="substitute", line=11, sku="RIESLING", price=2400)["difference"] == 0


def test_what_is_not_to_be_had_is_not_offered() -> None:
    assert refused(ORDER, kind="substitute", line=11, sku="LAST", quantity=3) == ["sold_out"]
    assert offer(kind="substitute", line=11, sku="LAST", quantity=2)["quantity"] == 2


def test_a_picked_or_shipped_line_is_left_alone() -> None:
    picked = with_part(ORDER, lines=(replace(SYRAH, picked=6),), parcel="picked")
    assert "picked" in wrong(picked, kind="substitute", sku="SYRAH-2020")["choices.0.line"]
    gone = with_part(ORDER, lines=(replace(SYRAH, shipped=6),), parcel="shipped")
    assert "shipped" in wrong(gone, kind="cancel", line="SYRAH-2019")["choices.0.line"]


def test_with_several_lines_the_line_must_be_said() -> None:
    assert list(wrong(BOTH, kind="substitute", sku="SYRAH-2020")) == ["choices.0.line"]
    assert list(wrong(BOTH, kind="substitute", line="NONE", sku="SYRAH-2020")) == ["choices.0.line"]
    assert offer(BOTH, kind="substitute", line="ROSE", sku="SYRAH-2020")["line"] == 12


def test_a_paid_part_is_never_made_dearer() -> None:
    paid = with_part(ORDER, money="charged")
    assert refused(paid, kind="substitute", sku="MERLOT") == ["already_charged"]
    assert refused(paid, kind="expedite", method="Express") == ["already_charged"]
    assert offer(paid, kind="substitute", sku="MERLOT", price=2400)["difference"] == 0
    assert offer(paid, kind="substitute", sku="SYRAH-2020")["difference"] == -2640


# Faster delivery


def test_faster_delivery_costs_the_difference() -> None:
    made = offer(kind="expedite", method="Express")
    assert made["text"] == "Express delivery instead of Ground, $20.00 more"
    assert (made["price"], made["difference"], made["total"]) == (3500, 2000, 19340)


def test_faster_delivery_for_nothing_can_be_offered() -> None:
    made = offer(kind="expedite", method="Express", price=1500, date="2026-11-24")
    assert made["text"] == "Express delivery instead of Ground, at no extra cost, ships Tue 24 Nov 2026"


def test_the_delivery_of_that_price_is_meant_else_the_fastest() -> None:
    assert offer(kind="expedite", price=2500)["method"] == "Second day"
    assert offer(kind="expedite")["method"] == "Express"
    assert offer(kind="expedite", price=999)["method"] == "Express"


def test_a_delivery_that_the_shop_does_not_list_needs_a_price() -> None:
    assert list(wrong(kind="expedite", method="Bicycle")) == ["choices.0.price"]
    assert offer(kind="expedite", method="Bicycle", price=500)["difference"] == -1000


def test_tax_on_shipping_follows_its_price() -> None:
    taxed = with_part(ORDER, sums=Sums(14400, 1500, 1440 + 150))
    assert offer(taxed, kind="expedite", method="Express")["difference"] == 2000 + 200


# A later date


def test_a_later_date_costs_nothing() -> None:
    made = offer(kind="later_date", date=date(2026, 12, 4))
    assert made["text"] == "Everything ships on Fri 4 Dec 2026 instead of Wed 25 Nov 2026, at the same price"
    assert (made["parts"], made["difference"]) == ([1], 0)


def test_a_date_lies_in_the_future_and_is_one() -> None:
    assert list(wrong(kind="later_date", date="2026-11-22")) == ["choices.0.date"]
    assert list(wrong(kind="later_date", date="soon")) == ["choices.0.date"]
    assert list(wrong(kind="later_date", date="9999-01-01")) == ["choices.0.date"]
    assert list(wrong(kind="later_date")) == ["choices.0.date"]


# Part now, part later


def test_what_is_missing_ships_later() -> None:
    made = offer(BOTH, kind="split", date="2026-12-04")
    assert made["lines"] == [{"line": 11, "sku": "SYRAH-2019", "quantity": 6}]
    assert made["difference"] == 0
    assert "6 × Copper Gate Syrah 2019 ships on Fri 4 Dec 2026" in made["text"]


def test_a_clerk_may_say_what_ships_later() -> None:
    assert offer(kind="split", line=11, quantity=2)["lines"][0]["quantity"] == 2
    some = with_part(ORDER, lines=(replace(SYRAH, reserved=4),))
    assert offer(some, kind="split", line=11)["lines"][0]["quantity"] == 2


def test_a_split_leaves_something_to_ship_first() -> None:
    assert list(wrong(kind="split", line=11, quantity=6)) == ["choices.0.quantity"]
    assert list(wrong(kind="split")) == ["choices.0.quantity"]


def test_with_everything_here_there_is_nothing_to_split_by_itself() -> None:
    here = with_part(ORDER, lines=(replace(SYRAH, reserved=6),))
    assert list(wrong(here, kind="split")) == ["choices.0.line"]


def test_a_paid_part_is_not_divided() -> None:
    assert refused(with_part(BOTH, money="charged"), kind="split", line=11) == ["already_charged"]


# Doing without


def test_doing_without_a_line_takes_its_price_and_tax_off() -> None:
    made = offer(BOTH, kind="cancel", line="ROSE")
    assert made["text"] == "Without 2 × Heron Field Rosé, $27.50 less"
    assert made["difference"] == -2750


def test_doing_without_the_last_line_is_cancelling_the_order() -> None:
    made = offer(kind="cancel", line="SYRAH-2019")
    assert made["line"] is None
    assert (made["difference"], made["total"]) == (-17340, 0)


def test_cancelling_a_paid_order_says_that_the_money_comes_back() -> None:
    assert offer(kind="cancel")["text"] == "Cancel the order; nothing is charged"
    assert "refunded in full" in offer(with_part(ORDER, money="charged"), kind="cancel")["text"]


def test_the_whole_order_cannot_be_cancelled_when_a_part_has_left() -> None:
    gone = PartState(2, Sums(2500, 0, 250), (replace(ROSE, shipped=2),), "charged", "shipped")
    assert list(wrong(OrderState("USD", "Ground", (PART, gone)), kind="cancel")) == ["choices.0.kind"]


def test_the_shipping_of_an_emptied_part_is_paid_with_the_other() -> None:
    other = PartState(2, Sums(2500, 0, 250), (ROSE,))
    made = offer(OrderState("USD", "Ground", (PART, other)), kind="cancel", line=11)
    assert made["difference"] == -14400 - 1440
    paid = replace(other, money="charged")
    made = offer(OrderState("USD", "Ground", (PART, paid)), kind="cancel", line=11)
    assert made["difference"] == -14400 - 1440 - 1500


# The list of choices


def test_a_question_has_one_to_ten_choices() -> None:
    with pytest.raises(Invalid, match="at least one"):
        complete([], ORDER, TERMS)
    with pytest.raises(Invalid, match="at most 10"):
        complete([{"kind": "cancel"}] * 11, ORDER, TERMS)


@pytest.mark.parametrize("kind", [None, "gift", ["cancel"], 3])
def test_an_unknown_kind_is_refused(kind: object) -> None:
    assert list(wrong(kind=kind)) == ["choices.0.kind"]


def test_a_field_that_means_nothing_for_a_kind_is_said() -> None:
    assert list(wrong(kind="later_date", date="2026-12-04", price=5)) == ["choices.0.price"]
    assert list(wrong(kind="cancel", quantity=2)) == ["choices.0.line"]
    assert offer(kind="cancel", sku=None, price=None)["line"] is None


def test_every_wrong_field_is_named_with_its_place() -> None:
    with pytest.raises(Invalid) as caught:
        complete(
            [{"kind": "cancel"}, {"kind": "later_date"}, {"kind": "substitute", "sku": "NONE", "quantity": 0}],
            ORDER,
            TERMS,
        )
    assert [f for f, _ in caught.value.errors] == ["choices.1.date", "choices.2.sku"]


# The answer


def test_an_answer_is_one_choice_or_none_of_them() -> None:
    assert check_answer(0, False, 2) == []
    assert check_answer(1, False, 2) == []
    assert check_answer(None, True, 2) == []
    for choice, decline in ((None, False), (0, True), (2, False), (-1, False), (True, False)):
        assert [f for f, _ in check_answer(choice, decline, 2)] == ["choice"]


def test_the_same_answer_twice_is_one_answer() -> None:
    assert same_answer(state="accepted", chosen=1, choice=1, decline=False)
    assert not same_answer(state="accepted", chosen=1, choice=0, decline=False)
    assert not same_answer(state="accepted", chosen=1, choice=None, decline=True)
    assert same_answer(state="declined", chosen=None, choice=None, decline=True)
    assert not same_answer(state="open", chosen=None, choice=0, decline=False)
    assert not same_answer(state="withdrawn", chosen=None, choice=None, decline=True)


def test_a_question_ends_at_its_minute() -> None:
    until = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert not has_expired(until, until - timedelta(seconds=1))
    assert has_expired(until, until)


@pytest.mark.parametrize(
    ("rule", "own", "ordered", "price"),
    [
        ("own", 4400, 4000, 4400),
        ("own", None, 4000, None),
        ("lower", 4400, 4000, 4000),
        ("lower", 3400, 4000, 3400),
        ("lower", None, 4000, 4000),
        ("ordered", 3400, 4000, 4000),
        ("ordered", None, 4000, 4000),
    ],
)
def test_what_a_substitute_costs_by_the_shops_rule(rule: str, own: int | None, ordered: int, price: int | None) -> None:
    assert substitute_price(rule, own=own, ordered=ordered) == price


def test_a_question_is_about_what_is_really_missing_and_keeps_the_most_of_a_wine_that_a_choice_wants() -> None:
    choices = [
        {"kind": "substitute", "line": 7, "product": 3, "quantity": 2, "part": 1},
        {"kind": "substitute", "line": 7, "product": 3, "quantity": 5, "part": 1},
        {"kind": "substitute", "line": 7, "product": 4, "quantity": 1, "part": 1},
    ]
    assert units_offered(choices) == {3: 5, 4: 1}
