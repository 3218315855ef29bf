"""The stock room's pages: where things lie, what is done with them, counts from the sheet to the ledger."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core.access.keys import make_key
from counterfoil.core.cards import says_card
from counterfoil.desk.tests.build import ANN, at_the_desk, order, product
from counterfoil.flow.verify import units
from counterfoil.records.catalogue.changing import stamp_of
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Line
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.records.stock.models import Movement, Place
from counterfoil.records.stock.tests.build import at
from counterfoil.steps.sourcing.models import CountRow, CountSheet, CountTask

pytestmark = pytest.mark.django_db
SKU = "SYRAH-19"
PAGE = f"/desk/stock/{SKU}"


@pytest.fixture
def wine() -> Product:
    made = product(SKU, on_hand=6, cost=900, bin="A-1")
    adjust_stock(actor=ANN, sku=SKU, quantity=4, reason="came", lot="L7", bin="B-2")
    return made


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def form(client: Client, verb: str, **said: Any) -> Any:
    """What the page's form sends, its own token included."""
    once = re.search(r'name="once" value="([^"]+)"', page(client, PAGE))
    assert once is not None
    return client.post(PAGE, {"do": verb, "once": once[1], **said})


def place(bin_: str) -> int:
    return Place.objects.get(product__sku=SKU, bin=bin_).pk


def test_the_page_says_where_every_bottle_lies(wine: Product) -> None:
    shown = page(at_the_desk("buyer"), PAGE)
    for words in ("Where they lie", "A-1", "B-2", "L7", "the date that ends first"):
        assert words in shown


@pytest.mark.parametrize(
    ("verb", "said", "left"),
    [
        ("transfer", {"to_bin": "C-3"}, {("B-2", "L7"): (3, 0, 0), ("C-3", "L7"): (1, 0, 0)}),
        ("set-aside", {"reason": "corked"}, {("B-2", "L7"): (3, 0, 1)}),
        ("broken", {"reason": "dropped"}, {("B-2", "L7"): (3, 0, 0)}),
    ],
)
def test_each_form_does_one_thing_once(
    wine: Product, verb: str, said: dict[str, str], left: dict[tuple[str, str], tuple[int, int, int]]
) -> None:
    picker = at_the_desk("picker")
    shown = page(picker, PAGE)
    once = re.search(r'name="once" value="([^"]+)"', shown)
    assert once is not None
    sent = {"do": verb, "place": place("B-2"), "quantity": "1", "once": once[1], **said}
    for _ in range(2):  # a double click
        assert picker.post(PAGE, sent).status_code == 303
    assert at(wine) == {("A-1", ""): (6, 0, 0), **left}
    assert units.balances() + units.places() == []


def test_what_is_set_aside_is_released_or_written_off_by_the_buyer_only(wine: Product) -> None:
    buyer, picker = at_the_desk("buyer"), at_the_desk("picker")
    where = {"place": place("B-2"), "quantity": "1", "reason": "looked at it"}
    form(picker, "set-aside", **{**where, "quantity": "2"})
    assert "good after all" not in page(picker, PAGE)
    assert form(picker, "release", **where).status_code == 403
    assert form(buyer, "release", **where).status_code == 303
    assert form(buyer, "write-off", **where).status_code == 303
    assert at(wine)["B-2", "L7"] == (3, 0, 0)


