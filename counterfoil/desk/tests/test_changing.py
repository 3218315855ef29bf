"""Asking, changing, undoing and writing down, at the desk."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core import clock, jobs
from counterfoil.core import shop as shops
from counterfoil.core.access.models import User
from counterfoil.core.db import writing
from counterfoil.core.models import Job
from counterfoil.core.shop import shop
from counterfoil.desk import doing
from counterfoil.desk.models import Deed
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Amendment, Contact, Line, Order, Proposal
from tests.support import Api, order_body, product, settle

pytestmark = pytest.mark.django_db
SYRAH = {"producer": "Copper Gate", "name": "Syrah", "size": "0.75 l"}


@pytest.fixture
def api() -> Api:
    owner = Api("owner", "Olga")
    product(owner, "SYRAH-19", price=2400, family={**SYRAH, "vintage": 2019})
    product(owner, "SYRAH-20", price=2000, stock=9, family={**SYRAH, "vintage": 2020})
    return owner


@pytest.fixture
def desk(api: Api) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("ann@example.com", "x", name="Ann", role="clerk"))
    return client


def approved(api: Api, *lines: tuple[str, int]) -> str:
    number = str(api.done("/orders", order_body(*(lines or (("SYRAH-19", 3),)), card=None))["number"])
    settle()
    day = shop().business_days_from(shop().today(), 1).isoformat()
    api.done(f"/orders/{number}/approval", {"ship_estimate": day})
    return number


def text(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_the_builder_proposes_what_is_like_it_and_says_each_consequence_before_it_asks(api: Api, desk: Client) -> None:
    number = approved(api)
    page = f"/desk/orders/{number}/proposals/new"
    found = desk.get(page)
    assert found.status_code == 200
    assert "3 × Wine SYRAH-19 missing" in text(found)
    line = Line.objects.get().pk
    assert f'value="{line}|SYRAH-20|3"' in found.content.decode()
    drawn = desk.post(page, {"take": f"{line}|SYRAH-20|3", "kind:0": "", "pays:0": "customer"})
    said = text(drawn)
    assert "3 × Wine SYRAH-20 instead of 2019, $4.00 less each" in said
    assert "$12.00 less with tax: your total becomes $75.00" in said
    assert "kept for you until you answer" in said
    assert not Proposal.objects.exists()
    # Any other wine is found by a few letters: without a number as many as are missing.
    for typed, button in (("syr 20", "|SYRAH-20|3"), ("2 wine", "|SYRAH-20|2"), ("nobody", ""), ("s", "")):
        looked = desk.post(page, {"wine": typed, "instead": str(line)})
        assert re.findall(r'class="find-it" name="take" value="([^"]*SYRAH-20[^"]*)"', looked.content.decode()) == (
            [button] if button else []
        ), typed
    taken = desk.post(page, {"take": "|SYRAH-20|2", "wine": "2 wine", "instead": str(line), "pays:0": "customer"})
    assert "2 × Wine SYRAH-20 instead of" in text(taken)
    assert 'id="f-wine" name="wine" type="search" value=""' in taken.content.decode()
    full = {"take": "|SYRAH-20|2", **{f"kind:{i}": "cancel" for i in range(6)}}
    assert desk.post(page, full).status_code == 422
    form = {
        "kind:0": "substitute", "line:0": str(line), "sku:0": "SYRAH-20", "quantity:0": "3", "pays:0": "customer",
        "kind:1": "expedite", "method:1": "Express", "pays:1": "shop", "sku:1": "left over",
        "kind:2": "cancel", "message": "The 2019 is gone", "do": "send",
    }  # fmt: skip
    assert desk.post(page, form).status_code == 303
    asked = Proposal.objects.get()
    assert [c["kind"] for c in asked.choices] == ["substitute", "expedite", "cancel"]
    assert [c["difference"] for c in asked.choices] == [-1200, 0, -asked.order.total]
    assert judge_all() == []


def test_a_choice_that_is_wrong_is_told_at_its_field_and_hides_no_other(api: Api, desk: Client) -> None:
    number = approved(api)
    page = f"/desk/orders/{number}/proposals/new"
    form = {"kind:0": "substitute", "sku:0": "NONE", "kind:1": "cancel", "pays:0": "customer"}
    drawn = desk.post(page, form)
    assert "there is no product NONE" in text(drawn)
    assert "Cancel the order; nothing is charged" in text(drawn)
    refused = desk.post(page, {**form, "do": "send"})
    assert refused.status_code == 422
    assert not Proposal.objects.exists()


def test_the_pages_cost_at_most_twelve_statements(api: Api, desk: Client) -> None:
    number = approved(api)
    api.done(
        f"/orders/{number}/amendments",
        {"changes": [{"kind": "quantity", "line": "SYRAH-19", "quantity": 2}], "consent": {"how": "mail", "who": "J"}},
    )
    api.done(f"/orders/{number}/contacts", {"kind": "note", "text": "a note"})
    for path in ("proposals/new", "amend", ""):
        desk.get(f"/desk/orders/{number}/{path}".rstrip("/"))
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert desk.get(f"/desk/orders/{number}/{path}".rstrip("/")).status_code == 200
        assert len(seen) <= 12, (path, len(seen), [q["sql"][:110] for q in seen.captured_queries])


def test_a_change_is_drawn_first_then_done_with_the_customers_word_and_undone(api: Api, desk: Client) -> None:
    number = approved(api, ("SYRAH-20", 3))
    page = f"/desk/orders/{number}/amend"
    line = Line.objects.get().pk
    form = {f"quantity:{line}": "2", f"price:{line}": "$19.00", "method": "Express"}
    drawn = desk.post(page, {**form, "do": "draw"})
    said = text(drawn)
    assert "3 × $20.00 2 × $19.00 on the shelf" in said
    assert "Total $75.00 $73.00" in said
    assert not Amendment.objects.exists()
    version = re.search(r'name="version" value="(\d+)"', drawn.content.decode())
    assert version
    done = desk.post(page, {**form, "version": version.group(1), "how": "telephone", "who": "June", "do": "apply"})
    assert done.status_code == 303
    made = Amendment.objects.get()
    assert (made.consent["who"], made.after["order"]["total"]) == ("June", 7300)
    order = desk.get(f"/desk/orders/{number}")
    assert "agreed on the telephone by June" in text(order)
    undo = f"/desk/orders/{number}/amendments/1/undo"
    assert undo in order.content.decode()
    again = desk.get(undo)
    assert "Total $73.00 $75.00" in text(again)
    version = re.search(r'name="version" value="(\d+)"', again.content.decode())
    assert version
    body = {"version": version.group(1), "how": "mail", "who": "June", "do": "apply"}
    assert desk.post(undo, body).status_code == 303
    assert api.order(number)["total"] == 7500
    assert judge_all() == []


def test_a_change_drawn_before_somebody_else_worked_on_it_is_drawn_anew(api: Api, desk: Client) -> None:
    number = approved(api, ("SYRAH-20", 3))
    page = f"/desk/orders/{number}/amend"
    form = {f"quantity:{Line.objects.get().pk}": "2"}
    drawn = desk.post(page, {**form, "do": "draw"}).content.decode()
    version = re.search(r'name="version" value="(\d+)"', drawn)
    assert version
    api.done(f"/orders/{number}/holds", {"reason": "odd"})
    stale = desk.post(page, {**form, "version": version.group(1), "how": "mail", "who": "June", "do": "apply"})
    assert stale.status_code == 409
    assert "Olga has just worked on" in text(stale)
    newer = re.search(r'name="version" value="(\d+)"', stale.content.decode())
    assert newer
    assert newer.group(1) != version.group(1)
    assert not Amendment.objects.exists()


def test_a_change_waits_for_its_undo_and_is_done_to_the_order_as_it_was_drawn(
    api: Api, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doing, "undo_seconds", lambda: 20)
    number = approved(api, ("SYRAH-20", 3))
    page = f"/desk/orders/{number}/amend"
    form = {f"quantity:{Line.objects.get().pk}": "2", "how": "mail", "who": "June", "do": "apply"}

    def press() -> None:
        drawn = desk.post(page, {**form, "do": "draw"}).content.decode()
        version = re.search(r'name="version" value="(\d+)"', drawn)
        assert version
        assert desk.post(page, {**form, "version": version.group(1)}).status_code == 303
        assert not Amendment.objects.exists()
        assert f"{number}: change goes out in" in text(desk.get("/desk/stock"))

    def time_passes() -> str:
        Job.objects.filter(name="desk.deed").update(run_at=clock.real_now())
        jobs.drain(only=("desk",))
        return str(Deed.objects.latest("pk").state)

    press()
    Order.objects.update(version=F("version") + 1)  # not even we ourselves may have touched what was drawn
    assert time_passes() == "refused"
    assert not Amendment.objects.exists()
    press()
    assert time_passes() == "done"
    assert api.order(number)["total"] == 5500


def test_without_the_customers_word_it_is_not_done(api: Api, desk: Client) -> None:
    number = approved(api, ("SYRAH-20", 3))
    form = {f"quantity:{Line.objects.get().pk}": "2", "do": "apply", "how": "telephone", "who": ""}
    wrong = desk.post(f"/desk/orders/{number}/amend", form)
    assert (wrong.status_code, "say who agreed" in text(wrong)) == (422, True)
    assert not Amendment.objects.exists()


def test_any_two_parts_are_brought_together_by_a_button(api: Api, desk: Client) -> None:
    number = approved(api, ("SYRAH-20", 3))
    choice = {"kind": "split", "line": "SYRAH-20", "quantity": 1}
    for _ in range(2):
        token = api.done(f"/orders/{number}/proposals", {"choices": [choice]})["token"]
        api.done(f"/proposals/{token}/answer", {"choice": 0})
    shown = desk.get(f"/desk/orders/{number}").content.decode()
    for later, earlier in ((2, 1), (3, 1), (3, 2)):
        assert f"/desk/orders/{number}/parts/{later}/merge?into={earlier}" in shown
    page = f"/desk/orders/{number}/parts/3/merge?into=2"
    drawn = desk.get(page)
    version = re.search(r'name="version" value="(\d+)"', drawn.content.decode())
    assert version
    done = desk.post(page, {"version": version.group(1), "how": "not_needed", "do": "apply"})
    assert done.status_code == 303
    assert {p["number"]: p["total"] for p in api.order(number)["parts"]} == {1: 3500, 2: 4000, 3: 0}
    assert "part 9" in text(desk.get(f"/desk/orders/{number}/parts/2/merge?into=9"))
    assert judge_all() == []


def test_what_was_said_stands_on_the_timeline_and_on_the_customers_next_order(api: Api, desk: Client) -> None:
    number = approved(api)
    act = f"/desk/orders/{number}/acts/contact"
    body = {"kind": "call:in", "spoken_to": "June", "text": "May it come a day later?"}
    assert desk.post(act, body).status_code == 303
    assert desk.post(act, {"kind": "note:", "text": ""}).status_code == 422
    assert Contact.objects.get().actor == "Ann"
    page = f"/desk/orders/{number}"
    assert "June called: May it come a day later?" in text(desk.get(f"{page}?show=contacts"))
    assert "June called" not in text(desk.get(f"{page}?show=money"))
    other = order_body(("SYRAH-20", 1), card=None, customer=api.order(number)["customer"])
    later = api.done("/orders", {**other, "customer": {k: v for k, v in other["customer"].items() if v}})["number"]
    assert "May it come a day later?" in text(desk.get(f"/desk/orders/{later}"))
    swap = {"kind": "substitute", "line": "SYRAH-19", "sku": "SYRAH-20", "quantity": 2}
    api.done(f"/orders/{number}/amendments", {"changes": [swap], "consent": {"how": "telephone", "who": "June"}})
    took = f"took 2 × Wine SYRAH-20 instead of Wine SYRAH-19 ({number})"
    for seen in (f"/desk/orders/{later}", f"/desk/queues/review?order={later}"):
        assert took in text(desk.get(seen)), "what was agreed on an earlier order counts as taken"
    api.done(f"/orders/{number}/amendments/1/undo", {"consent": {"how": "telephone", "who": "June"}})
    assert took not in text(desk.get(f"/desk/orders/{later}"))


def test_a_picker_neither_asks_nor_changes(api: Api) -> None:
    number = approved(api)
    client = Client()
    client.force_login(User.objects.create_user("pat@example.com", "x", name="Pat", role="picker"))
    for path in ("proposals/new", "amend", "amendments/1/undo", "parts/2/merge"):
        assert client.get(f"/desk/orders/{number}/{path}").status_code == 403


@pytest.mark.parametrize(("rule", "total"), [("own", 7500), ("lower", 7500), ("ordered", 8700)])
def test_a_substitute_costs_what_the_owner_has_settled(api: Api, desk: Client, rule: str, total: int) -> None:
    with writing():
        shops.change(substitute_price=rule)
    number = approved(api)
    form = {"kind:0": "substitute", "line:0": str(Line.objects.get().pk), "sku:0": "SYRAH-20", "pays:0": "customer"}
    desk.post(f"/desk/orders/{number}/proposals/new", {**form, "do": "send"})
    assert Proposal.objects.get().choices[0]["total"] == total
