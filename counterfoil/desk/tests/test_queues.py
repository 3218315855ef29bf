"""The queues: what they cost, that nothing is lost between two pages, and who may see them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, journal, shop
from counterfoil.core.access.models import User
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.desk import queries
from counterfoil.desk.finding import search
from counterfoil.desk.rail import rail
from counterfoil.desk.tests.build import at_the_desk, order, person, product
from counterfoil.records.orders.models import Order, Part, Shipment

pytestmark = pytest.mark.django_db


def test_a_queue_page_takes_at_most_ten_statements_however_long_the_queue() -> None:
    product("A", on_hand=500)
    for _ in range(60):
        order(("A", 2))
    desk = at_the_desk()
    clock.forget()
    shop.forget()
    with CaptureQueriesContext(connection) as asked:
        page = desk.get("/desk/queues/review")
    assert page.status_code == 200
    assert page.content.count(b"data-page=") == 50
    # On a slow machine the settings are read a second time: what is asked in the same words counts once.
    assert len({q["sql"] for q in asked}) <= 10, [q["sql"][:120] for q in asked]


def test_a_slip_tells_the_newest_first_and_its_lines_as_they_were_ordered() -> None:
    product("A", on_hand=5)
    product("B", on_hand=5)
    made = order(("B", 2), ("A", 1))
    with writing():
        for text in ("first", "second", "third"):
            journal.record("noted", subject=made.number, actor=SYSTEM, text=text, advance=False)
    lines, events = queries.lines_and_events(made, limit=2)
    assert [line.sku for line in lines] == ["B", "A"]
    assert [line.product.sku for line in lines] == ["B", "A"]
    assert [event.text for event in events] == ["third", "second"]


def test_every_order_of_a_queue_is_on_exactly_one_page() -> None:
    product("A", on_hand=500)
    made = [order(("A", 1)) for _ in range(117)]
    today = shop.shop().today()
    for i, one in enumerate(made):
        day = today + timedelta(days=i % 3) if i % 4 else None
        Order.objects.filter(pk=one.pk).update(deadline=day)
    seen: list[int] = []
    after: queries.Place | None = None
    while True:
        page, after = queries.queue_page("review", after)
        seen += [o.pk for o in page]
        if after is None:
            break
        after = queries.Place.parse(str(after))
    assert sorted(seen) == sorted(o.pk for o in made)
    deadlines = [Order.objects.get(pk=pk).deadline for pk in seen]
    dated = [d for d in deadlines if d is not None]
    assert dated == sorted(dated)
    assert deadlines[: len(dated)] == dated, "orders without a deadline come last"


def test_the_rail_counts_each_queue_and_what_is_late_in_it() -> None:
    product("A", on_hand=50)
    first, second, _ = order(("A", 1)), order(("A", 1)), order(("A", 1))
    today = shop.shop().today()
    Order.objects.filter(pk=first.pk).update(deadline=today - timedelta(days=1))
    Order.objects.filter(pk=second.pk).update(queue="pick", deadline=today)
    beside = rail(today, "review")
    assert beside.counts == {"review": 2, "pick": 1}
    assert beside.late == {"review": 1, "pick": 0}
    assert beside.sums == [("USD", first.total * 2)]


@pytest.mark.parametrize("text", ["  cf-", "JUNE HAR", "june@", "'; drop table", "\x00", "%"])
def test_a_search_answers_whatever_is_typed(text: str) -> None:
    product("A", on_hand=5)
    order(("A", 1))
    assert at_the_desk().get("/desk/search", {"q": text}).status_code == 200


def test_an_order_is_found_by_what_people_have_at_hand() -> None:
    product("TER-CH-2023", on_hand=5)
    mine = order(("TER-CH-2023", 1), name="Zoë Brontë", email="zoe@example.com", reference="T-88")
    product("B", on_hand=5)
    order(("B", 1), name="Ada Byron", email="ada@example.com")
    Shipment.objects.create(
        order=mine, part=Part.objects.get(order=mine), carrier="UPS", tracking_number="1Z999AA10123456784",
        shipped_at=clock.business_now(), actor="Ann",
    )  # fmt: skip
    typed = (mine.number, mine.number.lower(), "T-88", "zoë b", "ZOE@EXAMPLE", "ter-ch-2023")
    by_name = ("zoe", "Brontë", "BRONT", "bronte", "Zoe Bronte")
    for text in (*typed, *by_name, "1z999aa10123456784", "1Z 999 AA1 01 2345 6784"):
        assert [o.number for o in search(text)] == [mine.number], text
    with CaptureQueriesContext(connection) as asked:
        search("bronte")
    assert len(asked) <= 3, "the products of that name, whose orders, and those"
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {asked[-2]['sql']}")
            plan = " ".join(str(row[-1]) for row in cursor.fetchall())
        assert "order_customer" in plan
        assert "SCAN orders_order" not in plan
        assert "SCAN o " not in plan


@pytest.mark.parametrize("path", ["/desk/", "/desk/queues/review", "/desk/stock", "/desk/purchase-orders"])
def test_nobody_sees_the_desk_without_logging_in(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/desk/login?next=")


def test_a_customers_login_is_no_way_to_the_desk() -> None:
    customer = Client()
    customer.force_login(User.objects.create_user("c@example.com", "a-long-password", name="C", role="customer"))
    assert customer.get("/desk/queues/review").status_code == 302


def test_the_desk_opens_at_what_is_theirs_to_do() -> None:
    product("A", on_hand=9)
    for queue in ("review", "payment_problem", "pick", "question"):
        Order.objects.filter(pk=order(("A", 1)).pk).update(queue=queue)
    first = {
        role: at_the_desk(role).get("/desk/")["Location"].rpartition("/")[2] for role in ("clerk", "picker", "buyer")
    }
    assert first == {"clerk": "payment_problem", "picker": "pick", "buyer": "payment_problem"}


def test_after_logging_in_nobody_is_sent_to_another_site() -> None:
    someone = person()
    form = {"email": someone.email, "password": "a-long-password", "next": "https://elsewhere.example/desk/"}
    answer = Client().post("/desk/login", form)
    assert (answer.status_code, answer["Location"]) == (303, "/desk/")