@pytest.mark.parametrize(
    ("verb", "said", "words"),
    [
        ("transfer", {"quantity": "-1", "to_bin": "C-3"}, "must be between 1"),
        ("transfer", {"quantity": "9", "to_bin": "C-3"}, "only 4 are on the shelf"),
        ("transfer", {"quantity": "1", "to_bin": ""}, "say which bin"),
        ("set-aside", {"quantity": "1", "reason": ""}, "say what happened"),
        ("adjust", {"quantity": "many", "reason": "x"}, "a whole number"),
        ("adjust", {"quantity": "1", "reason": "x", "bin": "x" * 21}, "at most 20 characters"),
        ("nonsense", {"quantity": "1"}, "no such act"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_moves(
    wine: Product, verb: str, said: dict[str, str], words: str
) -> None:
    before = Movement.objects.count()
    answer = form(at_the_desk("buyer"), verb, place=place("B-2"), **said)
    assert (answer.status_code, words in answer.content.decode()) == (422, True), answer.content.decode()
    assert Movement.objects.count() == before


WHAT = {
    "name": "Quill Syrah 2019", "price": "31.50", "tax_class": "wine", "weight_g": "1400", "description": "Dark.",
    "sell_when_out": "stop", "age_restricted": "1", "listed": "1",
}  # fmt: skip


def seen(client: Client) -> str:
    """What the page's form knows of the product as it was drawn."""
    found = re.search(r'name="seen" value="([^"]+)"', page(client, PAGE))
    assert found is not None
    return found[1]


def test_the_buyer_changes_what_the_shop_says_of_a_product_and_orders_keep_their_price(wine: Product) -> None:
    placed = order((SKU, 1))
    before = Line.objects.get(order=placed).unit_price
    buyer, late = at_the_desk("buyer"), seen(at_the_desk("owner"))
    answer = buyer.post(PAGE, {"do": "change", "seen": seen(buyer), **WHAT})
    assert answer.status_code == 303
    wine.refresh_from_db()
    assert (wine.name, wine.price, wine.tax_class, wine.weight_g, wine.description, wine.sell_when_out) == (
        "Quill Syrah 2019", 3150, "wine", 1400, "Dark.", "stop"
    )  # fmt: skip
    assert (wine.age_restricted, wine.listed) == (True, True)
    assert Line.objects.get(order=placed).unit_price == before
    assert "is changed: name, price" in page(buyer, PAGE)
    # What stands for the product as it was drawn may happen to look like a card's number, and is typed by nobody.
    while not says_card(stamp_of(wine)):
        wine.weight_g += 1
    wine.save(update_fields=["weight_g"])
    assert buyer.post(PAGE, {"do": "change", "seen": seen(buyer), **WHAT}).status_code == 303
    refused = at_the_desk("owner").post(PAGE, {"do": "change", "seen": late, **WHAT, "price": "1.00"})
    assert (refused.status_code, "changed this product meanwhile" in refused.content.decode()) == (409, True)
    unlisted = {k: v for k, v in WHAT.items() if k != "listed"}
    assert buyer.post(PAGE, {"do": "change", "seen": seen(buyer), **unlisted}).status_code == 303
    assert Client().get(f"/products/{SKU}").status_code == 404
    assert "nobody finds it in the shop" in page(buyer, PAGE)


def test_the_buyer_corrects_which_wine_it_is_and_is_told_who_waits_for_the_other_year(wine: Product) -> None:
    placed, buyer = order((SKU, 1)), at_the_desk("buyer")
    wines = {"producer": "Quill", "wine": "Syrah", "size": "75 cl", "region": "Aldmoor", "grape": "syrah"}

    def change(**said: str) -> Any:
        return buyer.post(PAGE, {"do": "change", "seen": seen(buyer), **WHAT, **wines, **said})

    assert "only a wine with its maker has one" in change(producer="", wine="").content.decode()
    assert "give both, or neither" in change(wine="").content.decode()
    assert change().status_code == 303
    asked = change(vintage="2019")
    assert (asked.status_code, "1 have been ordered without a vintage" in asked.content.decode()) == (422, True)
    assert change(vintage="2019", why="left out", cost="8.50", bin="C-7", lead_time_days="4").status_code == 303
    shown = page(buyer, PAGE)
    for words in (
        "is changed: vintage",
        f"Ask whoever expects the other year: {placed.number}",
        'value="Quill"',
        "8.50",
    ):
        assert words in shown
    wine.refresh_from_db()
    assert (wine.vintage, wine.cost, wine.bin, wine.lead_time_days) == (2019, 850, "C-7", 4)
    assert wine.family is not None
    assert (wine.family.producer, wine.family.region) == ("Quill", "Aldmoor")


def test_the_next_vintage_is_made_by_hand_from_what_it_has_in_common_with_the_last(wine: Product) -> None:
    buyer = at_the_desk("buyer")
    wines = {"producer": "Quill", "wine": "Syrah", "size": "75 cl", "region": "Aldmoor", "grape": "syrah"}
    year = {"name": "Quill Syrah 2019", "vintage": "2019"}
    buyer.post(PAGE, {"do": "change", "seen": seen(buyer), **WHAT, **wines, **year, "bin": "C-7"})
    assert f"/desk/products/new?like={SKU}" in page(buyer, PAGE)
    new = "/desk/products/new"
    begun = page(buyer, f"{new}?like={SKU}")
    form = dict(re.findall(r'name="(\w+)" type="text" value="([^"]*)"', begun))
    assert form == {
        "sku": "", "name": "Quill Syrah", "price": "31.50", "tax_class": "wine", "weight_g": "1400", **wines,
        "vintage": "", "cost": "9.00", "bin": "C-7", "barcode": "",
    }  # fmt: skip
    made = form | {"sku": "SYRAH/20", "name": "Quill Syrah 2020", "vintage": "2020", "sell_when_out": "stop"}
    for wrong, words in (
        ({"sku": SKU}, "is taken"), ({"sku": ""}, "this is needed"), ({"sku": "a//b"}, "could not be a web address"),
        ({"vintage": "20"}, "must be between 1,000"), ({"wine": ""}, "this is needed"), ({"price": "x"}, "an amount"),
        ({"wine": "", "producer": ""}, "only a wine with its maker"), ({"barcode": SKU}, "is that of"),
    ):  # fmt: skip
        answer = buyer.post(new, made | wrong)
        assert (answer.status_code, words in answer.content.decode()) == (422, True), (wrong, words)
    answer = buyer.post(new, made)
    assert (answer.status_code, answer["Location"]) == (303, "/desk/stock/SYRAH/20")
    assert "is in the catalogue" in page(buyer, answer["Location"])
    found = Product.objects.get(sku="SYRAH/20")
    wine.refresh_from_db()
    assert (found.family_id, found.vintage, found.price, found.bin) == (wine.family_id, 2020, 3150, "C-7")
    assert (found.sell_when_out, found.age_restricted, found.listed) == ("stop", False, True)
    other = {"do": "change", "seen": seen(buyer), **WHAT, **wines, **year, "vintage": "2018"}
    told = buyer.post(PAGE, other, follow=True)
    assert "Its name still says 2019" in told.content.decode()
    assert at_the_desk("clerk").post(new, made).status_code == 403


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"name": ""}, "this is needed"),
        ({"price": "cheap"}, "write an amount such as"),
        ({"price": ""}, "give an amount"),
        ({"tax_class": ""}, "this is needed"),
        ({"weight_g": "-1"}, "must be between 0"),
        ({"sell_when_out": "never"}, "neither backorder nor stop"),
    ],
)
def test_a_product_is_not_changed_into_what_cannot_be_sold(wine: Product, said: dict[str, str], words: str) -> None:
    buyer = at_the_desk("buyer")
    answer = buyer.post(PAGE, {"do": "change", "seen": seen(buyer), **WHAT, **said})
    assert (answer.status_code, words in answer.content.decode()) == (422, True), answer.content.decode()
    was = wine.price
    wine.refresh_from_db()
    assert wine.price == was
    assert at_the_desk("clerk").post(PAGE, {"do": "change", "seen": seen(buyer), **WHAT}).status_code == 403


