"""What a desk shows by itself, what it finds, and what it prints."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from counterfoil.core import clock
from counterfoil.core.access.models import User
from counterfoil.core.actor import Actor
from counterfoil.core.cutoffs import NO_CUT_OFF
from counterfoil.core.models import Printing
from counterfoil.core.shop import shop
from counterfoil.desk import on_paper, queries
from counterfoil.desk.finding import search
from counterfoil.desk.models import Deed, SavedFilter
from counterfoil.desk.narrow import narrow_of
from counterfoil.desk.tests.build import at_the_desk, order, product
from counterfoil.records.orders.models import Order
from counterfoil.steps.review.actions import hold_order

pytestmark = pytest.mark.django_db


def test_the_pulse_tells_what_is_new_what_has_gone_and_how_long_the_oldest_waits() -> None:
    product("A", on_hand=50)
    here, going, moved = order(("A", 1)), order(("A", 1)), order(("A", 1))
    Order.objects.filter(pk__in=[here.pk, going.pk, moved.pk]).update(
        queue_since=clock.business_now() - timedelta(hours=26)
    )
    drawn = int(clock.business_now().timestamp()) - 1
    new = order(("A", 1))
    Order.objects.filter(pk=moved.pk).update(queue="charge")
    desk = at_the_desk("clerk")
    shown = f"{here.number},{going.number},{moved.number}"
    ask = {"queue": "review", "drawn": str(drawn), "shown": shown}
    desk.get("/desk/pulse", ask)  # the log-in's and the settings' own reading is done
    with CaptureQueriesContext(connection) as asked:
        told = desk.get("/desk/pulse", ask).json()
    assert len(asked) <= 2, "one statement, and who is asking"
    assert told["new"] == [new.number]
    assert told["gone"] == [moved.number]
    count, late, stands = told["rail"]["review"]
    assert (count, late) == (3, 0)
    assert stands.startswith("26 h")
    assert told["head"] == "3 orders · oldest 26 h · $117.00"
    assert (told["changed"], told["open"]) == ({}, None)
    # Through a filter the head is of what that lets through, at the first drawing and ever after.
    Order.objects.filter(pk=here.pk).update(name="Zoe Winter", total=5000)
    for asked_for, head in (
        ({"t": "winter"}, "1 of 3 orders · oldest 26 h · $50.00"),
        ({"least": "49"}, "1 of 3 orders · oldest 26 h · $50.00"),
        ({"most": "49.99"}, "2 of 3 orders · oldest"),
        ({"t": "nobody"}, "0 of 3 orders"),
    ):
        with CaptureQueriesContext(connection) as asked:
            assert desk.get("/desk/pulse", ask | asked_for).json()["head"].startswith(head), asked_for
        assert len(asked) <= 2, "one statement, and who is asking"
        drawn_first = desk.get("/desk/queues/review", asked_for).content.decode()
        assert (f'<span id="head">{head}' in drawn_first) is (head[0] != "0")
    Order.objects.filter(pk=here.pk).update(name=here.name, total=here.total)
    # What is shown has another version by now: rows are drawn again, of the slip it is said whose work that is.
    mara = Actor("person", "Mara", "clerk")
    hold_order(order=here.number, reason="ring them", actor=mara)
    seen = f"{here.number}~{here.version}"
    ask |= {"shown": f"{seen},{going.number}~{Order.objects.get(pk=going.pk).version}", "open": seen}
    with CaptureQueriesContext(connection) as asked:
        told = desk.get("/desk/pulse", ask).json()
    assert len(asked) <= 2, "one statement, and who is asking"
    now = Order.objects.get(pk=here.pk).version
    assert told["changed"] == {here.number: now}
    at = told["open"].pop("at")
    assert told["open"] == {"number": here.number, "version": now, "by": "Mara", "theirs": True}
    assert re.fullmatch(r"\d\d:\d\d", at)
    assert desk.get("/desk/pulse", {"open": seen}).json()["open"]["by"] == "Mara", "the order's page has no list"
    drawn_again = desk.get("/desk/pulse/rows", {"queue": "review", "shown": f"{here.number},{moved.number}"})
    page = drawn_again.content.decode()
    assert page.count("data-page=") == 1
    assert "on hold" in page
    assert f'data-version="{now}"' in page
    # The head leaves out what waits for its Undo, and over Pick it says what must leave, of what is here by now.
    real = clock.real_now()
    me = User.objects.get(role="clerk")
    Deed.objects.create(order=here, verb="approve", user=me, made_at=real, due_at=real)
    assert desk.get("/desk/pulse", ask).json()["head"] == "2 orders · oldest 26 h · $78.00"
    Order.objects.filter(pk=going.pk).update(queue="pick", deadline=shop().today(), leave_by=NO_CUT_OFF)
    assert desk.get("/desk/pulse", {"queue": "pick"}).json()["leaving"] == ["1 must leave today"]
    assert desk.get("/desk/pulse", ask).json()["leaving"] == []
    Order.objects.filter(pk=going.pk).update(queue="review")
    # A list that is narrowed hears of what its filter lets through, one's later pages of all.
    by_phone = order(("A", 1), channel="telephone")
    assert desk.get("/desk/pulse", {**ask, "ch": "telephone"}).json()["new"] == [by_phone.number]
    for given in ({"ch": "telephone"}, {"after": f"~0~{here.pk}"}, {"ch": "nowhere"}):
        assert "data-drawn=" in desk.get("/desk/queues/review", given).content.decode()
    for odd in ({"queue": "nothing"}, {"drawn": "x", "queue": "review", "shown": ",,'\x00"}):
        assert desk.get("/desk/pulse", odd).status_code == 200


@pytest.mark.parametrize(
    ("typed", "found"),
    [("62.00", True), ("$62", True), ("¥6,200", False), ("6200", False), ("grenache noir", True), ("noir gren", True)],
)
def test_an_order_is_found_by_its_amount_and_by_words_of_a_wine(typed: str, found: bool) -> None:
    product("GRE-20", on_hand=9, price=2350, name="Tern Island Grenache Noir")
    mine = order(("GRE-20", 2))
    assert mine.total == 6200
    assert ([o.number for o in search(typed)] == [mine.number]) is found


def test_what_is_not_printed_is_printed_at_once_in_one_pdf_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    product("A", on_hand=50)
    made = [order(("A", 1)) for _ in range(4)]
    desk = at_the_desk("clerk")
    single = desk.post(f"/desk/orders/{made[0].number}/print")
    assert single["Content-Type"] == "application/pdf"
    assert "Print 3 not printed" in desk.get("/desk/queues/review").content.decode()
    # Narrowed, it prints what the list shows, on all of its pages, and says how many.
    told = [order(("A", 1), channel="telephone") for _ in range(2)]
    monkeypatch.setattr(queries, "PAGE", 1)
    assert "Print 2 not printed" in desk.get("/desk/queues/review", {"ch": "telephone"}).content.decode()
    by_phone = desk.post("/desk/queues/review/print", {"ch": "telephone"})
    assert len(PdfReader(io.BytesIO(by_phone.content)).pages) == 2
    assert set(Printing.objects.values_list("document__subject", flat=True)) == {o.number for o in [made[0], *told]}
    assert desk.post("/desk/queues/review/print", {"ch": "telephone"})["Location"].endswith("?ch=telephone")
    assert "Print 3 not printed" in desk.get("/desk/queues/review").content.decode()
    with CaptureQueriesContext(connection) as asked:
        answer = desk.post("/desk/queues/review/print")
    assert len(asked) <= 30, [q["sql"][:90] for q in asked]
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert [o.number in text for o in made] == [False, True, True, True]
    assert "REPRINT" not in text
    assert Printing.objects.filter(actor="Ann").count() == 6
    assert desk.post("/desk/queues/review/print").status_code == 303
    assert on_paper.not_printed(50) == []
    page = desk.get(f"/desk/orders/{made[1].number}").content.decode()
    assert "printed by Ann" in page
    form = {"ship_estimate": "2099-01-01", "version": made[1].version}
    assert desk.post(f"/desk/orders/{made[1].number}/acts/approve", form).status_code == 422, "no other's work: a date"


def test_a_list_is_narrowed_by_channel_words_and_amount_and_the_filter_is_kept() -> None:
    product("RIES", on_hand=50, name="Quill Riesling")
    product("B", on_hand=50, price=9000)
    by_phone = order(("RIES", 1), channel="telephone", name="Zoë Brontë")
    dear = order(("B", 2), channel="web")
    desk = at_the_desk("clerk")

    def numbers(**typed: str) -> list[str]:
        return [o.number for o in queries.queue_page("review", narrow=narrow_of(typed))[0]]

    assert numbers(ch="telephone") == [by_phone.number]
    assert numbers(t="riesl") == numbers(t="Brontë") == [by_phone.number]
    assert numbers(least="100") == [*numbers(t="%"), dear.number]
    assert numbers(ch="web", most="50") == []
    page = desk.get("/desk/queues/review", {"least": "a lot"}).content.decode()
    assert "write an amount such as" in page
    kept = {"t": "riesling 4242 4242 4242 4242", "name": "the white", "least": "10"}
    desk.post("/desk/queues/review/filters", kept)
    assert SavedFilter.objects.get().query == "t=riesling+%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2+4242&least=10"
    assert "the white" in desk.get("/desk/stock").content.decode()
    assert "the white" not in at_the_desk("clerk").get("/desk/stock").content.decode(), "a person's own"
    assert at_the_desk("clerk").post(f"/desk/filters/{SavedFilter.objects.get().pk}/forget").status_code == 404
    desk.post(f"/desk/filters/{SavedFilter.objects.get().pk}/forget")
    assert not SavedFilter.objects.exists()


def test_a_filter_costs_no_statement_more(django_assert_max_num_queries: Any) -> None:
    product("A", on_hand=50)
    for _ in range(8):
        order(("A", 1))
    desk = at_the_desk("clerk")
    with django_assert_max_num_queries(10):
        assert desk.get("/desk/queues/review", {"t": "june", "ch": "web"}).content.decode().count("data-page=") == 8
