"""From the shelf to the customer and back, with the units counted at every step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string

from counterfoil.core import clock, documents
from counterfoil.core.db import writing
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.models import Document, Job, JournalEvent
from counterfoil.records.books.models import Posting
from counterfoil.records.orders.load import take
from counterfoil.records.orders.models import Line, Package, Refund, Shipment
from counterfoil.records.orders.parcels import put_back_parcel
from counterfoil.records.stock.models import COLUMNS, Movement
from counterfoil.steps.fulfilment.actions import (
    deliver_order,
    issue_pick_list,
    pack_order,
    pick_order,
    return_order,
    ship_order,
)
from counterfoil.steps.fulfilment.papers import AGE_NOTICE
from counterfoil.steps.fulfilment.tests.build import BEN, CLEO, PAUL, PIA, Built, an_order

pytestmark = pytest.mark.django_db


def shipped(*wanted: tuple[str, int], number: str = "1Z999AA10123456784", **more: Any) -> Built:
    built = an_order(*wanted, **more)
    pick_order(order=built.number, actor=PIA)
    pack_order(order=built.number, actor=PIA)
    ship_order(order=built.number, actor=CLEO, carrier="UPS", tracking_number=number)
    return built


def job(name: str) -> list[dict[str, Any]]:
    return list(Job.objects.filter(name=name).order_by("id").values_list("payload", flat=True))


def kinds(built: Built) -> list[str]:
    return list(JournalEvent.objects.filter(subject=built.number).order_by("id").values_list("kind", flat=True))


def refused(call: Any) -> list[tuple[str, str | None, str | None]]:
    with pytest.raises(Refused) as caught:
        call()
    return [(b.code, b.line, b.by) for b in caught.value.blockers]


def wrong(call: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        call()
    return [field for field, _ in caught.value.errors]


def test_an_order_goes_from_the_shelf_to_the_door() -> None:
    built = an_order(("QUILL", 3), ("TERN", 1))
    assert built.units("QUILL") == (10, 3, 0, 0, 0)
    pick_order(order=built.number, actor=PIA)
    assert (built.part().parcel, built.part().picked_by) == ("picked", "Pia")
    assert built.units("QUILL") == (7, 0, 3, 0, 0)
    box = pack_order(order=built.number, actor=PIA, weight_g=5200)
    assert (built.part().parcel, box.number, box.weight_g) == ("packed", 1, 5200)
    assert built.units("QUILL") == (7, 0, 3, 0, 0)
    shipment = ship_order(order=built.number, actor=CLEO, carrier="ups", tracking_number=" 1Z999AA10123456784 ")
    assert (shipment.carrier, shipment.tracking_number) == ("UPS", "1Z999AA10123456784")
    assert shipment.tracking_url == "https://www.ups.com/track?tracknum=1Z999AA10123456784"
    assert built.part().parcel == "shipped"
    assert built.part().shipped_at == shipment.shipped_at
    assert built.units("QUILL") == (7, 0, 0, 3, 0)
    line = built.line("QUILL")
    assert (line.reserved, line.picked, line.packed, line.shipped) == (0, 0, 0, 3)
    deliver_order(order=built.number, actor=PIA)
    assert built.part().parcel == "delivered"
    assert built.part().delivered_at is not None
    assert kinds(built) == [
        "pick_list_issued", "order_picked", "package_packed", "order_shipped", "shipment_delivered", "order_delivered",
    ]  # fmt: skip


def test_every_balance_is_the_sum_of_its_movements() -> None:
    built = shipped(("QUILL", 3), ("TERN", 2))
    return_order(
        order=built.number, actor=PIA, lines=[{"sku": "QUILL", "quantity": 1}], condition="damaged", reason="corked"
    )
    start = {"on_hand": 10, "reserved": 3}
    moved = Movement.objects.filter(product=built.products["QUILL"])
    for column in COLUMNS:
        total = start.get(column, 0) + sum(getattr(m, column) for m in moved)
        assert getattr(built.balance("QUILL"), column) == total


def test_the_axes_can_be_replayed_from_the_journal() -> None:
    built = shipped(("QUILL", 1))
    states = {"parcel": "waiting"}
    for event in JournalEvent.objects.filter(subject=built.number).order_by("id"):
        for m in event.moves:
            assert states.get(m["axis"], m["from"]) == m["from"]
            states[m["axis"]] = m["to"]
    assert states["parcel"] == built.part().parcel == "shipped"


def test_the_pick_list_walks_the_bins_and_is_issued_once() -> None:
    bins = {"B10": {"bin": "B-10"}, "B2": {"bin": "B-2"}, "LOOSE": {"bin": ""}, "A1": {"bin": "A-1"}}
    built = an_order(("LOOSE", 1), ("B10", 1), ("B2", 2), ("A1", 1), products=bins)
    first = issue_pick_list(order=built.number, part=1, actor=PIA)
    assert [ln["sku"] for ln in first.content["lines"]] == ["A1", "B2", "B10", "LOOSE"]
    assert first.content["gift_note"] == "Happy birthday!"
    version = built.order.version
    assert issue_pick_list(order=built.number, part=1, actor=PIA).number == first.number
    pick_order(order=built.number, actor=PIA)
    assert Document.objects.filter(subject=built.number, kind="pick-list").count() == 1
    assert built.order.version == version + 1
    assert documents.pdf(first)[:5] == b"%PDF-"


def test_no_pick_list_for_what_may_not_be_picked() -> None:
    built = an_order(("QUILL", 1), money="saved", charged=0)
    assert refused(lambda: issue_pick_list(order=built.number, part=1, actor=PIA)) == [("not_charged", None, None)]
    assert not Document.objects.filter(kind="pick-list").exists()
    with pytest.raises(Missing):
        issue_pick_list(order=built.number, part=2, actor=PIA)


def test_alcohol_is_marked_on_the_pick_list_and_on_its_box_only() -> None:
    built = an_order(("WINE", 1), ("GLASS", 1), products={"WINE": {"age_restricted": True}})
    pick_order(order=built.number, actor=PIA)
    listed = documents.newest(built.number, "pick-list")
    assert listed is not None
    assert listed.content["age_notice"] == AGE_NOTICE
    pack_order(order=built.number, actor=PIA, lines=[{"sku": "GLASS", "quantity": 1}])
    pack_order(order=built.number, actor=PIA)
    slips = Document.objects.filter(subject=built.number, kind="packing-slip").order_by("version")
    assert [s.content["age_notice"] for s in slips] == [None, AGE_NOTICE]


def test_only_pickers_touch_the_goods() -> None:
    built = an_order(("QUILL", 1))
    with pytest.raises(Forbidden):
        pick_order(order=built.number, actor=BEN)
    with pytest.raises(Forbidden):
        ship_order(order=built.number, actor=BEN, carrier="UPS", tracking_number="1")


def test_the_second_pick_hears_who_was_first_and_moves_nothing() -> None:
    built = an_order(("QUILL", 2))
    pick_order(order=built.number, actor=PIA)
    assert refused(lambda: pick_order(order=built.number, actor=PAUL)) == [("someone_else", None, "Pia")]
    assert built.units("QUILL") == (8, 0, 2, 0, 0)


def test_a_bottle_scanned_twice_is_told_who_has_it() -> None:
    built = an_order(("QUILL", 1), ("TERN", 1))
    pick_order(order=built.number, actor=PIA, lines=[{"sku": "QUILL", "quantity": 1}])
    assert built.part().parcel == "picking"
    again = refused(lambda: pick_order(order=built.number, actor=PAUL, lines=[{"sku": "QUILL", "quantity": 1}]))
    assert again == [("someone_else", "QUILL", "Pia")]
    pick_order(order=built.number, actor=PAUL)
    assert built.part().parcel == "picked"


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ([{"sku": "QUILL", "quantity": 4}], "lines.0.quantity"),
        ([{"sku": "QUILL", "quantity": 2, "short": 2}], "lines.0.quantity"),
        ([{"sku": "QUILL", "quantity": 0}], "lines.0.quantity"),
        ([{"sku": "QUILL", "quantity": -1}], "lines.0.quantity"),
        ([{"sku": "QUILL", "quantity": True}], "lines.0.quantity"),
        ([{"sku": "QUILL", "quantity": 1}, {"sku": "QUILL", "quantity": 1}], "lines.1.sku"),
        ([{"sku": "QUILL", "quantity": 1}, {"sku": "OTHER", "quantity": 1}], "lines.1.sku"),
        ([{"quantity": 1}], "lines.0.sku"),
        ([], "lines"),
    ],
)
def test_a_pick_that_cannot_be_names_the_field_and_moves_nothing(lines: list[dict[str, Any]], field: str) -> None:
    built = an_order(("QUILL", 3))
    assert wrong(lambda: pick_order(order=built.number, actor=PIA, lines=lines)) == [field]
    assert built.units("QUILL") == (10, 3, 0, 0, 0)
    assert kinds(built) == []


@pytest.mark.parametrize("short", [1, True])
def test_a_short_pick_is_set_aside_counted_and_open_again(short: object) -> None:
    built = an_order(("QUILL", 3), ("TERN", 1), products={"QUILL": {"on_hand": 3}})
    lines = [{"sku": "QUILL", "quantity": 2, "short": short}, {"sku": "TERN", "quantity": 1}]
    pick_order(order=built.number, actor=PIA, lines=lines)
    line = built.line("QUILL")
    assert (line.reserved, line.picked, line.open_units) == (0, 2, 1)
    assert built.units("QUILL") == (0, 0, 2, 0, 1)
    assert built.balance("QUILL").waiting == 1
    assert (built.part().stock, built.part().parcel) == ("short", "picking")
    assert job("sourcing.count") == [{"product": line.product_id, "order": built.number, "missing": 1}]
    assert job("sourcing.fill") == [{"product": line.product_id}]
    assert kinds(built)[-2:] == ["units_picked", "pick_fell_short"]
    assert refused(lambda: pack_order(order=built.number, actor=PIA)) == [("not_picked", "QUILL", None)]


def test_a_shelf_found_empty_leaves_the_parcel_waiting() -> None:
    built = an_order(("QUILL", 2), products={"QUILL": {"on_hand": 2}})
    pick_order(order=built.number, actor=PIA, lines=[{"sku": "QUILL", "quantity": 0, "short": 2}])
    assert (built.part().stock, built.part().parcel) == ("short", "waiting")
    assert built.units("QUILL") == (0, 0, 0, 0, 2)


def test_each_part_is_picked_when_its_own_gate_is_open() -> None:
    built = an_order(("QUILL", 1), ("TERN", 1), part_of={"QUILL": 1, "TERN": 2})
    part = built.part(2)
    part.money, part.charged = "saved", 0
    part.save()
    tern = [{"sku": "TERN", "quantity": 1}]
    assert refused(lambda: pick_order(order=built.number, actor=PIA, lines=tern)) == [("not_charged", None, None)]
    pick_order(order=built.number, actor=PIA)
    assert (built.part(1).parcel, built.part(2).parcel) == ("picked", "waiting")
    assert refused(lambda: pick_order(order=built.number, actor=PIA, part=2)) == [("not_charged", None, None)]


def test_boxes_are_numbered_through_the_order_each_with_its_slip() -> None:
    built = an_order(("QUILL", 3), ("TERN", 1))
    pick_order(order=built.number, actor=PIA)
    pack_order(order=built.number, actor=PIA, lines=[{"sku": "QUILL", "quantity": 2}], weight_g=2600)
    assert built.part().parcel == "picked"
    second = pack_order(order=built.number, actor=PAUL)
    assert [(ln["sku"], ln["quantity"]) for ln in second.lines] == [("QUILL", 1), ("TERN", 1)]
    assert (second.number, built.part().parcel, built.part().packed_by) == (2, "packed", "Paul")
    slips = list(Document.objects.filter(subject=built.number, kind="packing-slip").order_by("version"))
    assert [(s.version, s.content["package"]["n"], s.content["package"]["of"]) for s in slips] == [(1, 1, 2), (2, 2, 2)]
    assert slips[0].content["package"]["contents"] == "No. 1, 2.6 kg, more to follow"
    assert all(documents.pdf(s)[:5] == b"%PDF-" for s in slips)
    assert refused(lambda: pack_order(order=built.number, actor=PIA)) == [("someone_else", None, "Paul")]


def test_the_wrong_vintage_is_refused_at_the_bench() -> None:
    built = an_order(("QUILL-21", 2))
    pick_order(order=built.number, actor=PIA)
    for lines in ([{"sku": "QUILL-20", "quantity": 1}], [{"sku": "QUILL-21", "quantity": 3}]):
        assert wrong(lambda lines=lines: pack_order(order=built.number, actor=PIA, lines=lines))
    assert wrong(lambda: pack_order(order=built.number, actor=PIA, weight_g=0)) == ["weight_g"]
    assert not Package.objects.exists()


def test_a_refund_between_packing_and_shipping_keeps_the_parcel_in_the_house() -> None:
    built = an_order(("QUILL", 1))
    pick_order(order=built.number, actor=PIA)
    pack_order(order=built.number, actor=PIA)
    part = built.part()
    part.refund_owed = part.total
    part.save()
    dead = refused(lambda: ship_order(order=built.number, actor=PIA, carrier="UPS", tracking_number="1Z"))
    assert dead == [("not_charged", None, None)]
    assert not Shipment.objects.exists()
    assert not Job.objects.filter(name="mail.send").exists()


@pytest.mark.parametrize(
    ("carrier", "number", "field"),
    [
        ("UPS", "  ", "tracking_number"),
        ("UPS", "9" * 81, "tracking_number"),
        ("UPS", "1Z\x00", "tracking_number"),
        ("", "1Z", "carrier"),
        ("x" * 41, "1Z", "carrier"),
    ],
)
def test_a_parcel_without_a_proper_number_does_not_leave(carrier: str, number: str, field: str) -> None:
    built = an_order(("QUILL", 1))
    bad = wrong(lambda: ship_order(order=built.number, actor=PIA, carrier=carrier, tracking_number=number))
    assert bad == [field]


def test_a_tracking_number_belongs_to_one_parcel() -> None:
    shipped(("QUILL", 1), number="1zabc")
    other = an_order(("TERN", 1))
    pick_order(order=other.number, actor=PIA)
    pack_order(order=other.number, actor=PIA)
    again = wrong(lambda: ship_order(order=other.number, actor=PIA, carrier=" Ups", tracking_number="1ZABC"))
    assert again == ["tracking_number"]
    ship_order(order=other.number, actor=PIA, carrier="Uncle Bob's van", tracking_number="1ZABC")
    assert Shipment.objects.get(order=other.order).tracking_url == ""


def test_the_second_shipment_hears_who_was_first_and_no_second_mail_goes() -> None:
    built = shipped(("QUILL", 1))
    again = refused(
        lambda: ship_order(order=built.number, actor=PIA, carrier="UPS", tracking_number="1Z999AA10123456784")
    )
    assert again == [("already_shipped", None, "Cleo")]
    assert len(job("mail.send")) == 1


def test_boxes_may_leave_one_by_one_and_the_last_moves_the_order() -> None:
    built = an_order(("QUILL", 2), ("TERN", 1))
    pick_order(order=built.number, actor=PIA)
    one = pack_order(order=built.number, actor=PIA, lines=[{"sku": "QUILL", "quantity": 2}])
    pack_order(order=built.number, actor=PIA)
    first = ship_order(order=built.number, actor=PIA, carrier="UPS", tracking_number="A", packages=[one.pk])
    assert built.part().parcel == "packed"
    assert built.units("QUILL")[2:4] == (0, 2)
    again = refused(
        lambda: ship_order(order=built.number, actor=CLEO, carrier="UPS", tracking_number="C", packages=[one.pk])
    )
    assert again == [("already_shipped", None, "Pia")]
    deliver_order(order=built.number, actor=PIA, shipment=first.pk)
    assert built.part().parcel == "packed"
    ship_order(order=built.number, actor=PIA, carrier="UPS", tracking_number="B")
    assert built.part().parcel == "shipped"
    deliver_order(order=built.number, actor=PIA)
    assert built.part().parcel == "delivered"
    words = [(m["context"]["whole"], m["context"]["last"]) for m in job("mail.send")]
    assert words == [(False, False), (False, True)]
    assert job("mail.send")[0]["context"]["contents"] == [{"quantity": 2, "name": "Wine QUILL"}]


def test_an_order_is_delivered_when_its_last_box_has_arrived() -> None:
    built = an_order(("QUILL", 2))
    pick_order(order=built.number, actor=PIA)
    sent = []
    for number in ("A", "B"):
        box = pack_order(order=built.number, actor=PIA, lines=[{"sku": "QUILL", "quantity": 1}])
        sent.append((box.pk, number))
    first, second = (
        ship_order(order=built.number, actor=PIA, carrier="UPS", tracking_number=number, packages=[box])
        for box, number in sent
    )
    deliver_order(order=built.number, actor=PIA, shipment=second.pk)
    assert built.part().parcel == "shipped"
    again = refused(lambda: deliver_order(order=built.number, actor=PIA, shipment=second.pk))
    assert again == [("delivered", None, None)]
    deliver_order(order=built.number, actor=PIA, shipment=first.pk)
    assert built.part().parcel == "delivered"


def test_a_box_of_another_order_is_not_ours_to_ship() -> None:
    built, other = an_order(("QUILL", 1)), an_order(("TERN", 1))
    for each in (built, other):
        pick_order(order=each.number, actor=PIA)
    theirs = pack_order(order=other.number, actor=PIA)
    pack_order(order=built.number, actor=PIA)

    def ship(packages: list[int]) -> None:
        ship_order(order=built.number, actor=PIA, carrier="UPS", tracking_number="A", packages=packages)

    assert wrong(lambda: ship([theirs.pk])) == ["packages"]
    assert wrong(lambda: ship([])) == ["packages"]


def test_two_parts_under_one_number_are_one_shipment() -> None:
    built = an_order(("QUILL", 1), ("TERN", 1), part_of={"QUILL": 1, "TERN": 2})
    pick_order(order=built.number, actor=PIA)
    for _ in range(2):
        pack_order(order=built.number, actor=PIA)
    ship_order(order=built.number, actor=PIA, carrier="UPS", tracking_number="A")
    assert (built.part(1).parcel, built.part(2).parcel) == ("shipped", "shipped")
    assert Shipment.objects.filter(order=built.order).count() == 1
    deliver_order(order=built.number, actor=PIA)
    assert (built.part(1).parcel, built.part(2).parcel) == ("delivered", "delivered")


def test_an_order_paid_on_delivery_is_owed_to_us_when_it_has_left() -> None:
    built = shipped(("QUILL", 1), payment_method="on_delivery", money="unpaid", charged=0)
    assert built.part().money == "receivable"
    assert shipped(("TERN", 1), number="B").part().money == "charged"


def test_the_customer_is_told_where_to_follow_the_parcel() -> None:
    built = shipped(("QUILL", 2), number="A&B")
    (mail,) = job("mail.send")
    assert mail["to"] == "zoe@example.com"
    plain = render_to_string("mail/shipped.txt", mail["context"])
    page = render_to_string("mail/shipped.html", mail["context"])
    assert f"your order {built.number} is on its way" in plain
    assert "Tracking number: A&B" in plain
    assert "https://www.ups.com/track?tracknum=A%26B" in plain
    assert 'href="https://www.ups.com/track?tracknum=A%26B"' in page
    assert "A&amp;B" in page
    assert "2 x Wine QUILL" in plain


def test_a_parcel_arrives_once_and_not_before_it_left() -> None:
    built = shipped(("QUILL", 1))
    now = clock.business_now()

    def arrive(at: Any = None, shipment: int | None = None) -> None:
        deliver_order(order=built.number, actor=PIA, at=at, shipment=shipment)

    assert wrong(lambda: arrive(now + timedelta(hours=1))) == ["at"]
    assert wrong(lambda: arrive(now - timedelta(days=1))) == ["at"]
    assert wrong(lambda: arrive(now.replace(tzinfo=None))) == ["at"]
    assert wrong(lambda: arrive(shipment=10**9)) == ["shipment"]
    arrive()
    assert refused(arrive) == [("delivered", None, None)]
    waiting = an_order(("TERN", 1))
    assert refused(lambda: deliver_order(order=waiting.number, actor=PIA)) == [("not_picked", None, None)]


def give_back(built: Built, sku: str, quantity: int, condition: str = "sellable", reason: str = "not liked") -> None:
    lines = [{"sku": sku, "quantity": quantity}]
    return_order(order=built.number, actor=PIA, lines=lines, condition=condition, reason=reason)


def test_what_comes_back_is_sellable_or_set_aside_and_no_money_moves() -> None:
    built = shipped(("QUILL", 3))
    give_back(built, "QUILL", 1)
    assert built.units("QUILL") == (8, 0, 0, 2, 0)
    assert job("sourcing.fill") == [{"product": built.products["QUILL"].pk}]
    assert built.part().parcel == "shipped"
    give_back(built, "QUILL", 2, "damaged")
    assert built.units("QUILL") == (8, 0, 0, 0, 2)
    assert built.part().parcel == "returned"
    assert (built.part().refund_owed, Refund.objects.count()) == (0, 0)
    assert refused(lambda: give_back(built, "QUILL", 1)) == [("someone_else", None, None)]


def test_no_more_comes_back_than_was_shipped() -> None:
    built = shipped(("QUILL", 2), ("TERN", 1))
    give_back(built, "QUILL", 1)
    assert wrong(lambda: give_back(built, "QUILL", 2)) == ["lines.0.quantity"]
    assert wrong(lambda: give_back(built, "OTHER", 1)) == ["lines.0.sku"]
    assert wrong(lambda: give_back(built, "TERN", 1, "fine", " ")) == ["condition", "reason"]
    assert built.units("QUILL") == (9, 0, 0, 1, 0)


def test_goods_that_come_back_after_the_invoice_are_inventory_again() -> None:
    built = shipped(("QUILL", 2))
    give_back(built, "QUILL", 1)
    assert not Posting.objects.exists()
    part = built.part()
    part.books = "invoiced"
    part.save()
    give_back(built, "QUILL", 1)
    assert dict(Posting.objects.values_list("account", "amount")) == {"inventory": 1100, "cost_of_goods": -1100}


def test_a_parcel_taken_apart_is_back_on_the_shelf_and_can_be_picked_again() -> None:
    built = an_order(("QUILL", 2), ("TERN", 1))
    pick_order(order=built.number, actor=PIA)
    pack_order(order=built.number, actor=PIA)
    with writing():
        moves = put_back_parcel(taken_order=take(built.number), part=built.part(), actor=CLEO)
    assert [(m.source, m.target) for m in moves] == [("packed", "waiting")]
    assert built.units("QUILL") == (10, 2, 0, 0, 0)
    line = built.line("QUILL")
    assert (line.reserved, line.picked, line.packed) == (2, 0, 0)
    assert Package.objects.get().unpacked_at is not None
    with writing():
        assert put_back_parcel(taken_order=take(built.number), part=built.part(), actor=CLEO) == []
    pick_order(order=built.number, actor=PIA)
    again = pack_order(order=built.number, actor=PIA)
    assert again.number == 2
    assert built.units("QUILL") == (8, 0, 2, 0, 0)
    emptied = Package.objects.get(number=1).unpacked_at
    with writing():
        put_back_parcel(taken_order=take(built.number), part=built.part(), actor=CLEO)
    assert Package.objects.get(number=1).unpacked_at == emptied
    assert Package.objects.get(number=2).unpacked_at is not None


def test_a_parcel_that_has_left_is_not_taken_apart() -> None:
    built = shipped(("QUILL", 1))

    def undo() -> None:
        with writing():
            put_back_parcel(taken_order=take(built.number), part=built.part(), actor=CLEO)

    assert refused(undo) == [("already_shipped", None, None)]
    assert Line.objects.get(order__number=built.number).shipped == 1