def test_a_reservation_is_given_to_another_order_with_a_reason(wine: Product) -> None:
    first, second = order((SKU, 10)), order((SKU, 2))
    clerk = at_the_desk("clerk")
    assert "Give one order" in page(clerk, PAGE)
    said = {"from_order": first.number, "order": second.number, "quantity": "2"}
    assert "say why" in form(at_the_desk("owner"), "move", **said, reason="").content.decode()
    assert clerk.post(PAGE, {"do": "move", **said, "reason": "a wedding"}).status_code == 303
    assert {ln.order_id: ln.reserved for ln in Line.objects.all()} == {first.pk: 8, second.pk: 2}
    assert "a wedding" in page(clerk, f"/desk/orders/{first.number}")
    assert "a wedding" in page(clerk, f"/desk/orders/{second.number}")


def test_a_count_from_the_sheet_to_the_ledger(wine: Product) -> None:
    picker, buyer = at_the_desk("picker"), at_the_desk("buyer")
    made = picker.post("/desk/counts", {"bins": "A-1, B-2"})
    sheet = CountSheet.objects.get()
    assert (made.status_code, made["Location"]) == (303, f"/desk/counts/{sheet.number}")
    assert picker.get(f"/desk/counts/{sheet.number}/sheet.pdf").content[:5] == b"%PDF-"
    rows = {r.bin: r.pk for r in CountRow.objects.all()}
    entered = {"do": "enter", f"counted:{rows['A-1']}": "5", f"counted:{rows['B-2']}": "4"}
    assert picker.post(f"/desk/counts/{sheet.number}", entered).status_code == 303
    shown = page(picker, f"/desk/counts/{sheet.number}")
    assert "1 of 2 places differ: -$9.00 at cost" in shown
    assert "Applying it is the buyer" in shown
    assert at(wine)["A-1", ""] == (6, 0, 0)
    applied = {"do": "apply", "reason": "one broke"}
    assert picker.post(f"/desk/counts/{sheet.number}", applied).status_code == 403
    assert buyer.post(f"/desk/counts/{sheet.number}", applied).status_code == 303
    assert buyer.post(f"/desk/counts/{sheet.number}", applied).status_code == 409
    assert at(wine)["A-1", ""] == (5, 0, 0)
    assert units.balances() + units.places() == []


