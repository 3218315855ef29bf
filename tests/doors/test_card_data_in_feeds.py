"""The same for what comes in files and from the processor, for the owner's settings and the command line."""

from __future__ import annotations

import io
import json
from dataclasses import fields as fields_of
from pathlib import Path
from types import SimpleNamespace

import pytest
import stripe
from django.test import Client

from conftest import Mailbox
from counterfoil.core import jobs, shop
from counterfoil.core.access.keys import make_key
from counterfoil.core.db import writing
from counterfoil.core.models import Job
from counterfoil.gateways.card.protocol import Refusal, Wrong
from counterfoil.gateways.card.stripe.wire import asking, returned_of
from counterfoil.gateways.storefront.tests.feed import PRODUCTS, line, write
from counterfoil.records.catalogue.importing import import_products
from counterfoil.records.orders.models import Order
from counterfoil.steps.charging.models import InboxEvent
from counterfoil.steps.charging.tests.build import deliver, event, signed
from counterfoil.steps.checkout.importing import import_orders
from tests.doors.build import Desk
from tests.doors.cards import NUMBERS, cards_in, dressed, found_in_database, nowhere
from tests.doors.table import leaves, put
from tests.support import settle

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
