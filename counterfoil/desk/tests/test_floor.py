"""The floor: walks, acts that a phone sends again, what is short, broken or another vintage."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, shop
from counterfoil.core.errors import Invalid
from counterfoil.desk.floor import counted
from counterfoil.desk.slips import label_of
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.flow.advance import store
from counterfoil.records.catalogue.actions import create_product, set_barcode
from counterfoil.records.catalogue.models import Family, Product
from counterfoil.records.orders.models import Package
from counterfoil.records.stock.models import Movement
from counterfoil.steps.fulfilment.tests.build import BEN, Built, an_order
from counterfoil.steps.fulfilment.walk import walk_for

pytestmark = pytest.mark.django_db


def send(desk: Client, form: dict[str, str]) -> Any:
    """As the page's module sends it."""
    return desk.post("/desk/floor/acts", form, headers={"Accept": "application/json"})


def pick(desk: Client, built: Built, do: str, units: int, *, token: str, sku: str = "A", got: int = 0) -> Any:
    form = {"kind": "pick", "token": token, "order": built.number, "part": "1", "sku": sku, "units": str(units),
            "got": str(got), "do": do, "bin": "A-1", "lot": ""}  # fmt: skip
    return send(desk, form)


def test_what_a_phone_sends_again_is_done_once_and_the_box_holds_what_was_scanned() -> None:
    built = an_order(("A", 3))
    desk = at_the_desk("picker")
    assert pick(desk, built, "got", 2, token="t1").json() == {"ok": True, "said": "2 × A in hand", "again": False}
    assert pick(desk, built, "got", 2, token="t1").json() == {"ok": True, "said": "2 × A in hand", "again": True}
    assert built.line("A").picked == 2
    # Another token is another act, and what is refused leaves its token free.
    refused = pick(desk, built, "got", 2, token="t2")
    assert refused.status_code == 422
    assert "only 1 of A" in refused.json()["said"]
    assert pick(desk, built, "got", 1, token="t2").json()["again"] is False
    assert built.part().parcel == "picked"
    box = {"kind": "pack", "order": built.number, "part": "1", "quantity:A": "3", "weight_g": "900"}
    for _ in range(2):
        assert send(desk, {**box, "token": "b1"}).status_code == 200
    assert Package.objects.get().lines[0]["quantity"] == 3
    assert "already packed" in send(desk, {**box, "token": "b2"}).json()["said"]
    # A clerk may look, and not pick.
    clerk = at_the_desk("clerk")
    assert clerk.get(f"/desk/floor/pick?order={built.number}").status_code == 200
    assert pick(clerk, built, "got", 1, token="c1").status_code == 403
    assert at_the_desk("buyer").get("/desk/floor").status_code == 403


def test_short_broken_and_another_wine_are_told_apart_in_the_ledger() -> None:
    built = an_order(("A", 6))
    desk = at_the_desk("picker")
    assert pick(desk, built, "broken", 6, token="1", got=1).json()["said"] == "1 × A in hand, 1 broken"
    assert pick(desk, built, "wrong", 3, token="2", got=2).json()["said"] == "2 × A in hand, 1 wrong"
    assert pick(desk, built, "short", 1, token="3").json()["said"] == "0 × A in hand, 1 not there"
    reasons = Movement.objects.filter(kind="pick_short").order_by("id").values_list("reason", flat=True)
    assert [r.partition(" when ")[0] for r in reasons] == ["broken", "another product lay there", "not to be found"]
    assert built.line("A").picked == 3


def test_what_breaks_on_the_packing_table_is_noted_once_and_what_lies_there_is_shown() -> None:
    built = an_order(("A", 3))
    desk = at_the_desk("picker")
    pick(desk, built, "got", 3, token="p")
    form = {"kind": "break", "order": built.number, "part": "1", "broke": "A", "token": "b"}
    for again in (False, True):
        assert send(desk, form).json() == {"ok": True, "said": "1 × A broke and is set aside", "again": again}
    assert (built.units("A"), built.part().parcel) == ((7, 1, 2, 0, 1), "picking")
    assert send(desk, {**form, "token": "c", "broke": ""}).json()["said"] == "say which product"
    assert send(at_the_desk("clerk"), {**form, "token": "d"}).status_code == 403
    # No box closes now; what lies on the table may still break. Without the page's module the form leads back.
    page = desk.get(f"/desk/floor/pack?order={built.number}").content.decode()
    assert "1 of A not picked yet" in page
    assert "2 × Wine A" in page
    back = f"/desk/floor/pack?order={built.number}"
    said = desk.post("/desk/floor/acts", {**form, "token": "e", "next": back}, follow=True)
    assert (said.redirect_chain, "1 × A broke" in said.content.decode()) == ([(back, 303)], True)
    assert built.units("A") == (7, 2, 1, 0, 2)