def test_a_blind_sheet_shows_what_was_expected_only_once_it_is_counted(wine: Product) -> None:
    picker = at_the_desk("picker")
    picker.post("/desk/counts", {"skus": SKU, "blind": "yes"})
    sheet = CountSheet.objects.get()
    assert "expected" not in page(picker, f"/desk/counts/{sheet.number}")
    row = CountRow.objects.get(bin="A-1")
    picker.post(f"/desk/counts/{sheet.number}", {"do": "enter", f"counted:{row.pk}": "6"})
    assert page(picker, f"/desk/counts/{sheet.number}").count("expected 6") == 1


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"counted:row": "-1"}, "nothing is counted below zero"),
        ({"counted:row": "six"}, "a whole number"),
        ({"sku": SKU, "bin": "B-2", "lot": "L9", "units": "2"}, "the ledger knows no lot L9"),
        ({"sku": "NEVER", "units": "2"}, "there is no product NEVER"),
        ({}, "write down what was counted"),
    ],
)
def test_a_count_that_cannot_be_stands_at_its_field(wine: Product, said: dict[str, str], words: str) -> None:
    picker = at_the_desk("picker")
    picker.post("/desk/counts", {"skus": SKU})
    sheet, row = CountSheet.objects.get(), CountRow.objects.get(bin="A-1")
    sent = {name.replace("row", str(row.pk)): value for name, value in said.items()}
    answer = picker.post(f"/desk/counts/{sheet.number}", {"do": "enter", **sent})
    assert (answer.status_code, words in answer.content.decode()) == (422, True), answer.content.decode()
    assert not CountRow.objects.exclude(counted=None).exists()


def test_a_bottle_that_somebody_did_not_find_is_counted_here(wine: Product) -> None:
    clerk, picker = at_the_desk("clerk"), at_the_desk("picker")
    found = order((SKU, 2))
    clerk.post(f"/desk/orders/{found.number}/acts/approve", {"ship_estimate": "2027-01-04", "version": ""})
    clerk.post(f"/desk/orders/{found.number}/acts/check-stock", {f"seen:{SKU}": "1"})
    task = CountTask.objects.get()
    assert "1 missing at the stock check" in page(picker, "/desk/counts")
    assert picker.post(f"/desk/counts/missed/{task.pk}", {f"found:{task.pk}": "2"}).status_code == 422
    assert picker.post(f"/desk/counts/missed/{task.pk}", {f"found:{task.pk}": "1"}).status_code == 303
    assert picker.post(f"/desk/counts/missed/{task.pk}", {f"found:{task.pk}": "1"}).status_code == 409
    assert "Nothing is missing" in page(picker, "/desk/counts")


