"""The demo shop is loaded by running the process, and then it stands as its tales tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from counterfoil.core import clock
from counterfoil.core.access.models import User
from counterfoil.core.actor import Actor
from counterfoil.core.models import Document, Job, JournalEvent
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.carrier.tracking import recognise
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Order, Shipment
from counterfoil.shell.demo import load, telling
from counterfoil.shell.demo.days import CLOSES, Days
from counterfoil.shell.demo.load import load_demo
from counterfoil.shell.demo.opening import TIMEZONE
from counterfoil.shell.demo.tales import BEA, MARA, TALES
from counterfoil.shell.demo.tests.every_page import asked_by_every_page
from counterfoil.steps.charging import charge
from counterfoil.steps.charging.clearing import agreements
from counterfoil.steps.charging.models import Dispute, Payout
from counterfoil.steps.sourcing.models import PurchaseOrder

MOST_STATEMENTS = 12

ZONE = ZoneInfo(TIMEZONE)
MOMENTS = {
    "on a Sunday evening": datetime(2026, 11, 22, 19, 4, tzinfo=ZONE),
    "on a Monday before opening": datetime(2026, 11, 23, 3, 30, tzinfo=ZONE),
    "a minute after opening": datetime(2026, 11, 24, 9, 1, tzinfo=ZONE),
    "on a Wednesday afternoon": datetime(2026, 11, 25, 15, 40, tzinfo=ZONE),
    "on a Friday at midnight": datetime(2026, 11, 27, 23, 59, tzinfo=ZONE),
}


@pytest.fixture
def card(moving_card: str) -> str:
    """The demo's past moves the bank's clock too."""
    return moving_card


class PowerCut(Exception):
    """The load is cut off."""


def stands() -> dict[str, str]:
    return dict(Order.objects.order_by("reference").values_list("reference", "queue"))


def told() -> dict[str, str]:
    return {f"demo-{n:03}": tale.ends for n, tale in enumerate(TALES, start=1)}


def counts() -> tuple[int, ...]:
    models = (Order, JournalEvent, Document, Job, Product, User, PurchaseOrder, Shipment)
    return tuple(m.objects.count() for m in models)


def the_shop_stands_as_its_tales_tell() -> None:
    assert stands() == told()
    assert set(stands().values()) >= {
        "review", "stock", "goods", "charge", "charged_waiting", "pick", "pack", "ship", "transit", "done",
        "sales_order", "payment_problem", "question", "promise", "cannot_ship", "cancelled", "unfinished",
        "bank_differs",
        "call",
    }  # fmt: skip
    assert judge_all() == []
    assert {name.split(".")[0] for name in Job.objects.values_list("name", flat=True)} == {"mail", "core"}
    for order in Order.objects.prefetch_related("parts"):
        assert order.total == order.subtotal + order.shipping + order.tax + order.rounding, order.number
        assert order.total == sum(p.total for p in order.parts.all()), order.number
    for shipment in Shipment.objects.all():
        assert shipment.carrier in recognise(shipment.tracking_number)
        assert shipment.tracking_url.startswith("https://")


def the_bank_lived_through_it_too() -> None:
    """Fees and payouts fall on the days of the tales, clearing agrees, and a dispute waits for its answer."""
    assert len({p.arrives_on for p in Payout.objects.all()}) >= 5
    assert {p.currency for p in Payout.objects.all()} >= {"USD", "EUR"}
    assert all(one.agrees for one in agreements())
    row = Dispute.objects.select_related("order").get()
    assert (row.state, row.order.status, row.order.next_action) == ("open", "delivered", "answer_dispute")
    assert row.due_by is not None
    assert row.due_by > clock.business_now()


def the_past_runs_forwards_in_opening_hours() -> None:
    now = clock.business_now()
    last: dict[str, datetime] = {}
    events = JournalEvent.objects.exclude(subject=load.SUBJECT).order_by("id")
    for subject, at, kind, actor, name in events.values_list("subject", "at", "kind", "actor_kind", "actor"):
        assert last.get(subject, at) <= at <= now, (subject, kind)
        last[subject] = at
        local = at.astimezone(ZONE)
        if actor == "person" and kind != "order_placed":
            assert local.weekday() < 5, (subject, kind, name)
            assert 8 <= local.hour < 18, (subject, kind, name)


@pytest.mark.django_db
def test_a_load_goes_on_where_it_was_cut_off_and_then_the_shop_stands_as_its_tales_tell(
    own_bank: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def cut(*_: Any) -> bool:
        raise PowerCut

    def cut_after(acts: int) -> Callable[[], None]:
        calls = iter(range(acts))

        def done() -> None:
            if next(calls, None) is None:
                raise PowerCut
            settle()

        return done

    settle = load._settle
    for acts in (0, 90):
        monkeypatch.setattr(load, "_settle", cut_after(acts))
        with pytest.raises(PowerCut):
            load_demo()
    monkeypatch.setattr(load, "_settle", settle)
    with monkeypatch.context() as patched:
        patched.setattr(charge, "_await", cut)  # the charge is begun, and nobody asks the bank
        with pytest.raises(PowerCut):
            load_demo()
    load_demo()
    the_shop_stands_as_its_tales_tell()
    the_bank_lived_through_it_too()
    for verb, kind in (("approve", "order_approved"), ("charge", "charge_begun"), ("ask", "proposal_made")):
        wanted = sum(
            act.verb.removesuffix("_held") == verb and tale.card != "on_delivery" for tale in TALES for act in tale.acts
        )
        done = JournalEvent.objects.filter(kind=kind).exclude(subject__in=paid_at_the_door()).count()
        assert done == wanted, verb
    the_past_runs_forwards_in_opening_hours()
    before = counts()
    load_demo()
    assert counts() == before
    settings.DEMO = True
    no_page_asks_the_database_much()


def no_page_asks_the_database_much() -> None:
    """Every page of the desk, of the shop, of accounts and of the first steps, filled as the demo fills it."""
    assert {page: count for page, count in asked_by_every_page().items() if count > MOST_STATEMENTS} == {}


def paid_at_the_door() -> list[str]:
    return list(Order.objects.filter(payment_method="on_delivery").values_list("number", flat=True))


@pytest.mark.django_db
def test_a_shop_that_is_somebodys_own_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    User.objects.create_user("mine@example.com", "a long enough password", name="Mine", role="owner")
    load_demo()
    assert "holds a shop already" in capsys.readouterr().out
    assert (Order.objects.count(), Product.objects.count(), User.objects.count()) == (0, 0, 1)


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_no_tale_runs_backwards_or_into_the_future_whenever_the_demo_is_loaded(
    moment: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling.Teller, "__post_init__", lambda self: None)
    staff = {email: Actor("person", email, "clerk") for email in (MARA, BEA)}
    days = Days(moment.astimezone(UTC), ZONE, frozenset(range(5)))
    acts = telling.Teller(staff, days).acts()
    assert all(act.at <= moment for act in acts)
    assert days.at("0 09:10") < days.at("0 17:25") <= moment
    assert days.at("0 17:25").astimezone(ZONE).time() <= CLOSES
    assert all(a.at <= b.at for a, b in pairwise(acts))
