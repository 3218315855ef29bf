"""Shipping by scan and from a carrier's file, and what must leave today."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, jobs, shop
from counterfoil.core.db import writing
from counterfoil.core.models import Job
from counterfoil.desk import doing, queries, ship_run
from counterfoil.desk.models import Deed, FileParcel
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.flow.advance import store
from counterfoil.records.orders.models import Order, Part, Shipment
from counterfoil.steps.fulfilment.actions import pack_order, pick_order
from counterfoil.steps.fulfilment.tests.build import PIA, Built, an_order

pytestmark = pytest.mark.django_db
UPS, OTHER_UPS, FEDEX = "1Z999AA10123456784", "1Z999AA10123456793", "477179081230"


def packed(*wanted: tuple[str, int], boxes: int = 1) -> Built:
    """An order in boxes, ready to leave."""
    built = an_order(*(wanted or (("A", 2),)))
    pick_order(order=built.number, actor=PIA)
    for _ in range(boxes - 1):
        pack_order(order=built.number, actor=PIA, lines=[{"sku": "A", "quantity": 1}])
    pack_order(order=built.number, actor=PIA)
    return built


def settle_settings(**values: object) -> None:
    with writing():
        shop.change(**values)


def scan(desk: Client, text: str, **more: str) -> str:
    """Scan, and read the page that follows."""
    return desk.post("/desk/ship", {"scan": text, **more}, follow=True).content.decode()


def test_the_slips_own_form_knows_the_carrier_by_the_number_and_asks_only_where_that_does_not_tell() -> None:
    first, second = packed(), packed()
    desk = at_the_desk("clerk")
    assert 'name="carrier"' not in desk.get(f"/desk/orders/{first.number}").content.decode()
    acts = "/desk/orders/{}/acts/ship"
    assert desk.post(acts.format(first.number), {"tracking_number": "1z 999 aa1 01 2345 6784"}).status_code == 303
    gone = Shipment.objects.get()
    assert (gone.carrier, gone.tracking_number) == ("UPS", UPS)
    asked = desk.post(acts.format(second.number), {"tracking_number": "PARCEL-7"})
    assert asked.status_code == 422
    page = asked.content.decode()
    assert "no carrier&#39;s check digit fits this number: name the carrier" in page
    assert 'name="carrier"' in page
    form = {"tracking_number": "PARCEL-7", "carrier": "Bike Post"}
    assert desk.post(acts.format(second.number), form).status_code == 303
    assert Shipment.objects.filter(carrier="Bike Post", tracking_number="PARCEL-7").exists()


def test_the_order_and_then_its_label_are_scanned_and_the_customer_is_told() -> None:
    first, second = packed(), packed()
    desk = at_the_desk("picker")
    page = scan(desk, UPS)
    assert "label of UPS" in page
    assert "Scan the order" in page
    page = scan(desk, first.number.lower())
    assert "may leave" in page
    assert f'name="order" value="{first.number}"' in page
    page = scan(desk, " 1z 999 aa1 01 2345 6784", order=first.number)
    assert f"{first.number}: shipped with UPS, {UPS}" in page
    assert Job.objects.filter(key__startswith=f"mail.send:shipped:{first.number}").exists()
    # The same label on another order: refused, with where it is.
    page = scan(desk, UPS, order=second.number)
    assert f"it is on {first.number}" in page
    # A number whose carrier nobody knows: asked for, and then shipped.
    page = scan(desk, "PARCEL-7", order=second.number)
    assert "Whose label is it?" in page
    page = desk.post(
        "/desk/ship", {"order": second.number, "tracking_number": "PARCEL-7", "carrier": "OnTrac"}, follow=True
    ).content.decode()
    assert f"{second.number}: shipped with OnTrac, PARCEL7" in page
    # And an order that has left already says who sent it.
    assert "already shipped" in scan(desk, first.number)
    assert at_the_desk("buyer").get("/desk/ship").status_code == 403


def test_each_box_may_have_a_label_of_its_own() -> None:
    built = packed(boxes=2)
    desk = at_the_desk()
    one, other = [b.pk for b in built.order.packages.order_by("number")]
    page = desk.post("/desk/ship", {"order": built.number, "scan": UPS, "box": str(one)}, follow=True).content.decode()
    assert f"1 box of {built.number} waits" in page
    desk.post("/desk/ship", {"order": built.number, "scan": FEDEX, "box": str(other)})
    assert sorted(Shipment.objects.values_list("carrier", flat=True)) == ["FedEx", "UPS"]
    assert built.part().parcel == "shipped"


def test_a_scanned_shipment_waits_for_its_undo_and_the_next_box_sends_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doing, "undo_seconds", lambda: 20)
    built, other = packed(boxes=2), packed()
    desk = at_the_desk("picker")
    one, two = [b.pk for b in built.order.packages.order_by("number")]
    page = desk.post("/desk/ship", {"order": built.number, "scan": UPS, "box": str(one)}, follow=True).content.decode()
    assert f"{built.number}: shipment goes out in" in page
    assert f'value="{one}"' not in page, "what goes out lies on the bench no more"
    assert f"1 box of {built.number} waits for another label" in page
    assert not Shipment.objects.exists()
    # Neither another box nor another order gets the label of the one that waits.
    assert "boxes under one label leave together" in scan(desk, UPS, order=built.number, box=str(two))
    assert f"{UPS} is on {built.number}" in scan(desk, UPS, order=other.number)
    assert not Shipment.objects.exists()
    scan(desk, FEDEX, order=built.number, box=str(two))
    assert Shipment.objects.get().packages.get().pk == one
    assert "is going out" in scan(desk, built.number)
    desk.post(f"/desk/deeds/{Deed.objects.get(state='waiting').pk}/undo")
    page = scan(desk, built.number)
    assert "may leave" in page
    scan(desk, OTHER_UPS, order=built.number, box=str(two))
    Job.objects.filter(name="desk.deed").update(run_at=clock.real_now())
    jobs.drain(only=("desk",))
    assert sorted(Shipment.objects.values_list("tracking_number", flat=True)) == [UPS, OTHER_UPS]
    assert built.part().parcel == "shipped"


def sent(desk: Client, form: Mapping[str, Any]) -> str:
    """The page of a file, or of rows that were mended, when the worker has done with it."""
    answer = desk.post("/desk/ship/file", form)
    jobs.drain(only=("desk",))
    return (desk.get(answer["Location"]) if answer.status_code == 303 else answer).content.decode()


def test_a_file_ships_its_rows_and_the_refused_ones_are_mended_on_the_page() -> None:
    first, second, third = packed(), packed(), packed(boxes=2)
    Order.objects.filter(number=second.number).update(reference="Spring 7")
    lines = ["Package Reference 1;Tracking Number", f"{first.number};{UPS}", f"Spring 7;{OTHER_UPS}",
             f"{third.number};{FEDEX}", f"{third.number};9400111201080805483016", f"CF-99999;{FEDEX}",
             "4111 1111 1111 1111;1"]  # fmt: skip
    desk = at_the_desk()

    def send() -> str:
        file = io.BytesIO("\r\n".join(lines).encode("utf-8-sig"))
        file.name = "day.csv"
        return sent(desk, {"file": file})

    page = send()
    assert "4 of 6 rows shipped" in page
    assert "there is no order with this number" in page
    assert "4111 1111 1111 1111" not in page
    assert {s.order.number: s.carrier for s in Shipment.objects.exclude(order=third.order)} == {
        first.number: "UPS",
        second.number: "UPS",
    }
    assert sorted(Shipment.objects.filter(order=third.order).values_list("carrier", flat=True)) == ["FedEx", "USPS"]
    # Sent once more, nothing happens twice.
    assert "4 of 6 rows shipped" in send()
    assert Shipment.objects.count() == 4
    fourth = packed()
    mended = {"order:0": fourth.number, "tracking:0": "X1", "carrier:0": "", "line:0": "6", "why:0": "no such order"}
    page = sent(desk, mended)
    assert "write down the carrier" in page
    assert page.count('aria-invalid="true"') == 1
    assert 'name="carrier:0" value="" maxlength="200" autocomplete="off" aria-invalid="true"' in page
    told = desk.post("/desk/ship/file", {**mended, "do": "download"})
    assert told["Content-Type"].startswith("text/csv")
    assert f"{fourth.number},X1,,no such order" in told.content.decode()
    assert "1 of 1 row shipped" in sent(desk, {**mended, "carrier:0": "GLS"})


def test_a_file_is_shipped_by_the_worker_and_can_be_left_stopped_and_gone_on_with_after_a_death(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = [packed() for _ in range(3)]
    rows = [f"{b.number},{n}" for b, n in zip(built, (UPS, OTHER_UPS, FEDEX), strict=True)]
    file, desk = io.BytesIO("\n".join(["Order,Tracking", *rows]).encode()), at_the_desk("picker")
    file.name = "day.csv"
    where = desk.post("/desk/ship/file", {"file": file})["Location"]
    assert not Shipment.objects.exists(), "the request ships nothing itself"
    drawn = desk.get(where).content.decode()
    assert "0 of 3 rows" in drawn
    assert 'hx-trigger="every 1s"' in drawn

    class Killed(BaseException):
        """The worker dies after the parcel has left, before it could write that down."""

    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(ship_run, "_close", dies)
        with pytest.raises(Killed):
            ship_run.ship_parcel(FileParcel.objects.select_related("order", "file__user").order_by("id")[0])
    assert (FileParcel.objects.order_by("id")[0].state, Shipment.objects.count()) == ("running", 1)
    assert at_the_desk("buyer").post(f"{where}/stop").status_code == 403
    # Two are stopped; the one that was being done is found to have left, and nothing of it happens twice.
    desk.post(f"{where}/stop")
    jobs.drain(only=("desk",))
    page = desk.get(where).content.decode()
    assert "1 of 3 rows shipped" in page
    assert "was shipped with this number before" in page
    assert page.count("it was stopped</span>") == 2
    assert Shipment.objects.get().tracking_number == UPS
    assert desk.get(where, headers={"HX-Target": "run"})["HX-Refresh"] == "true"


def test_a_file_whose_headers_say_nothing_asks_for_their_names() -> None:
    built = packed()
    content = f"Foo,Bar\r{built.number},{UPS}\r".encode()  # lines as an old Mac ends them
    desk = at_the_desk()

    def send(content: bytes = content, **named: str) -> str:
        file = io.BytesIO(content)
        file.name = "x.csv"
        return sent(desk, {"file": file, **named})

    assert "there are: Foo, Bar" in send()
    assert "a quotation mark is opened in it" in send(b'order,tracking\n"' + b"x" * 200_000)
    assert "1 of 1 row shipped" in send(column_order="foo", column_tracking="BAR")


def test_the_soonest_cut_off_comes_first_and_the_head_says_what_must_leave() -> None:
    today = shop.shop().today()
    settle_settings(
        working_days=[0, 1, 2, 3, 4, 5, 6],
        deliveries=[
            {"method": "Ground", "price": 1500, "carrier": "UPS"},
            {"method": "Air", "price": 1, "carrier": "X"},
        ],
        cut_offs=[{"carrier": "UPS", "at": "23:59"}, {"carrier": "x", "at": "00:00"}],
    )
    made = [an_order(("A", 1)) for _ in range(4)]
    tomorrow = made[3]
    Part.objects.exclude(order=tomorrow.order).update(promise_date=today)
    Part.objects.filter(order=tomorrow.order).update(promise_date=today + timedelta(days=1))
    Order.objects.filter(number=made[2].number).update(shipping_method="Air")
    for one in made:
        store(one.number)
    assert [o.number for o in queries.queue_page("pick")[0]] == [made[i].number for i in (2, 0, 1, 3)]
    page = at_the_desk().get("/desk/queues/pick").content.decode()
    assert f"1 missed 00:00: {made[2].number}" in page
    assert "2 must leave by 23:59" in page
    assert "ships today, by 23:59" in page


def test_the_bench_costs_as_much_for_sixteen_packed_orders_as_for_two() -> None:
    desk = at_the_desk()
    counted = []
    for more in (2, 14):
        made = [packed((f"{more}-{n}", 1)) for n in range(more)]
        clock.forget()
        shop.forget()
        with CaptureQueriesContext(connection) as asked:
            assert desk.get(f"/desk/ship?order={made[0].number}").status_code == 200
        counted.append(len(asked))
    assert counted[0] == counted[1] <= 12, counted