def test_what_is_found_broken_in_a_closed_box_opens_it_at_the_floor_and_at_the_desk() -> None:
    built = an_order(("A", 3))
    desk, clerk = at_the_desk("picker"), at_the_desk("clerk")
    pick(desk, built, "got", 3, token="p")
    assert "In a closed box" not in desk.get(f"/desk/floor/pack?order={built.number}").content.decode()
    pack = {"kind": "pack", "order": built.number, "part": "1", "quantity:A": "3"}
    send(desk, {**pack, "token": "q"})
    page = desk.get(f"/desk/floor/pack?order={built.number}").content.decode()
    box = built.order.packages.get().pk
    assert "In a closed box" in page
    assert f'name="package" value="{box}"' in page
    form = {"kind": "break", "order": built.number, "package": str(box), "broke": "A", "token": "x"}
    assert send(desk, form).json()["said"] == "1 × A broke and is set aside; the box is open again"
    assert (built.units("A"), built.part().parcel) == ((7, 1, 2, 0, 1), "picking")
    assert send(desk, {**form, "token": "y"}).status_code == 409
    for action, said in (("pick", "Picked: 1 unit off the shelf"), ("pack", "Packed: 3 units, papers enclosed")):
        waiting = built.order
        waiting.next_action = action
        assert label_of(waiting, [built.part()], [built.line("A")]) == said, "what is still to be done"
    # At the desk a clerk does it on the order's page.
    pick(desk, built, "got", 1, token="r")
    send(desk, {**pack, "token": "s"})
    path = f"/desk/orders/{built.number}"
    box = built.order.packages.get(unpacked_at=None).pk
    assert "Something broke in it" in clerk.get(path).content.decode()
    for said, words in (("", "say what broke"), ("4", "only 3 of A are in box 2")):
        answer = clerk.post(f"{path}/acts/break", {"package": str(box), "quantity:A": said})
        assert (answer.status_code, words in answer.content.decode()) == (422, True), answer.content.decode()
    assert clerk.post(f"{path}/acts/break", {"package": str(box), "quantity:A": "1"}).status_code == 303
    assert (built.units("A"), built.part().parcel) == ((6, 1, 2, 0, 2), "picking")


def test_what_a_button_means() -> None:
    assert counted("got", 6, 2) == (6, 0, "")
    assert counted("short", 6, 2) == (2, 4, "")
    assert counted("broken", 6, 6) == (5, 1, "broken")
    with pytest.raises(Invalid):
        counted("short", 2, 3)


def test_another_vintage_is_refused_loudly_also_without_the_pages_module() -> None:
    built = an_order(("A", 1))
    wine = Family.objects.create(producer="Aldous", name="Pinot")
    Product.objects.filter(sku="A").update(family=wine, vintage=2019, name="Pinot 2019")
    newer = create_product(actor=BEN, sku="B", name="Pinot 2020", price=1, currency="USD")
    Product.objects.filter(pk=newer.pk).update(family=wine, vintage=2020)
    set_barcode(actor=BEN, sku="B", barcode="400638133393 1")
    with pytest.raises(Invalid, match=r"Pinot 2020 \(B\)"):
        set_barcode(actor=BEN, sku="A", barcode="4006381333931")
    desk = at_the_desk("picker")
    form = {"kind": "pick", "token": "t", "order": built.number, "part": "1", "sku": "A", "units": "1", "do": "got",
            "bin": "A-1", "lot": "", "scanned": "4006381333931", "next": "/desk/floor"}  # fmt: skip
    page = desk.post("/desk/floor/acts", form, follow=True).content.decode()
    assert "WRONG VINTAGE: this is Pinot 2020 (B)" in page
    assert built.line("A").picked == 0


def test_a_batch_is_walked_bin_by_bin_and_costs_the_same_for_twelve_orders_as_for_two() -> None:
    desk = at_the_desk("picker")
    counts = []
    for many in (2, 12):
        made = [
            an_order((f"{many}-{n}", 1), (f"{many}+{n}", 2), products={f"{many}-{n}": {"bin": f"A-{20 - n}"}})
            for n in range(many)
        ]
        for one in made:
            store(one.number)
        clock.forget()
        shop.forget()
        asked_for = "&".join(f"order={one.number}" for one in made)
        with CaptureQueriesContext(connection) as asked:
            page = desk.get(f"/desk/floor/pick?{asked_for}")
        assert page.status_code == 200
        counts.append(len(asked))
        walk = walk_for([one.order for one in made])
        bins = [s.bin for s in walk.stops]
        assert bins == sorted(bins, key=lambda b: int(b.partition("-")[2]))
        assert len({s.tote for s in walk.stops}) == many
        assert sum(s.units for s in walk.stops) == 3 * many
    assert counts[0] == counts[1] <= 12, counts
    with CaptureQueriesContext(connection) as asked:
        assert desk.get("/desk/floor").status_code == 200
    assert len(asked) <= 12


def test_the_walk_says_why_an_order_cannot_be_picked_and_what_to_pack_next() -> None:
    built = an_order(("A", 1), money="declined", charged=0)
    desk = at_the_desk("picker")
    assert "cannot be picked" in desk.get(f"/desk/floor/pick?order={built.number}").content.decode()
    ready = an_order(("C", 1))
    pick(desk, ready, "got", 1, token="x", sku="C")
    assert f"Pack {ready.number}" in desk.get(f"/desk/floor/pick?order={ready.number}").content.decode()
    page = desk.get(f"/desk/floor/pack?order={ready.number}").content.decode()
    assert 'name="quantity:C"' in page
    assert desk.get("/desk/floor/pack?order=CF-0").status_code == 404
