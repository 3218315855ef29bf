"""Promised against shipped, and what the desk and the customer read of a promise."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock
from counterfoil.core.shop import shop
from counterfoil.desk import kept
from counterfoil.desk.kept import Week, draw
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.records.orders.models import Order, Part, Promise
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    owner = Api()
    owner.done("/suppliers", {"name": "Northfold", "lead_time_days": 7})
    product(owner, stock=50, supplier="Northfold")
    return owner


def promised(api: Api, days: int, *, shipped: datetime | None = None) -> Part:
    """An order of two bottles whose first promise was for so many days from today, and when it left."""
    number = str(api.done("/orders", order_body(card=None))["number"])
    api.done(f"/orders/{number}/approval", {"ship_estimate": (shop().today() + timedelta(days=30)).isoformat()})
    part = Part.objects.get(order__number=number)
    Promise.objects.filter(part=part).update(date=shop().today() + timedelta(days=days))
    Part.objects.filter(pk=part.pk).update(shipped_at=shipped)
    return part


def local(days: int, hour: int) -> datetime:
    """An hour of a day at the shop."""
    start = clock.start_of_day(shop().today() + timedelta(days=days), shop().timezone)
    return start + timedelta(hours=hour)


def test_a_promise_is_kept_until_the_end_of_its_day_at_the_shop(api: Api) -> None:
    promised(api, -2, shipped=local(-2, 23))
    promised(api, -2, shipped=local(-1, 1))
    promised(api, -2)
    promised(api, 3)
    weeks = kept.by_week(shop())
    sums = [sum(getattr(w, n) for w in weeks) for n in ("in_time", "late", "overdue", "open")]
    assert sums == [1, 1, 1, 1]
    (supplier,) = kept.by_supplier(shop())
    assert (supplier.name, supplier.in_time, supplier.late, supplier.overdue, supplier.open) == (
        "Northfold",
        2,
        2,
        2,
        2,
    )
    assert supplier.rate == 33
    # One day and two, two bottles each; drawn as thirds of what was due.
    assert supplier.behind == 1.5
    assert [(kind, round(width)) for kind, _, width in supplier.shares] == [
        ("in-time", 33), ("sent-late", 33), ("overdue", 33)
    ]  # fmt: skip
    (wine,) = kept.by_product(shop())
    assert (wine.name, wine.promised) == ("Wine PINOT-21", 8)


def test_what_is_judged_is_the_first_date_that_was_given(api: Api) -> None:
    part = promised(api, -2, shipped=local(-1, 12))
    Promise.objects.create(
        part=part, version=2, date=shop().today(), basis="later date accepted", consent="express", delay=True,
        at=clock.business_now(), actor="Ann",
    )  # fmt: skip
    assert sum(w.late for w in kept.by_week(shop())) == 1


def test_what_was_called_off_or_came_as_history_is_no_promise_of_ours(api: Api) -> None:
    part = promised(api, -2)
    Order.objects.filter(pk=part.order_id).update(cancelled_at=clock.business_now())
    other = promised(api, -2)
    Order.objects.filter(pk=other.order_id).update(closed_history=True)
    assert sum(w.promised for w in kept.by_week(shop())) == 0
    assert kept.by_supplier(shop()) == kept.by_product(shop()) == []


def test_every_week_is_drawn_to_scale_and_none_is_left_out() -> None:
    monday = date(2026, 11, 23)
    weeks = [Week("16 Nov", 30, 10, 0, 0, monday=monday - timedelta(7)), Week("23 Nov", 0, 0, 5, 20, monday=monday)]
    chart = draw(weeks, monday)
    heights = {(b.kind, b.height) for b in chart.bars}
    tallest = max(h for _, h in heights)
    assert dict(heights)["sent-late"] * 3 == pytest.approx(tallest, abs=0.5)
    assert all(0 <= b.y <= chart.base and b.y + b.height <= chart.base + 0.2 for b in chart.bars)
    assert [n for _, n in chart.grid] == [0, 10, 20, 30, 40]
    assert chart.labels[-1][2], "this week is marked"
    assert draw([], monday).bars == []


def test_the_page_draws_and_tells_in_a_table_what_it_draws_with_few_statements(api: Api) -> None:
    for _ in range(3):
        promised(api, 1)
    promised(api, -4)
    desk = at_the_desk("buyer")
    desk.get("/desk/promises")
    with CaptureQueriesContext(connection) as taken:
        page = desk.get("/desk/promises")
    assert len(taken) <= 12
    text = page.content.decode()
    assert '<svg class="chart"' in text
    assert 'role="img"' in text
    assert "style=" not in text.partition("<main")[2]
    assert "Northfold" in text
    # A bar a row for supplier and product, each with its number in words beside it.
    assert text.count('<svg class="strip"') == 4
    assert text.count('<rect class="overdue" width="100.0" height="10"/></svg><span class="num">4.0</span>') == 2
    assert at_the_desk("picker").get("/desk/promises").status_code == 200
    assert Client().get("/desk/promises").status_code == 302


def test_the_order_page_and_the_customer_read_what_was_promised_and_what_silence_means(api: Api) -> None:
    product(api, "GONE-20", supplier="Northfold")
    number = str(api.done("/orders", order_body(("GONE-20", 2), card=None))["number"])
    day = shop().today() + timedelta(days=8)
    api.done(f"/orders/{number}/approval", {"ship_estimate": day.isoformat()})
    po = api.done("/purchase-orders", {"supplier": "Northfold", "lines": [{"sku": "GONE-20", "quantity": 2}]})
    late = (shop().today() + timedelta(days=20)).isoformat()
    api.done(f"/purchase-orders/{po['number']}/confirmation", {"expected": late})
    settle()
    desk = at_the_desk("clerk")
    desk.get(f"/desk/orders/{number}")
    with CaptureQueriesContext(connection) as taken:
        text = desk.get(f"/desk/orders/{number}").content.decode()
    assert len(taken) <= 12
    assert "stated by us; legal deadline" in text
    assert "by 16 CFR 435" in text
    assert "the new date stands; not answered yet" in text
    mine = Client().get(f"/orders/{Order.objects.get(number=number).token}").content.decode()
    assert "the new date stands." in mine
    assert "Nothing changes until you choose" not in mine


def test_the_review_proposes_the_day_of_the_last_line_and_says_why(api: Api) -> None:
    product(api, "GONE-20", supplier="Northfold")
    number = str(api.done("/orders", order_body(("GONE-20", 2), ("PINOT-21", 1), card=None))["number"])
    day = shop().business_days_from(shop().today(), 7)
    text = at_the_desk("clerk").get(f"/desk/queues/review?order={number}").content.decode()
    assert f'value="{day.isoformat()}"' in text
    assert "2 to be bought in, 7 business days, says Northfold" in text


def test_every_row_shows_the_next_deadline(api: Api) -> None:
    api.done("/orders", order_body(card=None))
    text: Any = at_the_desk("clerk").get("/desk/queues/review").content.decode()
    assert "at the latest" in text
