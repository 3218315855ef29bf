"""The same for what comes in files and from the processor, for the owner's settings and the command line."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import fields as fields_of
from pathlib import Path
from types import SimpleNamespace

import pytest
import stripe
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conftest import Mailbox
from counterfoil.core import jobs, shop
from counterfoil.core.access.keys import make_key
from counterfoil.core.access.models import User
from counterfoil.core.db import writing
from counterfoil.core.models import Job
from counterfoil.desk.settings.form import shown
from counterfoil.desk.settings.sections import SECTIONS
from counterfoil.flow.settings import settings_mark
from counterfoil.gateways.card.protocol import Refusal, Wrong
from counterfoil.gateways.card.stripe.wire import asking, returned_of
from counterfoil.gateways.storefront.tests.feed import PRODUCTS, line, write
from counterfoil.records.catalogue.importing import import_products
from counterfoil.records.orders.models import Order
from counterfoil.records.stock.models import Movement
from counterfoil.shell.stocktaking import import_stock
from counterfoil.steps.charging.models import InboxEvent
from counterfoil.steps.charging.tests.build import deliver, event, signed
from counterfoil.steps.checkout.importing import import_orders
from counterfoil.steps.sourcing.models import StockFile
from tests.doors.build import Desk
from tests.doors.cards import NUMBERS, cards_in, dressed, found_in_database, nowhere
from tests.doors.table import leaves, put
from tests.support import png, settle

pytestmark = pytest.mark.django_db
VISA = NUMBERS[0]


def test_a_card_number_anywhere_in_an_import_is_masked_or_refused(
    open_shop: Desk, tmp_path: Path, log: io.StringIO, mailbox: Mailbox
) -> None:
    numbers = dressed()
    said: list[str] = []
    import_products(PRODUCTS, said.append)
    columns = PRODUCTS.read_text().splitlines()[0].split(",")
    sample = dict.fromkeys(columns, "1")
    rows = [",".join((sample | {"sku": f"P-{n}", name: next(numbers)}).values()) for n, name in enumerate(columns)]
    import_products(write(tmp_path / "products.csv", ",".join(columns), *rows, f"broken,{VISA}"), said.append)
    good = json.loads(line())
    places = [at for at, value in leaves(good) if isinstance(value, str)]
    feed = [json.dumps(put({**good, "reference": f"A-{n}"}, at, next(numbers))) for n, at in enumerate(places)]
    feed += [f'{{"broken": "{VISA}', json.dumps({**good, "reference": "extra", "cc_number": VISA})]
    import_orders(write(tmp_path / "orders.jsonl", *feed), said.append)
    assert Order.objects.count() > 10
    settle()
    rejects = [p.read_text() for p in tmp_path.glob("*.rejects.*")]
    assert len(rejects) == 2
    assert cards_in("".join([*said, *rejects])) == []
    nowhere(log, mailbox)


STOCK = ("sku", "quantity", "bin", "lot", "best_before")
LINE = ("PINOT-21", "7", "A-9", "L9", "2030-01-31")


def stock_files(numbers: Iterator[str]) -> Iterator[str]:
    """A count of stock with a card number in each cell of its first line and of a line by itself, and beside them."""
    for at in range(len(STOCK)):
        yield "\n".join(",".join((*row[:at], next(numbers), *row[at + 1 :])) for row in (STOCK, LINE))
        yield f"{','.join(STOCK)}\n{','.join((*LINE[:at], next(numbers), *LINE[at + 1 :]))}\n"
    yield f"{','.join(STOCK)},{VISA}\n{','.join(LINE)},{VISA}\n"
    yield f'{",".join(STOCK)}\n{",".join(LINE)}\n{VISA}\n"{VISA}\n'


def test_a_card_number_in_a_file_of_stock_or_in_its_name_is_masked_or_refused(
    open_shop: Desk, client: Client, tmp_path: Path, log: io.StringIO, mailbox: Mailbox
) -> None:
    numbers = dressed()
    said: list[str] = []
    for at, text in enumerate(stock_files(numbers)):
        with contextlib.suppress(ValueError):
            import_stock(write(tmp_path / f"count {at} {VISA}.csv", text), "counted", said.append)
    again = tmp_path / f"count again {VISA}.csv"
    for _ in range(2):
        import_stock(write(again, ",".join(STOCK), ",".join(LINE)), "counted", said.append)
    assert StockFile.objects.filter(name="count again •••• 1111.csv").exists()
    assert Movement.objects.filter(reason__contains="•••• 1111.csv").exists()
    assert cards_in("".join([*said, *(p.read_text() for p in tmp_path.glob("*.rejects.*"))])) == []
    client.force_login(User.objects.create_user("o@example.com", "a long password", name="Olga", role="owner"))
    for at, text in enumerate(stock_files(numbers)):
        file = SimpleUploadedFile(f"desk {at} {next(numbers)}.csv", f"{text}\n".encode())
        page = client.post("/desk/stock.csv", {"file": file, "mode": "counted"}, follow=True)
        assert page.status_code < 500
        assert cards_in(page.content.decode()) == [], text
    settle()
    nowhere(log, mailbox)


def test_a_card_number_in_a_carrier_s_file_or_in_its_name_is_masked_or_refused(
    open_shop: Desk, client: Client, log: io.StringIO, mailbox: Mailbox
) -> None:
    client.force_login(User.objects.create_user("o@example.com", "a long password", name="Olga", role="owner"))
    numbers = dressed()
    header = ("order", "tracking number", "carrier", "service")
    refused = 0
    for at in range(len(header)):
        row = (open_shop.packed(), "1Z999AA10123456784", "UPS", "Ground")
        for changed in ("header", "row"):
            number = next(numbers)
            both: dict[str, tuple[str, ...]] = {"header": header, "row": row}
            both[changed] = (*both[changed][:at], number, *both[changed][at + 1 :])
            content = "\n".join(";".join(cells) for cells in both.values())
            file = SimpleUploadedFile(f"parcels {number}.csv", content.encode())
            page = client.post("/desk/ship/file", {"file": file, "carrier": next(numbers)}, follow=True)
            assert page.status_code in {200, 422}
            assert cards_in(page.content.decode()) == [], content
            refused += page.status_code == 422
            if page.redirect_chain:
                settle()  # the worker ships it, and says what came of each row
                results = client.get(page.redirect_chain[-1][0])
                assert results.status_code == 200
                assert cards_in(results.content.decode()) == [], content
    assert refused == 2  # without a column for the order, or for the number; the first line was shown
    # A logo is drawn anew from its pixels; its file's name goes nowhere.
    logo = SimpleUploadedFile(f"logo {VISA}.png", png(400, 100))
    form = {"seen": str(settings_mark()), **shown(SECTIONS["shop"], shop.shop()), "logo.file": logo}
    assert client.post("/desk/settings/shop", form).status_code == 303
    settle()
    nowhere(log, mailbox)


def test_a_card_number_in_a_webhook_is_not_kept(
    open_shop: Desk, client: Client, log: io.StringIO, mailbox: Mailbox
) -> None:
    bodies = [
        event("charge.succeeded", "ch_1", id_=f"evt_{VISA}"),
        event(f"charge.{VISA}", "ch_1", id_="evt_2"),
        event("refund.updated", f"re_{VISA}", id_="evt_3"),
        event("payment_intent.succeeded", VISA, id_="evt_4"),
        json.dumps({"id": "evt_5", "type": "x", "data": {"object": {"id": "o", "number": VISA}}, VISA: VISA}).encode(),
    ]
    assert [deliver(client, body, signed(body)) for body in bodies] == [200] * len(bodies)
    assert deliver(client, bodies[0], f"t={VISA},v1={VISA}") == 400
    assert InboxEvent.objects.count() == len(bodies)
    settle()
    nowhere(log, mailbox)


def test_a_job_that_fails_with_a_card_number_in_its_error_keeps_it_masked(
    open_shop: Desk, log: io.StringIO, mailbox: Mailbox
) -> None:
    settle()
    with writing():
        jobs.enqueue("no.such", key="1", payload={})
    held = jobs.claim("w")
    assert held is not None
    jobs.put_back(held, f"Traceback ...\nValueError: {VISA} is no order")
    assert "•••• 1111 is no order" in Job.objects.get().last_error
    nowhere(log, mailbox)


def test_what_the_processor_says_of_a_card_is_kept_without_its_number() -> None:
    error = stripe.CardError(  # type: ignore[no-untyped-call]
        "", "", "", json_body={"error": {"message": f"Your card {VISA} was declined."}}
    )
    with pytest.raises(Refusal) as said, asking():
        raise error
    assert said.value.message == "Your card •••• 1111 was declined."
    with pytest.raises(Wrong, match="No such card: •••• 1111"), asking():
        raise stripe.InvalidRequestError(f"No such card: {VISA}", "card")  # type: ignore[no-untyped-call]
    made = SimpleNamespace(id="re_1", status="failed", amount=1, failure_reason=f"card {VISA} is closed")
    assert returned_of(made).failure == "card •••• 1111 is closed"


def test_a_card_number_is_no_setting_and_no_name_of_a_key(open_shop: Desk) -> None:
    for field in fields_of(shop.Shop):
        for value in (VISA, [VISA], [{"country": "US", "reason": f"see {VISA}"}], int(VISA)):
            with writing(), pytest.raises(ValueError, match="card number"):
                shop.change(**{field.name: value})
    with pytest.raises(ValueError, match="card number"):
        make_key(VISA, "clerk")
    assert found_in_database() == []
