"""The print queue, and what becomes of a gift's papers."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from counterfoil.core import clock, documents, shop
from counterfoil.core.db import writing
from counterfoil.core.models import Document, Job, Printing
from counterfoil.core.papers.tests.reading import text
from counterfoil.desk.packets import due_now, unprinted_of
from counterfoil.desk.saying import near_day
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.desk.tests.test_shipping import packed, settle_settings
from counterfoil.flow.advance import store
from counterfoil.records.orders.models import Line, Order, Part
from counterfoil.steps.acceptance.actions import issue_copies
from counterfoil.steps.fulfilment.actions import issue_pick_list, pack_order, pick_order, ship_order
from counterfoil.steps.fulfilment.tests.build import PIA, Built, an_order

pytestmark = pytest.mark.django_db


def entered(built: Built) -> Built:
    """With both copies of its sales order, in the queue where it belongs."""
    part = built.part()
    with writing():
        lines = list(Line.objects.filter(part=part))
        issue_copies(built.order, part, lines, number=part.sales_order_number, version=1)
    store(built.number)
    return built


def plain(built: Built) -> Built:
    Order.objects.filter(number=built.number).update(gift_message="")
    return built


def test_all_of_a_kind_is_one_pdf_and_who_printed_it_is_known() -> None:
    made = [entered(plain(an_order(("A", 1)))) for _ in range(2)]
    for one in made:
        issue_pick_list(order=one.number, part=1, actor=PIA)
    desk = at_the_desk("picker")
    page = desk.get("/desk/print").content.decode()
    assert "6 papers of 2 orders" in page
    answer = desk.post("/desk/print", {"kind": "pick-list"})
    assert answer["Content-Type"] == "application/pdf"
    pages = PdfReader(BytesIO(answer.content)).pages
    assert len(pages) == 2
    assert [one.number for one in made] == [n for p in pages for n in (m.number for m in made) if n in p.extract_text()]
    assert set(Printing.objects.values_list("actor", flat=True)) == {"Ann"}
    # Printed once: it leaves the queue, and is there to be printed again, with the mark.
    page = desk.get("/desk/print").content.decode()
    assert "4 papers of 2 orders" in page
    assert desk.post("/desk/print", {"kind": "pick-list"}).status_code == 303
    again = Document.objects.filter(kind="pick-list").first()
    assert again is not None
    reprint = desk.post(f"/desk/orders/{again.subject}/documents/{again.number}/print")
    assert "REPRINT" in text(reprint.content)
    assert "REPRINT" in desk.get("/desk/print").content.decode()
    # And all the rest, packet by packet.
    rest = PdfReader(BytesIO(desk.post("/desk/print").content)).pages
    first = [next(m.number for m in made if m.number in p.extract_text()) for p in rest]
    assert first == sorted(first)
    page = desk.get("/desk/print").content.decode()
    assert "Nothing to print" in page
    # The printer was out of toner: the whole press comes once more, each page with the mark.
    run = re.search(r'name="again" value="(\d+)"', page)
    assert run
    marked = [p.extract_text() for p in PdfReader(BytesIO(desk.post("/desk/print", {"again": run[1]}).content)).pages]
    assert len(marked) == len(rest)
    assert all("REPRINT" in words for words in marked)
    assert desk.post("/desk/print", {"again": "999999"}).status_code == 404
    with writing():
        secret = documents.issue("day-sheet", subject="DAY-1", number="DAY-1", content={})
        of_the_books = Printing.objects.create(document=secret, at=clock.business_now(), actor="Ann")
    assert "DAY-1" not in desk.get("/desk/print").content.decode()
    assert desk.post("/desk/print", {"again": of_the_books.pk}).status_code == 404


def test_a_packet_whose_goods_are_due_waits_for_them_and_the_slip_says_so() -> None:
    built = plain(an_order(("A", 2)))
    day = shop.shop().business_days_from(shop.shop().today(), 1)
    Line.objects.filter(order=built.order).update(reserved=0, due=2, due_confirmed=2, due_date=day)
    Part.objects.filter(order=built.order).update(stock="awaiting", promise_date=day)
    entered(built)
    assert built.order.queue == "charged_waiting"
    desk = at_the_desk()
    page = desk.get("/desk/print").content.decode()
    assert f"Charged, goods due {near_day(day)}" in page
    listed = desk.get("/desk/queues/charged_waiting").content.decode()
    assert f"</span>goods due {near_day(day)}</span>" in listed
    assert "· ships " in listed, "the day beside the queue's name is not that of the goods, and says so"
    theirs = Client().get(f"/orders/{built.order.token}").content.decode()
    assert f"It arrives here {near_day(day)}." in theirs
    assert "We pick and pack it." not in theirs
    assert "1 paper of 1 order" in page  # the file copy
    assert "The packet prints when the goods arrive" in desk.get(f"/desk/orders/{built.number}").content.decode()
    Line.objects.filter(order=built.order).update(reserved=2, due=0, due_confirmed=0, due_date=None)
    Part.objects.filter(order=built.order).update(stock="confirmed")
    store(built.number)
    assert "We pick and pack it." in Client().get(f"/orders/{built.order.token}").content.decode()
    assert "2 papers of 1 order" in desk.get("/desk/print").content.decode()
    assert "To print: sales order, customer" in desk.get(f"/desk/orders/{built.number}").content.decode()


def test_a_gifts_papers_with_prices_go_to_the_buyer_by_mail() -> None:
    built = entered(packed())
    settle_settings(packing_slips="parts_and_gifts")
    page = at_the_desk().get("/desk/print").content.decode()
    assert "Packing slip" in page
    assert "customer&#39;s copy" not in page
    slip = documents.newest(built.number, "packing-slip")
    assert slip is not None
    on_paper = text(documents.pdf(slip))
    assert "Happy birthday!" in on_paper
    assert "$" not in on_paper
    ship_order(order=built.number, actor=PIA, carrier="UPS", tracking_number="1Z999AA10123456784")
    owed = Job.objects.get(key__startswith=f"mail.send:shipped:{built.number}").payload
    assert owed["documents"] == [built.part().sales_order_number]
    assert owed["context"]["papers"] == 1


def test_each_box_of_an_order_has_its_slip_where_only_what_comes_in_part_has_one() -> None:
    settle_settings(packing_slips="parts_and_gifts")
    whole, split = plain(packed()), plain(an_order(("A", 2)))
    pick_order(order=split.number, actor=PIA)
    pack_order(order=split.number, actor=PIA, lines=[{"sku": "A", "quantity": 1}])

    def slips(built: Built) -> int:
        return len([s for s in due_now(unprinted_of(built.order)) if s.kind == "packing-slip"])

    store(split.number)
    assert (slips(whole), slips(split)) == (0, 1), "more is to follow the first box"
    pack_order(order=split.number, actor=PIA)
    assert slips(split) == 2
    # The first leaves: its slip is not asked for any more, the other's is.
    first = split.order.packages.order_by("number")[0]
    ship_order(order=split.number, actor=PIA, carrier="UPS", tracking_number="1Z999AA10123456784", packages=[first.pk])
    assert slips(split) == 1


def test_the_print_queue_costs_as_much_for_twenty_orders_as_for_two() -> None:
    desk = at_the_desk()
    counted = []
    for more in (2, 18):
        for n in range(more):
            entered(an_order((f"{more}-{n}", 1)))
        clock.forget()
        shop.forget()
        with CaptureQueriesContext(connection) as asked:
            assert desk.get("/desk/print").status_code == 200
        counted.append(len(asked))
    assert counted[0] == counted[1] <= 12, counted
