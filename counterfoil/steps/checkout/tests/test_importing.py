"""Another shop's orders come in: all of them, once, to the cent, and a bad line stops no other."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterfoil.core import shop
from counterfoil.core.db import rows, writing
from counterfoil.core.models import Document, Job, JournalEvent
from counterfoil.core.money import parse_amount
from counterfoil.core.shop import Shop
from counterfoil.flow.map import derive
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.storefront.tests.feed import CARD, ORDERS, PRODUCTS, line, order, write
from counterfoil.records.catalogue.importing import import_products
from counterfoil.records.customers.models import Customer
from counterfoil.records.orders.load import facts_of_many
from counterfoil.records.orders.models import Line, Order, Part, Promise
from counterfoil.records.stock.models import Balance, Movement
from counterfoil.steps.checkout import import_batch
from counterfoil.steps.checkout.importing import import_orders
from counterfoil.steps.checkout.many import insert
from tests.work import work

pytestmark = pytest.mark.django_db
COUNTED = (Order, Part, Line, Promise, Customer, JournalEvent, Job, Movement)


def counts() -> list[int]:
    return [model.objects.count() for model in COUNTED]


def balances() -> list[tuple[Any, ...]]:
    return list(Balance.objects.order_by("pk").values_list())


@pytest.fixture
def catalogue() -> None:
    assert import_products(PRODUCTS, lambda _: None) == 0


@pytest.fixture
def imported(catalogue: None) -> dict[str, Order]:
    assert import_orders(ORDERS, lambda _: None) == 0
    return {o.reference: o for o in Order.objects.all()}


def the_feed() -> list[dict[str, Any]]:
    return [json.loads(text) for text in ORDERS.read_text("utf-8").splitlines()]


def test_all_311_real_orders_come_in_with_the_feeds_totals_to_the_cent(imported: dict[str, Order]) -> None:
    assert len(imported) == 311
    for told in the_feed():
        kept = imported[told["reference"]]
        assert kept.total == parse_amount(told["total"], told["currency"]), kept.reference
        assert kept.total == kept.subtotal + kept.shipping + kept.tax + kept.rounding
        assert kept.tax == sum(parse_amount(t["amount"], told["currency"]) for t in told["taxes"])
        assert (kept.name, kept.email) == (told["customer"]["name"], told["customer"]["email"])
    taxes = Line.objects.filter(tax__gt=0).values_list("tax_ppm", flat=True)
    assert set(taxes) == {70_000}


def test_the_28_that_do_not_add_up_have_a_rounding_line_that_is_named(imported: dict[str, Order]) -> None:
    odd = [o for o in imported.values() if o.rounding]
    assert len(odd) == 28
    assert {o.currency for o in odd} == {"EUR", "GBP"}
    for o in odd:
        assert "converted the currency on the total" in next(f["text"] for f in o.flags if f["code"] == "rounding")
    assert not any(f["code"] == "rounding" for o in imported.values() if not o.rounding for f in o.flags)


def test_delivered_orders_are_closed_history_without_movements_postings_or_papers(imported: dict[str, Order]) -> None:
    closed = [o for o in imported.values() if o.closed_history]
    assert len(closed) == 145
    assert {(o.status, o.queue, o.next_action, o.review) for o in closed} == {("delivered", "done", "", "approved")}
    assert not Movement.objects.exclude(cause__startswith="import:").exists()
    assert rows("SELECT COUNT(*) FROM books_posting")[0][0] == 0
    assert not Document.objects.exists()
    assert set(Part.objects.filter(order__closed_history=True).values_list("money", "books")) == {("unpaid", "none")}
    assert not Line.objects.filter(order__closed_history=True).exclude(shipped=0, reserved=0, due=0).exists()


def test_pending_orders_wait_for_review_and_processing_ones_are_approved(imported: dict[str, Order]) -> None:
    places = Counter((o.status, o.queue, o.review, o.approved_by) for o in imported.values() if not o.closed_history)
    assert places == {
        ("pending", "review", "pending", ""): 117,
        ("processing", "sales_order", "approved", "imported"): 49,
    }
    today = Shop().today()
    pending = Part.objects.filter(order__status="pending", clock_over=False)
    near = pending.filter(legal_deadline__lte=today + timedelta(days=Shop().notice_days))  # told of a delay at once
    assert Job.objects.filter(name="flow.advance").count() == Job.objects.count() == 49 + near.count()


def test_the_legal_clock_of_every_open_order_counts_from_its_placing(imported: dict[str, Order]) -> None:
    settings = Shop()
    for part in Part.objects.filter(order__closed_history=False).select_related("order"):
        legal = settings.day_of(part.order.placed_at) + timedelta(days=30)
        assert part.legal_deadline == max(legal, part.promise_date or legal)
        assert part.clock_over == (part.legal_deadline < settings.today())


def test_every_order_stands_where_flow_would_put_it(imported: dict[str, Order]) -> None:
    facts = facts_of_many(list(imported.values()))
    for o in imported.values():
        want = derive(facts[o.pk])
        stored = (o.status, o.queue, o.next_action, o.blockers, o.next_check_at, o.deadline)
        assert stored == (want.status, want.queue, want.next_action, want.blockers, want.next_check_at, want.deadline)


def test_the_books_are_clean_right_after_and_when_the_approved_ones_have_gone_on(imported: dict[str, Order]) -> None:
    from tests.support import settle

    assert judge_all() == []
    settle()
    assert judge_all() == []
    assert not Order.objects.filter(queue="sales_order").exists()
    assert not Line.objects.filter(order__closed_history=True, reserved__gt=0).exists()


def test_payment_addresses_options_and_comments_are_kept(imported: dict[str, Order]) -> None:
    assert Counter(o.payment_method for o in imported.values()) == {"on_delivery": 204, "cheque": 107}
    countries = {o.shipping_address["country"] for o in imported.values()}
    assert countries == {"RU", "JP", "US", "ES", "FR", "DE", "VN", "PL", "GB", "AU", "CA", "DK", "IS"}
    assert imported["1"].shipping_address["state"] == "CA"
    assert imported["1"].lines.order_by("position")[0].name == "Lemons (Box Size: 24)"
    comments = {o.comment for o in imported.values()}
    assert "It's for _b_mum_/b_ & dad" in comments
    assert 'Gift – include a card: "Félicitations!" 🎉' in comments
    assert not any("\\" in c for c in comments)
    assert {o.name for o in imported.values()} >= {"花子 山田太郎", "Emoji Wine🍷Lover", "Renée O'Connor"}


def test_the_history_of_the_other_shop_is_the_beginning_of_the_journal(imported: dict[str, Order]) -> None:
    assert JournalEvent.objects.filter(kind="history_imported").count() == 674
    first = imported["1"]
    told = list(JournalEvent.objects.filter(subject=first.number).order_by("id"))
    assert [e.kind for e in told] == ["order_imported", *["history_imported"] * 3]
    assert [e.data["status"] for e in told[1:]] == ["Pending", "Processing", "Delivered"]
    assert told[2].text == "Processing: Estimated to ship in 2 business days."
    assert {e.actor for e in told} == {"osCommerce"}
    assert first.comment == "hello"


def test_a_ship_date_that_the_other_shop_told_is_kept_as_the_promise(imported: dict[str, Order]) -> None:
    promised = Promise.objects.filter(date="2026-11-27").select_related("part__order")
    assert promised.exists()
    for p in Promise.objects.select_related("part__order"):
        assert (p.version, p.basis, p.part.promise_version, p.part.promise_date) == (1, "import", 1, p.date)
        placed = Shop().day_of(p.part.order.placed_at)
        assert p.date is not None
        assert p.legal_deadline == max(p.date, placed + timedelta(days=30))
        assert (p.rule, p.rule_from) == ("16 CFR 435", date(2014, 12, 8))
        assert not p.part.order.closed_history


def test_nobody_is_mailed_about_an_order_that_the_other_shop_told_them_of(imported: dict[str, Order]) -> None:
    assert not Job.objects.filter(name__startswith="mail").exists()
    assert {o.card_state for o in imported.values()} == {"none"}


def test_what_is_open_is_waited_for_and_nothing_is_reserved(imported: dict[str, Order]) -> None:
    open_units = sum(ln["quantity"] for told in the_feed() if told["status"] != "Delivered" for ln in told["lines"])
    assert sum(Balance.objects.values_list("waiting", flat=True)) == open_units > 0
    assert sum(Balance.objects.values_list("reserved", flat=True)) == 0


def test_importing_again_adds_nothing(imported: dict[str, Order]) -> None:
    before, stock = counts(), balances()
    said: list[str] = []
    assert import_orders(ORDERS, said.append) == 0
    assert said[-1].startswith("311 orders: 0 new, 311 already there, 0 rejected")
    assert (counts(), balances()) == (before, stock)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(picked=st.lists(st.integers(0, 310), min_size=1, max_size=12), cut=st.integers(0, 12))
def test_orders_come_in_once_however_often_and_in_whatever_pieces(
    catalogue: None, tmp_path: Path, picked: list[int], cut: int
) -> None:
    texts = ORDERS.read_text("utf-8").splitlines()
    for piece in (picked, picked[:cut], picked[cut:], picked[::-1]):
        import_orders(write(tmp_path / "piece.jsonl", *[texts[i] for i in piece]), lambda _: None)
    wanted = {json.loads(texts[i])["reference"] for i in picked}
    assert set(Order.objects.values_list("reference", flat=True)) >= wanted
    assert Order.objects.count() == Part.objects.count() == JournalEvent.objects.filter(kind="order_imported").count()
    waiting = sum(Line.objects.filter(order__closed_history=False).values_list("quantity", flat=True))
    assert sum(Balance.objects.values_list("waiting", flat=True)) == waiting


def test_a_bad_line_is_told_and_kept_with_its_number_and_stops_no_other(catalogue: None, tmp_path: Path) -> None:
    bad = [
        '{"channel": "osc',
        line(reference="no lines", lines=[]),
        line(reference="negative", lines__0__quantity=-2),
        line(reference="currency", currency="XYZ"),
        '{"total": NaN}',
        line(reference="huge", lines__0__unit_price="9" * 30),
        line(reference="unknown product", lines__0__sku="NO-1"),
        json.dumps(order(customer__name="\ud800")),
        line(reference="nul", customer__name="a\u0000b"),
        '{"a": "' + "x" * 1_100_000 + '"}',
    ]
    feed = write(tmp_path / "feed.jsonl", *[t for at, b in enumerate(bad) for t in (b, line(reference=f"good {at}"))])
    said: list[str] = []
    assert import_orders(feed, said.append) == 1
    assert Order.objects.count() == len(bad)
    rejected = [json.loads(row) for row in (tmp_path / "feed.rejects.jsonl").read_text("utf-8").splitlines()]
    assert sorted(row["line"] for row in rejected) == [2 * at + 1 for at in range(len(bad))]
    reasons = {row["line"]: row["reason"] for row in rejected}
    for number, words in ((1, "broken JSON"), (3, "has none"), (5, "-2 is out of range"), (7, "'XYZ' is unknown"),
                          (9, "NaN"), (11, "out of range"), (13, "import the products first"), (15, "surrogate"),
                          (17, "NUL"), (19, "longer than 1 MB")):  # fmt: skip
        assert words in reasons[number], number
    assert "20 orders: 10 new, 0 already there, 10 rejected" in said[-1]
    assert "line 3: lines: the order has none" in said[-1]
    assert (tmp_path / "feed.rejects.jsonl").stat().st_mode & 0o077 == 0


def test_a_clean_run_leaves_no_rejects_behind_from_an_earlier_one(catalogue: None, tmp_path: Path) -> None:
    feed = write(tmp_path / "feed.jsonl", line(currency="XYZ"))
    assert import_orders(feed, lambda _: None) == 1
    write(feed, line())
    assert import_orders(feed, lambda _: None) == 0
    assert not (tmp_path / "feed.rejects.jsonl").exists()


def test_rejects_of_a_feed_that_lies_where_nothing_can_be_written_are_kept_here(
    catalogue: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed, here = tmp_path / "readonly" / "feed.jsonl", tmp_path / "here"
    feed.parent.mkdir()
    here.mkdir()
    write(feed, line(currency="XYZ"))
    monkeypatch.chdir(here)
    monkeypatch.setattr("os.access", lambda place, _mode: place != feed.parent)
    said: list[str] = []
    assert import_orders(feed, said.append) == 1
    assert (here / "feed.rejects.jsonl").exists()
    assert "the rejected lines are in feed.rejects.jsonl" in said[-1]


def test_a_card_number_is_masked_wherever_it_stands(catalogue: None, tmp_path: Path) -> None:
    dressed = "4242 4242 4242 4242"
    good = order(
        reference="cards", cc_number=CARD, customer__name=f"Ada {CARD}", customer__phone=CARD,
        shipping_address__street=f"12 Vine {dressed}", lines__0__name=f"Lemons {CARD}",
        shipping__0__method=f"Flat {CARD}", payment_method=CARD, history__0__comment=f"exp 12/27 {dressed} cvv 123",
        shipping_address__country=CARD,
    )  # fmt: skip
    bad = [
        line(reference="bad", cc_number=CARD, status=CARD), f'{{"cc": {CARD}', line(reference=CARD),
        json.dumps({"cc": int(CARD), "x": [{"deep": dressed}]}), line(lines__0__sku=CARD),
    ]  # fmt: skip
    feed = write(tmp_path / "feed.jsonl", json.dumps(good), *bad)
    said: list[str] = []
    assert import_orders(feed, said.append) == 1
    kept = Order.objects.get()
    assert "exp 12/27 •••• 4242 cvv •••" in kept.comment
    everything = (tmp_path / "feed.rejects.jsonl").read_text("utf-8") + "".join(said)
    for model in (Order, Part, Line, Customer, JournalEvent, Job):
        everything += str(list(model.objects.values()))
    assert CARD not in everything
    assert dressed not in everything


def test_an_unknown_country_is_kept_and_flagged_and_one_that_is_not_served_too(catalogue: None, tmp_path: Path) -> None:
    with writing():
        shop.change(not_served=[{"country": "US", "state": "UT", "reason": "We may not ship to Utah"}])
    feed = write(
        tmp_path / "feed.jsonl",
        line(reference="lost", shipping_address__country="Atlantis"),
        line(reference="dry", shipping_address__state="Utah", customer__email="dry@example.com"),
    )
    assert import_orders(feed, lambda _: None) == 0
    lost, dry = Order.objects.order_by("id")
    assert lost.shipping_address["country"] == "Atlantis"
    assert [f["code"] for f in lost.flags] == ["country"]
    assert dry.flags == [{"code": "state_not_served", "text": "We may not ship to Utah"}]


@pytest.mark.parametrize("apart", [0, 250], ids=["in one batch", "in two batches"])
def test_a_double_click_comes_in_twice_and_both_are_flagged(catalogue: None, tmp_path: Path, apart: int) -> None:
    at = "2026-11-20T09:00:{:02}Z"
    between = [line(reference=f"R{i}", customer__email=f"r{i}@example.com") for i in range(apart)]
    feed = write(
        tmp_path / "feed.jsonl",
        line(reference="D1", placed_at=at.format(1)),
        *between,
        line(reference="D2", placed_at=at.format(9)),
        line(reference="D3", placed_at="2026-11-20T10:00:00Z"),
        line(reference="D4", placed_at="2026-11-20T10:00:09Z", lines__0__quantity=3, total="28.97"),
    )
    for _ in range(2):
        assert import_orders(feed, lambda _: None) == 0
    flagged = {o.reference: [f["text"] for f in o.flags] for o in Order.objects.all() if o.flags}
    assert flagged.keys() == {"D1", "D2"}
    assert ["order D2" in text for text in flagged["D1"]] == [True]
    assert ["order D1" in text for text in flagged["D2"]] == [True]


def test_a_gap_that_no_conversion_explains_is_not_called_one(catalogue: None, tmp_path: Path) -> None:
    assert import_orders(write(tmp_path / "feed.jsonl", line(total="10.00")), lambda _: None) == 0
    kept = Order.objects.get()
    assert (kept.total, kept.rounding) == (1000, -1098)
    assert "nothing says why" in kept.flags[0]["text"]


def test_tax_of_the_feed_falls_on_the_taxed_lines_alone(catalogue: None, tmp_path: Path) -> None:
    def row(sku: str, rate: str) -> dict[str, Any]:
        return {"sku": sku, "name": sku, "options": [], "quantity": 1, "unit_price": "1.00", "tax_rate": rate}

    lines = [row("LEM-1", "7.0000"), row("LIM-1", "0.0000"), row("ORA-1", "7.0000")]
    feed = line(lines=lines, taxes=[{"title": "Tax", "amount": "0.15"}], total="8.15")
    assert import_orders(write(tmp_path / "feed.jsonl", feed), lambda _: None) == 0
    kept = Order.objects.get()
    assert list(kept.lines.order_by("position").values_list("tax", flat=True)) == [8, 0, 7]
    assert (kept.tax, kept.rounding) == (15, 0)


def test_a_customer_whom_we_know_stays_as_we_know_them(catalogue: None, tmp_path: Path) -> None:
    Customer.objects.create(email_key="ada@example.com", email="ada@example.com", name="Ada Quill-Penn", phone="1")
    feed = write(tmp_path / "feed.jsonl", line(customer__email="ADA@example.com"), line(reference="A-2"))
    assert import_orders(feed, lambda _: None) == 0
    assert Customer.objects.get().name == "Ada Quill-Penn"
    assert set(Order.objects.values_list("email", flat=True)) == {"ADA@example.com", "ada@example.com"}


def test_two_importers_at_once_do_not_double_an_order(
    catalogue: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one commits between our look and our insert: the batch is tried again, and finds it there."""
    feed = write(tmp_path / "feed.jsonl", line())
    assert import_orders(feed, lambda _: None) == 0
    before, stock = counts(), balances()
    look = import_batch._not_here
    looks: list[int] = []

    def too_early(batch: Any, written: Any) -> Any:
        looks.append(len(batch))
        return list(batch) if len(looks) == 1 else look(batch, written)

    monkeypatch.setattr(import_batch, "_not_here", too_early)
    said: list[str] = []
    assert import_orders(feed, said.append) == 0
    assert "1 orders: 0 new, 1 already there" in said[-1]
    assert len(looks) == 2
    assert (counts(), balances()) == (before, stock)


