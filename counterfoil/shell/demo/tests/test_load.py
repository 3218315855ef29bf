"""The demo shop is loaded by running the process, and then it stands as its tales tell."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from counterfoil.core import clock
from counterfoil.core.access.models import User
from counterfoil.core.models import Document, Job, JournalEvent
from counterfoil.flow.verify import judge_all
from counterfoil.gateways.carrier.tracking import recognise
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Order, Shipment
from counterfoil.shell.demo import load, telling
from counterfoil.shell.demo.days import CLOSES, Days
from counterfoil.shell.demo.load import load_demo
from counterfoil.shell.demo.opening import TIMEZONE
from counterfoil.shell.demo.tales import TALES
from counterfoil.steps.sourcing.models import PurchaseOrder

ZONE = ZoneInfo(TIMEZONE)
MOMENTS = {
    "on a Sunday evening": datetime(2026, 11, 22, 19, 4, tzinfo=ZONE),
    "on a Monday before opening": datetime(2026, 11, 23, 3, 30, tzinfo=ZONE),
    "a minute after opening": datetime(2026, 11, 24, 9, 1, tzinfo=ZONE),
    "on a Wednesday afternoon": datetime(2026, 11, 25, 15, 40, tzinfo=ZONE),
    "on a Friday at midnight": datetime(2026, 11, 27, 23, 59, tzinfo=ZONE),
}


def stands() -> dict[str, str]:
    return dict(Order.objects.order_by("reference").values_list("reference", "queue"))


def told() -> dict[str, str]:
    return {f"demo-{n:03}": tale.ends for n, tale in enumerate(TALES, start=1)}


def counts() -> tuple[int, ...]:
    models = (Order, JournalEvent, Document, Job, Product, User, PurchaseOrder, Shipment)
    return tuple(m.objects.count() for m in models)


@pytest.mark.django_db
def test_the_demo_shop_stands_as_its_tales_tell_and_is_loaded_once(card: str) -> None:
    load_demo()
    assert stands() == told()
    assert set(stands().values()) >= {
        "review", "stock", "goods", "charge", "charged_waiting", "pick", "pack", "ship", "transit", "done",
        "payment_problem", "question", "promise", "cannot_ship", "cancelled", "unfinished",
    }  # fmt: skip
    assert judge_all() == []
    assert {name.split(".")[0] for name in Job.objects.values_list("name", flat=True)} == {"mail", "core"}
    for order in Order.objects.prefetch_related("parts"):
        assert order.total == order.subtotal + order.shipping + order.tax + order.rounding, order.number
        assert order.total == sum(p.total for p in order.parts.all()), order.number
    before = counts()
    load_demo()
    assert counts() == before


@pytest.mark.django_db
def test_the_demos_past_lies_in_the_past_and_runs_forwards_in_opening_hours(card: str) -> None:
    load_demo()
    now = clock.business_now()
    last: dict[str, datetime] = {}
    for subject, at, kind, actor in JournalEvent.objects.order_by("id").values_list(
        "subject", "at", "kind", "actor_kind"
    ):
        if subject != load.SUBJECT:
            assert at <= now, (subject, kind)
            assert last.get(subject, at) <= at, (subject, kind)
            last[subject] = at
        if actor == "person":
            local = at.astimezone(ZONE)
            assert local.weekday() < 5, (subject, kind, local)
            assert 7 <= local.hour <= 22, (subject, kind, local)
    for shipment in Shipment.objects.all():
        assert shipment.carrier in recognise(shipment.tracking_number)
        assert shipment.tracking_url.startswith("https://")


@pytest.mark.django_db
def test_an_interrupted_load_goes_on_where_it_stopped(card: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class PowerCut(Exception):
        pass

    def cut_at(nth: int) -> None:
        calls = iter(range(1, 10_000))

        def settle() -> None:
            if next(calls) == nth:
                raise PowerCut
            real()

        monkeypatch.setattr(load, "_settle", settle)

    real = load._settle
    for nth in (1, 60, 130):
        cut_at(nth)
        with pytest.raises(PowerCut):
            load_demo()
    monkeypatch.setattr(load, "_settle", real)
    load_demo()
    assert stands() == told()
    assert judge_all() == []
    assert JournalEvent.objects.filter(kind="order_approved").count() == sum(
        act.verb == "approve" for tale in TALES for act in tale.acts
    )


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
    staff = {email: telling.customer(email) for email in (telling.MARA, telling.BEA)}
    days = Days(moment.astimezone(UTC), ZONE, frozenset(range(5)))
    acts = telling.Teller(staff, days).acts()
    assert all(act.at <= moment for act in acts)
    assert days.at("0 09:10") < days.at("0 17:25") <= moment
    assert days.at("0 17:25").astimezone(ZONE).time() <= CLOSES
    assert all(a.at <= b.at for a, b in pairwise(acts))
