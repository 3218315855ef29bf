"""Whatever comes in whatever order: shelf, lines and purchase orders agree, and nobody waits beside free stock."""

from __future__ import annotations

import contextlib

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterfoil.core import journal
from counterfoil.core.db import writing
from counterfoil.core.errors import Refused
from counterfoil.core.machine import Move
from counterfoil.core.models import Job, JournalEvent
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import STOCK, Line, Order, Part
from counterfoil.records.stock.actions import adjust_stock, release_line
from counterfoil.steps.sourcing.actions import (
    check_stock,
    close_purchase_order,
    confirm_purchase_order,
    create_purchase_order,
    receive_goods,
)
from counterfoil.steps.sourcing.jobs import fill_job, unpeg_job
from counterfoil.steps.sourcing.models import PurchaseOrder
from counterfoil.steps.sourcing.tests.build import BEA, CAROL, a_wine, agree, an_order, balance, in_days

pytestmark = pytest.mark.django_db
SKU = "GULL-19"
HANDLERS = {"sourcing.fill": fill_job, "sourcing.unpeg": unpeg_job}

units = st.integers(1, 6)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("order"), units, st.integers(0, 9)),
        st.tuples(st.just("check"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("adjust"), units, st.just(0)),
        st.tuples(st.just("buy"), units, st.just(0)),
        st.tuples(st.just("confirm"), st.integers(0, 3), st.integers(0, 9)),
        st.tuples(st.just("receive"), st.integers(0, 3), st.integers(1, 8)),
        st.tuples(st.just("close"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("cancel"), st.integers(0, 5), st.just(0)),
    ),
    min_size=4,
    max_size=14,
)


@pytest.fixture(autouse=True)
def _only_this_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_advance_now", None)


def do(act: str, one: int, two: int, orders: list[str], bought: list[str]) -> None:
    if act == "order":
        orders.append(f"CF-{len(orders) + 1}")
        an_order(orders[-1], {SKU: one}, ships_in=two)
    elif act == "check" and orders:
        check_stock(order=orders[one % len(orders)], actor=CAROL)
    elif act == "adjust":
        adjust_stock(actor=BEA, sku=SKU, quantity=one, reason="found")
    elif act == "buy":
        made = create_purchase_order(actor=BEA, supplier="Tern Island Growers", lines=[{"sku": SKU, "quantity": one}])
        bought.append(made.number)
    elif act == "confirm" and bought:
        confirm_purchase_order(actor=BEA, number=bought[one % len(bought)], expected=in_days(two))
    elif act == "receive" and bought:
        line = {"sku": SKU, "received": two, "damaged": two // 4}
        receive_goods(actor=BEA, purchase_order=bought[one % len(bought)], lines=[line])
    elif act == "close" and bought:
        close_purchase_order(actor=BEA, number=bought[one % len(bought)], reason="never came")
    elif act == "cancel" and orders:
        cancel(orders[one % len(orders)])


def cancel(number: str) -> None:
    with writing():
        order = take(number)
        if order.cancelled_at is None:
            for line in Line.objects.filter(order=order):
                release_line(line=line, actor=CAROL, order=order)
            Order.objects.filter(pk=order.pk).update(cancelled_at=order.placed_at)


def do_jobs() -> None:
    """What sourcing owes itself, as a worker would do it."""
    while owed := Job.objects.filter(name__in=HANDLERS).order_by("pk").first():
        owed.delete()
        HANDLERS[owed.name](owed.payload)


@settings(max_examples=16, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts)
def test_whatever_happens_the_ledgers_agree_and_nobody_waits_beside_stock(todo: list[tuple[str, int, int]]) -> None:
    with transaction.atomic():
        a_wine(SKU)
        orders: list[str] = []
        bought: list[str] = []
        for act, one, two in todo:
            try:
                do(act, one, two, orders, bought)
            except Refused:
                # Already cancelled, already received in full: as it should be.
                continue
            agree()
        do_jobs()
        for number in orders:
            # An order that came after the purchase order is covered by its own check.
            with contextlib.suppress(Refused):
                check_stock(order=number, actor=CAROL)
        agree()
        held = balance(SKU)
        assert held.free == 0 or held.waiting == 0
        spare = held.due_in - sum(Line.objects.values_list("due", flat=True))
        living = Line.objects.filter(order__cancelled_at=None)
        assert spare == 0 or sum(ln.short for ln in living) == 0
        for part in Part.objects.all():
            assert replayed(part) == part.stock
        assert PurchaseOrder.objects.count() == len(bought)
        transaction.set_rollback(True)


def replayed(part: Part) -> str:
    """The part's stock as its journal tells it; every step of it stands in the table."""
    state = STOCK.first
    for event in JournalEvent.objects.filter(subject=part.order.number).order_by("id"):
        for row in event.moves:
            move = Move(row["part"], row["axis"], row["from"], row["to"])
            assert move.source == state
            assert STOCK.allows(move.source, move.target)
            state = move.target
    return state
