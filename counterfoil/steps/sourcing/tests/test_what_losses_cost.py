"""What is lost is booked at what it cost when it came, whatever the catalogue says by then."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest

from counterfoil.core import journal
from counterfoil.core.db import writing
from counterfoil.flow.verify import books, units
from counterfoil.gateways.storefront.lines import read_lines
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock import ledger
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.handling import write_off_stock
from counterfoil.records.stock.ledger import Change
from counterfoil.steps.sourcing.actions import (
    apply_count,
    close_count,
    damage_stock,
    enter_count,
    make_count_sheet,
    queue_count,
)
from counterfoil.steps.sourcing.sheets import variances
from counterfoil.steps.sourcing.stock_file import digest, take_stock_file
from counterfoil.steps.sourcing.tests.build import BEA, PETE, a_wine, balance
from counterfoil.steps.sourcing.tests.test_actions import posted

pytestmark = pytest.mark.django_db
SKU = "GULL-19"


def adjusted() -> None:
    adjust_stock(actor=BEA, sku=SKU, quantity=-2, reason="stolen")


def dropped() -> None:
    damage_stock(actor=PETE, sku=SKU, quantity=2, reason="dropped", write_off=True)


def set_aside_and_written_off() -> None:
    damage_stock(actor=PETE, sku=SKU, quantity=2, reason="corked")
    write_off_stock(actor=BEA, sku=SKU, quantity=2, reason="nobody wants it")


def counted() -> None:
    sheet = make_count_sheet(actor=PETE, skus=[SKU])
    enter_count(actor=PETE, sheet=sheet.number, counted=[{"sku": SKU, "counted": 4}])
    assert [one.value for one in variances(sheet)] == [-1800], "the difference is shown as it will be booked"
    apply_count(actor=BEA, sheet=sheet.number, reason="two are gone")


def missed_at_a_pick() -> None:
    product = balance().product_id
    with writing():
        ledger.lock([product])
        ledger.move([Change(product, "pick_short", "t", on_hand=-3, quarantined=3, subject="CF-7")], actor=PETE)
    task = queue_count(product_id=product, order="CF-7")
    assert task is not None
    close_count(task=task.pk, found=1, actor=PETE)


def in_a_file() -> None:
    content = b"sku,quantity\nGULL-19,4\n"
    take_stock_file(
        actor=BEA, name="count.csv", content=read_lines(BytesIO(content)), sha256=digest(content), mode="counted",
        reject=lambda number, why, _: pytest.fail(f"line {number}: {why}"),
    )  # fmt: skip


@pytest.mark.parametrize("lose", [adjusted, dropped, set_aside_and_written_off, counted, missed_at_a_pick, in_a_file])
def test_two_lost_bottles_cost_what_was_paid_for_them(
    lose: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_advance_now", None)
    wine = a_wine(on_hand=6, cost=900)
    Product.objects.filter(pk=wine.pk).update(cost=5000)
    before = posted("stock_losses")
    lose()
    assert (balance().on_hand, posted("stock_losses") - before) == (4, 1800)
    assert books.goods() + units.places() == []
