"""Closing the day: once, frozen, and nothing falls between two sheets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, shop
from counterfoil.core.db import writing
from counterfoil.core.models import Document, JournalEvent
from counterfoil.core.papers.tests.reading import text
from counterfoil.desk.closing import figures
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.desk.tests.test_print_queue import entered
from counterfoil.desk.tests.test_shipping import packed
from counterfoil.records.books.ledger import post
from counterfoil.records.orders.models import Charge
from counterfoil.steps.charging.models import BalanceEntry
from counterfoil.steps.fulfilment.actions import ship_order
from counterfoil.steps.fulfilment.tests.build import PIA, Built

pytestmark = pytest.mark.django_db
UPS = "1Z999AA1012345678"


def shipped(label: str, sku: str = "A") -> Built:
    """An order that was charged and has left today, with its invoice."""
    built = entered(packed((sku, 1)))
    ship_order(order=built.number, actor=PIA, carrier="UPS", tracking_number=label)
    total = built.part().total
    with writing():
        post(
            cause=f"charge of {built.number}", kind="capture", subject=built.number, text="charge", currency="USD",
            amounts={"card_clearing": total, "customer_deposits": -total},
        )  # fmt: skip
    return built


def told(built: Built) -> None:
    """The processor's line of its charge."""
    charge = Charge.objects.get(part__order=built.order)
    now = clock.business_now()
    BalanceEntry.objects.create(
        entry_id=f"txn_{built.number}", kind="charge", source_id=f"ch_{built.number}", charge=charge, fee=30,
        amount=charge.amount, net=charge.amount - 30, currency="USD", made_at=now, available_on=now,
    )  # fmt: skip


def test_the_day_is_closed_once_and_its_figures_stay() -> None:
    first, second = shipped("ONE"), shipped("TWO")
    told(first)
    desk = at_the_desk("bookkeeper")
    page = desk.get("/desk/close").content.decode()
    assert f"{first.number}, {second.number}" in page
    assert "1 difference with the processor" in page
    assert f"{second.number}: charged in our books; the processor has not told us of it yet" in page
    assert "no number is missing" in page
    assert f"{second.part().sales_order_number}-C: to be printed" in page
    page = desk.post("/desk/close", follow=True).content.decode()
    assert "These figures stay as they are" in page
    assert JournalEvent.objects.filter(kind="day_closed", actor="Ann").count() == 1
    # What comes afterwards is tomorrow's: the frozen sheet does not move, and closing again is refused by name.
    third = shipped("THREE")
    assert third.number not in desk.get("/desk/close").content.decode()
    again = desk.post("/desk/close")
    assert again.status_code == 409
    assert "closed already by Ann" in again.content.decode()
    sheet = Document.objects.get(kind="day-sheet")
    pdf = desk.get(f"/desk/close/{sheet.number.removeprefix('DAY-')}/sheet.pdf")
    assert first.number in text(pdf.content)
    assert "STAYS OPEN" in text(pdf.content)
    # The next sheet begins where this one ended.
    with writing():
        clock.advance_business_time(timedelta(days=1))
    clock.forget()
    told(second)
    page = desk.get("/desk/close").content.decode()
    assert third.number in page
    assert f"{first.number}," not in page
    assert "of another day" in page
    made = figures(shop.shop(), clock.business_now(), [sheet])
    assert made["invoices"]["gaps"] == []
    assert made["invoices"]["count"] == 1
    assert at_the_desk("picker").get("/desk/close").status_code == 403
    assert desk.get("/desk/close?day=1999-01-01").status_code == 404


def test_a_long_day_costs_as_many_statements_as_a_short_one() -> None:
    desk = at_the_desk()
    counted: list[int] = []
    for more in (1, 8):
        for n in range(more):
            shipped(f"{more}-{n}", f"S{more}-{n}")
        clock.forget()
        shop.forget()
        with CaptureQueriesContext(connection) as asked:
            assert desk.get("/desk/close").status_code == 200
        counted.append(len(asked))
    assert counted[0] == counted[1] <= 12, counted
    anything: Any = figures(shop.shop(), clock.business_now())
    assert len(anything["shipped"][0]["orders"]) == 9
