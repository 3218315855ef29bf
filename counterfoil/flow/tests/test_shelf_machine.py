"""Whatever is done with bottles in whatever order: the ledger says what a plain count on paper says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from counterfoil.core import journal
from counterfoil.core.actor import OWNER, Actor
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Refused
from counterfoil.flow.verify import units
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Line, Part
from counterfoil.records.orders.parcels import put_back_parcel
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.handling import release_stock, transfer_stock, write_off_stock
from counterfoil.records.stock.models import Balance, Place
from counterfoil.steps.fulfilment.actions import break_units, pack_order, pick_order, return_order, ship_order
from counterfoil.steps.sourcing.actions import (
    apply_count,
    check_stock,
    create_purchase_order,
    damage_stock,
    enter_count,
    fill_waiting,
    make_count_sheet,
    move_reservation,
    receive_goods,
)
from counterfoil.steps.sourcing.sheets import find_sheet, variances
from counterfoil.steps.sourcing.tests.build import a_wine, an_order

pytestmark = pytest.mark.django_db
OLGA = Actor("person", "Olga", OWNER)
SKU = "GULL-19"
BINS, LOTS = ["", "A-1", "B-2"], ["", "L1", "L2"]
some = st.integers(1, 5)
pick_one = st.integers(0, 9)


@dataclass
class Paper:
    """The same shelf, counted on paper."""

    on_hand: int = 0
    picked: int = 0
    shipped: int = 0
    quarantined: int = 0


class Shelf(RuleBasedStateMachine):
    """One product in three bins and lots, and up to six orders that are paid when they are fetched."""

    done: Counter[str]  # what came about, over all lives

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.paper = Paper()
        self.orders: list[str] = []
        self.parcels = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize()
    def open(self) -> None:
        """Two lots are here; the first two orders have their bottles, the third waits for one."""
        self.product = a_wine(SKU)
        for lot in ("L1", "L2"):
            self.more_is_found(5, "A-1", lot)
        for wanted, days in ((3, 4), (4, 2), (4, 7)):
            self.somebody_orders(wanted, days)

    # What is on paper

    def balance(self) -> Balance:
        return Balance.objects.get(product=self.product)

    def line(self, number: str) -> Line:
        return Line.objects.get(order__number=number)

    def an(self, n: int) -> str:
        return self.orders[n % len(self.orders)]

    def of_lot(self, lot: str, column: str) -> int:
        return sum(getattr(p, column) for p in Place.objects.filter(product=self.product, lot=lot))

    @invariant()
    def the_ledger_says_what_the_paper_says(self) -> None:
        if not hasattr(self, "product"):
            return
        held = self.balance()
        said = Paper(held.on_hand, held.picked, held.shipped, held.quarantined)
        assert said == self.paper
        assert units.balances() + units.places() + units.lines() + units.purchases() == []
        # Nobody waits beside a free bottle once the fill job has run, and the oldest promise has its bottles first.
        assert held.free >= 0

    # What is done

    @rule(units_=some, bin_=st.sampled_from(BINS), lot=st.sampled_from(LOTS))
    def more_is_found(self, units_: int, bin_: str, lot: str) -> None:
        adjust_stock(actor=OLGA, sku=SKU, quantity=units_, reason="found", bin=bin_, lot=lot)
        self.paper.on_hand += units_

    @rule(units_=some)
    def fewer_are_there(self, units_: int) -> None:
        try:
            adjust_stock(actor=OLGA, sku=SKU, quantity=-units_, reason="missing")
        except Refused:
            assert self.balance().free < units_
        else:
            self.paper.on_hand -= units_

    @rule(ordered=some, came=some, damaged=st.integers(0, 1), lot=st.sampled_from(LOTS))
    def goods_come(self, ordered: int, came: int, damaged: int, lot: str) -> None:
        po = create_purchase_order(
            actor=OLGA, supplier="Tern Island Growers", lines=[{"sku": SKU, "quantity": ordered}]
        ).number
        line = {"sku": SKU, "received": came, "damaged": damaged, "lot": lot}
        receive_goods(actor=OLGA, purchase_order=po, lines=[line])
        self.paper.on_hand += came - damaged
        self.paper.quarantined += damaged

    @precondition(lambda self: len(self.orders) < 6)
    @rule(wanted=some, days=st.integers(1, 9))
    def somebody_orders(self, wanted: int, days: int) -> None:
        number = f"CF-{len(self.orders) + 1}"
        order = an_order(number, {SKU: wanted}, ships_in=days)
        Part.objects.filter(order=order).update(money="charged")
        self.orders.append(number)
        free = self.balance().free
        check_stock(order=number, actor=OLGA)
        assert self.line(number).reserved == min(free, wanted)

    @rule()
    def free_bottles_go_to_whoever_waits(self) -> None:
        fill_waiting(product_ids=[self.product.pk], actor=OLGA)
        held = self.balance()
        assert held.free == 0 or held.waiting == 0

    @precondition(lambda self: self.orders)
    @rule(n=pick_one, short=st.integers(1, 2))
    def a_picker_fetches(self, n: int, short: int) -> None:
        number = self.an(n)
        held = self.line(number).reserved
        short = min(short, held)
        free = self.balance().free
        lines = [{"sku": SKU, "quantity": held - short, "short": short}] if held else None
        try:
            pick_order(order=number, actor=OLGA, lines=lines)
        except Refused:
            return
        self.paper.on_hand -= held
        self.paper.picked += held - short
        self.paper.quarantined += short
        self.done["picked"] += 1
        self.done["short, another lot tried"] += bool(short and free)
        self.done["short, open again"] += short > free
        # While others were nobody's, the order kept its units and another lot is tried.
        assert self.line(number).reserved == min(short, free)

    @precondition(lambda self: self.orders)
    @rule(n=pick_one)
    def everything_is_fetched_and_sent(self, n: int) -> None:
        self.a_picker_fetches(n, 0)
        self.it_is_sent(n)

    @precondition(lambda self: self.orders)
    @rule(n=pick_one, short=st.integers(0, 1))
    def it_is_fetched_and_put_back(self, n: int, short: int) -> None:
        self.a_picker_fetches(n, short)
        self.it_is_put_back(n)

    def one_breaks_on_the_table(self, number: str) -> None:
        free, reserved = self.balance().free, self.line(number).reserved
        break_units(order=number, actor=OLGA, lines=[{"sku": SKU, "quantity": 1}])
        self.paper.picked -= 1
        self.paper.quarantined += 1
        self.done["broke on the table"] += 1
        assert self.line(number).reserved == reserved + min(1, free)

    @precondition(lambda self: self.orders)
    @rule(n=pick_one)
    def it_is_put_back(self, n: int) -> None:
        number = self.an(n)
        if self.line(number).picked > 1:
            self.one_breaks_on_the_table(number)
        part = Part.objects.get(order__number=number)
        picked = self.line(number).picked
        try:
            with writing():
                put_back_parcel(taken_order=take(number), part=part, actor=OLGA)
        except Refused:
            return
        self.paper.on_hand += picked
        self.paper.picked -= picked
        self.done["put back"] += bool(picked)

    @precondition(lambda self: self.orders)
    @rule(n=pick_one)
    def it_is_sent(self, n: int) -> None:
        number = self.an(n)
        try:
            pack_order(order=number, actor=OLGA)
            self.parcels += 1
            picked = self.line(number).picked
            ship_order(order=number, actor=OLGA, carrier="Box & Wheel", tracking_number=f"BW {self.parcels}")
        except Refused:
            return
        self.paper.picked -= picked
        self.paper.shipped += picked
        self.done["shipped"] += 1

    @precondition(lambda self: self.orders)
    @rule(n=pick_one, sellable=st.booleans())
    def one_comes_back(self, n: int, sellable: bool) -> None:
        condition = "sellable" if sellable else "damaged"
        one = [{"sku": SKU, "quantity": 1}]
        out = [number for number in self.orders if self.line(number).shipped > self.line(number).returned]
        number = out[n % len(out)] if out else self.an(n)
        try:
            return_order(order=number, actor=OLGA, lines=one, condition=condition, reason="too sweet")
        except (Refused, Invalid):
            return
        self.paper.shipped -= 1
        self.paper.on_hand += sellable
        self.paper.quarantined += not sellable
        self.done["returned"] += 1

    @rule(units_=some, gone=st.booleans())
    def bottles_break(self, units_: int, gone: bool) -> None:
        try:
            damage_stock(actor=OLGA, sku=SKU, quantity=units_, reason="fell", write_off=gone)
        except Refused:
            assert self.paper.on_hand < units_
            return
        self.paper.on_hand -= units_
        self.paper.quarantined += 0 if gone else units_
        self.done["broke"] += 1

    @rule(units_=some, good=st.booleans())
    def what_is_set_aside_is_looked_at(self, units_: int, good: bool) -> None:
        act = release_stock if good else write_off_stock
        units_ = units_ if units_ == 5 else min(units_, max(1, self.paper.quarantined))
        try:
            act(actor=OLGA, sku=SKU, quantity=units_, reason="looked at it")
        except Invalid:
            assert self.paper.quarantined < units_
            return
        self.paper.quarantined -= units_
        self.paper.on_hand += units_ if good else 0
        self.done["released or written off"] += 1

    @rule(n=pick_one, bin_=st.sampled_from(["A-1", "B-2"]), aside=st.booleans())
    def they_are_carried(self, n: int, bin_: str, aside: bool) -> None:
        column = "quarantined" if aside else "on_hand"
        places = [p for p in Place.objects.filter(product=self.product).order_by("pk") if getattr(p, column)]
        if not places or places[n % len(places)].bin == bin_:
            return
        place = places[n % len(places)]
        before = self.of_lot(place.lot, column)
        transfer_stock(actor=OLGA, sku=SKU, quantity=1, bin=place.bin, lot=place.lot, to_bin=bin_, set_aside=aside)
        assert self.of_lot(place.lot, column) == before
        self.done["carried"] += 1

    @rule(gap=st.integers(-3, 2), picked_meanwhile=st.booleans())
    def somebody_counts(self, gap: int, picked_meanwhile: bool) -> None:
        sheet = make_count_sheet(actor=OLGA, skus=[SKU]).number
        if picked_meanwhile and self.balance().free:
            adjust_stock(actor=OLGA, sku=SKU, quantity=-1, reason="sold over the counter")
            self.paper.on_hand -= 1
        row = variances(find_sheet(sheet))[0].row
        counted = max(0, row.expected + gap)
        enter_count(actor=OLGA, sheet=sheet, counted=[{"sku": SKU, "bin": row.bin, "lot": row.lot, "counted": counted}])
        try:
            apply_count(actor=OLGA, sheet=sheet, reason="counted")
        except Invalid:
            return
        self.paper.on_hand += counted - row.expected
        self.done["counted"] += bool(gap)

    @precondition(lambda self: len(self.orders) > 1)
    @rule(n=pick_one, m=pick_one)
    def one_order_gives_to_another(self, n: int, m: int) -> None:
        giver, taker = self.an(n), self.an(m)
        before = self.balance().reserved
        try:
            move_reservation(actor=OLGA, order=taker, from_order=giver, sku=SKU, quantity=1, reason="a wedding")
        except (Invalid, Refused):
            return
        assert self.balance().reserved == before
        self.done["given away"] += 1


def test_the_ledger_says_what_a_count_on_paper_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_advance_now", None)
    Shelf.done = Counter()
    run_state_machine_as_test(
        Shelf,
        settings=settings(
            max_examples=14, stateful_step_count=30, deadline=None, derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )  # fmt: skip
    # A machine in which nothing ever comes about would agree with any paper.
    acts = ("picked", "shipped", "put back", "broke", "released or written off", "carried", "counted", "given away")
    more = ("returned", "broke on the table", "short, another lot tried", "short, open again")
    never = [act for act in (*acts, *more) if not Shelf.done[act]]
    assert never == [], Shelf.done