@pytest.mark.parametrize("many", [1, 20])
def test_no_page_of_the_stock_room_costs_more_than_twelve_statements(wine: Product, many: int) -> None:
    for n in range(many):
        adjust_stock(actor=ANN, sku=SKU, quantity=1, reason="came", lot=f"N{n}", bin=f"C-{n}")
        order((SKU, 1))
    owner = at_the_desk("owner")
    owner.post("/desk/counts", {"skus": SKU})
    for path in (PAGE, "/desk/stock", "/desk/counts", f"/desk/counts/{CountSheet.objects.get().number}"):
        owner.get(path)
        with CaptureQueriesContext(connection) as asked:
            assert owner.get(path).status_code == 200
        assert len(asked) <= 12, (path, len(asked), [q["sql"][:90] for q in asked.captured_queries])


ODD = "CG/21 50%+ #1?&=;x"


def test_a_sku_with_signs_in_it_opens_from_every_page_that_names_it() -> None:
    """Spaces, slashes and signs do occur in the SKUs of real shops."""
    maker, owner, api = {"producer": "Odd & Sons", "name": "Gate"}, at_the_desk("owner"), Client()
    key = {"Authorization": f"Bearer {make_key('t', 'owner')}"}

    def asked(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return api.generic(method, f"/api/v1{path}", json.dumps(body) if body else "", "application/json", headers=key)

    for sku, year in ((ODD, 2021), ("CG 22/x", 2022)):
        body = {"sku": sku, "name": f"Gate {year}", "price": 2400, "currency": "USD"}
        body["family"] = {**maker, "vintage": year}
        assert asked("POST", "/products", body).status_code == 201
        adjust_stock(actor=ANN, sku=sku, quantity=3, reason="came")
    told = asked("POST", "/products", {"sku": "a//b", "name": "x", "price": 1, "currency": "USD"})
    assert (told.status_code, told.json()["errors"][0]["field"]) == (422, "sku")
    quoted = quote(ODD, safe="")
    assert asked("GET", f"/products/{quoted}").json()["sku"] == ODD
    assert asked("GET", f"/products/{quoted}/availability").json()["sku"] == ODD
    assert asked("PUT", f"/products/{quoted}/reordering", {"reorder_point": 9}).json()["reorder_point"] == 9

    found = order((ODD, 5))
    owner.post(f"/desk/orders/{found.number}/acts/approve", {"ship_estimate": "2027-01-04", "version": ""})
    owner.post(f"/desk/orders/{found.number}/acts/check-stock", {f"seen:{ODD}": "1"})
    visitor = Client()
    visitor.post("/cart/add", {"sku": ODD, "quantity": "2"})
    assert owner.post("/desk/counts", {"skus": ODD}).status_code == 303
    sheet = CountSheet.objects.get()
    for who, path, least in (
        (owner, "/desk/stock", 1), (owner, "/desk/search?q=Gate", 1), (owner, "/desk/counts", 1),
        (owner, f"/desk/counts/{sheet.number}", 1), (owner, "/desk/purchase-orders", 1),
        (visitor, "/", 2), (visitor, "/products/CG%2022/x", 1), (visitor, "/cart", 2),
    ):  # fmt: skip
        links = {unescape(a) for a in re.findall(r'(?:href|src)="([^"]*CG/21[^"]*)"', page(who, path))}
        assert len(links) >= least, (path, links)
        for link in links:
            got = who.get(link.partition("#")[0])  # as a browser asks for it
            assert got.status_code == 200, (path, link)
            assert "svg" in link or "Gate 2021" in got.content.decode(), (path, link)
    (one,) = [f for f in owner.get("/desk/palette?q=Gate").json()["found"] if f["more"] == ODD]
    assert "Gate 2021" in page(owner, one["href"].partition("#")[0])
    address = f"/desk/stock/{quoted}"
    for sent in ({"do": "barcode", "barcode": "ODD-1"}, {"do": "adjust", "quantity": "1", "reason": "came"}):
        answer = owner.post(address, sent)
        assert (answer.status_code, unquote(answer["Location"].partition("#")[0])) == (303, f"/desk/stock/{ODD}")
    kept = owner.post(f"/desk/reordering/{quoted}", {"reorder_point": "4", "reorder_up_to": "8"})
    assert unquote(kept["Location"].partition("#")[0]) == f"/desk/stock/{ODD}"
    file = SimpleUploadedFile("s.csv", owner.get("/desk/stock.csv").content, content_type="text/csv")
    assert owner.post("/desk/stock.csv", {"file": file, "mode": "counted"}).status_code == 303
    assert at(Product.objects.get(sku=ODD))["", ""][0] == 2


def test_names_with_spaces_and_several_names_go_into_one_field_of_a_count(wine: Product) -> None:
    product("PINOT 21", on_hand=1)
    owner = at_the_desk("owner")
    for said in ({"skus": "PINOT 21, SYRAH-19"}, {"skus": "PINOT 21"}, {"bins": "A-1 B-2"}, {"bins": "A-1,B-2"}):
        assert owner.post("/desk/counts", said).status_code == 303, said
    rows = CountRow.objects.order_by("pk").values_list("sheet_id", "product__sku")
    by_sheet = [{sku for of, sku in rows if of == n} for n in sorted({of for of, _ in rows})]
    assert by_sheet == [{"PINOT 21", SKU}, {"PINOT 21"}, {SKU}, {SKU}]


def test_what_is_on_hand_is_a_file_and_such_a_file_is_taken_in_once(wine: Product) -> None:
    buyer = at_the_desk("buyer")
    given = buyer.get("/desk/stock.csv").content.decode()
    assert given == "sku,bin,lot,best_before,quantity,cost\nSYRAH-19,A-1,,,6,9.00\nSYRAH-19,B-2,L7,,4,9.00\n"

    def send(text: str, client: Client = buyer) -> Any:
        file = SimpleUploadedFile("stock.csv", text.encode(), content_type="text/csv")
        return client.post("/desk/stock.csv", {"file": file, "mode": "counted"})

    less = given.replace(",6,", ",5,")
    assert send(less, at_the_desk("picker")).status_code == 403
    for _ in range(2):
        assert send(less).status_code == 303
    assert at(wine)["A-1", ""] == (5, 0, 0)
    bad = send(given + "NEVER,,,,1,\n")
    assert (bad.status_code, "line 4: sku: there is no product NEVER" in bad.content.decode()) == (422, True)
    assert send("name\nx\n").status_code == 422
    assert "save it with commas" in send("sku;quantity;cost\nSYRAH-19;1;9,00\n").content.decode()
    assert buyer.post("/desk/stock.csv", {"mode": "counted"}).status_code == 422


def test_a_clerk_says_there_or_not_there_of_each_line_in_one_click(wine: Product) -> None:
    product("PINOT-21", on_hand=6)
    clerk = at_the_desk("clerk")
    found = order((SKU, 2), ("PINOT-21", 1))
    path = f"/desk/orders/{found.number}"
    assert 'id="shelf"' not in page(clerk, path)
    clerk.post(f"{path}/acts/approve", {"ship_estimate": "2027-01-04", "version": ""})
    shown = page(clerk, path)
    assert f'name="seen:{SKU}" value="0"' in shown
    assert f'name="seen:{SKU}" value="2"' in shown
    there = clerk.post(f"{path}/acts/check-stock", {"seen:PINOT-21": "1"})
    gone = clerk.post(f"{path}/acts/check-stock", {f"seen:{SKU}": "0"})
    assert (there.status_code, gone.status_code) == (303, 303)
    assert {ln.sku: ln.reserved for ln in Line.objects.filter(order=found)} == {"PINOT-21": 1, SKU: 0}
    assert [(t.product.sku, t.missing) for t in CountTask.objects.select_related("product")] == [(SKU, 2)]
    assert at(wine)["A-1", ""] == (4, 0, 2)


def test_a_new_vintage_takes_nobodys_place_by_itself(wine: Product) -> None:
    """The 2019 is sold out and the 2020 has come: the order still waits for the 2019, and nobody else's is touched."""
    old = product("LH-2019", vintage=2019)
    new = product("LH-2020", vintage=2020, on_hand=12)
    found = order(("LH-2019", 3))
    clerk = at_the_desk("clerk")
    clerk.post(f"/desk/orders/{found.number}/acts/approve", {"ship_estimate": "2027-01-04", "version": ""})
    clerk.post(f"/desk/orders/{found.number}/acts/check-stock")
    line = Line.objects.get(order=found)
    assert (line.product_id, line.sku, line.reserved, line.short) == (old.pk, "LH-2019", 0, 3)
    assert not Movement.objects.filter(product=new, subject=found.number).exists()