def test_a_batch_takes_a_handful_of_statements_however_many_orders(catalogue: None, tmp_path: Path) -> None:
    feed = write(
        tmp_path / "feed.jsonl", *[line(reference=f"N{i}", customer__email=f"n{i}@example.com") for i in range(200)]
    )
    with CaptureQueriesContext(connection) as captured:
        assert import_orders(feed, lambda _: None) == 0
    assert len(captured) <= 25, [q["sql"][:80] for q in captured]


def test_rows_have_every_column_of_their_tables(
    catalogue: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, set[str]] = {}

    def watched(table: str, found: Any, *more: str) -> None:
        seen[table] = set(found[0]) | {"id"}
        insert(table, found, *more)

    monkeypatch.setattr(import_batch, "insert", watched)
    said = {"at": "2026-11-20T09:00:00Z", "status": "Processing", "notified": True}
    history = [{**said, "comment": "Estimated to ship in 2 business days."}]
    assert import_orders(write(tmp_path / "feed.jsonl", line(status="Processing", history=history)), print) == 0
    assert seen.keys() == {*import_batch.TABLES, "customers_customer"}
    models = {m._meta.db_table: m for m in apps.get_models()}
    for table, columns in seen.items():
        assert columns == {f.column for f in models[table]._meta.concrete_fields}, table


def test_five_thousand_orders_are_imported_at_a_fair_speed(catalogue: None, tmp_path: Path) -> None:
    texts = the_feed()
    feed = write(
        tmp_path / "feed.jsonl",
        *[
            json.dumps(
                {**texts[i % 311], "reference": f"G{i}", "customer": {"name": "G", "email": f"g{i}@example.com"}}
            )
            for i in range(5000)
        ],
    )
    said: list[str] = []
    with work() as it:
        assert import_orders(feed, said.append) == 0
    print(f"{said[-1]}; {5000 / it.seconds:,.0f} orders a second of CPU")
    assert Order.objects.count() == 5000
    # The mark is 1,000/s on a quiet machine.
    assert 5000 / it.seconds > 400
